// Package intercom verifies webhooks of Intercom.
//
// Intercom signs the body of a delivery, and nothing else, with the client secret of
// the app: HMAC-SHA1, in hexadecimal digits, in the header
//
//	X-Hub-Signature: sha1=<40 hex digits>
//
//	guard := middleware.Protect(intercom.Must(os.Getenv("INTERCOM_CLIENT_SECRET")))
//
// Intercom offers nothing but SHA-1. As the hash of an HMAC it is not broken, although
// collisions of SHA-1 alone are known; the engine names it InsecureHMACSHA1 all the
// same.
//
// A notification is known by its id, which stands in the body. Intercom checks the URL
// of an endpoint with a HEAD request, which the guard answers if the route lets it through
// ("/hooks/intercom" does, and "POST /hooks/intercom" does not), and with a notification
// whose topic is ping, which the handler gets.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// All workspaces that install an app share its client secret: look at app_id in the
// body.
//
// Notifications that have an id are known by it; other bodies by their bytes.
//
// Source: https://developers.intercom.com/docs/webhooks/webhook-notifications and https://developers.intercom.com/docs/references/webhooks/webhook-models.
package intercom

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.Secrets] of one app. A nil o is
// the zero Options. It returns an error for a secret that cannot be right, such as one
// that is too short.
func New(keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.New(Definition(), keys, o)
}

// Must makes a verifier from the client secrets of one app: one, or several while they
// are changed. It panics where [New] returns an error, most often because an
// environment variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how Intercom signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "intercom",
		Signatures: []scheme.Signature{{Header: "X-Hub-Signature", Prefix: "sha1=", Algorithm: scheme.InsecureHMACSHA1}},
		Message:    []scheme.Part{scheme.Body()},
		ID:         scheme.ID{Member: "id", Prefix: "notif_"},
		MaxBody:    1 << 20, // Intercom states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour, // no time is signed, so as long as the guard would by itself
		Handshakes: []scheme.Handshake{{Kind: scheme.HeadHandshake}},
		About: verify.About{
			Title: "Intercom",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
				"the workspace but by what the body says (app_id): all that install an app share its client secret",
			},
			Tell: verify.Tell{Headers: []string{"X-Hub-Signature"}, Value: "sha1="},
			Links: []string{
				"https://developers.intercom.com/docs/webhooks/webhook-notifications",
				"https://developers.intercom.com/docs/references/webhooks/webhook-models",
			},
		},
	}
}
