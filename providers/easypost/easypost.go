// Package easypost verifies webhooks of EasyPost.
//
// EasyPost signs the body of a delivery, and nothing else, with the secret of the
// webhook: HMAC-SHA256, in hexadecimal digits, in the header
//
//	X-Hmac-Signature: hmac-sha256-hex=<64 hex digits>
//
//	guard := middleware.Protect(easypost.Must(os.Getenv("EASYPOST_WEBHOOK_SECRET")))
//
// EasyPost normalises the secret first (Unicode's NFKD). A secret of ASCII characters
// alone is the same before and after, so choose one. Any other has to be normalised before
// it is handed to New.
//
// An event is known by its id, which stands in the body.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// Events that have an id are known by it; other bodies by their bytes.
//
// Source: https://docs.easypost.com/guides/webhooks-guide.
package easypost

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

// Definition returns how EasyPost signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "easypost",
		Signatures: []scheme.Signature{{Header: "X-Hmac-Signature", Prefix: "hmac-sha256-hex="}},
		Message:    []scheme.Part{scheme.Body()},
		ID:         scheme.ID{Member: "id", Prefix: "evt_"},
		MaxBody:    1 << 20, // EasyPost states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour, // no time is signed, so as long as the guard would by itself
		About: verify.About{
			Title: "EasyPost",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
			},
			Links:         []string{"https://docs.easypost.com/guides/webhooks-guide"},
			OutsideVector: "a fixture of EasyPost/examples",
		},
	}
}
