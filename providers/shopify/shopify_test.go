package shopify_test

import (
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/providertest/signer"
	"github.com/hooknotary/hooknotary/providers/shopify"
	"github.com/hooknotary/hooknotary/verify"
)

const secret = "8f2c6b1e9d4a7035c8e1f6b3a2d9074e"

// TestEvents: one endpoint takes webhooks and events, each by the headers of its own kind.
func TestEvents(t *testing.T) {
	v := shopify.Must(secret)
	body := []byte(`{"id":1}`)
	webhook, err := signer.Header(shopify.Definition(), signer.Delivery{Body: body, Secrets: []string{secret}})
	if err != nil {
		t.Fatal(err)
	}
	signature := webhook.Get("X-Shopify-Hmac-Sha256")
	const forged = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	for _, tt := range []struct {
		name      string
		head      map[string]string
		want      error
		id, topic string
	}{
		{"a webhook", map[string]string{"X-Shopify-Hmac-Sha256": signature, "X-Shopify-Topic": "orders/paid", "X-Shopify-Webhook-Id": "w1"}, nil, "w1", "orders/paid"},
		{"an event", map[string]string{"Shopify-Hmac-Sha256": signature, "Shopify-Topic": "product", "Shopify-Webhook-Id": "e1"}, nil, "e1", "product"},
		{"an event with the topic of a webhook", map[string]string{"Shopify-Hmac-Sha256": signature, "X-Shopify-Topic": "orders/paid"}, nil, "", ""},
		{"both, and all the same", map[string]string{"X-Shopify-Hmac-Sha256": signature, "Shopify-Hmac-Sha256": signature, "X-Shopify-Topic": "orders/paid", "Shopify-Topic": "orders/paid"}, nil, "", "orders/paid"},
		{"both, and another topic", map[string]string{"X-Shopify-Hmac-Sha256": signature, "Shopify-Hmac-Sha256": signature, "X-Shopify-Topic": "orders/paid", "Shopify-Topic": "orders/create"}, verify.ErrMalformed, "", ""},
		{"both, and the signature of an event is forged", map[string]string{"X-Shopify-Hmac-Sha256": signature, "Shopify-Hmac-Sha256": forged}, verify.ErrMalformed, "", ""},
		{"a forged event", map[string]string{"Shopify-Hmac-Sha256": forged}, verify.ErrMismatch, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := make(http.Header)
			for name, value := range tt.head {
				h.Set(name, value)
			}
			d, err := verify.Verify(t.Context(), v, &verify.Head{Method: http.MethodPost, Header: h, ReceivedAt: time.Unix(1773480415, 0)}, body)
			if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
				t.Fatalf("the error is %v, want %v", err, tt.want)
			}
			if err == nil && (d.Unsigned.ID != tt.id || d.Unsigned.Type != tt.topic) {
				t.Errorf("the unsigned id is %q and the type %q, want %q and %q", d.Unsigned.ID, d.Unsigned.Type, tt.id, tt.topic)
			}
		})
	}
}

// TestTopics: one change of these resources makes a delivery under each of their topics,
// with equal bodies. If one of them were not listed, a second such topic would count as the
// same event, and not run.
func TestTopics(t *testing.T) {
	listed := shopify.Definition().Partitions
	for _, topic := range []string{
		"orders/create", "orders/updated", "orders/paid", "orders/fulfilled", "orders/cancelled",
		"products/create", "products/update", "product_listings/add", "product_listings/update",
		"variants/in_stock", "variants/out_of_stock",
		"inventory_items/create", "inventory_items/update", "inventory_levels/connect", "inventory_levels/update",
		"locations/create", "locations/update", "locations/activate", "locations/deactivate",
		"customers/create", "customers/update", "customers/enable", "customers/disable",
		"disputes/create", "disputes/update", "subscription_contracts/create", "subscription_contracts/update",
	} {
		if !slices.Contains(listed, topic) {
			t.Errorf("%s is not among the topics that keep events apart", topic)
		}
	}
	if sorted := slices.Compact(slices.Sorted(slices.Values(listed))); len(sorted) != len(listed) {
		t.Errorf("of %d topics %d are different", len(listed), len(sorted))
	}
}

// TestRetry: Shopify repeats a delivery as it is. A repeat of what was handled must be
// acknowledged: where it is refused, Shopify removes the subscription.
func TestRetry(t *testing.T) {
	if got := shopify.Must(secret).Profile().Retry; got != verify.RetryIdentical {
		t.Errorf("the retry is %v", got)
	}
}
