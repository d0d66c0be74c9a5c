package redisreplay_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hooknotary/hooknotary/verify/replay"
	"github.com/hooknotary/hooknotary/verify/replay/redisreplay/redistest"
)

// crowd runs f many times at once.
func crowd(n int, f func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			f(i)
		})
	}
	close(start)
	wg.Wait()
}

func TestTogether(t *testing.T) {
	t.Run("commands that meet share a message", func(t *testing.T) {
		c := dial(t, redistest.NewServer(t).Addr())
		s := ready(t, c, nil)
		finish(t, s, claim("scripts"))
		trips := count(c)
		const n, each = 64, 20
		crowd(n, func(i int) {
			for j := range each {
				cl := claim(fmt.Sprint(i, "-", j))
				finish(t, s, cl)
				want(t, s, claim(fmt.Sprint(i, "-", j)), replay.Done, "a repeat")
			}
		})
		if got := trips.take(); got > 3*n*each/2 {
			t.Errorf("%d commands took %d messages", 3*n*each, got)
		}
	})

	// What was sent together and got no answer, or half of one, is an error for those
	// that it concerns, and what was answered holds.
	t.Run("a message that is cut is an error for all that got no reply", func(t *testing.T) {
		server := redistest.NewServer(t)
		p := newProxy(t, server.Addr())
		s := ready(t, dial(t, p.addr()), nil)
		direct := ready(t, dial(t, server.Addr()), nil)
		finish(t, direct, claim("scripts"))
		var cut, answered atomic.Int64
		for round, f := range []fault{noRequest, cutRequest, noAnswer, cutAnswer, noAnswer, cutAnswer} {
			claims := make([]replay.Claim, 40)
			errs := make([]error, len(claims))
			for i := range claims {
				claims[i] = claim(fmt.Sprint(round, "-", i))
			}
			p.next(f, "evalsha")
			crowd(len(claims), func(i int) {
				var o replay.Outcome
				if o, errs[i] = s.Claim(t.Context(), claims[i]); errs[i] == nil && o.Status != replay.Acquired {
					t.Errorf("Claim = %v", o.Status)
				}
				// One message is under way and the others meet behind it.
				if i == 0 {
					p.next(f, "evalsha")
				}
			})
			p.next(none, "")
			for i, c := range claims {
				_, known, err := direct.Inspect(t.Context(), c.Key)
				succeed(t, "Inspect", err)
				if errs[i] != nil {
					cut.Add(1)
					failed(t, "Claim", errs[i])
					want(t, s, c, replay.Acquired, "the same claim again")
				} else if answered.Add(1); !known {
					t.Errorf("event %d of round %d was acquired, and is not known", i, round)
				}
			}
		}
		if cut.Load() < 6 || answered.Load() < 6 {
			t.Errorf("%d claims were cut and %d answered", cut.Load(), answered.Load())
		}
	})

	t.Run("a panic of the one that sends is an error for the others", func(t *testing.T) {
		c := dial(t, redistest.NewServer(t).Addr())
		s := ready(t, c, nil)
		w := new(tripwire)
		c.AddHook(w)
		w.armed.Store(true)
		var panics, fails, acquired atomic.Int64
		crowd(64, func(i int) {
			defer func() {
				if recover() != nil {
					panics.Add(1)
				}
			}()
			for j := range 20 {
				cl := claim(fmt.Sprint(i, "-", j))
				o, err := s.Claim(t.Context(), cl)
				switch {
				case err != nil:
					fails.Add(1)
				case o.Status == replay.Acquired:
					acquired.Add(1)
					if _, ok, err := s.Inspect(t.Context(), cl.Key); !ok || err != nil {
						t.Errorf("an event was acquired, and is not known: %v", err)
					}
				default:
					t.Errorf("Claim = %v", o.Status)
				}
			}
		})
		if panics.Load() == 0 || fails.Load() == 0 || acquired.Load() == 0 {
			t.Errorf("%d panics, %d errors, %d acquired", panics.Load(), fails.Load(), acquired.Load())
		}
		w.armed.Store(false)
		want(t, s, claim("after"), replay.Acquired, "afterwards")
	})

	// One connection that hangs holds up those that came behind it for a moment only:
	// they are answered while it still hangs.
	t.Run("a connection that hangs holds up no others", func(t *testing.T) {
		server := redistest.NewServer(t)
		var hang atomic.Bool
		released := make(chan struct{})
		l, err := net.Listen("tcp", "127.0.0.1:0")
		succeed(t, "listen", err)
		defer l.Close()
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				go func() {
					defer c.Close()
					s, err := net.Dial("tcp", server.Addr())
					if err != nil {
						return
					}
					defer s.Close()
					go io.Copy(c, s)
					buf := make([]byte, 1<<16)
					for {
						n, err := c.Read(buf)
						if err != nil {
							return
						}
						if hang.CompareAndSwap(true, false) {
							<-released
							return
						}
						s.Write(buf[:n])
					}
				}()
			}
		}()
		s := ready(t, dial(t, l.Addr().String()), nil)
		finish(t, s, claim("scripts"))
		hang.Store(true)
		first := make(chan error)
		go func() {
			_, err := s.Claim(t.Context(), claim("hangs"))
			first <- err
		}()
		for hang.Load() {
			time.Sleep(time.Millisecond)
		}
		crowd(8, func(i int) {
			_, err := s.Claim(t.Context(), claim(fmt.Sprint(i)))
			succeed(t, "Claim", err)
		})
		close(released)
		failed(t, "what hangs", <-first)
	})
}

// tripwire panics in the middle of a message of many commands.
type tripwire struct{ armed atomic.Bool }

func (w *tripwire) DialHook(next redis.DialHook) redis.DialHook          { return next }
func (w *tripwire) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }
func (w *tripwire) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if w.armed.Load() {
			panic("a hook")
		}
		return next(ctx, cmds)
	}
}
