// Package commercelayer verifies webhooks of Commerce Layer.
//
// Commerce Layer signs the body of a delivery, and nothing else, with the shared secret
// of the webhook: HMAC-SHA256, in base64, in the header
//
//	X-CommerceLayer-Signature: <44 characters>
//
//	guard := middleware.Protect(commercelayer.Must(os.Getenv("COMMERCELAYER_SHARED_SECRET")))
//
// Calls of external resources (prices, taxes, shipping costs) are signed alike, with
// their own shared secrets, but each of them reads the response, and a guard
// acknowledges a repeat with an empty one. So do not protect those with a guard; verify
// them with New and verify.Verify.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// The topic (X-CommerceLayer-Topic) is not signed, and the body does not have it: have
// a webhook and a route for each topic where that matters, or look at the status in the
// body.
//
// Equal bodies are one event. A second topic with the same body, at the same moment,
// does not run; where two topics go to one endpoint, set scheme.Definition.Partition to
// X-CommerceLayer-Topic and Partitions to the two.
//
// Source: https://docs.commercelayer.io/developers/callbacks-security.
package commercelayer

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

// Must makes a verifier from the shared secrets of one webhook: one, or several while
// they are changed. It panics where [New] returns an error, most often because an
// environment variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how Commerce Layer signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:     "commercelayer",
		Signatures:   []scheme.Signature{{Header: "X-CommerceLayer-Signature", Encoding: scheme.Base64}},
		Message:      []scheme.Part{scheme.Body()},
		UnsignedType: "X-CommerceLayer-Topic",
		MaxBody:      4 << 20, // Commerce Layer states no limit; an order with what it includes is large
		Retry:        verify.RetryIdentical,
		Retention:    7 * 24 * time.Hour, // no time is signed, so as long as the guard would by itself
		About: verify.About{
			Title: "Commerce Layer",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
				"the topic (X-CommerceLayer-Topic): look at the status in the body",
			},
			Links: []string{"https://docs.commercelayer.io/developers/callbacks-security"},
		},
	}
}
