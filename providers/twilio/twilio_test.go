package twilio_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/providertest"
	"github.com/hooknotary/hooknotary/providers/providertest/vector"
	"github.com/hooknotary/hooknotary/providers/twilio"
	"github.com/hooknotary/hooknotary/verify"
)

const (
	token   = "5d1f0c6a9b3e47d28c50f1ae6b7d9243"
	address = "https://shop.example/hooks/twilio?shop=7"
	account = "AC7c2e9b0f4d6a18356e0b9d2f71c4a853"
)

var secrets = []string{token, "e0417c9bd2a85f36917be4c80d2f6a15", "9a3d17c5e8b2f406a1c97e5d3b80f264", "47f6e0d9c8b1a25374650f1e2d3c4b5a", "b8c7d6e5f4a39281706f5e4d3c2b1a09"}

// signed returns what is signed for a form at a URL, written after the documentation and
// apart from the package.
func signed(address, body string) string {
	form, err := url.ParseQuery(body)
	if err != nil {
		panic(err)
	}
	names := make([]string, 0, len(form))
	for name := range form {
		names = append(names, name)
	}
	slices.Sort(names)
	var b strings.Builder
	b.WriteString(address)
	for _, name := range names {
		values := form[name]
		slices.Sort(values)
		for _, value := range slices.Compact(values) {
			b.WriteString(name + value)
		}
	}
	return b.String()
}

func sign(h func() hash.Hash, secret, message string) string {
	mac := hmac.New(h, []byte(secret))
	mac.Write([]byte(message))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func header(signature string) http.Header {
	return http.Header{"X-Twilio-Signature": {signature}, "I-Twilio-Idempotency-Token": {"3f0e6c1a-2b7d-4c58-9a41-8d5e2f7b6c90"}}
}

func bodySum(body []byte) string { return fmt.Sprintf("%x", sha256.Sum256(body)) }

func TestBattery(t *testing.T) {
	profile := verify.Profile{
		Provider: "twilio", MediaType: "application/x-www-form-urlencoded", MaxBody: 1 << 20,
		Binding: verify.BindingChecksum, Retry: verify.RetryIdentical, Retention: 7 * 24 * time.Hour,
	}
	// No escapes with letters: whether those are upper or lower case is not signed.
	forms := []providertest.Event{
		{Name: "a message", Body: []byte("ToCountry=US&MessageSid=SM0b1c2d3e&Body=Yes+%28fine%29&AccountSid=" + account)},
		{Name: "digits of a call", Body: []byte("CallSid=CA91f2e3d4&Digits=12&Digits=7&AccountSid=" + account)},
	}
	documents := []providertest.Event{
		{Name: "an object", Body: []byte(`{"sid":"FN0b1c2d3e","ok":true}`)},
		{Name: "another object", Body: []byte(`{"sid":"FN0b1c2d3f","ok":false}`)},
		{Name: "an empty body", Body: []byte{}},
	}
	wrap := func(text []byte) []byte {
		return []byte("AccountSid=" + account + "&Body=" + url.QueryEscape(string(text)))
	}
	subject := func(o *twilio.Options, events []providertest.Event) providertest.Subject {
		h := sha1.New
		if o.SHA256 {
			h = sha256.New
		}
		s := providertest.Subject{
			New: func(keys verify.KeySource) (verify.Verifier, error) {
				at := address
				if o.AnyQuery {
					at, _, _ = strings.Cut(at, "?")
				}
				v, err := twilio.New(at, keys, o)
				if err != nil {
					return nil, err
				}
				return v, nil
			},
			Sign: func(_ time.Time, _ *url.URL, body []byte, secrets ...string) http.Header {
				return header(sign(h, secrets[0], signed(address, string(body))))
			},
			Profile: profile, Events: events, Secrets: secrets, Form: wrap,
			Query:    func([]byte) string { return "shop=7" },
			Headers:  []string{"X-Twilio-Signature"},
			Unsigned: []string{"I-Twilio-Idempotency-Token", "X-Twilio-Webhooks-Signature-Settings"},
		}
		if o.JSON {
			s.Form = nil
			s.Profile.MediaType, s.Profile.Binding = "application/json", verify.BindingFull
			s.Query = func(body []byte) string { return "shop=7&bodySHA256=" + bodySum(body) }
			s.Sign = func(_ time.Time, _ *url.URL, body []byte, secrets ...string) http.Header {
				return header(sign(h, secrets[0], address+"&bodySHA256="+bodySum(body)))
			}
		}
		return s
	}
	for _, tt := range []struct {
		name   string
		o      *twilio.Options
		events []providertest.Event
	}{
		{"forms", &twilio.Options{}, forms},
		{"forms under a query of their own", &twilio.Options{AnyQuery: true}, forms},
		{"forms, signed with HMAC-SHA256", &twilio.Options{SHA256: true}, forms},
		{"JSON", &twilio.Options{JSON: true}, documents},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			providertest.Exercise(t, subject(tt.o, tt.events))
		})
	}
}

