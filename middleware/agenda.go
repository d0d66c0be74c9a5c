package middleware

import (
	"sync"
	"time"
)

// agenda runs functions at times, most of which are taken back before. One timer
// serves them all, because setting one for each request costs more than most
// handlers. It is set while there is something to run, or was when it was set: an
// agenda needs no Close.
type agenda struct {
	mu    sync.Mutex
	items []*appointment
	timer *time.Timer
	next  time.Time // for which the timer is set; zero if it is not
}

// appointment is one entry of an agenda. The zero value is ready to be added.
type appointment struct {
	do    func() // run on a goroutine of its own
	when  time.Time
	place int // in items, plus one; 0 if it is not there
}

// add enters p for d from now. It is not entered twice at the same time.
func (a *agenda) add(p *appointment, d time.Duration) {
	now := time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	p.when = now.Add(d)
	a.items = append(a.items, p)
	p.place = len(a.items)
	a.set(p.when, now)
}

// set sets the timer, unless it is set for an earlier time.
func (a *agenda) set(when, now time.Time) {
	switch {
	case !a.next.IsZero() && !when.Before(a.next):
		return
	case a.timer == nil:
		a.timer = time.AfterFunc(when.Sub(now), a.run)
	default:
		a.timer.Reset(when.Sub(now))
	}
	a.next = when
}

// remove takes p out. It is false if p is being run, or was.
func (a *agenda) remove(p *appointment) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.take(p)
}

func (a *agenda) take(p *appointment) bool {
	if p.place == 0 {
		return false
	}
	last := len(a.items) - 1
	moved := a.items[last]
	a.items[p.place-1], moved.place = moved, p.place
	a.items[last] = nil
	a.items = a.items[:last]
	p.place = 0
	return true
}

// run runs what is due and sets the timer for the rest.
func (a *agenda) run() {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	var next time.Time
	for i := 0; i < len(a.items); {
		p := a.items[i]
		if !p.when.After(now) {
			a.take(p) // another one moves to its place
			go p.do()
			continue
		}
		if next.IsZero() || p.when.Before(next) {
			next = p.when
		}
		i++
	}
	a.next = time.Time{}
	if !next.IsZero() {
		a.set(next, now)
	}
}
