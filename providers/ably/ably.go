// Package ably verifies webhooks of Ably.
//
// Ably signs the body of a delivery, and nothing else, with the secret of an API key:
// HMAC-SHA256, in base64, in the header
//
//	X-Ably-Signature: <44 characters>
//
//	guard := middleware.Protect(ably.Must(os.Getenv("ABLY_KEY_SECRET")))
//
// An API key of Ably is written name:secret. The secret is what stands behind the
// colon; the name stands in the header X-Ably-Key. An endpoint that gets deliveries
// under several keys looks them up by that name, with package
// github.com/hooknotary/hooknotary/providers/keyid: a name that is not known is
// refused.
//
// Only batched and enveloped messages are signed.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// The name of the key (X-Ably-Key) is not signed: with the secrets of one key it is not
// looked at.
//
// Equal bodies are one event. A batch has times and serials in its body.
//
// Source: https://ably.com/docs/platform/integrations/webhooks.
package ably

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.Secrets] of one key. A nil o is
// the zero Options. It returns an error for a secret that cannot be right, such as one
// that is too short.
func New(keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.New(Definition(), keys, o)
}

// Must makes a verifier from the secrets of one key: one, or several while they are
// changed. It panics where [New] returns an error, most often because an environment
// variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how Ably signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "ably",
		Signatures: []scheme.Signature{{Header: "X-Ably-Signature", Encoding: scheme.Base64}},
		Message:    []scheme.Part{scheme.Body()},
		MaxBody:    1 << 20, // Ably states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour, // no time is signed, so as long as the guard would by itself
		About: verify.About{
			Title: "Ably",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
				"the name of the key (X-Ably-Key): it chooses a secret at most",
			},
			Tell:  verify.Tell{Headers: []string{"X-Ably-Signature", "X-Ably-Key"}},
			Links: []string{"https://ably.com/docs/platform/integrations/webhooks"},
		},
	}
}
