package jwt_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"hash"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/jwt"
	"github.com/hooknotary/hooknotary/providers/providertest"
	"github.com/hooknotary/hooknotary/verify"
)

// This file signs tokens with the standard library alone.

const (
	secret = "Hx2v9QmT4kLr8ZpWc3NdYb6sJf7gKe1AHx2v9QmT4kLr8ZpWc3NdYb6sJf7gKe1A"
	other  = "Aq7w2ZsX4eDc6RfV8tGb1YhN3uJm5IkOAq7w2ZsX4eDc6RfV8tGb1YhN3uJm5IkO"
	hook   = "https://shop.example/hooks/acme?a=b"
	event  = `{"type":"invoice.paid","id":"evt_1"}`
)

// The time of all tests: no verifier looks at a clock.
var now = time.Date(2031, 5, 17, 9, 30, 0, 0, time.UTC)

var private = sync.OnceValue(func() (k struct {
	rsa     *rsa.PrivateKey
	p256    *ecdsa.PrivateKey
	ed25519 ed25519.PrivateKey
}) {
	var err error
	if k.rsa, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		panic(err)
	}
	if k.p256, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		panic(err)
	}
	if _, k.ed25519, err = ed25519.GenerateKey(rand.Reader); err != nil {
		panic(err)
	}
	return k
})

