package ebay_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/ebay"
	"github.com/hooknotary/hooknotary/providers/keyfetch"
	"github.com/hooknotary/hooknotary/providers/providertest"
	"github.com/hooknotary/hooknotary/providers/providertest/vector"
	"github.com/hooknotary/hooknotary/verify"
)

const (
	keyID    = "5c1e7d02-94ab-4c60-8f3e-b7a1d2c3e4f5"
	token    = "k7wz2m4xq9v3n6bp-Tz8_c1Rr5Yd0Lh4s"
	endpoint = "https://hooks.example.com/account-deletion"
)

var (
	receivedAt = time.Unix(1773480415, 0)
	insecure   = ebay.Options{InsecureSHA1: true}
)

// event returns a notification.
func event(id string) []byte {
	return fmt.Appendf(nil, `{"metadata":{"topic":"MARKETPLACE_ACCOUNT_DELETION"},"notification":{"notificationId":%q,"publishAttemptCount":1,"data":{"userId":"kq2mz7xwv"}}}`, id)
}

// privateKey returns a private key that belongs to a text.
func privateKey(t testing.TB, text string) *ecdsa.PrivateKey {
	t.Helper()
	scalar := sha256.Sum256([]byte(text))
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar[:])
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// public returns the public key that belongs to a text, as an endpoint holds it.
func public(t testing.TB, text string) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(&privateKey(t, text).PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(der)
}

// inOneLine returns a public key as eBay's API shows it.
func inOneLine(t testing.TB, text string) string {
	return "-----BEGIN PUBLIC KEY-----" + public(t, text) + "-----END PUBLIC KEY-----"
}

// made holds signatures: ECDSA makes another one each time.
var made sync.Map

// sign returns the DER of a signature.
func sign(t testing.TB, digest []byte, text string) []byte {
	t.Helper()
	name := text + string(digest)
	if known, ok := made.Load(name); ok {
		return known.([]byte)
	}
	der, err := ecdsa.SignASN1(rand.Reader, privateKey(t, text), digest)
	if err != nil {
		t.Fatal(err)
	}
	known, _ := made.LoadOrStore(name, der)
	return known.([]byte)
}

// der returns the signature of a body.
func der(t testing.TB, body []byte, text string) []byte {
	t.Helper()
	sum := sha1.Sum(body)
	return sign(t, sum[:], text)
}

// object writes the JSON of the header.
func object(alg, kid string, signature []byte, digest string) string {
	return fmt.Sprintf(`{"alg":%q,"kid":%q,"signature":%q,"digest":%q}`, alg, kid, base64.StdEncoding.EncodeToString(signature), digest)
}

func headerOf(json string) http.Header {
	return http.Header{"X-Ebay-Signature": {base64.StdEncoding.EncodeToString([]byte(json))}}
}

func headOf(header http.Header) *verify.Head {
	return &verify.Head{Method: http.MethodPost, Header: header, ReceivedAt: receivedAt}
}

// genuine returns the head of a body that a key signed.
func genuine(t testing.TB, body []byte, text string) *verify.Head {
	t.Helper()
	return headOf(headerOf(object("ecdsa", keyID, der(t, body, text), "SHA1")))
}

