// Package coinbasecommerce verifies webhooks of Coinbase Commerce.
//
// Coinbase Commerce signs the body of a delivery, and nothing else, with the shared
// secret of the webhooks: HMAC-SHA256, in hexadecimal digits, in the header
//
//	X-CC-Webhook-Signature: <64 hex digits>
//
//	guard := middleware.Protect(coinbasecommerce.Must(os.Getenv("COINBASE_COMMERCE_WEBHOOK_SECRET")))
//
// The body counts the attempts (attempt_number), so a retry is another body, which the
// store does not know: look event.id up in the handler. Webhooks of the Coinbase
// Developer Platform are signed in another way.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// Equal bodies are one event. Each attempt has a body of its own, because the body
// counts them.
//
// Source: https://docs.cdp.coinbase.com/commerce/docs/webhooks-security.
package coinbasecommerce

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.Secrets] of one account. A nil o
// is the zero Options. It returns an error for a secret that cannot be right, such as
// one that is too short.
func New(keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.New(Definition(), keys, o)
}

// Must makes a verifier from the shared secrets of one account: one, or several while
// they are changed. It panics where [New] returns an error, most often because an
// environment variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how Coinbase Commerce signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "coinbasecommerce",
		Signatures: []scheme.Signature{{Header: "X-CC-Webhook-Signature"}},
		Message:    []scheme.Part{scheme.Body()},
		MaxBody:    1 << 20, // Coinbase Commerce states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour, // no time is signed, so as long as the guard would by itself
		About: verify.About{
			Title: "Coinbase Commerce",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
			},
			Links:         []string{"https://docs.cdp.coinbase.com/commerce/docs/webhooks-security"},
			OutsideVector: "a test of coinbase/coinbase-commerce-node",
		},
	}
}
