package otelmw_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/otelmw"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

func TestNew(t *testing.T) {
	t.Run("without options it uses the global providers", func(t *testing.T) {
		all, err := otelmw.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		all.Observe(t.Context(), handled())
	})
	t.Run("an empty scope is a mistake", func(t *testing.T) {
		if _, err := otelmw.New(&otelmw.Options{Scopes: []string{"acme", ""}}); err == nil || !strings.Contains(err.Error(), "Scopes[1]") {
			t.Errorf("the error is %v", err)
		}
	})
	t.Run("every instrument has a description, and a unit", func(t *testing.T) {
		m := newMeters()
		observing(t, m, nil)
		if len(m.about) != 10 {
			t.Errorf("there are %d instruments", len(m.about))
		}
		for name, about := range m.about {
			unit, text, _ := strings.Cut(about, " ")
			if unit == "" || !strings.HasSuffix(text, ".") {
				t.Errorf("%s: unit %q, description %q", name, unit, text)
			}
			m.refuse = name
			if _, err := otelmw.New(&otelmw.Options{MeterProvider: m}); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("a provider refuses %s, and the error is %v", name, err)
			}
		}
	})
}

func observing(t *testing.T, m *meters, p trace.TracerProvider, options ...func(*otelmw.Options)) *otelmw.Telemetry {
	t.Helper()
	o := &otelmw.Options{MeterProvider: m, TracerProvider: p}
	for _, change := range options {
		change(o)
	}
	all, err := otelmw.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func scopes(names ...string) func(*otelmw.Options) {
	return func(o *otelmw.Options) { o.Scopes = names }
}

// handled is the report of a request that was handled.
func handled() middleware.Report {
	return middleware.Report{
		Endpoint: "billing", Provider: "stripe", CorrelationID: "c0ffee", Outcome: middleware.Handled, Verified: true, Scope: "default", KeyLabel: "new",
		BodyBytes: 100, Read: 1 * time.Second, Verify: 2 * time.Second, Claim: 4 * time.Second, Handle: 8 * time.Second, Settle: 16 * time.Second,
		Total: 32 * time.Second,
	}
}

// refused is the report of a request that was refused by its head.
func refused(reason verify.Reason) middleware.Report {
	return middleware.Report{
		Endpoint: "billing", Provider: "stripe", Outcome: middleware.Refused, Reason: reason, Err: errors.New("of 203.0.113.9"), Status: 401,
		PublicURL: "https://hooks.example.com", CorrelationID: "c0ffee", Verify: time.Second, Total: 2 * time.Second,
	}
}

func with(r middleware.Report, change func(*middleware.Report)) middleware.Report {
	change(&r)
	return r
}

func TestObserve(t *testing.T) {
	const (
		times = "hooknotary.delivery.duration"
		stage = "hooknotary.stage.duration"
	)
	stages := func(read, verify, claim, handle, settle float64) map[string]float64 {
		all := map[string]float64{
			stage + "{endpoint=billing,stage=read}":   read,
			stage + "{endpoint=billing,stage=verify}": verify,
			stage + "{endpoint=billing,stage=claim}":  claim,
			stage + "{endpoint=billing,stage=handle}": handle,
			stage + "{endpoint=billing,stage=settle}": settle,
		}
		maps.DeleteFunc(all, func(_ string, v float64) bool { return v == 0 })
		return all
	}
	all := stages(1, 2, 4, 8, 16)
	const size = "hooknotary.body.size{endpoint=billing}"

	for _, tt := range []struct {
		name   string
		scopes []string
		report middleware.Report
		want   map[string]float64 // the stages apart
		stages map[string]float64
	}{
		{"a delivery that was handled", nil, handled(), map[string]float64{
			"hooknotary.deliveries{endpoint=billing,outcome=handled,provider=stripe}": 1,
			times + "{endpoint=billing,outcome=handled,provider=stripe}":              32,
			"hooknotary.key.uses{endpoint=billing,key_label=new,provider=stripe}":     1,
			size: 100,
		}, all},
		{"where scopes are listed, a key without a tenant has none", []string{"acme"}, handled(), map[string]float64{
			"hooknotary.deliveries{endpoint=billing,outcome=handled,provider=stripe}": 1,
			times + "{endpoint=billing,outcome=handled,provider=stripe}":              32,
			"hooknotary.key.uses{endpoint=billing,key_label=new,provider=stripe}":     1,
			size: 100,
		}, all},
		{"a refusal on the head has its reason, no size and no key", nil, refused(verify.ErrMismatch), map[string]float64{
			"hooknotary.deliveries{endpoint=billing,error.type=mismatch,outcome=refused,provider=stripe}": 1,
			times + "{endpoint=billing,outcome=refused,provider=stripe}":                                  2,
		}, stages(0, 1, 0, 0, 0)},
		{"a scope that is not listed is counted nowhere by its name, nor is the label of its key", nil,
			with(handled(), func(r *middleware.Report) { r.Scope = "acme" }), map[string]float64{
				"hooknotary.deliveries{endpoint=billing,outcome=handled,provider=stripe}":             1,
				times + "{endpoint=billing,outcome=handled,provider=stripe}":                          32,
				"hooknotary.key.uses{endpoint=billing,key_label=_OTHER,provider=stripe,scope=_OTHER}": 1,
				size: 100,
			}, all},
		{"a scope that is listed has its name", []string{"acme"},
			with(handled(), func(r *middleware.Report) { r.Scope = "acme" }), map[string]float64{
				"hooknotary.deliveries{endpoint=billing,outcome=handled,provider=stripe,scope=acme}": 1,
				times + "{endpoint=billing,outcome=handled,provider=stripe}":                         32,
				"hooknotary.key.uses{endpoint=billing,key_label=new,provider=stripe,scope=acme}":     1,
				size: 100,
			}, all},
		{"where some are listed, another one is _OTHER", []string{"acme"},
			with(handled(), func(r *middleware.Report) { r.Scope = "initech" }), map[string]float64{
				"hooknotary.deliveries{endpoint=billing,outcome=handled,provider=stripe,scope=_OTHER}": 1,
				times + "{endpoint=billing,outcome=handled,provider=stripe}":                           32,
				"hooknotary.key.uses{endpoint=billing,key_label=_OTHER,provider=stripe,scope=_OTHER}":  1,
				size: 100,
			}, all},
		{"a claim that failed is a failure of the store", nil,
			with(refused(verify.ErrUnavailable), func(r *middleware.Report) { r.Claim = time.Second }), map[string]float64{
				"hooknotary.deliveries{endpoint=billing,error.type=unavailable,outcome=refused,provider=stripe}": 1,
				times + "{endpoint=billing,outcome=refused,provider=stripe}":                                     2,
				"hooknotary.store.failures{endpoint=billing,stage=claim}":                                        1,
			}, stages(0, 1, 1, 0, 0)},
		{"a source of keys that failed is none", nil, refused(verify.ErrUnavailable), map[string]float64{
			"hooknotary.deliveries{endpoint=billing,error.type=unavailable,outcome=refused,provider=stripe}": 1,
			times + "{endpoint=billing,outcome=refused,provider=stripe}":                                     2,
		}, stages(0, 1, 0, 0, 0)},
		{"so is a delivery that passed because the store failed", nil,
			with(handled(), func(r *middleware.Report) { r.FailedOpen, r.Err = true, errors.New("away") }), map[string]float64{
				"hooknotary.deliveries{endpoint=billing,outcome=handled,provider=stripe}": 1,
				times + "{endpoint=billing,outcome=handled,provider=stripe}":              32,
				"hooknotary.key.uses{endpoint=billing,key_label=new,provider=stripe}":     1,
				"hooknotary.store.failures{endpoint=billing,stage=claim}":                 1,
				size: 100,
			}, all},
		{"a commit that failed", nil,
			with(handled(), func(r *middleware.Report) { r.Outcome, r.Err = middleware.CommitFailed, errors.New("away") }), map[string]float64{
				"hooknotary.deliveries{endpoint=billing,outcome=commit_failed,provider=stripe}": 1,
				times + "{endpoint=billing,outcome=commit_failed,provider=stripe}":              32,
				"hooknotary.key.uses{endpoint=billing,key_label=new,provider=stripe}":           1,
				"hooknotary.store.failures{endpoint=billing,stage=settle}":                      1,
				size: 100,
			}, all},
		{"a release that failed", nil,
			with(handled(), func(r *middleware.Report) { r.Outcome, r.Err = middleware.Failed, errors.New("away") }), map[string]float64{
				"hooknotary.deliveries{endpoint=billing,outcome=failed,provider=stripe}": 1,
				times + "{endpoint=billing,outcome=failed,provider=stripe}":              32,
				"hooknotary.key.uses{endpoint=billing,key_label=new,provider=stripe}":    1,
				"hooknotary.store.failures{endpoint=billing,stage=settle}":               1,
				size: 100,
			}, all},
		{"a handler that failed, and whose claim was kept", nil,
			with(handled(), func(r *middleware.Report) { r.Outcome, r.ClaimKept = middleware.Failed, true }), map[string]float64{
				"hooknotary.deliveries{endpoint=billing,outcome=failed,provider=stripe}": 1,
				times + "{endpoint=billing,outcome=failed,provider=stripe}":              32,
				"hooknotary.key.uses{endpoint=billing,key_label=new,provider=stripe}":    1,
				"hooknotary.claims.kept{endpoint=billing}":                               1,
				size: 100,
			}, all},
		{"a name that is no UTF-8 is made some", nil,
			with(handled(), func(r *middleware.Report) { r.KeyLabel = "a\xff" }), map[string]float64{
				"hooknotary.deliveries{endpoint=billing,outcome=handled,provider=stripe}": 1,
				times + "{endpoint=billing,outcome=handled,provider=stripe}":              32,
				"hooknotary.key.uses{endpoint=billing,key_label=a_,provider=stripe}":      1,
				size: 100,
			}, all},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newMeters()
			observe := observing(t, m, tracenoop.NewTracerProvider(), scopes(tt.scopes...)).Observe
			observe(t.Context(), tt.report)
			maps.Copy(tt.want, tt.stages)
			for _, s := range [...]string{"claims.kept{endpoint=billing}", "store.failures{endpoint=billing,stage=claim}", "store.failures{endpoint=billing,stage=settle}"} {
				tt.want["hooknotary."+s] += 0 // it is there before it happens
			}
			if got := m.collect("hooknotary."); !maps.Equal(got, tt.want) {
				t.Errorf("there is\n%v\nwant\n%v", lines(got), lines(tt.want))
			}
			observe(t.Context(), tt.report)
			for s, v := range m.collect("hooknotary.") {
				if v != 2*tt.want[s] {
					t.Errorf("after another one %s is %v", s, v)
				}
			}
		})
	}

	t.Run("labels beyond the hundredth of an endpoint are _OTHER", func(t *testing.T) {
		m := newMeters()
		all := observing(t, m, nil)
		for i := range 150 {
			all.Observe(t.Context(), with(handled(), func(r *middleware.Report) { r.KeyLabel = fmt.Sprint(i) }))
			all.Observe(t.Context(), with(handled(), func(r *middleware.Report) { r.KeyLabel = "7" }))
		}
		got := m.collect("hooknotary.key.uses")
		if len(got) != 101 || got["hooknotary.key.uses{endpoint=billing,key_label=_OTHER,provider=stripe}"] != 50 ||
			got["hooknotary.key.uses{endpoint=billing,key_label=7,provider=stripe}"] != 151 {
			t.Errorf("there are %d: %v", len(got), lines(got))
		}
	})
}

