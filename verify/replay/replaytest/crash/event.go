package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// origin is who sent a request, the first letter of its name.
type origin byte

const (
	attempt   origin = 'p' // the provider
	duplicate origin = 'd' // the provider, although it need not
	replayed  origin = 'c' // an attacker: a copy of a delivery
	forged    origin = 'f' // an attacker: what the provider never signed so
	outdated  origin = 's' // an attacker: what the provider signed long ago
)

// sent is a request and what came back.
type sent struct {
	id       string // p17: its origin and number
	event    *event
	instance string
	cut      cut
	signed   time.Time // zero where the provider signs no time
	message  string    // a signed id of the transmission, or ""
	at, done time.Time
	status   int  // 0: no response
	wait     bool // the response has a Retry-After
	run      *run
}

func (s *sent) origin() origin { return origin(s.id[0]) }
func (s *sent) ok() bool       { return s.status/100 == 2 }

// event is something that happened at a provider, and its whole history.
type event struct {
	id       string
	provider *provider
	work     work // what its handler has to do
	detached bool // from its senders, also where they retry

	mu        sync.Mutex
	timestamp time.Time  // of the latest delivery
	captured  []delivery // all that an attacker can have seen
	seen      []delivery // those of which the guard knows the body
	attempts  atomic.Int64
	sent      []*sent
	answered  time.Time // when the provider had its 2xx

	// What the journal and the store tell, in the order of the journal.
	runs    []*run
	rows    []string // requests whose handler's effect is in the store
	verdict verdict
}

// next returns the time for the event's next signature. Providers wait longer
// between attempts than we do, so each has a second of its own.
func (e *event) next() time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now().Truncate(time.Second)
	if !now.After(e.timestamp) {
		now = e.timestamp.Add(time.Second)
	}
	e.timestamp = now
	return now
}

// capture returns a delivery that an attacker has seen. It is false for an event
// that was never sent.
func (e *event) capture(r *rand.Rand) (delivery, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.captured) == 0 {
		return delivery{}, false
	}
	return e.captured[r.IntN(len(e.captured))], true
}

// sighted returns a delivery of which the guard knows the body, if there is one.
func (e *event) sighted() (delivery, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.seen) == 0 {
		return delivery{}, false
	}
	return e.seen[0], true
}

func (e *event) done() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return !e.answered.IsZero()
}

// tried notes the outcome of a request, and reports whether the provider now has
// its 2xx for the first time.
func (e *event) tried(s *sent, d delivery) (news bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sent = append(e.sent, s)
	if o := s.origin(); o != attempt && o != duplicate {
		return false
	}
	if s.ok() && e.answered.IsZero() {
		e.answered, news = s.done, true
	}
	// These responses come from behind the store's first decision.
	switch s.status {
	case 200, 204, 409, 500:
		e.seen = append(e.seen, d)
	}
	return news
}

// work is what the handler of an event has to do. Chance makes some others long,
// too, but a provider that hangs up ends most of those.
type work int

const (
	brief      work = iota
	longBefore      // it works for longer than a lease, and has its effect then
	longAfter       // it works for longer than a lease after its effect
)

// workOf returns the work of a round's event i. Long ones are those whose handlers go
// on when the sender hangs up: GitHub's, and all in a round that is detached.
func workOf(i int, detached bool) work {
	switch {
	case detached && i > 6 || !detached && (i%3 != 1 || i > 10):
		return brief
	case i%2 == 1:
		return longBefore
	}
	return longAfter
}

// longestPause is the longest that a provider waits between two attempts, half of
// it more or less, until it has tried eight times. Then it waits longer and longer:
// a machine that cannot keep up would never be through otherwise.
const longestPause = time.Second

// play sends what a provider sends about one event, until it is answered 2xx, and
// what attackers make of it. It returns when all is sent. crash is the fate of
// the first attempt.
func (h *harness) play(ctx context.Context, e *event, r *rand.Rand, crash point) {
	var others sync.WaitGroup
	defer others.Wait()
	also := func(percent int, most time.Duration, send func(*rand.Rand)) {
		if r.IntN(100) >= percent {
			return
		}
		delay, own := time.Duration(r.Int64N(int64(most))), child(r)
		others.Go(func() {
			if rest(ctx, delay) {
				send(own)
			}
		})
	}
	again := func(d delivery) func(*rand.Rand) {
		return func(own *rand.Rand) {
			h.send(ctx, own, e, duplicate, e.provider.retry(own, d, e.next()), h.chance(own, e))
		}
	}
	d := e.provider.deliver(e.next(), e.provider.body(e.id))
	fit := h.chance(r, e)
	if crash != nowhere {
		fit.end, fit.crash = succeeds, crash
		fit.after = min(fit.after, 50*time.Millisecond)
	}
	if e.work != brief {
		own, first := child(r), d
		others.Go(func() { h.insist(ctx, own, e, first) })
	}
	for n := 0; ctx.Err() == nil; n++ {
		e.mu.Lock()
		e.captured = append(e.captured, d)
		e.mu.Unlock()
		if n < 4 {
			also(15, 20*time.Millisecond, again(d))
			also(30, 300*time.Millisecond, func(own *rand.Rand) { h.replay(ctx, own, e) })
			also(15, 100*time.Millisecond, func(own *rand.Rand) { h.forge(ctx, own, e) })
		}
		if h.send(ctx, r, e, attempt, d, fit).ok() || e.done() {
			break
		}
		fit = h.chance(r, e)
		pause := min(e.provider.pause<<min(n, 8), longestPause*time.Duration(1+n/8))
		if !rest(ctx, pause/2+time.Duration(r.Int64N(int64(pause)))) {
			return
		}
		d = e.provider.retry(r, d, e.next())
	}
	also(30, 300*time.Millisecond, again(d))
	for range 2 {
		also(50, 400*time.Millisecond, func(own *rand.Rand) { h.replay(ctx, own, e) })
	}
	also(50, 200*time.Millisecond, func(own *rand.Rand) { h.forge(ctx, own, e) })
	also(10, 200*time.Millisecond, func(own *rand.Rand) { h.outdate(ctx, own, e) })
}

