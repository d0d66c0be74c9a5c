package scheme_test

import (
	"context"
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/providers/providertest/vector"
	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// TestPublishedVectors runs vectors that nobody of this project wrote against the
// definitions of these tests.
func TestPublishedVectors(t *testing.T) {
	vectors := vector.LoadPublished(t, 14,
		"extra/slack*.json", "extra/shopify*.json", "extra/standard-webhooks*.json", "extra/svix*.json", "extra/square*.json")
	compare, done := vector.Differences(t, "testdata/DIFFERENCES.md")
	for _, tt := range vectors {
		t.Run(tt.Name, func(t *testing.T) {
			compare(t, tt.Name, tt.Want(t), published(t, tt))
		})
	}
	done()
}

func published(t *testing.T, tt vector.Published) string {
	definitions := map[string]scheme.Definition{
		"slack": slack(), "shopify": shopify(), "square": square(),
		"standard": standardWebhooks("webhook"), "svix": standardWebhooks("svix"),
	}
	provider, _, _ := strings.Cut(tt.Name, "-")
	d, ok := definitions[provider]
	if !ok {
		t.Fatalf("there is no definition for %s", tt.Name)
	}
	registered := ""
	if provider == "square" {
		registered = tt.Head.URL.String()
	}
	v, err := scheme.New(d, verify.Secrets(tt.Secrets...), &scheme.Options{
		URL:                      registered,
		Window:                   verify.Window{Past: tt.Tolerance, Future: tt.Tolerance},
		InsecureAllowShortSecret: true,
	})
	if err != nil {
		return vector.NoVerifier
	}
	_, err = verify.Verify(context.Background(), v, tt.Head, tt.Body)
	t.Log(err)
	return vector.Outcome(err)
}
