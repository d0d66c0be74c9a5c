package echov5mw_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labstack/echo/v5"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/echov5mw"
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
	hookPath     = "/hooks"
	hookURL      = "http://hooks.example" + hookPath
)

var start = time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)

// site is a Stripe endpoint of echo that accepts the delivery in request.
type site struct {
	t        *testing.T
	passed   atomic.Int64
	verifier verify.Verifier
	opts     middleware.Options
	request  *http.Request
	handle   echo.HandlerFunc // nil responds with 200
	store    *probe

	echo    *echo.Echo
	guard   *middleware.Guard
	protect echo.MiddlewareFunc
	outer   []echo.MiddlewareFunc // around the guard
	inner   []echo.MiddlewareFunc // within it

	runs   atomic.Int64
	mu     sync.Mutex
	events []middleware.Report
}

// probe is a store that counts, and does what a test wants.
type probe struct {
	replay.Store
	claim  func() (replay.Outcome, error)
	commit func() error

	claims, commits, releases atomic.Int64
}

func (p *probe) Claim(ctx context.Context, c replay.Claim) (replay.Outcome, error) {
	p.claims.Add(1)
	if p.claim != nil {
		return p.claim()
	}
	return p.Store.Claim(ctx, c)
}

func (p *probe) Commit(ctx context.Context, h replay.Handle) error {
	p.commits.Add(1)
	if p.commit != nil {
		if err := p.commit(); err != nil {
			return err
		}
	}
	return p.Store.Commit(ctx, h)
}

func (p *probe) Release(ctx context.Context, h replay.Handle) error {
	p.releases.Add(1)
	return p.Store.Release(ctx, h)
}

func newSite(t *testing.T, changes ...func(*site)) *site {
	t.Helper()
	s := &site{t: t, verifier: stripe.Must(stripeSecret), echo: echo.New()}
	s.echo.Logger = slog.New(slog.DiscardHandler)
	s.opts.Now = s.now
	s.opts.Observe = func(_ context.Context, e middleware.Report) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.events = append(s.events, e)
	}
	s.store = &probe{Store: replay.NewMemory(&replay.MemoryOptions{Now: s.now})}
	s.request = s.stripe("evt_1")
	for _, change := range changes {
		change(s)
	}
	guard, err := middleware.New("test", s.verifier, s.store, &s.opts)
	if err != nil {
		t.Fatal(err)
	}
	s.guard, s.protect = guard, echov5mw.New(guard)
	s.echo.Any(hookPath, s.run, slices.Concat(s.outer, []echo.MiddlewareFunc{s.protect}, s.inner)...)
	return s
}

func (s *site) now() time.Time { return start.Add(time.Duration(s.passed.Load())) }

func (s *site) run(c *echo.Context) error {
	s.runs.Add(1)
	if s.handle != nil {
		return s.handle(c)
	}
	return nil
}

func (s *site) stripe(id string) *http.Request {
	return stripetest.NewRequest(hookURL, s.now(), eventBody(id), stripeSecret)
}

// within puts middlewares inside of the guard, around outside of it.
func within(m ...echo.MiddlewareFunc) func(*site) { return func(s *site) { s.inner = m } }
func around(m ...echo.MiddlewareFunc) func(*site) { return func(s *site) { s.outer = m } }

func handling(h echo.HandlerFunc) func(*site) { return func(s *site) { s.handle = h } }

func eventBody(id string) []byte {
	return fmt.Appendf(nil, `{"id":%q,"object":"event","type":"invoice.paid"}`, id)
}

func again(t *testing.T, r *http.Request) *http.Request {
	t.Helper()
	c := r.Clone(context.Background())
	body, err := r.GetBody()
	if err != nil {
		t.Fatal(err)
	}
	c.Body = body
	return c
}

func (s *site) serve(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.echo.ServeHTTP(w, r)
	return w
}

func (s *site) event() middleware.Report {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.events) != 1 {
		s.t.Fatalf("%d events, want 1: %+v", len(s.events), s.events)
	}
	return s.events[0]
}

func want(t *testing.T, w *httptest.ResponseRecorder, status int, headers ...string) {
	t.Helper()
	if w.Code != status {
		t.Errorf("status %d, want %d (body %q)", w.Code, status, w.Body)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if got := strings.Join(w.Header()[http.CanonicalHeaderKey(headers[i])], ","); got != headers[i+1] {
			t.Errorf("header %s is %q, want %q", headers[i], got, headers[i+1])
		}
	}
}

func (s *site) wantRuns(n int64) {
	s.t.Helper()
	if got := s.runs.Load(); got != n {
		s.t.Errorf("the handler ran %d times, want %d", got, n)
	}
}

// wantSettled checks how often the store was told what.
func (s *site) wantSettled(commits, releases int64) {
	s.t.Helper()
	if c, r := s.store.commits.Load(), s.store.releases.Load(); c != commits || r != releases {
		s.t.Errorf("%d commits and %d releases, want %d and %d", c, r, commits, releases)
	}
}

// journal is a ResponseWriter that writes down what it is told.
type journal struct {
	header http.Header
	lines  []string
}

func newJournal() *journal { return &journal{header: make(http.Header)} }

func (j *journal) note(format string, args ...any) {
	j.lines = append(j.lines, fmt.Sprintf(format, args...))
}
func (j *journal) String() string         { return strings.Join(j.lines, ", ") }
func (j *journal) Header() http.Header    { return j.header }
func (j *journal) WriteHeader(status int) { j.note("status %d", status) }

func (j *journal) Write(b []byte) (int, error) {
	j.note("body %s", b)
	return len(b), nil
}

func listen(t *testing.T, h http.Handler) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(h)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	t.Cleanup(server.Close)
	return server
}
