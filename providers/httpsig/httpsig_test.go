package httpsig_test

import (
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/httpsig"
	"github.com/hooknotary/hooknotary/providers/providertest"
	"github.com/hooknotary/hooknotary/providers/providertest/vector"
	"github.com/hooknotary/hooknotary/verify"
)

const (
	secret = "5d1f0c6a9b3e47d28c50f1ae6b7d9243"
	site   = "https://hooks.example.com/in/7?tenant=4711"
)

var signedAt = time.Date(2031, 5, 17, 9, 30, 0, 0, time.UTC)

func digestOf(body []byte) string {
	sum := sha256.Sum256(body)
	return "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
}

// base writes what is signed, of components and values by turns.
func base(params string, fields ...string) string {
	var text strings.Builder
	for i := 0; i < len(fields); i += 2 {
		text.WriteString(`"` + fields[i] + `": ` + fields[i+1] + "\n")
	}
	return text.String() + `"@signature-params": ` + params
}

func mac(secret, text string) []byte {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(text))
	return h.Sum(nil)
}

// nonce returns the nonce that the tests sign with a body.
func nonce(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:6])
}

// header signs the method, the URL, the time and the body.
func header(at time.Time, body []byte, sign func(text string) []byte) http.Header {
	params := fmt.Sprintf(`("@method" "@authority" "@path" "content-digest");created=%d;nonce="%s"`, at.Unix(), nonce(body))
	signature := sign(base(params, "@method", "POST", "@authority", "hooks.example.com", "@path", "/in/7", "content-digest", digestOf(body)))
	return http.Header{
		"Signature":       {"sig1=:" + base64.StdEncoding.EncodeToString(signature) + ":"},
		"Signature-Input": {"sig1=" + params},
		"Content-Digest":  {digestOf(body)},
	}
}

func seed(i int) [32]byte { return sha256.Sum256([]byte{byte(i)}) }

func TestBattery(t *testing.T) {
	wrapped := func(v *httpsig.Verifier, err error) (verify.Verifier, error) {
		if err != nil {
			return nil, err
		}
		return v, nil
	}
	bodies := [][]byte{[]byte(`{"type":"invoice.paid","amount":4200}`), []byte(`{"type":"invoice.void"}`)}
	subject := providertest.Subject{
		Profile: verify.Profile{
			Provider: "httpsig", MediaType: "application/json", MaxBody: 1 << 20, Window: verify.Window{Past: 5 * time.Minute, Future: 5 * time.Minute},
			Binding: verify.BindingFull, Retry: verify.RetryIdentical, Retention: 24 * time.Hour,
		},
		Events: []providertest.Event{
			{Name: "one", Body: bodies[0], MessageID: nonce(bodies[0])},
			{Name: "another", Body: bodies[1], MessageID: nonce(bodies[1])},
		},
		Headers:  []string{"Signature", "Signature-Input", "Content-Digest"},
		Unsigned: []string{"X-Other"},
		Query:    func([]byte) string { return "tenant=4711" },
	}
	t.Run("a secret", func(t *testing.T) {
		t.Parallel()
		s := subject
		for i := range verify.MaxKeys + 1 {
			sum := seed(i)
			s.Secrets = append(s.Secrets, hex.EncodeToString(sum[:]))
		}
		s.New = func(keys verify.KeySource) (verify.Verifier, error) {
			return wrapped(httpsig.New(site, httpsig.HMACSHA256, keys, nil))
		}
		s.Sign = func(at time.Time, _ *url.URL, body []byte, secrets ...string) http.Header {
			return header(at, body, func(text string) []byte { return mac(secrets[0], text) })
		}
		providertest.Exercise(t, s)
	})
	t.Run("a private key", func(t *testing.T) {
		t.Parallel()
		s := subject
		for i := range verify.MaxKeys + 1 {
			sum := seed(i)
			s.Secrets = append(s.Secrets, hex.EncodeToString(sum[:]))
		}
		private := func(secret string) ed25519.PrivateKey {
			sum := sha256.Sum256([]byte(secret))
			return ed25519.NewKeyFromSeed(sum[:])
		}
		s.Held = func(secret string) string {
			if !slices.Contains(s.Secrets, secret) {
				return secret // one that cannot be right
			}
			return hex.EncodeToString(private(secret).Public().(ed25519.PublicKey))
		}
		s.New = func(keys verify.KeySource) (verify.Verifier, error) {
			return wrapped(httpsig.New(site, httpsig.Ed25519, keys, nil))
		}
		s.Sign = func(at time.Time, _ *url.URL, body []byte, secrets ...string) http.Header {
			return header(at, body, func(text string) []byte { return ed25519.Sign(private(secrets[0]), []byte(text)) })
		}
		providertest.Exercise(t, s)
	})
}

