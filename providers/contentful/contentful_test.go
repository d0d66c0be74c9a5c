package contentful_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/contentful"
	"github.com/hooknotary/hooknotary/providers/providertest"
	"github.com/hooknotary/hooknotary/providers/providertest/vector"
	"github.com/hooknotary/hooknotary/verify"
)

const (
	secret  = "5d1f0c6a9b3e47d28c50f1ae6b7d92435d1f0c6a9b3e47d28c50f1ae6b7d9243"
	address = "https://shop.example/hooks/contentful?space=s7"
	target  = "/hooks/contentful?space%253Ds7"
	key     = "0c2f6b1e9d4a7035c8e1f6b3a2d9074e"
)

var (
	secrets  = []string{secret, "e0417c9bd2a85f36917be4c80d2f6a15", "9a3d17c5e8b2f406a1c97e5d3b80f264", "47f6e0d9c8b1a25374650f1e2d3c4b5a", "b8c7d6e5f4a39281706f5e4d3c2b1a09"}
	signedAt = time.Date(2031, 5, 17, 9, 30, 0, 0, time.UTC)
)

// header signs a body, and headers that are given by their names in lower case.
func header(at time.Time, secret, target, body string, fields map[string]string) http.Header {
	all := map[string]string{"x-contentful-timestamp": fmt.Sprint(at.UnixMilli()), "x-contentful-signed-headers": ""}
	names := []string{"x-contentful-timestamp", "x-contentful-signed-headers"}
	for name, value := range fields {
		all[name] = value
		names = append(names, name)
	}
	slices.Sort(names)
	all["x-contentful-signed-headers"] = strings.Join(names, ",")
	h := http.Header{}
	var signed []string
	for _, name := range names {
		signed = append(signed, name+":"+all[name])
		h.Set(name, all[name])
	}
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "POST\n%s\n%s\n%s", target, strings.Join(signed, ";"), body)
	h.Set("X-Contentful-Signature", fmt.Sprintf("%x", mac.Sum(nil)))
	return h
}

func TestBattery(t *testing.T) {
	providertest.Exercise(t, providertest.Subject{
		New: func(keys verify.KeySource) (verify.Verifier, error) {
			v, err := contentful.New(address, keys, nil)
			if err != nil {
				return nil, err
			}
			return v, nil
		},
		Sign: func(at time.Time, _ *url.URL, body []byte, secrets ...string) http.Header {
			return header(at, secrets[0], target, string(body), map[string]string{
				"x-contentful-topic": "ContentManagement.Entry.publish", "x-contentful-idempotency-key": key,
			})
		},
		Profile: verify.Profile{
			Provider: "contentful", MediaType: "application/vnd.contentful.management.v1+json", MaxBody: 4 << 20,
			Window:  verify.Window{Past: 5 * time.Minute, Future: 5 * time.Minute},
			Binding: verify.BindingFull, Retry: verify.RetryIdentical, Retention: 24 * time.Hour,
		},
		Events: []providertest.Event{
			{Name: "an entry", Body: []byte(`{"sys":{"type":"Entry","id":"5KsDBWse"}}`), ID: key},
			{Name: "another entry", Body: []byte(`{"sys":{"type":"DeletedEntry","id":"2hQx6Fv1"}}`), ID: key},
			{Name: "an empty body", Body: []byte{}, ID: key},
		},
		Secrets:  secrets,
		Query:    func([]byte) string { return "space=s7" },
		Headers:  []string{"X-Contentful-Signature", "X-Contentful-Signed-Headers", "X-Contentful-Timestamp", "X-Contentful-Topic", "X-Contentful-Idempotency-Key"},
		Unsigned: []string{"X-Contentful-Webhook-Name", "X-Contentful-Crn"},
		Unit:     time.Millisecond,
	})
}

func TestVectors(t *testing.T) {
	providertest.Vectors(t, "testdata", func(t *testing.T, tt vector.Vector) (verify.Verifier, error) {
		o, at := &contentful.Options{}, ""
		for _, option := range tt.Options {
			switch name, value, _ := strings.Cut(option, " "); name {
			case "url":
				at = value
			case "require":
				o.Require = append(o.Require, value)
			default:
				t.Fatalf("unknown option %q", option)
			}
		}
		return contentful.New(at, verify.Secrets(tt.Secrets...), o)
	}, func(t *testing.T, d *verify.Delivery) {
		if d.SignedAt.IsZero() {
			t.Errorf("the delivery is %+v", d)
		}
	})
}

