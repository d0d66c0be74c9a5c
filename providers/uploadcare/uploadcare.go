// Package uploadcare verifies webhooks of Uploadcare.
//
// Uploadcare signs the body of a delivery, and nothing else, with the signing secret of
// the webhook: HMAC-SHA256, in hexadecimal digits, in the header
//
//	X-Uc-Signature: v1=<64 hex digits>
//
//	guard := middleware.Protect(uploadcare.Must(os.Getenv("UC_SIGNING_SECRET")))
//
// A webhook without a signing secret is not signed. A secret has at most 32 characters;
// shorter ones than 16 are refused here.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// Equal bodies are one event. A body names its file and its event.
//
// Source: https://uploadcare.com/docs/security/secure-webhooks/.
package uploadcare

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

// Must makes a verifier from the signing secrets of one webhook: one, or several while
// they are changed. It panics where [New] returns an error, most often because an
// environment variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how Uploadcare signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "uploadcare",
		Signatures: []scheme.Signature{{Header: "X-Uc-Signature", Prefix: "v1="}},
		Message:    []scheme.Part{scheme.Body()},
		MaxBody:    1 << 20, // Uploadcare states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour, // no time is signed, so as long as the guard would by itself
		About: verify.About{
			Title: "Uploadcare",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
			},
			Links: []string{"https://uploadcare.com/docs/security/secure-webhooks/"},
		},
	}
}
