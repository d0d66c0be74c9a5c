// Package notion verifies webhooks of Notion.
//
// Notion signs the body of a delivery, and nothing else, with the verification token of
// the subscription: HMAC-SHA256, in hexadecimal digits, in the header
//
//	X-Notion-Signature: sha256=<64 hex digits>
//
//	guard := middleware.Protect(notion.Must(os.Getenv("NOTION_VERIFICATION_TOKEN")))
//
// An event is known by its id, which stands in the body.
//
// # The handshake
//
// When a subscription is created, Notion posts a body with the member
// verification_token, which is the secret of all that follows, and which you type into
// Notion's settings. Nothing that you know signs it, so the guard refuses it. Take it
// on a path of its own that you made up for this one registration, and only as long as
// the registration goes on: whoever can hand you a secret can sign from then on. Then
// protect the path with the guard.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// All workspaces that install an integration share its subscription: look at
// workspace_id in the body.
//
// Events that have an id are known by it; other bodies by their bytes.
//
// Source: https://developers.notion.com/reference/webhooks.
package notion

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.Secrets] of one subscription. A
// nil o is the zero Options. It returns an error for a secret that cannot be right,
// such as one that is too short.
func New(keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.New(Definition(), keys, o)
}

// Must makes a verifier from the verification tokens of one subscription: one, or
// several while they are changed. It panics where [New] returns an error, most often
// because an environment variable is not set: a program that cannot verify must not
// start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how Notion signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "notion",
		Signatures: []scheme.Signature{{Header: "X-Notion-Signature", Prefix: "sha256="}},
		Message:    []scheme.Part{scheme.Body()},
		ID:         scheme.ID{Member: "id"},
		MaxBody:    1 << 20, // Notion states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour, // no time is signed, so as long as the guard would by itself
		About: verify.About{
			Title: "Notion",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
				"the workspace but by what the body says (workspace_id), if several share the subscription",
			},
			Links: []string{"https://developers.notion.com/reference/webhooks"},
		},
	}
}
