package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// harms are those of the nemesis.
var harms = []harm{kill, pause, storeKill, storePause, flush, term}

// blow is a fault that the nemesis plans.
type blow struct {
	harm   harm
	at     time.Duration // after the round began
	lasts  time.Duration // does not count for what is killed
	victim int           // of the servers, or of the store's
}

// plan chooses the faults of a round: for each server one at most, and one for the
// store. A store that lives in the servers has none, and SQL servers cannot be
// emptied.
func (h *harness) plan(r *rand.Rand) (all []blow) {
	within := func(most time.Duration) time.Duration { return time.Duration(r.Int64N(int64(most))) }
	add := func(what harm, victim int) {
		b := blow{what, faultsAfter + within(faultsWithin), h.lease*13/10 + within(h.lease*4/10), victim}
		if what == storeKill {
			b.lasts = within(300 * time.Millisecond)
		}
		all = append(all, b)
	}
	stores := len(h.rig.victims)
	if h.only != nil {
		for _, what := range h.only {
			switch n := stores; {
			case what == kill || what == pause || what == term && h.gateway:
				add(what, r.IntN(len(h.instances)))
			case n > 0 && what != term && (what != flush || h.rig.empty != nil):
				add(what, r.IntN(n))
			}
		}
		return all
	}
	for i := range h.instances {
		switch p := r.IntN(100); {
		case p < 45:
			add(kill, i)
		case p < 60:
			add(pause, i)
		case p < 75 && h.gateway:
			add(term, i)
		}
	}
	if stores == 0 {
		return all
	}
	switch p, victim := r.IntN(100), r.IntN(stores); {
	case p < 25:
		add(storeKill, victim)
	case p < 45:
		add(storePause, victim)
	case p < 60 && h.rig.empty != nil:
		add(flush, victim)
	}
	return all
}

// nemesis does a round's harm to the servers and the store, and returns when all
// of them run again. It writes each fault into the journal: that it begins before
// it does, and that it ended after it did.
func (h *harness) nemesis(ctx context.Context, r *rand.Rand) error {
	var (
		all    sync.WaitGroup
		mu     sync.Mutex
		failed error
	)
	for _, b := range h.plan(r) {
		all.Go(func() {
			if !rest(ctx, b.at) {
				return
			}
			if err := h.strike(ctx, b); err != nil {
				mu.Lock()
				defer mu.Unlock()
				failed = errors.Join(failed, fmt.Errorf("the nemesis failed: %s: %w", b.harm, err))
			}
		})
	}
	all.Wait()
	if failed != nil {
		return failed
	}
	for _, i := range h.instances {
		if err := i.await(startTimeout); err != nil {
			return err
		}
	}
	return nil
}

// strike does one fault, from its begin to its end.
func (h *harness) strike(ctx context.Context, b blow) error {
	if b.harm == kill || b.harm == pause || b.harm == term {
		i := h.instances[b.victim]
		var target string
		for target == "" { // it may be dead already
			if err := i.await(startTimeout); err != nil {
				return err
			}
			target = i.target()
		}
		defer h.marks.begin(target, b.harm)()
		if b.harm == kill {
			i.kill()
		} else if b.harm == term {
			i.term()
			for waited := time.Duration(0); i.target() == target && waited < startTimeout; waited += 10 * time.Millisecond {
				rest(ctx, 10*time.Millisecond)
			}
		} else if i.pause() {
			rest(ctx, b.lasts)
			i.resume()
		}
		return nil
	}
	if b.harm != flush || !plants[h.plant].silent {
		defer h.marks.begin(theStore, b.harm)()
	}
	v := h.rig.victims[b.victim]
	switch b.harm {
	case storeKill:
		killed := v.Kill()
		rest(ctx, b.lasts)
		return errors.Join(killed, v.Restart(), h.rig.whole())
	case storePause:
		paused := v.Pause()
		rest(ctx, b.lasts)
		return errors.Join(paused, v.Resume(), h.rig.whole())
	}
	return h.rig.empty()
}

// probe asks the store all the time, past the guards and by a new connection each
// time, and writes into the journal when it answered late or not at all.
func (h *harness) probe(ctx context.Context) {
	const pause = 120 * time.Millisecond
	var since time.Time // a response is missing
	for rest(ctx, pause) {
		asked := time.Now()
		err := h.rig.probe(ctx)
		switch bad := err != nil || time.Since(asked) > notable; {
		case ctx.Err() != nil:
			return
		case bad && since.IsZero():
			since = asked
			h.ailing.Store(true)
		case !bad && !since.IsZero():
			h.marks.befell(theStore, slow, since)
			since = time.Time{}
			h.ailing.Store(false)
		}
	}
}

// parseHarms reads a list of faults; "none" is an empty one.
func parseHarms(names []string) []harm {
	only := []harm{}
	for _, name := range names {
		if name != "none" {
			only = append(only, harm(name))
		}
	}
	return only
}
