// Package airtable verifies webhooks of Airtable.
//
// Airtable signs the body of a delivery, and nothing else, with the MAC secret of the
// webhook: HMAC-SHA256, in hexadecimal digits, in the header
//
//	X-Airtable-Content-MAC: hmac-sha256=<64 hex digits>
//
//	guard := middleware.Protect(airtable.Must(os.Getenv("AIRTABLE_MAC_SECRET")))
//
// The secret is macSecretBase64 of the response that created the webhook: base64, whose
// bytes are the key.
//
// A notification says that a base has changes, and when, and not what changed: fetch
// that by the API. Airtable wants 200 or 204 with an empty body.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// Equal bodies are one event. A notification has a time in its body.
//
// Source: https://airtable.com/developers/web/api/webhooks-overview and https://airtable.com/developers/web/api/create-a-webhook.
package airtable

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

// Must makes a verifier from the MAC secrets of one webhook: one, or several while they
// are changed. It panics where [New] returns an error, most often because an
// environment variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how Airtable signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "airtable",
		Signatures: []scheme.Signature{{Header: "X-Airtable-Content-MAC", Prefix: "hmac-sha256="}},
		Message:    []scheme.Part{scheme.Body()},
		Secret:     scheme.Secret{Encoding: scheme.Base64Secret},
		MaxBody:    1 << 20, // Airtable states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour, // no time is signed, so as long as the guard would by itself
		About: verify.About{
			Title: "Airtable",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
			},
			Links: []string{
				"https://airtable.com/developers/web/api/webhooks-overview",
				"https://airtable.com/developers/web/api/create-a-webhook",
			},
			OutsideVector: "a test of gtalarico/pyairtable",
		},
	}
}
