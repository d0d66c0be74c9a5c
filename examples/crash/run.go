package main

import (
	"fmt"
	"slices"
	"time"
)

// run is what one request did at a server after it got the claim.
type run struct {
	sent    *sent
	process string

	from      time.Time // when the register was asked for the claim
	acquired  time.Time // when it had given it
	leased    time.Time // when it was last asked for a lease that it gave
	ran       time.Time
	effect    time.Time
	failed    time.Time
	committed time.Time // when the register had acknowledged the commit
	releasing time.Time
	closed    time.Time
	outcome   string // as the guard reported it
	crashed   point

	uncommitted bool      // the register failed when it was told
	saw         string    // the event that the handler saw
	died        time.Time // when the process ended before closed
}

// add enters a mark.
func (r *run) add(m mark) {
	switch m.kind {
	case acquired:
		r.from, r.acquired, r.leased = m.from, m.at, m.from
	case renewed:
		if m.from.After(r.leased) {
			r.leased = m.from
		}
	case ran:
		r.ran, r.saw = m.at, m.detail
	case effect:
		r.effect = m.at
	case failed:
		r.failed = m.at
	case committed:
		if r.committed.IsZero() {
			r.committed = m.at
		}
	case uncommitted:
		r.uncommitted = true
	case releasing:
		r.releasing = m.at
	case closed:
		r.closed, r.outcome, r.died = m.at, m.detail, time.Time{}
	case crashed:
		r.crashed = point(m.detail)
	}
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
	note(r.acquired, "acquired, asked for %v before", r.acquired.Sub(r.from))
	if !r.leased.Equal(r.from) {
		note(r.leased, "asked for the last renewal")
	}
	note(r.ran, "handler runs, sees %s", r.saw)
	note(r.effect, "effect")
	note(r.failed, "handler fails")
	note(r.committed, "commit acknowledged")
	note(r.releasing, "asks for release")
	note(r.closed, "over: %s", r.outcome)
	note(r.died, "process had died %s", r.crashed)
	return lines
}
