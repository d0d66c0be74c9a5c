package middleware_test

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/providers/github"
	"github.com/hooknotary/hooknotary/providers/github/githubtest"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

func answering(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(status) }
}

func TestSettle(t *testing.T) {
	t.Run("one of many concurrent copies runs", func(t *testing.T) {
		const copies = 64
		for _, c := range []struct {
			name   string
			change func(*site)
			sign   func(s *site, i int) *http.Request
			late   int // what a copy gets that comes after the end
		}{
			{"of one message of Stripe", func(*site) {}, func(s *site, i int) *http.Request { return again(s.t, s.request) }, 409},
			{"of one event of Stripe, each newly signed", func(*site) {}, func(s *site, i int) *http.Request {
				return stripetest.NewRequest(hookURL, start.Add(time.Duration(i+1)*time.Second), eventBody("evt_1"), stripeSecret)
			}, 200},
			{"of one message of GitHub", onGitHub, func(s *site, i int) *http.Request { return again(s.t, s.request) }, 409},
			{"of one body of GitHub under new delivery ids", onGitHub, func(s *site, i int) *http.Request {
				return githubtest.NewRequest(hookURL, "push", bodyOf(s.t, s.request), githubSecret)
			}, 409},
			{"of one message that may be repeated", repeatsBytes, func(s *site, i int) *http.Request { return again(s.t, s.request) }, 200},
			{"that are to be acknowledged", func(s *site) { s.opts.Duplicates = middleware.AcknowledgeDuplicates },
				func(s *site, i int) *http.Request { return again(s.t, s.request) }, 200},
		} {
			for _, wait := range []bool{true, false} {
				name := c.name
				if !wait {
					name += ", some after its end"
				}
				t.Run(name, func(t *testing.T) {
					s := newSite(t, c.change)
					others := make(chan struct{}, copies)
					s.handle = func(w http.ResponseWriter, r *http.Request) {
						for range copies - 1 {
							if wait {
								await(t, others, "the other copies")
							}
						}
						w.WriteHeader(202)
					}
					var group sync.WaitGroup
					answers := make([]*httptest.ResponseRecorder, copies)
					for i := range answers {
						r := c.sign(s, i)
						group.Go(func() {
							answers[i] = s.serve(r)
							others <- struct{}{}
						})
					}
					group.Wait()
					wantRuns(t, s, 1)
					count := make(map[string]int)
					for _, w := range answers {
						kind := fmt.Sprint(w.Code, " ", w.Header().Get("Webhook-Duplicate"), w.Header().Get("Retry-After"))
						count[kind]++
					}
					inFlight, late := "409 30", "409 "
					if c.late == 200 {
						late = "200 1"
					}
					if count["202 "] != 1 || count["202 "]+count[inFlight]+count[late] != copies {
						t.Errorf("answers %v", count)
					}
					if wait && count[inFlight] != copies-1 {
						t.Errorf("answers while the handler runs: %v", count)
					}
				})
			}
		}
	})

	t.Run("what a handler fails is released and runs again", func(t *testing.T) {
		type pointer struct{ n int }
		value := &pointer{7}
		for _, c := range []struct {
			name     string
			handle   http.HandlerFunc
			response string
			panics   any
			gone     bool
		}{
			{"with 500", answering(500), "release, status 500", nil, false},
			{"with 400", answering(400), "release, status 400", nil, false},
			{"with 302", answering(302), "release, status 302", nil, false},
			{"with 304", answering(304), "release, status 304", nil, false},
			{"with 101", answering(101), "release, status 500", nil, false},
			{"with 101 before 200", func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(101)
				w.WriteHeader(200)
			}, "release, status 500", nil, false},
			{"with 500 after 200", func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(200)
				w.WriteHeader(500)
			}, "release, status 500", nil, false},
			{"with 302 after a body, and then 200", func(w http.ResponseWriter, r *http.Request) {
				w.Write([]byte("done"))
				w.WriteHeader(302)
				w.WriteHeader(200)
			}, "release, status 302", nil, false},
			{"with 101 after 200", func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(200)
				w.WriteHeader(101)
			}, "release, status 500", nil, false},
			{"with a panic after 200 that is recovered inside with http.Error", func(w http.ResponseWriter, r *http.Request) {
				defer func() {
					recover()
					http.Error(w, "no", http.StatusInternalServerError)
				}()
				w.WriteHeader(200)
				w.Write([]byte("done"))
				panic("boom")
			}, "release, status 500, body no\n", nil, false},
			{"with 300", answering(300), "release, status 300", nil, false},
			{"with 599 and a body", func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(599)
				w.Write([]byte("no"))
			}, "release, status 599, body no", nil, false},
			{"with 500 before 200", func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(500)
				w.WriteHeader(200)
			}, "release, status 500", nil, false},
			{"with http.Error", func(w http.ResponseWriter, r *http.Request) { http.Error(w, "no", http.StatusServiceUnavailable) }, "release, status 503, body no\n", nil, false},
			{"with a panic", func(http.ResponseWriter, *http.Request) { panic("boom") }, "release", "boom", false},
			{"with a panic of a pointer", func(http.ResponseWriter, *http.Request) { panic(value) }, "release", value, false},
			{"with a panic of ErrAbortHandler", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "release", http.ErrAbortHandler, false},
			{"with a panic after 200", func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(200)
				w.Write([]byte("done"))
				w.(http.Flusher).Flush()
				panic("boom")
			}, "release", "boom", false},
			{"with a panic after a body", func(w http.ResponseWriter, r *http.Request) {
				w.Write([]byte("done"))
				panic("boom")
			}, "release", "boom", false},
			{"with Goexit", func(http.ResponseWriter, *http.Request) { runtime.Goexit() }, "release", nil, true},
			{"with Goexit after 200", func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(200)
				runtime.Goexit()
			}, "release", nil, true},
			{"with a status that is none", answering(99), "release", "hold: invalid WriteHeader code 99", false},
		} {
			t.Run(c.name, func(t *testing.T) {
				w := newJournal()
				s := newSite(t, observed, func(s *site) {
					s.store.release = func(ctx context.Context, h replay.Handle) error {
						w.note("release")
						return s.store.Store.Release(ctx, h)
					}
				})
				s.handle = c.handle
				panicked, gone := run(s, w, again(t, s.request))
				if panicked != c.panics || gone != c.gone {
					t.Errorf("panicked with %v, gone %v; want %v and %v", panicked, gone, c.panics, c.gone)
				}
				if w.String() != c.response {
					t.Errorf("did %q, want %q", w, c.response)
				}
				if e := s.event(); e.Outcome != middleware.Failed || e.Err != nil || e.Status != 0 {
					t.Errorf("event %+v", e)
				}
				if s.store.commits.Load() != 0 || s.store.releases.Load() != 1 {
					t.Errorf("%d commits, %d releases", s.store.commits.Load(), s.store.releases.Load())
				}

				s.handle = answering(200)
				want(t, s.serve(again(t, s.request)), 200, "Webhook-Duplicate", "")
				wantRuns(t, s, 2)
			})
		}
	})

	t.Run("an owner that fails after others were turned away loses nothing", func(t *testing.T) {
		s := newSite(t)
		s.handle = func(w http.ResponseWriter, r *http.Request) {
			if s.runs.Load() > 1 {
				return
			}
			want(t, s.serve(stripetest.NewRequest(hookURL, start.Add(time.Second), eventBody("evt_1"), stripeSecret)), 409, "Retry-After")
			w.WriteHeader(500)
		}
		want(t, s.serve(s.request), 500)
		want(t, s.serve(stripetest.NewRequest(hookURL, start.Add(2*time.Second), eventBody("evt_1"), stripeSecret)), 200)
		wantRuns(t, s, 2)
	})

	t.Run("what a handler manages is committed before the response", func(t *testing.T) {
		for _, c := range []struct {
			name     string
			handle   http.HandlerFunc
			response string
		}{
			{"by returning", func(http.ResponseWriter, *http.Request) {}, "commit"},
			{"with 200", answering(200), "commit, status 200"},
			{"with 202", answering(202), "commit, status 202"},
			{"with 299", answering(299), "commit, status 299"},
			{"with 204", answering(204), "commit, status 204"},
			{"with a body", func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("ok")) }, "commit, status 200, body ok"},
			{"with 200 before another 2xx", func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(200)
				w.WriteHeader(204)
			}, "commit, status 200"},
			{"with a body before another 2xx", func(w http.ResponseWriter, r *http.Request) {
				w.Write([]byte("o"))
				w.WriteHeader(200)
				w.Write([]byte("k"))
			}, "commit, status 200, body ok"},
			{"with 200 before early hints", func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(200)
				w.WriteHeader(103)
			}, "commit, status 200"},
			{"with early hints before 200", func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(103)
				w.WriteHeader(200)
			}, "commit, status 200"},
		} {
			t.Run(c.name, func(t *testing.T) {
				w := newJournal()
				s := newSite(t, observed, func(s *site) {
					s.store.commit = func(ctx context.Context, h replay.Handle) error {
						w.note("commit")
						return s.store.Store.Commit(ctx, h)
					}
				})
				s.handle = c.handle
				s.ServeHTTP(w, again(t, s.request))
				if w.String() != c.response {
					t.Errorf("did %q, want %q", w, c.response)
				}
				if e := s.event(); e.Outcome != middleware.Handled || e.Status != 0 || e.Reason != 0 || e.Err != nil {
					t.Errorf("event %+v", e)
				}
				if s.store.commits.Load() != 1 || s.store.releases.Load() != 0 {
					t.Errorf("%d commits, %d releases", s.store.commits.Load(), s.store.releases.Load())
				}
				want(t, s.serve(again(t, s.request)), 409)
				wantRuns(t, s, 1)
			})
		}
	})

	t.Run("a repeat of what is done does not run", func(t *testing.T) {
		resigned := func(s *site) *http.Request {
			s.clock.advance(time.Minute)
			return s.stripe("evt_1")
		}
		same := func(s *site) *http.Request { return again(s.t, s.request) }
		redelivered := func(s *site) *http.Request {
			return githubtest.NewRequest(hookURL, "push", bodyOf(s.t, s.request), githubSecret)
		}
		duplicates := func(d middleware.Duplicates) func(*site) { return func(s *site) { s.opts.Duplicates = d } }
		for _, c := range []struct {
			name    string
			changes []func(*site)
			repeat  func(*site) *http.Request
			status  int
		}{
			{"byte for byte, of Stripe", nil, same, 409},
			{"newly signed, of Stripe", nil, resigned, 200},
			{"byte for byte, of GitHub", []func(*site){onGitHub}, same, 409},
			{"under another delivery id, of GitHub", []func(*site){onGitHub}, redelivered, 409},
			{"byte for byte, of a provider that repeats bytes", []func(*site){repeatsBytes}, same, 200},
			{"byte for byte, to be acknowledged", []func(*site){duplicates(middleware.AcknowledgeDuplicates)}, same, 200},
			{"redelivered by a script, to be acknowledged", []func(*site){onGitHub, duplicates(middleware.AcknowledgeDuplicates)}, redelivered, 200},
			{"newly signed, to be refused", []func(*site){duplicates(middleware.RefuseDuplicates)}, resigned, 409},
			{"byte for byte, to be refused", []func(*site){repeatsBytes, duplicates(middleware.RefuseDuplicates)}, same, 409},
		} {
			t.Run(c.name, func(t *testing.T) {
				s := newSite(t, c.changes...)
				want(t, s.serve(again(t, s.request)), 200, "Webhook-Duplicate", "")
				duplicate := ""
				if c.status == 200 {
					duplicate = "1"
				}
				for range 2 {
					want(t, s.serve(c.repeat(s)), c.status, "Webhook-Duplicate", duplicate, "Retry-After", "")
				}
				wantRuns(t, s, 1)
				// Another event is none.
				other := stripetest.NewRequest(hookURL, s.clock.Now(), eventBody("evt_2"), stripeSecret)
				if strings.Contains(c.name, "GitHub") || strings.Contains(c.name, "bytes") || len(c.changes) == 2 {
					other = githubtest.NewRequest(hookURL, "push", []byte(`{"another":1}`), githubSecret)
				}
				want(t, s.serve(other), 200, "Webhook-Duplicate", "")
				wantRuns(t, s, 2)
			})
		}
	})

	t.Run("a response that was lost is not missed", func(t *testing.T) {
		s := newSite(t)
		entered := make(chan struct{})
		committed := make(chan struct{})
		s.handle = func(w http.ResponseWriter, r *http.Request) {
			close(entered)
			await(t, r.Context().Done(), "the server to notice that the client has gone")
		}
		s.store.commit = func(ctx context.Context, h replay.Handle) error {
			defer close(committed)
			return s.store.Store.Commit(ctx, h)
		}
		conn := dial(t, listen(t, s))
		body := bodyOf(t, s.request)
		send(t, conn, headOf(s.request, fmt.Sprintf("Content-Length: %d", len(body)))+string(body))
		await(t, entered, "the handler")
		conn.Close()
		await(t, committed, "the commit")

		s.handle, s.store.commit = nil, nil
		want(t, s.serve(again(t, s.request)), 409, "Webhook-Duplicate", "")
		s.clock.advance(10 * time.Second)
		want(t, s.serve(s.stripe("evt_1")), 200, "Webhook-Duplicate", "1")
		wantRuns(t, s, 1)
	})
}

