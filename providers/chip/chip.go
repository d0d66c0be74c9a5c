// Package chip verifies webhooks of CHIP Collect (chip-in.asia).
//
// CHIP signs the body of a delivery, and nothing else: RSA (PKCS #1 v1.5) with SHA-256, in
// base64, in the header
//
//	X-Signature: <344 characters>
//
// The public key is the public_key of the webhook, in PEM; that of success callbacks is
// another one, which the API returns at /public_key/. Keep the text with its line breaks:
//
//	guard := middleware.Protect(chip.Must(os.Getenv("CHIP_WEBHOOK_KEY")))
//
// A delivery that fails is repeated with the same body, 8 times in 36 and a half hours; a
// repeat of what was handled is acknowledged and does not run.
//
// CHIP Send, the other product, signs with SHA-512, and is not this one.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies as long as the webhook keeps its key. Only
// the replay store can refuse it, so the protection lasts as long as the store's memory, and
// several processes must share one store. Equal bodies are one event.
//
// The key of success callbacks belongs to the company: a callback of one shop verifies at
// another one of it. Check what the body says.
//
// Source: https://docs.chip-in.asia/chip-collect/overview/webhook-signatures and
// https://docs.chip-in.asia/chip-collect/overview/delivery-protocol (retries).
package chip

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.PublicKeys] of one webhook. A nil o is
// the zero Options. It returns an error for a key that cannot be right, such as PEM that
// lost its line breaks.
func New(keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.New(Definition(), keys, o)
}

// Must makes a verifier from the public key of one webhook: one, or several while it is
// changed. It panics where [New] returns an error, most often because an environment
// variable is not set: a program that cannot verify must not start.
func Must(keys ...string) *scheme.Verifier { return scheme.Must(Definition(), keys...) }

// Definition returns how CHIP Collect signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "chip",
		Signatures: []scheme.Signature{{Header: "X-Signature", Encoding: scheme.Base64, Algorithm: scheme.RSASHA256}},
		Message:    []scheme.Part{scheme.Body()},
		MaxBody:    1 << 20, // CHIP states no limit; a purchase is far smaller
		Retry:      verify.RetryIdentical,
		Retention:  3 * 24 * time.Hour, // CHIP repeats for 36 and a half hours
		About: verify.About{
			Title: "CHIP Collect",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies as long as the webhook keeps its key",
				"which shop of the company it is but by what the body says, for success callbacks",
			},
			Links: []string{
				"https://docs.chip-in.asia/chip-collect/overview/webhook-signatures",
				"https://docs.chip-in.asia/chip-collect/overview/delivery-protocol",
			},
		},
	}
}
