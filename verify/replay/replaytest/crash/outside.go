package main

import (
	"slices"
	"strings"
	"time"
)

// judgeOutside applies the definitions of the package comment to an event that gateways
// handled. Nobody sees their claims; what is known is what senders and receiver saw of them,
// and what they logged.
func (e *event) judgeOutside(lease time.Duration, f faults) verdict {
	e.mu.Lock()
	defer e.mu.Unlock()
	j := &judgement{e: e, lease: lease, faults: f, flagged: make(map[*run]bool)}
	v := &j.verdict
	for _, r := range e.runs {
		if r.outcome == declined {
			v.failures++
		}
		switch r.sent.origin() {
		case forged:
			v.forged++
			j.note("%s is forged and reached the receiver", r.sent.id)
			continue
		case outdated:
			v.replays++
			j.note("%s is outdated and reached the receiver", r.sent.id)
			continue
		}
		if r.saw != e.id {
			v.forged++
			j.note("%s reached the receiver with the event %s", r.sent.id, r.saw)
		}
		j.claims = append(j.claims, r)
	}
	for _, s := range e.sent {
		if s.ok() && s.origin() == forged {
			v.forged++
			j.note("%s is forged and was acknowledged", s.id)
		}
	}
	slices.SortStableFunc(j.claims, func(a, b *run) int { return a.ran.Compare(b.ran) })
	for _, r := range j.claims {
		j.explainOutside(r)
	}
	broken := j.orderOutside()
	effects := j.effects()
	j.doubleOutside(effects, broken)
	for _, s := range e.sent {
		// A run that lost its claim is answered so, too.
		if s.run == nil && s.status == 409 && s.wait && !j.heldOutside(s) {
			v.still++
			j.note("%s was refused as in flight, and nobody can have held the claim", s.id)
		}
	}
	for _, r := range j.claims {
		if r.sent.origin() == replayed && !broken[r] {
			v.harmless++
		}
	}
	for _, r := range effects {
		if s := r.sent; s.status == 0 && !s.done.IsZero() && r.effect.After(s.done) {
			v.outlived++
		}
	}
	switch {
	case e.answered.IsZero():
		v.lost = true
		v.note("its provider was never answered 2xx")
	case len(effects) == 0:
		v.lost = true
		v.note("its provider was answered 2xx, but there is no effect")
	case first(effects).After(e.answered):
		v.lost = true
		v.note("its provider was answered 2xx before there was an effect")
	default:
		v.handled = true
	}
	return *v
}

// explainOutside looks at how the gateway ended a run.
func (j *judgement) explainOutside(r *run) {
	t := r.told
	switch {
	case t.outcome == "failed" && !t.kept && r.outcome != declined:
		j.unexplained(r, "was released, although its receiver had not said that it failed")
	case t.outcome == "failed" && t.stuck && !j.faults.overlap(r, r.ran, t.at):
		j.unexplained(r, "could not be released, and there was no fault")
	case t.outcome == "failed" && t.kept && r.outcome == declined && r.sent.status != 0 && r.closed.Sub(r.ran) < maxRun/2 && !j.faults.overlap(r, r.sent.at, t.at):
		j.unexplained(r, "kept its claim, although its receiver said that it failed")
	case (t.outcome == "lost" || t.outcome == "commit_failed") && !j.faults.overlap(r, r.sent.at, t.at) && len(j.faults.flushes(r.sent.at, t.at)) == 0:
		j.unexplained(r, "is %s, and there was no fault", t.outcome)
	case r.sent.ok() && r.outcome != acted:
		j.unexplained(r, "was answered 2xx, although its receiver did not succeed")
	}
}

// acknowledged returns when it was known at the latest that a run is done for good; zero: it
// is not known.
func (r *run) acknowledged() time.Time {
	if !r.sent.ok() || r.told.outcome == "commit_failed" {
		return time.Time{}
	}
	return r.sent.done
}

// releasedOutside reports whether the claim of a run was given back. may is whether it may
// have been, although the store did not say so, or the gateway was killed before it did.
func (r *run) releasedOutside() (sure, may bool) {
	if t := r.told; t.outcome != "" {
		may = t.outcome == "failed" && !t.kept
		return may && !t.stuck, may
	}
	return false, r.outcome == declined
}

