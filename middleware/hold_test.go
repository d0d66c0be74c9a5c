package middleware_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/hold"
	"github.com/hooknotary/hooknotary/verify/replay"
)

func TestHeldHeader(t *testing.T) {
	t.Run("headers of a held response leave with it", func(t *testing.T) {
		for _, c := range []struct {
			name    string
			handle  http.HandlerFunc
			headers []string
		}{
			{"those before the status leave", func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("X-Early", "1")
				w.WriteHeader(201)
			}, []string{"X-Early", "1", "X-Outer", "1"}},
			{"those without a status leave", func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("X-Early", "1")
			}, []string{"X-Early", "1", "X-Outer", "1"}},
			{"those after the status do not", func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(201)
				w.Header().Set("X-Late", "1")
				w.Header().Set("X-Outer", "2")
			}, []string{"X-Late", "", "X-Outer", "1"}},
			{"those after a body do not", func(w http.ResponseWriter, r *http.Request) {
				w.Write([]byte("ok"))
				w.Header().Set("X-Late", "1")
				w.Header().Del("X-Outer")
			}, []string{"X-Late", "", "X-Outer", "1"}},
			{"changes of values after the status do not, either", func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(201)
				w.Header()["X-Outer"][0] = "2"
				w.Header().Add("X-Outer", "3")
			}, []string{"X-Outer", "1"}},
			{"the handler may remove an outer one", func(w http.ResponseWriter, r *http.Request) {
				w.Header().Del("X-Outer")
				w.WriteHeader(201)
			}, []string{"X-Outer", ""}},
		} {
			t.Run(c.name, func(t *testing.T) {
				s := newSite(t)
				s.handle = c.handle
				w := httptest.NewRecorder()
				w.Header().Set("X-Outer", "1")
				s.ServeHTTP(w, s.request)
				if w.Code/100 != 2 {
					t.Errorf("status %d", w.Code)
				}
				want(t, w, w.Code, c.headers...)
				// The headers as they left, not as the map is now.
				sent := w.Result().Header
				for i := 0; i < len(c.headers); i += 2 {
					if got := strings.Join(sent[c.headers[i]], ","); got != c.headers[i+1] {
						t.Errorf("sent %s %q, want %q", c.headers[i], got, c.headers[i+1])
					}
				}
			})
		}
	})

	t.Run("a response that is thrown away leaves no headers", func(t *testing.T) {
		for _, lost := range []bool{false, true} {
			s := newSite(t)
			if lost {
				s.store.commit = func(context.Context, replay.Handle) error { return replay.ErrLost }
			}
			s.handle = func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Set-Cookie", "handler=1")
				w.Header().Set("X-Outer", "2")
				w.Header()["X-Second"][0] = "2"
				w.WriteHeader(200)
				io.WriteString(w, "done")
			}
			w := httptest.NewRecorder()
			w.Header().Set("X-Outer", "1")
			w.Header()["X-Second"] = []string{"1"}
			s.ServeHTTP(w, s.request)
			if lost {
				want(t, w, 409, "Set-Cookie", "", "X-Outer", "1", "X-Second", "1", "Content-Type", "application/problem+json")
				if strings.Contains(w.Body.String(), "done") {
					t.Errorf("body %q", w.Body)
				}
			} else {
				want(t, w, 200, "Set-Cookie", "handler=1", "X-Outer", "2", "X-Second", "2")
				if w.Body.String() != "done" {
					t.Errorf("body %q", w.Body)
				}
			}
		}
	})

	t.Run("a handler that panics leaves no headers", func(t *testing.T) {
		s := newSite(t)
		s.handle = func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Set-Cookie", "handler=1")
			w.Header().Set("X-Outer", "2")
			w.WriteHeader(200)
			panic("boom")
		}
		w := httptest.NewRecorder()
		w.Header().Set("X-Outer", "1")
		func() {
			defer func() {
				recover()
				w.WriteHeader(500)
			}()
			s.ServeHTTP(w, s.request)
		}()
		want(t, w, 500, "Set-Cookie", "", "X-Outer", "1")
	})
}

