package forward_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/forward"
	"github.com/hooknotary/hooknotary/providers/github"
	"github.com/hooknotary/hooknotary/providers/github/githubtest"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

const (
	secret  = "whsec_7d1f0c5ab2e94863"
	hookURL = "https://hooks.example.com/hooks/stripe"
	ok      = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

	patience = 30 * time.Second // of tests, on a busy machine
)

// receiver is an upstream of raw bytes.
type receiver struct {
	t        *testing.T
	listener net.Listener

	// serve is called for each request, with its bytes and its number, from 1. The
	// connection is closed when it returns false.
	serve func(c net.Conn, request []byte, n int) bool

	mu       sync.Mutex
	requests [][]byte
	conns    int
}

// newReceiver starts one. A nil serve answers with 200.
func newReceiver(t *testing.T, network string, serve func(c net.Conn, request []byte, n int) bool) *receiver {
	t.Helper()
	address := "127.0.0.1:0"
	if network == "unix" {
		address = filepath.Join(t.TempDir(), "s")
	}
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	up := &receiver{t: t, listener: l, serve: serve}
	if serve == nil {
		up.serve = says(ok)
	}
	var wg sync.WaitGroup
	var open sync.Map
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			up.mu.Lock()
			up.conns++
			up.mu.Unlock()
			open.Store(c, nil)
			wg.Go(func() { defer c.Close(); up.connection(c) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		open.Range(func(c, _ any) bool { c.(net.Conn).Close(); return true })
		wg.Wait()
	})
	return up
}

func (up *receiver) connection(c net.Conn) {
	br := bufio.NewReader(c)
	for {
		request, err := readRequest(br)
		if err != nil {
			return
		}
		up.mu.Lock()
		up.requests = append(up.requests, request)
		n := len(up.requests)
		up.mu.Unlock()
		if !up.serve(c, request, n) {
			return
		}
	}
}

// readRequest reads the bytes of one request.
func readRequest(br *bufio.Reader) ([]byte, error) {
	var all []byte
	length := 0
	for {
		line, err := br.ReadBytes('\n')
		if err != nil {
			return nil, err
		}
		all = append(all, line...)
		if value, found := bytes.CutPrefix(line, []byte("Content-Length: ")); found {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return nil, err
			}
		}
		if len(line) == 2 {
			break
		}
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(br, body); err != nil {
		return nil, err
	}
	return append(all, body...), nil
}

func (up *receiver) url(path string) string {
	if up.listener.Addr().Network() == "unix" {
		return "unix:" + up.listener.Addr().String() + ":" + path
	}
	return "http://" + up.listener.Addr().String() + path
}

// got returns the requests so far and how many connections there were.
func (up *receiver) got() ([][]byte, int) {
	up.mu.Lock()
	defer up.mu.Unlock()
	return append([][]byte(nil), up.requests...), up.conns
}

// says answers each request with a text, and leaves the connection open.
func says(text string) func(net.Conn, []byte, int) bool {
	return func(c net.Conn, _ []byte, _ int) bool {
		io.WriteString(c, text)
		return true
	}
}

// saysAndCloses answers each request with a text, and closes the connection.
func saysAndCloses(text string) func(net.Conn, []byte, int) bool {
	return func(c net.Conn, _ []byte, _ int) bool {
		io.WriteString(c, text)
		return false
	}
}

// ledger is a store that counts.
type ledger struct {
	replay.Store
	claims, commits, releases atomic.Int64
}

func (l *ledger) Claim(ctx context.Context, c replay.Claim) (replay.Outcome, error) {
	l.claims.Add(1)
	return l.Store.Claim(ctx, c)
}

func (l *ledger) Commit(ctx context.Context, h replay.Handle) error {
	l.commits.Add(1)
	return l.Store.Commit(ctx, h)
}

func (l *ledger) Release(ctx context.Context, h replay.Handle) error {
	l.releases.Add(1)
	return l.Store.Release(ctx, h)
}