// spki writes a public key in one line.
func spki(public any) string {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(der)
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func hexOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// join signs header and claims, which are JSON texts.
func join(algorithm, header, claims string, key any) string {
	signed := b64([]byte(header)) + "." + b64([]byte(claims))
	return signed + "." + b64(sign(algorithm, signed, key))
}

func sign(algorithm, signed string, key any) []byte {
	sum := sha256.Sum256([]byte(signed))
	mac := func(h func() hash.Hash) []byte {
		m := hmac.New(h, []byte(key.(string)))
		m.Write([]byte(signed))
		return m.Sum(nil)
	}
	var s []byte
	var err error
	switch algorithm {
	case "HS256":
		return mac(sha256.New)
	case "HS384":
		return mac(sha512.New384)
	case "HS512":
		return mac(sha512.New)
	case "RS256":
		s, err = rsa.SignPKCS1v15(rand.Reader, key.(*rsa.PrivateKey), crypto.SHA256, sum[:])
	case "PS256":
		s, err = rsa.SignPSS(rand.Reader, key.(*rsa.PrivateKey), crypto.SHA256, sum[:], nil)
	case "ES256":
		r, ess, e := ecdsa.Sign(rand.Reader, key.(*ecdsa.PrivateKey), sum[:])
		if err = e; err == nil {
			s = make([]byte, 64)
			r.FillBytes(s[:32])
			ess.FillBytes(s[32:])
		}
	case "EdDSA":
		return ed25519.Sign(key.(ed25519.PrivateKey), []byte(signed))
	case "none":
	default:
		panic(algorithm)
	}
	if err != nil {
		panic(err)
	}
	return s
}

type claims = map[string]any

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func with(c claims, name string, value any) claims {
	c = maps.Clone(c)
	if value == nil {
		delete(c, name)
	} else {
		c[name] = value
	}
	return c
}

// acme is a sender with a rule of each kind.
func acme() jwt.Definition {
	return jwt.Definition{
		Provider:   "acme",
		Header:     "acme-signature",
		Algorithms: []jwt.Algorithm{jwt.HS256},
		Claims: []jwt.Claim{
			jwt.Equal("iss", "Acme"), jwt.Given("aud"), jwt.URL("sub"), jwt.URLHash("url_hash", jwt.Base64URL),
			jwt.True("verified"), jwt.Present("account"),
		},
		Body:    jwt.BodyHash{Claim: "body"},
		Time:    jwt.Time{Claim: "iat", Window: verify.Window{Past: 5 * time.Minute, Future: 30 * time.Second}, Expires: true, Leeway: 10 * time.Second},
		ID:      "jti",
		MaxBody: 1 << 20, Retry: verify.RetryIdentical, Retention: time.Hour,
	}
}

func acmeOptions() *jwt.Options {
	return &jwt.Options{URL: hook, Claims: map[string]string{"aud": "shop"}}
}

// genuine are the claims of a delivery of event.
func genuine() claims {
	sum := sha256.Sum256([]byte(hook))
	return claims{
		"iss": "Acme", "aud": "shop", "sub": hook, "url_hash": b64(sum[:]), "verified": true, "account": "a1",
		"body": hexOf(event), "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(), "jti": "msg_1",
	}
}

const header = `{"alg":"HS256","typ":"JWT"}`

func head(values ...string) *verify.Head {
	return &verify.Head{Method: http.MethodPost, Header: http.Header{"Acme-Signature": values}, ReceivedAt: now}
}

func verifier(t testing.TB, d jwt.Definition, o *jwt.Options, keys ...string) *jwt.Verifier {
	t.Helper()
	if len(keys) == 0 {
		keys = []string{secret}
	}
	v, err := jwt.New(d, verify.Secrets(keys...), o)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestToken: each token differs from the accepted one in one thing.
func TestToken(t *testing.T) {
	c := text(genuine())
	good := join("HS256", header, c, secret)
	parts := strings.Split(good, ".")
	hs := func(header string) string { return join("HS256", header, c, secret) }
	of := func(claims string) string { return join("HS256", header, claims, secret) }
	in := func(member string) string { return hs(`{"alg":"HS256","typ":"JWT",` + member + `}`) }
	// last changes the unused bits of the last character of a part.
	last := func(part string) string {
		const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
		return part[:len(part)-1] + string(alphabet[strings.IndexByte(alphabet, part[len(part)-1])|1])
	}
	spare := of(c + strings.Repeat(" ", (3-len(c)%3+1)%3)) // claims whose base64 ends in unused bits
	for _, tt := range []struct {
		name   string
		values []string
		want   verify.Reason // 0: accepted
	}{
		{"a good token", []string{good}, 0},
		{"no header", nil, verify.ErrUnsigned},
		{"an empty header", []string{""}, verify.ErrUnsigned},
		{"two tokens", []string{good, good}, verify.ErrMalformed},
		{"two tokens in one header", []string{good + "," + good}, verify.ErrMalformed},
		{"a token and a blank", []string{good + " "}, verify.ErrMalformed},
		{"Bearer in front", []string{"Bearer " + good}, verify.ErrMalformed},
		{"two parts", []string{parts[0] + "." + parts[1]}, verify.ErrMalformed},
		{"four parts", []string{good + ".AA"}, verify.ErrMalformed},
		{"an empty part behind", []string{good + "."}, verify.ErrMalformed},
		{"no claims", []string{parts[0] + ".." + parts[2]}, verify.ErrMalformed},
		{"the JSON serialization", []string{`{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` + parts[2] + `"}`}, verify.ErrMalformed},
		{"padding", []string{good + "="}, verify.ErrMalformed},
		{"a line break in base64", []string{parts[0] + "." + parts[1] + "." + parts[2][:10] + "\n" + parts[2][10:]}, verify.ErrMalformed},
		{"the alphabet of standard base64", []string{strings.NewReplacer("-", "+", "_", "/").Replace(join("HS256", header, text(with(genuine(), "note", "???>>>~~~")), secret))}, verify.ErrMalformed},
		{"the same alphabet in its own way", []string{join("HS256", header, text(with(genuine(), "note", "???>>>~~~")), secret)}, 0},
		{"unused bits in the signature", []string{parts[0] + "." + parts[1] + "." + last(parts[2])}, verify.ErrMalformed},
		{"claims that end in unused bits", []string{spare}, 0},
		{"unused bits in the claims", []string{strings.Split(spare, ".")[0] + "." + last(strings.Split(spare, ".")[1]) + "." + strings.Split(spare, ".")[2]}, verify.ErrMalformed},
		{"8 KiB", []string{of(text(with(genuine(), "note", strings.Repeat("x", 5700))))}, 0},
		{"more than 8 KiB", []string{of(text(with(genuine(), "note", strings.Repeat("x", 5900))))}, verify.ErrMalformed},

		{"no signature", []string{parts[0] + "." + parts[1] + "."}, verify.ErrMalformed},
		{"a signature that is cut", []string{good[:len(good)-4]}, verify.ErrMalformed},
		{"another secret's signature", []string{join("HS256", header, c, other)}, verify.ErrMismatch},
		{"the signature of other claims", []string{parts[0] + "." + strings.Split(of(text(with(genuine(), "account", "a2"))), ".")[1] + "." + parts[2]}, verify.ErrMismatch},

		{"the algorithm none", []string{join("none", `{"alg":"none","typ":"JWT"}`, c, nil)}, verify.ErrUnsigned},
		{"the algorithm none with a signature", []string{hs(`{"alg":"none","typ":"JWT"}`)}, verify.ErrUnsigned},
		{"the algorithm None", []string{hs(`{"alg":"None","typ":"JWT"}`)}, verify.ErrUnsigned},
		{"no algorithm", []string{hs(`{"typ":"JWT"}`)}, verify.ErrUnsigned},
		{"an algorithm in other letters", []string{hs(`{"alg":"hs256","typ":"JWT"}`)}, verify.ErrUnsigned},
		{"an algorithm that is a list", []string{hs(`{"alg":["HS256"],"typ":"JWT"}`)}, verify.ErrUnsigned},
		{"a stronger algorithm than the sender's", []string{join("HS512", `{"alg":"HS512","typ":"JWT"}`, c, secret)}, verify.ErrUnsigned},
		{"a public key's algorithm", []string{join("RS256", `{"alg":"RS256","typ":"JWT"}`, c, private().rsa)}, verify.ErrUnsigned},

		{"no typ", []string{hs(`{"alg":"HS256"}`)}, 0},
		{"another typ", []string{hs(`{"alg":"HS256","typ":"at+jwt"}`)}, verify.ErrMalformed},
		{"a typ that is a number", []string{hs(`{"alg":"HS256","typ":1}`)}, verify.ErrMalformed},
		{"a member that is not known", []string{in(`"x":1`)}, 0},
		{"a kid", []string{in(`"kid":"../../etc/passwd"`)}, 0}, // nobody looks for it
		{"a kid that is a number", []string{in(`"kid":1`)}, verify.ErrMalformed},
		{"crit", []string{in(`"crit":["exp"]`)}, verify.ErrMalformed},
		{"jku", []string{in(`"jku":"https://evil.example/keys"`)}, verify.ErrMalformed},
		{"x5u", []string{in(`"x5u":"https://evil.example/cert"`)}, verify.ErrMalformed},
		{"x5c", []string{in(`"x5c":[]`)}, verify.ErrMalformed},
		{"jwk", []string{in(`"jwk":{}`)}, verify.ErrMalformed},
		{"b64", []string{in(`"b64":true`)}, verify.ErrMalformed},
		{"cty", []string{in(`"cty":"JWT"`)}, verify.ErrMalformed},
		{"zip", []string{in(`"zip":"DEF"`)}, verify.ErrMalformed},
		{"a name twice in the header", []string{hs(`{"alg":"none","alg":"HS256","typ":"JWT"}`)}, verify.ErrMalformed},
		{"a name twice in the header, once with an escape", []string{hs(`{"a\u006cg":"none","alg":"HS256","typ":"JWT"}`)}, verify.ErrMalformed},
		{"a header with something behind", []string{hs(header + `{}`)}, verify.ErrMalformed},
		{"a header that is a list", []string{hs(`[` + header + `]`)}, verify.ErrMalformed},
		{"a header that is null", []string{hs(`null`)}, verify.ErrMalformed},

		{"claims with a name twice", []string{of(`{"sub":"x",` + c[1:])}, verify.ErrMalformed},
		{"claims with a name twice further in", []string{of(`{"x":[{"y":1,"y":2}],` + c[1:])}, verify.ErrMalformed},
		{"claims with a name further in again", []string{of(`{"x":[{"sub":1},{"sub":2}],` + c[1:])}, 0},
		{"claims in another order", []string{of(`{"account":"a1",` + strings.Replace(c[1:], `"account":"a1",`, "", 1))}, 0},
		{"claims with something behind", []string{of(c + `1`)}, verify.ErrMalformed},
		{"claims that are no JSON", []string{of(c[:len(c)-1])}, verify.ErrMalformed},
		{"claims that are a text", []string{of(`"` + hexOf("") + `"`)}, verify.ErrMalformed},
		{"claims that are no UTF-8", []string{of(`{"x":"` + "\xff" + `",` + c[1:])}, verify.ErrMalformed},
		{"names in other letters", []string{of(strings.Replace(c, `"sub"`, `"Sub"`, 1))}, verify.ErrMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := verify.Verify(context.Background(), verifier(t, acme(), acmeOptions()), head(tt.values...), []byte(event))
			if got := verify.ReasonOf(err); got != tt.want || (d == nil) != (err != nil) {
				t.Fatalf("%v (%v), want %v", got, err, tt.want)
			}
		})
	}
}

// TestClaims: the claims that are not changed are good.
func TestClaims(t *testing.T) {
	for _, tt := range []struct {
		name  string
		claim string
		value any // nil: it is not there
		want  verify.Reason
	}{
		{"all good", "extra", 1, 0},
		{"another issuer", "iss", "acme", verify.ErrMismatch},
		{"no issuer", "iss", nil, verify.ErrMalformed},
		{"an empty issuer", "iss", "", verify.ErrMalformed},
		{"another audience", "aud", "shop2", verify.ErrMismatch},
		{"a list of the audience", "aud", []string{"shop"}, verify.ErrMalformed},
		{"no audience", "aud", nil, verify.ErrMalformed},
		{"another URL", "sub", hook + "c", verify.ErrMismatch},
		{"the URL with a slash more", "sub", strings.Replace(hook, "acme", "acme/", 1), verify.ErrMismatch},
		{"the hash of another URL", "url_hash", b64(make([]byte, 32)), verify.ErrMismatch},
		{"the hash of the URL in hexadecimal", "url_hash", hexOf(hook), verify.ErrMismatch},
		{"not verified", "verified", false, verify.ErrMismatch},
		{"verified as a text", "verified", "true", verify.ErrMalformed},
		{"verified as a number", "verified", 1, verify.ErrMalformed},
		{"verified as null", "verified", json.RawMessage("null"), verify.ErrMalformed},
		{"another account", "account", "a2", 0},
		{"no account", "account", nil, verify.ErrMalformed},
		{"an account that is an object", "account", claims{}, verify.ErrMalformed},
		{"the hash of another body", "body", hexOf("{}"), verify.ErrMismatch},
		{"the hash in upper case", "body", strings.ToUpper(hexOf(event)), verify.ErrMismatch},
		{"the hash in base64", "body", base64.StdEncoding.EncodeToString(make([]byte, 32)), verify.ErrMismatch},
		{"half of the hash", "body", hexOf(event)[:32], verify.ErrMismatch},
		{"no hash", "body", nil, verify.ErrMalformed},
		{"an empty hash", "body", "", verify.ErrMalformed},
		{"no id", "jti", nil, verify.ErrMalformed},
		{"an id of 128 bytes", "jti", strings.Repeat("x", 128), 0},
		{"an id of 129 bytes", "jti", strings.Repeat("x", 129), verify.ErrMalformed},
		{"an id with a blank", "jti", "msg 1", verify.ErrMalformed},
		{"an id that is a number", "jti", 1, verify.ErrMalformed},

		{"no time", "iat", nil, verify.ErrMalformed},
		{"as old as it may be", "iat", now.Add(-5 * time.Minute).Unix(), 0},
		{"a second older", "iat", now.Add(-5*time.Minute - time.Second).Unix(), verify.ErrTooOld},
		{"as far ahead as it may be", "iat", now.Add(30 * time.Second).Unix(), 0},
		{"a second further", "iat", now.Add(31 * time.Second).Unix(), verify.ErrTooNew},
		{"a time with a fraction", "iat", json.Number(fmt.Sprint(now.Unix(), ".0")), verify.ErrMalformed},
		{"a time with an exponent", "iat", json.Number("1e9"), verify.ErrMalformed},
		{"a time that is a text", "iat", fmt.Sprint(now.Unix()), verify.ErrMalformed},
		{"a negative time", "iat", -1, verify.ErrMalformed},
		{"a time of 20 digits", "iat", json.Number("19999999999999999999"), verify.ErrMalformed},
		{"a time in milliseconds", "iat", now.UnixMilli(), verify.ErrMalformed},
		{"no expiry", "exp", nil, verify.ErrMalformed},
		{"expired within the leeway", "exp", now.Add(-10 * time.Second).Unix(), 0},
		{"expired a second longer ago", "exp", now.Add(-11 * time.Second).Unix(), verify.ErrTooOld},
		{"an expiry that is a text", "exp", fmt.Sprint(now.Add(time.Minute).Unix()), verify.ErrMalformed},
		{"an expiry in the year 30000", "exp", json.Number("884541340800"), 0},
		{"valid within the leeway", "nbf", now.Add(10 * time.Second).Unix(), 0},
		{"valid a second later", "nbf", now.Add(11 * time.Second).Unix(), verify.ErrTooNew},
		{"a begin that is null", "nbf", json.RawMessage("null"), verify.ErrMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			token := join("HS256", header, text(with(genuine(), tt.claim, tt.value)), secret)
			d, err := verify.Verify(context.Background(), verifier(t, acme(), acmeOptions()), head(token), []byte(event))
			if got := verify.ReasonOf(err); got != tt.want || (d == nil) != (err != nil) {
				t.Fatalf("%v (%v), want %v", got, err, tt.want)
			}
			if err != nil && (strings.Contains(err.Error(), "shop") || strings.Contains(err.Error(), hexOf(event)) || strings.Contains(err.Error(), "msg")) {
				t.Errorf("the error repeats a claim: %v", err)
			}
		})
	}

	t.Run("that the endpoint gives besides", func(t *testing.T) {
		for account, want := range map[string]verify.Reason{"a1": 0, "a2": verify.ErrMismatch} {
			o := acmeOptions()
			o.Claims["account"] = account
			token := join("HS256", header, text(genuine()), secret)
			if _, err := verify.Verify(context.Background(), verifier(t, acme(), o), head(token), []byte(event)); verify.ReasonOf(err) != want {
				t.Errorf("account %s: %v", account, err)
			}
		}
	})
}

