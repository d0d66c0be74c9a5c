package redisreplay_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/providers/paypal"
	"github.com/hooknotary/hooknotary/providers/paypal/paypaltest"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
	"github.com/hooknotary/hooknotary/verify/replay/redisreplay"
	"github.com/hooknotary/hooknotary/verify/replay/redisreplay/redistest"
)

const stripeSecret = "whsec_7d1f0c5ab2e94863"

// site is a guarded endpoint.
type site struct {
	t       testing.TB
	handler http.Handler
	handle  atomic.Pointer[func(http.ResponseWriter)] // nil responds with 200
	runs    atomic.Int64

	mu     sync.Mutex
	events []middleware.Report
}

func newSite(t testing.TB, v verify.Verifier, s replay.Store) *site {
	t.Helper()
	site := &site{t: t}
	guard, err := middleware.New("billing", v, s, &middleware.Options{
		Lease: time.Second,
		Observe: func(_ context.Context, e middleware.Report) {
			site.mu.Lock()
			defer site.mu.Unlock()
			site.events = append(site.events, e)
		},
	})
	succeed(t, "middleware.New", err)
	site.handler = guard.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		site.runs.Add(1)
		if h := site.handle.Load(); h != nil {
			(*h)(w)
		}
	}))
	return site
}

// deliver sends a request and returns the response and what was observed.
func (s *site) deliver(r *http.Request) (*httptest.ResponseRecorder, middleware.Report) {
	s.t.Helper()
	s.mu.Lock()
	s.events = nil
	s.mu.Unlock()
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.events) != 1 {
		s.t.Fatalf("%d events were observed", len(s.events))
	}
	return w, s.events[0]
}

// stripe delivers an event as Stripe does, signed now.
func (s *site) stripe(id string) (*httptest.ResponseRecorder, middleware.Report) {
	s.t.Helper()
	body := fmt.Sprintf(`{"id":%q,"object":"event"}`, id)
	return s.deliver(stripetest.NewRequest("https://shop.example/hooks", time.Now(), []byte(body), stripeSecret))
}

// insist sends until the response is none of a busy machine: 503 where the store took
// longer than the guard waits, and 409 while a claim whose response came too late
// holds the event. A provider comes back after both.
func insist(t testing.TB, send func() (*httptest.ResponseRecorder, middleware.Report)) (w *httptest.ResponseRecorder, e middleware.Report) {
	t.Helper()
	late := false
	eventually(t, "a response of the store in time", func() error {
		w, e = send()
		timeout := errors.Is(e.Err, context.DeadlineExceeded) || errors.Is(e.Err, os.ErrDeadlineExceeded)
		if timeout && w.Code == http.StatusServiceUnavailable {
			late = true
			return e.Err
		}
		if late && e.Reason == verify.ErrInFlight {
			return e.Err
		}
		return nil
	})
	return w, e
}

// insist sends an event of Stripe until the response is none of a busy machine.
func (s *site) insist(id string) (*httptest.ResponseRecorder, middleware.Report) {
	s.t.Helper()
	return insist(s.t, func() (*httptest.ResponseRecorder, middleware.Report) { return s.stripe(id) })
}

// becomes sends an event until it is answered with a status.
func (s *site) becomes(id string, status int) {
	s.t.Helper()
	eventually(s.t, "the response", func() error {
		if w, e := s.stripe(id); w.Code != status {
			return fmt.Errorf("status %d, %v", w.Code, e.Err)
		}
		return nil
	})
}

