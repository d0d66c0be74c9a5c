package migration

import (
	"context"
	"net/http"
	"os"

	"github.com/google/go-github/v60/github"
)

// githubBefore is the endpoint with go-github.
func githubBefore(mux *http.ServeMux, handle func(context.Context, any) error) {
	mux.HandleFunc("POST /hooks/github", func(w http.ResponseWriter, r *http.Request) {
		payload, err := github.ValidatePayload(r, []byte(os.Getenv("GITHUB_WEBHOOK_SECRET")))
		if err != nil {
			http.Error(w, "bad signature", http.StatusBadRequest)
			return
		}
		event, err := github.ParseWebHook(github.WebHookType(r), payload)
		if err != nil {
			http.Error(w, "not an event", http.StatusBadRequest)
			return
		}
		if err := handle(r.Context(), event); err != nil {
			http.Error(w, "try again later", http.StatusInternalServerError)
		}
	})
}
