// Package mollie verifies webhooks of Mollie.
//
// Mollie signs the body of a delivery, and nothing else, with the secret of the
// webhook: HMAC-SHA256, in hexadecimal digits, in the header
//
//	X-Mollie-Signature: sha256=<64 hex digits>
//
//	guard := middleware.Protect(mollie.Must(os.Getenv("MOLLIE_WEBHOOK_SECRET")))
//
// These are the next generation of Mollie's webhooks. The classic ones, which post a
// form with an id and are not signed, are refused; Mollie's SDK lets them pass as
// "legacy". While the secret is changed, the header stands there twice, once for each
// secret.
//
// An event is known by its id, which stands in the body.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// Events that have an id are known by it; other bodies by their bytes.
//
// Source: https://docs.mollie.com/reference/webhooks-best-practices, https://docs.mollie.com/reference/webhooks-new and https://github.com/mollie/mollie-api-php.
package mollie

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

// Definition returns how Mollie signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "mollie",
		Signatures: []scheme.Signature{{Header: "X-Mollie-Signature", Repeated: true, Prefix: "sha256="}},
		Message:    []scheme.Part{scheme.Body()},
		ID:         scheme.ID{Member: "id", Prefix: "event_"},
		MaxBody:    1 << 20, // Mollie states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour, // no time is signed, so as long as the guard would by itself
		About: verify.About{
			Title: "Mollie",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
			},
			Links: []string{
				"https://docs.mollie.com/reference/webhooks-best-practices",
				"https://docs.mollie.com/reference/webhooks-new",
				"https://github.com/mollie/mollie-api-php",
			},
		},
	}
}
