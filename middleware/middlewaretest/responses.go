package middlewaretest

import (
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/hold"
	"github.com/hooknotary/hooknotary/middleware/record"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/capture"
	"github.com/hooknotary/hooknotary/verify/replay"
)

// recovering is a middleware that answers a panic with the status.
func recovering(status int) func(Exchange) error {
	return func(e Exchange) error {
		defer func() {
			if recover() != nil {
				respond(e, status, "sorry")
			}
		}()
		return e.Next()
	}
}

// successes: an event is committed before its response leaves, and does not run again.
func successes(x *suite) {
	for _, c := range []struct {
		name   string
		handle func(Exchange) error
		want   []string
	}{
		{"without a word", func(Exchange) error { return nil }, []string{"commit", "commit, status 200"}},
		{"with 204", responding(204, ""), []string{"commit, status 204"}},
		{"with a body", responding(201, "ok"), []string{"commit, status 201, body ok"}},
		{"with a body alone", func(e Exchange) error {
			io.WriteString(e.Writer(), "ok")
			return nil
		}, []string{"commit, status 200, body ok"}},
		{"with a flush", func(e Exchange) error {
			respond(e, 200, "o")
			if err := http.NewResponseController(e.Writer()).Flush(); err != nil {
				x.Errorf("Flush: %v", err)
			}
			io.WriteString(e.Writer(), "k")
			return nil
		}, []string{"commit, status 200, body ok"}},
		{"with a second success, which is ignored", func(e Exchange) error {
			respond(e, 201, "ok")
			e.Writer().WriteHeader(202)
			return nil
		}, []string{"commit, status 201, body ok"}},
	} {
		x.run(c.name, func(x *suite) {
			s := newSite(x, handling(c.handle))
			got := s.journaled()
			if got.String() != c.want[0] && got.String() != c.want[len(c.want)-1] {
				x.Errorf("did %q, want %q", got, c.want[0])
			}
			if got.header.Get("X-Outer") != "1" {
				x.Errorf("headers %v", got.header)
			}
			if r := s.report(); r.Outcome != middleware.Handled || r.Status != 0 || r.Err != nil {
				x.Errorf("report %+v", r)
			}
			s.wantSettled(1, 0)
			want(x, s.serve(again(x, s.request)), 409)
			s.wantRuns(1)
		})
	}
}

// heldBack: nothing reaches the sender before the event is committed.
func heldBack(x *suite) {
	for _, c := range []struct {
		name   string
		handle func(Exchange) error
	}{
		{"that is empty", func(Exchange) error { return nil }},
		{"that is flushed", func(e Exchange) error {
			respond(e, 200, "ok")
			return http.NewResponseController(e.Writer()).Flush()
		}},
		{"that is long", func(e Exchange) error { respond(e, 200, strings.Repeat("x", 64<<10)); return nil }},
	} {
		x.run(c.name, func(x *suite) {
			entered, leave := make(chan struct{}), make(chan struct{})
			s := newSite(x, handling(c.handle))
			s.store.commit = func() error {
				close(entered)
				<-leave
				return nil
			}
			conn := dial(x, listen(x, s))
			conn.sendAll(s.request)
			await(x, entered, "the commit")
			conn.silent()
			close(leave)
			if response, _ := conn.response(); response.StatusCode != 200 {
				x.Errorf("status %d", response.StatusCode)
			}
		})
	}
}

// wantFailure serves the request of s and checks that it was released, and then
// answered.
func (s *site) wantFailure(response string) {
	s.x.Helper()
	got := s.journaled()
	if got.String() != response {
		s.x.Errorf("did %q, want %q", got, response)
	}
	if got.header.Get("X-Outer") != "1" {
		s.x.Errorf("headers %v", got.header)
	}
	if strings.Contains(response, "500") && got.header.Get("Upgrade") != "" {
		s.x.Errorf("headers %v", got.header)
	}
	s.wantFailed()
}

// wantFailed checks that the event failed and may run again.
func (s *site) wantFailed() {
	s.x.Helper()
	s.wantSettled(0, 1)
	if r := s.report(); r.Outcome != middleware.Failed || r.Err != nil || r.Status != 0 {
		s.x.Errorf("report %+v", r)
	}
	s.wantRetry()
}

