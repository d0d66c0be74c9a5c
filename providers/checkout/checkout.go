// Package checkout verifies webhooks of Checkout.com.
//
// Checkout.com signs the body of a delivery, and nothing else, with the signature key
// of the workflow's webhook: HMAC-SHA256, in hexadecimal digits, in the header
//
//	Cko-Signature: <64 hex digits>
//
//	guard := middleware.Protect(checkout.Must(os.Getenv("CHECKOUT_SIGNATURE_KEY")))
//
// An event is known by its id, which stands in the body. A Workflow can also send an
// Authorization header of your choice; it proves nothing beside the signature.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// Events that have an id are known by it; other bodies by their bytes.
//
// Source: https://www.checkout.com/docs/developer-resources/event-notifications/receive-webhooks/set-up-your-webhook-receiver and https://www.checkout.com/docs/workflows.
package checkout

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.Secrets] of one workflow. A nil o
// is the zero Options. It returns an error for a secret that cannot be right, such as
// one that is too short.
func New(keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.New(Definition(), keys, o)
}

// Must makes a verifier from the signature keys of one workflow: one, or several while
// they are changed. It panics where [New] returns an error, most often because an
// environment variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how Checkout.com signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "checkout",
		Signatures: []scheme.Signature{{Header: "Cko-Signature"}},
		Message:    []scheme.Part{scheme.Body()},
		ID:         scheme.ID{Member: "id", Prefix: "evt_"},
		MaxBody:    1 << 20, // Checkout.com states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour, // no time is signed, so as long as the guard would by itself
		About: verify.About{
			Title: "Checkout.com",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
			},
			Links: []string{
				"https://www.checkout.com/docs/developer-resources/event-notifications/receive-webhooks/set-up-your-webhook-receiver",
				"https://www.checkout.com/docs/workflows",
			},
		},
	}
}
