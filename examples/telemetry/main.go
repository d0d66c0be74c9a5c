// Telemetry receives webhooks of Stripe, with metrics and traces of OpenTelemetry.
//
//	cd examples/telemetry && go run .
//
// sends genuine, forged and replayed deliveries to itself, and one whose handler fails,
// and prints what came of them and what Prometheus would read of it. It exits with 1 if
// that is not what is promised.
//
//	STRIPE_WEBHOOK_SECRET=whsec_… go run . -serve
//
// receives webhooks, and answers Prometheus at localhost:9090/metrics. The dashboard and the
// alerts in cmd/hooknotary/telemetry fit it.
//
// What to copy is in this file; package show sends the deliveries and runs the server.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	otelprom "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/hooknotary/hooknotary/examples/show"
	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/otelmw"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

func main() {
	show.Main("STRIPE_WEBHOOK_SECRET", promises, run)
}

func run(ctx context.Context, addr, secret string) error {
	v, err := stripe.New(verify.Secrets(secret), nil)
	if err != nil {
		return fmt.Errorf("STRIPE_WEBHOOK_SECRET must be the signing secret of the endpoint, whsec_…: %w", err)
	}
	// A program that traces makes an SDK's TracerProvider here.
	webhooks, metrics, err := routes(v, logPayment, noop.NewTracerProvider())
	if err != nil {
		return err
	}

	// Metrics have a listener of their own, which the public cannot reach.
	admin := http.NewServeMux()
	admin.Handle("GET /metrics", metrics)
	server := &http.Server{Addr: "localhost:9090", Handler: admin, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
			log.Printf("no metrics: %v", err)
		}
	}()
	defer server.Close()

	return show.Serve(ctx, &http.Server{
		Addr:              addr,
		Handler:           webhooks,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       time.Minute,
	}, "/hooks/stripe")
}

// payFunc is the effect of an invoice that was paid.
type payFunc func(ctx context.Context, invoice string) error

// routes returns what receives webhooks, and what answers Prometheus.
func routes(v verify.Verifier, pay payFunc, tracers trace.TracerProvider) (webhooks, metrics http.Handler, err error) {
	registry := prometheus.NewRegistry()
	reader, err := otelprom.New(otelprom.WithRegisterer(registry), otelprom.WithoutScopeInfo())
	if err != nil {
		return nil, nil, err
	}
	meters := metric.NewMeterProvider(metric.WithReader(reader))

	telemetry, err := otelmw.New(&otelmw.Options{MeterProvider: meters, TracerProvider: tracers})
	if err != nil {
		return nil, nil, err
	}
	store := replay.NewMemory(nil)
	if err := telemetry.Register("memory", store); err != nil {
		return nil, nil, err
	}
	logged := middleware.LogObserver(nil)
	guard, err := middleware.New("billing", v, store, &middleware.Options{
		Observe: func(ctx context.Context, r middleware.Report) {
			telemetry.Observe(ctx, r)
			logged(ctx, r)
		},
	})
	if err != nil {
		return nil, nil, err
	}

	// The order is otelhttp, the mux, the guard: the mux sets the route that otelhttp
	// reports, and nothing reads the body before the guard.
	mux := http.NewServeMux()
	mux.Handle("/hooks/stripe", guard.Handler(receive(pay)))
	webhooks = otelhttp.NewHandler(mux, "webhooks",
		otelhttp.WithMeterProvider(meters),
		otelhttp.WithTracerProvider(tracers),
		// The senders are the public. Their trace is a link of ours and not its parent, and
		// their baggage is not read.
		otelhttp.WithPublicEndpointFn(func(*http.Request) bool { return true }),
		otelhttp.WithPropagators(propagation.TraceContext{}),
		// Without it, server.address and server.port are the Host header, and a sender makes
		// as many series as it likes.
		otelhttp.WithServerName("hooks.example.com:443"),
	)
	return webhooks, promhttp.HandlerFor(registry, promhttp.HandlerOpts{}), nil
}

// receive returns the handler, which knows nothing of telemetry. What it makes of a
// delivery is explained in examples/nethttp.
func receive(pay payFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		d, ok := verify.FromContext(r.Context())
		if !ok {
			http.Error(w, "not verified", http.StatusInternalServerError)
			return
		}
		var event struct {
			Type string `json:"type"`
			Data struct {
				Object struct {
					ID string `json:"id"`
				} `json:"object"`
			} `json:"data"`
		}
		if err := json.Unmarshal(d.Body, &event); err != nil {
			http.Error(w, "not an event", http.StatusBadRequest)
			return
		}
		if event.Type == "invoice.paid" {
			if err := pay(r.Context(), event.Data.Object.ID); err != nil {
				http.Error(w, "try again later", http.StatusInternalServerError)
				return
			}
		}
		w.WriteHeader(http.StatusNoContent)
	}
}

// logPayment stands for the effect.
func logPayment(_ context.Context, invoice string) error {
	log.Printf("invoice %s is paid", invoice)
	return nil
}

// promises shows what is promised of the endpoint, and what is measured of it.
func promises(out io.Writer) error {
	var metrics http.Handler
	var failed error
	err := show.Stripe(out, func(v verify.Verifier, pay func(context.Context, string) error) (webhooks http.Handler) {
		webhooks, metrics, failed = routes(v, pay, noop.NewTracerProvider())
		return webhooks
	})
	if err = errors.Join(err, failed); err != nil {
		return err
	}
	w := httptest.NewRecorder()
	metrics.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	fmt.Fprintln(out)
	handled := false
	for line := range strings.Lines(w.Body.String()) {
		if strings.HasPrefix(line, "hooknotary_") && !strings.Contains(line, "_bucket{") && !strings.Contains(line, "_duration_") {
			fmt.Fprint(out, line)
		}
		handled = handled || strings.HasPrefix(line, `hooknotary_deliveries_total{`) && strings.Contains(line, `outcome="handled"`)
	}
	if !handled {
		return errors.New("no delivery was counted as handled")
	}
	return nil
}
