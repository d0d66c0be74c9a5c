package assertion_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/assertion"
	"github.com/hooknotary/hooknotary/providers/keyfetch"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

// A receiver behind a gateway, which shares a secret with it.
func Example() {
	const shared = "m3Zr8TqYw5Kx1VbNc7Hd0PfLs9GjA2Ue" // from its environment

	v, err := assertion.New(verify.Secrets(shared), "https://hooks.example.com", "billing", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	receiver := middleware.Protect(v)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d, _ := verify.FromContext(r.Context())
		claims, _ := v.Claims(d, r.Header)
		fmt.Println("run:", claims.Provider, claims.EventID)
	}))

	// The gateway.
	key, err := assertion.NewSecretKey("2026-11", []byte(shared))
	if err != nil {
		fmt.Println(err)
		return
	}
	signer, err := assertion.NewSigner(key, "https://hooks.example.com", "billing", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	body := []byte(`{"id":"evt_1PqX2","type":"invoice.paid"}`)
	for range 2 { // the answer to the first attempt is lost
		token, err := signer.Sign(assertion.Claims{
			Route: "billing", Provider: "stripe", Scope: "default", KeyLabel: "2026-03",
			EventID: "evt_1PqX2", EventKey: replay.Key(sha256.Sum256([]byte("stripe evt_1PqX2"))),
			SignedAt: time.Now(), ReceivedAt: time.Now(), Binding: verify.BindingFull, BodySHA256: sha256.Sum256(body),
		})
		if err != nil {
			fmt.Println(err)
			return
		}
		r := httptest.NewRequest(http.MethodPost, "/billing", bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set(assertion.Header, token)
		w := httptest.NewRecorder()
		receiver.ServeHTTP(w, r)
		fmt.Printf("%d, duplicate: %q\n", w.Code, w.Header().Get("Webhook-Duplicate"))
	}
	// Output:
	// run: stripe evt_1PqX2
	// 200, duplicate: ""
	// 200, duplicate: "1"
}

// A gateway publishes its public keys, the next one before it signs, and a receiver reads
// them.
func ExampleKeySet() {
	current, err := assertion.ParseKey("2026-11", []byte(privatePEM))
	if err != nil {
		fmt.Println(err)
		return
	}
	published, err := assertion.NewKeySet(current)
	if err != nil {
		fmt.Println(err)
		return
	}
	jwks, err := json.Marshal(published)
	if err != nil {
		fmt.Println(err)
		return
	}

	keys, err := assertion.ParseKeySet(jwks)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = assertion.New(keys, "https://hooks.example.com", "billing", nil)
	fmt.Println(keys.Len(), err)
	// Output: 1 <nil>
}

// A receiver that reads the gateway's keys from its host, and so learns of a new one by
// itself.
func ExampleKeyID() {
	published, err := keyfetch.New(keyfetch.Endpoint{
		URL:  "https://hooks.example.com/.well-known/jwks.json",
		Kind: keyfetch.P256,
	}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	byID := verify.KeyFunc(func(ctx context.Context, _ *verify.Head) ([]verify.Key, error) {
		id, _ := assertion.KeyID(ctx)
		key, err := published.Key(ctx, id)
		if err != nil {
			return nil, err
		}
		return []verify.Key{key}, nil
	})
	v, err := assertion.New(byID, "https://hooks.example.com", "billing", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	http.Handle("POST /billing", middleware.Protect(v)(http.NotFoundHandler()))
}

// A private key of nobody: openssl genpkey made it for this example.
var privatePEM = strings.TrimSpace(`
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgsCubiCcChhtylGBf
Z6OINM/7tgNhhYRTR3mxoTzAUhKhRANCAARMDj2930xm7SCIumlTZCO+xFa4sefr
ADbcZhHSC1xwb6ENMDlbm8oSnZW2ziAgHRq/0C9yWoQCbfC+ISNGEgBQ
-----END PRIVATE KEY-----
`)
