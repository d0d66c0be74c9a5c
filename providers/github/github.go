// Package github verifies webhooks of GitHub.
//
// GitHub signs the body of a delivery, and nothing else, with the secret of the
// hook: HMAC-SHA256, in the header
//
//	X-Hub-Signature-256: sha256=<64 hex digits>
//
// The header X-Hub-Signature, an HMAC-SHA1 that GitHub still sends beside it, is
// not looked at.
//
//	guard := middleware.Protect(github.Must(os.Getenv("GITHUB_WEBHOOK_SECRET")))
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only
// the store can refuse it, so it is as good as the store's memory, and
// with several processes it must be shared.
//
// The delivery id (X-GitHub-Delivery), the event's name (X-GitHub-Event) and the
// Content-Type are not signed. Whoever replays a body can change them. So the
// store knows a delivery by its body; the id and the name are in
// Delivery.Unsigned; and whether a body is JSON or a form is an option of the
// endpoint, never read from the request. A handler that wants a key for the event,
// to make its effects idempotent, takes that of the claim: replay.FromContext
// returns it.
//
// GitHub never retries by itself. A delivery that was refused or failed must be
// redelivered by hand or by a script, within 3 days.
//
// # Equal bodies
//
// A redelivery has the same body as the original, so it is refused once the
// original was handled. So is an honest second event whose body is the same. Most
// bodies hold an id, a time or a counter and never repeat; some hold none:
// repository_dispatch and workflow_dispatch with the same inputs, and events about
// access, such as membership, where the second removal of the same member from
// the same team looks like the first. A hook for such events needs
// Options.InsecureDistinctByDeliveryID.
//
// Source:
// https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
// and https://docs.github.com/en/webhooks/webhook-events-and-payloads.
package github

import (
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// Verifier verifies deliveries of GitHub.
type Verifier = scheme.Verifier

// Options holds what an endpoint may choose. The zero value and nil are the
// defaults.
type Options struct {
	// Form: the hook is configured for application/x-www-form-urlencoded. The
	// body is then a form whose field "payload" holds the JSON, and a JSON body
	// is refused by its media type. Default: application/json only.
	Form bool

	// InsecureAllowSHA1 accepts X-Hub-Signature from a sender that does not send
	// X-Hub-Signature-256, as old GitHub Enterprise Servers do. Where both are
	// there, SHA-256 decides alone.
	InsecureAllowSHA1 bool

	// InsecureAllowShortSecret allows secrets under 16 bytes.
	InsecureAllowShortSecret bool

	// InsecureDistinctByDeliveryID treats an equal body under another delivery
	// id as another event, for hooks with events whose bodies can repeat; see the
	// package comment. The id is not signed: whoever holds a delivery can make it run again by changing
	// the id. The header becomes required.
	InsecureDistinctByDeliveryID bool
}

// New makes a verifier from keys, for example [verify.Secrets] of one hook. A nil o
// is the zero Options. It returns an error for a secret that cannot be right: too
// short, or an access token ("ghp_…") in its place.
func New(keys verify.KeySource, o *Options) (*Verifier, error) {
	if o == nil {
		o = &Options{}
	}
	return scheme.New(definition(o), keys, &scheme.Options{
		InsecureAllowShortSecret:     o.InsecureAllowShortSecret,
		InsecureDistinctByUnsignedID: o.InsecureDistinctByDeliveryID,
	})
}

// Must makes a verifier for JSON deliveries from the secrets of one hook: one, or
// several while it is changed, because GitHub itself knows only one at a time. It
// panics where [New] returns an error, most often because an environment variable
// is not set: a program that cannot verify must not start.
func Must(secrets ...string) *Verifier {
	v, err := New(verify.Secrets(secrets...), nil)
	if err != nil {
		panic("github.Must: " + strings.TrimPrefix(err.Error(), "github: "))
	}
	return v
}

func definition(o *Options) scheme.Definition {
	d := scheme.Definition{
		Provider:     "github",
		Signatures:   []scheme.Signature{{Header: "X-Hub-Signature-256", Prefix: "sha256="}},
		Message:      []scheme.Part{scheme.Body()},
		Secret:       scheme.Secret{Refuse: []string{"ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "-----BEGIN "}},
		UnsignedID:   "X-GitHub-Delivery",
		UnsignedType: "X-GitHub-Event",
		MaxBody:      25 << 20, // GitHub sends nothing larger
		Retry:        verify.RetryNever,
		Retention:    30 * 24 * time.Hour,
	}
	if o.Form {
		d.MediaType = "application/x-www-form-urlencoded"
		// A JSON body under the same secret can look like a form, too: its author
		// may have put "&payload=…&" into a text.
		d.BodyPrefix = "payload="
	}
	if o.InsecureAllowSHA1 {
		d.Signatures = append(d.Signatures, scheme.Signature{
			Header: "X-Hub-Signature", Prefix: "sha1=", Hash: scheme.InsecureSHA1,
		})
	}
	return d
}
