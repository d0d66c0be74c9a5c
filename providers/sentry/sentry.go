// Package sentry verifies webhooks of Sentry's integrations.
//
// Sentry signs the body of a delivery, and nothing else, with the client secret of the
// integration: HMAC-SHA256, in hexadecimal digits, in the header
//
//	Sentry-Hook-Signature: <64 hex digits>
//
//	guard := middleware.Protect(sentry.Must(os.Getenv("SENTRY_CLIENT_SECRET")))
//
// Sentry's own sample signs the body after it was parsed and written again; the guard
// verifies the bytes that came. Sentry waits one second for a response: queue what
// takes longer. Its documentation does not say that a delivery that failed is repeated.
//
// Requests that Sentry makes for the parts of its user interface (issue links, select
// fields) are signed in another header, sentry-app-signature. Those that have a body
// verify with
//
//	d := sentry.Definition()
//	d.Signatures[0].Header = "Sentry-App-Signature"
//	v, err := scheme.New(d, verify.Secrets(os.Getenv("SENTRY_CLIENT_SECRET")), nil)
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// The resource (Sentry-Hook-Resource), the time (Sentry-Hook-Timestamp) and the id
// (Request-ID) are not signed: look at the member "action" and at what "data" holds.
// All organisations that install an integration share its secret: look at
// installation.uuid in the body.
//
// Equal bodies are one event. Sentry's bodies name their installation and what happened
// to what.
//
// Source: https://docs.sentry.io/organization/integrations/integration-platform/webhooks/.
package sentry

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.Secrets] of one integration. A
// nil o is the zero Options. It returns an error for a secret that cannot be right,
// such as one that is too short.
func New(keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.New(Definition(), keys, o)
}

// Must makes a verifier from the client secrets of one integration: one, or several
// while they are changed. It panics where [New] returns an error, most often because an
// environment variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how Sentry signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:     "sentry",
		Signatures:   []scheme.Signature{{Header: "Sentry-Hook-Signature"}},
		Message:      []scheme.Part{scheme.Body()},
		UnsignedID:   "Request-ID",
		UnsignedType: "Sentry-Hook-Resource",
		MaxBody:      4 << 20, // Sentry states no limit; an error with its stack and its breadcrumbs is large
		Retry:        verify.RetryIdentical,
		Retention:    7 * 24 * time.Hour, // no time is signed, and the documentation does not say how long retries go on
		About: verify.About{
			Title: "Sentry",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
				"the time of Sentry-Hook-Timestamp",
				"the resource (Sentry-Hook-Resource): look at what the body holds",
				"the id (Request-ID)",
				"the organisation but by what the body says: all that install an integration share its secret",
			},
			Tell:  verify.Tell{Headers: []string{"Sentry-Hook-Signature", "Sentry-Hook-Resource"}},
			Links: []string{"https://docs.sentry.io/organization/integrations/integration-platform/webhooks/"},
		},
	}
}
