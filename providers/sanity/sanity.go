// Package sanity verifies webhooks of Sanity.
//
// Sanity signs the time and the body of a delivery with the secret of the webhook:
// HMAC-SHA256 over "<time>.<body>", in the header
//
//	sanity-webhook-signature: t=1700000000000,v1=<43 characters of base64url>
//
//	guard := middleware.Protect(sanity.Must(os.Getenv("SANITY_WEBHOOK_SECRET")))
//
// The time is in milliseconds. The signature is in the URL-safe alphabet without
// padding; of its spellings that decode to the same bytes only one is taken.
//
// What a body holds is up to the projection of the webhook, so no id in it is looked
// at, and a delivery is known by its time and body. Sanity repeats what failed for up
// to 30 minutes.
//
// # What the signature does not say
//
// The headers idempotency-key, sanity-document-id, sanity-operation, sanity-dataset
// and sanity-project-id are not signed. Have the projection of the webhook put into
// the body what you rely on, such as _id and delta::operation().
//
// Sanity's library allows any time. Here it may lie 5 minutes on either side.
//
// Source: https://www.sanity.io/docs/webhooks and
// https://github.com/sanity-io/webhook-toolkit.
package sanity

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

// Definition returns how Sanity signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:     "sanity",
		Signatures:   []scheme.Signature{{Header: "Sanity-Webhook-Signature", Field: "v1", Separator: ",", Assign: "=", Encoding: scheme.RawBase64URL}},
		Timestamp:    scheme.Timestamp{Field: "t", Unit: scheme.Milliseconds},
		Message:      []scheme.Part{scheme.SignedTime(), scheme.Literal("."), scheme.Body()},
		UnsignedID:   "Idempotency-Key",
		UnsignedType: "Sanity-Operation",
		MaxBody:      1 << 20, // a projection is as large as its document
		Retry:        verify.RetryIdentical,
		Retention:    24 * time.Hour, // retries go on for half an hour
		About: verify.About{
			Title: "Sanity",
			NotCovered: []string{
				"the key of the delivery (idempotency-key)",
				"the document, the operation, the dataset and the project that the headers name: have the projection put them into the body",
			},
			Links: []string{
				"https://www.sanity.io/docs/webhooks",
				"https://github.com/sanity-io/webhook-toolkit",
			},
			OutsideVector: "a test of sanity-io/webhook-toolkit",
		},
	}
}
