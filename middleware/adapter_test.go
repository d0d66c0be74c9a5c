package middleware_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/middlewaretest"
)

// TestExercise: Guard.Handler is the adapter of net/http.
func TestExercise(t *testing.T) {
	const (
		noErrors  = "a handler of net/http returns no error"
		noRecycle = "net/http makes a new request and a new ResponseWriter each time"
	)
	middlewaretest.Exercise(t, middlewaretest.Adapter{
		Mount: func(links []middlewaretest.Link, handle func(middlewaretest.Exchange) error) http.Handler {
			var h http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				handle(&exchange{w: w, r: r})
			})
			for _, link := range slices.Backward(links) {
				if link.Guard != nil {
					h = link.Guard.Handler(h)
					continue
				}
				next := h
				h = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { link.Run(&exchange{w, r, next}) })
			}
			mux := http.NewServeMux()
			mux.Handle(middlewaretest.Path, h)
			return mux
		},
		Redispatch: []middlewaretest.Dispatch{
			{Name: "the mux from another pattern", Path: "/old", Mount: func(g *middleware.Guard, handle func(middlewaretest.Exchange) error) http.Handler {
				mux := guardedMux(g, handle)
				mux.HandleFunc("/old", func(w http.ResponseWriter, r *http.Request) {
					r.URL.Path = middlewaretest.Path
					mux.ServeHTTP(w, r)
				})
				return mux
			}},
			{Name: "the mux twice", Mount: func(g *middleware.Guard, handle func(middlewaretest.Exchange) error) http.Handler {
				mux := guardedMux(g, handle)
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					mux.ServeHTTP(w, r)
					mux.ServeHTTP(w, r)
				})
			}},
		},
		Cannot: map[string]string{
			"an error":           noErrors,
			"a recycled context": noRecycle,
			"a panic that is recovered outside with a success": "what is outside has the ResponseWriter of the server itself; the package comment says what a recoverer must do",
		},
	})
}

func guardedMux(g *middleware.Guard, handle func(middlewaretest.Exchange) error) *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle(middlewaretest.Path, g.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handle(&exchange{w: w, r: r})
	})))
	return mux
}

// exchange is an exchange of net/http.
type exchange struct {
	w    http.ResponseWriter
	r    *http.Request
	next http.Handler
}

func (e *exchange) Request() *http.Request                               { return e.r }
func (e *exchange) SetRequest(r *http.Request)                           { e.r = r }
func (e *exchange) Writer() http.ResponseWriter                          { return e.w }
func (e *exchange) Wrap(f func(http.ResponseWriter) http.ResponseWriter) { e.w = f(e.w) }
func (e *exchange) Next() error                                          { e.next.ServeHTTP(e.w, e.r); return nil }
