package hook0_test

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

	"github.com/hooknotary/hooknotary/providers/hook0"
	"github.com/hooknotary/hooknotary/providers/providertest"
	"github.com/hooknotary/hooknotary/providers/providertest/vector"
	"github.com/hooknotary/hooknotary/verify"
)

const (
	secret = "5d1f0c6a9b3e47d28c50f1ae6b7d9243"
	id     = "0198a5c2-7d3e-7c41-9b52-6f1d2e3a4b5c"
)

var (
	secrets  = []string{secret, "e0417c9bd2a85f36917be4c80d2f6a15", "9a3d17c5e8b2f406a1c97e5d3b80f264", "47f6e0d9c8b1a25374650f1e2d3c4b5a", "b8c7d6e5f4a39281706f5e4d3c2b1a09"}
	signedAt = time.Date(2031, 5, 17, 9, 30, 0, 0, time.UTC)
)

func mac(secret, text string) string {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(text))
	return fmt.Sprintf("%x", h.Sum(nil))
}

// header signs headers, given as names and values by turns, and a body.
func header(at time.Time, secrets []string, body string, fields ...string) http.Header {
	h := http.Header{}
	var names, values []string
	for i := 0; i < len(fields); i += 2 {
		names, values = append(names, fields[i]), append(values, fields[i+1])
		h.Set(fields[i], fields[i+1])
	}
	list := strings.Join(names, " ")
	text := fmt.Sprintf("t=%d,h=%s", at.Unix(), list)
	for _, s := range secrets {
		text += ",v1=" + mac(s, fmt.Sprintf("%d.%s.%s.%s", at.Unix(), list, strings.Join(values, "."), body))
	}
	h.Set("X-Hook0-Signature", text)
	return h
}

func TestBattery(t *testing.T) {
	profile := verify.Profile{
		Provider: "hook0", MediaType: "application/json", MaxBody: 1 << 20, Window: verify.Window{Past: 5 * time.Minute, Future: 5 * time.Minute},
		Binding: verify.BindingFull, Retry: verify.RetryResigned, Retention: 7 * 24 * time.Hour,
	}
	wrapped := func(v *hook0.Verifier, err error) (verify.Verifier, error) {
		if err != nil {
			return nil, err
		}
		return v, nil
	}
	subject := providertest.Subject{
		New: func(keys verify.KeySource) (verify.Verifier, error) { return wrapped(hook0.New(keys, nil)) },
		Sign: func(at time.Time, _ *url.URL, body []byte, secrets ...string) http.Header {
			return header(at, secrets, string(body), "x-event-id", id, "x-event-type", "billing.invoice.paid")
		},
		Profile: profile,
		Events: []providertest.Event{
			{Name: "an object", Body: []byte(`{"invoice":"in_71","amount":4200}`), ID: id},
			{Name: "an array", Body: []byte(`[{"invoice":"in_72"}]`), ID: id},
		},
		Secrets:  secrets,
		Form:     func(text []byte) []byte { return append([]byte("["), text...) },
		Headers:  []string{"X-Hook0-Signature", "X-Event-Id", "X-Event-Type"},
		Unsigned: []string{"X-Other"},
		Several:  true,
		Variants: []providertest.Variant{{Name: "the older version beside it", Edit: func(h http.Header) {
			h["X-Hook0-Signature"] = []string{h.Get("X-Hook0-Signature") + ",v0=" + strings.Repeat("0", 64)}
		}}},
	}
	t.Run("headers, time and body", func(t *testing.T) {
		t.Parallel()
		providertest.Exercise(t, subject)
	})
	t.Run("the body alone", func(t *testing.T) {
		t.Parallel()
		s := subject
		s.New = func(keys verify.KeySource) (verify.Verifier, error) {
			return wrapped(hook0.New(keys, &hook0.Options{BodyAlone: true}))
		}
		s.Sign = func(at time.Time, _ *url.URL, body []byte, secrets ...string) http.Header {
			text := fmt.Sprintf("t=%d", at.Unix())
			for _, secret := range secrets {
				text += ",v0=" + mac(secret, fmt.Sprintf("%d.%s", at.Unix(), body))
			}
			return http.Header{"X-Hook0-Signature": {text}}
		}
		s.Events = []providertest.Event{{Name: "an object", Body: subject.Events[0].Body}, {Name: "an array", Body: subject.Events[1].Body}}
		s.Headers, s.Unsigned = s.Headers[:1], append(s.Headers[1:3:3], s.Unsigned...)
		s.Variants = []providertest.Variant{{Name: "the newer version beside it", Edit: func(h http.Header) {
			h["X-Hook0-Signature"] = []string{h.Get("X-Hook0-Signature") + ",h=x-event-id,v1=" + strings.Repeat("0", 64)}
		}}}
		providertest.Exercise(t, s)
	})
	t.Run("of Coinbase", func(t *testing.T) {
		t.Parallel()
		s := subject
		s.Profile.Provider = "coinbasecdp"
		s.New = func(keys verify.KeySource) (verify.Verifier, error) { return wrapped(hook0.NewCoinbaseCDP(keys, nil)) }
		providertest.Exercise(t, s)
	})
}

