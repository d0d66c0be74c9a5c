// Package greenhouse verifies webhooks of Greenhouse.
//
// Greenhouse signs the body of a delivery, and nothing else, with the secret key of the
// webhook: HMAC-SHA256, in hexadecimal digits, in the header
//
//	Signature: sha256 <64 hex digits>
//
//	guard := middleware.Protect(greenhouse.Must(os.Getenv("GREENHOUSE_WEBHOOK_SECRET")))
//
// The name of the algorithm stands in front, with a blank, and only sha256 is taken:
// the request must not choose. The name of the header is used by other senders, too.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// The id of the event (Greenhouse-Event-ID) is not signed.
//
// Equal bodies are one event. A body names its action and has the time of the last
// activity.
//
// Source: https://developers.greenhouse.io/webhooks.html and https://developers.greenhouse.io/onboarding_webhooks.html.
package greenhouse

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.Secrets] of one webhook. A nil o
// is the zero Options. It returns an error for a secret that cannot be right, such as
// one that is too short.
func New(keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.New(Definition(), keys, o)
}

// Must makes a verifier from the secret keys of one webhook: one, or several while they
// are changed. It panics where [New] returns an error, most often because an
// environment variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how Greenhouse signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "greenhouse",
		Signatures: []scheme.Signature{{Header: "Signature", Prefix: "sha256 "}},
		Message:    []scheme.Part{scheme.Body()},
		UnsignedID: "Greenhouse-Event-ID",
		MaxBody:    1 << 20, // Greenhouse states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour, // no time is signed, so as long as the guard would by itself
		About: verify.About{
			Title: "Greenhouse",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
				"the id of the event (Greenhouse-Event-ID)",
			},
			Tell: verify.Tell{Headers: []string{"Signature", "Greenhouse-Event-Id"}, Value: "sha256 "},
			Links: []string{
				"https://developers.greenhouse.io/webhooks.html",
				"https://developers.greenhouse.io/onboarding_webhooks.html",
			},
		},
	}
}
