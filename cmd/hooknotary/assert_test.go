package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/middleware/assertion"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/capture"
	"github.com/hooknotary/hooknotary/verify/replay"
)

const (
	assertIssuer = "https://hooks.example.com"
	assertSecret = "m3Zr8TqYw5Kx1VbNc7Hd0PfLs9GjA2Ue"
)

// asserting are the keys of a gateway, one for each algorithm.
type asserting struct {
	private map[string]crypto.Signer // but for HS256
	keys    map[string]assertion.Key // by algorithm
	jwks    string                   // the file of the public ones
}

func newAsserting(t testing.TB) *asserting {
	t.Helper()
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	a := &asserting{private: map[string]crypto.Signer{"ES256": p256, "EdDSA": ed}, keys: make(map[string]assertion.Key)}
	var public []assertion.Key
	for algorithm, signer := range a.private {
		k, err := assertion.NewKey("key-"+algorithm, signer)
		if err != nil {
			t.Fatal(err)
		}
		a.keys[algorithm] = k
		public = append(public, k)
	}
	if a.keys["HS256"], err = assertion.NewSecretKey("key-HS256", []byte(assertSecret)); err != nil {
		t.Fatal(err)
	}
	set, err := assertion.NewKeySet(public...)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	a.jwks = write(t, "jwks.json", string(text))
	return a
}

// assertedClaims are what the gateway says of a body.
func assertedClaims(body []byte) assertion.Claims {
	return assertion.Claims{
		Route: "billing", Provider: "stripe", Scope: "acct-4711", KeyLabel: "new", EventID: "evt_1PqX2", EventKey: replay.Key{0xab, 31: 0xcd},
		SignedAt: arrival.Add(-2 * time.Second), ReceivedAt: arrival.Add(-time.Second), Binding: verify.BindingFull, BodySHA256: sha256.Sum256(body),
	}
}

// request is what the receiver got.
func (a *asserting) request(t testing.TB, algorithm string) *capture.Capture {
	t.Helper()
	signer, err := assertion.NewSigner(a.keys[algorithm], assertIssuer, "shop", &assertion.SignerOptions{Now: func() time.Time { return arrival }})
	if err != nil {
		t.Fatal(err)
	}
	token, err := signer.Sign(assertedClaims([]byte(eventBody)))
	if err != nil {
		t.Fatal(err)
	}
	return &capture.Capture{
		Method: http.MethodPost, Host: "127.0.0.1:5678", Body: []byte(eventBody), ReceivedAt: arrival,
		Header: http.Header{"Content-Type": {"application/json"}, assertion.Header: {token}},
	}
}

