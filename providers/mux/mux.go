// Package mux verifies webhooks of Mux.
//
// Mux signs the time and the body of an event with the signing secret of the webhook:
// HMAC-SHA256 over "<time>.<body>", in the header
//
//	Mux-Signature: t=1700000000,v1=<64 hex digits>
//
//	guard := middleware.Protect(mux.Must(os.Getenv("MUX_WEBHOOK_SECRET")))
//
// An event is known by its id, which stands in the body. Mux repeats what was not
// acknowledged for 24 hours. Its documentation does not say whether a repeat is signed
// anew.
//
// # What the signature does not say
//
// The signature does not say for which environment an event is: environment.id is in
// the body, so check it there. Which attempt it is stands in the body, too, as
// attempts and request_id.
//
// Source: https://www.mux.com/docs/core/verify-webhook-signatures and
// https://www.mux.com/docs/core/listen-for-webhooks.
package mux

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

// Definition returns how Mux signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "mux",
		Signatures: []scheme.Signature{{Header: "Mux-Signature", Field: "v1", Separator: ",", Assign: "="}},
		Timestamp:  scheme.Timestamp{Field: "t"},
		Message:    []scheme.Part{scheme.SignedTime(), scheme.Literal("."), scheme.Body()},
		ID:         scheme.ID{Member: "id"},
		MaxBody:    1 << 20, // Mux states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  3 * 24 * time.Hour, // retries go on for a day
		About: verify.About{
			Title: "Mux",
			NotCovered: []string{
				"for which environment the event is: that is in the body, so check environment.id there",
			},
			Links: []string{
				"https://www.mux.com/docs/core/verify-webhook-signatures",
				"https://www.mux.com/docs/core/listen-for-webhooks",
				"https://github.com/muxinc/mux-node-sdk/blob/master/src/resources/webhooks/webhooks.ts",
			},
		},
	}
}
