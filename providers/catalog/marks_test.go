package catalog_test

import (
	"testing"

	"github.com/hooknotary/hooknotary/providers/catalog"
	"github.com/hooknotary/hooknotary/providers/providertest"
	"github.com/hooknotary/hooknotary/providers/providertest/vector"
	"github.com/hooknotary/hooknotary/providers/scheme"
)

// TestSecretMarks: what holds a credential is marked, so that nobody passes it on.
func TestSecretMarks(t *testing.T) {
	for _, p := range catalog.All() {
		t.Run(p.Name, func(t *testing.T) {
			var handshakes []scheme.Handshake
			if p.Definition != nil {
				handshakes = p.Definition.Handshakes
			}
			for _, mistake := range providertest.Marks(p.About, vector.Load(t, "../"+p.Vectors()), handshakes) {
				t.Error(mistake)
			}
		})
	}
}
