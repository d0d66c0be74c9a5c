// Package replaytest is the contract of replay.Store in executable form.
//
// A store's test calls [Exercise], and that is all it takes:
//
//	func TestStore(t *testing.T) {
//		replaytest.Exercise(t, replaytest.Factory{
//			New: func(t *testing.T) replaytest.Store {
//				return replaytest.Store{Store: open(t)}
//			},
//		})
//	}
package replaytest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/verify/replay"
)

// Factory makes the stores that Exercise examines. What a store cannot do it
// leaves nil; the tests of it are then skipped, and say so.
type Factory struct {
	// New returns a store; it must be set. It is called once for each try of a
	// test and cleans up with t.Cleanup. The stores may share their records, with
	// each other and with anything else: no try uses a key that another could know.
	New func(t *testing.T) Store

	// NewBounded returns a store with records of its own and a small capacity,
	// some tens or hundreds, in Store.Records. Nil: the store has no bound that
	// a test could reach.
	NewBounded func(t *testing.T) Store

	// NewFloored returns a store with the given floor, a whole second. Nil: the
	// store has no floor, or none that can be set.
	NewFloored func(t *testing.T, floor time.Time) Store

	// Unit is the shortest lease, need and retention that is waited for. Zero is
	// 50 ms. A test that fails while the host took more than a unit beside what
	// was waited for has shown nothing: it is tried again with a unit twice as
	// long, up to ten seconds.
	Unit time.Duration
}

// Store is a store under test and its clock.
type Store struct {
	replay.Store

	// Advance lets at least d pass on the store's clock; it must not move the
	// clock of another store by much more than that takes. Nil: time.Sleep.
	Advance func(d time.Duration)

	// Records is how many records fill a store that NewBounded made: events and
	// bindings together.
	Records int
}

// Exercise examines the stores of f. Where it has to wait, it takes about a
// hundred units, divided among as many tests as may run in parallel.
func Exercise(t *testing.T, f Factory) {
	if f.Unit == 0 {
		f.Unit = 50 * time.Millisecond
	}
	if f.New == nil {
		t.Fatal("replaytest: Factory.New is nil")
	}
	for _, group := range []struct {
		name  string
		tests []test
		open  func(t *testing.T) Store
	}{
		{"life", life, f.New},
		{"time", timeTests, f.New},
		{"bindings", bindings, f.New},
		{"keys", keys, f.New},
		{"calls", calls, f.New},
		{"inspection", inspection, f.New},
		{"concurrency", concurrency, f.New},
		{"full", full, f.NewBounded},
		{"floor", floored, f.floor()},
	} {
		t.Run(group.name, func(t *testing.T) {
			if group.open == nil {
				t.Skip("the factory makes no such store")
			}
			for _, test := range group.tests {
				t.Run(test.name, func(t *testing.T) {
					if group.name == "time" || group.name == "inspection" {
						t.Parallel() // these mostly wait
					}
					examine(t, f.Unit, group.open, test.run)
				})
			}
		})
	}
}

// longestUnit is the one after which a test is not tried again.
const longestUnit = 10 * time.Second

// examine tries a test until the host was fast enough to show what the store does.
func examine(t *testing.T, unit time.Duration, open func(t *testing.T) Store, run func(e *suite)) {
	for ; ; unit *= 2 {
		e := &suite{T: t, Store: open(t), unit: unit, nonce: replay.NewToken()}
		if e.Advance == nil {
			e.Advance = time.Sleep
		}
		late := e.try(run)
		if e.skipped != "" {
			t.Skip(e.skipped)
		}
		if !e.failed.Load() {
			return
		}
		if late < unit || 2*unit > longestUnit {
			for _, failure := range e.failures {
				t.Error(failure)
			}
			return
		}
		t.Logf("the host took %v more than was waited for, too long for a unit of %v: once more", late, unit)
	}
}

// try runs a test to its end, or to its first fatal failure, and returns how much
// time went by on the store's clock that the test did not ask for. No test
// has less than a unit to spare before what it expects is over.
func (e *suite) try(run func(e *suite)) (late time.Duration) {
	begin := time.Now()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		run(e)
	}()
	<-ended
	return time.Since(begin) - e.waited
}

// theFloor is in the past, so that a store may take it for the time from which
// on it knows all.
var theFloor = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func (f Factory) floor() func(t *testing.T) Store {
	if f.NewFloored == nil {
		return nil
	}
	return func(t *testing.T) Store { return f.NewFloored(t, theFloor) }
}

type test struct {
	name string
	run  func(e *suite)
}

// suite is one try of one test of one store. It keeps its failures to itself until
// it is known whether they are the store's.
type suite struct {
	*testing.T
	Store
	unit   time.Duration
	nonce  replay.Token
	waited time.Duration // of real time, as much as was asked for

	failed   atomic.Bool
	mu       sync.Mutex
	failures []string
	skipped  string // why
}

// skip ends a test that does not concern the store.
func (e *suite) skip(why string) {
	e.skipped = why
	runtime.Goexit()
}

// Error notes a failure.
func (e *suite) Error(args ...any) { e.fail(fmt.Sprintln(args...)) }

// Errorf notes a failure.
func (e *suite) Errorf(format string, args ...any) { e.fail(fmt.Sprintf(format, args...)) }

// Fatal notes a failure and ends the try.
func (e *suite) Fatal(args ...any) {
	e.fail(fmt.Sprintln(args...))
	runtime.Goexit()
}

// Fatalf notes a failure and ends the try.
func (e *suite) Fatalf(format string, args ...any) {
	e.fail(fmt.Sprintf(format, args...))
	runtime.Goexit()
}

// Failed reports whether the try failed.
func (e *suite) Failed() bool { return e.failed.Load() }

// FailNow ends a try that failed.
func (e *suite) FailNow() {
	e.failed.Store(true)
	runtime.Goexit()
}

// fail notes a failure with the line of the test, which the testing package cannot
// see any more when it is told.
func (e *suite) fail(what string) {
	e.failed.Store(true)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.failures = append(e.failures, line()+strings.TrimSpace(what))
}

// line returns the file and line of the innermost function that is one of the
// tests, which are all function literals.
func line() string {
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		f, more := frames.Next()
		if strings.Contains(f.Function, ".init.func") || strings.Contains(f.Function, ".glob..func") {
			return fmt.Sprintf("%s:%d: ", filepath.Base(f.File), f.Line)
		}
		if !more {
			return ""
		}
	}
}

// wait lets n units pass.
func (e *suite) wait(n int) { e.pass(time.Duration(n) * e.unit) }

// pass lets d pass on the store's clock.
func (e *suite) pass(d time.Duration) {
	begin := time.Now()
	e.Advance(d)
	e.waited += min(d, time.Since(begin))
}

// units returns n units.
func (e *suite) units(n int) time.Duration { return time.Duration(n) * e.unit }

// event returns the event of a name, which is this suite's own.
func (e *suite) event(name string) replay.Event {
	return replay.Event{Endpoint: "exercise", Provider: "test", Scope: string(e.nonce[:]), ID: name}
}

func (e *suite) key(name string) replay.Key { return e.event(name).Key() }

// binding returns the binding of a message to a body.
func (e *suite) binding(message, body string) *replay.BodyBinding {
	from := replay.Event{Endpoint: "exercise", Provider: "test", Scope: string(e.nonce[:])}
	return &replay.BodyBinding{Message: from.MessageKey(message), Body: sha256.Sum256([]byte(body))}
}

