package telemetry_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/telemetry"
	"github.com/hooknotary/hooknotary/middleware/forward"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
)

// collector is one that speaks OTLP over HTTP.
type collector struct {
	*httptest.Server
	status int

	mu     sync.Mutex
	bodies map[string][][]byte // by path
	header http.Header         // of the last request
}

func newCollector(t *testing.T) *collector {
	c := &collector{bodies: make(map[string][][]byte), status: 200}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body io.Reader = r.Body
		if r.Header.Get("Content-Encoding") == "gzip" {
			body, _ = gzip.NewReader(r.Body)
		}
		all, err := io.ReadAll(body)
		if err != nil {
			t.Error(err)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.bodies[r.URL.Path] = append(c.bodies[r.URL.Path], all)
		c.header = r.Header.Clone()
		w.WriteHeader(c.status)
	}))
	t.Cleanup(c.Close)
	return c
}

// spans returns those that arrived, by name.
func (c *collector) spans(t *testing.T) map[string]*tracepb.Span {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make(map[string]*tracepb.Span)
	for path, bodies := range c.bodies {
		if !strings.HasSuffix(path, "/v1/traces") {
			continue
		}
		for _, body := range bodies {
			var m collectorpb.ExportTraceServiceRequest
			if err := proto.Unmarshal(body, &m); err != nil {
				t.Fatal(err)
			}
			for _, r := range m.ResourceSpans {
				for _, s := range r.ScopeSpans {
					for _, span := range s.Spans {
						if all[span.Name] != nil {
							t.Errorf("there are two spans %q", span.Name)
						}
						all[span.Name] = span
					}
				}
			}
		}
	}
	return all
}