func TestVectors(t *testing.T) {
	providertest.Vectors(t, "testdata", func(t *testing.T, tt vector.Vector) (verify.Verifier, error) {
		o := &twilio.Options{}
		at := ""
		for _, option := range tt.Options {
			name, value, _ := strings.Cut(option, " ")
			switch {
			case name == "url":
				at = value
			case option == "json":
				o.JSON = true
			case option == "sha256":
				o.SHA256 = true
			case option == "any query":
				o.AnyQuery = true
			default:
				t.Fatalf("unknown option %q", option)
			}
		}
		return twilio.New(at, verify.Secrets(tt.Secrets...), o)
	}, func(t *testing.T, d *verify.Delivery) {
		if d.Unsigned.ID == "" {
			t.Errorf("the delivery is %+v", d)
		}
	})
}

// TestPublished judges the vectors of Twilio's SDKs. Which endpoints take JSON is a setting;
// there it is what the Content-Type says.
func TestPublished(t *testing.T) {
	published := vector.PublishedBy(t, "twilio")
	if len(published) < 10 {
		t.Fatalf("found %d vectors, want at least 10", len(published))
	}
	for _, tt := range published {
		t.Run(tt.Name, func(t *testing.T) {
			u := tt.Head.URL.String()
			o := &twilio.Options{InsecureAllowShortSecret: true, JSON: tt.Head.Header.Get("Content-Type") == "application/json"}
			if base, _, ok := strings.Cut(u, "&bodySHA256="); ok {
				u = base
			}
			v, err := twilio.New(u, verify.Secrets(tt.Secrets...), o)
			if err != nil {
				t.Fatal(err)
			}
			_, err = verify.Verify(context.Background(), v, tt.Head, tt.Body)
			if got := vector.Outcome(err); got != tt.Want(t) {
				t.Errorf("outcome is %s (%v), want %s", got, err, tt.Want(t))
			}
		})
	}
}

func TestNew(t *testing.T) {
	for _, tt := range []struct {
		name   string
		url    string
		secret string
		o      *twilio.Options
		tells  string // "": it makes a verifier
	}{
		{"a URL and a token", address, token, nil, ""},
		{"no URL", "", token, nil, "registered"},
		{"a path in its place", "/hooks/twilio", token, nil, "registered"},
		{"the fragment of connection overrides", address + "#rc=2", token, nil, "fragment"},
		{"no token", address, "", nil, "environment variable"},
		{"a short token", address, "12345", nil, "at least 16"},
		{"a short token where that is allowed", address, "12345", &twilio.Options{InsecureAllowShortSecret: true}, ""},
		{"the SID of the account", address, account, nil, "another credential"},
		{"JSON", address, token, &twilio.Options{JSON: true}, ""},
		{"JSON, and a hash in the URL", address + "&bodySHA256=00", token, &twilio.Options{JSON: true}, "leave it out"},
		{"forms, and a hash in the URL", address + "&bodySHA256=00", token, nil, ""},
		{"any query", "https://shop.example/", token, &twilio.Options{AnyQuery: true}, ""},
		{"any query, and one in the URL", address, token, &twilio.Options{AnyQuery: true}, "leave it out"},
		{"any query, and an empty one in the URL", "https://shop.example/?", token, &twilio.Options{AnyQuery: true}, "leave it out"},
		{"any query of JSON", "https://shop.example/", token, &twilio.Options{AnyQuery: true, JSON: true}, "for forms"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, err := twilio.New(tt.url, verify.Secrets(tt.secret), tt.o)
			providertest.Constructed(t, "twilio", v, err, tt.tells)
			if err != nil && tt.secret != "" && strings.Contains(err.Error(), tt.secret) {
				t.Errorf("the error holds the secret: %v", err)
			}
		})
	}
}

