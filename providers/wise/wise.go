// Package wise verifies webhooks of Wise.
//
// Wise signs the body of a delivery, and nothing else, with its private key: RSA (PKCS #1
// v1.5) with SHA-256, in base64, in the header
//
//	X-Signature-Sha256: <344 characters>
//
// The public keys stand in Wise's documentation, in PEM: one for production and another
// one for the sandbox, and all who receive webhooks have the same. Keep the text in a file
// or a variable, with its line breaks:
//
//	guard := middleware.Protect(wise.Must(os.Getenv("WISE_WEBHOOK_KEY")))
//
// Do not list both keys at one endpoint: whatever happens in the sandbox would count as
// genuine.
//
// A delivery that is not acknowledged within 5 seconds is repeated up to 25 times in two
// weeks; a repeat of what was handled is acknowledged and does not run.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies as long as Wise keeps its key. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory, and
// several processes must share one store. Equal bodies are one event.
//
// Wise signs for all of its customers with one key. So a signature does not say that a
// delivery is for this endpoint: check subscription_id and data.resource.profile_id in the
// body. X-Delivery-Id and X-Test-Notification are not signed.
//
// Source: https://docs.wise.com/features/webhooks-notifications/event-handling and
// https://github.com/transferwise/digital-signatures-examples (verify-webhook-signature).
package wise

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.PublicKeys] with the key of Wise's
// documentation. A nil o is the zero Options. It returns an error for a key that cannot be
// right, such as PEM that lost its line breaks.
func New(keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.New(Definition(), keys, o)
}

// Must makes a verifier from the public key of production or of the sandbox: one, or
// several while Wise changes it. It panics where [New] returns an error, most often because
// an environment variable is not set: a program that cannot verify must not start.
func Must(keys ...string) *scheme.Verifier { return scheme.Must(Definition(), keys...) }

// Definition returns how Wise signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "wise",
		Signatures: []scheme.Signature{{Header: "X-Signature-SHA256", Encoding: scheme.Base64, Algorithm: scheme.RSASHA256}},
		Message:    []scheme.Part{scheme.Body()},
		UnsignedID: "X-Delivery-Id",
		MaxBody:    1 << 20, // Wise states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  15 * 24 * time.Hour, // Wise repeats for two weeks
		About: verify.About{
			Title: "Wise",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies as long as Wise keeps its key",
				"for whom the delivery is: all customers have one key, so check subscription_id and the profile in the body",
				"the id of the delivery (X-Delivery-Id), and whether it is a test (X-Test-Notification)",
			},
			Links: []string{
				"https://docs.wise.com/features/webhooks-notifications/event-handling",
				"https://github.com/transferwise/digital-signatures-examples/tree/main/verify-webhook-signature",
			},
			OutsideVector: "an example of transferwise/digital-signatures-examples",
		},
	}
}
