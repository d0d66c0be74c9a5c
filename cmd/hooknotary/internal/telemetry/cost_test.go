package telemetry_test

import (
	"context"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/exemplar"
	"go.opentelemetry.io/otel/metric/noop"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/otelmw"
)

var handled = middleware.Report{
	Endpoint: "billing", Provider: "stripe", Outcome: middleware.Handled, Verified: true, KeyLabel: "1", CorrelationID: "00",
	BodyBytes: 4096, Read: 20 * time.Microsecond, Verify: 10 * time.Microsecond, Claim: time.Microsecond, Handle: time.Millisecond, Settle: time.Microsecond, Total: time.Millisecond,
}

func BenchmarkObserve(b *testing.B) {
	run := func(name string, o *otelmw.Options) {
		b.Run(name, func(b *testing.B) {
			t, err := otelmw.New(o)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				t.Observe(context.Background(), handled)
			}
		})
	}
	run("noop", &otelmw.Options{MeterProvider: noop.NewMeterProvider(), TracerProvider: tracenoop.NewTracerProvider()})
	run("global", nil)
	_ = otel.GetMeterProvider
	run("sdk, no traces", &otelmw.Options{MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader())), TracerProvider: tracenoop.NewTracerProvider()})
	run("sdk, no exemplars, as a gateway", &otelmw.Options{MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()),sdkmetric.WithExemplarFilter(exemplar.AlwaysOffFilter))})
}
