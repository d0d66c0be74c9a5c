// Package elevenlabs verifies webhooks of ElevenLabs.
//
// ElevenLabs signs the time and the body of an event with the secret of the webhook:
// HMAC-SHA256 over "<time>.<body>", in the header
//
//	ElevenLabs-Signature: t=1700000000,v0=<64 hex digits>
//
//	guard := middleware.Protect(elevenlabs.Must(os.Getenv("ELEVENLABS_WEBHOOK_SECRET")))
//
// No id of the event is signed that all events have, so an event is known by its time
// and body. The documentation says nothing of a repeat that is signed anew.
//
// # What the signature does not say
//
// The signature does not say for which workspace an event is.
//
// ElevenLabs allows a time 30 minutes back, and its library allows any time ahead.
// Here it may lie 30 minutes back and 5 ahead; scheme.Options.Window narrows that. A
// transcript with its audio is large: raise scheme.Definition.MaxBody where you
// receive post_call_audio.
//
// Source: https://elevenlabs.io/docs/product-guides/administration/webhooks.
package elevenlabs

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

// Definition returns how ElevenLabs signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "elevenlabs",
		Signatures: []scheme.Signature{{Header: "ElevenLabs-Signature", Field: "v0", Separator: ",", Assign: "="}},
		Timestamp:  scheme.Timestamp{Field: "t", Window: verify.Window{Past: 30 * time.Minute, Future: 5 * time.Minute}},
		Message:    []scheme.Part{scheme.SignedTime(), scheme.Literal("."), scheme.Body()},
		MaxBody:    4 << 20, // the transcript of a long call
		Retry:      verify.RetryIdentical,
		Retention:  3 * 24 * time.Hour,
		About: verify.About{
			Title: "ElevenLabs",
			NotCovered: []string{
				"for which workspace the event is",
			},
			Credentials: []verify.Credential{{Prefix: "sk_", What: "an API key", Secret: true}},
			Links: []string{
				"https://elevenlabs.io/docs/product-guides/administration/webhooks",
				"https://github.com/elevenlabs/elevenlabs-python/blob/main/src/elevenlabs/webhooks_custom.py",
			},
		},
	}
}