func keys(s *tracepb.Span) string {
	var all []string
	for _, kv := range s.Attributes {
		all = append(all, kv.Key)
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

func TestTraces(t *testing.T) {
	c := newCollector(t)
	s := newSite(t, telemetry.Options{OTLP: c.URL, Version: "v1.2.3"})
	var sent http.Header
	s.handle = func(w http.ResponseWriter, r *http.Request) {
		if d, ok := verify.FromContext(r.Context()); !ok || string(d.Body) == "" {
			t.Error("there is no delivery")
		}
		sent = make(http.Header)
		s.Upstream("stripe")(r.Context(), sent)(forward.Report{Status: 204, Sent: 204, Duration: time.Second})
	}
	const theirs = "0af7651916cd43dd8448eb211c80319c"
	r := stripetest.NewRequest("https://"+mark+".example:444/hooks/stripe?"+mark, time.Now(), []byte(`{"id":"evt_`+mark+`"}`), secret)
	r.Header.Set("Traceparent", "00-"+theirs+"-b7ad6b7169203331-00")
	r.Header.Set("Tracestate", "x="+mark)
	r.Header.Set("Baggage", "x="+mark)
	r.Header.Set("User-Agent", mark)
	r.Header.Set("X-Forwarded-For", mark)
	r.RemoteAddr = "203.0.113.9:1234"
	if status := s.serve(r); status != 200 {
		t.Fatalf("status %d", status)
	}
	s.serve(httptest.NewRequest("GET", "/"+mark, nil))
	if err := s.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}

	spans := c.spans(t)
	server, admit, client := spans["POST /hooks/stripe"], spans["hooknotary.admit"], spans["POST"]
	if len(spans) != 3 || server == nil || admit == nil || client == nil {
		t.Fatalf("there are the spans %v", spans)
	}
	t.Run("the trace is not the sender's, which is a link", func(t *testing.T) {
		if len(server.ParentSpanId) != 0 || fmt.Sprintf("%x", server.TraceId) == theirs {
			t.Errorf("the parent is %x, the trace %x", server.ParentSpanId, server.TraceId)
		}
		if len(server.Links) != 1 || fmt.Sprintf("%x", server.Links[0].TraceId) != theirs || server.Links[0].TraceState != "" {
			t.Errorf("the links are %v", server.Links)
		}
	})
	t.Run("the guard's span and the request to the upstream are within it", func(t *testing.T) {
		for _, span := range []*tracepb.Span{admit, client} {
			if !bytes.Equal(span.ParentSpanId, server.SpanId) || !bytes.Equal(span.TraceId, server.TraceId) {
				t.Errorf("the parent of %q is %x, want %x", span.Name, span.ParentSpanId, server.SpanId)
			}
		}
		if client.Kind != tracepb.Span_SPAN_KIND_CLIENT || server.Kind != tracepb.Span_SPAN_KIND_SERVER {
			t.Errorf("the kinds are %v and %v", client.Kind, server.Kind)
		}
	})
	t.Run("the upstream gets the trace context, and nothing else", func(t *testing.T) {
		want := http.Header{"Traceparent": {fmt.Sprintf("00-%x-%x-01", client.TraceId, client.SpanId)}}
		if fmt.Sprint(sent) != fmt.Sprint(want) {
			t.Errorf("it gets %v, want %v", sent, want)
		}
	})
	t.Run("the stages are events", func(t *testing.T) {
		var names []string
		last := admit.StartTimeUnixNano
		for _, e := range admit.Events {
			if e.TimeUnixNano < last || e.TimeUnixNano > admit.EndTimeUnixNano {
				t.Errorf("%s is not between the event before and the end", e.Name)
			}
			last = e.TimeUnixNano
			names = append(names, e.Name)
		}
		if strings.Join(names, " ") != "read verify claim handle settle" {
			t.Errorf("they are %q", names)
		}
	})
	t.Run("the attributes are those on the list", func(t *testing.T) {
		for span, want := range map[*tracepb.Span]string{
			server: "http.request.body.size http.request.method http.response.status_code http.route url.scheme",
			admit:  "hooknotary.correlation_id hooknotary.endpoint hooknotary.key_label hooknotary.outcome hooknotary.provider",
			client: "hooknotary.endpoint http.request.method http.response.status_code",
		} {
			if got := keys(span); got != want {
				t.Errorf("those of %q are\n%s, want\n%s", span.Name, got, want)
			}
		}
	})
	t.Run("nothing that the sender wrote leaves the process, also with the metrics", func(t *testing.T) {
		for _, path := range []string{"/v1/traces", "/v1/metrics"} {
			if len(c.bodies[path]) == 0 {
				t.Errorf("there is nothing at %s", path)
			}
			for _, body := range c.bodies[path] {
				if !bytes.Contains(body, []byte("service.version")) || !bytes.Contains(body, []byte("v1.2.3")) {
					t.Errorf("what goes to %s does not say which program it is from", path)
				}
				if bytes.Contains(body, []byte(mark)) || bytes.Contains(body, []byte("203.0.113.9")) {
					t.Errorf("it stands in what goes to %s: %q", path, body)
				}
			}
		}
		if !bytes.Contains(c.bodies["/v1/metrics"][0], []byte("hooknotary.deliveries")) {
			t.Error("there are no metrics")
		}
	})
}

func TestWithoutTraces(t *testing.T) {
	s := newSite(t, telemetry.Options{Metrics: true})
	sent := make(http.Header)
	s.handle = func(w http.ResponseWriter, r *http.Request) {
		s.Upstream("stripe")(r.Context(), sent)(forward.Report{Status: 204, Sent: 204})
	}
	r := stripetest.NewRequest("https://shop.example/hooks/stripe", time.Now(), []byte(`{"id":"evt_1"}`), secret)
	r.Header.Set("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	if status := s.serve(r); status != 200 {
		t.Fatalf("status %d", status)
	}
	if len(sent) != 0 {
		t.Errorf("the upstream gets %v, which is the sender's", sent)
	}
}

func TestUpstream(t *testing.T) {
	s := newSite(t, telemetry.Options{Metrics: true})
	for _, tt := range []struct {
		result forward.Report
		class  string
	}{
		{forward.Report{Status: 200, Sent: 200}, ""},
		{forward.Report{Status: 204, Sent: 204}, ""},
		{forward.Report{Status: 302, Sent: 200}, ""}, // a success of this route
		{forward.Report{Status: 302, Sent: 502}, "3xx"},
		{forward.Report{Status: 101, Sent: 502}, "1xx"},
		{forward.Report{Status: 410, Sent: 502}, "4xx"},
		{forward.Report{Status: 503, Sent: 503}, "5xx"},
		{forward.Report{Status: 504, Sent: 502}, "5xx"},
		{forward.Report{Status: 999, Sent: 502}, "_OTHER"},
		{forward.Report{Sent: 504, Err: context.DeadlineExceeded}, "timeout"},
		{forward.Report{Sent: 502, Err: fmt.Errorf("forward: %w", context.Canceled)}, "canceled"},
		{forward.Report{Sent: 502, Err: io.ErrUnexpectedEOF}, "connection"},
		{forward.Report{Sent: 503, Err: errors.New("no assertion")}, "_OTHER"},
	} {
		name := `hooknotary_upstream_duration_seconds_count{hooknotary_endpoint="billing"}`
		if tt.class != "" {
			name = `hooknotary_upstream_duration_seconds_count{error_type="` + tt.class + `",hooknotary_endpoint="billing"}`
		}
		before := series(scrape(t, s.Telemetry))[name]
		s.Upstream("billing")(t.Context(), nil)(tt.result)
		if after := series(scrape(t, s.Telemetry))[name]; after == "" || after == before {
			t.Errorf("%+v: %s is %q, as before", tt.result, name, after)
		}
	}
}

func TestNew(t *testing.T) {
	const password = "correct-horse"
	for _, tt := range []struct {
		name, otlp string
		ok         bool
	}{
		{"a collector", "http://127.0.0.1:4318", true},
		{"one below a path, with a password", "https://me:" + password + "@collector.example/otlp/", true},
		{"another scheme", "grpc://me:" + password + "@127.0.0.1:4317", false},
		{"no host", "http://", false},
		{"no URL", "http://me:" + password + "@127.0.0.1:x", false},
		{"a query", "http://127.0.0.1:4318?key=" + password, false},
		{"a fragment", "http://127.0.0.1:4318#" + password, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			all, err := telemetry.New(t.Context(), telemetry.Options{OTLP: tt.otlp})
			if (err == nil) != tt.ok || err != nil && strings.Contains(err.Error(), password) {
				t.Errorf("the error is %v", err)
			}
			if err == nil {
				over, cancel := context.WithCancel(t.Context())
				cancel()
				all.Shutdown(over)
			}
		})
	}

	t.Run("user info is Basic authentication, and the path is kept", func(t *testing.T) {
		c := newCollector(t)
		all, err := telemetry.New(t.Context(), telemetry.Options{OTLP: strings.Replace(c.URL, "http://", "http://me:"+password+"@", 1) + "/otlp"})
		if err != nil {
			t.Fatal(err)
		}
		if err := all.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		r := &http.Request{Header: c.header}
		if user, got, _ := r.BasicAuth(); user != "me" || got != password || len(c.bodies["/otlp/v1/metrics"]) != 1 {
			t.Errorf("user %q, password %q, and %d requests", user, got, len(c.bodies["/otlp/v1/metrics"]))
		}
	})

	t.Run("what the export fails with is logged, and without the password", func(t *testing.T) {
		c := newCollector(t)
		c.status = http.StatusBadRequest
		var log lockedBuffer
		all, err := telemetry.New(t.Context(), telemetry.Options{
			OTLP: strings.Replace(c.URL, "http://", "http://me:"+password+"@", 1), Log: slog.New(slog.NewJSONHandler(&log, nil)),
		})
		if err != nil {
			t.Fatal(err)
		}
		s := all.Route("/hooks/stripe", http.NotFoundHandler())
		s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/hooks/stripe", nil))
		err = all.Shutdown(t.Context())
		text := fmt.Sprint(log.String(), err)
		for range 3 {
			otel.Handle(errors.New("another one"))
		}
		if err == nil || strings.Count(log.String(), "cannot be exported") != 1 || strings.Contains(text, password) {
			t.Errorf("the error is %v, the log:\n%s", err, log.String())
		}
	})

	t.Run("what cannot be read in the environment is not repeated", func(t *testing.T) {
		for name, value := range map[string]string{
			"OTEL_EXPORTER_OTLP_HEADERS": "x-api-key " + mark, "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "x-api-key=" + mark + "%zz",
			"OTEL_EXPORTER_OTLP_METRICS_HEADERS": "x api key " + mark + "=1", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://u:" + mark + "@h:bad port/",
			"OTEL_EXPORTER_OTLP_CERTIFICATE": "/" + mark, "OTEL_METRIC_EXPORT_INTERVAL": mark, "OTEL_TRACES_SAMPLER": mark,
		} {
			t.Run(name, func(t *testing.T) {
				t.Setenv(name, value)
				var log lockedBuffer
				all, err := telemetry.New(t.Context(), telemetry.Options{OTLP: "http://127.0.0.1:1", Log: slog.New(slog.NewJSONHandler(&log, nil))})
				if err == nil {
					ctx, cancel := context.WithCancel(t.Context())
					cancel()
					all.Shutdown(ctx)
				}
				if text := fmt.Sprint(log.String(), err); strings.Contains(text, mark) || !strings.Contains(text, "OTEL_") {
					t.Errorf("the log and the error: %s", text)
				}
			})
		}
	})

	t.Run("nothing that the collector says is logged", func(t *testing.T) {
		for name, answer := range map[string]http.HandlerFunc{
			"a body": func(w http.ResponseWriter, r *http.Request) { http.Error(w, mark, http.StatusBadRequest) },
			"a status": func(w http.ResponseWriter, r *http.Request) {
				c, _, _ := http.NewResponseController(w).Hijack()
				io.WriteString(c, "HTTP/1.1 400 "+mark+"\r\n\r\n")
				c.Close()
			},
			"no response": func(w http.ResponseWriter, r *http.Request) {
				c, _, _ := http.NewResponseController(w).Hijack()
				io.WriteString(c, "HTTP/1.1 "+mark+"\r\n\r\n")
				c.Close()
			},
			"a redirect": func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "/"+mark+"%zz", http.StatusTemporaryRedirect)
			},
			"another host": func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "http://127.0.0.1:1/"+mark, http.StatusTemporaryRedirect)
			},
			"a part": func(w http.ResponseWriter, r *http.Request) {
				var refused proto.Message = &collectorpb.ExportTraceServiceResponse{PartialSuccess: &collectorpb.ExportTracePartialSuccess{RejectedSpans: 1, ErrorMessage: mark}}
				text, _ := proto.Marshal(refused)
				w.Header().Set("Content-Type", "application/x-protobuf")
				w.Write(text)
			},
		} {
			collector := httptest.NewServer(answer)
			var log lockedBuffer
			all, err := telemetry.New(t.Context(), telemetry.Options{OTLP: collector.URL, Log: slog.New(slog.NewJSONHandler(&log, nil))})
			if err != nil {
				t.Fatal(err)
			}
			all.Route("/hooks/stripe", http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/hooks/stripe", nil))
			err = all.Shutdown(t.Context())
			if text := fmt.Sprint(log.String(), err); strings.Contains(text, mark) || !strings.Contains(text, "collector") {
				t.Errorf("%s: %s", name, text)
			}
			collector.Close()
		}
	})

	t.Run("with neither there is nothing", func(t *testing.T) {
		for _, all := range []*telemetry.Telemetry{start(t, telemetry.Options{Scopes: []string{""}}), new(telemetry.Telemetry)} {
			next := http.NewServeMux()
			if all.Route("/hooks", next) != http.Handler(next) || all.Upstream("billing") != nil || all.MetricsHandler() != nil {
				t.Error("there is something")
			}
			all.Observe(t.Context(), handled)
			all.Reloaded(true, time.Now())
			all.Reloaded(false, time.Now())
			all.Faulty(1)
			if err := all.Register("plain", nil); err != nil {
				t.Error(err)
			}
			if err := all.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
	t.Run("resource attributes that cannot be read are a mistake, and not repeated", func(t *testing.T) {
		t.Setenv("OTEL_RESOURCE_ATTRIBUTES", password)
		if _, err := telemetry.New(t.Context(), telemetry.Options{Metrics: true}); err == nil || strings.Contains(err.Error(), password) {
			t.Errorf("the error is %v", err)
		}
	})
	t.Run("an empty scope is a mistake", func(t *testing.T) {
		if _, err := telemetry.New(t.Context(), telemetry.Options{Metrics: true, Scopes: []string{""}}); err == nil {
			t.Error("there is no error")
		}
	})
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// What wraps the ResponseWriter must not hide read deadlines, or a body could stall.
func TestReadDeadlines(t *testing.T) {
	s := newSite(t, telemetry.Options{Metrics: true})
	server := httptest.NewServer(s.handler)
	defer server.Close()
	r := stripetest.NewRequest(server.URL+"/hooks/stripe", time.Now(), []byte(`{"id":"evt_1"}`), secret)
	r.RequestURI = ""
	response, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != 200 || s.last.NoReadDeadline {
		t.Errorf("status %d, without a read deadline: %v", response.StatusCode, s.last.NoReadDeadline)
	}
}