func lines(m map[string]float64) string {
	var all []string
	for k, v := range m {
		all = append(all, fmt.Sprint(k, " ", v))
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

func TestSpan(t *testing.T) {
	delivery := verify.NewContext(t.Context(), &verify.Delivery{ID: "evt_1"})
	ids := func(o *otelmw.Options) { o.RecordIDs = true }
	const handledSpan = "{correlation_id=c0ffee,endpoint=billing,key_label=new,outcome=handled,provider=stripe}"

	for _, tt := range []struct {
		name   string
		ctx    context.Context
		report middleware.Report
		option func(*otelmw.Options)
		want   string
		status codes.Code
	}{
		{"a delivery that was handled, without its id", delivery, handled(), nil, handledSpan, codes.Unset},
		{"with its id where that is asked for", delivery, handled(), ids, "{correlation_id=c0ffee,endpoint=billing,event_id=evt_1,key_label=new,outcome=handled,provider=stripe}", codes.Unset},
		{"no id where there is none", t.Context(), handled(), ids, handledSpan, codes.Unset},
		{"a scope that is not listed", delivery, with(handled(), func(r *middleware.Report) { r.Scope = "acme" }), nil,
			"{correlation_id=c0ffee,endpoint=billing,outcome=handled,provider=stripe,scope=_OTHER}", codes.Unset},
		{"a refusal has no error and no address, nor the id of a guard outside", delivery, refused(verify.ErrMismatch), ids,
			"{correlation_id=c0ffee,endpoint=billing,error.type=mismatch,outcome=refused,provider=stripe}", codes.Unset},
		{"a store that failed is an error", delivery, refused(verify.ErrUnavailable), nil,
			"{correlation_id=c0ffee,endpoint=billing,error.type=unavailable,outcome=refused,provider=stripe}", codes.Error},
		{"and so is a handler that failed", delivery, with(handled(), func(r *middleware.Report) { r.Outcome = middleware.Failed }), nil,
			"{correlation_id=c0ffee,endpoint=billing,key_label=new,outcome=failed,provider=stripe}", codes.Error},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := new(tracers)
			option := tt.option
			if option == nil {
				option = func(*otelmw.Options) {}
			}
			observing(t, newMeters(), p, option).Observe(tt.ctx, tt.report)
			if len(p.spans) != 1 {
				t.Fatalf("there are %d spans", len(p.spans))
			}
			s := p.spans[0]
			if got := print(s.attributes); got != tt.want || s.status != tt.status || s.name != "hooknotary.admit" || !s.ended {
				t.Errorf("%s %s, status %v, ended: %v; want %s", s.name, got, s.status, s.ended, tt.want)
			}
		})
	}

	t.Run("the stages are events at their ends", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := new(tracers)
			observing(t, newMeters(), p).Observe(t.Context(), handled())
			s := p.spans[0]
			if got := strings.Join(s.events, ", "); got != "read 1s, verify 3s, claim 7s, handle 15s, settle 31s" {
				t.Errorf("they are %s", got)
			}
			if got := time.Since(s.start.Timestamp()); got != 32*time.Second {
				t.Errorf("it began %v ago", got)
			}
		})
	})

	outer := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{9}, SpanID: trace.SpanID{9}, TraceFlags: trace.FlagsSampled})
	t.Run("a span in the context is its parent", func(t *testing.T) {
		p := new(tracers)
		observing(t, newMeters(), p).Observe(trace.ContextWithSpanContext(t.Context(), outer), handled())
		if s := p.spans[0]; s.parent.SpanID() != outer.SpanID() || len(s.start.Links()) != 0 {
			t.Errorf("its parent is %v, its links are %v", s.parent, s.start.Links())
		}
	})
	t.Run("one of the sender's is a link and no parent", func(t *testing.T) {
		p := new(tracers)
		observing(t, newMeters(), p).Observe(trace.ContextWithRemoteSpanContext(t.Context(), outer), handled())
		if s := p.spans[0]; s.parent.IsValid() || len(s.start.Links()) != 1 || s.start.Links()[0].SpanContext.SpanID() != outer.SpanID() {
			t.Errorf("its parent is %v, its links are %v", s.parent, s.start.Links())
		}
	})

	t.Run("without a provider it is that of the span in the context", func(t *testing.T) {
		p := new(tracers)
		all := observing(t, newMeters(), nil)
		all.Observe(t.Context(), handled())
		all.Observe(trace.ContextWithRemoteSpanContext(t.Context(), outer), handled())
		ctx, span := p.Tracer("").Start(t.Context(), "POST")
		all.Observe(ctx, handled())
		if len(p.spans) != 2 || p.spans[1].name != "hooknotary.admit" || p.spans[1].parent.SpanID() != span.SpanContext().SpanID() {
			t.Errorf("there are %d spans", len(p.spans))
		}
		span.End()
		all.Observe(ctx, handled())
		if len(p.spans) != 2 {
			t.Error("there is a span although the one in the context is not recorded")
		}
	})
	t.Run("with the one of package noop there is none", func(t *testing.T) {
		p := new(tracers)
		ctx, _ := p.Tracer("").Start(t.Context(), "POST")
		observing(t, newMeters(), tracenoop.NewTracerProvider()).Observe(ctx, handled())
		if len(p.spans) != 1 {
			t.Errorf("there are %d spans", len(p.spans))
		}
	})
}

