package migration

import (
	"context"
	"io"
	"net/http"
	"os"

	svix "github.com/svix/svix-webhooks/go"
)

// svixBefore is the endpoint with the library of Svix.
func svixBefore(mux *http.ServeMux, handle func(context.Context, []byte) error) error {
	wh, err := svix.NewWebhook(os.Getenv("WEBHOOK_SECRET"))
	if err != nil {
		return err
	}
	mux.HandleFunc("POST /hooks/users", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, "cannot read the body", http.StatusBadRequest)
			return
		}
		if err := wh.Verify(body, r.Header); err != nil {
			http.Error(w, "bad signature", http.StatusBadRequest)
			return
		}
		if err := handle(r.Context(), body); err != nil {
			http.Error(w, "try again later", http.StatusInternalServerError)
		}
	})
	return nil
}
