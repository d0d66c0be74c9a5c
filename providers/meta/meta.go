// Package meta verifies webhooks of Meta: Facebook, Instagram, WhatsApp, Messenger.
//
// Meta signs the body of a delivery, and nothing else, with the secret of the app:
// HMAC-SHA256, in hexadecimal digits, in the header
//
//	X-Hub-Signature-256: sha256=<64 hex digits>
//
//	guard := middleware.Protect(meta.Must(os.Getenv("META_APP_SECRET")))
//
// The signed bytes are those that are sent: characters outside of ASCII are escaped in
// them (\u00e9), so a body that was parsed and written again does not verify.
//
// A delivery that fails is repeated, less and less often: for 36 hours by most
// products, for 7 days by WhatsApp. Changes of several objects may come in one
// delivery, so make the handler idempotent for each entry, too.
//
// # The handshake
//
// Meta checks the URL of an endpoint with a GET that carries hub.mode, hub.verify_token
// and hub.challenge. It is not signed. The guard answers it if the verifier knows the
// verify token that you entered at Meta:
//
//	v, err := meta.New(keys, &scheme.Options{VerifyToken: os.Getenv("META_VERIFY_TOKEN")})
//
// The route must let a GET through to the guard: "/hooks/meta" does, and
// "POST /hooks/meta" does not. Without the option a GET is refused, as from [Must].
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// The app's secret is the same for all pages, accounts and numbers that the app serves:
// look the receiver up by what the body says. X-Hub-Signature, an older header, is made
// with SHA-1; it is not looked at.
//
// Equal bodies are one event. A second honest event with the same body does not run.
//
// Source: https://developers.facebook.com/docs/graph-api/webhooks/getting-started and https://developers.facebook.com/docs/messenger-platform/webhooks.
package meta

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

// Must makes a verifier from the secrets of one app: one, or several while they are
// changed. It panics where [New] returns an error, most often because an environment
// variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how Meta signs webhooks of its products, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "meta",
		Signatures: []scheme.Signature{{Header: "X-Hub-Signature-256", Prefix: "sha256="}},
		Message:    []scheme.Part{scheme.Body()},
		MaxBody:    4 << 20, // WhatsApp sends up to 3 MB
		Retry:      verify.RetryIdentical,
		Retention:  8 * 24 * time.Hour, // WhatsApp retries for 7 days
		Handshakes: []scheme.Handshake{{
			Kind: scheme.GetHandshake, If: []scheme.Condition{{Name: "hub.mode", Value: "subscribe"}},
			Token: "hub.verify_token", Parameter: "hub.challenge", Response: "$challenge",
		}},
		About: verify.About{
			Title: "Meta (Facebook, Instagram, WhatsApp, Messenger)",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
				"for which page, account or number the delivery is: all of an app share its secret, so look it up by what the body says",
			},
			Links: []string{
				"https://developers.facebook.com/docs/graph-api/webhooks/getting-started",
				"https://developers.facebook.com/docs/messenger-platform/webhooks",
			},
			OutsideVector: "a test of WhatsApp/WhatsApp-Nodejs-SDK",
		},
	}
}
