package linear

import (
	"fmt"
	"math"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/hooknotary/hooknotary/verify/replay"
)

// slack is how far the end of a lease may be from where our clock sees it: a store
// may round a time to the millisecond, and two clocks of one machine differ in
// speed while one of them is corrected.
const slack = 5 * time.Millisecond

// forever is when a call returned that was never answered.
const forever = time.Duration(math.MaxInt64)

// kind is the kind of a call. A claim with a binding is two calls, a bind and a
// claim, because it is atomic on each of its two objects and not on both.
type kind uint8

const (
	claim kind = iota
	bind
	renew
	commit
	release
	forget
)

// call is what a client asks one object for. What is not of its kind is zero.
type call struct {
	kind   kind
	object int // the number of an event or, for a bind, of a message
	token  int
	print  int
	old    bool // signed before any floor
	lease  time.Duration
	body   int
	at     time.Duration // all times are since the start of the round
}

// answer is what the client was told.
type answer struct {
	// known is false if the call failed or was not answered in time: then it may
	// have taken effect, or does so later, or never.
	known   bool
	outcome replay.Outcome // of a claim or a bind
	err     error          // ErrLost, ErrHeld or nil
	at      time.Duration  // forever, if not known
}

// state is what one object is. The zero value is an event that is free or a
// message that is not bound.
type state struct {
	status replay.Status // InFlight, Done or 0
	token  int
	print  int
	// The lease ends between from and to.
	from, to time.Duration

	body int // of a message; 0: none

	// It became so at this time or later; zero where that goes without saying.
	since time.Duration
}

// model is the sequential specification of a store, one object at a time.
//
// A call that was not answered always takes effect where it can. That it took none
// is the same as that it did so after all others, and porcupine tries that too,
// because such a call returns after all others.
var model = porcupine.Model{
	Partition: partition,
	Init:      func() any { return state{} },
	Step: func(s, c, a any) (bool, any) {
		next, ok := s.(state).next(c.(call), a.(answer))
		return ok, next
	},
	DescribeOperation: func(c, a any) string { return fmt.Sprintf("%v = %v", c, a) },
	DescribeState:     func(s any) string { return fmt.Sprint(s) },
}

// partition divides a history by objects.
func partition(history []porcupine.Operation) [][]porcupine.Operation {
	type object struct {
		message bool
		number  int
	}
	var order []object
	parts := make(map[object][]porcupine.Operation)
	for _, op := range history {
		c := op.Input.(call)
		o := object{c.kind == bind, c.object}
		if parts[o] == nil {
			order = append(order, o)
		}
		parts[o] = append(parts[o], op)
	}
	var all [][]porcupine.Operation
	for _, o := range order {
		all = append(all, parts[o])
	}
	return all
}

// next returns the state after a call, and false where the call cannot have had
// this answer in state s.
func (s state) next(c call, a answer) (state, bool) {
	if a.at < s.since {
		return s, false
	}
	switch c.kind {
	case claim:
		return s.claim(c, a)
	case bind:
		return s.bind(c, a)
	case renew:
		return s.renew(c, a)
	case commit:
		return s.commit(c, a)
	case release:
		return s.release(c, a)
	case forget:
		return s.forget(c, a)
	}
	return s, false
}

// running reports whether the event is in flight under a token, whether or not the
// lease has run out.
func (s state) running(token int) bool { return s.status == replay.InFlight && s.token == token }

func (s state) claim(c call, a answer) (state, bool) {
	if !a.known {
		if s.status == replay.Done {
			return s, true
		}
		return s.acquire(c, a)
	}
	switch a.outcome.Status {
	case replay.Acquired:
		return s.acquire(c, a)
	case replay.InFlight:
		if s.status != replay.InFlight || s.token == c.token || c.at > s.to {
			return s, false
		}
		// The time left tells more about the end of the lease.
		s.from = max(s.from, c.at+a.outcome.Lease-slack)
		s.to = min(s.to, a.at+a.outcome.Lease+slack)
		return s, s.from <= s.to
	case replay.Done:
		return s, s.status == replay.Done && a.outcome.Same == (s.print == c.print)
	case replay.BeforeFloor:
		return s, s.status == 0 && c.old
	}
	return s, false
}

