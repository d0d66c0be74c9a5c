// Package monday verifies who sends webhooks of apps on monday.com.
//
// monday.com sends a token with each request of an app's webhook or integration: a JWT with
// HMAC-SHA256, signed with the app's signing secret (webhooks of the app's life with its
// client secret), alone in the header
//
//	Authorization: eyJhbGciOiJIUzI1NiIs…
//
// Its claims are the time (iat, and exp 5 minutes later), the account, the user, and the URL
// of the endpoint (aud).
//
// # The body is not covered
//
// The token says who sends, and nothing about the event. Whoever sees one request can send
// any other body to the same URL under its token, for 5 minutes. So use TLS up to this
// program, ask monday.com's API for what an event names, and say that you know with
// Options.InsecureBodyNotCovered:
//
//	v, err := monday.New(verify.Secrets(os.Getenv("MONDAY_SIGNING_SECRET")), &jwt.Options{
//		URL:                    "https://shop.example/hooks/monday",
//		InsecureBodyNotCovered: true,
//	})
//
// A token also holds a short-lived token for the API: keep requests out of logs.
//
// # What is not signed at all
//
// A webhook that is made without an app, by hand or with a personal token, has no token; it
// is refused. When a webhook is made, monday.com checks its URL with a POST that it does not
// sign, {"challenge": "…"}, and wants the same text back. Answer that while you make the
// webhook, on a URL of its own, and not for ever.
//
// Source: https://developer.monday.com/apps/docs/authorization-header.
package monday

import (
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/providers/jwt"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.Secrets] with the signing secret of
// one app. Options.URL and Options.InsecureBodyNotCovered are required. It returns an error
// for a secret that cannot be right, such as one under 32 bytes.
func New(keys verify.KeySource, o *jwt.Options) (*jwt.Verifier, error) {
	return jwt.New(Definition(), keys, o)
}

// InsecureMust makes a verifier from the URL of the endpoint and the signing secrets of one
// app. Its name says that the token does not cover the body. It panics where [New] returns
// an error, most often because an environment variable is not set: a program that cannot
// verify must not start.
func InsecureMust(url string, secrets ...string) *jwt.Verifier {
	v, err := New(verify.Secrets(secrets...), &jwt.Options{URL: url, InsecureBodyNotCovered: true})
	if err != nil {
		panic("monday.InsecureMust: " + strings.TrimPrefix(err.Error(), "monday: "))
	}
	return v
}

// Definition returns how monday.com authenticates, as data.
func Definition() jwt.Definition {
	return jwt.Definition{
		Provider:   "monday",
		Header:     "Authorization",
		Algorithms: []jwt.Algorithm{jwt.HS256},
		Claims:     []jwt.Claim{jwt.URL("aud")},
		Time: jwt.Time{
			Claim:   "iat",
			Window:  verify.Window{Past: 6 * time.Minute, Future: time.Minute},
			Expires: true, // after 5 minutes
			Leeway:  time.Minute,
		},
		MaxBody:   1 << 20, // monday.com states no limit; events are far smaller
		Retry:     verify.RetryIdentical,
		Retention: 24 * time.Hour,
		About: verify.About{
			Title: "monday.com",
			NotCovered: []string{
				"the body: whoever sees one request can send any other body under its token, for 5 minutes",
				"the challenge that monday.com sends when a webhook is made",
			},
			Links: []string{"https://developer.monday.com/apps/docs/authorization-header"},
		},
	}
}
