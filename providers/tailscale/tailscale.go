// Package tailscale verifies webhooks of Tailscale.
//
// Tailscale signs the time and the body of a request with the secret of the endpoint:
// HMAC-SHA256 over "<time>.<body>", in the header
//
//	Tailscale-Webhook-Signature: t=1700000000,v1=<64 hex digits>
//
//	guard := middleware.Protect(tailscale.Must(os.Getenv("TAILSCALE_WEBHOOK_SECRET")))
//
// The key is the text of the secret, whatever it begins with.
//
// A body is a list of events, and none of them has an id, so a request is known by its
// time and body. Tailscale repeats a request until a response is 2xx, and holds back
// later events meanwhile. Its documentation does not say whether a repeat is signed
// anew. A webhook that is set up for a chat, such as Slack, has bodies of that chat's
// form.
//
// # What the signature does not say
//
// The signature does not say for which endpoint a request is. The tailnet is named in
// each event of the body.
//
// Source: https://tailscale.com/kb/1213/webhooks and
// https://github.com/tailscale/tailscale/blob/main/docs/webhooks/example.go.
package tailscale

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.Secrets] of one endpoint. A nil o
// is the zero Options. It returns an error for a secret that cannot be right, such as
// one that is too short.
func New(keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.New(Definition(), keys, o)
}

// Must makes a verifier from the secrets of one endpoint: one, or several while they are
// changed. It panics where [New] returns an error, most often because an environment
// variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how Tailscale signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "tailscale",
		Signatures: []scheme.Signature{{Header: "Tailscale-Webhook-Signature", Field: "v1", Separator: ",", Assign: "="}},
		Timestamp:  scheme.Timestamp{Field: "t"},
		Message:    []scheme.Part{scheme.SignedTime(), scheme.Literal("."), scheme.Body()},
		MaxBody:    1 << 20, // Tailscale states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour,
		About: verify.About{
			Title: "Tailscale",
			NotCovered: []string{
				"for which endpoint the request is",
			},
			Credentials: []verify.Credential{
				{Prefix: "tskey-api-", What: "an API access token", Secret: true},
				{Prefix: "tskey-auth-", What: "an auth key", Secret: true},
				{Prefix: "tskey-client-", What: "the secret of an OAuth client", Secret: true},
			},
			Links: []string{
				"https://tailscale.com/kb/1213/webhooks",
				"https://github.com/tailscale/tailscale/blob/main/docs/webhooks/example.go",
			},
		},
	}
}
