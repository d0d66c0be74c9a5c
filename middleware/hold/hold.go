// Package hold holds a handler's response back until it is known whether it may leave.
// It is for authors of adapters: middleware.Guard.Handler uses it for net/http, and an
// adapter for another framework puts it beneath that framework's response.
package hold

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const maxHeld = 1 << 20

// ErrResponseTooLarge is what Held.Write returns beyond 1 MiB.
var ErrResponseTooLarge = errors.New("hold: the response is larger than 1 MiB")

var errSent = errors.New("hold: the response was sent before")

// Held is a http.ResponseWriter that holds a response back until it is known
// whether it may leave. Flush does nothing, Hijack is not supported, and there is
// no Unwrap, so that nothing can write past it. Deadlines of
// http.ResponseController are passed on.
//
// Informational responses (1xx) are dropped: a framework outside could take one for
// the final response, and the sender needs none. 101 becomes 500, because a
// connection that is upgraded cannot be settled.
//
// The first final status counts, with one exception: a status other than 2xx after
// a 2xx takes its place, and the response that was held is discarded. So a recoverer
// that writes 500 after the handler wrote 200 makes a failure of it. Another 2xx
// changes nothing, and no 2xx makes a success of a failure.
//
// It holds up to 1 MiB. Write returns an error for a longer response. If the handler
// ignores that error, the event is handled all the same, and the response leaves with
// its status and without its body.
type Held struct {
	w      http.ResponseWriter
	before http.Header // as it was before the handler
	header http.Header // as it was when the handler wrote its status; nil before
	status int         // 0 until then
	length int64       // the Content-Length, or -1
	body   bytes.Buffer
	tooBig bool
	sent   bool
}

// Hold returns a Held that sends to w. Headers are written to w's own header
// map, as the handler sets them.
func Hold(w http.ResponseWriter) *Held {
	h := &Held{w: w}
	if len(w.Header()) > 0 {
		h.before = w.Header().Clone()
	}
	return h
}

// Header returns the header map of the response.
func (h *Held) Header() http.Header { return h.w.Header() }

// WriteHeader notes the status. Like the server's own, it panics on a status of
// other than three digits.
func (h *Held) WriteHeader(status int) {
	if status < 100 || status > 999 {
		panic(fmt.Sprintf("hold: invalid WriteHeader code %v", status))
	}
	if h.sent {
		return
	}
	if status == http.StatusSwitchingProtocols {
		h.w.Header().Del("Upgrade")
		h.w.Header().Del("Connection")
		status = http.StatusInternalServerError
	}
	switch {
	case status < 200:
		return
	case h.status/100 == 2 && status/100 != 2:
		h.dropSuccess()
	case h.status != 0:
		return
	}
	h.status = status
	h.header = h.w.Header().Clone()
	h.length = -1
	if n, err := strconv.ParseInt(h.header.Get("Content-Length"), 10, 64); err == nil {
		h.length = n
	}
}

// dropSuccess throws a 2xx away for the failure that comes after it. The headers of
// the 2xx go with it, except Content-Type, which whoever writes the failure may have
// set to the same value.
func (h *Held) dropSuccess() {
	late := h.w.Header().Clone()
	for name, values := range h.header {
		if name != "Content-Type" && slices.Equal(late[name], values) {
			delete(late, name)
		}
	}
	h.Reset()
	maps.Copy(h.w.Header(), late)
}

// Write keeps b. It returns ErrResponseTooLarge when more than 1 MiB would be kept,
// and like the server's own http.ErrBodyNotAllowed if the status allows no body,
// and http.ErrContentLength beyond the Content-Length that the handler has set.
func (h *Held) Write(b []byte) (int, error) {
	if h.status == 0 {
		h.WriteHeader(http.StatusOK)
	}
	switch {
	case h.sent:
		return 0, errSent
	case !bodyAllowed(h.status):
		return 0, http.ErrBodyNotAllowed
	case h.length >= 0 && int64(h.body.Len()+len(b)) > h.length:
		return 0, http.ErrContentLength
	case h.tooBig || h.body.Len()+len(b) > maxHeld:
		h.tooBig = true
		return 0, ErrResponseTooLarge
	}
	return h.body.Write(b)
}

// WriteString is like Write.
func (h *Held) WriteString(s string) (int, error) { return h.Write([]byte(s)) }

func bodyAllowed(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}

// Flush does nothing: the response leaves when the event is settled.
func (h *Held) Flush() {}

// SetReadDeadline serves http.ResponseController.
func (h *Held) SetReadDeadline(t time.Time) error {
	return http.NewResponseController(h.w).SetReadDeadline(t)
}

// SetWriteDeadline serves http.ResponseController.
func (h *Held) SetWriteDeadline(t time.Time) error {
	return http.NewResponseController(h.w).SetWriteDeadline(t)
}

// EnableFullDuplex serves http.ResponseController.
func (h *Held) EnableFullDuplex() error {
	return http.NewResponseController(h.w).EnableFullDuplex()
}

// Status returns the final status: 200 if the handler wrote nothing.
func (h *Held) Status() int {
	if h.status == 0 {
		return http.StatusOK
	}
	return h.status
}

// Success reports whether the status is 2xx.
func (h *Held) Success() bool { return h.Status()/100 == 2 }

// Reset discards the response, headers included. Another one may be written.
func (h *Held) Reset() {
	if h.sent {
		return
	}
	replaceHeader(h.w.Header(), h.before)
	h.header, h.status, h.tooBig = nil, 0, false
	h.body.Reset()
}

// Send lets the response out. Afterwards nothing more is written.
func (h *Held) Send() {
	if h.sent {
		return
	}
	h.sent = true
	if h.status == 0 {
		return // the server responds with 200
	}
	live := h.w.Header()
	trailers := trailersOf(live, h.header)
	replaceHeader(live, h.header)
	if h.tooBig {
		for _, name := range [...]string{"Content-Length", "Content-Type", "Content-Encoding", "Etag"} {
			live.Del(name)
		}
		h.body.Reset()
	}
	h.w.WriteHeader(h.status)
	if h.body.Len() > 0 {
		h.w.Write(h.body.Bytes())
	}
	for name, values := range trailers {
		live[name] = values
	}
}

// trailersOf returns what a handler set after its status and meant to be sent
// after the body.
func trailersOf(live, declared http.Header) http.Header {
	var trailers http.Header
	keep := func(name string) {
		if values, ok := live[name]; ok {
			if trailers == nil {
				trailers = make(http.Header)
			}
			trailers[name] = values
		}
	}
	for _, list := range declared["Trailer"] {
		for name := range strings.SplitSeq(list, ",") {
			keep(http.CanonicalHeaderKey(strings.TrimSpace(name)))
		}
	}
	for name := range live {
		if strings.HasPrefix(name, http.TrailerPrefix) {
			keep(name)
		}
	}
	return trailers
}

func replaceHeader(dst, src http.Header) {
	clear(dst)
	for name, values := range src {
		dst[name] = values
	}
}
