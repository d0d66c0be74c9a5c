package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// nemesis does a round's harm to the servers and the store, and returns when all
// of them run again.
func (h *harness) nemesis(ctx context.Context, r *rand.Rand) error {
	within := func(most time.Duration) time.Duration { return time.Duration(r.Int64N(int64(most))) }
	beyond := func() time.Duration { return h.lease + h.lease/10 + within(h.lease*4/10) }

	var faults sync.WaitGroup
	for _, i := range h.instances {
		at, down := within(faultsWithin), beyond()
		switch p := r.IntN(100); {
		case p < 45:
			faults.Go(func() {
				if rest(ctx, at) && i.kill() {
					h.tally(&h.figures.kills)
				}
			})
		case p < 60:
			faults.Go(func() {
				if rest(ctx, at) && i.pause() {
					h.tally(&h.figures.pauses)
					rest(ctx, down)
					i.resume()
				}
			})
		}
	}
	var err error // of the store
	if n := len(h.rig.victims); n > 0 {
		v, at := h.rig.victims[r.IntN(n)], within(faultsWithin)
		down, pause := within(300*time.Millisecond), beyond()
		switch p := r.IntN(100); {
		case p < 25:
			faults.Go(func() {
				if !rest(ctx, at) {
					return
				}
				h.tally(&h.figures.storeKills)
				killed := v.Kill()
				rest(ctx, down)
				err = errors.Join(killed, v.Restart())
			})
		case p < 45:
			faults.Go(func() {
				if !rest(ctx, at) {
					return
				}
				h.tally(&h.figures.storePauses)
				paused := v.Pause()
				rest(ctx, pause)
				err = errors.Join(paused, v.Resume())
			})
		}
	}
	faults.Wait()
	if err != nil {
		return fmt.Errorf("the nemesis failed: %w", err)
	}
	for _, i := range h.instances {
		if err := i.await(startTimeout); err != nil {
			return err
		}
	}
	return nil
}

// tally adds one to a figure.
func (h *harness) tally(n *int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	*n++
}