// failures: whatever is none of 2xx is released, leaves as it is, and its retry runs.
func failures(x *suite) {
	for _, c := range []struct {
		name     string
		handle   func(Exchange) error
		response string
	}{
		{"500", responding(500, ""), "release, status 500"},
		{"400 with a body", responding(400, "no"), "release, status 400, body no"},
		{"599 with a body", responding(599, "no"), "release, status 599, body no"},
		{"300", responding(300, ""), "release, status 300"},
		{"a redirect", responding(302, ""), "release, status 302"},
		{"304", responding(304, ""), "release, status 304"},
		{"503 before a success", func(e Exchange) error {
			respond(e, 503, "no")
			e.Writer().WriteHeader(200)
			return nil
		}, "release, status 503, body no"},
		{"an upgrade", func(e Exchange) error {
			e.Writer().Header().Set("Upgrade", "websocket")
			e.Writer().WriteHeader(http.StatusSwitchingProtocols)
			return nil
		}, "release, status 500"},
	} {
		x.run(c.name, func(x *suite) { newSite(x, handling(c.handle)).wantFailure(c.response) })
	}
}

// lateFailures: a status other than 2xx after a 2xx takes its place.
func lateFailures(x *suite) {
	for _, c := range []struct {
		name     string
		change   func(*site)
		response string
	}{
		{"an error status", handling(done(func() error { return nil })), "release, status 502"},
		{"that a middleware inside writes", func(s *site) {
			handling(done(func() error { panic("boom") }))(s)
			within(recovering(503))(s)
		}, "release, status 503, body sorry"},
	} {
		x.run(c.name, func(x *suite) {
			s := newSite(x, c.change)
			if s.inside == nil {
				handle := s.handle
				s.handle = func(e Exchange) error {
					err := handle(e)
					e.Writer().WriteHeader(502)
					return err
				}
			}
			got := s.journaled()
			if got.String() != c.response || got.header.Get("Set-Cookie") != "" {
				x.Errorf("did %q with %v, want %q", got, got.header, c.response)
			}
			s.inside = nil
			s.wantSettled(0, 1)
		})
	}
}

// handlerErrors: an error of the handler is a failure, whatever was written before, and
// the framework answers it as if nothing had been.
func handlerErrors(x *suite) {
	if x.adapter.ErrorStatus == 0 {
		x.Fatal("Adapter.ErrorStatus is zero: say why in Adapter.Cannot[\"an error\"]")
	}
	for _, c := range []struct {
		name   string
		handle func(Exchange) error
	}{
		{"alone", func(Exchange) error { return errFailed }},
		{"after a success", done(func() error { return errFailed })},
		{"after a success that was flushed", func(e Exchange) error {
			return done(func() error {
				http.NewResponseController(e.Writer()).Flush()
				return errFailed
			})(e)
		}},
	} {
		x.run(c.name, func(x *suite) {
			s := newSite(x, handling(c.handle))
			got := s.journaled()
			if got.String() != x.errorAnswer() {
				x.Errorf("did %q, want %q", got, x.errorAnswer())
			}
			if got.header.Get("Set-Cookie") != "" || got.header.Get("X-Outer") != "1" {
				x.Errorf("headers %v", got.header)
			}
			s.wantFailed()
		})
	}
	x.run("of a middleware inside", func(x *suite) {
		failing := true
		s := newSite(x, handling(responding(200, "done")), within(func(e Exchange) error {
			if err := e.Next(); err != nil || !failing {
				return err
			}
			return errFailed
		}))
		if got := s.journaled(); got.String() != x.errorAnswer() {
			x.Errorf("did %q, want %q", got, x.errorAnswer())
		}
		failing = false
		s.wantFailed()
	})
	x.run("behind two guards", func(x *suite) {
		outer := newSite(x)
		inner := newSite(x, func(s *site) { s.outside = []Link{{Guard: outer.guard}} }, handling(done(func() error { return errFailed })))
		got := inner.serve(inner.request)
		if got.Code != x.adapter.ErrorStatus || got.Body.String() != x.adapter.ErrorBody {
			x.Errorf("status %d, body %q", got.Code, got.Body)
		}
		inner.wantSettled(0, 1)
		outer.wantSettled(0, 1)
	})
}

