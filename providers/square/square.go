// Package square verifies webhooks of Square.
//
// Square signs the URL of the endpoint and the body of a notification with the
// signature key of the subscription: HMAC-SHA256 over the one directly behind the
// other, in the header
//
//	x-square-hmacsha256-signature: <44 characters of base64>
//
//	guard := middleware.Protect(square.Must("https://hooks.example.com/square", os.Getenv("SQUARE_SIGNATURE_KEY")))
//
// The URL is the one of the subscription, byte for byte. The URL of the request is not
// looked at: a proxy may have changed it.
//
// An event is known by its event_id, which stands in the body. Square repeats what
// failed for up to 24 hours.
//
// # What the signature does not say
//
// No time is signed by which a delivery could be refused: created_at is in the body,
// and a repeat has the same. A captured delivery verifies until the key changes. Only
// the replay store can refuse it, so the protection lasts as long as the store's
// memory, and several processes must share one store.
//
// Which seller an event is about stands in the body, as merchant_id.
// square-retry-number, square-retry-reason and square-environment are not signed.
//
// Source: https://developer.squareup.com/docs/webhooks/step3validate and
// https://github.com/square/square-nodejs-sdk.
package square

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier for the endpoint with this URL, byte for byte as it is registered
// there, from keys, for example [verify.Secrets] of one subscription. A nil o is the
// zero Options; the URL takes the place of o.URL. It returns an error for a URL or a
// secret that cannot be right.
func New(url string, keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.NewAt(Definition(), url, keys, o)
}

// Must makes a verifier for the endpoint with this URL from the secrets of one
// subscription: one, or several while they are changed. It panics where [New] returns an
// error, most often because an environment variable is not set: a program that cannot
// verify must not start.
func Must(url string, secrets ...string) *scheme.Verifier {
	return scheme.MustAt(Definition(), url, secrets...)
}

// Definition returns how Square signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "square",
		Signatures: []scheme.Signature{{Header: "X-Square-Hmacsha256-Signature", Encoding: scheme.Base64}},
		Message:    []scheme.Part{scheme.URL(), scheme.Body()},
		ID:         scheme.ID{Member: "event_id"},
		MaxBody:    1 << 20, // Square states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour, // no time is signed, so longer than retries go on
		About: verify.About{
			Title: "Square",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the key changes",
				"which attempt it is, and of which environment (square-retry-number, square-environment)",
			},
			Credentials: []verify.Credential{
				{Prefix: "sq0atp-", What: "an access token", Secret: true},
				{Prefix: "sq0csp-", What: "an application secret", Secret: true},
				{Prefix: "sq0idp-", What: "an application id"},
			},
			Links: []string{
				"https://developer.squareup.com/docs/webhooks/step3validate",
				"https://github.com/square/square-nodejs-sdk",
			},
			OutsideVector: "a test of square/square-nodejs-sdk",
		},
	}
}