// counted is a store that takes its time to count.
type counted struct {
	replay.Store
	calls int
	stats func(ctx context.Context) (replay.Stats, error)
}

func (c *counted) Inspect(context.Context, replay.Key) (replay.Record, bool, error) {
	return replay.Record{}, false, nil
}

func (c *counted) Stats(ctx context.Context) (replay.Stats, error) {
	c.calls++
	return c.stats(ctx)
}

func TestRegister(t *testing.T) {
	t.Run("the store in memory is asked at each collection", func(t *testing.T) {
		m, store := newMeters(), replay.NewMemory(&replay.MemoryOptions{MaxBytes: 1 << 20})
		if err := observing(t, m, nil).Register("main", store); err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			want := map[string]float64{
				"hooknotary.store.records{store=main}":   float64(i),
				"hooknotary.store.bytes{store=main}":     float64(160 * i),
				"hooknotary.store.max_bytes{store=main}": 1 << 20,
			}
			if got := m.collect("hooknotary.store."); !maps.Equal(got, want) {
				t.Errorf("after %d claims there is\n%s\nwant\n%s", i, lines(got), lines(want))
			}
			if _, err := store.Claim(t.Context(), replay.Claim{Key: replay.Key{byte(i)}, Token: replay.NewToken(), Lease: time.Minute}); err != nil {
				t.Fatal(err)
			}
		}
	})

	t.Run("another one is asked once a minute, beside the collection", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			m, store := newMeters(), &counted{stats: func(context.Context) (replay.Stats, error) {
				time.Sleep(10 * time.Second)
				return replay.Stats{Records: 7}, nil
			}}
			if err := observing(t, m, nil).Register("main", store); err != nil {
				t.Fatal(err)
			}
			begun := time.Now()
			if got := m.collect("hooknotary.store."); len(got) != 0 || time.Since(begun) != 0 {
				t.Errorf("the first collection took %v and has %s", time.Since(begun), lines(got))
			}
			for range 11 { // 55 seconds
				time.Sleep(5 * time.Second)
				m.collect("hooknotary.store.")
			}
			if got := m.collect("hooknotary.store."); !maps.Equal(got, map[string]float64{"hooknotary.store.records{store=main}": 7}) {
				t.Errorf("there is %s", lines(got))
			}
			synctest.Wait()
			if store.calls != 1 {
				t.Errorf("it was asked %d times", store.calls)
			}
			time.Sleep(5 * time.Second)
			m.collect("hooknotary.store.")
			synctest.Wait()
			if store.calls != 2 {
				t.Errorf("after a minute it was asked %d times", store.calls)
			}
			time.Sleep(time.Minute)
		})
	})

	t.Run("one that heeds no context is not asked again before it answers", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			m, store := newMeters(), &counted{stats: func(context.Context) (replay.Stats, error) {
				time.Sleep(5 * time.Minute)
				return replay.Stats{}, nil
			}}
			if err := observing(t, m, nil).Register("main", store); err != nil {
				t.Fatal(err)
			}
			for range 4 {
				m.collect("hooknotary.store.")
				time.Sleep(time.Minute)
			}
			synctest.Wait()
			if store.calls != 1 {
				t.Errorf("it was asked %d times", store.calls)
			}
			time.Sleep(2 * time.Minute)
		})
	})

	for name, stats := range map[string]func(context.Context) (replay.Stats, error){
		"one that fails":  func(context.Context) (replay.Stats, error) { return replay.Stats{}, errors.New("away") },
		"one that panics": func(context.Context) (replay.Stats, error) { panic("away") },
		"one that hangs": func(ctx context.Context) (replay.Stats, error) {
			<-ctx.Done()
			return replay.Stats{Records: 1}, ctx.Err()
		},
	} {
		t.Run(name+" has gauges until they are old", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, store := newMeters(), &counted{stats: func(context.Context) (replay.Stats, error) { return replay.Stats{Records: 7}, nil }}
				if err := observing(t, m, nil).Register("main", store); err != nil {
					t.Fatal(err)
				}
				m.collect("hooknotary.store.")
				synctest.Wait()
				store.stats = stats
				for range 179 {
					time.Sleep(time.Second)
					if got := m.collect("hooknotary.store."); len(got) != 1 {
						t.Fatalf("there is %s", lines(got))
					}
				}
				time.Sleep(time.Second)
				if got := m.collect("hooknotary.store."); len(got) != 0 {
					t.Errorf("after three minutes there is %s", lines(got))
				}
				time.Sleep(time.Minute)
				synctest.Wait()
				store.stats = func(context.Context) (replay.Stats, error) { return replay.Stats{Records: 8}, nil }
				m.collect("hooknotary.store.")
				synctest.Wait()
				if got := m.collect("hooknotary.store."); got["hooknotary.store.records{store=main}"] != 8 {
					t.Errorf("once it answers again there is %s", lines(got))
				}
			})
		})
	}

	all := observing(t, newMeters(), nil)
	for _, tt := range []struct {
		name, as string
		store    replay.Store
		want     string
	}{
		{"a store with a name", "main", replay.NewMemory(nil), ""},
		{"a second one with another name", "other", replay.NewMemory(nil), ""},
		{"a second one with that name", "main", replay.NewMemory(nil), "registered already"},
		{"one without a name", "", replay.NewMemory(nil), "empty"},
		{"one that cannot say what it holds", "plain", struct{ replay.Store }{}, "no replay.Inspector"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := all.Register(tt.as, tt.store)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("the error is %v, want %q", err, tt.want)
			}
		})
	}
}

func TestAllocations(t *testing.T) {
	for _, tt := range []struct {
		name    string
		options *otelmw.Options
	}{
		{"no provider is installed", nil},
		{"spans are switched off", &otelmw.Options{TracerProvider: tracenoop.NewTracerProvider()}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			all, err := otelmw.New(tt.options)
			if err != nil {
				t.Fatal(err)
			}
			r := handled()
			if n := testing.AllocsPerRun(100, func() { all.Observe(context.Background(), r) }); n != 0 {
				t.Errorf("there are %v allocations", n)
			}
		})
	}
}
