package sinchconversation_test

import (
	"testing"

	"github.com/hooknotary/hooknotary/providers/providertest/vector"
	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/providers/sinchconversation"
	"github.com/hooknotary/hooknotary/verify"
)

// TestPublished: the collection of published vectors calls the sender otherwise.
func TestPublished(t *testing.T) {
	for _, v := range vector.LoadPublished(t, 1, "extra/sinch-conversation.json") {
		verifier, err := sinchconversation.New(verify.Secrets(v.Secrets...), &scheme.Options{InsecureAllowShortSecret: true})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := verify.Verify(t.Context(), verifier, v.Head, v.Body); vector.Outcome(err) != v.Want(t) {
			t.Errorf("%s: %v, want %s", v.Name, err, v.Want(t))
		}
	}
}
