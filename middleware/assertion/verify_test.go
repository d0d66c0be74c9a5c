package assertion_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/middleware/assertion"
	"github.com/hooknotary/hooknotary/providers/providertest"
	"github.com/hooknotary/hooknotary/verify"
)

var sumOfEvent = sha256.Sum256([]byte("the event"))

func TestVerifier(t *testing.T) {
	// Each case differs from the genuine assertion in one thing.
	type edit struct{ header, claims object }
	h, c := func(name string, value any) func(string) edit {
		return func(a string) edit { return edit{with(header(a), name, value), claimsAt(now)} }
	}, func(name string, value any) func(string) edit {
		return func(a string) edit { return edit{header(a), with(claimsAt(now), name, value)} }
	}
	for _, tt := range []struct {
		name string
		edit func(algorithm string) edit
		want verify.Reason // 0: accepted
	}{
		{"a genuine assertion", func(a string) edit { return edit{header(a), claimsAt(now)} }, 0},
		{"no event id", c("event_id", nil), 0},
		{"no signed time", c("signed_at", nil), 0},
		{"a claim that is not known", c("region", "eu"), 0},
		{"a claim that is no text", c("attempt", 3), 0},
		{"another binding", c("binding", "none"), 0},
		{"an issuer with other bytes of the same length", c("iss", "https://hooks.example.net"), verify.ErrMismatch},
		{"an issuer with a slash behind", c("iss", issuer+"/"), verify.ErrMismatch},
		{"another audience", c("aud", "shop"), verify.ErrMismatch},
		{"an audience that begins like ours", c("aud", "billing2"), verify.ErrMismatch},
		{"an audience in a list", c("aud", []string{audience}), verify.ErrMalformed},
		{"another body", c("body_sha256", hashOf("{}")), verify.ErrMismatch},
		{"the hash of a body in hexadecimal", c("body_sha256", hex.EncodeToString(sumOfEvent[:])), verify.ErrMalformed},
		{"the hash of a body with padding", c("body_sha256", hashOf(body)+"="), verify.ErrMalformed},
		{"the hash of a body that is cut", c("body_sha256", hashOf(body)[:42]), verify.ErrMalformed},
		{"an event key in capitals", c("event_key", strings.ToUpper(claimsAt(now)["event_key"].(string))), verify.ErrMalformed},
		{"an event key that is cut", c("event_key", "ab"), verify.ErrMalformed},
		{"a binding that is none of ours", c("binding", "FULL"), verify.ErrMalformed},
		{"an empty scope", c("scope", ""), verify.ErrMalformed},
		{"an empty event id", c("event_id", ""), verify.ErrMalformed},
		{"a route that is too long", c("route", strings.Repeat("r", 513)), verify.ErrMalformed},
		{"a route that is as long as can be", c("route", strings.Repeat("r", 512)), 0},
		{"a jti that is too long", c("jti", strings.Repeat("j", 65)), verify.ErrMalformed},
		{"a jti that is as long as can be", c("jti", strings.Repeat("j", 64)), 0},
		{"a begin", c("nbf", now.Unix()-30), verify.ErrMalformed},
		{"a claim that is an object", c("region", object{"iss": "x"}), verify.ErrMalformed},
		{"a claim that is a list", c("regions", []string{"eu"}), verify.ErrMalformed},
		{"a time as text", c("exp", fmt.Sprint(now.Unix()+60)), verify.ErrMalformed},
		{"a time with a fraction", c("received_at", 1936776600.5), verify.ErrMalformed},
		{"a signed time before 1970", c("signed_at", -1), verify.ErrMalformed},
		{"a time that is too long", c("received_at", int64(1234567890123)), verify.ErrMalformed},
		{"an end that is later", c("exp", now.Unix()+61), verify.ErrMalformed},
		{"a begin that is earlier", c("iat", now.Unix()-31), verify.ErrMalformed},
		{"another type", h("typ", "JWT"), verify.ErrUnsigned},
		{"the type as a media type", h("typ", "application/hooknotary+jwt"), verify.ErrUnsigned},
		{"no type", h("typ", nil), verify.ErrUnsigned},
		{"the algorithm none", h("alg", "none"), verify.ErrUnsigned},
		{"an algorithm of RSA", h("alg", "RS256"), verify.ErrUnsigned},
		{"no algorithm", h("alg", nil), verify.ErrUnsigned},
		{"an algorithm in lower case", func(a string) edit {
			return edit{with(header(a), "alg", strings.ToLower(a)), claimsAt(now)}
		}, verify.ErrUnsigned},
		{"no id of a key", h("kid", nil), verify.ErrMalformed},
		{"an empty id of a key", h("kid", ""), verify.ErrMalformed},
		{"a path as the id of a key", h("kid", "../keys/1"), verify.ErrMalformed},
		{"a critical member", h("crit", []string{"b64"}), verify.ErrMalformed},
		{"a key of its own", h("jwk", object{"kty": "EC"}), verify.ErrMalformed},
		{"a URL of keys", h("jku", "https://evil.example/jwks.json"), verify.ErrMalformed},
		{"a content type", h("cty", "JWT"), verify.ErrMalformed},
	} {
		for algorithm := range algorithms {
			t.Run(tt.name+", "+algorithm, func(t *testing.T) {
				e := tt.edit(algorithm)
				token := join(algorithm, text(e.header), text(e.claims), keyOf(algorithm))
				d, err := verify.Verify(context.Background(), verifier(t, algorithm), headOf(token), []byte(body))
				judge(t, d, err, tt.want)
			})
		}
	}
	for name := range claimsAt(now) {
		if name == "event_id" || name == "signed_at" {
			continue
		}
		t.Run("no "+name, func(t *testing.T) {
			token := join("HS256", text(header("HS256")), text(with(claimsAt(now), name, nil)), secret)
			d, err := verify.Verify(context.Background(), verifier(t, "HS256"), headOf(token), []byte(body))
			judge(t, d, err, verify.ErrMalformed)
		})
	}
}

