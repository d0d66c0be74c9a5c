// Package dropbox verifies webhooks of Dropbox.
//
// Dropbox signs the body of a notification, and nothing else, with the secret of the
// app: HMAC-SHA256, in hexadecimal digits, in the header
//
//	X-Dropbox-Signature: <64 hex digits>
//
//	v := dropbox.Must(os.Getenv("DROPBOX_APP_SECRET"))
//	_, err := verify.Verify(ctx, v, &verify.Head{Header: r.Header, ReceivedAt: time.Now()}, body)
//
// A notification says which accounts have changes, and not what changed: fetch that by
// the API.
//
// # The handshake
//
// Dropbox checks the URL of an endpoint with a GET whose query has a challenge. It is
// not signed. A guard writes a challenge back that is short and can be no HTML. The
// route must let a GET through to the guard: "/hooks/dropbox" does, and
// "POST /hooks/dropbox" does not.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// # Equal bodies
//
// Two notifications of the same accounts have equal bodies, and a store cannot tell the
// second one from a replay of the first: behind a guard it is acknowledged and does not
// run, for as long as the store remembers, which is three days or more. So use no guard
// where each change matters. Verify in the handler with [New] and [verify.Verify], which
// remember nothing, limit the body there, and answer the challenge: a replay makes the
// handler fetch changes once more, which does no harm. Behind a guard, look at the
// accounts at intervals, too.
//
// Source: https://www.dropbox.com/developers/reference/webhooks.
package dropbox

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.Secrets] of one app. A nil o is
// the zero Options. It returns an error for a secret that cannot be right, such as one
// that is too short.
func New(keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.New(Definition(), keys, o)
}

// Must makes a verifier from the app secrets of one app: one, or several while they are
// changed. It panics where [New] returns an error, most often because an environment
// variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how Dropbox signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "dropbox",
		Signatures: []scheme.Signature{{Header: "X-Dropbox-Signature"}},
		Message:    []scheme.Part{scheme.Body()},
		MaxBody:    1 << 20, // Dropbox states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  3 * 24 * time.Hour, // a guard takes no less where no time is signed; see the package comment on equal bodies
		Handshakes: []scheme.Handshake{{Kind: scheme.GetHandshake, Parameter: "challenge", Response: "$challenge"}},
		About: verify.About{
			Title: "Dropbox",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
				"which of two equal notifications it is: a later one of the same accounts counts as a repeat, and behind a guard it does not run",
			},
			Links: []string{"https://www.dropbox.com/developers/reference/webhooks"},
		},
	}
}
