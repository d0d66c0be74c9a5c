package shopify_test

import (
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/providertest/signer"
	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/providers/shopify"
	"github.com/hooknotary/hooknotary/verify"
)

const secret = "8f2c6b1e9d4a7035c8e1f6b3a2d9074e"

// TestEvents: the definition that the package comment shows verifies events, and nothing
// but events.
func TestEvents(t *testing.T) {
	webhooks := shopify.Definition()
	events := shopify.Definition()
	events.Signatures[0].Header = "Shopify-Hmac-Sha256"
	events.UnsignedID, events.UnsignedType = "Shopify-Event-Id", "Shopify-Topic"
	events.Partition, events.Partitions = "", nil
	body := []byte(`{"id":1}`)
	for _, tt := range []struct {
		name           string
		sender, signed scheme.Definition
		want           error
	}{
		{"an event at an endpoint of events", events, events, nil},
		{"a webhook at an endpoint of webhooks", webhooks, webhooks, nil},
		{"an event at an endpoint of webhooks", webhooks, events, verify.ErrUnsigned},
		{"a webhook at an endpoint of events", events, webhooks, verify.ErrUnsigned},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, err := scheme.New(tt.sender, verify.Secrets(secret), nil)
			if err != nil {
				t.Fatal(err)
			}
			h, err := signer.Header(tt.signed, signer.Delivery{Body: body, Secrets: []string{secret}})
			if err != nil {
				t.Fatal(err)
			}
			_, err = verify.Verify(t.Context(), v, &verify.Head{Method: http.MethodPost, Header: h, ReceivedAt: time.Unix(1773480415, 0)}, body)
			if !errors.Is(err, tt.want) {
				t.Errorf("the error is %v, want %v", err, tt.want)
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
