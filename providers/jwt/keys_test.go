package jwt_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/jwt"
	"github.com/hooknotary/hooknotary/providers/jwt/fusionauth"
	"github.com/hooknotary/hooknotary/providers/jwt/livekit"
	"github.com/hooknotary/hooknotary/providers/jwt/messagebird"
	"github.com/hooknotary/hooknotary/providers/jwt/monday"
	"github.com/hooknotary/hooknotary/providers/jwt/netlify"
	"github.com/hooknotary/hooknotary/providers/jwt/plaid"
	"github.com/hooknotary/hooknotary/providers/jwt/pubsub"
	"github.com/hooknotary/hooknotary/providers/jwt/qstash"
	"github.com/hooknotary/hooknotary/providers/jwt/saleor"
	"github.com/hooknotary/hooknotary/providers/jwt/vonage"
	"github.com/hooknotary/hooknotary/providers/keyfetch"
	"github.com/hooknotary/hooknotary/providers/providertest"
	"github.com/hooknotary/hooknotary/verify"
)

// remote is the other end of a transport: it notes requests, and responds with a text.
type remote struct {
	requests []string // "METHOD URL body"
	status   int
	text     string
}

func (r *remote) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		body, _ = io.ReadAll(req.Body)
	}
	r.requests = append(r.requests, strings.TrimSpace(req.Method+" "+req.URL.String()+" "+string(body)))
	return &http.Response{
		StatusCode: r.status, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(r.text)), Request: req,
	}, nil
}

func jwkOf(k *ecdsa.PublicKey, kid string) claims {
	point, err := k.Bytes()
	if err != nil {
		panic(err)
	}
	return claims{"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": kid, "x": b64(point[1:33]), "y": b64(point[33:])}
}

// byKeyID is a sender whose tokens name a key.
func byKeyID(t *testing.T, r *remote) (jwt.Definition, *jwt.Verifier) {
	t.Helper()
	d := acme()
	d.Algorithms = []jwt.Algorithm{jwt.ES256}
	fetcher, err := keyfetch.New(keyfetch.Endpoint{URL: "https://acme.example/keys/{id}", Kind: keyfetch.P256}, &keyfetch.Options{Transport: r})
	if err != nil {
		t.Fatal(err)
	}
	v, err := jwt.New(d, d.ByKeyID(fetcher), acmeOptions())
	if err != nil {
		t.Fatal(err)
	}
	return d, v
}