func TestAlgorithms(t *testing.T) {
	k := private()
	keys := map[string]struct {
		private any
		key     string
	}{
		"HS256": {secret, secret}, "HS384": {secret, secret}, "HS512": {secret, secret},
		"RS256": {k.rsa, spki(&k.rsa.PublicKey)}, "ES256": {k.p256, spki(&k.p256.PublicKey)}, "EdDSA": {k.ed25519, spki(k.ed25519.Public())},
	}
	for mine, key := range keys {
		for theirs, signer := range keys {
			t.Run("a token of "+theirs+" for a sender of "+mine, func(t *testing.T) {
				d := acme()
				d.Algorithms = []jwt.Algorithm{jwt.Algorithm(mine)}
				v := verifier(t, d, acmeOptions(), key.key)
				want := verify.ErrUnsigned
				if mine == theirs {
					want = 0
				}
				token := join(theirs, `{"alg":"`+theirs+`"}`, text(genuine()), signer.private)
				if _, err := verify.Verify(context.Background(), v, head(token), []byte(event)); verify.ReasonOf(err) != want {
					t.Errorf("%v, want %v", err, want)
				}
			})
		}
	}
	t.Run("several of HMAC", func(t *testing.T) {
		d := acme()
		d.Algorithms = []jwt.Algorithm{jwt.HS256, jwt.HS384}
		for theirs, want := range map[string]verify.Reason{"HS256": 0, "HS384": 0, "HS512": verify.ErrUnsigned} {
			token := join(theirs, `{"alg":"`+theirs+`"}`, text(genuine()), secret)
			if _, err := verify.Verify(context.Background(), verifier(t, d, acmeOptions()), head(token), []byte(event)); verify.ReasonOf(err) != want {
				t.Errorf("%s: %v, want %v", theirs, err, want)
			}
		}
	})
	t.Run("a longer algorithm under a short secret", func(t *testing.T) {
		d := acme()
		d.Algorithms = []jwt.Algorithm{jwt.HS256, jwt.HS384}
		for theirs, want := range map[string]verify.Reason{"HS256": 0, "HS384": verify.ErrMismatch} {
			token := join(theirs, `{"alg":"`+theirs+`"}`, text(genuine()), secret[:40])
			if _, err := verify.Verify(context.Background(), verifier(t, d, acmeOptions(), secret[:40]), head(token), []byte(event)); verify.ReasonOf(err) != want {
				t.Errorf("%s: %v, want %v", theirs, err, want)
			}
		}
	})
	t.Run("PSS is not PKCS #1 v1.5", func(t *testing.T) {
		d := acme()
		d.Algorithms = []jwt.Algorithm{jwt.RS256}
		signed := b64([]byte(`{"alg":"RS256"}`)) + "." + b64([]byte(text(genuine())))
		v := verifier(t, d, acmeOptions(), spki(&k.rsa.PublicKey))
		for algorithm, want := range map[string]verify.Reason{"RS256": 0, "PS256": verify.ErrMismatch} {
			token := signed + "." + b64(sign(algorithm, signed, k.rsa))
			if _, err := verify.Verify(context.Background(), v, head(token), []byte(event)); verify.ReasonOf(err) != want {
				t.Errorf("%s: %v, want %v", algorithm, err, want)
			}
		}
	})
	t.Run("an HMAC with the text of a public key", func(t *testing.T) {
		d := acme()
		d.Algorithms = []jwt.Algorithm{jwt.RS256}
		v := verifier(t, d, acmeOptions(), spki(&k.rsa.PublicKey))
		der, err := base64.StdEncoding.DecodeString(spki(&k.rsa.PublicKey))
		if err != nil {
			t.Fatal(err)
		}
		block := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
		for _, key := range []string{spki(&k.rsa.PublicKey), string(der), block, strings.TrimSpace(block)} {
			for _, header := range []string{`{"alg":"HS256"}`, `{"alg":"RS256"}`} {
				token := join("HS256", header, text(genuine()), key)
				if _, err := verify.Verify(context.Background(), v, head(token), []byte(event)); err == nil {
					t.Error("accepted")
				}
			}
		}
		if v, err := jwt.New(acme(), verify.Secrets(spki(&k.rsa.PublicKey)), acmeOptions()); err == nil {
			t.Errorf("New made %v of a public key for HMAC", v)
		}
	})
}

