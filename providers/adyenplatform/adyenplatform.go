// Package adyenplatform verifies webhooks of Adyen's platforms.
//
// Adyen signs the body of a delivery, and nothing else, with the HMAC key of the
// webhook: HMAC-SHA256, in base64, in the header
//
//	HmacSignature: <44 characters>
//
//	guard := middleware.Protect(adyenplatform.Must(os.Getenv("ADYEN_HMAC_KEY")))
//
// The key is written in hexadecimal digits, and its bytes are the key.
//
// These are the webhooks of Adyen's platforms (balance accounts, transfers, cards,
// account holders, disputes). Those of payments carry their signature in the body and
// sign a part of it: this package refuses them as unsigned.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// The header Protocol names the algorithm and is not looked at: it is HMAC-SHA256, and
// the request must not choose.
//
// Equal bodies are one event. A body names what changed and when. Adyen retries for 30
// days, so the store remembers for longer than that.
//
// Source: https://docs.adyen.com/development-resources/webhooks/secure-webhooks/verify-hmac-signatures/ and https://github.com/Adyen/adyen-go-api-library.
package adyenplatform

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

// Must makes a verifier from the HMAC keys of one webhook: one, or several while they
// are changed. It panics where [New] returns an error, most often because an
// environment variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how Adyen signs webhooks of its platforms, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "adyenplatform",
		Signatures: []scheme.Signature{{Header: "HmacSignature", Encoding: scheme.Base64}},
		Message:    []scheme.Part{scheme.Body()},
		Secret:     scheme.Secret{Encoding: scheme.HexSecret},
		MaxBody:    1 << 20, // Adyen states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  35 * 24 * time.Hour, // Adyen retries for 30 days
		About: verify.About{
			Title: "Adyen platform webhooks",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
			},
			Links: []string{
				"https://docs.adyen.com/development-resources/webhooks/secure-webhooks/verify-hmac-signatures/",
				"https://github.com/Adyen/adyen-go-api-library",
			},
		},
	}
}