var algorithms = map[string]httpsig.Algorithm{
	"ed25519": httpsig.Ed25519, "ecdsa-p256-sha256": httpsig.ECDSAP256SHA256, "rsa-pss-sha512": httpsig.RSAPSSSHA512,
	"rsa-v1_5-sha256": httpsig.RSAV15SHA256, "hmac-sha256": httpsig.HMACSHA256,
}

func TestVectors(t *testing.T) {
	vectors := vector.Load(t, "testdata")
	if len(vectors) < 80 {
		t.Fatalf("found %d vectors, want at least 80", len(vectors))
	}
	for _, tt := range vectors {
		t.Run(tt.Name, func(t *testing.T) {
			o := &httpsig.Options{}
			a, at := httpsig.Ed25519, ""
			for _, option := range tt.Options {
				name, value, _ := strings.Cut(option, " ")
				switch {
				case option == "body not covered":
					o.InsecureBodyNotCovered = true
				case option == "request not covered":
					o.InsecureRequestNotCovered = true
				case name == "url":
					at = value
				case name == "algorithm" && algorithms[value] != 0:
					a = algorithms[value]
				case name == "component":
					o.Components = append(o.Components, value)
				case name == "tag":
					o.Tag = value
				case name == "label":
					o.Label = value
				default:
					t.Fatalf("unknown option %q", option)
				}
			}
			v, err := httpsig.New(at, a, verify.Secrets(tt.Secrets...), o)
			if err != nil {
				t.Fatal(err)
			}
			if err := v.Profile().Check(tt.Head, int64(len(tt.Body))); err != nil {
				t.Fatal(err)
			}
			_, err = verify.Verify(context.Background(), v, tt.Head, tt.Body)
			if got := vector.Outcome(err); got != tt.Expect {
				t.Errorf("%s: outcome is %s (%v), want %s", tt.Note, got, err, tt.Expect)
			}
		})
	}
}

// TestPublished judges the examples of RFC 9421 with the options that they need, and without
// those that weaken.
func TestPublished(t *testing.T) {
	published := vector.PublishedWithPublicKeys(t, "rfc9421")
	if len(published) < 3 {
		t.Fatalf("found %d vectors, want at least 3", len(published))
	}
	for _, tt := range published {
		t.Run(tt.Name, func(t *testing.T) {
			a := httpsig.RSAPSSSHA512
			o := &httpsig.Options{}
			switch input := tt.Head.Header.Get("Signature-Input"); {
			case strings.Contains(input, "test-key-ed25519"):
				a = httpsig.Ed25519
				o.InsecureBodyNotCovered = true
			case strings.Contains(input, "=();"):
				o.InsecureBodyNotCovered, o.InsecureRequestNotCovered = true, true
			}
			keys := verify.PublicKeys(tt.PublicKeys...)
			v, err := httpsig.New(tt.Head.URL.String(), a, keys, o)
			if err != nil {
				t.Fatal(err)
			}
			_, err = verify.Verify(context.Background(), v, tt.Head, tt.Body)
			if got := vector.Outcome(err); got != tt.Want(t) {
				t.Errorf("outcome is %s (%v), want %s", got, err, tt.Want(t))
			}
			if !o.InsecureBodyNotCovered {
				return
			}
			if v, err = httpsig.New(tt.Head.URL.String(), a, keys, nil); err != nil {
				t.Fatal(err)
			}
			if _, err = verify.Verify(context.Background(), v, tt.Head, tt.Body); !errors.Is(err, verify.ErrMalformed) {
				t.Errorf("without the options the error is %v, want malformed", err)
			}
		})
	}
}

