package echomw_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/echomw"
	"github.com/hooknotary/hooknotary/middleware/middlewaretest"
)

func TestExercise(t *testing.T) {
	middlewaretest.Exercise(t, middlewaretest.Adapter{
		Mount: func(links []middlewaretest.Link, handle func(middlewaretest.Exchange) error) http.Handler {
			e := quiet()
			e.Any(middlewaretest.Path, func(c echo.Context) error { return handle(&exchange{c, nil}) }, chain(links)...)
			return e
		},
		ErrorStatus: http.StatusInternalServerError,
		ErrorBody:   `{"message":"Internal Server Error"}` + "\n",
		Recycle:     func(e middlewaretest.Exchange, r *http.Request, w http.ResponseWriter) { e.(*exchange).c.Reset(r, w) },
		Redispatch:  dispatches,
		Cannot: map[string]string{
			"a late failure": "echo drops a status that comes after another one",
			"what a middleware outside sees/of a request that the handler replaced": "a request that does not carry the admission is left where it is: the context could be another request's",
		},
	})
}

func quiet() *echo.Echo {
	e := echo.New()
	e.Logger.SetOutput(io.Discard)
	return e
}

// chain makes echo's middlewares of links.
func chain(links []middlewaretest.Link) (m []echo.MiddlewareFunc) {
	for _, link := range links {
		if link.Guard != nil {
			m = append(m, echomw.New(link.Guard))
			continue
		}
		m = append(m, func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c echo.Context) error { return link.Run(&exchange{c, next}) }
		})
	}
	return m
}

// exchange is a context of echo.
type exchange struct {
	c    echo.Context
	next echo.HandlerFunc
}

func (e *exchange) Request() *http.Request      { return e.c.Request() }
func (e *exchange) SetRequest(r *http.Request)  { e.c.SetRequest(r) }
func (e *exchange) Writer() http.ResponseWriter { return e.c.Response() }
func (e *exchange) Next() error                 { return e.next(e.c) }
func (e *exchange) Wrap(f func(http.ResponseWriter) http.ResponseWriter) {
	e.c.Response().Writer = f(e.c.Response().Writer)
}

// dispatches are the ways in which echo runs a route again.
var dispatches = []middlewaretest.Dispatch{
	dispatch("the router from another route", "/old", "", func(e *echo.Echo, m echo.MiddlewareFunc, h echo.HandlerFunc) {
		e.POST("/old", find(e))
		e.POST(hookPath, h, m)
	}),
	dispatch("the router from another route, to a group", "/old", "", func(e *echo.Echo, m echo.MiddlewareFunc, h echo.HandlerFunc) {
		e.POST("/old", find(e))
		e.Group("", m).POST(hookPath, h)
	}),
	dispatch("the router from another route, with the guard in Use", "/old", "inside the guard, the router does not take the context",
		func(e *echo.Echo, m echo.MiddlewareFunc, h echo.HandlerFunc) {
			e.Use(m)
			e.POST("/old", find(e))
			e.POST(hookPath, h)
		}),
	dispatch("the router where no route is found", "/old", "", func(e *echo.Echo, m echo.MiddlewareFunc, h echo.HandlerFunc) {
		e.RouteNotFound("/*", find(e))
		e.POST(hookPath, h, m)
	}),
	dispatch("the router after the refusal", "", "", func(e *echo.Echo, m echo.MiddlewareFunc, h echo.HandlerFunc) {
		e.Use(once(find(e)))
		e.POST(hookPath, h, m)
	}),
	dispatch("next once more", "", "", func(e *echo.Echo, m echo.MiddlewareFunc, h echo.HandlerFunc) {
		e.POST(hookPath, h, func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c echo.Context) error { next(c); return next(c) }
		}, m)
	}),
	dispatch("the route's handler after the refusal", "", "", func(e *echo.Echo, m echo.MiddlewareFunc, h echo.HandlerFunc) {
		e.Use(once(func(c echo.Context) error { return c.Handler()(c) }))
		e.POST(hookPath, h, m)
	}),
	dispatch("the whole Echo after the refusal", "", "", func(e *echo.Echo, m echo.MiddlewareFunc, h echo.HandlerFunc) {
		e.Use(once(func(c echo.Context) error { e.ServeHTTP(c.Response(), c.Request()); return nil }))
		e.POST(hookPath, h, m)
	}),
	dispatch("a context that was reset after the refusal", "", "", func(e *echo.Echo, m echo.MiddlewareFunc, h echo.HandlerFunc) {
		e.Use(once(func(c echo.Context) error {
			h := c.Handler()
			c.Reset(c.Request(), c.Response().Writer)
			c.SetHandler(h)
			return c.Handler()(c)
		}))
		e.POST(hookPath, h, m)
	}),
}

func dispatch(name, path, noTwin string, wire func(*echo.Echo, echo.MiddlewareFunc, echo.HandlerFunc)) middlewaretest.Dispatch {
	return middlewaretest.Dispatch{Name: name, Path: path, NoTwin: noTwin, Mount: func(g *middleware.Guard, handle func(middlewaretest.Exchange) error) http.Handler {
		e := quiet()
		wire(e, echomw.New(g), func(c echo.Context) error { return handle(&exchange{c, nil}) })
		return e
	}}
}

// find asks the router for the handler of the hook, and runs it.
func find(e *echo.Echo) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.Request().URL.Path = hookPath
		e.Router().Find(http.MethodPost, hookPath, c)
		return c.Handler()(c)
	}
}

// once is a middleware that runs f after the first way through it.
func once(f echo.HandlerFunc) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if c.Request().Header.Get("X-Again") != "" {
				return next(c)
			}
			c.Request().Header.Set("X-Again", "1")
			if err := next(c); err != nil {
				return err
			}
			return f(c)
		}
	}
}