// panics: a panic passes unchanged, nothing is answered, and the event is released.
func panics(x *suite) {
	type pointer struct{ n int }
	value := &pointer{7}
	for _, c := range []struct {
		name   string
		handle func(Exchange) error
		end    ending
	}{
		{"of a string", func(Exchange) error { panic("boom") }, ending{"boom", false}},
		{"of a pointer", func(Exchange) error { panic(value) }, ending{value, false}},
		{"of ErrAbortHandler", func(Exchange) error { panic(http.ErrAbortHandler) }, ending{http.ErrAbortHandler, false}},
		{"after a success", done(func() error { panic("boom") }), ending{"boom", false}},
		{"after a success that was flushed", func(e Exchange) error {
			return done(func() error {
				http.NewResponseController(e.Writer()).Flush()
				panic("boom")
			})(e)
		}, ending{"boom", false}},
		{"that is Goexit after a success", done(func() error { runtime.Goexit(); return nil }), ending{nil, true}},
	} {
		x.run(c.name, func(x *suite) {
			s := newSite(x, handling(c.handle))
			w := newJournal()
			if end := serveAlone(s, w, again(x, s.request)); end != c.end {
				x.Errorf("ended with %+v, want %+v", end, c.end)
			}
			if w.String() != "" || w.header.Get("Set-Cookie") != "" {
				x.Errorf("answered %q with %v", w, w.header)
			}
			s.wantFailed()
		})
	}
}

// socketPanics: the sender gets no response, and its retry runs.
func socketPanics(x *suite) {
	for _, c := range []struct {
		name   string
		handle func(Exchange) error
	}{
		{"of a string", done(func() error { panic("boom") })},
		{"of ErrAbortHandler", done(func() error { panic(http.ErrAbortHandler) })},
		{"that is Goexit", done(func() error { runtime.Goexit(); return nil })},
	} {
		x.run(c.name, func(x *suite) {
			s := newSite(x)
			s.handle = func(e Exchange) error {
				if s.runs.Load() == 1 {
					return c.handle(e)
				}
				return nil
			}
			server := listen(x, s)
			conn := dial(x, server)
			conn.sendAll(s.request)
			if got, _ := io.ReadAll(conn.reader); len(got) > 0 {
				x.Errorf("answered %q", got)
			}
			conn = dial(x, server)
			conn.sendAll(s.request)
			if response, _ := conn.response(); response.StatusCode != 200 || response.Header.Get("Webhook-Duplicate") != "" {
				x.Errorf("the next one gets status %d, %v", response.StatusCode, response.Header)
			}
			s.wantRuns(2)
		})
	}
}

// recoveredOutside: a recoverer outside answers, and nothing of the handler's response
// leaves with that.
func recoveredOutside(x *suite) {
	for _, c := range []struct {
		name   string
		handle func(Exchange) error
	}{
		{"alone", func(Exchange) error { panic("boom") }},
		{"after a success", done(func() error { panic("boom") })},
	} {
		x.run(c.name, func(x *suite) {
			s := newSite(x, around(recovering(503)), handling(c.handle))
			got := s.journaled()
			if got.String() != "release, status 503, body sorry" || got.header.Get("Set-Cookie") != "" || got.header.Get("X-Outer") != "1" {
				x.Errorf("did %q with %v", got, got.header)
			}
			s.wantFailed()
		})
	}
}

// soothedOutside: a recoverer that responds with 200 makes no success of an event that was
// released.
func soothedOutside(x *suite) {
	s := newSite(x, around(recovering(200)), handling(done(func() error { panic("boom") })))
	if w := s.serve(again(x, s.request)); w.Code/100 == 2 {
		x.Errorf("status %d for an event that was released: after a panic, leave a writer outside that makes 500 of a 2xx, or say why in Adapter.Cannot[\"a panic that is recovered outside with a success\"]", w.Code)
	}
	s.wantFailed()
}

// recoveredInside: what a recoverer inside answers counts as the handler's.
func recoveredInside(x *suite) {
	for _, c := range []struct {
		name    string
		status  int
		commits int64
	}{{"with 503", 503, 0}, {"with 200", 200, 1}} {
		x.run(c.name, func(x *suite) {
			s := newSite(x, within(recovering(c.status)), handling(func(Exchange) error { panic("boom") }))
			w := s.serve(s.request)
			want(x, w, c.status)
			if w.Body.String() != "sorry" {
				x.Errorf("body %q", w.Body)
			}
			s.wantSettled(c.commits, 1-c.commits)
		})
	}
}

