package linear_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/verify/replay"
	"github.com/hooknotary/hooknotary/verify/replay/replaytest/linear"
)

// flawed is a small store with a flaw, or none.
type flawed struct {
	flaw string

	mu       sync.Mutex
	n        int // calls
	events   map[replay.Key]record
	stale    map[replay.Key]record // what they were some time ago
	bindings map[replay.Key][32]byte
}

// record is an event that is in flight or done.
type record struct {
	token replay.Token
	print [32]byte
	ends  time.Time
	done  bool
}

func newFlawed(flaw string) *flawed {
	return &flawed{
		flaw:     flaw,
		events:   make(map[replay.Key]record),
		stale:    make(map[replay.Key]record),
		bindings: make(map[replay.Key][32]byte),
	}
}

// has reports whether the store has the flaw, in about every nth call.
func (f *flawed) has(flaw string, n int) bool {
	return f.flaw == flaw && f.n%n == 0
}

// pause lets others in where they have no business.
func (f *flawed) pause() {
	f.mu.Unlock()
	runtime.Gosched()
	f.mu.Lock()
}

// later runs what should have been done at once.
func (f *flawed) later(do func()) {
	go func() {
		runtime.Gosched()
		f.mu.Lock()
		defer f.mu.Unlock()
		do()
	}()
}

func (f *flawed) begin() {
	f.mu.Lock()
	f.n++
}

func (f *flawed) put(k replay.Key, r record) {
	if f.n%3 == 0 {
		f.stale[k] = f.events[k]
	}
	f.events[k] = r
}

func (f *flawed) Claim(_ context.Context, c replay.Claim) (replay.Outcome, error) {
	f.begin()
	defer f.mu.Unlock()
	if b := c.Binding; b != nil && !f.bind(b) {
		if f.has("a forged claim takes the event", 1) {
			f.put(c.Key, record{c.Token, c.Fingerprint, time.Now().Add(c.Lease), false})
		}
		return replay.Outcome{Status: replay.Forged}, nil
	}
	r, known := f.events[c.Key]
	if f.has("a claim reads an old copy", 4) {
		if old, ok := f.stale[c.Key]; ok {
			r, known = old, true
		}
	}
	if f.has("a claim reads first and writes then", 2) {
		f.pause()
	}
	left := time.Until(r.ends)
	switch {
	case !known && c.Resigned && c.SignedAt.Before(time.Unix(1000, 0)):
		return replay.Outcome{Status: replay.BeforeFloor}, nil
	case known && f.has("a known event is before the floor", 1) && c.Resigned:
		return replay.Outcome{Status: replay.BeforeFloor}, nil
	case !known:
	case r.done:
		if f.has("a finished event is acquired", 10) {
			break
		}
		same := r.print == c.Fingerprint
		if f.has("the fingerprint is the one of the last claim", 1) {
			r.print = c.Fingerprint
			f.put(c.Key, r)
		}
		return replay.Outcome{Status: replay.Done, Same: same}, nil
	case r.token == c.Token && f.has("the owner is told that it is in flight", 5):
		return replay.Outcome{Status: replay.InFlight, Lease: max(left, 1)}, nil
	case r.token == c.Token:
	case f.has("a lease ends early", 1) && left < c.Lease/2:
	case f.has("a lease does not end", 1):
		return replay.Outcome{Status: replay.InFlight, Lease: max(left, 1)}, nil
	case f.has("the time left is the length of the lease", 1) && left > 0:
		return replay.Outcome{Status: replay.InFlight, Lease: c.Lease}, nil
	case left > 0 && f.has("an event is acquired twice", 10):
		return replay.Outcome{Status: replay.Acquired}, nil
	case left > 0:
		return replay.Outcome{Status: replay.InFlight, Lease: left}, nil
	}
	if f.has("the second claim of an owner is no longer its lease", 1) && known && r.token == c.Token {
		return replay.Outcome{Status: replay.Acquired}, nil
	}
	take := func() { f.put(c.Key, record{c.Token, c.Fingerprint, time.Now().Add(c.Lease), false}) }
	if f.has("a claim is written after the answer", 4) {
		f.later(take)
	} else if f.has("an effect comes late and without an answer", 20) {
		if !known {
			f.later(func() {
				if _, known := f.events[c.Key]; !known {
					take()
				}
			})
		}
		return replay.Outcome{}, errors.New("timeout")
	} else {
		take()
	}
	if f.has("an answer is lost", 20) {
		return replay.Outcome{}, errors.New("timeout")
	}
	return replay.Outcome{Status: replay.Acquired}, nil
}

func (f *flawed) bind(b *replay.BodyBinding) bool {
	body, bound := f.bindings[b.Message]
	switch {
	case f.has("the last body is bound", 3), f.has("a body is not bound", 3):
		bound = false
	case f.has("a binding reads first and writes then", 1):
		f.pause()
	}
	if !bound && !f.has("a body is not bound", 3) {
		body = b.Body
		f.bindings[b.Message] = body
	}
	return !bound || body == b.Body
}

// owned returns the event's record if it is the token's.
func (f *flawed) owned(h replay.Handle) (record, bool) {
	r, ok := f.events[h.Key]
	return r, ok && r.token == h.Token
}

