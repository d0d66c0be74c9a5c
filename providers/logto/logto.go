// Package logto verifies webhooks of Logto.
//
// Logto signs the body of a delivery, and nothing else, with the signing key of the
// webhook: HMAC-SHA256, in hexadecimal digits, in the header
//
//	Logto-Signature-Sha-256: <64 hex digits>
//
//	guard := middleware.Protect(logto.Must(os.Getenv("LOGTO_SIGNING_KEY")))
//
// Logto makes the signing key with the webhook.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// Equal bodies are one event. A second honest event with the same body does not run.
//
// Source: https://docs.logto.io/developers/webhooks/secure-webhooks.
package logto

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

// Must makes a verifier from the signing keys of one webhook: one, or several while
// they are changed. It panics where [New] returns an error, most often because an
// environment variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how Logto signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "logto",
		Signatures: []scheme.Signature{{Header: "Logto-Signature-Sha-256"}},
		Message:    []scheme.Part{scheme.Body()},
		MaxBody:    1 << 20, // Logto states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour, // no time is signed, so as long as the guard would by itself
		About: verify.About{
			Title: "Logto",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
			},
			Links: []string{"https://docs.logto.io/developers/webhooks/secure-webhooks"},
		},
	}
}
