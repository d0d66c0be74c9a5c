package middleware_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/providers/github"
	"github.com/hooknotary/hooknotary/providers/github/githubtest"
	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	m.Run()
}

const (
	stripeSecret = "whsec_7d1f0c5ab2e94863"
	otherSecret  = "whsec_0a8b6c4d2e1f3957"
	githubSecret = "9f2c4e81d7ab3056"
	hookURL      = "http://hooks.example/hooks/stripe"
)

// start is the time of every test that does not run on a real clock.
var start = time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)

// manual is a clock that a test moves.
type manual struct{ passed atomic.Int64 }

func (c *manual) Now() time.Time          { return start.Add(time.Duration(c.passed.Load())) }
func (c *manual) advance(d time.Duration) { c.passed.Add(int64(d)) }

// probe is a store that counts its calls, and does in them what a test wants.
type probe struct {
	replay.Store
	claim   func(context.Context, replay.Claim) (replay.Outcome, error)
	renew   func(context.Context, replay.Handle, time.Duration) error
	commit  func(context.Context, replay.Handle) error
	release func(context.Context, replay.Handle) error

	claims, renewals, commits, releases atomic.Int64
}

func (p *probe) Claim(ctx context.Context, c replay.Claim) (replay.Outcome, error) {
	p.claims.Add(1)
	if p.claim != nil {
		return p.claim(ctx, c)
	}
	return p.Store.Claim(ctx, c)
}

func (p *probe) Renew(ctx context.Context, h replay.Handle, lease time.Duration) error {
	p.renewals.Add(1)
	if p.renew != nil {
		return p.renew(ctx, h, lease)
	}
	return p.Store.Renew(ctx, h, lease)
}

func (p *probe) Commit(ctx context.Context, h replay.Handle) error {
	p.commits.Add(1)
	if p.commit != nil {
		return p.commit(ctx, h)
	}
	return p.Store.Commit(ctx, h)
}

func (p *probe) Release(ctx context.Context, h replay.Handle) error {
	p.releases.Add(1)
	if p.release != nil {
		return p.release(ctx, h)
	}
	return p.Store.Release(ctx, h)
}

func (p *probe) calls() int64 {
	return p.claims.Load() + p.renewals.Load() + p.commits.Load() + p.releases.Load()
}

// site is an endpoint with everything around it. Its zero configuration is a
// Stripe endpoint that accepts the genuine delivery in request and responds with 200.
type site struct {
	t        *testing.T
	clock    *manual
	verifier verify.Verifier
	store    *probe
	opts     middleware.Options
	request  *http.Request
	handle   http.HandlerFunc // nil responds with 200

	runs    atomic.Int64
	guard   *middleware.Guard
	handler http.Handler

	mu     sync.Mutex
	events []middleware.Report
}

func newSite(t *testing.T, changes ...func(*site)) *site {
	t.Helper()
	s := &site{t: t, clock: new(manual)}
	s.opts.Now = s.clock.Now
	s.verifier = stripe.Must(stripeSecret)
	s.store = &probe{Store: replay.NewMemory(&replay.MemoryOptions{Now: s.clock.Now})}
	s.request = s.stripe("evt_1")
	for _, change := range changes {
		change(s)
	}
	guard, err := middleware.New("test", s.verifier, s.store, &s.opts)
	if err != nil {
		t.Fatal(err)
	}
	s.guard = guard
	s.handler = guard.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.runs.Add(1)
		if s.handle != nil {
			s.handle(w, r)
		}
	}))
	return s
}

// observed makes the site collect its events.
func observed(s *site) {
	s.opts.Observe = func(_ context.Context, e middleware.Report) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.events = append(s.events, e)
	}
}

// onGitHub makes it a GitHub endpoint.
func onGitHub(s *site) {
	s.verifier = github.Must(githubSecret)
	s.request = githubtest.NewRequest(hookURL, "push", []byte(`{"ref":"refs/heads/main"}`), githubSecret)
}

// onBubble puts the site on the clock of a synctest bubble.
func onBubble(s *site) {
	s.opts.Now = nil
	s.store = &probe{Store: replay.NewMemory(nil)}
	s.request = stripetest.NewRequest(hookURL, time.Now(), eventBody("evt_1"), stripeSecret)
}

