// Package pusher verifies webhooks of Pusher Channels.
//
// Pusher signs the body of a delivery, and nothing else, with the secret of a key of
// the app: HMAC-SHA256, in hexadecimal digits, in the header
//
//	X-Pusher-Signature: <64 hex digits>
//
//	guard := middleware.Protect(pusher.Must(os.Getenv("PUSHER_SECRET")))
//
// The time stands in the body, as time_ms, and says when the webhook was made. It is
// judged after the signature: a delivery is too old after ten minutes, because Pusher
// goes on with retries for five.
//
// An app may have several keys. Pusher signs with the oldest one that is active, and
// names it in the header X-Pusher-Key. An endpoint that serves several apps looks the
// secret up by that name, with package
// github.com/hooknotary/hooknotary/providers/keyid: a name that is not known is
// refused, and never tried with all secrets.
//
// # What the signature does not say
//
// The name of the key (X-Pusher-Key) is not signed: with the secrets of one app it is
// not looked at.
//
// A delivery may hold several events. Equal bodies are one event; the time tells two of
// them apart.
//
// Source: https://pusher.com/docs/channels/server_api/webhooks/.
package pusher

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

// Definition returns how Pusher signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "pusher",
		Signatures: []scheme.Signature{{Header: "X-Pusher-Signature"}},
		Timestamp:  scheme.Timestamp{Member: "time_ms", Unit: scheme.Milliseconds, Window: verify.Window{Past: 10 * time.Minute, Future: 5 * time.Minute}},
		Message:    []scheme.Part{scheme.Body()},
		MaxBody:    1 << 20, // Pusher states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  24 * time.Hour, // retries go on for five minutes
		About: verify.About{
			Title: "Pusher Channels",
			NotCovered: []string{
				"the name of the key (X-Pusher-Key): it chooses a secret at most",
			},
			Tell:          verify.Tell{Headers: []string{"X-Pusher-Signature", "X-Pusher-Key"}},
			Links:         []string{"https://pusher.com/docs/channels/server_api/webhooks/"},
			OutsideVector: "a test of pusher/pusher-http-go",
		},
	}
}
