// Package attio verifies webhooks of Attio.
//
// Attio signs the body of a delivery, and nothing else, with the secret of the webhook:
// HMAC-SHA256, in hexadecimal digits, in the header
//
//	Attio-Signature: <64 hex digits>
//
//	v, err := attio.New(verify.Secrets(os.Getenv("ATTIO_WEBHOOK_SECRET")), &scheme.Options{InsecureDistinctByUnsignedID: true})
//	// look at err
//	guard := middleware.Protect(v)
//
// Attio sends the same signature as X-Attio-Signature, for older receivers; it is not
// looked at.
//
// An event names what changed, and not what it holds: fetch that by the API. Attio
// sends a delivery that failed again up to ten times in about three days.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// The id of the message (Idempotency-Key), which stays the same in each retry, is not
// signed.
//
// # Equal bodies
//
// A body has no time, so two changes of one record by one member have equal bodies, and
// a store cannot tell the second one from a replay of the first: behind a guard it is
// acknowledged and does not run, for as long as the store remembers. Where each change
// matters, set scheme.Options.InsecureDistinctByUnsignedID, as above: then events are
// told apart by Idempotency-Key, at the price that a replay with another one runs. That
// makes the handler fetch the record once more, which does no harm if the handler
// fetches.
//
// Source: https://docs.attio.com/rest-api/how-to/webhooks.
package attio

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.Secrets] of one webhook. A nil o
// is the zero Options. It returns an error for a secret that cannot be right, such as
// one that is too short.
func New(keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.New(Definition(), keys, o)
}

// Must makes a verifier from the secrets of one webhook: one, or several while they are
// changed. It panics where [New] returns an error, most often because an environment
// variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how Attio signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "attio",
		Signatures: []scheme.Signature{{Header: "Attio-Signature"}},
		Message:    []scheme.Part{scheme.Body()},
		UnsignedID: "Idempotency-Key",
		MaxBody:    1 << 20, // Attio states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour, // no time is signed, so as long as the guard would by itself
		About: verify.About{
			Title: "Attio",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
				"the id of the message (Idempotency-Key)",
				"which of two equal events it is: a later one counts as a repeat unless the unsigned id tells them apart",
			},
			Links: []string{"https://docs.attio.com/rest-api/how-to/webhooks"},
		},
	}
}
