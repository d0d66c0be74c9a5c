package capture

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/hooknotary/hooknotary/verify"
)

// Capture is one delivery as it arrived. The zero value is an empty POST. A Capture
// is not safe for concurrent use while it is changed.
type Capture struct {
	// Method is the request's method. Empty means POST.
	Method string

	// URL is the request's URL: a path, or an absolute URL where the public one is
	// known. Nil means "/".
	URL *url.URL

	// Host is the Host header, where it is known.
	Host string

	// Header holds the other header fields under their canonical names.
	Header http.Header

	// Body is exactly what arrived, unless Inexact says otherwise.
	Body []byte

	// ReceivedAt is when the request arrived, at the clock of the receiver. The zero
	// time means that nobody wrote it down.
	ReceivedAt time.Time

	// Note is for people. It may have several lines.
	Note string

	// Expect is what a verifier is expected to say: [Accept], the label of a
	// [verify.Reason], or nothing where that is not known.
	Expect string

	// Inexact says why Body may not be the bytes that were signed. Empty: it is
	// exact.
	Inexact string
}

// Accept is the expectation of a capture that verifies.
const Accept = "accept"

// New makes a Capture of a request whose body was read already. It copies the
// header and takes the body as it is.
func New(r *http.Request, body []byte, receivedAt time.Time) *Capture {
	header := r.Header.Clone()
	if header == nil {
		header = make(http.Header)
	}
	u := *r.URL
	return &Capture{Method: r.Method, URL: &u, Host: r.Host, Header: header, Body: body, ReceivedAt: receivedAt}
}

// Head returns what a verifier sees before the body. It shares the header and the URL
// with c. A verifier refuses it if ReceivedAt is zero.
func (c *Capture) Head() *verify.Head {
	return &verify.Head{URL: c.url(), Method: c.method(), Header: c.Header, ReceivedAt: c.ReceivedAt}
}

// Request returns the request as a server's handler gets it, with its own copy of
// the header. It shares the body with c.
func (c *Capture) Request(ctx context.Context) *http.Request {
	header := c.Header.Clone()
	if header == nil {
		header = make(http.Header)
	}
	u := *c.url()
	r := &http.Request{
		Method: c.method(), URL: &u, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Host: c.Host, RemoteAddr: "192.0.2.1:1234", RequestURI: u.RequestURI(),
		Body: http.NoBody, ContentLength: int64(len(c.Body)),
	}
	if r.Host == "" {
		r.Host = u.Host
	}
	if len(c.Body) > 0 {
		r.Body = io.NopCloser(bytes.NewReader(c.Body))
	}
	return r.WithContext(ctx)
}

func (c *Capture) method() string {
	if c.Method == "" {
		return http.MethodPost
	}
	return c.Method
}

func (c *Capture) url() *url.URL {
	if c.URL == nil {
		return &url.URL{Path: "/"}
	}
	return c.URL
}

// Clone returns a copy of c that shares the body and nothing else with it.
func (c *Capture) Clone() *Capture {
	clone := *c
	clone.Header = c.Header.Clone()
	if c.URL != nil {
		u := *c.URL
		clone.URL = &u
	}
	return &clone
}