// signed signs the components of a list with a secret, with parameters behind the list.
func signed(list, more string, fields ...string) http.Header {
	params := fmt.Sprintf("(%s);created=%d%s", list, signedAt.Unix(), more)
	text := base(params, fields...)
	return http.Header{
		"Signature":       {"sig1=:" + base64.StdEncoding.EncodeToString(mac(secret, text)) + ":"},
		"Signature-Input": {"sig1=" + params},
	}
}

func judge(t *testing.T, o *httpsig.Options, h http.Header, body string) (*verify.Delivery, error) {
	t.Helper()
	v, err := httpsig.New(site, httpsig.HMACSHA256, verify.Secrets(secret), o)
	if err != nil {
		t.Fatal(err)
	}
	return verify.Verify(context.Background(), v, &verify.Head{Method: "POST", Header: h, ReceivedAt: signedAt}, []byte(body))
}

// TestComponents: each component has the value that RFC 9421 gives it.
func TestComponents(t *testing.T) {
	open := &httpsig.Options{InsecureBodyNotCovered: true, InsecureRequestNotCovered: true}
	field := func(name, value string) func(http.Header) { return func(h http.Header) { h[name] = []string{value} } }
	for _, tt := range []struct {
		name      string
		component string
		value     string
		edit      func(http.Header)
		outcome   string
	}{
		{"the method", "@method", "POST", nil, "accept"},
		{"another method", "@method", "PUT", nil, "mismatch"},
		{"the URL", "@target-uri", site, nil, "accept"},
		{"the URL without its query", "@target-uri", "https://hooks.example.com/in/7", nil, "mismatch"},
		{"the host", "@authority", "hooks.example.com", nil, "accept"},
		{"the host with its port", "@authority", "hooks.example.com:443", nil, "mismatch"},
		{"the scheme", "@scheme", "https", nil, "accept"},
		{"the path", "@path", "/in/7", nil, "accept"},
		{"the query", "@query", "?tenant=4711", nil, "accept"},
		{"the query without its question mark", "@query", "tenant=4711", nil, "mismatch"},
		{"what is requested", "@request-target", "/in/7?tenant=4711", nil, "accept"},
		{"a header", "x-kind", "a, b", field("X-Kind", "a, b"), "accept"},
		{"a header with a blank in front", "x-kind", "a", field("X-Kind", " a"), "malformed"},
		{"a header with a tab behind it", "x-kind", "a", field("X-Kind", "a\t"), "malformed"},
		{"a header with blanks inside", "x-kind", "a \t b", field("X-Kind", "a \t b"), "accept"},
		{"a header that is empty", "x-kind", "", field("X-Kind", " "), "malformed"},
		{"a header that is missing", "x-kind", "", nil, "malformed"},
		{"a header with a line feed", "x-kind", "a", field("X-Kind", "a\nb"), "malformed"},
		{"a header that is not ASCII", "x-kind", "\u00e9", field("X-Kind", "\u00e9"), "malformed"},
		{"a header that is long", "x-kind", strings.Repeat("a", 4096), field("X-Kind", strings.Repeat("a", 4096)), "accept"},
		{"a header that is longer", "x-kind", strings.Repeat("a", 4097), field("X-Kind", strings.Repeat("a", 4097)), "malformed"},
		{"a header in upper case", "X-Kind", "a", field("X-Kind", "a"), "malformed"},
		{"Host", "host", "a", field("Host", "a"), "malformed"},
		{"the signature", "signature-input", "a", nil, "malformed"},
		{"a parameter of the query", "@query-param", "a", nil, "malformed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := signed(`"`+tt.component+`"`, "", tt.component, tt.value)
			if tt.edit != nil {
				tt.edit(h)
			}
			_, err := judge(t, open, h, "{}")
			if got := vector.Outcome(err); got != tt.outcome {
				t.Errorf("outcome is %s (%v), want %s", got, err, tt.outcome)
			}
		})
	}
	t.Run("the default port is none, and the host is in lower case", func(t *testing.T) {
		for address, authority := range map[string]string{
			"https://Hooks.Example.com:443/": "hooks.example.com", "http://hooks.example.com:80/": "hooks.example.com",
			"https://hooks.example.com:80/": "hooks.example.com:80", "http://hooks.example.com:8443/": "hooks.example.com:8443",
		} {
			v, err := httpsig.New(address, httpsig.HMACSHA256, verify.Secrets(secret), open)
			if err != nil {
				t.Fatal(err)
			}
			head := &verify.Head{Header: signed(`"@authority"`, "", "@authority", authority), ReceivedAt: signedAt}
			if _, err := verify.Verify(context.Background(), v, head, nil); err != nil {
				t.Errorf("%s: %v", address, err)
			}
		}
	})
	t.Run("a list has up to 32 components", func(t *testing.T) {
		for n, outcome := range map[int]string{32: "accept", 33: "malformed"} {
			var list, fields []string
			for i := range n {
				name := fmt.Sprintf("x-%d", i)
				list, fields = append(list, `"`+name+`"`), append(fields, name, "v")
			}
			h := signed(strings.Join(list, " "), "", fields...)
			for i := range n {
				h.Set(fields[2*i], "v")
			}
			if _, err := judge(t, open, h, "{}"); vector.Outcome(err) != outcome {
				t.Errorf("%d: outcome is %v, want %s", n, err, outcome)
			}
		}
	})
}

