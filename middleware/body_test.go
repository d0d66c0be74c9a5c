package middleware_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/adapter"
	"github.com/hooknotary/hooknotary/providers/github"
	"github.com/hooknotary/hooknotary/providers/github/githubtest"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

func TestHandlerBody(t *testing.T) {
	t.Run("the handler sees the verified bytes", func(t *testing.T) {
		all := make([]byte, 256)
		for i := range all {
			all[i] = byte(i)
		}
		for _, c := range []struct {
			name string
			body []byte
		}{
			{"JSON", []byte(`{"ref":"refs/heads/main"}`)},
			{"nothing", []byte{}},
			{"every byte there is", all},
			{"line breaks of all kinds", []byte("{\r\n\t\"a\": 1\r}\n\r\n")},
			{"a byte order mark", []byte("\xef\xbb\xbf{}")},
			{"as much as the first buffer", bytes.Repeat([]byte("8"), 8<<10)},
			{"one byte more than the first buffer", bytes.Repeat([]byte("8"), 8<<10+1)},
			{"many buffers", bytes.Repeat([]byte("chunk"), 50_000)},
		} {
			for _, chunked := range []bool{false, true} {
				name := c.name + ", declared"
				if chunked {
					name = c.name + ", chunked"
				}
				t.Run(name, func(t *testing.T) {
					s := newSite(t, onGitHub)
					s.handle = func(w http.ResponseWriter, r *http.Request) {
						read := func(what string, body io.Reader) {
							b, err := io.ReadAll(body)
							if err != nil || !bytes.Equal(b, c.body) {
								t.Errorf("%s is %.40q (%v), want %.40q", what, b, err, c.body)
							}
						}
						read("the body", r.Body)
						for range 2 {
							body, err := r.GetBody()
							if err != nil {
								t.Error(err)
							}
							read("another copy", body)
						}
						if r.ContentLength != int64(len(c.body)) || len(r.TransferEncoding) > 0 {
							t.Errorf("ContentLength %d, TransferEncoding %q, want %d and none", r.ContentLength, r.TransferEncoding, len(c.body))
						}
						d, ok := verify.FromContext(r.Context())
						if !ok || !bytes.Equal(d.Body, c.body) {
							t.Error("the delivery has another body")
						}
						if err := r.Body.Close(); err != nil {
							t.Error(err)
						}
					}
					server := listen(t, s)
					r := githubtest.NewRequest(server.URL, "push", c.body, githubSecret)
					if chunked {
						r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(c.body)), -1
					}
					response, err := server.Client().Do(r)
					if err != nil {
						t.Fatal(err)
					}
					response.Body.Close()
					if response.StatusCode != 200 {
						t.Errorf("status %d", response.StatusCode)
					}
					wantRuns(t, s, 1)
				})
			}
		}
	})

	// An empty body that is validly signed is an event like any other.
	t.Run("an empty body is an event", func(t *testing.T) {
		empty := func(secret string) *http.Request { return githubtest.NewRequest(hookURL, "push", []byte{}, secret) }
		for _, c := range []struct {
			name string
			body io.ReadCloser
		}{
			{"of nothing", nil},
			{"of http.NoBody", http.NoBody},
			{"of length zero", io.NopCloser(strings.NewReader(""))},
		} {
			t.Run(c.name, func(t *testing.T) {
				s := newSite(t, onGitHub)
				s.handle = func(w http.ResponseWriter, r *http.Request) {
					b, err := io.ReadAll(r.Body)
					if d, ok := verify.FromContext(r.Context()); !ok || len(d.Body) != 0 || len(b) != 0 || err != nil {
						t.Errorf("the handler got %q, %v, and delivery %v", b, err, d)
					}
				}
				for _, request := range []struct {
					secret string
					status int
				}{{otherSecret, 401}, {githubSecret, 200}, {githubSecret, 409}} {
					r := empty(request.secret)
					r.Body = c.body
					want(t, s.serve(r), request.status)
				}
				wantRuns(t, s, 1)
			})
		}
	})

	t.Run("the handler's request is the outer one but for its body", func(t *testing.T) {
		type mark struct{}
		s := newSite(t)
		s.handle = func(w http.ResponseWriter, r *http.Request) {
			if got := r.PathValue("tenant"); got != "acme" {
				t.Errorf("path value %q", got)
			}
			if got := r.FormValue("env"); got != "live" {
				t.Errorf("query value %q", got)
			}
			if got := r.Context().Value(mark{}); got != "outer" {
				t.Errorf("context value %v", got)
			}
			if r.Trailer != nil {
				t.Errorf("trailer %v", r.Trailer)
			}
		}
		mux := http.NewServeMux()
		mux.Handle("POST /hooks/{tenant}", s)
		r := stripetest.NewRequest("http://hooks.example/hooks/acme?env=live", start, eventBody("evt_1"), stripeSecret)
		r = r.WithContext(context.WithValue(r.Context(), mark{}, "outer"))
		r.Trailer = http.Header{"X-Trailer": {"1"}}
		before := *r
		mux.ServeHTTP(newJournal(), r)
		wantRuns(t, s, 1)
		if r.ContentLength != before.ContentLength || r.Body != before.Body || r.Form != nil || r.Trailer == nil {
			t.Error("the outer request was changed")
		}
	})

	t.Run("what was parsed before the guard is forgotten", func(t *testing.T) {
		form := func(s *site) {
			v, err := github.New(verify.Secrets(githubSecret), &github.Options{Form: true})
			if err != nil {
				t.Fatal(err)
			}
			s.verifier = v
			s.request = githubtest.NewRequest(hookURL, "push", []byte("payload=genuine"), githubSecret)
			s.request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		s := newSite(t, form)
		s.handle = func(w http.ResponseWriter, r *http.Request) {
			if got := r.FormValue("payload"); got != "genuine" {
				t.Errorf("FormValue is %q", got)
			}
			if got := r.PostFormValue("payload"); got != "genuine" {
				t.Errorf("PostFormValue is %q", got)
			}
			if r.MultipartForm != nil {
				t.Error("MultipartForm is still there")
			}
		}
		forged := url.Values{"payload": {"forged"}}
		s.request.Form, s.request.PostForm = forged, forged
		want(t, s.serve(s.request), 200)
		wantRuns(t, s, 1)
		if s.request.Form.Get("payload") != "forged" {
			t.Error("the outer request was changed")
		}
	})
}

