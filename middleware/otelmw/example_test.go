package otelmw_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/otelmw"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify/replay"
)

// A guard with metrics, spans and a log of its own. Once the program has set OpenTelemetry's
// global MeterProvider, they are exported.
func Example() {
	const secret = "whsec_e1d5a0b97c3f4286" // in a program it comes from the environment
	store := replay.NewMemory(nil)
	telemetry, err := otelmw.New(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := telemetry.Register("main", store); err != nil {
		fmt.Println(err)
		return
	}
	guard, err := middleware.New("billing", stripe.Must(secret), store, &middleware.Options{
		Observe: func(ctx context.Context, r middleware.Report) {
			telemetry.Observe(ctx, r)
			fmt.Println(r.Endpoint, r.Outcome)
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	handler := guard.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {}))

	for _, with := range []string{secret, "whsec_another"} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, stripetest.NewRequest("https://shop.example/hooks/stripe", time.Now(), []byte(`{"id":"evt_1"}`), with))
		fmt.Println(w.Code)
	}

	// Output:
	// billing handled
	// 200
	// billing refused
	// 401
}
