package assertion_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"maps"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/middleware/assertion"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

// This file signs tokens without the package.

const (
	issuer   = "https://hooks.example.com"
	audience = "billing"
	secret   = "Hx2v9QmT4kLr8ZpWc3NdYb6sJf7gKe1A"
	body     = `{"id":"evt_1","type":"invoice.paid"}`
)

// The time at which assertions are made. No verifier looks at a clock.
var now = time.Date(2031, 5, 17, 9, 30, 0, 0, time.UTC)

var private = sync.OnceValue(func() (k struct {
	p256    *ecdsa.PrivateKey
	p384    *ecdsa.PrivateKey
	ed25519 ed25519.PrivateKey
}) {
	var err error
	if k.p256, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		panic(err)
	}
	if k.p384, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader); err != nil {
		panic(err)
	}
	if _, k.ed25519, err = ed25519.GenerateKey(rand.Reader); err != nil {
		panic(err)
	}
	return k
})

// algorithms are those of an assertion, each with its key.
var algorithms = map[string]func(t testing.TB, id string) assertion.Key{
	"ES256": func(t testing.TB, id string) assertion.Key { return must(assertion.NewKey(id, private().p256))(t) },
	"EdDSA": func(t testing.TB, id string) assertion.Key { return must(assertion.NewKey(id, private().ed25519))(t) },
	"HS256": func(t testing.TB, id string) assertion.Key {
		return must(assertion.NewSecretKey(id, []byte(secret)))(t)
	},
}

// must returns v, or fails the test.
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// clock stands still.
func clock() time.Time { return now }

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func hashOf(body string) string {
	sum := sha256.Sum256([]byte(body))
	return b64(sum[:])
}

// spki writes a public key in one line.
func spki(public any) string {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(der)
}

func pemOf(kind string, der []byte, err error) string {
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// join signs header and claims, which are JSON texts.
func join(algorithm, header, claims string, key any) string {
	signed := b64([]byte(header)) + "." + b64([]byte(claims))
	return signed + "." + b64(signature(algorithm, signed, key))
}

func signature(algorithm, signed string, key any) []byte {
	sum := sha256.Sum256([]byte(signed))
	switch algorithm {
	case "HS256":
		m := hmac.New(sha256.New, []byte(key.(string)))
		m.Write([]byte(signed))
		return m.Sum(nil)
	case "ES256":
		r, s, err := ecdsa.Sign(rand.Reader, key.(*ecdsa.PrivateKey), sum[:])
		if err != nil {
			panic(err)
		}
		b := make([]byte, 64)
		r.FillBytes(b[:32])
		s.FillBytes(b[32:])
		return b
	case "EdDSA":
		b, err := key.(ed25519.PrivateKey).Sign(nil, []byte(signed), crypto.Hash(0))
		if err != nil {
			panic(err)
		}
		return b
	}
	panic(algorithm)
}

// keyOf returns what signs the tokens of an algorithm.
func keyOf(algorithm string) any {
	switch algorithm {
	case "ES256":
		return private().p256
	case "EdDSA":
		return private().ed25519
	}
	return secret
}

type object = map[string]any

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// with returns o with another member, or without it if value is nil.
func with(o object, name string, value any) object {
	o = maps.Clone(o)
	if value == nil {
		delete(o, name)
	} else {
		o[name] = value
	}
	return o
}

func header(algorithm string) object {
	return object{"alg": algorithm, "kid": "2026-11", "typ": "hooknotary+jwt"}
}

// claimsAt returns the claims of a genuine assertion that was made at a time.
func claimsAt(at time.Time) object {
	key := replay.Key{0xab, 31: 0xcd}
	return object{
		"iss": issuer, "aud": audience, "iat": at.Unix() - 30, "exp": at.Unix() + 60, "jti": "vZpW3q8kRk2m0a1TqkVY9Q",
		"route": "billing", "provider": "stripe", "scope": "acct-4711", "key_label": "new", "event_id": "evt_1",
		"event_key": hex.EncodeToString(key[:]), "signed_at": at.Unix() - 2, "received_at": at.Unix() - 1,
		"binding": "full", "body_sha256": hashOf(body),
	}
}

// claims returns what a gateway says.
func claims() assertion.Claims {
	return assertion.Claims{
		Route: "billing", Provider: "stripe", Scope: "acct-4711", KeyLabel: "new", EventID: "evt_1",
		EventKey: replay.Key{0xab, 31: 0xcd}, SignedAt: now.Add(-2 * time.Second), ReceivedAt: now.Add(-time.Second),
		Binding: verify.BindingFull, BodySHA256: sha256.Sum256([]byte(body)),
	}
}

// keys returns what a receiver holds, under the id of the tokens.
func keys(t testing.TB, algorithm string) verify.KeySource {
	t.Helper()
	if algorithm == "HS256" {
		return verify.Secrets(secret)
	}
	return must(assertion.NewKeySet(algorithms[algorithm](t, "2026-11")))(t)
}

func verifier(t testing.TB, algorithm string) *assertion.Verifier {
	t.Helper()
	return must(assertion.New(keys(t, algorithm), issuer, audience, nil))(t)
}

func headOf(token string) *verify.Head {
	return &verify.Head{Method: http.MethodPost, Header: http.Header{assertion.Header: {token}}, ReceivedAt: now}
}
