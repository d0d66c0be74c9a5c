package middleware_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/adapter"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

// sender is one request, of whose body a test sends parts when it likes.
type sender struct {
	deaf  time.Duration // how long its Read does not heed an interruption; negative: it cannot
	parts chan []byte   // closed: the end
	left  []byte
	over  chan struct{}
	hold  chan struct{} // its handler runs until this is closed; nil: not at all

	done     chan struct{} // closed with the verdict
	response *middleware.Response
	reason   verify.Reason
	admitted time.Time // or refused
}

func (c *sender) Read(b []byte) (int, error) {
	for len(c.left) == 0 {
		select {
		case part, more := <-c.parts:
			if !more {
				return 0, io.EOF
			}
			c.left = part
		case <-c.over:
			time.Sleep(c.deaf)
			return 0, os.ErrDeadlineExceeded
		}
	}
	n := copy(b, c.left)
	c.left = c.left[n:]
	return n, nil
}

// dial begins a request for a body of n bytes. Where interruptible, a Read of it can
// be made to fail.
func (c *sender) dial(s *site, id string, n int, interruptible bool, sent int) *sender {
	r := signed(id, n, true)
	c.parts, c.over, c.done = make(chan []byte, 100), make(chan struct{}), make(chan struct{})
	in := &adapter.Inbound{Head: verify.Head{Method: "POST", Header: r.Header}, ContentLength: r.ContentLength, Body: c}
	if interruptible {
		in.SetReadDeadline = func(time.Time) error {
			if c.deaf < 0 {
				return http.ErrNotSupported
			}
			close(c.over)
			return nil
		}
	}
	if sent > 0 {
		c.parts <- sized(id, n)[:sent]
	}
	if sent == n {
		close(c.parts)
	}
	go func() {
		admission, response := s.guard.Admit(context.Background(), in)
		c.admitted = time.Now()
		if c.response = response; response == nil {
			defer admission.Close()
			if c.hold != nil {
				<-c.hold
			}
			admission.Settle(true)
		} else {
			c.reason = response.Reason
		}
		close(c.done)
	}()
	return c
}

// dialed begins a request and waits until the guard waits for more.
func dialed(s *site, id string, n int, interruptible bool, sent int) *sender {
	c := new(sender).dial(s, id, n, interruptible, sent)
	synctest.Wait()
	return c
}

func (c *sender) status() int {
	select {
	case <-c.done:
	default:
		return 0
	}
	if c.response != nil {
		return c.response.Status
	}
	return 200
}

// hangUp ends the body, wherever it is.
func (c *sender) hangUp() {
	close(c.parts)
	<-c.done
}

