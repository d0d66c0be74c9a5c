// Package slack verifies requests of Slack: events, slash commands, interactions.
//
// Slack signs the time and the body of a request with the signing secret of the app:
// HMAC-SHA256 over "v0:<time>:<body>", in the headers
//
//	X-Slack-Signature: v0=<64 hex digits>
//	X-Slack-Request-Timestamp: 1700000000
//
//	guard := middleware.Protect(slack.Must(os.Getenv("SLACK_SIGNING_SECRET")))
//
// An event is known by its event_id, which stands in the body and is the same in each
// of up to three retries. Slack's documentation does not say whether a retry is signed
// anew, so a repeat of a finished event is acknowledged and does not run, whatever its
// signature is. Slack waits 3 seconds for a response: queue what takes longer.
//
// # The handshake
//
// Slack checks the URL of an endpoint with a request of the type url_verification. It is
// signed like any other. The guard answers it with the value of its member "challenge", and
// no handler runs. The store knows other signed bodies without an event_id by their time
// and body.
//
// # Commands and interactions
//
// A slash command and an interaction are forms, and have a route of their own, because
// the Content-Type is not signed and must not choose a parser:
//
//	d := slack.Definition()
//	d.MediaType, d.BodyPrefix = "application/x-www-form-urlencoded", "payload=" // or "token="
//	v, err := scheme.New(d, verify.Secrets(os.Getenv("SLACK_SIGNING_SECRET")), nil)
//
// # What the signature does not say
//
// The signature does not say for which workspace and app a request is: check team_id and
// api_app_id in the handler.
// X-Slack-Retry-Num and X-Slack-Retry-Reason are not signed. The member "token" of the
// body is an older check, and proves nothing beside the signature.
//
// Source: https://docs.slack.dev/authentication/verifying-requests-from-slack and
// https://docs.slack.dev/apis/events-api (retries, url_verification).
package slack

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.Secrets] of one app. A nil o is the
// zero Options. It returns an error for a secret that cannot be right: too short, or a
// token ("xoxb-…") in its place.
func New(keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.New(Definition(), keys, o)
}

// Must makes a verifier from the signing secrets of one app: one, or several while they
// are changed. It panics where [New] returns an error, most often because an environment
// variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how Slack signs events, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "slack",
		Signatures: []scheme.Signature{{Header: "X-Slack-Signature", Prefix: "v0="}},
		Timestamp:  scheme.Timestamp{Header: "X-Slack-Request-Timestamp"},
		Message:    []scheme.Part{scheme.Literal("v0:"), scheme.SignedTime(), scheme.Literal(":"), scheme.Body()},
		ID:         scheme.ID{Member: "event_id"},
		MaxBody:    1 << 20, // Slack states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  3 * 24 * time.Hour, // delayed events are sent again for a day
		Handshakes: []scheme.Handshake{{
			Kind: scheme.SignedHandshake, If: []scheme.Condition{{Name: "type", Value: "url_verification"}},
			Member: "challenge", Response: "$challenge",
		}},
		About: verify.About{
			Title: "Slack",
			NotCovered: []string{
				"for which workspace and app the request is: that is in the body, so check team_id and api_app_id there",
				"which retry it is (X-Slack-Retry-Num, X-Slack-Retry-Reason)",
				"the Content-Type: whether a body is JSON or a form is a setting of the endpoint",
			},
			Credentials: []verify.Credential{
				{Prefix: "xoxb-", What: "a bot token", Secret: true},
				{Prefix: "xoxp-", What: "a user token", Secret: true},
				{Prefix: "xapp-", What: "an app-level token", Secret: true},
				{Prefix: "xoxe-", What: "a refresh token", Secret: true},
				{Prefix: "xoxe.xoxb-", What: "a bot token that is rotated", Secret: true},
				{Prefix: "xoxe.xoxp-", What: "a configuration token, or a user token that is rotated", Secret: true},
			},
			JSON:          verify.JSONStyle{Space: verify.JSONCompact},
			Links:         []string{"https://docs.slack.dev/authentication/verifying-requests-from-slack", "https://docs.slack.dev/apis/events-api"},
			OutsideVector: "the example of Slack's documentation, and a test of slack-go/slack",
		},
	}
}
