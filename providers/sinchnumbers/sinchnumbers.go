// Package sinchnumbers verifies events of Sinch's numbers.
//
// Sinch signs the body of a delivery, and nothing else, with the secret of the
// callback: HMAC-SHA1, in hexadecimal digits, in the header
//
//	X-Sinch-Signature: <40 hex digits>
//
//	guard := middleware.Protect(sinchnumbers.Must(os.Getenv("SINCH_NUMBERS_HMAC_SECRET")))
//
// Sinch offers nothing but SHA-1 for these events. As the hash of an HMAC it is not
// broken, although collisions of SHA-1 alone are known; the engine names it
// InsecureHMACSHA1 all the same. Other products of Sinch sign in other ways.
//
// An event is known by its eventId, which stands in the body.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// Events that have an eventId are known by it; other bodies by their bytes.
//
// Source: https://developers.sinch.com/docs/numbers/api-reference/numbers/numbers-callbacks/.
package sinchnumbers

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.Secrets] of one project. A nil o
// is the zero Options. It returns an error for a secret that cannot be right, such as
// one that is too short.
func New(keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.New(Definition(), keys, o)
}

// Must makes a verifier from the secrets of one project: one, or several while they are
// changed. It panics where [New] returns an error, most often because an environment
// variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how Sinch signs events of its numbers, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "sinchnumbers",
		Signatures: []scheme.Signature{{Header: "X-Sinch-Signature", Algorithm: scheme.InsecureHMACSHA1}},
		Message:    []scheme.Part{scheme.Body()},
		ID:         scheme.ID{Member: "eventId"},
		MaxBody:    1 << 20, // Sinch states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour, // no time is signed, so as long as the guard would by itself
		About: verify.About{
			Title: "Sinch Numbers",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
			},
			Links: []string{"https://developers.sinch.com/docs/numbers/api-reference/numbers/numbers-callbacks/"},
		},
	}
}
