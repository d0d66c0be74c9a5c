// Package acme verifies webhooks of Acme, a provider that this module does not have.
//
// Acme signs the time and the body of a delivery with the secret of the endpoint:
// HMAC-SHA256 over "<time>.<body>", in the header
//
//	Acme-Signature: t=1773480413,v1=<64 hex digits>
//
// While a secret is rolled there are two items named v1.
package acme

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// Must makes a verifier from the secrets of one endpoint. It panics if one of them cannot
// be right.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how Acme signs.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider: "acme",
		Signatures: []scheme.Signature{{
			Header: "Acme-Signature", Field: "v1", Separator: ",", Assign: "=", // hexadecimal, HMAC-SHA256
		}},
		Timestamp: scheme.Timestamp{Field: "t"}, // seconds, five minutes each way
		Message:   []scheme.Part{scheme.SignedTime(), scheme.Literal("."), scheme.Body()},
		ID:        scheme.ID{Member: "event_id"},
		MaxBody:   1 << 20,
		Retry:     verify.RetryResigned, // each attempt has a time of its own
		Retention: 3 * 24 * time.Hour,   // Acme retries for two days
	}
}
