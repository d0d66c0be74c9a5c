// Package ginmw is package middleware for gin.
//
//	r.POST("/hooks/stripe", ginmw.Protect(stripe.Must(secret)), handler)
//
// Where the provider checks the endpoint by another method than POST, as Meta and Dropbox
// do, register the path for all methods, or gin answers in the guard's place:
//
//	r.Any("/hooks/meta", ginmw.Protect(v), handler)
//
// A handler has failed if its final status is none of 2xx, if it panics, or if it
// attaches an error to the context, with c.Error, whatever it answers: then the
// event is released, and the provider's retry runs it again. A response with
// another status than 2xx leaves as it was written. A 2xx beside an error is thrown
// away; the status becomes 500, and a middleware outside that answers the errors
// of the context may write another one, but no 2xx.
//
// It is an ordinary gin middleware, for a route, a group or Use; the same guard on
// a group and on its route counts once. In the handler,
// verify.FromContext(c.Request.Context()) is the verified delivery; binding reads the
// bytes that were verified.
//
// A status other than 2xx that is set after a 2xx was written is a failure, too, as
// gin.Recovery sets one inside the guard after a panic. It takes the place of the
// 2xx. What is answered with an informational status (1xx) alone has failed.
//
// It needs gin 1.11 or later, and says so in its go.mod: in gin 1.10,
// Engine.HandleContext from another route, or in NoRoute, ran the handlers behind a
// guard that had refused the request. Do not replace gin with an older one.
//
// It is a module of its own, so that gin stays out of the programs that do not use
// it. gin.WrapH(guard.Handler(handler)) needs none of this package, for a handler
// of net/http. A guard of net/http around native handlers does not do, because it
// sees neither their errors nor where gin's routes lead: gin decodes a path that
// http.ServeMux does not, so what stands behind a pattern of the mux is also
// reached past it.
//
// # What must stand where
//
// Nothing may read or change the body before the guard. A binding before it is
// noticed by the missing body, with 400.
//
// Do not use a middleware that answers on a timeout while the handler still runs,
// on either side: inside the guard the event is released and may run twice at
// once; outside, gin gives the context to another request while the handler still
// uses it. Use Options.MaxRun, or http.TimeoutHandler around the whole engine.
//
// Recovery may stand on either side. If a recovery outside responds with nothing, or a
// 2xx, 500 goes out. Inside, what it answers counts. A middleware between the two
// that puts back its own c.Writer when it is left, as a logger of bodies does, takes
// this away: what is outside of it must not answer a failure with a 2xx.
//
// The errors of the context that were attached before the guard are set aside while
// the handlers behind it run.
//
// A handler inside the guard must not call Engine.HandleContext: it makes the
// context as new, its writer included, so that what is answered leaves at once;
// the event counts as failed.
//
// A handler may empty the keys of the context, replace its request, and leave the
// writer wrapped. Only one that does the first two behind a wrapper that neither
// embeds the writer nor has an Unwrap is taken for a handler whose context was given
// to another request: its event is released, and gin responds with 200 without a body.
package ginmw

