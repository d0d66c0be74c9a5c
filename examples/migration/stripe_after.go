package migration

import (
	"context"
	"net/http"
	"os"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripeevent"
)

// stripeAfter is the endpoint behind a guard.
func stripeAfter(mux *http.ServeMux, handle func(context.Context, stripeevent.Event) error) {
	protect := middleware.Protect(stripe.Must(os.Getenv("STRIPE_WEBHOOK_SECRET")))
	mux.Handle("POST /hooks/stripe", protect(stripeevent.Handler(handle)))
}
