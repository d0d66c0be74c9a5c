package telemetry

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
)

const (
	endpointKey = attribute.Key("hooknotary.endpoint")
	errorKey    = attribute.Key("error.type")
	statusKey   = attribute.Key("http.response.status_code")
	methodKey   = attribute.Key("http.request.method")
	routeKey    = attribute.Key("http.route")
	schemeKey   = attribute.Key("url.scheme")
)

// Route puts otelhttp around what serves a route. The pattern is the route's path as it
// stands in the configuration; it becomes http.route. What serves no route has the pattern "",
// and makes metrics but no spans.
func (t *Telemetry) Route(pattern string, next http.Handler) http.Handler {
	if t.guards == nil {
		return next
	}
	var tracers trace.TracerProvider = tracenoop.NewTracerProvider()
	var from propagation.TextMapPropagator = propagation.NewCompositeTextMapPropagator()
	if t.tracers != nil && pattern != "" {
		tracers, from = t.tracers, propagation.TraceContext{}
	}
	inner := otelhttp.NewHandler(next, "",
		otelhttp.WithMeterProvider(t.meters), otelhttp.WithTracerProvider(tracers),
		otelhttp.WithPropagators(from), otelhttp.WithPublicEndpointFn(func(*http.Request) bool { return true }))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Pattern = pattern // as a mux does
		inner.ServeHTTP(w, r)
	})
}

// httpView keeps of otelhttp's metrics the duration, and of its attributes those that a
// sender does not write: server.address would be its Host header.
func httpView(i sdkmetric.Instrument) (sdkmetric.Stream, bool) {
	if !strings.HasPrefix(i.Name, "http.server.") {
		return sdkmetric.Stream{}, false
	}
	s := sdkmetric.Stream{Name: i.Name, Description: i.Description, Unit: i.Unit}
	if i.Name != "http.server.request.duration" {
		s.Aggregation = sdkmetric.AggregationDrop{}
	}
	s.AttributeFilter = func(kv attribute.KeyValue) bool {
		switch kv.Key {
		case methodKey, statusKey, routeKey, schemeKey:
			return true
		}
		return false
	}
	return s, true
}

// onlyListed drops from spans all attributes that are not on a list.
type onlyListed struct{ sdktrace.SpanExporter }

func (e onlyListed) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	listed := make([]sdktrace.ReadOnlySpan, len(spans))
	for i, s := range spans {
		all := s.Attributes()
		kept := make([]attribute.KeyValue, 0, len(all))
		for _, kv := range all {
			if strings.HasPrefix(string(kv.Key), "hooknotary.") || slices.Contains(spanKeys, kv.Key) {
				kept = append(kept, kv)
			}
		}
		listed[i] = span{s, kept}
	}
	return e.SpanExporter.ExportSpans(ctx, listed)
}

var spanKeys = []attribute.Key{methodKey, statusKey, routeKey, schemeKey, errorKey, "http.request.body.size", "http.response.body.size"}

// span is a span with fewer attributes.
type span struct {
	sdktrace.ReadOnlySpan
	attributes []attribute.KeyValue
}

func (s span) Attributes() []attribute.KeyValue { return s.attributes }
