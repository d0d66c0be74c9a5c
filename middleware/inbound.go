package middleware

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
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
	noDeadline bool                // something hides it
	readErr    error               // with which reading the body ended, if not with its end

	bark    appointment // when the body took too long
	barking sync.WaitGroup
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

// watch makes reads fail after d. The deadline is set only then, and into the
// past, so it is never later than the server's own.
func (in *Inbound) watch(a *agenda, d time.Duration) {
	in.bark.do = func() {
		defer in.barking.Done()
		defer func() { recover() }() // a panic here would end the program
		in.SetReadDeadline(time.Unix(1, 0))
	}
	in.barking.Add(1)
	a.add(&in.bark, d)
}

// unwatch ends the watch. It is false if the time was over.
func (in *Inbound) unwatch(a *agenda) bool {
	if a.remove(&in.bark) {
		return true
	}
	in.barking.Wait()
	return false
}

var (
	errMediaType = errors.New("the Content-Type is not the endpoint's, or is repeated")
	errEncoding  = errors.New("the body has a Content-Encoding: the signature is over the bytes before it was added")
	errLength    = errors.New("the body is not as long as the Content-Length says: was it read or changed before it reached the guard?")
	errSlow      = errors.New("the body took too long")
	errRoom      = errors.New("there is no room for the body: too many are in flight")
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

const firstRead = 8 << 10 // room for a body before any of it has come

// readBody reads the body to its end. Whatever the error, it returns what it has
// read, and whether the rest is still to come.
func (g *Guard) readBody(ctx context.Context, in *Inbound, s *share) (body []byte, unread bool, err error) {
	if in.Body == nil {
		if in.ContentLength > 0 {
			return nil, false, &verify.Error{Reason: verify.ErrBody, Cause: errLength}
		}
		return []byte{}, false, nil
	}
	start := time.Now()
	bounded := !g.opts.InsecureReportOnly // else the handler reads as if there were no guard
	if bounded {
		in.findReadDeadline()
	}
	if bounded && in.SetReadDeadline != nil {
		in.watch(&g.agenda, g.opts.BodyTimeout)
		defer func() {
			if !in.unwatch(&g.agenda) && err == nil {
				unread, err = true, &verify.Error{Reason: verify.ErrBody, Cause: errSlow}
			}
		}()
	}
	size := int64(firstRead)
	if 0 <= in.ContentLength && in.ContentLength < size {
		size = in.ContentLength + 1 // one more, to see the end
	}
	size = min(size, g.opts.MaxBody+1)
	if !s.grow(ctx, size) {
		return nil, true, &verify.Error{Reason: verify.ErrUnavailable, Cause: errRoom}
	}
	body = make([]byte, 0, size)
	for idle := 0; ; {
		if len(body) == cap(body) {
			more := min(2*int64(cap(body)), g.opts.MaxBody+1)
			if more == smallBody-1 {
				more = smallBody // to see the end of a small body without being a large one
			}
			if in.ContentLength >= int64(cap(body)) {
				more = min(more, in.ContentLength+1)
				if more > smallBody {
					// All at once: large bodies that wait for each other's halves
					// would all fail.
					more = in.ContentLength + 1
				}
			}
			if !s.grow(ctx, more-int64(cap(body))) {
				return body, true, &verify.Error{Reason: verify.ErrUnavailable, Cause: errRoom}
			}
			body = append(make([]byte, 0, more), body...)
		}
		n, err := in.Body.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case int64(len(body)) > g.opts.MaxBody:
			return body, true, &verify.Error{Reason: verify.ErrTooLarge}
		case err == io.EOF:
			if in.ContentLength >= 0 && int64(len(body)) != in.ContentLength {
				return body, false, &verify.Error{Reason: verify.ErrBody, Cause: errLength}
			}
			return body, false, nil
		case err != nil:
			in.readErr = err
			return body, true, bodyError(err)
		case bounded && time.Since(start) > g.opts.BodyTimeout:
			return body, true, &verify.Error{Reason: verify.ErrBody, Cause: errSlow}
		case n > 0:
			idle = 0
		default:
			if idle++; idle > 100 {
				in.readErr = io.ErrNoProgress
				return body, true, bodyError(in.readErr)
			}
		}
	}
}

func bodyError(err error) error {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return &verify.Error{Reason: verify.ErrTooLarge, Cause: err}
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &verify.Error{Reason: verify.ErrBody, Cause: errSlow}
	}
	return &verify.Error{Reason: verify.ErrBody, Cause: err}
}
