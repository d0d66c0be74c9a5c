// Package adapter is for authors of adapters: it holds what an adapter hands to
// middleware.Guard.Admit. Package middleware/hold holds back the handler's response
// meanwhile. Both stand apart from package middleware, whose page is for those who
// protect a handler; Guard.Admit, Admission and Response stay there, because they are
// the guard's own.
package adapter

import (
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/verify"
)

// writeTime is how long a response may take to be written after its request's body was
// interrupted.
const writeTime = 500 * time.Millisecond

// Inbound is a request as middleware.Guard.Admit takes it. NewInbound makes one of a
// request of net/http; anything else fills in the exported fields.
type Inbound struct {
	// Head is the request's head. A zero ReceivedAt means now, by Options.Now.
	Head verify.Head

	// Body is the body, or nil if there is none.
	Body io.Reader

	// ContentLength is the length that the head announces, or -1 if it does not.
	ContentLength int64

	// SetReadDeadline, if not nil, sets the time at which a Read of Body fails,
	// also one that is under way. It may be called beside Read.
	SetReadDeadline func(time.Time) error

	onlyPost bool // the pattern of the route in a ServeMux lets nothing else through

	w       http.ResponseWriter // where to look for a SetReadDeadline
	writes  bool                // a Read may stand in a write
	writeBy time.Time           // when the server ends a write, about; zero: never
}

// NewInbound makes an Inbound of a request of a net/http server.
func NewInbound(w http.ResponseWriter, r *http.Request) *Inbound {
	in := &Inbound{
		Head:          verify.Head{URL: r.URL, Method: r.Method, Header: r.Header},
		ContentLength: r.ContentLength,
		w:             w,
		onlyPost:      strings.HasPrefix(r.Pattern, http.MethodPost+" "),
	}
	if r.Body != nil && r.Body != http.NoBody {
		in.Body = r.Body
	}
	server, _ := r.Context().Value(http.ServerContextKey).(*http.Server)
	if in.writes = r.ProtoMajor == 1 && server != nil; in.writes && server.WriteTimeout > 0 {
		in.writeBy = time.Now().Add(server.WriteTimeout)
	}
	return in
}

// OnlyPost reports whether the pattern of the route in an http.ServeMux lets only a POST
// through to the guard. Guards call it.
func (in *Inbound) OnlyPost() bool { return in.onlyPost }

// Interrupter returns a function that makes a Read of Body fail that is under way, or
// nil where nothing can. hidden reports whether that is because a ResponseWriter in
// front of the guard has neither SetReadDeadline nor Unwrap. Guards call it.
func (in *Inbound) Interrupter() (interrupt func() error, hidden bool) {
	// The server's ResponseWriter may stand behind the wrappers of other middlewares,
	// which http.ResponseController unwraps in the same way.
	for w := in.w; in.SetReadDeadline == nil && w != nil; {
		switch t := w.(type) {
		case interface{ SetReadDeadline(time.Time) error }:
			in.SetReadDeadline = t.SetReadDeadline
		case interface{ Unwrap() http.ResponseWriter }:
			w = t.Unwrap()
		default:
			return nil, true
		}
	}
	if in.SetReadDeadline == nil {
		return nil, false
	}
	return in.interrupt, false
}

// interrupt sets a deadline in the past, so that it is never later than the server's
// own.
//
// Over HTTP/1 a Read writes, too: the go-ahead of Expect: 100-continue, or the TLS
// records that the sender asks for. A sender that reads nothing would hold it there.
func (in *Inbound) interrupt() error {
	by := time.Now().Add(writeTime)
	if in.writes && (in.writeBy.IsZero() || by.Before(in.writeBy)) {
		http.NewResponseController(in.w).SetWriteDeadline(by)
	}
	return in.SetReadDeadline(time.Unix(1, 0))
}
