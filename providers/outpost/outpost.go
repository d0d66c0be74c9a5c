// Package outpost verifies deliveries of Outpost, as it signs unless its operator says
// otherwise.
//
// Outpost signs the body of a delivery, and nothing else, with the secret of the
// destination: HMAC-SHA256, in the header
//
//	x-outpost-signature: v0=<64 hex digits>
//
//	guard := middleware.Protect(outpost.Must(os.Getenv("WEBHOOK_SECRET")))
//
// While a secret is rotated, there are several signatures behind "v0=", with a comma
// between them.
//
// The operator of an Outpost chooses the prefix of the headers, what is signed, how it
// is encoded, and may have it sign as Standard Webhooks say: change the definition, or
// take package standardwebhooks.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// The id (x-outpost-event-id), the topic (x-outpost-topic) and the time
// (x-outpost-timestamp) are not signed. Equal bodies are one event.
//
// Source:
// https://github.com/hookdeck/outpost/blob/main/docs/content/guides/verify-webhook-signatures.mdoc.
package outpost

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.Secrets] of one destination. A nil
// o is the zero Options. It returns an error for a secret that cannot be right, such as
// one that is too short.
func New(keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.New(Definition(), keys, o)
}

// Must makes a verifier from the secrets of one destination: one, or several while they
// are changed. It panics where [New] returns an error, most often because an environment
// variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how Outpost signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:     "outpost",
		Signatures:   []scheme.Signature{{Header: "X-Outpost-Signature", Prefix: "v0=", Separator: ","}},
		Message:      []scheme.Part{scheme.Body()},
		UnsignedID:   "X-Outpost-Event-Id",
		UnsignedType: "X-Outpost-Topic",
		MaxBody:      1 << 20, // Outpost states no limit
		Retry:        verify.RetryIdentical,
		Retention:    7 * 24 * time.Hour, // no time is signed, so longer than retries go on
		About: verify.About{
			Title: "Outpost",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
				"the id (x-outpost-event-id), the topic (x-outpost-topic) and the time (x-outpost-timestamp)",
			},
			Links: []string{
				"https://github.com/hookdeck/outpost/blob/main/docs/content/guides/verify-webhook-signatures.mdoc",
			},
		},
	}
}
