package gateway_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/config"
	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/gateway"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

const (
	secret      = "whsec_first-of-the-gateway-tests"
	otherSecret = "whsec_second-of-the-gateway-tests"

	patience = time.Minute // until something that must happen has not happened
)

// receiver is an upstream that notes what it was sent.
type receiver struct {
	*httptest.Server
	mu       sync.Mutex
	requests []*http.Request
	bodies   []string
}

// newReceiver starts an upstream. Its handler may be nil.
func newReceiver(t testing.TB, h http.HandlerFunc) *receiver {
	t.Helper()
	r := new(receiver)
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		r.requests, r.bodies = append(r.requests, req), append(r.bodies, string(body))
		r.mu.Unlock()
		if h != nil {
			h(w, req)
		}
	}))
	t.Cleanup(r.Close)
	return r
}

// count returns how many requests came.
func (r *receiver) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.requests)
}

// newRoute makes a route with Stripe as its sender, as a file would.
func newRoute(t testing.TB, name, path, upstream string, secrets ...string) config.Route {
	t.Helper()
	if secrets == nil {
		secrets = []string{secret}
	}
	var keys verify.KeyList
	rc := config.Route{Name: name, Path: path, Provider: "stripe", InFlight: 512, Upstream: config.Upstream{URL: upstream}}
	for i, s := range secrets {
		label := fmt.Sprint("key ", i+1)
		k, err := verify.NewKey("default", label, []byte(s))
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, k)
		rc.Keys = append(rc.Keys, config.Key{Scope: "default", Label: label, From: "env:TEST"})
	}
	v, err := stripe.New(keys, nil)
	if err != nil {
		t.Fatal(err)
	}
	rc.Verifier = v
	rc.Digest = sha256.Sum256(fmt.Append(nil, name, path, upstream, secrets))
	return rc
}

func newConfig(routes ...config.Route) *config.Config {
	return &config.Config{Limits: config.Limits{BodyBudget: 128 << 20}, Routes: routes}
}

// buffer is a log that several goroutines write.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// newGateway makes a gateway with a store in memory. change may be nil.
func newGateway(t testing.TB, c *config.Config, change func(*gateway.Options)) (*gateway.Gateway, *buffer) {
	t.Helper()
	log := new(buffer)
	o := gateway.Options{Store: replay.NewMemory(nil), Log: slog.New(slog.NewJSONHandler(log, nil))}
	if change != nil {
		change(&o)
	}
	g, err := gateway.New(c, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	return g, log
}

// event is the body of an event of Stripe.
func event(id string) []byte {
	return fmt.Appendf(nil, `{"id":%q,"object":"event","type":"invoice.paid"}`, id)
}

// delivery is a genuine request, signed now.
func delivery(path, id string, secrets ...string) *http.Request {
	if secrets == nil {
		secrets = []string{secret}
	}
	return stripetest.NewRequest("http://hooks.example"+path, time.Now(), event(id), secrets...)
}

// replayed is a copy of a delivery that had this header.
func replayed(path, id string, header http.Header) *http.Request {
	r := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(event(id)))
	r.Header = header.Clone()
	return r
}

// serve returns the response to a request.
func serve(h http.Handler, r *http.Request) *http.Response {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

// send serves a request and fails the test unless the response has the wanted status.
func send(t *testing.T, h http.Handler, r *http.Request, want int) *http.Response {
	t.Helper()
	res := serve(h, r)
	if res.StatusCode != want {
		t.Errorf("status %d, want %d", res.StatusCode, want)
	}
	return res
}

// eventually waits until ok.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for !ok() {
		select {
		case <-ctx.Done():
			t.Fatalf("%s: not within %v", what, patience)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func bodyOf(t *testing.T, res *http.Response) string {
	t.Helper()
	var b strings.Builder
	if _, err := io.Copy(&b, res.Body); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// nowhere is a response that nobody reads.
type nowhere struct{}

func (nowhere) Header() http.Header         { return make(http.Header) }
func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (nowhere) WriteHeader(int)             {}
