package ginmw_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/ginmw"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	gin.SetMode(gin.ReleaseMode)
	m.Run()
}

const (
	stripeSecret = "whsec_7d1f0c5ab2e94863"
	otherSecret  = "whsec_0a8b6c4d2e1f3957"
	hookPath     = "/hooks"
	hookURL      = "http://hooks.example" + hookPath
)

var start = time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)

// site is a Stripe endpoint of gin that accepts the delivery in request.
type site struct {
	verifier verify.Verifier
	opts     middleware.Options
	request  *http.Request
	handle   gin.HandlerFunc // nil responds with 200
	store    *probe

	engine  *gin.Engine
	protect gin.HandlerFunc
	outer   []gin.HandlerFunc // around the guard
	inner   []gin.HandlerFunc // within it

	runs   atomic.Int64
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
	now := func() time.Time { return start }
	s := &site{verifier: stripe.Must(stripeSecret), engine: gin.New()}
	s.opts.Now = now
	s.opts.Observe = func(_ context.Context, e middleware.Report) { s.events = append(s.events, e) }
	s.store = &probe{Store: replay.NewMemory(&replay.MemoryOptions{Now: now})}
	s.request = delivery("evt_1", stripeSecret)
	for _, change := range changes {
		change(s)
	}
	guard, err := middleware.New("test", s.verifier, s.store, &s.opts)
	if err != nil {
		t.Fatal(err)
	}
	s.protect = ginmw.New(guard)
	s.engine.Any(hookPath, slices.Concat(s.outer, []gin.HandlerFunc{s.protect}, s.inner, []gin.HandlerFunc{s.run})...)
	return s
}

func (s *site) run(c *gin.Context) {
	s.runs.Add(1)
	if s.handle != nil {
		s.handle(c)
	}
}

func delivery(event, secret string) *http.Request {
	return stripetest.NewRequest(hookURL, start, eventBody(event), secret)
}

// within puts middlewares inside of the guard, around outside of it.
func within(m ...gin.HandlerFunc) func(*site) { return func(s *site) { s.inner = m } }
func around(m ...gin.HandlerFunc) func(*site) { return func(s *site) { s.outer = m } }

func handling(h gin.HandlerFunc) func(*site) { return func(s *site) { s.handle = h } }

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
	s.engine.ServeHTTP(w, r)
	return w
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

// wantSettled checks how often the store was told what.
func (s *site) wantSettled(t *testing.T, commits, releases int64) {
	t.Helper()
	if c, r := s.store.commits.Load(), s.store.releases.Load(); c != commits || r != releases {
		t.Errorf("%d commits and %d releases, want %d and %d", c, r, commits, releases)
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
	if len(b) > 0 {
		j.note("body %s", b)
	}
	return len(b), nil
}

// untouchable is a body that must not be read.
type untouchable struct{ t *testing.T }

func (u untouchable) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, errors.New("this body must not be read")
}

func (u untouchable) Close() error { return nil }

var _ io.ReadCloser = untouchable{}