import (
	"bufio"
	"net"
	"net/http"
	"reflect"

	"github.com/gin-gonic/gin"

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
func Protect(v verify.Verifier) gin.HandlerFunc {
	g, err := middleware.New("default", v, replay.NewMemory(nil), &middleware.Options{Observe: middleware.LogObserver(nil)})
	if err != nil {
		panic(err)
	}
	return New(g)
}

// New returns a middleware that guards with g. It panics if g is nil.
func New(g *middleware.Guard) gin.HandlerFunc {
	if g == nil {
		panic("ginmw: guard is nil")
	}
	return func(c *gin.Context) {
		r := c.Request
		if g.Admitted(r.Context()) {
			return // gin goes on with the next handler
		}
		admission, response := g.Admit(r.Context(), adapter.NewInbound(c.Writer, r))
		if response != nil {
			c.Abort()
			response.ServeHTTP(c.Writer, r)
			return
		}
		defer admission.Close()
		outer, _ := c.Get(ownerKey)
		c.Set(ownerKey, admission)
		c.Request = admission.Request(r)
		defer func() {
			if owned(c, admission, nil) {
				c.Request = r
				c.Set(ownerKey, outer)
			}
		}()
		if admission.ReportOnly() {
			before := len(c.Errors)
			c.Next()
			admission.Settle(len(c.Errors) == before && c.Writer.Status()/100 == 2)
			return
		}
		run(admission, c)
	}
}

// ownerKey names, among the keys of a context, the Admission that it belongs to.
const ownerKey = "github.com/hooknotary/hooknotary/middleware/ginmw"

// owned reports whether c still belongs to admission. It does not if something
// outside answered without waiting for the handler: then gin empties the context
// for another request. A handler may empty Keys, replace the request or wrap the
// writer; each of the three tells by itself.
func owned(c *gin.Context, admission *middleware.Admission, w *writer) bool {
	if owner, _ := c.Get(ownerKey); owner == admission {
		return true
	}
	if c.Request != nil && admission.Carries(c.Request.Context()) {
		return true
	}
	return w != nil && w.in(c.Writer)
}

// in reports whether from leads to w.
func (w *writer) in(from http.ResponseWriter) bool {
	found, ok := innermost(from, w).(*writer)
	return ok && found == w
}

// past reports whether what is written to from passes w by. A writer that does not
// show what it wraps is trusted to wrap w.
func (w *writer) past(from http.ResponseWriter) bool {
	end, server := innermost(from, w), innermost(w.outer, w)
	return reflect.TypeOf(end) == reflect.TypeOf(server) && reflect.ValueOf(end).Comparable() && end == server
}

// innermost follows the wrappers of other middlewares as far as they show what they
// wrap, but not beyond stop. Most have no Unwrap: they embed gin's interface in a
// struct.
func innermost(w http.ResponseWriter, stop *writer) http.ResponseWriter {
	for range 100 { // a wrapper could lead to itself
		var next http.ResponseWriter
		switch t := w.(type) {
		case *writer:
			if t != stop {
				next = t.outer // of another guard
			}
		case interface{ Unwrap() http.ResponseWriter }:
			next = t.Unwrap()
		default:
			if v := reflect.Indirect(reflect.ValueOf(w)); v.Kind() == reflect.Struct {
				if f := v.FieldByName("ResponseWriter"); f.IsValid() && f.CanInterface() {
					next, _ = f.Interface().(http.ResponseWriter)
				}
			}
		}
		if next == nil {
			break
		}
		w = next
	}
	return w
}

// run runs the handlers with their response held back, and settles.
func run(admission *middleware.Admission, c *gin.Context) {
	outer := c.Writer
	w := &writer{Held: hold.Hold(outer), outer: outer, status: outer.Status(), size: -1}
	c.Writer = w
	finished := false
	before := c.Errors
	c.Errors = nil
	restore := func() { c.Errors = append(before[:len(before):len(before)], c.Errors...) }
	defer func() {
		if finished || !owned(c, admission, w) {
			return
		}
		// A panic, or the end of the goroutine.
		c.Set(ownerKey, admission) // the handler may have emptied the keys
		restore()
		w.Reset()
		fail(c, outer)
	}()

	c.Next()
	if !owned(c, admission, w) {
		finished = true
		admission.Settle(false) // what the handler answered is not known
		return
	}
	c.Set(ownerKey, admission) // the handler may have emptied the keys
	success := w.status/100 == 2
	past := w.past(c.Writer)
	failed := len(c.Errors) > 0 || past
	restore()
	if instead := admission.Settle(success && !failed); instead != nil {
		w.Reset()
		finished = true
		c.Writer = outer
		instead.ServeHTTP(outer, c.Request)
		return
	}
	finished = true
	if failed && success || w.status < 200 || past {
		w.Reset()
		fail(c, outer)
		return
	}
	c.Writer = outer
	w.send()
	if !success {
		c.Writer = &noSuccess{outer} // the status may not be written yet
	}
}

// fail sets the status 500, which anyone outside may make another one, but not a
// 2xx, unless it puts back a writer of its own.
func fail(c *gin.Context, outer gin.ResponseWriter) {
	outer.WriteHeader(http.StatusInternalServerError)
	c.Writer = &noSuccess{outer}
}

// noSuccess turns a 2xx into 500.
type noSuccess struct{ gin.ResponseWriter }

func (w *noSuccess) WriteHeader(status int) {
	if status/100 == 2 {
		status = http.StatusInternalServerError
	}
	w.ResponseWriter.WriteHeader(status)
}

// writer is a gin.ResponseWriter that holds the response back. Like gin's own, it
// writes the status late, and until then another one takes its place. Afterwards
// one other than 2xx still takes the place of a 2xx, as in Held.
type writer struct {
	*hold.Held
	outer  gin.ResponseWriter
	status int
	size   int // -1 until the status is written
}

func (w *writer) WriteHeader(status int) {
	switch {
	case status <= 0:
	case !w.Written():
		w.status = status
	case w.status/100 == 2 && status/100 != 2 && status >= 200:
		w.status, w.size = status, 0
		w.Held.WriteHeader(status)
	}
}

// WriteHeaderNow leaves an informational status alone, which is not final.
func (w *writer) WriteHeaderNow() {
	if !w.Written() && w.status >= 200 {
		w.size = 0
		w.Held.WriteHeader(w.status)
	}
}

func (w *writer) Write(b []byte) (int, error) {
	w.WriteHeaderNow()
	n, err := w.Held.Write(b)
	w.size = max(w.size, 0) + n
	return n, err
}

func (w *writer) WriteString(s string) (int, error) { return w.Write([]byte(s)) }

func (w *writer) Status() int   { return w.status }
func (w *writer) Size() int     { return w.size }
func (w *writer) Written() bool { return w.size >= 0 }

// Flush writes the status; the response leaves when the event is settled.
func (w *writer) Flush() { w.WriteHeaderNow() }

// Hijack fails: a connection that is taken over cannot be settled.
func (w *writer) Hijack() (net.Conn, *bufio.ReadWriter, error) { return nil, nil, http.ErrNotSupported }

func (w *writer) CloseNotify() <-chan bool { return w.outer.CloseNotify() }

// Pusher returns nil: nothing leaves before the event is settled.
func (w *writer) Pusher() http.Pusher { return nil }

// send lets the response out.
func (w *writer) send() {
	w.outer.WriteHeader(w.status) // also if the handler left it to gin to write it
	if w.Written() {
		w.Send()
		w.outer.WriteHeaderNow()
	}
}
