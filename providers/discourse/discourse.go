// Package discourse verifies webhooks of Discourse.
//
// Discourse signs the body of a delivery, and nothing else, with the secret of the
// webhook: HMAC-SHA256, in hexadecimal digits, in the header
//
//	X-Discourse-Event-Signature: sha256=<64 hex digits>
//
//	guard := middleware.Protect(discourse.Must(os.Getenv("DISCOURSE_WEBHOOK_SECRET")))
//
// Discourse takes secrets from 12 characters on; shorter ones than 16 are refused here.
// A webhook without a secret is not signed. Only JSON is taken: a webhook of another
// content type is refused with 415.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// The name and the kind of the event (X-Discourse-Event, X-Discourse-Event-Type), the
// id (X-Discourse-Event-Id) and the forum (X-Discourse-Instance) are not signed, and
// the body does not name the event: have a webhook and a route for each kind where that
// matters, or look at what the body has.
//
// Equal bodies are one event. The ping of the settings has the same body each time.
//
// Source: https://meta.discourse.org/t/configure-webhooks-that-trigger-on-discourse-events-to-integrate-with-external-services/49045 and https://github.com/discourse/discourse.
package discourse

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

// Definition returns how Discourse signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:     "discourse",
		Signatures:   []scheme.Signature{{Header: "X-Discourse-Event-Signature", Prefix: "sha256="}},
		Message:      []scheme.Part{scheme.Body()},
		UnsignedID:   "X-Discourse-Event-Id",
		UnsignedType: "X-Discourse-Event",
		MaxBody:      4 << 20, // Discourse states no limit; a long post with its HTML is large
		Retry:        verify.RetryIdentical,
		Retention:    7 * 24 * time.Hour, // no time is signed, so as long as the guard would by itself
		About: verify.About{
			Title: "Discourse",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
				"the event (X-Discourse-Event, X-Discourse-Event-Type): look at what the body has",
				"the id (X-Discourse-Event-Id) and the forum (X-Discourse-Instance)",
			},
			Links: []string{
				"https://meta.discourse.org/t/configure-webhooks-that-trigger-on-discourse-events-to-integrate-with-external-services/49045",
				"https://github.com/discourse/discourse",
			},
		},
	}
}