func TestVectors(t *testing.T) {
	for dir, open := range map[string]func(verify.KeySource, *hook0.Options) (*hook0.Verifier, error){
		"testdata": hook0.New, "testdata/coinbasecdp": hook0.NewCoinbaseCDP,
	} {
		t.Run(dir, func(t *testing.T) {
			providertest.Vectors(t, dir, func(t *testing.T, tt vector.Vector) (verify.Verifier, error) {
				o := &hook0.Options{}
				for _, option := range tt.Options {
					name, value, _ := strings.Cut(option, " ")
					switch {
					case option == "body alone":
						o.BodyAlone = true
					case name == "require":
						o.Require = append(o.Require, value)
					default:
						t.Fatalf("unknown option %q", option)
					}
				}
				return open(verify.Secrets(tt.Secrets...), o)
			}, nil)
		})
	}
}

// TestPublished judges the conformance tests of Hook0, those of the older version by an
// endpoint that judges it.
func TestPublished(t *testing.T) {
	published := vector.PublishedBy(t, "hook0")
	if len(published) < 7 {
		t.Fatalf("found %d vectors, want at least 7", len(published))
	}
	for _, tt := range published {
		t.Run(tt.Name, func(t *testing.T) {
			older := !strings.Contains(tt.Head.Header.Get("X-Hook0-Signature"), "v1=")
			v, err := hook0.New(verify.Secrets(tt.Secrets...), &hook0.Options{BodyAlone: older})
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

func verdict(t *testing.T, o *hook0.Options, h http.Header, body string) (*verify.Delivery, error) {
	t.Helper()
	v, err := hook0.New(verify.Secrets(secret), o)
	if err != nil {
		t.Fatal(err)
	}
	return verify.Verify(context.Background(), v, &verify.Head{Header: h, ReceivedAt: signedAt}, []byte(body))
}

func TestSignedHeaders(t *testing.T) {
	const body = `{"a":1.5}`
	sign := func(fields ...string) http.Header { return header(signedAt, []string{secret}, body, fields...) }
	for _, tt := range []struct {
		name    string
		o       *hook0.Options
		header  http.Header
		outcome string
		id      string
	}{
		{"an id that is signed is the event's", nil, sign("x-event-id", "evt-1", "content-type", "application/json"), "accept", "evt-1"},
		{"an id that is not signed is none", nil, func() http.Header {
			h := sign("content-type", "application/json")
			h.Set("X-Event-Id", "evt-1")
			return h
		}(), "accept", ""},
		{"an id with a blank is none", nil, sign("x-event-id", "evt 1"), "accept", ""},
		{"a header that is required and signed", &hook0.Options{Require: []string{"X-Event-Id"}}, sign("x-event-id", "evt-1"), "accept", "evt-1"},
		{"a header that is required and not signed", &hook0.Options{Require: []string{"X-Event-Id"}}, func() http.Header {
			h := sign("content-type", "application/json")
			h.Set("X-Event-Id", "evt-1")
			return h
		}(), "malformed", ""},
		{"dots in the type", nil, sign("x-event-type", "a.b.c"), "accept", ""},
		{"dots in another header", nil, sign("content-type", "application/vnd.api+json"), "malformed", ""},
		{"dots in another header, which may have them", &hook0.Options{Dotted: "content-type"}, sign("content-type", "application/vnd.api+json"), "accept", ""},
		{"dots in the type, where another may have them", &hook0.Options{Dotted: "content-type"}, sign("x-event-type", "a.b.c"), "malformed", ""},
		{"sixteen headers", nil, sign(many(16)...), "accept", ""},
		{"seventeen headers", nil, sign(many(17)...), "malformed", ""},
		{"a long value", nil, sign("x-a", strings.Repeat("v", 1024)), "accept", ""},
		{"a longer one", nil, sign("x-a", strings.Repeat("v", 1025)), "malformed", ""},
		{"the header of the signature", nil, sign("x-hook0-signature", "1"), "malformed", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := verdict(t, tt.o, tt.header, body)
			if got := vector.Outcome(err); got != tt.outcome {
				t.Fatalf("outcome is %s (%v), want %s", got, err, tt.outcome)
			}
			if err == nil && d.ID != tt.id {
				t.Errorf("the id is %q, want %q", d.ID, tt.id)
			}
		})
	}
}

func many(n int) []string {
	var fields []string
	for i := range n {
		fields = append(fields, fmt.Sprintf("x-%d", i), "v")
	}
	return fields
}

// TestBorders: no other split of what was signed verifies, over all of them.
func TestBorders(t *testing.T) {
	const body = `{"a":"x.{y}.[z]","b":[1.5]}`
	genuine := header(signedAt, []string{secret}, body, "x-event-id", "evt-1", "x-event-type", "a.b", "content-type", "application/json")
	if _, err := verdict(t, nil, genuine, body); err != nil {
		t.Fatal(err)
	}
	text := "evt-1.a.b.application/json." + body
	parts := strings.Split(text, ".")
	tried := 0
	for i := 1; i < len(parts); i++ {
		for j := i + 1; j < len(parts); j++ {
			for k := j + 1; k < len(parts); k++ {
				values := []string{strings.Join(parts[:i], "."), strings.Join(parts[i:j], "."), strings.Join(parts[j:k], ".")}
				rest := strings.Join(parts[k:], ".")
				h := genuine.Clone()
				h.Set("X-Event-Id", values[0])
				h.Set("X-Event-Type", values[1])
				h.Set("Content-Type", values[2])
				tried++
				if _, err := verdict(t, nil, h, rest); (err == nil) != (rest == body && values[1] == "a.b") {
					t.Errorf("the values %q and the body %q: %v", values, rest, err)
				}
			}
		}
	}
	if tried < 30 {
		t.Errorf("tried %d splits only", tried)
	}
	t.Run("the signature of one version is none of the other", func(t *testing.T) {
		newer := genuine.Get("X-Hook0-Signature")
		_, signature, _ := strings.Cut(newer, ",v1=")
		h := http.Header{"X-Hook0-Signature": {fmt.Sprintf("t=%d,v0=%s", signedAt.Unix(), signature)}}
		if _, err := verdict(t, &hook0.Options{BodyAlone: true}, h, "x-event-id x-event-type content-type."+text); err == nil {
			t.Error("what v1 signs is accepted as a body of v0")
		}
	})
}

func TestNew(t *testing.T) {
	for _, tt := range []struct {
		name, secret string
		o            *hook0.Options
		tells        string // "": it makes a verifier
	}{
		{"a secret", secret, nil, ""},
		{"no secret", "", nil, "environment variable"},
		{"a short secret", "short", nil, "at least 16"},
		{"a short secret where that is allowed", "short", &hook0.Options{InsecureAllowShortSecret: true}, ""},
		{"a header to require", secret, &hook0.Options{Require: []string{"X-Event-Id"}}, ""},
		{"a header that none is", secret, &hook0.Options{Require: []string{"X Event"}}, "Require"},
		{"Host", secret, &hook0.Options{Require: []string{"Host"}}, "Require"},
		{"a header with dots that none is", secret, &hook0.Options{Dotted: "X:Y"}, "Dotted"},
		{"the body alone", secret, &hook0.Options{BodyAlone: true}, ""},
		{"the body alone, and a header to require", secret, &hook0.Options{BodyAlone: true, Require: []string{"X-Event-Id"}}, "BodyAlone"},
		{"a window that is too long", secret, &hook0.Options{Window: verify.Window{Past: time.Hour}}, "Window"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, err := hook0.New(verify.Secrets(tt.secret), tt.o)
			providertest.Constructed(t, "hook0", v, err, tt.tells)
		})
	}
}

func TestMust(t *testing.T) {
	for name, must := range map[string]func(...string) *hook0.Verifier{"hook0.Must: ": hook0.Must, "hook0.MustCoinbaseCDP: ": hook0.MustCoinbaseCDP} {
		t.Run(name, func(t *testing.T) {
			must(secret)
			defer func() {
				if text, ok := recover().(string); !ok || !strings.HasPrefix(text, name+"the secret is empty") {
					t.Errorf("panics with %q", text)
				}
			}()
			must("")
		})
	}
}

// TestMessage: the pieces are what is signed, one behind the other.
func TestMessage(t *testing.T) {
	const body = `{"a":1}`
	h := header(signedAt, []string{secret}, body, "x-event-id", "evt-1", "x-event-type", "a.b")
	at := fmt.Sprint(signedAt.Unix())
	for _, tt := range []struct {
		o    *hook0.Options
		want string
	}{
		{nil, at + ".x-event-id x-event-type.evt-1.a.b." + body},
		{&hook0.Options{BodyAlone: true}, at + "." + body},
	} {
		v, err := hook0.New(verify.Secrets(secret), tt.o)
		if err != nil {
			t.Fatal(err)
		}
		var got []byte
		for _, piece := range v.Message(&verify.Head{Header: h}, []byte(body)) {
			got = append(got, piece...)
		}
		if string(got) != tt.want {
			t.Errorf("the message is %q, want %q", got, tt.want)
		}
	}
}

// FuzzDelivery: what is accepted under a genuine signature has the values and the body that
// were signed.
func FuzzDelivery(f *testing.F) {
	const body = `{"a":1.5}`
	genuine := header(signedAt, []string{secret}, body, "x-event-id", "evt-1", "x-event-type", "a.b")
	_, signature, _ := strings.Cut(genuine.Get("X-Hook0-Signature"), ",v1=")
	f.Add("x-event-id x-event-type", "evt-1", "a.b", []byte(body))
	f.Add("x-event-id x-event-type", "evt-1.a", "b", []byte(body))
	f.Add("x-event-id", "evt-1", "a.b", []byte("a.b."+body))
	f.Add("x-event-id x-event-type", "evt-1", "a.b."+`{"a":1`, []byte("5}"))
	v := hook0.Must(secret)
	f.Fuzz(func(t *testing.T, names, event, kind string, sent []byte) {
		h := http.Header{
			"X-Hook0-Signature": {fmt.Sprintf("t=%d,h=%s,v1=%s", signedAt.Unix(), names, signature)},
			"X-Event-Id":        {event}, "X-Event-Type": {kind},
		}
		d, err := verify.Verify(context.Background(), v, &verify.Head{Header: h, ReceivedAt: signedAt}, sent)
		if err == nil && (names != "x-event-id x-event-type" || event != "evt-1" || kind != "a.b" || string(sent) != body || d.ID != "evt-1") {
			t.Fatalf("accepted %q, %q, %q, %q", names, event, kind, sent)
		}
	})
}

func TestAbout(t *testing.T) {
	a, b := hook0.About(), hook0.AboutCoinbaseCDP()
	if a.Title == b.Title || slices.Equal(a.Links, b.Links) || a.EqualBodies || b.EqualBodies {
		t.Errorf("the two say %+v and %+v", a, b)
	}
}
