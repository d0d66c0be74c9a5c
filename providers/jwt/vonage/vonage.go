// Package vonage verifies webhooks of Vonage that are signed with a token: those of the
// Messages, Dispatch, Voice and Verify APIs. Those of its SMS API are signed in another way.
//
// Vonage signs with the signature secret of the account: a JWT with HMAC-SHA256 in the
// header
//
//	Authorization: Bearer eyJhbGciOiJIUzI1NiIs…
//
// Its claims are the time (iat), an id (jti), the API key of the account (api_key) and the
// SHA-256 of the body in hexadecimal (payload_hash).
//
//	guard := middleware.Protect(vonage.Must(os.Getenv("VONAGE_SIGNATURE_SECRET")))
//
// Set the webhook to POST: a GET has its content in the URL, which the token does not cover.
//
// # Time
//
// Vonage documents no expiry and no tolerance, and not whether a retry is signed anew. So
// the window reaches a day into the past, which is as long as Vonage retries messages.
// Narrow it with Options.Window if you know more.
//
// # What the signature does not say
//
// It does not say for which URL the request is, and the secret is that of the whole account:
// pin the account or the application with Options.Claims, under "api_key" or
// "application_id". Vonage may send a request without a signature if something fails on its
// side; it is refused, and Vonage comes again.
//
// Source: https://developer.vonage.com/en/getting-started/concepts/webhooks and
// https://github.com/Nexmo/station, messages/concepts/signed-webhooks.md.
package vonage

import (
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/providers/jwt"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.Secrets] with the signature secret of
// one account. A nil o is the zero Options. It returns an error for a secret that cannot be
// right, such as one under 32 bytes.
func New(keys verify.KeySource, o *jwt.Options) (*jwt.Verifier, error) {
	return jwt.New(Definition(), keys, o)
}

// Must makes a verifier from the signature secrets of one account: one, or several while
// they are changed. It panics where [New] returns an error, most often because an
// environment variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *jwt.Verifier {
	v, err := New(verify.Secrets(secrets...), nil)
	if err != nil {
		panic("vonage.Must: " + strings.TrimPrefix(err.Error(), "vonage: "))
	}
	return v
}

// Definition returns how Vonage signs, as data.
func Definition() jwt.Definition {
	return jwt.Definition{
		Provider:   "vonage",
		Header:     "Authorization",
		Bearer:     true,
		Algorithms: []jwt.Algorithm{jwt.HS256},
		Claims:     []jwt.Claim{jwt.Equal("iss", "Vonage"), jwt.Present("api_key")},
		Body:       jwt.BodyHash{Claim: "payload_hash"},
		Time: jwt.Time{
			Claim:  "iat",
			Window: verify.Window{Past: 25 * time.Hour, Future: time.Minute},
			Leeway: time.Minute,
		},
		ID:        "jti",
		MaxBody:   1 << 20, // Vonage states no limit; events are far smaller
		Retry:     verify.RetryIdentical,
		Retention: 3 * 24 * time.Hour,
		About: verify.About{
			Title: "Vonage",
			NotCovered: []string{
				"for which URL the request is: the secret is that of the whole account",
				"the content of a GET, which stands in the URL",
			},
			Links: []string{"https://developer.vonage.com/en/getting-started/concepts/webhooks"},
		},
	}
}
