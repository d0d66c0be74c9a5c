package assertion_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"net/http"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/middleware/assertion"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

func TestSign(t *testing.T) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := assertion.NewKey("2026-11", private)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1_800_000_000, 5)
	signer, err := assertion.NewSigner(key, "https://hooks.example.com", "billing", &assertion.SignerOptions{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	body := []byte(`{"id":"evt_1"}`)
	token, err := signer.Sign(assertion.Claims{
		Route: "billing", Provider: "stripe", Scope: "default", KeyLabel: "new", EventID: "evt_1", EventKey: replay.Key{1},
		SignedAt: now, ReceivedAt: now, Binding: verify.BindingFull, BodySHA256: sha256.Sum256(body),
	})
	if err != nil {
		t.Fatal(err)
	}
	set, err := assertion.NewKeySet(key)
	if err != nil {
		t.Fatal(err)
	}
	v, err := assertion.New(set, "https://hooks.example.com", "billing", nil)
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{assertion.Header: {token}}
	d, err := verify.Verify(context.Background(), v, &verify.Head{Header: h, ReceivedAt: now}, body)
	if err != nil {
		t.Fatal(err)
	}
	c, ok := v.Claims(d, h)
	if !ok || c.EventID != "evt_1" || c.Route != "billing" {
		t.Errorf("got %+v, %v", c, ok)
	}
}
