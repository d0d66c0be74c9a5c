// Package qstash verifies requests of Upstash QStash.
//
// QStash signs each request with a JWT with HMAC-SHA256 in the header
//
//	Upstash-Signature: eyJhbGciOiJIUzI1NiIs…
//
// Its claims are the time (nbf, iat, and exp 5 minutes later), an id (jti), the URL (sub)
// and the SHA-256 of the body in base64url (body). A project has two signing keys, the
// current and the next one; give both, so that a rotation loses nothing:
//
//	guard := middleware.Protect(qstash.Must("https://shop.example/hooks/qstash",
//		os.Getenv("QSTASH_CURRENT_SIGNING_KEY"), os.Getenv("QSTASH_NEXT_SIGNING_KEY")))
//
// The URL is the destination as it was published to QStash, byte for byte. It is never
// taken from the request.
//
// QStash delivers what was published to it, with the Content-Type that came with it. The
// Content-Type is not signed, so an endpoint takes one; for another than JSON:
//
//	d := qstash.Definition()
//	d.MediaType = "text/plain"
//	v, err := jwt.New(d, verify.Secrets(current, next), &jwt.Options{URL: url})
//
// # What the signature does not say
//
// The headers that QStash forwards, Upstash-Message-Id and Upstash-Retried are not signed.
// A token lasts 5 minutes, so a later retry has a new one. The documentation does not say
// whether its jti stays the same. If it does not, a retry of a delivery whose response was
// lost runs again: make the handler idempotent by something in the body.
//
// The body is whatever your own programs published. The signature says that QStash sent it,
// and QStash takes messages from whoever has the token of the project.
//
// Source: https://upstash.com/docs/qstash/howto/signature and
// https://upstash.com/docs/qstash/features/security.
package qstash

import (
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/providers/jwt"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.Secrets] of the current and the next
// signing key. Options.URL is required. It returns an error for a key that cannot be right,
// such as one under 32 bytes.
func New(keys verify.KeySource, o *jwt.Options) (*jwt.Verifier, error) {
	return jwt.New(Definition(), keys, o)
}

// Must makes a verifier from the URL of the endpoint and the signing keys of one project,
// the current and the next one. It panics where [New] returns an error, most often because
// an environment variable is not set: a program that cannot verify must not start.
func Must(url string, signingKeys ...string) *jwt.Verifier {
	v, err := New(verify.Secrets(signingKeys...), &jwt.Options{URL: url})
	if err != nil {
		panic("qstash.Must: " + strings.TrimPrefix(err.Error(), "qstash: "))
	}
	return v
}

// Definition returns how QStash signs, as data.
func Definition() jwt.Definition {
	return jwt.Definition{
		Provider:   "qstash",
		Header:     "Upstash-Signature",
		Algorithms: []jwt.Algorithm{jwt.HS256},
		Claims:     []jwt.Claim{jwt.Equal("iss", "Upstash"), jwt.URL("sub")},
		Body:       jwt.BodyHash{Claim: "body", Encoding: jwt.Base64URL},
		Time: jwt.Time{
			Claim:   "nbf",
			Window:  verify.Window{Past: 6 * time.Minute, Future: time.Minute},
			Expires: true, // after 5 minutes
			Leeway:  time.Minute,
		},
		ID:        "jti",
		MaxBody:   1 << 20, // what is published decides; larger bodies want a definition of their own
		Retry:     verify.RetryIdentical,
		Retention: 3 * 24 * time.Hour,
		About: verify.About{
			Title: "QStash",
			NotCovered: []string{
				"the headers that QStash forwards",
				"the message's id and how often it was retried (Upstash-Message-Id, Upstash-Retried)",
				"the Content-Type",
			},
			Links: []string{"https://upstash.com/docs/qstash/howto/signature", "https://upstash.com/docs/qstash/features/security"},
		},
	}
}
