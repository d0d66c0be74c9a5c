package migration

import (
	"context"
	"io"
	"net/http"
	"os"

	"github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/webhook"
)

// stripeBefore is the endpoint with stripe-go, as Stripe's documentation has it.
func stripeBefore(mux *http.ServeMux, handle func(context.Context, stripe.Event) error) {
	mux.HandleFunc("POST /hooks/stripe", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 65536))
		if err != nil {
			http.Error(w, "cannot read the body", http.StatusServiceUnavailable)
			return
		}
		event, err := webhook.ConstructEvent(body, r.Header.Get("Stripe-Signature"), os.Getenv("STRIPE_WEBHOOK_SECRET"))
		if err != nil {
			http.Error(w, "bad signature", http.StatusBadRequest)
			return
		}
		if err := handle(r.Context(), event); err != nil {
			http.Error(w, "try again later", http.StatusInternalServerError)
		}
	})
}