func (s state) acquire(c call, a answer) (state, bool) {
	if s.status == replay.InFlight && s.token != c.token {
		var over bool
		if s, over = s.expire(a); !over {
			return s, false
		}
	}
	if s.status == replay.Done {
		return s, false
	}
	s.status, s.token, s.print = replay.InFlight, c.token, c.print
	return s.lease(c, a), true
}

// lease starts the lease anew. The store may have read its clock at any time
// between call and return.
func (s state) lease(c call, a answer) state {
	s.from, s.to = c.at+c.lease-slack, forever
	if a.known {
		s.to = a.at + c.lease + slack
	}
	return s
}

// expire frees an event of which the lease has run out, and returns false if it
// cannot have run out before the answer.
func (s state) expire(a answer) (state, bool) {
	if a.at < s.from {
		return s, false
	}
	free := state{since: s.since}
	if !a.known {
		free.since = max(s.since, s.from)
	}
	return free, true
}

func (s state) bind(c call, a answer) (state, bool) {
	switch {
	case s.body == 0 && a.outcome.Status != replay.Forged:
		s.body = c.body
		return s, true
	case !a.known:
		return s, true
	}
	return s, s.body != 0 && (a.outcome.Status == replay.Forged) == (s.body != c.body)
}

func (s state) renew(c call, a answer) (state, bool) {
	mine := s.running(c.token)
	if mine && (!a.known || a.err == nil) {
		return s.lease(c, a), true
	}
	return s, !a.known || mine == (a.err == nil)
}

func (s state) commit(c call, a answer) (state, bool) {
	mine := s.status != 0 && s.token == c.token
	if mine && (!a.known || a.err == nil) {
		s.status, s.from, s.to = replay.Done, 0, 0
		return s, true
	}
	return s, !a.known || mine == (a.err == nil)
}

func (s state) release(c call, a answer) (state, bool) {
	if s.running(c.token) {
		return state{since: s.since}, true
	}
	return s, true
}

func (s state) forget(c call, a answer) (state, bool) {
	switch {
	case a.known && a.err != nil:
		return s, s.status == replay.InFlight && c.at <= s.to
	case s.status == replay.InFlight:
		return s.expire(a)
	}
	return state{since: s.since}, true
}

// letter shows the number of a token or a fingerprint.
func letter(n int) string { return string(rune('a' + n)) }

func (k kind) String() string {
	return [...]string{claim: "claim", bind: "bind", renew: "renew", commit: "commit", release: "release", forget: "forget"}[k]
}

func (c call) String() string {
	switch c.kind {
	case claim:
		signed := ""
		if c.old {
			signed = ", signed before the floor"
		}
		return fmt.Sprintf("claim by %s for %v, fingerprint %s%s", letter(c.token), c.lease, letter(c.print), signed)
	case bind:
		return fmt.Sprintf("bind to body %d", c.body)
	case renew:
		return fmt.Sprintf("renew by %s for %v", letter(c.token), c.lease)
	case forget:
		return "forget"
	}
	return fmt.Sprintf("%v by %s", c.kind, letter(c.token))
}

func (a answer) String() string {
	switch {
	case !a.known:
		return "no answer"
	case a.err == replay.ErrLost:
		return "lost"
	case a.err == replay.ErrHeld:
		return "held"
	case a.outcome.Lease > 0:
		return fmt.Sprintf("%v, %v left", a.outcome.Status, a.outcome.Lease.Round(time.Millisecond))
	case a.outcome.Same:
		return "done, same fingerprint"
	case a.outcome.Status != 0:
		return a.outcome.Status.String()
	}
	return "ok"
}

func (s state) String() string {
	switch {
	case s.body != 0:
		return fmt.Sprintf("bound to body %d", s.body)
	case s.status == replay.Done:
		return fmt.Sprintf("done by %s, fingerprint %s", letter(s.token), letter(s.print))
	case s.status == replay.InFlight && s.to == forever:
		return fmt.Sprintf("in flight under %s, leased until %s or later", letter(s.token), clock(s.from))
	case s.status == replay.InFlight:
		return fmt.Sprintf("in flight under %s, leased until %s to %s", letter(s.token), clock(s.from), clock(s.to))
	}
	return "free"
}

// clock shows a time since the start of the round.
func clock(t time.Duration) string { return t.Round(time.Microsecond).String() }
