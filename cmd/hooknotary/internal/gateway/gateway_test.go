package gateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/config"
	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/gateway"
	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/telemetry"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify/replay"
)

// countingStore counts the claims that are asked of it.
type countingStore struct {
	replay.Store
	claims atomic.Int64
	fail   atomic.Bool
}

func (s *countingStore) Claim(ctx context.Context, c replay.Claim) (replay.Outcome, error) {
	s.claims.Add(1)
	if s.fail.Load() {
		return replay.Outcome{}, errors.New("the store is down")
	}
	return s.Store.Claim(ctx, c)
}

// gate is a handler that lets requests in and holds them until it is opened.
type gate struct {
	inside atomic.Int64
	open   chan struct{}
}

func newGate() *gate { return &gate{open: make(chan struct{})} }

func (g *gate) ServeHTTP(http.ResponseWriter, *http.Request) {
	g.inside.Add(1)
	<-g.open
}

func TestInFlight(t *testing.T) {
	// full makes a gateway whose only route has as many deliveries in flight as it may:
	// two. The returned function lets them end and waits for them.
	full := func(t *testing.T, change func(*config.Route)) (*gateway.Gateway, *countingStore, *receiver, func()) {
		held := newGate()
		up := newReceiver(t, held.ServeHTTP)
		route := newRoute(t, "billing", "/hooks/stripe", up.URL)
		route.InFlight = 2
		if change != nil {
			change(&route)
		}
		store := &countingStore{Store: replay.NewMemory(nil)}
		g, _ := newGateway(t, newConfig(route), func(o *gateway.Options) { o.Store = store })
		var under sync.WaitGroup
		for _, id := range []string{"evt_1", "evt_2"} {
			under.Go(func() { send(t, g, delivery("/hooks/stripe", id), 200) })
		}
		eventually(t, "two deliveries are in flight", func() bool { return held.inside.Load() == 2 })
		end := sync.OnceFunc(func() {
			close(held.open)
			under.Wait()
		})
		t.Cleanup(end)
		return g, store, up, end
	}
	t.Run("one more verified delivery gets 503 with Retry-After, and the store is not asked", func(t *testing.T) {
		g, store, up, end := full(t, nil)
		res := send(t, g, delivery("/hooks/stripe", "evt_3"), 503)
		if res.Header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
		if got := store.claims.Load(); got != 2 {
			t.Errorf("the store was asked %d times, want 2", got)
		}
		end()
		send(t, g, delivery("/hooks/stripe", "evt_3"), 200)
		if got := up.count(); got != 3 {
			t.Errorf("the upstream got %d requests, want 3", got)
		}
	})
	t.Run("what is not verified is refused as ever", func(t *testing.T) {
		g, _, _, _ := full(t, nil)
		for range 5 {
			send(t, g, delivery("/hooks/stripe", "evt_3", otherSecret), 401)
		}
	})
	t.Run("what is not verified takes no space", func(t *testing.T) {
		held := newGate()
		up := newReceiver(t, held.ServeHTTP)
		route := newRoute(t, "billing", "/hooks/stripe", up.URL)
		route.InFlight = 1
		g, _ := newGateway(t, newConfig(route), nil)
		// A forgery whose body does not come is at the guard as long as it likes.
		forged := delivery("/hooks/stripe", "evt_1", otherSecret)
		body := newGate()
		forged.Body = blockingBody{body}
		var under sync.WaitGroup
		under.Go(func() { serve(g, forged) })
		eventually(t, "the forgery is being read", func() bool { return body.inside.Load() > 0 })
		close(held.open)
		send(t, g, delivery("/hooks/stripe", "evt_2"), 200)
		close(body.open)
		under.Wait()
	})
	t.Run("a guard that fails open keeps the bound", func(t *testing.T) {
		g, store, up, end := full(t, func(rc *config.Route) { rc.Guard.InsecureFailOpen = true })
		store.fail.Store(true)
		send(t, g, delivery("/hooks/stripe", "evt_3"), 503)
		if up.count() != 2 {
			t.Error("the delivery reached the upstream")
		}
		end()
		send(t, g, delivery("/hooks/stripe", "evt_3"), 200)
	})
	t.Run("the count outlives a reload, and the bound is the new one", func(t *testing.T) {
		g, _, up, end := full(t, nil)
		bounded := func(n int) *config.Config {
			route := newRoute(t, "billing", "/hooks/stripe", up.URL)
			route.InFlight, route.Digest[0] = n, byte(n)
			return newConfig(route)
		}
		reload(t, g, bounded(1))
		send(t, g, delivery("/hooks/stripe", "evt_3"), 503)
		reload(t, g, bounded(2))
		send(t, g, delivery("/hooks/stripe", "evt_3"), 503)
		reload(t, g, newConfig()) // the route goes
		send(t, g, delivery("/hooks/stripe", "evt_3"), 404)
		reload(t, g, bounded(2)) // and comes back
		send(t, g, delivery("/hooks/stripe", "evt_3"), 503)
		end()
		send(t, g, delivery("/hooks/stripe", "evt_3"), 200)
	})
	t.Run("a delivery that was refused after its signature takes no space", func(t *testing.T) {
		up := newReceiver(t, nil)
		route := newRoute(t, "billing", "/hooks/stripe", up.URL)
		route.InFlight = 1
		g, _ := newGateway(t, newConfig(route), nil)
		first := delivery("/hooks/stripe", "evt_1")
		header := first.Header.Clone()
		send(t, g, first, 200)
		for range 3 {
			send(t, g, replayed(first.URL.Path, "evt_1", header), 409)
		}
		send(t, g, delivery("/hooks/stripe", "evt_2"), 200)
	})
}

