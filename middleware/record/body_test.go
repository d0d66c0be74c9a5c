package record_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/record"
	"github.com/hooknotary/hooknotary/providers/github"
	"github.com/hooknotary/hooknotary/providers/github/githubtest"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/capture"
	"github.com/hooknotary/hooknotary/verify/replay"
)

// untouchable is a body that must not be read.
type untouchable struct{ t *testing.T }

func (u untouchable) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, errors.New("this body must not be read")
}

func TestRecorder(t *testing.T) {
	t.Run("it reads nothing by itself", func(t *testing.T) {
		s := newSite(t, unsigned, func(s *site) { s.request.Body = io.NopCloser(untouchable{s.t}) })
		if w := s.serve(s.request); w.Code != 401 {
			t.Errorf("status %d", w.Code)
		}
		if c := s.file(); len(c.Body) != 0 || c.Inexact == "" {
			t.Errorf("a body of %d bytes, inexact %q", len(c.Body), c.Inexact)
		}
	})

	t.Run("the go ahead for the body is left to the guard", func(t *testing.T) {
		for _, c := range []struct {
			name   string
			change func(*site)
			want   []string // status lines
		}{
			{"none for what is refused on the head", unsigned, []string{"HTTP/1.1 401"}},
			{"one for what is read", func(*site) {}, []string{"HTTP/1.1 100", "HTTP/1.1 200"}},
		} {
			t.Run(c.name, func(t *testing.T) {
				s := newSite(t, c.change)
				server := listen(t, s, false)
				conn, err := net.Dial("tcp", server.Listener.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				conn.SetDeadline(time.Now().Add(patience))
				var head strings.Builder
				fmt.Fprintf(&head, "POST /hooks HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: %d\r\n", len(eventBody("evt_1")))
				s.request.Header.Write(&head)
				fmt.Fprint(conn, head.String(), "\r\n")
				in := bufio.NewReader(conn)
				for _, want := range c.want {
					line, err := in.ReadString('\n')
					if !strings.HasPrefix(line, want) {
						t.Fatalf("answered %q, %v; want %s", line, err, want)
					}
					if want == "HTTP/1.1 100" {
						in.ReadString('\n')
						conn.Write(eventBody("evt_1"))
					}
				}
			})
		}
	})

	t.Run("the request is what it was before", func(t *testing.T) {
		s := newSite(t)
		w := httptest.NewRecorder()
		through := func(r *http.Request, look func(http.ResponseWriter, *http.Request)) {
			s.recorder.Handler(http.HandlerFunc(look)).ServeHTTP(w, r)
		}
		t.Run("without a body", func(t *testing.T) {
			r := httptest.NewRequest("POST", "/", http.NoBody)
			through(r, func(_ http.ResponseWriter, got *http.Request) {
				if got.Body != http.NoBody || got.ContentLength != 0 {
					t.Errorf("the body is %v of %d bytes", got.Body, got.ContentLength)
				}
			})
		})
		t.Run("with a nil body", func(t *testing.T) {
			r := httptest.NewRequest("POST", "/", nil)
			r.Body = nil
			through(r, func(_ http.ResponseWriter, got *http.Request) {
				if got.Body != nil {
					t.Errorf("the body is %v", got.Body)
				}
			})
		})
		t.Run("with a body", func(t *testing.T) {
			body := &closing{Reader: strings.NewReader("hello")}
			r := httptest.NewRequest("POST", "/", body)
			r.ContentLength, r.TransferEncoding = -1, []string{"chunked"}
			through(r, func(gw http.ResponseWriter, got *http.Request) {
				if gw != http.ResponseWriter(w) {
					t.Error("the ResponseWriter is another one")
				}
				if got.ContentLength != -1 || fmt.Sprint(got.TransferEncoding) != "[chunked]" {
					t.Errorf("%d bytes, %v", got.ContentLength, got.TransferEncoding)
				}
				if b, err := io.ReadAll(got.Body); string(b) != "hello" || err != nil {
					t.Errorf("the body is %q, %v", b, err)
				}
				if got.Body.Close(); !body.closed {
					t.Error("Close was not passed on")
				}
			})
			if r.Body != io.ReadCloser(body) {
				t.Error("the caller's request was changed")
			}
		})
		t.Run("whatever reading ends with", func(t *testing.T) {
			r := httptest.NewRequest("POST", "/", broken{strings.NewReader("hel")})
			through(r, func(_ http.ResponseWriter, got *http.Request) {
				if b, err := io.ReadAll(got.Body); string(b) != "hel" || err != errBroken {
					t.Errorf("the body is %q, %v", b, err)
				}
			})
		})
	})

	t.Run("what ends a handler passes through", func(t *testing.T) {
		boom := errors.New("boom")
		for _, c := range []struct {
			name   string
			handle http.HandlerFunc
			want   any // what is recovered; nil: the goroutine ends
		}{
			{"a panic", func(http.ResponseWriter, *http.Request) { panic(boom) }, boom},
			{"an abort", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, http.ErrAbortHandler},
			{"the end of the goroutine", func(http.ResponseWriter, *http.Request) { runtime.Goexit() }, nil},
		} {
			t.Run(c.name, func(t *testing.T) {
				s := newSite(t, func(s *site) { s.handle = c.handle })
				ended := make(chan any)
				go func() {
					returned := false
					defer func() {
						v := recover()
						if returned {
							v = "it returned"
						}
						ended <- v
					}()
					s.ServeHTTP(httptest.NewRecorder(), s.request)
					returned = true
				}()
				if got := <-ended; got != c.want {
					t.Errorf("it ended with %v, want %v", got, c.want)
				}
				if f := s.file(); f.Expect != capture.Accept || !strings.HasPrefix(f.Note, "failed\n") {
					t.Errorf("expected %q: %s", f.Expect, f.Note)
				}
			})
		}
	})

	t.Run("a handler may hijack behind a guard that only reports", func(t *testing.T) {
		s := newSite(t, reportOnly, func(s *site) {
			s.handle = func(w http.ResponseWriter, _ *http.Request) {
				conn, _, err := http.NewResponseController(w).Hijack()
				if err != nil {
					s.t.Error(err)
					return
				}
				io.WriteString(conn, "HTTP/1.1 299 Hijacked\r\nConnection: close\r\n\r\n")
				conn.Close()
			}
		})
		if status := deliver(t, listen(t, s, false), s.request); status != 299 {
			t.Errorf("status %d", status)
		}
		s.await()
		if c := s.file(); c.Expect != capture.Accept {
			t.Errorf("expected %q", c.Expect)
		}
	})

	t.Run("deadlines pass through it", func(t *testing.T) {
		s := newSite(t, func(s *site) { s.guard.BodyTimeout = 50 * time.Millisecond })
		server := listen(t, s, false)
		pr, pw := io.Pipe()
		defer pw.Close()
		setBody(s.request, pr)
		if status := deliver(t, server, s.request); status != 408 {
			t.Errorf("status %d, want 408", status)
		}
		s.await()
		if c := s.file(); !strings.HasPrefix(c.Note, "refused: body, answered 408") {
			t.Errorf("the note is %q", c.Note)
		}
	})
}

// closing notes that it was closed.
type closing struct {
	io.Reader
	closed bool
}

func (c *closing) Close() error {
	c.closed = true
	return nil
}

func TestRecordedBody(t *testing.T) {
	t.Run("as much is recorded as the options say", func(t *testing.T) {
		body := eventBody("evt_1")
		size := int64(len(body))
		unknown := func(s *site) { s.request.ContentLength = -1 }
		limit := func(n int64) func(*site) { return func(s *site) { s.record.MaxBody = n } }
		both := func(a, b func(*site)) func(*site) { return func(s *site) { a(s); b(s) } }
		for _, c := range []struct {
			name            string
			change          func(*site)
			want            []byte
			expect, inexact string
		}{
			{"all of one as long as the limit", limit(size), body, "accept", ""},
			{"all of one as long as the limit, of unknown length", both(limit(size), unknown), body, "accept", ""},
			{"not the last byte of a longer one", limit(size - 1), body[:size-1], "", fmt.Sprintf("only the first %d of the %d bytes of the body were recorded", size-1, size)},
			{"the first byte", both(limit(1), unknown), body[:1], "", fmt.Sprintf("only the first 1 of the %d bytes of the body were recorded", size)},
			{"the first byte of a forged one", both(limit(1), forged), body[:1], "", fmt.Sprintf("only the first 1 of the %d bytes of the body were recorded", size)},
			{"one that was read before", func(s *site) { setBody(s.request, strings.NewReader("")) },
				nil, "", fmt.Sprintf("0 of the %d bytes of the body were read", size)},
			{"one that breaks off", both(unknown, func(s *site) { setBody(s.request, broken{bytes.NewReader(body[:3])}) }),
				body[:3], "", "3 bytes of the body were read, and not to its end"},
			{"one that comes byte by byte", func(s *site) { setBody(s.request, &dripping{body}) }, body, "accept", ""},
			{"one that the handler changes", func(s *site) {
				s.handle = func(_ http.ResponseWriter, r *http.Request) {
					d, _ := verify.FromContext(r.Context())
					clear(d.Body)
				}
			}, body, "accept", ""},
			{"one that is shortened on its way to the guard", func(s *site) {
				s.between = func(next http.Handler) http.Handler {
					return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						b, _ := io.ReadAll(r.Body)
						r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(b[:10])), 10
						next.ServeHTTP(w, r)
					})
				}
			}, body, "", fmt.Sprintf("%d bytes arrived and the guard read 10: something between recorder and guard changes the body", size)},
			{"one that is emptied on its way to the guard", func(s *site) {
				s.between = func(next http.Handler) http.Handler {
					return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						io.ReadAll(r.Body)
						r.Body, r.ContentLength = http.NoBody, 0
						next.ServeHTTP(w, r)
					})
				}
			}, body, "", fmt.Sprintf("%d bytes arrived and the guard read 0: something between recorder and guard changes the body", size)},
		} {
			t.Run(c.name, func(t *testing.T) {
				s := newSite(t, c.change)
				s.serve(s.request)
				f := s.file()
				wantBody(t, f.Capture, c.want)
				if f.Expect != c.expect || f.Inexact != c.inexact {
					t.Errorf("expected %q, inexact %q; want %q, %q", f.Expect, f.Inexact, c.expect, c.inexact)
				}
			})
		}
	})

	t.Run("what is judged after the recorder returned is reported", func(t *testing.T) {
		release := make(chan struct{})
		done := make(chan struct{})
		s := newSite(t, func(s *site) {
			s.between = func(next http.Handler) http.Handler {
				return http.TimeoutHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					defer close(done)
					next.ServeHTTP(w, r)
				}), time.Nanosecond, "")
			}
			setBody(s.request, io.MultiReader(waiting{release}, bytes.NewReader(eventBody("evt_1"))))
		})
		if w := s.serve(s.request); w.Code != 503 {
			t.Errorf("status %d", w.Code)
		}
		close(release)
		<-done
		s.wantFailure("TimeoutHandler")
		if all := s.files(); len(all) != 0 {
			t.Errorf("%d captures", len(all))
		}
	})

	t.Run("bodies under way take bounded memory", func(t *testing.T) {
		s := newSite(t, func(s *site) { s.record.MaxBytes = 1 << 30 })
		release := s.hold(16, func(i int) *http.Request { return large(fmt.Sprint("evt_", i), secret) })
		whole := bodyOf(t, large("evt_x", otherSecret))
		// There is no room for a forged one, and a genuine one needs none.
		s.passed.Add(int64(time.Second))
		s.serve(large("evt_x", otherSecret))
		if f := s.wait(1)[0]; len(f.Body) >= len(whole) || !bytes.HasPrefix(whole, f.Body) || f.Inexact == "" || f.Expect != "" {
			t.Errorf("%d bytes were recorded, inexact %q, expected %q", len(f.Body), f.Inexact, f.Expect)
		}
		s.passed.Add(int64(time.Second))
		s.serve(large("evt_y", secret))
		if f := s.wait(2)[1]; len(f.Body) != len(whole) || f.Inexact != "" || judged(s.verifier, f.Capture) != capture.Accept {
			t.Errorf("%d bytes were recorded, inexact %q", len(f.Body), f.Inexact)
		}

		release()
		s.passed.Add(int64(time.Second))
		s.serve(large("evt_x", otherSecret))
		all := s.files()
		if len(all) < 18 { // of the 16 that end at once, one may find no room to wait
			t.Fatalf("%d captures, want 18 or 19 (errors %v)", len(all), s.failures())
		}
		if f := all[len(all)-1]; f.Inexact != "" || f.Expect != "mismatch" {
			t.Errorf("inexact %q, expected %q after the room was freed", f.Inexact, f.Expect)
		}
		for _, f := range all[:len(all)-3] {
			if f.Inexact != "" {
				t.Errorf("inexact: %s", f.Inexact)
			}
		}
	})

	t.Run("a body that is only announced takes no memory", func(t *testing.T) {
		s := newSite(t)
		started, release, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
		for range 100 {
			go func() {
				r := signed("evt_2")
				setBody(r, io.MultiReader(strings.NewReader("{"), starting{started}, waiting{release}))
				r.ContentLength = 1 << 20
				s.serve(r)
				ended <- struct{}{}
			}()
			<-started
		}
		s.serve(large("evt_1", otherSecret))
		close(release)
		for range 100 {
			<-ended
		}
		exact := 0
		for _, f := range s.files() {
			if f.Inexact == "" {
				exact++
			}
		}
		if exact != 1 {
			t.Errorf("%d exact captures, want that of the forged request", exact)
		}
	})

	t.Run("what is read after the end is not kept", func(t *testing.T) {
		s := newSite(t, reportOnly)
		var late []io.Reader
		s.handle = func(_ http.ResponseWriter, r *http.Request) { late = append(late, r.Body) }
		for i := range 20 {
			r := large(fmt.Sprint("evt_", i), secret)
			r.Header.Del("Stripe-Signature")
			s.serve(r)
		}
		for _, body := range late {
			if n, err := io.Copy(io.Discard, body); n < 600<<10 || err != nil {
				t.Errorf("read %d bytes, %v", n, err)
			}
		}
		s.passed.Add(int64(time.Second))
		s.serve(large("evt_x", otherSecret)) // there is still room for its body
		all := s.files()
		for _, f := range all[:20] {
			if len(f.Body) != 0 || f.Expect != "unsigned" {
				t.Errorf("%d bytes were recorded, expected %q", len(f.Body), f.Expect)
			}
		}
		if f := all[20]; f.Inexact != "" || f.Expect != "mismatch" {
			t.Errorf("inexact %q, expected %q", f.Inexact, f.Expect)
		}
	})
}

