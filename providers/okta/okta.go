// Package okta verifies event hooks of Okta.
//
// Okta signs nothing. It sends the authentication secret that was entered for the event
// hook, in the header that was entered beside it, which its documentation calls
// Authorization:
//
//	Authorization: <the text>
//
// Where the secret is written as "Basic <base64>", the whole text with its first word is
// the secret here. Another header is set in the definition:
//
//	d := okta.Definition()
//	d.Header = "X-Okta-Secret"
//	v, err := token.New(d, verify.Secrets(os.Getenv("OKTA_HOOK_SECRET")), &token.Options{InsecureBodyNotCovered: true})
//
//	guard := middleware.Protect(okta.InsecureMust(os.Getenv("OKTA_HOOK_SECRET")))
//
// # The handshake
//
// Before the first event Okta sends one GET request with the header
// X-Okta-Verification-Challenge, and the same Authorization. The guard compares that, and
// answers with the JSON object {"verification": "<the header's value>"}. The route must
// let a GET through to the guard: "/hooks/okta" does, and "POST /hooks/okta" does not.
//
// # What is not proved
//
// The token proves no body and no time; see package token. The eventId is in the body,
// so it is not proved either. The order of events is not the order of deliveries.
//
// Source: https://developer.okta.com/docs/concepts/event-hooks/ and
// https://developer.okta.com/docs/guides/secure-hooks/-/main/.
package okta

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/providers/token"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.Secrets] of one endpoint. The
// options must say InsecureBodyNotCovered. It returns an error for a token that cannot be
// right.
func New(keys verify.KeySource, o *token.Options) (*token.InsecureVerifier, error) {
	return token.New(Definition(), keys, o)
}

// InsecureMust makes a verifier from the tokens of one endpoint: one, or several while
// they are changed. It panics where [New] returns an error, most often because an
// environment variable is not set: a program that cannot verify must not start.
func InsecureMust(tokens ...string) *token.InsecureVerifier {
	return token.InsecureMust(Definition(), tokens...)
}

// Definition returns where Okta puts the token, as data.
func Definition() token.Definition {
	return token.Definition{
		Provider:  "okta",
		Header:    "Authorization",
		MaxBody:   1 << 20, // Okta states no limit; events are far smaller
		Retry:     verify.RetryIdentical,
		Retention: 3 * 24 * time.Hour, // Okta tries once more, soon after the first time
		Handshakes: []scheme.Handshake{{
			Kind: scheme.GetHandshake, Header: "X-Okta-Verification-Challenge", Response: `{"verification":"$challenge"}`,
		}},
		About: verify.About{
			Title: "Okta event hooks",
			Links: []string{"https://developer.okta.com/docs/concepts/event-hooks/", "https://developer.okta.com/docs/guides/secure-hooks/-/main/"},
		},
	}
}