// blockingBody is a body that waits for a gate.
type blockingBody struct{ *gate }

func (b blockingBody) Read([]byte) (int, error) {
	b.ServeHTTP(nil, nil)
	return 0, errors.New("broken off")
}

func (blockingBody) Close() error { return nil }

// reload fails the test unless c is taken.
func reload(t testing.TB, g *gateway.Gateway, c *config.Config) {
	t.Helper()
	if _, err := g.Reload(c); err != nil {
		t.Fatal(err)
	}
}

func TestKeyEnd(t *testing.T) {
	up := newReceiver(t, nil)
	now := time.Now()
	route := newRoute(t, "billing", "/hooks/stripe", up.URL, secret, otherSecret)
	route.Keys[1].NotAfter = now.Add(time.Minute)
	var clock atomic.Int64
	g, log := newGateway(t, newConfig(route), func(o *gateway.Options) {
		o.Now = func() time.Time { return time.Unix(0, clock.Load()) }
	})
	at := func(when time.Time, id string, secrets ...string) *http.Request {
		clock.Store(when.UnixNano())
		return stripetest.NewRequest("http://hooks.example/hooks/stripe", when, event(id), secrets...)
	}
	send(t, g, at(now.Add(time.Minute-1), "evt_before", otherSecret), 200)
	over := send(t, g, at(now.Add(time.Minute), "evt_after", otherSecret), 401)
	send(t, g, at(now.Add(time.Hour), "evt_other", secret), 200)
	forged := send(t, g, at(now.Add(time.Hour), "evt_forged", "whsec_unknown"), 401)
	if a, b := bodyOf(t, over), bodyOf(t, forged); a != b {
		t.Errorf("a key that is over is told from a wrong one: %s, %s", a, b)
	}
	if !strings.Contains(log.String(), "not_after has passed") {
		t.Errorf("the log does not say it: %s", log)
	}
	// Signed with both keys, as during a rotation, the one that is not over counts.
	send(t, g, at(now.Add(time.Hour), "evt_both", otherSecret, secret), 200)
}