// judge wants a verdict.
func judge(t *testing.T, d *verify.Delivery, err error, want verify.Reason) {
	t.Helper()
	if got := verify.ReasonOf(err); got != want || (d == nil) != (want != 0) {
		t.Errorf("the verdict is %v (%v), want %v", got, err, want)
	}
}

func TestVerifierText(t *testing.T) {
	// The same texts, written in another way.
	genuine := join("HS256", text(header("HS256")), text(claimsAt(now)), secret)
	parts := strings.Split(genuine, ".")
	sign := func(header, claims string) string { return join("HS256", header, claims, secret) }
	h, c := text(header("HS256")), text(claimsAt(now))
	for _, tt := range []struct {
		name, token string
		want        verify.Reason
	}{
		{"as it is", genuine, 0},
		{"white space in the JSON", sign(strings.ReplaceAll(h, ",", " , "), " "+c+"\n"), 0},
		{"empty", "", verify.ErrUnsigned},
		{"white space around the token", genuine + " ", verify.ErrMalformed},
		{"a line break in the token", parts[0] + ".\n" + parts[1] + "." + parts[2], verify.ErrMalformed},
		{"padding", parts[0] + "." + parts[1] + "." + parts[2] + "=", verify.ErrMalformed},
		{"the other alphabet", strings.Replace(parts[0], "e", "+", 1) + "." + parts[1] + "." + parts[2], verify.ErrMalformed},
		{"two parts", parts[0] + "." + parts[1], verify.ErrMalformed},
		{"no signature", parts[0] + "." + parts[1] + ".", verify.ErrMalformed},
		{"four parts", genuine + "." + parts[2], verify.ErrMalformed},
		{"a signature that is longer", parts[0] + "." + parts[1] + "." + parts[2] + "AA", verify.ErrMalformed},
		{"another signature", parts[0] + "." + parts[1] + "." + b64(make([]byte, 32)), verify.ErrMismatch},
		{"a name that stands twice in the header", sign(h[:len(h)-1]+`,"alg":"HS256"}`, c), verify.ErrMalformed},
		{"a name that stands twice in the claims", sign(h, c[:len(c)-1]+`,"aud":"billing"}`), verify.ErrMalformed},
		{"a name that stands twice in another spelling", sign(h, c[:len(c)-1]+`,"\u0061ud":"billing"}`), verify.ErrMalformed},
		{"a name in capitals", sign(h, strings.Replace(c, `"aud"`, `"AUD"`, 1)), verify.ErrMalformed},
		{"something behind the claims", sign(h, c+"{}"), verify.ErrMalformed},
		{"a list of claims", sign(h, "["+c+"]"), verify.ErrMalformed},
		{"claims that are null", sign(h, "null"), verify.ErrMalformed},
		{"claims that are no UTF-8", sign(h, strings.Replace(c, "acct", "acc\xff", 1)), verify.ErrMalformed},
		{"a comment", sign(h, "/**/"+c), verify.ErrMalformed},
		{"a byte order mark", sign(h, "\ufeff"+c), verify.ErrMalformed},
		{"a token of more than 8 KiB", sign(h, text(with(claimsAt(now), "more", strings.Repeat("x", 6000)))), verify.ErrMalformed},
		{"a token of less", sign(h, text(with(claimsAt(now), "more", strings.Repeat("x", 5000)))), 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := verify.Verify(context.Background(), verifier(t, "HS256"), headOf(tt.token), []byte(body))
			judge(t, d, err, tt.want)
		})
	}
	t.Run("a header that is repeated is refused", func(t *testing.T) {
		head := headOf(genuine)
		head.Header[assertion.Header] = []string{genuine, genuine}
		d, err := verify.Verify(context.Background(), verifier(t, "HS256"), head, []byte(body))
		judge(t, d, err, verify.ErrMalformed)
	})
}

