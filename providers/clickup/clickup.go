// Package clickup verifies webhooks of ClickUp.
//
// ClickUp signs the body of a delivery, and nothing else, with the secret of the
// webhook: HMAC-SHA256, in hexadecimal digits, in the header
//
//	X-Signature: <64 hex digits>
//
//	guard := middleware.Protect(clickup.Must(os.Getenv("CLICKUP_WEBHOOK_SECRET")))
//
// The secret is in the response that created the webhook. ClickUp's samples sign the
// body after it was parsed and written again; the guard verifies the bytes that came.
// The name of the header is used by other senders, too.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// Equal bodies are one event. A change has an id in history_items; a delivery without
// history_items, such as that of a task that was deleted, is told by its task.
//
// Source: https://developer.clickup.com/docs/webhooksignature and https://developer.clickup.com/docs/webhooks.
package clickup

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

// Definition returns how ClickUp signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "clickup",
		Signatures: []scheme.Signature{{Header: "X-Signature"}},
		Message:    []scheme.Part{scheme.Body()},
		MaxBody:    1 << 20, // ClickUp states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour, // no time is signed, so as long as the guard would by itself
		About: verify.About{
			Title: "ClickUp",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
			},
			Tell: verify.Tell{Name: "ClickUp, or a provider that signs alike"},
			Links: []string{
				"https://developer.clickup.com/docs/webhooksignature",
				"https://developer.clickup.com/docs/webhooks",
			},
		},
	}
}