// claim returns a claim on the event of a name by a new owner: needed, leased
// and kept for longer than a test takes.
func (e *suite) claim(name string) replay.Claim {
	return replay.Claim{
		Key:         e.key(name),
		Token:       replay.NewToken(),
		Lease:       time.Hour,
		Needed:      time.Hour,
		Retention:   time.Hour,
		Fingerprint: sha256.Sum256([]byte(name)),
	}
}

// probe returns a claim that asks about an event and prolongs nothing.
func (e *suite) probe(name string) replay.Claim {
	c := e.claim(name)
	c.Needed, c.Retention = 0, 0
	return c
}

func (e *suite) bound(name, message, body string) replay.Claim {
	c := e.claim(name)
	c.Binding = e.binding(message, body)
	return c
}

func handle(c replay.Claim) replay.Handle { return replay.Handle{Key: c.Key, Token: c.Token} }

// ask claims and checks what holds for every outcome.
func (e *suite) ask(c replay.Claim) (replay.Outcome, error) {
	e.Helper()
	o, err := e.Claim(e.Context(), c)
	switch {
	case err != nil:
		if o != (replay.Outcome{}) {
			e.Errorf("an outcome together with an error: %+v, %v", o, err)
		}
		return o, err
	case o.Status < replay.Acquired || o.Status > replay.BeforeFloor:
		e.Errorf("the outcome is invalid: %+v", o)
	case o.Lease != 0 && o.Status != replay.InFlight, o.Same && o.Status != replay.Done:
		e.Errorf("the outcome %v says more than it means: %+v", o.Status, o)
	case o.Status == replay.InFlight && o.Lease <= 0:
		e.Errorf("in flight with a lease of %v", o.Lease)
	}
	return o, err
}

// want claims and expects a status.
func (e *suite) want(c replay.Claim, s replay.Status, why string) replay.Outcome {
	e.Helper()
	o, err := e.ask(c)
	if err != nil {
		e.Fatalf("%s: Claim = %v, want %v", why, err, s)
	}
	if o.Status != s {
		e.Fatalf("%s: Claim = %v, want %v", why, o.Status, s)
	}
	return o
}

// acquire claims an event, which must be free.
func (e *suite) acquire(c replay.Claim) replay.Handle {
	e.Helper()
	e.want(c, replay.Acquired, "a free event")
	return handle(c)
}

// finish claims an event and commits it.
func (e *suite) finish(c replay.Claim) replay.Handle {
	e.Helper()
	h := e.acquire(c)
	e.commits(h, nil, "the owner")
	return h
}

func (e *suite) errors(what string, err, want error) {
	e.Helper()
	if !errors.Is(err, want) {
		e.Fatalf("%s = %v, want %v", what, err, want)
	}
}

func (e *suite) commits(h replay.Handle, want error, who string) {
	e.Helper()
	e.errors(who+": Commit", e.Commit(e.Context(), h), want)
}

func (e *suite) renews(h replay.Handle, lease time.Duration, want error, who string) {
	e.Helper()
	e.errors(who+": Renew", e.Renew(e.Context(), h, lease), want)
}

func (e *suite) releases(h replay.Handle, who string) {
	e.Helper()
	e.errors(who+": Release", e.Release(e.Context(), h), nil)
}

func (e *suite) forgets(k replay.Key, want error, what string) {
	e.Helper()
	e.errors(what+": Forget", e.Forget(e.Context(), k), want)
}

// life: claim, commit, release, forget.
var life = []test{
	{"an unknown event is acquired", func(e *suite) {
		e.acquire(e.claim("a"))
	}},
	{"a committed event is done", func(e *suite) {
		c := e.claim("a")
		e.finish(c)
		again := e.claim("a")
		if o := e.want(again, replay.Done, "a byte-identical repeat"); !o.Same {
			e.Error("the same fingerprint is not recognised")
		}
		again.Fingerprint = sha256.Sum256([]byte("signed anew"))
		if o := e.want(again, replay.Done, "a repeat signed anew"); o.Same {
			e.Error("another fingerprint passes for the same")
		}
		if o := e.want(c, replay.Done, "the owner itself"); !o.Same {
			e.Error("the owner's fingerprint is not recognised")
		}
		if o := e.want(e.claim("a"), replay.Done, "the original once more"); !o.Same {
			e.Error("a repeat replaced the fingerprint of what was handled")
		}
	}},
	{"a released event is acquired again", func(e *suite) {
		h := e.acquire(e.claim("a"))
		e.want(e.claim("a"), replay.InFlight, "before the release")
		e.releases(h, "the owner")
		e.acquire(e.claim("a"))
	}},
	{"a released event can be handled with another fingerprint", func(e *suite) {
		e.releases(e.acquire(e.claim("a")), "the owner")
		c := e.claim("a")
		c.Fingerprint = sha256.Sum256([]byte("signed anew"))
		e.finish(c)
		if o := e.want(c, replay.Done, "what was handled"); !o.Same {
			e.Error("the fingerprint of what was handled is not recognised")
		}
		if o := e.want(e.claim("a"), replay.Done, "what failed"); o.Same {
			e.Error("the fingerprint of what failed passes for the same")
		}
	}},
	{"an event in flight is refused with the time left", func(e *suite) {
		c := e.claim("a")
		c.Lease = time.Minute
		e.acquire(c)
		if o := e.want(e.claim("a"), replay.InFlight, "another owner"); o.Lease > time.Minute || o.Lease < 30*time.Second {
			e.Errorf("%v are left of a minute", o.Lease)
		}
	}},
	{"a refused claim changes nothing for the owner", func(e *suite) {
		h := e.acquire(e.claim("a"))
		other := e.claim("a")
		e.want(other, replay.InFlight, "another owner")
		e.commits(handle(other), replay.ErrLost, "who was refused")
		e.renews(handle(other), time.Hour, replay.ErrLost, "who was refused")
		e.releases(handle(other), "who was refused")
		e.want(e.claim("a"), replay.InFlight, "after a release by who was refused")
		e.renews(h, time.Hour, nil, "the owner")
		e.commits(h, nil, "the owner")
	}},
	{"the same token acquires again", func(e *suite) {
		c := e.claim("a")
		e.acquire(c)
		e.want(c, replay.Acquired, "the same claim, sent twice")
		e.want(e.claim("a"), replay.InFlight, "another token")
		e.commits(handle(c), nil, "the owner")
	}},
	{"a commit can be repeated", func(e *suite) {
		h := e.finish(e.claim("a"))
		e.commits(h, nil, "the owner, again")
		e.commits(replay.Handle{Key: h.Key, Token: replay.NewToken()}, replay.ErrLost, "somebody else")
		e.want(e.claim("a"), replay.Done, "after both")
	}},
	{"a release can be repeated", func(e *suite) {
		h := e.acquire(e.claim("a"))
		e.releases(h, "the owner")
		e.releases(h, "the owner, again")
		next := e.acquire(e.claim("a"))
		e.releases(h, "the former owner")
		e.want(e.claim("a"), replay.InFlight, "after a release by the former owner")
		e.commits(next, nil, "the owner")
	}},
	{"a release after the commit does nothing", func(e *suite) {
		h := e.finish(e.claim("a"))
		e.releases(h, "the owner")
		e.want(e.claim("a"), replay.Done, "after the release")
	}},
	{"a commit after the release is lost", func(e *suite) {
		h := e.acquire(e.claim("a"))
		e.releases(h, "the owner")
		e.commits(h, replay.ErrLost, "who released")
		e.renews(h, time.Hour, replay.ErrLost, "who released")
		e.acquire(e.claim("a"))
	}},
	{"a renewal after the commit is lost", func(e *suite) {
		c := e.claim("a")
		e.acquire(c)
		e.renews(handle(c), time.Hour, nil, "the owner")
		e.commits(handle(c), nil, "the owner")
		e.renews(handle(c), time.Hour, replay.ErrLost, "who committed")
		e.want(e.claim("a"), replay.Done, "after the renewal")
	}},
	{"an event that nobody claimed can be neither renewed nor committed", func(e *suite) {
		h := handle(e.claim("a"))
		e.renews(h, time.Hour, replay.ErrLost, "nobody")
		e.commits(h, replay.ErrLost, "nobody")
		e.releases(h, "nobody")
		e.acquire(e.claim("a"))
	}},
	{"a token owns one event alone", func(e *suite) {
		a, b := e.claim("a"), e.claim("b")
		e.acquire(a)
		e.acquire(b)
		e.commits(replay.Handle{Key: a.Key, Token: b.Token}, replay.ErrLost, "the owner of another event")
		e.commits(handle(a), nil, "the owner")
		e.want(e.claim("b"), replay.InFlight, "the other event")
	}},
	{"a forgotten event is acquired again", func(e *suite) {
		c := e.claim("a")
		h := e.finish(c)
		e.want(e.claim("a"), replay.Done, "before it is forgotten")
		e.forgets(c.Key, nil, "a finished event")
		e.commits(h, replay.ErrLost, "the owner of what is forgotten")
		e.acquire(e.claim("a"))
	}},
	{"an event in flight is not forgotten", func(e *suite) {
		c := e.claim("a")
		e.acquire(c)
		e.forgets(c.Key, replay.ErrHeld, "an event in flight")
		e.want(e.claim("a"), replay.InFlight, "after that")
		e.commits(handle(c), nil, "the owner")
		e.forgets(c.Key, nil, "a finished event")
		e.acquire(e.claim("a"))
	}},
	{"an unknown event is forgotten without an error", func(e *suite) {
		e.finish(e.claim("b"))
		e.forgets(e.key("a"), nil, "an unknown event")
		e.forgets(e.key("a"), nil, "an unknown event, again")
		e.want(e.claim("b"), replay.Done, "another event")
	}},
}

