// Package paystack verifies webhooks of Paystack.
//
// Paystack signs the body of a delivery, and nothing else, with the secret key of the
// API: HMAC-SHA512, in hexadecimal digits, in the header
//
//	X-Paystack-Signature: <128 hex digits>
//
//	guard := middleware.Protect(paystack.Must(os.Getenv("PAYSTACK_SECRET_KEY")))
//
// The secret is the secret key of the API (sk_live_…, sk_test_…): there is no other one
// for webhooks.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// Equal bodies are one event. A body names its event and has ids and times.
//
// Source: https://paystack.com/docs/payments/webhooks/ and https://github.com/PaystackOSS/doc-code-snippets.
package paystack

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

// Must makes a verifier from the secret keys of one account: one, or several while they
// are changed. It panics where [New] returns an error, most often because an
// environment variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how Paystack signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "paystack",
		Signatures: []scheme.Signature{{Header: "X-Paystack-Signature", Algorithm: scheme.HMACSHA512}},
		Message:    []scheme.Part{scheme.Body()},
		MaxBody:    1 << 20, // Paystack states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour, // no time is signed, so as long as the guard would by itself
		About: verify.About{
			Title: "Paystack",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
			},
			Credentials: []verify.Credential{
				{Prefix: "pk_live_", What: "a public key of the API", Secret: true},
				{Prefix: "pk_test_", What: "a public key of the API in test mode", Secret: true},
			},
			Links: []string{
				"https://paystack.com/docs/payments/webhooks/",
				"https://github.com/PaystackOSS/doc-code-snippets",
			},
		},
	}
}
