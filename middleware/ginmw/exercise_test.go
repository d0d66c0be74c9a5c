package ginmw_test

import (
	"net/http"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/ginmw"
	"github.com/hooknotary/hooknotary/middleware/middlewaretest"
)

func TestExercise(t *testing.T) {
	middlewaretest.Exercise(t, middlewaretest.Adapter{
		Mount: func(links []middlewaretest.Link, handle func(middlewaretest.Exchange) error) http.Handler {
			e := gin.New()
			e.Any(middlewaretest.Path, append(chain(links), handler(handle))...)
			return e
		},
		ErrorStatus: http.StatusInternalServerError,
		Recycle: func(e middlewaretest.Exchange, r *http.Request, w http.ResponseWriter) {
			next, _ := gin.CreateTestContext(w)
			c := e.(*exchange).c
			c.Request, c.Writer, c.Keys = r, next.Writer, nil
		},
		Redispatch: dispatches,
		Cannot: map[string]string{
			"early hints before the guard/a success without a status": "gin keeps a status until the response is written, so what a middleware outside has set stands for the handler's",
		},
	})
}

func handler(handle func(middlewaretest.Exchange) error) gin.HandlerFunc {
	return func(c *gin.Context) {
		if err := handle(&exchange{c}); err != nil {
			c.Error(err)
		}
	}
}

// chain makes gin's middlewares of links.
func chain(links []middlewaretest.Link) (m []gin.HandlerFunc) {
	for _, link := range links {
		if link.Guard != nil {
			m = append(m, ginmw.New(link.Guard))
		} else {
			m = append(m, handler(link.Run))
		}
	}
	return m
}

// exchange is a context of gin.
type exchange struct{ c *gin.Context }

func (e *exchange) Request() *http.Request      { return e.c.Request }
func (e *exchange) SetRequest(r *http.Request)  { e.c.Request = r }
func (e *exchange) Writer() http.ResponseWriter { return e.c.Writer }
func (e *exchange) Next() error                 { e.c.Next(); return nil }
func (e *exchange) Wrap(f func(http.ResponseWriter) http.ResponseWriter) {
	e.c.Writer = &wrapped{e.c.Writer, f(e.c.Writer)}
}

// wrapped is a writer of gin that writes to another one.
type wrapped struct {
	gin.ResponseWriter
	outer http.ResponseWriter
}

func (w *wrapped) Header() http.Header               { return w.outer.Header() }
func (w *wrapped) WriteHeader(status int)            { w.outer.WriteHeader(status) }
func (w *wrapped) Write(b []byte) (int, error)       { return w.outer.Write(b) }
func (w *wrapped) WriteString(s string) (int, error) { return w.outer.Write([]byte(s)) }

// dispatches are the ways in which gin runs a route again.
var dispatches = []middlewaretest.Dispatch{
	dispatch("HandleContext from a route", "/old", func(e *gin.Engine, m, h gin.HandlerFunc) {
		e.POST("/old", anew(e, hookPath))
		e.POST(hookPath, m, h)
	}),
	dispatch("HandleContext in NoRoute", "/old", func(e *gin.Engine, m, h gin.HandlerFunc) {
		e.NoRoute(anew(e, hookPath))
		e.POST(hookPath, m, h)
	}),
	dispatch("HandleContext from a route with more handlers", "/old", func(e *gin.Engine, m, h gin.HandlerFunc) {
		e.POST("/old", anew(e, hookPath), func(*gin.Context) {}, func(*gin.Context) {}, func(*gin.Context) {})
		e.POST(hookPath, m, h)
	}),
	dispatch("HandleContext from a route to one with a guard of a group", "/old", func(e *gin.Engine, m, h gin.HandlerFunc) {
		e.POST("/old", anew(e, hookPath))
		e.Group("", m).POST(hookPath, h)
	}),
	dispatch("HandleContext twice", "/older", func(e *gin.Engine, m, h gin.HandlerFunc) {
		e.POST("/older", anew(e, "/old"))
		e.POST("/old", anew(e, hookPath))
		e.POST(hookPath, m, h)
	}),
	dispatch("HandleContext in a middleware of the route itself", "", func(e *gin.Engine, m, h gin.HandlerFunc) {
		e.POST(hookPath, once(func(c *gin.Context) { e.HandleContext(c) }), m, h)
	}),
	dispatch("HandleContext after the refusal", "", func(e *gin.Engine, m, h gin.HandlerFunc) {
		e.POST(hookPath, func(c *gin.Context) {
			c.Next()
			once(func(c *gin.Context) { e.HandleContext(c) })(c)
		}, m, h)
	}),
	dispatch("Next once more", "", func(e *gin.Engine, m, h gin.HandlerFunc) {
		e.POST(hookPath, func(c *gin.Context) { c.Next(); c.Next(); c.Next() }, m, h)
	}),
	dispatch("the engine once more", "", func(e *gin.Engine, m, h gin.HandlerFunc) {
		e.POST(hookPath, once(func(c *gin.Context) {
			c.Abort()
			e.ServeHTTP(c.Writer, c.Request)
			e.ServeHTTP(c.Writer, c.Request)
		}), m, h)
	}),
}

func dispatch(name, path string, wire func(e *gin.Engine, m, h gin.HandlerFunc)) middlewaretest.Dispatch {
	return middlewaretest.Dispatch{Name: name, Path: path, Mount: func(g *middleware.Guard, handle func(middlewaretest.Exchange) error) http.Handler {
		e := gin.New()
		wire(e, ginmw.New(g), handler(handle))
		return e
	}}
}

// anew handles the context anew, at another path.
func anew(e *gin.Engine, path string) gin.HandlerFunc {
	return func(c *gin.Context) {
		c.Request.URL.Path = path
		e.HandleContext(c)
	}
}

// once runs f the first time a request comes along.
func once(f gin.HandlerFunc) gin.HandlerFunc {
	return func(c *gin.Context) {
		if c.Request.Header.Get("X-Again") == "" {
			c.Request.Header.Set("X-Again", "1")
			f(c)
		}
	}
}
