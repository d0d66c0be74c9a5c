// Package typeform verifies webhooks of Typeform.
//
// Typeform signs the body of a delivery, and nothing else, with the secret of the
// webhook: HMAC-SHA256, in base64, in the header
//
//	Typeform-Signature: sha256=<44 characters>
//
//	guard := middleware.Protect(typeform.Must(os.Getenv("TYPEFORM_WEBHOOK_SECRET")))
//
// The prefix looks like GitHub's, but base64 stands behind it. A webhook without a
// secret is not signed.
//
// An event is known by its event_id, which stands in the body. Typeform's page on
// signatures does not say how a delivery that failed is repeated.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// Forms may share a secret: look at form_response.form_id in the body.
//
// Source: https://www.typeform.com/developers/webhooks/secure-your-webhooks/ and https://www.typeform.com/developers/webhooks/.
package typeform

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

// Definition returns how Typeform signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "typeform",
		Signatures: []scheme.Signature{{Header: "Typeform-Signature", Prefix: "sha256=", Encoding: scheme.Base64}},
		Message:    []scheme.Part{scheme.Body()},
		ID:         scheme.ID{Member: "event_id"},
		MaxBody:    4 << 20, // Typeform states no limit; a form with many long answers is large
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour, // no time is signed, and the documentation does not say how long retries go on
		About: verify.About{
			Title: "Typeform",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
				"which form it is but by what the body says (form_response.form_id)",
			},
			Tell: verify.Tell{Headers: []string{"Typeform-Signature"}},
			Links: []string{
				"https://www.typeform.com/developers/webhooks/secure-your-webhooks/",
				"https://www.typeform.com/developers/webhooks/",
			},
		},
	}
}
