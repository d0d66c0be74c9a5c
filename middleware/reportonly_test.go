package middleware_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

func reportOnly(s *site) { s.opts.InsecureReportOnly = true }

// reading is what a handler got of a request.
type reading struct {
	body   string
	err    error
	length int64
	method string
}

func read(r *http.Request) reading {
	got := reading{length: r.ContentLength, method: r.Method}
	if r.Body != nil {
		b, err := io.ReadAll(r.Body)
		got.body, got.err = string(b), err
	}
	return got
}

func TestReportOnly(t *testing.T) {
	t.Run("it changes nothing", func(t *testing.T) {
		for _, f := range refusals {
			if f.name == "a body that makes no progress" {
				continue // a handler would not come to its end, either
			}
			t.Run(f.name, func(t *testing.T) {
				s := newSite(t, f.change, observed, reportOnly, func(s *site) {
					s.opts.OnReject = func(context.Context, verify.Reason, *middleware.Response) { t.Error("OnReject was called") }
				})
				plain := newSite(t, f.change) // for an equal request
				want := read(plain.request)

				s.handle = func(w http.ResponseWriter, r *http.Request) {
					if d, ok := verify.FromContext(r.Context()); ok || d != nil {
						t.Error("there is a delivery")
					}
					if _, ok := replay.FromContext(r.Context()); ok {
						t.Error("there is a claim")
					}
					if got := read(r); got.body != want.body || got.length != want.length || got.method != want.method || fmt.Sprint(got.err) != fmt.Sprint(want.err) {
						t.Errorf("the handler got %+v, want %+v", got, want)
					}
					w.Header().Set("X-Handler", "1")
					w.WriteHeader(202)
				}
				w := httptest.NewRecorder()
				s.ServeHTTP(w, s.request)
				if w.Code != 202 || w.Header().Get("X-Handler") != "1" || len(w.Header()) != 1 {
					t.Errorf("status %d with %v", w.Code, w.Header())
				}
				wantRuns(t, s, 1)
				e := s.event()
				if e.Outcome != middleware.Refused || e.Reason != f.reason || !e.ReportOnly || e.Status != 0 || e.Err == nil {
					t.Errorf("event %+v", e)
				}
				if got := s.store.calls(); got != f.claims {
					t.Errorf("%d calls of the store, want %d", got, f.claims)
				}
			})
		}
	})

	t.Run("the guard still verifies", func(t *testing.T) {
		for _, c := range []struct {
			name    string
			handle  http.HandlerFunc
			outcome middleware.Outcome
			commits int64
		}{
			{"success", func(http.ResponseWriter, *http.Request) {}, middleware.Handled, 1},
			{"success with a body", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "ok") }, middleware.Handled, 1},
			{"success that is flushed", func(w http.ResponseWriter, r *http.Request) { http.NewResponseController(w).Flush() }, middleware.Handled, 1},
			{"success after early hints", func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(103)
				w.WriteHeader(200)
			}, middleware.Handled, 1},
			{"failure", answering(500), middleware.Failed, 0},
			{"failure after early hints", func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(103)
				w.WriteHeader(500)
			}, middleware.Failed, 0},
			{"success, and another one", func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(200)
				w.WriteHeader(202)
			}, middleware.Handled, 1},
			{"failure after success", func(w http.ResponseWriter, r *http.Request) {
				io.WriteString(w, "ok")
				w.WriteHeader(500)
			}, middleware.Failed, 0},
			{"a redirect", answering(302), middleware.Failed, 0},
			{"a switch of protocols", answering(101), middleware.Failed, 0},
			{"a panic", func(http.ResponseWriter, *http.Request) { panic("boom") }, middleware.Failed, 0},
		} {
			t.Run(c.name, func(t *testing.T) {
				s := newSite(t, observed, reportOnly)
				s.handle = func(w http.ResponseWriter, r *http.Request) {
					if d, ok := verify.FromContext(r.Context()); !ok || d.ID != "evt_1" {
						t.Errorf("delivery %+v", d)
					}
					if got := read(r); got.body != string(eventBody("evt_1")) || got.err != nil {
						t.Errorf("the handler got %+v", got)
					}
					c.handle(w, r)
				}
				func() {
					defer func() { recover() }()
					s.serve(again(t, s.request))
				}()
				if e := s.event(); e.Outcome != c.outcome || !e.ReportOnly || e.KeyLabel != "1" || e.Scope != "default" {
					t.Errorf("event %+v", e)
				}
				if s.store.commits.Load() != c.commits || s.store.releases.Load() != 1-c.commits {
					t.Errorf("%d commits, %d releases", s.store.commits.Load(), s.store.releases.Load())
				}
			})
		}
	})

	t.Run("repeats are reported", func(t *testing.T) {
		s := newSite(t, reportOnly, func(s *site) {
			s.opts.Observe = func(_ context.Context, e middleware.Report) { s.events = append(s.events, e) }
		})
		var verified []bool
		s.handle = func(w http.ResponseWriter, r *http.Request) {
			_, ok := verify.FromContext(r.Context())
			verified = append(verified, ok)
			io.Copy(w, r.Body)
		}
		s.serve(again(t, s.request))
		w := s.serve(again(t, s.request))
		s.clock.advance(time.Second)
		s.serve(s.stripe("evt_1"))
		if fmt.Sprint(verified) != "[true false false]" {
			t.Errorf("verified %v", verified)
		}
		if w.Body.String() != string(eventBody("evt_1")) || w.Header().Get("Webhook-Duplicate") != "" {
			t.Errorf("answered %q with %v", w.Body, w.Header())
		}
		for i, want := range []middleware.Outcome{middleware.Handled, middleware.Refused, middleware.Acknowledged} {
			if e := s.events[i]; e.Outcome != want || e.Status != 0 || i > 0 && (e.Reason != verify.ErrReplayed || e.KeyLabel != "1") {
				t.Errorf("event %+v, want %v", e, want)
			}
		}
	})

	t.Run("a lost claim is reported", func(t *testing.T) {
		s := newSite(t, observed, reportOnly, func(s *site) {
			s.store.commit = func(context.Context, replay.Handle) error { return replay.ErrLost }
		})
		want(t, s.serve(s.request), 200)
		if e := s.event(); e.Outcome != middleware.Lost || e.Status != 0 {
			t.Errorf("event %+v", e)
		}
	})

	t.Run("it holds nothing back", func(t *testing.T) {
		for _, c := range []struct {
			name   string
			change func(*site)
		}{{"genuine", func(*site) {}}, {"not genuine", unsigned}} {
			t.Run(c.name, func(t *testing.T) {
				s := newSite(t, live, reportOnly, c.change)
				received := make(chan struct{})
				s.handle = func(w http.ResponseWriter, r *http.Request) {
					io.WriteString(w, "part")
					if err := http.NewResponseController(w).Flush(); err != nil {
						t.Error(err)
					}
					w.(http.Flusher).Flush()
					if err := http.NewResponseController(w).SetWriteDeadline(time.Time{}); err != nil {
						t.Error(err)
					}
					await(t, received, "the client to receive a part")
				}
				server := listen(t, s)
				response, err := server.Client().Do(requestTo(server.URL, s.request))
				if err != nil {
					t.Fatal(err)
				}
				defer response.Body.Close()
				var part [4]byte
				if _, err := io.ReadFull(response.Body, part[:]); err != nil || string(part[:]) != "part" {
					t.Errorf("part %q, %v", part, err)
				}
				close(received)
			})
		}
	})

	// The guard's own limits do not hold for a handler that runs in any case.
	t.Run("it sets no deadlines", func(t *testing.T) {
		s := newSite(t, live, reportOnly, observed, func(s *site) { s.opts.BodyTimeout = 50 * time.Millisecond })
		s.handle = func(w http.ResponseWriter, r *http.Request) {
			if got := read(r); got.body != string(eventBody("evt_1")) || got.err != nil {
				t.Errorf("the handler got %+v", got)
			}
		}
		conn := dial(t, listen(t, s))
		body := bodyOf(t, s.request)
		send(t, conn, headOf(s.request, fmt.Sprintf("Content-Length: %d", len(body)))+string(body[:10]))
		time.Sleep(150 * time.Millisecond)
		send(t, conn, string(body[10:]))
		if response := answered(t, bufio.NewReader(conn)); response.StatusCode != 200 {
			t.Errorf("status %d", response.StatusCode)
		}
		wantRuns(t, s, 1)
	})

	t.Run("a body too large reaches a handler that is only reported on", func(t *testing.T) {
		body := sized("evt_1", 100_000)
		for _, declared := range []bool{true, false} {
			s := newSite(t, reportOnly, observed, func(s *site) {
				s.opts.MaxBody = 10_000
				s.request = stripetest.NewRequest(hookURL, start, body, stripeSecret)
				if !declared {
					s.request.ContentLength = -1
				}
			})
			s.handle = func(w http.ResponseWriter, r *http.Request) {
				got, err := io.ReadAll(r.Body)
				if err != nil || !bytes.Equal(got, body) {
					t.Errorf("%d bytes, %v", len(got), err)
				}
				if err := r.Body.Close(); err != nil {
					t.Error(err)
				}
			}
			want(t, s.serve(s.request), 200)
			if e := s.event(); e.Reason != verify.ErrTooLarge {
				t.Errorf("event %+v", e)
			}
		}
	})

	t.Run("a handler that is only reported on sees the error of its body", func(t *testing.T) {
		oops := errors.New("oops")
		for _, c := range []struct {
			name string
			body io.Reader
			want error
		}{
			{"an error of its own", broken{strings.NewReader("part"), oops}, oops},
			{"a body broken off", broken{strings.NewReader("part"), io.ErrUnexpectedEOF}, io.ErrUnexpectedEOF},
		} {
			t.Run(c.name, func(t *testing.T) {
				s := newSite(t, reportOnly)
				s.handle = func(w http.ResponseWriter, r *http.Request) {
					// Compared by ==, as much code does.
					if b, err := io.ReadAll(r.Body); string(b) != "part" || err != c.want {
						t.Errorf("%q and error %v, want part and %v", b, err, c.want)
					}
				}
				setBody(s.request, c.body)
				s.serve(s.request)
				wantRuns(t, s, 1)
			})
		}
	})
}
