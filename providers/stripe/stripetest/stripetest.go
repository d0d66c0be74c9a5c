// Package stripetest signs webhooks as Stripe does, for tests. It shares the
// definition with the verifier, and no code, see package
// [github.com/hooknotary/hooknotary/providers/providertest/signer].
//
//	req := stripetest.NewRequest("https://shop.example/hooks/stripe", time.Now(),
//		[]byte(`{"id":"evt_1","object":"event"}`), "whsec_…")
//	handler.ServeHTTP(recorder, req)
package stripetest

import (
	"bytes"
	"net/http"
	"time"

	"github.com/hooknotary/hooknotary/providers/providertest/signer"
	"github.com/hooknotary/hooknotary/providers/stripe"
)

// Header returns the headers of a delivery that was signed at the given time,
// in whole seconds. Several secrets make several v1 signatures, as while a secret
// is rolled; none makes a header without one.
func Header(at time.Time, body []byte, secrets ...string) http.Header {
	h, err := signer.Header(stripe.Definition(), signer.Delivery{At: at, Body: body, Secrets: secrets})
	if err != nil {
		panic("stripetest: " + err.Error()) // any text is a secret
	}
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("User-Agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)")
	return h
}

// NewRequest returns a signed delivery, ready for http.Client.Do as well as for a
// handler's ServeHTTP. It panics on a URL that does not parse.
func NewRequest(url string, at time.Time, body []byte, secrets ...string) *http.Request {
	r, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		panic("stripetest: " + err.Error())
	}
	r.Header = Header(at, body, secrets...)
	return r
}
