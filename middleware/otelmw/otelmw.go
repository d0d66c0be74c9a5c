package otelmw

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/verify"
)

const (
	scopeName = "github.com/hooknotary/hooknotary/middleware/otelmw"

	// other stands for what may not be an attribute, as in OpenTelemetry's conventions.
	other = "_OTHER"

	// mostLabels is how many labels of keys an endpoint has at most as attributes. A program
	// that runs for long may see many rotations.
	mostLabels = 100
)

// The names of attributes.
const (
	endpointKey = attribute.Key("hooknotary.endpoint")
	providerKey = attribute.Key("hooknotary.provider")
	outcomeKey  = attribute.Key("hooknotary.outcome")
	errorKey    = attribute.Key("error.type")
	stageKey    = attribute.Key("hooknotary.stage")
	labelKey    = attribute.Key("hooknotary.key_label")
	scopeKey    = attribute.Key("hooknotary.scope")
	storeKey    = attribute.Key("hooknotary.store")
)

// Options holds what a program may choose. The zero value of each field, and a nil
// *Options, mean the default. New copies it.
type Options struct {
	// MeterProvider makes the instruments. Default: the global one,
	// otel.GetMeterProvider.
	MeterProvider metric.MeterProvider

	// TracerProvider makes the spans. Default: that of the span in the request's context,
	// such as otelhttp's; a request without a recorded span has none of this package, either.
	// With the one of package go.opentelemetry.io/otel/trace/noop there are none at all.
	TracerProvider trace.TracerProvider

	// Scopes lists the scopes, most often tenants, whose names may become attributes.
	// All other scopes are "_OTHER", and so are the labels of their keys, except for the
	// scope "default", which verify.Secrets gives to keys without tenants: it is no
	// attribute. The counter of deliveries has as many more series as there are scopes in
	// the list, times the outcomes. Default: none, and deliveries are not counted by scope.
	Scopes []string

	// RecordIDs puts the signed ids of events that were handled into the spans, as
	// hooknotary.event_id. An id may be personal data where the provider makes it so.
	RecordIDs bool
}

// Telemetry makes metrics and spans of reports. Make it with New, one for a program; the
// zero value is not usable. It is safe for concurrent use and runs nothing in the
// background, except for what Register says.
type Telemetry struct {
	tracer    trace.Tracer // nil: that of the span in the context
	untraced  bool         // no spans at all
	meter     metric.Meter
	scopes    map[string]bool
	recordIDs bool

	deliveries, uses, kept, failures     metric.Int64Counter
	duration, stage                      metric.Float64Histogram
	size                                 metric.Int64Histogram
	storeRecords, storeBytes, storeLimit metric.Int64ObservableGauge

	mu        sync.RWMutex
	endpoints map[source]*endpoint
	stores    map[string]bool
}

// New makes the instruments. It fails where a scope is empty or the MeterProvider
// refuses an instrument.
func New(o *Options) (*Telemetry, error) {
	if o == nil {
		o = new(Options)
	}
	t := &Telemetry{
		recordIDs: o.RecordIDs,
		scopes:    make(map[string]bool),
		endpoints: make(map[source]*endpoint),
		stores:    make(map[string]bool),
	}
	for i, s := range o.Scopes {
		if s == "" {
			return nil, fmt.Errorf("otelmw: Scopes[%d] is empty; a key without a scope needs no entry", i)
		}
		t.scopes[s] = true
	}
	meters := o.MeterProvider
	if meters == nil {
		meters = otel.GetMeterProvider()
	}
	if o.TracerProvider != nil {
		t.tracer = o.TracerProvider.Tracer(scopeName)
		_, t.untraced = o.TracerProvider.(tracenoop.TracerProvider)
	}
	t.meter = meters.Meter(scopeName)
	if err := t.instruments(); err != nil {
		return nil, fmt.Errorf("otelmw: %w", err)
	}
	return t, nil
}