// TestParameters: a parameter has one spelling.
func TestParameters(t *testing.T) {
	open := &httpsig.Options{InsecureBodyNotCovered: true, InsecureRequestNotCovered: true}
	for _, tt := range []struct {
		name, more, outcome, id string
	}{
		{"none", "", "accept", ""},
		{"a nonce", `;nonce="n-1"`, "accept", "n-1"},
		{"a nonce with escapes", `;nonce="a\"\\b"`, "accept", `a"\b`},
		{"a nonce with an escape that is none", `;nonce="a\b"`, "malformed", ""},
		{"an empty nonce", `;nonce=""`, "malformed", ""},
		{"a long nonce", `;nonce="` + strings.Repeat("n", 256) + `"`, "accept", strings.Repeat("n", 256)},
		{"a longer nonce", `;nonce="` + strings.Repeat("n", 257) + `"`, "malformed", ""},
		{"a nonce without quotes", `;nonce=n`, "malformed", ""},
		{"a nonce with a comma and parentheses", `;nonce="a, b=(c);"`, "accept", "a, b=(c);"},
		{"a nonce that does not end", `;nonce="a`, "malformed", ""},
		{"a nonce that is not ASCII", ";nonce=\"\u00e9\"", "malformed", ""},
		{"a time as a text", `;expires="1"`, "malformed", ""},
		{"a negative time", `;expires=-1`, "malformed", ""},
		{"a time with a fraction", fmt.Sprintf(";expires=%d.0", signedAt.Unix()), "malformed", ""},
		{"a time of many digits", `;expires=9999999999999`, "malformed", ""},
		{"a time far ahead", `;expires=999999999999`, "accept", ""},
		{"a blank behind the semicolon", `; nonce="n-1"`, "malformed", ""},
		{"a parameter without a value", `;nonce`, "malformed", ""},
		{"created twice", ";created=1", "malformed", ""},
		{"something behind", ";", "malformed", ""},
		{"the name of the algorithm", `;alg="hmac-sha256"`, "accept", ""},
		{"the name of another", `;alg="ed25519"`, "malformed", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := judge(t, open, signed("", tt.more), "{}")
			if got := vector.Outcome(err); got != tt.outcome {
				t.Fatalf("outcome is %s (%v), want %s", got, err, tt.outcome)
			}
			if err == nil && (d.MessageID != tt.id || d.Binding != verify.BindingNone) {
				t.Errorf("the message id is %q and the binding %v", d.MessageID, d.Binding)
			}
		})
	}
}

