package keyfetch_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/keyfetch"
	"github.com/hooknotary/hooknotary/verify"
)

// The keys of all tests.
var keys = sync.OnceValue(func() (k struct {
	rsa     *rsa.PrivateKey
	p256    *ecdsa.PrivateKey
	ed25519 ed25519.PrivateKey
}) {
	var errs [3]error
	k.rsa, errs[0] = rsa.GenerateKey(rand.Reader, 2048)
	k.p256, errs[1] = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	_, k.ed25519, errs[2] = ed25519.GenerateKey(rand.Reader)
	if err := errors.Join(errs[:]...); err != nil {
		panic(err)
	}
	return k
})

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

type object = map[string]any

// jwkOf writes a public key as a JWK with these members besides.
func jwkOf(public any, more object) object {
	k := object{}
	switch public := public.(type) {
	case *rsa.PublicKey:
		k["kty"], k["n"], k["e"] = "RSA", b64(public.N.Bytes()), "AQAB"
	case *ecdsa.PublicKey:
		point, err := public.Bytes()
		if err != nil {
			panic(err)
		}
		k["kty"], k["crv"], k["x"], k["y"] = "EC", "P-256", b64(point[1:33]), b64(point[33:])
	case ed25519.PublicKey:
		k["kty"], k["crv"], k["x"] = "OKP", "Ed25519", b64(public)
	}
	for name, value := range more {
		if value == nil {
			delete(k, name)
		} else {
			k[name] = value
		}
	}
	return k
}

func ed(more object) object { return jwkOf(keys().ed25519.Public(), more) }

func setOf(keys ...object) string { return text(object{"keys": keys}) }

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func pemOf(public any) string {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// host is a key host.
type host struct {
	*httptest.Server
	requests atomic.Int64
	respond  atomic.Pointer[http.HandlerFunc]
}

func newHost(t *testing.T, respond http.HandlerFunc) *host {
	t.Helper()
	h := &host{}
	h.set(respond)
	h.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.requests.Add(1)
		(*h.respond.Load())(w, r)
	}))
	h.Config.ErrorLog = log.New(io.Discard, "", 0)
	h.StartTLS()
	t.Cleanup(h.Close)
	return h
}

func (h *host) set(respond http.HandlerFunc) { h.respond.Store(&respond) }

// wants checks how many requests there were since the last call.
func (h *host) wants(t *testing.T, n int64) {
	t.Helper()
	if got := h.requests.Swap(0); got != n {
		t.Errorf("the host got %d requests, want %d", got, n)
	}
}

// serves responds with a text.
func serves(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, body)
	}
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// clock is a clock that a test moves.
type clock struct{ now atomic.Int64 }

func (c *clock) add(d time.Duration) { c.now.Add(int64(d)) }
func (c *clock) time() time.Time     { return time.Unix(1_900_000_000, c.now.Load()) }

func newFetcher(t *testing.T, h *host, e keyfetch.Endpoint, o keyfetch.Options) (*keyfetch.Fetcher, *clock) {
	t.Helper()
	e.URL = h.URL + e.URL
	if e.Kind == 0 {
		e.Kind = keyfetch.Ed25519
	}
	if o.Transport == nil {
		o.Transport = h.Client().Transport
	}
	f, err := keyfetch.New(e, &o)
	if err != nil {
		t.Fatal(err)
	}
	c := &clock{}
	f.SetNow(c.time)
	return f, c
}

// has wants a key.
func has(t *testing.T, f *keyfetch.Fetcher, id string) crypto.PublicKey {
	t.Helper()
	key, err := f.Key(t.Context(), id)
	if err != nil {
		t.Fatalf("Key(%q): %v", id, err)
	}
	if key.Label() != id || key.Scope() != "default" {
		t.Errorf("the key of %q is named %v", id, key)
	}
	return key.Public()
}

// lacks wants a refusal.
func lacks(t *testing.T, f *keyfetch.Fetcher, id string, want verify.Reason, says string) {
	t.Helper()
	_, err := f.Key(t.Context(), id)
	if e, ok := err.(*verify.Error); !ok || e.Reason != want || !strings.Contains(err.Error(), says) {
		t.Fatalf("Key(%q): %v, want %v with %q", id, err, want, says)
	}
}

const set, each = "/.well-known/jwks.json", "/keys/{id}"