func newVerifier(t testing.TB, keys verify.KeySource, o ebay.Options) *ebay.Verifier {
	t.Helper()
	v, err := ebay.New(keys, &o)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// content is what the header holds.
type content struct{ Alg, Kid, Signature, Digest string }

func contentOf(value string) (c content, err error) {
	text, err := base64.StdEncoding.DecodeString(value)
	if err != nil {
		return c, err
	}
	return c, json.Unmarshal(text, &c)
}

func TestBattery(t *testing.T) {
	var secrets []string
	for i := range verify.MaxKeys + 1 {
		secrets = append(secrets, fmt.Sprintf("the private key number %d", i))
	}
	providertest.Exercise(t, providertest.Subject{
		New: func(keys verify.KeySource) (verify.Verifier, error) { return ebay.New(keys, &insecure) },
		Sign: func(_ time.Time, _ *url.URL, body []byte, secrets ...string) http.Header {
			return headerOf(object("ecdsa", keyID, der(t, body, secrets[0]), "SHA1"))
		},
		Profile: verify.Profile{
			Provider: "ebay", MediaType: "application/json", MaxBody: 1 << 20, Binding: verify.BindingFull,
			Retry: verify.RetryIdentical, Retention: 31 * 24 * time.Hour, Rejection: verify.Rejection{Status: 412},
		},
		Events: []providertest.Event{
			{Name: "an event", Body: event("3f0c9a52_6b1d"), ID: "3f0c9a52_6b1d"},
			{Name: "another event", Body: event("90b7e1d4_77aa"), ID: "90b7e1d4_77aa"},
			{Name: "an event without an id", Body: []byte(`{"notification":{"data":{}},"notificationId":"elsewhere"}`)},
			{Name: "an event whose id is no name", Body: event("a b")},
			{Name: "a body that is no event", Body: []byte("ping")},
		},
		Secrets: secrets,
		Held: func(secret string) string {
			if !slices.Contains(secrets, secret) { // nobody's private key
				return secret
			}
			return public(t, secret)
		},
		Headers: []string{"X-Ebay-Signature"},
		Signature: func(value string) string {
			c, err := contentOf(value)
			if err != nil {
				t.Error(err)
			}
			return c.Signature
		},
		Neutral: func(genuine, value string) bool {
			one, err := contentOf(genuine)
			other, errOther := contentOf(value)
			one.Kid, other.Kid = "", ""
			return err == nil && errOther == nil && one == other
		},
		Unsigned: []string{"X-Ebay-Topic"},
		Variants: []providertest.Variant{
			{Name: "the id of another key", Edit: edited(func(c *content) { c.Kid = "another" })},
			{Name: "members in another order", Edit: func(h http.Header) {
				c, _ := contentOf(h.Get("X-Ebay-Signature"))
				h.Set("X-Ebay-Signature", base64.StdEncoding.EncodeToString(fmt.Appendf(nil, `{"digest":"SHA1", "signature":%q, "kid":"k", "alg":"ecdsa"}`, c.Signature)))
			}},
			{Name: "the other signature that anyone can make of one", Edit: edited(func(c *content) { c.Signature = turned(c.Signature) })},
		},
	})
}

// edited returns an edit of what the header holds.
func edited(edit func(c *content)) func(http.Header) {
	return func(h http.Header) {
		c, _ := contentOf(h.Get("X-Ebay-Signature"))
		edit(&c)
		raw, _ := base64.StdEncoding.DecodeString(c.Signature)
		h["X-Ebay-Signature"] = headerOf(object(c.Alg, c.Kid, raw, c.Digest))["X-Ebay-Signature"]
	}
}

// turned returns the signature with n-s in the place of s.
func turned(text string) string {
	raw, _ := base64.StdEncoding.DecodeString(text)
	var pair struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(raw, &pair); err != nil {
		return ""
	}
	pair.S.Sub(elliptic.P256().Params().N, pair.S)
	raw, _ = asn1.Marshal(pair)
	return base64.StdEncoding.EncodeToString(raw)
}

func TestNew(t *testing.T) {
	good := ebay.PublicKeys(inOneLine(t, "a"))
	check := ebay.Options{InsecureSHA1: true, Endpoint: endpoint, VerificationToken: token}
	change := func(edit func(o *ebay.Options)) *ebay.Options {
		o := check
		edit(&o)
		return &o
	}
	other := hex.EncodeToString(ed25519.NewKeyFromSeed(make([]byte, 32)).Public().(ed25519.PublicKey))
	for _, tt := range []struct {
		name string
		keys verify.KeySource
		o    *ebay.Options
		says string // "": a verifier is made
	}{
		{"a key in one line", good, &insecure, ""},
		{"a key in base64", ebay.PublicKeys(public(t, "a")), &insecure, ""},
		{"a key as PEM", ebay.PublicKeys("-----BEGIN PUBLIC KEY-----\n" + public(t, "a") + "\n-----END PUBLIC KEY-----\n"), &insecure, ""},
		{"an endpoint and its token", good, &check, ""},
		{"no options", good, nil, "InsecureSHA1"},
		{"nobody who knows of SHA-1", good, change(func(o *ebay.Options) { o.InsecureSHA1 = false }), "InsecureSHA1"},
		{"no keys", nil, &insecure, "key source"},
		{"an empty key", ebay.PublicKeys(""), &insecure, "variable"},
		{"a block that does not end", ebay.PublicKeys("-----BEGIN PUBLIC KEY-----" + public(t, "a") + "-----END"), &insecure, "want a public key"},
		{"the key of another curve", ebay.PublicKeys(other), &insecure, "P-256"},
		{"a secret", verify.Secrets("Hx2v9QmT4kLr8ZpWc3NdYb6sJf7gKe1A"), &insecure, "P-256"},
		{"a key twice", ebay.PublicKeys(public(t, "a"), inOneLine(t, "a")), &insecure, "same"},
		{"an endpoint without a token", good, change(func(o *ebay.Options) { o.VerificationToken = "" }), "both"},
		{"a token without an endpoint", good, change(func(o *ebay.Options) { o.Endpoint = "" }), "both"},
		{"a short token", good, change(func(o *ebay.Options) { o.VerificationToken = token[:31] }), "32 to 80"},
		{"the shortest token", good, change(func(o *ebay.Options) { o.VerificationToken = token[:32] }), ""},
		{"a long token", good, change(func(o *ebay.Options) { o.VerificationToken = strings.Repeat("a", 81) }), "32 to 80"},
		{"the longest token", good, change(func(o *ebay.Options) { o.VerificationToken = strings.Repeat("a", 80) }), ""},
		{"a token with a blank", good, change(func(o *ebay.Options) { o.VerificationToken = token + " a" }), "32 to 80"},
		{"an endpoint without TLS", good, change(func(o *ebay.Options) { o.Endpoint = "http://hooks.example.com/" }), "https"},
		{"an endpoint without a host", good, change(func(o *ebay.Options) { o.Endpoint = "https:///hooks" }), "https"},
		{"an endpoint with a user", good, change(func(o *ebay.Options) { o.Endpoint = "https://a@hooks.example.com/" }), "https"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, err := ebay.New(tt.keys, tt.o)
			if (err == nil) != (tt.says == "") || (v == nil) == (err == nil) {
				t.Fatalf("got %v, %v", v, err)
			}
			if err != nil && (!strings.HasPrefix(err.Error(), "ebay: ") || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), token[:31])) {
				t.Errorf("the error is %v, want it to say %q", err, tt.says)
			}
		})
	}
}

