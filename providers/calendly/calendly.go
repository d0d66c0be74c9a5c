// Package calendly verifies webhooks of Calendly.
//
// Calendly signs the time and the body of an event with the webhook signing key:
// HMAC-SHA256 over "<time>.<body>", in the header
//
//	Calendly-Webhook-Signature: t=1700000000,v1=<64 hex digits>
//
//	guard := middleware.Protect(calendly.Must(os.Getenv("CALENDLY_WEBHOOK_SIGNING_KEY")))
//
// The key is chosen when a subscription is made with a personal access token; an OAuth
// application has one for all of its subscriptions. A subscription without a key is
// not signed, and its deliveries are refused.
//
// No id of the event is signed, so an event is known by its time and body. Calendly
// repeats what failed for up to 24 hours. Its documentation does not say whether a
// repeat is signed anew.
//
// # What the signature does not say
//
// With one key for several subscriptions, the signature does not say for which of them
// an event is: created_by and the scope are in the body.
//
// Source:
// https://developer.calendly.com/api-docs/overview/webhooks/webhook-signatures.
package calendly

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.Secrets] of one signing key. A nil
// o is the zero Options. It returns an error for a secret that cannot be right, such as
// one that is too short.
func New(keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.New(Definition(), keys, o)
}

// Must makes a verifier from the secrets of one signing key: one, or several while they
// are changed. It panics where [New] returns an error, most often because an environment
// variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how Calendly signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "calendly",
		Signatures: []scheme.Signature{{Header: "Calendly-Webhook-Signature", Field: "v1", Separator: ",", Assign: "="}},
		Timestamp:  scheme.Timestamp{Field: "t"},
		Message:    []scheme.Part{scheme.SignedTime(), scheme.Literal("."), scheme.Body()},
		MaxBody:    1 << 20, // Calendly states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  3 * 24 * time.Hour, // retries go on for a day
		About: verify.About{
			Title: "Calendly",
			NotCovered: []string{
				"for which subscription the event is, where several share a signing key",
			},
			Links: []string{
				"https://developer.calendly.com/api-docs/overview/webhooks/webhook-signatures",
			},
		},
	}
}