func TestVerifierTime(t *testing.T) {
	token := join("HS256", text(header("HS256")), text(claimsAt(now)), secret)
	for _, tt := range []struct {
		name   string
		leeway time.Duration
		after  time.Duration
		want   verify.Reason
	}{
		{"at once", 0, 0, 0},
		{"at its end", 0, 60 * time.Second, 0},
		{"as late as can be", 0, 90 * time.Second, 0},
		{"later", 0, 91 * time.Second, verify.ErrTooOld},
		{"as early as can be, which is iat", 0, -30 * time.Second, 0},
		{"earlier", 0, -31 * time.Second, verify.ErrTooNew},
		{"with less leeway, at its end", time.Second, 61 * time.Second, 0},
		{"with less leeway, later", time.Second, 62 * time.Second, verify.ErrTooOld},
		{"with less leeway, earlier", time.Second, -2 * time.Second, verify.ErrTooNew},
		{"with the most leeway", 5 * time.Minute, 6 * time.Minute, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := must(assertion.New(verify.Secrets(secret), issuer, audience, &assertion.Options{Leeway: tt.leeway}))(t)
			head := headOf(token)
			head.ReceivedAt = now.Add(tt.after)
			d, err := verify.Verify(context.Background(), v, head, []byte(body))
			judge(t, d, err, tt.want)
			if d != nil && !d.SignedAt.Equal(now) {
				t.Errorf("SignedAt is %v, want %v", d.SignedAt, now)
			}
		})
	}
}

