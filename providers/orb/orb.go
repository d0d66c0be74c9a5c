// Package orb verifies webhooks of Orb, the billing platform.
//
// Orb signs the time and the body of an event with the secret of the endpoint:
// HMAC-SHA256 over "v1:<time>:<body>", in the headers
//
//	X-Orb-Signature: v1=<64 hex digits>
//	X-Orb-Timestamp: 2026-03-14T09:26:53.551
//
//	guard := middleware.Protect(orb.Must(os.Getenv("ORB_WEBHOOK_SECRET")))
//
// The time is in UTC and has no zone. The signature's header is a list with a blank
// between its items; items of another version are not looked at.
//
// An event is known by its id, which stands in the body. Orb repeats what failed for
// about three days. Its documentation does not say whether a repeat is signed anew.
//
// # What the signature does not say
//
// The signature does not say for which endpoint an event is. Whether it is of test
// mode or of live mode stands in the body at most.
//
// Source: https://docs.withorb.com/integrations-and-exports/webhooks and
// https://github.com/orbcorp/orb-python.
package orb

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

// Definition returns how Orb signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "orb",
		Signatures: []scheme.Signature{{Header: "X-Orb-Signature", Field: "v1", Separator: " ", Assign: "="}},
		Timestamp:  scheme.Timestamp{Header: "X-Orb-Timestamp", Unit: scheme.ISO8601},
		Message:    []scheme.Part{scheme.Literal("v1:"), scheme.SignedTime(), scheme.Literal(":"), scheme.Body()},
		ID:         scheme.ID{Member: "id"},
		MaxBody:    1 << 20, // Orb states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour, // retries go on for three days
		About: verify.About{
			Title: "Orb",
			NotCovered: []string{
				"for which endpoint the event is",
			},
			Links: []string{
				"https://docs.withorb.com/integrations-and-exports/webhooks",
				"https://github.com/orbcorp/orb-python/blob/main/src/orb/resources/webhooks.py",
			},
			OutsideVector: "a test of orbcorp/orb-python",
		},
	}
}
