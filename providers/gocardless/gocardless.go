// Package gocardless verifies webhooks of GoCardless.
//
// GoCardless signs the body of a delivery, and nothing else, with the secret of the
// endpoint: HMAC-SHA256, in hexadecimal digits, in the header
//
//	Webhook-Signature: <64 hex digits>
//
//	guard := middleware.Protect(gocardless.Must(os.Getenv("GOCARDLESS_WEBHOOK_SECRET")))
//
// A delivery holds several events, each with an id of its own; GoCardless may send an
// event in more than one delivery, so look the ids up in the handler. A wrong signature
// gets the status 498, as the documentation asks.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// Merchants of a partner share the secret of the endpoint: look at links.organisation
// in each event.
//
// Equal bodies are one event. A second honest event with the same body does not run.
//
// Source: https://developer.gocardless.com/api-reference/#appendix-webhooks and https://developer.gocardless.com/getting-started/staying-up-to-date-with-webhooks/.
package gocardless

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.Secrets] of one endpoint. A nil o
// is the zero Options. It returns an error for a secret that cannot be right, such as
// one that is too short.
func New(keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.New(Definition(), keys, o)
}

// Must makes a verifier from the secrets of one endpoint: one, or several while they
// are changed. It panics where [New] returns an error, most often because an
// environment variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how GoCardless signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "gocardless",
		Signatures: []scheme.Signature{{Header: "Webhook-Signature"}},
		Message:    []scheme.Part{scheme.Body()},
		MaxBody:    1 << 20, // GoCardless states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour, // no time is signed, so as long as the guard would by itself
		Rejection:  verify.Rejection{Status: 498},
		About: verify.About{
			Title: "GoCardless",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
				"the merchant but by what the body says, if several share the endpoint",
			},
			Links: []string{
				"https://developer.gocardless.com/api-reference/#appendix-webhooks",
				"https://developer.gocardless.com/getting-started/staying-up-to-date-with-webhooks/",
			},
			OutsideVector: "a test of gocardless/gocardless-pro-python",
		},
	}
}
