package middleware

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/verify"
)

// Inbound is a request as an adapter hands it to [Guard.Admit]. NewInbound makes
// one from net/http; anything else fills in the exported fields.
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

	w          http.ResponseWriter // where to look for a SetReadDeadline
	writes     bool                // a Read may stand in a write
	writeBy    time.Time           // when the server ends a write, about; zero: never
	noDeadline bool                // something hides it
	readErr    error               // with which reading the body ended, if not with its end
}

// NewInbound makes an Inbound of a request of a net/http server.
func NewInbound(w http.ResponseWriter, r *http.Request) *Inbound {
	in := &Inbound{
		Head:          verify.Head{URL: r.URL, Method: r.Method, Header: r.Header},
		ContentLength: r.ContentLength,
		w:             w,
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

// findReadDeadline finds SetReadDeadline of the server's ResponseWriter behind
// the wrappers of other middlewares, as http.ResponseController does.
func (in *Inbound) findReadDeadline() {
	w := in.w
	for in.SetReadDeadline == nil && w != nil {
		switch t := w.(type) {
		case interface{ SetReadDeadline(time.Time) error }:
			in.SetReadDeadline = t.SetReadDeadline
		case interface{ Unwrap() http.ResponseWriter }:
			w = t.Unwrap()
		default:
			in.noDeadline = true
			return
		}
	}
}

// interrupt makes a Read that is under way fail. The deadline lies in the past, so
// it is never later than the server's own.
//
// Over HTTP/1 a Read writes, too: the go-ahead of Expect: 100-continue, or the TLS
// records that the sender asks for. A sender that reads nothing would hold it there.
func (in *Inbound) interrupt() error {
	by := time.Now().Add(10 * hangUp) // with time for the answer
	if in.writes && (in.writeBy.IsZero() || by.Before(in.writeBy)) {
		http.NewResponseController(in.w).SetWriteDeadline(by)
	}
	return in.SetReadDeadline(time.Unix(1, 0))
}

var (
	errMediaType = errors.New("the Content-Type is not the endpoint's, or is repeated")
	errEncoding  = errors.New("the body has a Content-Encoding: the signature is over the bytes before it was added")
)

// checkHead refuses what is wrong with a head whatever the scheme is.
func (g *Guard) checkHead(in *Inbound) error {
	if in.Head.Method != http.MethodPost {
		return &verify.Error{Reason: verify.ErrMethod}
	}
	if v := in.Head.Header["Content-Type"]; len(v) > 0 {
		mediaType, _, _ := strings.Cut(v[0], ";")
		if len(v) > 1 || !strings.EqualFold(strings.TrimSpace(mediaType), g.profile.MediaType) {
			return &verify.Error{Reason: verify.ErrMediaType, Cause: errMediaType}
		}
	}
	if v := in.Head.Header["Content-Encoding"]; len(v) > 1 || len(v) == 1 && v[0] != "" && !strings.EqualFold(v[0], "identity") {
		return &verify.Error{Reason: verify.ErrMediaType, Cause: errEncoding}
	}
	if in.ContentLength > g.opts.MaxBody {
		return &verify.Error{Reason: verify.ErrTooLarge}
	}
	return nil
}