func TestVerifierKeys(t *testing.T) {
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	set := must(assertion.NewKeySet(
		must(assertion.NewKey("2026-10", p256))(t),
		algorithms["ES256"](t, "2026-11"),
		algorithms["EdDSA"](t, "2026-12"),
	))(t)
	point := must(private().p256.PublicKey.Bytes())(t)
	token := func(algorithm, kid string, key any) string {
		return join(algorithm, text(with(header(algorithm), "kid", kid)), text(claimsAt(now)), key)
	}
	named := func(id, secret string) verify.Key { return must(verify.NewKey("gateway", id, []byte(secret)))(t) }
	for _, tt := range []struct {
		name  string
		keys  verify.KeySource
		token string
		want  verify.Reason
		label string
	}{
		{"the key that the token names", set, token("ES256", "2026-11", private().p256), 0, "2026-11"},
		{"another kind of key in the same set", set, token("EdDSA", "2026-12", private().ed25519), 0, "2026-12"},
		{"a key of the set that is not the one named", set, token("ES256", "2026-10", private().p256), verify.ErrMismatch, ""},
		{"a key that is not in the set", set, token("ES256", "2026-09", private().p256), verify.ErrNoKey, ""},
		{"a key that serves another algorithm", set, token("EdDSA", "2026-11", private().ed25519), verify.ErrNoKey, ""},
		{"an HMAC with a public key", set, token("HS256", "2026-11", string(point)), verify.ErrNoKey, ""},
		{"an HMAC with a public key as PEM", set, token("HS256", "2026-11", spki(&private().p256.PublicKey)), verify.ErrNoKey, ""},
		{"an HMAC with an empty secret", set, token("HS256", "2026-11", ""), verify.ErrNoKey, ""},
		{"a signature where the receiver has a secret", verify.Secrets(secret), token("ES256", "2026-11", private().p256), verify.ErrNoKey, ""},
		{"the second of two secrets", verify.Secrets("Aq7w2ZsX4eDc6RfV8tGb1YhN3uJm5IkO", secret), token("HS256", "2026-11", secret), 0, "2"},
		{"a secret that has another name here", verify.KeyList{named("n8n", secret)}, token("HS256", "2026-11", secret), 0, "n8n"},
		{"a public key that is listed as text", verify.PublicKeys(spki(&private().p256.PublicKey)), token("ES256", "2026-11", private().p256), 0, "1"},
		{"a source that finds the key by its id", verify.KeyFunc(func(ctx context.Context, _ *verify.Head) ([]verify.Key, error) {
			id, ok := assertion.KeyID(ctx)
			if !ok || id != "2026-11" {
				return nil, errors.New("the id is missing")
			}
			return []verify.Key{named(id, secret)}, nil
		}), token("HS256", "2026-11", secret), 0, "2026-11"},
		{"a source that fails", verify.KeyFunc(func(context.Context, *verify.Head) ([]verify.Key, error) {
			return nil, errors.New("the host is down")
		}), token("HS256", "2026-11", secret), verify.ErrUnavailable, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := must(assertion.New(tt.keys, issuer, audience, nil))(t)
			d, err := verify.Verify(context.Background(), v, headOf(tt.token), []byte(body))
			judge(t, d, err, tt.want)
			if d != nil && d.KeyLabel != tt.label {
				t.Errorf("the key is called %q, want %q", d.KeyLabel, tt.label)
			}
		})
	}
	t.Run("a set behind another source yields the key that the token names", func(t *testing.T) {
		v := must(assertion.New(verify.KeyFunc(set.Keys), issuer, audience, nil))(t)
		d, err := verify.Verify(context.Background(), v, headOf(token("EdDSA", "2026-12", private().ed25519)), []byte(body))
		judge(t, d, err, 0)
		d, err = verify.Verify(context.Background(), v, headOf(token("ES256", "2026-09", private().p256)), []byte(body))
		judge(t, d, err, verify.ErrNoKey)
	})
	t.Run("an unknown key is refused only when the body is there", func(t *testing.T) {
		v := must(assertion.New(set, issuer, audience, nil))(t)
		if _, err := v.Begin(context.Background(), headOf(token("ES256", "2026-09", private().p256))); err != nil {
			t.Error(err)
		}
	})
	t.Run("the other signature of the same message is the same message", func(t *testing.T) {
		signed, encoded := func() (string, []byte) {
			s := token("ES256", "2026-11", private().p256)
			i := strings.LastIndexByte(s, '.')
			return s, []byte(s[i+1:])
		}()
		raw := make([]byte, 64)
		if _, err := base64.RawURLEncoding.Decode(raw, encoded); err != nil {
			t.Fatal(err)
		}
		s := new(big.Int).Sub(elliptic.P256().Params().N, new(big.Int).SetBytes(raw[32:]))
		s.FillBytes(raw[32:])
		twin := signed[:strings.LastIndexByte(signed, '.')+1] + b64(raw)
		v := must(assertion.New(set, issuer, audience, nil))(t)
		first, err := verify.Verify(context.Background(), v, headOf(signed), []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		second, err := verify.Verify(context.Background(), v, headOf(twin), []byte(body))
		if err == nil && !second.Fingerprint.Equal(first.Fingerprint) {
			t.Error("it has another fingerprint: a copy would run as another message")
		}
	})
}

