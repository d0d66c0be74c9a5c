package acme_test

import (
	"testing"

	"github.com/hooknotary/hooknotary/examples/ownprovider/acme"
	"github.com/hooknotary/hooknotary/providers/providertest"
)

// TestAcme is the whole test: the battery of every verifier, the vectors in testdata, and a
// signer that shares no code with the engine.
func TestAcme(t *testing.T) {
	providertest.Sender{Definition: acme.Definition(), Dir: "testdata"}.Test(t)
}
