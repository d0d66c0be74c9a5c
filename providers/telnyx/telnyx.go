// Package telnyx verifies webhooks of Telnyx, version 2 of its API.
//
// Telnyx signs the time and the body of a delivery with a private key of the account:
// Ed25519 over "<time>|<body>", in the headers
//
//	Telnyx-Signature-Ed25519: <88 characters of base64>
//	Telnyx-Timestamp: 1700000000
//
// The public key stands in Mission Control, under Keys & Credentials, in base64:
//
//	guard := middleware.Protect(telnyx.Must(os.Getenv("TELNYX_PUBLIC_KEY")))
//
// An event is known by its time and body. Its own id stands in the body, as data.id, and
// is the same in each delivery: Telnyx delivers an event again, and to the failover URL,
// where it gets no success, and does not say whether a repeat is signed anew. One that is
// runs again, so have the handler look at data.id.
//
// # What the signature does not say
//
// The signature does not say for which URL, application or profile of the account a
// delivery is: check the body. Where a connection is set to send GET requests, nothing can
// be verified; the guard refuses them.
//
// Source: https://developers.telnyx.com/docs/development/api-fundamentals/webhooks/receiving-webhooks
// and https://github.com/team-telnyx/telnyx-node (src/lib/webhooks.ts: the message and the
// window of 5 minutes).
package telnyx

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.PublicKeys] of one account. A nil o
// is the zero Options. It returns an error for a key that cannot be right, such as an API
// key in its place.
func New(keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.New(Definition(), keys, o)
}

// Must makes a verifier from the public key of one account: one, or several while it is
// changed. It panics where [New] returns an error, most often because an environment
// variable is not set: a program that cannot verify must not start.
func Must(keys ...string) *scheme.Verifier { return scheme.Must(Definition(), keys...) }

// Definition returns how Telnyx signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "telnyx",
		Signatures: []scheme.Signature{{Header: "Telnyx-Signature-Ed25519", Encoding: scheme.Base64, Algorithm: scheme.Ed25519}},
		Timestamp:  scheme.Timestamp{Header: "Telnyx-Timestamp"},
		Message:    []scheme.Part{scheme.SignedTime(), scheme.Literal("|"), scheme.Body()},
		MaxBody:    1 << 20, // Telnyx states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour, // how long Telnyx repeats depends on the product
		About: verify.About{
			Title: "Telnyx",
			NotCovered: []string{
				"for which URL, application or profile of the account the delivery is: that is in the body",
				"whether the event was delivered before in a delivery of its own: look at data.id in the body",
			},
			JSON: verify.JSONStyle{Space: verify.JSONCompact},
			Links: []string{
				"https://developers.telnyx.com/docs/development/api-fundamentals/webhooks/receiving-webhooks",
				"https://github.com/team-telnyx/telnyx-node/blob/master/src/lib/webhooks.ts",
			},
		},
	}
}
