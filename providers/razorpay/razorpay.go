// Package razorpay verifies webhooks of Razorpay.
//
// Razorpay signs the body of a delivery, and nothing else, with the secret of the
// webhook: HMAC-SHA256, in hexadecimal digits, in the header
//
//	X-Razorpay-Signature: <64 hex digits>
//
//	guard := middleware.Protect(razorpay.Must(os.Getenv("RAZORPAY_WEBHOOK_SECRET")))
//
// The secret is the one that was typed in for the webhook, and not the key secret of
// the API. The signature of a payment that the browser brings back is another one, over
// order id and payment id, with the key secret: this package does not verify it.
//
// A delivery that fails is repeated for 24 hours; then the webhook is disabled. While
// the secret is changed, retries of older events keep the old signature: configure both
// secrets.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// The id of the event (X-Razorpay-Event-Id) is not signed, so a replay may carry a
// fresh one: it ends up in Delivery.Unsigned, and the store knows the event by its
// body.
//
// Equal bodies are one event. Razorpay's bodies name their entities and have the time
// of creation.
//
// Source: https://razorpay.com/docs/webhooks/validate-test/ and https://razorpay.com/docs/webhooks/best-practices/.
package razorpay

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

// Definition returns how Razorpay signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "razorpay",
		Signatures: []scheme.Signature{{Header: "X-Razorpay-Signature"}},
		Message:    []scheme.Part{scheme.Body()},
		UnsignedID: "X-Razorpay-Event-Id",
		MaxBody:    1 << 20, // Razorpay states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour, // no time is signed, so longer than retries go on
		About: verify.About{
			Title: "Razorpay",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
				"the id of the event (X-Razorpay-Event-Id)",
			},
			Credentials: []verify.Credential{
				{Prefix: "rzp_live_", What: "a key id of the API", Secret: true},
				{Prefix: "rzp_test_", What: "a key id of the API in test mode", Secret: true},
			},
			Links: []string{
				"https://razorpay.com/docs/webhooks/validate-test/",
				"https://razorpay.com/docs/webhooks/best-practices/",
			},
			OutsideVector: "a test of razorpay/razorpay-node",
		},
	}
}