// run serves a request on a goroutine of its own and returns what it panicked
// with; gone means that it ended its goroutine.
func run(h http.Handler, w http.ResponseWriter, r *http.Request) (panicked any, gone bool) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		returned := false
		defer func() {
			panicked = recover()
			gone = !returned && panicked == nil
		}()
		h.ServeHTTP(w, r)
		returned = true
	}()
	<-done
	return panicked, gone
}

func TestLease(t *testing.T) {
	t.Run("an expired lease is taken over", func(t *testing.T) {
		for _, first := range []struct {
			name     string
			status   int
			outcome  middleware.Outcome
			response int
		}{
			{"and its owner that succeeds is told", 200, middleware.Lost, 409},
			{"and its owner that fails releases nothing", 500, middleware.Failed, 500},
		} {
			t.Run(first.name, func(t *testing.T) {
				s := newSite(t, observed)
				entered, finish := make(chan struct{}), make(chan struct{})
				s.handle = func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("X-Handler", "first")
					close(entered)
					<-finish
					w.WriteHeader(first.status)
				}
				response := make(chan *httptest.ResponseRecorder)
				go func() { response <- s.serve(again(t, s.request)) }()
				await(t, entered, "the first handler")

				s.handle = nil
				want(t, s.serve(again(t, s.request)), 409, "Retry-After", "30")
				s.clock.advance(12 * time.Second)
				want(t, s.serve(s.stripe("evt_1")), 409, "Retry-After", "18")
				s.clock.advance(17500 * time.Millisecond)
				want(t, s.serve(s.stripe("evt_1")), 409, "Retry-After", "1")
				wantRuns(t, s, 1)
				s.clock.advance(time.Second)
				want(t, s.serve(s.stripe("evt_1")), 200, "Webhook-Duplicate", "")
				wantRuns(t, s, 2)

				close(finish)
				w := await(t, response, "the first handler's response")
				want(t, w, first.response)
				if first.response == 409 {
					want(t, w, 409, "Retry-After", "30", "X-Handler", "", "Content-Type", "application/problem+json")
				}
				s.mu.Lock()
				last := s.events[len(s.events)-1]
				s.mu.Unlock()
				if last.Outcome != first.outcome || first.response == 409 && (last.Status != 409 || !errors.Is(last.Err, replay.ErrLost)) {
					t.Errorf("event %+v", last)
				}
				s.clock.advance(time.Second)
				want(t, s.serve(s.stripe("evt_1")), 200, "Webhook-Duplicate", "1")
				wantRuns(t, s, 2)
			})
		}
	})

	t.Run("the lease of a slow handler is renewed", func(t *testing.T) {
		for _, c := range []struct {
			name   string
			renew  func(context.Context, replay.Handle, time.Duration) error
			status int // of a newly signed copy after a minute
			first  int
		}{
			{"and no copy runs", nil, 409, 200},
			{"unless the store is down", func(context.Context, replay.Handle, time.Duration) error {
				return errors.New("down")
			}, 200, 409},
		} {
			t.Run(c.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newSite(t, onBubble, func(s *site) { s.store.renew = c.renew })
					s.handle = func(http.ResponseWriter, *http.Request) {
						if s.runs.Load() == 1 {
							time.Sleep(2*time.Minute + 5*time.Second)
						}
					}
					response := make(chan *httptest.ResponseRecorder)
					go func() { response <- s.serve(s.request) }()
					time.Sleep(time.Minute + time.Second)
					want(t, s.serve(stripetest.NewRequest(hookURL, time.Now(), eventBody("evt_1"), stripeSecret)), c.status)
					want(t, <-response, c.first)
					about := int64(12)
					if c.renew != nil {
						about = 36 // a failure is tried again sooner
					}
					if n := int64(s.store.renewals.Load()); n < about-2 || n > about+1 {
						t.Errorf("%d renewals in two minutes, want about %d", n, about)
					}
					// Nothing goes on in the background.
					before := s.store.calls()
					time.Sleep(time.Hour)
					if after := s.store.calls(); after != before {
						t.Errorf("%d calls of the store after the request", after-before)
					}
				})
			})
		}
	})

	t.Run("the handler's context ends with its lease", func(t *testing.T) {
		down := func(context.Context, replay.Handle, time.Duration) error { return errors.New("down") }
		for _, c := range []struct {
			name  string
			renew func(context.Context, replay.Handle, time.Duration) error
			ends  bool
			waits bool // whether somebody who waits for it learns of it at once
		}{
			{"not while it is renewed", nil, false, false},
			{"that could not be renewed", down, true, true},
			{"that could not be renewed in time", func(ctx context.Context, h replay.Handle, _ time.Duration) error {
				<-ctx.Done()
				return ctx.Err()
			}, true, true},
			{"although nothing else runs", func(context.Context, replay.Handle, time.Duration) error {
				time.Sleep(time.Minute) // and so does not keep to its context
				return nil
			}, true, false},
		} {
			t.Run(c.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newSite(t, onBubble, func(s *site) { s.store.renew = c.renew })
					if c.renew == nil {
						s.store.renew = s.store.Store.Renew
					}
					s.handle = func(_ http.ResponseWriter, r *http.Request) {
						ctx := r.Context()
						derived, cancel := context.WithCancel(ctx)
						defer cancel()
						time.Sleep(30*time.Second - time.Nanosecond)
						synctest.Wait()
						if err := derived.Err(); err != nil {
							t.Errorf("ended before its lease: %v", context.Cause(derived))
						}
						time.Sleep(time.Nanosecond)
						synctest.Wait()
						if c.waits {
							select {
							case <-derived.Done():
							default:
								t.Error("nobody who waits was told")
							}
						}
						if err := ctx.Err(); (err != nil) != c.ends {
							t.Errorf("Err = %v", err)
						}
						cause := context.Cause(ctx)
						if c.ends && (cause == nil || !strings.Contains(cause.Error(), "lease ran out")) {
							t.Errorf("cause %v", cause)
						}
					}
					want(t, s.serve(s.request), 200)
				})
			})
		}
	})

	t.Run("a renewal that fails is tried again in time", func(t *testing.T) {
		for _, c := range []struct {
			name  string
			renew func(context.Context) error
		}{
			{"after an error", func(context.Context) error { return errors.New("down") }},
			{"after it hung", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }},
			{"after a panic", func(context.Context) error { panic("boom") }},
		} {
			t.Run(c.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newSite(t, onBubble, observed)
					s.store.renew = func(ctx context.Context, h replay.Handle, d time.Duration) error {
						if s.store.renewals.Load() < 3 { // it works at the third try
							return c.renew(ctx)
						}
						return s.store.Store.Renew(ctx, h, d)
					}
					s.handle = func(http.ResponseWriter, *http.Request) {
						if s.runs.Load() == 1 {
							time.Sleep(40 * time.Second)
						}
					}
					response := make(chan *httptest.ResponseRecorder)
					go func() { response <- s.serve(s.request) }()
					time.Sleep(35 * time.Second)
					want(t, s.serve(stripetest.NewRequest(hookURL, time.Now(), eventBody("evt_1"), stripeSecret)), 409)
					want(t, <-response, 200)
					wantRuns(t, s, 1)
				})
			})
		}
	})

	t.Run("a quick handler is not renewed", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t, onBubble)
			s.handle = func(http.ResponseWriter, *http.Request) { time.Sleep(9 * time.Second) }
			want(t, s.serve(s.request), 200)
			time.Sleep(time.Hour)
			if n := s.store.renewals.Load(); n != 0 {
				t.Errorf("%d renewals", n)
			}
		})
	})

	t.Run("a renewal that hangs does not hold the response back", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t, onBubble, func(s *site) {
				s.store.renew = func(ctx context.Context, h replay.Handle, d time.Duration) error {
					<-ctx.Done()
					return ctx.Err()
				}
			})
			s.handle = func(http.ResponseWriter, *http.Request) { time.Sleep(11 * time.Second) }
			begin := time.Now()
			want(t, s.serve(s.request), 200)
			if took := time.Since(begin); took != 11*time.Second {
				t.Errorf("took %v, want 11s", took)
			}
			time.Sleep(time.Hour)
			if n := s.store.renewals.Load(); n != 1 {
				t.Errorf("%d renewals, want none after the request", n)
			}
		})
	})

	// As sqlreplay's CommitIn does.
	t.Run("a claim that the handler settled is not lost", func(t *testing.T) {
		for _, settles := range []bool{true, false} {
			t.Run(fmt.Sprint(settles), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newSite(t, onBubble)
					s.handle = func(_ http.ResponseWriter, r *http.Request) {
						h, ok := replay.FromContext(r.Context())
						if !ok {
							t.Fatal("no handle")
						}
						if settles {
							if err := s.store.Store.Commit(r.Context(), h); err != nil {
								t.Error(err)
							}
						} else if err := s.store.Store.Release(r.Context(), h); err != nil {
							t.Error(err)
						}
						time.Sleep(time.Minute)
						synctest.Wait()
						if err := r.Context().Err(); (err == nil) != settles {
							t.Errorf("Err = %v", context.Cause(r.Context()))
						}
					}
					status := 409
					if settles {
						status = 200
					}
					want(t, s.serve(s.request), status)
					if n := s.store.renewals.Load(); n != 1 {
						t.Errorf("%d renewals, want 1", n)
					}
				})
			})
		}
	})

	t.Run("a handler is told that its claim is lost", func(t *testing.T) {
		for _, c := range []struct {
			name   string
			change func(*site)
		}{{"of Stripe", func(*site) {}}, {"of GitHub", onGitHub}} {
			for _, polls := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, polling %v", c.name, polls), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						s := newSite(t, c.change, func(s *site) {
							r := s.request
							onBubble(s)
							if s.verifier.Profile().Provider == "github" {
								s.request = r
							}
							s.store.renew = func(context.Context, replay.Handle, time.Duration) error {
								return fmt.Errorf("wrapped: %w", replay.ErrLost)
							}
							s.store.commit = func(context.Context, replay.Handle) error { return replay.ErrLost }
						})
						s.handle = func(w http.ResponseWriter, r *http.Request) {
							if ctx := r.Context(); polls {
								time.Sleep(10*time.Second + 1)
							} else {
								<-ctx.Done()
							}
							if err := r.Context().Err(); err != context.Canceled {
								t.Errorf("the context's error is %v", err)
							}
							if cause := context.Cause(r.Context()); cause == nil || cause == context.Canceled || !strings.Contains(cause.Error(), "taken over") {
								t.Errorf("the cause is %v", cause)
							}
						}
						want(t, s.serve(s.request), 409, "Retry-After", "30")
						if n := s.store.renewals.Load(); n != 1 {
							t.Errorf("%d renewals, want no more after the loss", n)
						}
					})
				})
			}
		}
	})
}

