package middleware_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/observe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

func TestObserve(t *testing.T) {
	t.Run("every request is observed once", func(t *testing.T) {
		down := errors.New("down")
		settling := func(commit, release error) func(*site) {
			return func(s *site) {
				s.store.commit = func(context.Context, replay.Handle) error { return commit }
				s.store.release = func(context.Context, replay.Handle) error { return release }
			}
		}
		type test struct {
			name     string
			change   func(*site)
			handle   http.HandlerFunc
			want     middleware.Report // Outcome, Reason, Status, Err, FailedOpen
			verified bool
		}
		tests := []test{
			{"handled", func(*site) {}, nil, middleware.Report{Outcome: middleware.Handled}, true},
			{"failed", func(*site) {}, answering(500), middleware.Report{Outcome: middleware.Failed}, true},
			{"failed, and the release, too", settling(nil, down), answering(500), middleware.Report{Outcome: middleware.Failed, Err: down}, true},
			{"panicked", func(*site) {}, func(http.ResponseWriter, *http.Request) { panic("boom") }, middleware.Report{Outcome: middleware.Failed}, true},
			{"the commit failed", settling(down, nil), nil, middleware.Report{Outcome: middleware.CommitFailed, Err: down}, true},
			{"lost", settling(replay.ErrLost, nil), nil, middleware.Report{Outcome: middleware.Lost, Reason: verify.ErrInFlight, Status: 409, Err: replay.ErrLost}, true},
			{"acknowledged", outcome(replay.Outcome{Status: replay.Done}), nil, middleware.Report{Outcome: middleware.Acknowledged, Reason: verify.ErrReplayed, Status: 200, Err: verify.ErrReplayed}, true},
			{"failed open", func(s *site) {
				s.opts.InsecureFailOpen = true
				s.store.claim = func(context.Context, replay.Claim) (replay.Outcome, error) { return replay.Outcome{}, down }
			}, nil, middleware.Report{Outcome: middleware.Handled, FailedOpen: true, Err: down}, true},
			{"failed open, and the handler, too", func(s *site) {
				s.opts.InsecureFailOpen = true
				s.store.claim = func(context.Context, replay.Claim) (replay.Outcome, error) { return replay.Outcome{}, down }
			}, answering(500), middleware.Report{Outcome: middleware.Failed, FailedOpen: true, Err: down}, true},
			{"lost, with a response of one's own", func(s *site) {
				settling(replay.ErrLost, nil)(s)
				s.opts.OnReject = func(_ context.Context, _ verify.Reason, a *middleware.Response) { a.Status, a.Reason = 503, 0 }
			}, nil, middleware.Report{Outcome: middleware.Lost, Reason: verify.ErrInFlight, Status: 503, Err: replay.ErrLost}, true},
		}
		for _, f := range refusals {
			tests = append(tests, test{"refused: " + f.name, f.change, nil,
				middleware.Report{Outcome: middleware.Refused, Reason: f.reason, Status: f.status, Err: f.reason}, f.claims > 0 && f.status != 503})
		}
		for _, c := range tests {
			t.Run(c.name, func(t *testing.T) {
				s := newSite(t, observed, c.change)
				s.handle = c.handle
				func() {
					defer func() { recover() }()
					s.serve(s.request)
				}()
				e := s.event()
				if e.Outcome != c.want.Outcome || e.Reason != c.want.Reason || e.Status != c.want.Status || e.FailedOpen != c.want.FailedOpen {
					t.Errorf("event %+v, want %+v", e, c.want)
				}
				if c.want.Err == nil != (e.Err == nil) || c.want.Reason != verify.ErrUnavailable && !errors.Is(e.Err, c.want.Err) {
					t.Errorf("error %v, want %v", e.Err, c.want.Err)
				}
				if e.Endpoint != "test" || e.Provider != "stripe" || e.ReportOnly || len(e.CorrelationID) != 16 {
					t.Errorf("event %+v", e)
				}
				if c.verified && (e.KeyLabel != "1" || e.Scope != "default" || e.BodyBytes != len(eventBody("evt_1"))) {
					t.Errorf("a verified request has key %q, scope %q, %d bytes", e.KeyLabel, e.Scope, e.BodyBytes)
				}
				if !c.verified && c.want.Reason != verify.ErrUnavailable && (e.KeyLabel != "" || e.Scope != "") {
					t.Errorf("a request that was not verified has key %q, scope %q", e.KeyLabel, e.Scope)
				}
				if e.Total <= 0 {
					t.Errorf("it took %v", e.Total)
				}
			})
		}
	})

	t.Run("the report says how long the parts took", func(t *testing.T) {
		const (
			head, body, mac = 200 * time.Millisecond, 1 * time.Second, 30 * time.Millisecond
			claim, settle   = 4 * time.Millisecond, 500 * time.Microsecond
			handle          = 6 * time.Second
		)
		for _, c := range []struct {
			name   string
			change func(*site)
			want   middleware.Report
		}{
			{"of a handled request", func(*site) {},
				middleware.Report{Verify: head + mac, Read: body, Claim: claim, Handle: handle, Settle: settle, Total: head + mac + body + claim + handle + settle}},
			{"of a failed one", func(s *site) {
				s.handle = func(w http.ResponseWriter, r *http.Request) { time.Sleep(handle); w.WriteHeader(500) }
			},
				middleware.Report{Verify: head + mac, Read: body, Claim: claim, Handle: handle, Settle: settle, Total: head + mac + body + claim + handle + settle}},
			{"of a panicking one", func(s *site) {
				s.handle = func(w http.ResponseWriter, r *http.Request) { time.Sleep(handle); panic("boom") }
			}, middleware.Report{Verify: head + mac, Read: body, Claim: claim, Handle: handle, Settle: settle, Total: head + mac + body + claim + handle + settle}},
			{"of one refused on its head", unsigned,
				middleware.Report{Verify: head, Total: head}},
			{"of one refused by its method", method("GET"), middleware.Report{}},
			{"of one refused by its signature", func(s *site) {
				s.request = stripetest.NewRequest(hookURL, time.Now(), eventBody("evt_1"), otherSecret)
			}, middleware.Report{Verify: head + mac, Read: body, Total: head + mac + body}},
			{"of one with a broken body", func(s *site) { s.request.ContentLength++ },
				middleware.Report{Verify: head, Read: body, Total: head + body}},
			{"of one refused by the store", func(s *site) {
				s.store.claim = func(context.Context, replay.Claim) (replay.Outcome, error) {
					time.Sleep(claim)
					return replay.Outcome{Status: replay.InFlight}, nil
				}
			}, middleware.Report{Verify: head + mac, Read: body, Claim: claim, Total: head + mac + body + claim}},
		} {
			t.Run(c.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newSite(t, onBubble, observed, func(s *site) {
						inner := s.verifier
						s.verifier = &altered{Verifier: inner, begin: func(ctx context.Context, h *verify.Head) (verify.Pending, error) {
							time.Sleep(head)
							p, err := inner.Begin(ctx, h)
							if err != nil {
								return nil, err
							}
							return alteredPending{p, func(p verify.Pending, ctx context.Context, b []byte) (*verify.Delivery, error) {
								time.Sleep(mac)
								return p.Finish(ctx, b)
							}}, nil
						}}
						s.handle = func(http.ResponseWriter, *http.Request) { time.Sleep(handle) }
						s.store.claim = func(ctx context.Context, c replay.Claim) (replay.Outcome, error) {
							time.Sleep(claim)
							return s.store.Store.Claim(ctx, c)
						}
						s.store.commit = func(ctx context.Context, h replay.Handle) error {
							time.Sleep(settle)
							return s.store.Store.Commit(ctx, h)
						}
						s.store.release = func(ctx context.Context, h replay.Handle) error {
							time.Sleep(settle)
							return s.store.Store.Release(ctx, h)
						}
					}, c.change)
					rest, slept := s.request.Body, false
					setBody(s.request, readerFunc(func(b []byte) (int, error) {
						if !slept {
							slept = true
							time.Sleep(body)
						}
						return rest.Read(b)
					}))
					func() {
						defer func() { recover() }()
						s.serve(s.request)
					}()
					e := s.event()
					got := middleware.Report{Read: e.Read, Verify: e.Verify, Claim: e.Claim, Handle: e.Handle, Settle: e.Settle, Total: e.Total}
					if got != c.want {
						t.Errorf("got read %v, verify %v, claim %v, handle %v, settle %v, total %v;\nwant %v, %v, %v, %v, %v, %v",
							got.Read, got.Verify, got.Claim, got.Handle, got.Settle, got.Total,
							c.want.Read, c.want.Verify, c.want.Claim, c.want.Handle, c.want.Settle, c.want.Total)
					}
				})
			})
		}
	})

	t.Run("hidden read deadlines are reported once", func(t *testing.T) {
		for _, hidden := range []bool{true, false} {
			t.Run(fmt.Sprintf("hidden %v", hidden), func(t *testing.T) {
				var reports atomic.Int64
				s := newSite(t, live, func(s *site) {
					s.opts.Observe = func(_ context.Context, e middleware.Report) {
						if e.NoReadDeadline {
							reports.Add(1)
						}
					}
				})
				server := listen(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if hidden {
						w = struct{ http.ResponseWriter }{w}
					}
					s.ServeHTTP(w, r)
				}))
				var group sync.WaitGroup
				for i := range 16 {
					r := stripetest.NewRequest(server.URL, time.Now(), eventBody(fmt.Sprint("evt_", i)), stripeSecret)
					group.Go(func() {
						response, err := server.Client().Do(r)
						if err != nil {
							t.Error(err)
							return
						}
						response.Body.Close()
					})
				}
				group.Wait()
				want := int64(0)
				if hidden {
					want = 1
				}
				if n := reports.Load(); n != want {
					t.Errorf("%d reports, want %d", n, want)
				}
				wantRuns(t, s, 16)
			})
		}
	})

	t.Run("the correlation id in the handler is the report's", func(t *testing.T) {
		seen := make(map[string]bool)
		for range 3 {
			var inHandler, inHook string
			s := newSite(t, func(s *site) {
				s.opts.Observe = func(ctx context.Context, e middleware.Report) {
					inHook = e.CorrelationID
					if id := middleware.CorrelationID(ctx); id != e.CorrelationID {
						t.Errorf("the hook's context has %q, its event %q", id, e.CorrelationID)
					}
				}
			})
			s.handle = func(w http.ResponseWriter, r *http.Request) {
				inHandler = middleware.CorrelationID(context.WithoutCancel(r.Context()))
			}
			s.serve(s.request)
			if inHandler == "" || inHandler != inHook || seen[inHandler] {
				t.Errorf("in the handler %q, in the event %q", inHandler, inHook)
			}
			seen[inHandler] = true
		}
		if id := middleware.CorrelationID(t.Context()); id != "" {
			t.Errorf("outside of a guard it is %q", id)
		}
	})

	t.Run("reports and logs hold nothing secret", func(t *testing.T) {
		const canary = "canary-in-the-body"
		body := []byte(`{"id":"evt_1","note":"` + canary + `"}`)
		genuine := stripetest.Header(start, body, stripeSecret).Get("Stripe-Signature")
		mac := genuine[strings.Index(genuine, "v1=")+3:]
		raw, err := hex.DecodeString(mac)
		if err != nil {
			t.Fatal(err)
		}
		secrets := []string{stripeSecret, stripeSecret[6:], genuine, mac, mac[:16], strings.ToUpper(mac), fmt.Sprint(raw), fmt.Sprint(raw)[1:40], string(raw), canary}
		check := func(t *testing.T, what, text string) {
			t.Helper()
			for _, secret := range secrets {
				if strings.Contains(text, secret) {
					t.Errorf("%s holds %q: %s", what, secret, text)
				}
			}
		}
		signing := func(s *site) {
			s.request = stripetest.NewRequest(hookURL, start, body, stripeSecret)
			s.request.Header.Set("Authorization", canary)
			s.request.Header.Set("X-Note", canary)
		}
		tests := append([]refusal{
			{name: "accepted", change: func(*site) {}},
			{name: "tampered with", change: func(s *site) {
				setBody(s.request, bytes.NewReader(append(body[:len(body)-1:len(body)-1], ' ', '}')))
				s.request.ContentLength++
			}},
			{name: "signature in the wrong form", change: func(s *site) { s.request.Header.Set("Stripe-Signature", "t=1,v1="+mac+"00") }},
			{name: "time in the wrong form", change: func(s *site) { s.request.Header.Set("Stripe-Signature", "t="+canary+",v1="+mac) }},
			{name: "key material", change: keysFrom(func(context.Context, *verify.Head) ([]verify.Key, error) {
				k, err := verify.NewKey("scope", "label", []byte("sk_"+stripeSecret))
				return []verify.Key{k}, err
			})},
		}, refusals...)
		for _, only := range []bool{false, true} {
			for _, f := range tests {
				t.Run(fmt.Sprintf("%s, only reported %v", f.name, only), func(t *testing.T) {
					var log bytes.Buffer
					logged := middleware.LogObserver(slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
					text := middleware.LogObserver(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
					observedEvents := 0
					s := newSite(t, signing, f.change, func(s *site) {
						s.opts.InsecureReportOnly = only
						s.opts.Observe = func(ctx context.Context, e middleware.Report) {
							observedEvents++
							for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
								check(t, "the event under "+verb, fmt.Sprintf(verb, e))
							}
							if e.Err != nil {
								check(t, "the error", fmt.Sprintf("%v %+v %#v", e.Err, e.Err, errors.Unwrap(e.Err)))
							}
							j, err := json.Marshal(e)
							if err != nil {
								t.Error(err)
							}
							check(t, "the event as JSON", string(j))
							logged(ctx, e)
							text(ctx, e)
						}
					})
					w := s.serve(s.request)
					check(t, "the response", w.Body.String()+fmt.Sprint(w.Header()))
					check(t, "the log", log.String())
					if observedEvents != 1 || strings.Count(log.String(), "\n") != 2 {
						t.Errorf("%d events, log %s", observedEvents, &log)
					}
				})
			}
		}
	})
}