func TestBudget(t *testing.T) {
	t.Run("heads use no budget", func(t *testing.T) {
		for _, c := range []struct {
			name     string
			requests int
			sent     int
			wait     time.Duration
		}{
			{"without a body", 600, 0, 0},
			{"with a byte", 600, 1, 0},
			{"with less than 4 KiB", 600, 4<<10 - 1, 0},
			{"with 4 KiB, one less than there is memory for", 81, 4 << 10, 0},
			{"with 4 KiB: these are charged, and make way when they are a second old", 85, 4 << 10, time.Second},
		} {
			t.Run(c.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newSite(t, onBubble, func(s *site) { s.opts.BodyBudget = 4 * mib })
					stalled := make([]sender, c.requests)
					for i := range stalled {
						stalled[i].dial(s, fmt.Sprint("evt_", i), small, true, c.sent)
					}
					synctest.Wait()
					begin := time.Now()
					want(t, s.serve(signed("evt_genuine", 10_000, true)), 200)
					if waited := time.Since(begin).Truncate(time.Second); waited != c.wait {
						t.Errorf("it waited %v, want %v", waited, c.wait)
					}
					for i := range stalled {
						stalled[i].hangUp()
					}
				})
			})
		}
	})

	t.Run("parked requests are counted", func(t *testing.T) {
		const parked = 4096
		for _, c := range []struct {
			name          string
			requests      int
			interruptible bool
			status        int // of a genuine delivery
			wait          time.Duration
			oldest        int // status
		}{
			{"one less than may be", parked - 1, true, 200, 0, 0},
			{"one more ends the oldest", parked, true, 200, 0, 503},
			{"one more waits where none can be interrupted", parked, false, 503, 2 * time.Second, 0},
			{"one less where none can be interrupted", parked - 1, false, 200, 0, 0},
		} {
			t.Run(c.name, func(t *testing.T) {
				if testing.Short() && c.oldest == 0 {
					t.Skip("takes long under the race detector")
				}
				synctest.Test(t, func(t *testing.T) {
					s := newSite(t, onBubble)
					all := make([]sender, c.requests)
					for i := range all {
						all[i].dial(s, fmt.Sprint("evt_", i), 1000, c.interruptible, 0)
						if i == 0 {
							time.Sleep(time.Microsecond)
						}
					}
					synctest.Wait()
					begin := time.Now()
					genuine := dialed(s, "evt_genuine", 1000, true, 1000)
					<-genuine.done
					if waited := time.Since(begin); genuine.status() != c.status || waited != c.wait {
						t.Errorf("the next one gets %d after %v, want %d after %v", genuine.status(), waited, c.status, c.wait)
					}
					if got := all[0].status(); got != c.oldest {
						t.Errorf("the oldest one got %d, want %d", got, c.oldest)
					}
					for i := range all {
						if got := all[i].status(); got != 0 && i > 0 {
							t.Errorf("request %d got %d", i, got)
						}
						all[i].hangUp()
					}
				})
			})
		}
	})

	// What a victim frees is free when its Read has returned, and belongs to the one
	// for which it was evicted.
	t.Run("what is freed for one is not another's", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t, tight)
			stalled := stall(s, 4)
			for _, c := range stalled {
				c.deaf = 700 * time.Millisecond
			}
			time.Sleep(2 * time.Second)
			begin := time.Now()
			var waiting [2]sender
			for i := range waiting {
				waiting[i].hold = make(chan struct{})
				waiting[i].dial(s, fmt.Sprint("evt_", i), 100, true, 100)
				time.Sleep(100 * time.Millisecond)
			}
			time.Sleep(time.Second)
			for i := range waiting {
				c := &waiting[i]
				close(c.hold)
				<-c.done
				after := time.Duration(700+100*i) * time.Millisecond
				if got := c.admitted.Sub(begin); c.status() != 200 || got != after {
					t.Errorf("body %d got %d after %v, want 200 after %v", i, c.status(), got, after)
				}
			}
			for _, c := range stalled {
				c.hangUp()
			}
		})
	})

	// Bodies that grow in steps hold what the others wait for. All come to their end
	// nevertheless, one after the other.
	t.Run("growing bodies do not block each other", func(t *testing.T) {
		for _, declared := range []bool{true, false} {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, onBubble, func(s *site) { s.opts.MaxBody, s.opts.BodyBudget = 8*mib, 32*mib })
				const bodies = 6
				codes := make(chan int, bodies)
				for i := range bodies {
					body := sized(fmt.Sprint("evt_", i), 7*mib)
					r := signed(fmt.Sprint("evt_", i), 7*mib, declared)
					in := bytes.NewReader(body)
					setBody(r, readerFunc(func(b []byte) (int, error) {
						time.Sleep(10 * time.Millisecond)
						return in.Read(b[:min(len(b), mib)])
					}))
					go func() { codes <- s.serve(r).Code }()
				}
				for range bodies {
					if code := <-codes; code != 200 {
						t.Errorf("declared %v: status %d", declared, code)
					}
				}
			})
		}
	})

	t.Run("guards may share a budget", func(t *testing.T) {
		for _, shared := range []bool{true, false} {
			synctest.Test(t, func(t *testing.T) {
				budget := middleware.NewBudget(160 << 10)
				first := newSite(t, sharing(budget))
				if !shared {
					budget = middleware.NewBudget(160 << 10)
				}
				second := newSite(t, sharing(budget))
				stalled := stall(first, 4)
				time.Sleep(2 * time.Second)
				want(t, second.serve(signed("evt_1", 100, true)), 200)
				evicted := 0
				for _, c := range stalled {
					if c.status() != 0 {
						evicted++
					}
					c.hangUp()
				}
				if evicted > 0 != shared {
					t.Errorf("shared %v: %d bodies of the other guard were evicted", shared, evicted)
				}
			})
		}
	})

	t.Run("a budget that cannot be right is refused", func(t *testing.T) {
		for _, c := range []struct {
			name string
			o    middleware.Options
			says string // "" if it is right
		}{
			{"twice the largest body", middleware.Options{Budget: middleware.NewBudget(2 * mib)}, ""},
			{"a byte less", middleware.Options{Budget: middleware.NewBudget(2*mib - 1)}, "body budget"},
			{"enough for a smaller body", middleware.Options{Budget: middleware.NewBudget(2*mib - 1), MaxBody: mib - 1}, ""},
			{"the zero value", middleware.Options{Budget: new(middleware.Budget)}, "body budget"},
			{"none", middleware.Options{Budget: middleware.NewBudget(-1)}, "body budget"},
			{"two budgets", middleware.Options{Budget: middleware.NewBudget(2 * mib), BodyBudget: 2 * mib}, "both"},
		} {
			_, err := middleware.New("test", stripe.Must(stripeSecret), replay.NewMemory(nil), &c.o)
			if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("%s: error %v, want %q", c.name, err, c.says)
			}
		}
	})
}