func TestKey(t *testing.T) {
	k := keys()
	for _, kind := range []struct {
		kind   keyfetch.Kind
		public interface{ Equal(crypto.PublicKey) bool }
	}{
		{keyfetch.RSA, &k.rsa.PublicKey},
		{keyfetch.P256, &k.p256.PublicKey},
		{keyfetch.Ed25519, k.ed25519.Public().(ed25519.PublicKey)},
	} {
		for _, tt := range []struct {
			name     string
			endpoint keyfetch.Endpoint
			body     string
		}{
			{"out of a set", keyfetch.Endpoint{URL: set}, setOf(
				jwkOf(&k.rsa.PublicKey, object{"kid": "k1"}), jwkOf(&k.p256.PublicKey, object{"kid": "k1"}), ed(object{"kid": "k1"}))},
			{"out of a set that is a member", keyfetch.Endpoint{URL: set, Member: "data.set"}, text(object{"data": object{"set": object{"keys": []object{jwkOf(kind.public, object{"kid": "k1"})}}}})},
			{"as a JWK with its id", keyfetch.Endpoint{URL: each}, text(jwkOf(kind.public, object{"kid": "k1", "use": "sig", "key_ops": []string{"verify"}}))},
			{"as a JWK without an id", keyfetch.Endpoint{URL: each}, text(jwkOf(kind.public, nil))},
			{"as a JWK that is a member", keyfetch.Endpoint{URL: each, Member: "key"}, text(object{"key": jwkOf(kind.public, nil)})},
			{"as PEM", keyfetch.Endpoint{URL: each, Form: keyfetch.PEM}, pemOf(kind.public)},
			{"as PEM that is a member", keyfetch.Endpoint{URL: each, Form: keyfetch.PEM, Member: "data.public_key"}, text(object{"data": object{"public_key": pemOf(kind.public)}})},
			{"as PEM in one line", keyfetch.Endpoint{URL: each, Form: keyfetch.PEM, Member: "key"}, text(object{"key": strings.ReplaceAll(pemOf(kind.public), "\n", "")})},
		} {
			t.Run(kind.kind.String()+" "+tt.name, func(t *testing.T) {
				h := newHost(t, serves(tt.body))
				tt.endpoint.Kind = kind.kind
				f, _ := newFetcher(t, h, tt.endpoint, keyfetch.Options{})
				for range 3 {
					if got := has(t, f, "k1"); !kind.public.Equal(got) {
						t.Fatal("it is another key")
					}
				}
				h.wants(t, 1)
			})
		}
	}

	t.Run("the id stands in the path", func(t *testing.T) {
		h := newHost(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet || r.RequestURI != "/v1/a-B_3.~/key?format=jwk" {
				t.Errorf("the host got %s %s", r.Method, r.RequestURI)
			}
			serves(text(ed(nil)))(w, r)
		})
		f, _ := newFetcher(t, h, keyfetch.Endpoint{URL: "/v1/{id}/key?format=jwk"}, keyfetch.Options{})
		has(t, f, "a-B_3.~")
	})

	t.Run("an id that is none causes no request", func(t *testing.T) {
		h := newHost(t, serves(text(ed(nil))))
		f, _ := newFetcher(t, h, keyfetch.Endpoint{URL: each}, keyfetch.Options{})
		for _, id := range []string{
			"", ".", "..", "../admin", "a/b", "a\\b", "a%2fb", "a?b", "a#b", "a b", "a\r\nHost: b", "a\x00", "ä", "@evil.example", ":443", strings.Repeat("a", 129),
		} {
			lacks(t, f, id, verify.ErrNoKey, "the id of the key has")
		}
		h.wants(t, 0)
		has(t, f, strings.Repeat("a", 128))
		has(t, f, "...")
		h.wants(t, 2)
	})

	t.Run("an id of a set has more characters, but none that does not print", func(t *testing.T) {
		h := newHost(t, serves(setOf(ed(object{"kid": "a/b+c=@:1"}))))
		f, _ := newFetcher(t, h, keyfetch.Endpoint{URL: set}, keyfetch.Options{})
		has(t, f, "a/b+c=@:1")
		lacks(t, f, "a b", verify.ErrNoKey, "the id of the key has")
	})
}

