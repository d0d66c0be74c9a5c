package stripetest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
)

// A handler's test sends what Stripe would send.
func ExampleNewRequest() {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.Method, r.URL.Path, r.Header.Get("Content-Type"))
	})
	r := stripetest.NewRequest("https://shop.example/hooks/stripe", time.Now(),
		[]byte(`{"id":"evt_1","object":"event"}`), "whsec_Hx2v9QmT4kLr8ZpWc3NdYb6sJf7gKe1A")
	handler.ServeHTTP(httptest.NewRecorder(), r)
	// Output: POST /hooks/stripe application/json; charset=utf-8
}

// While a secret is rolled, Stripe signs with both.
func ExampleHeader() {
	at := time.Unix(1773480413, 0)
	h := stripetest.Header(at, []byte("{}"), "whsec_new", "whsec_old")
	fmt.Println(len(h.Get("Stripe-Signature")), h.Get("Stripe-Signature")[:19])
	// Output: 148 t=1773480413,v1=ac0
}
