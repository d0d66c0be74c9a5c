// Package due verifies webhooks of Due (due.network).
//
// Due signs the body of a delivery, and nothing else, with a private key of the endpoint:
// Ed25519, in hexadecimal, in the header
//
//	X-Webhook-Signature: <128 hex digits>
//
// The public key is the publicKey that Due returns when the endpoint is made, in PEM. Keep
// the text with its line breaks:
//
//	guard := middleware.Protect(due.Must(os.Getenv("DUE_WEBHOOK_KEY")))
//
// Due's page on signatures does not say how a delivery that failed is repeated; a repeat of
// what was handled is acknowledged and does not run.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies as long as the endpoint keeps its key. Only
// the replay store can refuse it, so the protection lasts as long as the store's memory, and
// several processes must share one store. Equal bodies are one event.
//
// Each endpoint has a key of its own, so a signature says for which one a delivery is.
//
// Source: https://due.readme.io/docs/webhook-security.
package due

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.PublicKeys] of one endpoint. A nil o is
// the zero Options. It returns an error for a key that cannot be right, such as PEM that
// lost its line breaks.
func New(keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.New(Definition(), keys, o)
}

// Must makes a verifier from the public key of one endpoint: one, or several while it is
// changed. It panics where [New] returns an error, most often because an environment
// variable is not set: a program that cannot verify must not start.
func Must(keys ...string) *scheme.Verifier { return scheme.Must(Definition(), keys...) }

// Definition returns how Due signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "due",
		Signatures: []scheme.Signature{{Header: "X-Webhook-Signature", Algorithm: scheme.Ed25519}},
		Message:    []scheme.Part{scheme.Body()},
		MaxBody:    1 << 20, // Due states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour, // no time is signed, and the page does not say how long repeats go on
		About: verify.About{
			Title:      "Due",
			NotCovered: []string{"the time: none is signed, so a captured delivery verifies as long as the endpoint keeps its key"},
			Links:      []string{"https://due.readme.io/docs/webhook-security"},
		},
	}
}