// dripping is a body of which one byte comes at a time.
type dripping struct{ rest []byte }

func (d *dripping) Read(p []byte) (int, error) {
	if len(d.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(1, len(p))], d.rest)
	d.rest = d.rest[n:]
	return n, nil
}

// waiting is empty, after a while.
type waiting struct{ until <-chan struct{} }

func (w waiting) Read([]byte) (int, error) {
	<-w.until
	return 0, io.EOF
}

// hold begins n requests that stay in their handlers until release is called.
func (s *site) hold(n int, request func(i int) *http.Request) (release func()) {
	held, ended, out := make(chan struct{}), make(chan struct{}), make(chan struct{})
	s.handle = func(_ http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Hold") != "" {
			held <- struct{}{}
			<-out
		}
	}
	for i := range n {
		go func() {
			r := request(i)
			r.Header.Set("X-Hold", "1")
			s.serve(r)
			ended <- struct{}{}
		}()
	}
	for range n {
		<-held
	}
	return func() {
		close(out)
		for range n {
			<-ended
		}
	}
}

// starting is empty, and says when it is read.
type starting struct{ c chan<- struct{} }

func (s starting) Read([]byte) (int, error) {
	s.c <- struct{}{}
	return 0, io.EOF
}

func bodyOf(t *testing.T, r *http.Request) []byte {
	t.Helper()
	b, err := io.ReadAll(again(r).Body)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// What is recorded is the beginning of what was sent, all of it if it is exact,
// however it comes and wherever it is cut.
func FuzzTheBodyIsRecordedAsItWasSent(f *testing.F) {
	f.Add([]byte("{\"a\": 1}\r\n"), int64(3), int64(100))
	f.Add([]byte("\x00\xff\r\n\r\n# note: x\n"), int64(1), int64(5))
	f.Add([]byte(""), int64(1), int64(1))
	f.Add(bytes.Repeat([]byte("0123456789"), 100), int64(70), int64(300))
	const secret = "9f2c4e81d7ab3056"
	v := github.Must(secret)
	f.Fuzz(func(t *testing.T, body []byte, piece, limit int64) {
		dir := t.TempDir()
		limit = 1 + max(0, limit)%(1<<20)
		recorder, err := record.New(dir, &record.Options{Kinds: record.Accepted, MaxBody: limit})
		if err != nil {
			t.Fatal(err)
		}
		guard, err := middleware.New("fuzz", v, replay.NewMemory(nil), nil)
		if err != nil {
			t.Fatal(err)
		}
		r := githubtest.NewRequest("http://a/hooks", "push", body, secret)
		if len(body) > 0 {
			setBody(r, &pieces{body, 1 + int(max(0, piece)%(64<<10))})
		}
		recorder.Handler(guard.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))).ServeHTTP(httptest.NewRecorder(), r)
		if err := recorder.Close(); err != nil {
			t.Fatal(err)
		}
		all := filesIn(t, dir)
		if len(all) != 1 {
			t.Fatalf("%d captures", len(all))
		}
		c := all[0].Capture
		if !bytes.Equal(c.Body, body[:min(int64(len(body)), limit)]) {
			t.Errorf("recorded %q of %q", c.Body, body)
		}
		if exact := int64(len(body)) <= limit; exact != (c.Inexact == "") || exact != (c.Expect == capture.Accept) {
			t.Errorf("exact %v, but inexact %q and expected %q", exact, c.Inexact, c.Expect)
		}
		if _, err := verify.Verify(context.Background(), v, c.Head(), c.Body); c.Expect == capture.Accept && err != nil {
			t.Error(err)
		}
	})
}

// pieces is a body that comes in pieces.
type pieces struct {
	rest []byte
	size int
}

func (p *pieces) Read(b []byte) (int, error) {
	n := copy(b[:min(p.size, len(b))], p.rest)
	p.rest = p.rest[n:]
	if len(p.rest) == 0 {
		return n, io.EOF
	}
	return n, nil
}
