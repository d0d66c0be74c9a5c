package paypal_test

import (
	"crypto/sha256"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/paypal"
	"github.com/hooknotary/hooknotary/providers/paypal/paypaltest"
	"github.com/hooknotary/hooknotary/providers/providertest"
	"github.com/hooknotary/hooknotary/verify"
)

func TestBattery(t *testing.T) {
	t.Parallel()
	t.Run("the verifier passes", func(t *testing.T) {
		t.Parallel()
		pp := paypaltest.New(webhookID)
		// The battery wants one message for the same time and body, but each
		// transmission has an id of its own: so the first one is kept.
		type message struct {
			at   int64
			body [sha256.Size]byte
		}
		var mu sync.Mutex
		sent := make(map[message]http.Header)
		sign := func(at time.Time, _ *url.URL, body []byte, _ ...string) http.Header {
			mu.Lock()
			defer mu.Unlock()
			m := message{at.Unix(), sha256.Sum256(body)}
			if sent[m] == nil {
				sent[m] = pp.Header(at, body)
			}
			return sent[m].Clone()
		}
		// When the battery signs its events.
		signedAt := time.Date(2031, 5, 17, 9, 30, 0, 0, time.UTC)
		events := []providertest.Event{
			{Name: "an event", Body: []byte(`{"id":"WH-1AB23456CD789012E-3FG45678HI901234J","event_type":"PAYMENT.SALE.COMPLETED"}`), ID: "WH-1AB23456CD789012E-3FG45678HI901234J"},
			{Name: "another event", Body: []byte(`{"event_type":"PING","resource":{"id":"8RS60435RV3125"},"id":"WH-9XY"}`), ID: "WH-9XY"},
			{Name: "an object that is no event", Body: []byte(`{"id":"I-BW452GLLEP1G"}`)},
			{Name: "a body that is no event", Body: []byte("ping")},
		}
		for i := range events {
			events[i].MessageID = sign(signedAt, nil, events[i].Body).Get("Paypal-Transmission-Id")
		}
		providertest.Exercise(t, providertest.Subject{
			New: func(verify.KeySource) (verify.Verifier, error) {
				v, err := paypal.New(webhookID, &paypal.Options{Transport: pp, Roots: pp.Roots()})
				if err != nil {
					return nil, err
				}
				return paypal.Unlimited(v), nil
			},
			Sign: sign,
			Profile: verify.Profile{
				Provider: "paypal", MediaType: "application/json", MaxBody: 1 << 20,
				Window:  verify.Window{Past: 3*24*time.Hour + 6*time.Hour, Future: 5 * time.Minute},
				Binding: verify.BindingChecksum, Retry: verify.RetryIdentical, Retention: 30 * 24 * time.Hour,
			},
			Events:   events,
			Headers:  []string{"Paypal-Transmission-Sig", "Paypal-Transmission-Id", "Paypal-Transmission-Time", "Paypal-Cert-Url", "Paypal-Auth-Algo"},
			Unsigned: []string{"Paypal-Auth-Version", "Correlation-Id"},
			Variants: []providertest.Variant{
				{Name: "no version", Edit: func(h http.Header) { h.Del("Paypal-Auth-Version") }},
			},
		})
	})
}