func TestHeldResponse(t *testing.T) {
	t.Run("a long response fails", func(t *testing.T) {
		for _, c := range []struct {
			name   string
			bytes  int
			err    error
			length int
		}{
			{"of 1 MiB leaves", mib, nil, mib},
			{"of a byte more leaves without its body", mib + 1, hold.ErrResponseTooLarge, 0},
		} {
			t.Run(c.name, func(t *testing.T) {
				s := newSite(t, observed)
				s.handle = func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Content-Length", "1048577")
					w.Header().Set("Content-Type", "text/plain")
					w.Header().Set("X-Other", "1")
					if c.err == nil {
						w.Header().Set("Content-Length", "1048576")
					}
					w.WriteHeader(201)
					half := bytes.Repeat([]byte("x"), mib/2)
					w.Write(half)
					io.WriteString(w, strings.Repeat("x", mib/2-1))
					_, err := w.Write(half[:c.bytes-mib+1])
					if !errors.Is(err, c.err) {
						t.Errorf("error %v, want %v", err, c.err)
					}
					if n, err := w.Write(nil); c.err != nil && err == nil || n != 0 {
						t.Errorf("a later write says %d, %v", n, err)
					}
				}
				server := listen(t, s)
				response, err := server.Client().Do(requestTo(server.URL, s.request))
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(response.Body)
				response.Body.Close()
				if err != nil || response.StatusCode != 201 || len(body) != c.length || response.Header.Get("X-Other") != "1" {
					t.Errorf("status %d, %d bytes, %v, headers %v", response.StatusCode, len(body), err, response.Header)
				}
				if s.event().Outcome != middleware.Handled || s.store.commits.Load() != 1 {
					t.Errorf("event %+v", s.event())
				}
			})
		}
	})

	t.Run("a handler may ask for what can be held", func(t *testing.T) {
		w := &equipped{journal: newJournal()}
		s := newSite(t)
		deadline := time.Now().Add(time.Hour)
		s.handle = func(held http.ResponseWriter, r *http.Request) {
			controller := http.NewResponseController(held)
			if err := controller.Flush(); err != nil {
				t.Error(err)
			}
			held.(http.Flusher).Flush()
			if err := controller.SetReadDeadline(deadline); err != nil || !w.read.Equal(deadline) {
				t.Errorf("SetReadDeadline: %v, %v", err, w.read)
			}
			if err := controller.SetWriteDeadline(deadline); err != nil || !w.write.Equal(deadline) {
				t.Errorf("SetWriteDeadline: %v, %v", err, w.write)
			}
			if err := controller.EnableFullDuplex(); err != nil || !w.duplex {
				t.Errorf("EnableFullDuplex: %v", err)
			}
			if _, _, err := controller.Hijack(); !errors.Is(err, http.ErrNotSupported) {
				t.Errorf("Hijack: %v", err)
			}
			if _, ok := held.(http.Hijacker); ok {
				t.Error("it is a Hijacker")
			}
			if _, ok := held.(http.Pusher); ok {
				t.Error("it is a Pusher")
			}
			if _, ok := held.(io.ReaderFrom); ok {
				t.Error("it is a ReaderFrom of the server's")
			}
			if _, ok := held.(interface{ Unwrap() http.ResponseWriter }); ok {
				t.Error("it can be unwrapped")
			}
			io.Copy(held, strings.NewReader("copied"))
			if w.String() != "" {
				t.Errorf("it let %q out", w)
			}
		}
		s.ServeHTTP(w, s.request)
		if w.String() != "status 200, body copied" {
			t.Errorf("sent %q", w)
		}
	})

	t.Run("a writer without deadlines says so", func(t *testing.T) {
		s := newSite(t)
		s.handle = func(w http.ResponseWriter, r *http.Request) {
			controller := http.NewResponseController(w)
			if err := controller.SetReadDeadline(time.Now()); !errors.Is(err, http.ErrNotSupported) {
				t.Errorf("SetReadDeadline: %v", err)
			}
			if err := controller.SetWriteDeadline(time.Now()); !errors.Is(err, http.ErrNotSupported) {
				t.Errorf("SetWriteDeadline: %v", err)
			}
		}
		s.ServeHTTP(newJournal(), s.request)
		wantRuns(t, s, 1)
	})
}

// equipped has everything that a server's own writer has.
type equipped struct {
	*journal
	http.Hijacker
	read, write time.Time
	duplex      bool
}

func (e *equipped) Flush()                               { e.note("flush") }
func (e *equipped) Push(string, *http.PushOptions) error { return nil }
func (e *equipped) SetReadDeadline(t time.Time) error    { e.read = t; return nil }
func (e *equipped) SetWriteDeadline(t time.Time) error   { e.write = t; return nil }
func (e *equipped) EnableFullDuplex() error              { e.duplex = true; return nil }
func (e *equipped) CloseNotify() <-chan bool             { return nil }
func (e *equipped) ReadFrom(r io.Reader) (int64, error)  { return io.Copy(e.journal, r) }
func (e *equipped) WriteString(s string) (int, error)    { return e.Write([]byte(s)) }
func (e *equipped) WriteHeaderNow()                      {}
func (e *equipped) Unwrap() http.ResponseWriter          { return e.journal }
