// Package opnform verifies webhooks of OpnForm.
//
// OpnForm signs the body of a delivery, and nothing else, with the secret of the
// webhook: HMAC-SHA256, in hexadecimal digits, in the header
//
//	X-Webhook-Signature: sha256=<64 hex digits>
//
//	guard := middleware.Protect(opnform.Must(os.Getenv("OPNFORM_WEBHOOK_SECRET")))
//
// A webhook without a secret is not signed. OpnForm takes secrets from 12 characters
// on; shorter ones than 16 are refused here. The name of the header is used by other
// senders, too.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// Equal bodies are one event. A body names its submission.
//
// Source: https://docs.opnform.com/api-reference/integrations/webhook-security and https://docs.opnform.com/api-reference/integrations/create-webhook-integration.
package opnform

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

// Definition returns how OpnForm signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "opnform",
		Signatures: []scheme.Signature{{Header: "X-Webhook-Signature", Prefix: "sha256="}},
		Message:    []scheme.Part{scheme.Body()},
		MaxBody:    4 << 20, // OpnForm states no limit; a form with many long answers is large
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour, // no time is signed, so as long as the guard would by itself
		About: verify.About{
			Title: "OpnForm",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
			},
			Tell: verify.Tell{Headers: []string{"X-Webhook-Signature"}, Value: "sha256="},
			Links: []string{
				"https://docs.opnform.com/api-reference/integrations/webhook-security",
				"https://docs.opnform.com/api-reference/integrations/create-webhook-integration",
			},
		},
	}
}