// timeTests: leases, needs and retentions run out.
var timeTests = []test{
	{"a lease that ran out is taken over", func(e *suite) {
		c := e.claim("a")
		c.Lease = e.units(2)
		e.acquire(c)
		if o := e.want(e.claim("a"), replay.InFlight, "at once"); o.Lease > c.Lease {
			e.Errorf("%v are left of %v", o.Lease, c.Lease)
		}
		e.wait(2)
		e.acquire(e.claim("a"))
		e.want(e.claim("a"), replay.InFlight, "after the takeover")
	}},
	{"a lease lasts to its end", func(e *suite) {
		c := e.claim("a")
		c.Lease = e.units(4)
		e.acquire(c)
		e.wait(2)
		if o := e.want(e.claim("a"), replay.InFlight, "in its middle"); o.Lease > e.units(2) {
			e.Errorf("%v are left of half of %v", o.Lease, c.Lease)
		}
		e.wait(2)
		e.acquire(e.claim("a"))
	}},
	{"the former owner is told that it lost", func(e *suite) {
		c := e.claim("a")
		c.Lease = e.unit
		former := e.acquire(c)
		e.wait(1)
		owner := e.acquire(e.claim("a"))
		e.renews(former, time.Hour, replay.ErrLost, "the former owner")
		e.commits(former, replay.ErrLost, "the former owner")
		e.want(e.claim("a"), replay.InFlight, "after a commit by the former owner")
		e.renews(owner, time.Hour, nil, "the owner")
		e.commits(owner, nil, "the owner")
		e.commits(former, replay.ErrLost, "the former owner, after the commit")
	}},
	{"the former owner stays lost when the taker's lease ran out, too", func(e *suite) {
		c := e.claim("a")
		c.Lease = e.unit
		former := e.acquire(c)
		e.wait(1)
		taker := e.claim("a")
		taker.Lease = e.unit
		owner := e.acquire(taker)
		e.wait(1)
		e.renews(former, time.Hour, replay.ErrLost, "the former owner")
		e.commits(former, replay.ErrLost, "the former owner")
		e.releases(former, "the former owner")
		e.renews(owner, e.unit, nil, "the taker, whom nobody replaced")
		e.wait(1)
		e.commits(owner, nil, "the taker, whom nobody replaced")
		e.commits(former, replay.ErrLost, "the former owner, after the commit")
		e.want(e.claim("a"), replay.Done, "in the end")
	}},
	{"a release by the former owner frees nothing", func(e *suite) {
		c := e.claim("a")
		c.Lease = e.unit
		former := e.acquire(c)
		e.wait(1)
		owner := e.acquire(e.claim("a"))
		e.releases(former, "the former owner")
		e.want(e.claim("a"), replay.InFlight, "after a release by the former owner")
		e.releases(owner, "the owner")
		e.acquire(e.claim("a"))
	}},
	{"a former owner that claims again waits for the owner", func(e *suite) {
		c := e.claim("a")
		c.Lease = e.unit
		e.acquire(c)
		e.wait(1)
		e.acquire(e.claim("a"))
		e.want(c, replay.InFlight, "the former owner")
	}},
	{"the takeover's fingerprint is the one that was handled", func(e *suite) {
		c := e.claim("a")
		c.Lease = e.unit
		e.acquire(c)
		e.wait(1)
		next := e.claim("a")
		next.Fingerprint = sha256.Sum256([]byte("signed anew"))
		e.finish(next)
		if o := e.want(next, replay.Done, "what was handled"); !o.Same {
			e.Error("the fingerprint of what was handled is not recognised")
		}
		if o := e.want(c, replay.Done, "what was lost"); o.Same {
			e.Error("the fingerprint of what was lost passes for the same")
		}
	}},
	{"an owner whose lease ran out commits if nobody took over", func(e *suite) {
		c := e.claim("a")
		c.Lease = e.unit
		e.acquire(c)
		e.wait(2)
		e.commits(handle(c), nil, "the owner")
		e.want(e.claim("a"), replay.Done, "after that")
	}},
	{"an owner whose lease ran out renews if nobody took over", func(e *suite) {
		c := e.claim("a")
		c.Lease = e.unit
		e.acquire(c)
		e.wait(2)
		e.renews(handle(c), time.Hour, nil, "the owner")
		e.want(e.claim("a"), replay.InFlight, "after that")
		e.commits(handle(c), nil, "the owner")
	}},
	{"an owner whose lease ran out acquires again if nobody took over", func(e *suite) {
		c := e.claim("a")
		c.Lease = e.unit
		e.acquire(c)
		e.wait(2)
		c.Lease = time.Hour
		e.want(c, replay.Acquired, "the owner")
		e.want(e.claim("a"), replay.InFlight, "after that")
	}},
	{"the same token gets a fresh lease", func(e *suite) {
		c := e.claim("a")
		c.Lease = e.units(2)
		e.acquire(c)
		e.wait(1)
		c.Lease = e.units(4)
		e.want(c, replay.Acquired, "the same token")
		e.wait(2)
		e.want(e.claim("a"), replay.InFlight, "within the fresh lease")
		e.wait(2)
		e.acquire(e.claim("a"))
	}},
	{"a renewal moves the end of the lease", func(e *suite) {
		c := e.claim("a")
		c.Lease = e.units(2)
		h := e.acquire(c)
		e.wait(1)
		e.renews(h, e.units(4), nil, "the owner")
		e.wait(2)
		if o := e.want(e.claim("a"), replay.InFlight, "within the new lease"); o.Lease > e.units(2) {
			e.Errorf("%v are left of half of %v", o.Lease, e.units(4))
		}
		e.wait(2)
		e.acquire(e.claim("a"))
	}},
	{"a renewal may shorten the lease", func(e *suite) {
		h := e.acquire(e.claim("a"))
		e.renews(h, e.unit, nil, "the owner")
		e.wait(1)
		e.acquire(e.claim("a"))
	}},
	{"an event whose owner is gone can be forgotten", func(e *suite) {
		c := e.claim("a")
		c.Lease = e.unit
		e.acquire(c)
		e.forgets(c.Key, replay.ErrHeld, "during the lease")
		e.wait(1)
		e.forgets(c.Key, nil, "after the lease")
		e.commits(handle(c), replay.ErrLost, "the owner of what is forgotten")
		e.acquire(e.claim("a"))
	}},
	{"a finished event outlives its lease", func(e *suite) {
		c := e.claim("a")
		c.Lease = e.unit
		e.finish(c)
		e.wait(2)
		e.want(e.claim("a"), replay.Done, "after the lease")
	}},
	{"a finished event is forgotten at the end of its retention", func(e *suite) {
		c := e.probe("a")
		c.Retention = e.units(4)
		e.finish(c)
		e.wait(2)
		e.want(e.probe("a"), replay.Done, "in the middle of the retention")
		e.wait(2)
		e.commits(handle(c), replay.ErrLost, "the owner of what is forgotten")
		e.acquire(e.claim("a"))
	}},
	{"the retention begins with the commit", func(e *suite) {
		c := e.probe("a")
		c.Retention = e.units(3)
		h := e.acquire(c)
		e.wait(2)
		e.commits(h, nil, "the owner")
		e.wait(2)
		e.want(e.probe("a"), replay.Done, "longer after the claim than the retention")
		e.wait(1)
		e.acquire(e.claim("a"))
	}},
	{"a finished event is kept as long as it is needed", func(e *suite) {
		c := e.claim("a")
		c.Needed, c.Retention = e.units(4), e.unit
		e.finish(c)
		e.wait(2)
		e.want(e.probe("a"), replay.Done, "longer after the commit than the retention")
		e.wait(2)
		e.acquire(e.claim("a"))
	}},
	{"a repeat of a finished event extends its need", func(e *suite) {
		c := e.probe("a")
		c.Needed = e.units(3)
		e.finish(c)
		e.wait(2)
		e.want(c, replay.Done, "a repeat")
		e.wait(2)
		e.want(e.probe("a"), replay.Done, "longer after the first arrival than it was needed for")
		e.wait(1)
		e.acquire(e.claim("a"))
	}},
	{"a repeat of an event in flight extends its need", func(e *suite) {
		c := e.probe("a")
		c.Needed = e.unit
		e.acquire(c)
		again := e.probe("a")
		again.Needed = e.units(4)
		e.want(again, replay.InFlight, "a repeat")
		e.commits(handle(c), nil, "the owner")
		e.wait(2)
		e.want(e.probe("a"), replay.Done, "longer after the first arrival than it was needed for")
		e.wait(2)
		e.acquire(e.claim("a"))
	}},
	{"a takeover does not shorten the need", func(e *suite) {
		c := e.probe("a")
		c.Lease, c.Needed = e.unit, e.units(5)
		e.acquire(c)
		e.wait(1)
		e.finish(e.probe("a"))
		e.wait(2)
		e.want(e.probe("a"), replay.Done, "while the first arrival is needed")
		e.wait(2)
		e.acquire(e.claim("a"))
	}},
	{"a repeat with a shorter need shortens nothing", func(e *suite) {
		c := e.probe("a")
		c.Needed = e.units(4)
		e.finish(c)
		e.want(e.probe("a"), replay.Done, "a repeat that is not needed")
		e.wait(2)
		e.want(e.probe("a"), replay.Done, "while the first arrival is needed")
		e.wait(2)
		e.acquire(e.claim("a"))
	}},
	{"a binding lasts as long as it is needed, however long its event is kept", func(e *suite) {
		c := e.bound("a", "m", "body")
		c.Needed = e.units(4)
		e.finish(c)
		e.wait(2)
		e.want(e.bound("b", "m", "other"), replay.Forged, "while it is needed")
		e.wait(2)
		e.acquire(e.bound("b", "m", "other"))
		e.want(e.bound("a", "m", "body"), replay.Forged, "the body that was bound before")
		e.want(e.probe("a"), replay.Done, "the event, which is kept")
	}},
	{"a repeat extends the binding", func(e *suite) {
		c := e.bound("a", "m", "body")
		c.Needed, c.Retention = e.units(3), 0
		e.finish(c)
		e.wait(2)
		e.want(c, replay.Done, "a repeat")
		e.wait(2)
		e.want(e.bound("b", "m", "other"), replay.Forged, "longer after the first arrival than it was needed for")
		e.wait(1)
		e.acquire(e.bound("b", "m", "other"))
	}},
	{"a forged repeat extends nothing", func(e *suite) {
		c := e.bound("a", "m", "body")
		c.Needed, c.Retention = e.units(3), 0
		e.finish(c)
		e.wait(2)
		forged := c
		forged.Binding = e.binding("m", "other")
		e.want(forged, replay.Forged, "another body")
		e.wait(1)
		e.acquire(e.probe("a"))
		e.acquire(e.bound("b", "m", "other"))
	}},
}