// TestLabels: one label counts.
func TestLabels(t *testing.T) {
	body := []byte("{}")
	genuine := header(signedAt, body, func(text string) []byte { return mac(secret, text) })
	member := func(name string) string { return genuine[name][0] }
	for _, tt := range []struct {
		name, label, signature, input, outcome string
	}{
		{"one label", "", member("Signature"), member("Signature-Input"), "accept"},
		{"the label of the endpoint", "sig1", member("Signature"), member("Signature-Input"), "accept"},
		{"another label", "sig2", member("Signature"), member("Signature-Input"), "malformed"},
		{"another one in front", "sig1", "a=:AA==:, " + member("Signature"), `a=("date" "x,");x="\",", ` + member("Signature-Input"), "accept"},
		{"another one in front, without a blank", "sig1", "a=:AA==:," + member("Signature"), "a=()," + member("Signature-Input"), "accept"},
		{"another one in front, with two blanks", "sig1", "a=:AA==:,  " + member("Signature"), "a=()," + member("Signature-Input"), "malformed"},
		{"a second signature without an input", "", member("Signature") + ", b=:AA==:", member("Signature-Input"), "malformed"},
		{"a second signature without an input, and a label", "sig1", member("Signature") + ", b=:AA==:", member("Signature-Input"), "accept"},
		{"a label twice", "sig1", member("Signature"), member("Signature-Input") + ", sig1=()", "malformed"},
		{"a signature twice", "sig1", "sig1=:AA==:, " + member("Signature"), member("Signature-Input"), "malformed"},
		{"a label in upper case", "", "S" + member("Signature"), "S" + member("Signature-Input"), "malformed"},
		{"eight labels", "sig1", member("Signature"), "a=(), b=(), c=(), d=(), e=(), f=(), g=(), " + member("Signature-Input"), "accept"},
		{"nine labels", "sig1", member("Signature"), "a=(), b=(), c=(), d=(), e=(), f=(), g=(), h=(), " + member("Signature-Input"), "malformed"},
		{"a parameter behind the signature", "", member("Signature") + ";q", member("Signature-Input"), "malformed"},
		{"a comma at the end", "", member("Signature") + ",", member("Signature-Input"), "malformed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := genuine.Clone()
			h["Signature"], h["Signature-Input"] = []string{tt.signature}, []string{tt.input}
			_, err := judge(t, &httpsig.Options{Label: tt.label}, h, string(body))
			if got := vector.Outcome(err); got != tt.outcome {
				t.Errorf("outcome is %s (%v), want %s", got, err, tt.outcome)
			}
		})
	}
}

// TestDigest: the hashes of a digest that is signed all fit the body, in one spelling.
func TestDigest(t *testing.T) {
	const body = "{}"
	long := sha512.Sum512([]byte(body))
	good, longer := digestOf([]byte(body)), "sha-512=:"+base64.StdEncoding.EncodeToString(long[:])+":"
	for _, tt := range []struct{ name, digest, outcome string }{
		{"SHA-256", good, "accept"},
		{"SHA-512", longer, "accept"},
		{"both", good + ", " + longer, "accept"},
		{"one of another body", digestOf([]byte("[]")), "mismatch"},
		{"one of another body beside it", longer + ", " + digestOf([]byte("[]")), "mismatch"},
		{"twice", good + ", " + good, "malformed"},
		{"an algorithm that does not count", "md5=:AAAA:", "malformed"},
		{"an algorithm that does not count beside it", "md5=:AAAA:, " + good, "accept"},
		{"a hash that is cut", "sha-256=:AAAA:", "malformed"},
		{"a long hash that is cut", "sha-512=:AAAA:", "malformed"},
		{"a hash in other base64", strings.Replace(good, "=:", ":", 2), "malformed"},
		{"a hash without colons", "sha-256=abc", "malformed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := signed(`"@method" "@target-uri" "content-digest"`, "", "@method", "POST", "@target-uri", site, "content-digest", tt.digest)
			h["Content-Digest"] = []string{tt.digest}
			_, err := judge(t, nil, h, body)
			if got := vector.Outcome(err); got != tt.outcome {
				t.Errorf("outcome is %s (%v), want %s", got, err, tt.outcome)
			}
		})
	}
}

