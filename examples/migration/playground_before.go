package migration

import (
	"context"
	"errors"
	"net/http"
	"os"

	"github.com/go-playground/webhooks/v6/github"
)

// playgroundBefore is the endpoint with go-playground/webhooks.
func playgroundBefore(mux *http.ServeMux, handle func(context.Context, any) error) error {
	hook, err := github.New(github.Options.Secret(os.Getenv("GITHUB_WEBHOOK_SECRET")))
	if err != nil {
		return err
	}
	mux.HandleFunc("POST /hooks/github", func(w http.ResponseWriter, r *http.Request) {
		payload, err := hook.Parse(r, github.PushEvent, github.IssuesEvent)
		if errors.Is(err, github.ErrEventNotFound) {
			return
		}
		if err != nil {
			http.Error(w, "bad signature", http.StatusBadRequest)
			return
		}
		if err := handle(r.Context(), payload); err != nil {
			http.Error(w, "try again later", http.StatusInternalServerError)
		}
	})
	return nil
}
