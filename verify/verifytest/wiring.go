package verifytest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/verify/capture"
)

// Signer plays the provider for [Protected].
type Signer struct {
	// Sign returns a genuine delivery of a body, signed at a time: a POST to the
	// URL at which the provider reaches the handler, as stripetest.NewRequest and
	// its like make one. Required.
	Sign func(at time.Time, body []byte) *http.Request

	// Forge is like Sign, with a key that is not the endpoint's. Nil: no delivery
	// under another key is tried.
	Forge func(at time.Time, body []byte) *http.Request

	// Headers names the headers that hold a signature. Required.
	Headers []string

	// Bodies are the bodies of two different events that the handler responds with
	// 2xx. Each of them is handled once. Required.
	Bodies [2][]byte

	// Untimed: the scheme signs no time, as GitHub's does, so nothing can be stale.
	Untimed bool

	// Runs, if not nil, returns how often the handler has run so far, such as the
	// method Load of an atomic.Int64. It is called before and after each request.
	// Without it the responses alone have to tell: a 2xx counts as a run. Set it if
	// you can.
	Runs func() int64

	// Now is the clock of the guard. Default: time.Now.
	Now func() time.Time

	// Routes are further paths of the server, "/internal/stripe". Nothing unproved
	// may reach the handler there, whatever the method. With Runs they may be all
	// that the server has; without it, only those that lead to a webhook handler.
	Routes []string

	patience time.Duration // how long a response may take; a provider waits no longer
}

// Protected tests the wiring of a server: h is what you serve, with its router and
// all its middlewares. It fails the test if the guard is missing, stands on another
// route or method, only reports, forgets what was handled, or if something in front
// of it reads bodies or changes its responses; and it says which of these is likely.
//
// It sends requests to h, first in process and then through a server on loopback:
// unsigned and forged ones, stale and future ones, some of another method or
// Content-Type, one with a large body that nobody may wait for; then a genuine one,
// twice. It stops at the first group that has something wrong.
//
// A request is refused with any status from 400 to 599, so OnReject of the guard may
// choose. The genuine one passes with any 2xx. Its copy must not run the handler;
// where Signer.Runs is nil, the response to it must be 409, or 2xx with the header
// Webhook-Duplicate. A middleware that reads the body of a request whose head the
// guard refuses fails the test also if it puts the body back: it gives to anyone the
// memory and the time that the guard keeps from them.
//
// The handler must stand behind a new store, or one that does not know the
// events of the Signer. Protected is not for schemes whose signature leaves out the
// body. It tests one endpoint: call it for each one that you have, with the same
// Bodies for those of one provider, and it notices two that share a guard.
func Protected(t testing.TB, h http.Handler, s Signer) {
	t.Helper()
	if problem := s.incomplete(h); problem != "" {
		t.Fatal("verifytest: " + problem)
	}
	if !newWiring(t, s, 0, &direct{h}).examine("in process") {
		return
	}
	if s.patience == 0 {
		s.patience = 10 * time.Second
	}
	server := serve(h, s.patience)
	defer server.Close()
	newWiring(t, s, 1, server).examine("over a real connection")
}

func (s *Signer) incomplete(h http.Handler) string {
	switch {
	case h == nil:
		return "there is no handler"
	case s.Sign == nil || len(s.Headers) == 0:
		return "Signer needs Sign and Headers"
	case bytes.Equal(s.Bodies[0], s.Bodies[1]):
		return "Signer needs two different Bodies"
	}
	for _, path := range s.Routes {
		if !strings.HasPrefix(path, "/") {
			return fmt.Sprintf("the route %q does not begin with a slash", path)
		}
	}
	return ""
}

// wiring is a server under examination, which is reached in one of two ways.
type wiring struct {
	Signer
	t    testing.TB
	to   sender
	body []byte // of the event that is handled
	next []byte // of another one
}

func newWiring(t testing.TB, s Signer, event int, to sender) *wiring {
	if s.Now == nil {
		s.Now = time.Now
	}
	return &wiring{Signer: s, t: t, to: to, body: s.Bodies[event], next: s.Bodies[1-event]}
}

// sender sends a request and tells what became of it.
type sender interface {
	// send sends all of a request.
	send(c *capture.Capture) outcome
	// sendHead sends a request of whose body of the given size nothing needs to be
	// read.
	sendHead(c *capture.Capture, size int) outcome
}

// outcome is what became of a request.
type outcome struct {
	status    int   // 0 if there was no response
	duplicate bool  // the response says that the event was handled before
	ran       int64 // how often the handler ran, or unknown
	read      int64 // how much of the body was read, or unknown
	panicked  string
	stack     []byte
	err       error // why there was no response
}

