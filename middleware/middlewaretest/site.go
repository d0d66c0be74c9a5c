package middlewaretest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

// site is an endpoint behind the adapter. As newSite makes it, it accepts the delivery
// in request, and its handler succeeds without a word.
type site struct {
	x        *suite
	provider *provider
	opts     middleware.Options
	store    *store
	request  *http.Request
	outside  []Link
	inside   []Link
	twice    bool // whether the guard stands there twice
	handle   func(Exchange) error

	guard   *middleware.Guard
	handler http.Handler
	runs    atomic.Int64
	mu      sync.Mutex
	reports []middleware.Report
}

func newSite(x *suite, changes ...func(*site)) *site {
	x.Helper()
	s := &site{x: x, provider: resigns(), store: &store{Store: replay.NewMemory(&replay.MemoryOptions{Now: now})}}
	s.opts.Now = now
	s.opts.Observe = func(_ context.Context, r middleware.Report) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.reports = append(s.reports, r)
	}
	s.request = s.sign("evt_1")
	for _, change := range changes {
		change(s)
	}
	guard, err := middleware.New("battery", s.provider, s.store, &s.opts)
	if err != nil {
		x.Fatal(err)
	}
	s.guard = guard
	links := append(slices.Clone(s.outside), Link{Guard: guard})
	if s.twice {
		links = append(links, Link{Guard: guard})
	}
	s.handler = x.adapter.Mount(append(links, s.inside...), func(e Exchange) error {
		s.runs.Add(1)
		if s.handle == nil {
			return nil
		}
		return s.handle(e)
	})
	return s
}

// of makes it an endpoint of another provider.
func of(p *provider) func(*site) {
	return func(s *site) { s.provider, s.request = p, p.sign(start, "evt_1", eventBody("evt_1"), secret) }
}

func handling(h func(Exchange) error) func(*site) { return func(s *site) { s.handle = h } }

// around puts middlewares outside of the guard, within inside of it.
func around(m ...func(Exchange) error) func(*site) { return func(s *site) { s.outside = linked(m) } }
func within(m ...func(Exchange) error) func(*site) { return func(s *site) { s.inside = linked(m) } }

func linked(middlewares []func(Exchange) error) (links []Link) {
	for _, m := range middlewares {
		links = append(links, Link{Run: m})
	}
	return links
}

func unsigned(s *site) { s.request.Header.Del(signature) }

func forged(s *site) {
	s.request = s.provider.sign(start, "evt_1", eventBody("evt_1"), otherSecret)
}

// outcome makes the store answer every claim so.
func outcome(o replay.Outcome, err error) func(*site) {
	return func(s *site) { s.store.claim = func() (replay.Outcome, error) { return o, err } }
}

// sign returns a genuine delivery.
func (s *site) sign(id string) *http.Request {
	return s.provider.sign(start, id, eventBody(id), secret)
}

// resigned returns a retry of evt_1, signed anew.
func (s *site) resigned(after time.Duration) *http.Request {
	return s.provider.sign(start.Add(after), "evt_1", eventBody("evt_1"), secret)
}

// ServeHTTP serves with the framework.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

