// Package ashby verifies webhooks of Ashby.
//
// Ashby signs the body of a delivery, and nothing else, with the secret token of the
// webhook: HMAC-SHA256, in hexadecimal digits, in the header
//
//	Ashby-Signature: sha256=<64 hex digits>
//
//	guard := middleware.Protect(ashby.Must(os.Getenv("ASHBY_SECRET_TOKEN")))
//
// The prefix names the algorithm, and only sha256 is taken: the request must not
// choose. A webhook without a secret token is not signed. When a webhook is made or
// changed, Ashby sends a signed ping, and wants 200.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// Equal bodies are one event. A body names its action and has times.
//
// Source: https://developers.ashbyhq.com/docs/authenticating-webhooks and https://developers.ashbyhq.com/docs/setting-up-webhooks.
package ashby

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

// Must makes a verifier from the secret tokens of one webhook: one, or several while
// they are changed. It panics where [New] returns an error, most often because an
// environment variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how Ashby signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "ashby",
		Signatures: []scheme.Signature{{Header: "Ashby-Signature", Prefix: "sha256="}},
		Message:    []scheme.Part{scheme.Body()},
		MaxBody:    1 << 20, // Ashby states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour, // no time is signed, so as long as the guard would by itself
		About: verify.About{
			Title: "Ashby",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
			},
			Links: []string{
				"https://developers.ashbyhq.com/docs/authenticating-webhooks",
				"https://developers.ashbyhq.com/docs/setting-up-webhooks",
			},
		},
	}
}
