package stripeevent_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/echomw"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripeevent"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

// serve calls a handler as a guard would that has verified d, or as nobody should if d
// is nil.
func serve(h http.Handler, d *verify.Delivery) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/hooks/stripe", strings.NewReader(paid))
	if d != nil {
		r = r.WithContext(verify.NewContext(r.Context(), d))
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// calls counts what a handler gets, and fails while err is set.
type calls struct {
	ids []string
	err error
}

func (c *calls) event(_ context.Context, e stripeevent.Event) error {
	c.ids = append(c.ids, e.ID)
	return c.err
}

func (c *calls) thin(_ context.Context, e stripeevent.Thin) error {
	c.ids = append(c.ids, e.ID)
	return c.err
}

// inEcho returns an Echo with one route.
func inEcho(h echo.HandlerFunc, m ...echo.MiddlewareFunc) http.Handler {
	e := echo.New()
	e.Logger.SetOutput(io.Discard)
	e.POST("/hooks/stripe", h, m...)
	return e
}

// sites are the ways to put a handler behind a guard.
var sites = map[string]struct {
	body string
	site func(*middleware.Guard, *calls) http.Handler
}{
	"net/http": {paid, func(g *middleware.Guard, c *calls) http.Handler {
		return g.Handler(stripeevent.Handler(c.event))
	}},
	"net/http, thin": {meter, func(g *middleware.Guard, c *calls) http.Handler {
		return g.Handler(stripeevent.ThinHandler(c.thin))
	}},
	"echo": {paid, func(g *middleware.Guard, c *calls) http.Handler {
		return inEcho(stripeevent.EchoHandler[echo.Context](c.event), echomw.New(g))
	}},
	"echo, thin": {meter, func(g *middleware.Guard, c *calls) http.Handler {
		return inEcho(stripeevent.EchoThinHandler[echo.Context](c.thin), echomw.New(g))
	}},
	"echo, with the guard of net/http, which sees no errors": {paid, func(g *middleware.Guard, c *calls) http.Handler {
		return inEcho(stripeevent.EchoHandler[echo.Context](c.event), echo.WrapMiddleware(g.Handler))
	}},
}

func TestHandler(t *testing.T) {
	t.Run("an error releases the event", func(t *testing.T) {
		for name, tt := range sites {
			t.Run(name, func(t *testing.T) {
				guard, err := middleware.New("test", stripe.Must(secret), replay.NewMemory(nil), nil)
				if err != nil {
					t.Fatal(err)
				}
				c := &calls{err: errors.New("the database at db7.internal is away")}
				site := tt.site(guard, c)
				now := time.Now()
				send := func(secret string) *httptest.ResponseRecorder {
					w := httptest.NewRecorder()
					site.ServeHTTP(w, stripetest.NewRequest("https://shop.example/hooks/stripe", now, []byte(tt.body), secret))
					return w
				}
				if w := send("whsec_another_secret_than_the_one_here"); w.Code != 401 || len(c.ids) != 0 {
					t.Errorf("forged: status %d, handled %q", w.Code, c.ids)
				}
				if w := send(secret); w.Code != 500 || len(c.ids) != 1 || strings.Contains(w.Body.String(), "database") {
					t.Errorf("failed: status %d, handled %q, response %q", w.Code, c.ids, w.Body)
				}
				c.err = nil
				if w := send(secret); w.Code != 204 || len(c.ids) != 2 || w.Body.Len() != 0 {
					t.Errorf("tried again: status %d, handled %q, response %q", w.Code, c.ids, w.Body)
				}
				if w := send(secret); w.Code != 409 || len(c.ids) != 2 {
					t.Errorf("replayed: status %d, handled %q", w.Code, c.ids)
				}
			})
		}
	})

	t.Run("echo gets the error", func(t *testing.T) {
		away := errors.New("the database is away")
		for name, h := range map[string]echo.HandlerFunc{
			"an event":     stripeevent.EchoHandler[echo.Context](func(context.Context, stripeevent.Event) error { return away }),
			"a thin event": stripeevent.EchoThinHandler[echo.Context](func(context.Context, stripeevent.Thin) error { return away }),
		} {
			guard, err := middleware.New("test", stripe.Must(secret), replay.NewMemory(nil), nil)
			if err != nil {
				t.Fatal(err)
			}
			var got error
			e := echo.New()
			e.HTTPErrorHandler = func(err error, c echo.Context) {
				if got == nil && !c.Response().Committed {
					got = err
					c.String(http.StatusBadGateway, "later")
				}
			}
			e.POST("/hooks/stripe", h, echomw.New(guard))
			body := paid
			if name == "a thin event" {
				body = meter
			}
			w := httptest.NewRecorder()
			e.ServeHTTP(w, stripetest.NewRequest("https://shop.example/hooks/stripe", time.Now(), []byte(body), secret))
			if got != away || w.Code != http.StatusBadGateway || w.Body.String() != "later" {
				t.Errorf("%s: the error is %v, the response %d %q", name, got, w.Code, w.Body)
			}
		}
	})

	t.Run("without a delivery nothing is parsed", func(t *testing.T) {
		for name, h := range map[string]func(*calls) http.Handler{
			"net/http":       func(c *calls) http.Handler { return stripeevent.Handler(c.event) },
			"net/http, thin": func(c *calls) http.Handler { return stripeevent.ThinHandler(c.thin) },
			"echo":           func(c *calls) http.Handler { return inEcho(stripeevent.EchoHandler[echo.Context](c.event)) },
			"echo, thin":     func(c *calls) http.Handler { return inEcho(stripeevent.EchoThinHandler[echo.Context](c.thin)) },
		} {
			t.Run(name, func(t *testing.T) {
				body := paid
				if strings.HasSuffix(name, "thin") {
					body = meter
				}
				c := &calls{}
				if w := serve(h(c), nil); w.Code != 500 || len(c.ids) != 0 {
					t.Errorf("without a guard: status %d, handled %q", w.Code, c.ids)
				}
				if w := serve(h(c), verified(t, strings.Replace(body, "evt_", "ch_", 1))); w.Code != 500 || len(c.ids) != 0 {
					t.Errorf("not an event: status %d, handled %q", w.Code, c.ids)
				}
				if w := serve(h(c), verified(t, body)); w.Code != 204 || len(c.ids) != 1 {
					t.Errorf("verified: status %d, handled %q", w.Code, c.ids)
				}
			})
		}
	})

	t.Run("a guard that only reports makes no delivery", func(t *testing.T) {
		guard, err := middleware.New("test", stripe.Must(secret), replay.NewMemory(nil), &middleware.Options{InsecureReportOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		c := &calls{}
		h := guard.Handler(stripeevent.Handler(c.event))
		for secret, status := range map[string]int{"whsec_another_secret_than_the_one_here": 500, secret: 204} {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, stripetest.NewRequest("https://shop.example/", time.Now(), []byte(paid), secret))
			if w.Code != status {
				t.Errorf("status is %d, want %d", w.Code, status)
			}
		}
		if len(c.ids) != 1 {
			t.Errorf("handled %q", c.ids)
		}
	})

	t.Run("a handler needs a function", func(t *testing.T) {
		for name, f := range map[string]func(){
			"Handler":         func() { stripeevent.Handler(nil) },
			"ThinHandler":     func() { stripeevent.ThinHandler(nil) },
			"EchoHandler":     func() { stripeevent.EchoHandler[echo.Context](nil) },
			"EchoThinHandler": func() { stripeevent.EchoThinHandler[echo.Context](nil) },
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