func (t *Telemetry) instruments() error {
	var failed error
	note := func(err error) { failed = errors.Join(failed, err) }
	counter := func(name, unit, about string) metric.Int64Counter {
		c, err := t.meter.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(about))
		note(err)
		return c
	}
	seconds := func(name, about string, bounds ...float64) metric.Float64Histogram {
		h, err := t.meter.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(about), metric.WithExplicitBucketBoundaries(bounds...))
		note(err)
		return h
	}
	gauge := func(name, unit, about string) metric.Int64ObservableGauge {
		g, err := t.meter.Int64ObservableGauge(name, metric.WithUnit(unit), metric.WithDescription(about))
		note(err)
		return g
	}

	t.deliveries = counter("hooknotary.deliveries", "{delivery}", "Requests that reached a guard, by what became of them.")
	// The boundaries that OpenTelemetry's conventions want of the duration of an HTTP request.
	t.duration = seconds("hooknotary.delivery.duration", "Time from the head of a request to its settled claim, the handler included.",
		0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
	t.stage = seconds("hooknotary.stage.duration", "Time that one stage of a request took: read, verify, claim, handle or settle.",
		0.00001, 0.00005, 0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10)
	t.uses = counter("hooknotary.key.uses", "{delivery}", "Verified deliveries, by the label of the key that matched.")
	t.kept = counter("hooknotary.claims.kept", "{claim}", "Failed events whose claims were kept because the handler may have acted; such an event may run twice.")
	t.failures = counter("hooknotary.store.failures", "{failure}", "Calls of the replay store that failed, to claim or to settle an event.")
	t.storeRecords = gauge("hooknotary.store.records", "{record}", "Records of the replay store.")
	t.storeBytes = gauge("hooknotary.store.bytes", "By", "Memory that the records of the replay store are charged.")
	t.storeLimit = gauge("hooknotary.store.max_bytes", "By", "Bound of the memory for the records of the replay store.")

	var err error
	t.size, err = t.meter.Int64Histogram("hooknotary.body.size", metric.WithUnit("By"),
		metric.WithDescription("Size of the bodies that were read, as they were sent."),
		metric.WithExplicitBucketBoundaries(256, 1<<10, 4<<10, 16<<10, 64<<10, 256<<10, 1<<20, 4<<20, 16<<20))
	note(err)
	return failed
}

// Observe counts one request and makes its span. It fits middleware.Options.Observe; a
// function that calls it and another one composes the two.
func (t *Telemetry) Observe(ctx context.Context, r middleware.Report) {
	e := t.endpoint(ctx, source{r.Endpoint, r.Provider})
	scope := t.scope(r.Scope)
	var counted string // the scope in the counter of deliveries
	if len(t.scopes) > 0 {
		counted = scope
	}
	f := e.fate(fate{r.Outcome, r.Reason, counted})
	t.deliveries.Add(ctx, 1, f.count...)
	t.duration.Record(ctx, r.Total.Seconds(), f.time...)
	for s, d := range stages(&r) {
		if d > 0 {
			t.stage.Record(ctx, d.Seconds(), e.stages[s]...)
		}
	}
	if r.Read > 0 {
		t.size.Record(ctx, int64(r.BodyBytes), e.self...)
	}
	if r.Verified && r.KeyLabel != "" {
		label := r.KeyLabel
		if scope == other {
			label = other
		}
		t.uses.Add(ctx, 1, e.use(use{scope, label})...)
	}
	if r.ClaimKept {
		t.kept.Add(ctx, 1, e.count...)
	}
	switch {
	case r.FailedOpen, r.Reason == verify.ErrUnavailable && r.Claim > 0:
		t.failures.Add(ctx, 1, e.failures[claim]...)
	case r.Outcome == middleware.CommitFailed, r.Outcome == middleware.Failed && r.Err != nil:
		t.failures.Add(ctx, 1, e.failures[settle]...)
	}
	if !t.untraced {
		t.span(ctx, &r, scope)
	}
}

// scope returns what a scope is as an attribute, "" for none.
func (t *Telemetry) scope(name string) string {
	switch {
	case name == "default": // of verify.Secrets: there are no tenants
		return ""
	case name == "" || t.scopes[name]:
		return name
	}
	return other
}

// A stage is a part of a request.
type stage int

const (
	read stage = iota
	verified
	claim
	handle
	settle
)

var stageNames = [...]string{"read", "verify", "claim", "handle", "settle"}

