package middlewaretest_test

import (
	"context"
	"net/http"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/adapter"
	"github.com/hooknotary/hooknotary/middleware/hold"
	"github.com/hooknotary/hooknotary/middleware/middlewaretest"
	"github.com/hooknotary/hooknotary/verify"
)

// frame is a web framework as small as one can be that has what makes adapters hard:
// its handlers return errors, which it answers, and its contexts are recycled.
type frame struct {
	routes map[string]handler
}

type handler func(*frameContext) error

// frameContext is what a handler of frame is given.
type frameContext struct {
	w     http.ResponseWriter
	r     *http.Request
	owner any // whose request it is
	next  handler
}

// ServeHTTP implements http.Handler.
func (f *frame) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &frameContext{w: w, r: r}
	h, ok := f.routes[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	if err := h(c); err != nil && err != errAnswered {
		answerError(c)
	}
}

// answerError is the framework's way to answer an error.
func answerError(c *frameContext) {
	c.w.WriteHeader(http.StatusInternalServerError)
	c.w.Write([]byte("sorry"))
}

type answeredError struct{}

func (answeredError) Error() string { return "an error that was answered" }

// errAnswered is an error that the adapter has answered.
var errAnswered error = answeredError{}

// The context of frame is the Exchange of its adapter's test.

func (c *frameContext) Request() *http.Request      { return c.r }
func (c *frameContext) SetRequest(r *http.Request)  { c.r = r }
func (c *frameContext) Writer() http.ResponseWriter { return c.w }
func (c *frameContext) Wrap(f func(http.ResponseWriter) http.ResponseWriter) {
	c.w = f(c.w)
}

// exchange is a context with what comes next.
type exchange struct {
	*frameContext
	after handler
}

func (e exchange) Next() error { return e.after(e.frameContext) }

// adapterOf describes the adapter of frame that has a bug; the bug "" is none.
func adapterOf(bug string) middlewaretest.Adapter {
	return middlewaretest.Adapter{
		Mount: func(links []middlewaretest.Link, handle func(middlewaretest.Exchange) error) http.Handler {
			h := func(c *frameContext) error { return handle(exchange{frameContext: c}) }
			for i := len(links) - 1; i >= 0; i-- {
				link, next := links[i], h
				if link.Guard != nil {
					h = guard(link.Guard, next, bug)
				} else {
					h = func(c *frameContext) error { return link.Run(exchange{c, next}) }
				}
			}
			return &frame{map[string]handler{middlewaretest.Path: h}}
		},
		ErrorStatus: http.StatusInternalServerError,
		ErrorBody:   "sorry",
		Recycle: func(e middlewaretest.Exchange, r *http.Request, w http.ResponseWriter) {
			*e.(exchange).frameContext = frameContext{w: w, r: r}
		},
		Redispatch: []middlewaretest.Dispatch{
			{Name: "the handler of another route", Path: "/old", Mount: func(g *middleware.Guard, handle func(middlewaretest.Exchange) error) http.Handler {
				f := dispatched(g, handle, bug)
				f.routes["/old"] = f.routes[middlewaretest.Path]
				return f
			}},
			{Name: "the handler twice", Path: "/old", Mount: func(g *middleware.Guard, handle func(middlewaretest.Exchange) error) http.Handler {
				f := dispatched(g, handle, bug)
				f.routes["/old"] = func(c *frameContext) error {
					f.routes[middlewaretest.Path](c)
					return f.routes[middlewaretest.Path](c)
				}
				return f
			}},
			{Name: "a context that the guard has refused", Path: "/old", NoTwin: "a response that was sent is sent", Mount: func(g *middleware.Guard, handle func(middlewaretest.Exchange) error) http.Handler {
				f := dispatched(g, handle, bug)
				f.routes["/old"] = func(c *frameContext) error {
					err := f.routes[middlewaretest.Path](c)
					if c.next != nil { // an adapter that notes what comes next, whatever the guard says
						return c.next(c)
					}
					return err
				}
				return f
			}},
		},
	}
}

func dispatched(g *middleware.Guard, handle func(middlewaretest.Exchange) error, bug string) *frame {
	return &frame{map[string]handler{
		middlewaretest.Path: guard(g, func(c *frameContext) error { return handle(exchange{frameContext: c}) }, bug),
	}}
}

