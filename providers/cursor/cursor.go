// Package cursor verifies webhooks of Cursor's background agents.
//
// Cursor signs the body of a delivery, and nothing else, with the secret of the
// webhook: HMAC-SHA256, in hexadecimal digits, in the header
//
//	X-Webhook-Signature: sha256=<64 hex digits>
//
//	guard := middleware.Protect(cursor.Must(os.Getenv("CURSOR_WEBHOOK_SECRET")))
//
// The name of the header is used by other senders, too.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// The id of the delivery (X-Webhook-ID) and the event (X-Webhook-Event) are not signed.
// The member id of the body is that of the agent, and stays the same in all its events.
//
// Equal bodies are one event. A status change has a time in its body.
//
// Source: https://docs.cursor.com/en/background-agent/api/webhooks.
package cursor

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

// Definition returns how Cursor signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:     "cursor",
		Signatures:   []scheme.Signature{{Header: "X-Webhook-Signature", Prefix: "sha256="}},
		Message:      []scheme.Part{scheme.Body()},
		UnsignedID:   "X-Webhook-ID",
		UnsignedType: "X-Webhook-Event",
		MaxBody:      1 << 20, // Cursor states no limit; events are far smaller
		Retry:        verify.RetryIdentical,
		Retention:    7 * 24 * time.Hour, // no time is signed, so as long as the guard would by itself
		About: verify.About{
			Title: "Cursor",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
				"the id of the delivery (X-Webhook-ID)",
				"the event of X-Webhook-Event: the member event of the body is signed",
			},
			Tell:  verify.Tell{Headers: []string{"X-Webhook-Signature"}, Value: "sha256="},
			Links: []string{"https://docs.cursor.com/en/background-agent/api/webhooks"},
		},
	}
}
