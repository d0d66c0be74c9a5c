package otelmw_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
)

// meters is a MeterProvider that keeps what is measured. The module asks for the API
// alone; with the SDK it is tested in the module of the command line.
type meters struct {
	noop.MeterProvider
	refuse string // an instrument that cannot be made

	mu        sync.Mutex
	series    map[string]float64 // the sum of each
	about     map[string]string  // the unit and description of each instrument
	callbacks []metric.Callback
}

func newMeters() *meters {
	return &meters{series: make(map[string]float64), about: make(map[string]string)}
}

func (m *meters) Meter(string, ...metric.MeterOption) metric.Meter { return meter{m: m} }

func (m *meters) add(name string, value float64, set attribute.Set) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.series[name+print(set.ToSlice())] += value
}

// print prints attributes as Prometheus does.
func print(kvs []attribute.KeyValue) string {
	var all []string
	for _, kv := range kvs {
		all = append(all, strings.TrimPrefix(string(kv.Key), "hooknotary.")+"="+kv.Value.AsString())
	}
	slices.Sort(all)
	return "{" + strings.Join(all, ",") + "}"
}

// collect asks the observable instruments, and returns what there is of an instrument or,
// for a prefix that ends with ".", of several.
func (m *meters) collect(name string) map[string]float64 {
	for _, c := range m.callbacks {
		c(context.Background(), observer{m: m})
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	found := make(map[string]float64)
	for s, v := range m.series {
		if strings.HasPrefix(s, name+"{") || strings.HasSuffix(name, ".") && strings.HasPrefix(s, name) {
			found[s] = v
		}
		if strings.HasPrefix(s, "hooknotary.store.") && !strings.HasPrefix(s, "hooknotary.store.failures") {
			delete(m.series, s) // a gauge
		}
	}
	return found
}

type meter struct {
	noop.Meter
	m *meters
}

func (m meter) note(name, unit, about string) error {
	m.m.about[name] = unit + " " + about
	if name == m.m.refuse {
		return fmt.Errorf("no instrument %s", name)
	}
	return nil
}

func (m meter) Int64Counter(name string, o ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	c := metric.NewInt64CounterConfig(o...)
	return counter{name: name, m: m.m}, m.note(name, c.Unit(), c.Description())
}

func (m meter) Int64Histogram(name string, o ...metric.Int64HistogramOption) (metric.Int64Histogram, error) {
	c := metric.NewInt64HistogramConfig(o...)
	return sizes{name: name, m: m.m}, m.note(name, c.Unit(), c.Description())
}

func (m meter) Float64Histogram(name string, o ...metric.Float64HistogramOption) (metric.Float64Histogram, error) {
	c := metric.NewFloat64HistogramConfig(o...)
	return seconds{name: name, m: m.m}, m.note(name, c.Unit(), c.Description())
}

func (m meter) Int64ObservableGauge(name string, o ...metric.Int64ObservableGaugeOption) (metric.Int64ObservableGauge, error) {
	c := metric.NewInt64ObservableGaugeConfig(o...)
	return gauge{name: name}, m.note(name, c.Unit(), c.Description())
}

func (m meter) RegisterCallback(c metric.Callback, _ ...metric.Observable) (metric.Registration, error) {
	m.m.callbacks = append(m.m.callbacks, c)
	return noop.Registration{}, nil
}

type counter struct {
	noop.Int64Counter
	name string
	m    *meters
}

func (c counter) Add(_ context.Context, v int64, o ...metric.AddOption) {
	c.m.add(c.name, float64(v), metric.NewAddConfig(o).Attributes())
}

type sizes struct {
	noop.Int64Histogram
	name string
	m    *meters
}

func (h sizes) Record(_ context.Context, v int64, o ...metric.RecordOption) {
	h.m.add(h.name, float64(v), metric.NewRecordConfig(o).Attributes())
}

type seconds struct {
	noop.Float64Histogram
	name string
	m    *meters
}

func (h seconds) Record(_ context.Context, v float64, o ...metric.RecordOption) {
	h.m.add(h.name, v, metric.NewRecordConfig(o).Attributes())
}

type gauge struct {
	noop.Int64ObservableGauge
	name string
}

type observer struct {
	noop.Observer
	m *meters
}

func (o observer) ObserveInt64(i metric.Int64Observable, v int64, opts ...metric.ObserveOption) {
	o.m.add(i.(gauge).name, float64(v), metric.NewObserveConfig(opts).Attributes())
}

// tracers is a TracerProvider that keeps spans.
type tracers struct {
	tracenoop.TracerProvider
	spans []*span
}

func (p *tracers) Tracer(string, ...trace.TracerOption) trace.Tracer { return tracer{p: p} }

type tracer struct {
	tracenoop.Tracer
	p *tracers
}

func (t tracer) Start(ctx context.Context, name string, o ...trace.SpanStartOption) (context.Context, trace.Span) {
	c := trace.NewSpanStartConfig(o...)
	s := &span{p: t.p, name: name, start: c, context: trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{1}, SpanID: trace.SpanID{byte(len(t.p.spans) + 1)}, TraceFlags: trace.FlagsSampled})}
	if !c.NewRoot() {
		s.parent = trace.SpanContextFromContext(ctx)
	}
	t.p.spans = append(t.p.spans, s)
	return trace.ContextWithSpan(ctx, s), s
}

type span struct {
	tracenoop.Span
	p          *tracers
	name       string
	start      trace.SpanConfig
	context    trace.SpanContext
	parent     trace.SpanContext
	attributes []attribute.KeyValue
	events     []string
	status     codes.Code
	ended      bool
}

func (s *span) SpanContext() trace.SpanContext       { return s.context }
func (s *span) IsRecording() bool                    { return !s.ended }
func (s *span) TracerProvider() trace.TracerProvider { return s.p }
func (s *span) SetStatus(c codes.Code, _ string)     { s.status = c }
func (s *span) End(...trace.SpanEndOption)           { s.ended = true }
func (s *span) SetAttributes(kvs ...attribute.KeyValue) {
	s.attributes = append(s.attributes, kvs...)
}
func (s *span) AddEvent(name string, o ...trace.EventOption) {
	c := trace.NewEventConfig(o...)
	s.events = append(s.events, fmt.Sprint(name, " ", c.Timestamp().Sub(s.start.Timestamp())))
}
