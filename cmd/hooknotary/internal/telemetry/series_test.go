package telemetry_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/telemetry"
	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/forward"
	"github.com/hooknotary/hooknotary/providers/github/githubtest"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
)

// mark stands in everything that hostile requests choose.
const mark = "hostile"

// hostile makes requests as different as a sender can make them, some of them signed.
type hostile struct {
	*rand.Rand
	n    int
	last *http.Request // that was signed
	body []byte
}

func (h *hostile) word() string { return fmt.Sprintf("%s-%x", mark, h.Uint64()) }

func (h *hostile) request() *http.Request {
	h.n++
	body := []byte(`{"id":"` + h.word() + `"}`)
	paths := [...]string{"/hooks/stripe", "/hooks/github", "/hooks/stripe", "/hooks/github", "/hooks/stripe/" + h.word(), "/" + h.word()}
	path := paths[h.IntN(len(paths))]
	target := "https://" + h.word() + ".example:" + fmt.Sprint(1+h.IntN(65535)) + path + "?" + h.word()

	var r *http.Request
	switch h.IntN(8) {
	case 0:
		r = stripetest.NewRequest(target, time.Now(), body, secret)
		h.last, h.body = r, body
	case 1:
		r = stripetest.NewRequest(target, time.Now().Add(time.Duration(h.IntN(4000)-2000)*time.Second), body, secret, h.word())
	case 2:
		r = githubtest.NewRequest(target, h.word(), body, secret)
		h.last, h.body = r, body
	case 3:
		r = githubtest.NewRequest(target, h.word(), body, h.word())
	case 4: // a copy
		if h.last != nil {
			r = h.last.Clone(h.last.Context())
			r.Body = readCloser{bytes.NewReader(h.body)}
			break
		}
		fallthrough
	default:
		r = httptest.NewRequest("POST", target, bytes.NewReader(body))
		r.Header.Set([]string{"Stripe-Signature", "X-Hub-Signature-256", h.word()}[h.IntN(3)], []string{"t=1,v1=00", "sha256=" + h.word(), h.word()}[h.IntN(3)])
	}
	if h.IntN(4) == 0 {
		r.Method = []string{"GET", "PUT", "BREW", h.word(), strings.ToUpper(h.word())}[h.IntN(5)]
	}
	if h.IntN(4) == 0 {
		r.Header.Set("Content-Type", []string{"application/" + h.word(), "text/plain; charset=" + h.word()}[h.IntN(2)])
	}
	if h.IntN(8) == 0 {
		r.ContentLength = h.Int64()
	}
	if h.IntN(4) == 0 {
		r.Proto, r.ProtoMinor = fmt.Sprintf("HTTP/1.%d", h.IntN(10)), h.IntN(10)
	}
	r.Header.Set("User-Agent", h.word())
	r.Header.Set("X-Forwarded-For", h.word())
	r.Header.Set("Baggage", h.word()+"="+h.word())
	r.Header.Set("Traceparent", fmt.Sprintf("00-%016x%016x-%016x-01", h.Uint64(), h.Uint64()|1, h.Uint64()|1))
	r.Header.Set("Tracestate", "x="+h.word())
	r.RemoteAddr = fmt.Sprintf("203.0.113.%d:%d", h.IntN(256), h.IntN(65536))
	return r
}

func TestSeries(t *testing.T) {
	requests := 1_000_000
	if testing.Short() {
		requests = 10_000
	}
	s := newSite(t, telemetry.Options{Metrics: true})
	random := rand.NewPCG(rand.Uint64(), 0)
	seed := *random
	h := &hostile{Rand: rand.New(random)}
	statuses := make(map[int]int)
	for range requests {
		statuses[s.serve(h.request())]++
	}
	t.Logf("%d requests, seed %v: answers by status %v", requests, seed, statuses)
	for _, status := range []int{200, 401, 404, 405, 409, 413, 415} {
		if statuses[status] == 0 {
			t.Errorf("no request was answered with %d: is it hostile?", status)
		}
	}

	text := scrape(t, s.Telemetry)
	for line := range strings.Lines(text) {
		if strings.Contains(strings.ToLower(line), mark) || strings.Contains(line, "203.0.113") {
			t.Fatalf("the scrape holds what a sender wrote: %s", line)
		}
	}
	count := make(map[string]int)
	for name := range series(text) {
		count[family(name)]++
	}
	const (
		routes   = 2
		outcomes = 7
		methods  = 10
		buckets  = 15 // of an HTTP duration
	)
	for name, most := range map[string]int{
		"hooknotary_deliveries_total":                 routes * 24,
		"hooknotary_delivery_duration_seconds_count":  routes * outcomes,
		"hooknotary_delivery_duration_seconds_bucket": routes * outcomes * buckets,
		"hooknotary_stage_duration_seconds_count":     routes * 5,
		"hooknotary_body_size_bytes_count":            routes,
		"hooknotary_key_uses_total":                   routes,
		// Only a POST is answered with more than one status, and only on a route.
		"http_server_request_duration_seconds_count": routes*(methods+8) + methods,
	} {
		if n := count[name]; n == 0 || n > most {
			t.Errorf("%s has %d series, want at most %d", name, n, most)
		}
	}
	all := 0
	for name, n := range count {
		if strings.HasPrefix(name, "hooknotary_") || strings.HasPrefix(name, "http_") {
			all += n
		}
	}
	t.Logf("there are %d series of hooknotary and http, %d of them of hooknotary_deliveries_total", all, count["hooknotary_deliveries_total"])
	if strings.Contains(text, "otel_metric_overflow") {
		t.Error("a limit of the SDK folded series together")
	}
}

