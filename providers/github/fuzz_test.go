package github_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"testing"

	"github.com/hooknotary/hooknotary/providers/providertest/vector"
	"github.com/hooknotary/hooknotary/verify"
)

// signatures returns both headers as GitHub writes them, once for each secret.
func signatures(body []byte, secrets []string) (strong, weak []string) {
	for _, secret := range secrets {
		a, b := hmac.New(sha256.New, []byte(secret)), hmac.New(sha1.New, []byte(secret))
		a.Write(body)
		b.Write(body)
		strong = append(strong, "sha256="+hex.EncodeToString(a.Sum(nil)))
		weak = append(weak, "sha1="+hex.EncodeToString(b.Sum(nil)))
	}
	return strong, weak
}

// A header that is accepted has one spelling only: it is, byte for byte, what the
// signer writes. And SHA-1 counts only where it is allowed and alone.
func FuzzHeader(f *testing.F) {
	vectors := vector.Load(f, "testdata")
	for i, s := range vectors {
		f.Add(uint8(i), s.Head.Header.Get("X-Hub-Signature-256"), s.Head.Header.Get("X-Hub-Signature"))
	}
	f.Fuzz(func(t *testing.T, which uint8, hub256, hub string) {
		s := vectors[int(which)%len(vectors)]
		head := *s.Head
		head.Header = http.Header{"X-Github-Delivery": {"72d3162e-cc78-11e3-81ab-4c9367dc0958"}}
		if hub256 != "" {
			head.Header.Set("X-Hub-Signature-256", hub256)
		}
		if hub != "" {
			head.Header.Set("X-Hub-Signature", hub)
		}
		_, err := verify.Verify(context.Background(), newVerifier(t, options(t, s), s.Secrets...), &head, s.Body)
		strong, weak := signatures(s.Body, s.Secrets)
		want := slices.Contains(strong, hub256)
		if hub256 == "" && slices.Contains(s.Options, "github allow sha1") {
			want = slices.Contains(weak, hub)
		}
		if want != (err == nil) {
			t.Errorf("%s: X-Hub-Signature-256 %q, X-Hub-Signature %q: %v", s.Name, hub256, hub, err)
		}
	})
}
