package telemetry_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/telemetry"
	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/providers/github"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

const secret = "whsec_e1d5a0b97c3f4286a7b8c9d0e1f20314"

func start(t testing.TB, o telemetry.Options) *telemetry.Telemetry {
	t.Helper()
	all, err := telemetry.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { all.Shutdown(context.Background()) })
	return all
}

// site is two routes, as a gateway has them, with all that telemetry measures.
type site struct {
	*telemetry.Telemetry
	handler http.Handler
	store   *replay.Memory
	handle  http.HandlerFunc // behind the guards
	last    middleware.Report
}

func newSite(t testing.TB, o telemetry.Options) *site {
	t.Helper()
	s := &site{Telemetry: start(t, o), store: replay.NewMemory(nil), handle: func(http.ResponseWriter, *http.Request) {}}
	if err := s.Register("memory", s.store); err != nil {
		t.Fatal(err)
	}
	routes := make(map[string]http.Handler)
	for path, v := range map[string]verify.Verifier{"/hooks/stripe": stripe.Must(secret), "/hooks/github": github.Must(secret)} {
		name := strings.TrimPrefix(path, "/hooks/")
		guard, err := middleware.New(name, v, s.store, &middleware.Options{Observe: func(ctx context.Context, r middleware.Report) {
			s.Observe(ctx, r)
			s.last = r
		}})
		if err != nil {
			t.Fatal(err)
		}
		routes[path] = s.Route(path, guard.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.handle(w, r) })))
	}
	none := s.Route("", http.NotFoundHandler())
	s.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if route := routes[r.URL.Path]; route != nil {
			route.ServeHTTP(w, r)
			return
		}
		none.ServeHTTP(w, r)
	})
	return s
}

func (s *site) serve(r *http.Request) int {
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w.Code
}

// scrape returns what Prometheus would read.
func scrape(t testing.TB, all *telemetry.Telemetry) string {
	t.Helper()
	w := httptest.NewRecorder()
	all.MetricsHandler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	body, err := io.ReadAll(w.Result().Body)
	if err != nil || w.Code != 200 {
		t.Fatalf("status %d, %v", w.Code, err)
	}
	return string(body)
}

// series returns the values by the name with its labels, as they stand in a scrape.
func series(text string) map[string]string {
	all := make(map[string]string)
	for line := range strings.Lines(text) {
		if i := strings.LastIndexByte(strings.TrimSpace(line), ' '); i > 0 && line[0] != '#' {
			all[line[:i]] = strings.TrimSpace(line[i:])
		}
	}
	return all
}

// family returns the name of a series without its labels.
func family(series string) string {
	name, _, _ := strings.Cut(series, "{")
	return name
}
