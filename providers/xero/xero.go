// Package xero verifies webhooks of Xero.
//
// Xero signs the body of a delivery, and nothing else, with the webhook key of the app:
// HMAC-SHA256, in base64, in the header
//
//	X-Xero-Signature: <44 characters>
//
//	guard := middleware.Protect(xero.Must(os.Getenv("XERO_WEBHOOK_KEY")))
//
// The key looks like base64 and is text: its bytes are the key as they stand.
//
// # The handshake
//
// Before Xero sends events it sends an "intent to receive" several times, some of them
// with a wrong signature, and wants 200 for the right ones and 401 for the others, in
// an empty response. The guard refuses the wrong ones with 401 and without a body; the
// right ones have an empty list of events, and the handler must write nothing.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// All organisations that are connected to an app share its key: look at tenantId in
// each event.
//
// Equal bodies are one event. A second honest event with the same body does not run.
//
// Source: https://developer.xero.com/documentation/guides/webhooks/overview/.
package xero

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.Secrets] of one app. A nil o is
// the zero Options. It returns an error for a secret that cannot be right, such as one
// that is too short.
func New(keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.New(Definition(), keys, o)
}

// Must makes a verifier from the webhook keys of one app: one, or several while they
// are changed. It panics where [New] returns an error, most often because an
// environment variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how Xero signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "xero",
		Signatures: []scheme.Signature{{Header: "X-Xero-Signature", Encoding: scheme.Base64}},
		Message:    []scheme.Part{scheme.Body()},
		MaxBody:    1 << 20, // Xero states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour,             // no time is signed, so as long as the guard would by itself
		Rejection:  verify.Rejection{NoBody: true}, // of the intent to receive
		About: verify.About{
			Title: "Xero",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
				"the organisation but by what the body says (tenantId): all of an app share its key",
			},
			Links: []string{"https://developer.xero.com/documentation/guides/webhooks/overview/"},
		},
	}
}
