package middleware_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

func TestStorePanic(t *testing.T) {
	t.Run("a release that panics gives the budget back", func(t *testing.T) {
		s := newSite(t, func(s *site) {
			s.opts.MaxBody, s.opts.BodyBudget = 4<<10, 8<<10
			s.store.release = func(context.Context, replay.Handle) error { panic("driver") }
		})
		s.handle = func(http.ResponseWriter, *http.Request) { panic("handler") }
		for i := range 40 { // more than there is room for
			func() {
				defer func() { recover() }()
				s.serve(s.stripe(fmt.Sprint("evt_p", i)))
			}()
		}
		s.handle, s.store.release = nil, nil
		began := time.Now()
		want(t, s.serve(s.stripe("evt_after")), http.StatusOK)
		if waited := time.Since(began); waited > time.Second {
			t.Errorf("it waited %v for room", waited)
		}
	})

	t.Run("a renewal that panics is a failure of the store", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t, onBubble, func(s *site) {
				s.store.renew = func(context.Context, replay.Handle, time.Duration) error { panic("driver") }
			})
			s.handle = func(http.ResponseWriter, *http.Request) { time.Sleep(25 * time.Second) }
			want(t, s.serve(s.request), http.StatusOK)
			if n := s.store.renewals.Load(); n < 3 {
				t.Errorf("%d renewals, want further tries after the first", n)
			}
		})
	})

	// Whether an event is done is not known when its commit panicked: the request dies,
	// and a retry runs when the lease has run out.
	t.Run("a commit that panics does not hold its event", func(t *testing.T) {
		for _, c := range []struct {
			name     string
			commit   func(context.Context, replay.Handle) error
			panics   bool
			status   int // of a retry after the lease
			runs     int64
			outcomes []middleware.Outcome
		}{
			{"a panic", func(context.Context, replay.Handle) error { panic("driver") }, true, 200, 2,
				[]middleware.Outcome{middleware.CommitFailed, middleware.Refused, middleware.Handled}},
			{"Goexit", func(context.Context, replay.Handle) error { runtime.Goexit(); return nil }, true, 200, 2,
				[]middleware.Outcome{middleware.CommitFailed, middleware.Refused, middleware.Handled}},
			{"a panic after the event was marked as done", nil, true, 200, 1,
				[]middleware.Outcome{middleware.CommitFailed, middleware.Acknowledged, middleware.Acknowledged}},
		} {
			t.Run(c.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newSite(t, onBubble, observed)
					s.store.commit = c.commit
					if c.commit == nil {
						s.store.commit = func(ctx context.Context, h replay.Handle) error {
							s.store.Store.Commit(ctx, h)
							panic("driver")
						}
					}
					w := newJournal()
					if panicked, gone := run(s, w, s.request); (panicked != nil || gone) != c.panics || w.String() != "" {
						t.Errorf("panicked with %v, gone %v, answered %q", panicked, gone, w)
					}
					s.store.commit = nil
					retry := func() *httptest.ResponseRecorder {
						return s.serve(stripetest.NewRequest(hookURL, time.Now(), eventBody("evt_1"), stripeSecret))
					}
					time.Sleep(29 * time.Second)
					if c.runs == 2 {
						want(t, retry(), 409, "Retry-After", "1")
					} else {
						want(t, retry(), 200, "Webhook-Duplicate", "1")
					}
					time.Sleep(2 * time.Second)
					want(t, retry(), c.status)
					wantRuns(t, s, c.runs)
					if n := s.store.renewals.Load(); n != 0 {
						t.Errorf("%d renewals after the request", n)
					}
					for i, e := range s.events {
						if e.Outcome != c.outcomes[i] {
							t.Errorf("outcome %d is %v, want %v", i, e.Outcome, c.outcomes[i])
						}
					}
				})
			})
		}
	})
}

