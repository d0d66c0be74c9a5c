package signer_test

import (
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/providertest/signer"
	"github.com/hooknotary/hooknotary/providers/scheme"
)

var (
	onlyBody = []scheme.Part{scheme.Body()}

	github = scheme.Definition{
		Signatures: []scheme.Signature{
			{Header: "X-Hub-Signature-256", Prefix: "sha256="},
			{Header: "X-Hub-Signature", Prefix: "sha1=", Algorithm: scheme.InsecureHMACSHA1},
		},
		Message: onlyBody,
	}
	stripe = scheme.Definition{
		Signatures: []scheme.Signature{{Header: "stripe-signature", Field: "v1", Separator: ",", Assign: "="}},
		Timestamp:  scheme.Timestamp{Field: "t"},
		Message:    []scheme.Part{scheme.SignedTime(), scheme.Literal("."), scheme.Body()},
	}
	slack = scheme.Definition{
		MediaType:  "application/x-www-form-urlencoded",
		Signatures: []scheme.Signature{{Header: "X-Slack-Signature", Prefix: "v0="}},
		Timestamp:  scheme.Timestamp{Header: "X-Slack-Request-Timestamp"},
		Message:    []scheme.Part{scheme.Literal("v0:"), scheme.SignedTime(), scheme.Literal(":"), scheme.Body()},
	}
	shopify = scheme.Definition{
		Signatures: []scheme.Signature{{Header: "X-Shopify-Hmac-Sha256", Encoding: scheme.Base64}},
		Message:    onlyBody,
	}
	standardWebhooks = scheme.Definition{
		Signatures: []scheme.Signature{{Header: "webhook-signature", Field: "v1", Separator: " ", Assign: ",", Encoding: scheme.Base64}},
		Timestamp:  scheme.Timestamp{Header: "webhook-timestamp"},
		Message: []scheme.Part{
			scheme.Field("webhook-id"), scheme.Literal("."), scheme.SignedTime(), scheme.Literal("."), scheme.Body(),
		},
		Secret: scheme.Secret{Encoding: scheme.Base64Secret, Prefix: "whsec_"},
	}
	square = scheme.Definition{
		Signatures: []scheme.Signature{{Header: "X-Square-HmacSha256-Signature", Encoding: scheme.Base64}},
		Message:    []scheme.Part{scheme.URL(), scheme.Body()},
	}
	acme = scheme.Definition{
		Signatures: []scheme.Signature{{Header: "Acme-Signature", Field: "sig", Separator: ";", Assign: ":", Algorithm: scheme.HMACSHA512}},
		Timestamp:  scheme.Timestamp{Field: "at", Unit: scheme.Milliseconds},
		Message:    []scheme.Part{scheme.SignedTime(), scheme.Literal("\n"), scheme.Body()},
	}
)

const slackBody = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"

