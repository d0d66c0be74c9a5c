// Package bridge verifies webhooks of Bridge, the stablecoin platform (bridge.xyz).
//
// Bridge signs the time and the body of a delivery with a private key of the webhook: the
// SHA-256 of "<time>.<body>", and of it an RSA signature (PKCS #1 v1.5) with SHA-256, so
// that the message is hashed twice. The time counts milliseconds:
//
//	X-Webhook-Signature: t=1700000000000,v0=<344 characters of base64>
//
// The public key is the public_key that Bridge returns when the webhook is made, in PEM.
// Keep the text with its line breaks:
//
//	guard := middleware.Protect(bridge.Must(os.Getenv("BRIDGE_WEBHOOK_KEY")))
//
// An event is known by its event_id, which stands in the body. Bridge signs each attempt
// anew, and asks to refuse what is older than 10 minutes.
//
// # What the signature does not say
//
// Each webhook has a key of its own, so a signature says for which one a delivery is. The
// headers are not signed.
//
// Source: https://apidocs.bridge.xyz/platform/additional-information/webhooks/signature and
// https://apidocs.bridge.xyz/v1/docs/webhook-event-signature-verification (the example).
package bridge

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.PublicKeys] of one webhook. A nil o
// is the zero Options. It returns an error for a key that cannot be right, such as PEM that
// lost its line breaks.
func New(keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.New(Definition(), keys, o)
}

// Must makes a verifier from the public key of one webhook: one, or several while it is
// changed. It panics where [New] returns an error, most often because an environment
// variable is not set: a program that cannot verify must not start.
func Must(keys ...string) *scheme.Verifier { return scheme.Must(Definition(), keys...) }

// Definition returns how Bridge signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider: "bridge",
		Signatures: []scheme.Signature{{
			Header: "X-Webhook-Signature", Field: "v0", Separator: ",", Assign: "=",
			Encoding: scheme.Base64, Algorithm: scheme.RSADoubleSHA256,
		}},
		Timestamp: scheme.Timestamp{
			Field: "t", Unit: scheme.Milliseconds,
			Window: verify.Window{Past: 10 * time.Minute, Future: 5 * time.Minute},
		},
		Message:   []scheme.Part{scheme.SignedTime(), scheme.Literal("."), scheme.Body()},
		ID:        scheme.ID{Member: "event_id"},
		MaxBody:   1 << 20, // Bridge states no limit; events are far smaller
		Retry:     verify.RetryResigned,
		Retention: 7 * 24 * time.Hour, // Bridge does not say how long it tries again
		About: verify.About{
			Title:      "Bridge.xyz",
			NotCovered: []string{"the Content-Type, and every other header"},
			Links: []string{
				"https://apidocs.bridge.xyz/platform/additional-information/webhooks/signature",
				"https://apidocs.bridge.xyz/v1/docs/webhook-event-signature-verification",
			},
		},
	}
}
