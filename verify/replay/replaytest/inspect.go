package replaytest

import (
	"context"
	"time"

	"github.com/hooknotary/hooknotary/verify/replay"
)

// inspector returns the store as an operator sees it, and skips the test where
// it offers nothing to operators.
func (e *suite) inspector() replay.Inspector {
	e.Helper()
	i, ok := e.Store.Store.(replay.Inspector)
	if !ok {
		e.skip("the store is no replay.Inspector")
	}
	return i
}

// inspect asks for an event that must be known, with its lease and what it is
// kept for within a unit below the given ones.
func (e *suite) inspect(name string, want replay.Record, when string) {
	e.Helper()
	got, ok, err := e.inspector().Inspect(e.Context(), e.key(name))
	if err != nil || !ok {
		e.Fatalf("%s: Inspect = %v, %v", when, ok, err)
	}
	if got.Status != want.Status {
		e.Fatalf("%s: Inspect says %v, want %v", when, got.Status, want.Status)
	}
	e.close(when+": the lease", got.Lease, want.Lease)
	e.close(when+": what it is kept for", got.Kept, want.Kept)
}

// close expects a time that ran for less than a unit. A store may round up to
// the next millisecond.
func (e *suite) close(what string, got, want time.Duration) {
	e.Helper()
	if got > want+time.Millisecond || got < max(0, want-e.unit) {
		e.Errorf("%s is %v, want %v or up to %v less", what, got, want, e.unit)
	}
}

// unknown expects that there is nothing to inspect.
func (e *suite) unknown(k replay.Key, why string) {
	e.Helper()
	got, ok, err := e.inspector().Inspect(e.Context(), k)
	if err != nil || ok || got != (replay.Record{}) {
		e.Fatalf("%s: Inspect = %+v, %v, %v, want nothing", why, got, ok, err)
	}
}

// inspection: what a store shows to operators.
var inspection = []test{
	{"the life of an event is shown", func(e *suite) {
		e.unknown(e.key("a"), "an event that nobody claimed")
		c := e.claim("a")
		c.Lease, c.Needed, c.Retention = time.Minute, 2*time.Minute, time.Hour
		h := e.acquire(c)
		e.inspect("a", replay.Record{Status: replay.InFlight, Lease: time.Minute, Kept: time.Hour + 2*time.Minute}, "in flight")
		e.renews(h, 5*time.Minute, nil, "the owner")
		e.inspect("a", replay.Record{Status: replay.InFlight, Lease: 5 * time.Minute, Kept: time.Hour + 5*time.Minute}, "renewed")
		e.commits(h, nil, "the owner")
		e.inspect("a", replay.Record{Status: replay.Done, Kept: time.Hour}, "done")
		again := e.probe("a")
		again.Needed = 3 * time.Hour
		e.want(again, replay.Done, "a repeat")
		e.inspect("a", replay.Record{Status: replay.Done, Kept: 3 * time.Hour}, "repeated")
		e.forgets(h.Key, nil, "the event")
		e.unknown(h.Key, "an event that was forgotten")
		e.releases(e.acquire(e.claim("a")), "the owner")
		e.unknown(h.Key, "an event that was released")
	}},
	{"an event whose owner is gone is shown with no lease left", func(e *suite) {
		c := e.probe("a")
		c.Lease, c.Retention = e.unit, time.Hour
		h := e.acquire(c)
		e.wait(1)
		e.inspect("a", replay.Record{Status: replay.InFlight, Kept: time.Hour}, "after the lease")
		e.commits(h, nil, "the owner, late")
		e.inspect("a", replay.Record{Status: replay.Done, Kept: time.Hour}, "done")
	}},
	{"an event is not shown after its retention", func(e *suite) {
		c := e.probe("a")
		c.Retention = e.units(4)
		e.finish(c)
		e.inspect("a", replay.Record{Status: replay.Done, Kept: e.units(4)}, "done")
		e.wait(4)
		e.unknown(c.Key, "an event that is forgotten")
	}},
	{"to look at an event does not change it", func(e *suite) {
		c := e.probe("a")
		c.Lease, c.Retention = e.units(2), e.units(2)
		h := e.acquire(c)
		e.wait(1)
		e.inspect("a", replay.Record{Status: replay.InFlight, Lease: e.unit, Kept: e.units(3)}, "in the middle of the lease")
		e.wait(1)
		e.inspect("a", replay.Record{Status: replay.InFlight, Kept: e.units(2)}, "after the lease")
		e.wait(2)
		e.unknown(c.Key, "an event that nobody took over")
		e.commits(h, replay.ErrLost, "the owner of what is forgotten")
	}},
	{"a binding is not shown", func(e *suite) {
		c := e.bound("a", "m", "body")
		e.acquire(c)
		e.unknown(c.Binding.Message, "the message")
	}},
	{"what is held is counted", func(e *suite) {
		const n = 20
		for i := range n {
			e.finish(e.claim(string(rune('a' + i))))
		}
		// Others may share the store: there may be more, but not less.
		if s, err := e.inspector().Stats(e.Context()); err != nil || s.Records < n {
			e.Errorf("Stats = %+v, %v, want at least %d records", s, err, n)
		}
	}},
	{"a cancelled look is an error", func(e *suite) {
		e.acquire(e.claim("a"))
		ctx, cancel := context.WithCancel(e.Context())
		cancel()
		if r, ok, err := e.inspector().Inspect(ctx, e.key("a")); err == nil || ok || r != (replay.Record{}) {
			e.Errorf("Inspect with a cancelled context = %+v, %v, %v", r, ok, err)
		}
		if s, err := e.inspector().Stats(ctx); err == nil || s != (replay.Stats{}) {
			e.Errorf("Stats with a cancelled context = %+v, %v", s, err)
		}
	}},
}