// faulty is what can be wrong with a server that is in use, and how it is put
// right.
var faulty = []struct {
	name         string
	spoil, right func(t testing.TB, s *redistest.Server, c *redis.Client)
}{
	{
		name:  "killed",
		spoil: func(t testing.TB, s *redistest.Server, _ *redis.Client) { s.Kill() },
		right: func(t testing.TB, s *redistest.Server, _ *redis.Client) { succeed(t, "Restart", s.Restart()) },
	},
	{
		name:  "hanging",
		spoil: func(t testing.TB, s *redistest.Server, _ *redis.Client) { succeed(t, "Pause", s.Pause()) },
		right: func(t testing.TB, s *redistest.Server, _ *redis.Client) { succeed(t, "Resume", s.Resume()) },
	},
	{
		name: "slow",
		spoil: func(t testing.TB, _ *redistest.Server, c *redis.Client) {
			since(t, c, 7)
			succeed(t, "CLIENT PAUSE", c.Do(t.Context(), "client", "pause", 3600_000, "write").Err())
		},
		right: func(t testing.TB, _ *redistest.Server, c *redis.Client) {
			succeed(t, "CLIENT UNPAUSE", c.ClientUnpause(t.Context()).Err())
		},
	},
	{
		name:  "full",
		spoil: configure("maxmemory", "1"),
		right: configure("maxmemory", "0"),
	},
	{
		name: "read-only",
		spoil: func(t testing.TB, _ *redistest.Server, c *redis.Client) {
			succeed(t, "REPLICAOF", c.SlaveOf(t.Context(), "127.0.0.1", "1").Err())
		},
		right: func(t testing.TB, _ *redistest.Server, c *redis.Client) {
			succeed(t, "REPLICAOF", c.SlaveOf(t.Context(), "NO", "ONE").Err())
		},
	},
	{
		name: "without enough replicas",
		spoil: func(t testing.TB, s *redistest.Server, c *redis.Client) {
			since(t, c, 7)
			configure("min-replicas-to-write", "1")(t, s, c)
		},
		right: configure("min-replicas-to-write", "0"),
	},
	{
		name: "with another password",
		spoil: func(t testing.TB, s *redistest.Server, c *redis.Client) {
			configure("requirepass", "another")(t, s, c)
			succeed(t, "CLIENT KILL", c.ClientKillByFilter(t.Context(), "TYPE", "normal", "SKIPME", "yes").Err())
		},
		right: configure("requirepass", ""),
	},
	{
		name: "with something else under the keys",
		spoil: func(t testing.TB, _ *redistest.Server, c *redis.Client) {
			for i := range 1024 {
				mark := fmt.Sprintf("{hooknotary:%03x}floor", i)
				succeed(t, "RENAME", c.Rename(t.Context(), mark, "saved:"+mark).Err())
				succeed(t, "HSET", c.HSet(t.Context(), mark, "a", "b").Err())
			}
		},
		right: func(t testing.TB, _ *redistest.Server, c *redis.Client) {
			for i := range 1024 {
				mark := fmt.Sprintf("{hooknotary:%03x}floor", i)
				succeed(t, "RENAME", c.Rename(t.Context(), "saved:"+mark, mark).Err())
			}
		},
	},
	{
		name: "that dropped its data and drops records now",
		spoil: func(t testing.TB, s *redistest.Server, c *redis.Client) {
			configure("maxmemory-policy", "allkeys-lru")(t, s, c)
			for i := range 1024 {
				mark := fmt.Sprintf("{hooknotary:%03x}floor", i)
				succeed(t, "RENAME", c.Rename(t.Context(), mark, "saved:"+mark).Err())
			}
		},
		right: func(t testing.TB, s *redistest.Server, c *redis.Client) {
			configure("maxmemory-policy", "noeviction")(t, s, c)
			for i := range 1024 {
				mark := fmt.Sprintf("{hooknotary:%03x}floor", i)
				succeed(t, "RENAME", c.Rename(t.Context(), "saved:"+mark, mark).Err())
			}
		},
	},
}

// since skips the test where the server's major version is below one.
func since(t testing.TB, c *redis.Client, major int) {
	t.Helper()
	info, err := c.Info(t.Context(), "server").Result()
	succeed(t, "INFO", err)
	_, version, _ := strings.Cut(info, "redis_version:")
	number, _, _ := strings.Cut(version, ".")
	if n, err := strconv.Atoi(number); err != nil || n < major {
		t.Skipf("Redis %s cannot do this", number)
	}
}

func configure(option, value string) func(testing.TB, *redistest.Server, *redis.Client) {
	return func(t testing.TB, _ *redistest.Server, c *redis.Client) {
		succeed(t, "CONFIG SET", c.ConfigSet(t.Context(), option, value).Err())
	}
}

// admin returns a client with one connection that is there before anything goes
// wrong.
func admin(t testing.TB, s *redistest.Server) *redis.Client {
	c := client(t, &redis.Options{Addr: s.Addr(), PoolSize: 1, ReadTimeout: 30 * time.Second})
	succeed(t, "PING", c.Ping(t.Context()).Err())
	return c
}

