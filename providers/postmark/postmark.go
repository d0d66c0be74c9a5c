// Package postmark verifies webhooks of Postmark.
//
// Postmark signs nothing. It sends the user and the password that stand in the URL of
// the webhook, or that were entered as its HTTP credentials, as HTTP Basic
// authentication:
//
//	Authorization: Basic <base64 of user:password>
//
// A secret here is the text "user:password".
//
//	guard := middleware.Protect(postmark.InsecureMust(os.Getenv("POSTMARK_WEBHOOK_AUTH")))
//
// # What is not proved
//
// User and password prove no body and no time; see package token. The MessageID is in
// the body, so it is not proved either.
//
// Source: https://postmarkapp.com/developer/webhooks/webhooks-overview.
package postmark

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

// Definition returns where Postmark puts the user and password, as data.
func Definition() token.Definition {
	return token.Definition{
		Provider:  "postmark",
		Basic:     true,
		MaxBody:   64 << 20, // an inbound message comes with its attachments, 35 MB before base64
		Retry:     verify.RetryIdentical,
		Retention: 7 * 24 * time.Hour, // inbound messages are tried for about ten hours
		About: verify.About{
			Title: "Postmark",
			Links: []string{"https://postmarkapp.com/developer/webhooks/webhooks-overview"},
		},
	}
}