func TestStoreFailure(t *testing.T) {
	t.Run("a store that panics is observed", func(t *testing.T) {
		for _, c := range []struct {
			name    string
			change  func(*site)
			outcome middleware.Outcome
		}{
			{"in Commit", func(s *site) {
				s.store.commit = func(context.Context, replay.Handle) error { panic("boom") }
			}, middleware.CommitFailed},
			{"in Release", func(s *site) {
				s.handle = answering(500)
				s.store.release = func(context.Context, replay.Handle) error { panic("boom") }
			}, middleware.Failed},
			{"in Release after a panic of the handler", func(s *site) {
				s.handle = func(http.ResponseWriter, *http.Request) { panic("first") }
				s.store.release = func(context.Context, replay.Handle) error { panic("boom") }
			}, middleware.Failed},
		} {
			t.Run(c.name, func(t *testing.T) {
				s := newSite(t, observed, c.change)
				w := newJournal()
				if panicked, _ := run(s, w, s.request); panicked != "boom" {
					t.Errorf("panicked with %v", panicked)
				}
				if e := s.event(); e.Outcome != c.outcome || e.KeyLabel != "1" {
					t.Errorf("event %+v", e)
				}
				if w.String() != "" {
					t.Errorf("answered %q", w)
				}
			})
		}
	})

	t.Run("a commit is tried three times", func(t *testing.T) {
		down := errors.New("connection refused")
		for _, c := range []struct {
			name    string
			commit  func(ctx context.Context, try int64) error
			tries   int64
			status  int
			outcome middleware.Outcome
			err     error
		}{
			{"at once", func(context.Context, int64) error { return nil }, 1, 200, middleware.Handled, nil},
			{"at the third try", func(_ context.Context, try int64) error {
				if try < 3 {
					return down
				}
				return nil
			}, 3, 200, middleware.Handled, nil},
			{"in vain, and the response leaves", func(context.Context, int64) error { return down }, 3, 200, middleware.CommitFailed, down},
			{"in vain, because it hangs", func(ctx context.Context, _ int64) error {
				<-ctx.Done()
				return ctx.Err()
			}, 3, 200, middleware.CommitFailed, context.DeadlineExceeded},
			{"but not when the claim is lost", func(context.Context, int64) error { return replay.ErrLost }, 1, 409, middleware.Lost, replay.ErrLost},
			{"and lost at the second", func(_ context.Context, try int64) error {
				if try == 1 {
					return down
				}
				return fmt.Errorf("wrapped: %w", replay.ErrLost)
			}, 2, 409, middleware.Lost, replay.ErrLost},
		} {
			t.Run(c.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newSite(t, onBubble, observed)
					s.store.commit = func(ctx context.Context, _ replay.Handle) error {
						return c.commit(ctx, s.store.commits.Load())
					}
					begin := time.Now()
					want(t, s.serve(s.request), c.status)
					if took := time.Since(begin); took > 2*time.Second {
						t.Errorf("took %v, want at most 2s", took)
					}
					if n := s.store.commits.Load(); n != c.tries {
						t.Errorf("%d tries, want %d", n, c.tries)
					}
					if n := s.store.releases.Load(); n != 0 {
						t.Errorf("%d releases", n)
					}
					if e := s.event(); e.Outcome != c.outcome || !errors.Is(e.Err, c.err) {
						t.Errorf("event %v with %v, want %v with %v", e.Outcome, e.Err, c.outcome, c.err)
					}
				})
			})
		}
	})

	t.Run("a release that fails does not change the response", func(t *testing.T) {
		down := errors.New("connection refused")
		for _, c := range []struct {
			name    string
			release func(context.Context, replay.Handle) error
			err     error
		}{
			{"at once", func(context.Context, replay.Handle) error { return down }, down},
			{"because it hangs", func(ctx context.Context, _ replay.Handle) error {
				<-ctx.Done()
				return ctx.Err()
			}, context.DeadlineExceeded},
			{"not at all", func(context.Context, replay.Handle) error { return nil }, nil},
		} {
			t.Run(c.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newSite(t, onBubble, observed, func(s *site) { s.store.release = c.release })
					s.handle = answering(502)
					begin := time.Now()
					want(t, s.serve(s.request), 502)
					if took := time.Since(begin); took > 2*time.Second {
						t.Errorf("took %v, want at most 2s", took)
					}
					if e := s.event(); e.Outcome != middleware.Failed || !errors.Is(e.Err, c.err) {
						t.Errorf("event %v with %v", e.Outcome, e.Err)
					}
				})
			})
		}
	})

	t.Run("a store that hangs is not waited for", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t, onBubble, func(s *site) {
				s.store.claim = func(ctx context.Context, _ replay.Claim) (replay.Outcome, error) {
					<-ctx.Done()
					return replay.Outcome{}, ctx.Err()
				}
			})
			begin := time.Now()
			want(t, s.serve(s.request), 503)
			if took := time.Since(begin); took != 500*time.Millisecond {
				t.Errorf("took %v, want 500ms", took)
			}
			wantRuns(t, s, 0)
		})
	})

	t.Run("a store that is down lets through only on request", func(t *testing.T) {
		down := func(s *site) {
			s.store.claim = func(context.Context, replay.Claim) (replay.Outcome, error) {
				return replay.Outcome{}, errors.New("connection refused")
			}
		}
		failOpen := func(s *site) { s.opts.InsecureFailOpen = true }
		for _, c := range []struct {
			name    string
			changes []func(*site)
			status  int
			runs    int64
		}{
			{"down", []func(*site){down}, 503, 0},
			{"down, failing open", []func(*site){down, failOpen}, 200, 1},
			{"no outcome, failing open", []func(*site){outcome(replay.Outcome{}), failOpen}, 503, 0},
			{"in flight, failing open", []func(*site){outcome(replay.Outcome{Status: replay.InFlight}), failOpen}, 409, 0},
			{"forged, failing open", []func(*site){outcome(replay.Outcome{Status: replay.Forged}), failOpen}, 401, 0},
			{"down and not genuine, failing open", []func(*site){down, failOpen, header("Stripe-Signature")}, 401, 0},
		} {
			t.Run(c.name, func(t *testing.T) {
				s := newSite(t, append(c.changes, observed)...)
				s.handle = func(w http.ResponseWriter, r *http.Request) {
					if _, ok := verify.FromContext(r.Context()); !ok {
						t.Error("there is no delivery")
					}
					if _, ok := replay.FromContext(r.Context()); ok {
						t.Error("there is a handle of a claim that nobody made")
					}
				}
				want(t, s.serve(s.request), c.status)
				wantRuns(t, s, c.runs)
				e := s.event()
				if e.FailedOpen != (c.runs == 1) {
					t.Errorf("event %+v", e)
				}
				if c.runs == 1 && (e.Outcome != middleware.Handled || e.Err == nil) {
					t.Errorf("event %+v", e)
				}
				if n := s.store.commits.Load() + s.store.releases.Load(); n != 0 {
					t.Errorf("%d commits and releases of a claim that nobody made", n)
				}
			})
		}
	})

	// A client that hangs up must not leave a store in the dark.
	t.Run("the store is not asked under the client's context", func(t *testing.T) {
		for _, status := range []int{200, 500} {
			for _, change := range []func(*site){func(*site) {}, onGitHub} {
				client, hangUp := context.WithCancel(t.Context())
				s := newSite(t, change)
				alive := func(what string, ctx context.Context, limit time.Duration) {
					deadline, ok := ctx.Deadline()
					if err := ctx.Err(); err != nil || !ok || time.Until(deadline) > limit {
						t.Errorf("%s under a context with error %v and deadline %v", what, err, deadline)
					}
				}
				s.store.claim = func(ctx context.Context, c replay.Claim) (replay.Outcome, error) {
					hangUp()
					alive("claim", ctx, 500*time.Millisecond)
					return s.store.Store.Claim(ctx, c)
				}
				s.store.commit = func(ctx context.Context, h replay.Handle) error {
					alive("commit", ctx, 2*time.Second)
					return s.store.Store.Commit(ctx, h)
				}
				s.store.release = func(ctx context.Context, h replay.Handle) error {
					alive("release", ctx, 2*time.Second)
					return s.store.Store.Release(ctx, h)
				}
				s.handle = answering(status)
				want(t, s.serve(s.request.WithContext(client)), status)
				if n := s.store.calls(); n != 2 {
					t.Errorf("%d calls, want 2", n)
				}
			}
		}
	})
}