func (f *flawed) Renew(_ context.Context, h replay.Handle, lease time.Duration) error {
	f.begin()
	defer f.mu.Unlock()
	r, ok := f.owned(h)
	switch {
	case !ok && f.has("a renewal brings a lost event back", 5):
		r.token, r.done = h.Token, false
	case !ok, r.done:
		return replay.ErrLost
	case f.has("a renewal has no effect", 2):
		return nil
	}
	r.ends = time.Now().Add(lease)
	f.put(h.Key, r)
	return nil
}

func (f *flawed) Commit(_ context.Context, h replay.Handle) error {
	f.begin()
	defer f.mu.Unlock()
	r, ok := f.owned(h)
	switch {
	case r != record{} && f.has("one that is not the owner commits", 3):
	case !ok:
		return replay.ErrLost
	case r.done && f.has("a second commit is lost", 1):
		return replay.ErrLost
	case f.has("a commit is lost", 3):
		return nil
	}
	r.done = true
	if f.has("a commit is written after the answer", 2) {
		f.later(func() { f.put(h.Key, r) })
	} else {
		f.put(h.Key, r)
	}
	if f.has("an answer is lost", 10) {
		return errors.New("timeout")
	}
	return nil
}

func (f *flawed) Release(_ context.Context, h replay.Handle) error {
	f.begin()
	defer f.mu.Unlock()
	r, ok := f.owned(h)
	ok = ok && (!r.done || f.has("a release frees a finished event", 2))
	ok = ok || f.has("one that is not the owner releases", 3)
	switch {
	case !ok, f.has("a release is lost", 3):
		return nil
	case f.has("a release is sent again", 2):
		f.later(func() { delete(f.events, h.Key) })
	}
	delete(f.events, h.Key)
	return nil
}

func (f *flawed) Forget(_ context.Context, k replay.Key) error {
	f.begin()
	defer f.mu.Unlock()
	r, ok := f.events[k]
	live := func() bool { return ok && !r.done && time.Now().Before(r.ends) }
	switch {
	case live() && f.has("an event that is held is forgotten", 3):
	case live() && f.has("a forget looks twice", 1):
		f.pause()
		if r, ok = f.events[k]; live() {
			return replay.ErrHeld
		}
		return nil
	case live():
		return replay.ErrHeld
	case ok && f.has("a finished event cannot be forgotten", 3):
		return replay.ErrHeld
	case f.has("a forget has no effect", 3):
		return nil
	}
	delete(f.events, k)
	return nil
}

// recorder is a test that goes on when it has failed.
type recorder struct {
	testing.TB
	failure string
}

func (r *recorder) Error(args ...any)                 { r.failure += fmt.Sprint(args...) }
func (r *recorder) Errorf(format string, args ...any) { r.failure += fmt.Sprintf(format, args...) }

// short is for leases that run out.
const short = 20 * time.Millisecond

func TestFlaws(t *testing.T) {
	t.Run("a store without one passes", func(t *testing.T) {
		for flaw, fault := range map[string]func(){
			"":                  nil,
			"an answer is lost": func() {},
			"an effect comes late and without an answer": func() {},
		} {
			for _, lease := range []time.Duration{0, short} {
				t.Run(fmt.Sprintf("%s, %v", flaw, lease), func(t *testing.T) {
					t.Parallel()
					linear.Check(t, []replay.Store{newFlawed(flaw)}, &linear.Options{Lease: lease, Fault: fault})
				})
			}
		}
	})

	// A flaw is found in few of the short histories; how many there are until then is
	// told with -v.
	t.Run("they are found", func(t *testing.T) {
		for flaw, lease := range map[string]time.Duration{
			"an event is acquired twice":                          0,
			"a finished event is acquired":                        0,
			"a claim reads first and writes then":                 0,
			"a claim reads an old copy":                           0,
			"a claim is written after the answer":                 0,
			"the owner is told that it is in flight":              0,
			"the fingerprint is the one of the last claim":        0,
			"a known event is before the floor":                   0,
			"a forged claim takes the event":                      0,
			"the last body is bound":                              0,
			"a body is not bound":                                 0,
			"a binding reads first and writes then":               0,
			"a renewal brings a lost event back":                  0,
			"a commit is lost":                                    0,
			"a commit is written after the answer":                0,
			"a second commit is lost":                             0,
			"one that is not the owner commits":                   0,
			"a release is lost":                                   0,
			"a release is sent again":                             0,
			"a release frees a finished event":                    0,
			"one that is not the owner releases":                  0,
			"an event that is held is forgotten":                  0,
			"a finished event cannot be forgotten":                0,
			"a forget has no effect":                              0,
			"a forget looks twice":                                0,
			"a lease ends early":                                  short,
			"a lease does not end":                                short,
			"the time left is the length of the lease":            short,
			"a renewal has no effect":                             short,
			"the second claim of an owner is no longer its lease": short,
		} {
			t.Run(flaw, func(t *testing.T) {
				r := &recorder{TB: t}
				linear.Check(r, []replay.Store{newFlawed(flaw)}, &linear.Options{Lease: lease, Duration: 10 * time.Second})
				first, _, _ := strings.Cut(r.failure, "\n")
				if !strings.Contains(first, "not linearizable") {
					t.Fatalf("it was not found: %q", r.failure)
				}
				t.Log(first)
			})
		}
	})
}
