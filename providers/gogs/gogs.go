// Package gogs verifies webhooks of Gogs.
//
// Gogs signs the body of a delivery, and nothing else, with the secret of the hook:
// HMAC-SHA256, in hexadecimal digits, in the header
//
//	X-Gogs-Signature: <64 hex digits>
//
//	guard := middleware.Protect(gogs.Must(os.Getenv("GOGS_WEBHOOK_SECRET")))
//
// Only JSON is taken: a hook of the content type application/x-www-form-urlencoded is
// refused with 415. A hook without a secret is not signed.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// The kind of the event (X-Gogs-Event) and the id (X-Gogs-Delivery) are not signed, and
// the body does not name the event: have a hook and a route for each kind where that
// matters, or look at what the body has.
//
// Equal bodies are one event. A second honest event with the same body does not run.
//
// Source: https://gogs.io/advancing/webhooks and https://github.com/gogs/gogs/blob/main/internal/database/webhook.go.
package gogs

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.Secrets] of one hook. A nil o is
// the zero Options. It returns an error for a secret that cannot be right, such as one
// that is too short.
func New(keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.New(Definition(), keys, o)
}

// Must makes a verifier from the secrets of one hook: one, or several while they are
// changed. It panics where [New] returns an error, most often because an environment
// variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how Gogs signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:     "gogs",
		Signatures:   []scheme.Signature{{Header: "X-Gogs-Signature"}},
		Message:      []scheme.Part{scheme.Body()},
		UnsignedID:   "X-Gogs-Delivery",
		UnsignedType: "X-Gogs-Event",
		MaxBody:      4 << 20, // Gogs states no limit; a push of many commits is large
		Retry:        verify.RetryIdentical,
		Retention:    7 * 24 * time.Hour, // no time is signed, so as long as the guard would by itself
		About: verify.About{
			Title: "Gogs",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
				"the kind of the event (X-Gogs-Event): look at what the body has",
				"the id (X-Gogs-Delivery)",
			},
			Links: []string{
				"https://gogs.io/advancing/webhooks",
				"https://github.com/gogs/gogs/blob/main/internal/database/webhook.go",
			},
			OutsideVector: "a test of go-playground/webhooks",
		},
	}
}