func TestAssertVerify(t *testing.T) {
	a := newAsserting(t)
	s := setup{env: map[string]string{
		"SHARED": assertSecret, "OTHER": "Aq7w2ZsX4eDc6RfV8tGb1YhN3uJm5IkO", "SHORT": assertSecret[1:], "PADDED": assertSecret + "\n", "EMPTY": "",
	}}
	flags := func(more ...string) []string {
		return append([]string{"--issuer", assertIssuer, "--audience", "shop"}, more...)
	}
	jwks, shared := flags("--jwks", a.jwks), flags("--secret-env", "SHARED")
	for _, tt := range []struct {
		name    string
		capture *capture.Capture
		args    []string
		code    int
		reason  string
	}{
		{"ES256", a.request(t, "ES256"), jwks, 0, ""},
		{"EdDSA", a.request(t, "EdDSA"), jwks, 0, ""},
		{"HS256", a.request(t, "HS256"), shared, 0, ""},
		{"HS256 under the second secret", a.request(t, "HS256"), flags("--secret-env", "OTHER", "--secret-env", "SHARED"), 0, ""},
		{"HS256 under another secret", a.request(t, "HS256"), flags("--secret-env", "OTHER"), 1, "mismatch"},
		{"HS256 where there are public keys", a.request(t, "HS256"), jwks, 1, "no_key"},
		{"ES256 where there is a secret", a.request(t, "ES256"), shared, 1, "no_key"},
		{"another body", edited(a.request(t, "ES256"), forge), jwks, 1, "mismatch"},
		{"another issuer", a.request(t, "ES256"), []string{"--issuer", assertIssuer + "/", "--audience", "shop", "--jwks", a.jwks}, 1, "mismatch"},
		{"another audience", a.request(t, "ES256"), []string{"--issuer", assertIssuer, "--audience", "n8n", "--jwks", a.jwks}, 1, "mismatch"},
		{"no assertion", edited(a.request(t, "ES256"), func(c *capture.Capture) { c.Header.Del(assertion.Header) }), jwks, 1, "unsigned"},
		{"an assertion in another header", a.request(t, "ES256"), flags("--jwks", a.jwks, "--as", "X-Assertion"), 1, "unsigned"},
		{"an assertion that is cut", edited(a.request(t, "ES256"), func(c *capture.Capture) {
			c.Header.Set(assertion.Header, strings.TrimSuffix(c.Header.Get(assertion.Header), c.Header.Get(assertion.Header)[300:]))
		}), jwks, 1, "malformed"},
		{"at its end", a.request(t, "ES256"), flags("--jwks", a.jwks, "--at", "2026-03-01T09:31:42Z"), 0, ""},
		{"after its end", a.request(t, "ES256"), flags("--jwks", a.jwks, "--at", "2026-03-01T09:31:43Z"), 1, "too_old"},
		{"before it was made", a.request(t, "ES256"), flags("--jwks", a.jwks, "--at", "2026-03-01T09:29:41Z"), 1, "too_new"},
		{"without a receive time, a day later", edited(a.request(t, "ES256"), func(c *capture.Capture) { c.ReceivedAt = time.Time{} }), jwks, 1, "too_old"},
		{"another media type", edited(a.request(t, "ES256"), func(c *capture.Capture) { c.Header.Set("Content-Type", "text/plain") }), jwks, 0, ""},
		{"a receiver that wants it elsewhere", edited(a.request(t, "ES256"), func(c *capture.Capture) {
			c.Header.Set("X-Jwt", "JWT "+c.Header.Get(assertion.Header))
		}), flags("--jwks", a.jwks, "--as", "X-Jwt: JWT"), 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := save(t, "upstream.http", tt.capture)
			got := hooknotary(t, s, append(append([]string{"assert", "verify"}, tt.args...), "--json", file)...)
			got.want(t, tt.code)
			r := parseResult(t, got.out)
			if verdict := map[int]string{0: accept, 1: reject}[tt.code]; r.Verdict != verdict || r.Reason != tt.reason || (r.Assertion != nil) != (tt.code == 0) {
				t.Errorf("verdict %q, reason %q, error %q, want %q and %q", r.Verdict, r.Reason, r.Error, verdict, tt.reason)
			}
			if c := r.Assertion; c != nil && (c.Route != "billing" || c.EventID != "evt_1PqX2" || c.EventKey != r.Delivery.ID || c.SignedAt == nil) {
				t.Errorf("the assertion is %+v", c)
			}
			hooknotary(t, s, append(append([]string{"assert", "verify"}, tt.args...), file)...).want(t, tt.code)
		})
	}

	file := save(t, "upstream.http", a.request(t, "ES256"))
	t.Run("the text says what is asserted", func(t *testing.T) {
		got := hooknotary(t, s, append(append([]string{"assert", "verify"}, jwks...), file)...)
		got.want(t, 0,
			"accept  "+file+": event ab000000000000000000000000000000000000000000000000000000000000cd",
			"stripe verified it on route billing, for scope acct-4711 by key new; received 2026-03-01T09:30:11Z",
			"event id evt_1PqX2; signed 2026-03-01T09:30:10Z; binding of the body: full")
	})
	t.Run("an Authorization header of a file of a text editor is read", func(t *testing.T) {
		c := a.request(t, "HS256")
		text := "POST /webhook/stripe HTTP/1.1\r\nHost: n8n\r\nAuthorization: Bearer " + c.Header.Get(assertion.Header) + "\r\n\r\n" + eventBody
		file := write(t, "n8n.http", text)
		args := flags("--secret-env", "SHARED", "--as", "Authorization: Bearer", "--at", "2026-03-01T09:30:12Z", file)
		hooknotary(t, s, append([]string{"assert", "verify"}, args...)...).want(t, 0, "accept")
	})
	t.Run("a body that gained a line end is found out", func(t *testing.T) {
		file := save(t, "upstream.http", edited(a.request(t, "ES256"), func(c *capture.Capture) { c.Body = []byte(eventBody + "\n") }))
		hooknotary(t, s, append(append([]string{"assert", "verify"}, jwks...), file)...).want(t, 1, "the signature holds", "body.newline-added", "!secret.wrong")
	})
	empty, private := write(t, "empty.json", `{"keys":[]}`), write(t, "private.json", `{"keys":[{"kty":"EC","crv":"P-256","kid":"a","d":"abc"}]}`)
	for _, tt := range []struct {
		name  string
		args  []string
		tells string
	}{
		{"no issuer", []string{"--audience", "shop", "--jwks", a.jwks, file}, "--issuer is missing"},
		{"no audience", []string{"--issuer", assertIssuer, "--jwks", a.jwks, file}, "--audience is missing"},
		{"no key", flags(file), "there is no key"},
		{"two kinds of keys", flags("--jwks", a.jwks, "--secret-env", "SHARED", file), "there are keys and a secret"},
		{"a set without keys", flags("--jwks", empty, file), empty + ": "},
		{"a set with a private key", flags("--jwks", private, file), "private"},
		{"no such set", flags("--jwks", "missing.json", file), "missing.json: "},
		{"a short secret", flags("--secret-env", "SHORT", file), "at least 32"},
		{"a padded secret", flags("--secret-env", "PADDED", file), "white space"},
		{"an empty secret", flags("--secret-env", "EMPTY", file), "is empty: want the secret in it"},
		{"a name of no header", flags("--jwks", a.jwks, "--as", "No Header", file), "Header"},
		{"no file", flags("--jwks", a.jwks), "there is no file"},
	} {
		t.Run("a mistake is "+tt.name, func(t *testing.T) {
			got := hooknotary(t, s, append([]string{"assert", "verify"}, tt.args...)...)
			got.want(t, 2, tt.tells, "!"+assertSecret, "!"+assertSecret[1:])
		})
	}
}

