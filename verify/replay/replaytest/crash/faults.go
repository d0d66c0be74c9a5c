package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// harm is what a fault does.
type harm string

const (
	// The nemesis does these.
	kill       harm = "kill"        // of a server: SIGKILL
	pause      harm = "pause"       // of a server: SIGSTOP for longer than the lease
	storeKill  harm = "store-kill"  // SIGKILL, and a restart with what is on disk
	storePause harm = "store-pause" // SIGSTOP for longer than the lease
	flush      harm = "flush"       // the store forgets all it has (FLUSHALL)
	term       harm = "term"        // of a gateway: SIGTERM, after which it ends what it began
	// Senders do this.
	cutOff harm = "cut" // the connection of a request breaks
	// These happen on a busy machine, and are measured.
	stall harm = "stall" // a server stood still
	slow  harm = "slow"  // the store answered a probe late, or not at all
)

// theStore is the target of what befalls the store. Other targets are processes
// of servers and, for cutOff, requests.
const theStore = "store"

// witnesses is the target of what runs saw of the store.
const witnesses = "witnesses"

const (
	// notable is how long a process stands still, or the store does not answer,
	// before that is a fault: no operation of the guard has less time.
	notable = lease / 10
	// transit is how long a request may be on its way to a store that is well.
	transit = 300 * time.Millisecond
)

// fault is one line, or two, of the journal: something that befell a target.
type fault struct {
	harm       harm
	begin, end time.Time // end is zero while it lasts
	by         string    // the request that met a slow store; "" for the probe's
}

// stops reports whether the target does nothing while the fault lasts.
func (f fault) stops() bool {
	return f.harm != kill && f.harm != term && f.harm != flush && f.harm != cutOff
}

// recovery is how long after a fault of the store its clients may still fail. One
// of Redis that could not connect as often as it has places for connections tries
// again only a second later, and fails at once until then.
func (f fault) recovery() time.Duration {
	switch f.harm {
	case storeKill, storePause:
		return 1100 * time.Millisecond
	case slow:
		return transit
	}
	return 0
}

// faults are all that were noted, by their target, in the order of their ends.
type faults map[string][]fault

// add enters a mark of the kinds begins and ends.
func (f faults) add(m mark) {
	target := m.process
	if m.kind == begins {
		f[target] = append(f[target], fault{harm: harm(m.detail), begin: m.at})
		return
	}
	for i, o := range slices.Backward(f[target]) {
		if o.end.IsZero() && o.harm == harm(m.detail) {
			f[target][i].end = m.at
			return
		}
	}
	f[target] = append(f[target], fault{harm: harm(m.detail), begin: m.from, end: m.at})
}

// witness enters what a mark tells of the store: that it was slow to answer. SQLite
// lets some writers wait while others, and the probe, come through.
func (f faults) witness(m mark) {
	switch m.kind {
	case acquired, refused, renewed, unrenewed, committed, uncommitted, lost:
		if !m.from.IsZero() && m.at.Sub(m.from) > notable {
			f[witnesses] = append(f[witnesses], fault{slow, m.from, m.at, m.request})
		}
	}
}

// stopped returns the times, within from and to, in which the server of a run or
// the store stood still, by their begin. They do not overlap. What the run itself
// says of the store does not count: it is no witness for its own cause.
func (f faults) stopped(r *run, from, to time.Time) []fault {
	var all []fault
	for _, one := range slices.Concat(f[r.process], f[theStore], f.seen(from, to)) {
		if !one.stops() || one.by == r.sent.id {
			continue
		}
		if one.end.IsZero() {
			one.end = to
		}
		one.end = one.end.Add(one.recovery())
		if one.begin.After(to) || one.end.Before(from) {
			continue
		}
		one.begin, one.end = later(one.begin, from), earlier(one.end, to)
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b fault) int { return a.begin.Compare(b.begin) })
	merged := all[:0]
	for _, one := range all {
		if n := len(merged); n > 0 && !one.begin.After(merged[n-1].end) {
			merged[n-1].end = later(merged[n-1].end, one.end)
			continue
		}
		merged = append(merged, one)
	}
	return merged
}

// seen returns what runs saw of the store around a time. There may be many of
// those; they are in the order of the journal, and so, nearly, of their ends.
func (f faults) seen(from, to time.Time) []fault {
	const around = 10 * time.Second // longer than an operation takes
	all := f[witnesses]
	first, _ := slices.BinarySearchFunc(all, from.Add(-around), func(one fault, t time.Time) int { return one.end.Compare(t) })
	last, _ := slices.BinarySearchFunc(all, to.Add(around), func(one fault, t time.Time) int { return one.end.Compare(t) })
	return all[first:max(first, last)]
}

// overlap reports whether the server of a run or the store stood still at some
// time between from and to.
func (f faults) overlap(r *run, from, to time.Time) bool {
	return len(f.stopped(r, from, to)) > 0
}

// lasted returns for how long the server of a run or the store stood still between
// from and to.
func (f faults) lasted(r *run, from, to time.Time) (sum time.Duration) {
	for _, one := range f.stopped(r, from, to) {
		sum += one.end.Sub(one.begin)
	}
	return sum
}

// until returns when what was on its way to the store at t has arrived at the
// latest.
func (f faults) until(process string, t time.Time) time.Time {
	end := t.Add(transit)
	for {
		last := end
		for _, target := range []string{process, theStore} {
			for _, one := range f[target] {
				if last := one.end.Add(one.recovery()); one.stops() && !one.begin.After(end) && last.After(end) {
					end = last
				}
			}
		}
		if end.Equal(last) {
			return end
		}
	}
}

// killed reports whether somebody killed the process.
func (f faults) killed(process string) bool {
	return slices.ContainsFunc(f[process], func(one fault) bool { return one.harm == kill })
}

// flushes returns when the store was emptied between from and to, or may have been.
func (f faults) flushes(from, to time.Time) (all []fault) {
	for _, one := range f[theStore] {
		if one.harm == flush && !one.begin.After(to) && !one.end.Before(from) {
			all = append(all, one)
		}
	}
	return all
}

// history tells what befell the targets between from and to.
func (f faults) history(targets []string, from, to time.Time) (lines []line) {
	for _, target := range targets {
		for _, one := range f[target] {
			if one.by != "" || one.begin.After(to) || !one.end.IsZero() && one.end.Before(from) {
				continue
			}
			what := strings.ReplaceAll(string(one.harm), "-", " ")
			lines = append(lines, line{one.begin, fmt.Sprintf("%s: %s begins", target, what)})
			if !one.end.IsZero() {
				lines = append(lines, line{one.end, fmt.Sprintf("%s: %s ends", target, what)})
			}
		}
	}
	return lines
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
