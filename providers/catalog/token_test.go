package catalog_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/catalog"
	"github.com/hooknotary/hooknotary/providers/providertest"
	"github.com/hooknotary/hooknotary/providers/providertest/vector"
	"github.com/hooknotary/hooknotary/providers/token"
	"github.com/hooknotary/hooknotary/verify"
)

// tokens returns the providers that sign nothing.
func tokens(t *testing.T) []catalog.Provider {
	t.Helper()
	var all []catalog.Provider
	for _, p := range catalog.All() {
		if p.Token != nil {
			all = append(all, p)
		}
	}
	if len(all) < 5 {
		t.Fatalf("found %d providers with a token: does the test still look at anything?", len(all))
	}
	return all
}

var known, acknowledged = token.Options{InsecureBodyNotCovered: true}, catalog.Options{InsecureBodyNotCovered: true}

// TestTokenBattery runs the battery of every verifier over those that check a token.
func TestTokenBattery(t *testing.T) {
	for _, p := range tokens(t) {
		t.Run(p.Name, func(t *testing.T) {
			d := *p.Token
			header, prefix := http.CanonicalHeaderKey(d.Header), d.Prefix
			if d.Basic {
				header, prefix = "Authorization", "Basic "
			}
			var secrets []string
			for i := range verify.MaxKeys + 1 {
				sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", p.Name, i))
				secret := "z" + hex.EncodeToString(sum[:14])
				if d.Basic {
					secret = "hooks:" + secret
				}
				secrets = append(secrets, secret)
			}
			var unsigned []string
			for _, name := range []string{d.UnsignedID, d.UnsignedType} {
				if name != "" {
					unsigned = append(unsigned, http.CanonicalHeaderKey(name))
				}
			}
			providertest.Exercise(t, providertest.Subject{
				New:      func(keys verify.KeySource) (verify.Verifier, error) { return token.New(d, keys, &known) },
				Profile:  p.Profile,
				Events:   []providertest.Event{{Name: "one", Body: []byte(`{"id":1}`)}, {Name: "another", Body: []byte(`{"id":22}`)}},
				Secrets:  secrets,
				Headers:  []string{header},
				Unsigned: unsigned,
				Sign: func(_ time.Time, _ *url.URL, _ []byte, secrets ...string) http.Header {
					h := http.Header{"Content-Type": {"application/json"}}
					for _, s := range secrets {
						if d.Basic {
							s = base64.StdEncoding.EncodeToString([]byte(s))
						}
						h.Add(header, prefix+s)
					}
					for _, name := range unsigned {
						h.Set(name, "some-value")
					}
					return h
				},
			})
		})
	}
}

// TestTokenVectors judges the .http files of each provider that signs nothing.
func TestTokenVectors(t *testing.T) {
	for _, p := range tokens(t) {
		t.Run(p.Name, func(t *testing.T) {
			outcomes := make(map[string]bool)
			for _, tt := range vector.Load(t, "../"+p.Name+"/testdata") {
				outcomes[tt.Expect] = true
				t.Run(tt.Name, func(t *testing.T) {
					v, err := p.New(&acknowledged, tt.Secrets...)
					if err != nil {
						t.Fatal(err)
					}
					err = v.Profile().Check(tt.Head, int64(len(tt.Body)))
					var d *verify.Delivery
					if err == nil {
						d, err = verify.Verify(context.Background(), v, tt.Head, tt.Body)
					}
					if got := vector.Outcome(err); got != tt.Expect {
						t.Fatalf("%s: outcome is %s (%v), want %s", tt.Note, got, err, tt.Expect)
					}
					if err == nil && (d.Binding != verify.BindingNone || d.ID != "" || string(d.Body) != string(tt.Body)) {
						t.Errorf("the delivery is %+v", d)
					}
				})
			}
			for _, want := range []string{"accept", "unsigned", "malformed", "mismatch"} {
				if !outcomes[want] {
					t.Errorf("there is no vector whose outcome is %s", want)
				}
			}
		})
	}
}

// TestTokenIsAcknowledged: whoever relies on a token says that he knows what it does not
// prove.
func TestTokenIsAcknowledged(t *testing.T) {
	for _, p := range tokens(t) {
		text := secret
		if p.Token.Basic {
			text = "hooks:" + secret
		}
		if v, err := p.New(nil, text); err == nil || v != nil || !strings.Contains(err.Error(), "InsecureBodyNotCovered") {
			t.Errorf("%s: New makes %v, and says %v", p.Name, v, err)
		}
		if v, err := p.New(&acknowledged, text); err != nil || v.Profile().Binding != verify.BindingNone {
			t.Errorf("%s: with the option New makes %v, and says %v", p.Name, v, err)
		}
		if text, err := os.ReadFile("../" + p.Name + "/" + p.Name + ".go"); err != nil || !strings.Contains(string(text), "# What is not proved") {
			t.Errorf("%s does not say in its package comment what is not proved (%v)", p.Name, err)
		}
	}
}
