package mandrill_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/mandrill"
	"github.com/hooknotary/hooknotary/providers/providertest"
	"github.com/hooknotary/hooknotary/providers/providertest/vector"
	"github.com/hooknotary/hooknotary/verify"
)

const (
	key     = "5d1f0c6a9b3e47d28c50f1ae6b7d9243"
	address = "https://shop.example/hooks/mandrill?shop=7"
)

var secrets = []string{key, "e0417c9bd2a85f36917be4c80d2f6a15", "9a3d17c5e8b2f406a1c97e5d3b80f264", "47f6e0d9c8b1a25374650f1e2d3c4b5a", "b8c7d6e5f4a39281706f5e4d3c2b1a09"}

func header(text, secret string) http.Header {
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write([]byte(text))
	return http.Header{"X-Mandrill-Signature": {base64.StdEncoding.EncodeToString(mac.Sum(nil))}}
}

func wrap(text []byte) []byte { return []byte("mandrill_events=" + url.QueryEscape(string(text))) }

// signed returns what is signed for a form, written after the documentation and apart from
// the package.
func signed(body string) string {
	form, err := url.ParseQuery(body)
	if err != nil {
		panic(err)
	}
	return address + "mandrill_events" + form.Get("mandrill_events")
}

func TestBattery(t *testing.T) {
	providertest.Exercise(t, providertest.Subject{
		New: func(keys verify.KeySource) (verify.Verifier, error) {
			v, err := mandrill.New(address, keys, nil)
			if err != nil {
				return nil, err
			}
			return v, nil
		},
		Sign: func(_ time.Time, _ *url.URL, body []byte, secrets ...string) http.Header {
			return header(signed(string(body)), secrets[0])
		},
		Profile: verify.Profile{
			Provider: "mandrill", MediaType: "application/x-www-form-urlencoded", MaxBody: 32 << 20,
			Binding: verify.BindingFull, Retry: verify.RetryIdentical, Retention: 7 * 24 * time.Hour,
		},
		// No escapes with letters: whether those are upper or lower case is not signed.
		Events: []providertest.Event{
			{Name: "events", Body: []byte("mandrill_events=(open+7761629a+%40+example)")},
			{Name: "no events", Body: []byte("mandrill_events=[]")},
		},
		Secrets: secrets,
		Form:    wrap,
		Query:   func([]byte) string { return "shop=7" },
		Headers: []string{"X-Mandrill-Signature"},
	})
}

func TestVectors(t *testing.T) {
	providertest.Vectors(t, "testdata", func(t *testing.T, tt vector.Vector) (verify.Verifier, error) {
		if len(tt.Options) != 1 || !strings.HasPrefix(tt.Options[0], "url ") {
			t.Fatalf("the options are %q, want a URL", tt.Options)
		}
		return mandrill.New(tt.Options[0][4:], verify.Secrets(tt.Secrets...), nil)
	}, nil)
}

func TestNew(t *testing.T) {
	for _, tt := range []struct {
		name, url, key string
		o              *mandrill.Options
		tells          string // "": it makes a verifier
	}{
		{"a URL and a key", address, key, nil, ""},
		{"no URL", "", key, nil, "registered"},
		{"no key", address, "", nil, "environment variable"},
		{"a short key", address, "short", nil, "at least 16"},
		{"a short key where that is allowed", address, "short", &mandrill.Options{InsecureAllowShortSecret: true}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, err := mandrill.New(tt.url, verify.Secrets(tt.key), tt.o)
			providertest.Constructed(t, "mandrill", v, err, tt.tells)
		})
	}
}

func TestMust(t *testing.T) {
	mandrill.Must(address, key)
	defer func() {
		if text, ok := recover().(string); !ok || !strings.HasPrefix(text, "mandrill.Must: the secret is empty") {
			t.Errorf("panics with %q", text)
		}
	}()
	mandrill.Must(address, "")
}

// TestMessage: the pieces are what is signed, one behind the other.
func TestMessage(t *testing.T) {
	body := string(wrap([]byte(`[{"event":"open"}]`)))
	var got []byte
	for _, piece := range mandrill.Must(address, key).Message(&verify.Head{}, []byte(body)) {
		got = append(got, piece...)
	}
	if string(got) != signed(body) {
		t.Errorf("the message is %q, want %q", got, signed(body))
	}
}

// FuzzForm: a form that verifies under a genuine signature has the one field with the value
// that was signed.
func FuzzForm(f *testing.F) {
	const value = `[{"event":"open"}]`
	body := wrap([]byte(value))
	f.Add(body)
	f.Add([]byte("mandrill_events=[{%22event%22:%22open%22}]"))
	f.Add([]byte("mandrill_event=s" + string(body[len("mandrill_events="):])))
	f.Add(append([]byte("x=1&"), body...))
	v := mandrill.Must(address, key)
	genuine := header(signed(string(body)), key)
	f.Fuzz(func(t *testing.T, sent []byte) {
		_, err := verify.Verify(context.Background(), v, &verify.Head{Header: genuine, ReceivedAt: time.Unix(1773480413, 0)}, sent)
		form, formErr := url.ParseQuery(string(sent))
		if err == nil && (formErr != nil || len(form) != 1 || len(form["mandrill_events"]) != 1 || form.Get("mandrill_events") != value) {
			t.Fatalf("accepted %q, which is %q", sent, form)
		}
	})
}