// insist sends the same delivery again and again until its event is done, so that
// somebody comes as soon as it may be claimed. Where the store fails, it is not
// what it should wait for.
func (h *harness) insist(ctx context.Context, r *rand.Rand, e *event, d delivery) {
	const together = 6
	var (
		all  sync.WaitGroup
		busy atomic.Int64
		fail atomic.Bool
	)
	defer all.Wait()
	for rest(ctx, h.lease/10) && !e.done() {
		if busy.Load() >= together || fail.Swap(false) && !rest(ctx, longestPause) {
			continue
		}
		own := child(r)
		busy.Add(1)
		all.Go(func() {
			defer busy.Add(-1)
			if h.send(ctx, own, e, duplicate, d, h.chance(own, e)).status == http.StatusServiceUnavailable {
				fail.Store(true)
			}
		})
	}
}

// replay sends a copy of one of an event's deliveries. Nobody can copy, forge or
// date back what was never sent.
func (h *harness) replay(ctx context.Context, r *rand.Rand, e *event) {
	if d, seen := e.capture(r); seen {
		h.send(ctx, r, e, replayed, e.provider.copied(r, d), h.chance(r, e))
	}
}

func (h *harness) forge(ctx context.Context, r *rand.Rand, e *event) {
	d, known := e.sighted()
	if !known {
		var seen bool
		if d, seen = e.capture(r); !seen {
			return
		}
	}
	h.send(ctx, r, e, forged, e.provider.forge(r, d, known), fate{end: succeeds, crash: nowhere, detached: e.detached})
}

// outdate sends a delivery that the provider signed too long ago.
func (h *harness) outdate(ctx context.Context, r *rand.Rand, e *event) {
	d, seen := e.capture(r)
	if !seen || e.provider.stale == 0 {
		return
	}
	d = e.provider.deliver(time.Now().Add(-e.provider.stale), d.body)
	h.send(ctx, r, e, outdated, d, fate{end: succeeds, crash: nowhere, detached: e.detached})
}

// chance decides the fate of a handler of an event.
func (h *harness) chance(r *rand.Rand, e *event) fate {
	f := fate{
		before: time.Duration(r.IntN(25)) * time.Millisecond,
		after:  time.Duration(r.IntN(25)) * time.Millisecond,
		end:    succeeds,
		crash:  nowhere,

		detached: e.detached,
	}
	beyond := h.lease*14/10 + time.Duration(r.Int64N(int64(h.lease*3/10)))
	switch p := r.IntN(100); {
	case e.work == longBefore:
		f.before = beyond
	case e.work == longAfter:
		f.after = beyond
	case p < 8:
		f.end = fails
	case p < 12:
		f.end = panics
	case p < 14:
		f.before = beyond
	case p < 15:
		f.after = beyond
	case h.gateway && p < 18:
		f.end = breaks
	case h.gateway && p < 19:
		f.end = hangs
	case h.gateway && p < 21:
		f.end = busy
	case h.gateway && p < 24:
		f.end = chatters
	}
	return f
}

// rest waits, and reports whether ctx lasted as long.
func rest(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// history tells all that is known about an event, with the faults of its time.
func (e *event) history(f faults) []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var lines []line
	targets := []string{theStore}
	for _, r := range e.runs {
		if !slices.Contains(targets, r.process) {
			targets = append(targets, r.process)
		}
	}
	if len(e.sent) > 0 {
		begin, end := e.sent[0].at, e.sent[0].done
		for _, s := range e.sent {
			begin, end = earlier(begin, s.at), later(end, s.done)
		}
		lines = f.history(targets, begin, end)
	}
	for _, s := range e.sent {
		response := "no response"
		if s.status != 0 {
			response = fmt.Sprint(s.status)
		}
		lines = append(lines, line{s.at, fmt.Sprintf("%s sent to %s %v", s.id, s.instance, s.cut)},
			line{s.done, fmt.Sprintf("%s got %s", s.id, response)})
	}
	for _, r := range e.runs {
		lines = append(lines, r.history()...)
	}
	for _, row := range e.rows {
		lines = append(lines, line{text: "effect of " + row + " is in the store"})
	}
	return inOrder(lines)
}