func TestNew(t *testing.T) {
	set := keys(t, "ES256")
	tooWeak := must(rsa.GenerateKey(rand.Reader, 2048))(t)
	for _, tt := range []struct {
		name             string
		keys             verify.KeySource
		issuer, audience string
		o                *assertion.Options
		tells            string // "" if it is made
	}{
		{"the defaults", set, issuer, audience, nil, ""},
		{"a token as of OAuth", set, issuer, audience, &assertion.Options{Header: "authorization", Prefix: "Bearer "}, ""},
		{"no key", nil, issuer, audience, nil, "there is no key source"},
		{"no set", (*assertion.KeySet)(nil), issuer, audience, nil, "the set has no key"},
		{"an empty set", &assertion.KeySet{}, issuer, audience, nil, "the set has no key"},
		{"a key of RSA", verify.PublicKeys(spki(&tooWeak.PublicKey)), issuer, audience, nil, "another algorithm"},
		{"a secret of 31 bytes", verify.Secrets(secret[1:]), issuer, audience, nil, "at least 32"},
		{"a secret of 32 bytes", verify.Secrets(secret), issuer, audience, nil, ""},
		{"no issuer", set, "", audience, nil, "the issuer"},
		{"no audience", set, issuer, "", nil, "the audience"},
		{"an audience that is no text", set, issuer, "b\xff", nil, "the audience"},
		{"a header with a blank", set, issuer, audience, &assertion.Options{Header: "My Header"}, "Header"},
		{"a negative leeway", set, issuer, audience, &assertion.Options{Leeway: -1}, "Leeway"},
		{"a leeway of more than 5 minutes", set, issuer, audience, &assertion.Options{Leeway: 5*time.Minute + 1}, "Leeway"},
		{"a negative size", set, issuer, audience, &assertion.Options{MaxBody: -1}, "MaxBody"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, err := assertion.New(tt.keys, tt.issuer, tt.audience, tt.o)
			providertest.Constructed(t, "assertion", v, err, tt.tells)
			if err != nil && strings.Contains(err.Error(), secret[1:]) {
				t.Error("the error holds the secret")
			}
		})
	}
}