var bindings = []test{
	{"the same body passes", func(e *suite) {
		e.acquire(e.bound("a", "m", "body"))
		e.want(e.bound("a", "m", "body"), replay.InFlight, "a repeat")
		e.acquire(e.bound("b", "m", "body"))
	}},
	{"another body is forged while the event is in flight", func(e *suite) {
		h := e.acquire(e.bound("a", "m", "body"))
		e.want(e.bound("a", "m", "other"), replay.Forged, "another body")
		e.want(e.bound("a", "m", "body"), replay.InFlight, "the same body")
		e.commits(h, nil, "the owner")
	}},
	{"another body is forged when the event is done", func(e *suite) {
		e.finish(e.bound("a", "m", "body"))
		e.want(e.bound("a", "m", "other"), replay.Forged, "another body")
		e.want(e.bound("a", "m", "body"), replay.Done, "the same body")
	}},
	{"another body is forged after the release", func(e *suite) {
		e.releases(e.acquire(e.bound("a", "m", "body")), "the owner")
		e.want(e.bound("a", "m", "other"), replay.Forged, "another body")
		e.acquire(e.bound("a", "m", "body"))
	}},
	{"another body is forged after the event is forgotten", func(e *suite) {
		c := e.bound("a", "m", "body")
		e.finish(c)
		e.forgets(c.Key, nil, "the event")
		e.want(e.bound("a", "m", "other"), replay.Forged, "another body")
		e.acquire(e.bound("a", "m", "body"))
	}},
	{"another body is forged under the owner's token", func(e *suite) {
		c := e.bound("a", "m", "body")
		e.acquire(c)
		c.Binding = e.binding("m", "other")
		e.want(c, replay.Forged, "another body")
		e.commits(handle(c), nil, "the owner")
	}},
	{"another body is forged for another event", func(e *suite) {
		e.acquire(e.bound("a", "m", "body"))
		e.want(e.bound("b", "m", "other"), replay.Forged, "another body")
		e.acquire(e.claim("b"))
	}},
	{"another body stays forged", func(e *suite) {
		e.acquire(e.bound("a", "m", "body"))
		e.want(e.bound("b", "m", "other"), replay.Forged, "another body")
		e.want(e.bound("b", "m", "other"), replay.Forged, "another body, again")
		e.acquire(e.bound("b", "m", "body"))
	}},
	{"another message may have another body", func(e *suite) {
		e.finish(e.bound("a", "m", "body"))
		e.want(e.bound("a", "n", "other"), replay.Done, "another message of the event")
		e.want(e.bound("a", "n", "body"), replay.Forged, "the first body under the other message")
	}},
	{"a claim that finds the event done binds all the same", func(e *suite) {
		e.finish(e.claim("a"))
		e.want(e.bound("a", "m", "body"), replay.Done, "the first with a binding")
		e.want(e.bound("b", "m", "other"), replay.Forged, "another body")
		e.acquire(e.bound("b", "m", "body"))
	}},
	{"a claim that finds the event in flight binds all the same", func(e *suite) {
		e.acquire(e.claim("a"))
		e.want(e.bound("a", "m", "body"), replay.InFlight, "the first with a binding")
		e.want(e.bound("b", "m", "other"), replay.Forged, "another body")
		e.acquire(e.bound("b", "m", "body"))
	}},
	{"a forged claim does not touch the event", func(e *suite) {
		c := e.bound("a", "m", "body")
		e.finish(c)
		forged := e.bound("a", "m", "other")
		forged.Fingerprint = sha256.Sum256([]byte("forged"))
		e.want(forged, replay.Forged, "another body")
		e.commits(handle(forged), replay.ErrLost, "the forger")
		e.releases(handle(forged), "the forger")
		if o := e.want(e.claim("a"), replay.Done, "after that"); !o.Same {
			e.Error("the forger's fingerprint replaced the owner's")
		}
		e.want(e.bound("b", "m", "other"), replay.Forged, "another body")
		e.acquire(e.claim("b"))
	}},
	{"a binding is not an event", func(e *suite) {
		c := e.bound("a", "m", "body")
		e.acquire(c)
		message := handle(c)
		message.Key = c.Binding.Message
		e.forgets(message.Key, nil, "the message")
		e.commits(message, replay.ErrLost, "the owner, of the message")
		e.releases(message, "the owner, of the message")
		e.want(e.bound("b", "m", "other"), replay.Forged, "another body")
		e.acquire(e.bound("b", "m", "body"))
	}},
}

