package middleware

import (
	"cmp"
	"container/heap"
	"container/list"
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// Bodies of up to 1 MiB, and the byte in which their end is seen, are small.
	smallBody = 1<<20 + 1

	// requestCharge is what a request is charged beside the buffer of its body: an
	// HTTP/2 request costs the server about 13 KiB.
	requestCharge = 16 << 10

	// unpackCharge is what a body that is unpacked is charged besides: the window and the
	// tables of the decompressor, and what was read before it was made.
	unpackCharge = 64 << 10

	// A request is parked, and not charged, until its first firstBytes or the end
	// of its body have come. So a head that is followed by nothing, or by a byte,
	// costs no budget.
	firstBytes = 4 << 10
	maxParked  = 4096

	budgetWait  = 2 * time.Second        // how long a body waits for budget, in all
	searchPause = 100 * time.Millisecond // between two searches for a victim
	searchWidth = 64                     // bodies of each age that one search looks at
	searchRest  = time.Millisecond       // after a search in vain, for all of the class
	victimAge   = time.Second            // a newer body is no victim
)

// Budget bounds the memory that the bodies of requests in flight take. Guards
// that have the same one in Options.Budget share it. Make one with [NewBudget];
// New refuses the zero value. It is safe for concurrent use.
//
// A request is charged 16 KiB and the buffer of its body, old and new while it
// grows, from when 4 KiB or the whole of the body have come until its handler has
// returned. Where the guard unpacks the body, it is charged 64 KiB more, and for what is
// unpacked; a guard that only reports also keeps what came, and charges as much again as
// the largest body has. Before that it is parked: 4096 requests may be, and one more ends the
// oldest.
//
// Bodies of up to 1 MiB may take one half of the budget, larger ones the other.
// Where a half is used up, the slowest body that is still being read is given up
// for the one that needs memory, and gets 503. That is the one with the fewest bytes
// a second since its first byte; the first second counts as a whole one, and no body
// is given up in it, nor for a slower one that is older. Where the slowest is in its
// first second, it is waited for, but for no longer than a second. A body for which
// none is given up waits for up to 2 seconds, in all.
type Budget struct {
	bytes int64

	mu                   sync.Mutex
	parked, small, large class
}

// NewBudget makes a budget of that many bytes: at least twice the MaxBody of each
// guard, or New refuses it. The charge for one request comes on top in each half, so
// that a largest body fits.
func NewBudget(bytes int64) *Budget {
	b := &Budget{bytes: bytes}
	b.parked.parts[inSteps].max = maxParked
	b.parked.oldest = true
	b.fit(0, 0)
	return b
}

// fit makes the second part of each half large enough for a largest body, and what it is
// charged besides.
func (b *Budget) fit(maxBody, extra int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	half := b.bytes/2 + requestCharge + 1
	for _, c := range []*class{&b.small, &b.large} {
		largest := requestCharge + extra + maxBody + 1
		if c == &b.small {
			largest = min(largest, requestCharge+extra+smallBody)
		}
		atOnce := &c.parts[atOnce]
		atOnce.max = max(atOnce.max, half/4, largest)
		c.parts[inSteps].max = half - atOnce.max
	}
}

// A class is a part of the budget whose bodies compete with each other only.
type class struct {
	parts   [2]part
	waiters list.List // of *waiter, the first one is served first

	oldest bool      // the victim is the oldest, whatever its age
	vain   time.Time // when the last search in vain was
	newer  byAge
	older  []*reservation // were taken from newer when they reached victimAge
}

// A body grows in steps, from the first part, so that it is charged for what came
// and not for what it announced. Bodies that hold one step and wait for the next
// could block each other; so the second part is only for buffers that are large
// enough for the rest of the body. Who has one never waits again.
const (
	inSteps = iota
	atOnce
)

type part struct{ max, used int64 }

// charge is what a buffer takes, or a parked request: 1.
type charge struct {
	class *class // nil if there is none
	part  int
	bytes int64
}

// reservation is what one body has of a budget. Its methods are for the goroutine
// that reads the body.
type reservation struct {
	of     *Budget
	extra  int64 // what is charged beside requestCharge and the buffer
	waited time.Duration
	first  time.Time    // when the first byte came
	bytes  atomic.Int64 // how many came

	cutting      sync.Once
	interrupting sync.WaitGroup

	// The rest belongs to of.mu.

	// interrupt makes the Read that is under way fail; nil if nothing does. Then
	// the body is no victim.
	interrupt  func() error
	held, next charge        // next: of the buffer to which the body is copied
	began      time.Time     // when it was parked, then first
	paused     time.Duration // since then, in which it waited for budget
	waiter     *waiter       // while it waits
	list       int           // in which of the class it stands
	place      int           // in that list
	evicted    bool
	heir       *waiter // for whom it was evicted
}

const (
	unlisted = iota
	listedNewer
	listedOlder
)

