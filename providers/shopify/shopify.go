// Package shopify verifies webhooks of Shopify.
//
// Shopify signs the body of a delivery, and nothing else, with the client secret of the
// app: HMAC-SHA256, in base64, in the header
//
//	X-Shopify-Hmac-Sha256: <44 characters>
//
//	guard := middleware.Protect(shopify.Must(os.Getenv("SHOPIFY_API_SECRET")))
//
// A delivery that fails is repeated as it is, up to 8 times in 4 hours; a repeat of what
// was handled is acknowledged and does not run. While the client secret is rotated,
// Shopify goes on signing with the old one for up to an hour: configure both.
//
// Shopify's events, the new kind of its webhooks, are signed alike, and their headers have
// no X: Shopify-Hmac-Sha256, Shopify-Topic, Shopify-Webhook-Id. An endpoint takes both
// kinds. The name of the signature's header tells which of the two a request is, and the
// headers of the other kind are then not looked at. A request that has a signature under
// both names is refused unless all of these headers are the same under both.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so it is as good as the store's memory, and with several
// processes it must be shared.
//
// The topic (X-Shopify-Topic), the shop (X-Shopify-Shop-Domain), the ids
// (X-Shopify-Webhook-Id, X-Shopify-Event-Id) and the time (X-Shopify-Triggered-At) are
// not signed, nor are those without the X. All shops that install an app share its secret:
// whoever holds a delivery of one shop can send it on in the name of another, and under
// another topic. Have a route for each topic, and look the shop up by what the body says.
//
// # Equal bodies
//
// Equal bodies are one event, unless their topics differ: orders/create and orders/paid
// carry the same order, and the topic alone tells them apart. So the topics of the
// definition, some fifty, keep events apart, at the price that a captured delivery can run
// once for each of them. Set scheme.Options.Partitions to the topics of your endpoint, so
// that those are few; a topic that is not listed counts as none. A second honest
// event of one topic with the same body does not run.
//
// Source: https://shopify.dev/docs/apps/build/webhooks/verify-deliveries,
// https://shopify.dev/docs/apps/build/webhooks/subscribe/https and
// https://shopify.dev/docs/apps/build/events/verify-deliveries.
package shopify

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.Secrets] of one app. A nil o is the
// zero Options. It returns an error for a secret that cannot be right: too short, or an
// access token ("shpat_…") in its place.
func New(keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.New(Definition(), keys, o)
}

// Must makes a verifier from the client secrets of one app: one, or two while it is
// rotated. It panics where [New] returns an error, most often because an environment
// variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how Shopify signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "shopify",
		Signatures: []scheme.Signature{{Header: "X-Shopify-Hmac-Sha256", Encoding: scheme.Base64}},
		Message:    []scheme.Part{scheme.Body()},
		Aliases: []scheme.Alias{
			{Header: "X-Shopify-Hmac-Sha256", Other: "Shopify-Hmac-Sha256"},
			{Header: "X-Shopify-Topic", Other: "Shopify-Topic"},
			{Header: "X-Shopify-Webhook-Id", Other: "Shopify-Webhook-Id"},
		},
		UnsignedID:   "X-Shopify-Webhook-Id",
		UnsignedType: "X-Shopify-Topic",
		Partition:    "X-Shopify-Topic",
		Partitions:   topics(),
		MaxBody:      4 << 20, // Shopify states no limit; an order with many lines is large
		Retry:        verify.RetryIdentical,
		Retention:    7 * 24 * time.Hour, // no time is signed, so longer than retries go on
		About: verify.About{
			Title: "Shopify",
			NotCovered: []string{
				"the time: there is none, so a captured delivery verifies until the secret changes",
				"the topic (X-Shopify-Topic): equal bodies under different topics are different events, and whoever replays a body can change the topic",
				"the shop (X-Shopify-Shop-Domain): all shops of an app share its secret",
				"the ids (X-Shopify-Webhook-Id, X-Shopify-Event-Id) and X-Shopify-Triggered-At",
			},
			SecretPrefix: "shpss_", // older ones are hexadecimal digits alone
			Credentials: []verify.Credential{
				{Prefix: "shpat_", What: "an access token of the Admin API", Secret: true},
				{Prefix: "shpca_", What: "an access token of a custom app", Secret: true},
				{Prefix: "shppa_", What: "a password of a private app", Secret: true},
			},
			Links: []string{
				"https://shopify.dev/docs/apps/build/webhooks/verify-deliveries",
				"https://shopify.dev/docs/apps/build/webhooks/subscribe/https",
				"https://shopify.dev/docs/apps/build/events/verify-deliveries",
			},
			OutsideVector: "a test of Shopify/shopify-api-js",
		},
	}
}

// topics returns those of a resource that has several, because one change of it can make
// a delivery with the same body under each of them.
func topics() []string {
	return []string{
		"orders/create", "orders/updated", "orders/paid", "orders/partially_fulfilled", "orders/fulfilled", "orders/cancelled",
		"draft_orders/create", "draft_orders/update",
		"checkouts/create", "checkouts/update", "carts/create", "carts/update",
		"customers/create", "customers/update", "customers/enable", "customers/disable",
		"fulfillments/create", "fulfillments/update", "products/create", "products/update",
		"product_listings/add", "product_listings/update", "variants/in_stock", "variants/out_of_stock",
		"collections/create", "collections/update", "collection_listings/add", "collection_listings/update",
		"inventory_items/create", "inventory_items/update", "inventory_levels/connect", "inventory_levels/update",
		"locations/create", "locations/update", "locations/activate", "locations/deactivate",
		"disputes/create", "disputes/update", "subscription_contracts/create", "subscription_contracts/update",
		"customer_groups/create", "customer_groups/update", "companies/create", "companies/update",
		"markets/create", "markets/update", "domains/create", "domains/update",
		"themes/create", "themes/update", "themes/publish",
		"app/uninstalled", "shop/update", "customers/data_request", "customers/redact", "shop/redact",
	}
}
