// Package buildkite verifies webhooks of Buildkite.
//
// Buildkite signs the time and the body of an event with the token of the notification
// service: HMAC-SHA256 over "<time>.<body>", in the header
//
//	X-Buildkite-Signature: timestamp=1700000000,signature=<64 hex digits>
//
//	guard := middleware.Protect(buildkite.Must(os.Getenv("BUILDKITE_WEBHOOK_TOKEN")))
//
// A notification service either signs or sends its token as it is, in
// X-Buildkite-Token. Choose the signature: the other kind proves nothing of the body,
// and is refused as unsigned.
//
// No id of the event is signed, so an event is known by its time and body. The
// documentation does not say how Buildkite repeats what failed.
//
// # What the signature does not say
//
// The name of the event (X-Buildkite-Event) is not signed, but it stands in the body,
// as event. The signature does not say for which endpoint the event is.
//
// Source: https://buildkite.com/docs/apis/webhooks/pipelines#webhook-signature.
package buildkite

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.Secrets] of one notification
// service. A nil o is the zero Options. It returns an error for a secret that cannot be
// right, such as one that is too short.
func New(keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.New(Definition(), keys, o)
}

// Must makes a verifier from the secrets of one notification service: one, or several
// while they are changed. It panics where [New] returns an error, most often because an
// environment variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how Buildkite signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:     "buildkite",
		Signatures:   []scheme.Signature{{Header: "X-Buildkite-Signature", Field: "signature", Separator: ",", Assign: "="}},
		Timestamp:    scheme.Timestamp{Field: "timestamp"},
		Message:      []scheme.Part{scheme.SignedTime(), scheme.Literal("."), scheme.Body()},
		UnsignedType: "X-Buildkite-Event",
		MaxBody:      4 << 20, // Buildkite states no limit; the event of a build holds all of its jobs
		Retry:        verify.RetryIdentical,
		Retention:    3 * 24 * time.Hour,
		About: verify.About{
			Title: "Buildkite",
			NotCovered: []string{
				"the name of the event (X-Buildkite-Event): the body names it, too",
				"for which endpoint the event is",
			},
			Links: []string{
				"https://buildkite.com/docs/apis/webhooks/pipelines",
				"https://github.com/buildkite/docs/blob/main/pages/apis/webhooks/_webhook_signature.md",
			},
		},
	}
}
