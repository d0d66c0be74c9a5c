// Queue puts a queue between an endpoint and the handler of its webhooks.
//
//	go run ./examples/queue
//
// posts genuine, forged and replayed deliveries to the endpoint, and one whose
// handler fails, consumes what is in the queue, and prints what came of it. It exits
// with 1 if that is not what is promised.
//
// The endpoint stores requests as they are and verifies nothing; it needs no secret.
// The consumer verifies each at the time at which it arrived, however late that is,
// and sees to it that each event is handled once.
//
// Prefer a guard around the endpoint, which puts into the queue only what is
// verified, if the endpoint can have the secret and the store: then nobody else
// can fill the queue, and the provider retries what was refused by mistake. Whoever
// can write into the queue itself chooses the receive time, up to two minutes ahead
// of the consumer's clock, so the queue must be closed to all but the endpoint.
//
// What to copy is in this file; show.go is the show.
package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/capture"
	"github.com/hooknotary/hooknotary/verify/replay"
)

func main() {
	if err := show(os.Stdout, newConsumer); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// maxBody is what Stripe sends at most.
const maxBody = 1 << 20

// endpoint returns the handler of the endpoint. It hands each request to put, as a
// capture: the bytes that arrived, and when, without cookies and tokens. The command
// line tool reads the same format, for what ends among the dead letters.
func endpoint(put func(context.Context, []byte) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		receivedAt := time.Now() // of this machine, not of the sender
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			http.Error(w, "the body is too large, or broken off", http.StatusBadRequest)
			return
		}
		message, err := capture.New(r, body, receivedAt).Append(nil)
		if err != nil {
			http.Error(w, "the request cannot be stored", http.StatusBadRequest)
			return
		}
		if err := put(r.Context(), message); err != nil {
			http.Error(w, "try again later", http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusAccepted) // stored, and the provider will not come back
	}
}

// consumer handles what is in the queue. Its store outlives the process, and is
// shared, if there are several of them.
type consumer struct {
	verifier verify.Verifier
	store    replay.Store
	handle   func(context.Context, *verify.Delivery) error
}

func newConsumer(v verify.Verifier, store replay.Store, handle func(context.Context, *verify.Delivery) error) *consumer {
	return &consumer{v, store, handle}
}

const (
	maxWait  = 4 * 24 * time.Hour // as long as the queue keeps a message
	maxAhead = 2 * time.Minute    // between the clocks of the endpoint and of the consumer
	maxRun   = time.Minute        // of the handler

	settleTimeout = 2 * time.Second // of the store
	lease         = 2 * time.Minute // longer than that, because nobody renews it
	retention     = 14 * 24 * time.Hour
)

// refused is an error that another attempt would not mend: the message belongs
// among the dead letters, but for verify.ErrReplayed, which is most often the
// queue's own second delivery of what was handled.
type refused struct{ reason error }

func (r *refused) Error() string { return "refused: " + r.reason.Error() }
func (r *refused) Unwrap() error { return r.reason }

// consume handles one message. Nil means that it is done, and a *refused that it
// will never be; any other error, that it must come again.
func (c *consumer) consume(ctx context.Context, message []byte) (err error) {
	m, err := capture.Parse(message)
	if err != nil {
		return &refused{err}
	}
	if time.Since(m.ReceivedAt) > maxWait {
		return &refused{errors.New("waited for longer than the store is sure to remember")}
	}
	// Else a delivery that was signed far ahead would be good until then, and the
	// store forgets it before.
	if m.ReceivedAt.After(time.Now().Add(maxAhead)) {
		return &refused{errors.New("received later than now: compare the clocks of the endpoint and of this machine")}
	}

	// The head has the time at which the request arrived, and that is the only
	// clock of the verifier.
	d, err := verify.Verify(ctx, c.verifier, m.Head(), m.Body)
	switch {
	case errors.Is(err, verify.ErrUnavailable):
		return err
	case err != nil:
		return &refused{err}
	}

	window := c.verifier.Profile().Window
	print := d.Fingerprint.Sum()
	claim := replay.Claim{
		Key: replay.Event{
			Endpoint: "billing-queue", Provider: d.Provider, Scope: d.Scope,
			ID: d.ID, Fingerprint: print, Partition: d.Unsigned.Partition,
		}.Key(),
		Token: replay.NewToken(),
		Lease: lease,
		// A copy that arrived within the window may wait in the queue for so long,
		// and verifies even then.
		Needed:      maxWait + maxAhead + window.Past + window.Future,
		Retention:   retention,
		Fingerprint: sha256.Sum256(print[:]),
		SignedAt:    d.SignedAt,
		// Not Resigned, although Stripe signs each attempt anew: the endpoint
		// has answered, so there is no other attempt, and a store that starts
		// anew must not refuse what waited for it.
	}
	if d.Binding != verify.BindingFull { // PayPal's, for one: that takes a Claim.Binding
		return &refused{errors.New("the signature does not cover the whole body")}
	}
	outcome, err := c.store.Claim(ctx, claim)
	if err != nil {
		return err
	}
	switch outcome.Status {
	case replay.Acquired:
	case replay.InFlight:
		return &verify.Error{Reason: verify.ErrInFlight}
	default:
		return &refused{&verify.Error{Reason: verify.ErrReplayed}}
	}

	owner := replay.Handle{Key: claim.Key, Token: claim.Token}
	handled := false
	defer func() {
		if !handled { // also after a panic
			settle, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
			defer cancel()
			err = errors.Join(err, c.store.Release(settle, owner))
		}
	}()
	run, cancel := context.WithTimeout(replay.NewContext(ctx, owner), maxRun)
	defer cancel()
	if err := c.handle(run, d); err != nil {
		return err
	}
	handled = true
	// If this fails, the message comes again, and once the lease is over the event
	// runs once more: make its effects idempotent.
	settle, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	return c.store.Commit(settle, owner)
}
