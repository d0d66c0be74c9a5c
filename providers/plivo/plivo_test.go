package plivo_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/plivo"
	"github.com/hooknotary/hooknotary/providers/providertest"
	"github.com/hooknotary/hooknotary/providers/providertest/vector"
	"github.com/hooknotary/hooknotary/verify"
)

const (
	token   = "5d1f0c6a9b3e47d28c50f1ae6b7d9243"
	address = "https://shop.example/hooks/plivo?b=2&a=1"
	sorted  = "https://shop.example/hooks/plivo?a=1&b=2"
	nonce   = "05429567804466091622"
)

var secrets = []string{token, "e0417c9bd2a85f36917be4c80d2f6a15", "9a3d17c5e8b2f406a1c97e5d3b80f264", "47f6e0d9c8b1a25374650f1e2d3c4b5a", "b8c7d6e5f4a39281706f5e4d3c2b1a09"}

// signed returns what is signed for a form behind a sorted query, written after the
// documentation and apart from the package.
func signed(body string) string {
	form, err := url.ParseQuery(body)
	if err != nil {
		panic(err)
	}
	var names []string
	for name := range form {
		names = append(names, name)
	}
	slices.Sort(names)
	text := sorted
	if len(names) > 0 {
		text += "."
	}
	for _, name := range names {
		slices.Sort(form[name])
		for _, value := range form[name] {
			text += name + value
		}
	}
	return text + "." + nonce
}

func header(text string, secrets ...string) http.Header {
	var all []string
	for _, secret := range secrets {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(text))
		all = append(all, base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	return http.Header{"X-Plivo-Signature-V3": {strings.Join(all, ",")}, "X-Plivo-Signature-V3-Nonce": {nonce}}
}

func TestBattery(t *testing.T) {
	providertest.Exercise(t, providertest.Subject{
		New: func(keys verify.KeySource) (verify.Verifier, error) {
			v, err := plivo.New(address, keys, nil)
			if err != nil {
				return nil, err
			}
			return v, nil
		},
		Sign: func(_ time.Time, _ *url.URL, body []byte, secrets ...string) http.Header {
			return header(signed(string(body)), secrets...)
		},
		Profile: verify.Profile{
			Provider: "plivo", MediaType: "application/x-www-form-urlencoded", MaxBody: 1 << 20,
			Binding: verify.BindingChecksum, Retry: verify.RetryIdentical, Retention: 7 * 24 * time.Hour,
		},
		// No escapes with letters: whether those are upper or lower case is not signed.
		Events: []providertest.Event{
			{Name: "a message", Body: []byte("To=15550199&From=15550100&Text=Yes+%28fine%29&MessageUUID=2c9f7c1e"), MessageID: nonce},
			{Name: "the end of a call", Body: []byte("CallUUID=97ceeb52&Duration=300&Event=Hangup"), MessageID: nonce},
		},
		Secrets:  secrets,
		Form:     func(text []byte) []byte { return []byte("Text=" + url.QueryEscape(string(text))) },
		Query:    func([]byte) string { return "b=2&a=1" },
		Headers:  []string{"X-Plivo-Signature-V3", "X-Plivo-Signature-V3-Nonce"},
		Unsigned: []string{"X-Plivo-Signature-V2", "X-Plivo-Signature-V2-Nonce", "X-Plivo-Signature-Ma-V3"},
		Several:  true,
	})
}

// optionsOf reads the options of a vector.
func optionsOf(t *testing.T, v vector.Vector) (address string, o *plivo.Options) {
	t.Helper()
	o = &plivo.Options{}
	for _, option := range v.Options {
		name, value, _ := strings.Cut(option, " ")
		switch {
		case name == "url":
			address = value
		case option == "main account":
			o.MainAccount = true
		default:
			t.Fatalf("unknown option %q", option)
		}
	}
	return address, o
}

func TestVectors(t *testing.T) {
	providertest.Vectors(t, "testdata", func(t *testing.T, tt vector.Vector) (verify.Verifier, error) {
		address, o := optionsOf(t, tt)
		return plivo.New(address, verify.Secrets(tt.Secrets...), o)
	}, func(t *testing.T, d *verify.Delivery) {
		if d.MessageID != nonce {
			t.Errorf("the delivery is %+v", d)
		}
	})
}

// TestPublished judges the vectors of Plivo's libraries. They are GET requests without a
// body, which are signed as a POST without fields is.
func TestPublished(t *testing.T) {
	compare, done := vector.Differences(t, filepath.Join("testdata", "DIFFERENCES.md"))
	for _, tt := range vector.PublishedBy(t, "plivo") {
		v, err := plivo.New(tt.Head.URL.String(), verify.Secrets(tt.Secrets...), &plivo.Options{InsecureAllowShortSecret: true})
		if err != nil {
			t.Fatal(err)
		}
		_, err = verify.Verify(context.Background(), v, tt.Head, tt.Body)
		compare(t, tt.Name, tt.Want(t), vector.Outcome(err))
	}
	done()
}

// TestOtherURL: a request for a URL that goes on where the endpoint's ends does not verify
// there, although one text can be made of both.
func TestOtherURL(t *testing.T) {
	for _, tt := range []struct{ name, own, text, sent string }{
		{"a query", "https://shop.example/hooks", "https://shop.example/hooks?1=2.CallUUIDabTo15550100." + nonce, "1=%3D2.&CallUUID=ab&To=15550100"},
		{"a longer value in the query", "https://shop.example/hooks?v=1", "https://shop.example/hooks?v=1.5.CallUUIDabTo15550100." + nonce, "5=.&CallUUID=ab&To=15550100"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := plivo.Must(tt.own, token)
			judge := func(text, body string) error {
				h := &verify.Head{Header: header(text, token), ReceivedAt: time.Unix(1773480413, 0)}
				_, err := verify.Verify(context.Background(), v, h, []byte(body))
				return err
			}
			own := tt.own + "?"
			if strings.Contains(tt.own, "?") {
				own = tt.own + "."
			}
			if err := judge(own+"CallUUIDabTo15550100."+nonce, "CallUUID=ab&To=15550100"); err != nil {
				t.Errorf("its own form: %v", err)
			}
			if err := judge(tt.text, tt.sent); !errors.Is(err, verify.ErrMismatch) {
				t.Errorf("the other URL's form: %v", err)
			}
		})
	}
}

