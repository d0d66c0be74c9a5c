// Package webflow verifies webhooks of Webflow.
//
// Webflow signs the time and the body of a request: HMAC-SHA256 over "<time>:<body>",
// in the headers
//
//	x-webflow-signature: <64 hex digits>
//	x-webflow-timestamp: 1700000000000
//
//	guard := middleware.Protect(webflow.Must(os.Getenv("WEBFLOW_CLIENT_SECRET")))
//
// The time is in milliseconds. The secret is the client secret of the OAuth
// application that made the webhook. Webhooks that were made in the dashboard of a
// site are not signed, as far as the documentation says, and are refused.
//
// No id of the event is signed, so an event is known by its time and body. Webflow
// repeats what failed three times, ten minutes apart. Its documentation does not say
// whether a repeat is signed anew.
//
// # What the signature does not say
//
// All sites of an application share its client secret: look the site up by what the
// body says.
//
// Source: https://developers.webflow.com/data/docs/working-with-webhooks and
// https://developers.webflow.com/data/changelog/webhook-signatures.
package webflow

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.Secrets] of one application. A nil
// o is the zero Options. It returns an error for a secret that cannot be right, such as
// one that is too short.
func New(keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.New(Definition(), keys, o)
}

// Must makes a verifier from the secrets of one application: one, or several while they
// are changed. It panics where [New] returns an error, most often because an environment
// variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how Webflow signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "webflow",
		Signatures: []scheme.Signature{{Header: "X-Webflow-Signature"}},
		Timestamp:  scheme.Timestamp{Header: "X-Webflow-Timestamp", Unit: scheme.Milliseconds},
		Message:    []scheme.Part{scheme.SignedTime(), scheme.Literal(":"), scheme.Body()},
		MaxBody:    1 << 20, // Webflow states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  3 * 24 * time.Hour, // retries go on for half an hour
		About: verify.About{
			Title: "Webflow",
			NotCovered: []string{
				"the site: all sites of an application share its client secret, so look the site up by what the body says",
			},
			Links: []string{
				"https://developers.webflow.com/data/changelog/webhook-signatures",
				"https://developers.webflow.com/data/docs/working-with-webhooks",
			},
		},
	}
}