func TestMust(t *testing.T) {
	twilio.Must(address, token)
	defer func() {
		if text, ok := recover().(string); !ok || !strings.HasPrefix(text, "twilio.Must: the secret is empty") {
			t.Errorf("panics with %q", text)
		}
	}()
	twilio.Must(address, "")
}

// verdict verifies a form that was signed at the URL, under another query if one is given.
func verdict(t *testing.T, v *twilio.Verifier, at, body, sent string, query ...string) (*verify.Delivery, error) {
	t.Helper()
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	if len(query) > 0 {
		u.RawQuery = query[0]
	}
	h := &verify.Head{Method: "POST", URL: u, Header: header(sign(sha1.New, token, signed(at, body))), ReceivedAt: time.Unix(1773480413, 0)}
	return verify.Verify(context.Background(), v, h, []byte(sent))
}

func TestForms(t *testing.T) {
	t.Run("other spellings of the fields are one message", func(t *testing.T) {
		v := twilio.Must(address, token)
		const body = "B=x+y&A=%2B1&A=0&A=%2B1"
		want, err := verdict(t, v, address, body, body)
		if err != nil {
			t.Fatal(err)
		}
		for _, sent := range []string{"A=0&A=%2B1&B=x+y", "B=x%20y&A=0&A=%2b1", "%41=0&A=%2B%31&B=%78+y&B=x+y"} {
			d, err := verdict(t, v, address, body, sent)
			if err != nil {
				t.Fatalf("%q: %v", sent, err)
			}
			if !d.Fingerprint.Equal(want.Fingerprint) || string(d.Body) != sent {
				t.Errorf("%q is another message", sent)
			}
		}
	})
	// What the package comment warns of, so that the comment is changed when this is.
	t.Run("a text that is cut otherwise is the same message", func(t *testing.T) {
		v := twilio.Must(address, token)
		const body, other = "Body=HelloFrom%2B15550100&From=%2B15550199", "Body=Hello&From=%2B15550100From%2B15550199"
		one, err := verdict(t, v, address, body, body)
		if err != nil {
			t.Fatal(err)
		}
		two, err := verdict(t, v, address, body, other)
		if err != nil {
			t.Fatal(err)
		}
		if !one.Fingerprint.Equal(two.Fingerprint) || one.Binding != verify.BindingChecksum || one.ID != "" {
			t.Error("a store would take them for two events")
		}
	})
	t.Run("a form has a bound of fields", func(t *testing.T) {
		v := twilio.Must(address, token)
		for n, ok := range map[int]bool{1024: true, 1025: false} {
			body := strings.TrimSuffix(strings.Repeat("a=1&", n), "&")
			if _, err := verdict(t, v, address, body, body); (err == nil) != ok || !ok && !errors.Is(err, verify.ErrMismatch) {
				t.Errorf("%d fields: %v", n, err)
			}
		}
	})
	t.Run("a body that nothing covers is refused, although its signature is right", func(t *testing.T) {
		v, err := twilio.New(address, verify.Secrets(token), &twilio.Options{JSON: true})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := verdict(t, v, address, "", "{}"); !errors.Is(err, verify.ErrMalformed) {
			t.Errorf("without a hash: %v", err)
		}
		covered := address + "&bodySHA256=" + bodySum([]byte("{}"))
		if _, err := verdict(t, v, covered, "", "{}"); err != nil {
			t.Errorf("with one: %v", err)
		}
	})
}