func TestBodyHash(t *testing.T) {
	sum := sha256.Sum256([]byte(event))
	for _, tt := range []struct {
		name     string
		encoding jwt.Encoding
		value    string
		good     bool
	}{
		{"hexadecimal", jwt.Hex, hex.EncodeToString(sum[:]), true},
		{"hexadecimal in upper case", jwt.Hex, strings.ToUpper(hex.EncodeToString(sum[:])), false},
		{"base64", jwt.Base64, base64.StdEncoding.EncodeToString(sum[:]), true},
		{"base64 without padding", jwt.Base64, base64.RawStdEncoding.EncodeToString(sum[:]), false},
		{"base64url", jwt.Base64URL, base64.RawURLEncoding.EncodeToString(sum[:]), true},
		{"base64url with padding", jwt.Base64URL, base64.URLEncoding.EncodeToString(sum[:]), true},
		{"base64url with more padding", jwt.Base64URL, base64.URLEncoding.EncodeToString(sum[:]) + "=", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := acme()
			d.Body.Encoding = tt.encoding
			token := join("HS256", header, text(with(genuine(), "body", tt.value)), secret)
			if _, err := verify.Verify(context.Background(), verifier(t, d, acmeOptions()), head(token), []byte(event)); (err == nil) != tt.good {
				t.Error(err)
			}
		})
	}

	t.Run("is absent with an empty body, and only with one", func(t *testing.T) {
		for _, tt := range []struct {
			claim any
			body  string
			want  verify.Reason
		}{
			{hexOf(event), event, 0},
			{nil, "", 0},
			{hexOf(""), "", verify.ErrMismatch},
			{nil, event, verify.ErrMismatch},
			{"", "", verify.ErrMalformed},
			{json.RawMessage("null"), "", verify.ErrMalformed},
		} {
			d := acme()
			d.Body.AbsentIfEmpty = true
			token := join("HS256", header, text(with(genuine(), "body", tt.claim)), secret)
			if _, err := verify.Verify(context.Background(), verifier(t, d, acmeOptions()), head(token), []byte(tt.body)); verify.ReasonOf(err) != tt.want {
				t.Errorf("claim %v, body %q: %v, want %v", tt.claim, tt.body, err, tt.want)
			}
		}
	})
}

