// Package echov5mw is package middleware for echo v5.
//
//	e.POST("/hooks/github", handler, echov5mw.Protect(github.Must(secret)))
//
// Where the provider checks the endpoint by another method than POST, as Meta and Dropbox
// do, register the path for all methods, or echo answers in the guard's place:
//
//	e.Any("/hooks/meta", handler, echov5mw.Protect(v))
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
// It is a module of its own, so that echo v5 stays out of the programs that do
// not use it. Package echomw is its twin for echo v4.
//
// # What must stand where
//
// Nothing may read or change the body before the guard. Decompress in front of it
// is noticed by the Content-Encoding that it leaves in the header, and every
// request gets 415; a c.Bind by the missing body, with 400. A BodyLimit in front
// of it works if it is not below the provider's largest body; what it cuts off
// gets 413. MethodOverride in front of it can make a POST of what was none;
// nothing signs the method.
//
// Do not put http.TimeoutHandler into echo.WrapMiddleware with a guard, on either
// side. It answers while the handler still runs: inside the guard the event is
// released and may run twice at once; outside, echo gives the context to another
// request while the handler still uses it. Use ContextTimeout, Options.MaxRun, or
// http.TimeoutHandler around the whole Echo.
//
// RequestLogger, Recover and other middlewares that return the error may stand on
// either side. One inside that hands an error to the HTTPErrorHandler and returns
// nil hides it from the guard: the status of the response is all that counts then.
//
// A middleware outside that recovers from a panic must return it as an error, as
// Recover does, and the HTTPErrorHandler must answer it: where nobody answers,
// net/http says 200.
//
// Behind the guard informational statuses (1xx) are dropped. A status other than 2xx
// after a 2xx makes a failure of it, as a recoverer of net/http writes one. Whoever
// unwraps echo's own response and writes to that bypasses both: echo drops a second
// status there, and an informational one counts as a failure.
//
// echo.WrapMiddleware around a guard of net/http is no substitute for this
// package: an error that the handler returns passes it by, and the event counts as
// done.
package echov5mw

import (
	"errors"
	"io"
	"net/http"

	"github.com/labstack/echo/v5"

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
		panic("echov5mw: guard is nil")
	}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c *echo.Context) error {
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
			outer := c.Get(ownerKey)
			c.Set(ownerKey, admission)
			c.SetRequest(admission.Request(r))
			defer func() {
				if owned(c, admission) {
					c.SetRequest(r)
					c.Set(ownerKey, outer)
				}
			}()
			if admission.ReportOnly() {
				err := next(c)
				_, status := echo.ResolveResponseStatus(c.Response(), err)
				admission.Settle(err == nil && status/100 == 2)
				return err
			}
			return run(admission, next, c)
		}
	}
}

// ownerKey names, in the store of a context, the Admission that it belongs to.
const ownerKey = "github.com/hooknotary/hooknotary/middleware/echov5mw"

// owned reports whether c still belongs to admission. It does not if something
// outside answered without waiting for the handler: then echo empties the context
// for another request.
func owned(c *echo.Context, admission *middleware.Admission) bool {
	return c.Get(ownerKey) == admission
}

var errRecycled = errors.New("echov5mw: the context was given to another request while the handler ran")

