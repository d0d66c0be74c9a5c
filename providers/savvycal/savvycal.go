// Package savvycal verifies webhooks of SavvyCal.
//
// SavvyCal signs the body of a delivery, and nothing else, with the secret of the
// webhook: HMAC-SHA256, in hexadecimal digits, in the header
//
//	X-SavvyCal-Signature: sha256=<64 hex digits>
//
//	guard := middleware.Protect(savvycal.Must(os.Getenv("SAVVYCAL_WEBHOOK_SECRET")))
//
// The digits are in upper case; other senders write them in lower case. The webhooks of
// SavvyCal and those of SavvyCal Appointments are signed alike.
//
// An event is known by its id, which stands in the body.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// Which webhook it is (X-SavvyCal-Webhook-Id) is not signed.
//
// Events that have an id are known by it; other bodies by their bytes.
//
// Source: https://savvycal.com/docs/api/webhooks and https://developers.savvycal.app/webhooks.
package savvycal

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

// Must makes a verifier from the secrets of one webhook: one, or several while they are
// changed. It panics where [New] returns an error, most often because an environment
// variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how SavvyCal signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "savvycal",
		Signatures: []scheme.Signature{{Header: "X-SavvyCal-Signature", Prefix: "sha256=", Encoding: scheme.UpperHex}},
		Message:    []scheme.Part{scheme.Body()},
		ID:         scheme.ID{Member: "id"},
		MaxBody:    1 << 20, // SavvyCal states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour, // no time is signed, so as long as the guard would by itself
		About: verify.About{
			Title: "SavvyCal",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
				"which webhook it is (X-SavvyCal-Webhook-Id)",
			},
			Links: []string{
				"https://savvycal.com/docs/api/webhooks",
				"https://developers.savvycal.app/webhooks",
			},
		},
	}
}
