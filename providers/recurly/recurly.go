// Package recurly verifies webhooks of Recurly in JSON.
//
// Recurly signs the time and the body of a notification with the secret of the
// endpoint: HMAC-SHA256 over "<time>.<body>", in the header
//
//	recurly-signature: 1700000000000,<64 hex digits>
//
//	guard := middleware.Protect(recurly.Must(os.Getenv("RECURLY_WEBHOOK_SECRET")))
//
// The time is in milliseconds and stands first. While a secret is rotated, there are
// several signatures behind it. The secret looks hexadecimal, and its text is the key.
//
// The id in the body names the object that changed, and no event, so a notification is
// known by its time and body. Recurly repeats what failed. Its documentation does not
// say whether a repeat is signed anew.
//
// # What the signature does not say
//
// The signature does not say for which endpoint a notification is: site_id is in the
// body. Notifications in XML are not signed, and are refused.
//
// Source: https://docs.recurly.com/recurly-subscriptions/docs/webhooks and
// https://github.com/recurly/recurly-client-ruby/blob/v3-v2021-02-25/lib/recurly/webhooks.rb.
package recurly

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.Secrets] of one endpoint. A nil o
// is the zero Options. It returns an error for a secret that cannot be right, such as
// one that is too short.
func New(keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.New(Definition(), keys, o)
}

// Must makes a verifier from the secrets of one endpoint: one, or several while they are
// changed. It panics where [New] returns an error, most often because an environment
// variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how Recurly signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "recurly",
		Signatures: []scheme.Signature{{Header: "Recurly-Signature", Separator: ","}},
		Timestamp:  scheme.Timestamp{First: true, Unit: scheme.Milliseconds},
		Message:    []scheme.Part{scheme.SignedTime(), scheme.Literal("."), scheme.Body()},
		MaxBody:    1 << 20, // Recurly states no limit; notifications are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour,
		About: verify.About{
			Title: "Recurly",
			NotCovered: []string{
				"for which endpoint the notification is: site_id is in the body",
			},
			Links: []string{
				"https://docs.recurly.com/recurly-subscriptions/docs/webhooks",
				"https://github.com/recurly/recurly-client-ruby/blob/v3-v2021-02-25/lib/recurly/webhooks.rb",
			},
			OutsideVector: "a test of recurly/recurly-client-ruby",
		},
	}
}
