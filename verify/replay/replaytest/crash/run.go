package main

import (
	"fmt"
	"slices"
	"time"
)

// span is when something was asked of the store, and when it had answered.
type span struct{ from, at time.Time }

// run is what one request did at a server once the guard had verified it. It may
// have been refused the claim.
type run struct {
	sent    *sent
	process string

	asked    time.Time // before the store was asked for the claim
	refusal  span      // when the store did not give it
	refused  string    // and why: a status, or failure
	from     time.Time // when the store was asked for the claim that it gave
	acquired time.Time // when it had given it
	leased   time.Time // when it was last asked for a lease that it gave
	leases   []span    // all that it gave
	denied   []span    // renewals at which it failed
	heard    time.Time // the last time at which it answered, or failed to, when asked for a lease
	ran      time.Time
	looked   time.Time // at the handler's context, right before the effect
	effect   time.Time
	failed   time.Time
	ended    bool // before it failed, the handler's context

	committing time.Time // when the store was asked for the commit that it acknowledged
	committed  time.Time // when it had
	tries      []span    // commits at which it failed
	lost       span      // a commit to which it said that the claim is not held
	disowned   time.Time // when it said so for the first time
	releasing  time.Time
	released   time.Time // when it had acknowledged that
	unreleased []span    // releases at which it failed

	closed  time.Time
	outcome string // as the guard reported it
	crashed point
	saw     string    // the event that the handler saw
	id      string    // of a gateway: what it calls the delivery in its log
	told    report    // of a gateway: what that log says
	died    time.Time // when the process ended before closed
}

// add enters a mark.
func (r *run) add(m mark) {
	switch m.kind {
	case claiming:
		r.asked = m.at
	case acquired:
		r.from, r.acquired = m.from, m.at
		r.lease(m)
	case refused:
		r.refusal, r.refused = span{m.from, m.at}, m.detail
	case renewed:
		r.lease(m)
	case unrenewed:
		r.denied = append(r.denied, span{m.from, m.at})
		r.heard = later(r.heard, m.at)
	case ran:
		r.ran, r.saw = m.at, m.detail
	case effect:
		r.looked, r.effect = m.from, m.at
	case known:
		r.id = m.detail
	case failed:
		r.failed, r.ended = m.at, m.detail == contextEnded
	case committed:
		if r.committed.IsZero() {
			r.committing, r.committed = m.from, m.at
		}
	case uncommitted:
		r.tries = append(r.tries, span{m.from, m.at})
	case lost:
		if r.disowned.IsZero() {
			r.disowned = m.at
		}
		if m.detail == "commit" {
			r.lost = span{m.from, m.at}
		}
	case releasing:
		r.releasing = m.at
	case released:
		r.released = m.at
	case unreleased:
		r.unreleased = append(r.unreleased, span{m.from, m.at})
	case closed:
		r.closed, r.outcome, r.died = m.at, m.detail, time.Time{}
	case crashed:
		r.crashed = point(m.detail)
	}
}

// lease enters a lease that the store gave.
func (r *run) lease(m mark) {
	r.leases = append(r.leases, span{m.from, m.at})
	r.leased, r.heard = later(r.leased, m.from), later(r.heard, m.at)
}

// over reports whether the request's part at the server is known to be over, the
// death of its process apart.
func (r *run) over() bool { return !r.closed.IsZero() || r.refused != "" }

// leasedAt returns when the store was last asked for a lease that it gave, up to a
// time.
func (r *run) leasedAt(t time.Time) (last time.Time) {
	for _, l := range r.leases {
		if !l.from.After(t) {
			last = later(last, l.from)
		}
	}
	return last
}

// worked returns until when the guard had to renew the lease. When its process was
// killed is known better than when it was found dead.
func (r *run) worked(f faults) (end time.Time) {
	all := []time.Time{r.committed, r.disowned, r.releasing, r.closed, r.died}
	for _, one := range f[r.process] {
		if one.harm == kill {
			all = append(all, one.begin)
		}
	}
	for _, t := range all {
		if !t.IsZero() && (end.IsZero() || t.Before(end)) {
			end = t
		}
	}
	return end
}

const timeFormat = "15:04:05.000000"

// line is a line of a history.
type line struct {
	at   time.Time // zero: not known
	text string
}

func inOrder(lines []line) []string {
	slices.SortStableFunc(lines, func(a, b line) int { return a.at.Compare(b.at) })
	var texts []string
	for _, l := range lines {
		at := "               "
		if !l.at.IsZero() {
			at = l.at.Format(timeFormat)
		}
		texts = append(texts, at+"  "+l.text)
	}
	return texts
}

func (r *run) history() []line {
	who := fmt.Sprintf("%s at %s: ", r.sent.id, r.process)
	var lines []line
	note := func(at time.Time, format string, args ...any) {
		if !at.IsZero() {
			lines = append(lines, line{at, who + fmt.Sprintf(format, args...)})
		}
	}
	note(r.asked, "asks for the claim")
	note(r.refusal.at, "refused: %s", r.refused)
	note(r.acquired, "acquired, asked for %v before", r.acquired.Sub(r.from))
	for _, l := range r.leases[min(1, len(r.leases)):] {
		note(l.from, "asks for a renewal that it gets")
	}
	for _, try := range r.denied {
		note(try.at, "renewal fails, asked for %v before", try.at.Sub(try.from))
	}
	note(r.ran, "handler runs, sees %s", r.saw)
	note(r.effect, "effect")
	if r.ended {
		note(r.failed, "handler fails, its context has ended")
	} else {
		note(r.failed, "handler fails")
	}
	for _, try := range r.tries {
		note(try.at, "commit fails, asked for %v before", try.at.Sub(try.from))
	}
	note(r.disowned, "is told that the claim is lost")
	note(r.committed, "commit acknowledged")
	note(r.releasing, "asks for release")
	note(r.released, "release acknowledged")
	for _, try := range r.unreleased {
		note(try.at, "release fails, asked for %v before", try.at.Sub(try.from))
	}
	note(r.closed, "over: %s", r.outcome)
	note(r.died, "process had died %s", r.crashed)
	return lines
}
