package main

import (
	"fmt"
	"time"
)

// verdict is what became of one event.
type verdict struct {
	lost      bool
	crash     int // doubled: the process died between effect and commit
	commit    int // doubled: the store could not be told of the effect
	stall     int // doubled: the lease was lost between effect and commit
	late      int // doubled: the effect came after the lease's end
	elsewhere int // doubled in any other way
	replays   int // copies that ran after the event was done, or are outdated
	forged    int // forgeries that ran or were acknowledged
	harmless  int // copies that ran while the event was not done
	failures  int // runs of the handler that failed
	handled   bool
	notes     []string
}

func (v *verdict) note(format string, args ...any) {
	v.notes = append(v.notes, fmt.Sprintf(format, args...))
}

func (v *verdict) bad() bool { return v.lost || v.elsewhere+v.replays+v.forged > 0 }

// slack is how much earlier than its time a lease may end: stores count in
// milliseconds.
const slack = 2 * time.Millisecond

// mayPrecede reports whether a register that keeps its contract may have given
// the claim to r and afterwards to other. Neither is told exactly when: it was
// between asking and answer.
func (r *run) mayPrecede(other *run, lease time.Duration) bool {
	switch {
	case !r.committed.IsZero(): // the event was done for good
		return false
	case r.from.After(other.acquired):
		return false
	case !r.releasing.IsZero() && !r.releasing.After(other.acquired):
		return true
	}
	return !other.acquired.Before(r.leaseEnd(lease).Add(-slack))
}

// leaseEnd is the earliest time at which a register may have given the claim to
// somebody else.
func (r *run) leaseEnd(lease time.Duration) time.Time { return r.leased.Add(lease) }

// judge applies the definitions of the package comment to an event that is
// quiet. rows says whether effects are rows in the store.
func (e *event) judge(lease time.Duration, rows bool) verdict {
	e.mu.Lock()
	defer e.mu.Unlock()
	var v verdict
	var claims []*run // of the event itself
	for _, r := range e.runs {
		if !r.failed.IsZero() {
			v.failures++
		}
		switch r.sent.origin() {
		case forged:
			v.forged++
			v.note("%s is forged and ran", r.sent.id)
			continue
		case outdated:
			v.replays++
			v.note("%s is outdated and ran", r.sent.id)
			continue
		}
		if !r.ran.IsZero() && r.saw != e.id {
			v.forged++
			v.note("%s ran with the event %s", r.sent.id, r.saw)
		}
		if r.acquired.IsZero() {
			v.elsewhere++
			v.note("%s ran without a claim", r.sent.id)
			continue
		}
		claims = append(claims, r)
	}
	for _, s := range e.sent {
		if s.ok() && s.run == nil && s.origin() == forged {
			v.forged++
			v.note("%s is forged and was acknowledged", s.id)
		}
	}
	broken := e.order(&v, claims, lease)
	effects := e.effects(claims, rows)
	e.double(&v, effects, broken, lease)
	for _, r := range claims {
		if r.sent.origin() == replayed && !broken[r] && !r.ran.IsZero() {
			v.harmless++
		}
	}
	switch {
	case e.answered.IsZero():
		v.lost = true
		v.note("its provider was never answered 2xx")
	case len(effects) == 0:
		v.lost = true
		v.note("its provider was answered 2xx, but there is no effect")
	case !rows && first(effects).After(e.answered):
		v.lost = true
		v.note("its provider was answered 2xx before there was an effect")
	case e.hasty() != nil:
		v.lost = true
		v.note("%s was answered 2xx before it was committed", e.hasty().id)
	default:
		v.handled = true
	}
	return v
}

// order finds the runs that the register should not have let in, and tells
// replays from others among them.
func (e *event) order(v *verdict, claims []*run, lease time.Duration) map[*run]bool {
	broken := make(map[*run]bool)
	for i, x := range claims {
		for _, y := range claims[i+1:] {
			if x.mayPrecede(y, lease) || y.mayPrecede(x, lease) {
				continue
			}
			// x comes first in the journal.
			if broken[y] { // counted already
				continue
			}
			broken[y] = true
			if y.sent.origin() == replayed {
				v.replays++
			} else {
				v.elsewhere++
			}
			v.note("%s and %s were both let in", x.sent.id, y.sent.id)
		}
	}
	return broken
}

// effects returns the runs that had an effect.
func (e *event) effects(claims []*run, rows bool) []*run {
	var all []*run
	for _, r := range claims {
		has := !r.effect.IsZero()
		if rows {
			for _, row := range e.rows {
				has = has || row == r.sent.id
			}
		}
		if has {
			all = append(all, r)
		}
	}
	return all
}

// hasty returns a request whose handler's 2xx left before the register knew, and
// without it having refused to listen.
func (e *event) hasty() *sent {
	for _, s := range e.sent {
		if s.status != handlerOK || s.run == nil || s.run.uncommitted {
			continue
		}
		if t := s.run.committed; t.IsZero() || t.After(s.done) {
			return s
		}
	}
	return nil
}

func first(effects []*run) time.Time {
	t := effects[0].effect
	for _, r := range effects {
		if r.effect.Before(t) {
			t = r.effect
		}
	}
	return t
}

// double says of each effect but the one that counts why it was not the only one.
func (e *event) double(v *verdict, effects []*run, broken map[*run]bool, lease time.Duration) {
	if len(e.rows) > 1 {
		v.elsewhere += len(e.rows) - 1
		v.note("its effect is in the store %d times", len(e.rows))
		return
	}
	if len(effects) < 2 {
		return
	}
	counts := effects[len(effects)-1]
	for _, r := range effects {
		if !r.committed.IsZero() {
			counts = r
		}
	}
	for _, r := range effects {
		inTime := !r.effect.After(r.leaseEnd(lease))
		switch {
		case r == counts:
		case broken[r] || broken[counts]: // counted already
		case !inTime && r.releasing.IsZero():
			v.late++
		case r.outcome == "lost":
			v.stall++
		case r.outcome == "commit_failed":
			v.commit++
		case !r.died.IsZero():
			v.crash++
		default:
			v.elsewhere++
			v.note("%s had an effect, and nothing went wrong with it", r.sent.id)
		}
	}
}