func TestReload(t *testing.T) {
	t.Run("requests under way keep what they began with, and new ones get the new", func(t *testing.T) {
		held := newGate()
		before, after := newReceiver(t, held.ServeHTTP), newReceiver(t, nil)
		g, _ := newGateway(t, newConfig(newRoute(t, "billing", "/hooks/stripe", before.URL)), nil)
		var under sync.WaitGroup
		under.Go(func() { send(t, g, delivery("/hooks/stripe", "evt_1"), 200) })
		eventually(t, "the first is under way", func() bool { return held.inside.Load() == 1 })
		reload(t, g, newConfig(newRoute(t, "billing", "/hooks/stripe", after.URL)))
		send(t, g, delivery("/hooks/stripe", "evt_2"), 200)
		send(t, g, delivery("/hooks/stripe", "evt_1"), 409) // still in flight, behind another guard
		close(held.open)
		under.Wait()
		later := stripetest.NewRequest("http://hooks.example/hooks/stripe", time.Now().Add(2*time.Second), event("evt_1"), secret)
		if res := send(t, g, later, 200); res.Header.Get("Webhook-Duplicate") != "1" {
			t.Error("a retry of what was handled before the reload is no duplicate")
		}
		if before.count() != 1 || after.count() != 1 {
			t.Errorf("the upstreams got %d and %d requests, want 1 and 1", before.count(), after.count())
		}
	})
	t.Run("a delivery from before is a replay after", func(t *testing.T) {
		up := newReceiver(t, nil)
		g, _ := newGateway(t, newConfig(newRoute(t, "billing", "/hooks/stripe", up.URL)), nil)
		first := delivery("/hooks/stripe", "evt_1")
		header := first.Header.Clone()
		send(t, g, first, 200)
		reload(t, g, newConfig(newRoute(t, "billing", "/hooks/stripe", up.URL, secret, otherSecret)))
		// With another number of keys the store cannot tell a copy from an honest retry.
		if res := serve(g, replayed("/hooks/stripe", "evt_1", header)); res.StatusCode != 409 && res.Header.Get("Webhook-Duplicate") != "1" {
			t.Errorf("status %d", res.StatusCode)
		}
		if up.count() != 1 {
			t.Errorf("the upstream got %d requests, want 1", up.count())
		}
	})
	t.Run("a route that did not change keeps its verifier", func(t *testing.T) {
		up := newReceiver(t, nil)
		same, other := newRoute(t, "same", "/same", up.URL), newRoute(t, "other", "/other", up.URL)
		g, _ := newGateway(t, newConfig(same, other), nil)
		// These verifiers know other secrets. Only a route with another digest may use its own.
		impostor := newRoute(t, "same", "/same", up.URL, otherSecret)
		impostor.Digest = same.Digest
		reload(t, g, newConfig(impostor, newRoute(t, "other", "/other", up.URL, otherSecret)))
		send(t, g, delivery("/same", "evt_1"), 200)
		send(t, g, delivery("/other", "evt_1"), 401)
		send(t, g, delivery("/other", "evt_2", otherSecret), 200)
	})
	t.Run("a mistake keeps everything as it was", func(t *testing.T) {
		up := newReceiver(t, nil)
		c := newConfig(newRoute(t, "billing", "/hooks/stripe", up.URL))
		g, _ := newGateway(t, c, nil)
		if _, err := g.Reload(newConfig(newRoute(t, "billing", "/hooks/stripe", up.URL, otherSecret), newRoute(t, "wrong", "/wrong", "ftp://x"))); err == nil {
			t.Fatal("it is taken")
		}
		send(t, g, delivery("/hooks/stripe", "evt_1"), 200)
		if g.Config() != c {
			t.Error("the configuration is another one")
		}
	})
	t.Run("a route that is gone is not found", func(t *testing.T) {
		up := newReceiver(t, nil)
		g, _ := newGateway(t, newConfig(newRoute(t, "billing", "/hooks/stripe", up.URL)), nil)
		reload(t, g, newConfig(newRoute(t, "billing", "/hooks/new", up.URL)))
		send(t, g, delivery("/hooks/stripe", "evt_1"), 404)
		send(t, g, delivery("/hooks/new", "evt_1"), 200)
	})
	t.Run("what needs a restart is named", func(t *testing.T) {
		up := newReceiver(t, nil)
		c := newConfig(newRoute(t, "billing", "/hooks/stripe", up.URL))
		c.Restart = map[string][32]byte{"listen": {1}, "store": {1}, "env": {1}}
		g, _ := newGateway(t, c, nil)
		next := newConfig(c.Routes...)
		next.Restart = map[string][32]byte{"listen": {1}, "store": {2}, "env": {2}}
		for range 2 { // also when nothing has changed since
			got, err := g.Reload(next)
			if want := []string{"env", "store"}; err != nil || !slices.Equal(got, want) {
				t.Errorf("got %v, %v; want %v", got, err, want)
			}
		}
		if got, _ := g.Reload(c); len(got) > 0 {
			t.Errorf("got %v for what the gateway was started with", got)
		}
	})
	t.Run("the limits of the log outlive it", func(t *testing.T) {
		up := newReceiver(t, nil)
		g, log := newGateway(t, newConfig(newRoute(t, "billing", "/hooks/stripe", up.URL)), nil)
		server := httptest.NewServer(g)
		defer server.Close()
		for i := range 200 {
			route := newRoute(t, "billing", "/hooks/stripe", up.URL)
			route.Digest[0] = byte(i)
			reload(t, g, newConfig(route))
			forged := stripetest.NewRequest(server.URL+"/hooks/stripe", time.Now(), event("evt_1"), otherSecret)
			forged.RequestURI = ""
			res, err := server.Client().Do(forged)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode != 401 {
				t.Fatalf("status %d, want 401", res.StatusCode)
			}
		}
		// A burst of 20 and 5 a second: this took no 20 seconds, or the machine is of no use.
		if got := strings.Count(log.String(), `"webhook refused"`); got < 20 || got > 120 {
			t.Errorf("%d lines for 200 refusals", got)
		}
	})
}