func TestInsecureMust(t *testing.T) {
	body := event("3f0c9a52_6b1d")
	if _, err := verify.Verify(t.Context(), ebay.InsecureMust(inOneLine(t, "a")), genuine(t, body, "a"), body); err != nil {
		t.Error(err)
	}
	defer func() {
		if text, ok := recover().(string); !ok || !strings.HasPrefix(text, "ebay.InsecureMust: ") {
			t.Errorf("panics with %q", text)
		}
	}()
	ebay.InsecureMust("")
}

func TestHeader(t *testing.T) {
	body := event("3f0c9a52_6b1d")
	signature := der(t, body, "a")
	good := object("ecdsa", keyID, signature, "SHA1")
	b64 := base64.StdEncoding.EncodeToString(signature)
	two := signature[:len(signature):len(signature)]
	v := newVerifier(t, ebay.PublicKeys(public(t, "a")), insecure)
	for _, tt := range []struct{ name, json, want string }{
		{"what eBay sends", good, "accept"},
		{"white space between members", strings.ReplaceAll(good, ",", " ,\n"), "accept"},
		{"another member", strings.Replace(good, "{", `{"version":2,`, 1), "accept"},
		{"many members", strings.Replace(good, "{", "{"+strings.Join(names(20), ",")+",", 1), "malformed"},
		{"the longest id of a key", object("ecdsa", strings.Repeat("k", 128), signature, "SHA1"), "accept"},
		{"a longer id of a key", object("ecdsa", strings.Repeat("k", 129), signature, "SHA1"), "malformed"},
		{"an id of a key with a slash", object("ecdsa", "a/b", signature, "SHA1"), "malformed"},
		{"an id of a key with a dot", object("ecdsa", "..", signature, "SHA1"), "malformed"},
		{"an id of a key with an escape of a URL", object("ecdsa", "a%2Fb", signature, "SHA1"), "malformed"},
		{"another algorithm", object("none", keyID, signature, "SHA1"), "malformed"},
		{"another hash", object("ecdsa", keyID, signature, "SHA256"), "malformed"},
		{"no hash", strings.Replace(good, `,"digest":"SHA1"`, "", 1), "malformed"},
		{"a hash that is null", strings.Replace(good, `"SHA1"`, "null", 1), "malformed"},
		{"the algorithm twice", strings.Replace(good, "{", `{"alg":"ecdsa",`, 1), "malformed"},
		{"the algorithm in two cases", strings.Replace(good, "{", `{"ALG":"ecdsa",`, 1), "malformed"},
		{"a list", "[" + good + "]", "malformed"},
		{"something behind the object", good + "{}", "malformed"},
		{"no JSON", "ecdsa", "malformed"},
		{"a signature without padding", strings.Replace(good, b64, strings.TrimRight(b64, "=")+"A", 1), "malformed"},
		{"a signature with a line break", strings.Replace(good, b64, b64[:8]+`\n`+b64[8:], 1), "malformed"},
		{"an empty signature", object("ecdsa", keyID, nil, "SHA1"), "malformed"},
		{"a signature with something behind it", object("ecdsa", keyID, append(two, 0), "SHA1"), "malformed"},
		{"a signature of zeros", object("ecdsa", keyID, []byte{0x30, 6, 2, 1, 0, 2, 1, 0}, "SHA1"), "malformed"},
		{"a signature of a negative number", object("ecdsa", keyID, []byte{0x30, 6, 2, 1, 1, 2, 1, 0xff}, "SHA1"), "malformed"},
		{"a signature with a zero in front of a number", object("ecdsa", keyID, []byte{0x30, 7, 2, 1, 1, 2, 2, 0, 1}, "SHA1"), "malformed"},
		{"a signature of small numbers", object("ecdsa", keyID, []byte{0x30, 6, 2, 1, 1, 2, 1, 1}, "SHA1"), "mismatch"},
		{"the signature of another key", object("ecdsa", keyID, der(t, body, "b"), "SHA1"), "mismatch"},
		{"the signature of another body", object("ecdsa", keyID, der(t, event("other"), "a"), "SHA1"), "mismatch"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := verify.Verify(t.Context(), v, headOf(headerOf(tt.json)), body)
			if got := vector.Outcome(err); got != tt.want {
				t.Errorf("the outcome is %s (%v), want %s", got, err, tt.want)
			}
		})
	}
}