// keptClaims: a handler that fails, and may have acted all the same, keeps its claim
// until the lease is over. One that succeeds is done as ever.
func keptClaims(x *suite) {
	keep := func(e Exchange) { middleware.KeepClaim(e.Request().Context()) }
	for _, c := range []struct {
		name   string
		handle func(Exchange) error
		kept   bool
		retry  int   // its status at once; after the lease it is 200
		runs   int64 // in the end
	}{
		{"by a failure", func(e Exchange) error { keep(e); respond(e, 504, ""); return nil }, true, 409, 2},
		{"by an error", func(e Exchange) error { keep(e); return errFailed }, true, 409, 2},
		{"by a panic", func(e Exchange) error { keep(e); panic("boom") }, true, 409, 2},
		{"by a panic after a success", func(e Exchange) error {
			respond(e, 200, "done")
			keep(e)
			panic("boom")
		}, true, 409, 2},
		{"by Goexit", func(e Exchange) error { keep(e); runtime.Goexit(); return nil }, true, 409, 2},
		{"from another goroutine", func(e Exchange) error {
			kept := make(chan struct{})
			go func() { keep(e); close(kept) }()
			<-kept
			respond(e, 504, "")
			return nil
		}, true, 409, 2},
		{"in vain, by a success", func(e Exchange) error { keep(e); respond(e, 200, ""); return nil }, false, 200, 1},
		{"by nobody, and its twin is released", func(e Exchange) error { respond(e, 504, ""); return nil }, false, 200, 2},
	} {
		if c.name == "by an error" && x.adapter.ErrorStatus == 0 {
			continue
		}
		x.run(c.name, func(x *suite) {
			var passed time.Duration
			s := newSite(x, func(s *site) {
				s.store.Store = replay.NewMemory(&replay.MemoryOptions{Now: func() time.Time { return start.Add(passed) }})
			})
			s.handle = func(e Exchange) error {
				if s.runs.Load() > 1 {
					return nil
				}
				return c.handle(e)
			}
			serveAlone(s, httptest.NewRecorder(), again(x, s.request))
			r := s.report()
			if r.ClaimKept != c.kept || c.kept && r.Outcome != middleware.Failed {
				x.Errorf("the outcome is %v, ClaimKept %v, want %v", r.Outcome, r.ClaimKept, c.kept)
			}
			if n := s.store.releases.Load(); c.kept && n != 0 {
				x.Errorf("%d releases", n)
			}
			wait := ""
			if c.retry == 409 {
				wait = "30"
			}
			want(x, s.serve(s.resigned(time.Second)), c.retry, "Retry-After", wait)
			passed = 31 * time.Second
			want(x, s.serve(s.resigned(2*time.Second)), 200)
			s.wantRuns(c.runs)
		})
	}
}

// lostClaims: a response whose claim somebody else has is thrown away.
func lostClaims(x *suite) {
	for _, c := range []struct {
		name    string
		commit  error
		status  int
		body    string
		headers []string
	}{
		{"is answered in place of the handler", replay.ErrLost, 409, problem(409), []string{"Set-Cookie", "", "Retry-After", "30", "Content-Type", "application/problem+json"}},
		{"and its twin is not", nil, 200, "done", []string{"Set-Cookie", "handler=1", "Retry-After", ""}},
	} {
		x.run(c.name, func(x *suite) {
			s := newSite(x, handling(done(func() error { return nil })))
			s.store.commit = func() error { return c.commit }
			w := s.serve(s.request)
			want(x, w, c.status, c.headers...)
			if w.Body.String() != c.body {
				x.Errorf("body %q, want %q", w.Body, c.body)
			}
		})
	}
}

// heldInVain is the remedy for an adapter that holds a response that must leave.
const heldInVain = "a guard that only reports must not hold the response: see Admission.ReportOnly and hold.Watch"