// guard is the adapter. Each bug is what a careless author does.
func guard(g *middleware.Guard, next handler, bug string) handler {
	return func(c *frameContext) error {
		r := c.r
		if bug != "claims again under the same guard" && g.Admitted(r.Context()) {
			return next(c)
		}
		if bug == "lets a handler be reached that was refused" {
			c.next = next
		}
		body := r.Body
		in := adapter.NewInbound(c.w, r)
		if bug == "hides read deadlines" {
			in = adapter.NewInbound(struct{ http.ResponseWriter }{c.w}, r)
		}
		ctx := r.Context()
		if bug == "takes the client's context away" {
			ctx = context.Background()
		}
		admission, refusal := g.Admit(ctx, in)
		if refusal != nil {
			return refuse(c, r, refusal, next, bug, body)
		}
		returned := false
		defer func() {
			if bug != "forgets Close" && (returned || bug != "closes only what returns") {
				admission.Close()
			}
		}()
		outer := c.owner
		c.owner = admission
		owned := func() bool { return c.owner == admission || bug == "touches a recycled context" }
		c.r = admission.Request(r)
		switch bug {
		case "keeps the request outside":
			c.r = r.WithContext(admission.Context())
		case "keeps the context outside":
			c.r = admission.Request(r).WithContext(r.Context())
		case "takes only the delivery over":
			c.r = c.r.WithContext(verify.NewContext(r.Context(), admission.Delivery()))
		case "hides the end of the context":
			c.r = c.r.WithContext(context.WithoutCancel(c.r.Context()))
		case "drops the delivery":
			c.r = c.r.WithContext(verify.NewContext(c.r.Context(), nil))
		case "ends the context with the client":
			inner, stop := context.WithCancel(c.r.Context())
			defer context.AfterFunc(r.Context(), stop)()
			c.r = c.r.WithContext(inner)
		}
		defer func() {
			if owned() && bug != "leaves its request behind" {
				c.r, c.owner = r, outer
			}
		}()
		if admission.ReportOnly() && bug != "holds back what it only reports on" {
			status := &statusWriter{ResponseWriter: c.w}
			w := c.w
			c.w = status
			err := next(c)
			c.w = w
			success := err == nil && status.status/100 == 2
			admission.Settle(success || bug == "commits what failed under a guard that only reports")
			returned = true
			return err
		}
		err := run(admission, c, next, owned, bug)
		returned = true
		return err
	}
}

// refuse sends a refusal.
func refuse(c *frameContext, r *http.Request, refusal *middleware.Response, next handler, bug string, body interface{ Close() error }) error {
	switch bug {
	case "runs the handler on a refusal":
		next(c)
	case "answers a refusal itself":
		c.w.WriteHeader(refusal.Status)
		return nil
	case "drops the headers of a refusal":
		refusal = &middleware.Response{Reason: refusal.Reason, Status: refusal.Status, Body: refusal.Body, Header: http.Header{"Content-Type": {"application/problem+json"}}}
		if refusal.Status == 200 {
			refusal.Header = nil
		}
	case "makes an error of a refusal":
		r.Body, r.GetBody = http.NoBody, nil
		c.w.WriteHeader(http.StatusInternalServerError)
		return nil
	case "waits for the body of a refusal":
		refusal.ServeHTTP(noClose{c.w}, r)
		return nil
	}
	refusal.ServeHTTP(c.w, r)
	if bug == "puts the body back after a refusal" {
		r.Body = body.(interface {
			Read([]byte) (int, error)
			Close() error
		})
	}
	return nil
}

// run runs the handler with its response held back, and settles.
func run(admission *middleware.Admission, c *frameContext, next handler, owned func() bool, bug string) (err error) {
	w := c.w
	held := hold.Hold(w)
	c.w = held
	if bug == "lets informational statuses out" {
		c.w = hinting{held, w}
	}
	if bug == "lets the handler have the connection" {
		c.w = struct {
			*hold.Held
			http.Hijacker
		}{held, hijacker{}}
	}
	if bug == "sends before the commit" {
		c.w = w
	}
	finished := false
	defer func() {
		if finished || !owned() {
			return
		}
		// A panic, or the end of the goroutine.
		if bug != "leaves headers behind a panic" {
			held.Reset()
		}
		c.w = &noSuccess{w}
		if bug == "lets a success out after a panic" {
			c.w = w
		}
	}()
	if bug == "swallows panics" {
		defer func() {
			if recover() != nil {
				finished, c.w = true, w
				admission.Settle(false)
				held.Reset()
				w.WriteHeader(http.StatusInternalServerError)
			}
		}()
	}
	if bug == "sends what a panic left" {
		defer func() {
			if !finished {
				held.Send()
			}
		}()
	}
	err = next(c)
	if !owned() {
		finished = true
		admission.Settle(false)
		return errAnswered
	}
	success := err == nil && held.Success()
	switch bug {
	case "commits an error":
		success = held.Success()
	case "commits redirects":
		success = err == nil && held.Status() < 400
	case "sends before the commit":
		success = err == nil
	case "commits everything":
		success = true
	}
	if bug == "answers before it settles" && err == nil {
		finished, c.w = true, w
		held.Send()
		admission.Settle(success)
		return nil
	}
	instead := admission.Settle(success)
	finished = true
	c.w = w
	if instead != nil && bug != "ignores the response of Settle" {
		if bug != "leaks the handler's headers after a reset" {
			held.Reset()
		}
		instead.ServeHTTP(w, c.r)
		return nil
	}
	if err == nil {
		held.Send()
		return nil
	}
	if bug != "sends what was written before an error" {
		held.Reset()
		c.w = held
		answerError(c)
		c.w = w
	}
	held.Send()
	return errAnswered
}

// statusWriter notes a status.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// noSuccess turns a 2xx into 500.
type noSuccess struct{ http.ResponseWriter }

func (w *noSuccess) WriteHeader(status int) {
	if status/100 == 2 {
		status = http.StatusInternalServerError
	}
	w.ResponseWriter.WriteHeader(status)
}

// noClose keeps a connection open.
type noClose struct{ http.ResponseWriter }

func (w noClose) WriteHeader(status int) {
	w.Header().Del("Connection")
	w.ResponseWriter.WriteHeader(status)
}

// hinting passes informational statuses on.
type hinting struct {
	*hold.Held
	w http.ResponseWriter
}

func (h hinting) WriteHeader(status int) {
	if 100 < status && status < 200 && status != http.StatusSwitchingProtocols {
		h.w.WriteHeader(status)
		return
	}
	h.Held.WriteHeader(status)
}

// hijacker gives a connection away.
type hijacker struct{ http.Hijacker }