func TestOptions(t *testing.T) {
	token := join("HS256", text(header("HS256")), text(claimsAt(now)), secret)
	v := must(assertion.New(verify.Secrets(secret), issuer, audience, &assertion.Options{
		Header: "authorization", Prefix: "Bearer ", MediaType: "application/x-www-form-urlencoded", MaxBody: 4096,
	}))(t)
	bearer := must(assertion.New(verify.Secrets(secret), issuer, audience, &assertion.Options{Header: "AUTHORIZATION"}))(t)
	plain := must(assertion.New(verify.Secrets(secret), issuer, audience, &assertion.Options{Header: "X-Jwt"}))(t)
	for _, tt := range []struct {
		name  string
		v     *assertion.Verifier
		field string
		value string
		want  verify.Reason
	}{
		{"the header and prefix that are configured", v, "Authorization", "Bearer " + token, 0},
		{"no prefix", v, "Authorization", token, verify.ErrUnsigned},
		{"the prefix in lower case", v, "Authorization", "bearer " + token, verify.ErrUnsigned},
		{"the prefix alone", v, "Authorization", "Bearer ", verify.ErrMalformed},
		{"the prefix twice", v, "Authorization", "Bearer Bearer " + token, verify.ErrMalformed},
		{"the default header", v, assertion.Header, token, verify.ErrUnsigned},
		{"the default prefix of Authorization", bearer, "Authorization", "Bearer " + token, 0},
		{"no prefix where that is the default", bearer, "Authorization", token, verify.ErrUnsigned},
		{"no prefix in another header", plain, "X-Jwt", token, 0},
		{"a prefix in another header", plain, "X-Jwt", "Bearer " + token, verify.ErrMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			head := &verify.Head{Header: http.Header{tt.field: {tt.value}}, ReceivedAt: now}
			d, err := verify.Verify(context.Background(), tt.v, head, []byte(body))
			judge(t, d, err, tt.want)
		})
	}
	t.Run("they are in the profile", func(t *testing.T) {
		if p := v.Profile(); p.MediaType != "application/x-www-form-urlencoded" || p.MaxBody != 4096 || p.Compression != 0 {
			t.Errorf("the profile is %+v", p)
		}
		packed := must(assertion.New(verify.Secrets(secret), issuer, audience, &assertion.Options{Gzip: true}))(t)
		if c := packed.Profile().Compression; c != verify.GzipSigned {
			t.Errorf("with Gzip, Compression is %v", c)
		}
	})
}

func TestClaims(t *testing.T) {
	v := verifier(t, "ES256")
	signer := must(assertion.NewSigner(algorithms["ES256"](t, "2026-11"), issuer, audience, &assertion.SignerOptions{Now: clock}))(t)
	token, other := must(signer.Sign(claims()))(t), must(signer.Sign(claims()))(t)
	d := must(verify.Verify(context.Background(), v, headOf(token), []byte(body)))(t)
	t.Run("those of the delivery are found", func(t *testing.T) {
		c, ok := v.Claims(d, http.Header{assertion.Header: {token}})
		if !ok || c.ID == "" || c.ID != d.MessageID {
			t.Fatalf("got %+v, %v", c, ok)
		}
		want := claims()
		want.Issuer, want.Audience, want.ID = issuer, audience, c.ID
		want.IssuedAt, want.Expires = now.Add(-30*time.Second), now.Add(60*time.Second)
		if *c != want {
			t.Errorf("got %+v, want %+v", *c, want)
		}
	})
	t.Run("those of a delivery to another receiver are not", func(t *testing.T) {
		for _, party := range [][2]string{{issuer, "n8n"}, {issuer + "/", audience}} {
			v := must(assertion.New(keys(t, "ES256"), party[0], party[1], nil))(t)
			if c, ok := v.Claims(d, http.Header{assertion.Header: {token}}); ok || c != nil {
				t.Errorf("got %+v", c)
			}
		}
	})
	stranger := *d
	stranger.Provider = "stripe"
	for _, tt := range []struct {
		name   string
		d      *verify.Delivery
		header http.Header
	}{
		{"no delivery", nil, http.Header{assertion.Header: {token}}},
		{"a delivery of another verifier", &stranger, http.Header{assertion.Header: {token}}},
		{"a header that was removed", d, http.Header{}},
		{"a header that was repeated", d, http.Header{assertion.Header: {token, token}}},
		{"another assertion, although it is genuine", d, http.Header{assertion.Header: {other}}},
		{"no token", d, http.Header{assertion.Header: {"x"}}},
	} {
		t.Run("none are found for "+tt.name, func(t *testing.T) {
			if c, ok := v.Claims(tt.d, tt.header); ok || c != nil {
				t.Errorf("got %+v", c)
			}
		})
	}
}