// run runs the handler with its response held back, and settles.
func run(admission *middleware.Admission, next echo.HandlerFunc, c *echo.Context) error {
	outer := c.Response()
	a := &heldResponse{Held: hold.Hold(outer)}
	a.response = echo.NewResponse(a.Held, c.Logger())
	c.SetResponse(&final{a.response, a.Held, c})
	finished := false
	defer func() {
		if finished || !owned(c, admission) {
			return
		}
		// A panic, or the end of the goroutine.
		a.Reset()
		c.SetResponse(outer)
		forbidSuccess(c)
	}()

	err := next(c)
	if !owned(c, admission) {
		finished = true
		admission.Settle(false) // what the handler answered is not known
		if err == nil {
			err = errRecycled
		}
		return err
	}
	unfinished := informational(c, keep)
	if instead := admission.Settle(err == nil && !unfinished && a.Success()); instead != nil {
		a.Reset()
		finished = true
		c.SetResponse(outer)
		instead.ServeHTTP(outer, c.Request())
		return nil
	}
	if err == nil {
		finished = true
		if unfinished && a.Success() {
			a.Reset()
			a.WriteHeader(http.StatusInternalServerError)
		}
		c.SetResponse(outer)
		a.Send()
		return nil
	}
	a.discard(c)
	c.Echo().HTTPErrorHandler(c, err)
	if a.Success() {
		a.discard(c)
		a.fail()
	}
	finished = true
	a.Send()
	// The response stays in place, which is sent: whoever answers the error again
	// writes nothing.
	c.SetResponse(a.response)
	return err
}

// heldResponse is a handler's response that is held back, and echo's response above it.
type heldResponse struct {
	*hold.Held
	response *echo.Response
}

// discard drops the held response and makes echo's response as new.
func (a *heldResponse) discard(c *echo.Context) {
	a.Reset()
	a.response.Status, a.response.Size, a.response.Committed = 0, 0, false
	c.SetResponse(a.response)
}

// fail responds with 500, past the hooks of echo's response, which could make a 2xx
// of it.
func (a *heldResponse) fail() {
	a.WriteHeader(http.StatusInternalServerError)
	a.response.Status, a.response.Committed = http.StatusInternalServerError, true
}

// final stands above echo's response, which takes an informational status for the
// final one and drops a status that comes after another. It drops the former, and tells
// Held of the latter.
type final struct {
	*echo.Response
	held *hold.Held
	c    *echo.Context
}

func (w *final) WriteHeader(status int) {
	switch {
	case 100 <= status && status < 200 && status != http.StatusSwitchingProtocols:
	case w.Committed:
		w.held.WriteHeader(status)
		w.Status = w.held.Status()
	default:
		w.Response.WriteHeader(status)
	}
}

// Header lets a final status follow an informational one where a middleware inside has
// put another of echo's responses above this one. A proxy sets headers in between.
func (w *final) Header() http.Header {
	informational(w.c, uncommit)
	return w.Response.Header()
}

// Unwrap serves echo.UnwrapResponse.
func (w *final) Unwrap() http.ResponseWriter { return w.Response }

func uncommit(r *echo.Response) { r.Status, r.Committed = http.StatusOK, false }

func keep(*echo.Response) {}

// informational reports whether one of echo's responses takes a status below 200 for
// the final one, and calls f for each that does. 101 is final.
func informational(c *echo.Context, f func(*echo.Response)) (found bool) {
	w := c.Response()
	for range 100 { // a wrapper could lead to itself
		if r, ok := w.(*echo.Response); ok && r.Committed && r.Status < 200 {
			found = true
			if r.Status != http.StatusSwitchingProtocols {
				f(r)
			}
		}
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			break
		}
		w = u.Unwrap()
	}
	return found
}

// forbidSuccess makes sure that no 2xx is answered to a panic. It stands beneath
// echo's own response, where one is found: other middlewares put back what they
// have seen above it.
func forbidSuccess(c *echo.Context) {
	if res, err := echo.UnwrapResponse(c.Response()); err == nil {
		res.ResponseWriter = &noSuccess{ResponseWriter: res.ResponseWriter}
		return
	}
	c.SetResponse(&noSuccess{ResponseWriter: c.Response()})
}

// noSuccess turns a 2xx into 500.
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

// limited translates the error of echo's BodyLimit for the guard.
type limited struct {
	io.Reader
	raw bool
}

func (l *limited) Read(b []byte) (int, error) {
	n, err := l.Reader.Read(b)
	if !l.raw && echo.StatusCode(err) == http.StatusRequestEntityTooLarge {
		err = &http.MaxBytesError{}
	}
	return n, err
}
