// Package segment verifies what Segment's webhooks destinations send.
//
// Segment signs the body of a delivery, and nothing else, with the shared secret of the
// destination: HMAC-SHA1, in hexadecimal digits, in the header
//
//	X-Signature: <40 hex digits>
//
//	guard := middleware.Protect(segment.Must(os.Getenv("SEGMENT_SHARED_SECRET")))
//
// Segment offers nothing but SHA-1. As the hash of an HMAC it is not broken, although
// collisions of SHA-1 alone are known; the engine names it InsecureHMACSHA1 all the
// same.
//
// Leave batching off: with it, Segment signs the first event of a batch alone
// (https://support.twilio.com/hc/en-us/articles/51193799782171), and such a delivery is
// refused, because its signature is not that of the body. The name of the header is
// used by other senders, too.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// Equal bodies are one event. An event has an id and a time in its body, unless its
// mapping leaves them out.
//
// Source: https://segment.com/docs/connections/destinations/catalog/webhooks/.
package segment

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.Secrets] of one destination. A
// nil o is the zero Options. It returns an error for a secret that cannot be right,
// such as one that is too short.
func New(keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.New(Definition(), keys, o)
}

// Must makes a verifier from the shared secrets of one destination: one, or several
// while they are changed. It panics where [New] returns an error, most often because an
// environment variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how Segment signs what its webhooks destination sends, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "segment",
		Signatures: []scheme.Signature{{Header: "X-Signature", Algorithm: scheme.InsecureHMACSHA1}},
		Message:    []scheme.Part{scheme.Body()},
		MaxBody:    1 << 20, // Segment states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour, // no time is signed, so as long as the guard would by itself
		About: verify.About{
			Title: "Segment webhooks",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
				"the other events of a batch: batches are refused",
			},
			Links: []string{"https://segment.com/docs/connections/destinations/catalog/webhooks/"},
		},
	}
}
