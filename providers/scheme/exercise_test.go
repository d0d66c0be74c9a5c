package scheme_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/providertest"
	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// Four definitions that use the engine in different ways, each with a signer that
// is written from the provider's documentation and shares no code with it.

const day = 24 * time.Hour

// slack signs "v0:<time>:<body>" and sends the time in a header of its own.
func slack() scheme.Definition {
	return scheme.Definition{
		Provider:   "slack",
		Signatures: []scheme.Signature{{Header: "X-Slack-Signature", Prefix: "v0="}},
		Timestamp:  scheme.Timestamp{Header: "X-Slack-Request-Timestamp"},
		Message:    []scheme.Part{scheme.Literal("v0:"), scheme.SignedTime(), scheme.Literal(":"), scheme.Body()},
		ID:         scheme.ID{Member: "event_id", Prefix: "Ev"},
		MaxBody:    1 << 20,
		Retry:      verify.RetryResigned,
	}
}

func signSlack(at time.Time, _ *url.URL, body []byte, secrets ...string) http.Header {
	mac := hmac.New(sha256.New, []byte(secrets[0]))
	fmt.Fprintf(mac, "v0:%d:%s", at.Unix(), body)
	return http.Header{
		"X-Slack-Signature":         {fmt.Sprintf("v0=%x", mac.Sum(nil))},
		"X-Slack-Request-Timestamp": {fmt.Sprint(at.Unix())},
	}
}

// shopify signs the body alone, and repeats it unchanged.
func shopify() scheme.Definition {
	return scheme.Definition{
		Provider:     "shopify",
		Signatures:   []scheme.Signature{{Header: "X-Shopify-Hmac-Sha256", Encoding: scheme.Base64}},
		Message:      []scheme.Part{scheme.Body()},
		UnsignedID:   "X-Shopify-Webhook-Id",
		UnsignedType: "X-Shopify-Topic",
		Partition:    "X-Shopify-Topic",
		MaxBody:      4 << 20,
		Retry:        verify.RetryIdentical,
		Retention:    2 * day,
	}
}

func signShopify(_ time.Time, _ *url.URL, body []byte, secrets ...string) http.Header {
	mac := hmac.New(sha256.New, []byte(secrets[0]))
	mac.Write(body)
	return http.Header{
		"X-Shopify-Hmac-Sha256": {base64.StdEncoding.EncodeToString(mac.Sum(nil))},
		"X-Shopify-Topic":       {"orders/create"},
		"X-Shopify-Webhook-Id":  {"b54557e4-bdd9-4b37-8a5f-bf7d70bcd043"},
	}
}

// standardWebhooks signs "<id>.<time>.<body>", with a key in base64 and a list of
// signatures.
func standardWebhooks(prefix string) scheme.Definition {
	return scheme.Definition{
		Provider: "standard-webhooks",
		Signatures: []scheme.Signature{{
			Header: prefix + "-signature", Field: "v1", Separator: " ", Assign: ",", Encoding: scheme.Base64,
		}},
		Timestamp: scheme.Timestamp{Header: prefix + "-timestamp"},
		Message: []scheme.Part{
			scheme.Field(prefix + "-id"), scheme.Literal("."), scheme.SignedTime(), scheme.Literal("."), scheme.Body(),
		},
		ID:      scheme.ID{Header: prefix + "-id"},
		Secret:  scheme.Secret{Encoding: scheme.Base64Secret, Prefix: "whsec_", Refuse: []string{"whpk_", "whsk_"}},
		MaxBody: 1 << 20,
		Retry:   verify.RetryResigned,
	}
}

const messageID = "msg_2b1QfXa0ZkC7u3Rr"