// names returns members of JSON.
func names(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf(`"n%d":0`, i))
	}
	return all
}

// host is eBay's API.
type host struct {
	keys     map[string]string // by their URLs
	requests int
}

func (h *host) RoundTrip(r *http.Request) (*http.Response, error) {
	h.requests++
	res := &http.Response{StatusCode: http.StatusNotFound, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader("{}")), Request: r}
	if r.Header.Get("Authorization") != "Bearer v^1.1#app" {
		res.StatusCode = http.StatusUnauthorized
	} else if key, ok := h.keys[r.URL.String()]; ok {
		text, err := json.Marshal(map[string]string{"algorithm": "ECDSA", "digest": "SHA1", "key": key})
		if err != nil {
			return nil, err
		}
		res.StatusCode, res.Body = http.StatusOK, io.NopCloser(bytes.NewReader(text))
	}
	return res, nil
}

func TestByKeyID(t *testing.T) {
	const (
		live = "https://api.ebay.com/commerce/notification/v1/public_key/" + keyID
		test = "https://api.sandbox.ebay.com/commerce/notification/v1/public_key/" + keyID
	)
	body := event("3f0c9a52_6b1d")
	good := func(context.Context) (string, error) { return "v^1.1#app", nil }
	says := func(text string) func(context.Context) (string, error) {
		return func(context.Context) (string, error) { return text, nil }
	}
	for _, tt := range []struct {
		name     string
		sandbox  bool
		url, key string
		token    func(context.Context) (string, error)
		head     *verify.Head
		want     string
		requests int
	}{
		{"the key of production", false, live, inOneLine(t, "a"), good, genuine(t, body, "a"), "accept", 1},
		{"the key of the sandbox", true, test, inOneLine(t, "a"), good, genuine(t, body, "a"), "accept", 1},
		{"a key of the sandbox in production", false, test, inOneLine(t, "a"), good, genuine(t, body, "a"), "no_key", 1},
		{"another key", false, live, inOneLine(t, "b"), good, genuine(t, body, "a"), "mismatch", 1},
		{"an id that eBay does not know", false, live, inOneLine(t, "a"), good, headOf(headerOf(object("ecdsa", "unknown", der(t, body, "a"), "SHA1"))), "no_key", 1},
		{"an id that leads elsewhere", false, live, inOneLine(t, "a"), good, headOf(headerOf(object("ecdsa", "../"+keyID, der(t, body, "a"), "SHA1"))), "malformed", 0},
		{"a token that eBay refuses", false, live, inOneLine(t, "a"), says("other"), genuine(t, body, "a"), "unavailable", 1},
		{"a token that is not to be had", false, live, inOneLine(t, "a"), func(context.Context) (string, error) { return "", errors.New("gone") }, genuine(t, body, "a"), "unavailable", 0},
		{"an empty token", false, live, inOneLine(t, "a"), says(""), genuine(t, body, "a"), "unavailable", 0},
		{"a token with a line break", false, live, inOneLine(t, "a"), says("v^1.1#app\n"), genuine(t, body, "a"), "unavailable", 0},
		{"no function for tokens", false, live, inOneLine(t, "a"), nil, genuine(t, body, "a"), "unavailable", 0},
		{"a page in the place of a key", false, live, "<html>", good, genuine(t, body, "a"), "unavailable", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := &host{keys: map[string]string{tt.url: tt.key}}
			keys, err := keyfetch.New(ebay.KeyEndpoint(tt.sandbox, tt.token), &keyfetch.Options{Transport: h})
			if err != nil {
				t.Fatal(err)
			}
			v := newVerifier(t, ebay.ByKeyID(keys), insecure)
			for range 2 {
				d, err := verify.Verify(t.Context(), v, tt.head, body)
				if got := vector.Outcome(err); got != tt.want || err == nil && d.KeyLabel != keyID {
					t.Fatalf("the outcome is %s (%v), want %s", got, err, tt.want)
				}
			}
			if h.requests != tt.requests {
				t.Errorf("there were %d requests, want %d", h.requests, tt.requests)
			}
		})
	}
	t.Run("a request without an id has no key", func(t *testing.T) {
		h := &host{}
		keys, err := keyfetch.New(ebay.KeyEndpoint(false, good), &keyfetch.Options{Transport: h})
		if err != nil {
			t.Fatal(err)
		}
		for _, head := range []*verify.Head{nil, headOf(nil)} {
			if found, err := ebay.ByKeyID(keys).Keys(t.Context(), head); !errors.Is(err, verify.ErrNoKey) || found != nil || h.requests != 0 {
				t.Errorf("got %v, %v after %d requests", found, err, h.requests)
			}
		}
	})
}