func verdict(t *testing.T, at string, o *contentful.Options, h http.Header, body string) (*verify.Delivery, error) {
	t.Helper()
	v, err := contentful.New(at, verify.Secrets(secret), o)
	if err != nil {
		t.Fatal(err)
	}
	return verify.Verify(context.Background(), v, &verify.Head{Header: h, ReceivedAt: signedAt}, []byte(body))
}

func TestSignedHeaders(t *testing.T) {
	const body = `{"a":1}`
	sign := func(fields map[string]string) http.Header { return header(signedAt, secret, target, body, fields) }
	for _, tt := range []struct {
		name    string
		o       *contentful.Options
		header  http.Header
		outcome string
		id      string
	}{
		{"the list and the time alone", nil, sign(nil), "accept", ""},
		{"an id that is signed is the event's", nil, sign(map[string]string{"x-contentful-idempotency-key": key}), "accept", key},
		{"an id that is not signed is none", nil, func() http.Header {
			h := sign(nil)
			h.Set("X-Contentful-Idempotency-Key", key)
			return h
		}(), "accept", ""},
		{"an empty value", nil, sign(map[string]string{"x-a": ""}), "malformed", ""},
		{"a semicolon in a value", nil, sign(map[string]string{"content-type": "application/json; charset=utf-8"}), "accept", ""},
		{"a value that looks like a further header", nil, sign(map[string]string{"x-a": "1;b:2"}), "malformed", ""},
		{"a header that is required and signed", &contentful.Options{Require: []string{"X-A"}}, sign(map[string]string{"x-a": "1"}), "accept", ""},
		{"a header that is required and not signed", &contentful.Options{Require: []string{"X-A"}}, func() http.Header {
			h := sign(nil)
			h.Set("X-A", "1")
			return h
		}(), "malformed", ""},
		{"Host", nil, sign(map[string]string{"host": "shop.example"}), "malformed", ""},
		{"32 headers", nil, sign(many(30)), "accept", ""},
		{"33 headers", nil, sign(many(31)), "malformed", ""},
		{"a narrower window", &contentful.Options{Window: verify.Window{Past: time.Second}}, header(signedAt.Add(-2*time.Second), secret, target, body, nil), "too_old", ""},
		{"a narrower window, within it", &contentful.Options{Window: verify.Window{Past: time.Second}}, header(signedAt.Add(-time.Second), secret, target, body, nil), "accept", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := verdict(t, address, tt.o, tt.header, body)
			if got := vector.Outcome(err); got != tt.outcome {
				t.Fatalf("outcome is %s (%v), want %s", got, err, tt.outcome)
			}
			if err == nil && d.ID != tt.id {
				t.Errorf("the id is %q, want %q", d.ID, tt.id)
			}
		})
	}
}

func many(n int) map[string]string {
	fields := make(map[string]string)
	for i := range n {
		fields[fmt.Sprintf("x-%d", i)] = "v"
	}
	return fields
}

// TestPath: the path and the query are signed as the library contentful/node-apps-toolkit
// writes them.
func TestPath(t *testing.T) {
	for _, tt := range []struct{ url, target string }{
		{"https://shop.example", "/"},
		{"https://shop.example/", "/"},
		{"https://shop.example/a//b/", "/a//b/"},
		{"https://shop.example/a;b,c:d@e&f=g+h$i", "/a;b,c:d@e&f=g+h$i"},
		{"https://shop.example/?", "/"},
		{"https://shop.example/?a=1&b=2", "/?a%253D1%2526b%253D2"},
		{"https://shop.example/?a-_.!~*'()z", "/?a-_.!~*'()z"},
		{"https://shop.example/?a=%20", "/?a%253D%252520"},
	} {
		h := header(signedAt, secret, tt.target, "{}", nil)
		if _, err := verdict(t, tt.url, nil, h, "{}"); err != nil {
			t.Errorf("%s: %v", tt.url, err)
		}
		if _, err := verdict(t, tt.url, nil, header(signedAt, secret, tt.target+"x", "{}", nil), "{}"); err == nil {
			t.Errorf("%s: accepted for another path", tt.url)
		}
	}
}

