// Package stream verifies webhooks of Stream (GetStream).
//
// Stream signs the body of a delivery, and nothing else, with the API secret of the
// app: HMAC-SHA256, in hexadecimal digits, in the header
//
//	X-Signature: <64 hex digits>
//
//	guard := middleware.Protect(stream.Must(os.Getenv("STREAM_API_SECRET")))
//
// The key is the secret of the API, which can do everything else, too; the id of the
// key stands in the header X-Api-Key. An endpoint that serves several apps looks them
// up by that id, with package github.com/hooknotary/hooknotary/providers/keyid: an id
// that is not known is refused. The name of the signature's header is used by other
// senders, too.
//
// The attempt (X-Webhook-Attempt) and the id (X-Webhook-Id) stand in headers, so a
// retry has the same body.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// The id of the key (X-Api-Key), the attempt and the id of the delivery are not signed.
//
// Equal bodies are one event. A second honest event with the same body does not run.
//
// Source: https://getstream.io/chat/docs/go-golang/webhooks_overview/.
package stream

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

// Must makes a verifier from the API secrets of one app: one, or several while they are
// changed. It panics where [New] returns an error, most often because an environment
// variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how Stream signs webhooks, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "stream",
		Signatures: []scheme.Signature{{Header: "X-Signature"}},
		Message:    []scheme.Part{scheme.Body()},
		UnsignedID: "X-Webhook-Id",
		MaxBody:    1 << 20, // Stream states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour, // no time is signed, so as long as the guard would by itself
		About: verify.About{
			Title: "Stream (GetStream)",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
				"the id of the key (X-Api-Key): it chooses a secret at most",
				"the id (X-Webhook-Id) and the attempt (X-Webhook-Attempt)",
			},
			Tell:  verify.Tell{Headers: []string{"X-Signature", "X-Api-Key"}},
			Links: []string{"https://getstream.io/chat/docs/go-golang/webhooks_overview/"},
		},
	}
}
