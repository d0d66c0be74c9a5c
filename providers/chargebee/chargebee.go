// Package chargebee verifies webhooks of Chargebee.
//
// Chargebee signs nothing. It sends the user and the password that were entered for the
// webhook as HTTP Basic authentication:
//
//	Authorization: Basic <base64 of user:password>
//
// A secret here is the text "user:password". Chargebee retries a delivery that fails for
// up to 3 days and 7 hours. Before you act on an event, fetch it by its id from
// Chargebee's API: that proves its content.
//
//	guard := middleware.Protect(chargebee.InsecureMust(os.Getenv("CHARGEBEE_WEBHOOK_AUTH")))
//
// # What is not proved
//
// User and password prove no body and no time; see package token. The id of the event is
// in the body, so it is not proved either. Events arrive in any order.
//
// Source: https://www.chargebee.com/docs/webhook_settings.html and
// https://apidocs.chargebee.com/docs/api/events.
package chargebee

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/token"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.Secrets] of one endpoint. The
// options must say InsecureBodyNotCovered. It returns an error for a user and password that cannot be
// right.
func New(keys verify.KeySource, o *token.Options) (*token.InsecureVerifier, error) {
	return token.New(Definition(), keys, o)
}

// InsecureMust makes a verifier from the credentials of one endpoint: one, or several while
// they are changed. It panics where [New] returns an error, most often because an
// environment variable is not set: a program that cannot verify must not start.
func InsecureMust(credentials ...string) *token.InsecureVerifier {
	return token.InsecureMust(Definition(), credentials...)
}

// Definition returns where Chargebee puts the user and password, as data.
func Definition() token.Definition {
	return token.Definition{
		Provider:  "chargebee",
		Basic:     true,
		MaxBody:   4 << 20, // Chargebee states no limit; an event holds whole objects
		Retry:     verify.RetryIdentical,
		Retention: 4 * 24 * time.Hour, // retries go on for 3 days and 7 hours
		About: verify.About{
			Title: "Chargebee",
			Links: []string{"https://www.chargebee.com/docs/webhook_settings.html", "https://apidocs.chargebee.com/docs/api/events"},
		},
	}
}
