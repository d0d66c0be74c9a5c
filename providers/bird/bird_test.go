package bird_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/bird"
	"github.com/hooknotary/hooknotary/providers/providertest"
	"github.com/hooknotary/hooknotary/providers/providertest/vector"
	"github.com/hooknotary/hooknotary/verify"
)

const (
	key     = "5d1f0c6a9b3e47d28c50f1ae6b7d9243"
	address = "https://shop.example/hooks/bird?b=2&a=1"
)

var (
	secrets  = []string{key, "e0417c9bd2a85f36917be4c80d2f6a15", "9a3d17c5e8b2f406a1c97e5d3b80f264", "47f6e0d9c8b1a25374650f1e2d3c4b5a", "b8c7d6e5f4a39281706f5e4d3c2b1a09"}
	signedAt = time.Date(2031, 5, 17, 9, 30, 0, 0, time.UTC)
)

func message(at time.Time, place, body string) string {
	return fmt.Sprintf("%d\n%s\n%s", at.Unix(), place, sum(body))
}

func sum(body string) []byte {
	hash := sha256.Sum256([]byte(body))
	return hash[:]
}

func header(at time.Time, place, body, secret string) http.Header {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(message(at, place, body)))
	return http.Header{
		"Messagebird-Signature":         {base64.StdEncoding.EncodeToString(mac.Sum(nil))},
		"Messagebird-Request-Timestamp": {fmt.Sprint(at.Unix())},
	}
}

func TestBattery(t *testing.T) {
	for name, tt := range map[string]struct {
		o     *bird.Options
		place string
	}{"the URL": {nil, address}, "the query alone": {&bird.Options{QueryAlone: true}, "a=1&b=2"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			providertest.Exercise(t, providertest.Subject{
				New: func(keys verify.KeySource) (verify.Verifier, error) {
					v, err := bird.New(address, keys, tt.o)
					if err != nil {
						return nil, err
					}
					return v, nil
				},
				Sign: func(at time.Time, _ *url.URL, body []byte, secrets ...string) http.Header {
					return header(at, tt.place, string(body), secrets[0])
				},
				Profile: verify.Profile{
					Provider: "bird", MediaType: "application/json", MaxBody: 1 << 20,
					Window:  verify.Window{Past: 5 * time.Minute, Future: 5 * time.Minute},
					Binding: verify.BindingFull, Retry: verify.RetryIdentical, Retention: 7 * 24 * time.Hour,
				},
				Events: []providertest.Event{
					{Name: "a status", Body: []byte(`{"event":"sms.outbound","payload":{"status":"delivered"}}`)},
					{Name: "a message", Body: []byte(`{"event":"sms.inbound","payload":{"body":"Yes"}}`)},
					{Name: "an empty body", Body: []byte{}},
				},
				Secrets:  secrets,
				Query:    func([]byte) string { return "b=2&a=1" },
				Headers:  []string{"Messagebird-Signature", "Messagebird-Request-Timestamp"},
				Unsigned: []string{"Messagebird-Signature-Jwt"},
			})
		})
	}
}

func TestVectors(t *testing.T) {
	providertest.Vectors(t, "testdata", func(t *testing.T, tt vector.Vector) (verify.Verifier, error) {
		o, at := &bird.Options{}, ""
		for _, option := range tt.Options {
			switch name, value, _ := strings.Cut(option, " "); {
			case name == "url":
				at = value
			case option == "query alone":
				o.QueryAlone = true
			default:
				t.Fatalf("unknown option %q", option)
			}
		}
		return bird.New(at, verify.Secrets(tt.Secrets...), o)
	}, func(t *testing.T, d *verify.Delivery) {
		if d.SignedAt.IsZero() {
			t.Errorf("the delivery is %+v", d)
		}
	})
}

// TestPublished judges the vectors of MessageBird's library for its older webhooks. Those
// with a JSON Web Token are another scheme.
func TestPublished(t *testing.T) {
	n := 0
	for _, tt := range vector.PublishedBy(t, "messagebird") {
		if !strings.HasPrefix(tt.Name, "messagebird-legacy") {
			continue
		}
		n++
		t.Run(tt.Name, func(t *testing.T) {
			v, err := bird.New(tt.Head.URL.String(), verify.Secrets(tt.Secrets...), &bird.Options{QueryAlone: true, InsecureAllowShortSecret: true})
			if err != nil {
				t.Fatal(err)
			}
			_, err = verify.Verify(context.Background(), v, tt.Head, tt.Body)
			if got := vector.Outcome(err); got != tt.Want(t) {
				t.Errorf("outcome is %s (%v), want %s", got, err, tt.Want(t))
			}
		})
	}
	if n < 1 {
		t.Error("there is none: does the test still look at anything?")
	}
}

func TestNew(t *testing.T) {
	for _, tt := range []struct {
		name, url, key string
		o              *bird.Options
		tells          string // "": it makes a verifier
	}{
		{"a URL and a key", address, key, nil, ""},
		{"no URL", "", key, nil, "registered"},
		{"no key", address, "", nil, "environment variable"},
		{"a short key", address, "short", nil, "at least 16"},
		{"a short key where that is allowed", address, "short", &bird.Options{InsecureAllowShortSecret: true}, ""},
		{"a query that cannot be sorted", "https://shop.example/?a=%zz", key, &bird.Options{QueryAlone: true}, "query"},
		{"a query that need not be", "https://shop.example/?a=%zz", key, nil, ""},
		{"a window that is too long", address, key, &bird.Options{Window: verify.Window{Past: time.Hour}}, "Window"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, err := bird.New(tt.url, verify.Secrets(tt.key), tt.o)
			providertest.Constructed(t, "bird", v, err, tt.tells)
		})
	}
}

func TestMust(t *testing.T) {
	bird.Must(address, key)
	defer func() {
		if text, ok := recover().(string); !ok || !strings.HasPrefix(text, "bird.Must: the secret is empty") {
			t.Errorf("panics with %q", text)
		}
	}()
	bird.Must(address, "")
}

// TestMessage: the pieces are what is signed, one behind the other.
func TestMessage(t *testing.T) {
	v := bird.Must(address, key)
	h := &verify.Head{Header: header(signedAt, address, "{}", key)}
	var got []byte
	for _, piece := range v.Message(h, []byte("{}")) {
		got = append(got, piece...)
	}
	if want := message(signedAt, address, "{}"); string(got) != want {
		t.Errorf("the message is %q, want %q", got, want)
	}
	if at, ok := v.SignedAt(h, nil); !ok || !at.Equal(signedAt) {
		t.Errorf("the signed time is %v, %v", at, ok)
	}
}

// FuzzDelivery: no other time, query or body verifies under a genuine signature.
func FuzzDelivery(f *testing.F) {
	const body = "{\"a\":1}\n"
	genuine := header(signedAt, address, body, key)
	at := genuine.Get("Messagebird-Request-Timestamp")
	f.Add(at, "b=2&a=1", []byte(body))
	f.Add(at, "a=1&b=2", []byte(body))
	f.Add("0"+at, "b=2&a=1", sum(body))
	v := bird.Must(address, key)
	f.Fuzz(func(t *testing.T, when, query string, sent []byte) {
		h := genuine.Clone()
		h["Messagebird-Request-Timestamp"] = []string{when}
		_, err := verify.Verify(context.Background(), v, &verify.Head{Header: h, URL: &url.URL{RawQuery: query}, ReceivedAt: signedAt}, sent)
		if err == nil && (when != at || query != "b=2&a=1" || string(sent) != body) {
			t.Fatalf("accepted %q, %q, %q", when, query, sent)
		}
	})
}
