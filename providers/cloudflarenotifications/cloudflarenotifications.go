// Package cloudflarenotifications verifies notifications that Cloudflare sends to a
// webhook.
//
// Cloudflare signs no notification. It sends the secret that was entered for the
// destination, in the header
//
//	cf-webhook-auth: <the text>
//
// A destination without a secret sends none, and is refused. When a destination is
// saved, Cloudflare sends a test message to it.
//
// Webhooks of Cloudflare Stream are another kind: they are signed.
//
//	guard := middleware.Protect(cloudflarenotifications.InsecureMust(os.Getenv("CLOUDFLARE_WEBHOOK_SECRET")))
//
// # What is not proved
//
// The token proves no body and no time; see package token.
//
// Source:
// https://developers.cloudflare.com/notifications/get-started/configure-webhooks/.
package cloudflarenotifications

import (
	"time"

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

// Definition returns where Cloudflare Notifications puts the token, as data.
func Definition() token.Definition {
	return token.Definition{
		Provider:  "cloudflarenotifications",
		Header:    "Cf-Webhook-Auth",
		MaxBody:   1 << 20, // Cloudflare states no limit; notifications are far smaller
		Retry:     verify.RetryIdentical,
		Retention: 7 * 24 * time.Hour, // Cloudflare does not say how it retries
		About: verify.About{
			Title: "Cloudflare Notifications",
			Links: []string{"https://developers.cloudflare.com/notifications/get-started/configure-webhooks/"},
		},
	}
}
