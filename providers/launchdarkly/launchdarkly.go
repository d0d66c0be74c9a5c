// Package launchdarkly verifies webhooks of LaunchDarkly.
//
// LaunchDarkly signs the body of a delivery, and nothing else, with the secret of the
// webhook: HMAC-SHA256, in hexadecimal digits, in the header
//
//	X-LD-Signature: <64 hex digits>
//
//	guard := middleware.Protect(launchdarkly.Must(os.Getenv("LAUNCHDARKLY_WEBHOOK_SECRET")))
//
// Signing is switched on for each webhook; without it the delivery is refused.
//
// An event is an entry of the audit log, and is known by its _id, which stands in the
// body.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// Events that have an _id are known by it; other bodies by their bytes.
//
// Source: https://launchdarkly.com/docs/home/infrastructure/webhooks.
package launchdarkly

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

// Definition returns how LaunchDarkly signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "launchdarkly",
		Signatures: []scheme.Signature{{Header: "X-LD-Signature"}},
		Message:    []scheme.Part{scheme.Body()},
		ID:         scheme.ID{Member: "_id"},
		MaxBody:    4 << 20, // LaunchDarkly states no limit; an entry holds a flag with all its rules, before and after
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour, // no time is signed, so as long as the guard would by itself
		About: verify.About{
			Title: "LaunchDarkly",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
			},
			Links: []string{"https://launchdarkly.com/docs/home/infrastructure/webhooks"},
		},
	}
}
