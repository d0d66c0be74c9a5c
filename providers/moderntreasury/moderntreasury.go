// Package moderntreasury verifies webhooks of Modern Treasury.
//
// Modern Treasury signs the body of a delivery, and nothing else, with the key of the
// webhook: HMAC-SHA256, in hexadecimal digits, in the header
//
//	X-Signature: <64 hex digits>
//
//	guard := middleware.Protect(moderntreasury.Must(os.Getenv("MODERN_TREASURY_WEBHOOK_KEY")))
//
// The name of the header is used by other senders, too, so it does not tell who sent a
// request.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// Equal bodies are one event. A second honest event with the same body does not run.
//
// Source: https://docs.moderntreasury.com/platform/docs/webhooks-overview and https://docs.moderntreasury.com/platform/reference/webhook-signatures.
package moderntreasury

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

// Must makes a verifier from the keys of one webhook: one, or several while they are
// changed. It panics where [New] returns an error, most often because an environment
// variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how Modern Treasury signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "moderntreasury",
		Signatures: []scheme.Signature{{Header: "X-Signature"}},
		Message:    []scheme.Part{scheme.Body()},
		MaxBody:    1 << 20, // Modern Treasury states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour, // no time is signed, so as long as the guard would by itself
		About: verify.About{
			Title: "Modern Treasury",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
			},
			Links: []string{
				"https://docs.moderntreasury.com/platform/docs/webhooks-overview",
				"https://docs.moderntreasury.com/platform/reference/webhook-signatures",
			},
			OutsideVector: "a test of Modern-Treasury/modern-treasury-python",
		},
	}
}