func TestAssertJWKS(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return filepath.Join(dir, name)
	}
	a := newAsserting(t)
	for algorithm, signer := range a.private {
		der, err := x509.MarshalPKCS8PrivateKey(signer)
		if err != nil {
			t.Fatal(err)
		}
		file(algorithm+".pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
	}
	const gateway = `listen: { address: "127.0.0.1:8080" }
store: { memory: {} }
assertion:
  issuer: https://hooks.example.com
  keys: [ { id: key-ES256, file: ES256.pem }, { id: key-EdDSA, file: EdDSA.pem } ]
routes:
  - name: billing
    path: /hooks/stripe
    provider: stripe
    secrets: [ { label: new, from: "env:STRIPE_SECRET" } ]
    upstream: { url: "http://127.0.0.1:5678/webhook/stripe" }
    assert: { audience: shop }
  - name: push
    path: /hooks/github
    provider: github
    secrets: [ { label: new, from: "env:GITHUB_SECRET" } ]
    upstream: { url: "http://127.0.0.1:5678/webhook/github" }
    assert: { audience: n8n, algorithm: HS256, secret: "env:SHARED" }
`
	s := secrets()
	s.env["SHARED"] = assertSecret
	t.Run("the public keys are printed, and verify", func(t *testing.T) {
		got := hooknotary(t, s, "assert", "jwks", "--config", file("hooknotary.yaml", gateway))
		got.want(t, 0, "!"+assertSecret, `"kid":"key-ES256"`, `"kid":"key-EdDSA"`, `!"d":`)
		if strings.Count(got.out, "\n") != 1 || strings.Count(got.out, `"kid"`) != 2 {
			t.Errorf("the output is %q", got.out)
		}
		jwks := write(t, "jwks.json", got.out)
		for _, algorithm := range []string{"ES256", "EdDSA"} {
			captured := save(t, "upstream.http", a.request(t, algorithm))
			hooknotary(t, s, "assert", "verify", "--jwks", jwks, "--issuer", assertIssuer, "--audience", "shop", captured).want(t, 0, "accept", "key-"+algorithm)
		}
	})
	for _, tt := range []struct {
		name, text string
		tells      string
	}{
		{"no file", "", "--config is missing"},
		{"a file that is not there", "missing", "missing.yaml"},
		{"a file with a mistake elsewhere", strings.Replace(gateway, "memory: {}", "memory: {}, redis: 1", 1), "store"},
		{"a key that is not there", strings.Replace(gateway, "EdDSA.pem", "none.pem", 1), "assertion.keys[1]"},
		{"two keys of one id", strings.Replace(gateway, "id: key-EdDSA", "id: key-ES256", 1), "assertion.keys[1]"},
	} {
		t.Run("a mistake is "+tt.name, func(t *testing.T) {
			args := []string{"assert", "jwks"}
			switch tt.text {
			case "":
			case "missing":
				args = append(args, "--config", filepath.Join(dir, "missing.yaml"))
			default:
				args = append(args, "--config", file("wrong.yaml", tt.text))
			}
			hooknotary(t, s, args...).want(t, 2, tt.tells, "!"+assertSecret)
		})
	}
}
