// Package bland verifies webhooks of Bland.
//
// Bland signs the body of a delivery, and nothing else, with the webhook secret of the
// account: HMAC-SHA256, in hexadecimal digits, in the header
//
//	X-Webhook-Signature: <64 hex digits>
//
//	guard := middleware.Protect(bland.Must(os.Getenv("BLAND_WEBHOOK_SECRET")))
//
// The secret is made in the settings of the account, and is shown once. Bland's sample
// signs the body after it was parsed and written again; the guard verifies the bytes
// that came. The name of the header is used by other senders, too.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// Equal bodies are one event. A body names its call.
//
// Source: https://docs.bland.ai/tutorials/webhook-signing.
package bland

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

// Definition returns how Bland signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "bland",
		Signatures: []scheme.Signature{{Header: "X-Webhook-Signature"}},
		Message:    []scheme.Part{scheme.Body()},
		MaxBody:    4 << 20, // Bland states no limit; a call with its transcript is large
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour, // no time is signed, so as long as the guard would by itself
		About: verify.About{
			Title: "Bland",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
			},
			Links: []string{"https://docs.bland.ai/tutorials/webhook-signing"},
		},
	}
}