// reportOnly: the handler runs whatever the verdict is, with the request as it came,
// and its response leaves.
func reportOnly(x *suite) {
	only := func(s *site) { s.opts.InsecureReportOnly = true }
	body := string(eventBody("evt_1"))
	for _, c := range []struct {
		name     string
		change   func(*site)
		verified bool
		body     string
		err      error
		reason   verify.Reason
	}{
		{"on what is genuine", func(*site) {}, true, body, nil, 0},
		{"on what is unsigned", unsigned, false, body, nil, verify.ErrUnsigned},
		{"on what is forged", forged, false, body, nil, verify.ErrMismatch},
		{"on what is too large", func(s *site) { s.opts.MaxBody, s.request.ContentLength = 10, -1 }, false, body, nil, verify.ErrTooLarge},
		{"on what is broken off", func(s *site) {
			setBody(s.request, broken{strings.NewReader("part"), io.ErrUnexpectedEOF})
		}, false, "part", io.ErrUnexpectedEOF, verify.ErrBody},
		{"where the store is down", outcome(replay.Outcome{}, errFailed), false, body, nil, verify.ErrUnavailable},
	} {
		x.run(c.name, func(x *suite) {
			s := newSite(x, c.change, only, handling(func(e Exchange) error {
				if d, ok := verify.FromContext(e.Request().Context()); ok != c.verified || (d != nil) != c.verified {
					x.Errorf("verified %v, want %v", ok, c.verified)
				}
				b, err := io.ReadAll(e.Request().Body)
				if string(b) != c.body || err != c.err {
					x.Errorf("body %q, %v; want %q, %v", b, err, c.body, c.err)
				}
				respond(e, 202, "handled")
				return http.NewResponseController(e.Writer()).Flush()
			}))
			w := s.serve(s.request)
			want(x, w, 202)
			if w.Body.String() != "handled" || !w.Flushed {
				x.Errorf("body %q, flushed %v: "+heldInVain, w.Body, w.Flushed)
			}
			s.wantRuns(1)
			outcome := middleware.Refused
			if c.verified {
				outcome = middleware.Handled
			}
			if r := s.report(); r.Outcome != outcome || r.Reason != c.reason || !r.ReportOnly || r.Status != 0 {
				x.Errorf("report %+v", r)
			}
		})
	}
	for _, c := range []struct {
		name   string
		handle func(Exchange) error
		status int
	}{
		{"on a failure", responding(502, "no"), 502},
		{"on an error", func(Exchange) error { return errFailed }, 0}, // the framework answers it, or nobody
		{"on an error after a success", done(func() error { return errFailed }), 200},
		{"on a panic", func(Exchange) error { panic("boom") }, 0},
	} {
		panics := strings.Contains(c.name, "panic")
		if strings.Contains(c.name, "error") && x.adapter.ErrorStatus == 0 {
			continue
		}
		x.run(c.name, func(x *suite) {
			s := newSite(x, only, handling(c.handle))
			w := httptest.NewRecorder()
			end := serveAlone(s, w, s.request)
			if c.status != 0 {
				want(x, w, c.status)
			}
			if panicked := end.panicked == "boom"; panicked != panics {
				x.Errorf("ended with %+v", end)
			}
			s.wantSettled(0, 1)
			if r := s.report(); r.Outcome != middleware.Failed {
				x.Errorf("report %+v", r)
			}
		})
	}
	x.run("on a claim that is lost", func(x *suite) {
		s := newSite(x, only, handling(responding(201, "ok")))
		s.store.commit = func() error { return replay.ErrLost }
		want(x, s.serve(s.request), 201)
		if r := s.report(); r.Outcome != middleware.Lost || r.Status != 0 {
			x.Errorf("report %+v", r)
		}
	})
}

// reportOnlyStreams: nothing is held back.
func reportOnlyStreams(x *suite) {
	received := make(chan struct{})
	s := newSite(x, func(s *site) { s.opts.InsecureReportOnly = true }, handling(func(e Exchange) error {
		respond(e, 200, "part")
		if err := http.NewResponseController(e.Writer()).Flush(); err != nil {
			x.Error(err)
		}
		await(x, received, "the client to receive a part: "+heldInVain)
		return nil
	}))
	r := again(x, s.request)
	r.URL.Host = listen(x, s).Listener.Addr().String()
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		x.Fatal(err)
	}
	defer response.Body.Close()
	var part [4]byte
	if _, err := io.ReadFull(response.Body, part[:]); err != nil || string(part[:]) != "part" {
		x.Errorf("part %q, %v", part, err)
	}
	close(received)
	s.report()
}

