// Package whereby verifies webhooks of Whereby Embedded.
//
// Whereby signs the time and the body of an event with the secret of the webhook:
// HMAC-SHA256 over "<time>.<body>", in the header
//
//	Whereby-Signature: t=1700000000,v1=<64 hex digits>
//
//	guard := middleware.Protect(whereby.Must(os.Getenv("WHEREBY_WEBHOOK_SECRET")))
//
// An event is known by its time and body. Whereby repeats an event twice, soon after,
// where the response was 5xx or took longer than 5 seconds. Its documentation does not
// say whether a repeat is signed anew.
//
// # What the signature does not say
//
// The signature does not say for which webhook an event is, nor of which organization.
//
// Whereby's example allows a time one minute back, and leaves the choice to you. Here
// it may lie 5 minutes on either side; scheme.Options.Window narrows that.
//
// Source: https://docs.whereby.com, "Webhooks", "Validating events".
package whereby

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

// Definition returns how Whereby signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "whereby",
		Signatures: []scheme.Signature{{Header: "Whereby-Signature", Field: "v1", Separator: ",", Assign: "="}},
		Timestamp:  scheme.Timestamp{Field: "t"},
		Message:    []scheme.Part{scheme.SignedTime(), scheme.Literal("."), scheme.Body()},
		MaxBody:    1 << 20, // Whereby states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  24 * time.Hour, // retries are soon over
		About: verify.About{
			Title: "Whereby",
			NotCovered: []string{
				"for which webhook the event is",
			},
			Links: []string{
				"https://docs.whereby.com",
			},
		},
	}
}