// A body of small bytes takes its whole buffer when its first 4 KiB came. The half of
// a tight budget holds four of them, and nothing beside.
const small = 8<<10 - 1

func tight(s *site) {
	onBubble(s)
	s.opts.MaxBody, s.opts.BodyBudget = 8<<10, 160<<10
}

// stall begins n bodies on s of which 4 KiB come.
func stall(s *site, n int) []*sender {
	var all []*sender
	for i := range n {
		all = append(all, dialed(s, fmt.Sprint("evt_stalled_", i), small, true, 4<<10))
	}
	return all
}

func TestEviction(t *testing.T) {
	t.Run("the slowest body makes way", func(t *testing.T) {
		const ms = time.Millisecond
		type body struct {
			age           time.Duration
			sent          int
			interruptible bool
		}
		for _, c := range []struct {
			name   string
			bodies [4]body
			evicts int // index, or -1
			status int
			wait   time.Duration
		}{
			{"the one with the fewest bytes", [4]body{{5000 * ms, 7000, true}, {5000 * ms, 4500, true}, {5000 * ms, 6000, true}, {5000 * ms, 5000, true}}, 1, 200, 0},
			{"the oldest one of equal length", [4]body{{3000 * ms, 5000, true}, {5000 * ms, 5000, true}, {4000 * ms, 5000, true}, {4000 * ms, 5000, true}}, 1, 200, 0},
			{"bytes a second count, and not bytes", [4]body{{2000 * ms, 4500, true}, {8000 * ms, 7000, true}, {2000 * ms, 5000, true}, {3000 * ms, 7000, true}}, 1, 200, 0},
			{"the slowest one in the end, though it is not old enough yet", [4]body{{1500 * ms, 8000, true}, {900 * ms, 4500, true}, {0, 4500, true}, {0, 4500, true}}, 1, 200, 200 * ms},
			{"the first one that becomes old enough", [4]body{{0, 5000, true}, {500 * ms, 5000, true}, {0, 5000, true}, {0, 5000, true}}, 1, 200, 600 * ms},
			{"one that can be interrupted, though others are slower", [4]body{{5000 * ms, 4500, false}, {5000 * ms, 7000, true}, {5000 * ms, 4500, false}, {5000 * ms, 4500, false}}, 1, 200, 0},
			{"none, where none can be interrupted", [4]body{{5000 * ms, 4500, false}, {5000 * ms, 4500, false}, {5000 * ms, 4500, false}, {5000 * ms, 4500, false}}, -1, 503, 2000 * ms},
		} {
			t.Run(c.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newSite(t, tight)
					var all [4]*sender
					for age := 8 * time.Second; age >= 0; age -= 100 * ms {
						for i, b := range c.bodies {
							if b.age == age {
								all[i] = dialed(s, fmt.Sprint("evt_", i), small, b.interruptible, b.sent)
							}
						}
						if age > 0 {
							time.Sleep(100 * ms)
						}
					}
					begin := time.Now()
					genuine := dialed(s, "evt_genuine", 100, true, 100)
					<-genuine.done
					synctest.Wait() // until the one that made way has its response
					if waited := time.Since(begin); genuine.status() != c.status || waited != c.wait {
						t.Errorf("a genuine body gets %d after %v, want %d after %v", genuine.status(), waited, c.status, c.wait)
					}
					for i, a := range all {
						switch got := a.status(); {
						case i == c.evicts:
							if got != 503 || a.reason != verify.ErrUnavailable || a.response.Header.Get("Retry-After") == "" {
								t.Errorf("body %d got %d, %v, want 503 with Retry-After", i, got, a.reason)
							}
						case got != 0:
							t.Errorf("body %d got %d, want nothing yet", i, got)
						}
						a.hangUp()
					}
				})
			})
		}
	})

	// A body that is old enough to be a victim drives out no faster one.
	t.Run("a slow body drives out no faster one", func(t *testing.T) {
		for _, c := range []struct {
			name   string
			first  time.Duration // the age of the one that grows
			others time.Duration // the age of the others
			status int
		}{
			{"the slowest of all", 5500 * time.Millisecond, 1500 * time.Millisecond, 503},
			{"the fastest of all", 1500 * time.Millisecond, 5500 * time.Millisecond, 200},
		} {
			t.Run(c.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					// For the buffer that one wants, another one or two must go.
					s := newSite(t, onBubble, func(s *site) { s.opts.MaxBody, s.opts.BodyBudget = 32<<10, 162<<10 })
					var grows *sender
					var others []*sender
					body := sized("evt_grows", 31<<10)
					for age := 6 * time.Second; age > 0; age -= 500 * time.Millisecond {
						if age == c.first {
							grows = dialed(s, "evt_grows", len(body), true, 8<<10-10)
						}
						if age == c.others {
							for i := range 3 {
								others = append(others, dialed(s, fmt.Sprint("evt_", i), small, true, small-1))
							}
						}
						time.Sleep(500 * time.Millisecond)
					}
					grows.parts <- body[8<<10-10:]
					grows.hangUp()
					if got := grows.status(); got != c.status {
						t.Errorf("it got %d, want %d", got, c.status)
					}
					evicted := 0
					for _, o := range others {
						if o.status() != 0 {
							evicted++
						}
						o.hangUp()
					}
					if evicted > 0 != (c.status == 200) {
						t.Errorf("it got %d, and %d others were evicted", c.status, evicted)
					}
				})
			})
		}
	})

	// A few bodies in their first second, and the slowest, do not keep all the others from
	// making way.
	t.Run("recent bodies do not shield old ones", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t, onBubble, func(s *site) { s.opts.MaxBody, s.opts.BodyBudget = 64<<10, 16<<20 })
			var all, genuine []*sender
			for range 101 { // all that there is room for, but for three of 4 KiB
				all = append(all, dialed(s, fmt.Sprint("evt_", len(all)), 64<<10-1, true, 40_000))
			}
			time.Sleep(1500 * time.Millisecond)
			for i := range 800 { // for 8 seconds
				all = append(all, dialed(s, fmt.Sprint("evt_", len(all)), 64<<10-1, true, 4<<10))
				if i >= 100 && i <= 600 && i%20 == 0 {
					genuine = append(genuine, dialed(s, fmt.Sprint("evt_genuine_", i), 3000, true, 3000))
				}
				time.Sleep(10*time.Millisecond + time.Duration(i)) // no two searches at one time
			}
			accepted := 0
			for _, c := range genuine {
				if <-c.done; c.status() == 200 {
					accepted++
				}
			}
			if accepted < len(genuine) {
				t.Errorf("%d of %d genuine deliveries were accepted", accepted, len(genuine))
			}
			for _, c := range all {
				c.hangUp()
			}
		})
	})

	t.Run("a verified body is no victim", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t, tight)
			handled := make([]sender, 4)
			for i := range handled {
				handled[i].hold = make(chan struct{})
				handled[i].dial(s, fmt.Sprint("evt_", i), small, true, small)
			}
			time.Sleep(5 * time.Second)
			late := dialed(s, "evt_late", 100, true, 100)
			if <-late.done; late.status() != 503 {
				t.Errorf("the next one gets %d, want 503", late.status())
			}
			close(handled[0].hold)
			<-handled[0].done
			later := dialed(s, "evt_later", 100, true, 100)
			if <-later.done; later.status() != 200 {
				t.Errorf("after one of them is done, it gets %d, want 200", later.status())
			}
			for i := range handled {
				if i > 0 {
					close(handled[i].hold)
				}
				if <-handled[i].done; handled[i].status() != 200 {
					t.Errorf("body %d got %d, want 200", i, handled[i].status())
				}
			}
		})
	})

	// Where a guard only reports, its handler reads the rest: nothing is interrupted.
	t.Run("a body that is only reported on is no victim", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			budget := middleware.NewBudget(160 << 10)
			reporting, guarding := newSite(t, sharing(budget), reportOnly), newSite(t, sharing(budget))
			stalled := stall(reporting, 4)
			time.Sleep(5 * time.Second)
			want(t, guarding.serve(signed("evt_1", 100, true)), 503)
			for _, c := range stalled {
				if c.status() != 0 {
					t.Errorf("a body that is only reported on got %d", c.status())
				}
				c.hangUp()
			}
			want(t, guarding.serve(signed("evt_2", 100, true)), 200)
		})
	})

	// An empty body is as young as its end.
	t.Run("an empty body without a length finds a victim", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t, tight)
			stalled := stall(s, 4)
			time.Sleep(2 * time.Second)
			r := stripetest.NewRequest(hookURL, time.Now(), []byte{}, stripeSecret)
			setBody(r, strings.NewReader(""))
			r.ContentLength = -1
			want(t, s.serve(r), 200)
			for _, c := range stalled {
				c.hangUp()
			}
		})
	})

	// A deadline that cannot be set after all makes no victim.
	t.Run("a body whose read cannot be interrupted is spared", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t, tight)
			var stalled []*sender
			for i := range 4 {
				c := new(sender)
				c.deaf = -1
				stalled = append(stalled, c.dial(s, fmt.Sprint("evt_", i), small, true, 4<<10))
			}
			time.Sleep(5 * time.Second)
			want(t, s.serve(signed("evt_late", 100, true)), 503)
			for i, c := range stalled {
				if c.status() != 0 {
					t.Errorf("body %d got %d", i, c.status())
				}
				c.parts <- sized(fmt.Sprint("evt_", i), small)[4<<10:]
				if c.hangUp(); c.status() != 200 {
					t.Errorf("body %d, which was spared, got %d", i, c.status())
				}
			}
		})
	})
}

// sharing returns a change that puts a site on a budget.
func sharing(b *middleware.Budget) func(*site) {
	return func(s *site) {
		tight(s)
		s.opts.BodyBudget, s.opts.Budget = 0, b
	}
}