func TestByKeyID(t *testing.T) {
	k := private().p256
	for _, tt := range []struct {
		name     string
		header   string
		status   int
		text     string
		begin    verify.Reason // of Begin
		finish   verify.Reason // of Finish
		requests int
	}{
		{"a key that is known", `{"alg":"ES256","kid":"k1"}`, 200, text(jwkOf(&k.PublicKey, "k1")), 0, 0, 1},
		{"a key that is not known", `{"alg":"ES256","kid":"k1"}`, 404, "", 0, verify.ErrNoKey, 1},
		{"a key of another id", `{"alg":"ES256","kid":"k1"}`, 200, text(jwkOf(&k.PublicKey, "k2")), verify.ErrUnavailable, 0, 1},
		{"a host that fails", `{"alg":"ES256","kid":"k1"}`, 500, "", verify.ErrUnavailable, 0, 1},
		{"no key id", `{"alg":"ES256"}`, 200, text(jwkOf(&k.PublicKey, "k1")), 0, verify.ErrNoKey, 0},
		{"an empty key id", `{"alg":"ES256","kid":""}`, 200, text(jwkOf(&k.PublicKey, "k1")), 0, verify.ErrNoKey, 0},
		{"a key id that leads elsewhere", `{"alg":"ES256","kid":"../admin"}`, 200, text(jwkOf(&k.PublicKey, "k1")), 0, verify.ErrNoKey, 0},
		{"a key id that is a URL", `{"alg":"ES256","kid":"https://evil.example/k1"}`, 200, text(jwkOf(&k.PublicKey, "k1")), 0, verify.ErrNoKey, 0},
		{"a key id that is long", `{"alg":"ES256","kid":"` + strings.Repeat("k", 129) + `"}`, 200, text(jwkOf(&k.PublicKey, "k1")), 0, verify.ErrNoKey, 0},
		{"a key id that is no text", `{"alg":"ES256","kid":["k1"]}`, 200, text(jwkOf(&k.PublicKey, "k1")), verify.ErrMalformed, 0, 0},
		{"another algorithm", `{"alg":"HS256","kid":"k1"}`, 200, text(jwkOf(&k.PublicKey, "k1")), verify.ErrUnsigned, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := &remote{status: tt.status, text: tt.text}
			_, v := byKeyID(t, r)
			for range 2 { // the second time from memory
				p, err := v.Begin(context.Background(), head(join("ES256", tt.header, text(genuine()), k)))
				if verify.ReasonOf(err) != tt.begin {
					t.Fatalf("Begin: %v, want %v", err, tt.begin)
				}
				if err != nil {
					continue
				}
				d, err := p.Finish(context.Background(), []byte(event))
				if verify.ReasonOf(err) != tt.finish {
					t.Fatalf("Finish: %v, want %v", err, tt.finish)
				}
				if err == nil && (d.KeyLabel != "k1" || d.Scope != "default") {
					t.Errorf("the key is %s/%s", d.Scope, d.KeyLabel)
				}
			}
			if len(r.requests) != tt.requests {
				t.Errorf("the host got %q, want %d requests", r.requests, tt.requests)
			}
		})
	}

	t.Run("a head that is refused anyway asks for no key", func(t *testing.T) {
		r := &remote{status: 200, text: text(jwkOf(&k.PublicKey, "k1"))}
		_, v := byKeyID(t, r)
		for _, c := range []claims{with(genuine(), "iat", 1), with(genuine(), "iss", nil), with(genuine(), "exp", nil)} {
			if _, err := v.Begin(context.Background(), head(join("ES256", `{"alg":"ES256","kid":"k1"}`, text(c), k))); err == nil {
				t.Error("Begin went on")
			}
		}
		if len(r.requests) != 0 {
			t.Errorf("the host got %q", r.requests)
		}
	})

	t.Run("a flood of key ids causes few requests", func(t *testing.T) {
		r := &remote{status: 404}
		_, v := byKeyID(t, r)
		for i := range 500 {
			v.Begin(context.Background(), head(join("ES256", fmt.Sprintf(`{"alg":"ES256","kid":"k%d"}`, i), text(genuine()), k)))
		}
		if n := len(r.requests); n < 10 || n > 20 { // a burst of 10, and one a second
			t.Errorf("the host got %d requests", n)
		}
	})
}

func TestByClaim(t *testing.T) {
	d := acme()
	key := func(scope, secret string) verify.Key {
		k, err := verify.NewKey(scope, "1", []byte(secret))
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	table := map[string]verify.Key{"a1": key("north", secret), "a2": key("south", other)}
	source := d.ByClaim("account", func(_ context.Context, account string) ([]verify.Key, error) {
		if account == "broken" {
			return nil, errors.New("no database")
		}
		k, ok := table[account]
		if !ok {
			return nil, verify.ErrNoKey
		}
		return []verify.Key{k}, nil
	})
	v, err := jwt.New(d, source, acmeOptions())
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, account, secret string
		want                  verify.Reason
		scope                 string
	}{
		{"each account has its own secret", "a1", secret, 0, "north"},
		{"and another one the other", "a2", other, 0, "south"},
		{"which signs for nobody else", "a1", other, verify.ErrMismatch, ""},
		{"an unknown account has none", "a3", secret, verify.ErrNoKey, ""},
		{"a source that fails is no verdict", "broken", secret, verify.ErrUnavailable, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			token := join("HS256", header, text(with(genuine(), "account", tt.account)), tt.secret)
			got, err := verify.Verify(context.Background(), v, head(token), []byte(event))
			if verify.ReasonOf(err) != tt.want || err == nil && got.Scope != tt.scope {
				t.Errorf("%v (%v), want %v of %q", got, err, tt.want, tt.scope)
			}
		})
	}
}