// open is a sender whose token does not cover the body.
func open() (jwt.Definition, *jwt.Options) {
	d := acme()
	d.Body, d.ID = jwt.BodyHash{}, ""
	o := acmeOptions()
	o.InsecureBodyNotCovered = true
	return d, o
}

func TestBodyNotCovered(t *testing.T) {
	d, o := open()
	v := verifier(t, d, o)
	token := join("HS256", header, text(genuine()), secret)
	t.Run("is said in the profile and the delivery", func(t *testing.T) {
		if v.Profile().Binding != verify.BindingNone || !strings.Contains(v.About().Signed, "not the body") {
			t.Errorf("the profile is %+v, what is signed %q", v.Profile(), v.About().Signed)
		}
	})
	t.Run("bodies under one token are events of their own", func(t *testing.T) {
		var all []*verify.Delivery
		for _, body := range []string{event, `{}`, event, ``} {
			got, err := verify.Verify(context.Background(), v, head(token), []byte(body))
			if err != nil {
				t.Fatal(err)
			}
			if got.Binding != verify.BindingNone || got.ID != "" || got.MessageID != "" {
				t.Errorf("the delivery is %+v", got)
			}
			all = append(all, got)
		}
		if !all[0].Fingerprint.Equal(all[2].Fingerprint) {
			t.Error("a repeat is taken for another event")
		}
		if all[0].Fingerprint.Equal(all[1].Fingerprint) || all[1].Fingerprint.Equal(all[3].Fingerprint) {
			t.Error("another body is taken for a repeat")
		}
	})
	t.Run("has to be known", func(t *testing.T) {
		o.InsecureBodyNotCovered = false
		if v, err := jwt.New(d, verify.Secrets(secret), o); err == nil || !strings.Contains(err.Error(), "InsecureBodyNotCovered") {
			t.Errorf("New made %v, error: %v", v, err)
		}
		covered := acmeOptions()
		covered.InsecureBodyNotCovered = true
		if v, err := jwt.New(acme(), verify.Secrets(secret), covered); err == nil {
			t.Errorf("New made %v although the token covers the body", v)
		}
	})
}

