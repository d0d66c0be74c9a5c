// Package pinwheel verifies webhooks of Pinwheel.
//
// Pinwheel signs the time and the body of an event with the API secret: HMAC-SHA256
// over "v2:<time>:<body>", in the headers
//
//	x-pinwheel-signature: v2=<64 hex digits>
//	x-timestamp: 1700000000
//
//	guard := middleware.Protect(pinwheel.Must(os.Getenv("PINWHEEL_API_SECRET")))
//
// An event is known by its event_id, which stands in the body. The documentation does
// not say whether a repeat is signed anew.
//
// # What the signature does not say
//
// The signature does not say for which endpoint an event is: all endpoints of a
// workspace share its API secret, and whoever holds that may also call the API.
//
// Source: https://docs.pinwheelapi.com/docs/webhook-signature-verification.
package pinwheel

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.Secrets] of one workspace. A nil o
// is the zero Options. It returns an error for a secret that cannot be right, such as
// one that is too short.
func New(keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.New(Definition(), keys, o)
}

// Must makes a verifier from the secrets of one workspace: one, or several while they
// are changed. It panics where [New] returns an error, most often because an environment
// variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how Pinwheel signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "pinwheel",
		Signatures: []scheme.Signature{{Header: "X-Pinwheel-Signature", Prefix: "v2="}},
		Timestamp:  scheme.Timestamp{Header: "X-Timestamp"}, // Pinwheel states no window
		Message:    []scheme.Part{scheme.Literal("v2:"), scheme.SignedTime(), scheme.Literal(":"), scheme.Body()},
		ID:         scheme.ID{Member: "event_id"},
		MaxBody:    1 << 20, // Pinwheel states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour,
		About: verify.About{
			Title: "Pinwheel",
			NotCovered: []string{
				"for which endpoint the event is: all endpoints share the API secret",
			},
			Tell: verify.Tell{Headers: []string{"X-Pinwheel-Signature"}},
			Links: []string{
				"https://docs.pinwheelapi.com/docs/webhook-signature-verification",
			},
		},
	}
}
