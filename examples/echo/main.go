// Echo receives webhooks of GitHub with echo v4.
//
//	go run ./examples/echo
//
// sends genuine, forged and replayed deliveries to itself, and one whose handler
// fails, and prints what came of them. It exits with 1 if that is not what is
// promised.
//
//	GITHUB_WEBHOOK_SECRET=… go run ./examples/echo -serve
//
// receives webhooks. The secret is of your making, at least 16 bytes
// ("openssl rand -hex 32"), and the same in the settings of the hook; its content
// type is application/json. In another shell, the GitHub CLI delivers to it:
//
//	gh webhook forward --repo=OWNER/REPO --events=push --secret=… --url=http://localhost:8080/hooks/github
//
// What to copy is in this file; package show sends the deliveries and runs the server.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/hooknotary/hooknotary/examples/show"
	"github.com/hooknotary/hooknotary/middleware/echomw"
	"github.com/hooknotary/hooknotary/providers/github"
	"github.com/hooknotary/hooknotary/verify"
)

func main() {
	show.Main("GITHUB_WEBHOOK_SECRET", promises, run)
}

func run(ctx context.Context, addr, secret string) error {
	// A program that cannot verify must not start.
	v, err := github.New(verify.Secrets(secret), nil)
	if err != nil {
		return fmt.Errorf("GITHUB_WEBHOOK_SECRET must be the secret of the hook: %w", err)
	}

	return show.Serve(ctx, &http.Server{
		Addr:    addr,
		Handler: routes(v, &builds{start: logBuild}),
		// The guard bounds the time that a body takes if these are set, and the
		// server bounds everything before it. A push can be large.
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		// Longer than the handler ever takes, or the response is lost.
		WriteTimeout: 45 * time.Second,
		IdleTimeout:  time.Minute,
	}, "/hooks/github")
}

// promises shows what is promised of the endpoint.
func promises(out io.Writer) error {
	return show.GitHub(out, func(v verify.Verifier, start func(context.Context, string, string) error) http.Handler {
		return routes(v, &builds{start: start})
	})
}

func routes(v verify.Verifier, b *builds) http.Handler {
	e := echo.New()
	e.POST("/hooks/github", b.push, echomw.Protect(v))
	return e
}

// builds starts a build for each push.
type builds struct {
	start func(ctx context.Context, ref, commit string) error
}

// push runs only for deliveries that GitHub signed, and for each of them until it
// succeeds once.
func (b *builds) push(c echo.Context) error {
	// The verified delivery. Without a guard in front there is nothing, and the handler
	// must not go on.
	ctx := c.Request().Context()
	d, ok := verify.FromContext(ctx)
	if !ok {
		return echo.NewHTTPError(http.StatusInternalServerError, "not verified")
	}

	// Decode the bytes that were verified. c.Bind works as well.
	var event struct {
		Ref   string `json:"ref"`
		After string `json:"after"`
	}
	if err := json.Unmarshal(d.Body, &event); err != nil {
		return echo.NewHTTPError(http.StatusBadRequest, "not an event")
	}

	// Take effect, quickly: GitHub waits for 10 seconds. What takes longer goes
	// into a queue of your own, in here.
	//
	// The event's type (d.Unsigned.Type) is not signed, so the body decides: what
	// has no commit, such as the ping of a new hook, is no push.
	if event.Ref != "" && event.After != "" {
		if err := b.start(ctx, event.Ref, event.After); err != nil {
			// Not a 2xx: the push is not done, and a redelivery runs. GitHub
			// does not redeliver by itself, so tell somebody.
			log.Printf("delivery %s: %v", d.Unsigned.ID, err)
			return echo.NewHTTPError(http.StatusInternalServerError, "try again later")
		}
	}

	// Then respond with 2xx. The event is committed before the response leaves.
	return c.NoContent(http.StatusNoContent)
}

// logBuild stands for the effect.
func logBuild(_ context.Context, ref, commit string) error {
	log.Printf("build of %s at %s", ref, commit)
	return nil
}
