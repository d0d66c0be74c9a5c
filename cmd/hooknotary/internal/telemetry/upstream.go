package telemetry

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Result is the outcome of a request to an upstream: its final status, or an error where
// there was none.
type Result struct {
	Status   int
	Duration time.Duration
	Err      error
}

// Upstream measures the requests to the upstream of a route. What it returns is called
// before a request is sent, with its header, into which it writes the trace context, and
// returns what is called with the outcome. It is nil where nothing is shown.
func (t *Telemetry) Upstream(route string) func(context.Context, http.Header) func(Result) {
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
	return func(ctx context.Context, h http.Header) func(Result) {
		var span trace.Span
		if t.tracers != nil {
			ctx, span = t.tracer.Start(ctx, "POST", trace.WithSpanKind(trace.SpanKindClient),
				trace.WithAttributes(endpointKey.String(route), methodKey.String(http.MethodPost)))
			propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(h))
		}
		return func(r Result) {
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
var classes = [...]string{"", "timeout", "connection", "1xx", "3xx", "4xx", "5xx", "_OTHER"}

func classify(r Result) string {
	if r.Err != nil {
		if timeout, ok := errors.AsType[net.Error](r.Err); ok && timeout.Timeout() {
			return "timeout"
		}
		return "connection"
	}
	switch r.Status / 100 {
	case 1:
		return "1xx"
	case 2:
		return ""
	case 3:
		return "3xx"
	case 4:
		return "4xx"
	case 5:
		return "5xx"
	}
	return "_OTHER"
}