// TestPrepare: an API that wants credentials, and the id in the body.
func TestPrepare(t *testing.T) {
	h := newHost(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Method != http.MethodPost || r.Host != r.Context().Value(http.LocalAddrContextKey).(net.Addr).String() ||
			r.URL.Path != "/get" || r.Header.Get("Authorization") != "Bearer 7" || string(body) != `{"key_id":"k1"}` {
			t.Errorf("the host got %s %s%s with %q", r.Method, r.Host, r.URL, body)
		}
		serves(text(object{"key": ed(object{"kid": "k1", "expired_at": nil})}))(w, r)
	})
	endpoint := keyfetch.Endpoint{
		URL: "/get", ByID: true, Member: "key", Withdrawn: "expired_at",
		Prepare: func(r *http.Request, id string) error {
			r.Method, r.Body = http.MethodPost, io.NopCloser(strings.NewReader(`{"key_id":"`+id+`"}`))
			r.Header.Set("Authorization", "Bearer 7")
			r.Host = "evil.example"
			r.URL.Host, r.URL.Path = "evil.example", "/admin"
			return nil
		},
	}
	t.Run("adds to the request, and cannot send it elsewhere", func(t *testing.T) {
		f, _ := newFetcher(t, h, endpoint, keyfetch.Options{})
		has(t, f, "k1")
		h.wants(t, 1)
	})
	for name, prepare := range map[string]func(*http.Request, string) error{
		"with an error fails": func(*http.Request, string) error { return errors.New("no token yet") },
		"that panics fails":   func(*http.Request, string) error { panic("the token") },
	} {
		t.Run(name, func(t *testing.T) {
			e := endpoint
			e.Prepare = prepare
			f, _ := newFetcher(t, h, e, keyfetch.Options{})
			lacks(t, f, "k1", verify.ErrUnavailable, "Prepare")
			h.wants(t, 0)
		})
	}
}