func TestNew(t *testing.T) {
	for _, tt := range []struct {
		name, url, secret string
		o                 *contentful.Options
		tells             string // "": it makes a verifier
	}{
		{"a URL and a secret", address, secret, nil, ""},
		{"no URL", "", secret, nil, "registered"},
		{"no secret", address, "", nil, "environment variable"},
		{"a short secret", address, "short", nil, "at least 16"},
		{"a short secret where that is allowed", address, "short", &contentful.Options{InsecureAllowShortSecret: true}, ""},
		{"a personal access token", address, "CFPAT-5d1f0c6a9b3e47d28c50f1ae6b7d9243", nil, "another credential"},
		{"an escape in the path", "https://shop.example/a%20b", secret, nil, "escape"},
		{"a question mark in the query", "https://shop.example/?a=?", secret, nil, "question mark"},
		{"a header to require", address, secret, &contentful.Options{Require: []string{"X-Contentful-Topic"}}, ""},
		{"a header that none is", address, secret, &contentful.Options{Require: []string{"X Topic"}}, "Require"},
		{"another media type", address, secret, &contentful.Options{MediaType: "application/json"}, ""},
		{"a media type that none is", address, secret, &contentful.Options{MediaType: "JSON"}, "MediaType"},
		{"a window that is too long", address, secret, &contentful.Options{Window: verify.Window{Past: time.Hour}}, "Window"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, err := contentful.New(tt.url, verify.Secrets(tt.secret), tt.o)
			if tt.tells == "" {
				if err != nil || v == nil {
					t.Errorf("New: %v, %v", v, err)
				}
				return
			}
			if err == nil || v != nil || !strings.Contains(err.Error(), tt.tells) {
				t.Errorf("New: %v, %v, want an error that says %q", v, err, tt.tells)
			}
		})
	}
}

func TestMust(t *testing.T) {
	contentful.Must(address, secret)
	defer func() {
		if text, ok := recover().(string); !ok || !strings.HasPrefix(text, "contentful.Must: the secret is empty") {
			t.Errorf("panics with %q", text)
		}
	}()
	contentful.Must(address, "")
}

// TestMessage: the pieces are what is signed, one behind the other.
func TestMessage(t *testing.T) {
	const body = `{"a":1}`
	h := header(signedAt, secret, target, body, map[string]string{"x-a": "1"})
	v := contentful.Must(address, secret)
	var got []byte
	for _, piece := range v.Message(&verify.Head{Header: h}, []byte(body)) {
		got = append(got, piece...)
	}
	want := fmt.Sprintf("POST\n%s\nx-a:1;x-contentful-signed-headers:x-a,x-contentful-signed-headers,x-contentful-timestamp;x-contentful-timestamp:%d\n%s", target, signedAt.UnixMilli(), body)
	if string(got) != want {
		t.Errorf("the message is %q, want %q", got, want)
	}
	if at, ok := v.SignedAt(&verify.Head{Header: h}, nil); !ok || !at.Equal(signedAt) {
		t.Errorf("the signed time is %v, %v", at, ok)
	}
}

// FuzzDelivery: what is accepted under a genuine signature has the headers and the body that
// were signed.
func FuzzDelivery(f *testing.F) {
	const body = "{\"a\":\n1}"
	genuine := header(signedAt, secret, target, body, map[string]string{"x-a": "1; b", "x-b": "2"})
	names := genuine.Get("X-Contentful-Signed-Headers")
	f.Add(names, "1; b", "2", []byte(body))
	f.Add(strings.Replace(names, ",x-b", "", 1), "1; b;x-b:2", "", []byte(body))
	f.Add(names, "1; b", "2", []byte("1}"))
	v := contentful.Must(address, secret)
	f.Fuzz(func(t *testing.T, list, a, b string, sent []byte) {
		h := genuine.Clone()
		h["X-Contentful-Signed-Headers"], h["X-A"], h["X-B"] = []string{list}, []string{a}, []string{b}
		_, err := verify.Verify(context.Background(), v, &verify.Head{Header: h, ReceivedAt: signedAt}, sent)
		if err == nil && (list != names || a != "1; b" || b != "2" || string(sent) != body) {
			t.Fatalf("accepted %q, %q, %q, %q", list, a, b, sent)
		}
	})
}
