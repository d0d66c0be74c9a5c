// Package sumsub verifies webhooks of Sumsub.
//
// Sumsub signs the body of a delivery, and nothing else, with the secret key of the
// webhook: HMAC-SHA256, in hexadecimal digits, in the header
//
//	X-Payload-Digest: <64 hex digits>
//
//	guard := middleware.Protect(sumsub.Must(os.Getenv("SUMSUB_WEBHOOK_SECRET")))
//
// Beside it stands X-Payload-Digest-Alg: HMAC_SHA256_HEX. A webhook can also be set to
// SHA-1 or SHA-512; then that header says so, and the delivery is refused, because the
// request must not choose. Set the webhook to SHA-256.
//
// A delivery that fails is repeated four times, most kinds for a day.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// Equal bodies are one event. A body has an id (correlationId) and a time
// (createdAtMs).
//
// Source: https://docs.sumsub.com/docs/webhook-manager.
package sumsub

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

// Must makes a verifier from the secret keys of one webhook: one, or several while they
// are changed. It panics where [New] returns an error, most often because an
// environment variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how Sumsub signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "sumsub",
		Signatures: []scheme.Signature{{Header: "X-Payload-Digest"}},
		Constants:  []scheme.Constant{{Header: "X-Payload-Digest-Alg", Value: "HMAC_SHA256_HEX"}},
		Message:    []scheme.Part{scheme.Body()},
		MaxBody:    1 << 20, // Sumsub states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour, // no time is signed, so longer than retries go on
		About: verify.About{
			Title: "Sumsub",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
			},
			Links: []string{"https://docs.sumsub.com/docs/webhook-manager"},
		},
	}
}