func (s *site) serve(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// journaled serves the request, and returns what was done, in order: "commit, status
// 200, body ok".
func (s *site) journaled() *journal {
	w := newJournal()
	w.header.Set("X-Outer", "1")
	s.store.journal = w
	defer func() { s.store.journal = nil }()
	s.ServeHTTP(w, again(s.x, s.request))
	return w
}

// report returns the only report.
func (s *site) report() middleware.Report {
	s.x.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	// Over a socket the response is there before the report.
	for limit := time.Now().Add(patience / 5); len(s.reports) == 0 && time.Now().Before(limit); {
		s.mu.Unlock()
		time.Sleep(time.Millisecond)
		s.mu.Lock()
	}
	if len(s.reports) != 1 {
		s.x.Errorf("%d reports, want 1: %+v", len(s.reports), s.reports)
		return middleware.Report{}
	}
	return s.reports[0]
}

func (s *site) wantRuns(n int64) {
	s.x.Helper()
	if got := s.runs.Load(); got != n {
		s.x.Errorf("the handler ran %d times, want %d", got, n)
	}
}

// wantSettled checks how often the store was told what.
func (s *site) wantSettled(commits, releases int64) {
	s.x.Helper()
	if c, r := s.store.commits.Load(), s.store.releases.Load(); c != commits || r != releases {
		s.x.Errorf("%d commits and %d releases, want %d and %d", c, r, commits, releases)
	}
}

// wantRetry checks that the event of the request is not done: it runs again, and then
// succeeds.
func (s *site) wantRetry() {
	s.x.Helper()
	before := s.runs.Load()
	s.handle, s.store.commit, s.store.release = nil, nil, nil
	want(s.x, s.serve(again(s.x, s.request)), http.StatusOK, "Webhook-Duplicate", "")
	s.wantRuns(before + 1)
}

// want checks the status, and headers given as name and value; the value "" asks for
// absence.
func want(x *suite, w *httptest.ResponseRecorder, status int, headers ...string) {
	x.Helper()
	if w.Code != status {
		x.Errorf("status %d, want %d (body %q)", w.Code, status, w.Body)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if got := strings.Join(w.Header()[http.CanonicalHeaderKey(headers[i])], ","); got != headers[i+1] {
			x.Errorf("header %s is %q, want %q", headers[i], got, headers[i+1])
		}
	}
}

// again returns a copy of r, byte for byte.
func again(t testing.TB, r *http.Request) *http.Request {
	t.Helper()
	c := r.Clone(r.Context())
	if r.GetBody != nil {
		body, err := r.GetBody()
		if err != nil {
			t.Fatal(err)
		}
		c.Body = body
	}
	return c
}

// store counts, and does what a test wants.
type store struct {
	replay.Store
	claim           func() (replay.Outcome, error)
	commit, release func() error
	journal         *journal // in which commits and releases are noted

	claims, commits, releases atomic.Int64
}

// Claim implements replay.Store.
func (s *store) Claim(ctx context.Context, c replay.Claim) (replay.Outcome, error) {
	s.claims.Add(1)
	if s.claim != nil {
		return s.claim()
	}
	return s.Store.Claim(ctx, c)
}

// Commit implements replay.Store.
func (s *store) Commit(ctx context.Context, h replay.Handle) error {
	s.commits.Add(1)
	s.journal.note("commit")
	if s.commit != nil {
		if err := s.commit(); err != nil {
			return err
		}
	}
	return s.Store.Commit(ctx, h)
}

// Release implements replay.Store.
func (s *store) Release(ctx context.Context, h replay.Handle) error {
	s.releases.Add(1)
	s.journal.note("release")
	if s.release != nil {
		if err := s.release(); err != nil {
			return err
		}
	}
	return s.Store.Release(ctx, h)
}

// journal is a ResponseWriter that writes down what it is told.
type journal struct {
	header http.Header
	mu     sync.Mutex
	lines  []string
}

func newJournal() *journal { return &journal{header: make(http.Header)} }

func (j *journal) note(format string, args ...any) {
	if j == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, fmt.Sprintf(format, args...))
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Join(j.lines, ", ")
}

// Header implements http.ResponseWriter.
func (j *journal) Header() http.Header { return j.header }

// WriteHeader implements http.ResponseWriter.
func (j *journal) WriteHeader(status int) { j.note("status %d", status) }

// Write implements http.ResponseWriter.
func (j *journal) Write(b []byte) (int, error) {
	if len(b) > 0 {
		j.note("body %s", b)
	}
	return len(b), nil
}

// Flush implements http.Flusher: frameworks ask for it.
func (j *journal) Flush() {}

// respond writes a response as a handler does.
func respond(e Exchange, status int, body string) {
	e.Writer().WriteHeader(status)
	if body != "" {
		io.WriteString(e.Writer(), body)
	}
}

// responding is a handler that writes a response.
func responding(status int, body string) func(Exchange) error {
	return func(e Exchange) error {
		respond(e, status, body)
		return nil
	}
}

// done is a handler that writes a header and a success, and goes on with then.
func done(then func() error) func(Exchange) error {
	return func(e Exchange) error {
		e.Writer().Header().Set("Set-Cookie", "handler=1")
		respond(e, http.StatusOK, "done")
		return then()
	}
}

// broken is a body that fails after some bytes.
type broken struct {
	io.Reader
	err error
}

func (b broken) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.EOF {
		err = b.err
	}
	return n, err
}

// untouchable is a body that must not be read.
type untouchable struct{ t testing.TB }

func (u untouchable) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, errors.New("this body must not be read")
}

// setBody replaces the body of r; what announces its length stays.
func setBody(r *http.Request, body io.Reader) { r.Body, r.GetBody = io.NopCloser(body), nil }

// unwrapping is a writer that says what it wraps.
type unwrapping struct{ http.ResponseWriter }

func (u unwrapping) Unwrap() http.ResponseWriter { return u.ResponseWriter }

// ending is how serving a request came to its end.
type ending struct {
	panicked any
	gone     bool // the goroutine ended
}