func TestBody(t *testing.T) {
	t.Run("a body that was read or changed before is refused", func(t *testing.T) {
		for _, c := range []struct {
			name   string
			outer  func(*http.Request)
			status int
		}{
			{"left alone", func(*http.Request) {}, 200},
			{"read and put back", func(r *http.Request) {
				b, _ := io.ReadAll(r.Body)
				r.Body = io.NopCloser(bytes.NewReader(b))
			}, 200},
			{"read to its end", func(r *http.Request) { io.Copy(io.Discard, r.Body) }, 400},
			{"read in part", func(r *http.Request) { io.CopyN(io.Discard, r.Body, 3) }, 400},
			{"closed", func(r *http.Request) { r.Body.Close() }, 400},
			{"replaced by nothing", func(r *http.Request) { r.Body = http.NoBody }, 400},
			{"replaced by nil", func(r *http.Request) { r.Body = nil }, 400},
			{"replaced by a longer one", func(r *http.Request) {
				r.Body = io.NopCloser(io.MultiReader(r.Body, strings.NewReader(" ")))
			}, 400},
			{"replaced by one of the same length", func(r *http.Request) {
				b, _ := io.ReadAll(r.Body)
				r.Body = io.NopCloser(bytes.NewReader(bytes.ToUpper(b)))
			}, 401},
			{"parsed as a form, which JSON is not", func(r *http.Request) { r.ParseForm() }, 200},
		} {
			t.Run(c.name, func(t *testing.T) {
				s := newSite(t, func(s *site) { s.opts.Now = nil }, func(s *site) {
					s.store.Store = replay.NewMemory(nil)
				})
				server := listen(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					c.outer(r)
					s.ServeHTTP(w, r)
				}))
				response, err := server.Client().Do(stripetest.NewRequest(server.URL, time.Now(), eventBody("evt_1"), stripeSecret))
				if err != nil {
					t.Fatal(err)
				}
				response.Body.Close()
				if response.StatusCode != c.status {
					t.Errorf("status %d, want %d", response.StatusCode, c.status)
				}
				ran := int64(0)
				if c.status == 200 {
					ran = 1
				}
				wantRuns(t, s, ran)
			})
		}
	})

	t.Run("a body may not drip forever", func(t *testing.T) {
		for _, c := range []struct {
			name   string
			pause  time.Duration
			status int
			after  time.Duration
		}{
			// A recorder hides read deadlines, as many a middleware does.
			{"a byte a second", time.Second, 408, 11 * time.Second},
			{"in nine seconds", 9 * time.Second / time.Duration(len(eventBody("evt_1"))+1), 200, 0},
		} {
			t.Run(c.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newSite(t, onBubble)
					setBody(s.request, dripping{s.request.Body, c.pause})
					begin := time.Now()
					want(t, s.serve(s.request), c.status)
					if took := time.Since(begin); c.after != 0 && took != c.after {
						t.Errorf("answered after %v, want %v", took, c.after)
					}
				})
			})
		}
	})

	// A body's length is believed only as far as it has come.
	t.Run("a declared length takes no memory", func(t *testing.T) {
		s := newSite(t)
		s.request.ContentLength = 1 << 20
		requests := make([]*http.Request, 64)
		for i := range requests {
			requests[i] = again(t, s.request)
			setBody(requests[i], broken{strings.NewReader("{"), io.ErrUnexpectedEOF})
		}
		w := newJournal()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for _, r := range requests {
			s.ServeHTTP(w, r)
		}
		runtime.ReadMemStats(&after)
		if each := (after.TotalAlloc - before.TotalAlloc) / uint64(len(requests)); each > 64<<10 {
			t.Errorf("a request that declares 1 MiB and sends 1 byte allocates %d KiB", each>>10)
		}
		wantRuns(t, s, 0)
	})

	t.Run("no body is read beyond its limit", func(t *testing.T) {
		var read int
		s := newSite(t, func(s *site) { s.opts.MaxBody = 100 })
		setBody(s.request, readerFunc(func(b []byte) (int, error) {
			read += len(b)
			return len(b), nil
		}))
		s.request.ContentLength = -1
		want(t, s.serve(s.request), 413)
		if read > 101 {
			t.Errorf("%d bytes were read of a body limited to 100", read)
		}
	})

	// The guard's deadline comes when the time is over, and not before: else it could
	// be later than the server's own.
	t.Run("a deadline is set only when the time is over", func(t *testing.T) {
		for _, c := range []struct {
			name      string
			stalls    time.Duration
			deaf      bool // to the deadline
			deadlines int
			status    int
			after     time.Duration
		}{
			{"in time", 4 * time.Second, false, 0, 200, 8 * time.Second}, // two reads
			{"too late", 11 * time.Second, false, 1, 408, 10 * time.Second},
			{"never", time.Hour, false, 1, 408, 10 * time.Second},
			{"too late, with a reader that heeds no deadline", 11 * time.Second, true, 1, 408, 11 * time.Second},
		} {
			t.Run(c.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newSite(t, onBubble)
					expired := make(chan struct{})
					var deadlines []time.Time
					in := &adapter.Inbound{
						Head:          verify.Head{Method: "POST", Header: s.request.Header},
						ContentLength: s.request.ContentLength,
						Body: readerFunc(func(b []byte) (int, error) {
							if c.deaf {
								time.Sleep(c.stalls)
								return copy(b, eventBody("evt_1")), io.EOF
							}
							select {
							case <-expired:
								return 0, fmt.Errorf("read: %w", os.ErrDeadlineExceeded)
							case <-time.After(c.stalls):
								return s.request.Body.Read(b)
							}
						}),
						SetReadDeadline: func(d time.Time) error {
							deadlines = append(deadlines, d)
							close(expired)
							return nil
						},
					}
					begin := time.Now()
					admission, response := s.guard.Admit(t.Context(), in)
					status := 200
					if response != nil {
						status = response.Status
					} else {
						admission.Close()
					}
					if status != c.status {
						t.Errorf("status %d, want %d", status, c.status)
					}
					if len(deadlines) != c.deadlines || c.deadlines == 1 && (deadlines[0].IsZero() || deadlines[0].After(time.Now())) {
						t.Errorf("deadlines %v, want %d of them, in the past", deadlines, c.deadlines)
					}
					if took := time.Since(begin); took != c.after {
						t.Errorf("took %v, want %v", took, c.after)
					}
					time.Sleep(2 * time.Hour)
					if len(deadlines) != c.deadlines {
						t.Error("a deadline was set after the request")
					}
				})
			})
		}
	})

	// What a guard waits for at one time does not hurry or delay what it waits for at
	// another.
	t.Run("every body has its own time", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t, onBubble, func(s *site) { s.opts.BodyTimeout = 4 * time.Second })
			s.handle = func(http.ResponseWriter, *http.Request) { time.Sleep(time.Minute) }
			go s.serve(s.request) // its lease is renewed every 10 seconds
			synctest.Wait()

			begin := time.Now()
			var group sync.WaitGroup
			for _, c := range []struct {
				id           string
				starts, ends time.Duration
				status       int
			}{
				{"evt_stalls", 0, time.Hour, 408},
				{"evt_later", 3 * time.Second, 3 * time.Second, 200},
				{"evt_stalls_later", 3500 * time.Millisecond, time.Hour, 408},
				{"evt_last", 7 * time.Second, 3900 * time.Millisecond, 200},
			} {
				group.Go(func() {
					time.Sleep(c.starts)
					admission, response := s.guard.Admit(t.Context(), timed(c.id, c.ends))
					status, took := 200, c.ends
					if response != nil {
						status, took = response.Status, 4*time.Second
					} else {
						admission.Close()
					}
					if got := time.Since(begin); status != c.status || got != c.starts+took {
						t.Errorf("%s: status %d after %v, want %d after %v", c.id, status, got, c.status, c.starts+took)
					}
				})
			}
			group.Wait()
			time.Sleep(time.Minute)
		})
	})
}

