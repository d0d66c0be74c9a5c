package redisreplay_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hooknotary/hooknotary/verify/replay"
	"github.com/hooknotary/hooknotary/verify/replay/redisreplay"
	"github.com/hooknotary/hooknotary/verify/replay/redisreplay/redistest"
)

// failed expects an error that is none of the store's decisions.
func failed(t testing.TB, what string, err error) {
	t.Helper()
	if err == nil {
		t.Errorf("%s succeeds", what)
	}
	for _, decision := range []error{replay.ErrLost, replay.ErrHeld, replay.ErrFull} {
		if errors.Is(err, decision) {
			t.Errorf("%s = %v", what, err)
		}
	}
}

func TestServerFaults(t *testing.T) {
	t.Run("a server without memory settles what it has", func(t *testing.T) {
		c := dial(t, redistest.NewServer(t).Addr())
		s := ready(t, c, nil)
		ctx := t.Context()
		committed, released, renewed, over := claim("committed"), claim("released"), claim("renewed"), claim("over")
		over.Lease = time.Millisecond
		for _, cl := range []replay.Claim{committed, released, renewed, over} {
			want(t, s, cl, replay.Acquired, "a free event")
		}
		finish(t, s, bound("done", "body"))
		finish(t, s, claim("forgotten"))
		k := renewed.Key
		record := fmt.Sprintf("{hooknotary:%03x}e%s", partOf(k), k[:])
		size, err := c.MemoryUsage(ctx, record).Result()
		succeed(t, "MEMORY USAGE", err)

		succeed(t, "CONFIG SET", c.ConfigSet(ctx, "maxmemory", "1").Err())

		full := func(what string, c replay.Claim) {
			t.Helper()
			if o, err := s.Claim(ctx, c); !errors.Is(err, replay.ErrFull) || o != (replay.Outcome{}) {
				t.Errorf("%s: Claim = %v, %v, want %v", what, o, err, replay.ErrFull)
			}
		}
		full("a new event", claim("new"))
		full("a new binding", bound("committed", "body"))
		want(t, s, claim("committed"), replay.InFlight, "in flight")
		late := claim("committed")
		late.Needed = 5 * time.Hour
		want(t, s, late, replay.InFlight, "a repeat that extends the need")
		want(t, s, bound("done", "body"), replay.Done, "done")
		want(t, s, bound("done", "other"), replay.Forged, "forged")
		want(t, s, committed, replay.Acquired, "the owner again")
		for range 3 {
			succeed(t, "Renew", s.Renew(ctx, handle(renewed), time.Hour))
		}
		if got, err := c.MemoryUsage(ctx, record).Result(); err != nil || got > size {
			t.Errorf("a record of %d bytes takes %d after it was renewed, %v", size, got, err)
		}
		next := claim("over")
		want(t, s, next, replay.Acquired, "a takeover")
		succeed(t, "Commit", s.Commit(ctx, handle(next)))
		succeed(t, "Commit", s.Commit(ctx, handle(committed)))
		succeed(t, "Commit, again", s.Commit(ctx, handle(committed)))
		if r, ok, err := s.Inspect(ctx, committed.Key); err != nil || !ok || r.Status != replay.Done || r.Kept < 4*time.Hour {
			t.Errorf("Inspect = %+v, %v, %v, want an event that is done, with its late repeat's need", r, ok, err)
		}
		succeed(t, "Release", s.Release(ctx, handle(released)))
		succeed(t, "Forget", s.Forget(ctx, keyOf("forgotten")))
		full("what was released", claim("released"))
		full("what was forgotten", claim("forgotten"))
		if err := open(c, &redisreplay.Options{Prefix: "other"}).Check(ctx); !errors.Is(err, replay.ErrFull) {
			t.Errorf("Check without memory for the marks = %v", err)
		}

		succeed(t, "CONFIG SET", c.ConfigSet(ctx, "maxmemory", "0").Err())
		for _, id := range []string{"new", "released", "forgotten"} {
			want(t, s, claim(id), replay.Acquired, "with memory again")
		}
		want(t, s, claim("committed"), replay.Done, "with memory again")
		want(t, s, claim("over"), replay.Done, "with memory again")
	})

	t.Run("a wrong password is an error without the password", func(t *testing.T) {
		const right, wrong = "right-0f1e2d3c", "wrong-4b5a6978"
		server := redistest.NewServer(t, "requirepass "+right)
		for name, c := range map[string]*redis.Client{
			"a wrong password": client(t, &redis.Options{Addr: server.Addr(), Password: wrong, ContextTimeoutEnabled: true}),
			"no password":      client(t, &redis.Options{Addr: server.Addr()}),
			"an unknown user":  client(t, &redis.Options{Addr: server.Addr(), Username: "nobody", Password: right, MaxRetries: -1}),
		} {
			s := open(c, nil)
			for what, call := range calls(s, claim("a")) {
				err := call(t.Context())
				failed(t, name+": "+what, err)
				if err != nil && (strings.Contains(err.Error(), right) || strings.Contains(err.Error(), wrong)) {
					t.Errorf("%s: %s = %v", name, what, err)
				}
			}
		}
		succeed(t, "the right password", open(client(t, &redis.Options{Addr: server.Addr(), Password: right}), nil).Check(t.Context()))
	})

	t.Run("something else under a key is an error and stays", func(t *testing.T) {
		c := dial(t, redistest.NewServer(t).Addr())
		s := ready(t, c, nil)
		ctx := t.Context()
		cl := bound("a", "body")
		tag := func(k replay.Key) string { return fmt.Sprintf("{hooknotary:%03x}", partOf(k)) }
		record := tag(cl.Key) + "e" + string(cl.Key[:])
		binding := tag(cl.Binding.Message) + "m" + string(cl.Binding.Message[:])
		mark := tag(cl.Key) + "floor"
		for name, set := range map[string]func(key string) error{
			"a hash":          func(key string) error { return c.HSet(ctx, key, "a", "b").Err() },
			"a list":          func(key string) error { return c.LPush(ctx, key, "a").Err() },
			"a short string":  func(key string) error { return c.Set(ctx, key, "a", 0).Err() },
			"a long string":   func(key string) error { return c.Set(ctx, key, strings.Repeat("a", 100), 0).Err() },
			"an empty string": func(key string) error { return c.Set(ctx, key, "", 0).Err() },
			"a stream": func(key string) error {
				return c.XAdd(ctx, &redis.XAddArgs{Stream: key, Values: []string{"a", "b"}}).Err()
			},
			"one byte too many":  func(key string) error { return c.Set(ctx, key, string(cl.Token[:])+strings.Repeat("a", 33), 0).Err() },
			"one byte too few":   func(key string) error { return c.Set(ctx, key, string(cl.Token[:])+strings.Repeat("a", 55), 0).Err() },
			"the token, no more": func(key string) error { return c.Set(ctx, key, string(cl.Token[:]), 0).Err() },
		} {
			t.Run(name, func(t *testing.T) {
				// A commit or a renewal by one who does not own it is lost, whatever it is.
				settled := func(what string, err error) {
					t.Helper()
					if err == nil {
						t.Errorf("%s succeeds", what)
					}
				}
				succeed(t, "set", set(record))
				before, err := c.Dump(ctx, record).Result()
				succeed(t, "DUMP", err)
				o, err := s.Claim(ctx, claim("a"))
				failed(t, "Claim", err)
				if o != (replay.Outcome{}) {
					t.Errorf("Claim = %v", o)
				}
				settled("Commit", s.Commit(ctx, handle(cl)))
				settled("Renew", s.Renew(ctx, handle(cl), time.Minute))
				s.Release(ctx, handle(cl))
				failed(t, "Forget", s.Forget(ctx, cl.Key))
				_, ok, err := s.Inspect(ctx, cl.Key)
				if failed(t, "Inspect", err); ok {
					t.Error("Inspect finds a record")
				}
				if after, err := c.Dump(ctx, record).Result(); err != nil || after != before {
					t.Errorf("it was changed: %v", err)
				}
				succeed(t, "DEL", c.Del(ctx, record).Err())

				succeed(t, "set", set(binding))
				if o, err := s.Claim(ctx, bound("a", "body")); err == nil && o.Status != replay.Forged {
					t.Errorf("under the binding: Claim = %v", o.Status)
				}
				succeed(t, "DEL", c.Del(ctx, binding).Err())

				succeed(t, "DEL", c.Del(ctx, mark).Err())
				succeed(t, "set", set(mark))
				_, err = s.Claim(ctx, resigned("a", time.Now()))
				failed(t, "under the mark: Claim", err)
				succeed(t, "DEL", c.Del(ctx, mark).Err())

				want(t, s, bound("a", "body"), replay.Acquired, "when it is gone")
				succeed(t, "FLUSHALL", c.FlushAll(ctx).Err())
				succeed(t, "Check", s.Check(ctx))
			})
		}
	})

	t.Run("scripts that the server forgot are sent again", func(t *testing.T) {
		server, cluster := redistest.NewServer(t), redistest.NewCluster(t)
		nodes := map[string][]*redis.Client{"a server": {dial(t, server.Addr())}}
		for _, s := range cluster.Nodes {
			nodes["a cluster"] = append(nodes["a cluster"], dial(t, s.Addr()))
		}
		for name, c := range map[string]redis.UniversalClient{"a server": dial(t, server.Addr()), "a cluster": dialCluster(t, cluster)} {
			s := ready(t, c, nil)
			cl := bound("a", "body")
			flush := func() {
				for _, n := range nodes[name] {
					succeed(t, "SCRIPT FLUSH", n.ScriptFlush(t.Context()).Err())
				}
			}
			flush()
			want(t, s, cl, replay.Acquired, "a free event")
			for _, call := range []struct {
				what string
				then replay.Status
			}{
				{"Check", replay.InFlight},
				{"Claim", replay.InFlight},
				{"Renew", replay.InFlight},
				{"Inspect", replay.InFlight},
				{"Stats", replay.InFlight},
				{"Commit", replay.Done},
				{"Release", replay.Done},
				{"Forget", replay.Done},
			} {
				flush()
				succeed(t, name+": "+call.what, calls(s, cl)[call.what](t.Context()))
				flush()
				want(t, s, bound("a", "body"), call.then, name+": after "+call.what)
			}
		}
	})

	t.Run("a server that hangs is an error in time", func(t *testing.T) {
		const timeout = 300 * time.Millisecond
		const slack = 400 * time.Millisecond // of a busy machine
		for _, kind := range both {
			t.Run(kind.name, func(t *testing.T) {
				server := redistest.NewServer(t)
				c := kind.dial(t, server.Addr())
				s := ready(t, c, &redisreplay.Options{Timeout: timeout})
				running := claim("running")
				eventually(t, "Claim", func() error { _, err := s.Claim(t.Context(), running); return err })
				fresh := open(c, &redisreplay.Options{Timeout: timeout})

				succeed(t, "Pause", server.Pause())
				failInTime(t, s, running, timeout+slack)
				failed(t, "the first Claim", within(t, "the first Claim", timeout+slack, func() error {
					_, err := fresh.Claim(t.Context(), claim("first"))
					return err
				}))
				short, cancel := context.WithTimeout(t.Context(), timeout/6)
				defer cancel()
				failed(t, "with a short deadline", within(t, "with a short deadline", timeout/6+slack, func() error {
					return s.Commit(short, handle(running))
				}))
				hangup, cancel := context.WithCancel(t.Context())
				time.AfterFunc(timeout/6, cancel)
				failed(t, "with a caller that gives up", within(t, "with a caller that gives up", timeout+slack, func() error {
					return s.Commit(hangup, handle(running))
				}))

				succeed(t, "Resume", server.Resume())
				eventually(t, "Commit", func() error { return s.Commit(t.Context(), handle(running)) })
				after := claim("after")
				eventually(t, "Claim", func() error {
					o, err := s.Claim(t.Context(), after)
					if err == nil && o.Status != replay.Acquired {
						t.Fatalf("Claim = %v", o.Status)
					}
					return err
				})
			})
		}
	})

	t.Run("a crowd before a server that hangs leaves nothing behind", func(t *testing.T) {
		const timeout = 200 * time.Millisecond
		for _, kind := range both {
			t.Run(kind.name, func(t *testing.T) {
				server := redistest.NewServer(t)
				c := kind.dial(t, server.Addr())
				s := ready(t, c, &redisreplay.Options{Timeout: timeout})
				before := runtime.NumGoroutine()
				succeed(t, "Pause", server.Pause())
				var wg sync.WaitGroup
				for i := range 300 {
					wg.Go(func() {
						failed(t, "Claim", within(t, "Claim", 5*timeout, func() error {
							_, err := s.Claim(t.Context(), claim(fmt.Sprint(i)))
							return err
						}))
					})
				}
				wg.Wait()
				most := 10*runtime.GOMAXPROCS(0) + 20 // those that hold a connection may still wait for it
				eventually(t, "those without a connection are gone", func() error {
					if n := runtime.NumGoroutine() - before; n > most {
						return fmt.Errorf("%d goroutines are left, want at most %d", n, most)
					}
					return nil
				})
				succeed(t, "Resume", server.Resume())
				eventually(t, "all are gone", func() error {
					if n := runtime.NumGoroutine() - before; n > 5 {
						return fmt.Errorf("%d goroutines are left", n)
					}
					return nil
				})
				eventually(t, "Check", func() error { return s.Check(t.Context()) })
			})
		}
	})

	t.Run("a server that is killed is an error and comes back", func(t *testing.T) {
		for _, kind := range both {
			t.Run(kind.name, func(t *testing.T) {
				server := redistest.NewServer(t, "appendonly yes", "appendfsync always")
				c := kind.dial(t, server.Addr())
				patient := ready(t, c, nil)
				finish(t, patient, claim("done"))
				running := claim("running")
				want(t, patient, running, replay.Acquired, "a free event")
				s := open(c, &redisreplay.Options{Timeout: 500 * time.Millisecond})
				eventually(t, "Check", func() error { return s.Check(t.Context()) })
				server.Kill()
				for range 12 { // so often that go-redis stops dialling for a while
					failInTime(t, s, running, time.Second)
				}
				succeed(t, "Restart", server.Restart())
				eventually(t, "Claim", func() error {
					o, err := s.Claim(t.Context(), claim("done"))
					if err == nil && o.Status != replay.Done {
						t.Fatalf("Claim = %v", o.Status)
					}
					return err
				})
				succeed(t, "Commit", patient.Commit(t.Context(), handle(running)))
			})
		}
	})

	// A server whose clock is set forward ends leases and retentions early, and one
	// whose clock is set back ends them late. Either way an event has one owner.
	t.Run("a clock that is set forward ends leases early and hurts nobody", func(t *testing.T) {
		c := dial(t, redistest.NewServer(t).Addr())
		s := ready(t, c, nil)
		first := claim("a")
		want(t, s, first, replay.Acquired, "a free event")
		advance(t, c, "hooknotary", 2*time.Minute)
		succeed(t, "Commit by the owner, whom nobody replaced", s.Commit(t.Context(), handle(first)))
		want(t, s, claim("a"), replay.Done, "a repeat")

		second := claim("b")
		want(t, s, second, replay.Acquired, "a free event")
		advance(t, c, "hooknotary", 2*time.Minute)
		third := claim("b")
		want(t, s, third, replay.Acquired, "a takeover")
		if err := s.Commit(t.Context(), handle(second)); !errors.Is(err, replay.ErrLost) {
			t.Errorf("Commit by the former owner = %v", err)
		}
		succeed(t, "Commit", s.Commit(t.Context(), handle(third)))
	})
}

