package record_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/record"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/capture"
	"github.com/hooknotary/hooknotary/verify/replay"
)

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	m.Run()
}

const (
	secret      = "whsec_7d1f0c5ab2e94863"
	otherSecret = "whsec_0a8b6c4d2e1f3957"
	hookURL     = "http://hooks.example/hooks/stripe?tenant=7"
	patience    = 10 * time.Second // before a test gives up
)

// start is the time at the guard's clock: another one than the recorder's, so that
// no test passes on a mix of both.
var start = time.Date(2026, 3, 14, 10, 26, 53, 589793238, time.FixedZone("CET", 3600))

// store is a store that answers claims as a test wants.
type store struct {
	replay.Store
	claim  func() (replay.Outcome, error)
	commit func() error
}

func (s *store) Claim(ctx context.Context, c replay.Claim) (replay.Outcome, error) {
	if s.claim != nil {
		return s.claim()
	}
	return s.Store.Claim(ctx, c)
}

func (s *store) Commit(ctx context.Context, h replay.Handle) error {
	if s.commit != nil {
		return s.commit()
	}
	return s.Store.Commit(ctx, h)
}

// site is an endpoint with a recorder around its guard. Without changes it records
// everything, accepts the delivery in request and responds with 200.
type site struct {
	t        *testing.T
	dir      string
	record   record.Options
	guard    middleware.Options
	verifier verify.Verifier
	store    *store
	request  *http.Request
	handle   http.HandlerFunc                // nil responds with 200
	between  func(http.Handler) http.Handler // recorder and guard

	recorder *record.Recorder
	handler  http.Handler
	served   chan struct{}
	passed   atomic.Int64 // on the guard's clock

	mu     sync.Mutex
	errors []error
}

func newSite(t *testing.T, changes ...func(*site)) *site {
	t.Helper()
	s := &site{t: t, dir: filepath.Join(t.TempDir(), "captures"), verifier: stripe.Must(secret)}
	s.guard.Now = s.now
	s.store = &store{Store: replay.NewMemory(&replay.MemoryOptions{Now: s.now})}
	s.served = make(chan struct{}, 1000)
	s.request = signed("evt_1")
	s.record.Kinds = record.Refused | record.Accepted
	s.record.OnError = func(err error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.errors = append(s.errors, err)
	}
	for _, change := range changes {
		change(s)
	}
	var err error
	if s.recorder, err = record.New(s.dir, &s.record); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.recorder.Close() })
	guard, err := middleware.New("billing", s.verifier, s.store, &s.guard)
	if err != nil {
		t.Fatal(err)
	}
	inner := guard.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.handle != nil {
			s.handle(w, r)
		}
	}))
	if s.between != nil {
		inner = s.between(inner)
	}
	s.handler = s.recorder.Handler(inner)
	return s
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer func() { s.served <- struct{}{} }()
	s.handler.ServeHTTP(w, r)
}

func (s *site) now() time.Time { return start.Add(time.Duration(s.passed.Load())) }

// await waits until a request is served: its client may know before, or never.
func (s *site) await() {
	s.t.Helper()
	select {
	case <-s.served:
	case <-time.After(patience):
		s.t.Fatal("waited in vain for the end of a request")
	}
}

// serve serves the request without a socket, whatever becomes of the handler.
func (s *site) serve(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	func() {
		defer func() { recover() }()
		s.ServeHTTP(w, r)
	}()
	return w
}

// file is a capture with its name.
type file struct {
	name string
	*capture.Capture
}

// files closes the recorder and returns what it has written, oldest first.
func (s *site) files() []file {
	s.t.Helper()
	if err := s.recorder.Close(); err != nil {
		s.t.Error(err)
	}
	return filesIn(s.t, s.dir)
}

func filesIn(t *testing.T, dir string) []file {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []file
	for _, e := range entries {
		if filepath.Ext(e.Name()) != ".http" {
			continue
		}
		read, err := capture.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil || len(read) != 1 {
			t.Fatalf("%d captures, %v", len(read), err)
		}
		all = append(all, file{e.Name(), read[0]})
	}
	return all
}

// file is like files where there must be exactly one.
func (s *site) file() file {
	s.t.Helper()
	all := s.files()
	if len(all) != 1 {
		s.t.Fatalf("%d captures, want 1 (errors %v)", len(all), s.failures())
	}
	return all[0]
}

// wait waits until there are n captures.
func (s *site) wait(n int) []file {
	s.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if names, _ := filepath.Glob(filepath.Join(s.dir, "*.http")); len(names) == n {
			return filesIn(s.t, s.dir)
		}
	}
	s.t.Fatalf("waited in vain for %d captures (errors %v)", n, s.failures())
	panic("unreachable")
}

