// Package echomw is package middleware for echo v4.
//
//	e.POST("/hooks/github", handler, echomw.Protect(github.Must(secret)))
//
// Where the provider checks the endpoint by another method than POST, as Meta and Dropbox
// do, register the path for all methods, or echo answers in the guard's place:
//
//	e.Any("/hooks/meta", handler, echomw.Protect(v))
//
// A handler that returns an error has failed, whatever it wrote before: its
// response is discarded, the event released, and the error goes to echo's
// HTTPErrorHandler as if nothing had been written. No 2xx leaves for such an
// event; if the error handler makes one of it, 500 goes out in its place. The
// error is returned further, with the response committed, so that middlewares
// outside see it.
//
// It is an ordinary echo middleware, for a route, a group, Use or Pre; the same
// guard on a group and on its route counts once. In the handler,
// verify.FromContext(c.Request().Context()) is the verified delivery.
//
// # What must stand where
//
// Nothing may read or change the body before the guard. Decompress in front of it
// is noticed by the Content-Encoding that it leaves in the header, and every
// request gets 415; a c.Bind by the missing body, with 400. BodyDump puts the body
// back, so deliveries are accepted; but it reads each body to its end, without a limit
// and before anything is verified. A BodyLimit in front of it works if it is not below
// the provider's largest body; what it cuts off gets 413. MethodOverride in front of it
// can make a POST of what was none; nothing signs the method.
//
// Do not use echo's Timeout with a guard, on either side. It answers while the
// handler still runs: inside the guard the event is released and may run twice at
// once; outside, echo gives the context to another request while the handler still
// writes to it. Use ContextTimeout, Options.MaxRun, or http.TimeoutHandler around
// the whole Echo.
//
// Logger, Recover and other middlewares that pass an error to c.Error and return
// nil may stand on either side. Inside, the guard sees such an error through the
// context that it hands on. It cannot do so in Pre, nor where a custom context type
// is put on outside of it: there an error that is passed to c.Error inside goes
// unnoticed if the response is a 2xx all the same, because the HTTPErrorHandler made
// it one or the handler had written it before. Put such middlewares outside, or
// the custom context inside.
//
// A middleware outside that recovers from a panic must answer it, as Recover does:
// where nobody answers, net/http says 200.
//
// Echo takes an informational status (1xx) for the final one. Behind the guard it is
// dropped, and a final one may follow, as a proxy writes it; where none is known to
// have followed, the event counts as failed.
//
// Echo drops a status that comes after another one. So a recoverer of net/http that
// stands inside this guard, through echo.WrapMiddleware or echo.WrapHandler, cannot
// make a failure of a response that was written before the panic. Use Recover, or a
// guard of net/http inside echo.WrapHandler, which sees both statuses.
//
// echo.WrapMiddleware around a guard of net/http is no substitute for this
// package: an error that the handler returns passes it by, and the event counts as
// done.
package echomw

import (
	"errors"
	"io"
	"iter"
	"net/http"
	"reflect"

	"github.com/labstack/echo/v4"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/adapter"
	"github.com/hooknotary/hooknotary/middleware/hold"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

// Protect returns a middleware that guards one endpoint with v and a store in
// memory, made here, once, which forgets when the process ends. Several processes
// need [New] and a store that they share. Refusals and failures are logged to
// slog.Default. It panics if v is nil or has an invalid profile.
func Protect(v verify.Verifier) echo.MiddlewareFunc {
	g, err := middleware.New("default", v, replay.NewMemory(nil), &middleware.Options{Observe: middleware.LogObserver(nil)})
	if err != nil {
		panic(err)
	}
	return New(g)
}

// New returns a middleware that guards with g. It panics if g is nil.
func New(g *middleware.Guard) echo.MiddlewareFunc {
	if g == nil {
		panic("echomw: guard is nil")
	}
	plain := reflect.TypeOf(echo.New().NewContext(nil, nil))
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			if g.Admitted(r.Context()) {
				return next(c)
			}
			informational(c, uncommit) // of a middleware outside
			in := adapter.NewInbound(c.Response(), r)
			body := &limited{Reader: in.Body}
			if in.Body != nil {
				in.Body = body
			}
			admission, response := g.Admit(r.Context(), in)
			body.raw = true // for a handler that runs although the guard would refuse
			if response != nil {
				response.ServeHTTP(c.Response(), r)
				return nil
			}
			defer admission.Close()
			c.SetRequest(admission.Request(r))
			defer func() {
				if admission.Carries(c.Request().Context()) {
					c.SetRequest(r)
				}
			}()
			if admission.ReportOnly() {
				err := next(c)
				admission.Settle(err == nil && c.Response().Status/100 == 2)
				return err
			}
			return run(admission, next, c, watchable(c, plain))
		}
	}
}

// watchable reports whether the handler may be given another context than c. A
// handler may ask for its custom type, and the router, which is yet to come in
// Pre, asks for echo's own.
func watchable(c echo.Context, plain reflect.Type) bool {
	if _, ok := c.(*watchedContext); ok {
		return true
	}
	return reflect.TypeOf(c) == plain && c.Path() != ""
}

