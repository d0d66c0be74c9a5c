package middleware

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/hooknotary/hooknotary/verify"
)

// Response is what the guard sends in the handler's place. The guard shares the
// responses that [Guard.Admit] returns between requests: do not change one, except
// in Options.OnReject.
type Response struct {
	Reason verify.Reason
	Status int
	Header http.Header
	Body   []byte

	unread bool // the request's body is not read to its end
	close  bool // end the connection in any case
}

// hangUp is how long a sender may go on with a body that was refused.
const hangUp = 50 * time.Millisecond

// responses holds the responses that do not depend on the request, by reason and by
// whether the body is unread.
type responses [verify.ErrUnavailable + 1][2]*Response

func newResponses(wants verify.Rejection) *responses {
	all := new(responses)
	for reason := range all {
		all[reason] = [2]*Response{newResponse(verify.Reason(reason), wants), newResponse(verify.Reason(reason), wants)}
		all[reason][1].unread = true
	}
	return all
}

func newResponse(reason verify.Reason, wants verify.Rejection) *Response {
	a := &Response{Reason: reason, Header: make(http.Header, 4)}
	switch reason {
	case verify.ErrMethod:
		a.Status = http.StatusMethodNotAllowed
		a.Header.Set("Allow", http.MethodPost)
	case verify.ErrMediaType:
		a.Status = http.StatusUnsupportedMediaType
	case verify.ErrTooLarge:
		a.Status = http.StatusRequestEntityTooLarge
	case verify.ErrBody:
		a.Status = http.StatusBadRequest
	case verify.ErrReplayed, verify.ErrInFlight:
		a.Status = http.StatusConflict
	case verify.ErrUnavailable:
		a.Status = http.StatusServiceUnavailable
		a.Header.Set("Retry-After", "10")
	default:
		a.Status = http.StatusUnauthorized
		setDefault(&wants.Status, a.Status)
		if a.Status = wants.Status; a.Status == http.StatusUnauthorized {
			a.Header.Set("WWW-Authenticate", "Webhook-Signature")
		}
		a.close = true // else the response would tell whether the body was read
		if wants.NoBody {
			return a
		}
	}
	a.describe()
	return a
}

// describe writes the status into the body.
func (a *Response) describe() {
	a.Header.Set("Content-Type", "application/problem+json")
	a.Body = problem(a.Status)
}

func problem(status int) []byte {
	title := http.StatusText(status)
	if title == "" {
		title = "Refused" // a status that a provider made up
	}
	return fmt.Appendf(nil, `{"type":"about:blank","title":%q,"status":%d}`, title, status)
}

// reasonOf is verify.ReasonOf, but for a reason that nobody knows.
func reasonOf(err error) verify.Reason {
	return min(verify.ReasonOf(err), verify.ErrUnavailable)
}

// response returns the response to a refusal.
func (g *Guard) response(ctx context.Context, r refusal) *Response {
	reason := reasonOf(r.err)
	a := g.responses[reason][0]
	if r.body.unread {
		a = g.responses[reason][1]
	}
	slow := reason == verify.ErrBody && errors.Is(r.err, errSlow)
	if !slow && reason != verify.ErrInFlight && g.opts.OnReject == nil {
		return a
	}
	own := *a
	own.Header, own.Body = a.Header.Clone(), slices.Clone(a.Body)
	if slow {
		own.Status = http.StatusRequestTimeout
		own.describe()
	}
	if reason == verify.ErrInFlight {
		own.Header.Set("Retry-After", seconds(r.retry))
	}
	if g.opts.OnReject != nil {
		status := own.Status
		g.opts.OnReject(ctx, reason, &own)
		// It may have assigned a whole Response.
		own.Reason, own.unread, own.close = reason, a.unread, a.close
		switch {
		case own.Status < 400 || own.Status > 599:
			own.Status = status
		case own.Status != status && bytes.Equal(own.Body, problem(status)):
			own.Body = problem(own.Status)
		}
	}
	return &own
}

// acknowledge returns the response to an honest repeat.
func acknowledge() *Response {
	return &Response{
		Reason: verify.ErrReplayed,
		Status: http.StatusOK,
		Header: http.Header{"Webhook-Duplicate": {"1"}},
	}
}

// seconds rounds up to a whole number of at least one.
func seconds(d time.Duration) string {
	return strconv.FormatInt(max(1, int64(math.Ceil(d.Seconds()))), 10)
}

// ServeHTTP writes the response. Where the body of an HTTP/1 request is still
// unread, it ends the connection: otherwise the server would wait for up to 256
// KiB of it before the response leaves. On HTTP/2 that would end other requests,
// too, and is not needed.
//
// It takes the body out of r: whatever still runs on r, because a framework goes on
// behind a refusal or a middleware outside looks at the request, finds none.
func (a *Response) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body, r.GetBody = http.NoBody, nil
	h := w.Header()
	for name, values := range a.Header {
		h[name] = slices.Clone(values)
	}
	if a.Status != http.StatusNoContent {
		h.Set("Content-Length", strconv.Itoa(len(a.Body)))
	}
	if r.ProtoMajor == 1 && (a.unread || a.close) {
		h.Set("Connection", "close")
	}
	if a.unread && r.ProtoMajor == 1 {
		http.NewResponseController(w).SetReadDeadline(time.Now().Add(hangUp))
	}
	w.WriteHeader(a.Status)
	w.Write(a.Body)
}