func TestNew(t *testing.T) {
	for _, tt := range []struct {
		name string
		edit func(d *jwt.Definition, o *jwt.Options)
		says string // "": it is made
	}{
		{"as it is", func(*jwt.Definition, *jwt.Options) {}, ""},
		{"no provider", func(d *jwt.Definition, _ *jwt.Options) { d.Provider = "" }, "Provider"},
		{"a provider with a hyphen", func(d *jwt.Definition, _ *jwt.Options) { d.Provider = "ac-me" }, "Provider"},
		{"no header", func(d *jwt.Definition, _ *jwt.Options) { d.Header = "" }, "Header"},
		{"a header with a blank", func(d *jwt.Definition, _ *jwt.Options) { d.Header = "a b" }, "Header"},
		{"no algorithm", func(d *jwt.Definition, _ *jwt.Options) { d.Algorithms = nil }, "no algorithm"},
		{"none", func(d *jwt.Definition, _ *jwt.Options) { d.Algorithms = []jwt.Algorithm{"none"} }, "unknown"},
		{"HMAC beside RSA", func(d *jwt.Definition, _ *jwt.Options) { d.Algorithms = []jwt.Algorithm{jwt.HS256, jwt.RS256} }, "HMAC alone"},
		{"no MaxBody", func(d *jwt.Definition, _ *jwt.Options) { d.MaxBody = 0 }, "MaxBody"},
		{"no Retry", func(d *jwt.Definition, _ *jwt.Options) { d.Retry = 0 }, "Retry"},
		{"a negative Retention", func(d *jwt.Definition, _ *jwt.Options) { d.Retention = -1 }, "Retention"},
		{"an unknown encoding", func(d *jwt.Definition, _ *jwt.Options) { d.Body.Encoding = 9 }, "encoding"},
		{"an unknown encoding of a claim", func(d *jwt.Definition, _ *jwt.Options) { d.Claims = append(d.Claims, jwt.URLHash("x", 9)) }, "encoding"},
		{"an unknown time", func(d *jwt.Definition, _ *jwt.Options) { d.Time.Claim = "exp" }, "Time.Claim"},
		{"a window without a time", func(d *jwt.Definition, _ *jwt.Options) { d.Time.Claim = "" }, "Time.Claim"},
		{"a time without a window", func(d *jwt.Definition, _ *jwt.Options) { d.Time.Window = verify.Window{} }, "Time.Window"},
		{"a long leeway", func(d *jwt.Definition, _ *jwt.Options) { d.Time.Leeway = time.Hour }, "Leeway"},
		{"a claim that is none", func(d *jwt.Definition, _ *jwt.Options) { d.Claims = append(d.Claims, jwt.Claim{}) }, "function"},
		{"two rules for a claim", func(d *jwt.Definition, _ *jwt.Options) { d.Claims = append(d.Claims, jwt.Present("iss")) }, "two rules"},
		{"a rule for the body's claim", func(d *jwt.Definition, _ *jwt.Options) { d.Claims = append(d.Claims, jwt.Present("body")) }, "two rules"},
		{"a rule for exp", func(d *jwt.Definition, _ *jwt.Options) { d.Claims = append(d.Claims, jwt.Present("exp")) }, "Time's"},
		{"a claim equal to nothing", func(d *jwt.Definition, _ *jwt.Options) { d.Claims = append(d.Claims, jwt.Equal("x", "")) }, "nothing"},
		{"an id without a body", func(d *jwt.Definition, _ *jwt.Options) { d.Body = jwt.BodyHash{} }, "ID needs Body"},

		{"no URL", func(_ *jwt.Definition, o *jwt.Options) { o.URL = "" }, "Options.URL"},
		{"a URL without a host", func(_ *jwt.Definition, o *jwt.Options) { o.URL = "/hooks" }, "Options.URL"},
		{"a URL with a blank", func(_ *jwt.Definition, o *jwt.Options) { o.URL = hook + " " }, "Options.URL"},
		{"a URL for a sender that signs none", func(d *jwt.Definition, _ *jwt.Options) { d.Claims = []jwt.Claim{jwt.Given("aud")} }, "does not sign the URL"},
		{"no audience", func(_ *jwt.Definition, o *jwt.Options) { o.Claims = nil }, "must say which aud"},
		{"an empty audience", func(_ *jwt.Definition, o *jwt.Options) { o.Claims["aud"] = "" }, "environment variable"},
		{"another issuer", func(_ *jwt.Definition, o *jwt.Options) { o.Claims["iss"] = "Acme" }, "which the definition sets"},
		{"a claim of one's own", func(_ *jwt.Definition, o *jwt.Options) { o.Claims["app"] = "7" }, ""},
		{"an empty claim of one's own", func(_ *jwt.Definition, o *jwt.Options) { o.Claims["app"] = "" }, "environment variable"},
		{"a time of one's own", func(_ *jwt.Definition, o *jwt.Options) { o.Claims["exp"] = "1" }, "not the endpoint's"},
		{"a body of one's own", func(_ *jwt.Definition, o *jwt.Options) { o.Claims["body"] = "1" }, "not the endpoint's"},
		{"a narrower window", func(_ *jwt.Definition, o *jwt.Options) { o.Window.Past = time.Minute }, ""},
		{"a wider window", func(_ *jwt.Definition, o *jwt.Options) { o.Window.Past = time.Hour }, "narrow"},
		{"a negative window", func(_ *jwt.Definition, o *jwt.Options) { o.Window.Future = -1 }, "narrow"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, o := acme(), acmeOptions()
			tt.edit(&d, o)
			v, err := jwt.New(d, verify.Secrets(secret), o)
			if tt.says == "" && err != nil || tt.says != "" && (err == nil || v != nil || !strings.Contains(err.Error(), tt.says)) {
				t.Errorf("the error is %v, want one with %q", err, tt.says)
			}
		})
	}

	t.Run("a secret under 32 bytes", func(t *testing.T) {
		for length, good := range map[int]bool{31: false, 32: true} {
			_, err := jwt.New(acme(), verify.Secrets(secret[:length]), acmeOptions())
			if good != (err == nil) || err != nil && (!strings.Contains(err.Error(), "at least 32") || strings.Contains(err.Error(), secret[:length])) {
				t.Errorf("%d bytes: %v", length, err)
			}
		}
	})
	t.Run("a key of another algorithm", func(t *testing.T) {
		k := private()
		keys := map[jwt.Algorithm]string{jwt.RS256: spki(&k.rsa.PublicKey), jwt.ES256: spki(&k.p256.PublicKey), jwt.EdDSA: spki(k.ed25519.Public()), jwt.HS256: secret}
		for algorithm := range keys {
			for theirs, key := range keys {
				d := acme()
				d.Algorithms = []jwt.Algorithm{algorithm}
				if _, err := jwt.New(d, verify.Secrets(key), acmeOptions()); (err == nil) != (algorithm == theirs) {
					t.Errorf("a key of %s for %s: %v", theirs, algorithm, err)
				}
			}
		}
	})
	t.Run("an Ed25519 key in hexadecimal", func(t *testing.T) {
		d := acme()
		d.Algorithms = []jwt.Algorithm{jwt.EdDSA}
		key := hex.EncodeToString(private().ed25519.Public().(ed25519.PublicKey))
		token := join("EdDSA", `{"alg":"EdDSA"}`, text(genuine()), private().ed25519)
		if _, err := verify.Verify(context.Background(), verifier(t, d, acmeOptions(), key), head(token), []byte(event)); err != nil {
			t.Error(err)
		}
	})
	t.Run("a narrower window is one", func(t *testing.T) {
		o := acmeOptions()
		o.Window = verify.Window{Past: time.Minute, Future: time.Second}
		v := verifier(t, acme(), o)
		if v.Profile().Window != o.Window {
			t.Errorf("the window is %+v", v.Profile().Window)
		}
		for at, want := range map[time.Duration]verify.Reason{
			-time.Minute: 0, -time.Minute - time.Second: verify.ErrTooOld, time.Second: 0, 2 * time.Second: verify.ErrTooNew,
		} {
			token := join("HS256", header, text(with(genuine(), "iat", now.Add(at).Unix())), secret)
			if _, err := verify.Verify(context.Background(), v, head(token), []byte(event)); verify.ReasonOf(err) != want {
				t.Errorf("%v: %v, want %v", at, err, want)
			}
		}
	})
	t.Run("what the caller changes later changes nothing", func(t *testing.T) {
		d, o := acme(), acmeOptions()
		v := verifier(t, d, o)
		d.Claims[0], d.Algorithms[0], o.Claims["aud"], o.URL = jwt.Equal("iss", "x"), jwt.RS256, "x", "x"
		token := join("HS256", header, text(genuine()), secret)
		if _, err := verify.Verify(context.Background(), v, head(token), []byte(event)); err != nil {
			t.Error(err)
		}
	})
}