// waiter is a body that waits for budget.
type waiter struct {
	r      *reservation
	class  *class
	since  time.Time
	want   [2]int64      // in either part
	credit [2]int64      // what was freed for it alone
	coming [2]int64      // what victims have yet to free for it
	done   chan struct{} // closed when the waiting ends: granted, or r was evicted
	place  *list.Element // nil when it is no longer served
}

// park takes a place among the requests of whose body nothing has come.
func (r *reservation) park(ctx context.Context) bool {
	if !r.acquire(ctx, &r.of.parked, [2]int64{1, 1}) {
		return false
	}
	r.move(true)
	return true
}

// grow takes budget for a buffer of step bytes or, at once, of as many as the body
// can still need. It returns which, or 0. The buffer that is there stays charged
// until move.
func (r *reservation) grow(ctx context.Context, step, rest int64) int64 {
	c := &r.of.small
	if step > smallBody {
		c = &r.of.large
	}
	more := requestCharge + r.extra
	if !r.acquire(ctx, c, [2]int64{more + step, more + rest}) {
		return 0
	}
	return r.next.bytes - more
}

// move frees the buffer that was copied. more says whether the body is still being
// read.
func (r *reservation) move(more bool) {
	b := r.of
	b.mu.Lock()
	defer b.mu.Unlock()
	c := r.next.class
	if c == &b.parked {
		r.began = time.Now()
	}
	if !more || c != r.held.class {
		r.unlist()
	}
	r.release()
	r.held, r.next = r.next, charge{}
	if more && r.list == unlisted && !r.evicted && r.interrupt != nil {
		heap.Push(&c.newer, r)
	}
}

// finish ends the time in which the body can be a victim, and reports whether it
// was one.
func (r *reservation) finish() bool {
	b := r.of
	b.mu.Lock()
	r.unlist()
	evicted := r.evicted
	b.mu.Unlock()
	r.interrupting.Wait()
	return evicted
}

// free gives everything back.
func (r *reservation) free() {
	b := r.of
	b.mu.Lock()
	defer b.mu.Unlock()
	r.unlist()
	r.release()
	r.held, r.next = r.next, charge{}
	r.release()
	r.held = charge{}
}

// acquire takes one of two amounts, and waits for it if need be.
func (r *reservation) acquire(ctx context.Context, c *class, want [2]int64) bool {
	b := r.of
	b.mu.Lock()
	if r.evicted {
		b.mu.Unlock()
		return false
	}
	if r.held.class == &b.parked {
		r.unlist() // it has sent something
		r.began, r.paused = r.first, 0
	}
	if c.waiters.Len() == 0 {
		for i := range c.parts {
			if p := &c.parts[i]; p.used+want[i] <= p.max {
				p.used += want[i]
				r.next = charge{c, i, want[i]}
				b.mu.Unlock()
				return true
			}
		}
	}
	w := &waiter{r: r, class: c, want: want, since: time.Now(), done: make(chan struct{})}
	w.place = c.waiters.PushBack(w)
	r.waiter = w
	c.evictFor(w, w.since)
	b.mu.Unlock()

	timeout := time.NewTimer(budgetWait - r.waited)
	defer timeout.Stop()
	search := time.NewTicker(searchPause)
	defer search.Stop()
	for waiting := true; waiting; {
		select {
		case now := <-search.C:
			b.mu.Lock()
			if w.place != nil {
				c.evictFor(w, now)
			}
			b.mu.Unlock()
		case <-w.done:
			waiting = false
		case <-timeout.C:
			waiting = false
		case <-ctx.Done():
			waiting = false
		}
	}

	b.mu.Lock()
	defer b.mu.Unlock()
	c.dismiss(w)
	r.waiter = nil
	waited := time.Since(w.since)
	r.waited += waited
	r.paused += waited
	return r.next.class != nil && !r.evicted
}

// grant serves w if its own credit is enough, or, where it is the first, with what
// is free.
func (c *class) grant(w *waiter) bool {
	first := c.waiters.Front() == w.place
	for i := range c.parts {
		p := &c.parts[i]
		more := w.want[i] - w.credit[i]
		if more > 0 && (!first || p.used+more > p.max) {
			continue
		}
		p.used += more // an excess goes back
		w.credit[i] = 0
		w.r.next = charge{c, i, w.want[i]}
		c.leave(w)
		return true
	}
	return false
}

// dismiss ends the waiting of w, if it was not served.
func (c *class) dismiss(w *waiter) {
	if w.place != nil {
		c.leave(w)
		c.serve()
	}
}

func (c *class) leave(w *waiter) {
	c.waiters.Remove(w.place)
	w.place = nil
	for i := range c.parts {
		c.parts[i].used -= w.credit[i]
	}
	close(w.done)
}

// serve grants what is free, in the order of arrival.
func (c *class) serve() {
	for e := c.waiters.Front(); e != nil && c.grant(e.Value.(*waiter)); {
		e = c.waiters.Front()
	}
}

// release gives back what is held: to the heir, or to all.
func (r *reservation) release() {
	h := r.held
	if h.class == nil {
		return
	}
	w := r.heir
	r.heir = nil
	if w != nil && w.place != nil {
		w.coming[h.part] -= h.bytes
		w.credit[h.part] += h.bytes
		h.class.grant(w)
	} else {
		h.class.parts[h.part].used -= h.bytes
	}
	h.class.serve()
}

