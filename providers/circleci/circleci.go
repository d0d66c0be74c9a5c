// Package circleci verifies webhooks of CircleCI.
//
// CircleCI signs the body of a delivery, and nothing else, with the secret of the
// webhook: HMAC-SHA256, in hexadecimal digits, in a list in the header
//
//	Circleci-Signature: v1=<64 hex digits>,v1=…
//
//	guard := middleware.Protect(circleci.Must(os.Getenv("CIRCLECI_WEBHOOK_SECRET")))
//
// Items of other versions are ignored. An event is known by its id, which stands in the
// body.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// Events that have an id are known by it; other bodies by their bytes.
//
// Source: https://circleci.com/docs/outbound-webhooks/.
package circleci

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

// Definition returns how CircleCI signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "circleci",
		Signatures: []scheme.Signature{{Header: "Circleci-Signature", Field: "v1", Separator: ",", Assign: "="}},
		Message:    []scheme.Part{scheme.Body()},
		ID:         scheme.ID{Member: "id"},
		MaxBody:    1 << 20, // CircleCI states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour, // no time is signed, so as long as the guard would by itself
		About: verify.About{
			Title: "CircleCI",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
			},
			Links:         []string{"https://circleci.com/docs/outbound-webhooks/"},
			OutsideVector: "an example of circleci/circleci-docs",
		},
	}
}
