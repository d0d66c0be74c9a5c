package githubevent_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/labstack/echo/v4"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/echomw"
	"github.com/hooknotary/hooknotary/providers/github"
	"github.com/hooknotary/hooknotary/providers/github/githubevent"
	"github.com/hooknotary/hooknotary/providers/github/githubtest"
	"github.com/hooknotary/hooknotary/verify"
)

// build is what a program does with an event.
func build(_ context.Context, event any) error {
	switch e := event.(type) {
	case *githubevent.PingEvent:
		fmt.Println("the hook works")
	case *githubevent.PushEvent:
		fmt.Println("build", e.GetRepo().GetFullName(), e.GetAfter())
	}
	return nil
}

var examplePush = []byte(`{"ref":"refs/heads/main","before":"1c0","after":"5f3","commits":[],` +
	`"pusher":{"name":"octocat"},"repository":{"full_name":"octocat/hello"}}`)

func post(h http.Handler, event string) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, githubtest.NewRequest("https://ci.example/hooks/github", event, examplePush, secret))
	fmt.Println(w.Code)
}

func ExampleHandler() {
	guard := middleware.Protect(github.Must(secret))
	mux := http.NewServeMux()
	mux.Handle("POST /hooks/github", guard(githubevent.Handler(build)))
	post(mux, "push")
	// Output:
	// build octocat/hello 5f3
	// 204
}

func ExampleEchoHandler() {
	e := echo.New()
	e.POST("/hooks/github", githubevent.EchoHandler[echo.Context](build), echomw.Protect(github.Must(secret)))
	post(e, "push")
	// Output:
	// build octocat/hello 5f3
	// 204
}

// Somebody gave a genuine body another name.
func ExampleParse() {
	d := &verify.Delivery{Provider: "github", Body: examplePush, Unsigned: verify.Unsigned{Type: "create"}}
	_, err := githubevent.Parse(d)
	fmt.Println(err, errors.Is(err, githubevent.ErrWrongEvent))
	// Output: githubevent: the body does not look like a "create" event: it has no member "master_branch" true
}