func stages(r *middleware.Report) [len(stageNames)]time.Duration {
	return [...]time.Duration{r.Read, r.Verify, r.Claim, r.Handle, r.Settle}
}

// source is where reports come from.
type source struct{ endpoint, provider string }

// endpoint holds the attributes of one source, made once, as the instruments take them.
type endpoint struct {
	source   []attribute.KeyValue
	self     []metric.RecordOption
	count    []metric.AddOption
	stages   [len(stageNames)][]metric.RecordOption
	failures [len(stageNames)][]metric.AddOption

	mu     sync.RWMutex
	fates  map[fate]*measured
	uses   map[use][]metric.AddOption
	labels map[string]bool
}

type (
	// fate is what became of a request.
	fate struct {
		outcome middleware.Outcome
		reason  verify.Reason
		scope   string
	}
	// use is the key that matched.
	use struct{ scope, label string }
	// measured is the attributes of a fate.
	measured struct {
		count []metric.AddOption
		time  []metric.RecordOption
	}
)

func (t *Telemetry) endpoint(ctx context.Context, s source) *endpoint {
	t.mu.RLock()
	e := t.endpoints[s]
	t.mu.RUnlock()
	if e != nil {
		return e
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if e := t.endpoints[s]; e != nil {
		return e
	}
	e = &endpoint{
		source: attributes(s),
		fates:  make(map[fate]*measured),
		uses:   make(map[use][]metric.AddOption),
		labels: make(map[string]bool),
	}
	// Without the provider: each attribute of a measurement costs some 30 ns.
	self := e.source[:1:1]
	option := metric.WithAttributeSet(attribute.NewSet(self...))
	e.self, e.count = []metric.RecordOption{option}, []metric.AddOption{option}
	for i, name := range stageNames {
		option := metric.WithAttributeSet(attribute.NewSet(append(self, stageKey.String(name))...))
		e.stages[i], e.failures[i] = []metric.RecordOption{option}, []metric.AddOption{option}
	}
	// A rate sees the first failure only where there was a zero before it.
	t.kept.Add(ctx, 0, e.count...)
	t.failures.Add(ctx, 0, e.failures[claim]...)
	t.failures.Add(ctx, 0, e.failures[settle]...)
	t.endpoints[s] = e
	return e
}

func attributes(s source) []attribute.KeyValue {
	return []attribute.KeyValue{str(endpointKey, s.endpoint), str(providerKey, s.provider)}
}

// set returns the attributes of the source and more.
func (e *endpoint) set(more ...attribute.KeyValue) metric.MeasurementOption {
	return metric.WithAttributeSet(attribute.NewSet(append(e.source[:2:2], more...)...))
}

func (e *endpoint) fate(f fate) *measured {
	e.mu.RLock()
	m := e.fates[f]
	e.mu.RUnlock()
	if m != nil {
		return m
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if m := e.fates[f]; m != nil {
		return m
	}
	more := []attribute.KeyValue{outcomeKey.String(f.outcome.String())}
	m = &measured{time: []metric.RecordOption{e.set(more...)}}
	if f.reason != 0 {
		more = append(more, errorKey.String(f.reason.String()))
	}
	if f.scope != "" {
		more = append(more, str(scopeKey, f.scope))
	}
	m.count = []metric.AddOption{e.set(more...)}
	e.fates[f] = m
	return m
}

func (e *endpoint) use(u use) []metric.AddOption {
	e.mu.RLock()
	options := e.uses[u]
	e.mu.RUnlock()
	if options != nil {
		return options
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.labels[u.label] {
		if len(e.labels) >= mostLabels {
			u.label = other
		}
		e.labels[u.label] = true
	}
	if options := e.uses[u]; options != nil {
		return options
	}
	more := []attribute.KeyValue{str(labelKey, u.label)}
	if u.scope != "" {
		more = append(more, str(scopeKey, u.scope))
	}
	options = []metric.AddOption{e.set(more...)}
	e.uses[u] = options
	return options
}

// str makes an attribute of a text that must be UTF-8, or an exporter may refuse all of
// its metrics.
func str(k attribute.Key, s string) attribute.KeyValue {
	return k.String(strings.ToValidUTF8(s, "_"))
}
