// Package lemonsqueezy verifies webhooks of Lemon Squeezy.
//
// Lemon Squeezy signs the body of a delivery, and nothing else, with the secret of the
// webhook: HMAC-SHA256, in hexadecimal digits, in the header
//
//	X-Signature: <64 hex digits>
//
//	guard := middleware.Protect(lemonsqueezy.Must(os.Getenv("LEMONSQUEEZY_WEBHOOK_SECRET")))
//
// Lemon Squeezy takes secrets of 6 to 40 characters; shorter ones than 16 are refused
// here. The name of the header is used by other senders, too.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// The name of the event in X-Event-Name is not signed: read meta.event_name in the
// body.
//
// Equal bodies are one event. A second honest event with the same body does not run.
//
// Source: https://docs.lemonsqueezy.com/help/webhooks/signing-requests and https://docs.lemonsqueezy.com/help/webhooks/webhook-requests.
package lemonsqueezy

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

// Definition returns how Lemon Squeezy signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:     "lemonsqueezy",
		Signatures:   []scheme.Signature{{Header: "X-Signature"}},
		Message:      []scheme.Part{scheme.Body()},
		UnsignedType: "X-Event-Name",
		MaxBody:      1 << 20, // Lemon Squeezy states no limit; events are far smaller
		Retry:        verify.RetryIdentical,
		Retention:    7 * 24 * time.Hour, // no time is signed, so as long as the guard would by itself
		About: verify.About{
			Title: "Lemon Squeezy",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
				"the name of the event in X-Event-Name: meta.event_name in the body is signed",
			},
			Links: []string{
				"https://docs.lemonsqueezy.com/help/webhooks/signing-requests",
				"https://docs.lemonsqueezy.com/help/webhooks/webhook-requests",
			},
		},
	}
}
