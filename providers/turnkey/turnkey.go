// Package turnkey verifies webhooks of Turnkey.
//
// Turnkey signs the id of its key, the time, the id of the event and the body of a delivery:
// Ed25519 over "v1.ed25519.<key id>.<time>.<event id>.<body>". The time counts milliseconds:
//
//	X-Turnkey-Signature: <128 hex digits>
//	X-Turnkey-Signature-Key-Id: …
//	X-Turnkey-Signature-Algorithm: ed25519
//	X-Turnkey-Signature-Version: v1
//	X-Turnkey-Timestamp: 1700000000000
//	X-Turnkey-Event-Id: …
//
// The algorithm and the version must be these: the sender of a request chooses neither.
//
// Turnkey publishes its keys as a JWK set. Package
// [github.com/hooknotary/hooknotary/providers/keyfetch] fetches it within bounds, and finds
// the key by the id in the header, which is signed:
//
//	keys, err := keyfetch.New(keyfetch.Endpoint{URL: turnkey.KeysURL, Kind: keyfetch.Ed25519}, nil)
//	…
//	v, err := turnkey.New(keys.ByHeader("X-Turnkey-Signature-Key-Id"), nil)
//
// Or take the key as configuration, 64 hex digits:
//
//	guard := middleware.Protect(turnkey.Must(os.Getenv("TURNKEY_WEBHOOK_KEY")))
//
// An event is known by its signed id, which is the same in each attempt. Turnkey does not
// say whether an attempt is signed anew.
//
// # What the signature does not say
//
// Turnkey signs for all organizations with one set of keys. So a signature does not say that
// a delivery is for this one: check the organization in the body. Its header
// (X-Turnkey-Organization-Id) and the type of the event (X-Turnkey-Event-Type) are not signed.
//
// Source: https://docs.turnkey.com/features/webhooks/verify-signatures and
// https://github.com/tkhq/sdk (packages/crypto: the headers, and the window of 5 minutes).
package turnkey

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// KeysURL is where Turnkey publishes its public keys, as a JWK set.
const KeysURL = "https://api.turnkey.com/public/v1/discovery/webhooks/jwks"

// New makes a verifier from keys, for example those that package keyfetch fetches. A nil o is
// the zero Options. It returns an error for a key that cannot be right.
func New(keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.New(Definition(), keys, o)
}

// Must makes a verifier from Turnkey's public key: one, or several while Turnkey changes it.
// It panics where [New] returns an error, most often because an environment variable is not
// set: a program that cannot verify must not start.
func Must(keys ...string) *scheme.Verifier { return scheme.Must(Definition(), keys...) }

// Definition returns how Turnkey signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "turnkey",
		Signatures: []scheme.Signature{{Header: "X-Turnkey-Signature", Algorithm: scheme.Ed25519}},
		Constants: []scheme.Constant{
			{Header: "X-Turnkey-Signature-Algorithm", Value: "ed25519"}, {Header: "X-Turnkey-Signature-Version", Value: "v1"},
		},
		Timestamp: scheme.Timestamp{Header: "X-Turnkey-Timestamp", Unit: scheme.Milliseconds},
		Message: []scheme.Part{
			scheme.Literal("v1.ed25519."), scheme.Field("X-Turnkey-Signature-Key-Id"), scheme.Literal("."), scheme.SignedTime(),
			scheme.Literal("."), scheme.Field("X-Turnkey-Event-Id"), scheme.Literal("."), scheme.Body(),
		},
		ID:           scheme.ID{Header: "X-Turnkey-Event-Id"},
		UnsignedType: "X-Turnkey-Event-Type",
		MaxBody:      1 << 20, // Turnkey states no limit; events are far smaller
		Retry:        verify.RetryIdentical,
		Retention:    7 * 24 * time.Hour, // the page on signatures does not say how long attempts go on
		About: verify.About{
			Title: "Turnkey",
			NotCovered: []string{
				"for which organization the event is: all have one set of keys, so check the body",
				"the organization and the type as the headers say them (X-Turnkey-Organization-Id, X-Turnkey-Event-Type)",
			},
			Links: []string{"https://docs.turnkey.com/features/webhooks/verify-signatures", "https://github.com/tkhq/sdk"},
		},
	}
}