// promtool runs it, or skips the test where it is not installed.
func promtool(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err != nil {
		if os.Getenv("HOOKNOTARY_SERVERS") == "required" {
			t.Fatal("promtool is not installed: it comes with Debian's prometheus")
		}
		t.Skip("promtool is not installed")
	}
	cmd := exec.Command(path, args...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// busy returns a site that has measured all there is to measure.
func busy(t *testing.T) *site {
	t.Helper()
	s := newSite(t, telemetry.Options{Metrics: true, Version: "v1.2.3", Scopes: []string{"acme"}})
	s.serve(stripetest.NewRequest("https://shop.example/hooks/stripe", time.Now(), []byte(`{"id":"evt_1"}`), secret))
	s.serve(stripetest.NewRequest("https://shop.example/hooks/stripe", time.Now(), []byte(`{"id":"evt_2"}`), "whsec_another"))
	s.serve(httptest.NewRequest("GET", "https://shop.example/", nil))
	for _, change := range [...]func(*middleware.Report){
		func(r *middleware.Report) { r.Outcome, r.ClaimKept = middleware.Failed, true },
		func(r *middleware.Report) { r.Outcome = middleware.CommitFailed },
		func(r *middleware.Report) { r.Scope = "acme" },
		func(r *middleware.Report) { r.FailedOpen = true },
	} {
		r := handled
		change(&r)
		s.Observe(t.Context(), r)
	}
	s.Reloaded(true, time.Unix(1_700_000_000, 0))
	s.Reloaded(false, time.Now())
	s.Faulty(3)
	for _, r := range []forward.Report{{Status: 204, Sent: 204, Duration: time.Second}, {Status: 500, Sent: 502, Duration: time.Second}} {
		s.Upstream("billing")(t.Context(), http.Header{})(r)
	}
	return s
}

func TestMetricsHandler(t *testing.T) {
	text := scrape(t, busy(t).Telemetry)

	t.Run("promtool finds no fault", func(t *testing.T) {
		if out := promtool(t, text, "check", "metrics"); out != "" {
			t.Error(out)
		}
	})

	t.Run("each instrument is there under its name in Prometheus", func(t *testing.T) {
		all := series(text)
		for name, want := range map[string]string{
			`hooknotary_deliveries_total{hooknotary_endpoint="stripe",hooknotary_outcome="handled",hooknotary_provider="stripe"}`:                       "1",
			`hooknotary_deliveries_total{error_type="mismatch",hooknotary_endpoint="stripe",hooknotary_outcome="refused",hooknotary_provider="stripe"}`: "1",
			`hooknotary_delivery_duration_seconds_count{hooknotary_endpoint="stripe",hooknotary_outcome="handled",hooknotary_provider="stripe"}`:        "1",
			`hooknotary_stage_duration_seconds_count{hooknotary_endpoint="stripe",hooknotary_stage="claim"}`:                                            "1",
			`hooknotary_body_size_bytes_sum{hooknotary_endpoint="billing"}`:                                                                             "16384",
			`hooknotary_key_uses_total{hooknotary_endpoint="billing",hooknotary_key_label="1",hooknotary_provider="stripe",hooknotary_scope="acme"}`:    "1",
			`hooknotary_claims_kept_total{hooknotary_endpoint="billing"}`:                                                                               "1",
			`hooknotary_store_failures_total{hooknotary_endpoint="billing",hooknotary_stage="claim"}`:                                                   "1",
			`hooknotary_store_records{hooknotary_store="memory"}`:                                                                                       "1",
			`hooknotary_store_bytes{hooknotary_store="memory"}`:                                                                                         "160",
			`hooknotary_store_max_bytes{hooknotary_store="memory"}`:                                                                                     "6.7108864e+07",
			`hooknotary_upstream_duration_seconds_sum{hooknotary_endpoint="billing"}`:                                                                   "1",
			`hooknotary_upstream_duration_seconds_sum{error_type="5xx",hooknotary_endpoint="billing"}`:                                                  "1",
			`hooknotary_config_reloads_total`:                         "1",
			`hooknotary_config_reloads_total{error_type="config"}`:    "1",
			`hooknotary_config_last_reload_successful`:                "0",
			`hooknotary_config_last_reload_success_timestamp_seconds`: "1.7e+09",
			`hooknotary_config_faulty_tenants`:                        "3",
			`http_server_request_duration_seconds_count{http_request_method="POST",http_response_status_code="401",http_route="/hooks/stripe",url_scheme="http"}`: "1",
			`http_server_request_duration_seconds_count{http_request_method="GET",http_response_status_code="404",url_scheme="https"}`:                            "1",
		} {
			if all[name] != want {
				t.Errorf("%s is %q, want %q", name, all[name], want)
			}
		}
		if !slices.ContainsFunc(slices.Collect(strings.Lines(text)), func(line string) bool {
			return strings.HasPrefix(line, "hooknotary_build_info{") && strings.Contains(line, `version="v1.2.3"`) && strings.HasSuffix(line, "} 1\n")
		}) {
			t.Error("there is no build info")
		}
		for name := range all {
			switch name := family(name); {
			case strings.HasPrefix(name, "hooknotary_"), strings.HasPrefix(name, "http_server_request_duration_seconds"),
				strings.HasPrefix(name, "go_"), strings.HasPrefix(name, "process_"):
			default:
				t.Errorf("there is %s, too", name)
			}
		}
	})
}
