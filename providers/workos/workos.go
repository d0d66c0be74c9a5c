// Package workos verifies webhooks of WorkOS.
//
// WorkOS signs the time and the body of an event with the secret of the endpoint:
// HMAC-SHA256 over "<time>.<body>", in the header
//
//	WorkOS-Signature: t=1700000000000, v1=<64 hex digits>
//
//	guard := middleware.Protect(workos.Must(os.Getenv("WORKOS_WEBHOOK_SECRET")))
//
// The time is in milliseconds. The key is the text of the secret, whatever it begins
// with.
//
// An event is known by its id, which stands in the body. WorkOS repeats what was not
// acknowledged for up to three days. Its documentation does not say whether a repeat
// is signed anew.
//
// # What the signature does not say
//
// The signature does not say for which endpoint an event is. The actions of AuthKit,
// such as a registration that asks for leave, are signed alike, and wait for a
// response that is signed, too: they are no webhooks.
//
// The library of WorkOS allows a time 3 minutes back and any time ahead. Here it may
// lie 3 minutes on either side.
//
// Source: https://workos.com/docs/events/data-syncing/webhooks and
// https://github.com/workos/workos-node.
package workos

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

// Definition returns how WorkOS signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "workos",
		Signatures: []scheme.Signature{{Header: "WorkOS-Signature", Field: "v1", Separator: ",", Assign: "=", Blanks: true}},
		Timestamp:  scheme.Timestamp{Field: "t", Unit: scheme.Milliseconds, Window: verify.Window{Past: 3 * time.Minute, Future: 3 * time.Minute}},
		Message:    []scheme.Part{scheme.SignedTime(), scheme.Literal("."), scheme.Body()},
		ID:         scheme.ID{Member: "id", Prefix: "event_"},
		MaxBody:    1 << 20, // WorkOS states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour, // retries go on for 3 days
		About: verify.About{
			Title:      "WorkOS",
			NotCovered: []string{"for which endpoint the event is"},
			Credentials: []verify.Credential{
				{Prefix: "sk_test_", What: "an API key", Secret: true},
				{Prefix: "sk_live_", What: "an API key", Secret: true},
				{Prefix: "client_", What: "a client id"},
			},
			Links: []string{"https://workos.com/docs/events/data-syncing/webhooks", "https://github.com/workos/workos-node/blob/main/src/common/crypto/signature-provider.ts"},
		},
	}
}
