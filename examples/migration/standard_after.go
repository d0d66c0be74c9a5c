package migration

import (
	"context"
	"net/http"
	"os"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/providers/standardwebhooks"
	"github.com/hooknotary/hooknotary/verify"
)

// svixAfter is the endpoint behind a guard, for a sender that uses Svix.
func svixAfter(mux *http.ServeMux, handle func(context.Context, []byte) error) error {
	v, err := standardwebhooks.Svix.New(verify.Secrets(os.Getenv("WEBHOOK_SECRET")), nil)
	if err != nil {
		return err
	}
	mux.Handle("POST /hooks/users", middleware.Protect(v)(users(handle)))
	return nil
}

// standardAfter is the endpoint behind a guard, for a sender that follows the
// specification.
func standardAfter(mux *http.ServeMux, handle func(context.Context, []byte) error) error {
	v, err := standardwebhooks.New(verify.Secrets(os.Getenv("WEBHOOK_SECRET")), nil)
	if err != nil {
		return err
	}
	mux.Handle("POST /hooks/users", middleware.Protect(v)(users(handle)))
	return nil
}

// users handles what the guard let in.
func users(handle func(context.Context, []byte) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d, ok := verify.FromContext(r.Context())
		if !ok {
			http.Error(w, "not verified", http.StatusInternalServerError)
			return
		}
		if err := handle(r.Context(), d.Body); err != nil {
			http.Error(w, "try again later", http.StatusInternalServerError)
		}
	})
}