func TestResponse(t *testing.T) {
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	r := func(more object) object { return jwkOf(&keys().rsa.PublicKey, more) }
	ec := func(more object) object { return jwkOf(&keys().p256.PublicKey, more) }
	many := make([]object, 65)
	for i := range many {
		many[i] = ed(object{"kid": fmt.Sprint(i)})
	}
	for _, tt := range []struct {
		name string
		kind keyfetch.Kind
		url  string
		body string
		want verify.Reason // 0: the key k1 is there
		says string
	}{
		{"a key", keyfetch.Ed25519, each, text(ed(object{"kid": "k1"})), 0, ""},
		{"a key of another id", keyfetch.Ed25519, each, text(ed(object{"kid": "k2"})), verify.ErrUnavailable, "another id"},
		{"a key of another kind", keyfetch.RSA, each, text(ed(object{"kid": "k1"})), verify.ErrUnavailable, "another id, kind"},
		{"a key for encryption", keyfetch.Ed25519, each, text(ed(object{"use": "enc"})), verify.ErrUnavailable, "use"},
		{"a key for another operation", keyfetch.Ed25519, each, text(ed(object{"key_ops": []string{"wrapKey"}})), verify.ErrUnavailable, "use"},
		{"a key of another algorithm", keyfetch.RSA, each, text(r(object{"alg": "PS256"})), verify.ErrUnavailable, "kind"},
		{"an RSA key for an HMAC", keyfetch.RSA, each, text(r(object{"alg": "HS256"})), verify.ErrUnavailable, "kind"},
		{"a private key", keyfetch.Ed25519, each, text(ed(object{"d": b64(keys().ed25519.Seed())})), verify.ErrUnavailable, "private"},
		{"a secret key", keyfetch.Ed25519, each, text(object{"kty": "oct", "k": "AAAA"}), verify.ErrUnavailable, "secret"},
		{"a key that is null", keyfetch.Ed25519, each, "null", verify.ErrUnavailable, "another form"},
		{"a list", keyfetch.Ed25519, each, "[]", verify.ErrUnavailable, "another form"},
		{"text behind the key", keyfetch.Ed25519, each, text(ed(nil)) + "{}", verify.ErrUnavailable, "another form"},
		{"nothing", keyfetch.Ed25519, each, "", verify.ErrUnavailable, "another form"},
		{"an id that is a number", keyfetch.Ed25519, each, text(ed(object{"kid": 7})), verify.ErrUnavailable, "another form"},
		{"names in other letters", keyfetch.Ed25519, each, text(ed(object{"kty": nil, "KTY": "OKP"})), verify.ErrUnavailable, "kind"},

		{"an Ed25519 key of 31 bytes", keyfetch.Ed25519, each, text(ed(object{"x": b64(make([]byte, 31))})), verify.ErrUnavailable, "32 bytes"},
		{"an Ed25519 key with padding", keyfetch.Ed25519, each, text(ed(object{"x": b64(keys().ed25519.Public().(ed25519.PublicKey)) + "="})), verify.ErrUnavailable, "base64url"},
		{"an Ed25519 key with a line break", keyfetch.Ed25519, each, text(ed(object{"x": b64(keys().ed25519.Public().(ed25519.PublicKey)) + "\n"})), verify.ErrUnavailable, "base64url"},
		{"a P-256 key", keyfetch.P256, each, text(ec(nil)), 0, ""},
		{"a P-256 key that is no point", keyfetch.P256, each, text(ec(object{"x": ec(nil)["y"]})), verify.ErrUnavailable, "point"},
		{"a P-256 key with a zero in front", keyfetch.P256, each, text(ec(object{"x": b64(make([]byte, 33))})), verify.ErrUnavailable, "point"},
		{"a P-384 key", keyfetch.P256, each, text(jwkOf(&p384.PublicKey, object{"crv": "P-384"})), verify.ErrUnavailable, "kind"},
		{"an RSA key", keyfetch.RSA, each, text(r(nil)), 0, ""},
		{"an RSA key of 1024 bits", keyfetch.RSA, each, text(jwkOf(&small.PublicKey, nil)), verify.ErrUnavailable, "2048"},
		{"an RSA key with the exponent 1", keyfetch.RSA, each, text(r(object{"e": "AQ"})), verify.ErrUnavailable, "exponent"},
		{"an RSA key with an even exponent", keyfetch.RSA, each, text(r(object{"e": "AQAA"})), verify.ErrUnavailable, "exponent"},
		{"an RSA key with a long exponent", keyfetch.RSA, each, text(r(object{"e": "AQAAAAE"})), verify.ErrUnavailable, "exponent"},
		{"an RSA key with a zero in front", keyfetch.RSA, each, text(r(object{"e": "AAEAAQ"})), verify.ErrUnavailable, "zeros"},

		{"a set", keyfetch.Ed25519, set, setOf(ed(object{"kid": "k1"})), 0, ""},
		{"a set with keys of other kinds and uses", keyfetch.Ed25519, set, setOf(object{"kty": "XYZ", "kid": "k1"}, ed(object{"kid": "k1", "use": "enc"}), r(object{"kid": "k1"}), ed(object{"kid": "k1"})), 0, ""},
		{"a set with two keys of one id", keyfetch.Ed25519, set, setOf(ed(object{"kid": "k1"}), ed(object{"kid": "k1"})), verify.ErrUnavailable, "two keys"},
		{"a set with the private key of another", keyfetch.Ed25519, set, setOf(ed(object{"kid": "k1"}), r(object{"d": "AAAA"})), verify.ErrUnavailable, "private"},
		{"a set without the key", keyfetch.Ed25519, set, setOf(ed(object{"kid": "k2"})), verify.ErrNoKey, "no key of that id"},
		{"a set whose key has no id", keyfetch.Ed25519, set, setOf(ed(nil)), verify.ErrNoKey, "no key of that id"},
		{"a set without any key of the kind", keyfetch.RSA, set, setOf(ed(object{"kid": "k1"})), verify.ErrUnavailable, "no key of the kind"},
		{"a set that is empty", keyfetch.Ed25519, set, `{"keys":[]}`, verify.ErrUnavailable, "no key of the kind"},
		{"a set without keys", keyfetch.Ed25519, set, `{}`, verify.ErrUnavailable, "another form"},
		{"a set with 65 keys", keyfetch.Ed25519, set, setOf(many...), verify.ErrUnavailable, "more than 64"},
		{"a page", keyfetch.Ed25519, set, `<html>`, verify.ErrUnavailable, "another form"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, _ := newFetcher(t, newHost(t, serves(tt.body)), keyfetch.Endpoint{URL: tt.url, Kind: tt.kind}, keyfetch.Options{})
			if tt.want == 0 {
				has(t, f, "k1")
			} else {
				lacks(t, f, "k1", tt.want, tt.says)
			}
		})
	}
}

