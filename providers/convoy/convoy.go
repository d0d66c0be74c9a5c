// Package convoy verifies deliveries of Convoy, in its advanced form.
//
// Convoy signs the time and the body of a delivery with the secret of the endpoint:
// HMAC-SHA256 over "<time>,<body>", in the header
//
//	X-Convoy-Signature: t=1700000000,v1=<64 hex digits>
//
//	guard := middleware.Protect(convoy.Must(os.Getenv("CONVOY_ENDPOINT_SECRET")))
//
// While a secret is rotated, there are several items v1.
//
// The project that sends chooses the name of the header, the hash, the encoding and
// the form. The simple form signs the body alone, so that no copy is ever too old.
// Change the definition for what your sender has chosen:
//
//	d := convoy.Definition()
//	d.Signatures = []scheme.Signature{{Header: "X-Convoy-Signature", Algorithm: scheme.HMACSHA512}} // simple, SHA-512, hexadecimal
//	d.Timestamp, d.Message = scheme.Timestamp{}, []scheme.Part{scheme.Body()}
//	v, err := scheme.New(d, verify.Secrets(os.Getenv("CONVOY_ENDPOINT_SECRET")), nil)
//
// What a body holds is up to the sender, so no id in it is looked at, and a delivery
// is known by its time and body.
//
// # What the signature does not say
//
// The id of the event in other headers is not signed.
//
// Source: https://docs.getconvoy.io/product-manual/signatures and
// https://github.com/frain-dev/convoy/tree/main/pkg/signature.
package convoy

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.Secrets] of one endpoint. A nil o
// is the zero Options. It returns an error for a secret that cannot be right, such as
// one that is too short.
func New(keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.New(Definition(), keys, o)
}

// Must makes a verifier from the secrets of one endpoint: one, or several while they are
// changed. It panics where [New] returns an error, most often because an environment
// variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how Convoy signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "convoy",
		Signatures: []scheme.Signature{{Header: "X-Convoy-Signature", Field: "v1", Separator: ",", Assign: "="}},
		Timestamp:  scheme.Timestamp{Field: "t"},
		Message:    []scheme.Part{scheme.SignedTime(), scheme.Literal(","), scheme.Body()},
		MaxBody:    1 << 20, // Convoy's limit is a setting
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour,
		About: verify.About{
			Title: "Convoy",
			NotCovered: []string{
				"the id of the event in other headers",
			},
			Links: []string{
				"https://docs.getconvoy.io/product-manual/signatures",
				"https://github.com/frain-dev/convoy/tree/main/pkg/signature",
			},
			OutsideVector: "a test of frain-dev/convoy",
		},
	}
}