// dripping is a body that comes byte by byte.
type dripping struct {
	r     io.Reader
	pause time.Duration
}

func (d dripping) Read(b []byte) (int, error) {
	time.Sleep(d.pause)
	return d.r.Read(b[:1])
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

const mib = 1 << 20

// roomy is a site with a limit of 4 MiB and room for two such bodies, one half of
// which is reserved for small ones.
func roomy(s *site) {
	onBubble(s)
	s.opts.MaxBody = 4 * mib
	s.opts.BodyBudget = 8 * mib
}

// signed returns a delivery of n bytes. Undeclared, it is sent without a length.
func signed(id string, n int, declared bool) *http.Request {
	r := stripetest.NewRequest(hookURL, time.Now(), sized(id, n), stripeSecret)
	if !declared {
		r.ContentLength = -1
	}
	return r
}

func TestBodyMemory(t *testing.T) {
	t.Run("large bodies cannot take the budget of small ones", func(t *testing.T) {
		for _, c := range []struct {
			name     string
			bytes    int
			declared bool
			status   int
			wait     time.Duration
		}{
			{"a small body has room at once", 300, true, 200, 0},
			{"a body of 1 MiB is a small one", mib, true, 200, 0},
			{"a body of 1 MiB is a small one also without a length", mib, false, 200, 0},
			{"a larger one waits in vain", mib + 1, true, 503, 2 * time.Second},
			{"a larger one waits in vain also without a length", mib + 1, false, 503, 2 * time.Second},
		} {
			t.Run(c.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					hold := make(chan struct{})
					s := newSite(t, roomy)
					s.handle = func(w http.ResponseWriter, r *http.Request) {
						if r.ContentLength == 4*mib {
							<-hold
						}
					}
					go s.serve(signed("evt_large", 4*mib, true))
					synctest.Wait()
					wantRuns(t, s, 1)

					begin := time.Now()
					w := s.serve(signed("evt_2", c.bytes, c.declared))
					want(t, w, c.status)
					if c.status == 503 {
						want(t, w, 503, "Retry-After", "10")
					}
					if waited := time.Since(begin); waited != c.wait {
						t.Errorf("waited %v, want %v", waited, c.wait)
					}
					close(hold)
					synctest.Wait()
					want(t, s.serve(signed("evt_3", c.bytes, c.declared)), 200)
				})
			})
		}
	})

	// Large bodies of a known length do not take what the others wait for, and wait
	// for what the others took.
	t.Run("large bodies do not block each other", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t, onBubble, func(s *site) { s.opts.MaxBody, s.opts.BodyBudget = 16*mib, 32*mib })
			const bodies = 3
			statuses := make(chan int)
			for i := range bodies {
				r := signed(fmt.Sprint("evt_", i), 12*mib, true)
				body, read, slept := r.Body, 0, false
				setBody(r, readerFunc(func(b []byte) (int, error) {
					if read > mib && !slept {
						slept = true
						time.Sleep(500 * time.Millisecond)
					}
					n, err := body.Read(b)
					read += n
					return n, err
				}))
				go func() { statuses <- s.serve(r).Code }()
			}
			for range bodies {
				if status := <-statuses; status != 200 {
					t.Errorf("status %d, want 200", status)
				}
			}
		})
	})

	// The largest body that is allowed fits into the smallest budget that is allowed.
	t.Run("a largest body fits the budget", func(t *testing.T) {
		for _, declared := range []bool{true, false} {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, roomy)
				begin := time.Now()
				want(t, s.serve(signed("evt_1", 4*mib, declared)), 200)
				want(t, s.serve(signed("evt_2", 4*mib-1, declared)), 200)
				want(t, s.serve(signed("evt_3", 4*mib+1, declared)), 413)
				if waited := time.Since(begin); waited != 0 {
					t.Errorf("waited %v", waited)
				}
			})
		}
	})

	t.Run("a body waits for budget", func(t *testing.T) {
		for _, c := range []struct {
			name   string
			frees  time.Duration
			status int
			after  time.Duration
		}{
			{"that comes in time", 1900 * time.Millisecond, 200, 1900 * time.Millisecond},
			{"that comes too late", 2100 * time.Millisecond, 503, 2 * time.Second},
		} {
			t.Run(c.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newSite(t, roomy)
					s.handle = func(w http.ResponseWriter, r *http.Request) {
						if d, _ := verify.FromContext(r.Context()); d.ID == "evt_1" {
							time.Sleep(c.frees)
						}
					}
					go s.serve(signed("evt_1", 4*mib, true))
					synctest.Wait()
					begin := time.Now()
					want(t, s.serve(signed("evt_2", 3*mib, true)), c.status)
					if waited := time.Since(begin); waited != c.after {
						t.Errorf("waited %v, want %v", waited, c.after)
					}
					time.Sleep(time.Minute)
				})
			})
		}
		t.Run("not longer than its client", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, roomy)
				s.handle = func(http.ResponseWriter, *http.Request) { time.Sleep(time.Minute) }
				go s.serve(signed("evt_1", 4*mib, true))
				synctest.Wait()
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				begin := time.Now()
				want(t, s.serve(signed("evt_2", 3*mib, true).WithContext(ctx)), 503)
				if waited := time.Since(begin); waited != time.Second {
					t.Errorf("waited %v, want 1s", waited)
				}
				time.Sleep(time.Hour)
			})
		})
		t.Run("once something of it came", func(t *testing.T) {
			for _, c := range []struct {
				name   string
				sends  string
				status int
				after  time.Duration
			}{
				{"nothing", "", 408, 10 * time.Second},
				{"three bytes that are not the end", "{  ", 408, 10 * time.Second},
				{"4 KiB", string(sized("evt_late", 4<<10)), 503, 2 * time.Second},
			} {
				synctest.Test(t, func(t *testing.T) {
					s := newSite(t, onBubble, narrow)
					s.handle = func(http.ResponseWriter, *http.Request) { time.Sleep(time.Minute) }
					go s.serve(signed("evt_1", 15<<10, true))
					synctest.Wait()
					wantRuns(t, s, 1)
					begin := time.Now()
					r := signed("evt_late", 8<<10, true)
					response, _ := admit(s, r, strings.NewReader(c.sends))
					if response == nil || response.Status != c.status {
						t.Errorf("%s: response %+v, want status %d", c.name, response, c.status)
					}
					if took := time.Since(begin); took != c.after {
						t.Errorf("%s: took %v, want %v", c.name, took, c.after)
					}
					time.Sleep(time.Hour)
					want(t, s.serve(signed("evt_later", 4<<10, true)), 200)
				})
			}
		})
		// Two bodies that grow hold what the other one waits for, again and again.
		t.Run("two seconds in all", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, onBubble, func(s *site) {
					s.opts.MaxBody, s.opts.BodyBudget = 64<<10, 256<<10
				})
				s.handle = func(w http.ResponseWriter, r *http.Request) {
					if r.ContentLength < 8<<10 {
						time.Sleep(time.Duration(len(r.Header["X-Second"])) * 1500 * time.Millisecond)
					}
				}
				// Small bodies fill the budget and leave it one after the other: after
				// 1.5 s there is enough for the first step, after 3 s for the second.
				n := 0
				fill := func(bytes, steps int) {
					n++
					r := signed("evt_"+strings.Repeat("f", n), bytes, true)
					r.Header["X-Second"] = make([]string, steps)
					go s.serve(r)
					synctest.Wait()
				}
				fill(8<<10-1, 1)
				for range 4 {
					fill(8<<10-1, 2)
				}
				wantRuns(t, s, 5)
				begin := time.Now()
				want(t, s.serve(signed("evt_grows", 60<<10, false)), 503)
				if waited := time.Since(begin); waited != 2*time.Second {
					t.Errorf("waited %v, want 2s", waited)
				}
				time.Sleep(time.Minute)
			})
		})
	})

	t.Run("budget is given back", func(t *testing.T) {
		failing := func(s *site, status int) {
			s.handle = func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(status) }
		}
		for _, c := range []struct {
			name   string
			change func(*site)
			attack func(*http.Request)
		}{
			{"after success", func(*site) {}, func(*http.Request) {}},
			{"after a failure", func(s *site) { failing(s, 500) }, func(*http.Request) {}},
			{"after a panic of the handler", func(s *site) {
				s.handle = func(http.ResponseWriter, *http.Request) { panic("handler") }
			}, func(*http.Request) {}},
			{"after Goexit of the handler", func(s *site) {
				s.handle = func(http.ResponseWriter, *http.Request) { runtime.Goexit() }
			}, func(*http.Request) {}},
			{"after a refused signature", func(*site) {}, func(r *http.Request) {
				r.Header.Set("Stripe-Signature", r.Header.Get("Stripe-Signature")[:20]+strings.Repeat("0", 60))
			}},
			{"after a wrong signature", func(*site) {}, func(r *http.Request) {
				setBody(r, bytes.NewReader(bytes.Repeat([]byte("{"), int(r.ContentLength))))
			}},
			{"after a body that is too large", func(*site) {}, func(r *http.Request) {
				setBody(r, bytes.NewReader(make([]byte, 1<<20)))
				r.ContentLength = -1
			}},
			{"after a body that breaks off", func(*site) {}, func(r *http.Request) {
				setBody(r, broken{strings.NewReader("{"), io.ErrUnexpectedEOF})
			}},
			{"after a body that panics", func(*site) {}, func(r *http.Request) {
				setBody(r, readerFunc(func([]byte) (int, error) { panic("body") }))
			}},
			{"after an acknowledgement", func(s *site) {
				s.store.claim = func(context.Context, replay.Claim) (replay.Outcome, error) {
					return replay.Outcome{Status: replay.Done}, nil
				}
			}, func(*http.Request) {}},
			{"after a store that is down", func(s *site) {
				s.store.claim = func(context.Context, replay.Claim) (replay.Outcome, error) {
					return replay.Outcome{}, errors.New("down")
				}
			}, func(*http.Request) {}},
			{"after a store that panics in Claim", func(s *site) {
				s.store.claim = func(context.Context, replay.Claim) (replay.Outcome, error) { panic("claim") }
			}, func(*http.Request) {}},
			{"after a store that panics in Commit", func(s *site) {
				s.store.commit = func(context.Context, replay.Handle) error { panic("commit") }
			}, func(*http.Request) {}},
			{"after a store that panics in Release", func(s *site) {
				failing(s, 500)
				s.store.release = func(context.Context, replay.Handle) error { panic("release") }
			}, func(*http.Request) {}},
			{"after a key source that panics", func(s *site) {
				s.verifier = &altered{Verifier: s.verifier, begin: func(context.Context, *verify.Head) (verify.Pending, error) { panic("keys") }}
			}, func(*http.Request) {}},
			{"after a verifier that panics behind the body", func(s *site) {
				s.verifier = &altered{Verifier: s.verifier, finish: func(verify.Pending, context.Context, []byte) (*verify.Delivery, error) { panic("finish") }}
			}, func(*http.Request) {}},
			{"after an observer that panics", func(s *site) {
				s.opts.Observe = func(context.Context, middleware.Report) { panic("observe") }
			}, func(*http.Request) {}},
			{"after a hook that panics", func(s *site) {
				s.store.claim = func(context.Context, replay.Claim) (replay.Outcome, error) { return replay.Outcome{}, nil }
				s.opts.OnReject = func(context.Context, verify.Reason, *middleware.Response) { panic("hook") }
			}, func(*http.Request) {}},
		} {
			t.Run(c.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var healthy verify.Verifier = stripe.Must(stripeSecret)
					s := newSite(t, onBubble, narrow, c.change)
					attempt := func(change func(*http.Request)) {
						r := signed("evt_1", 10<<10, true)
						change(r)
						over := make(chan struct{})
						go func() { // for Goexit
							defer close(over)
							defer func() { recover() }()
							s.serve(r)
						}()
						<-over
					}
					for range 8 {
						attempt(c.attack)
					}
					// Whatever the attempts broke is whole again, but for the room.
					if v, ok := s.verifier.(*altered); ok {
						v.Verifier, v.begin, v.finish = healthy, nil, nil
					}
					s.store.claim, s.store.commit, s.store.release, s.handle = nil, nil, nil, nil
					s.store.Store = replay.NewMemory(nil)
					runs := s.runs.Load()
					begin := time.Now()
					attempt(func(r *http.Request) {})
					if s.runs.Load() != runs+1 {
						t.Error("the next delivery did not run")
					}
					if waited := time.Since(begin); waited != 0 {
						t.Errorf("the next delivery waited %v for room", waited)
					}
				})
			})
		}
	})
}