var keys = []test{
	{"events that differ in one part are apart", func(e *suite) {
		base := e.event("a")
		base.Partition = "p"
		others := map[string]replay.Event{"itself": base}
		change := func(what string, f func(*replay.Event)) {
			other := base
			f(&other)
			others[what] = other
		}
		change("the endpoint", func(o *replay.Event) { o.Endpoint += "2" })
		change("the provider", func(o *replay.Event) { o.Provider += "2" })
		change("the scope", func(o *replay.Event) { o.Scope += "2" })
		change("the id", func(o *replay.Event) { o.ID += "2" })
		change("the partition", func(o *replay.Event) { o.Partition += "2" })
		change("no partition", func(o *replay.Event) { o.Partition = "" })
		change("no id", func(o *replay.Event) { o.ID = "" })
		change("no id and another fingerprint", func(o *replay.Event) { o.ID, o.Fingerprint[0] = "", 1 })
		change("an id that reads like a fingerprint", func(o *replay.Event) { o.ID = string(make([]byte, 32)) })
		e.apart(others)
	}},
	{"the border between two parts counts", func(e *suite) {
		nonce := string(e.nonce[:])
		others := map[string]replay.Event{
			"ab|c|d": {Endpoint: nonce + "ab", Provider: "c", Scope: "d", ID: "x"},
			"a|bc|d": {Endpoint: nonce + "a", Provider: "bc", Scope: "d", ID: "x"},
			"a|b|cd": {Endpoint: nonce + "a", Provider: "b", Scope: "cd", ID: "x"},
			"abcd||": {Endpoint: nonce + "abcd", ID: "x"},
			"abcdx|": {Endpoint: nonce + "abcd", ID: "", Partition: "x"},
			"x0":     {Endpoint: nonce, ID: "x\x00y"},
			"x0y":    {Endpoint: nonce, ID: "x", Partition: "\x00y"},
			"y":      {Endpoint: nonce, ID: "x\x00", Partition: "y"},
		}
		e.apart(others)
	}},
	{"the fingerprint is the key only where there is no id", func(e *suite) {
		a := e.event("a")
		b := a
		b.Fingerprint[0] = 1
		c := e.claim("")
		c.Key = a.Key()
		e.acquire(c)
		c.Key, c.Token = b.Key(), replay.NewToken()
		e.want(c, replay.InFlight, "the same id with another fingerprint")
	}},
	{"long parts count to their last byte", func(e *suite) {
		for _, n := range []int{255, 256, 257, 4096} {
			long := strings.Repeat("x", n-1)
			base := e.event(long + "a")
			base.Partition = long + "a"
			others := map[string]replay.Event{"itself": base}
			change := func(what string, f func(*replay.Event)) {
				other := base
				f(&other)
				others[what] = other
			}
			change("the id", func(o *replay.Event) { o.ID = long + "b" })
			change("a shorter id", func(o *replay.Event) { o.ID = long })
			change("the partition", func(o *replay.Event) { o.Partition = long + "b" })
			change("a longer endpoint", func(o *replay.Event) { o.Endpoint = long + "a" })
			change("another long endpoint", func(o *replay.Event) { o.Endpoint = long + "b" })
			change("a longer scope", func(o *replay.Event) { o.Scope += long + "a" })
			change("another long scope", func(o *replay.Event) { o.Scope += long + "b" })
			e.apart(others)
		}
	}},
	{"many events are apart", func(e *suite) {
		const n = 200
		for i := range n {
			e.finish(e.claim(fmt.Sprint(i)))
		}
		for i := range n {
			if o := e.want(e.claim(fmt.Sprint(i)), replay.Done, "each"); !o.Same {
				e.Errorf("event %d has the fingerprint of another", i)
			}
		}
		e.acquire(e.claim("another"))
	}},
}

// apart expects that all events can be acquired, and each only once.
func (e *suite) apart(events map[string]replay.Event) {
	for name, event := range events {
		c := e.claim(name)
		c.Key = event.Key()
		e.want(c, replay.Acquired, name)
		c.Token = replay.NewToken()
		e.want(c, replay.InFlight, name+", again")
	}
}

