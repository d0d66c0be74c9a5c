// Package bitbucket verifies webhooks of Bitbucket Cloud and of Bitbucket Data Center.
//
// Bitbucket signs the body of a delivery, and nothing else, with the secret of the
// webhook: HMAC-SHA256, in hexadecimal digits, in the header
//
//	X-Hub-Signature: sha256=<64 hex digits>
//
//	guard := middleware.Protect(bitbucket.Must(os.Getenv("BITBUCKET_WEBHOOK_SECRET")))
//
// The prefix names the algorithm, and only sha256 is taken: the request must not
// choose. A webhook without a secret is not signed, and its deliveries are refused; so
// is the connection test of Data Center, which is never signed.
//
// Bitbucket Cloud may send a delivery that failed again, with another X-Attempt-Number.
// Its documentation does not say for how long.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// The kind of the event (X-Event-Key), the ids (X-Hook-UUID, X-Request-UUID,
// X-Request-Id) and the attempt are not signed. Bitbucket Cloud does not name the event
// in the body either, so whoever holds a delivery can send it on under another event
// key: have a webhook and a route for each kind where that matters, or look at what the
// body has.
//
// # Equal bodies
//
// Equal bodies are one event, unless their event keys differ. So the event keys of the
// definition, those of Bitbucket Cloud, keep events apart, at the price that a captured
// delivery can run once for each of them. Set scheme.Options.Partitions to the keys of
// your endpoint, so that those are few. A body of Data Center names its event and its
// time.
//
// Source: https://support.atlassian.com/bitbucket-cloud/docs/manage-webhooks/, https://support.atlassian.com/bitbucket-cloud/docs/event-payloads/ and https://confluence.atlassian.com/bitbucketserver/manage-webhooks-938025878.html.
package bitbucket

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

// Definition returns how Bitbucket signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:     "bitbucket",
		Signatures:   []scheme.Signature{{Header: "X-Hub-Signature", Prefix: "sha256="}},
		Message:      []scheme.Part{scheme.Body()},
		UnsignedID:   "X-Request-Uuid",
		UnsignedType: "X-Event-Key",
		Partition:    "X-Event-Key",
		Partitions:   eventKeys(),
		MaxBody:      4 << 20, // Bitbucket Cloud sends at most 256 KB; Data Center states no limit
		Retry:        verify.RetryIdentical,
		Retention:    7 * 24 * time.Hour, // no time is signed, and the documentation does not say how long retries go on
		About: verify.About{
			Title: "Bitbucket",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
				"the kind of the event (X-Event-Key): Bitbucket Cloud does not name it in the body, and whoever replays a body can change it",
				"the ids (X-Hook-UUID, X-Request-UUID, X-Request-Id) and the attempt (X-Attempt-Number)",
			},
			Tell: verify.Tell{Headers: []string{"X-Hub-Signature"}, Value: "sha256="},
			Links: []string{
				"https://support.atlassian.com/bitbucket-cloud/docs/manage-webhooks/",
				"https://support.atlassian.com/bitbucket-cloud/docs/event-payloads/",
				"https://confluence.atlassian.com/bitbucketserver/manage-webhooks-938025878.html",
			},
		},
	}
}

// eventKeys returns the keys of Bitbucket Cloud's events.
func eventKeys() []string {
	return []string{
		"repo:push", "repo:fork", "repo:updated", "repo:transfer", "repo:commit_comment_created",
		"repo:commit_status_created", "repo:commit_status_updated", "issue:created", "issue:updated",
		"issue:comment_created", "pullrequest:created", "pullrequest:updated", "pullrequest:changes_request_created",
		"pullrequest:changes_request_removed", "pullrequest:approved", "pullrequest:unapproved",
		"pullrequest:fulfilled", "pullrequest:rejected", "pullrequest:comment_created", "pullrequest:comment_updated",
		"pullrequest:comment_deleted", "pullrequest:comment_resolved", "pullrequest:comment_reopened",
	}
}