func TestChallenge(t *testing.T) {
	keys := ebay.PublicKeys(public(t, "a"))
	check := ebay.Options{InsecureSHA1: true, Endpoint: endpoint, VerificationToken: token}
	v := newVerifier(t, keys, check)
	const code = "a8628072-3d33_45ee"
	sum := sha256.Sum256([]byte(code + token + endpoint))
	want := `{"challengeResponse":"` + hex.EncodeToString(sum[:]) + `"}`
	rekeyed, err := v.Rekey(ebay.PublicKeys(public(t, "b")))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name          string
		v             verify.Verifier
		method, query string
		body          string
		want          string // the body of the response, "none" or the reason of a refusal
	}{
		{"a code", v, "GET", "challenge_code=" + code, "", want},
		{"a code beside something else", v, "GET", "a=b&challenge_code=" + code, "", want},
		{"a verifier with other keys", rekeyed, "GET", "challenge_code=" + code, "", want},
		{"another method", v, "HEAD", "challenge_code=" + code, "", "none"},
		{"another parameter", v, "GET", "challenge=" + code, "", "none"},
		{"an endpoint that does not answer", newVerifier(t, keys, insecure), "GET", "challenge_code=" + code, "", "none"},
		{"an empty code", v, "GET", "challenge_code=", "", "malformed"},
		{"a code twice", v, "GET", "challenge_code=" + code + "&challenge_code=" + code, "", "malformed"},
		{"a code with HTML", v, "GET", "challenge_code=%3Cb%3E", "", "malformed"},
		{"a long code", v, "GET", "challenge_code=" + strings.Repeat("a", 257), "", "malformed"},
		{"a broken query", v, "GET", "challenge_code=" + code + "&%", "", "malformed"},
		{"a long query", v, "GET", "challenge_code=" + code + "&a=" + strings.Repeat("a", 4096), "", "malformed"},
		{"a body", v, "GET", "challenge_code=" + code, "{}", "malformed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			head := &verify.Head{Method: tt.method, URL: &url.URL{Path: "/account-deletion", RawQuery: tt.query}, ReceivedAt: receivedAt}
			r, err := verify.Respond(t.Context(), tt.v, head, []byte(tt.body))
			got := "none"
			switch {
			case err != nil:
				got = vector.Outcome(err)
			case r != nil:
				got = string(r.Body)
			}
			if got != tt.want {
				t.Fatalf("got %s (%v), want %s", got, err, tt.want)
			}
			if r != nil && (r.ContentType != verify.ApplicationJSON || !r.Computed) {
				t.Errorf("the response is %+v", r)
			}
		})
	}
	t.Run("the token is printed by nothing", func(t *testing.T) {
		head := &verify.Head{Method: "GET", URL: &url.URL{RawQuery: "challenge_code=" + code}, ReceivedAt: receivedAt}
		c, err := v.Challenge(t.Context(), head)
		if err != nil {
			t.Fatal(err)
		}
		for _, value := range []any{v, *v, struct{ v *ebay.Verifier }{v}, struct{ v ebay.Verifier }{*v}, c} {
			if text := fmt.Sprintf("%v %+v %#v", value, value, value); strings.Contains(text, token) {
				t.Errorf("it is: %s", text)
			}
		}
	})
	t.Run("a delivery is none", func(t *testing.T) {
		body := event("3f0c9a52_6b1d")
		if r, err := verify.Respond(t.Context(), v, genuine(t, body, "a"), body); r != nil || err != nil {
			t.Errorf("got %v, %v", r, err)
		}
	})
}

