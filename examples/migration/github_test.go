package migration

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"hash"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	gogithub "github.com/google/go-github/v60/github"

	"github.com/hooknotary/hooknotary/providers/github/githubtest"
)

const (
	fromGitHub     = "From go-github: `github.ValidatePayload`"
	fromPlayground = "From go-playground/webhooks"
	githubSecret   = "of the hook, for tests only"
	githubIssue    = `{"action":"opened","issue":{"number":1,"title":"It does not work"}}`
)

// signGitHub signs as GitHub does.
func signGitHub(secret, body string) func(time.Time) *http.Request {
	return func(time.Time) *http.Request {
		return post("/hooks/github", githubtest.Header("issues", []byte(body), secret), []byte(body))
	}
}

// signForm signs as GitHub does for a hook that sends forms.
func signForm(time.Time) *http.Request {
	body := "payload=" + url.QueryEscape(githubIssue)
	r := signGitHub(githubSecret, body)(time.Time{})
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

// mac is a signature under another hash.
func mac(h func() hash.Hash, body string) string {
	m := hmac.New(h, []byte(githubSecret))
	m.Write([]byte(body))
	return hex.EncodeToString(m.Sum(nil))
}

// disguised is a JSON body, signed by GitHub, whose author wrote a form into a
// title, and which somebody sends again as a form.
func disguised(time.Time) *http.Request {
	forged := `{"action":"forged"}`
	body := fmt.Sprintf(`{"action":"opened","issue":{"number":1,"title":"&payload=%s&"}}`, url.QueryEscape(forged))
	r := signGitHub(githubSecret, body)(time.Time{})
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

// githubRows returns the rows that both libraries have, and theirs in their midst.
func githubRows(theirs ...row) []row {
	sign := signGitHub(githubSecret, githubIssue)
	unsigned := func(h http.Header) { h.Del("X-Hub-Signature-256"); h.Del("X-Hub-Signature") }
	return slices.Concat([]row{
		{name: "genuine", requests: one(sign)},
		{name: "forged", requests: one(signGitHub("of somebody else, for tests", githubIssue))},
		{name: "unsigned, where the variable for the secret is not set", secret: new(""), requests: one(edited(sign, unsigned))},
		{name: "genuine, under a secret of 8 bytes", secret: new("sesame42"), requests: one(signGitHub("sesame42", githubIssue))},
	}, theirs, []row{
		{name: "with a second `X-Hub-Signature-256`", requests: one(edited(sign, func(h http.Header) { h.Add("X-Hub-Signature-256", "sha256=00") }))},
		{name: "under the name of another event", requests: one(edited(sign, func(h http.Header) { h.Set("X-GitHub-Event", "push") }))},
		// githubtest makes a new delivery id for each.
		{name: "replayed, under a new `X-GitHub-Delivery`", requests: twice(sign)},
		{name: "redelivered because the handler failed", fails: 1, requests: twice(sign)},
	})
}

func githubLibrary() library {
	sign := signGitHub(githubSecret, githubIssue)
	large := strings.Replace(githubIssue, "It", strings.Repeat("It", 13<<20), 1)
	signed := func(value string) func(time.Time) *http.Request {
		return edited(sign, func(h http.Header) { h.Set("X-Hub-Signature-256", value) })
	}
	return library{
		name:     "go-github",
		heading:  fromGitHub,
		variable: "GITHUB_WEBHOOK_SECRET",
		secret:   githubSecret,
		before: func(mux *http.ServeMux, handle func() error) error {
			githubBefore(mux, func(context.Context, any) error { return handle() })
			return nil
		},
		after: func(mux *http.ServeMux, handle func() error) error {
			githubAfter(mux, func(context.Context, any) error { return handle() })
			return nil
		},
		rows: githubRows(
			row{name: "with the SHA-1 signature alone", requests: one(edited(sign, func(h http.Header) { h.Del("X-Hub-Signature-256") }))},
			row{name: "with `sha1=…` in `X-Hub-Signature-256`", requests: one(signed("sha1=" + mac(sha1.New, githubIssue)))},
			row{name: "with `sha512=…` in `X-Hub-Signature-256`", requests: one(signed("sha512=" + mac(sha512.New, githubIssue)))},
			row{name: "with the signature in upper case", requests: one(signed("sha256=" + strings.ToUpper(mac(sha256.New, githubIssue))))},
			row{name: "JSON that is sent again as a form", requests: one(disguised)},
			row{name: "a form, from a hook that sends forms", requests: one(signForm)},
			row{name: "with an event that go-github does not know", requests: one(edited(sign, func(h http.Header) { h.Set("X-GitHub-Event", "sub_issues") }))},
			row{name: "larger than 25 MiB", requests: one(signGitHub(githubSecret, large))},
		),
	}
}

func playgroundLibrary() library {
	sign := signGitHub(githubSecret, githubIssue)
	return library{
		name:     "go-playground",
		heading:  fromPlayground,
		variable: "GITHUB_WEBHOOK_SECRET",
		secret:   githubSecret,
		before: func(mux *http.ServeMux, handle func() error) error {
			return playgroundBefore(mux, func(context.Context, any) error { return handle() })
		},
		after: func(mux *http.ServeMux, handle func() error) error {
			playgroundAfter(mux, func(context.Context, any) error { return handle() })
			return nil
		},
		rows: githubRows(
			row{name: "without `sha256=` in `X-Hub-Signature-256`", requests: one(replaced(sign, "X-Hub-Signature-256", "sha256=", ""))},
			row{name: "as `text/plain`", requests: one(edited(sign, func(h http.Header) { h.Set("Content-Type", "text/plain") }))},
		),
	}
}

// action serves a request and returns the action of the issue that the handler saw.
func action(register func(*http.ServeMux, func(context.Context, any) error), r *http.Request) (saw string, status int) {
	mux := http.NewServeMux()
	register(mux, func(_ context.Context, event any) error {
		saw = event.(*gogithub.IssuesEvent).GetAction()
		return nil
	})
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	return saw, w.Code
}

func TestGitHub(t *testing.T) {
	t.Run("JSON sent as a form gives the handler a forged payload before", func(t *testing.T) {
		quiet(t)
		t.Setenv("GITHUB_WEBHOOK_SECRET", githubSecret)
		if saw, status := action(githubBefore, disguised(time.Now())); saw != "forged" {
			t.Errorf("before: %d, %q", status, saw)
		}
		if saw, status := action(githubAfter, disguised(time.Now())); saw != "" || status != http.StatusUnsupportedMediaType {
			t.Errorf("after: %d, %q", status, saw)
		}
	})

	t.Run("a hook may send forms", func(t *testing.T) {
		quiet(t)
		t.Setenv("GITHUB_WEBHOOK_SECRET", githubSecret)
		forms := func(mux *http.ServeMux, handle func(context.Context, any) error) {
			if err := githubFormAfter(mux, handle); err != nil {
				t.Fatal(err)
			}
		}
		for _, tt := range []struct {
			name     string
			register func(*http.ServeMux, func(context.Context, any) error)
			request  *http.Request
			saw      string
			status   int
		}{
			{"a form before", githubBefore, signForm(time.Now()), "opened", http.StatusOK},
			{"a form after", forms, signForm(time.Now()), "opened", http.StatusNoContent},
			{"JSON after", forms, signGitHub(githubSecret, githubIssue)(time.Now()), "", http.StatusUnsupportedMediaType},
			{"JSON as a form after", forms, disguised(time.Now()), "", http.StatusUnsupportedMediaType},
		} {
			if saw, status := action(tt.register, tt.request); saw != tt.saw || status != tt.status {
				t.Errorf("%s: %d, %q, want %d, %q", tt.name, status, saw, tt.status, tt.saw)
			}
		}
	})

	t.Run("a false name does not use up the delivery", func(t *testing.T) {
		quiet(t)
		t.Setenv("GITHUB_WEBHOOK_SECRET", githubSecret)
		mux := http.NewServeMux()
		githubAfter(mux, func(context.Context, any) error { return nil })
		for _, tt := range []struct {
			name   string
			status int
		}{
			{"push", http.StatusInternalServerError},
			{"sub_issues", http.StatusInternalServerError},
			{"issues", http.StatusNoContent},
			{"issues", http.StatusConflict},
		} {
			r := signGitHub(githubSecret, githubIssue)(time.Now())
			r.Header.Set("X-GitHub-Event", tt.name)
			w := httptest.NewRecorder()
			if mux.ServeHTTP(w, r); w.Code != tt.status {
				t.Errorf("%s: %d, want %d", tt.name, w.Code, tt.status)
			}
		}
	})

	t.Run("payloads of Playground are decoded", func(t *testing.T) {
		t.Setenv("GITHUB_WEBHOOK_SECRET", githubSecret)
		for name, register := range map[string]func(*http.ServeMux, func(context.Context, any) error) error{
			"before": playgroundBefore,
			"after": func(mux *http.ServeMux, handle func(context.Context, any) error) error {
				playgroundAfter(mux, handle)
				return nil
			},
		} {
			mux := http.NewServeMux()
			saw := ""
			if err := register(mux, func(_ context.Context, payload any) error { saw = fmt.Sprintf("%T %+v", payload, payload); return nil }); err != nil {
				t.Fatal(err)
			}
			w := httptest.NewRecorder()
			mux.ServeHTTP(w, signGitHub(githubSecret, githubIssue)(time.Now()))
			if w.Code != http.StatusOK || !strings.Contains(saw, "github.IssuesPayload") || !strings.Contains(saw, "It does not work") {
				t.Errorf("%s: %d, the handler saw %s", name, w.Code, saw)
			}
			// GitHub sends more events than the handler knows.
			other := signGitHub(githubSecret, `{"action":"started"}`)(time.Now())
			other.Header.Set("X-GitHub-Event", "watch")
			saw, w = "", httptest.NewRecorder()
			if mux.ServeHTTP(w, other); w.Code != http.StatusOK || saw != "" {
				t.Errorf("%s, another event: %d, the handler saw %s", name, w.Code, saw)
			}
		}
	})
}
