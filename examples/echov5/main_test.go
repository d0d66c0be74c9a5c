package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/labstack/echo/v5"

	"github.com/hooknotary/hooknotary/providers/github"
	"github.com/hooknotary/hooknotary/providers/github/githubtest"
)

const (
	secret = "for the tests only"
	url    = "https://ci.example/hooks/github"
	pushed = `{"ref":"refs/heads/main","after":"8d9b2f1"}`
)

func TestPromises(t *testing.T) {
	var out strings.Builder
	if err := promises(&out); err != nil {
		t.Errorf("%v\n%s", err, out.String())
	}
}

func TestHandledOnce(t *testing.T) {
	var commits []string
	h := routes(github.Must(secret), &builds{start: func(_ context.Context, ref, commit string) error {
		commits = append(commits, ref+"@"+commit)
		return nil
	}})
	forged := githubtest.NewRequest(url, "push", []byte(pushed), "secret of somebody else")
	genuine := githubtest.NewRequest(url, "push", []byte(pushed), secret)
	replayed := githubtest.NewRequest(url, "push", []byte(pushed), secret) // under a new delivery id

	if got := serve(h, forged); got != http.StatusUnauthorized || len(commits) != 0 {
		t.Errorf("forged: %d, built %v", got, commits)
	}
	want := []string{"refs/heads/main@8d9b2f1"}
	if got := serve(h, genuine); got != http.StatusNoContent || !slices.Equal(commits, want) {
		t.Errorf("genuine: %d, built %v", got, commits)
	}
	if got := serve(h, replayed); got != http.StatusConflict || !slices.Equal(commits, want) {
		t.Errorf("replayed: %d, built %v", got, commits)
	}
}

func TestRetryAfterFailure(t *testing.T) {
	calls := 0
	h := routes(github.Must(secret), &builds{start: func(context.Context, string, string) error {
		if calls++; calls == 1 {
			return errors.New("no runner")
		}
		return nil
	}})
	for i, want := range []int{http.StatusInternalServerError, http.StatusNoContent, http.StatusConflict} {
		if got := serve(h, githubtest.NewRequest(url, "push", []byte(pushed), secret)); got != want {
			t.Errorf("delivery %d: %d, want %d", i+1, got, want)
		}
	}
	if calls != 2 {
		t.Errorf("%d calls, want 2", calls)
	}
}

func TestAnswers(t *testing.T) {
	h := routes(github.Must(secret), &builds{start: func(context.Context, string, string) error {
		t.Error("a build was started")
		return nil
	}})
	for body, want := range map[string]int{
		`{"zen":"Keep it logically awesome.","hook_id":1}`: http.StatusNoContent, // a ping
		`[]`: http.StatusBadRequest,
	} {
		if got := serve(h, githubtest.NewRequest(url, "push", []byte(body), secret)); got != want {
			t.Errorf("%s: %d, want %d", body, got, want)
		}
	}
}

func TestNotVerified(t *testing.T) {
	e := echo.New()
	e.POST("/hooks/github", (&builds{start: logBuild}).push)
	if got := serve(e, githubtest.NewRequest(url, "push", []byte(pushed), secret)); got != http.StatusInternalServerError {
		t.Errorf("without a guard: %d, want 500", got)
	}
}

func TestRun(t *testing.T) {
	for _, bad := range []string{"", "too short", "ghp_0123456789abcdef0123456789abcdef0123"} {
		err := run(t.Context(), "localhost:0", bad)
		if err == nil || !strings.Contains(err.Error(), "GITHUB_WEBHOOK_SECRET") {
			t.Errorf("with %q: %v", bad, err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := run(ctx, "localhost:0", secret); err != nil {
		t.Errorf("shutdown: %v", err)
	}
}

// serve returns the status of the response.
func serve(h http.Handler, r *http.Request) int {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}
