// Package telemetry is what a gateway shows of itself: metrics for Prometheus, and metrics
// and traces for a collector that speaks OTLP over HTTP.
//
//	t, err := telemetry.New(ctx, telemetry.Options{Metrics: true, Version: version})
//	guard := middleware.Options{Observe: t.Observe}                     // each guard
//	forward := forward.Options{Observe: t.Upstream("billing")}          // each upstream
//	handler := t.Route("/hooks/stripe", guard.Handler(forward))         // around each guard
//	notFound := t.Route("", http.NotFoundHandler())                     // what no route takes
//	err = t.Register("store", store)
//	admin.Handle("/metrics", t.MetricsHandler())
//
// The instruments of guards and stores are those of package middleware/otelmw. Beside them
// stand:
//
//	hooknotary.upstream.duration                     histogram  s         until the upstream's status line, by error.type
//	hooknotary.config.reloads                        counter    {reload}  by error.type where one failed
//	hooknotary.config.last_reload_successful         gauge                1 or 0
//	hooknotary.config.last_reload_success_timestamp  gauge      s         since 1970
//	hooknotary.config.faulty_tenants                 gauge      {tenant}  that are turned off
//	hooknotary.build.info                            gauge                always 1, with version, revision and goversion
//	http.server.request.duration                     histogram  s         of otelhttp, by method, status and route
//
// and, for Prometheus only, those of the Go runtime and of the process.
//
// # What a sender can do
//
// A sender makes no series: the SDK's limit of 2,000 series an instrument is off, because
// the bound of otelmw holds, and http.server.request.duration keeps four attributes with
// values from closed sets. A sender's traceparent is a link of a new trace, and its baggage
// is not read. From spans, too, everything is dropped that is not on a list: path, query,
// addresses, Host and user agent never leave the process.
package telemetry

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/otlptranslator"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	otelprom "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/exemplar"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/otelmw"
	"github.com/hooknotary/hooknotary/verify/replay"
)

const scopeName = "github.com/hooknotary/hooknotary/cmd/hooknotary"

// Options says what is shown, and where. With neither Metrics nor OTLP nothing is, and
// nothing is measured.
type Options struct {
	// Metrics makes MetricsHandler answer Prometheus.
	Metrics bool

	// OTLP is the URL of a collector, "http://collector:4318": metrics and spans go to
	// /v1/metrics and /v1/traces below it. User info becomes Basic authentication, and
	// takes the place of OTEL_EXPORTER_OTLP_HEADERS. Empty: none. What else there is to say
	// about the export, such as OTEL_EXPORTER_OTLP_HEADERS, OTEL_RESOURCE_ATTRIBUTES or
	// OTEL_TRACES_SAMPLER, is read from the environment, as OpenTelemetry describes it.
	OTLP string

	// Scopes are the tenants whose names may be attributes.
	Scopes []string

	// Version is the program's. Default: that of its module.
	Version string

	// Log is told what the export fails with, at most once a minute. Default:
	// slog.Default.
	Log *slog.Logger
}

// Telemetry is the telemetry of one gateway. Its methods are safe for concurrent use, and
// do nothing where nothing is shown. Make it with New; it needs a Shutdown.
type Telemetry struct {
	guards   *otelmw.Telemetry // nil: nothing is shown
	meters   *sdkmetric.MeterProvider
	tracers  *sdktrace.TracerProvider // nil: no spans
	tracer   trace.Tracer
	registry *prometheus.Registry // nil: not for Prometheus

	upstream                     metric.Float64Histogram
	reloads                      metric.Int64Counter
	reloaded, reloadedAt, faulty metric.Int64Gauge
}