// observer collects what the observer of a context is told.
type observer struct{ events []middleware.Report }

func (o *observer) observe(_ context.Context, e middleware.Report) { o.events = append(o.events, e) }

func TestObserverOfContext(t *testing.T) {
	t.Run("it is told what Observe is", func(t *testing.T) {
		changes := map[string]func(*site){"handled": func(*site) {}}
		for _, f := range refusals {
			changes["refused: "+f.name] = f.change
		}
		for name, change := range changes {
			for _, mode := range []func(*site){func(*site) {}, reportOnly} {
				if name == "refused: a body that makes no progress" {
					continue // a handler would not come to its end, either
				}
				t.Run(name, func(t *testing.T) {
					s := newSite(t, observed, change, mode, func(s *site) { s.opts.PublicURL = "https://shop.example" })
					var o observer
					s.serve(s.request.WithContext(observe.With(s.request.Context(), o.observe)))
					if len(o.events) != 1 || o.events[0] != s.event() {
						t.Fatalf("told %+v, want %+v", o.events, s.event())
					}
					e := o.events[0]
					if !e.ReceivedAt.Equal(start) || e.PublicURL != "https://shop.example" || e.Verified != (e.KeyLabel != "") || e.Total <= 0 {
						t.Errorf("event %+v", e)
					}
				})
			}
		}
	})

	t.Run("it needs no Observe", func(t *testing.T) {
		for name, change := range map[string]func(*site){"handled": func(*site) {}, "refused on the head": unsigned, "refused behind the body": func(s *site) {
			s.request = stripetest.NewRequest(hookURL, start, eventBody("evt_1"), otherSecret)
		}} {
			t.Run(name, func(t *testing.T) {
				s := newSite(t, change)
				var o observer
				s.serve(s.request.WithContext(observe.With(context.Background(), o.observe)))
				if len(o.events) != 1 || len(o.events[0].CorrelationID) != 16 || o.events[0].Total <= 0 || o.events[0].Verified != (name == "handled") {
					t.Errorf("told %+v", o.events)
				}
			})
		}
	})

	t.Run("several are told from the inside", func(t *testing.T) {
		s := newSite(t)
		inner, err := middleware.New("inner", s.verifier, replay.NewMemory(&replay.MemoryOptions{Now: s.clock.Now}), &s.opts)
		if err != nil {
			t.Fatal(err)
		}
		s.handle = inner.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP
		var told []string
		telling := func(name string) func(context.Context, middleware.Report) {
			return func(_ context.Context, e middleware.Report) { told = append(told, name+" of "+e.Endpoint) }
		}
		ctx := observe.With(context.Background(), telling("first"))
		ctx = observe.With(ctx, telling("second"))
		s.serve(s.request.WithContext(ctx))
		if got, want := fmt.Sprint(told), "[second of inner first of inner second of test first of test]"; got != want {
			t.Errorf("told %s, want %s", got, want)
		}
	})

	t.Run("it is told before Observe panics", func(t *testing.T) {
		s := newSite(t, func(s *site) {
			s.opts.Observe = func(context.Context, middleware.Report) { panic("boom") }
		})
		var o observer
		defer func() {
			if v := recover(); v != "boom" || len(o.events) != 1 {
				t.Errorf("it panicked with %v after %+v", v, o.events)
			}
		}()
		s.serve(s.request.WithContext(observe.With(context.Background(), o.observe)))
	})

	t.Run("a context without an observer is no context for one", func(t *testing.T) {
		defer func() {
			if recover() == nil {
				t.Error("it did not panic")
			}
		}()
		observe.With(context.Background(), nil)
	})
}

