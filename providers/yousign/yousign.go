// Package yousign verifies webhooks of Yousign.
//
// Yousign signs the body of a delivery, and nothing else, with the secret key of the
// subscription: HMAC-SHA256, in hexadecimal digits, in the header
//
//	X-Yousign-Signature-256: sha256=<64 hex digits>
//
//	guard := middleware.Protect(yousign.Must(os.Getenv("YOUSIGN_WEBHOOK_SECRET")))
//
// An event is known by its event_id, which stands in the body.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// The retry (X-Yousign-Retry) and the time (X-Yousign-Issued-At) are not signed.
// event_time in the body is signed; it is when the event happened, and stays the same
// in each retry.
//
// Events that have an event_id are known by it; other bodies by their bytes.
//
// Source: https://developers.yousign.com/docs/security and https://developers.yousign.com/docs/use-webhooks-in-your-app.
package yousign

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.Secrets] of one subscription. A
// nil o is the zero Options. It returns an error for a secret that cannot be right,
// such as one that is too short.
func New(keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.New(Definition(), keys, o)
}

// Must makes a verifier from the secret keys of one subscription: one, or several while
// they are changed. It panics where [New] returns an error, most often because an
// environment variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how Yousign signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "yousign",
		Signatures: []scheme.Signature{{Header: "X-Yousign-Signature-256", Prefix: "sha256="}},
		Message:    []scheme.Part{scheme.Body()},
		ID:         scheme.ID{Member: "event_id"},
		MaxBody:    1 << 20, // Yousign states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour, // no time is signed, so as long as the guard would by itself
		About: verify.About{
			Title: "Yousign",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
				"the retry (X-Yousign-Retry) and the time of X-Yousign-Issued-At",
			},
			Links: []string{
				"https://developers.yousign.com/docs/security",
				"https://developers.yousign.com/docs/use-webhooks-in-your-app",
			},
		},
	}
}
