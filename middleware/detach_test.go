package middleware_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

func retryNow() *http.Request {
	return stripetest.NewRequest(hookURL, time.Now(), eventBody("evt_1"), stripeSecret)
}

func TestDetach(t *testing.T) {
	for _, detach := range []bool{false, true} {
		name := map[bool]string{
			false: "a handler that heeds its context stops when the sender hangs up",
			true:  "a detached one goes on; a retry meanwhile gets 409, and one afterwards is a duplicate",
		}[detach]
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, onBubble, observed, func(s *site) { s.opts.Detach = detach })
				s.handle = func(w http.ResponseWriter, r *http.Request) {
					select {
					case <-r.Context().Done():
						w.WriteHeader(500)
					case <-time.After(time.Minute):
					}
				}
				client, hangUp := context.WithCancel(t.Context())
				done := make(chan struct{})
				go func() { s.serve(s.request.WithContext(client)); close(done) }()
				synctest.Wait()
				hangUp()
				synctest.Wait()
				if !detach {
					<-done
					if e := s.event(); e.Outcome != middleware.Failed {
						t.Errorf("the outcome is %v", e.Outcome)
					}
					return
				}
				w := s.serve(retryNow())
				want(t, w, 409)
				if w.Header().Get("Retry-After") == "" {
					t.Error("there is no Retry-After")
				}
				<-done
				want(t, s.serve(retryNow()), 200, "Webhook-Duplicate", "1")
				wantRuns(t, s, 1)
			})
		})
	}

	t.Run("the server's shutdown ends a handler, also a detached one", func(t *testing.T) {
		for _, detach := range []bool{false, true} {
			shutdown, end := context.WithCancel(t.Context())
			s := newSite(t, func(s *site) { s.opts.Detach, s.opts.Shutdown = detach, shutdown })
			s.handle = func(w http.ResponseWriter, r *http.Request) {
				if r.Context().Err() != nil {
					t.Error("the context has ended before the shutdown")
				}
				end()
				await(t, r.Context().Done(), "the end of the context")
				if cause := context.Cause(r.Context()); cause == nil || !strings.Contains(cause.Error(), "shuts down") {
					t.Errorf("its cause is %v", cause)
				}
				w.WriteHeader(500)
			}
			want(t, s.serve(s.request), 500)
		}
	})

	t.Run("the lease ends a detached handler", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t, onBubble, func(s *site) { s.opts.Detach = true })
			s.store.renew = func(ctx context.Context, _ replay.Handle, _ time.Duration) error {
				return errors.New("the store is away")
			}
			s.handle = func(w http.ResponseWriter, r *http.Request) {
				<-r.Context().Done()
				w.WriteHeader(500)
			}
			begun := time.Now()
			want(t, s.serve(s.request), 500)
			if took := time.Since(begun); took != 30*time.Second {
				t.Errorf("it ended after %v", took)
			}
		})
	})
}

func TestKeepClaim(t *testing.T) {
	for _, tt := range []struct {
		name     string
		keep     bool
		status   int
		panics   bool
		releases int64
		retry    int // its status at once
		later    int // and after the lease
	}{
		{"a failure is released", false, 504, false, 1, 200, 200},
		{"a failure that may have acted keeps its claim until the lease ends", true, 504, false, 0, 409, 200},
		{"so does a panic", true, 0, true, 0, 409, 200},
		{"a success is committed", true, 200, false, 0, 200, 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, onBubble, observed)
				s.handle = func(w http.ResponseWriter, r *http.Request) {
					if s.runs.Load() > 1 {
						return
					}
					if tt.keep {
						middleware.KeepClaim(r.Context())
					}
					if tt.panics {
						panic("gone")
					}
					w.WriteHeader(tt.status)
				}
				run(s, httptest.NewRecorder(), s.request)
				if e := s.event(); e.ClaimKept != (tt.keep && tt.status != 200) {
					t.Errorf("ClaimKept is %v", e.ClaimKept)
				}
				if got := s.store.releases.Load(); got != tt.releases {
					t.Errorf("%d releases, want %d", got, tt.releases)
				}
				time.Sleep(time.Second) // so that the retry is signed anew
				want(t, s.serve(retryNow()), tt.retry)
				time.Sleep(31 * time.Second)
				want(t, s.serve(retryNow()), tt.later)
			})
		})
	}

	t.Run("outside of a guard it does nothing", func(t *testing.T) { middleware.KeepClaim(t.Context()) })

	t.Run("each of two guards keeps its claim", func(t *testing.T) {
		outer, inner := newSite(t), newSite(t)
		h := outer.guard.Handler(inner.guard.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, ok := verify.FromContext(r.Context()); !ok {
				t.Error("there is no delivery")
			}
			middleware.KeepClaim(r.Context())
			w.WriteHeader(500)
		})))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, outer.request)
		want(t, w, 500)
		if n := outer.store.releases.Load() + inner.store.releases.Load(); n != 0 {
			t.Errorf("%d releases", n)
		}
	})
}