// TestKeys: senders whose keys are fetched, against what they document of their hosts.
func TestKeys(t *testing.T) {
	k := private()
	body := []byte(event)
	t.Run("plaid asks its API with the credentials of the client", func(t *testing.T) {
		jwk := jwkOf(&k.p256.PublicKey, "k-1")
		jwk["created_at"], jwk["expired_at"] = 1560466150, nil
		r := &remote{status: 200, text: text(claims{"key": jwk, "request_id": "RZ6Omi1bzzwDaLo"})}
		keys, err := plaid.Keys(plaid.Sandbox, "5f3a1c0b9d7e", "7c1d9f3e5a2b8064", &keyfetch.Options{Transport: r})
		if err != nil {
			t.Fatal(err)
		}
		v, err := plaid.New(keys, nil)
		if err != nil {
			t.Fatal(err)
		}
		token := join("ES256", `{"alg":"ES256","kid":"k-1","typ":"JWT"}`, text(claims{"iat": now.Unix(), "request_body_sha256": hexOf(event)}), k.p256)
		h := &verify.Head{Header: http.Header{"Plaid-Verification": {token}}, ReceivedAt: now}
		if _, err := verify.Verify(context.Background(), v, h, body); err != nil {
			t.Fatal(err)
		}
		want := `POST https://sandbox.plaid.com/webhook_verification_key/get {"client_id":"5f3a1c0b9d7e","key_id":"k-1","secret":"7c1d9f3e5a2b8064"}`
		if len(r.requests) != 1 || r.requests[0] != want {
			t.Errorf("the host got %q", r.requests)
		}
	})
	t.Run("plaid does not know a key that has expired", func(t *testing.T) {
		jwk := jwkOf(&k.p256.PublicKey, "k-1")
		jwk["expired_at"] = 1560466160
		keys, err := plaid.Keys(plaid.Production, "5f3a1c0b9d7e", "7c1d9f3e5a2b8064", &keyfetch.Options{Transport: &remote{status: 200, text: text(claims{"key": jwk})}})
		if err != nil {
			t.Fatal(err)
		}
		v, err := plaid.New(keys, nil)
		if err != nil {
			t.Fatal(err)
		}
		token := join("ES256", `{"alg":"ES256","kid":"k-1","typ":"JWT"}`, text(claims{"iat": now.Unix(), "request_body_sha256": hexOf(event)}), k.p256)
		h := &verify.Head{Header: http.Header{"Plaid-Verification": {token}}, ReceivedAt: now}
		if _, err := verify.Verify(context.Background(), v, h, body); verify.ReasonOf(err) != verify.ErrNoKey {
			t.Errorf("the error is %v", err)
		}
	})
	t.Run("plaid says nothing of its credentials", func(t *testing.T) {
		keys, err := plaid.Keys(plaid.Production, "5f3a1c0b9d7e", "7c1d9f3e5a2b8064", &keyfetch.Options{Transport: &remote{status: 500}})
		if err != nil {
			t.Fatal(err)
		}
		v, err := plaid.New(keys, nil)
		if err != nil {
			t.Fatal(err)
		}
		token := join("ES256", `{"alg":"ES256","kid":"k-1"}`, text(claims{"iat": now.Unix(), "request_body_sha256": hexOf(event)}), k.p256)
		_, err = verify.Verify(context.Background(), v, &verify.Head{Header: http.Header{"Plaid-Verification": {token}}, ReceivedAt: now}, body)
		if printed := fmt.Sprintf("%v %+v %#v %v", err, v, keys, v); err == nil || strings.Contains(printed, "7c1d9f3e5a2b8064") || strings.Contains(printed, "5f3a1c0b9d7e") {
			t.Errorf("printed: %s", printed)
		}
	})
	for what, make := range map[string]func() (verify.KeySource, error){
		"another environment": func() (verify.KeySource, error) { return plaid.Keys("development", "a1b2c3", "d4e5f6", nil) },
		"no client id":        func() (verify.KeySource, error) { return plaid.Keys(plaid.Sandbox, "", "d4e5f6", nil) },
		"no secret":           func() (verify.KeySource, error) { return plaid.Keys(plaid.Sandbox, "a1b2c3", "", nil) },
		"a placeholder":       func() (verify.KeySource, error) { return plaid.Keys(plaid.Sandbox, "a1b2c3", "PLAID_SECRET", nil) },
	} {
		t.Run("plaid wants no "+what, func(t *testing.T) {
			if keys, err := make(); err == nil {
				t.Errorf("Keys made %v", keys)
			}
		})
	}

	rsaKey := claims{"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "g1", "e": "AQAB", "n": b64(k.rsa.N.Bytes())}
	t.Run("pubsub asks Google for its set", func(t *testing.T) {
		r := &remote{status: 200, text: text(claims{"keys": []claims{rsaKey}})}
		keys, err := pubsub.Keys(&keyfetch.Options{Transport: r})
		if err != nil {
			t.Fatal(err)
		}
		v, err := pubsub.New(keys, &jwt.Options{Claims: map[string]string{"aud": hook, "email": "push@shop.iam.gserviceaccount.com"}, InsecureBodyNotCovered: true})
		if err != nil {
			t.Fatal(err)
		}
		c := claims{
			"iss": "https://accounts.google.com", "aud": hook, "email": "push@shop.iam.gserviceaccount.com", "email_verified": true,
			"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
		}
		for kid, want := range map[string]verify.Reason{"g1": 0, "g2": verify.ErrNoKey} {
			token := "Bearer " + join("RS256", `{"alg":"RS256","kid":"`+kid+`","typ":"JWT"}`, text(c), k.rsa)
			h := &verify.Head{Header: http.Header{"Authorization": {token}}, ReceivedAt: now}
			if _, err := verify.Verify(context.Background(), v, h, body); verify.ReasonOf(err) != want {
				t.Errorf("%s: %v, want %v", kid, err, want)
			}
		}
		if len(r.requests) != 1 || r.requests[0] != "GET https://www.googleapis.com/oauth2/v3/certs" {
			t.Errorf("the host got %q", r.requests)
		}
	})

	t.Run("saleor asks the shop that is named", func(t *testing.T) {
		r := &remote{status: 200, text: text(claims{"keys": []claims{with(rsaKey, "kid", "1")}})}
		keys, err := saleor.Keys("https://shop.example/.well-known/jwks.json", &keyfetch.Options{Transport: r})
		if err != nil {
			t.Fatal(err)
		}
		v, err := saleor.New(keys, nil)
		if err != nil {
			t.Fatal(err)
		}
		for kid, want := range map[string]verify.Reason{"1": 0, "2": verify.ErrNoKey} {
			h := &verify.Head{Header: http.Header{"Saleor-Signature": {detached(`{"typ":"JWT","alg":"RS256","kid":"`+kid+`","b64":false}`, event)}}, ReceivedAt: now}
			if _, err := verify.Verify(context.Background(), v, h, body); verify.ReasonOf(err) != want {
				t.Errorf("%s: %v, want %v", kid, err, want)
			}
		}
		if len(r.requests) != 1 || r.requests[0] != "GET https://shop.example/.well-known/jwks.json" {
			t.Errorf("the host got %q", r.requests)
		}
	})

	t.Run("fusionauth asks the FusionAuth that is named", func(t *testing.T) {
		r := &remote{status: 200, text: text(claims{"keys": []claims{rsaKey, jwkOf(&k.p256.PublicKey, "g2")}})}
		keys, err := fusionauth.Keys("https://auth.shop.example/", jwt.ES256, &keyfetch.Options{Transport: r})
		if err != nil {
			t.Fatal(err)
		}
		v, err := fusionauth.New(jwt.ES256, keys, nil)
		if err != nil {
			t.Fatal(err)
		}
		sum := base64Of(event)
		for _, tt := range []struct {
			algorithm, kid string
			key            any
			want           verify.Reason
		}{{"ES256", "g2", k.p256, 0}, {"RS256", "g1", k.rsa, verify.ErrUnsigned}, {"ES256", "g1", k.p256, verify.ErrNoKey}} {
			token := join(tt.algorithm, `{"alg":"`+tt.algorithm+`","kid":"`+tt.kid+`"}`, text(claims{"request_body_sha256": sum}), tt.key)
			h := &verify.Head{Header: http.Header{http.CanonicalHeaderKey("X-FusionAuth-Signature-JWT"): {token}}, ReceivedAt: now}
			if _, err := verify.Verify(context.Background(), v, h, body); verify.ReasonOf(err) != tt.want {
				t.Errorf("%s %s: %v, want %v", tt.algorithm, tt.kid, err, tt.want)
			}
		}
		if len(r.requests) != 1 || r.requests[0] != "GET https://auth.shop.example/.well-known/jwks.json" {
			t.Errorf("the host got %q", r.requests)
		}
		if keys, err := fusionauth.Keys("https://auth.shop.example", jwt.HS256, nil); err == nil {
			t.Errorf("Keys made %v for HMAC", keys)
		}
		if keys, err := fusionauth.Keys("http://auth.shop.example", jwt.RS256, nil); err == nil {
			t.Errorf("Keys made %v without TLS", keys)
		}
	})
}

// detached signs a body as it is, with RSA.
func detached(header, body string) string {
	return b64([]byte(header)) + ".." + b64(sign("RS256", b64([]byte(header))+"."+body, private().rsa))
}

// TestDetached: what is no detached token is refused, and each body has one message.
func TestDetached(t *testing.T) {
	d := jwt.Definition{Provider: "acme", Header: "Acme-Signature", Detached: true, Algorithms: []jwt.Algorithm{jwt.RS256}, MaxBody: 1 << 20, Retry: verify.RetryNever}
	key := spki(&private().rsa.PublicKey)
	v := verifier(t, d, nil, key)
	const header = `{"alg":"RS256","b64":false}`
	t.Run("covers the body", func(t *testing.T) {
		if v.Profile().Binding != verify.BindingFull || v.About().Signed != "body, JWS RS256" || !v.About().EqualBodies {
			t.Errorf("the profile is %+v, and About %+v", v.Profile(), v.About())
		}
		first, err := verify.Verify(context.Background(), v, head(detached(header, event)), []byte(event))
		if err != nil {
			t.Fatal(err)
		}
		second, err := verify.Verify(context.Background(), v, head(detached(header, "{}")), []byte("{}"))
		if err != nil {
			t.Fatal(err)
		}
		if first.Fingerprint.Equal(second.Fingerprint) {
			t.Error("two bodies are one message")
		}
		for _, body := range [][]byte{nil, {}} {
			if _, err := verify.Verify(context.Background(), v, head(detached(header, "")), body); err != nil {
				t.Errorf("an empty body: %v", err)
			}
		}
	})
	t.Run("has no claims", func(t *testing.T) {
		for what, edit := range map[string]func(d *jwt.Definition, o *jwt.Options){
			"Claims":  func(d *jwt.Definition, _ *jwt.Options) { d.Claims = []jwt.Claim{jwt.Present("iss")} },
			"Body":    func(d *jwt.Definition, _ *jwt.Options) { d.Body.Claim = "body" },
			"ID":      func(d *jwt.Definition, _ *jwt.Options) { d.ID = "jti" },
			"Time":    func(d *jwt.Definition, _ *jwt.Options) { d.Time.Leeway = 1 },
			"options": func(_ *jwt.Definition, o *jwt.Options) { o.Claims = map[string]string{"iss": "acme"} },
			"body":    func(_ *jwt.Definition, o *jwt.Options) { o.InsecureBodyNotCovered = true },
		} {
			d, o := d, &jwt.Options{}
			edit(&d, o)
			if v, err := jwt.New(d, verify.PublicKeys(key), o); err == nil {
				t.Errorf("New made %v with %s", v, what)
			}
		}
	})
	t.Run("passes the battery", func(t *testing.T) {
		providertest.Exercise(t, providertest.Subject{
			New: func(verify.KeySource) (verify.Verifier, error) { return jwt.New(d, verify.PublicKeys(key), nil) },
			Sign: func(_ time.Time, _ *url.URL, body []byte, _ ...string) http.Header {
				return http.Header{"Acme-Signature": {detached(header, string(body))}}
			},
			Profile: v.Profile(),
			Events:  []providertest.Event{{Name: "paid", Body: []byte(event)}, {Name: "voided", Body: []byte(`{"type":"invoice.voided"}`)}},
			Headers: []string{"Acme-Signature"},
		})
	})
}

// TestMust: each constructor that panics does, and names its package.
func TestMust(t *testing.T) {
	for name, tt := range map[string]struct{ good, bad func() }{
		"messagebird.Must":    {func() { messagebird.Must(hook, secret) }, func() { messagebird.Must(hook, "") }},
		"qstash.Must":         {func() { qstash.Must(hook, secret, other) }, func() { qstash.Must("", secret) }},
		"livekit.Must":        {func() { livekit.Must("APIq8ZtW3mKx7Rd", secret) }, func() { livekit.Must("", secret) }},
		"netlify.Must":        {func() { netlify.Must(secret) }, func() { netlify.Must() }},
		"vonage.Must":         {func() { vonage.Must(secret) }, func() { vonage.Must("short") }},
		"plaid.Must":          {func() { plaid.Must(plaid.Production, "5f3a1c0b9d7e", "7c1d9f3e5a2b8064") }, func() { plaid.Must("", "5f3a1c0b9d7e", "7c1d9f3e5a2b8064") }},
		"saleor.Must":         {func() { saleor.Must("https://shop.example/.well-known/jwks.json") }, func() { saleor.Must("") }},
		"pubsub.InsecureMust": {func() { pubsub.InsecureMust(hook, "push@shop.iam.gserviceaccount.com") }, func() { pubsub.InsecureMust(hook, "") }},
		"monday.InsecureMust": {func() { monday.InsecureMust(hook, secret) }, func() { monday.InsecureMust("/hooks", secret) }},
	} {
		t.Run(name, func(t *testing.T) {
			tt.good()
			defer func() {
				text, _ := recover().(string)
				if !strings.HasPrefix(text, name+": ") || strings.Count(text, strings.Split(name, ".")[0]) != 1 {
					t.Errorf("it panics with %q", text)
				}
			}()
			tt.bad()
			t.Error("it does not panic")
		})
	}
}

// FuzzToken: a token that is accepted is the genuine one, byte for byte.
func FuzzToken(f *testing.F) {
	good := join("HS256", header, text(genuine()), secret)
	v := verifier(f, acme(), acmeOptions())
	f.Add(good)
	f.Add(good + "=")
	f.Add(join("none", `{"alg":"none"}`, text(genuine()), nil))
	f.Add("..")
	f.Fuzz(func(t *testing.T, token string) {
		if _, err := verify.Verify(context.Background(), v, head(token), []byte(event)); (err == nil) != (token == good) {
			t.Errorf("%q: %v", token, err)
		}
	})
}

// FuzzClaims: whatever is signed, a token is accepted only if the claims say what they must
// to any reader of JSON.
func FuzzClaims(f *testing.F) {
	v := verifier(f, acme(), acmeOptions())
	good := text(genuine())
	f.Add([]byte(good))
	f.Add([]byte(`{"iss":"Acme",` + good[1:]))
	f.Add([]byte(strings.Replace(good, `"iss"`, `"\u0069ss"`, 1)))
	f.Add([]byte(`[` + good + `]`))
	f.Fuzz(func(t *testing.T, c []byte) {
		token := b64([]byte(header)) + "." + b64(c)
		token += "." + b64(sign("HS256", token, secret))
		if _, err := verify.Verify(context.Background(), v, head(token), []byte(event)); err != nil {
			return
		}
		d := json.NewDecoder(bytes.NewReader(c))
		got := make(map[string]any)
		if err := d.Decode(&got); err != nil {
			t.Fatalf("a token was accepted whose claims do not parse: %v", err)
		}
		want := genuine()
		for _, name := range []string{"iss", "aud", "sub", "url_hash", "verified", "body"} {
			if got[name] != want[name] {
				t.Errorf("accepted with %s %v", name, got[name])
			}
		}
	})
}