func TestLog(t *testing.T) {
	const client = "192.0.2.7"
	newLogged := func(t *testing.T, h http.HandlerFunc) (*gateway.Gateway, func(t *testing.T) map[string]any) {
		up := newReceiver(t, h)
		g, log := newGateway(t, newConfig(newRoute(t, "billing", "/hooks/stripe", up.URL)), func(o *gateway.Options) {
			o.ClientAddress = func(*http.Request) string { return client }
		})
		return g, func(t *testing.T) map[string]any {
			t.Helper()
			lines := strings.Split(strings.TrimSpace(log.String()), "\n")
			if len(lines) != 1 {
				t.Fatalf("%d lines, want 1: %s", len(lines), log)
			}
			var line map[string]any
			if err := json.Unmarshal([]byte(lines[0]), &line); err != nil {
				t.Fatal(err)
			}
			return line
		}
	}
	want := func(t *testing.T, line map[string]any, attrs map[string]any) {
		t.Helper()
		for name, value := range attrs {
			if line[name] != value {
				t.Errorf("%s is %v, want %v", name, line[name], value)
			}
		}
		if id, _ := line["correlation_id"].(string); len(id) != 16 {
			t.Errorf("correlation_id is %q", id)
		}
	}
	t.Run("a refusal", func(t *testing.T) {
		g, line := newLogged(t, nil)
		send(t, g, delivery("/hooks/stripe", "evt_1", otherSecret), 401)
		want(t, line(t), map[string]any{"msg": "webhook refused", "route": "billing", "reason": "mismatch", "client": client, "status": 401.0})
	})
	t.Run("a failure of the upstream, with what it was", func(t *testing.T) {
		g, line := newLogged(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) })
		send(t, g, delivery("/hooks/stripe", "evt_1"), 502)
		want(t, line(t), map[string]any{"msg": "webhook failed", "route": "billing", "client": client, "upstream_status": 500.0})
	})
}

func TestTelemetry(t *testing.T) {
	up := newReceiver(t, nil)
	measured, err := telemetry.New(t.Context(), telemetry.Options{Metrics: true, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer measured.Shutdown(context.Background())
	c := newConfig(newRoute(t, "billing", "/hooks/{tenant}", up.URL))
	c.Faulty = map[string]error{"billing/initech": errors.New("no key")}
	g, _ := newGateway(t, c, func(o *gateway.Options) { o.Telemetry = measured })
	send(t, g, delivery("/hooks/acme", "evt_1"), 200)
	send(t, g, delivery("/hooks/acme", "evt_1", otherSecret), 401)
	send(t, g, delivery("/other", "evt_1"), 404)
	scrape := bodyOf(t, serve(measured.MetricsHandler(), httptest.NewRequest(http.MethodGet, "/metrics", nil)))
	for _, want := range []string{
		`hooknotary_deliveries_total{hooknotary_endpoint="billing",hooknotary_outcome="handled",hooknotary_provider="stripe"} 1`,
		`hooknotary_upstream_duration_seconds_count{hooknotary_endpoint="billing"} 1`,
		`hooknotary_config_faulty_tenants 1`,
		`http_server_request_duration_seconds_count{http_request_method="POST",http_response_status_code="401",http_route="/hooks/{tenant}",url_scheme="http"} 1`,
		`http_server_request_duration_seconds_count{http_request_method="POST",http_response_status_code="404",url_scheme="http"} 1`,
	} {
		if !strings.Contains(scrape, want+"\n") {
			t.Errorf("the scrape lacks %s:\n%s", want, scrape)
		}
	}
}
