package scheme_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// everything signs everything that a definition can: constants, a header, the time, the body
// and the URL.
func everything() scheme.Definition {
	return scheme.Definition{
		Provider:   "acme",
		Retry:      verify.RetryNever,
		Signatures: []scheme.Signature{{Header: "acme-signature", Field: "v1", Separator: ",", Assign: "="}},
		Timestamp:  scheme.Timestamp{Field: "t"},
		Message: []scheme.Part{
			scheme.Field("acme-id"), scheme.Literal(":"), scheme.Field("acme-topic"), scheme.Literal(":"),
			scheme.SignedTime(), scheme.Literal(":"), scheme.Body(), scheme.URL(),
		},
		ID:      scheme.ID{Header: "acme-id"},
		MaxBody: 1 << 10,
	}
}

const (
	acmeSecret = "9f2b7c41d8e05a63b1f47290ce8d3a56"
	acmeURL    = "https://hooks.example/in"
)

func acmeHead(secret string, body []byte) *verify.Head {
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "ord-17:orders/paid:1773480413:%s%s", body, acmeURL)
	h := http.Header{"Acme-Id": {"ord-17"}, "Acme-Topic": {"orders/paid"}}
	h.Set("Acme-Signature", fmt.Sprintf("t=1773480413,v1=%x", mac.Sum(nil)))
	return &verify.Head{Header: h, ReceivedAt: time.Unix(1773480414, 0)}
}

// pieces returns the labels and the pieces of a message; what is missing is "-".
func pieces(v *scheme.Verifier, h *verify.Head, body []byte) (labels, texts []string) {
	for label, text := range v.Message(h, body) {
		labels = append(labels, label)
		if text == nil {
			texts = append(texts, "-")
		} else {
			texts = append(texts, string(text))
		}
	}
	return labels, texts
}

