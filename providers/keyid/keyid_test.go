package keyid_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/keyid"
	"github.com/hooknotary/hooknotary/providers/providertest/signer"
	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

func TestByHeader(t *testing.T) {
	definition := scheme.Definition{
		Provider:   "acme",
		Signatures: []scheme.Signature{{Header: "X-Acme-Signature"}},
		Message:    []scheme.Part{scheme.Body()},
		MaxBody:    1 << 10,
		Retry:      verify.RetryIdentical,
	}
	const first, second = "8f2c6b1e9d4a7035c8e1f6b3a2d9074e", "5d1f0c6a9b3e47d28c50f1ae6b7d9243"
	keys := make(map[string]verify.Key)
	for id, secret := range map[string]string{"one": first, "two": second} {
		key, err := verify.NewKey("app "+id, id, []byte(secret))
		if err != nil {
			t.Fatal(err)
		}
		keys[id] = key
	}
	v, err := scheme.New(definition, keyid.ByHeader("x-acme-key", keys), nil)
	if err != nil {
		t.Fatal(err)
	}
	delete(keys, "two") // the source has its own
	body := []byte(`{"id":1}`)
	for _, c := range []struct {
		name   string
		ids    []string
		secret string
		want   error
		scope  string
	}{
		{"the first app", []string{"one"}, first, nil, "app one"},
		{"the second app", []string{"two"}, second, nil, "app two"},
		{"the id of another app", []string{"two"}, first, verify.ErrMismatch, ""},
		{"an id that nobody has", []string{"three"}, first, verify.ErrNoKey, ""},
		{"an id in other letters", []string{"ONE"}, first, verify.ErrNoKey, ""},
		{"an empty id", []string{""}, first, verify.ErrNoKey, ""},
		{"no id", nil, first, verify.ErrNoKey, ""},
		{"two ids", []string{"one", "one"}, first, verify.ErrNoKey, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, err := signer.Header(definition, signer.Delivery{Body: body, Secrets: []string{c.secret}})
			if err != nil {
				t.Fatal(err)
			}
			h["X-Acme-Key"] = c.ids
			d, err := verify.Verify(t.Context(), v, &verify.Head{Method: http.MethodPost, Header: h, ReceivedAt: time.Unix(1773480415, 0)}, body)
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Fatalf("the error is %v, want %v", err, c.want)
			}
			if err == nil && d.Scope != c.scope {
				t.Errorf("the scope is %q, want %q", d.Scope, c.scope)
			}
		})
	}
}
