// Package cloudflarestream verifies webhooks of Cloudflare Stream.
//
// Cloudflare signs the time and the body of a notification with the secret that its
// API returned when the webhook was set: HMAC-SHA256 over "<time>.<body>", in the
// header
//
//	Webhook-Signature: time=1700000000,sig1=<64 hex digits>
//
//	guard := middleware.Protect(cloudflarestream.Must(os.Getenv("CLOUDFLARE_STREAM_WEBHOOK_SECRET")))
//
// An account has one webhook and one secret. No id of the event is signed, so an event
// is known by its time and body; uid names the video. The documentation does not say
// how Cloudflare repeats what failed.
//
// # What the signature does not say
//
// The signature does not say for which account a notification is. The notifications of
// other products of Cloudflare are not signed.
//
// Source:
// https://developers.cloudflare.com/stream/manage-video-library/using-webhooks/.
package cloudflarestream

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.Secrets] of one account. A nil o
// is the zero Options. It returns an error for a secret that cannot be right, such as
// one that is too short.
func New(keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.New(Definition(), keys, o)
}

// Must makes a verifier from the secrets of one account: one, or several while they are
// changed. It panics where [New] returns an error, most often because an environment
// variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how Cloudflare Stream signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "cloudflarestream",
		Signatures: []scheme.Signature{{Header: "Webhook-Signature", Field: "sig1", Separator: ",", Assign: "="}},
		Timestamp:  scheme.Timestamp{Field: "time"},
		Message:    []scheme.Part{scheme.SignedTime(), scheme.Literal("."), scheme.Body()},
		MaxBody:    1 << 20, // Cloudflare states no limit; notifications are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  3 * 24 * time.Hour,
		About: verify.About{
			Title: "Cloudflare Stream",
			NotCovered: []string{
				"for which account the notification is",
			},
			Links: []string{
				"https://developers.cloudflare.com/stream/manage-video-library/using-webhooks/",
			},
		},
	}
}
