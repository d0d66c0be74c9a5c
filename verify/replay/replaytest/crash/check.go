package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/hooknotary/hooknotary/verify/replay"
)

// verdict is what became of one event.
type verdict struct {
	lost        bool
	crash       int // doubled: the process died between effect and commit
	commit      int // doubled: the store could not be told of the effect
	stall       int // doubled: the lease was lost between effect and commit
	afterLease  int // doubled: the effect came after the lease's end
	flush       int // doubled: the store was emptied in between
	unexplained int // doubled in any other way, or a run without a fault that explains its end
	still       int // refusals of a claim that nobody held
	replays     int // copies that ran after the event was done, or are outdated
	forged      int // forgeries that ran or were acknowledged
	unbound     int // forgeries that ran because the store was emptied
	errors      int // claims at which the store failed without a fault
	harmless    int // copies that ran while the event was not known to be done
	failures    int // runs of the handler that failed
	broken      int // doubled: the receiver did not answer, and may have acted
	outlived    int // effects for a sender that had hung up
	handled     bool
	notes       []string
}

func (v *verdict) note(format string, args ...any) {
	v.notes = append(v.notes, fmt.Sprintf(format, args...))
}

func (v *verdict) bad() bool { return v.lost || v.unexplained+v.still+v.replays+v.forged > 0 }

const (
	// slack is how much earlier than its time a lease may end: stores count in
	// milliseconds.
	slack = 2 * time.Millisecond
	// commitTries is how often a guard tells a store that fails.
	commitTries = 3
)

