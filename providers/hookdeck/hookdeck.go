// Package hookdeck verifies deliveries of Hookdeck's Event Gateway.
//
// Hookdeck signs the body of a delivery, and nothing else, with the signing secret of
// the project: HMAC-SHA256, in the header
//
//	x-hookdeck-signature: <44 characters of base64>
//
//	guard := middleware.Protect(hookdeck.Must(os.Getenv("HOOKDECK_WEBHOOK_SECRET")))
//
// While the secret is rotated, a second signature stands in x-hookdeck-signature-2;
// either may be right.
//
// Hookdeck sends on what others sent. Whether it has verified them stands in
// x-hookdeck-verified, which is not signed: set up the verification of each source in
// Hookdeck, and let a destination receive from sources that are verified.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// The ids (x-hookdeck-eventid, x-hookdeck-requestid), the attempt, and all headers
// that the first sender sent are not signed. Equal bodies are one event. Where honest
// events have equal bodies, scheme.Options.InsecureDistinctByUnsignedID keeps them
// apart.
//
// Source: https://hookdeck.com/docs/authentication.
package hookdeck

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

// Definition returns how Hookdeck signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "hookdeck",
		Signatures: []scheme.Signature{{Header: "X-Hookdeck-Signature", More: []string{"X-Hookdeck-Signature-2"}, Encoding: scheme.Base64}},
		Message:    []scheme.Part{scheme.Body()},
		UnsignedID: "X-Hookdeck-Eventid",
		MaxBody:    10 << 20, // what Hookdeck takes at most
		Retry:      verify.RetryIdentical,
		Retention:  8 * 24 * time.Hour, // no time is signed; automatic retries go on for up to a week
		About: verify.About{
			Title: "Hookdeck",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
				"the ids (x-hookdeck-eventid, x-hookdeck-requestid) and which attempt it is",
				"what the first sender was, and whether Hookdeck verified it (x-hookdeck-verified)",
			},
			Links: []string{
				"https://hookdeck.com/docs/authentication",
			},
		},
	}
}
