// Package mailersend verifies webhooks of MailerSend.
//
// MailerSend signs the body of a delivery, and nothing else, with the signing secret of
// the webhook: HMAC-SHA256, in hexadecimal digits, in the header
//
//	Signature: <64 hex digits>
//
//	guard := middleware.Protect(mailersend.Must(os.Getenv("MAILERSEND_SIGNING_SECRET")))
//
// MailerSend writes slashes with a backslash in front (https:\/\/), so a body that was
// parsed and written again does not verify.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// Equal bodies are one event. A second honest event with the same body does not run.
//
// Source: https://developers.mailersend.com/api/v1/webhooks.html.
package mailersend

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

// Must makes a verifier from the signing secrets of one webhook: one, or several while
// they are changed. It panics where [New] returns an error, most often because an
// environment variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how MailerSend signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "mailersend",
		Signatures: []scheme.Signature{{Header: "Signature"}},
		Message:    []scheme.Part{scheme.Body()},
		MaxBody:    1 << 20, // MailerSend states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour, // no time is signed, so as long as the guard would by itself
		About: verify.About{
			Title: "MailerSend",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
			},
			Links:         []string{"https://developers.mailersend.com/api/v1/webhooks.html"},
			OutsideVector: "a test of mailersend/mailersend-nodejs",
		},
	}
}