func TestHandlerContext(t *testing.T) {
	t.Run("MaxRun ends the context and keeps the claim", func(t *testing.T) {
		for _, polls := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, onBubble, func(s *site) { s.opts.MaxRun = time.Minute })
				ended := make(chan struct{})
				s.handle = func(w http.ResponseWriter, r *http.Request) {
					if s.runs.Load() > 1 {
						return
					}
					begin := time.Now()
					if polls {
						for r.Context().Err() == nil {
							time.Sleep(time.Second)
						}
					} else {
						<-r.Context().Done()
					}
					if took := time.Since(begin); took < time.Minute || took > 61*time.Second {
						t.Errorf("the context ended after %v", took)
					}
					if err := r.Context().Err(); err != context.DeadlineExceeded {
						t.Errorf("its error is %v", err)
					}
					if cause := context.Cause(r.Context()); cause == nil || !strings.Contains(cause.Error(), "MaxRun") {
						t.Errorf("its cause is %v", cause)
					}
					close(ended)
					time.Sleep(10 * time.Minute)
					w.WriteHeader(500)
				}
				retry := func() *http.Request {
					return stripetest.NewRequest(hookURL, time.Now(), eventBody("evt_1"), stripeSecret)
				}
				response := make(chan *httptest.ResponseRecorder)
				go func() { response <- s.serve(s.request) }()
				<-ended
				want(t, s.serve(retry()), 409)
				time.Sleep(5 * time.Minute)
				want(t, s.serve(retry()), 409)
				want(t, <-response, 500)
				want(t, s.serve(retry()), 200, "Webhook-Duplicate", "")
				wantRuns(t, s, 2)
			})
		}
	})

	t.Run("it survives a client that hangs up where nobody retries", func(t *testing.T) {
		type mark struct{}
		for _, c := range []struct {
			name     string
			change   func(*site)
			survives bool
		}{
			{"Stripe comes again, so its handler stops", func(*site) {}, false},
			{"a provider that repeats bytes comes again, too", repeatsBytes, false},
			{"GitHub does not, so its handler goes on", onGitHub, true},
		} {
			t.Run(c.name, func(t *testing.T) {
				client, hangUp := context.WithCancel(context.WithValue(t.Context(), mark{}, "outer"))
				s := newSite(t, c.change)
				s.handle = func(w http.ResponseWriter, r *http.Request) {
					ctx := r.Context()
					derived, cancel := context.WithCancel(ctx)
					defer cancel()
					if ctx.Err() != nil || ctx.Value(mark{}) != "outer" {
						t.Errorf("error %v, value %v", ctx.Err(), ctx.Value(mark{}))
					}
					deadline, ok := ctx.Deadline()
					if left := time.Until(deadline); !ok || left > 15*time.Minute || left < 14*time.Minute {
						t.Errorf("deadline in %v", left)
					}
					hangUp()
					for _, ctx := range []context.Context{ctx, derived} {
						if alive := ctx.Err() == nil; alive != c.survives {
							t.Errorf("alive %v, want %v", alive, c.survives)
						}
					}
				}
				want(t, s.serve(s.request.WithContext(client)), 200)
				wantRuns(t, s, 1)
			})
		}
	})

	t.Run("an earlier deadline of the client holds", func(t *testing.T) {
		earlier := time.Now().Add(time.Minute)
		client, cancel := context.WithDeadline(t.Context(), earlier)
		defer cancel()
		for _, c := range []struct {
			change func(*site)
			holds  bool
		}{{func(*site) {}, true}, {onGitHub, false}} {
			s := newSite(t, c.change)
			s.handle = func(w http.ResponseWriter, r *http.Request) {
				if deadline, ok := r.Context().Deadline(); !ok || deadline.Equal(earlier) != c.holds {
					t.Errorf("deadline %v, %v", deadline, ok)
				}
			}
			want(t, s.serve(s.request.WithContext(client)), 200)
		}
	})

	t.Run("it ends with the request", func(t *testing.T) {
		for _, change := range []func(*site){func(*site) {}, onGitHub} {
			s := newSite(t, change)
			var kept, waiting context.Context
			s.handle = func(w http.ResponseWriter, r *http.Request) {
				kept = r.Context()
				waiting = replay.NewContext(kept, replay.Handle{})
				context.AfterFunc(waiting, func() {})
			}
			want(t, s.serve(s.request), 200)
			for _, ctx := range []context.Context{kept, waiting} {
				await(t, ctx.Done(), "the end of the context")
				if ctx.Err() != context.Canceled || context.Cause(ctx) == nil {
					t.Errorf("error %v, cause %v", ctx.Err(), context.Cause(ctx))
				}
			}
		}
	})
}