// TestOtherURL: a request for a URL that goes on where the endpoint's ends does not verify
// there, although one text can be made of both.
func TestOtherURL(t *testing.T) {
	const form = "AccountSid=" + account + "&Body=Hello&To=%2B15550100"
	for _, tt := range []struct{ name, own, other, sent string }{
		{"a folder", "https://shop.example/hooks", "https://shop.example/hooks/status", "%2Fstatus=&" + form},
		{"a folder, cut within", "https://shop.example/hooks", "https://shop.example/hooks/status", "%2F=status&" + form},
		{"a query", "https://shop.example/hooks", "https://shop.example/hooks?shop=7", "%3Fshop=%3D7&" + form},
		{"a longer number", "https://shop.example/hooks/1", "https://shop.example/hooks/12", "2=&" + form},
		{"a longer query", "https://shop.example/?shop=1", "https://shop.example/?shop=1&to=x", "%26=to%3Dx&" + form},
		{"a port", "https://shop.example", "https://shop.example:8443/", "%3A=8443%2F&" + form},
		{"letters", "https://shop.example/hooks", "https://shop.example/hooksStatus", "StatusAccountSid=" + account + "BodyHello&To=%2B15550100"},
		{"JSON at a URL of the same path", "https://shop.example/hooks", "https://shop.example/hooks?bodySHA256=" + strings.Repeat("0a", 32), "%3FbodySHA256=%3D" + strings.Repeat("0a", 32)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, own := range []string{form, "Abc=1&" + form, ""} {
				u, err := url.Parse(tt.own)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := verdict(t, twilio.Must(tt.own, token), tt.own, own, own, u.RawQuery); err != nil {
					t.Errorf("its own form %q: %v", own, err)
				}
			}
			theirs := form
			if strings.Contains(tt.other, "bodySHA256") {
				theirs = ""
			}
			if signed(tt.other, theirs) != signed(tt.own, tt.sent) {
				t.Fatal("it is another text than was signed, and would not verify anyway")
			}
			u, err := url.Parse(tt.own)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := verdict(t, twilio.Must(tt.own, token), tt.other, theirs, tt.sent, u.RawQuery); !errors.Is(err, verify.ErrMismatch) {
				t.Errorf("the other URL's form: %v", err)
			}
		})
	}
}

func TestAnyQuery(t *testing.T) {
	v, err := twilio.New("https://shop.example/hooks", verify.Secrets(token), &twilio.Options{AnyQuery: true})
	if err != nil {
		t.Fatal(err)
	}
	const at, rest = "https://shop.example/hooks?order=17", "Body=Hello&From=%2B15550199"
	form := "AccountSid=" + account + "&" + rest
	for _, tt := range []struct {
		name, url, body string
		query, sent     string
		ok              bool
	}{
		{"a query of its own", at, form, "order=17", form, true},
		{"none", "https://shop.example/hooks", form, "", form, true},
		{"a query whose end went into the form", at, form, "order=1", "7AccountSid=" + account + "&" + rest, false},
		{"a query that took the first field", at, form, "order=17AccountSid" + account, rest, false},
		{"a field that sorts before it", at, form + "&Abc=1", "order=17", form + "&Abc=1", false},
		{"a field that sorts behind it", at, form + "&Acd=1", "order=17", form + "&Acd=1", true},
		{"no account", at, rest, "order=17", rest, false},
		{"an account of another form", at, "AccountSid=AC1&" + rest, "order=17", "AccountSid=AC1&" + rest, false},
		{"a text that looks like the border", at, form + "x+AccountSid" + account, "order=17", form + "x+AccountSid" + account, false},
		{"a query that looks like it", at + "AccountSid" + account, form, "order=17AccountSid" + account, form, false},
		{"a query of two lines", at, form, "order=17\n", form, false},
		{"a query that is too long", at + strings.Repeat("x", 4096), form, "order=17" + strings.Repeat("x", 4096), form, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if signed(tt.url, tt.body) != signed("https://shop.example/hooks"+strings.TrimSuffix("?"+tt.query, "?"), tt.sent) && !strings.Contains(tt.query, "\n") {
				t.Fatal("it is another text than was signed, and would not verify anyway")
			}
			if _, err := verdict(t, v, tt.url, tt.body, tt.sent, tt.query); (err == nil) != tt.ok {
				t.Errorf("verdict: %v", err)
			}
		})
	}
}

