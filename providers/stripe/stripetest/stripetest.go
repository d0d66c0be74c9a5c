// Package stripetest signs webhooks as Stripe does, for tests. It shares no code
// with the verifier, so the two check each other.
//
//	req := stripetest.NewRequest("https://shop.example/hooks/stripe", time.Now(),
//		[]byte(`{"id":"evt_1","object":"event"}`), "whsec_…")
//	handler.ServeHTTP(recorder, req)
package stripetest

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"net/http"
	"time"
)

// Header returns the headers of a delivery that was signed at the given time,
// in whole seconds. Several secrets make several v1 signatures, as while a secret
// is rolled; none makes a header without one.
func Header(at time.Time, body []byte, secrets ...string) http.Header {
	signature := fmt.Sprintf("t=%d", at.Unix())
	for _, secret := range secrets {
		mac := hmac.New(sha256.New, []byte(secret))
		fmt.Fprintf(mac, "%d.%s", at.Unix(), body)
		signature += fmt.Sprintf(",v1=%x", mac.Sum(nil))
	}
	return http.Header{
		"Content-Type":     {"application/json; charset=utf-8"},
		"Stripe-Signature": {signature},
		"User-Agent":       {"Stripe/1.0 (+https://stripe.com/docs/webhooks)"},
	}
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