func TestDoubleGuard(t *testing.T) {
	t.Run("a context that outlived its request opens nothing", func(t *testing.T) {
		s := newSite(t)
		var kept context.Context
		s.handle = func(w http.ResponseWriter, r *http.Request) {
			kept = r.Context()
			if !s.guard.Admitted(kept) {
				t.Error("the handler's own context is not admitted")
			}
		}
		want(t, s.serve(again(t, s.request)), 200)
		if s.guard.Admitted(kept) {
			t.Error("the context is still admitted")
		}
		forged := stripetest.NewRequest(hookURL, start, eventBody("evt_2"), otherSecret)
		want(t, s.serve(forged.WithContext(kept)), 401)
		wantRuns(t, s, 1)
	})

	t.Run("two guards in a row both count", func(t *testing.T) {
		for _, c := range []struct {
			name    string
			handle  http.HandlerFunc
			status  int
			commits int64
			again   int
		}{
			{"success", nil, 200, 1, 409},
			{"failure", answering(500), 500, 0, 500},
		} {
			t.Run(c.name, func(t *testing.T) {
				outer, inner := newSite(t, observed), newSite(t, observed)
				inner.handle = func(w http.ResponseWriter, r *http.Request) {
					if !outer.guard.Admitted(r.Context()) || !inner.guard.Admitted(r.Context()) {
						t.Error("not admitted by both")
					}
					if c.handle != nil {
						c.handle(w, r)
					}
				}
				outer.handle = inner.ServeHTTP
				want(t, outer.serve(again(t, outer.request)), c.status)
				for _, s := range []*site{outer, inner} {
					if n := s.store.commits.Load(); n != c.commits {
						t.Errorf("%d commits, want %d", n, c.commits)
					}
					s.event()
				}
				want(t, outer.serve(again(t, outer.request)), c.again)
			})
		}
		t.Run("what the inner one only reports is not verified by the outer one", func(t *testing.T) {
			for _, secret := range []string{stripeSecret, otherSecret} {
				outer, inner := newSite(t), newSite(t, reportOnly, func(s *site) { s.verifier = stripe.Must(secret) })
				outer.handle = func(w http.ResponseWriter, r *http.Request) {
					if _, ok := verify.FromContext(r.Context()); !ok {
						t.Error("the outer one did not prove it")
					}
					inner.ServeHTTP(w, r)
				}
				inner.handle = func(w http.ResponseWriter, r *http.Request) {
					if d, ok := verify.FromContext(r.Context()); ok != (secret == stripeSecret) {
						t.Errorf("delivery %+v, %v", d, ok)
					}
				}
				want(t, outer.serve(again(t, outer.request)), 200)
				wantRuns(t, inner, 1)
			}
		})
		t.Run("what the inner one refuses the outer one forgets", func(t *testing.T) {
			outer, inner := newSite(t), newSite(t, func(s *site) { s.verifier = stripe.Must(otherSecret) })
			outer.handle = inner.ServeHTTP
			want(t, outer.serve(again(t, outer.request)), 401)
			if outer.store.releases.Load() != 1 || inner.store.calls() != 0 {
				t.Error("the outer claim was not released, or the inner one was made")
			}
		})
	})
}

