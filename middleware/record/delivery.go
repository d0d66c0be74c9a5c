package record

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/observe"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/capture"
)

const firstPiece = 8 << 10 // buffer of a body whose length is known, at first

// delivery is a request under way. Its body may be read on other goroutines than
// that of the request, and after it.
type delivery struct {
	rec     *Recorder
	capture *capture.Capture // the head, as it was before anybody changed it
	length  int64            // of the body, as the head announces it, or -1

	mu      sync.Mutex
	over    bool // nothing is noted any more
	read    int64
	body    []byte // what is kept of that
	gap     bool   // no more is kept
	eof     bool
	readErr error
	judged  bool
	event   middleware.Report
	signed  []byte // the body that the guard read, if its signature is good
}

func newDelivery(r *Recorder, req *http.Request) *delivery {
	c := capture.New(req, nil, time.Time{})
	delete(c.Header, "Host") // as net/http leaves it there on HTTP/2; it is in req.Host
	return &delivery{rec: r, capture: c, length: req.ContentLength}
}

// request returns req as the guard should see it.
func (d *delivery) request(req *http.Request) *http.Request {
	body := req.Body
	req = req.WithContext(observe.With(req.Context(), d.judge))
	if body != nil && body != http.NoBody {
		req.Body = &tee{body, d}
	}
	return req
}

// judge is the observer: the last guard that speaks is the outermost.
func (d *delivery) judge(ctx context.Context, e middleware.Report) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.over {
		go d.rec.report(genuine, errLate)
		return
	}
	d.judged, d.event, d.signed = true, e, observe.SignedBody(ctx)
}

// tee notes what is read of a body.
type tee struct {
	io.ReadCloser
	d *delivery
}

func (t *tee) Read(p []byte) (int, error) {
	n, err := t.ReadCloser.Read(p)
	t.d.note(p[:n], err)
	return n, err
}

func (d *delivery) note(p []byte, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.over {
		return
	}
	d.read += int64(len(p))
	switch {
	case err == io.EOF:
		d.eof = true
	case err != nil:
		d.readErr = err
	}
	p = p[:min(int64(len(p)), d.rec.opts.MaxBody-int64(len(d.body)))]
	if d.gap || len(p) == 0 {
		return
	}
	if d.gap = !d.grow(int64(len(p))); !d.gap {
		d.body = append(d.body, p...)
	}
}

// grow takes memory for n more bytes, if there is some left.
func (d *delivery) grow(n int64) bool {
	have, need, most := int64(cap(d.body)), int64(len(d.body))+n, d.rec.opts.MaxBody
	if need <= have {
		return true
	}
	need = max(need, min(2*have, most), min(d.length, firstPiece, most))
	if d.rec.memory.Add(have-need) < 0 {
		d.rec.memory.Add(need - have)
		return false
	}
	d.body = append(make([]byte, 0, need), d.body...)
	return true
}

// end ends the notes. From here on nothing changes d.
func (d *delivery) end() (e middleware.Report, judged bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.over = true
	d.rec.memory.Add(int64(cap(d.body)))
	return d.event, d.judged
}

// complete fills in the capture. So many refusals before this one were left out.
func (d *delivery) complete(left int) *capture.Capture {
	c, e := d.capture, &d.event
	c.ReceivedAt = e.ReceivedAt
	if u, err := url.Parse(e.PublicURL); err == nil && u.Host != "" {
		c.URL.Scheme, c.URL.Host, c.URL.User = u.Scheme, u.Host, nil
	}
	c.Body = d.body
	if n := min(d.read, d.rec.opts.MaxBody); int64(len(d.body)) < n && int64(len(d.signed)) == d.read && bytes.HasPrefix(d.signed, d.body) {
		c.Body = slices.Clone(d.signed[:n])
	}
	c.Inexact = d.inexact(int64(len(c.Body)))
	if c.Inexact == "" || !onBody(e) {
		c.Expect = expectation(e)
	}
	var dropped []string
	for _, name := range d.rec.opts.Drop {
		if name = http.CanonicalHeaderKey(name); c.Header[name] != nil {
			delete(c.Header, name)
			dropped = append(dropped, name)
		}
	}
	c.Note = note(e, left, dropped)
	return c
}

// inexact says why a body of which so much is kept is not what was sent or judged.
func (d *delivery) inexact(kept int64) string {
	switch judged := int64(d.event.BodyBytes); {
	case d.length >= 0 && d.read != d.length:
		return fmt.Sprintf("%d of the %d bytes of the body were read", d.read, d.length)
	case d.length < 0 && (!d.eof || d.readErr != nil):
		return fmt.Sprintf("%d bytes of the body were read, and not to its end", d.read)
	case onBody(&d.event) && judged != d.read:
		return fmt.Sprintf("%d bytes arrived and the guard read %d: something between recorder and guard changes the body", d.read, judged)
	case kept < d.read:
		return fmt.Sprintf("only the first %d of the %d bytes of the body were recorded", kept, d.read)
	}
	return ""
}

// onBody reports whether the verifier's verdict is on the body, and not on the head
// alone.
func onBody(e *middleware.Report) bool {
	return e.Verified || e.Reason == verify.ErrMismatch || e.BodyBytes > 0 && expectation(e) != ""
}

// expectation returns what a verifier says of the request.
func expectation(e *middleware.Report) string {
	switch {
	case e.Verified:
		return capture.Accept
	case e.Signed(): // the verdict rests on more than the request
		return ""
	}
	switch e.Reason {
	case verify.ErrUnsigned, verify.ErrMalformed, verify.ErrTooOld, verify.ErrTooNew, verify.ErrNoKey, verify.ErrMismatch, verify.ErrUntrusted:
		return e.Reason.String()
	}
	return ""
}

// note says what became of a request.
func note(e *middleware.Report, left int, dropped []string) string {
	var b strings.Builder
	b.WriteString(e.Outcome.String())
	if e.Reason != 0 {
		b.WriteString(": " + e.Reason.String())
	}
	if e.Signed() && e.Reason != 0 {
		b.WriteString(", and the signature holds")
	}
	if e.ClaimKept {
		b.WriteString(", and the claim was kept: its effects may have come about")
	}
	if e.Status != 0 {
		fmt.Fprintf(&b, ", answered %d", e.Status)
	}
	if e.ReportOnly {
		b.WriteString(", by a guard that only reports")
	}
	fmt.Fprintf(&b, "\nendpoint %s, provider %s, correlation id %s", e.Endpoint, e.Provider, e.CorrelationID)
	if left > 0 {
		fmt.Fprintf(&b, "\n%d refusals for the same reason before this one were not recorded", left)
	}
	if len(dropped) > 0 {
		fmt.Fprintf(&b, "\nleft out: %s", strings.Join(dropped, ", "))
	}
	return b.String()
}

// redact lets Options.Redact change c, and sees to it that a changed body does not
// pass for the one that was signed.
func (r *Recorder) redact(c *capture.Capture) {
	if r.opts.Redact == nil {
		return
	}
	before := c.Body
	c.Body = slices.Clone(before)
	r.opts.Redact(c)
	if bytes.Equal(c.Body, before) {
		return
	}
	if c.Inexact == "" {
		c.Inexact = "the body was redacted"
	}
	if c.Expect == capture.Accept {
		c.Expect = ""
	}
}
