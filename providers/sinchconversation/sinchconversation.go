// Package sinchconversation verifies callbacks of the Conversation API of Sinch.
//
// Sinch signs the body, a nonce and the time of a callback with the secret of the
// webhook: HMAC-SHA256 over "<body>.<nonce>.<time>", in the headers
//
//	x-sinch-webhook-signature: <44 characters of base64>
//	x-sinch-webhook-signature-nonce: 01FJA8B4A7BM43YGWSG9GBV067
//	x-sinch-webhook-signature-timestamp: 1700000000
//	x-sinch-webhook-signature-algorithm: HmacSHA256
//
//	guard := middleware.Protect(sinchconversation.Must(os.Getenv("SINCH_WEBHOOK_SECRET")))
//
// Another algorithm is refused.
//
// The nonce is one of the callback and not of the event, so a callback is known by all
// that is signed. Sinch repeats what failed. Its documentation does not say whether a
// repeat is signed anew.
//
// # What the signature does not say
//
// The signature does not say for which app a callback is: app_id is in the body, and
// so is project_id. Other products of Sinch sign otherwise.
//
// Source: https://developers.sinch.com/docs/conversation/callbacks and
// https://github.com/sinch/sinch-sdk-node.
package sinchconversation

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

// Definition returns how Sinch Conversation signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "sinchconversation",
		Signatures: []scheme.Signature{{Header: "X-Sinch-Webhook-Signature", Encoding: scheme.Base64}},
		Timestamp:  scheme.Timestamp{Header: "X-Sinch-Webhook-Signature-Timestamp"}, // Sinch states no window
		Constants:  []scheme.Constant{{Header: "X-Sinch-Webhook-Signature-Algorithm", Value: "HmacSHA256"}},
		Message:    []scheme.Part{scheme.Body(), scheme.Literal("."), scheme.Field("X-Sinch-Webhook-Signature-Nonce"), scheme.Literal("."), scheme.SignedTime()},
		MaxBody:    1 << 20, // Sinch states no limit; callbacks are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  3 * 24 * time.Hour,
		About: verify.About{
			Title: "Sinch Conversation",
			NotCovered: []string{
				"for which app and project the callback is: app_id and project_id are in the body",
			},
			Links: []string{
				"https://developers.sinch.com/docs/conversation/callbacks",
				"https://github.com/sinch/sinch-sdk-node",
			},
		},
	}
}
