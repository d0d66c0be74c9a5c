package telemetry_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/telemetry"
	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/providers/github"
	"github.com/hooknotary/hooknotary/providers/github/githubtest"
	"github.com/hooknotary/hooknotary/verify/replay"
)

var handled = middleware.Report{
	Endpoint: "billing", Provider: "stripe", Outcome: middleware.Handled, Verified: true, Scope: "default", KeyLabel: "1", CorrelationID: "00",
	BodyBytes: 4096, Read: 20 * time.Microsecond, Verify: 10 * time.Microsecond, Claim: time.Microsecond,
	Handle: time.Millisecond, Settle: time.Microsecond, Total: time.Millisecond,
}

var costs = []struct {
	name    string
	options *telemetry.Options // nil: the guard has no observer
}{
	{"no observer", nil},
	{"telemetry is off", &telemetry.Options{}},
	{"metrics alone", &telemetry.Options{Metrics: true}},
	{"metrics with scopes", &telemetry.Options{Metrics: true, Scopes: []string{"acme"}}},
}

// BenchmarkObserve is what a delivery costs, without what otelhttp adds.
func BenchmarkObserve(b *testing.B) {
	for _, c := range costs[1:] {
		b.Run(c.name, func(b *testing.B) {
			all := start(b, *c.options)
			b.ReportAllocs()
			for b.Loop() {
				all.Observe(context.Background(), handled)
			}
		})
	}
}

func TestObserveCost(t *testing.T) {
	t.Run("there are no allocations", func(t *testing.T) {
		for _, c := range costs[1:] {
			all := start(t, *c.options)
			if n := testing.AllocsPerRun(1000, func() { all.Observe(context.Background(), handled) }); n != 0 {
				t.Errorf("%s: %v a delivery", c.name, n)
			}
		}
	})

	t.Run("a guarded delivery of 4 KiB takes no multiple of its time", func(t *testing.T) {
		const deliveries = 50 // a run is short, so that some are not interrupted
		var requests [deliveries]*http.Request
		bodies := make([][]byte, deliveries)
		for i := range requests {
			bodies[i] = fmt.Appendf(nil, `{"n":%d,"pad":"%04096d"}`, i, i)
			requests[i] = githubtest.NewRequest("https://ci.example/hooks/github", "push", bodies[i], secret)
		}
		observers := make([]func(context.Context, middleware.Report), len(costs))
		for i, c := range costs {
			if c.options != nil {
				observers[i] = start(t, *c.options).Observe
			}
		}
		best := make([]time.Duration, len(costs))
		for range 100 { // interleaved, and the best run of each counts
			for i, observe := range observers {
				guard, err := middleware.New("ci", github.Must(secret), replay.NewMemory(nil), &middleware.Options{Observe: observe})
				if err != nil {
					t.Fatal(err)
				}
				handler := guard.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
				begun := time.Now()
				for i, r := range requests {
					r := r.Clone(context.Background())
					r.Body = readCloser{bytes.NewReader(bodies[i])}
					handler.ServeHTTP(httptest.NewRecorder(), r)
				}
				if took := time.Since(begun) / deliveries; best[i] == 0 || took < best[i] {
					best[i] = took
				}
			}
		}
		for i, c := range costs {
			ratio := float64(best[i]) / float64(best[0])
			t.Logf("%-20s %v a delivery, %.3f of no observer", c.name, best[i], ratio)
			if ratio > 4 { // on a busy machine; on a quiet one it is 1.4
				t.Errorf("%s: %.2f of no observer", c.name, ratio)
			}
		}
	})
}

type readCloser struct{ *bytes.Reader }

func (readCloser) Close() error { return nil }