func TestNew(t *testing.T) {
	pair := ed25519.NewKeyFromSeed(make([]byte, 32)).Public().(ed25519.PublicKey)
	public, err := verify.NewPublicKey("acme", "1", pair)
	if err != nil {
		t.Fatal(err)
	}
	hmacKey, edKey := verify.Secrets(secret), verify.PublicKeys(hex.EncodeToString(pair))
	for _, tt := range []struct {
		name  string
		url   string
		a     httpsig.Algorithm
		keys  verify.KeySource
		o     *httpsig.Options
		tells string // "": it makes a verifier
	}{
		{"a secret", site, httpsig.HMACSHA256, hmacKey, nil, ""},
		{"a public key", site, httpsig.Ed25519, edKey, nil, ""},
		{"the text of a public key", site, httpsig.Ed25519, verify.Secrets(hex.EncodeToString(pair)), nil, ""},
		{"a public key as a secret", site, httpsig.HMACSHA256, verify.KeyList{public}, nil, "everybody could sign"},
		{"a secret as a public key", site, httpsig.Ed25519, verify.Secrets("a secret of some length"), nil, "no public key"},
		{"a public key of another kind", site, httpsig.RSAPSSSHA512, edKey, nil, "another kind"},
		{"a public key of another kind, for ECDSA", site, httpsig.ECDSAP256SHA256, edKey, nil, "another kind"},
		{"no algorithm", site, 0, hmacKey, nil, "Algorithm"},
		{"an algorithm that is none", site, httpsig.HMACSHA256 + 1, hmacKey, nil, "Algorithm"},
		{"no key", site, httpsig.HMACSHA256, verify.Secrets(""), nil, "environment variable"},
		{"no source", site, httpsig.HMACSHA256, nil, nil, "key source"},
		{"a short secret", site, httpsig.HMACSHA256, verify.Secrets("5d1f0c6a"), nil, "at least 16"},
		{"a short secret where that is allowed", site, httpsig.HMACSHA256, verify.Secrets("5d1f0c6a"), &httpsig.Options{InsecureAllowShortSecret: true}, ""},
		{"a URL without a path", "https://hooks.example.com", httpsig.HMACSHA256, hmacKey, nil, "path"},
		{"a URL with a user name", "https://a:b@hooks.example.com/", httpsig.HMACSHA256, hmacKey, nil, "user name"},
		{"a URL that is none", "/in/7", httpsig.HMACSHA256, hmacKey, nil, "http or https"},
		{"a label", site, httpsig.HMACSHA256, hmacKey, &httpsig.Options{Label: "acme_1"}, ""},
		{"a label that is none", site, httpsig.HMACSHA256, hmacKey, &httpsig.Options{Label: "Acme"}, "Label"},
		{"a tag that is none", site, httpsig.HMACSHA256, hmacKey, &httpsig.Options{Tag: "\n"}, "Tag"},
		{"a component", site, httpsig.HMACSHA256, hmacKey, &httpsig.Options{Components: []string{"content-type", "@query"}}, ""},
		{"a component twice", site, httpsig.HMACSHA256, hmacKey, &httpsig.Options{Components: []string{"date", "date"}}, "Components"},
		{"a component in upper case", site, httpsig.HMACSHA256, hmacKey, &httpsig.Options{Components: []string{"Date"}}, "Components"},
		{"too many components", site, httpsig.HMACSHA256, hmacKey, &httpsig.Options{Components: make([]string, 33)}, "at most 32"},
		{"a window that is too long", site, httpsig.HMACSHA256, hmacKey, &httpsig.Options{Window: verify.Window{Future: time.Hour}}, "Window.Future"},
		{"a window below zero", site, httpsig.HMACSHA256, hmacKey, &httpsig.Options{Window: verify.Window{Past: -1}}, "Window.Past"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, err := httpsig.New(tt.url, tt.a, tt.keys, tt.o)
			if tt.tells == "" {
				if err != nil || v == nil {
					t.Errorf("New: %v, %v", v, err)
				}
				return
			}
			if err == nil || v != nil || !strings.Contains(err.Error(), tt.tells) || !strings.HasPrefix(err.Error(), "httpsig: ") {
				t.Errorf("New: %v, %v, want an error that says %q", v, err, tt.tells)
			}
		})
	}
}