// run runs the handler with its response held back, and settles.
func run(admission *middleware.Admission, next echo.HandlerFunc, c echo.Context, watch bool) error {
	// A middleware inside may put another Response into c and leave it there; the
	// middlewares outside know this one.
	res := c.Response()
	w := res.Writer
	held := &heldResponse{Held: hold.Hold(w), outer: w, c: c}
	res.Writer = held
	finished := false
	defer func() {
		switch {
		case finished:
		case recycled(admission, c, held):
			sendFailure(held)
		default: // a panic, or the end of the goroutine
			discard(c, res, held)
			res.Writer = &noSuccess{ResponseWriter: w}
		}
	}()

	watched := &watchedContext{Context: c}
	var inner echo.Context = watched
	if !watch {
		inner = c
	}
	err := next(inner)
	if recycled(admission, c, held) {
		finished = true
		admission.Settle(false) // what the handler answered is not known
		sendFailure(held)
		return err
	}
	unfinished := informational(c, keep)
	c.SetResponse(res)
	res.Writer = held // another guard inside may have left its own
	swallowed := err == nil && watched.err != nil
	failed := err != nil || swallowed || unfinished

	if response := admission.Settle(!failed && held.Success()); response != nil {
		discard(c, res, held)
		finished = true
		res.Writer = w
		response.ServeHTTP(res, c.Request())
		return nil
	}
	switch {
	case err != nil:
		discard(c, res, held)
		c.Error(err)
	case swallowed && held.Success():
		// The error handler ran on a response that was under way.
		discard(c, res, held)
		c.Error(watched.err)
	}
	if failed && held.Success() {
		discard(c, res, held)
		held.WriteHeader(http.StatusInternalServerError) // first, because a hook of the response could make a 2xx of it
		res.WriteHeader(http.StatusInternalServerError)
	}
	finished = true
	held.Send()
	if !failed {
		res.Writer = w
	}
	// Else held stays, which is sent: whoever answers the error again writes
	// nothing.
	return err
}

// recycled reports whether c belongs to another request by now, because something
// outside answered without waiting for the handler. A handler may have given its
// request another context; so the response's way is looked at, too.
func recycled(admission *middleware.Admission, c echo.Context, held *heldResponse) bool {
	if admission.Carries(c.Request().Context()) {
		return false
	}
	for w := range writers(c.Response()) {
		if w == http.ResponseWriter(held) {
			return false
		}
	}
	return true
}

// heldResponse is a handler's response that is held back, beneath the responses of c.
type heldResponse struct {
	*hold.Held
	outer http.ResponseWriter // to which it goes
	c     echo.Context
}

// Header lets a final status follow an informational one. Echo takes that for the
// final one and would drop what a proxy writes next; a proxy sets headers before.
func (a *heldResponse) Header() http.Header {
	informational(a.c, uncommit)
	return a.Held.Header()
}

// informational reports whether a response of echo takes a status below 200 for the
// final one, and calls f for each that does. 101 is final.
func informational(c echo.Context, f func(*echo.Response)) (found bool) {
	for w := range writers(c.Response()) {
		if r, ok := w.(*echo.Response); ok && r.Committed && r.Status < 200 {
			found = true
			if r.Status != http.StatusSwitchingProtocols {
				f(r)
			}
		}
	}
	return found
}

func uncommit(r *echo.Response) { r.Status, r.Committed = http.StatusOK, false }

func keep(*echo.Response) {}

// writers yields w and what it wraps, as far as it says so. Some wrappers have no
// Unwrap, but embed the writer in a struct.
func writers(w http.ResponseWriter) iter.Seq[http.ResponseWriter] {
	return func(yield func(http.ResponseWriter) bool) {
		for range 100 { // a wrapper could lead to itself
			if w == nil || !yield(w) {
				return
			}
			switch t := w.(type) {
			case *heldResponse:
				w = t.outer // of another guard
			case interface{ Unwrap() http.ResponseWriter }:
				w = t.Unwrap()
			default:
				v := reflect.Indirect(reflect.ValueOf(w))
				w = nil
				if v.Kind() == reflect.Struct {
					if f := v.FieldByName("ResponseWriter"); f.IsValid() && f.CanInterface() {
						w, _ = f.Interface().(http.ResponseWriter)
					}
				}
			}
		}
	}
}

// sendFailure responds with 500 and does not touch the context. Where a response
// left already, it does nothing.
func sendFailure(held *heldResponse) {
	held.Reset()
	held.WriteHeader(http.StatusInternalServerError)
	held.Send()
}

// discard drops the held response and makes echo's response as new.
func discard(c echo.Context, res *echo.Response, held *heldResponse) {
	held.Reset()
	res.Status, res.Size, res.Committed = http.StatusOK, 0, false
	c.SetResponse(res)
}

// watchedContext is an echo.Context that remembers an error that a middleware has
// handled in the place of returning it.
type watchedContext struct {
	echo.Context
	err error
}

// Error notes err and passes it on.
func (c *watchedContext) Error(err error) {
	if err == nil {
		err = errors.New("echomw: Error was called without an error")
	}
	c.err = err
	c.Context.Error(err)
}

// noSuccess turns a 2xx into 500, for what is answered after a panic.
type noSuccess struct {
	http.ResponseWriter
	wrote bool
}

func (w *noSuccess) WriteHeader(status int) {
	if status/100 == 2 {
		status = http.StatusInternalServerError
	}
	w.wrote = w.wrote || status >= 200
	w.ResponseWriter.WriteHeader(status)
}

func (w *noSuccess) Write(b []byte) (int, error) {
	if !w.wrote {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(b)
}

// Flush is like Write in that it makes a status.
func (w *noSuccess) Flush() {
	if !w.wrote {
		w.WriteHeader(http.StatusOK)
	}
	http.NewResponseController(w.ResponseWriter).Flush()
}

// Unwrap serves http.ResponseController.
func (w *noSuccess) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// limited translates the error of echo's BodyLimit for the guard.
type limited struct {
	io.Reader
	raw bool
}

func (l *limited) Read(b []byte) (int, error) {
	n, err := l.Reader.Read(b)
	var he *echo.HTTPError
	if !l.raw && errors.As(err, &he) && he.Code == http.StatusRequestEntityTooLarge {
		err = &http.MaxBytesError{}
	}
	return n, err
}
