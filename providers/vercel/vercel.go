// Package vercel verifies webhooks of Vercel: those of a team and those of an
// integration.
//
// Vercel signs the body of a delivery, and nothing else, with the secret of the
// webhook, or with the client secret of the integration: HMAC-SHA1, in hexadecimal
// digits, in the header
//
//	X-Vercel-Signature: <40 hex digits>
//
//	guard := middleware.Protect(vercel.Must(os.Getenv("VERCEL_WEBHOOK_SECRET")))
//
// Vercel offers nothing but SHA-1. As the hash of an HMAC it is not broken, although
// collisions of SHA-1 alone are known; the engine names it InsecureHMACSHA1 all the
// same.
//
// An event is known by its id, which stands in the body. Vercel repeats a delivery that
// failed for up to 24 hours.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// Log drains and other drains are signed alike, in the same header. Their bodies are
// lists or lines and have no id, so they are known by their body; they need a
// definition with their own MediaType and MaxBody.
//
// Source: https://vercel.com/docs/webhooks/webhooks-api and https://vercel.com/docs/webhooks.
package vercel

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

// Definition returns how Vercel signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "vercel",
		Signatures: []scheme.Signature{{Header: "X-Vercel-Signature", Algorithm: scheme.InsecureHMACSHA1}},
		Message:    []scheme.Part{scheme.Body()},
		ID:         scheme.ID{Member: "id"},
		MaxBody:    1 << 20, // Vercel states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour, // no time is signed, so longer than retries go on
		About: verify.About{
			Title: "Vercel",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
			},
			Links: []string{
				"https://vercel.com/docs/webhooks/webhooks-api",
				"https://vercel.com/docs/webhooks",
			},
			OutsideVector: "a test of getsentry/sentry",
		},
	}
}