func TestDistinct(t *testing.T) {
	v, err := twilio.New(address, verify.Secrets(token), &twilio.Options{InsecureDistinctByIdempotencyToken: true})
	if err != nil {
		t.Fatal(err)
	}
	d, err := verdict(t, v, address, "Digits=1", "Digits=1")
	if err != nil || d.Unsigned.Partition != "3f0e6c1a-2b7d-4c58-9a41-8d5e2f7b6c90" {
		t.Errorf("the delivery is %+v, %v", d, err)
	}
	d, err = verdict(t, twilio.Must(address, token), address, "Digits=1", "Digits=1")
	if err != nil || d.Unsigned.Partition != "" {
		t.Errorf("without the option, the delivery is %+v, %v", d, err)
	}
}

// TestMessage: the pieces are what is signed, one behind the other.
func TestMessage(t *testing.T) {
	const form = "B=2&A=1"
	hashed := "bodySHA256=" + bodySum([]byte("{}"))
	for _, tt := range []struct {
		name, url string
		o         *twilio.Options
		query     string
		body      string
		want      string
	}{
		{"a form", address, nil, "shop=7", form, address + "A1B2"},
		{"a form under a query of its own", "https://shop.example/", &twilio.Options{AnyQuery: true}, "x=1", form, "https://shop.example/?x=1A1B2"},
		{"JSON", address, &twilio.Options{JSON: true}, "shop=7&" + hashed, "{}", address + "&" + hashed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, err := twilio.New(tt.url, verify.Secrets(token), tt.o)
			if err != nil {
				t.Fatal(err)
			}
			var got []byte
			for _, piece := range v.Message(&verify.Head{URL: &url.URL{RawQuery: tt.query}}, []byte(tt.body)) {
				got = append(got, piece...)
			}
			if string(got) != tt.want {
				t.Errorf("the message is %q, want %q", got, tt.want)
			}
			other, err := v.Rekey(verify.Secrets(secrets[1]))
			if err != nil || other.Profile() != v.Profile() {
				t.Errorf("Rekey: %v, %v", other, err)
			}
		})
	}
}

// FuzzForm: no other form, and no other query, verifies under a genuine signature unless
// it joins to the very text that was signed.
func FuzzForm(f *testing.F) {
	const body = "Body=HelloFrom%2B15550100&From=%2B15550199&AccountSid=" + account
	f.Add([]byte(body), "shop=7")
	f.Add([]byte("Body=Hello&From=%2B15550100From%2B15550199&AccountSid="+account), "shop=7")
	f.Add([]byte("AccountSid="+account+"&Body=x&Body=x;y=1"), "shop=7&x=1")
	f.Add([]byte(signed(address, body)), "")
	exact := twilio.Must(address, token)
	free, err := twilio.New("https://shop.example/hooks/twilio", verify.Secrets(token), &twilio.Options{AnyQuery: true})
	if err != nil {
		f.Fatal(err)
	}
	text := signed(address, body)
	signature := sign(sha1.New, token, text)
	f.Fuzz(func(t *testing.T, sent []byte, query string) {
		for _, v := range []*twilio.Verifier{exact, free} {
			h := &verify.Head{Header: header(signature), URL: &url.URL{RawQuery: query}, ReceivedAt: time.Unix(1773480413, 0)}
			d, err := verify.Verify(context.Background(), v, h, sent)
			form, formErr := url.ParseQuery(string(sent))
			if err != nil {
				continue
			}
			if formErr != nil || query != "shop=7" || signed(address, string(sent)) != text || string(d.Body) != string(sent) {
				t.Fatalf("accepted %q under the query %q: %v, %v", sent, query, form, formErr)
			}
		}
	})
}
