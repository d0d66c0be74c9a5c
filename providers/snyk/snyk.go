// Package snyk verifies webhooks of Snyk.
//
// Snyk signs the body of a delivery, and nothing else, with the secret of the webhook:
// HMAC-SHA256, in hexadecimal digits, in the header
//
//	X-Hub-Signature: sha256=<64 hex digits>
//
//	guard := middleware.Protect(snyk.Must(os.Getenv("SNYK_WEBHOOK_SECRET")))
//
// Snyk's sample signs the body after it was parsed and written again; the guard
// verifies the bytes that came.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// The name and version of the event (X-Snyk-Event), the id of the delivery
// (X-Snyk-Transport-ID) and the time (X-Snyk-Timestamp) are not signed: look at what
// the body has.
//
// Equal bodies are one event. A second snapshot of a project that did not change does
// not run.
//
// Source: https://docs.snyk.io/developer-tools/snyk-api/using-specific-snyk-apis/webhooks-apis/validation-and-versioning-of-payloads.
package snyk

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

// Definition returns how Snyk signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:     "snyk",
		Signatures:   []scheme.Signature{{Header: "X-Hub-Signature", Prefix: "sha256="}},
		Message:      []scheme.Part{scheme.Body()},
		UnsignedID:   "X-Snyk-Transport-ID",
		UnsignedType: "X-Snyk-Event",
		MaxBody:      8 << 20, // Snyk states no limit; a snapshot of a project with many issues is large
		Retry:        verify.RetryIdentical,
		Retention:    7 * 24 * time.Hour, // no time is signed, so as long as the guard would by itself
		About: verify.About{
			Title: "Snyk",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
				"the event (X-Snyk-Event): look at what the body has",
				"the id (X-Snyk-Transport-ID)",
				"the time of X-Snyk-Timestamp",
			},
			Tell:  verify.Tell{Headers: []string{"X-Hub-Signature", "X-Snyk-Event"}, Value: "sha256="},
			Links: []string{"https://docs.snyk.io/developer-tools/snyk-api/using-specific-snyk-apis/webhooks-apis/validation-and-versioning-of-payloads"},
		},
	}
}