// New makes the instruments and starts the export. Its errors repeat nothing of the URL.
func New(ctx context.Context, o Options) (*Telemetry, error) {
	t := new(Telemetry)
	if !o.Metrics && o.OTLP == "" {
		return t, nil
	}
	// OpenTelemetry says what fails to a handler and a logger of the whole process, and to
	// nobody else.
	f := &failures{log: o.Log}
	otel.SetErrorHandler(f)
	otel.SetLogger(logr.New(quiet{f}))
	version, revision := build()
	if o.Version != "" {
		version = o.Version
	}
	about, err := resource.New(ctx,
		resource.WithAttributes(attribute.String("service.name", "hooknotary"), attribute.String("service.version", version)),
		resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil {
		return nil, errors.New("telemetry: OTEL_RESOURCE_ATTRIBUTES cannot be read; want name=value,name=value")
	}
	options := []sdkmetric.Option{
		sdkmetric.WithResource(about),
		// The bound is that of otelmw, for which the SDK's would be too low at 16 routes.
		sdkmetric.WithCardinalityLimit(0),
		sdkmetric.WithExemplarFilter(exemplar.AlwaysOffFilter),
		sdkmetric.WithView(httpView),
	}
	if o.Metrics {
		t.registry = prometheus.NewRegistry()
		t.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
		reader, err := otelprom.New(otelprom.WithRegisterer(t.registry), otelprom.WithoutScopeInfo(), otelprom.WithoutTargetInfo(),
			otelprom.WithTranslationStrategy(otlptranslator.UnderscoreEscapingWithSuffixes))
		if err != nil {
			return nil, fmt.Errorf("telemetry: %w", err)
		}
		options = append(options, sdkmetric.WithReader(reader))
	}
	if o.OTLP != "" {
		reader, err := t.export(ctx, &o, about)
		if err != nil {
			return nil, err
		}
		options = append(options, sdkmetric.WithReader(reader))
	}
	t.meters = sdkmetric.NewMeterProvider(options...)
	var tracers trace.TracerProvider = tracenoop.NewTracerProvider()
	if t.tracers != nil {
		tracers = t.tracers
	}
	t.tracer = tracers.Tracer(scopeName)
	t.guards, err = otelmw.New(&otelmw.Options{MeterProvider: t.meters, TracerProvider: tracers, Scopes: o.Scopes})
	if err == nil {
		err = t.instruments(ctx, version, revision)
	}
	if err != nil {
		return nil, errors.Join(err, t.Shutdown(ctx))
	}
	return t, nil
}

// export makes what sends to a collector: spans, and the reader of metrics.
func (t *Telemetry) export(ctx context.Context, o *Options, about *resource.Resource) (sdkmetric.Reader, error) {
	u, err := url.Parse(o.OTLP)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New(`telemetry: otlp is no URL of a collector; want "http://host:4318" or "https://host/path", without query and fragment`)
	}
	user := u.User
	u.User = nil
	metrics := []otlpmetrichttp.Option{otlpmetrichttp.WithEndpointURL(u.JoinPath("v1/metrics").String())}
	traces := []otlptracehttp.Option{otlptracehttp.WithEndpointURL(u.JoinPath("v1/traces").String())}
	if user != nil {
		password, _ := user.Password()
		header := map[string]string{"Authorization": "Basic " + base64.StdEncoding.EncodeToString([]byte(user.Username()+":"+password))}
		metrics, traces = append(metrics, otlpmetrichttp.WithHeaders(header)), append(traces, otlptracehttp.WithHeaders(header))
	}
	toMetrics, err := otlpmetrichttp.New(ctx, metrics...)
	if err != nil {
		return nil, errors.New("telemetry: the exporter of metrics cannot be made from the environment")
	}
	toTraces, err := otlptracehttp.New(ctx, traces...)
	if err != nil {
		return nil, errors.New("telemetry: the exporter of spans cannot be made from the environment")
	}
	t.tracers = sdktrace.NewTracerProvider(sdktrace.WithResource(about), sdktrace.WithBatcher(onlyListed{toTraces}))
	return sdkmetric.NewPeriodicReader(toMetrics), nil
}

func (t *Telemetry) instruments(ctx context.Context, version, revision string) error {
	meter := t.meters.Meter(scopeName)
	var failed error
	gauge := func(name, unit, about string) metric.Int64Gauge {
		g, err := meter.Int64Gauge(name, metric.WithUnit(unit), metric.WithDescription(about))
		failed = errors.Join(failed, err)
		return g
	}
	var err error
	t.upstream, err = meter.Float64Histogram("hooknotary.upstream.duration", metric.WithUnit("s"),
		metric.WithDescription("Time until an upstream's final status line, or until there was none."),
		metric.WithExplicitBucketBoundaries(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10))
	failed = errors.Join(failed, err)
	t.reloads, err = meter.Int64Counter("hooknotary.config.reloads", metric.WithUnit("{reload}"),
		metric.WithDescription("Times that the configuration was loaded anew, the start apart."))
	failed = errors.Join(failed, err)
	t.reloaded = gauge("hooknotary.config.last_reload_successful", "", "Whether the configuration in use is the one that was loaded last.")
	t.reloadedAt = gauge("hooknotary.config.last_reload_success_timestamp", "s", "Time at which the configuration in use was loaded.")
	t.faulty = gauge("hooknotary.config.faulty_tenants", "{tenant}", "Tenants that are turned off because their keys are wrong.")
	info := gauge("hooknotary.build.info", "", "The program: its version, the revision it was built from, and the version of Go.")
	if failed != nil {
		return fmt.Errorf("telemetry: %w", failed)
	}
	info.Record(ctx, 1, metric.WithAttributes(
		attribute.String("version", version), attribute.String("revision", revision), attribute.String("goversion", runtime.Version())))
	t.reloads.Add(ctx, 0)
	t.reloads.Add(ctx, 0, failedReload)
	t.reloaded.Record(ctx, 1)
	t.reloadedAt.Record(ctx, time.Now().Unix())
	t.faulty.Record(ctx, 0)
	return nil
}