func TestHeader(t *testing.T) {
	// Compares with headers that somebody else made: providers in
	// their documentation, and the authors of other libraries.
	t.Run("it signs as others do", func(t *testing.T) {
		seconds := func(n int64) time.Time { return time.Unix(n, 0) }
		for _, tt := range []struct {
			name     string // and where the signature is from
			d        scheme.Definition
			delivery signer.Delivery
			want     map[string]string
		}{
			{"GitHub, documentation and go-github", github,
				signer.Delivery{Body: []byte("Hello, World!"), Secrets: []string{"It's a Secret to Everybody"}},
				map[string]string{"X-Hub-Signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"}},
			{"GitHub with both hashes, a plugin of Jenkins", github,
				signer.Delivery{Body: []byte("sample payload"), Secrets: []string{"secret"}},
				map[string]string{
					"X-Hub-Signature-256": "sha256=569beaec8ea1c9deccec283d0bb96aeec0a77310c70875343737ae72cffa7044",
					"X-Hub-Signature":     "sha1=49d5f5cf800a81f257324912969a2d325d13d3fc",
				}},
			{"Slack, documentation", slack,
				signer.Delivery{At: seconds(1531420618), Body: []byte(slackBody), Secrets: []string{"8f742231b10e8888abcd99yyyzzz85a5"}},
				map[string]string{
					"X-Slack-Signature":         "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
					"X-Slack-Request-Timestamp": "1531420618",
					"Content-Type":              "application/x-www-form-urlencoded",
				}},
			{"Shopify, a library", shopify,
				signer.Delivery{Body: []byte(`{"foo": "bar"}`), Secrets: []string{"test_secret_key"}},
				map[string]string{"X-Shopify-Hmac-Sha256": "B23tXN681gZ0qIWNRrgtzBE9XSDo5yaUu6wfmhu3a7g=", "Content-Type": "application/json"}},
			{"Standard Webhooks, the libraries of its authors", standardWebhooks,
				signer.Delivery{
					At: seconds(1614265330), Body: []byte(`{"test": 2432232314}`), Secrets: []string{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
					Fields: map[string]string{"webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek"},
				},
				map[string]string{
					"Webhook-Signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
					"Webhook-Timestamp": "1614265330", "Webhook-Id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
				}},
			{"Standard Webhooks, a secret without its prefix", standardWebhooks,
				signer.Delivery{
					At: seconds(1614265330), Body: []byte(`{"test": 2432232314}`), Secrets: []string{"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
					Fields: map[string]string{"Webhook-Id": "msg_p5jXN8AQM9LWM0D4loKWxJek"},
				},
				map[string]string{"Webhook-Signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}},
			{"Square, a library", square,
				signer.Delivery{
					Body: []byte(`{"data":{"type":"webhooks","id":">id<"}}`), Secrets: []string{"signature-key"}, URL: "https://webhook.site/webhooks",
				},
				map[string]string{"X-Square-Hmacsha256-Signature": "Cxt7+aTi4rKgcA0bC4g9EHdVtLSDWdqccmL5MvihU4U="}},
			{"Stripe, its Go library, while a secret is rolled", stripe,
				signer.Delivery{
					At: seconds(1700000000), Secrets: []string{"whsec_test_secret", "whsec_test_secret_rolled_key"},
					Body: []byte("{\n  \"id\": \"evt_test_webhook\",\n  \"object\": \"event\",\n  \"api_version\": \"2023-10-16\"\n}"),
				},
				map[string]string{"Stripe-Signature": "t=1700000000,v1=3f71e604513befa4dd33f523aef9737aaaa4bcbe63654592c051d12de41125f3,v1=9d8b5f60943a43e4b4783819fa06d53533c39f027afd14bd9929a4ffaa2b7619"}},
			// printf '1700000000123\n{}' | openssl dgst -sha512 -hmac 8f742231b10e8888
			{"SHA-512 and milliseconds, OpenSSL", acme,
				signer.Delivery{At: time.UnixMilli(1700000000123), Body: []byte("{}"), Secrets: []string{"8f742231b10e8888"}},
				map[string]string{"Acme-Signature": "at:1700000000123;sig:20af5d82755e1f1fd6b62cf4dde0495f9fcd0758d016833f8c9ae603d9511968566ee09b9366b772599532e39d565a69b1277a360c5a0e227298feb55d9e96bc"}},
			{"a list without a secret", stripe,
				signer.Delivery{At: seconds(1700000000), Body: []byte("{}")}, map[string]string{"Stripe-Signature": "t=1700000000"}},
			{"the zero time", stripe, signer.Delivery{}, map[string]string{"Stripe-Signature": "t=-62135596800"}},
			{"one value without a secret", shopify, signer.Delivery{Body: []byte("{}")}, map[string]string{"X-Shopify-Hmac-Sha256": ""}},
			{"a header that is not signed", shopify,
				signer.Delivery{Body: []byte("{}"), Fields: map[string]string{"x-shopify-topic": "orders/create"}},
				map[string]string{"X-Shopify-Topic": "orders/create"}},
		} {
			t.Run(tt.name, func(t *testing.T) {
				h, err := signer.Header(tt.d, tt.delivery)
				if err != nil {
					t.Fatal(err)
				}
				for name, want := range tt.want {
					if got := strings.Join(h[name], " and "); got != want {
						t.Errorf("%s is %q, want %q", name, got, want)
					}
				}
			})
		}
	})

	t.Run("it refuses what does not fit", func(t *testing.T) {
		at := time.Unix(1700000000, 0)
		const secret = "whsec_!MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
		id := map[string]string{"Webhook-Id": "msg_1"}
		with := func(d scheme.Definition, change func(d *scheme.Definition)) scheme.Definition {
			d.Signatures = append([]scheme.Signature(nil), d.Signatures...)
			change(&d)
			return d
		}
		for _, tt := range []struct {
			name     string
			d        scheme.Definition
			delivery signer.Delivery
			says     string
		}{
			{"no URL", square, signer.Delivery{}, "signs the URL"},
			{"no value of a signed header", standardWebhooks, signer.Delivery{At: at}, "Webhook-Id"},
			{"two secrets for one value", shopify, signer.Delivery{Secrets: []string{"a", "b"}}, "holds one signature"},
			{"a secret that is not base64", standardWebhooks, signer.Delivery{At: at, Fields: id, Secrets: []string{secret}}, "secret 1: it is not base64"},
			{"an unknown algorithm", with(shopify, func(d *scheme.Definition) { d.Signatures[0].Algorithm = 99 }), signer.Delivery{Secrets: []string{"a"}}, "algorithm 99"},
			{"an unknown encoding", with(shopify, func(d *scheme.Definition) { d.Signatures[0].Encoding = 99 }), signer.Delivery{Secrets: []string{"a"}}, "encoding 99"},
			{"an unknown unit", with(stripe, func(d *scheme.Definition) { d.Timestamp.Unit = 99 }), signer.Delivery{At: at}, "unit 99"},
			{"an unknown part", with(shopify, func(d *scheme.Definition) { d.Message = make([]scheme.Part, 1) }), signer.Delivery{}, "kind 0"},
		} {
			t.Run(tt.name, func(t *testing.T) {
				h, err := signer.Header(tt.d, tt.delivery)
				if err == nil || h != nil || !strings.Contains(err.Error(), tt.says) {
					t.Fatalf("header is %v and the error is %v, want it to say %q", h, err, tt.says)
				}
				if strings.Contains(err.Error(), "MfKQ") {
					t.Errorf("the error holds the secret: %v", err)
				}
				if r, err := signer.NewRequest(tt.d, "https://hooks.example/", tt.delivery); r != nil || err == nil {
					t.Errorf("NewRequest returns %v and the error %v", r, err)
				}
			})
		}
	})
}

func TestNewRequest(t *testing.T) {
	t.Run("it is ready for a handler", func(t *testing.T) {
		v := signer.Delivery{Body: []byte(`{"a":1}`), Secrets: []string{"signature-key"}, URL: "https://shop.example/hooks?x=1"}
		for _, url := range []string{"", "http://127.0.0.1:8080/hooks"} {
			r, err := signer.NewRequest(square, url, v)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Fatal(err)
			}
			if r.Method != http.MethodPost || string(body) != `{"a":1}` || r.ContentLength != 7 {
				t.Errorf("request is %s with %q of %d bytes", r.Method, body, r.ContentLength)
			}
			if want := url; want != "" && r.URL.String() != want || want == "" && r.URL.String() != v.URL {
				t.Errorf("URL is %s", r.URL)
			}
			h, err := signer.Header(square, v)
			if err != nil || !reflect.DeepEqual(r.Header, h) {
				t.Errorf("headers are %v, want %v (%v)", r.Header, h, err)
			}
		}
		if _, err := signer.NewRequest(square, "://", v); err == nil {
			t.Error("a URL that is none is accepted")
		}
	})
}