// within runs f and expects it to return in time.
func within(t testing.TB, what string, limit time.Duration, f func() error) error {
	t.Helper()
	w := startWatch()
	err := f()
	if took := w.read(); took > limit {
		t.Errorf("%s took %v, want at most %v", what, took, limit)
	}
	return err
}

// failInTime expects all operations of a store, at once, to fail within a limit.
func failInTime(t testing.TB, s *redisreplay.Store, c replay.Claim, limit time.Duration) {
	t.Helper()
	var wg sync.WaitGroup
	for what, call := range calls(s, c) {
		wg.Go(func() { failed(t, what, within(t, what, limit, func() error { return call(t.Context()) })) })
	}
	wg.Wait()
}

func TestClientFaults(t *testing.T) {
	// What a client does without regard to its context is not waited for: the call
	// returns while the client still waits.
	t.Run("a client that takes its time is not waited for", func(t *testing.T) {
		for _, test := range []struct {
			name   string
			o      func(wait func()) *redis.Options
			paused bool
		}{
			{"because it sets no deadlines for reading", func(func()) *redis.Options { return &redis.Options{ReadTimeout: -2} }, true},
			{"because its credentials are slow", func(wait func()) *redis.Options {
				return &redis.Options{CredentialsProvider: func() (string, string) { wait(); return "", "" }}
			}, false},
			{"because it does something to connect", func(wait func()) *redis.Options {
				return &redis.Options{OnConnect: func(context.Context, *redis.Conn) error { wait(); return nil }}
			}, false},
		} {
			t.Run(test.name, func(t *testing.T) {
				server := redistest.NewServer(t)
				released := make(chan struct{})
				defer close(released)
				o := test.o(func() { <-released })
				o.Addr, o.ContextTimeoutEnabled, o.MaxRetries = server.Addr(), true, -1
				c := client(t, o)
				if test.paused {
					succeed(t, "Check", ready(t, c, nil).Check(t.Context()))
					succeed(t, "Pause", server.Pause())
					defer server.Resume()
				}
				s := open(c, &redisreplay.Options{Timeout: 500 * time.Millisecond})
				err := within(t, "Commit", 2*time.Second, func() error { return s.Commit(t.Context(), replay.Handle{}) })
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("Commit = %v", err)
				}
			})
		}
	})

	t.Run("a client that never returns holds a bounded number of calls", func(t *testing.T) {
		c := &stuck{UniversalClient: dial(t, redistest.NewServer(t).Addr()), free: make(chan struct{})}
		s := ready(t, c, &redisreplay.Options{Timeout: 100 * time.Millisecond})
		c.state.Store(1)
		var wg sync.WaitGroup
		for i := range 1100 {
			wg.Go(func() {
				_, err := s.Claim(t.Context(), claim(fmt.Sprint(i)))
				failed(t, "Claim", err)
			})
		}
		wg.Wait()
		before := runtime.NumGoroutine()
		for range 100 {
			refused(t, "Commit", s.Commit(t.Context(), replay.Handle{}), "stuck")
		}
		if n := runtime.NumGoroutine(); n > before {
			t.Errorf("%d goroutines became %d", before, n)
		}
		c.state.Store(0)
		close(c.free)
		eventually(t, "Claim", func() error { _, err := s.Claim(t.Context(), claim("after")); return err })
	})

	t.Run("a client that panics is an error", func(t *testing.T) {
		c := &stuck{UniversalClient: dial(t, redistest.NewServer(t).Addr())}
		s := ready(t, c, nil)
		c.state.Store(2)
		_, err := s.Claim(t.Context(), claim("a"))
		refused(t, "Claim", err, "panicked")
		c.state.Store(0)
		want(t, s, claim("a"), replay.Acquired, "afterwards")
	})

	// What a lost request or answer leaves in doubt is settled by the same call under
	// the same token.
	t.Run("a call that is cut can be repeated", func(t *testing.T) {
		server := redistest.NewServer(t)
		p := newProxy(t, server.Addr())
		s := ready(t, dial(t, p.addr()), nil)
		direct := ready(t, dial(t, server.Addr()), nil)
		finish(t, direct, bound("scripts", "body"))
		n := 0
		for name, f := range map[string]fault{"no request": noRequest, "half a request": cutRequest, "no answer": noAnswer, "half an answer": cutAnswer} {
			t.Run(name, func(t *testing.T) {
				done := f == noAnswer || f == cutAnswer
				cut := func(what string, call func() error) {
					t.Helper()
					p.next(f, "evalsha")
					failed(t, what+", cut", call())
					if p.pending() {
						t.Fatalf("%s was not cut", what)
					}
				}
				n++
				cl := claim(fmt.Sprint(n))
				cut("Claim", func() error { _, err := s.Claim(t.Context(), cl); return err })
				if _, ok, err := direct.Inspect(t.Context(), cl.Key); err != nil || ok != done {
					t.Errorf("after a claim with %s the event is known: %v, %v", name, ok, err)
				}
				want(t, s, cl, replay.Acquired, "the same claim again")
				cut("Renew", func() error { return s.Renew(t.Context(), handle(cl), time.Hour) })
				succeed(t, "Renew", s.Renew(t.Context(), handle(cl), time.Hour))
				cut("Commit", func() error { return s.Commit(t.Context(), handle(cl)) })
				status := replay.InFlight
				if done {
					status = replay.Done
				}
				want(t, direct, claim(fmt.Sprint(n)), status, "after a commit with "+name)
				succeed(t, "Commit", s.Commit(t.Context(), handle(cl)))
				want(t, s, claim(fmt.Sprint(n)), replay.Done, "in the end")
				cut("Forget", func() error { return s.Forget(t.Context(), cl.Key) })
				succeed(t, "Forget", s.Forget(t.Context(), cl.Key))

				cl = bound(fmt.Sprint(n), "body")
				cut("Claim with a binding", func() error { _, err := s.Claim(t.Context(), cl); return err })
				want(t, s, cl, replay.Acquired, "the same claim again")
				cut("Release", func() error { return s.Release(t.Context(), handle(cl)) })
				succeed(t, "Release", s.Release(t.Context(), handle(cl)))
				want(t, s, claim(fmt.Sprint(n)), replay.Acquired, "what was released")
			})
		}
	})

	// go-redis repeats what failed unless it is told not to.
	t.Run("repeats by the client do no harm", func(t *testing.T) {
		server := redistest.NewServer(t)
		p := newProxy(t, server.Addr())
		s := ready(t, client(t, &redis.Options{Addr: p.addr(), MaxRetries: 3}), nil)
		for i, f := range []fault{noRequest, cutRequest, noAnswer, cutAnswer} {
			cl := bound(fmt.Sprint(i), "body")
			p.next(f, "evalsha")
			want(t, s, cl, replay.Acquired, "a claim that was repeated")
			p.next(f, "evalsha")
			want(t, s, bound(fmt.Sprint(i), "body"), replay.InFlight, "a copy that was repeated")
			p.next(f, "evalsha")
			succeed(t, "Renew", s.Renew(t.Context(), handle(cl), time.Hour))
			p.next(f, "evalsha")
			succeed(t, "Commit", s.Commit(t.Context(), handle(cl)))
			p.next(f, "evalsha")
			succeed(t, "Release", s.Release(t.Context(), handle(cl)))
			p.next(f, "evalsha")
			want(t, s, bound(fmt.Sprint(i), "body"), replay.Done, "a copy that was repeated")
			if p.pending() {
				t.Error("nothing was cut")
			}
		}
	})
}

// stuck is a client whose commands never end, or panic.
type stuck struct {
	redis.UniversalClient
	state atomic.Int32 // 0: healthy, 1: stuck, 2: panics
	free  chan struct{}
}

func (s *stuck) Process(ctx context.Context, cmd redis.Cmder) error {
	switch s.state.Load() {
	case 1:
		<-s.free
	case 2:
		panic("a hook")
	}
	return s.UniversalClient.Process(ctx, cmd)
}