var calls = []test{
	{"a cancelled call is an error and does nothing", func(e *suite) {
		ctx, cancel := context.WithCancel(e.Context())
		cancel()
		refused := func(what string, err error) {
			e.Helper()
			if err == nil {
				e.Fatalf("%s with a cancelled context succeeds", what)
			}
			for _, decision := range []error{replay.ErrLost, replay.ErrHeld, replay.ErrFull} {
				if errors.Is(err, decision) {
					e.Fatalf("%s with a cancelled context = %v", what, err)
				}
			}
		}

		c := e.bound("a", "m", "body")
		o, err := e.Claim(ctx, c)
		refused("Claim", err)
		if o != (replay.Outcome{}) {
			e.Errorf("an outcome together with an error: %+v", o)
		}
		e.commits(handle(c), replay.ErrLost, "who was cancelled")
		h := e.acquire(e.bound("a", "m", "other"))

		refused("Renew", e.Renew(ctx, h, time.Nanosecond))
		refused("Release", e.Release(ctx, h))
		e.want(e.claim("a"), replay.InFlight, "after a release that was cancelled")
		refused("Commit", e.Commit(ctx, h))
		e.want(e.claim("a"), replay.InFlight, "after a commit that was cancelled")
		e.commits(h, nil, "the owner")
		refused("Forget", e.Forget(ctx, h.Key))
		e.want(e.claim("a"), replay.Done, "after all")
	}},
	{"a lease that is not positive is an error and claims nothing", func(e *suite) {
		for _, lease := range []time.Duration{0, -1, math.MinInt64} {
			c := e.claim("a")
			c.Lease = lease
			if o, err := e.ask(c); err == nil {
				e.Fatalf("a claim for %v: %v", lease, o.Status)
			}
			e.commits(handle(c), replay.ErrLost, "who claimed without a lease")
		}
		h := e.acquire(e.claim("a"))
		for _, lease := range []time.Duration{0, -1, math.MinInt64} {
			if err := e.Renew(e.Context(), h, lease); err == nil {
				e.Fatalf("a renewal for %v succeeds", lease)
			}
		}
		e.want(e.claim("a"), replay.InFlight, "after that")
		e.commits(h, nil, "the owner")
	}},
	{"durations without end do not overflow", func(e *suite) {
		c := e.bound("a", "m", "body")
		c.Lease, c.Needed, c.Retention = math.MaxInt64, math.MaxInt64, math.MaxInt64
		h := e.acquire(c)
		e.wait(1)
		e.want(e.claim("a"), replay.InFlight, "for ever")
		e.renews(h, math.MaxInt64, nil, "the owner")
		e.want(e.claim("a"), replay.InFlight, "for ever")
		e.commits(h, nil, "the owner")
		e.wait(1)
		e.want(e.bound("a", "m", "body"), replay.Done, "for ever")
		e.want(e.bound("b", "m", "other"), replay.Forged, "for ever")
		e.forgets(c.Key, nil, "the event")
		e.acquire(e.claim("a"))
	}},
	{"a negative duration counts as none", func(e *suite) {
		c := e.bound("a", "m", "body")
		c.Needed, c.Retention = math.MinInt64, e.units(4)
		e.finish(c)
		c = e.bound("b", "n", "body")
		c.Needed, c.Retention = e.units(4), math.MinInt64
		e.finish(c)
		again := e.probe("a")
		again.Needed, again.Retention = math.MinInt64, math.MinInt64
		e.want(again, replay.Done, "a repeat")
		e.wait(2)
		e.want(e.probe("a"), replay.Done, "within its retention")
		e.want(e.probe("b"), replay.Done, "while it is needed")
		e.want(e.bound("c", "n", "other"), replay.Forged, "while it is needed")
		e.acquire(e.bound("c", "m", "other"))
	}},
}

// crowd is the number of goroutines that meet.
const crowd = 64

// together runs f crowd times at once.
func together(f func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range crowd {
		wg.Go(func() {
			<-start
			f(i)
		})
	}
	close(start)
	wg.Wait()
}

// meet sends a crowd of claims and returns the outcomes by status.
func (e *suite) meet(claim func(i int) replay.Claim) map[replay.Status][]replay.Claim {
	e.Helper()
	var mu sync.Mutex
	all := make(map[replay.Status][]replay.Claim)
	together(func(i int) {
		c := claim(i)
		o, err := e.ask(c)
		if err != nil {
			e.Errorf("Claim = %v", err)
		}
		mu.Lock()
		defer mu.Unlock()
		all[o.Status] = append(all[o.Status], c)
	})
	if e.Failed() {
		e.FailNow()
	}
	return all
}

var concurrency = []test{
	{"one of many claims acquires", func(e *suite) {
		for round := range 32 {
			name := fmt.Sprint(round)
			claim := func(int) replay.Claim { return e.claim(name) }
			got := e.meet(claim)
			if len(got[replay.Acquired]) != 1 || len(got[replay.InFlight]) != crowd-1 {
				e.Fatalf("of %d claims %d acquired, %d met one in flight", crowd, len(got[replay.Acquired]), len(got[replay.InFlight]))
			}
			owner := handle(got[replay.Acquired][0])
			if round%2 == 0 {
				e.commits(owner, nil, "the owner")
				if got := e.meet(claim); len(got[replay.Done]) != crowd {
					e.Fatalf("of %d claims on a finished event %d found it done", crowd, len(got[replay.Done]))
				}
				continue
			}
			e.releases(owner, "the owner")
			got = e.meet(claim)
			if len(got[replay.Acquired]) != 1 || len(got[replay.InFlight]) != crowd-1 {
				e.Fatalf("after a release: of %d claims %d acquired, %d met one in flight", crowd, len(got[replay.Acquired]), len(got[replay.InFlight]))
			}
		}
	}},
	{"an event has one owner at a time and is committed once", func(e *suite) {
		for round := range 8 {
			name := fmt.Sprint(round)
			var running, committed atomic.Int32
			var last atomic.Int64 // when somebody acquired
			last.Store(time.Now().UnixNano())
			together(func(i int) {
				random := rand.New(rand.NewPCG(uint64(round), uint64(i)))
				for committed.Load() == 0 && !e.Failed() {
					if time.Since(time.Unix(0, last.Load())) > 30*time.Second {
						e.Error("nobody acquires an event that nobody holds")
						return
					}
					c := e.claim(name)
					o, err := e.ask(c)
					if err != nil {
						e.Errorf("Claim = %v", err)
					}
					if o.Status != replay.Acquired {
						continue
					}
					last.Store(time.Now().UnixNano())
					if running.Add(1) != 1 {
						e.Error("an event has two owners")
					}
					if committed.Load() != 0 {
						e.Error("a committed event is acquired")
					}
					commit := random.IntN(4) == 0
					if commit {
						committed.Add(1)
					}
					running.Add(-1)
					if commit {
						err = e.Commit(e.Context(), handle(c))
					} else {
						err = e.Release(e.Context(), handle(c))
					}
					if err != nil {
						e.Errorf("the owner cannot settle: %v", err)
					}
				}
			})
			if n := committed.Load(); n != 1 {
				e.Fatalf("the event was committed %d times", n)
			}
			e.want(e.claim(name), replay.Done, "in the end")
		}
	}},
	{"one of many claims takes over", func(e *suite) {
		c := e.claim("a")
		c.Lease = e.unit
		former := e.acquire(c)
		e.wait(1)
		got := e.meet(func(int) replay.Claim { return e.claim("a") })
		if len(got[replay.Acquired]) != 1 || len(got[replay.InFlight]) != crowd-1 {
			e.Fatalf("of %d claims %d took over, %d met one in flight", crowd, len(got[replay.Acquired]), len(got[replay.InFlight]))
		}
		e.commits(former, replay.ErrLost, "the former owner")
		e.commits(handle(got[replay.Acquired][0]), nil, "the owner")
	}},
	{"either a late commit or a takeover wins", func(e *suite) {
		c := e.claim("a")
		c.Lease = e.unit
		owner := e.acquire(c)
		e.wait(1)
		var late error
		var status [crowd]replay.Status
		together(func(i int) {
			if i == 0 {
				late = e.Commit(e.Context(), owner)
				return
			}
			o, err := e.ask(e.claim("a"))
			if err != nil {
				e.Errorf("Claim = %v", err)
			}
			status[i] = o.Status
		})
		count := make(map[replay.Status]int)
		for _, s := range status[1:] {
			count[s]++
		}
		switch {
		case late == nil && count[replay.Done] == crowd-1:
		case errors.Is(late, replay.ErrLost) && count[replay.Acquired] == 1 && count[replay.InFlight] == crowd-2:
		default:
			e.Fatalf("Commit = %v, and the claims: %v", late, count)
		}
	}},
	{"the same token acquires from many connections", func(e *suite) {
		c := e.claim("a")
		if got := e.meet(func(int) replay.Claim { return c }); len(got[replay.Acquired]) != crowd {
			e.Fatalf("of %d equal claims %d acquired", crowd, len(got[replay.Acquired]))
		}
		e.commits(handle(c), nil, "the owner")
	}},
	{"one of many bodies is bound", func(e *suite) {
		for round := range 16 {
			message := fmt.Sprint("m", round)
			got := e.meet(func(i int) replay.Claim { return e.bound("a"+message, message, fmt.Sprint("body", i)) })
			if len(got[replay.Acquired]) != 1 || len(got[replay.Forged]) != crowd-1 {
				e.Fatalf("of %d bodies %d acquired, %d are forged", crowd, len(got[replay.Acquired]), len(got[replay.Forged]))
			}
		}
	}},
	{"one of two bodies is bound for all events", func(e *suite) {
		for round := range 16 {
			message := fmt.Sprint("m", round)
			got := e.meet(func(i int) replay.Claim {
				return e.bound(fmt.Sprint(message, "-", i), message, fmt.Sprint("body", i%2))
			})
			if len(got[replay.Acquired]) != crowd/2 || len(got[replay.Forged]) != crowd/2 {
				e.Fatalf("of %d claims with two bodies %d acquired, %d are forged", crowd, len(got[replay.Acquired]), len(got[replay.Forged]))
			}
			for _, c := range got[replay.Acquired] {
				if c.Binding.Body != got[replay.Acquired][0].Binding.Body {
					e.Fatal("two bodies are bound to one message")
				}
			}
		}
	}},
	{"different events do not get in each other's way", func(e *suite) {
		together(func(i int) {
			for j := range 8 {
				name := fmt.Sprint(i, "-", j)
				c := e.claim(name)
				if o, err := e.ask(c); err != nil || o.Status != replay.Acquired {
					e.Errorf("Claim = %v, %v", o.Status, err)
				}
				if err := e.Commit(e.Context(), handle(c)); err != nil {
					e.Errorf("Commit = %v", err)
				}
				if o, err := e.ask(e.claim(name)); err != nil || o.Status != replay.Done || !o.Same {
					e.Errorf("Claim = %+v, %v", o, err)
				}
			}
		})
	}},
}