const unknown = -1

// reached reports whether a request that is none of the guard's got to a handler
// that took it.
func (o outcome) reached() bool {
	if o.ran == unknown {
		return o.panicked != "" || o.status/100 == 2 && o.read > 0
	}
	return o.ran > 0
}

// ending says how a request ended that reached a handler.
func (o outcome) ending() string {
	switch {
	case o.panicked != "":
		return "panicked: " + o.panicked
	case o.err != nil:
		return fmt.Sprintf("did not answer: %v", o.err)
	}
	return fmt.Sprintf("answered %d", o.status)
}

// complaint is one thing that is wrong, and why that probably is.
type complaint struct{ what, cause string }

// The likely causes of more than one complaint.
const (
	unguarded = "no guard stands in front of the handler on this route and method, or it only reports (InsecureReportOnly)"
	masked    = "something in front of the guard makes a success of its refusals (a middleware that recovers, handles errors or rewrites responses), or another handler takes this URL"
	redirects = "no provider follows a redirect: is the URL of Sign, with or without a slash at its end, the one of the route, and does something insist on https?"
	early     = "something in front of the guard reads the body of every request: a middleware that logs, dumps, decompresses or parses bodies belongs behind it"
	bypass    = "the handler can be reached without the guard by another route or method, or the guard there only reports"
	known     = "the event was handled before: does another handler stand behind the same guard, or under the same endpoint name in the same store, was this handler used by another test, or are the two Bodies of one event?"
	forgets   = "the store forgets: is a guard or a store made for each request? Make it once, when the server starts"
)

// examine reports whether nothing is wrong.
func (w *wiring) examine(way string) bool {
	w.t.Helper()
	c := w.genuine(w.Now())
	for _, group := range []func() []complaint{w.tryForged, w.tryStale, w.tryUnacceptable, w.tryOtherRoutes, w.tryHandled} {
		if found := group(); len(found) > 0 {
			w.t.Errorf("%s %s is not wired as it should be (%s; what comes after this was not tried):%s", c.Method, c.URL.Path, way, list(found))
			return false
		}
	}
	return true
}

// list writes complaints, with each cause once.
func list(found []complaint) string {
	var b strings.Builder
	for i, c := range found {
		fmt.Fprintf(&b, "\n\t%s", c.what)
		if i+1 == len(found) || found[i+1].cause != c.cause {
			fmt.Fprintf(&b, "\n\t\tlikely cause: %s", c.cause)
		}
	}
	return b.String()
}

// try sends a request and counts the runs of the handler.
func (w *wiring) try(send func() outcome) outcome {
	if w.Runs == nil {
		o := send()
		o.ran = unknown
		return o
	}
	before := w.Runs()
	o := send()
	o.ran = w.Runs() - before
	return o
}

func (w *wiring) send(c *capture.Capture) outcome {
	return w.try(func() outcome { return w.to.send(c) })
}

// delivery returns what sign makes, as a request that reaches a server.
func (w *wiring) delivery(sign func(time.Time, []byte) *http.Request, at time.Time, body []byte) *capture.Capture {
	w.t.Helper()
	r := sign(at, bytes.Clone(body))
	if r == nil || r.Method != http.MethodPost || r.URL == nil {
		w.t.Fatal("verifytest: Sign and Forge must return a POST request with a URL")
	}
	var sent []byte
	if r.Body != nil {
		var err error
		if sent, err = io.ReadAll(r.Body); err != nil {
			w.t.Fatalf("verifytest: the body that Sign returns cannot be read: %v", err)
		}
	}
	c := capture.New(r, sent, at)
	c.URL = &url.URL{Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery}
	if c.URL.Path == "" {
		c.URL.Path = "/"
	}
	for _, name := range w.Headers {
		if c.Header.Get(name) == "" {
			w.t.Fatalf("verifytest: the request that Sign returns has no header %s, which Headers names: take it out of Headers, or let Sign set it", name)
		}
	}
	return c
}

func (w *wiring) genuine(at time.Time) *capture.Capture {
	w.t.Helper()
	return w.delivery(w.Sign, at, w.body)
}

// unsigned returns a delivery without its signatures.
func (w *wiring) unsigned() *capture.Capture {
	c := w.genuine(w.Now())
	for _, name := range w.Headers {
		c.Header.Del(name)
	}
	return c
}

