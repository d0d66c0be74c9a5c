// Package netlify verifies notifications of Netlify: its outgoing webhooks of deploys and
// forms.
//
// Netlify signs if a JWS secret token is set for the notification: a JWT with HMAC-SHA256 in
// the header
//
//	X-Webhook-Signature: eyJhbGciOiJIUzI1NiJ9…
//
// Its claims are the issuer (iss, "netlify") and the SHA-256 of the body in hexadecimal
// (sha256).
//
//	guard := middleware.Protect(netlify.Must(os.Getenv("NETLIFY_JWS_SECRET")))
//
// You choose the secret: take 32 random bytes in hexadecimal.
//
// # What the signature does not say
//
// It signs no time and no id: a notification verifies as long as the secret lives, and equal
// bodies are one event. Nor does it say for which URL or site a notification is: the body
// has the site's id. Use a secret of its own for each notification.
//
// Source: https://docs.netlify.com/site-deploys/notifications/#payload-signature.
package netlify

import (
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/providers/jwt"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.Secrets] with the JWS secret token of
// one notification. A nil o is the zero Options. It returns an error for a secret that
// cannot be right, such as one under 32 bytes.
func New(keys verify.KeySource, o *jwt.Options) (*jwt.Verifier, error) {
	return jwt.New(Definition(), keys, o)
}

// Must makes a verifier from the JWS secret tokens of one notification: one, or several
// while they are changed. It panics where [New] returns an error, most often because an
// environment variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *jwt.Verifier {
	v, err := New(verify.Secrets(secrets...), nil)
	if err != nil {
		panic("netlify.Must: " + strings.TrimPrefix(err.Error(), "netlify: "))
	}
	return v
}

// Definition returns how Netlify signs, as data.
func Definition() jwt.Definition {
	return jwt.Definition{
		Provider:   "netlify",
		Header:     "X-Webhook-Signature",
		Algorithms: []jwt.Algorithm{jwt.HS256},
		Claims:     []jwt.Claim{jwt.Equal("iss", "netlify")},
		Body:       jwt.BodyHash{Claim: "sha256"},
		MaxBody:    1 << 20, // Netlify states no limit; notifications are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  3 * 24 * time.Hour,
		About: verify.About{
			Title: "Netlify",
			NotCovered: []string{
				"the time: a notification verifies as long as the secret lives",
				"for which URL or site it is: the site's id stands in the body",
			},
			Links: []string{"https://docs.netlify.com/site-deploys/notifications/#payload-signature"},
		},
	}
}