func TestMust(t *testing.T) {
	httpsig.Must(site, httpsig.HMACSHA256, secret)
	defer func() {
		if text, ok := recover().(string); !ok || !strings.HasPrefix(text, "httpsig.Must: ") || strings.Contains(text, "httpsig: ") {
			t.Errorf("panics with %q", text)
		}
	}()
	httpsig.Must(site, httpsig.HMACSHA256, "")
}

// TestMessage: the pieces are what is signed, one behind the other.
func TestMessage(t *testing.T) {
	v := httpsig.Must(site, httpsig.HMACSHA256, secret)
	h := signed(`"@method" "@path"`, "", "@method", "POST", "@path", "/in/7")
	var got []byte
	for _, piece := range v.Message(&verify.Head{Method: "POST", Header: h}, nil) {
		got = append(got, piece...)
	}
	want := base(strings.TrimPrefix(h.Get("Signature-Input"), "sig1="), "@method", "POST", "@path", "/in/7")
	if string(got) != want {
		t.Errorf("the message is %q, want %q", got, want)
	}
	for range v.Message(nil, nil) {
		t.Error("there is a message without a head")
	}
}

func TestSecurityHeaders(t *testing.T) {
	v, err := httpsig.New(site, httpsig.HMACSHA256, verify.Secrets(secret), &httpsig.Options{Components: []string{"acme-event", "@query", "content-digest"}})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := v.SecurityHeaders(), []string{"Signature", "Signature-Input", "Content-Digest", "Acme-Event"}; !slices.Equal(got, want) {
		t.Errorf("the headers are %q, want %q", got, want)
	}
}

// FuzzDelivery: what is accepted under a genuine signature is what was signed.
func FuzzDelivery(f *testing.F) {
	const body = `{"a":1}`
	genuine := header(signedAt, []byte(body), func(text string) []byte { return mac(secret, text) })
	input, digest := genuine.Get("Signature-Input"), genuine.Get("Content-Digest")
	f.Add(input, digest, body)
	f.Add("a=(), "+input, digest, body)
	f.Add(strings.Replace(input, " ", "  ", 1), digest, body)
	f.Add(input, digest+", md5=:AAAA:", "{}")
	v, err := httpsig.New(site, httpsig.HMACSHA256, verify.Secrets(secret), &httpsig.Options{Label: "sig1"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, in, sum, sent string) {
		h := http.Header{"Signature": genuine["Signature"], "Signature-Input": {in}, "Content-Digest": {sum}}
		d, err := verify.Verify(context.Background(), v, &verify.Head{Method: "POST", Header: h, ReceivedAt: signedAt}, []byte(sent))
		if err == nil && (!strings.Contains(in, input) || sum != digest || sent != body || d.MessageID != nonce([]byte(body))) {
			t.Fatalf("accepted %q, %q, %q", in, sum, sent)
		}
	})
}