// tryForged tries what nobody signed.
func (w *wiring) tryForged() (found []complaint) {
	w.t.Helper()
	refuse := func(what string, c *capture.Capture) {
		found = append(found, refused(what, w.send(c))...)
	}
	refuse("an unsigned request", w.unsigned())

	c := w.genuine(w.Now())
	for _, name := range w.Headers {
		c.Header.Set(name, "")
	}
	refuse("a request with an empty signature header", c)

	c = w.genuine(w.Now())
	c.Body = append(c.Body, '\n')
	refuse("a forged request (its body has a line feed more)", c)

	c = w.genuine(w.Now())
	if i := bytes.LastIndexAny(c.Body, "0123456789"); i >= 0 {
		c.Body[i] ^= 1 // another digit, and still what a parser takes
		refuse("a forged request (its body has another digit)", c)
	}

	c = w.genuine(w.Now())
	for _, name := range w.Headers {
		c.Header.Set(name, otherSignature(c.Header.Get(name)))
	}
	refuse("a forged request (its signature has another digit)", c)

	c = w.delivery(w.Sign, w.Now(), w.next)
	c.Body = w.genuine(w.Now()).Body
	refuse("a forged request (its signature is of another body)", c)

	if w.Forge == nil {
		return found
	}
	stranger := refused("a forged request (another key signed it)", w.send(w.delivery(w.Forge, w.Now(), w.body)))
	if len(found) == 0 {
		for i := range stranger {
			stranger[i].cause = "the guard has that key, too"
		}
	}
	return append(found, stranger...)
}

// tryStale tries what was signed at another time.
func (w *wiring) tryStale() (found []complaint) {
	w.t.Helper()
	if w.Untimed {
		return nil
	}
	for _, tt := range []struct {
		what  string
		years int
	}{
		{"a stale request (signed a year ago)", -1},
		{"a future request (signed a year ahead)", 1},
	} {
		for _, c := range refused(tt.what, w.send(w.genuine(w.Now().AddDate(tt.years, 0, 0)))) {
			c.cause = "the guard's clock is not Signer.Now, or the scheme signs no time and Signer.Untimed should say so"
			found = append(found, c)
		}
	}
	return found
}

// large is the size of a body that is not sent. It is more than a server of
// net/http waits for after a response, and less than any provider's largest body.
const large = 512 << 10

// tryUnacceptable tries genuine requests of another kind, and one with an endless body.
func (w *wiring) tryUnacceptable() (found []complaint) {
	w.t.Helper()
	c := w.genuine(w.Now())
	c.Header.Set("Content-Type", "text/plain")
	found = append(found, refused("a signed request with the Content-Type text/plain", w.send(c))...)

	o := w.try(func() outcome { return w.to.sendHead(w.unsigned(), large) })
	switch {
	case o.err != nil:
		found = append(found, complaint{fmt.Sprintf("an unsigned request was not answered before its body of %d KiB: %v", large>>10, o.err), early})
	case o.read > 0:
		found = append(found, complaint{fmt.Sprintf("%d bytes of the body of an unsigned request were read before it was refused", o.read), early})
	default:
		found = append(found, refused("an unsigned request with a large body", o)...)
	}
	return found
}

// tryOtherRoutes tries other ways to the handler.
func (w *wiring) tryOtherRoutes() (found []complaint) {
	w.t.Helper()
	try := func(c *capture.Capture) {
		if o := w.send(c); o.reached() {
			found = append(found, complaint{fmt.Sprintf("an unproved request, %s %s, reached a handler, which %s", c.Method, c.URL.Path, o.ending()), bypass})
		}
	}
	c := w.genuine(w.Now())
	others := []string{http.MethodGet, http.MethodPut, http.MethodPatch, http.MethodDelete}
	for _, method := range others {
		c.Method = method // the signature holds, but no guard takes another method
		try(c)
	}
	c = w.unsigned()
	for _, path := range w.Routes {
		for _, method := range append(others, http.MethodPost) {
			c.Method, c.URL = method, &url.URL{Path: path}
			try(c)
		}
	}
	if w.Runs != nil { // else nobody could tell the handler from a page for all other paths
		c = w.unsigned()
		path := c.URL.Path
		for _, spelling := range []string{path + "/", "/" + path, strings.ToUpper(path)} {
			c.URL = &url.URL{Path: spelling}
			try(c)
		}
	}
	return found
}

// tryHandled tries the genuine request and its copy.
func (w *wiring) tryHandled() []complaint {
	w.t.Helper()
	c := w.genuine(w.Now())
	first := w.send(c)
	if first.panicked != "" {
		w.t.Logf("%s", first.stack)
	}
	if what, cause := first.unaccepted(); what != "" {
		return []complaint{{"the genuine request " + what, cause}}
	}
	if what, cause := w.send(c).unrecognised(); what != "" {
		return []complaint{{"a copy of the genuine request " + what, cause}}
	}
	return nil
}

