// Package dwolla verifies webhooks of Dwolla.
//
// Dwolla signs the body of a delivery, and nothing else, with the secret of the
// subscription: HMAC-SHA256, in hexadecimal digits, in the header
//
//	X-Request-Signature-SHA-256: <64 hex digits>
//
//	guard := middleware.Protect(dwolla.Must(os.Getenv("DWOLLA_WEBHOOK_SECRET")))
//
// An event is known by its id, which stands in the body. A delivery that fails is
// repeated up to 8 times in 72 hours.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// Events that have an id are known by it; other bodies by their bytes.
//
// Source: https://developers.dwolla.com/docs/balance/webhooks/create-subscription and https://developers.dwolla.com/docs/api-reference/webhook-subscriptions.
package dwolla

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.Secrets] of one subscription. A
// nil o is the zero Options. It returns an error for a secret that cannot be right,
// such as one that is too short.
func New(keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.New(Definition(), keys, o)
}

// Must makes a verifier from the secrets of one subscription: one, or several while
// they are changed. It panics where [New] returns an error, most often because an
// environment variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how Dwolla signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "dwolla",
		Signatures: []scheme.Signature{{Header: "X-Request-Signature-SHA-256"}},
		Message:    []scheme.Part{scheme.Body()},
		ID:         scheme.ID{Member: "id"},
		MaxBody:    1 << 20, // Dwolla states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour, // no time is signed, so longer than retries go on
		About: verify.About{
			Title: "Dwolla",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
			},
			Links: []string{
				"https://developers.dwolla.com/docs/balance/webhooks/create-subscription",
				"https://developers.dwolla.com/docs/api-reference/webhook-subscriptions",
			},
		},
	}
}