func TestWithdrawn(t *testing.T) {
	for _, tt := range []struct {
		name  string
		value any
		known bool
	}{
		{"absent counts", nil, true},
		{"null counts", json.RawMessage("null"), true},
		{"a time does not count", "2031-01-01T00:00:00Z", false},
		{"zero does not count", 0, false},
	} {
		for _, url := range []string{set, each} {
			t.Run(tt.name+" "+url, func(t *testing.T) {
				k := ed(object{"kid": "k1", "expired_at": tt.value})
				body := text(k)
				if url == set {
					body = setOf(k, ed(object{"kid": "k2"}))
				}
				f, _ := newFetcher(t, newHost(t, serves(body)), keyfetch.Endpoint{URL: url, Withdrawn: "expired_at"}, keyfetch.Options{})
				if tt.known {
					has(t, f, "k1")
				} else {
					lacks(t, f, "k1", verify.ErrNoKey, "no key of that id")
				}
			})
		}
	}
}

// TestPEM: the twin of each is in TestKey.
func TestPEM(t *testing.T) {
	k := keys()
	der, err := x509.MarshalPKCS8PrivateKey(k.ed25519)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, body, says string }{
		{"a private key", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), "private"},
		{"a key of another kind", pemOf(&k.rsa.PublicKey), "kind"},
		{"two keys", pemOf(k.ed25519.Public()) + pemOf(k.ed25519.Public()), "one key"},
		{"a page", "<html>", "key host: "},
		{"two keys in one line", strings.ReplaceAll(pemOf(k.ed25519.Public())+pemOf(k.ed25519.Public()), "\n", ""), "key host: "},
		{"one line that does not end", strings.TrimSuffix(strings.ReplaceAll(pemOf(k.ed25519.Public()), "\n", ""), "-----END PUBLIC KEY-----"), "one line"},
		{"a private key in one line", strings.ReplaceAll(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), "\n", ""), "private"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, _ := newFetcher(t, newHost(t, serves(tt.body)), keyfetch.Endpoint{URL: each, Form: keyfetch.PEM}, keyfetch.Options{})
			lacks(t, f, "k1", verify.ErrUnavailable, tt.says)
		})
	}
}

