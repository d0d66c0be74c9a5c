// Package pagerduty verifies webhooks of PagerDuty.
//
// PagerDuty signs the body of a delivery, and nothing else, with the secret of the
// webhook: HMAC-SHA256, in hexadecimal digits, in a list in the header
//
//	X-PagerDuty-Signature: v1=<64 hex digits>,v1=…
//
//	guard := middleware.Protect(pagerduty.Must(os.Getenv("PAGERDUTY_WEBHOOK_SECRET")))
//
// There is one item for each secret while it is rotated; items of other versions are
// ignored. The secret looks like base64 and is text.
//
// This is version 3 of PagerDuty's webhooks; the older ones are not signed.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// X-Webhook-Id and X-Webhook-Subscription name the subscription, and are not signed.
//
// Equal bodies are one event. An event has an id and a time in its body.
//
// Source: https://developer.pagerduty.com/docs/verifying-webhook-signatures and https://developer.pagerduty.com/docs/webhooks-overview.
package pagerduty

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

// Definition returns how PagerDuty signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "pagerduty",
		Signatures: []scheme.Signature{{Header: "X-PagerDuty-Signature", Field: "v1", Separator: ",", Assign: "="}},
		Message:    []scheme.Part{scheme.Body()},
		MaxBody:    1 << 20, // PagerDuty states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour, // no time is signed, so as long as the guard would by itself
		About: verify.About{
			Title: "PagerDuty",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
				"the subscription (X-Webhook-Id, X-Webhook-Subscription)",
			},
			Links: []string{
				"https://developer.pagerduty.com/docs/verifying-webhook-signatures",
				"https://developer.pagerduty.com/docs/webhooks-overview",
			},
			OutsideVector: "a test of PagerDuty/go-pagerduty",
		},
	}
}
