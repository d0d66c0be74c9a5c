package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
)

const (
	secret = "whsec_for_the_tests_only"
	url    = "https://shop.example/hooks/stripe"
	paid   = `{"id":"evt_1","object":"event","type":"invoice.paid","data":{"object":{"id":"in_1"}}}`
)

func TestPromises(t *testing.T) {
	var out strings.Builder
	if err := promises(&out); err != nil {
		t.Errorf("%v\n%s", err, out.String())
	}
}

func serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestSeries(t *testing.T) {
	webhooks, metrics, err := routes(stripe.Must(secret), logPayment, noop.NewTracerProvider())
	if err != nil {
		t.Fatal(err)
	}
	scrape := func() string { return serve(metrics, httptest.NewRequest("GET", "/metrics", nil)).Body.String() }
	count := func() int { return strings.Count(scrape(), "\nhttp_server_request_duration_seconds_count{") }
	knock := func(i int) {
		r := httptest.NewRequest("POST", fmt.Sprintf("https://host%d.example:%d/hooks/stripe", i, 1000+i), nil)
		r.Header.Set("User-Agent", fmt.Sprint("agent", i))
		serve(webhooks, r)
	}
	knock(0)
	if n := count(); n != 1 {
		t.Fatalf("there are %d series:\n%s", n, scrape())
	}
	for i := range 100 {
		knock(i)
	}
	if n := count(); n != 1 {
		t.Errorf("after 100 Host headers there are %d series", n)
	}
	if !strings.Contains(scrape(), `http_route="/hooks/stripe"`) {
		t.Errorf("there is no route:\n%s", scrape())
	}
}

func TestSpans(t *testing.T) {
	exported := tracetest.NewInMemoryExporter()
	webhooks, _, err := routes(stripe.Must(secret), func(context.Context, string) error { return nil },
		sdktrace.NewTracerProvider(sdktrace.WithSyncer(exported)))
	if err != nil {
		t.Fatal(err)
	}
	const theirs = "0af7651916cd43dd8448eb211c80319c"
	r := stripetest.NewRequest(url, time.Now(), []byte(paid), secret)
	r.Header.Set("Traceparent", "00-"+theirs+"-b7ad6b7169203331-01")
	if w := serve(webhooks, r); w.Code != http.StatusNoContent {
		t.Fatalf("status %d", w.Code)
	}
	spans := exported.GetSpans()
	if len(spans) != 2 || spans[0].Name != "hooknotary.admit" || spans[1].Name != "POST /hooks/stripe" {
		t.Fatalf("the spans are %v", spans)
	}
	admit, server := spans[0], spans[1]
	if admit.Parent.SpanID() != server.SpanContext.SpanID() {
		t.Errorf("the parent of the guard's span is %v", admit.Parent.SpanID())
	}
	if server.Parent.IsValid() || len(server.Links) != 1 || server.Links[0].SpanContext.TraceID().String() != theirs {
		t.Errorf("the parent is %v, the links are %v: want the sender's trace as a link", server.Parent, server.Links)
	}
}

func TestRun(t *testing.T) {
	for _, bad := range []string{"", "sk_test_0123456789abcdef", "whsec_xxxxxxxxxxxx"} {
		err := run(t.Context(), "localhost:0", bad)
		if err == nil || !strings.Contains(err.Error(), "STRIPE_WEBHOOK_SECRET") {
			t.Errorf("with %q: %v", bad, err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := run(ctx, "localhost:0", secret); err != nil {
		t.Errorf("shutdown: %v", err)
	}
}