// handlerHints: informational statuses of the handler stay inside, and the final one
// counts.
func handlerHints(x *suite) {
	for _, c := range []struct {
		name    string
		status  int
		commits int64
	}{{"before a success", 202, 1}, {"before a failure", 503, 0}} {
		x.run(c.name, func(x *suite) {
			overBoth(x, func(x *suite, deliver func(http.Handler, *http.Request) delivered) {
				s := newSite(x, handling(func(e Exchange) error {
					e.Writer().WriteHeader(http.StatusEarlyHints)
					e.Writer().Header().Set("X-Handler", "1")
					respond(e, c.status, "final")
					return nil
				}))
				got := deliver(s, s.request)
				if got.status != c.status || got.body != "final" || got.header.Get("X-Handler") != "1" {
					x.Errorf("status %d, body %q, headers %v", got.status, got.body, got.header)
				}
				wantOnlyGoAhead(x, got)
				s.wantSettled(c.commits, 1-c.commits)
			})
		})
	}
}

func wantOnlyGoAhead(x *suite, got delivered) {
	x.Helper()
	for _, code := range got.informed {
		if code != http.StatusContinue { // the server's own, for the body
			x.Errorf("status %d reached the sender", code)
		}
	}
}

// proxies: the final status of the upstream decides, whatever comes before it, and
// nobody asks it for a go-ahead.
func proxies(x *suite) {
	for _, c := range []struct {
		name                  string
		informational, status int
		upgrade               bool
		want                  int
	}{
		{"to an upstream that fails", 0, 500, false, 500},
		{"to an upstream that fails after a go-ahead", 100, 500, false, 500},
		{"to an upstream that fails after early hints", 103, 500, false, 500},
		{"to an upstream that succeeds", 0, 202, false, 202},
		{"to an upstream that succeeds after a go-ahead", 100, 202, false, 202},
		{"to an upstream that succeeds after early hints", 103, 202, false, 202},
		{"to an upstream that upgrades", 0, 101, true, 502},
	} {
		x.run(c.name, func(x *suite) {
			overBoth(x, func(x *suite, deliver func(http.Handler, *http.Request) delivered) {
				upstream := listen(x, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if _, ok := r.Header["Expect"]; ok {
						x.Error("the upstream is asked for a go-ahead")
					}
					if c.upgrade {
						w.Header().Set("Connection", "Upgrade")
						w.Header().Set("Upgrade", "websocket")
						w.WriteHeader(c.status)
						return
					}
					if c.informational != 0 {
						w.WriteHeader(c.informational)
					}
					io.Copy(io.Discard, r.Body)
					w.WriteHeader(c.status)
					io.WriteString(w, "upstream")
				}))
				target, err := url.Parse(upstream.URL)
				if err != nil {
					x.Fatal(err)
				}
				proxy := httputil.NewSingleHostReverseProxy(target)
				proxy.ErrorLog = log.New(io.Discard, "", 0)
				s := newSite(x, handling(func(e Exchange) error {
					proxy.ServeHTTP(e.Writer(), e.Request())
					return nil
				}))
				if c.upgrade && strings.HasSuffix(x.name, "HTTP/1.1") { // HTTP/2 has no upgrades
					s.request.Header.Set("Upgrade", "websocket")
				}
				got := deliver(s, s.request)
				if got.status != c.want || !c.upgrade && got.body != "upstream" {
					x.Errorf("status %d, body %q; want %d", got.status, got.body, c.want)
				}
				wantOnlyGoAhead(x, got)
				s.wantSettled(count(c.want == 202), count(c.want != 202))
			})
		})
	}
}

// longResponses: up to 1 MiB is held, and beyond that the handler gets an error.
func longResponses(x *suite) {
	const mib = 1 << 20
	for _, c := range []struct {
		name   string
		length int
		err    error
		left   int
	}{
		{"of 1 MiB leaves", mib, nil, mib},
		{"of a byte more leaves without its body", mib + 1, hold.ErrResponseTooLarge, 0},
	} {
		x.run(c.name, func(x *suite) {
			s := newSite(x, handling(func(e Exchange) error {
				e.Writer().Header().Set("X-Handler", "1")
				e.Writer().WriteHeader(201)
				if _, err := e.Writer().Write(make([]byte, mib)); err != nil {
					x.Error(err)
				}
				if c.length > mib {
					if _, err := e.Writer().Write(make([]byte, c.length-mib)); !errors.Is(err, c.err) {
						x.Errorf("error %v, want %v", err, c.err)
					}
				}
				return nil
			}))
			w := s.serve(s.request)
			want(x, w, 201, "X-Handler", "1")
			if w.Body.Len() != c.left {
				x.Errorf("%d bytes, want %d", w.Body.Len(), c.left)
			}
			s.wantSettled(1, 0)
		})
	}
}