func TestRenewal(t *testing.T) {
	t.Run("one renewal that hangs does not lose the lease", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			hung := false
			s := newSite(t, onBubble)
			s.store.renew = func(ctx context.Context, h replay.Handle, d time.Duration) error {
				if !hung {
					hung = true
					<-ctx.Done()
					return ctx.Err()
				}
				return s.store.Store.Renew(ctx, h, d)
			}
			s.handle = func(http.ResponseWriter, *http.Request) { time.Sleep(45 * time.Second) }
			response := make(chan *httptest.ResponseRecorder)
			go func() { response <- s.serve(s.request) }()
			time.Sleep(31 * time.Second)
			want(t, s.serve(stripetest.NewRequest(hookURL, time.Now(), eventBody("evt_1"), stripeSecret)), http.StatusConflict, "Retry-After")
			want(t, <-response, http.StatusOK)
			wantRuns(t, s, 1)
		})
	})

	t.Run("each of many handlers has its lease renewed", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			const handlers = 60
			s := newSite(t, onBubble)
			s.handle = func(_ http.ResponseWriter, r *http.Request) {
				d, _ := verify.FromContext(r.Context())
				n, err := strconv.Atoi(strings.TrimPrefix(d.ID, "evt_"))
				if err != nil {
					t.Error(err)
				}
				time.Sleep(time.Duration(n) * time.Second)
			}
			var group sync.WaitGroup
			due := 0
			for n := range handlers {
				if n%10 == 0 {
					continue // would end at the moment of a renewal
				}
				due += n / 10 // the lease is 30 seconds
				r := stripetest.NewRequest(hookURL, time.Now(), eventBody(fmt.Sprint("evt_", n)), stripeSecret)
				group.Go(func() { want(t, s.serve(r), http.StatusOK) })
				time.Sleep(10 * time.Millisecond)
			}
			group.Wait()
			if got := s.store.renewals.Load(); got != int64(due) {
				t.Errorf("%d renewals, want %d", got, due)
			}
		})
	})

	t.Run("a lease is renewed until its commit is through", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t, onBubble, func(s *site) { s.opts.Lease = time.Second })
			s.store.commit = func(ctx context.Context, h replay.Handle) error {
				if s.store.commits.Load() < 3 {
					<-ctx.Done()
					return ctx.Err()
				}
				return s.store.Store.Commit(ctx, h)
			}
			response := make(chan *httptest.ResponseRecorder)
			go func() { response <- s.serve(s.request) }()
			time.Sleep(1100 * time.Millisecond)
			want(t, s.serve(stripetest.NewRequest(hookURL, time.Now(), eventBody("evt_1"), stripeSecret)), http.StatusConflict, "Retry-After")
			want(t, <-response, http.StatusOK)
			wantRuns(t, s, 1)
		})
	})
}

func TestFault(t *testing.T) {
	t.Run("an OnReject that assigns a response still ends the connection", func(t *testing.T) {
		s := newSite(t, func(s *site) {
			s.opts.OnReject = func(_ context.Context, _ verify.Reason, a *middleware.Response) {
				*a = middleware.Response{Status: http.StatusForbidden, Body: []byte("no")}
			}
		})
		server := listen(t, s)
		for _, headers := range []string{"", "Stripe-Signature: t=1\r\n"} {
			conn := dial(t, server)
			conn.SetDeadline(time.Now().Add(5 * time.Second))
			send(t, conn, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n"+headers+"\r\n")
			response, err := io.ReadAll(conn) // to the end of the connection
			if err != nil || !strings.HasPrefix(string(response), "HTTP/1.1 403 ") || !strings.Contains(string(response), "Connection: close") {
				t.Errorf("got %q, %v", response, err)
			}
		}
	})

	t.Run("a verifier that returns another body is refused", func(t *testing.T) {
		for _, tt := range []struct {
			name   string
			body   func([]byte) []byte
			status int
		}{
			{"the same", func(b []byte) []byte { return b }, http.StatusOK},
			{"none", func([]byte) []byte { return nil }, http.StatusServiceUnavailable},
			{"an equal copy", bytes.Clone, http.StatusServiceUnavailable},
			{"a part", func(b []byte) []byte { return b[:len(b)-1] }, http.StatusServiceUnavailable},
		} {
			t.Run(tt.name, func(t *testing.T) {
				s := newSite(t, func(s *site) {
					s.verifier = &altered{Verifier: s.verifier, finish: func(p verify.Pending, ctx context.Context, body []byte) (*verify.Delivery, error) {
						d, err := p.Finish(ctx, body)
						d.Body = tt.body(body)
						return d, err
					}}
				})
				want(t, s.serve(s.request), tt.status)
			})
		}
	})

	t.Run("a response longer than it says is cut", func(t *testing.T) {
		s := newSite(t)
		s.handle = func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "3")
			io.WriteString(w, "abc")
			if _, err := io.WriteString(w, "\n"); err != http.ErrContentLength {
				t.Errorf("got %v, want %v", err, http.ErrContentLength)
			}
		}
		response := s.serve(s.request)
		want(t, response, http.StatusOK)
		if response.Body.String() != "abc" {
			t.Errorf("got %q", response.Body)
		}
	})

	t.Run("a handler that is nil panics where it is wrapped", func(t *testing.T) {
		s := newSite(t)
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
		}()
		s.guard.Handler(nil)
	})
}
