// Package alchemy verifies webhooks of Alchemy.
//
// Alchemy signs the body of a delivery, and nothing else, with the signing key of the
// webhook, as text: HMAC-SHA256, in hexadecimal digits, in the header
//
//	X-Alchemy-Signature: <64 hex digits>
//
//	guard := middleware.Protect(alchemy.Must(os.Getenv("ALCHEMY_SIGNING_KEY")))
//
// The key starts with whsec_, and that is part of it: nothing is cut off or decoded.
//
// An event is known by its id, which stands in the body.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// Events that have an id are known by it; other bodies by their bytes.
//
// Source: https://www.alchemy.com/docs/reference/notify-api-quickstart.
package alchemy

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

// Definition returns how Alchemy signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "alchemy",
		Signatures: []scheme.Signature{{Header: "X-Alchemy-Signature"}},
		Message:    []scheme.Part{scheme.Body()},
		ID:         scheme.ID{Member: "id", Prefix: "whevt_"},
		MaxBody:    4 << 20, // Alchemy states no limit; an event with the logs of a block is large
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour, // no time is signed, so as long as the guard would by itself
		About: verify.About{
			Title: "Alchemy",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
			},
			SecretPrefix: "whsec_",
			Links:        []string{"https://www.alchemy.com/docs/reference/notify-api-quickstart"},
		},
	}
}
