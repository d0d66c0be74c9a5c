// Package heroku verifies webhooks of Heroku.
//
// Heroku signs the body of a delivery, and nothing else, with the secret of the
// webhook: HMAC-SHA256, in base64, in the header
//
//	Heroku-Webhook-Hmac-SHA256: <44 characters>
//
//	guard := middleware.Protect(heroku.Must(os.Getenv("HEROKU_WEBHOOK_SECRET")))
//
// A webhook of the level "notify" gets one attempt; one of the level "sync" gets
// several. The body names its attempt in webhook_metadata, so a retry is another body,
// which the store does not know: look webhook_metadata.event.id up in the handler. An
// Authorization header that was configured for the webhook proves nothing beside the
// signature.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// Equal bodies are one event. Each attempt has a body of its own, because the body
// names it.
//
// Source: https://devcenter.heroku.com/articles/app-webhooks.
package heroku

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

// Definition returns how Heroku signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "heroku",
		Signatures: []scheme.Signature{{Header: "Heroku-Webhook-Hmac-SHA256", Encoding: scheme.Base64}},
		Message:    []scheme.Part{scheme.Body()},
		MaxBody:    1 << 20, // Heroku states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour, // no time is signed, so as long as the guard would by itself
		About: verify.About{
			Title: "Heroku",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
			},
			Links: []string{"https://devcenter.heroku.com/articles/app-webhooks"},
		},
	}
}
