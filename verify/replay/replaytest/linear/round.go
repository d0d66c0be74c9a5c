package linear

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/hooknotary/hooknotary/verify/replay"
)

// The size of a round. It is small, because what is wrong shows among few calls,
// and it is easily read then.
const (
	calls    = 30 // of each client
	burst    = 5  // without a pause
	events   = 3
	messages = 3
	tokens   = 4
	prints   = 2
	bodies   = 2

	longLease  = time.Hour
	retention  = time.Hour
	faultPause = 30 * time.Millisecond // between bursts, where a fault is to hit them
	patience   = 10 * time.Second      // of a client, for one call

	// Shortly before a burst the clients stop sleeping and spin, because some
	// stores answer faster than a goroutine wakes up.
	spin = 100 * time.Microsecond
)

// round makes one history.
type round struct {
	scripts  [][]step        // for each client
	bursts   []time.Duration // when they begin
	fault    func()
	faultAt  time.Duration
	events   [events]replay.Key
	messages [messages]replay.Key
	tokens   [tokens]replay.Token
	start    time.Time

	recovered chan struct{} // closed when the fault is over

	mu     sync.Mutex
	failed int // calls
	err    error
}

// step is a call that a client will make.
type step struct {
	call    call
	message int // that a claim binds to a body, or none
}

const none = -1

// newRound returns a round of which the calls depend on the seed, and the keys and
// tokens do not: those of two rounds are different, whoever makes them.
func newRound(seed uint64, number, clients int, o *Options) *round {
	random := rand.New(rand.NewPCG(seed, uint64(number)))
	r := &round{scripts: make([][]step, clients), fault: o.Fault, recovered: make(chan struct{})}
	for i := range r.scripts {
		for range calls {
			r.scripts[i] = append(r.scripts[i], randomStep(random, o.Lease))
		}
	}
	pause := o.Lease * 3 / 2
	if o.Fault != nil {
		pause = max(pause, faultPause)
	}
	var t time.Duration
	for range calls / burst {
		r.bursts = append(r.bursts, t)
		t += below(random, pause)
	}
	r.faultAt = below(random, t)
	scope := replay.NewToken()
	for i := range r.events {
		r.events[i] = replay.Event{Endpoint: "linear", Scope: string(scope[:]), ID: fmt.Sprint(i)}.Key()
	}
	for i := range r.messages {
		r.messages[i] = replay.Event{Endpoint: "linear", Scope: string(scope[:])}.MessageKey(fmt.Sprint(i))
	}
	for i := range r.tokens {
		r.tokens[i] = replay.NewToken()
	}
	return r
}

func randomStep(random *rand.Rand, lease time.Duration) step {
	s := step{
		call:    call{object: random.IntN(events), token: random.IntN(tokens), lease: longLease},
		message: none,
	}
	if lease > 0 {
		s.call.lease = max(time.Millisecond, (lease/2 + below(random, lease)).Truncate(time.Millisecond))
	}
	switch n := random.IntN(100); {
	case n < 45:
		s.call.kind = claim
		s.call.print = random.IntN(prints)
		s.call.old = random.IntN(8) == 0
		if random.IntN(3) == 0 {
			s.message = random.IntN(messages)
			s.call.body = 1 + random.IntN(bodies)
		}
	case n < 57:
		s.call.kind = renew
	case n < 69:
		s.call.kind = commit
	case n < 85:
		s.call.kind = release
	default:
		s.call.kind = forget
	}
	return s
}

// run lets the clients make their calls, and returns the history.
func (r *round) run(ctx context.Context, stores []replay.Store) []porcupine.Operation {
	r.start = time.Now().Add(spin)
	clients := make([]*client, len(r.scripts))
	var all sync.WaitGroup
	for i := range clients {
		clients[i] = &client{round: r, number: i, store: stores[i%len(stores)]}
		all.Go(func() { clients[i].run(ctx) })
	}
	all.Go(func() {
		defer close(r.recovered)
		if r.fault != nil {
			time.Sleep(r.faultAt)
			r.fault()
		}
	})
	all.Wait()
	end := r.now() + 1
	var history []porcupine.Operation
	for _, c := range clients {
		for _, op := range c.history {
			op.Return = min(op.Return, int64(end))
			history = append(history, op)
		}
	}
	return history
}

// await returns at t or later.
func (r *round) await(t time.Duration) {
	time.Sleep(t - r.now() - spin)
	for r.now() < t {
		runtime.Gosched()
	}
}

func (r *round) now() time.Duration { return time.Since(r.start) }

// client is one that uses the store.
type client struct {
	*round
	number  int
	store   replay.Store
	history []porcupine.Operation
}

func (c *client) run(ctx context.Context) {
	for i, s := range c.scripts[c.number] {
		if i%burst == 0 {
			c.await(c.bursts[i/burst])
		}
		if !c.do(ctx, s) {
			// Calls without an answer make the search long, so there should not
			// be many.
			<-c.recovered
		}
	}
}

// do makes one call, and returns whether it was answered.
func (c *client) do(ctx context.Context, s step) bool {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	h := replay.Handle{Key: c.events[s.call.object], Token: c.tokens[s.call.token]}
	s.call.at = c.now()
	var a answer
	var err, no error
	switch s.call.kind {
	case claim:
		a.outcome, err = c.store.Claim(ctx, c.claim(s, h))
	case renew:
		err, no = c.store.Renew(ctx, h, s.call.lease), replay.ErrLost
	case commit:
		err, no = c.store.Commit(ctx, h), replay.ErrLost
	case release:
		err = c.store.Release(ctx, h)
	case forget:
		err, no = c.store.Forget(ctx, h.Key), replay.ErrHeld
	}
	a.at = c.now()
	a.known = err == nil
	if no != nil && errors.Is(err, no) {
		a.known, a.err = true, no
	}
	if !a.known {
		a.outcome, a.at = replay.Outcome{}, forever
		c.mu.Lock()
		c.failed++
		c.err = err
		c.mu.Unlock()
	}
	c.record(s, a)
	return a.known
}

func (c *client) claim(s step, h replay.Handle) replay.Claim {
	cl := replay.Claim{Key: h.Key, Token: h.Token, Lease: s.call.lease, Needed: retention, Retention: retention}
	cl.Fingerprint[0] = byte(s.call.print)
	if s.call.old {
		cl.Resigned, cl.SignedAt = true, time.Unix(1, 0)
	}
	if s.message != none {
		cl.Binding = &replay.BodyBinding{Message: c.messages[s.message]}
		cl.Binding.Body[0] = byte(s.call.body)
	}
	return cl
}

// record adds a call to the history. One with a binding is two.
func (c *client) record(s step, a answer) {
	forged := s.message != none && a.outcome.Status == replay.Forged
	if s.message != none {
		b := a
		if !forged {
			b.outcome = replay.Outcome{}
		}
		c.add(call{kind: bind, object: s.message, body: s.call.body, at: s.call.at}, b)
		s.call.body = 0
	}
	if !forged {
		c.add(s.call, a)
	}
}

func (c *client) add(in call, out answer) {
	c.history = append(c.history, porcupine.Operation{
		ClientId: c.number,
		Input:    in,
		Call:     int64(in.at),
		Output:   out,
		Return:   int64(out.at),
	})
}

// below returns a random duration up to d.
func below(random *rand.Rand, d time.Duration) time.Duration {
	return time.Duration(random.Int64N(int64(d) + 1))
}
