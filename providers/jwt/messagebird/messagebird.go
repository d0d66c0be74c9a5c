// Package messagebird verifies webhooks of MessageBird, which is now called Bird, that are
// signed with a token: those of the MessageBird API.
//
// MessageBird signs with the signing key of the account: a JWT with HMAC in the header
//
//	MessageBird-Signature-JWT: eyJhbGciOiJIUzI1NiIs…
//
// Its claims are the time (nbf, exp), an id (jti), the SHA-256 of the URL (url_hash) and,
// where there is a body, that of the body (payload_hash), both in hexadecimal.
//
//	v, err := messagebird.New(verify.Secrets(os.Getenv("MESSAGEBIRD_SIGNING_KEY")),
//		&jwt.Options{URL: "https://shop.example/hooks/messagebird"})
//
// The URL is the one that MessageBird calls, with its query, and it is never taken from the
// request: whoever has a genuine request could otherwise send it to another endpoint.
// MessageBird's libraries say which of its algorithms may come: HS256, HS384 and HS512, all
// of the same key. HS512 wants a key of 64 bytes, and is refused under a shorter one.
//
// A guard takes POST alone. MessageBird can be set to GET, which has no body; verify.Verify
// judges such a head, too.
//
// # What the signature does not say
//
// It does not say which event this is, beyond what the body says, nor the method.
// MessageBird's own clock may be a second away from yours, as in its libraries.
//
// The newer Bird API signs in another way, without a token; this package does not verify
// that.
//
// Source: https://developers.messagebird.com/docs/verify-http-requests and
// https://github.com/messagebird/go-rest-api, signature_jwt.
package messagebird

import (
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/providers/jwt"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.Secrets] of one account. Options.URL
// is required. It returns an error for a key that cannot be right, such as one under 32
// bytes.
func New(keys verify.KeySource, o *jwt.Options) (*jwt.Verifier, error) {
	return jwt.New(Definition(), keys, o)
}

// Must makes a verifier from the URL of the endpoint and the signing keys of one account:
// one, or several while they are changed. It panics where [New] returns an error, most often
// because an environment variable is not set: a program that cannot verify must not start.
func Must(url string, signingKeys ...string) *jwt.Verifier {
	v, err := New(verify.Secrets(signingKeys...), &jwt.Options{URL: url})
	if err != nil {
		panic("messagebird.Must: " + strings.TrimPrefix(err.Error(), "messagebird: "))
	}
	return v
}

// Definition returns how MessageBird signs, as data.
func Definition() jwt.Definition {
	return jwt.Definition{
		Provider:   "messagebird",
		Header:     "MessageBird-Signature-JWT",
		Algorithms: []jwt.Algorithm{jwt.HS256, jwt.HS384, jwt.HS512},
		Claims:     []jwt.Claim{jwt.Equal("iss", "MessageBird"), jwt.URLHash("url_hash", jwt.Hex)},
		Body:       jwt.BodyHash{Claim: "payload_hash", AbsentIfEmpty: true},
		Time: jwt.Time{
			Claim:   "nbf",
			Window:  verify.Window{Past: 5 * time.Minute, Future: time.Second},
			Expires: true, // after a minute, today
			Leeway:  time.Second,
		},
		ID:        "jti",
		MaxBody:   1 << 20, // MessageBird states no limit; events are far smaller
		Retry:     verify.RetryIdentical,
		Retention: 3 * 24 * time.Hour,
		About: verify.About{
			Title:         "MessageBird",
			NotCovered:    []string{"the method of the request"},
			Links:         []string{"https://developers.messagebird.com/docs/verify-http-requests"},
			OutsideVector: "tests of messagebird/go-rest-api",
		},
	}
}
