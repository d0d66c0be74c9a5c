package paypal_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/providers/paypal"
	"github.com/hooknotary/hooknotary/providers/paypal/paypaltest"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

// One line guards an endpoint. What is not signed by PayPal does not reach the
// handler.
func ExampleMust() {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println("handled")
	})
	// From the environment in a real program: os.Getenv("PAYPAL_WEBHOOK_ID").
	guarded := middleware.Protect(paypal.Must("8PT597110X687430L"))(handler)

	w := httptest.NewRecorder()
	guarded.ServeHTTP(w, httptest.NewRequest("POST", "/hooks/paypal", strings.NewReader(`{"id":"WH-1"}`)))
	fmt.Println(w.Code)
	// Output: 401
}

// An endpoint that remembers PayPal's certificates and, on a new machine, fetches the
// current one when it starts, so that no delivery depends on PayPal's host or on what
// strangers ask for.
func ExampleNew() {
	v, err := paypal.New(os.Getenv("PAYPAL_WEBHOOK_ID"), &paypal.Options{
		Sandbox:  os.Getenv("PAYPAL_MODE") == "sandbox",
		CertFile: "/var/lib/shop/paypal.certs",
	})
	if err != nil {
		log.Fatal(err)
	}
	// The URL that PAYPAL-CERT-URL had in the last delivery.
	if err := v.Prefetch(context.Background(), os.Getenv("PAYPAL_CERT_URL")); err != nil {
		log.Print(err) // no reason not to start
	}
	guard, err := middleware.New("paypal", v, replay.NewMemory(nil), nil)
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("POST /hooks/paypal", guard.Handler(http.NotFoundHandler()))
}

// With FetchEvent, a handler sees only events that are as PayPal has them on
// record.
func ExampleConfirm() {
	secret, err := verify.NewKey("app", "2026-03", []byte(os.Getenv("PAYPAL_CLIENT_SECRET")))
	if err != nil {
		log.Fatal(err)
	}
	v, err := paypal.New(os.Getenv("PAYPAL_WEBHOOK_ID"), &paypal.Options{
		Confirm: &paypal.Confirm{
			ClientID:   os.Getenv("PAYPAL_CLIENT_ID"),
			Secret:     secret,
			FetchEvent: true,
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("POST /hooks/paypal", middleware.Protect(v)(http.NotFoundHandler()))
}

// A unit test of a handler behind its guard needs neither PayPal nor a network.
func Example_test() {
	pp := paypaltest.New("8PT597110X687430L")
	v, err := paypal.New("8PT597110X687430L", &paypal.Options{Transport: pp, Roots: pp.Roots()})
	if err != nil {
		log.Fatal(err)
	}
	handler := middleware.Protect(v)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d, _ := verify.FromContext(r.Context())
		fmt.Println("handled", d.ID)
	}))

	genuine := pp.NewRequest("https://shop.example/hooks/paypal", time.Now(), []byte(`{"id":"WH-58D329510W468432D-8HN650336L201105X"}`))
	forged := pp.NewRequest("https://shop.example/hooks/paypal", time.Now(), []byte(`{"id":"WH-1"}`))
	forged.Header.Set("Paypal-Transmission-Id", genuine.Header.Get("Paypal-Transmission-Id"))
	for _, r := range []*http.Request{genuine, forged} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		fmt.Println(w.Code)
	}
	// Output:
	// handled WH-58D329510W468432D-8HN650336L201105X
	// 200
	// 401
}
