// Package livekit verifies webhooks of LiveKit, of its cloud and of a server of one's own.
//
// LiveKit signs with the secret of an API key: a JWT with HMAC-SHA256, alone in the header
//
//	Authorization: eyJhbGciOiJIUzI1NiIs…
//
// Its claims are the API key (iss), the time (nbf, and exp 5 minutes later) and the SHA-256
// of the body in base64 (sha256).
//
//	guard := middleware.Protect(livekit.Must(os.Getenv("LIVEKIT_API_KEY"), os.Getenv("LIVEKIT_API_SECRET")))
//
// The same key and secret sign the tokens of participants, which so are in the hands of
// browsers. They do not pass: they have no hash of a body.
//
// Several API keys on one endpoint: [jwt.Definition.ByClaim] with "iss" chooses the secret.
//
// The media type is application/webhook+json. LiveKit retries a few times within seconds,
// with the same token.
//
// # What the signature does not say
//
// It does not say for which URL the request is: two endpoints with the same API key get
// tokens that verify at both. The event's id and time stand in the body.
//
// Source: https://docs.livekit.io/server/webhooks/ and https://github.com/livekit/protocol,
// webhook and auth.
package livekit

import (
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/providers/jwt"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.Secrets] with the secret of one API
// key. Set Options.Claims to its API key, under "iss", as [Must] does, unless several may
// sign. It returns an error for a secret that cannot be right, such as one under 32 bytes.
func New(keys verify.KeySource, o *jwt.Options) (*jwt.Verifier, error) {
	return jwt.New(Definition(), keys, o)
}

// Must makes a verifier from an API key and its secret. It panics where [New] returns an
// error, most often because an environment variable is not set: a program that cannot
// verify must not start.
func Must(apiKey, secret string) *jwt.Verifier {
	v, err := New(verify.Secrets(secret), &jwt.Options{Claims: map[string]string{"iss": apiKey}})
	if err != nil {
		panic("livekit.Must: " + strings.TrimPrefix(err.Error(), "livekit: "))
	}
	return v
}

// Definition returns how LiveKit signs, as data.
func Definition() jwt.Definition {
	return jwt.Definition{
		Provider:   "livekit",
		Header:     "Authorization",
		Algorithms: []jwt.Algorithm{jwt.HS256},
		Claims:     []jwt.Claim{jwt.Present("iss")},
		Body:       jwt.BodyHash{Claim: "sha256", Encoding: jwt.Base64},
		Time: jwt.Time{
			Claim:   "nbf",
			Window:  verify.Window{Past: 6 * time.Minute, Future: time.Minute},
			Expires: true, // after 5 minutes
			Leeway:  time.Minute,
		},
		MediaType: "application/webhook+json",
		MaxBody:   1 << 20, // LiveKit states no limit; events are far smaller
		Retry:     verify.RetryIdentical,
		Retention: 24 * time.Hour,
		About: verify.About{
			Title:      "LiveKit",
			NotCovered: []string{"for which URL the request is: the API key signs for all of its endpoints"},
			Links:      []string{"https://docs.livekit.io/server/webhooks/"},
		},
	}
}
