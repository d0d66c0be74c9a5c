package githubevent_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/echomw"
	"github.com/hooknotary/hooknotary/providers/github"
	"github.com/hooknotary/hooknotary/providers/github/githubevent"
	"github.com/hooknotary/hooknotary/providers/github/githubtest"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

const hookURL = "https://ci.example/hooks/github"

// calls notes what a handler gets, and fails while err is set.
type calls struct {
	types []string
	err   error
}

func (c *calls) handle(_ context.Context, event any) error {
	c.types = append(c.types, fmt.Sprintf("%T", event))
	return c.err
}

// inEcho returns an Echo with one route.
func inEcho(h echo.HandlerFunc, m ...echo.MiddlewareFunc) http.Handler {
	e := echo.New()
	e.Logger.SetOutput(io.Discard)
	e.POST("/hooks/github", h, m...)
	return e
}

// sites are the ways to put a handler behind a guard.
var sites = map[string]func(*middleware.Guard, *calls) http.Handler{
	"net/http": func(g *middleware.Guard, c *calls) http.Handler {
		return g.Handler(githubevent.Handler(c.handle))
	},
	"echo": func(g *middleware.Guard, c *calls) http.Handler {
		return inEcho(githubevent.EchoHandler[echo.Context](c.handle), echomw.New(g))
	},
	"echo, with the guard of net/http, which sees no errors": func(g *middleware.Guard, c *calls) http.Handler {
		return inEcho(githubevent.EchoHandler[echo.Context](c.handle), echo.WrapMiddleware(g.Handler))
	},
}

// eachSite runs f with a fresh guard in each of the sites. send returns the status
// and the response.
func eachSite(t *testing.T, f func(t *testing.T, c *calls, send func(name string, body []byte, secret string) (int, string))) {
	for name, site := range sites {
		t.Run(name, func(t *testing.T) {
			guard, err := middleware.New("test", github.Must(secret), replay.NewMemory(nil), nil)
			if err != nil {
				t.Fatal(err)
			}
			c := &calls{}
			h := site(guard, c)
			f(t, c, func(name string, body []byte, secret string) (int, string) {
				w := httptest.NewRecorder()
				h.ServeHTTP(w, githubtest.NewRequest(hookURL, name, body, secret))
				return w.Code, w.Body.String()
			})
		})
	}
}

func TestHandler(t *testing.T) {
	t.Run("an error releases the delivery", func(t *testing.T) {
		body := sample(samples["push"][0])
		eachSite(t, func(t *testing.T, c *calls, send func(string, []byte, string) (int, string)) {
			if status, _ := send("push", body, "another secret than that"); status != 401 || len(c.types) != 0 {
				t.Errorf("forged: status %d, handled %q", status, c.types)
			}
			c.err = errors.New("the runner at ci7.internal is away")
			if status, response := send("push", body, secret); status != 500 || len(c.types) != 1 || strings.Contains(response, "runner") {
				t.Errorf("failed: status %d, handled %q, response %q", status, c.types, response)
			}
			c.err = nil
			if status, _ := send("push", body, secret); status != 204 || len(c.types) != 2 || c.types[1] != "*github.PushEvent" {
				t.Errorf("tried again: status %d, handled %q", status, c.types)
			}
			if status, _ := send("push", body, secret); status != 409 || len(c.types) != 2 {
				t.Errorf("replayed: status %d, handled %q", status, c.types)
			}
		})
	})

	// Whoever comes first with a genuine body
	// under another name neither has it handled as another event nor keeps the genuine
	// delivery from being handled.
	t.Run("a false name does not use up the delivery", func(t *testing.T) {
		body := sample(`{"action":"deleted","starred_at":null,R,S}`)
		eachSite(t, func(t *testing.T, c *calls, send func(string, []byte, string) (int, string)) {
			for _, name := range []string{"repository", "sponsorship", "pull_request_target", ""} {
				if status, _ := send(name, body, secret); status != 500 || len(c.types) != 0 {
					t.Errorf("named %q: status %d, handled %q", name, status, c.types)
				}
			}
			if status, _ := send("star", body, secret); status != 204 || len(c.types) != 1 || c.types[0] != "*github.StarEvent" {
				t.Errorf("under its own name: status %d, handled %q", status, c.types)
			}
		})
	})

	t.Run("without a delivery nothing is parsed", func(t *testing.T) {
		for name, h := range map[string]func(*calls) http.Handler{
			"net/http": func(c *calls) http.Handler { return githubevent.Handler(c.handle) },
			"echo":     func(c *calls) http.Handler { return inEcho(githubevent.EchoHandler[echo.Context](c.handle)) },
		} {
			t.Run(name, func(t *testing.T) {
				c, body := &calls{}, sample(samples["push"][0])
				r := githubtest.NewRequest(hookURL, "push", body, secret)
				w := httptest.NewRecorder()
				h(c).ServeHTTP(w, r)
				if w.Code != 500 || len(c.types) != 0 {
					t.Errorf("without a guard: status %d, handled %q", w.Code, c.types)
				}
				r = r.WithContext(verify.NewContext(r.Context(), delivery("push", body)))
				w = httptest.NewRecorder()
				h(c).ServeHTTP(w, r)
				if w.Code != 204 || len(c.types) != 1 {
					t.Errorf("verified: status %d, handled %q", w.Code, c.types)
				}
			})
		}
	})

	t.Run("a handler needs a function", func(t *testing.T) {
		for name, f := range map[string]func(){
			"Handler":     func() { githubevent.Handler(nil) },
			"EchoHandler": func() { githubevent.EchoHandler[echo.Context](nil) },
		} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("%s(nil) does not panic", name)
					}
				}()
				f()
			}()
		}
	})
}