func TestGuard(t *testing.T) {
	t.Run("it responds 503 while its server fails, and recovers", func(t *testing.T) {
		for _, fault := range faulty {
			for _, kind := range both {
				t.Run(fault.name+", "+kind.name, func(t *testing.T) {
					t.Parallel()
					server := redistest.NewServer(t, "appendonly yes", "appendfsync always")
					admin := admin(t, server)
					s := newSite(t, stripe.Must(stripeSecret), ready(t, kind.dial(t, server.Addr()), &redisreplay.Options{Timeout: 500 * time.Millisecond}))
					s.becomes("evt_before", http.StatusOK)
					runs := s.runs.Load()

					fault.spoil(t, server, admin)
					for i := range 3 {
						watch := startWatch()
						w, e := s.stripe(fmt.Sprint("evt_during_", i))
						if seconds, err := strconv.Atoi(w.Header().Get("Retry-After")); w.Code != http.StatusServiceUnavailable || err != nil || seconds < 1 {
							t.Errorf("status %d, Retry-After %q", w.Code, w.Header().Get("Retry-After"))
						}
						if e.Outcome != middleware.Refused || e.Reason != verify.ErrUnavailable || e.Err == nil || !strings.Contains(e.Err.Error(), "redisreplay: claim: ") {
							t.Errorf("observed %v, %v, %v", e.Outcome, e.Reason, e.Err)
						}
						if took := watch.read(); took > 1500*time.Millisecond {
							t.Errorf("the response took %v", took)
						}
					}
					if n := s.runs.Load(); n != runs {
						t.Errorf("the handler ran %d times meanwhile", n-runs)
					}

					fault.right(t, server, admin)
					for i := range 3 {
						s.becomes(fmt.Sprint("evt_during_", i), http.StatusOK)
					}
					if n := s.runs.Load(); n != runs+3 {
						t.Errorf("the handler ran %d times for 3 events", n-runs)
					}
					if _, e := s.insist("evt_before"); e.Reason != verify.ErrReplayed {
						t.Errorf("a repeat of what was handled before: %v, %v", e.Outcome, e.Err)
					}
				})
			}
		}
	})

	t.Run("its server fails while the handler runs", func(t *testing.T) {
		for _, fault := range faulty {
			switch fault.name {
			case "full", "with something else under the keys", "that dropped its data and drops records now":
				continue // such a server still settles
			}
			t.Run(fault.name, func(t *testing.T) {
				t.Parallel()
				server := redistest.NewServer(t, "appendonly yes", "appendfsync always")
				admin := admin(t, server)
				s := newSite(t, stripe.Must(stripeSecret), ready(t, dial(t, server.Addr()), nil))
				s.becomes("evt_before", http.StatusOK)

				status := http.StatusOK
				h := func(w http.ResponseWriter) {
					fault.spoil(t, server, admin)
					w.WriteHeader(status)
				}
				s.handle.Store(&h)
				if w, e := s.insist("evt_done"); w.Code != http.StatusOK || e.Outcome != middleware.CommitFailed || e.Err == nil {
					t.Errorf("a commit that fails: status %d, %v, %v", w.Code, e.Outcome, e.Err)
				}
				fault.right(t, server, admin)
				s.handle.Store(nil)
				s.becomes("evt_after", http.StatusOK)

				status = http.StatusTeapot
				s.handle.Store(&h)
				if w, e := s.insist("evt_failed"); w.Code != http.StatusTeapot || e.Outcome != middleware.Failed || e.Err == nil {
					t.Errorf("a release that fails: status %d, %v, %v", w.Code, e.Outcome, e.Err)
				}
				fault.right(t, server, admin)
				s.handle.Store(nil)
				s.becomes("evt_failed", http.StatusOK) // when the lease ran out
			})
		}
	})

	t.Run("it settles although its server is full", func(t *testing.T) {
		server := redistest.NewServer(t)
		admin := admin(t, server)
		s := newSite(t, stripe.Must(stripeSecret), ready(t, dial(t, server.Addr()), nil))
		h := func(w http.ResponseWriter) {
			configure("maxmemory", "1")(t, server, admin)
			time.Sleep(1200 * time.Millisecond) // the lease is a second, so it must be renewed
		}
		s.handle.Store(&h)
		if w, e := s.insist("evt_1"); w.Code != http.StatusOK || e.Outcome != middleware.Handled {
			t.Errorf("status %d, %v, %v", w.Code, e.Outcome, e.Err)
		}
		if w, e := s.insist("evt_1"); w.Code != http.StatusOK || e.Outcome != middleware.Acknowledged {
			t.Errorf("a repeat: status %d, %v, %v", w.Code, e.Outcome, e.Err)
		}
		if _, e := s.insist("evt_2"); !errors.Is(e.Err, replay.ErrFull) {
			t.Errorf("a new event: %v", e.Err)
		}
	})

	t.Run("it loses the claim if its server is flushed meanwhile", func(t *testing.T) {
		server := redistest.NewServer(t)
		admin := admin(t, server)
		s := newSite(t, stripe.Must(stripeSecret), ready(t, dial(t, server.Addr()), nil))
		h := func(http.ResponseWriter) { succeed(t, "FLUSHALL", admin.FlushAll(t.Context()).Err()) }
		s.handle.Store(&h)
		if w, e := s.insist("evt_1"); w.Code != http.StatusConflict || e.Outcome != middleware.Lost {
			t.Errorf("status %d, %v, %v", w.Code, e.Outcome, e.Err)
		}
		s.handle.Store(nil)
		s.becomes("evt_1", http.StatusOK)
	})

	t.Run("replays are refused after a flush", func(t *testing.T) {
		c := dial(t, redistest.NewServer(t).Addr())
		s := newSite(t, stripe.Must(stripeSecret), ready(t, c, nil))
		body := []byte(`{"id":"evt_1","object":"event"}`)
		at := time.Now()
		replay := func() (*httptest.ResponseRecorder, middleware.Report) {
			return insist(t, func() (*httptest.ResponseRecorder, middleware.Report) {
				return s.deliver(stripetest.NewRequest("https://shop.example/hooks", at, body, stripeSecret))
			})
		}
		if w, e := replay(); w.Code != http.StatusOK {
			t.Fatalf("the original: status %d, %v", w.Code, e.Err)
		}
		if w, _ := replay(); w.Code != http.StatusConflict {
			t.Errorf("a replay: status %d", w.Code)
		}
		time.Sleep(time.Until(at.Truncate(time.Second).Add(1100 * time.Millisecond)))
		succeed(t, "FLUSHALL", c.FlushAll(t.Context()).Err())
		if w, e := replay(); w.Code != http.StatusUnauthorized || e.Reason != verify.ErrTooOld {
			t.Errorf("a replay after a flush: status %d, %v, %v", w.Code, e.Reason, e.Err)
		}
		if n := s.runs.Load(); n != 1 {
			t.Errorf("the handler ran %d times", n)
		}
	})

	t.Run("a delivery takes two round trips, and one more for PayPal", func(t *testing.T) {
		c := dial(t, redistest.NewServer(t).Addr())
		store := ready(t, c, nil)
		const id = "8PT597110X687430L"
		pp := paypaltest.New(id)
		v, err := paypal.New(id, &paypal.Options{Transport: pp, Roots: pp.Roots()})
		succeed(t, "paypal.New", err)
		p, s := newSite(t, v, store), newSite(t, stripe.Must(stripeSecret), store)
		trips := count(c)
		took := func(want int64, what string, send func() (*httptest.ResponseRecorder, middleware.Report)) {
			t.Helper()
			var n int64
			w, e := insist(t, func() (*httptest.ResponseRecorder, middleware.Report) {
				trips.take()
				defer func() { n = trips.take() }()
				return send()
			})
			if w.Code != http.StatusOK {
				t.Fatalf("%s: status %d, %v", what, w.Code, e.Err)
			}
			if want != 0 && n != want {
				t.Errorf("%s takes %d round trips, want %d", what, n, want)
			}
		}
		paypal := func(event string) func() (*httptest.ResponseRecorder, middleware.Report) {
			return func() (*httptest.ResponseRecorder, middleware.Report) {
				return p.deliver(pp.NewRequest("https://shop.example/hooks", time.Now(), []byte(fmt.Sprintf(`{"id":%q,"event_type":"PAYMENT.SALE.COMPLETED"}`, event))))
			}
		}
		stripe := func(event string) func() (*httptest.ResponseRecorder, middleware.Report) {
			return func() (*httptest.ResponseRecorder, middleware.Report) { return s.stripe(event) }
		}
		took(0, "the first of PayPal", paypal("WH-1"))
		took(0, "the first of Stripe", stripe("evt_1"))
		took(2, "a delivery of Stripe", stripe("evt_2"))
		took(3, "a delivery of PayPal", paypal("WH-2"))
	})

	// Of many copies at two instances one runs.
	t.Run("two guards at one server run an event once", func(t *testing.T) {
		server := redistest.NewServer(t)
		var sites []*site
		for range 2 {
			sites = append(sites, newSite(t, stripe.Must(stripeSecret), ready(t, dial(t, server.Addr()), nil)))
		}
		for round := range 20 {
			body := []byte(fmt.Sprintf(`{"id":"evt_%d","object":"event"}`, round))
			at := time.Now()
			var accepted atomic.Int64
			var wg sync.WaitGroup
			for i := range 16 {
				wg.Go(func() {
					var w *httptest.ResponseRecorder
					late := false // see insist
					eventually(t, "a response of the store in time", func() error {
						w = httptest.NewRecorder()
						sites[i%2].handler.ServeHTTP(w, stripetest.NewRequest("https://shop.example/hooks", at, body, stripeSecret))
						late = late || w.Code == http.StatusServiceUnavailable
						if late && w.Code != http.StatusOK && w.Header().Get("Retry-After") != "" {
							return fmt.Errorf("status %d", w.Code)
						}
						return nil
					})
					switch w.Code {
					case http.StatusOK:
						accepted.Add(1)
					case http.StatusConflict:
					default:
						t.Errorf("status %d", w.Code)
					}
				})
			}
			wg.Wait()
			if n := accepted.Load(); n != 1 {
				t.Errorf("%d of 16 copies were accepted", n)
			}
		}
		if n := sites[0].runs.Load() + sites[1].runs.Load(); n != 20 {
			t.Errorf("the handlers ran %d times for 20 events", n)
		}
	})
}
