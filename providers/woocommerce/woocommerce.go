// Package woocommerce verifies webhooks of WooCommerce.
//
// A shop signs the body of a delivery, and nothing else, with the secret of the
// webhook: HMAC-SHA256, in base64, in the header
//
//	X-WC-Webhook-Signature: <44 characters>
//
//	guard := middleware.Protect(woocommerce.Must(os.Getenv("WOOCOMMERCE_WEBHOOK_SECRET")))
//
// When a webhook is saved, the shop sends a ping: a form (webhook_id=7), which the
// guard refuses with 415. The shop does not mind. WooCommerce does not say that it
// repeats a delivery that failed; it disables a webhook after five failures in a row.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// The topic (X-WC-Webhook-Topic, -Resource, -Event), the shop (X-WC-Webhook-Source) and
// the ids (X-WC-Webhook-ID, -Delivery-ID) are not signed. Give each shop and each
// webhook a secret of its own; where webhooks share one, whoever holds a delivery can
// send it on under another topic.
//
// # Equal bodies
//
// Equal bodies are one event, unless their topics differ: a new order may be sent as
// order.created and as order.updated with the same body. So the topics of the
// definition keep events apart, at the price that a captured delivery can run once for
// each of them. Set scheme.Options.Partitions to the topics of your endpoint, so that
// those are few.
//
// Source: https://developer.woocommerce.com/docs/apis/rest-api/v3/webhooks/.
package woocommerce

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

// Definition returns how WooCommerce signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:     "woocommerce",
		Signatures:   []scheme.Signature{{Header: "X-WC-Webhook-Signature", Encoding: scheme.Base64}},
		Message:      []scheme.Part{scheme.Body()},
		UnsignedID:   "X-WC-Webhook-Delivery-ID",
		UnsignedType: "X-WC-Webhook-Topic",
		Partition:    "X-WC-Webhook-Topic",
		Partitions:   topics(),
		MaxBody:      4 << 20, // WooCommerce states no limit; an order with many lines is large
		Retry:        verify.RetryIdentical,
		Retention:    7 * 24 * time.Hour, // no time is signed, and the documentation does not say how long retries go on
		About: verify.About{
			Title: "WooCommerce",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
				"the topic (X-WC-Webhook-Topic): equal bodies under different topics are different events, and whoever replays a body can change the topic",
				"the shop (X-WC-Webhook-Source) and the ids (X-WC-Webhook-ID, X-WC-Webhook-Delivery-ID)",
			},
			Credentials: []verify.Credential{
				{Prefix: "ck_", What: "a consumer key of the REST API", Secret: true},
				{Prefix: "cs_", What: "a consumer secret of the REST API", Secret: true},
			},
			Links: []string{"https://developer.woocommerce.com/docs/apis/rest-api/v3/webhooks/"},
		},
	}
}

// topics returns the core topics of the documentation.
func topics() []string {
	return []string{
		"coupon.created", "coupon.updated", "coupon.deleted", "customer.created", "customer.updated",
		"customer.deleted", "order.created", "order.updated", "order.deleted", "product.created", "product.updated",
		"product.deleted",
	}
}
