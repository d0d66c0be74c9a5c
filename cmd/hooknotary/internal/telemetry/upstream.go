package telemetry

import (
	"context"
	"errors"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/hooknotary/hooknotary/middleware/forward"
)

// Upstream measures the requests to the upstream of a route, and writes the trace context
// into their headers. It is for forward.Options.Observe, and nil where nothing is shown.
func (t *Telemetry) Upstream(route string) func(context.Context, http.Header) func(forward.Report) {
	if t.guards == nil {
		return nil
	}
	options := make(map[string][]metric.RecordOption)
	for _, class := range classes {
		attributes := []attribute.KeyValue{endpointKey.String(route)}
		if class != "" {
			attributes = append(attributes, errorKey.String(class))
		}
		options[class] = []metric.RecordOption{metric.WithAttributeSet(attribute.NewSet(attributes...))}
	}
	return func(ctx context.Context, h http.Header) func(forward.Report) {
		var span trace.Span
		if t.tracers != nil {
			ctx, span = t.tracer.Start(ctx, "POST", trace.WithSpanKind(trace.SpanKindClient),
				trace.WithAttributes(endpointKey.String(route), methodKey.String(http.MethodPost)))
			propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(h))
		}
		return func(r forward.Report) {
			class := classify(r)
			t.upstream.Record(ctx, r.Duration.Seconds(), options[class]...)
			if span == nil {
				return
			}
			if r.Status != 0 {
				span.SetAttributes(statusKey.Int(r.Status))
			}
			if class != "" {
				span.SetAttributes(errorKey.String(class))
				span.SetStatus(codes.Error, class)
			}
			span.End()
		}
	}
}

// classes are the values of error.type, of which "" is none.
var classes = [...]string{"", "timeout", "canceled", "connection", "1xx", "3xx", "4xx", "5xx", other}

const other = "_OTHER"

func classify(r forward.Report) string {
	switch {
	case r.Sent >= 200 && r.Sent < 300:
		return ""
	case r.Status == 0 && r.Sent == http.StatusGatewayTimeout:
		return "timeout"
	case r.Status == 0 && errors.Is(r.Err, context.Canceled):
		return "canceled"
	case r.Status == 0 && r.Sent == http.StatusBadGateway:
		return "connection"
	}
	switch r.Status / 100 {
	case 1:
		return "1xx"
	case 3:
		return "3xx"
	case 4:
		return "4xx"
	case 5:
		return "5xx"
	}
	return other
}
