// Package pipedrive verifies webhooks of Pipedrive.
//
// Pipedrive signs nothing. It sends the user and the password that were entered for the
// webhook (http_auth_user, http_auth_password), as HTTP Basic authentication:
//
//	Authorization: Basic <base64 of user:password>
//
// A secret here is the text "user:password".
//
//	guard := middleware.Protect(pipedrive.InsecureMust(os.Getenv("PIPEDRIVE_WEBHOOK_AUTH")))
//
// # What is not proved
//
// User and password prove no body and no time; see package token. The ids of the body's
// member "meta" are not proved either.
//
// Source: https://pipedrive.readme.io/docs/guide-for-webhooks-v2.
package pipedrive

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

// Definition returns where Pipedrive puts the user and password, as data.
func Definition() token.Definition {
	return token.Definition{
		Provider:  "pipedrive",
		Basic:     true,
		MaxBody:   1 << 20, // Pipedrive states no limit
		Retry:     verify.RetryIdentical,
		Retention: 7 * 24 * time.Hour, // Pipedrive tries three more times, within minutes
		About: verify.About{
			Title: "Pipedrive",
			Links: []string{"https://pipedrive.readme.io/docs/guide-for-webhooks-v2"},
		},
	}
}
