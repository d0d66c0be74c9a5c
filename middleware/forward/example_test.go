package forward_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/forward"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify/replay"
)

// A receiver that knows nothing of signatures gets what was verified, once.
func Example() {
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Printf("%s %s: %s\n", r.Method, r.URL.Path, body)
		fmt.Println("route", r.Header.Get("Hooknotary-Route"), "event", r.Header.Get("Hooknotary-Event-Id"))
	}))
	defer receiver.Close()

	// In a program the secret comes from its environment.
	const secret = "whsec_e1d5a0b97c3f4286"
	guard, err := middleware.New("billing", stripe.Must(secret), replay.NewMemory(nil), nil)
	if err != nil {
		panic(err)
	}
	handler, err := forward.New(guard, receiver.URL+"/webhook/stripe", nil)
	if err != nil {
		panic(err)
	}
	defer handler.Close()
	mux := http.NewServeMux()
	mux.Handle("POST /hooks/stripe", handler)

	deliver := func(at time.Time, secret string) {
		body := []byte(`{"id":"evt_1","object":"event"}`)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, stripetest.NewRequest("https://shop.example/hooks/stripe", at, body, secret))
		fmt.Println(w.Code)
	}
	now := time.Now()
	deliver(now, "whsec_ffffffffffffffff") // a forgery
	deliver(now, secret)                   // the first attempt
	deliver(now.Add(time.Second), secret)  // a retry

	// Output:
	// 401
	// POST /webhook/stripe: {"id":"evt_1","object":"event"}
	// route billing event evt_1
	// 200
	// 200
}

// The tenant in the path of the route is the one in the upstream's path.
func ExampleNew_wildcard() {
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.URL.Path, r.Header.Get("X-Receiver-Token"))
	}))
	defer receiver.Close()

	const secret = "whsec_e1d5a0b97c3f4286"
	guard, err := middleware.New("tenants", stripe.Must(secret), replay.NewMemory(nil), nil)
	if err != nil {
		panic(err)
	}
	handler, err := forward.New(guard, receiver.URL+"/{tenant}/in", &forward.Options{
		Header:     http.Header{"X-Receiver-Token": {"the receiver's own"}},
		AnswerBody: true,
	})
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	mux.Handle("POST /hooks/{tenant}", handler)

	w := httptest.NewRecorder()
	mux.ServeHTTP(w, stripetest.NewRequest("https://shop.example/hooks/acme", time.Now(), []byte(`{"id":"evt_1","object":"event"}`), secret))
	fmt.Println(w.Code)

	// Output:
	// /acme/in the receiver's own
	// 200
}