// stalling is a body that sends some bytes, and then nothing until it is
// interrupted.
type stalling struct {
	io.Reader
	over chan struct{}
}

func (b *stalling) Read(p []byte) (int, error) {
	if n, err := b.Reader.Read(p); n > 0 || err != io.EOF {
		return n, err
	}
	<-b.over
	return 0, os.ErrDeadlineExceeded
}

func (b *stalling) interrupt(time.Time) error {
	close(b.over)
	return nil
}

// admit serves a request of whose body only a part comes. It returns the guard's
// response, or the admission.
func admit(s *site, r *http.Request, part io.Reader) (*middleware.Response, *middleware.Admission) {
	body := &stalling{part, make(chan struct{})}
	admission, response := s.guard.Admit(r.Context(), &adapter.Inbound{
		Head:            verify.Head{Method: "POST", Header: r.Header},
		ContentLength:   r.ContentLength,
		Body:            body,
		SetReadDeadline: body.interrupt,
	})
	return response, admission
}

// The budget of a site on which leaks are looked for holds one request.
func narrow(s *site) { s.opts.MaxBody, s.opts.BodyBudget = 16<<10, 32<<10 }

// timed returns a delivery whose body comes after a time, unless a deadline for it
// comes first.
func timed(id string, after time.Duration) *adapter.Inbound {
	r := stripetest.NewRequest(hookURL, time.Now(), eventBody(id), stripeSecret)
	expired := make(chan struct{})
	return &adapter.Inbound{
		Head:          verify.Head{Method: "POST", Header: r.Header},
		ContentLength: r.ContentLength,
		Body: readerFunc(func(b []byte) (int, error) {
			select {
			case <-expired:
				return 0, os.ErrDeadlineExceeded
			case <-time.After(after):
				return copy(b, eventBody(id)), io.EOF
			}
		}),
		SetReadDeadline: func(time.Time) error { close(expired); return nil },
	}
}