// fill finishes events until the store is full.
func (e *suite) fill(claim func(i int) replay.Claim) {
	e.Helper()
	if e.Records < 16 {
		e.Fatalf("a bounded store of %d records is too small for the tests", e.Records)
	}
	for i := range e.Records {
		e.finish(claim(i))
	}
}

// full expects ErrFull.
func (e *suite) full(c replay.Claim, why string) {
	e.Helper()
	o, err := e.ask(c)
	if !errors.Is(err, replay.ErrFull) {
		e.Fatalf("%s: Claim = %v, %v, want %v", why, o.Status, err, replay.ErrFull)
	}
}

var full = []test{
	{"kept events make way, the oldest first", func(e *suite) {
		e.fill(func(i int) replay.Claim {
			e.pass(e.unit / 100)
			c := e.claim(fmt.Sprint(i))
			c.Needed = e.unit
			return c
		})
		e.wait(1)
		fresh := e.Records / 4
		for i := range fresh {
			e.acquire(e.claim(fmt.Sprint("new", i)))
		}
		// The newest are asked about first, because asking about one that is
		// gone makes it new.
		for i := e.Records - 1; i >= fresh; i-- {
			e.want(e.probe(fmt.Sprint(i)), replay.Done, fmt.Sprintf("event %d of %d, after %d new ones", i, e.Records, fresh))
		}
		for i := range fresh {
			e.want(e.claim(fmt.Sprint(i)), replay.Acquired, fmt.Sprintf("event %d of %d, after %d new ones", i, e.Records, fresh))
		}
		for i := range fresh {
			e.want(e.claim(fmt.Sprint("new", i)), replay.InFlight, "a new event")
		}
	}},
	{"a repeat keeps an event from being dropped", func(e *suite) {
		e.fill(func(i int) replay.Claim {
			c := e.claim(fmt.Sprint(i))
			c.Needed = e.unit
			return c
		})
		e.wait(1)
		e.want(e.claim("0"), replay.Done, "a repeat")
		for i := range e.Records - 1 {
			e.acquire(e.claim(fmt.Sprint("new", i)))
		}
		e.full(e.claim("one more"), "all are needed")
		e.want(e.claim("0"), replay.Done, "the event that was repeated")
	}},
	{"needed events are never dropped", func(e *suite) {
		e.fill(func(i int) replay.Claim {
			c := e.claim(fmt.Sprint(i))
			c.Needed = e.units(8) + time.Duration(i)
			return c
		})
		for i := range e.Records {
			e.full(e.claim(fmt.Sprint("new", i)), "all are needed")
		}
		for i := range e.Records {
			e.want(e.probe(fmt.Sprint(i)), replay.Done, "in the full store")
		}
		e.wait(9)
		for i := range e.Records {
			e.acquire(e.claim(fmt.Sprint("new", i)))
		}
	}},
	{"events in flight are never dropped", func(e *suite) {
		handles := make([]replay.Handle, e.Records)
		for i := range handles {
			c := e.probe(fmt.Sprint(i))
			c.Lease = e.units(8) + time.Duration(i)
			handles[i] = e.acquire(c)
		}
		e.full(e.claim("new"), "all are in flight")
		for i := range handles {
			e.want(e.probe(fmt.Sprint(i)), replay.InFlight, "in the full store")
		}
		for _, h := range handles[len(handles)/2:] {
			e.renews(h, time.Hour, nil, "the owner")
		}
		e.wait(9)
		for i := range len(handles) / 2 {
			e.acquire(e.claim(fmt.Sprint("new", i)))
		}
		e.full(e.claim("new"), "all are in flight or needed")
		for _, h := range handles[len(handles)/2:] {
			e.commits(h, nil, "the owner")
		}
	}},
	{"an event that was needed in flight is needed when it is done", func(e *suite) {
		e.fill(func(i int) replay.Claim {
			c := e.claim(fmt.Sprint(i))
			c.Lease = e.unit
			return c
		})
		e.wait(2)
		e.full(e.claim("new"), "all are needed")
		e.want(e.claim("0"), replay.Done, "in the full store")
	}},
	{"a lease keeps an event only as long as it lasts", func(e *suite) {
		e.fill(func(i int) replay.Claim { return e.probe(fmt.Sprint(i)) })
		e.acquire(e.claim("new"))
	}},
	{"one that is not needed makes way for one", func(e *suite) {
		e.fill(func(i int) replay.Claim {
			c := e.claim(fmt.Sprint(i))
			if i == e.Records/2 {
				c.Needed = e.unit
			}
			return c
		})
		e.full(e.claim("new"), "all are needed")
		e.wait(1)
		e.acquire(e.claim("new"))
		e.full(e.claim("another"), "all are needed again")
		for i := range e.Records {
			if i != e.Records/2 {
				e.want(e.claim(fmt.Sprint(i)), replay.Done, "in the full store")
			}
		}
	}},
	{"a full store still knows and settles what it has", func(e *suite) {
		e.finish(e.claim("done"))
		h := e.acquire(e.claim("committed"))
		r := e.acquire(e.claim("released"))
		for i := range e.Records - 3 {
			e.finish(e.claim(fmt.Sprint(i)))
		}
		e.full(e.claim("new"), "all are needed")
		e.want(e.claim("done"), replay.Done, "in the full store")
		e.want(e.claim("committed"), replay.InFlight, "in the full store")
		e.renews(h, time.Hour, nil, "the owner")
		e.commits(h, nil, "the owner")
		e.want(e.claim("committed"), replay.Done, "in the full store")
		e.releases(r, "the owner")
		e.acquire(e.claim("new"))
		e.full(e.claim("released"), "another took its place")
		e.forgets(e.key("done"), nil, "a finished event")
		e.acquire(e.claim("released"))
	}},
	{"a claim on a full store claimed nothing", func(e *suite) {
		e.fill(func(i int) replay.Claim { return e.claim(fmt.Sprint(i)) })
		c := e.claim("new")
		e.full(c, "all are needed")
		e.forgets(e.key("0"), nil, "a finished event")
		e.commits(handle(c), replay.ErrLost, "who found the store full")
		e.acquire(e.claim("new"))
	}},
	{"bindings are never dropped while they may be asked for", func(e *suite) {
		e.finish(e.claim("a"))
		bindings := e.Records - 1
		for i := range bindings {
			c := e.bound("a", fmt.Sprint("m", i), "body")
			c.Needed, c.Retention = e.units(8)+time.Duration(i), 0
			e.want(c, replay.Done, "a message of the event")
		}
		e.full(e.claim("one more"), "all are needed")
		e.full(e.bound("a", "m", "body"), "the store is too full for a binding")
		for i := range bindings {
			e.want(e.bound("a", fmt.Sprint("m", i), "other"), replay.Forged, "another body")
			c := e.probe("a")
			c.Binding = e.binding(fmt.Sprint("m", i), "body")
			e.want(c, replay.Done, "the same body")
		}
		e.wait(9)
		e.acquire(e.claim("one more"))
	}},
	{"bindings that are no longer needed make way, however long their events are kept", func(e *suite) {
		pairs := e.Records / 2
		for round := range 3 {
			for i := range pairs {
				c := e.bound(fmt.Sprint(round, "-", i), fmt.Sprint("m", round, "-", i), "body")
				c.Needed, c.Retention = e.units(8)+time.Duration(i), 1000*time.Hour
				e.finish(c)
			}
			if round == 0 {
				e.full(e.bound("one more", "m", "body"), "all are needed")
			}
			e.wait(9)
		}
	}},
	{"a full store stays right under a crowd", func(e *suite) {
		e.fill(func(i int) replay.Claim {
			c := e.claim(fmt.Sprint(i))
			if i%2 == 0 {
				c.Needed = 0
			}
			return c
		})
		var acquired atomic.Int32
		together(func(i int) {
			for j := range e.Records/crowd + 1 {
				switch o, err := e.ask(e.claim(fmt.Sprint("new", i, "-", j))); {
				case err == nil && o.Status == replay.Acquired:
					acquired.Add(1)
				case !errors.Is(err, replay.ErrFull):
					e.Errorf("Claim = %v, %v", o.Status, err)
				}
			}
		})
		if n, want := int(acquired.Load()), (e.Records+1)/2; n != want {
			e.Errorf("%d new events are in the place of %d that were not needed", n, want)
		}
		for i := 1; i < e.Records; i += 2 {
			e.want(e.probe(fmt.Sprint(i)), replay.Done, "a needed event")
		}
	}},
}

