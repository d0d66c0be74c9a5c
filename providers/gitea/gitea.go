// Package gitea verifies webhooks of Gitea.
//
// Gitea signs the body of a delivery, and nothing else, with the secret of the hook:
// HMAC-SHA256, in hexadecimal digits, in the header
//
//	X-Gitea-Signature: <64 hex digits>
//
//	guard := middleware.Protect(gitea.Must(os.Getenv("GITEA_WEBHOOK_SECRET")))
//
// Only JSON is taken: a hook of the content type application/x-www-form-urlencoded is
// refused with 415. A hook without a secret is not signed. Gitea sends the same
// signature under other names, too, so that receivers of other forges work; they are
// not looked at.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// The kind of the event (X-Gitea-Event, X-Gitea-Event-Type) and the id
// (X-Gitea-Delivery) are not signed, and the body does not name the event: have a hook
// and a route for each kind where that matters, or look at what the body has.
//
// Equal bodies are one event. A second honest event with the same body does not run.
//
// Source: https://docs.gitea.com/usage/webhooks.
package gitea

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

// Definition returns how Gitea signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:     "gitea",
		Signatures:   []scheme.Signature{{Header: "X-Gitea-Signature"}},
		Message:      []scheme.Part{scheme.Body()},
		UnsignedID:   "X-Gitea-Delivery",
		UnsignedType: "X-Gitea-Event",
		MaxBody:      4 << 20, // Gitea states no limit; a push of many commits is large
		Retry:        verify.RetryIdentical,
		Retention:    7 * 24 * time.Hour, // no time is signed, so as long as the guard would by itself
		About: verify.About{
			Title: "Gitea",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
				"the kind of the event (X-Gitea-Event, X-Gitea-Event-Type): look at what the body has",
				"the id (X-Gitea-Delivery)",
			},
			Links:         []string{"https://docs.gitea.com/usage/webhooks"},
			OutsideVector: "a test of go-playground/webhooks",
		},
	}
}