// serveAlone serves r on a goroutine of its own.
func serveAlone(h http.Handler, w http.ResponseWriter, r *http.Request) (end ending) {
	over := make(chan struct{})
	go func() {
		defer close(over)
		returned := false
		defer func() {
			end.panicked = recover()
			end.gone = !returned && end.panicked == nil
		}()
		h.ServeHTTP(w, r)
		returned = true
	}()
	<-over
	return end
}

// patience is how long a test waits for what must come.
var patience = 10 * time.Second

// await waits for a channel.
func await[T any](t testing.TB, c <-chan T, what string) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(patience):
		t.Errorf("waited in vain for %s", what)
	}
	return v
}

// listen starts a server of HTTP/1.1.
func listen(t testing.TB, h http.Handler) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(h)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	t.Cleanup(server.Close)
	return server
}

// client is a connection that the client does not close.
type client struct {
	t      testing.TB
	conn   net.Conn
	reader *bufio.Reader
}

func dial(t testing.TB, server *httptest.Server) *client {
	t.Helper()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	return &client{t, conn, bufio.NewReader(conn)}
}

// send writes the head of r, with a line about the framing of its body, and text.
func (c *client) send(r *http.Request, framing string, body []byte) {
	c.t.Helper()
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", r.Method, r.URL.RequestURI(), r.URL.Host)
	r.Header.Write(&b)
	fmt.Fprintf(&b, "%s\r\n\r\n%s", framing, body)
	if _, err := c.conn.Write(b.Bytes()); err != nil {
		c.t.Fatal(err)
	}
}

// sendAll writes r with the body of evt_1.
func (c *client) sendAll(r *http.Request) {
	c.t.Helper()
	body := eventBody("evt_1")
	c.send(r, fmt.Sprintf("Content-Length: %d", len(body)), body)
}

// response reads one response, and its body as text.
func (c *client) response() (*http.Response, string) {
	c.t.Helper()
	response, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		c.t.Fatalf("no response: %v", err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Errorf("the body of the response: %v", err)
	}
	return response, string(body)
}

// silent fails if the server says anything within a short time.
func (c *client) silent() {
	c.t.Helper()
	c.conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	defer c.conn.SetReadDeadline(time.Now().Add(patience))
	if b, err := c.reader.Peek(1); err == nil {
		c.t.Errorf("the server said %q… too early", b)
	}
}

// delivered is what a client got.
type delivered struct {
	status   int
	body     string
	informed []int // informational statuses before
	header   http.Header
}

// overBoth runs a test over HTTP/1.1 and over HTTP/2. deliver posts a request to h,
// waiting for the go-ahead of the server with its body unless the request has a key
// "Expect".
func overBoth(x *suite, test func(x *suite, deliver func(h http.Handler, r *http.Request) delivered)) {
	x.Helper()
	for _, proto := range []string{"HTTP/1.1", "HTTP/2.0"} {
		x.run(proto, func(x *suite) {
			test(x, func(h http.Handler, r *http.Request) (got delivered) {
				x.Helper()
				server := httptest.NewUnstartedServer(h)
				server.Config.ErrorLog = log.New(io.Discard, "", 0)
				server.EnableHTTP2 = proto == "HTTP/2.0"
				if server.EnableHTTP2 {
					server.StartTLS()
				} else {
					server.Start()
				}
				defer server.Close()
				client := server.Client()
				client.Transport.(*http.Transport).ExpectContinueTimeout = patience
				client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
				ctx := httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{
					Got1xxResponse: func(code int, _ textproto.MIMEHeader) error {
						got.informed = append(got.informed, code)
						return nil
					},
				})
				r = again(x, r).WithContext(ctx)
				target, err := url.Parse(server.URL + r.URL.RequestURI())
				if err != nil {
					x.Fatal(err)
				}
				r.URL, r.Host = target, ""
				if _, ok := r.Header["Expect"]; !ok {
					r.Header.Set("Expect", "100-continue")
				}
				response, err := client.Do(r)
				if err != nil {
					x.Fatal(err)
				}
				defer response.Body.Close()
				// A second response may stand behind the first one, which is too long then.
				body, _ := io.ReadAll(response.Body)
				if response.Proto != proto {
					x.Errorf("over %s", response.Proto)
				}
				got.status, got.body, got.header = response.StatusCode, string(body), response.Header
				return got
			})
		})
	}
}

var errFailed = errors.New("failed")

// problem is the body of a refusal.
func problem(status int) string {
	return fmt.Sprintf(`{"type":"about:blank","title":%q,"status":%d}`, http.StatusText(status), status)
}

var _ verify.Verifier = (*provider)(nil)