func TestHost(t *testing.T) {
	good := serves(setOf(ed(object{"kid": "k1"})))
	elsewhere := newHost(t, good)
	for _, tt := range []struct {
		name    string
		respond http.HandlerFunc
		says    string // "": the key is there
	}{
		{"that is well", good, ""},
		{"that redirects to another host", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusFound)
		}, "redirects"},
		{"that redirects to itself", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/other", http.StatusPermanentRedirect)
		}, "redirects"},
		{"that fails", status(http.StatusInternalServerError), "status 500"},
		{"that asks for patience", status(http.StatusTooManyRequests), "status 429"},
		{"that wants credentials", status(http.StatusUnauthorized), "status 401"},
		{"that has no set", status(http.StatusNotFound), "status 404"},
		{"that has no content", status(http.StatusNoContent), "status 204"},
		{"that sends a page", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			io.WriteString(w, setOf(ed(object{"kid": "k1"})))
		}, "not JSON"},
		{"that sends another kind of JSON", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/jwk-set+json; charset=utf-8")
			io.WriteString(w, setOf(ed(object{"kid": "k1"})))
		}, ""},
		{"that sends as much as it may", serves(setOf(ed(object{"kid": "k1"})) + strings.Repeat(" ", keyfetch.MaxBody-len(setOf(ed(object{"kid": "k1"}))))), ""},
		{"that sends one byte too many", serves(setOf(ed(object{"kid": "k1"})) + strings.Repeat(" ", 1+keyfetch.MaxBody-len(setOf(ed(object{"kid": "k1"}))))), "longer than"},
		{"that sends without an end", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 64<<10)); err != nil {
					return
				}
			}
		}, "longer than"},
		{"that sends a large header", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Large", strings.Repeat("x", 64<<10))
			good(w, r)
		}, "key host"},
		{"that ends the connection", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "key host"},
		{"that says another length", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", "1000")
			io.WriteString(w, setOf(ed(object{"kid": "k1"})))
		}, "key host"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHost(t, tt.respond)
			transport := h.Client().Transport.(*http.Transport).Clone()
			transport.MaxResponseHeaderBytes = 16 << 10
			f, _ := newFetcher(t, h, keyfetch.Endpoint{URL: set}, keyfetch.Options{Transport: transport})
			if tt.says == "" {
				has(t, f, "k1")
				return
			}
			lacks(t, f, "k1", verify.ErrUnavailable, tt.says)
			if _, err := f.Key(t.Context(), "k1"); strings.Contains(err.Error(), set) {
				t.Errorf("the error repeats the URL: %v", err)
			}
			h.wants(t, 1) // and not one for each request
		})
	}
	elsewhere.wants(t, 0)

	t.Run("that is slow holds a delivery for 1.5 seconds at most, and its key is there afterwards", func(t *testing.T) {
		release := make(chan struct{})
		h := newHost(t, func(w http.ResponseWriter, r *http.Request) {
			<-release
			good(w, r)
		})
		f, _ := newFetcher(t, h, keyfetch.Endpoint{URL: set}, keyfetch.Options{})
		start := time.Now()
		lacks(t, f, "k1", verify.ErrUnavailable, "was not there within 1.5s")
		if d := time.Since(start); d < 1400*time.Millisecond || d > 4*time.Second {
			t.Errorf("it took %v", d)
		}
		close(release)
		has(t, f, "k1")
		h.wants(t, 1)
	})

	t.Run("that never responds is given up after 5 seconds", func(t *testing.T) {
		gone := make(chan struct{})
		h := newHost(t, func(_ http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			close(gone)
		})
		f, _ := newFetcher(t, h, keyfetch.Endpoint{URL: set}, keyfetch.Options{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := f.Key(ctx, "k1"); !errors.Is(err, verify.ErrUnavailable) || !strings.Contains(err.Error(), "request ended") {
			t.Errorf("the error is %v", err)
		}
		select {
		case <-gone:
		case <-time.After(10 * time.Second):
			t.Error("the connection is still open")
		}
	})

	t.Run("is the only one that is connected to", func(t *testing.T) {
		h := newHost(t, serves(text(ed(nil))))
		transport := h.Client().Transport.(*http.Transport).Clone()
		dial, dialled := (&net.Dialer{}).DialContext, map[string]bool{}
		var mu sync.Mutex
		transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			mu.Lock()
			dialled[address] = true
			mu.Unlock()
			return dial(ctx, network, address)
		}
		f, _ := newFetcher(t, h, keyfetch.Endpoint{URL: each}, keyfetch.Options{Transport: transport})
		for _, id := range []string{"evil.example", "..", "~evil.example", "@evil.example", "a.evil.example"} {
			f.Key(t.Context(), id)
		}
		if len(dialled) != 1 || !dialled[h.Listener.Addr().String()] {
			t.Errorf("dialled: %v", dialled)
		}
	})

	t.Run("with a certificate that is not trusted is refused", func(t *testing.T) {
		h := newHost(t, good)
		f, _ := newFetcher(t, h, keyfetch.Endpoint{URL: set}, keyfetch.Options{Transport: &http.Transport{}})
		lacks(t, f, "k1", verify.ErrUnavailable, "certificate")
		h.wants(t, 0)
	})

	t.Run("is asked without a proxy", func(t *testing.T) {
		f, err := keyfetch.New(keyfetch.Endpoint{URL: "https://sender.example/keys", Kind: keyfetch.RSA}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if f.Transport().(*http.Transport).Proxy != nil {
			t.Error("it has a proxy")
		}
	})
}

func TestNew(t *testing.T) {
	const url = "https://sender.example/keys/{id}"
	for _, tt := range []struct {
		name     string
		endpoint keyfetch.Endpoint
		options  keyfetch.Options
		says     string // "": it is taken
	}{
		{"a URL with an id", keyfetch.Endpoint{URL: url, Kind: keyfetch.RSA}, keyfetch.Options{}, ""},
		{"a URL without", keyfetch.Endpoint{URL: "https://sender.example", Kind: keyfetch.RSA}, keyfetch.Options{}, ""},
		{"an id in front of a query", keyfetch.Endpoint{URL: url + "?a=b", Kind: keyfetch.RSA}, keyfetch.Options{}, ""},
		{"no URL", keyfetch.Endpoint{Kind: keyfetch.RSA}, keyfetch.Options{}, "https"},
		{"http", keyfetch.Endpoint{URL: "http://sender.example/keys", Kind: keyfetch.RSA}, keyfetch.Options{}, "https"},
		{"a user", keyfetch.Endpoint{URL: "https://me@sender.example/keys", Kind: keyfetch.RSA}, keyfetch.Options{}, "without user"},
		{"no host", keyfetch.Endpoint{URL: "https:///keys", Kind: keyfetch.RSA}, keyfetch.Options{}, "host"},
		{"a fragment", keyfetch.Endpoint{URL: "https://sender.example/keys#{id}", Kind: keyfetch.RSA}, keyfetch.Options{}, "fragment"},
		{"two ids", keyfetch.Endpoint{URL: url + "/{id}", Kind: keyfetch.RSA}, keyfetch.Options{}, "more than once"},
		{"an id as the host", keyfetch.Endpoint{URL: "https://{id}/keys", Kind: keyfetch.RSA}, keyfetch.Options{}, "segment"},
		{"an id in the host", keyfetch.Endpoint{URL: "https://{id}.sender.example/keys", Kind: keyfetch.RSA}, keyfetch.Options{}, "segment"},
		{"an id behind the host", keyfetch.Endpoint{URL: "https://sender.example{id}/keys", Kind: keyfetch.RSA}, keyfetch.Options{}, "segment"},
		{"an id in a segment", keyfetch.Endpoint{URL: "https://sender.example/key-{id}", Kind: keyfetch.RSA}, keyfetch.Options{}, "segment"},
		{"an id with an ending", keyfetch.Endpoint{URL: url + ".pem", Kind: keyfetch.RSA}, keyfetch.Options{}, "segment"},
		{"an id in the query", keyfetch.Endpoint{URL: "https://sender.example/keys?/{id}", Kind: keyfetch.RSA}, keyfetch.Options{}, "segment"},
		{"no kind", keyfetch.Endpoint{URL: url}, keyfetch.Options{}, "Kind"},
		{"an unknown form", keyfetch.Endpoint{URL: url, Kind: keyfetch.RSA, Form: 7}, keyfetch.Options{}, "Form"},
		{"ByID and an id", keyfetch.Endpoint{URL: url, Kind: keyfetch.RSA, ByID: true, Prepare: func(*http.Request, string) error { return nil }}, keyfetch.Options{}, "ByID"},
		{"ByID without Prepare", keyfetch.Endpoint{URL: "https://sender.example", Kind: keyfetch.RSA, ByID: true}, keyfetch.Options{}, "Prepare"},
		{"an empty member", keyfetch.Endpoint{URL: url, Kind: keyfetch.RSA, Member: "a..b"}, keyfetch.Options{}, "Member"},
		{"Withdrawn for PEM", keyfetch.Endpoint{URL: url, Kind: keyfetch.RSA, Form: keyfetch.PEM, Withdrawn: "over"}, keyfetch.Options{}, "Withdrawn"},
		{"a short MaxAge", keyfetch.Endpoint{URL: url, Kind: keyfetch.RSA}, keyfetch.Options{MaxAge: time.Second}, "MaxAge"},
		{"a long MaxAge", keyfetch.Endpoint{URL: url, Kind: keyfetch.RSA}, keyfetch.Options{MaxAge: 25 * time.Hour}, "MaxAge"},
		{"a long MaxStale", keyfetch.Endpoint{URL: url, Kind: keyfetch.RSA}, keyfetch.Options{MaxStale: 25 * time.Hour}, "MaxStale"},
		{"no MaxStale", keyfetch.Endpoint{URL: url, Kind: keyfetch.RSA}, keyfetch.Options{MaxStale: -1}, ""},
		{"a scope that is none", keyfetch.Endpoint{URL: url, Kind: keyfetch.RSA}, keyfetch.Options{Scope: "\n"}, "Scope"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, err := keyfetch.New(tt.endpoint, &tt.options)
			if tt.says == "" && err != nil || tt.says != "" && (err == nil || f != nil || !strings.Contains(err.Error(), tt.says)) {
				t.Errorf("the error is %v, want one with %q", err, tt.says)
			}
		})
	}
}
