package gateway

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/hooknotary/hooknotary/middleware/forward"
	"github.com/hooknotary/hooknotary/verify"
)

// request is what is known of a request beside what the guard knows. It belongs to the
// goroutine that serves the request.
type request struct {
	*http.Request
	route    *route
	entered  bool            // it counts as in flight
	upstream *forward.Report // nil: the upstream was not asked
}

type requestKey struct{}

// requestOf returns the request that ctx belongs to, or nil.
func requestOf(ctx context.Context) *request {
	r, _ := ctx.Value(requestKey{}).(*request)
	return r
}

// enter counts the request as in flight until leave, if there is space for it.
func (r *request) enter(limit int64) bool {
	r.entered = r.entered || r.route.inFlight.enter(limit)
	return r.entered
}

func (r *request) leave() {
	if r.entered {
		r.route.inFlight.leave()
	}
}

// requestHandler adds to the guard's lines what the gateway knows of the request, so that
// a failure takes one line. The guard's endpoint is the route.
type requestHandler struct {
	slog.Handler
	clientAddress func(*http.Request) string // or nil
}

func (h requestHandler) Handle(ctx context.Context, record slog.Record) error {
	r := requestOf(ctx)
	if r == nil {
		return h.Handler.Handle(ctx, record)
	}
	own := slog.NewRecord(record.Time, record.Level, record.Message, record.PC)
	quotes := false
	record.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "endpoint":
			a.Key = "route"
		case "reason":
			quotes = a.Value.String() == verify.ErrMediaType.String()
		case "error":
			if quotes { // the header, which the sender wrote
				a.Value = slog.StringValue(verify.ErrMediaType.Error())
			}
		}
		own.AddAttrs(a)
		return true
	})
	if h.clientAddress != nil {
		if client := h.clientAddress(r.Request); client != "" {
			own.AddAttrs(slog.String("client", client))
		}
	}
	if u := r.upstream; u != nil {
		own.AddAttrs(slog.Int("upstream_status", u.Status), slog.Duration("upstream_duration", u.Duration))
		if u.Err != nil {
			own.AddAttrs(slog.String("upstream_error", u.Err.Error()))
		}
	}
	return h.Handler.Handle(ctx, own)
}

func (h requestHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return requestHandler{h.Handler.WithAttrs(attrs), h.clientAddress}
}

func (h requestHandler) WithGroup(name string) slog.Handler {
	return requestHandler{h.Handler.WithGroup(name), h.clientAddress}
}
