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
	return scheme.New(configured(o), keys, &scheme.Options{
		InsecureAllowShortSecret:     o.InsecureAllowShortSecret,
		InsecureDistinctByUnsignedID: o.InsecureDistinctByDeliveryID,
	})
}

// Must makes a verifier for JSON deliveries from the secrets of one hook: one, or
// several while it is changed, because GitHub itself knows only one at a time. It
// panics where [New] returns an error, most often because an environment variable
// is not set: a program that cannot verify must not start.
func Must(secrets ...string) *Verifier {
	return scheme.Must(Definition(), secrets...)
}

// Definition returns how GitHub signs JSON deliveries, as data. Options adds forms and
// the weak signature.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:     "github",
		Signatures:   []scheme.Signature{{Header: "X-Hub-Signature-256", Prefix: "sha256="}},
		Message:      []scheme.Part{scheme.Body()},
		UnsignedID:   "X-GitHub-Delivery",
		UnsignedType: "X-GitHub-Event",
		MaxBody:      25 << 20, // GitHub sends nothing larger
		Retry:        verify.RetryNever,
		Retention:    30 * 24 * time.Hour,
		About: verify.About{
			Title: "GitHub",
			Headers: []verify.HeaderUse{
				{Name: "X-Hub-Signature-256", Use: "the signature, an HMAC-SHA256 over the body alone"},
				{Name: "X-Hub-Signature", Use: "the weak signature, an HMAC-SHA1 over the body alone; it counts only where the strong one is absent", Weak: "sha1="},
			},
			NotCovered: []string{
				"the time: there is none, so a captured delivery verifies until the secret changes",
				"the delivery id (X-GitHub-Delivery) and the event's name (X-GitHub-Event): whoever replays a body can change them",
				"the Content-Type: whether a body is JSON or a form is a setting of the endpoint",
			},
			Credentials: []verify.Credential{
				{Prefix: "ghp_", What: "a personal access token", Secret: true},
				{Prefix: "gho_", What: "an OAuth access token", Secret: true},
				{Prefix: "ghu_", What: "a user's access token of an app", Secret: true},
				{Prefix: "ghs_", What: "an installation's access token of an app", Secret: true},
				{Prefix: "ghr_", What: "a refresh token of an app", Secret: true},
				{Prefix: "github_pat_", What: "a fine-grained personal access token", Secret: true},
				{Prefix: "-----BEGIN ", What: "the private key of an app", Secret: true},
			},
			JSON: verify.JSONStyle{Space: verify.JSONCompact},
			Tell: verify.Tell{Name: "GitHub, or a provider that signs alike"},
			OtherMedia: []verify.MediaNote{{
				Type: "application/x-www-form-urlencoded",
				Text: "The signature holds, but the hook sends forms, as GitHub's hooks do by default, and the endpoint takes JSON.",
				Fix:  "Set the content type of the hook to application/json, or verify forms with github.Options.Form (--form on the command line).",
			}},
			Links: []string{
				"https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries",
				"https://docs.github.com/en/webhooks/webhook-events-and-payloads",
			},
			OutsideVector: "captured deliveries and the example of GitHub's documentation",
		},
	}
}

// configured returns the definition as an endpoint's options have it.
func configured(o *Options) scheme.Definition {
	d := Definition()
	if o.Form {
		d.MediaType = "application/x-www-form-urlencoded"
		// A JSON body under the same secret can look like a form, too: its author
		// may have put "&payload=…&" into a text.
		d.BodyPrefix = "payload="
	}
	if o.InsecureAllowSHA1 {
		d.Signatures = append(d.Signatures, scheme.Signature{
			Header: "X-Hub-Signature", Prefix: "sha1=", Algorithm: scheme.InsecureHMACSHA1,
		})
	}
	return d
}
