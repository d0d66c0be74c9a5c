// Package tally verifies webhooks of Tally.
//
// Tally signs the body of a delivery, and nothing else, with the signing secret of the
// webhook: HMAC-SHA256, in base64, in the header
//
//	Tally-Signature: <44 characters>
//
//	guard := middleware.Protect(tally.Must(os.Getenv("TALLY_SIGNING_SECRET")))
//
// A webhook without a signing secret is not signed. Tally's sample signs the body after
// it was parsed and written again; the guard verifies the bytes that came. Tally waits
// ten seconds for a response.
//
// An event is known by its eventId, which stands in the body.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// Events that have an eventId are known by it; other bodies by their bytes.
//
// Source: https://tally.so/help/webhooks.
package tally

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

// Definition returns how Tally signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "tally",
		Signatures: []scheme.Signature{{Header: "Tally-Signature", Encoding: scheme.Base64}},
		Message:    []scheme.Part{scheme.Body()},
		ID:         scheme.ID{Member: "eventId"},
		MaxBody:    4 << 20, // Tally states no limit; a form with many long answers is large
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour, // no time is signed, so as long as the guard would by itself
		About: verify.About{
			Title: "Tally",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
			},
			Tell:  verify.Tell{Headers: []string{"Tally-Signature"}},
			Links: []string{"https://tally.so/help/webhooks"},
		},
	}
}
