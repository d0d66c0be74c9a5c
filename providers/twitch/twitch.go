// Package twitch verifies notifications of Twitch EventSub over HTTP.
//
// Twitch signs the id, the time and the body of a message, one directly behind the
// other, with the secret of the subscription: HMAC-SHA256, in the headers
//
//	Twitch-Eventsub-Message-Id: e76c6bd4-55c9-4987-8304-da1588d8988b
//	Twitch-Eventsub-Message-Timestamp: 2026-03-14T09:26:53.634234626Z
//	Twitch-Eventsub-Message-Signature: sha256=<64 hex digits>
//
//	guard := middleware.Protect(twitch.Must(os.Getenv("TWITCH_EVENTSUB_SECRET")))
//
// Nothing stands between the pieces. So that no byte can move from one to the next, an
// id must have one of the two forms that Twitch's have: a UUID in lower case, as those of
// the documentation, of handshakes and of Twitch's command line, or 44 characters of
// URL-safe base64, as those of notifications. Another id is refused.
//
// An event is known by its id, which is the same in each attempt. Twitch's
// documentation does not say whether an attempt is signed anew.
//
// # The handshake
//
// A subscription begins with a message whose body has a challenge, and ends with one
// that says that it was revoked. Both are signed like notifications. The first is
// answered with the challenge by the guard. The second passes the guard: look at
// subscription.status in the body.
//
// # What the signature does not say
//
// The kind of the message (Twitch-Eventsub-Message-Type), the attempt
// (Twitch-Eventsub-Message-Retry) and the type of the subscription in the headers are
// not signed: the body says what it is.
//
// Source: https://dev.twitch.tv/docs/eventsub/handling-webhook-events/ and
// https://github.com/twitchdev/twitch-cli.
package twitch

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.Secrets] of one subscription. A
// nil o is the zero Options. It returns an error for a secret that cannot be right, such
// as one that is too short.
func New(keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.New(Definition(), keys, o)
}

// Must makes a verifier from the secrets of one subscription: one, or several while they
// are changed. It panics where [New] returns an error, most often because an environment
// variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how Twitch signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:     "twitch",
		Signatures:   []scheme.Signature{{Header: "Twitch-Eventsub-Message-Signature", Prefix: "sha256="}},
		Timestamp:    scheme.Timestamp{Header: "Twitch-Eventsub-Message-Timestamp", Unit: scheme.RFC3339, Window: verify.Window{Past: 10 * time.Minute, Future: 5 * time.Minute}},
		Message:      []scheme.Part{scheme.UUIDOrHashField("Twitch-Eventsub-Message-Id"), scheme.SignedTime(), scheme.Body()},
		ID:           scheme.ID{Header: "Twitch-Eventsub-Message-Id"},
		UnsignedType: "Twitch-Eventsub-Subscription-Type",
		Handshakes: []scheme.Handshake{{
			Kind: scheme.SignedHandshake, If: []scheme.Condition{{Name: "subscription.status", Value: "webhook_callback_verification_pending"}},
			Member: "challenge", Response: "$challenge",
		}},
		MaxBody:   1 << 20, // Twitch states no limit; notifications are far smaller
		Retry:     verify.RetryIdentical,
		Retention: 3 * 24 * time.Hour,
		About: verify.About{
			Title: "Twitch",
			NotCovered: []string{
				"the kind of the message and the type of the subscription in the headers: the body says what it is",
				"which attempt it is (Twitch-Eventsub-Message-Retry)",
			},
			Links: []string{
				"https://dev.twitch.tv/docs/eventsub/handling-webhook-events/",
				"https://github.com/twitchdev/twitch-cli/blob/main/internal/events/trigger/forward_event.go",
			},
		},
	}
}