// failures returns what was reported until now.
func (s *site) failures() []error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]error(nil), s.errors...)
}

// wantFailure waits for exactly one error that has this text in it.
func (s *site) wantFailure(text string) {
	s.t.Helper()
	for deadline := time.Now().Add(patience); len(s.failures()) == 0 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	if errs := s.failures(); len(errs) != 1 || !strings.HasPrefix(errs[0].Error(), "record: ") || !strings.Contains(errs[0].Error(), text) {
		s.t.Errorf("errors %v, want one with %q", errs, text)
	}
}

// judged verifies a capture and returns what the verifier says, as an expectation.
func judged(v verify.Verifier, c *capture.Capture) string {
	if _, err := verify.Verify(context.Background(), v, c.Head(), c.Body); err != nil {
		return verify.ReasonOf(err).String()
	}
	return capture.Accept
}

func eventBody(id string) []byte {
	return fmt.Appendf(nil, "{\r\n  \"id\": %q,\n \"object\": \"event\", \"n\": 1.0,\t\"q\": \"\x00\xff\" }\n", id)
}

func signed(id string) *http.Request { return signedAt(id, start, secret) }

func signedAt(id string, at time.Time, secret string) *http.Request {
	return stripetest.NewRequest(hookURL, at, eventBody(id), secret)
}

// large returns a delivery of 600 KiB, which takes 1 MiB in memory.
func large(id, secret string) *http.Request {
	body := append(eventBody(id), bytes.Repeat([]byte(" "), 600<<10)...)
	return stripetest.NewRequest(hookURL, start, body, secret)
}

func again(r *http.Request) *http.Request {
	c := r.Clone(context.Background())
	c.Body, _ = r.GetBody()
	return c
}

func setBody(r *http.Request, body io.Reader) { r.Body, r.GetBody = io.NopCloser(body), nil }

func unsigned(s *site) { s.request.Header.Del("Stripe-Signature") }

func forged(s *site) { s.request = signedAt("evt_1", start, otherSecret) }

func reportOnly(s *site) { s.guard.InsecureReportOnly = true }

func outcome(o replay.Outcome, err error) func(*site) {
	return func(s *site) { s.store.claim = func() (replay.Outcome, error) { return o, err } }
}

func answering(status int) func(*site) {
	return func(s *site) {
		s.handle = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
	}
}

// refusing is a verifier that refuses before or behind the body, if that is not nil.
type refusing struct {
	verify.Verifier
	head, body error
}

func (v *refusing) Begin(ctx context.Context, h *verify.Head) (verify.Pending, error) {
	if v.head != nil {
		return nil, v.head
	}
	p, err := v.Verifier.Begin(ctx, h)
	return refusingPending{p, v.body}, err
}

type refusingPending struct {
	verify.Pending
	err error
}

func (p refusingPending) Finish(ctx context.Context, body []byte) (*verify.Delivery, error) {
	if p.err != nil {
		return nil, p.err
	}
	return p.Pending.Finish(ctx, body)
}

// onHead and onBody make the verifier refuse.
func onHead(r verify.Reason) func(*site) {
	return func(s *site) { s.verifier = &refusing{s.verifier, &verify.Error{Reason: r}, nil} }
}

func onBody(r verify.Reason) func(*site) {
	return func(s *site) { s.verifier = &refusing{s.verifier, nil, &verify.Error{Reason: r}} }
}

var errBroken = errors.New("broken off")

// broken is a body that fails after some bytes.
type broken struct{ io.Reader }

func (b broken) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.EOF {
		err = errBroken
	}
	return n, err
}

// listen serves h over HTTP/1.1, or over HTTP/2.
func listen(t *testing.T, h http.Handler, http2 bool) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(h)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	if server.EnableHTTP2 = http2; http2 {
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	return server
}

// deliver sends r to the server and returns the status, or 0 without a response.
func deliver(t *testing.T, server *httptest.Server, r *http.Request) int {
	t.Helper()
	r = r.Clone(context.Background())
	base, err := r.URL.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	r.URL.Scheme, r.URL.Host, r.Host = base.Scheme, base.Host, "hooks.example"
	response, err := server.Client().Do(r)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	if want := 1 + map[bool]int{true: 1}[server.EnableHTTP2]; response.ProtoMajor != want {
		t.Errorf("HTTP/%d, want HTTP/%d", response.ProtoMajor, want)
	}
	io.Copy(io.Discard, response.Body)
	return response.StatusCode
}

func wantBody(t *testing.T, c *capture.Capture, want []byte) {
	t.Helper()
	if !bytes.Equal(c.Body, want) {
		t.Errorf("the body is %q, want %q", c.Body, want)
	}
}
