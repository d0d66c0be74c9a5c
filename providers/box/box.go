// Package box verifies webhooks of Box, in their version 2.
//
// Box signs the body and the time of a delivery, the one directly behind the other,
// with a primary and a secondary key of the application: HMAC-SHA256, in the headers
//
//	box-signature-primary: <44 characters of base64>
//	box-signature-secondary: <44 characters of base64>
//	box-signature-version: 1
//	box-signature-algorithm: HmacSHA256
//	box-delivery-timestamp: 2026-03-14T09:26:53Z
//
//	guard := middleware.Protect(box.Must(os.Getenv("BOX_PRIMARY_KEY"), os.Getenv("BOX_SECONDARY_KEY")))
//
// One of the signatures is enough, so that either key can be changed while the other
// one is in use. Another version or algorithm is refused.
//
// An event is known by its id, which stands in the body. Box repeats what failed up to
// ten times.
//
// # What the signature does not say
//
// The id of the delivery (box-delivery-id) is not signed. The signature does not say
// for which webhook an event is: webhook.id is in the body.
//
// Box's libraries also accept a signature over another spelling of the body, with all
// characters but ASCII escaped. Here the body is taken as it came.
//
// Source: https://developer.box.com/guides/webhooks/v2/signatures-v2/ and
// https://github.com/box/box-python-sdk.
package box

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.Secrets] of one application. A nil
// o is the zero Options. It returns an error for a secret that cannot be right, such as
// one that is too short.
func New(keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.New(Definition(), keys, o)
}

// Must makes a verifier from the secrets of one application: one, or several while they
// are changed. It panics where [New] returns an error, most often because an environment
// variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how Box signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "box",
		Signatures: []scheme.Signature{{Header: "Box-Signature-Primary", More: []string{"Box-Signature-Secondary"}, Encoding: scheme.Base64}},
		Timestamp:  scheme.Timestamp{Header: "Box-Delivery-Timestamp", Unit: scheme.RFC3339, Window: verify.Window{Past: 10 * time.Minute, Future: 10 * time.Minute}},
		Constants:  []scheme.Constant{{Header: "Box-Signature-Version", Value: "1"}, {Header: "Box-Signature-Algorithm", Value: "HmacSHA256"}},
		Message:    []scheme.Part{scheme.Body(), scheme.SignedTime()},
		ID:         scheme.ID{Member: "id"},
		UnsignedID: "Box-Delivery-Id",
		MaxBody:    1 << 20, // Box states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  3 * 24 * time.Hour,
		About: verify.About{
			Title: "Box",
			NotCovered: []string{
				"the id of the delivery (box-delivery-id)",
				"for which webhook the event is: webhook.id is in the body",
			},
			Links: []string{
				"https://developer.box.com/guides/webhooks/v2/signatures-v2/",
				"https://github.com/box/box-python-sdk",
			},
			OutsideVector: "a test of box/box-python-sdk",
		},
	}
}
