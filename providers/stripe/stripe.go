// Package stripe verifies webhooks of Stripe.
//
// Stripe signs the time and the body of a delivery with the secret of the
// endpoint: HMAC-SHA256 over "<t>.<body>", in the header
//
//	Stripe-Signature: t=1700000000,v1=<64 hex digits>[,v1=…][,v0=…]
//
// While a secret is rolled, the header has one v1 for each secret that is active.
// The scheme v0, and any other, is ignored, as Stripe asks for. Each attempt of a
// delivery is signed anew, with a new time and the same event id in the body; so
// the store remembers the event id, and an old copy is too old after five minutes.
//
//	guard := middleware.Protect(stripe.Must(os.Getenv("STRIPE_WEBHOOK_SECRET")))
//
// The secret is that of the endpoint, "whsec_…", as the Dashboard or the CLI
// shows it. Each endpoint has its own, and so have test and live mode. Thin
// events (v2) are signed in the same way and verify like any other. Verification
// does not look at the event's API version; parsing the event is a second step.
//
// The test events that the Dashboard sends all have the id evt_00000000000000. That
// is no id, so Delivery.ID is empty and each delivery of one counts as an event of its
// own: it runs, and so does the retry of one whose response was lost. A copy of it is
// still a replay.
//
// What the signature does not say: to which account of a platform an event
// belongs. On a Connect endpoint check the body's account in the handler.
//
// Source: https://docs.stripe.com/webhooks (verify manually; retries; roll
// endpoint signing secrets).
package stripe

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// Verifier verifies deliveries of Stripe.
type Verifier = scheme.Verifier

// Options holds what an endpoint may choose. The zero value and nil are the
// defaults.
type Options struct {
	// Tolerance narrows the window in which the signed time must lie around the
	// receive time, on both sides. Zero means 5 minutes; more is an error.
	Tolerance time.Duration

	// InsecureAllowShortSecret allows secrets under 16 bytes.
	InsecureAllowShortSecret bool
}

// New makes a verifier from keys, for example [verify.Secrets] of one endpoint.
// A nil o is the zero Options. It returns an error for a secret that cannot be
// right: too short, or an API key ("sk_…") in its place.
func New(keys verify.KeySource, o *Options) (*Verifier, error) {
	if o == nil {
		o = &Options{}
	}
	return scheme.New(Definition(), keys, &scheme.Options{
		Window:                   verify.Window{Past: o.Tolerance, Future: o.Tolerance},
		InsecureAllowShortSecret: o.InsecureAllowShortSecret,
	})
}

// Must makes a verifier from the secrets of one endpoint: one, or several while
// they are rolled. It panics where [New] returns an error, most often because an
// environment variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *Verifier {
	return scheme.Must(Definition(), secrets...)
}

// Definition returns how Stripe signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider: "stripe",
		Signatures: []scheme.Signature{{
			Header: "Stripe-Signature", Field: "v1", Separator: ",", Assign: "=",
		}},
		Timestamp: scheme.Timestamp{Field: "t"},
		Message:   []scheme.Part{scheme.SignedTime(), scheme.Literal("."), scheme.Body()},
		ID:        scheme.ID{Member: "id", Prefix: "evt_", Repeated: []string{"evt_00000000000000"}},
		MaxBody:   1 << 20, // Stripe states no limit; events are far smaller
		Retry:     verify.RetryResigned,
		Retention: 7 * 24 * time.Hour, // retries go on for 3 days
		About: verify.About{
			Title: "Stripe",
			Headers: []verify.HeaderUse{{
				Name: "Stripe-Signature",
				Use:  "t is signed, as the first piece of the message; v1 is the signature, one for each active secret; v0 and other items are ignored",
			}},
			NotCovered:   []string{"to which account of a platform the event belongs: that is in the body, so check it there"},
			SecretPrefix: "whsec_",
			Credentials: []verify.Credential{
				{Prefix: "sk_", What: "a secret API key", Secret: true},
				{Prefix: "rk_", What: "a restricted API key", Secret: true},
				{Prefix: "pk_", What: "a publishable API key", Secret: true},
				{Prefix: "we_", What: "the id of an endpoint"},
				{Prefix: "acct_", What: "the id of an account"},
			},
			JSON:          verify.JSONStyle{Space: verify.JSONIndented, First: []string{"id", "object"}, Sorted: true},
			Links:         []string{"https://docs.stripe.com/webhooks#verify-manually", "https://docs.stripe.com/webhooks#retries"},
			OutsideVector: "tests of Stripe's SDKs",
		},
	}
}
