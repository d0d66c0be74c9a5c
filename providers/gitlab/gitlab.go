// Package gitlab verifies webhooks of GitLab that carry a secret token.
//
// GitLab sends the text that was entered as the webhook's secret token, in the header
//
//	X-Gitlab-Token: <the text>
//
// and signs nothing. The newer signing token of GitLab signs id, time and body, as
// Standard Webhooks say: use that where the instance has it; see package
// standardwebhooks.
//
//	guard := middleware.Protect(gitlab.InsecureMust(os.Getenv("GITLAB_WEBHOOK_TOKEN")))
//
// # What is not proved
//
// The token proves no body and no time; see package token. The event's name
// (X-Gitlab-Event), the instance (X-Gitlab-Instance) and the ids (X-Gitlab-Webhook-UUID,
// X-Gitlab-Event-UUID, Idempotency-Key) stand in headers of their own, and prove nothing
// either.
//
// Source: https://docs.gitlab.com/user/project/integrations/webhooks/.
package gitlab

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/token"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.Secrets] of one endpoint. The
// options must say InsecureBodyNotCovered. It returns an error for a token that cannot be
// right.
func New(keys verify.KeySource, o *token.Options) (*token.InsecureVerifier, error) {
	return token.New(Definition(), keys, o)
}

// InsecureMust makes a verifier from the tokens of one endpoint: one, or several while
// they are changed. It panics where [New] returns an error, most often because an
// environment variable is not set: a program that cannot verify must not start.
func InsecureMust(tokens ...string) *token.InsecureVerifier {
	return token.InsecureMust(Definition(), tokens...)
}

// Definition returns where GitLab puts the token, as data.
func Definition() token.Definition {
	return token.Definition{
		Provider:   "gitlab",
		Header:     "X-Gitlab-Token",
		UnsignedID: "Idempotency-Key", UnsignedType: "X-Gitlab-Event",
		MaxBody:   25 << 20, // the documented limit of a payload
		Retry:     verify.RetryIdentical,
		Retention: 7 * 24 * time.Hour, // GitLab does not say for how long a delivery may be sent again
		About: verify.About{
			Title: "GitLab",
			NotCovered: []string{
				"the body: whoever has the token can send any",
				"the time: there is none, so a captured delivery verifies until the token changes",
				"the event's name (X-Gitlab-Event) and the ids (Idempotency-Key, X-Gitlab-Event-UUID)",
			},
			Credentials: []verify.Credential{{Prefix: "glpat-", What: "a personal access token", Secret: true}},
			Links:       []string{"https://docs.gitlab.com/user/project/integrations/webhooks/"},
		},
	}
}
