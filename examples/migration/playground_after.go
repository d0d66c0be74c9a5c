package migration

import (
	"context"
	"encoding/json"
	"net/http"
	"os"

	payloads "github.com/go-playground/webhooks/v6/github"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/providers/github"
	"github.com/hooknotary/hooknotary/verify"
)

// playgroundAfter is the endpoint behind a guard. Of go-playground/webhooks it keeps
// the types.
func playgroundAfter(mux *http.ServeMux, handle func(context.Context, any) error) {
	protect := middleware.Protect(github.Must(os.Getenv("GITHUB_WEBHOOK_SECRET")))
	mux.Handle("POST /hooks/github", protect(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d, ok := verify.FromContext(r.Context())
		if !ok {
			http.Error(w, "not verified", http.StatusInternalServerError)
			return
		}
		var payload any
		switch payloads.Event(d.Unsigned.Type) {
		case payloads.PushEvent:
			payload = new(payloads.PushPayload)
		case payloads.IssuesEvent:
			payload = new(payloads.IssuesPayload)
		default:
			return // 200, or GitHub shows a failure
		}
		if err := json.Unmarshal(d.Body, payload); err != nil {
			http.Error(w, "not an event", http.StatusBadRequest)
			return
		}
		if err := handle(r.Context(), payload); err != nil {
			http.Error(w, "try again later", http.StatusInternalServerError)
		}
	})))
}
