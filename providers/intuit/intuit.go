// Package intuit verifies webhooks of Intuit: QuickBooks Online.
//
// Intuit signs the body of a delivery, and nothing else, with the verifier token of the
// app: HMAC-SHA256, in base64, in the header
//
//	Intuit-Signature: <44 characters>
//
//	guard := middleware.Protect(intuit.Must(os.Getenv("INTUIT_VERIFIER_TOKEN")))
//
// A notification says which entities changed, and when, and not what they hold: fetch
// that by the API. Entities of several companies may come in one notification.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// All companies that are connected to an app share its verifier token: look at realmId
// in the body.
//
// Equal bodies are one event. A second honest event with the same body does not run.
//
// Source: https://developer.intuit.com/app/developer/qbo/docs/develop/webhooks.
package intuit

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.Secrets] of one app. A nil o is
// the zero Options. It returns an error for a secret that cannot be right, such as one
// that is too short.
func New(keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.New(Definition(), keys, o)
}

// Must makes a verifier from the verifier tokens of one app: one, or several while they
// are changed. It panics where [New] returns an error, most often because an
// environment variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how Intuit signs webhooks of QuickBooks, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "intuit",
		Signatures: []scheme.Signature{{Header: "Intuit-Signature", Encoding: scheme.Base64}},
		Message:    []scheme.Part{scheme.Body()},
		MaxBody:    1 << 20, // Intuit states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour, // no time is signed, so as long as the guard would by itself
		About: verify.About{
			Title: "Intuit QuickBooks",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
				"the company but by what the body says (realmId): all of an app share its verifier token",
			},
			Links:         []string{"https://developer.intuit.com/app/developer/qbo/docs/develop/webhooks"},
			OutsideVector: "a test of intuit/QuickBooks-V3-Java-SDK",
		},
	}
}