// judge applies the definitions of the package comment to an event that is
// quiet. rows says whether effects are rows in the store.
func (e *event) judge(lease time.Duration, rows bool, f faults) verdict {
	e.mu.Lock()
	defer e.mu.Unlock()
	j := &judgement{e: e, lease: lease, rows: rows, faults: f, flagged: make(map[*run]bool)}
	j.sort()
	for _, r := range j.claims {
		j.explain(r)
	}
	broken := j.order()
	effects := j.effects()
	j.double(effects, broken)
	j.refusals()
	v := &j.verdict
	for _, r := range j.claims {
		if r.sent.origin() == replayed && !broken[r] && !r.ran.IsZero() {
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
	case !rows && first(effects).After(e.answered):
		v.lost = true
		v.note("its provider was answered 2xx before there was an effect")
	case e.hasty() != nil:
		v.lost = true
		v.note("%s was answered 2xx before it was committed", e.hasty().id)
	default:
		v.handled = true
	}
	return *v
}

// judgement is a verdict in the making.
type judgement struct {
	verdict
	e      *event
	lease  time.Duration
	rows   bool
	faults faults

	asks    []*run        // for the event itself, refused or not
	claims  []*run        // those of them that were given the claim
	flagged map[*run]bool // counted as unexplained already
}

// unexplained counts a run for which no fault accounts.
func (j *judgement) unexplained(r *run, format string, args ...any) {
	j.flagged[r] = true
	j.verdict.unexplained++
	j.note("%s "+format, append([]any{r.sent.id}, args...)...)
}

// sort finds the runs of the event itself, and what is wrong with the others.
func (j *judgement) sort() {
	for _, r := range j.e.runs {
		if !r.failed.IsZero() {
			j.failures++
		}
		verified := !r.acquired.IsZero() || !r.ran.IsZero()
		switch r.sent.origin() {
		case forged:
			switch {
			case !verified:
			case j.forgotten(r):
				j.unbound++
			default:
				j.forged++
				j.note("%s is forged and ran", r.sent.id)
			}
			continue
		case outdated:
			if verified {
				j.replays++
				j.note("%s is outdated and ran", r.sent.id)
			}
			continue
		}
		if !r.ran.IsZero() && r.saw != j.e.id {
			j.forged++
			j.note("%s ran with the event %s", r.sent.id, r.saw)
		}
		switch {
		case !r.acquired.IsZero():
			j.claims = append(j.claims, r)
		case !r.ran.IsZero():
			j.unexplained(r, "ran without a claim")
			continue
		}
		j.asks = append(j.asks, r)
	}
	for _, s := range j.e.sent {
		if s.ok() && (s.run == nil || s.run.acquired.IsZero()) && s.origin() == forged && j.unbound == 0 {
			j.forged++
			j.note("%s is forged and was acknowledged", s.id)
		}
	}
}

// forgotten reports whether the store was emptied before a forgery came, and the
// genuine delivery under the same signature did not come in between.
func (j *judgement) forgotten(r *run) bool {
	if r.sent.message == "" {
		return false
	}
	for _, f := range j.faults.flushes(time.Time{}, r.acquired) {
		bound := false
		for _, o := range j.e.runs {
			response := later(o.acquired, o.refusal.at)
			bound = bound || o.sent.origin() != forged && o.sent.message == r.sent.message && o.refused != failure &&
				o.asked.After(f.end) && !response.IsZero() && !response.After(r.asked)
		}
		if !bound {
			return true
		}
	}
	return false
}

// explain looks for the faults that a run's end and its delays need.
func (j *judgement) explain(r *run) {
	j.renewals(r)
	if t := r.leasedAt(r.looked); !r.looked.IsZero() && r.looked.After(t.Add(j.lease+slack)) {
		j.unexplained(r, "had its effect after the lease, and its handler was not told")
	}
	if !r.lost.at.IsZero() && r.lost.at.Before(r.leaseEnd(j.lease).Add(-slack)) && len(j.faults.flushes(r.from, r.lost.at)) == 0 {
		j.unexplained(r, "lost its claim while its lease was live")
	}
	// A guard that renews does so after a third of the lease.
	if r.ended && r.goesOn() && r.disowned.IsZero() && r.failed.Before(r.leased.Add(j.lease*2/3)) {
		j.unexplained(r, "was ended by its sender, and should have gone on")
	}
	if !r.committing.IsZero() {
		for _, f := range j.faults.flushes(r.acquired, r.committing) {
			if f.begin.After(r.acquired) && f.end.Before(r.committing) {
				j.unexplained(r, "committed what the store had forgotten")
				break
			}
		}
	}
	if len(r.unreleased) > 0 && r.released.IsZero() && !slices.ContainsFunc(r.unreleased, func(try span) bool {
		return j.faults.overlap(r, try.from, try.at)
	}) {
		j.unexplained(r, "could not be released, and there was no fault")
		return
	}
	if r.outcome == "commit_failed" {
		if len(r.tries) < commitTries {
			j.unexplained(r, "tried its commit %d times only", len(r.tries))
			return
		}
		for _, try := range r.tries {
			if !j.faults.overlap(r, try.from, try.at) {
				j.unexplained(r, "could not commit, and there was no fault")
				return
			}
		}
	}
}

// renewals looks for a lease that its owner did not try to renew while it worked. A
// guard asks a third of a lease after it was given the last one, and sooner after a
// try that failed, unless something stands still.
func (j *judgement) renewals(r *run) {
	end := r.worked(j.faults)
	tries := slices.Concat(r.leases, r.denied)
	slices.SortFunc(tries, func(a, b span) int { return a.at.Compare(b.at) })
	for i, try := range tries {
		due, until := try.at.Add(j.lease*2/3), end
		if i+1 < len(tries) {
			until = earlier(until, tries[i+1].from)
		}
		if until.After(due) && j.faults.lasted(r, try.at, due) < j.lease/6 {
			j.unexplained(r, "did not renew its lease")
			return
		}
	}
}

// mayPrecede reports whether a store that keeps its contract may have given the
// claim to r and afterwards to other. Neither is told exactly when: it was between
// asking and answer.
func (j *judgement) mayPrecede(r, other *run) bool {
	switch {
	case r.from.After(other.acquired):
		return false
	case j.emptied(r, other):
		return true
	case !r.committed.IsZero(): // the event was done for good
		return false
	case !r.releasing.IsZero() && !r.releasing.After(other.acquired):
		return true
	}
	return !other.acquired.Before(r.leaseEnd(j.lease).Add(-slack))
}

// goesOn reports whether the handler goes on when its sender hangs up.
func (r *run) goesOn() bool { return r.sent.event.detached || r.sent.event.provider.name == gitHub }

// leaseEnd is the earliest time at which a store may have given the claim to
// somebody else.
func (r *run) leaseEnd(lease time.Duration) time.Time { return r.leased.Add(lease) }

// known returns the last time at which the store is known to have had the record of a
// run that it gave the claim.
func (r *run) known() time.Time { return later(r.from, r.committing) }

// emptied reports whether the store was emptied between two claims, so that it did
// not know the event when it was asked for the second one. Where a provider signs
// every attempt anew, a delivery that was signed before is refused even then, unless
// a later one has made the event known again.
func (j *judgement) emptied(r, other *run) bool {
	for _, f := range j.faults.flushes(r.known(), other.acquired) {
		if j.aboveFloor(other, f) {
			return true
		}
		for _, between := range j.asks {
			if between != other && !between.asked.After(other.acquired) && !later(later(between.asked, between.acquired), between.refusal.at).Before(f.begin) && j.aboveFloor(between, f) {
				return true
			}
		}
	}
	return false
}

// aboveFloor reports whether a delivery may run after a flush.
func (j *judgement) aboveFloor(r *run, f fault) bool {
	return !j.e.provider.resigns || !r.sent.signed.Before(f.begin.Truncate(time.Second))
}

// order finds the runs that the store should not have let in, and tells replays
// from others among them.
func (j *judgement) order() map[*run]bool {
	broken := make(map[*run]bool)
	for i, x := range j.claims {
		for _, y := range j.claims[i+1:] {
			if j.mayPrecede(x, y) || j.mayPrecede(y, x) {
				continue
			}
			// x comes first in the journal.
			if broken[y] { // counted already
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

// effects returns the runs that had an effect.
func (j *judgement) effects() []*run {
	var all []*run
	for _, r := range j.claims {
		has := !r.effect.IsZero()
		if j.rows {
			for _, row := range j.e.rows {
				has = has || row == r.sent.id
			}
		}
		if has {
			all = append(all, r)
		}
	}
	return all
}

// hasty returns a request whose handler's 2xx left before the store knew, and
// without it having failed to listen.
func (e *event) hasty() *sent {
	for _, s := range e.sent {
		if s.status != handlerOK || s.run == nil || len(s.run.tries) > 0 {
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
// That it ended in a gap is no excuse: there must be a fault, too.
func (j *judgement) double(effects []*run, broken map[*run]bool) {
	if n := len(j.e.rows); n > 1 {
		j.verdict.unexplained += n - 1
		j.note("its effect is in the store %d times", n)
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
		end := r.leasedAt(r.effect).Add(j.lease)
		switch {
		case r == counts:
		case broken[r] || broken[counts] || j.flagged[r]: // counted already
		case j.doubledByFlush(r, effects):
			j.verdict.flush++
		case r.effect.After(end) && r.releasing.IsZero() && j.faults.overlap(r, r.leasedAt(r.effect), r.effect):
			j.afterLease++
		case r.outcome == "lost" && j.faults.overlap(r, r.leased, r.closed):
			j.verdict.stall++
		case r.outcome == "commit_failed": // explained already
			j.commit++
		case !r.died.IsZero() && j.faults.killed(r.process) && !j.idle(r):
			j.crash++
		default:
			j.unexplained(r, "had an effect beside another one, and no fault accounts for that")
		}
	}
}

// idle reports whether a run went on after its effect for longer than any handler
// works, so that its commit was due long before its process was killed.
func (j *judgement) idle(r *run) bool {
	end := r.worked(j.faults)
	return end.Sub(r.effect)-j.faults.lasted(r, r.effect, end) > 3*j.lease
}

// doubledByFlush reports whether the store was emptied between a run and a later
// one that had an effect, too.
func (j *judgement) doubledByFlush(r *run, effects []*run) bool {
	for _, other := range effects {
		if other != r && !other.acquired.Before(r.from) && len(j.faults.flushes(r.known(), other.acquired)) > 0 {
			return true
		}
	}
	return false
}

// refusals looks for requests that were sent away although nobody can have held
// the claim: the event stood still for nothing.
func (j *judgement) refusals() {
	for _, r := range j.asks {
		switch r.refused {
		case failure:
			if !j.faults.overlap(r, r.asked, r.refusal.at) {
				j.errors++
			}
		case statusName(replay.InFlight):
			if !j.held(r) {
				j.still++
				j.note("%s was refused as in flight, and nobody can have held the claim", r.sent.id)
			}
		case statusName(replay.BeforeFloor):
			// A floor is set when the loss is noticed, at the latest by this claim.
			if len(j.faults.flushes(time.Time{}, r.refusal.at)) == 0 || !r.sent.signed.Before(r.refusal.at.Truncate(time.Second)) {
				j.still++
				j.note("%s was refused as signed before the floor, and there is no reason for such a floor", r.sent.id)
			}
		}
	}
}

// held reports whether somebody else can have held the claim when r was refused.
func (j *judgement) held(r *run) bool {
	for _, o := range j.asks {
		if o != r && !o.asked.After(r.refusal.at) && !j.heldUntil(o).Before(r.refusal.from) {
			return true
		}
	}
	return false
}

// heldUntil returns the latest time at which a run can have held the claim; zero:
// it never did.
func (j *judgement) heldUntil(r *run) time.Time {
	switch {
	case !r.committed.IsZero():
		return r.committed
	case !r.released.IsZero():
		return r.released
	case r.refused != "" && r.refused != failure:
		return time.Time{}
	}
	// What the store did not answer may have arrived there all the same.
	last := later(later(r.asked, r.heard), later(r.refusal.at, r.died))
	return j.faults.until(r.process, last).Add(j.lease + j.lease/4)
}