func TestFacts(t *testing.T) {
	t.Run("the pieces of the message are what is signed", func(t *testing.T) {
		v := mustNew(t, everything(), &scheme.Options{URL: acmeURL}, acmeSecret)
		body := []byte(`{"total":4900}`)
		head := acmeHead(acmeSecret, body)
		if _, err := verify.Verify(t.Context(), v, head, body); err != nil {
			t.Fatal(err)
		}
		labels, texts := pieces(v, head, body)
		if want := []string{
			"id, from Acme-Id", "constant", "header Acme-Topic", "constant",
			"time, from Acme-Signature", "constant", "body", "URL, from configuration",
		}; !slices.Equal(labels, want) {
			t.Errorf("the labels are %q, want %q", labels, want)
		}
		if got, want := strings.Join(texts, ""), "ord-17:orders/paid:1773480413:"+string(body)+acmeURL; got != want {
			t.Errorf("the pieces are %q, want %q", got, want)
		}
		for range v.Message(head, body) {
			break // no more is asked for than is wanted
		}
	})

	t.Run("a piece that the head lacks is nil", func(t *testing.T) {
		v := mustNew(t, everything(), &scheme.Options{URL: acmeURL}, acmeSecret)
		all := strings.Fields("ord-17 : orders/paid : 1773480413 : body " + acmeURL)
		for _, test := range []struct {
			name string
			edit func(http.Header)
			gone []int
		}{
			{"nothing", func(http.Header) {}, nil},
			{"a header", func(h http.Header) { delete(h, "Acme-Id") }, []int{0}},
			{"a header twice", func(h http.Header) { h.Add("Acme-Topic", "b") }, []int{2}},
			{"an empty header", func(h http.Header) { h.Set("Acme-Topic", "") }, []int{2}},
			{"the time", func(h http.Header) { h.Set("Acme-Signature", "v1=0") }, []int{4}},
			{"an empty time", func(h http.Header) { h.Set("Acme-Signature", "t=,v1=0") }, []int{4}},
			{"all headers", func(h http.Header) { clear(h) }, []int{0, 2, 4}},
		} {
			t.Run(test.name, func(t *testing.T) {
				want := slices.Clone(all)
				for _, i := range test.gone {
					want[i] = "-"
				}
				head := acmeHead(acmeSecret, nil)
				test.edit(head.Header)
				if _, texts := pieces(v, head, []byte("body")); !slices.Equal(texts, want) {
					t.Errorf("the pieces are %q, want %q", texts, want)
				}
			})
		}
		if _, texts := pieces(v, nil, []byte("body")); texts[0] != "-" || texts[6] != "body" {
			t.Errorf("the pieces of no head are %q", texts)
		}
	})

	t.Run("the time of a header of its own is a piece", func(t *testing.T) {
		v := mustNew(t, slack(), nil, acmeSecret)
		h := signSlack(time.Unix(1773480413, 0), nil, nil, acmeSecret)
		labels, texts := pieces(v, &verify.Head{Header: h}, []byte("b"))
		if labels[1] != "time, from X-Slack-Request-Timestamp" || texts[1] != "1773480413" {
			t.Errorf("the time is %q, %q", labels[1], texts[1])
		}
	})

	t.Run("security headers are those that take part", func(t *testing.T) {
		two := shopify()
		two.Signatures = []scheme.Signature{{Header: "b-signature", Algorithm: scheme.HMACSHA512}, {Header: "a-signature"}}
		for _, test := range []struct {
			definition scheme.Definition
			options    *scheme.Options
			want       []string
		}{
			{everything(), &scheme.Options{URL: acmeURL}, []string{"Acme-Signature", "Acme-Id", "Acme-Topic"}},
			{slack(), nil, []string{"X-Slack-Signature", "X-Slack-Request-Timestamp"}},
			{shopify(), nil, []string{"X-Shopify-Hmac-Sha256"}},
			{two, nil, []string{"B-Signature", "A-Signature"}},
			{standardWebhooks("webhook"), nil, []string{"Webhook-Signature", "Webhook-Timestamp", "Webhook-Id"}},
		} {
			v := mustNew(t, test.definition, test.options, "whsec_C2FVsBQIhrscChlQIMVb5sSYspob7oDa")
			got := v.SecurityHeaders()
			if !slices.Equal(got, test.want) {
				t.Errorf("%s: the headers are %q, want %q", test.definition.Provider, got, test.want)
			}
			got[0] = "changed"
			if v.SecurityHeaders()[0] != test.want[0] {
				t.Errorf("%s: the list is not the caller's", test.definition.Provider)
			}
		}
	})

	t.Run("keys are those of the source", func(t *testing.T) {
		failure := errors.New("down")
		source := verify.KeyFunc(func(_ context.Context, h *verify.Head) ([]verify.Key, error) {
			if h.Method == "down" {
				return nil, failure
			}
			k, err := verify.NewKey("tenant", h.Method, []byte(acmeSecret))
			return []verify.Key{k}, err
		})
		v, err := scheme.New(everything(), source, &scheme.Options{URL: acmeURL})
		if err != nil {
			t.Fatal(err)
		}
		keys, err := v.Keys(t.Context(), &verify.Head{Method: "a"})
		if err != nil || len(keys) != 1 || keys[0].Label() != "a" || string(keys[0].Secret()) != acmeSecret {
			t.Errorf("the keys are %v (%v)", keys, err)
		}
		if _, err := v.Keys(t.Context(), &verify.Head{Method: "down"}); !errors.Is(err, failure) {
			t.Errorf("the error is %v, want that of the source", err)
		}
		v = mustNew(t, everything(), &scheme.Options{URL: acmeURL}, acmeSecret, "another secret of acme")
		if keys, err := v.Keys(t.Context(), nil); err != nil || len(keys) != 2 {
			t.Errorf("the keys are %v (%v), want two", keys, err)
		}
	})

	t.Run("a rekeyed verifier differs in its keys alone", func(t *testing.T) {
		const other = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
		definition := everything()
		definition.Secret.Refuse = []string{"sk_"}
		v := mustNew(t, definition, &scheme.Options{
			URL: acmeURL, Window: verify.Window{Past: 3, Future: 4}, InsecureAllowShortSecret: true,
		}, acmeSecret)
		rekeyed, err := v.Rekey(verify.Secrets(other))
		if err != nil {
			t.Fatal(err)
		}
		if rekeyed.Profile() != v.Profile() {
			t.Errorf("the profile is %+v, want %+v", rekeyed.Profile(), v.Profile())
		}
		body := []byte("b")
		head := acmeHead(other, body)
		head.ReceivedAt = time.Unix(1773480413, 0)
		if _, err := verify.Verify(t.Context(), rekeyed, head, body); err != nil {
			t.Errorf("a delivery under its key: %v", err)
		}
		if _, err := verify.Verify(t.Context(), v, head, body); !errors.Is(err, verify.ErrMismatch) {
			t.Errorf("a delivery under its key, for the verifier that it was made of: %v", err)
		}
		if _, err := v.Rekey(verify.Secrets("short")); err != nil {
			t.Errorf("a short secret, which the options allow: %v", err)
		}
		for _, secret := range []string{"", "sk_4eC39HqLyjWDarjtT1zdp7dc"} {
			if rekeyed, err := v.Rekey(verify.Secrets(secret)); err == nil || rekeyed != nil {
				t.Errorf("%q: %v, %v", secret, rekeyed, err)
			}
		}
		if rekeyed, err := v.Rekey(nil); err == nil || rekeyed != nil {
			t.Errorf("no source: %v, %v", rekeyed, err)
		}
	})
}

func TestSignedAt(t *testing.T) {
	const body = `{"sentAt":1773480413000}`
	dated := bare()
	dated.Timestamp, dated.Message = scheme.Timestamp{Header: "X-Time", Unit: scheme.RFC3339}, []scheme.Part{scheme.SignedTime(), scheme.Body()}
	for _, tt := range []struct {
		name  string
		d     scheme.Definition
		h     http.Header
		there bool
	}{
		{"in a header", slack(), header("X-Slack-Request-Timestamp", "1773480413"), true},
		{"in the signature's header", listed(), header("Listed-Signature", "v1=?,t=1773480413"), true},
		{"a date", dated, header("X-Time", "2026-03-14T10:26:53+01:00"), true},
		{"in the body", carried(), nil, true},
		{"under the other name", named(), header("B-Weak", "?", "B-Time", "1773480413"), true},
		{"missing", slack(), nil, false},
		{"no time", listed(), header("Listed-Signature", "v1=?,t=now"), false},
		{"none is signed", bare(), header("X-Time", "1773480413"), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := mustNew(t, tt.d, nil, plainSecrets[0])
			at, ok := v.SignedAt(&verify.Head{Header: tt.h}, []byte(body))
			if ok != tt.there || ok && !at.Equal(time.Unix(1773480413, 0)) {
				t.Errorf("the time is %v, %v", at, ok)
			}
		})
	}
}
