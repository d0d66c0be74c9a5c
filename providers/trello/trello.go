// Package trello verifies webhooks of Trello.
//
// Trello signs the body of a request and the URL of the endpoint with the secret of
// the application: HMAC-SHA1 over the one directly behind the other, in the header
//
//	X-Trello-Webhook: <28 characters of base64>
//
//	guard := middleware.Protect(trello.Must("https://hooks.example.com/trello", os.Getenv("TRELLO_SECRET")))
//
// Trello offers nothing but SHA-1. As the hash of an HMAC it is not broken, although
// collisions of SHA-1 alone are known; the engine names it InsecureHMACSHA1 all the
// same. The URL is the callbackURL of the webhook, byte for byte. The URL of the
// request is not looked at: a proxy may have changed it.
//
// Trello repeats what failed three times within four minutes. When a webhook is made,
// Trello sends a HEAD to the URL, and wants 200: the guard answers it, where the route
// takes that method, too.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// All webhooks of an application share its secret. Equal bodies are one event: every
// action has an id of its own, in the body as action.id.
//
// Source: https://developer.atlassian.com/cloud/trello/guides/rest-api/webhooks/.
package trello

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier for the endpoint with this URL, byte for byte as it is registered
// there, from keys, for example [verify.Secrets] of one application. A nil o is the zero
// Options; the URL takes the place of o.URL. It returns an error for a URL or a secret
// that cannot be right.
func New(url string, keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.NewAt(Definition(), url, keys, o)
}

// Must makes a verifier for the endpoint with this URL from the secrets of one
// application: one, or several while they are changed. It panics where [New] returns an
// error, most often because an environment variable is not set: a program that cannot
// verify must not start.
func Must(url string, secrets ...string) *scheme.Verifier {
	return scheme.MustAt(Definition(), url, secrets...)
}

// Definition returns how Trello signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "trello",
		Signatures: []scheme.Signature{{Header: "X-Trello-Webhook", Encoding: scheme.Base64, Algorithm: scheme.InsecureHMACSHA1}},
		Message:    []scheme.Part{scheme.Body(), scheme.URL()},
		MaxBody:    1 << 20, // Trello states no limit; actions are far smaller
		Handshakes: []scheme.Handshake{{Kind: scheme.HeadHandshake}},
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour, // no time is signed, so longer than retries go on
		About: verify.About{
			Title: "Trello",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
			},
			Links: []string{
				"https://developer.atlassian.com/cloud/trello/guides/rest-api/webhooks/",
			},
			OutsideVector: "a test of aspnet/WebHooks",
		},
	}
}
