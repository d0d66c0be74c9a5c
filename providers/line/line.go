// Package line verifies webhooks of LINE: the Messaging API.
//
// LINE signs the body of a delivery, and nothing else, with the secret of the channel:
// HMAC-SHA256, in base64, in the header
//
//	X-Line-Signature: <44 characters>
//
//	guard := middleware.Protect(line.Must(os.Getenv("LINE_CHANNEL_SECRET")))
//
// The console's "Verify" sends a signed delivery with an empty list of events; respond
// with 200.
//
// LINE sends a delivery that failed again if that is switched on, and marks each event
// in it as redelivered. That makes it another body, so the store does not know it: look
// webhookEventId up in the handler, which stays the same.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// Which channel a delivery is for stands in the body (destination).
//
// Equal bodies are one event. A second honest event with the same body does not run.
//
// Source: https://developers.line.biz/en/docs/messaging-api/verify-webhook-signature/ and https://developers.line.biz/en/docs/messaging-api/receiving-messages/.
package line

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.Secrets] of one channel. A nil o
// is the zero Options. It returns an error for a secret that cannot be right, such as
// one that is too short.
func New(keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.New(Definition(), keys, o)
}

// Must makes a verifier from the channel secrets of one channel: one, or several while
// they are changed. It panics where [New] returns an error, most often because an
// environment variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how LINE signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "line",
		Signatures: []scheme.Signature{{Header: "X-Line-Signature", Encoding: scheme.Base64}},
		Message:    []scheme.Part{scheme.Body()},
		MaxBody:    1 << 20, // LINE states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour, // no time is signed, so as long as the guard would by itself
		About: verify.About{
			Title: "LINE",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
			},
			Links: []string{
				"https://developers.line.biz/en/docs/messaging-api/verify-webhook-signature/",
				"https://developers.line.biz/en/docs/messaging-api/receiving-messages/",
			},
			OutsideVector: "a test of line/line-bot-sdk-nodejs",
		},
	}
}
