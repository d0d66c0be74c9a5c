// Package zendesk verifies webhooks of Zendesk.
//
// Zendesk signs the time and the body of a request with the signing secret of the
// webhook: HMAC-SHA256 over the one directly behind the other, in the headers
//
//	X-Zendesk-Webhook-Signature: <44 characters of base64>
//	X-Zendesk-Webhook-Signature-Timestamp: 2026-03-14T09:26:53Z
//
//	guard := middleware.Protect(zendesk.Must(os.Getenv("ZENDESK_WEBHOOK_SECRET")))
//
// The secret looks like base64, and its text is the key. The button that tests a
// webhook before it is made signs with a fixed secret that everybody knows: never list
// it.
//
// What a body holds is up to the trigger for most webhooks, so no id in it is looked
// at, and a request is known by its time and body. Zendesk repeats a request after a
// 409, and up to five times after a 429 or a 503 with Retry-After. Its documentation
// does not say whether a repeat is signed anew.
//
// # What the signature does not say
//
// The headers X-Zendesk-Webhook-Id and X-Zendesk-Webhook-Invocation-Id, and the
// account, are not signed. The Content-Type is not signed either: a webhook whose body
// is XML or a form needs a definition with that MediaType.
//
// An older page of the documentation signs the body in front of the time. That order
// is refused.
//
// Source: https://developer.zendesk.com/documentation/webhooks/verifying/.
package zendesk

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

// Definition returns how Zendesk signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "zendesk",
		Signatures: []scheme.Signature{{Header: "X-Zendesk-Webhook-Signature", Encoding: scheme.Base64}},
		Timestamp:  scheme.Timestamp{Header: "X-Zendesk-Webhook-Signature-Timestamp", Unit: scheme.RFC3339}, // Zendesk states no window
		Message:    []scheme.Part{scheme.SignedTime(), scheme.Body()},
		UnsignedID: "X-Zendesk-Webhook-Invocation-Id",
		MaxBody:    1 << 20, // Zendesk takes 256 KB of a custom body
		Retry:      verify.RetryIdentical,
		Retention:  3 * 24 * time.Hour,
		About: verify.About{
			Title: "Zendesk",
			NotCovered: []string{
				"the ids (X-Zendesk-Webhook-Id, X-Zendesk-Webhook-Invocation-Id) and the account",
				"the Content-Type: whether a body is JSON, XML or a form is a setting of the webhook",
			},
			Links: []string{
				"https://developer.zendesk.com/documentation/webhooks/verifying/",
			},
		},
	}
}