func TestVectors(t *testing.T) {
	outcomes := make(map[string]int)
	for _, tt := range vector.Load(t, "testdata") {
		outcomes[tt.Expect]++
		t.Run(tt.Name, func(t *testing.T) {
			v := ebay.InsecureMust(tt.Secrets...)
			err := v.Profile().Check(tt.Head, int64(len(tt.Body)))
			var d *verify.Delivery
			if err == nil {
				d, err = verify.Verify(t.Context(), v, tt.Head, tt.Body)
			}
			if got := vector.Outcome(err); got != tt.Expect {
				t.Fatalf("%s: outcome is %s (%v), want %s", tt.Note, got, err, tt.Expect)
			}
			if err == nil && tt.ID != "" && d.ID != tt.ID {
				t.Errorf("the id is %q, want %q", d.ID, tt.ID)
			}
		})
	}
	for _, want := range []string{"accept", "unsigned", "malformed", "mismatch"} {
		if outcomes[want] == 0 {
			t.Errorf("no vector has the outcome %s", want)
		}
	}
}

// TestPublished: what eBay's own test holds gets the verdicts of eBay's library.
func TestPublished(t *testing.T) {
	all := vector.PublishedWithPublicKeys(t, "ebay")
	verdicts := make(map[string]int)
	for _, p := range all {
		verdicts[p.Verdict]++
		_, err := verify.Verify(t.Context(), ebay.InsecureMust(p.PublicKeys...), p.Head, p.Body)
		if got := vector.Outcome(err); got != p.Want(t) {
			t.Errorf("%s: the outcome is %s (%v), want %s", p.Name, got, err, p.Want(t))
		}
	}
	if verdicts["accept"] == 0 || verdicts["reject"] == 0 {
		t.Errorf("found %v, want both verdicts", verdicts)
	}
}

// FuzzVerify: nothing but the body that was signed verifies.
func FuzzVerify(f *testing.F) {
	v := ebay.InsecureMust(public(f, "a"))
	want := event("3f0c9a52_6b1d")
	good := object("ecdsa", keyID, der(f, want, "a"), "SHA1")
	f.Add(good, want)
	f.Add(strings.Replace(good, "{", `{"version":[{}],`, 1), want)
	f.Add(good, event("other"))
	f.Add(object("ecdsa", keyID, []byte{0x30, 6, 2, 1, 1, 2, 1, 1}, "SHA1"), want)
	f.Fuzz(func(t *testing.T, json string, body []byte) {
		d, err := verify.Verify(t.Context(), v, headOf(headerOf(json)), body)
		if (d == nil) != (err != nil) || err == nil && !bytes.Equal(d.Body, want) {
			t.Errorf("got %v, %v", d, err)
		}
	})
}