// repeatsBytes makes it an endpoint of a provider whose retries are byte for byte
// the same.
func repeatsBytes(s *site) {
	v, err := scheme.New(scheme.Definition{
		Provider:   "parrot",
		Signatures: []scheme.Signature{{Header: "X-Hub-Signature-256", Prefix: "sha256="}},
		Message:    []scheme.Part{scheme.Body()},
		MaxBody:    1 << 20,
		Retry:      verify.RetryIdentical,
	}, verify.Secrets(githubSecret), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	s.verifier = v
	s.request = githubtest.NewRequest(hookURL, "push", []byte(`{"order":17}`), githubSecret)
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

func (s *site) serve(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// stripe returns a delivery that is signed now.
func (s *site) stripe(id string) *http.Request {
	return stripetest.NewRequest(hookURL, s.clock.Now(), eventBody(id), stripeSecret)
}

// event returns the only event.
func (s *site) event() middleware.Report {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for range 2000 { // over a socket the response is there before the event
		if len(s.events) > 0 {
			break
		}
		s.mu.Unlock()
		time.Sleep(time.Millisecond)
		s.mu.Lock()
	}
	if len(s.events) != 1 {
		s.t.Fatalf("%d events, want 1: %+v", len(s.events), s.events)
	}
	return s.events[0]
}

func eventBody(id string) []byte {
	return fmt.Appendf(nil, `{"id":%q,"object":"event","type":"invoice.paid"}`, id)
}

// again returns a copy of r, byte for byte.
func again(t *testing.T, r *http.Request) *http.Request {
	t.Helper()
	c := r.Clone(context.Background())
	if r.GetBody != nil {
		body, err := r.GetBody()
		if err != nil {
			t.Fatal(err)
		}
		c.Body = body
	}
	return c
}

func setBody(r *http.Request, body io.Reader) {
	r.Body, r.GetBody = io.NopCloser(body), nil
}

// want checks the status, and headers given as name and value; the value "" asks
// for absence.
func want(t *testing.T, w *httptest.ResponseRecorder, status int, headers ...string) {
	t.Helper()
	if w.Code != status {
		t.Errorf("status %d, want %d (body %q)", w.Code, status, w.Body)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		got, ok := w.Header()[http.CanonicalHeaderKey(headers[i])]
		if headers[i+1] == "" {
			if ok {
				t.Errorf("header %s is %q, want none", headers[i], got)
			}
		} else if len(got) != 1 || got[0] != headers[i+1] {
			t.Errorf("header %s is %q, want %q", headers[i], got, headers[i+1])
		}
	}
}

func wantRuns(t *testing.T, s *site, n int64) {
	t.Helper()
	if got := s.runs.Load(); got != n {
		t.Errorf("the handler ran %d times, want %d", got, n)
	}
}

// altered is a verifier of which a test replaces parts.
type altered struct {
	verify.Verifier
	profile func(*verify.Profile)
	begin   func(context.Context, *verify.Head) (verify.Pending, error)
	finish  func(verify.Pending, context.Context, []byte) (*verify.Delivery, error)
}

func (v *altered) Profile() verify.Profile {
	p := v.Verifier.Profile()
	if v.profile != nil {
		v.profile(&p)
	}
	return p
}

func (v *altered) Begin(ctx context.Context, h *verify.Head) (verify.Pending, error) {
	if v.begin != nil {
		return v.begin(ctx, h)
	}
	p, err := v.Verifier.Begin(ctx, h)
	if err != nil || v.finish == nil {
		return p, err
	}
	return alteredPending{p, v.finish}, nil
}

type alteredPending struct {
	verify.Pending
	finish func(verify.Pending, context.Context, []byte) (*verify.Delivery, error)
}

func (p alteredPending) Finish(ctx context.Context, body []byte) (*verify.Delivery, error) {
	return p.finish(p.Pending, ctx, body)
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
type untouchable struct{ t *testing.T }

func (u untouchable) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, errors.New("this body must not be read")
}

// journal is a ResponseWriter that writes down what it is told.
type journal struct {
	header http.Header
	mu     sync.Mutex
	lines  []string
}

func newJournal() *journal { return &journal{header: make(http.Header)} }

func (j *journal) note(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, fmt.Sprintf(format, args...))
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Join(j.lines, ", ")
}

func (j *journal) Header() http.Header    { return j.header }
func (j *journal) WriteHeader(status int) { j.note("status %d", status) }

func (j *journal) Write(b []byte) (int, error) {
	j.note("body %s", b)
	return len(b), nil
}

// listen starts a server of HTTP/1.1.
func listen(t *testing.T, h http.Handler, changes ...func(*http.Server)) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(h)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	for _, change := range changes {
		change(server.Config)
	}
	server.Start()
	t.Cleanup(server.Close)
	return server
}

const patience = 10 * time.Second // before a test gives up

// dial opens a connection that the client does not close before the test ends.
func dial(t *testing.T, server *httptest.Server) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	return conn
}

// headOf writes a request's head as a client sends it. The framing is a header
// line, "Content-Length: 5".
func headOf(r *http.Request, framing string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", r.Method, r.URL.RequestURI(), r.URL.Host)
	r.Header.Write(&b)
	if framing != "" {
		b.WriteString(framing + "\r\n")
	}
	b.WriteString("\r\n")
	return b.String()
}

func bodyOf(t *testing.T, r *http.Request) []byte {
	t.Helper()
	body, err := r.GetBody()
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func send(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
}

// silent fails if the server says anything within a short time.
func silent(t *testing.T, conn net.Conn) {
	t.Helper()
	conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	defer conn.SetReadDeadline(time.Now().Add(patience))
	var b [256]byte
	if n, err := conn.Read(b[:]); n > 0 || err == nil {
		t.Errorf("the server said %q too early", b[:n])
	}
}

// await waits for a channel.
func await[T any](t *testing.T, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("waited in vain for %s", what)
	}
	panic("unreachable")
}

// sized returns a JSON event of exactly n bytes.
func sized(id string, n int) []byte {
	b := fmt.Appendf(nil, `{"id":%q,"pad":"`, id)
	return append(append(b, bytes.Repeat([]byte("x"), n-len(b)-2)...), `"}`...)
}

// requestTo returns a copy of r that goes to a server.
func requestTo(url string, r *http.Request) *http.Request {
	n, err := http.NewRequest(r.Method, url, r.Body)
	if err != nil {
		panic(err)
	}
	n.Header, n.ContentLength = r.Header, r.ContentLength
	return n
}
