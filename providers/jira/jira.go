// Package jira verifies webhooks of Jira Cloud.
//
// Jira signs the body of a delivery, and nothing else, with the secret of the webhook:
// HMAC-SHA256, in hexadecimal digits, in the header
//
//	X-Hub-Signature: sha256=<64 hex digits>
//
//	guard := middleware.Protect(jira.Must(os.Getenv("JIRA_WEBHOOK_SECRET")))
//
// The prefix names the algorithm, and only sha256 is taken: the request must not
// choose. A webhook without a secret is not signed. Webhooks of Connect apps have a JWT
// that does not cover the body; this package does not verify them.
//
// Jira Cloud sends a delivery that failed again up to five times, each 5 to 15 minutes
// later.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// The id (X-Atlassian-Webhook-Identifier), which stays the same in each retry, and the
// retry (X-Atlassian-Webhook-Retry) are not signed.
//
// Equal bodies are one event. Jira's bodies name their event and its time.
//
// Source: https://developer.atlassian.com/cloud/jira/platform/webhooks/.
package jira

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

// Definition returns how Jira signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "jira",
		Signatures: []scheme.Signature{{Header: "X-Hub-Signature", Prefix: "sha256="}},
		Message:    []scheme.Part{scheme.Body()},
		UnsignedID: "X-Atlassian-Webhook-Identifier",
		MaxBody:    4 << 20, // Jira states no limit; an issue with its comments is large
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour, // no time is signed, so longer than retries go on
		About: verify.About{
			Title: "Jira",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
				"the id (X-Atlassian-Webhook-Identifier) and the retry (X-Atlassian-Webhook-Retry)",
			},
			Tell:          verify.Tell{Headers: []string{"X-Hub-Signature"}, Value: "sha256="},
			Links:         []string{"https://developer.atlassian.com/cloud/jira/platform/webhooks/"},
			OutsideVector: "the example of Jira's documentation",
		},
	}
}