// TestBattery runs what every verifier must pass.
func TestBattery(t *testing.T) {
	events := []providertest.Event{
		{Name: "paid", Body: []byte(body), ID: claimsAt(now)["event_key"].(string), MessageID: "vZpW3q8kRk2m0a1TqkVY9Q"},
		{Name: "voided", Body: []byte(`{"id":"evt_2"}`), ID: claimsAt(now)["event_key"].(string), MessageID: "vZpW3q8kRk2m0a1TqkVY9Q"},
		{Name: "empty", Body: []byte{}, ID: claimsAt(now)["event_key"].(string), MessageID: "vZpW3q8kRk2m0a1TqkVY9Q"},
	}
	profile := verify.Profile{
		Provider: "hooknotary", MediaType: "application/json", MaxBody: 25 << 20,
		Window:  verify.Window{Past: 90 * time.Second, Future: 30 * time.Second},
		Binding: verify.BindingFull, Retry: verify.RetryResigned,
	}
	newVerifier := func(keys verify.KeySource) (verify.Verifier, error) {
		v, err := assertion.New(keys, issuer, audience, nil)
		if err != nil {
			return nil, err
		}
		return v, nil
	}
	claims := func(at time.Time, body []byte) string {
		return text(with(claimsAt(at), "body_sha256", hashOf(string(body))))
	}
	onlySignature := func(value string) string { return value[strings.LastIndexByte(value, '.')+1:] }
	t.Run("HS256", func(t *testing.T) {
		providertest.Exercise(t, providertest.Subject{
			New: newVerifier, Profile: profile, Events: events, Headers: []string{assertion.Header}, Scope: "acct-4711",
			Secrets: []string{
				secret, "Aq7w2ZsX4eDc6RfV8tGb1YhN3uJm5IkO", "Zt5y8UhB2vGf4CdX6sWa9QpL1oKm3InJ",
				"Pl6o9IkM3jNb5HuV7gTf1RdE4sWq2AzX", "Wm4n7QxV1cBt8LyK5jHg2FdS6aPo3IuE",
			},
			Sign: func(at time.Time, _ *url.URL, body []byte, secrets ...string) http.Header {
				return http.Header{assertion.Header: {join("HS256", text(header("HS256")), claims(at, body), secrets[0])}}
			},
			Signature: onlySignature,
		})
	})
	for _, algorithm := range []string{"ES256", "EdDSA"} {
		t.Run(algorithm, func(t *testing.T) {
			public := spki(keyOf(algorithm).(crypto.Signer).Public())
			cached := make(map[string]string) // so that ECDSA signs a message once
			providertest.Exercise(t, providertest.Subject{
				New:     func(verify.KeySource) (verify.Verifier, error) { return newVerifier(verify.PublicKeys(public)) },
				Profile: profile, Events: events, Headers: []string{assertion.Header}, Scope: "acct-4711",
				Sign: func(at time.Time, _ *url.URL, body []byte, _ ...string) http.Header {
					c := claims(at, body)
					if cached[c] == "" {
						cached[c] = join(algorithm, text(header(algorithm)), c, keyOf(algorithm))
					}
					return http.Header{assertion.Header: {cached[c]}}
				},
				Signature: onlySignature,
			})
		})
	}
}

// TestVerifierPrints: neither a verifier nor its half-made verdict prints a secret or a token.
func TestVerifierPrints(t *testing.T) {
	v := verifier(t, "HS256")
	token := join("HS256", text(header("HS256")), text(claimsAt(now)), secret)
	p := must(v.Begin(context.Background(), headOf(token)))(t)
	signed := strings.Split(token, ".")
	for name, printed := range map[string]string{
		"a verifier": fmt.Sprintf("%v %+v %#v", v, v, v),
		"a pending":  fmt.Sprintf("%v %+v %#v", p, p, p),
	} {
		for _, needle := range []string{secret, hex.EncodeToString([]byte(secret)), fmt.Sprint([]byte(secret)), signed[1], signed[2]} {
			if strings.Contains(printed, needle) {
				t.Errorf("%s prints %q", name, needle)
			}
		}
	}
}