// evictFor looks for victims that free enough for w, and evicts all of them or
// none.
func (c *class) evictFor(w *waiter, now time.Time) {
	lacks := w.want
	for i := range c.parts {
		lacks[i] -= w.credit[i] + w.coming[i]
		if c.waiters.Front() == w.place {
			lacks[i] -= max(0, c.parts[i].max-c.parts[i].used)
		}
		if lacks[i] <= 0 {
			return // it only takes until it is freed
		}
	}
	if c.oldest {
		if len(c.newer) > 0 {
			w.coming[inSteps]++
			c.newer[0].evict(w)
		}
		return
	}
	if now.Sub(c.vain) < searchRest {
		return
	}
	c.vain = now
	own, limit := w.r.rate(now)
	var victims [2][]*reservation
	for _, v := range c.slowest(w.r, now) {
		if own > victimAge && v.rate >= limit {
			return
		}
		if v.age <= victimAge {
			if w.r.waited+now.Sub(w.since) <= victimAge {
				return // it may prove slow when it is old enough; w waits for that
			}
			continue // else there could always be a newer one, which shields all others
		}
		i := v.held.part
		victims[i] = append(victims[i], v.reservation)
		if lacks[i] -= v.held.bytes; lacks[i] > 0 {
			continue
		}
		c.vain = time.Time{}
		for _, v := range victims[i] {
			if w.place == nil {
				return // one that waited itself has freed enough
			}
			w.coming[i] += v.held.bytes
			v.evict(w)
		}
		return
	}
}

type candidate struct {
	*reservation
	age  time.Duration
	rate float64
}

// slowest returns the bodies of the class but r, the slowest first. Of very many it
// looks at some.
func (c *class) slowest(r *reservation, now time.Time) []candidate {
	for len(c.newer) > 0 && now.Sub(c.newer[0].began) > victimAge {
		v := heap.Pop(&c.newer).(*reservation)
		v.list, v.place = listedOlder, len(c.older)
		c.older = append(c.older, v)
	}
	found := make([]candidate, 0, 2*searchWidth)
	for _, list := range [][]*reservation{c.older, c.newer} {
		from := rand.IntN(len(list) + 1)
		for i := range min(searchWidth, len(list)) {
			if v := list[(from+i)%len(list)]; v != r {
				age, rate := v.rate(now)
				found = append(found, candidate{v, age, rate})
			}
		}
	}
	slices.SortFunc(found, func(a, b candidate) int { return cmp.Compare(a.rate, b.rate) })
	return found
}

// rate returns the age of a body and its bytes a second, without the time in which
// it waited for budget.
func (r *reservation) rate(now time.Time) (time.Duration, float64) {
	age := now.Sub(r.began) - r.paused
	if r.waiter != nil {
		age -= now.Sub(r.waiter.since)
	}
	return age, float64(r.bytes.Load()) / max(age, time.Second).Seconds()
}

// evict gives a body up for w. What it holds is free when its Read has returned.
func (r *reservation) evict(w *waiter) {
	r.unlist()
	r.evicted, r.heir = true, w
	if r.waiter != nil { // not in Read
		r.waiter.class.dismiss(r.waiter)
		return
	}
	r.interrupting.Add(1)
	go r.cut()
}

// cut makes Read fail, once. Where that is not possible after all, the body is
// spared.
func (r *reservation) cut() {
	defer r.interrupting.Done()
	r.cutting.Do(func() {
		err := errInterrupt
		defer func() {
			recover() // a panic here would end the program
			if err != nil {
				r.spare()
			}
		}()
		err = r.interrupt()
	})
}

// spare takes an eviction back.
func (r *reservation) spare() {
	r.of.mu.Lock()
	defer r.of.mu.Unlock()
	if w := r.heir; w != nil {
		w.coming[r.held.part] -= r.held.bytes
	}
	r.evicted, r.heir, r.interrupt = false, nil, nil
	r.unlist()
}

// unlist takes the body out of those that can be victims.
func (r *reservation) unlist() {
	c := r.held.class
	switch r.list {
	case listedNewer:
		heap.Remove(&c.newer, r.place)
	case listedOlder:
		last := len(c.older) - 1
		c.older[r.place] = c.older[last]
		c.older[r.place].place = r.place
		c.older[last] = nil
		c.older = c.older[:last]
	}
	r.list = unlisted
}

// byAge is a heap of bodies, the oldest first.
type byAge []*reservation

func (h byAge) Len() int           { return len(h) }
func (h byAge) Less(i, j int) bool { return h[i].began.Before(h[j].began) }

func (h byAge) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}

func (h *byAge) Push(x any) {
	r := x.(*reservation)
	r.list, r.place = listedNewer, len(*h)
	*h = append(*h, r)
}

func (h *byAge) Pop() any {
	last := len(*h) - 1
	r := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return r
}