// trailers: they arrive, and are no headers.
func trailers(x *suite) {
	s := newSite(x, handling(func(e Exchange) error {
		e.Writer().Header().Set("Trailer", "X-Sum")
		respond(e, 200, "body")
		e.Writer().Header().Set("X-Sum", "42")
		e.Writer().Header().Set("X-Late", "no")
		return nil
	}))
	conn := dial(x, listen(x, s))
	conn.sendAll(s.request)
	response, body := conn.response()
	if body != "body" || response.Trailer.Get("X-Sum") != "42" || len(response.Trailer) != 1 {
		x.Errorf("body %q, trailers %v", body, response.Trailer)
	}
	if response.Header.Get("X-Sum") != "" || response.Header.Get("X-Late") != "" {
		x.Errorf("headers %v", response.Header)
	}
}

// writerMeans: no handler takes the connection over, and deadlines can be set.
func writerMeans(x *suite) {
	s := newSite(x, handling(func(e Exchange) error {
		controller := http.NewResponseController(e.Writer())
		if _, _, err := controller.Hijack(); !errors.Is(err, http.ErrNotSupported) {
			x.Errorf("Hijack: %v", err)
		}
		if h, ok := e.Writer().(http.Hijacker); ok {
			if _, _, err := h.Hijack(); !errors.Is(err, http.ErrNotSupported) {
				x.Errorf("Hijack: %v", err)
			}
		}
		if err := controller.Flush(); err != nil {
			x.Errorf("Flush: %v", err)
		}
		if err := controller.SetReadDeadline(time.Time{}); err != nil {
			x.Errorf("SetReadDeadline: %v", err)
		}
		if err := controller.SetWriteDeadline(time.Time{}); err != nil {
			x.Errorf("SetWriteDeadline: %v", err)
		}
		return nil
	}))
	conn := dial(x, listen(x, s))
	conn.sendAll(s.request)
	if response, _ := conn.response(); response.StatusCode != 200 {
		x.Errorf("status %d", response.StatusCode)
	}
	s.wantRuns(1)
	if s.report().NoReadDeadline {
		x.Error("the framework hides read deadlines")
	}
}

// recorders: a recorder of net/http around the server learns what became of a request.
func recorders(x *suite) {
	for _, c := range []struct {
		name   string
		change func(*site)
		status int
		note   string
		expect string
	}{
		{"of a success", func(*site) {}, 200, "handled", capture.Accept},
		{"of a failure", handling(responding(502, "no")), 502, "failed", capture.Accept},
		{"of a panic", func(s *site) {
			handling(func(Exchange) error { panic("boom") })(s)
			around(recovering(503))(s)
		}, 503, "failed", capture.Accept},
		{"of a refusal on the head", unsigned, 401, "refused: unsigned, answered 401", "unsigned"},
		{"of a refusal behind the body", forged, 401, "refused: mismatch, answered 401", "mismatch"},
	} {
		x.run(c.name, func(x *suite) {
			dir := x.TempDir()
			recorder, err := record.New(dir, &record.Options{Kinds: record.Refused | record.Accepted})
			if err != nil {
				x.Fatal(err)
			}
			s := newSite(x, c.change)
			w := httptest.NewRecorder()
			recorder.Handler(s).ServeHTTP(w, s.request)
			want(x, w, c.status)
			if err := recorder.Close(); err != nil {
				x.Error(err)
			}
			names, err := filepath.Glob(filepath.Join(dir, "*.http"))
			if err != nil || len(names) != 1 {
				files, _ := os.ReadDir(dir)
				x.Fatalf("%d captures, want 1: %v (%v)", len(names), files, err)
			}
			all, err := capture.ReadFile(names[0])
			if err != nil {
				x.Fatal(err)
			}
			got := all[0]
			if first, _, _ := strings.Cut(got.Note, "\n"); first != c.note || got.Expect != c.expect || !got.ReceivedAt.Equal(start) {
				x.Errorf("expected %q at %v: %s", got.Expect, got.ReceivedAt, got.Note)
			}
			if whole := string(got.Body) == string(eventBody("evt_1")); whole != (c.expect != "unsigned") || whole != (got.Inexact == "") {
				x.Errorf("the body is %q, inexact %q", got.Body, got.Inexact)
			}
		})
	}
}