// lines collects what is logged.
type lines struct {
	slog.Handler
	records []slog.Record
}

func (l *lines) Enabled(context.Context, slog.Level) bool { return true }

func (l *lines) Handle(_ context.Context, r slog.Record) error {
	l.records = append(l.records, r)
	return nil
}

func attrs(r slog.Record) map[string]string {
	m := make(map[string]string)
	r.Attrs(func(a slog.Attr) bool {
		m[a.Key] = a.Value.String()
		return true
	})
	return m
}

func TestLogObserver(t *testing.T) {
	t.Run("it says what happened", func(t *testing.T) {
		down := errors.New("down")
		for _, c := range []struct {
			event middleware.Report
			level slog.Level
			text  string
			attrs map[string]string
		}{
			{middleware.Report{Outcome: middleware.Handled, Scope: "acme", KeyLabel: "2026"}, slog.LevelDebug, "webhook handled",
				map[string]string{"scope": "acme", "key": "2026", "reason": "", "status": ""}},
			{middleware.Report{Outcome: middleware.Refused, Reason: verify.ErrMismatch, Status: 401}, slog.LevelWarn, "webhook refused",
				map[string]string{"reason": "mismatch", "status": "401"}},
			{middleware.Report{Outcome: middleware.Acknowledged, Reason: verify.ErrReplayed, Status: 200}, slog.LevelWarn, "webhook acknowledged",
				map[string]string{"reason": "replayed", "status": "200"}},
			{middleware.Report{Outcome: middleware.Refused, Reason: verify.ErrUnavailable, Err: down}, slog.LevelError, "webhook refused",
				map[string]string{"reason": "unavailable", "error": "down"}},
			{middleware.Report{}, slog.LevelError, "webhook invalid", nil},
			{middleware.Report{Outcome: middleware.Failed}, slog.LevelError, "webhook failed", map[string]string{"error": ""}},
			{middleware.Report{Outcome: middleware.CommitFailed, Err: down}, slog.LevelError, "webhook commit_failed", map[string]string{"error": "down"}},
			{middleware.Report{Outcome: middleware.Lost, Err: replay.ErrLost}, slog.LevelError, "webhook lost", nil},
			{middleware.Report{Outcome: middleware.Handled, ReportOnly: true}, slog.LevelDebug, "webhook handled",
				map[string]string{"report_only": "true", "failed_open": "", "no_read_deadline": ""}},
			{middleware.Report{Outcome: middleware.Handled, FailedOpen: true, Err: down}, slog.LevelError, "webhook handled",
				map[string]string{"failed_open": "true", "error": "down"}},
			{middleware.Report{Outcome: middleware.Handled, NoReadDeadline: true}, slog.LevelWarn, "webhook handled",
				map[string]string{"no_read_deadline": "true"}},
			{middleware.Report{Outcome: middleware.Failed, Err: errors.New(strings.Repeat("x", 10_000))}, slog.LevelError, "webhook failed",
				map[string]string{"error": strings.Repeat("x", 512)}},
		} {
			l := new(lines)
			c.event.Endpoint, c.event.Provider, c.event.CorrelationID = "billing", "stripe", "0123456789abcdef"
			middleware.LogObserver(slog.New(l))(t.Context(), c.event)
			if len(l.records) != 1 || l.records[0].Level != c.level || l.records[0].Message != c.text {
				t.Fatalf("%v: logged %+v", c.event.Outcome, l.records)
			}
			got := attrs(l.records[0])
			if got["endpoint"] != "billing" || got["provider"] != "stripe" || got["correlation_id"] != "0123456789abcdef" {
				t.Errorf("%v: %v", c.event.Outcome, got)
			}
			for name, value := range c.attrs {
				if got[name] != value {
					t.Errorf("%v: %s is %q, want %q", c.event.Outcome, name, got[name], value)
				}
			}
		}
		if got := middleware.Outcome(0).String(); got != "invalid" {
			t.Errorf("the zero outcome is %q", got)
		}
	})

	t.Run("it counts what it leaves out", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l := new(lines)
			log := middleware.LogObserver(slog.New(l))
			refuse := func(n int) []slog.Record {
				before := len(l.records)
				for range n {
					log(t.Context(), middleware.Report{Outcome: middleware.Refused, Reason: verify.ErrMismatch})
				}
				return l.records[before:]
			}
			if got := refuse(1000); len(got) != 20 {
				t.Errorf("%d of a burst are logged, want 20", len(got))
			}
			// What anyone can cause must not hide what nobody should cause.
			for _, o := range []middleware.Outcome{middleware.Failed, middleware.CommitFailed, middleware.Lost, middleware.Handled} {
				before := len(l.records)
				log(t.Context(), middleware.Report{Outcome: o})
				if len(l.records) != before+1 {
					t.Errorf("%v is not logged during a flood", o)
				}
			}
			// Nor what takes a genuine delivery, or a failure of one's own.
			for _, reason := range []verify.Reason{verify.ErrUnavailable, verify.ErrForged, verify.ErrReplayed, verify.ErrInFlight} {
				before := len(l.records)
				log(t.Context(), middleware.Report{Outcome: middleware.Refused, Reason: reason})
				if len(l.records) != before+1 {
					t.Errorf("%v is not logged during a flood", reason)
				}
			}
			// Nor what is reported only once.
			before := len(l.records)
			log(t.Context(), middleware.Report{Outcome: middleware.Refused, Reason: verify.ErrMismatch, NoReadDeadline: true})
			if len(l.records) != before+1 {
				t.Error("hidden read deadlines are not logged during a flood")
			}
			time.Sleep(time.Second)
			got := refuse(10)
			if len(got) != 5 {
				t.Fatalf("%d a second are logged, want 5", len(got))
			}
			if n := attrs(got[0])["refusals_not_logged"]; n != "980" {
				t.Errorf("%q were left out, want 980", n)
			}
			if n := attrs(got[1])["refusals_not_logged"]; n != "" {
				t.Errorf("%q were left out in between", n)
			}
			time.Sleep(time.Hour)
			if got := refuse(100); len(got) != 20 || attrs(got[0])["refusals_not_logged"] != "5" {
				t.Errorf("%d of a later burst are logged, the first of them %v", len(got), attrs(got[0]))
			}
		})
	})

	t.Run("it is safe for concurrent use", func(t *testing.T) {
		log := middleware.LogObserver(slog.New(slog.NewTextHandler(io.Discard, nil)))
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				for range 100 {
					log(t.Context(), middleware.Report{Outcome: middleware.Refused})
				}
			})
		}
		group.Wait()
	})

	t.Run("without a logger the default is used", func(t *testing.T) {
		before := slog.Default()
		defer slog.SetDefault(before)
		log := middleware.LogObserver(nil) // before the default is set
		l := new(lines)
		slog.SetDefault(slog.New(l))
		log(t.Context(), middleware.Report{Outcome: middleware.Failed})
		h := middleware.Protect(newSite(t).verifier)(http.NotFoundHandler())
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/", nil))
		if len(l.records) != 2 || attrs(l.records[1])["reason"] != "unsigned" {
			t.Errorf("logged %+v", l.records)
		}
	})
}
