// Package cashfree verifies webhooks of Cashfree Payments.
//
// Cashfree signs the time and the body of a request with the client secret of the
// account: HMAC-SHA256 over the one directly behind the other, in the headers
//
//	x-webhook-signature: <44 characters of base64>
//	x-webhook-timestamp: 1700000000000
//
//	guard := middleware.Protect(cashfree.Must(os.Getenv("CASHFREE_CLIENT_SECRET")))
//
// The time is in milliseconds. Where the documentation writes "timestamp.payload", the
// dot stands for putting the two together, as in PHP, and is not signed.
//
// No id of the event is signed, so an event is known by its time and body. Cashfree
// repeats what failed. Its documentation does not say whether a repeat is signed anew.
//
// # What the signature does not say
//
// The version (x-webhook-version) and x-idempotency-key are not signed. The client
// secret is the one that calls of the API use, too.
//
// Source:
// https://www.cashfree.com/docs/payments/online/webhooks/signature-verification and
// https://github.com/cashfree/cashfree-pg-sdk-go.
package cashfree

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

// Must makes a verifier from the secrets of one account: one, or several while they are
// changed. It panics where [New] returns an error, most often because an environment
// variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how Cashfree signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "cashfree",
		Signatures: []scheme.Signature{{Header: "X-Webhook-Signature", Encoding: scheme.Base64}},
		Timestamp:  scheme.Timestamp{Header: "X-Webhook-Timestamp", Unit: scheme.Milliseconds}, // Cashfree states no window
		Message:    []scheme.Part{scheme.SignedTime(), scheme.Body()},
		UnsignedID: "X-Idempotency-Key",
		MaxBody:    1 << 20, // Cashfree states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour,
		About: verify.About{
			Title: "Cashfree",
			NotCovered: []string{
				"the version of the event (x-webhook-version)",
				"the key of the delivery (x-idempotency-key)",
			},
			Tell: verify.Tell{Headers: []string{"X-Webhook-Signature", "X-Webhook-Timestamp"}},
			Links: []string{
				"https://www.cashfree.com/docs/payments/online/webhooks/signature-verification",
				"https://github.com/cashfree/cashfree-pg-sdk-go",
			},
		},
	}
}