// fill has the site handle as many events as its store has room for.
func fill(s *site) {
	for i := 0; ; i++ {
		if w := s.serve(s.stripe(fmt.Sprint("evt_fill", i))); w.Code != 200 {
			if i == 0 {
				s.t.Fatal("there is no room at all")
			}
			want(s.t, w, 503, "Retry-After", "10")
			return
		}
	}
}

func TestClaim(t *testing.T) {
	t.Run("a full store drops only what is not needed", func(t *testing.T) {
		s := newSite(t, func(s *site) {
			s.store.Store = replay.NewMemory(&replay.MemoryOptions{Now: s.clock.Now, MaxBytes: 1})
		})
		fill(s)
		runs := s.runs.Load()
		want(t, s.serve(s.stripe("evt_new")), 503)
		// What cannot verify any more is kept, but not at the cost of something new.
		s.clock.advance(5 * time.Minute)
		want(t, s.serve(s.stripe("evt_new")), 503) // clocks may differ a little
		s.clock.advance(2 * time.Minute)
		want(t, s.serve(s.stripe("evt_new")), 200)
		wantRuns(t, s, runs+1)
		want(t, s.serve(s.stripe("evt_new")), 409)
		wantRuns(t, s, runs+1)
	})

	t.Run("a restart accepts no replay of what is signed anew", func(t *testing.T) {
		const half = 500 * time.Millisecond
		for _, c := range []struct {
			name   string
			signed time.Time
			status int
		}{
			{"signed in the second before the start", start.Add(-time.Second), 401},
			{"signed in the second of the start", start, 200},
			{"signed after the start", start.Add(time.Second), 200},
		} {
			t.Run(c.name, func(t *testing.T) {
				restarted := newSite(t, func(s *site) {
					s.clock.advance(half)
					s.store.Store = replay.NewMemory(&replay.MemoryOptions{Now: s.clock.Now})
				}, observed)
				want(t, restarted.serve(stripetest.NewRequest(hookURL, c.signed, eventBody("evt_1"), stripeSecret)), c.status)
				if e := restarted.event(); c.status == 401 && (e.Reason != verify.ErrTooOld || !strings.Contains(e.Err.Error(), "floor")) {
					t.Errorf("event %+v", e)
				}
				// The provider comes back with a new timestamp, so nothing is lost.
				if c.status == 401 {
					restarted.clock.advance(half)
					want(t, restarted.serve(restarted.stripe("evt_1")), 200, "Webhook-Duplicate", "")
					wantRuns(t, restarted, 1)
				}
			})
		}
		// Documented: GitHub signs no time, so only a lasting store helps.
		t.Run("unlike that of GitHub", func(t *testing.T) {
			before := newSite(t, onGitHub)
			want(t, before.serve(again(t, before.request)), 200)
			want(t, before.serve(again(t, before.request)), 409)
			restarted := newSite(t, onGitHub)
			want(t, restarted.serve(again(t, before.request)), 200)
			wantRuns(t, restarted, 1)
		})
	})

	t.Run("two scopes do not swallow each other's events", func(t *testing.T) {
		for _, c := range []struct {
			name     string
			scopes   [2]string
			status   int
			runs     int64
			wantKeys string
		}{
			{"two tenants", [2]string{"acme", "globex"}, 200, 2, "acme/a globex/b"},
			{"two secrets of one tenant", [2]string{"acme", "acme"}, 409, 1, "acme/a"},
		} {
			t.Run(c.name, func(t *testing.T) {
				var keys verify.KeyList
				for i, secret := range []string{stripeSecret, otherSecret} {
					k, err := verify.NewKey(c.scopes[i], string(rune('a'+i)), []byte(secret))
					if err != nil {
						t.Fatal(err)
					}
					keys = append(keys, k)
				}
				v, err := stripe.New(keys, nil)
				if err != nil {
					t.Fatal(err)
				}
				var seen []string
				s := newSite(t, func(s *site) { s.verifier, s.opts.Duplicates = v, middleware.RefuseDuplicates })
				s.handle = func(w http.ResponseWriter, r *http.Request) {
					d, _ := verify.FromContext(r.Context())
					seen = append(seen, d.Scope+"/"+d.KeyLabel)
				}
				want(t, s.serve(stripetest.NewRequest(hookURL, start, eventBody("evt_1"), stripeSecret)), 200)
				want(t, s.serve(stripetest.NewRequest(hookURL, start, eventBody("evt_1"), otherSecret)), c.status)
				wantRuns(t, s, c.runs)
				if got := strings.Join(seen, " "); got != c.wantKeys {
					t.Errorf("keys %s, want %s", got, c.wantKeys)
				}
			})
		}
	})

	t.Run("a rotation in the middle of a retry forgets nothing", func(t *testing.T) {
		before := newSite(t)
		want(t, before.serve(again(t, before.request)), 200)
		rotated := newSite(t, func(s *site) {
			s.verifier, s.store = stripe.Must(otherSecret, stripeSecret), before.store
		})
		for _, c := range []struct {
			name    string
			request *http.Request
			status  int
		}{
			{"by the old secret", stripetest.NewRequest(hookURL, start.Add(time.Second), eventBody("evt_1"), stripeSecret), 200},
			{"by the new secret", stripetest.NewRequest(hookURL, start.Add(time.Second), eventBody("evt_1"), otherSecret), 200},
			{"by both", stripetest.NewRequest(hookURL, start.Add(time.Second), eventBody("evt_1"), stripeSecret, otherSecret), 200},
		} {
			t.Run(c.name, func(t *testing.T) {
				want(t, rotated.serve(c.request), c.status, "Webhook-Duplicate", "1")
				wantRuns(t, rotated, 0)
			})
		}
		t.Run("but another event runs", func(t *testing.T) {
			want(t, rotated.serve(rotated.stripe("evt_2")), 200, "Webhook-Duplicate", "")
			wantRuns(t, rotated, 1)
		})
	})

	t.Run("another endpoint knows none of the events", func(t *testing.T) {
		s := newSite(t)
		want(t, s.serve(again(t, s.request)), 200)
		for _, c := range []struct {
			endpoint string
			status   int
		}{{"test", 409}, {"test2", 200}} {
			guard, err := middleware.New(c.endpoint, s.verifier, s.store, &s.opts)
			if err != nil {
				t.Fatal(err)
			}
			w := httptest.NewRecorder()
			guard.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(w, again(t, s.request))
			want(t, w, c.status)
		}
	})

	t.Run("an operator may forget an event", func(t *testing.T) {
		for _, forget := range []bool{false, true} {
			t.Run(fmt.Sprint(forget), func(t *testing.T) {
				var delivery *verify.Delivery
				s := newSite(t)
				s.handle = func(w http.ResponseWriter, r *http.Request) {
					delivery, _ = verify.FromContext(r.Context())
					if h, ok := replay.FromContext(r.Context()); !ok || h.Key != s.guard.Key(delivery) {
						t.Error("the handle in the context has another key")
					}
					if err := s.store.Forget(t.Context(), s.guard.Key(delivery)); err != replay.ErrHeld {
						t.Errorf("forgotten while it is handled: %v", err)
					}
				}
				want(t, s.serve(again(t, s.request)), 200)
				status, runs := 409, int64(1)
				if forget {
					status, runs = 200, 2
					if err := s.store.Forget(t.Context(), s.guard.Key(delivery)); err != nil {
						t.Fatal(err)
					}
				}
				want(t, s.serve(again(t, s.request)), status)
				wantRuns(t, s, runs)
			})
		}
	})

	t.Run("a claim says what the store needs", func(t *testing.T) {
		for _, c := range []struct {
			name   string
			change func(*site)
			want   replay.Claim
			binds  bool
		}{
			{"of Stripe, signed now", func(*site) {}, replay.Claim{Needed: 6 * time.Minute, Retention: 7 * 24 * time.Hour, Resigned: true, SignedAt: start}, false},
			{"of Stripe, signed before", signedAt(-4 * time.Minute), replay.Claim{Needed: 2 * time.Minute, Retention: 7 * 24 * time.Hour, Resigned: true, SignedAt: start.Add(-4 * time.Minute)}, false},
			{"of Stripe, signed ahead", signedAt(4 * time.Minute), replay.Claim{Needed: 10 * time.Minute, Retention: 7 * 24 * time.Hour, Resigned: true, SignedAt: start.Add(4 * time.Minute)}, false},
			{"of GitHub", onGitHub, replay.Claim{Needed: 3 * 24 * time.Hour, Retention: 30 * 24 * time.Hour}, false},
			{"with a body that is bound by a checksum", finishing(func(p verify.Pending, ctx context.Context, b []byte) (*verify.Delivery, error) {
				d, err := p.Finish(ctx, b)
				d.Binding, d.MessageID = verify.BindingChecksum, "transmission-1"
				return d, err
			}), replay.Claim{Needed: 11 * time.Minute, Retention: 7 * 24 * time.Hour, Resigned: true, SignedAt: start}, true},
			{"with a body that is bound by a checksum, where no time is signed", func(s *site) {
				onGitHub(s)
				finishing(func(p verify.Pending, ctx context.Context, b []byte) (*verify.Delivery, error) {
					d, err := p.Finish(ctx, b)
					d.Binding, d.MessageID = verify.BindingChecksum, "transmission-1"
					return d, err
				})(s)
			}, replay.Claim{Needed: 30 * 24 * time.Hour, Retention: 30 * 24 * time.Hour}, true},
		} {
			t.Run(c.name, func(t *testing.T) {
				var got replay.Claim
				s := newSite(t, c.change)
				s.store.claim = func(_ context.Context, claim replay.Claim) (replay.Outcome, error) {
					got = claim
					return replay.Outcome{Status: replay.Acquired}, nil
				}
				s.store.commit = func(_ context.Context, h replay.Handle) error {
					if h.Key != got.Key || h.Token != got.Token {
						t.Error("committed under another handle")
					}
					return nil
				}
				want(t, s.serve(s.request), 200)
				if (got.Binding != nil) != c.binds {
					t.Errorf("binding %v", got.Binding)
				}
				// A store that others can read must not hold what would do for a header.
				signature := s.request.Header.Get("Stripe-Signature") + s.request.Header.Get("X-Hub-Signature-256")
				if strings.Contains(signature, hex.EncodeToString(got.Fingerprint[:])) {
					t.Error("the fingerprint is the signature itself")
				}
				if got.Lease != 30*time.Second || got.Token == (replay.Token{}) || got.Fingerprint == [32]byte{} {
					t.Errorf("claim %+v", got)
				}
				if got.Needed != c.want.Needed || got.Retention != c.want.Retention || got.Resigned != c.want.Resigned || !got.SignedAt.Equal(c.want.SignedAt) {
					t.Errorf("needed %v, retention %v, resigned %v, signed %v; want %+v", got.Needed, got.Retention, got.Resigned, got.SignedAt, c.want)
				}
			})
		}
	})

	// With a real store: another body under a signed message that was seen before.
	t.Run("another body under one message is forged", func(t *testing.T) {
		loose := finishing(func(_ verify.Pending, _ context.Context, b []byte) (*verify.Delivery, error) {
			return &verify.Delivery{
				Provider: "loose", Scope: "default", KeyLabel: "1", ID: string(b[:len(`{"id":"evt_1"`)]), MessageID: "transmission-1",
				SignedAt: start, ReceivedAt: start, Binding: verify.BindingChecksum, Body: b,
			}, nil
		})
		for _, c := range []struct {
			name   string
			body   []byte
			status int
		}{
			{"the same body is a replay", eventBody("evt_1"), 409},
			{"another one is forged", append(eventBody("evt_1"), ' '), 401},
			{"another event is forged, too", eventBody("evt_2"), 401},
		} {
			t.Run(c.name, func(t *testing.T) {
				s := newSite(t, loose, func(s *site) { s.opts.Duplicates = middleware.RefuseDuplicates })
				want(t, s.serve(again(t, s.request)), 200)
				want(t, s.serve(stripetest.NewRequest(hookURL, start, c.body, stripeSecret)), c.status)
				wantRuns(t, s, 1)
			})
		}
	})

	t.Run("distinct delivery ids keep equal bodies apart on request", func(t *testing.T) {
		for _, c := range []struct {
			distinct bool
			status   int
		}{{false, 409}, {true, 200}} {
			v, err := github.New(verify.Secrets(githubSecret), &github.Options{InsecureDistinctByDeliveryID: c.distinct})
			if err != nil {
				t.Fatal(err)
			}
			s := newSite(t, onGitHub, func(s *site) { s.verifier = v })
			want(t, s.serve(again(t, s.request)), 200)
			want(t, s.serve(again(t, s.request)), 409)
			want(t, s.serve(githubtest.NewRequest(hookURL, "push", bodyOf(t, s.request), githubSecret)), c.status)
		}
	})
}
