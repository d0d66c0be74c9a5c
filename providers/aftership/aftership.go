// Package aftership verifies webhooks of AfterShip.
//
// AfterShip signs the body of a delivery, and nothing else, with the webhook secret of
// the account: HMAC-SHA256, in base64, in the header
//
//	Aftership-Hmac-Sha256: <44 characters>
//
//	guard := middleware.Protect(aftership.Must(os.Getenv("AFTERSHIP_WEBHOOK_SECRET")))
//
// These are the webhooks of AfterShip Tracking. Those of AfterShip's other products
// stand in other headers: this package refuses them as unsigned.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// Equal bodies are one event. An event has a time in its body.
//
// Source: https://www.aftership.com/docs/tracking/webhook/webhook-signature.
package aftership

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.Secrets] of one account. A nil o
// is the zero Options. It returns an error for a secret that cannot be right, such as
// one that is too short.
func New(keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.New(Definition(), keys, o)
}

// Must makes a verifier from the secrets of one account: one, or several while they are
// changed. It panics where [New] returns an error, most often because an environment
// variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how AfterShip signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "aftership",
		Signatures: []scheme.Signature{{Header: "Aftership-Hmac-Sha256", Encoding: scheme.Base64}},
		Message:    []scheme.Part{scheme.Body()},
		MaxBody:    1 << 20, // AfterShip states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour, // no time is signed, so as long as the guard would by itself
		About: verify.About{
			Title: "AfterShip",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
			},
			Links: []string{"https://www.aftership.com/docs/tracking/webhook/webhook-signature"},
		},
	}
}