// signed returns a claim on a re-signed event that was signed d after the floor.
func (e *suite) signed(name string, d time.Duration) replay.Claim {
	c := e.claim(name)
	c.SignedAt, c.Resigned = theFloor.Add(d), true
	return c
}

var floored = []test{
	{"an unknown event from before the floor is refused", func(e *suite) {
		e.want(e.signed("a", -time.Second), replay.BeforeFloor, "a second before")
		e.want(e.signed("b", -1000*time.Hour), replay.BeforeFloor, "long before")
		e.acquire(e.signed("c", time.Second))
	}},
	{"an event from the floor itself is acquired", func(e *suite) {
		e.acquire(e.signed("a", 0))
		c := e.signed("b", 0)
		c.SignedAt = c.SignedAt.In(time.FixedZone("", 3600))
		e.acquire(c)
	}},
	{"a time of any length is before or after the floor", func(e *suite) {
		for i, seconds := range []int64{9_999_999_999, 99_999_999_999_999, 999_999_999_999_999} {
			c := e.claim(fmt.Sprint("after", i))
			c.SignedAt, c.Resigned = time.Unix(seconds, 0), true
			e.finish(c)
			e.want(c, replay.Done, "a repeat")
		}
		for i, at := range []time.Time{{}, time.Unix(0, 0), time.Unix(999_999_999, 999_999_999), time.UnixMilli(999_999_999_999)} {
			c := e.claim(fmt.Sprint("before", i))
			c.SignedAt, c.Resigned = at, true
			e.want(c, replay.BeforeFloor, at.String())
		}
	}},
	{"an event that was refused is acquired with a new timestamp", func(e *suite) {
		old := e.signed("a", -time.Second)
		e.want(old, replay.BeforeFloor, "the old timestamp")
		e.commits(handle(old), replay.ErrLost, "who was refused")
		e.finish(e.signed("a", time.Second))
		if o := e.want(old, replay.Done, "the old timestamp, when the event is known"); !o.Same {
			e.Error("the fingerprint is not recognised")
		}
	}},
	{"a known event from before the floor is known", func(e *suite) {
		h := e.acquire(e.signed("a", 0))
		e.want(e.signed("a", -time.Second), replay.InFlight, "while it is in flight")
		e.commits(h, nil, "the owner")
		e.want(e.signed("a", -time.Second), replay.Done, "when it is done")
		e.forgets(h.Key, nil, "the event")
		e.want(e.signed("a", -time.Second), replay.BeforeFloor, "when it is forgotten")
		e.acquire(e.signed("a", 0))
	}},
	{"a lease that ran out is taken over from before the floor", func(e *suite) {
		c := e.signed("a", 0)
		c.Lease = e.unit
		e.acquire(c)
		e.wait(1)
		e.acquire(e.signed("a", -time.Second))
	}},
	{"a provider that does not sign anew ignores the floor", func(e *suite) {
		c := e.signed("a", -time.Second)
		c.Resigned = false
		e.acquire(c)
		c = e.claim("b")
		e.acquire(c)
		e.want(e.signed("c", -time.Second), replay.BeforeFloor, "one that does")
	}},
	{"a claim from before the floor binds all the same", func(e *suite) {
		c := e.signed("a", -time.Second)
		c.Binding = e.binding("m", "body")
		e.want(c, replay.BeforeFloor, "the old timestamp")
		c.Binding = e.binding("m", "other")
		e.want(c, replay.Forged, "another body")
		c = e.signed("a", 0)
		c.Binding = e.binding("m", "body")
		e.acquire(c)
	}},
}
