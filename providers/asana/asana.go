// Package asana verifies webhooks of Asana.
//
// Asana signs the body of a delivery, and nothing else, with the secret of the webhook,
// as X-Hook-Secret was: HMAC-SHA256, in hexadecimal digits, in the header
//
//	X-Hook-Signature: <64 hex digits>
//
//	guard := middleware.Protect(asana.Must(os.Getenv("ASANA_HOOK_SECRET")))
//
// A delivery holds a list of events. It is empty every eight hours, to see whether the
// endpoint is there; respond with 200.
//
// # The handshake
//
// When a webhook is created, Asana posts a request with the header X-Hook-Secret, which
// is the secret of all that follows, and wants it back in a header of the response.
// That request is not signed, so the guard refuses it. Take it on a path of its own
// that you made up for this one registration, and only as long as the registration goes
// on: whoever can hand you a secret can sign from then on. Then protect the path with
// the guard.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// Each webhook has a secret of its own.
//
// Equal bodies are one event. The empty list is always the same, and need not run.
//
// Source: https://developers.asana.com/docs/webhooks-guide.
package asana

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

// Definition returns how Asana signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "asana",
		Signatures: []scheme.Signature{{Header: "X-Hook-Signature"}},
		Message:    []scheme.Part{scheme.Body()},
		MaxBody:    1 << 20, // Asana states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour, // no time is signed, so as long as the guard would by itself
		About: verify.About{
			Title: "Asana",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
			},
			Links: []string{"https://developers.asana.com/docs/webhooks-guide"},
		},
	}
}