// settled says what became of the only claim.
func (l *ledger) settled() string {
	switch c, r := l.commits.Load(), l.releases.Load(); {
	case l.claims.Load() != 1:
		return fmt.Sprintf("%d claims", l.claims.Load())
	case c == 1 && r == 0:
		return "commit"
	case c == 0 && r == 1:
		return "release"
	case c == 0 && r == 0:
		return "kept"
	default:
		return fmt.Sprintf("%d commits and %d releases", c, r)
	}
}

// route is a handler with everything around it.
type route struct {
	t        *testing.T
	verifier verify.Verifier
	guard    middleware.Options
	opts     forward.Options
	store    *ledger
	handler  *forward.Handler

	mu      sync.Mutex
	reports []forward.Report
}

// newRoute makes a route for Stripe.
func newRoute(t *testing.T, upstream string, changes ...func(*route)) *route {
	t.Helper()
	s := &route{t: t, verifier: stripe.Must(secret), store: &ledger{Store: replay.NewMemory(nil)}}
	s.opts.Timeout = patience
	s.opts.Observe = func(context.Context, http.Header) func(forward.Report) {
		return func(r forward.Report) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.reports = append(s.reports, r)
		}
	}
	for _, change := range changes {
		change(s)
	}
	g, err := middleware.New("billing", s.verifier, s.store, &s.guard)
	if err != nil {
		t.Fatal(err)
	}
	if s.handler, err = forward.New(g, upstream, &s.opts); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.handler.Close() })
	return s
}

// report returns the only report.
func (s *route) report() forward.Report {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.reports) != 1 {
		s.t.Fatalf("%d reports, want 1: %+v", len(s.reports), s.reports)
	}
	return s.reports[0]
}

func (s *route) serve(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w
}

var events atomic.Int64

// event returns a delivery of an event that was never there.
func event() *http.Request { return eventOf(256) }

// eventOf returns one with a body of at least so many bytes.
func eventOf(size int) *http.Request {
	body := fmt.Appendf(nil, `{"id":"evt_%d","object":"event","note":"`, events.Add(1))
	body = append(body, bytes.Repeat([]byte("x"), max(0, size-len(body)-2))...)
	return stripetest.NewRequest(hookURL, time.Now(), append(body, `"}`...), secret)
}

// again returns a later attempt to deliver a body.
func again(body []byte, at time.Time) *http.Request {
	return stripetest.NewRequest(hookURL, at, body, secret)
}

const githubSecret = "9f2c4e81d7ab3056"

// onGitHub makes it a route for GitHub, which never retries.
func onGitHub(s *route) { s.verifier = github.Must(githubSecret) }

func push() *http.Request {
	return githubtest.NewRequest(hookURL, "push", fmt.Appendf(nil, `{"after":"%d"}`, events.Add(1)), githubSecret)
}

// want checks a response that is ours: its status, and that its bytes depend on that alone.
func want(t *testing.T, w *httptest.ResponseRecorder, status int) {
	t.Helper()
	if w.Code != status {
		t.Errorf("the sender gets %d, want %d: %s", w.Code, status, w.Body)
	}
	body := ""
	if status >= 400 {
		body = fmt.Sprintf(`{"type":"about:blank","title":%q,"status":%d}`, http.StatusText(status), status)
	}
	if w.Body.String() != body {
		t.Errorf("the sender reads %.100q, want %q", w.Body, body)
	}
	for name := range w.Header() {
		switch name {
		case "Content-Type", "Content-Length", "Retry-After", "Connection", "Webhook-Duplicate", "Allow":
		default:
			t.Errorf("the sender sees the header %s", name)
		}
	}
	if status < 300 && len(w.Header()["Content-Type"]) > 0 {
		t.Errorf("an empty body has the type %q", w.Header()["Content-Type"])
	}
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, met func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !met(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it does not happen: %s", what)
		}
	}
}

// headers returns the lines of a raw request's head, without its request line.
func headers(request []byte) []string {
	head, _, _ := strings.Cut(string(request), "\r\n\r\n")
	return strings.Split(head, "\r\n")[1:]
}

// valuesOf returns the values of a header in a raw request.
func valuesOf(request []byte, name string) (values []string) {
	for _, line := range headers(request) {
		if value, found := strings.CutPrefix(line, name+": "); found {
			values = append(values, value)
		}
	}
	return values
}
