package migration

import (
	"context"
	"encoding/json"
	"net/http"
	"os"

	stripego "github.com/stripe/stripe-go/v76"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/verify"
)

// stripeAfter is the endpoint behind a guard.
func stripeAfter(mux *http.ServeMux, handle func(context.Context, stripego.Event) error) {
	protect := middleware.Protect(stripe.Must(os.Getenv("STRIPE_WEBHOOK_SECRET")))
	mux.Handle("POST /hooks/stripe", protect(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d, ok := verify.FromContext(r.Context())
		if !ok {
			http.Error(w, "not verified", http.StatusInternalServerError)
			return
		}
		var event stripego.Event
		if err := json.Unmarshal(d.Body, &event); err != nil {
			http.Error(w, "not an event", http.StatusBadRequest)
			return
		}
		if err := handle(r.Context(), event); err != nil {
			http.Error(w, "try again later", http.StatusInternalServerError)
		}
	})))
}