// TestBattery runs the battery of every verifier.
func TestBattery(t *testing.T) {
	secrets := []string{secret, other, strings.Repeat("Kp3x", 16), strings.Repeat("Zm7q", 16), strings.Repeat("Vb9w", 16)}
	sum := func(body []byte) string { return hexOf(string(body)) }
	events := []providertest.Event{{Name: "paid", Body: []byte(event)}, {Name: "voided", Body: []byte(`{"type":"invoice.voided","id":"evt_2"}`)}}
	subject := func(d jwt.Definition, o *jwt.Options, algorithm string) providertest.Subject {
		profile, err := d.Profile()
		if err != nil {
			t.Fatal(err)
		}
		return providertest.Subject{
			New: func(keys verify.KeySource) (verify.Verifier, error) { return jwt.New(d, keys, o) },
			Sign: func(at time.Time, _ *url.URL, body []byte, secrets ...string) http.Header {
				c := with(with(genuine(), "iat", at.Unix()), "exp", at.Add(time.Hour).Unix())
				if d.Body.Claim != "" {
					c["body"] = sum(body)
				}
				return http.Header{"Acme-Signature": {join(algorithm, `{"alg":"`+algorithm+`"}`, text(c), secrets[0])}}
			},
			Profile: profile,
			Events:  events,
			Secrets: secrets,
			Headers: []string{"Acme-Signature"},
			// The alphabet of standard base64, in which the battery looks for it.
			Signature: func(token string) string {
				signature := token[strings.LastIndexByte(token, '.')+1:]
				return strings.NewReplacer("-", "+", "_", "/").Replace(signature)
			},
		}
	}
	t.Run("HMAC over the body", func(t *testing.T) {
		s := subject(acme(), acmeOptions(), "HS256")
		s.Events = []providertest.Event{{Name: "paid", Body: events[0].Body, ID: "msg_1"}, {Name: "voided", Body: events[1].Body, ID: "msg_1"}}
		providertest.Exercise(t, s)
	})
	t.Run("HMAC without the body", func(t *testing.T) {
		d, o := open()
		providertest.Exercise(t, subject(d, o, "HS256"))
	})
	t.Run("no time", func(t *testing.T) {
		d := acme()
		d.Time, d.ID = jwt.Time{}, ""
		s := subject(d, acmeOptions(), "HS256")
		s.Sign = func(_ time.Time, _ *url.URL, body []byte, secrets ...string) http.Header {
			c := with(with(with(genuine(), "iat", nil), "exp", nil), "body", sum(body))
			return http.Header{"Acme-Signature": {join("HS256", header, text(c), secrets[0])}}
		}
		providertest.Exercise(t, s)
	})
	for algorithm, key := range map[jwt.Algorithm]struct {
		private any
		public  string
	}{
		jwt.ES256: {private().p256, spki(&private().p256.PublicKey)},
		jwt.EdDSA: {private().ed25519, spki(private().ed25519.Public())},
	} {
		t.Run("a public key for "+string(algorithm), func(t *testing.T) {
			d := acme()
			d.Algorithms, d.ID = []jwt.Algorithm{algorithm}, ""
			s := subject(d, acmeOptions(), string(algorithm))
			s.Secrets = nil
			s.New = func(verify.KeySource) (verify.Verifier, error) {
				return jwt.New(d, verify.PublicKeys(key.public), acmeOptions())
			}
			cached := make(map[string]string) // so that ECDSA signs a message once
			s.Sign = func(at time.Time, _ *url.URL, body []byte, _ ...string) http.Header {
				c := text(with(with(with(genuine(), "iat", at.Unix()), "exp", at.Add(time.Hour).Unix()), "body", sum(body)))
				if cached[c] == "" {
					cached[c] = join(string(algorithm), `{"alg":"`+string(algorithm)+`"}`, c, key.private)
				}
				return http.Header{"Acme-Signature": {cached[c]}}
			}
			providertest.Exercise(t, s)
		})
	}
}

// base64Of is the SHA-256 of a text in base64.
func base64Of(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.StdEncoding.EncodeToString(sum[:])
}