func signStandardWebhooks(at time.Time, _ *url.URL, body []byte, secrets ...string) http.Header {
	var list []string
	for _, secret := range secrets {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
		if err != nil {
			panic(err)
		}
		mac := hmac.New(sha256.New, key)
		fmt.Fprintf(mac, "%s.%d.%s", messageID, at.Unix(), body)
		list = append(list, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	return http.Header{
		"Webhook-Id":        {messageID},
		"Webhook-Timestamp": {fmt.Sprint(at.Unix())},
		"Webhook-Signature": {strings.Join(list, " ")},
	}
}

const squareURL = "https://hooks.example.com/square?shop=7"

// square signs the URL that is registered and the body.
func square() scheme.Definition {
	return scheme.Definition{
		Provider:   "square",
		Signatures: []scheme.Signature{{Header: "X-Square-HmacSha256-Signature", Encoding: scheme.Base64}},
		Message:    []scheme.Part{scheme.URL(), scheme.Body()},
		ID:         scheme.ID{Member: "event_id"},
		MaxBody:    1 << 20,
		Retry:      verify.RetryIdentical,
	}
}

func signSquare(_ time.Time, _ *url.URL, body []byte, secrets ...string) http.Header {
	mac := hmac.New(sha256.New, []byte(secrets[0]))
	mac.Write([]byte(squareURL))
	mac.Write(body)
	return http.Header{
		"X-Square-Hmacsha256-Signature": {base64.StdEncoding.EncodeToString(mac.Sum(nil))},
	}
}

var (
	plainSecrets = []string{
		"8f742231b10e8888abcd99c1d2e385a5", "e6b19c573432dcc6b075501d51b51bb8", "0c4f1a77d2be9356b8e01c3fa42d67e9",
		"5d3e9b0a6c7f8421e0d9c8b7a6f50413", "b7a1c2d3e4f5061728394a5b6c7d8e9f",
	}
	base64Secrets = []string{
		"whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "whsec_plJ3nmyCDGBKInavdOK15jsl7Dk2mQeR",
		"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_q83vEjRWeJq83vEjRWeJq83vEjRWeJo0", "whsec_Z2VoZWltZXJTY2hsw7xzc2VsMTIz",
	}
)

func maker(d scheme.Definition) func(verify.KeySource) (verify.Verifier, error) {
	return func(keys verify.KeySource) (verify.Verifier, error) { return scheme.New(d, keys, nil) }
}

func TestBattery(t *testing.T) {
	t.Run("Slack passes", func(t *testing.T) {
		providertest.Exercise(t, providertest.Subject{
			New:  maker(slack()),
			Sign: signSlack,
			Profile: verify.Profile{
				Provider: "slack", MediaType: "application/json", MaxBody: 1 << 20,
				Window: verify.Window{Past: 5 * time.Minute, Future: 5 * time.Minute}, Binding: verify.BindingFull, Retry: verify.RetryResigned,
			},
			Events: []providertest.Event{
				{Name: "an event", ID: "Ev0PV52K25", Body: []byte(`{"token":"x","team_id":"T061","event":{"event_id":"Ev1"},"event_id":"Ev0PV52K25"}`)},
				{Name: "a form", Body: []byte("token=gIkuvaNzQIHg97ATvDxqgjtO&command=%2Fweather&text=94070")},
				{Name: "an id of another kind", Body: []byte(`{"event_id":"Xx0PV52K25"}`)},
			},
			Secrets: plainSecrets,
			Headers: []string{"X-Slack-Signature", "X-Slack-Request-Timestamp"},
		})
	})

	t.Run("Shopify passes", func(t *testing.T) {
		providertest.Exercise(t, providertest.Subject{
			New:  maker(shopify()),
			Sign: signShopify,
			Profile: verify.Profile{
				Provider: "shopify", MediaType: "application/json", MaxBody: 4 << 20, Binding: verify.BindingFull,
				Retry: verify.RetryIdentical, Retention: 48 * time.Hour,
			},
			Events: []providertest.Event{
				{Name: "an order", Body: []byte(`{"id":820982911946154508,"email":"jon@example.com"}`)},
				{Name: "another order", Body: []byte(`{"id":820982911946154509,"email":"jon@example.com"}`)},
				{Name: "an empty body", Body: nil},
			},
			Secrets:  plainSecrets,
			Headers:  []string{"X-Shopify-Hmac-Sha256"},
			Unsigned: []string{"X-Shopify-Webhook-Id", "X-Shopify-Topic"},
		})
	})

	t.Run("Standard Webhooks passes", func(t *testing.T) {
		providertest.Exercise(t, providertest.Subject{
			New:  maker(standardWebhooks("webhook")),
			Sign: signStandardWebhooks,
			Profile: verify.Profile{
				Provider: "standard-webhooks", MediaType: "application/json", MaxBody: 1 << 20,
				Window: verify.Window{Past: 5 * time.Minute, Future: 5 * time.Minute}, Binding: verify.BindingFull, Retry: verify.RetryResigned,
			},
			Events: []providertest.Event{
				{Name: "a user", ID: messageID, Body: []byte(`{"type":"user.created","data":{"id":"usr_1"}}`)},
				{Name: "another user", ID: messageID, Body: []byte(`{"type":"user.created","data":{"id":"usr_2"}}`)},
				{Name: "an empty body", ID: messageID},
			},
			Secrets: base64Secrets,
			Headers: []string{"Webhook-Signature", "Webhook-Id", "Webhook-Timestamp"},
			Several: true,
			Variants: []providertest.Variant{
				{Name: "a signature of another kind behind", Edit: func(h http.Header) { h["Webhook-Signature"][0] += " v1a,hnO3f9T8Ytu9HwrXslvumlUp" }},
				{Name: "a signature of another kind in front", Edit: func(h http.Header) { h["Webhook-Signature"][0] = "v2,x=,y " + h["Webhook-Signature"][0] }},
			},
		})
	})

	t.Run("Square passes", func(t *testing.T) {
		providertest.Exercise(t, providertest.Subject{
			New: func(keys verify.KeySource) (verify.Verifier, error) {
				return scheme.New(square(), keys, &scheme.Options{URL: squareURL})
			},
			Sign: signSquare,
			Profile: verify.Profile{
				Provider: "square", MediaType: "application/json", MaxBody: 1 << 20, Binding: verify.BindingFull, Retry: verify.RetryIdentical,
			},
			Events: []providertest.Event{
				{Name: "a payment", ID: "6a8f5f28", Body: []byte(`{"merchant_id":"6SSW7","event_id":"6a8f5f28","data":{"event_id":"0"}}`)},
				{Name: "no id", Body: []byte(`{"merchant_id":"6SSW7"}`)},
			},
			Secrets: plainSecrets,
			Headers: []string{"X-Square-Hmacsha256-Signature"},
		})
	})

	t.Run("milliseconds and SHA-512 pass", func(t *testing.T) {
		providertest.Exercise(t, providertest.Subject{
			New:  maker(acme()),
			Sign: signAcme,
			Profile: verify.Profile{
				Provider: "acme", MediaType: "application/json", MaxBody: 1 << 10,
				Retry:  verify.RetryNever,
				Window: verify.Window{Past: time.Hour, Future: time.Second}, Binding: verify.BindingFull,
			},
			Events: []providertest.Event{
				{Name: "one", Body: []byte(`{"a":1}`)},
				{Name: "two", Body: []byte(`{"a":2}`)},
			},
			Secrets: plainSecrets,
			Headers: []string{"Acme-Signature"},
			Several: true,
			Unit:    time.Millisecond,
		})
	})
}

// A time in milliseconds, SHA-512, and a list whose time stands in it.
func acme() scheme.Definition {
	return scheme.Definition{
		Provider:   "acme",
		Retry:      verify.RetryNever,
		Signatures: []scheme.Signature{{Header: "Acme-Signature", Field: "sig", Separator: ";", Assign: ":", Algorithm: scheme.HMACSHA512}},
		Timestamp:  scheme.Timestamp{Field: "at", Unit: scheme.Milliseconds, Window: verify.Window{Past: time.Hour, Future: time.Second}},
		Message:    []scheme.Part{scheme.SignedTime(), scheme.Literal("\n"), scheme.Body()},
		MaxBody:    1 << 10,
	}
}

func signAcme(at time.Time, _ *url.URL, body []byte, secrets ...string) http.Header {
	value := fmt.Sprintf("at:%d", at.UnixMilli())
	for _, secret := range secrets {
		mac := hmac.New(sha512.New, []byte(secret))
		fmt.Fprintf(mac, "%d\n%s", at.UnixMilli(), body)
		value += fmt.Sprintf(";sig:%x", mac.Sum(nil))
	}
	return http.Header{"Acme-Signature": {value}}
}
