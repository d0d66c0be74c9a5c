package migration

import (
	"context"
	"net/http"
	"os"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/providers/github"
	"github.com/hooknotary/hooknotary/providers/github/githubevent"
	"github.com/hooknotary/hooknotary/verify"
)

// githubAfter is the endpoint behind a guard.
func githubAfter(mux *http.ServeMux, handle func(context.Context, any) error) {
	protect := middleware.Protect(github.Must(os.Getenv("GITHUB_WEBHOOK_SECRET")))
	mux.Handle("POST /hooks/github", protect(githubevent.Handler(handle)))
}

// githubFormAfter is the endpoint of a hook that sends forms.
func githubFormAfter(mux *http.ServeMux, handle func(context.Context, any) error) error {
	v, err := github.New(verify.Secrets(os.Getenv("GITHUB_WEBHOOK_SECRET")), &github.Options{Form: true})
	if err != nil {
		return err
	}
	mux.Handle("POST /hooks/github", middleware.Protect(v)(githubevent.Handler(handle)))
	return nil
}
