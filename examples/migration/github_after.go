package migration

import (
	"context"
	"net/http"
	"net/url"
	"os"

	gogithub "github.com/google/go-github/v60/github"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/providers/github"
	"github.com/hooknotary/hooknotary/verify"
)

// githubAfter is the endpoint behind a guard.
func githubAfter(mux *http.ServeMux, handle func(context.Context, any) error) {
	protect := middleware.Protect(github.Must(os.Getenv("GITHUB_WEBHOOK_SECRET")))
	mux.Handle("POST /hooks/github", protect(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d, ok := verify.FromContext(r.Context())
		if !ok {
			http.Error(w, "not verified", http.StatusInternalServerError)
			return
		}
		event, err := gogithub.ParseWebHook(d.Unsigned.Type, d.Body)
		if err != nil {
			http.Error(w, "not an event", http.StatusBadRequest)
			return
		}
		if err := handle(r.Context(), event); err != nil {
			http.Error(w, "try again later", http.StatusInternalServerError)
		}
	})))
}

// githubFormAfter is the endpoint of a hook that sends forms.
func githubFormAfter(mux *http.ServeMux, handle func(context.Context, any) error) error {
	v, err := github.New(verify.Secrets(os.Getenv("GITHUB_WEBHOOK_SECRET")), &github.Options{Form: true})
	if err != nil {
		return err
	}
	mux.Handle("POST /hooks/github", middleware.Protect(v)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d, ok := verify.FromContext(r.Context())
		if !ok {
			http.Error(w, "not verified", http.StatusInternalServerError)
			return
		}
		form, err := url.ParseQuery(string(d.Body))
		if err != nil {
			http.Error(w, "not a form", http.StatusBadRequest)
			return
		}
		event, err := gogithub.ParseWebHook(d.Unsigned.Type, []byte(form.Get("payload")))
		if err != nil {
			http.Error(w, "not an event", http.StatusBadRequest)
			return
		}
		if err := handle(r.Context(), event); err != nil {
			http.Error(w, "try again later", http.StatusInternalServerError)
		}
	})))
	return nil
}
