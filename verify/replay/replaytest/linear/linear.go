// Package linear checks that a replay.Store is linearizable: that whatever many
// clients were told at the same time, it is what they would have been told one
// after the other, in some order in which no call comes before one that had been
// answered when it was made.
//
// The test of a store opens one handle for each of its clients, as so many
// instances would have it, and calls [Check]:
//
//	func TestStoreIsLinearizable(t *testing.T) {
//		linear.Check(t, []replay.Store{open(t), open(t), open(t)}, nil)
//	}
//
// # Histories
//
// Six clients or more send random calls, without waiting for each other, for so few
// events, messages and tokens that they collide all the time. When each call was
// made and answered is recorded, with what it asked and what it was told. Such a
// history is short, and there are many of them, each with events of its own.
//
// # Model
//
// Of each history, porcupine looks for an order that the following model allows.
// An event is free, in flight under a token, or done; a message is bound to a body
// or not. Every method does what replay.Store says, at one moment between call and
// return. Each event and each message is a world of its own: a claim with a binding
// is a call on the message and, unless that is forged, another one on the event. A
// call that failed or had no answer may have taken effect, at any time after it was
// made, or never.
//
// Time is part of it. The end of a lease is not known exactly, but it lies between
// the call and the return of what granted it, plus its length; the time left that
// others are told narrows this down. Another token acquires the event, or an
// operator forgets it, only if it was answered after the first of these two times,
// and is refused only if it asked before the second. 5 ms on both sides are for
// stores that count milliseconds. The clock of the store must run as ours does, and
// must not be set meanwhile. The end of a retention is not checked.
package linear

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/hooknotary/hooknotary/verify/replay"
)

// leastClients is the number of clients; there are more where there are more
// stores.
const leastClients = 6

const (
	defaultDuration = 2 * time.Second

	// thinking is how long the search for an order may take, which bounds the
	// memory that it needs, too. It takes some milliseconds unless there is none.
	thinking = 5 * time.Second

	// mostVoid is how many histories may have too few answers when none was
	// checked and the time is over.
	mostVoid = 10
)

// Options configures a Check. The zero value is the default.
type Options struct {
	// Duration is for how long histories are made and checked, one at least. The
	// default is 2 s.
	Duration time.Duration

	// Lease is a typical lease, in whole milliseconds. Leases then run out during
	// a history, and are taken over, because the clients pause between calls for
	// up to so long. It should be several times longer than a call takes, and
	// than 5 ms. The default is leases that outlast every history.
	Lease time.Duration

	// Fault makes the store fail, and returns when it works again: it kills a
	// server and starts it, or cuts connections. It is called once in each
	// history, by a goroutine of its own, while the clients are at work. What was
	// acknowledged must survive. The default is no fault.
	Fault func()

	// Seed makes the calls those of an earlier Check with as many clients. How
	// they coincide is left to chance. The default is a new one.
	Seed uint64
}

// Check makes histories of the stores, which share their records and are divided
// among the clients, and fails the test where one is not linearizable. It then
// says with which seed and, for the first object that is to blame, up to where an
// order was found and which calls do not fit. With the -artifacts flag of go test,
// it keeps a page that shows the history in a browser.
//
// Without a fault, every call must have an answer. With it, a history of which more
// than a quarter has none is left out, because it would take too long to check and
// says little; where that is so with all, Check fails.
//
// Nil options are the defaults.
//
// The stores may hold other records, and keep some 6 for an hour for each history.
func Check(t testing.TB, stores []replay.Store, o *Options) {
	t.Helper()
	if o == nil {
		o = &Options{}
	}
	duration, seed := o.Duration, o.Seed
	if duration <= 0 {
		duration = defaultDuration
	}
	if seed == 0 {
		seed = rand.Uint64()
	}
	total := make(summary)
	checked, void := 0, 0
	var failure error
	for start := time.Now(); time.Since(start) < duration || checked == 0 && void < mostVoid; {
		number := checked + void
		r := newRound(seed, number, max(leastClients, len(stores)), o)
		history := r.run(t.Context(), stores)
		total.add(history)
		switch {
		case r.failed == 0:
		case o.Fault == nil:
			t.Errorf("linear: history %d of seed %d: a call failed without a fault: %v", number, seed, r.err)
			return
		case r.failed > len(history)/4:
			void++
			failure = r.err
			continue
		}
		checked++
		if v := judge(history); v != nil {
			t.Errorf("linear: history %d of seed %d: %s%s", number, seed, v, keep(t, v))
			return
		}
	}
	t.Logf("linear: seed %d: %d histories, and %d with too few answers: %s", seed, checked, void, total)
	if checked == 0 {
		t.Errorf("linear: in each of %d histories more than a quarter of the calls failed, at last with: %v", void, failure)
	}
}

// keep writes a page for the browser, and returns where it is.
func keep(t testing.TB, v *violation) string {
	name := filepath.Join(t.ArtifactDir(), "history.html")
	if err := porcupine.VisualizePath(model, v.info, name); err != nil {
		return fmt.Sprintf("\n%v", err)
	}
	return fmt.Sprintf("\n(with -artifacts: %s)", name)
}

// judge returns what is wrong with a history, or nil.
func judge(history []porcupine.Operation) *violation {
	if porcupine.CheckOperationsTimeout(model, history, thinking) == porcupine.Ok {
		return nil
	}
	for _, part := range partition(history) {
		result, info := porcupine.CheckOperationsVerbose(model, part, thinking)
		if result != porcupine.Ok {
			return &violation{part, result, info}
		}
	}
	// Not together in time, but one by one.
	return nil
}
