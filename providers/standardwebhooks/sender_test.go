package standardwebhooks_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/providers/providertest/vector"
	"github.com/hooknotary/hooknotary/providers/standardwebhooks"
	"github.com/hooknotary/hooknotary/verify"
)

const secret = "Q2hhbmdlIG5vdGhpbmcgb2YgdGhpcywgcGxlYXNl"

func TestSenders(t *testing.T) {
	var names []string
	for _, s := range standardwebhooks.Senders() {
		names = append(names, s.String())
		d := s.Definition()
		if d.Provider != s.String() || len(d.About.Links) < 2 {
			t.Errorf("%s is %q with the links %q, want its own name and its own documentation", s, d.Provider, d.About.Links)
		}
		d.Message[0], d.About.Links[0], d.About.NotCovered[0] = d.Message[1], "changed", "changed"
		if again := s.Definition(); again.Message[0] == again.Message[1] || again.About.Links[0] == "changed" || again.About.NotCovered[0] == "changed" {
			t.Errorf("%s: who changes a definition changes the next one", s)
		}
	}
	if len(names) < 20 || !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Errorf("the names are %q, want them in order, and each once", names)
	}
}

func TestSender(t *testing.T) {
	for _, tt := range []struct {
		name   string
		sender standardwebhooks.Sender
		secret string
		tells  string // what the error says; "" for none
	}{
		{"a secret in base64", standardwebhooks.Clerk, "whsec_" + secret, ""},
		{"no base64", standardwebhooks.Clerk, "whsec_" + secret + "*", "base64"},
		{"text", standardwebhooks.BigCommerce, secret + "*", ""},
		{"a secret of Supabase", standardwebhooks.Supabase, "v1,whsec_" + secret, ""},
		{"a secret of Supabase without its version", standardwebhooks.Supabase, "whsec_" + secret, "base64"},
		{"a public key", standardwebhooks.V1a, "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=", ""},
		{"a secret in the place of a public key", standardwebhooks.V1a, "whsec_" + secret, "public"},
		{"a public key in the place of a secret", standardwebhooks.Clerk, "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=", "public"},
		{"no sender", standardwebhooks.Sender(0), "whsec_" + secret, "Provider"},
		{"a sender that is not there", standardwebhooks.Sender(255), "whsec_" + secret, "Provider"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, err := tt.sender.New(verify.Secrets(tt.secret), nil)
			if (err == nil) != (tt.tells == "") || err != nil && !strings.Contains(err.Error(), tt.tells) {
				t.Fatalf("the error is %v, want it to say %q", err, tt.tells)
			}
			if err == nil && v.Profile().Provider != tt.sender.String() {
				t.Errorf("the verifier is for %q, want %q", v.Profile().Provider, tt.sender)
			}
			func() {
				defer func() {
					if p := recover(); (p == nil) != (tt.tells == "") {
						t.Errorf("Must panics with %v", p)
					}
				}()
				tt.sender.Must(tt.secret)
			}()
		})
	}
}

// TestV1a: the published deliveries with asymmetric signatures, of which one has a
// symmetric signature beside.
func TestV1a(t *testing.T) {
	n := 0
	for _, v := range vector.PublishedWithPublicKeys(t, "standardwebhooks") {
		n++
		t.Run(v.Name, func(t *testing.T) {
			verifier, err := standardwebhooks.V1a.New(verify.PublicKeys(v.PublicKeys...), nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := verify.Verify(t.Context(), verifier, v.Head, v.Body); vector.Outcome(err) != v.Want(t) {
				t.Errorf("%v, want %s", err, v.Want(t))
			}
			v.Body = append(v.Body, ' ')
			if _, err := verify.Verify(t.Context(), verifier, v.Head, v.Body); vector.Outcome(err) != "mismatch" {
				t.Errorf("another body: %v", err)
			}
		})
	}
	if n < 2 {
		t.Errorf("found %d vectors, want 2", n)
	}
}
