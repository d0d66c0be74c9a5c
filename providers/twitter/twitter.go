// Package twitter verifies webhooks of X, which was Twitter: those of the Account
// Activity API and of its successors.
//
// X signs the body of an event, and nothing else, with the consumer secret of the app:
// HMAC-SHA256, in the header
//
//	x-twitter-webhooks-signature: sha256=<44 characters of base64>
//
//	guard := middleware.Protect(twitter.Must(os.Getenv("TWITTER_CONSUMER_SECRET")))
//
// The prefix looks like that of others, and what follows it is base64.
//
// # The handshake
//
// X checks the URL of an endpoint once an hour with a GET whose query holds a crc_token,
// and wants the token's HMAC-SHA256 under the same consumer secret back. The guard answers
// it, where the route takes that method, too. Whoever may send that GET gets anything
// signed that is a token: so a token is short and made of letters, digits and few other
// characters, and an event is a JSON object, whose first character no token has.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// All users who gave leave to an app share its secret: for_user_id is in the body.
// Equal bodies are one event.
//
// Source: https://docs.x.com/x-api/webhooks/quickstart.
package twitter

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

// Definition returns how X (Twitter) signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "twitter",
		Signatures: []scheme.Signature{{Header: "X-Twitter-Webhooks-Signature", Prefix: "sha256=", Encoding: scheme.Base64}},
		Message:    []scheme.Part{scheme.Body()},
		BodyPrefix: "{",     // no crc_token begins so, and none can be taken for an event
		MaxBody:    1 << 20, // X states no limit; events are far smaller
		Handshakes: []scheme.Handshake{{
			Kind: scheme.GetHandshake, Parameter: "crc_token", MaxChallenge: 128,
			Response: `{"response_token":"sha256=$hmac_base64"}`,
		}},
		Retry:     verify.RetryIdentical,
		Retention: 7 * 24 * time.Hour, // no time is signed, so longer than retries go on
		About: verify.About{
			Title: "X (Twitter)",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
				"the user: all users of an app share its secret, so look at for_user_id in the body",
			},
			Tell: verify.Tell{Name: "X (Twitter)", Headers: []string{"X-Twitter-Webhooks-Signature"}},
			Links: []string{
				"https://docs.x.com/x-api/webhooks/quickstart",
			},
		},
	}
}