func TestNew(t *testing.T) {
	for _, tt := range []struct {
		name, url, secret string
		tells             string // "": it makes a verifier
	}{
		{"a URL and a token", address, token, ""},
		{"no query", "https://shop.example/", token, ""},
		{"an empty query", "https://shop.example/?", token, ""},
		{"no URL", "", token, "registered"},
		{"no token", address, "", "environment variable"},
		{"a short token", address, "my_auth_token", "at least 16"},
		{"a fragment", address + "#rc=2", token, "fragment"},
		{"a name twice in the query", address + "&a=3", token, "stands twice"},
		{"a name twice in the query, once escaped", address + "&%61=3", token, "stands twice"},
		{"a query that is no list of pairs", "https://shop.example/?x", token, "name=value"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, err := plivo.New(tt.url, verify.Secrets(tt.secret), nil)
			providertest.Constructed(t, "plivo", v, err, tt.tells)
		})
	}
}

func TestMust(t *testing.T) {
	plivo.Must(address, token)
	defer func() {
		if text, ok := recover().(string); !ok || !strings.HasPrefix(text, "plivo.Must: the secret is empty") {
			t.Errorf("panics with %q", text)
		}
	}()
	plivo.Must(address, "")
}

// TestMessage: the pieces are what is signed, one behind the other.
func TestMessage(t *testing.T) {
	const body = "B=2&A=1"
	v := plivo.Must(address, token)
	var got []byte
	for _, piece := range v.Message(&verify.Head{Header: header("", token)}, []byte(body)) {
		got = append(got, piece...)
	}
	if string(got) != signed(body) {
		t.Errorf("the message is %q, want %q", got, signed(body))
	}
	if names := v.SecurityHeaders(); !slices.Equal(names, []string{"X-Plivo-Signature-V3", "X-Plivo-Signature-V3-Nonce"}) {
		t.Errorf("the headers are %q", names)
	}
}

// FuzzForm: no other form and no other nonce verifies under a genuine signature unless it
// joins to the very text that was signed.
func FuzzForm(f *testing.F) {
	const body = "Text=HelloTo15550100&To=15550199&Type=sms"
	f.Add([]byte(body), nonce)
	f.Add([]byte("Text=Hello&To=15550100To15550199&Type=sms"), nonce)
	f.Add([]byte("Text=HelloTo15550100&To=15550199&Type=sm"), "s."+nonce)
	f.Add([]byte(signed(body)), nonce)
	v := plivo.Must(address, token)
	text := signed(body)
	genuine := header(text, token)
	f.Fuzz(func(t *testing.T, sent []byte, other string) {
		h := &verify.Head{Header: genuine.Clone(), ReceivedAt: time.Unix(1773480413, 0)}
		h.Header["X-Plivo-Signature-V3-Nonce"] = []string{other}
		d, err := verify.Verify(context.Background(), v, h, sent)
		if err != nil {
			return
		}
		if _, err := url.ParseQuery(string(sent)); err != nil || other != nonce || signed(string(sent)) != text || d.MessageID != nonce {
			t.Fatalf("accepted %q under the nonce %q: %v", sent, other, err)
		}
	})
}
