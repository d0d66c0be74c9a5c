// Package paddle verifies notifications of Paddle Billing.
//
// Paddle signs the time and the body of a notification with the secret of its
// destination: HMAC-SHA256 over "<time>:<body>", in the header
//
//	Paddle-Signature: ts=1700000000;h1=<64 hex digits>
//
//	guard := middleware.Protect(paddle.Must(os.Getenv("PADDLE_WEBHOOK_SECRET")))
//
// While a secret is rotated, there are several items h1. Items of another name are not
// looked at.
//
// An event is known by its event_id, which stands in the body and is the same in each
// notification of the event. Paddle repeats a notification that failed for three days,
// from the sandbox for fifteen minutes; its documentation does not say whether a
// repeat is signed anew, so a repeat of a finished event is acknowledged and does not
// run, whatever its signature is. Wait for Paddle no longer than 5 seconds.
//
// # What the signature does not say
//
// The signature does not say for which destination a notification is, nor which
// attempt it is. Paddle Classic signs otherwise, with a public key, and is refused.
//
// The libraries of Paddle allow a time 5 seconds back. That is less than clocks differ
// by, so 5 minutes are allowed here; scheme.Options.Window narrows that.
//
// Source: https://developer.paddle.com/webhooks/signature-verification and
// https://developer.paddle.com/webhooks/respond-to-webhooks.
package paddle

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.Secrets] of one notification
// destination. A nil o is the zero Options. It returns an error for a secret that cannot
// be right, such as one that is too short.
func New(keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.New(Definition(), keys, o)
}

// Must makes a verifier from the secrets of one notification destination: one, or
// several while they are changed. It panics where [New] returns an error, most often
// because an environment variable is not set: a program that cannot verify must not
// start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how Paddle signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "paddle",
		Signatures: []scheme.Signature{{Header: "Paddle-Signature", Field: "h1", Separator: ";", Assign: "="}},
		Timestamp:  scheme.Timestamp{Field: "ts"},
		Message:    []scheme.Part{scheme.SignedTime(), scheme.Literal(":"), scheme.Body()},
		ID:         scheme.ID{Member: "event_id", Prefix: "evt_"},
		MaxBody:    1 << 20, // Paddle states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour, // retries go on for 3 days
		About: verify.About{
			Title:        "Paddle",
			NotCovered:   []string{"for which destination the notification is, and which attempt it is"},
			SecretPrefix: "pdl_ntfset_",
			Credentials: []verify.Credential{
				{Prefix: "pdl_live_apikey_", What: "an API key", Secret: true},
				{Prefix: "pdl_sdbx_apikey_", What: "an API key of the sandbox", Secret: true},
			},
			Links:         []string{"https://developer.paddle.com/webhooks/signature-verification", "https://developer.paddle.com/webhooks/respond-to-webhooks"},
			OutsideVector: "a test of PaddleHQ/paddle-go-sdk",
		},
	}
}