var failedReload = metric.WithAttributes(errorKey.String("config"))

// build returns the version of the module that the program was built from, and the revision.
func build() (version, revision string) {
	version, revision = "unknown", "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		if info.Main.Version != "" {
			version = info.Main.Version
		}
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				revision = s.Value
			}
		}
	}
	return version, revision
}

// Observe counts one request of a guard. It fits middleware.Options.Observe.
func (t *Telemetry) Observe(ctx context.Context, r middleware.Report) {
	if t.guards != nil {
		t.guards.Observe(ctx, r)
	}
}

// Register shows how much a store holds. It does nothing for a store that does not say.
func (t *Telemetry) Register(name string, s replay.Store) error {
	if t.guards == nil {
		return nil
	}
	return t.guards.Register(name, s)
}

// Reloaded says that a configuration was loaded anew at a time, and that it is in use if
// it is ok.
func (t *Telemetry) Reloaded(ok bool, at time.Time) {
	if t.guards == nil {
		return
	}
	ctx := context.Background()
	if !ok {
		t.reloads.Add(ctx, 1, failedReload)
		t.reloaded.Record(ctx, 0)
		return
	}
	t.reloads.Add(ctx, 1)
	t.reloaded.Record(ctx, 1)
	t.reloadedAt.Record(ctx, at.Unix())
}

// Faulty says how many tenants are turned off.
func (t *Telemetry) Faulty(tenants int) {
	if t.guards != nil {
		t.faulty.Record(context.Background(), int64(tenants))
	}
}

// MetricsHandler answers a scrape of Prometheus. It is nil without Options.Metrics. At most
// four scrapes run at once; more are answered with 503.
func (t *Telemetry) MetricsHandler() http.Handler {
	if t.registry == nil {
		return nil
	}
	return promhttp.HandlerFor(t.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
}

// Shutdown sends what is left and ends the export. It returns when ctx ends at the latest.
// The error holds nothing that a collector said.
func (t *Telemetry) Shutdown(ctx context.Context) error {
	var failed error
	if t.tracers != nil {
		if err := t.tracers.Shutdown(ctx); err != nil {
			failed = errors.New(discreet(err))
		}
	}
	if t.meters != nil {
		if err := t.meters.Shutdown(ctx); err != nil {
			failed = errors.Join(failed, errors.New(discreet(err)))
		}
	}
	return failed
}

// answered finds where an error of the exporters begins to repeat the collector: behind the
// number of a status.
var answered = regexp.MustCompile(`(?s)(: [1-5][0-9][0-9] |: body: |partial success: ).*`)

// discreet returns the text of an error without what a collector said, or a proxy in front
// of it: some of them repeat the request, and that has a credential.
func discreet(err error) string {
	text := err.Error()
	if strings.Contains(text, "sampler") {
		return "OTEL_TRACES_SAMPLER or OTEL_TRACES_SAMPLER_ARG cannot be read"
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		text, _, _ = strings.Cut(u.Err.Error(), `"`) // without the URL of a redirect
		text = "the collector does not answer: " + text
	}
	text = answered.ReplaceAllStringFunc(text, func(rest string) string {
		if rest[2] >= '1' && rest[2] <= '5' {
			return ": the collector answered " + rest[2:5]
		}
		return ": the collector refused it"
	})
	return strings.ToValidUTF8(text[:min(len(text), 512)], "")
}

// failures logs what the export fails with.
type failures struct {
	log *slog.Logger

	mu   sync.Mutex
	last time.Time
	left int
}

// Handle implements otel.ErrorHandler.
func (f *failures) Handle(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := time.Now(); f.last.IsZero() || now.Sub(f.last) >= time.Minute {
		log := f.log
		if log == nil {
			log = slog.Default()
		}
		log.Warn("telemetry cannot be exported", "error", discreet(err), "not_logged", f.left)
		f.last, f.left = now, 0
		return
	}
	f.left++
}

// quiet hands on what OpenTelemetry's own logger is told, without the values: that of a
// variable it cannot read may be a credential. It implements logr.LogSink.
type quiet struct{ *failures }

func (quiet) Init(logr.RuntimeInfo) {}

func (quiet) Enabled(int) bool { return false }

func (quiet) Info(int, string, ...any) {}

func (q quiet) Error(_ error, what string, _ ...any) {
	q.Handle(fmt.Errorf("OpenTelemetry: %s: a value is wrong; look at the variables that begin with OTEL_", what))
}

func (q quiet) WithValues(...any) logr.LogSink { return q }

func (q quiet) WithName(string) logr.LogSink { return q }
