// Package expo verifies webhooks of Expo Application Services (EAS).
//
// Expo signs the body of a delivery, and nothing else, with the secret of the webhook:
// HMAC-SHA1, in hexadecimal digits, in the header
//
//	Expo-Signature: sha1=<40 hex digits>
//
//	guard := middleware.Protect(expo.Must(os.Getenv("EXPO_WEBHOOK_SECRET")))
//
// Expo offers nothing but SHA-1. As the hash of an HMAC it is not broken, although
// collisions of SHA-1 alone are known; the engine names it InsecureHMACSHA1 all the
// same.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// The member id of the body is that of the build or the submission.
//
// Equal bodies are one event. A body names its build and its status.
//
// Source: https://docs.expo.dev/eas/webhooks/.
package expo

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

// Definition returns how Expo signs webhooks of its builds, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "expo",
		Signatures: []scheme.Signature{{Header: "Expo-Signature", Prefix: "sha1=", Algorithm: scheme.InsecureHMACSHA1}},
		Message:    []scheme.Part{scheme.Body()},
		MaxBody:    1 << 20, // Expo states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour, // no time is signed, so as long as the guard would by itself
		About: verify.About{
			Title: "Expo Application Services",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
			},
			Links: []string{"https://docs.expo.dev/eas/webhooks/"},
		},
	}
}