// mayFollow reports whether gateways that keep their promises may have let y in after x.
func (j *judgement) mayFollow(x, y *run) bool {
	if j.emptiedOutside(x, y) {
		return true
	}
	if t := x.acknowledged(); !t.IsZero() && y.sent.at.After(t) {
		return false
	}
	if _, may := x.releasedOutside(); may {
		return !x.closed.IsZero() && !y.ran.Before(x.closed)
	}
	if y.ran.Before(x.sent.at.Add(j.lease - slack)) {
		return false
	}
	switch {
	case x.told.kept:
		// It was renewed a third of a lease before, or later.
		return y.ran.After(x.told.at.Add(j.lease/3)) || j.faults.overlap(x, x.ran, y.ran)
	case x.told.outcome == "lost" || x.told.outcome == "commit_failed":
		return true
	case j.killedBetween(x.process, x.sent.at, y.ran):
		return true
	}
	return j.faults.overlap(x, x.sent.at, y.ran) || j.faults.overlap(y, x.sent.at, y.ran)
}

func (j *judgement) killedBetween(process string, from, to time.Time) bool {
	return slices.ContainsFunc(j.faults[process], func(f fault) bool {
		return f.harm == kill && !f.begin.Before(from) && !f.begin.After(to)
	})
}

// emptiedOutside reports whether the store was emptied between two runs, so that it may not
// have known the event when the second one came.
func (j *judgement) emptiedOutside(x, y *run) bool {
	for _, f := range j.faults.flushes(x.sent.at, y.ran) {
		for _, s := range j.e.sent {
			if !s.at.After(y.ran) && !s.done.Before(f.begin) && (!j.e.provider.resigns || !s.signed.Before(f.begin.Truncate(time.Second))) {
				return true
			}
		}
	}
	return false
}

// orderOutside finds the runs that should not have been let in.
func (j *judgement) orderOutside() map[*run]bool {
	broken := make(map[*run]bool)
	for i, x := range j.claims {
		for _, y := range j.claims[i+1:] {
			if broken[y] || j.mayFollow(x, y) {
				continue
			}
			broken[y] = true
			if y.sent.origin() == replayed {
				j.replays++
			} else {
				j.verdict.unexplained++
			}
			j.note("%s and %s were both let in", x.sent.id, y.sent.id)
		}
	}
	return broken
}

// doubleOutside says of each effect but the first why the one before it was not the last.
func (j *judgement) doubleOutside(effects []*run, broken map[*run]bool) {
	for i := 1; i < len(effects); i++ {
		x, y := effects[i-1], effects[i]
		switch {
		case broken[x] || broken[y] || j.flagged[x] || j.flagged[y]: // counted already
		case j.emptiedOutside(x, y):
			j.verdict.flush++
		case x.told.kept:
			j.broken++
		case x.told.outcome == "commit_failed":
			j.commit++
		case x.told.outcome == "lost":
			j.verdict.stall++
		case j.killedBetween(x.process, x.sent.at, y.ran):
			j.crash++
		case j.faults.overlap(x, x.sent.at, y.ran) || j.faults.overlap(y, x.sent.at, y.ran):
			j.verdict.stall++
		default:
			j.unexplained(y, "had an effect beside that of %s, and no fault accounts for that", x.sent.id)
		}
	}
}

// heldOutside reports whether somebody else can have held the claim when s was refused.
func (j *judgement) heldOutside(s *sent) bool {
	for _, o := range j.e.sent {
		if o == s || o.at.After(s.done) || o.origin() == forged || o.origin() == outdated {
			continue
		}
		if !j.heldUntilOutside(o).Before(s.at) {
			return true
		}
	}
	return false
}

// heldUntilOutside returns the latest time at which a request can have held the claim.
func (j *judgement) heldUntilOutside(s *sent) time.Time {
	r := s.run
	switch {
	case r == nil && s.status != 0 && s.status < 500: // it was refused, or is a duplicate
		return time.Time{}
	case r == nil: // nobody knows whether it had the claim
		last := s.done
		for process := range j.faults {
			if strings.HasPrefix(process, s.instance) {
				last = later(last, j.faults.until(process, s.done))
			}
		}
		return last.Add(transit + j.lease + j.lease/4)
	case !r.acknowledged().IsZero():
		return s.done
	}
	last := later(later(s.done, r.closed), later(r.told.at, r.died))
	if sure, _ := r.releasedOutside(); sure {
		return last
	}
	return j.faults.until(r.process, last).Add(j.lease + j.lease/4)
}