// refused complains unless a request was refused.
func refused(what string, o outcome) []complaint {
	switch {
	case o.ran > 0 || o.panicked != "":
		return []complaint{{fmt.Sprintf("%s reached the handler, which %s", what, o.ending()), unguarded}}
	case o.err != nil:
		return []complaint{{fmt.Sprintf("%s got no response: %v", what, o.err), "something in front of the guard ends the connection or waits"}}
	case o.status >= 400:
		return nil
	case o.status/100 == 3:
		return []complaint{{fmt.Sprintf("%s was answered %d", what, o.status), redirects}}
	case o.ran == 0:
		return []complaint{{fmt.Sprintf("%s did not reach the handler, but was answered %d", what, o.status), masked}}
	}
	return []complaint{{fmt.Sprintf("%s was answered %d", what, o.status), unguarded + "; or " + masked + ". Signer.Runs tells which"}}
}

// unaccepted says what is wrong with the outcome of a genuine request.
func (o outcome) unaccepted() (what, cause string) {
	const failed = "the handler fails: are the Bodies of events that it takes?"
	switch {
	case o.panicked != "":
		return "reached a handler, which " + o.ending(), failed
	case o.err != nil:
		return fmt.Sprintf("got no response: %v", o.err), "the handler, or something in front of it, ends the connection or waits"
	case o.ran > 1:
		return fmt.Sprintf("ran the handler %d times", o.ran), "something in front of the handler calls it more than once"
	case o.ran == 1 && o.status/100 != 2:
		return fmt.Sprintf("reached the handler, but was answered %d", o.status), failed
	case o.ran == 1:
		return "", ""
	case o.duplicate || o.status == http.StatusConflict:
		return fmt.Sprintf("was answered %d as a repeat", o.status), known
	case o.status/100 == 2 && o.ran == 0:
		return fmt.Sprintf("was answered %d, but the handler did not run", o.status), "another handler takes this URL, or Signer.Runs counts another one"
	case o.status/100 == 2:
		return "", ""
	}
	return fmt.Sprintf("was refused with %d", o.status), causeOf(o.status)
}

// unrecognised says what is wrong with the outcome of a repeat.
func (o outcome) unrecognised() (what, cause string) {
	switch {
	case o.ran > 0:
		return "ran the handler again", forgets
	case o.ran == 0, o.duplicate && o.status/100 == 2, o.status == http.StatusConflict:
		return "", ""
	case o.err != nil:
		return fmt.Sprintf("got no response: %v", o.err), "something in front of the guard ends the connection or waits"
	case o.status/100 == 2:
		return fmt.Sprintf("was answered %d, and not as a repeat", o.status), forgets
	}
	return fmt.Sprintf("was answered %d", o.status), "the handler ran again and failed, or Options.OnReject changes the response to a repeat: Signer.Runs tells which"
}

// causeOf is the likely cause of a status that a genuine request gets.
func causeOf(status int) string {
	switch {
	case status/100 == 3:
		return redirects
	case status == http.StatusBadRequest:
		return "something in front of the guard reads or changes the body: it belongs behind the guard; or the handler does not take the event"
	case status == http.StatusUnauthorized:
		return "the guard has another secret, is of another provider or has another clock (Signer.Now); or something in front of it changes the body or drops a header, or wants a login"
	case status == http.StatusForbidden:
		return "something in front of the guard wants a login or a token against CSRF"
	case status == http.StatusNotFound:
		return "the guard is mounted on another path than that of Sign"
	case status == http.StatusMethodNotAllowed:
		return "the route takes another method: deliveries are POST requests"
	case status == http.StatusRequestEntityTooLarge:
		return "a limit for bodies in front of the guard is too low"
	case status == http.StatusUnsupportedMediaType:
		return "the endpoint takes another Content-Type than Sign sends, or something in front of the guard decompresses bodies"
	case status == http.StatusTooManyRequests:
		return "something in front of the guard limits the rate"
	case status == http.StatusServiceUnavailable:
		return "the store, the source of keys or a host with certificates fails"
	}
	return "the handler, or something in front of it, fails: are the Bodies of events that it takes? Or there is no guard in front of it, and it refuses a request without a Delivery itself"
}

// otherSignature changes a digit or letter in each part of a header that is long
// enough for a signature.
func otherSignature(value string) string {
	const signature = 16
	b := []byte(value)
	changed := false
	for start := 0; start < len(b); start++ {
		end := start
		for end < len(b) && isAlphanumeric(b[end]) {
			end++
		}
		if end-start >= signature {
			middle := start + (end-start)/2
			if b[middle] != '0' {
				b[middle] = '0'
			} else {
				b[middle] = '1'
			}
			changed = true
		}
		start = end
	}
	if !changed {
		return value + "0"
	}
	return string(b)
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
