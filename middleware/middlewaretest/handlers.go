package middlewaretest

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

// handlerRequests: the handler reads the bytes that were verified, as often as it
// likes, and learns what was verified of them.
func handlerRequests(x *suite) {
	body := []byte("\x00\xff{\r\n}\n")
	s := newSite(x, func(s *site) {
		s.request = s.provider.sign(start, "evt_1", body, secret)
		s.request.ContentLength = -1
		s.request.Header.Set("X-Some", "1")
	}, handling(func(e Exchange) error {
		r := e.Request()
		if r.Method != http.MethodPost || r.URL.Path != Path || r.Header.Get("X-Some") != "1" || r.ContentLength != int64(len(body)) {
			x.Errorf("%s %s with the header %v and length %d", r.Method, r.URL, r.Header, r.ContentLength)
		}
		for range 2 {
			b, err := io.ReadAll(r.Body)
			if err != nil || !bytes.Equal(b, body) {
				x.Errorf("body %q, %v", b, err)
			}
			if r.GetBody == nil {
				x.Error("the request has no GetBody")
				return nil
			}
			if r.Body, err = r.GetBody(); err != nil {
				x.Error(err)
			}
		}
		if d, ok := verify.FromContext(r.Context()); !ok || d.ID != "evt_1" || !bytes.Equal(d.Body, body) {
			x.Errorf("delivery %+v, %v", d, ok)
		}
		return nil
	}))
	want(x, s.serve(s.request), 200)
	s.wantRuns(1)
	if r := s.report(); r.Outcome != middleware.Handled || !r.Verified || r.BodyBytes != len(body) || r.KeyLabel != "1" {
		x.Errorf("report %+v", r)
	}
}

// handlerContexts: the context of the handler is the admission's, and ends with it.
func handlerContexts(x *suite) {
	type key struct{}
	for _, c := range []struct {
		name   string
		change func(*site)
	}{
		{"that succeeds", handling(responding(204, ""))},
		{"that fails", handling(responding(502, "no"))},
		{"that panics", handling(func(Exchange) error { panic("boom") })},
	} {
		x.run(c.name, func(x *suite) {
			s := newSite(x, c.change)
			handle := s.handle
			var kept context.Context
			correlation := ""
			s.handle = func(e Exchange) error {
				kept = e.Request().Context()
				correlation = middleware.CorrelationID(kept)
				if !s.guard.Admitted(kept) || kept.Value(key{}) != "outer" {
					x.Error("the context is not the admission's, or not made of the one outside")
				}
				if _, ok := replay.FromContext(kept); !ok {
					x.Error("there is no handle of the claim")
				}
				if _, ok := kept.Deadline(); !ok {
					x.Error("the context has no deadline")
				}
				if err := kept.Err(); err != nil {
					x.Errorf("the context has ended: %v", err)
				}
				return handle(e)
			}
			serveAlone(s, newJournal(), s.request.WithContext(context.WithValue(context.Background(), key{}, "outer")))
			if kept == nil {
				x.Fatal("the handler did not run")
			}
			select {
			case <-kept.Done():
			default:
				x.Error("the context outlives the request: is the admission closed?")
			}
			if s.guard.Admitted(kept) {
				x.Error("a context that outlives its request is still admitted")
			}
			if r := s.report(); r.CorrelationID != correlation {
				x.Errorf("the report has the id %q, the context %q", r.CorrelationID, correlation)
			}
		})
	}
}

// parsedBefore: what was parsed of a body before it was verified is gone.
func parsedBefore(x *suite) {
	parsed := url.Values{"amount": {"1000000"}}
	s := newSite(x, around(func(e Exchange) error {
		r := e.Request()
		r.Form, r.PostForm = parsed, parsed
		return e.Next()
	}), handling(func(e Exchange) error {
		if r := e.Request(); r.FormValue("amount") != "" || r.PostFormValue("amount") != "" {
			x.Errorf("the handler gets %q", r.FormValue("amount"))
		}
		return nil
	}))
	want(x, s.serve(s.request), 200)
	s.wantRuns(1)
}

// upgradesAsked: the handler sees nothing of what asks for an upgrade or a go-ahead, and
// what is outside sees it, unless the handler panicked: some recoverers do not answer
// then.
func upgradesAsked(x *suite) {
	for name, value := range map[string]string{"Expect": "100-continue", "Connection": "Upgrade", "Upgrade": "websocket", "X-Some": "1"} {
		x.run(name, func(x *suite) {
			s := newSite(x, handling(func(e Exchange) error {
				if _, ok := e.Request().Header[name]; ok != (name == "X-Some") {
					x.Errorf("the handler sees %v", e.Request().Header)
				}
				return nil
			}))
			s.request.Header.Set(name, value)
			want(x, s.serve(s.request), 200)
			s.wantRuns(1)
			if s.request.Header.Get(name) != value {
				x.Error("the header of the request outside was changed")
			}
		})
	}
	x.run("of a handler that panics", func(x *suite) {
		s := newSite(x, handling(func(Exchange) error { panic("boom") }))
		s.request.Header.Set("Connection", "Upgrade")
		serveAlone(s, newJournal(), s.request)
		if s.request.Header.Get("Connection") != "" {
			x.Error("the request outside still asks for an upgrade")
		}
		s.wantSettled(0, 1)
	})
}

// hangUps: the context of the handler ends with its client only if the provider
// retries.
func hangUps(x *suite) {
	for _, c := range []struct {
		name     string
		change   func(*site)
		survives bool
	}{
		{"ends the context where the provider retries", func(*site) {}, false},
		{"does not end it where the provider never retries", of(neverRetries()), true},
	} {
		x.run(c.name, func(x *suite) {
			ctx, hangUp := context.WithCancel(context.Background())
			s := newSite(x, c.change, handling(func(e Exchange) error {
				hangUp()
				if alive := e.Request().Context().Err() == nil; alive != c.survives {
					x.Errorf("alive %v, want %v", alive, c.survives)
				}
				return nil
			}))
			want(x, s.serve(s.request.WithContext(ctx)), 200)
			s.wantSettled(1, 0)
		})
		x.run(c.name+", over a socket", func(x *suite) {
			entered, over := make(chan struct{}), make(chan struct{})
			outside := make(chan context.Context, 1)
			s := newSite(x, c.change, handling(func(e Exchange) error {
				defer close(over)
				close(entered)
				gone := await(x, outside, "the context of the server")
				if gone == nil {
					return nil
				}
				await(x, gone.Done(), "the server to notice")
				if ctx := e.Request().Context(); c.survives && ctx.Err() != nil {
					x.Errorf("the context ended: %v", context.Cause(ctx))
				} else if !c.survives {
					await(x, ctx.Done(), "the end of the context")
				}
				return nil
			}))
			conn := dial(x, listen(x, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				outside <- r.Context()
				s.ServeHTTP(w, r)
			})))
			conn.sendAll(s.request)
			await(x, entered, "the handler")
			conn.conn.Close()
			await(x, over, "the end of the handler")
		})
	}
}

// detachedHandlers: a handler of a guard that detaches goes on when its sender hangs up.
// A retry is sent away meanwhile, and is a duplicate afterwards.
func detachedHandlers(x *suite) {
	entered, leave := make(chan struct{}), make(chan struct{})
	outside := make(chan context.Context, 8)
	s := newSite(x, func(s *site) { s.opts.Detach = true })
	s.handle = func(e Exchange) error {
		if s.runs.Load() > 1 {
			return nil
		}
		ctx := e.Request().Context()
		close(entered)
		await(x, leave, "the retries")
		if ctx.Err() != nil {
			x.Errorf("the context ended: %v", context.Cause(ctx))
			respond(e, 500, "")
			return nil
		}
		respond(e, 204, "")
		return nil
	}
	server := listen(x, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		outside <- r.Context()
		s.ServeHTTP(w, r)
	}))
	conn := dial(x, server)
	conn.sendAll(s.request)
	await(x, entered, "the handler")
	conn.conn.Close()
	if gone := await(x, outside, "the context of the server"); gone != nil {
		await(x, gone.Done(), "the server to notice")
	}
	want(x, s.serve(s.resigned(time.Second)), 409, "Retry-After", "30")
	close(leave)
	for limit := time.Now().Add(patience); s.store.commits.Load()+s.store.releases.Load() == 0 && time.Now().Before(limit); {
		time.Sleep(time.Millisecond)
	}
	s.wantSettled(1, 0)
	want(x, s.serve(s.resigned(time.Second)), 200, "Webhook-Duplicate", "1")
	s.wantRuns(1)
}

// shutdowns: the context of every handler ends with Options.Shutdown, and what the
// handler responds then counts.
func shutdowns(x *suite) {
	for _, c := range []struct {
		name   string
		change func(*site)
	}{
		{"ends a handler", func(*site) {}},
		{"ends a handler that is detached", func(s *site) { s.opts.Detach = true }},
		{"ends a handler for a provider that never retries", of(neverRetries())},
	} {
		x.run(c.name, func(x *suite) {
			shutdown, end := context.WithCancel(context.Background())
			defer end()
			s := newSite(x, c.change, func(s *site) { s.opts.Shutdown = shutdown })
			s.handle = func(e Exchange) error {
				ctx := e.Request().Context()
				if ctx.Err() != nil {
					x.Errorf("the context ended before: %v", context.Cause(ctx))
				}
				end()
				await(x, ctx.Done(), "the end of the context")
				respond(e, 500, "")
				return nil
			}
			want(x, s.serve(again(x, s.request)), 500)
			s.wantFailed()
		})
	}
	x.run("takes nothing from a handler that is through", func(x *suite) {
		shutdown, end := context.WithCancel(context.Background())
		s := newSite(x, func(s *site) { s.opts.Shutdown = shutdown })
		s.store.commit = func() error { end(); return nil }
		want(x, s.serve(s.request), 200)
		s.wantSettled(1, 0)
		if r := s.report(); r.Outcome != middleware.Handled || r.Err != nil {
			x.Errorf("report %+v", r)
		}
	})
}

// replacements: a handler may put another request in place and write through a wrapped
// writer, and what it answers counts all the same.
func replacements(x *suite) {
	type wrap = func(http.ResponseWriter) http.ResponseWriter
	for _, writer := range []struct {
		name string
		wrap wrap
	}{
		{"its writer as it is", nil},
		{"a writer that embeds it", func(w http.ResponseWriter) http.ResponseWriter { return &struct{ http.ResponseWriter }{w} }},
		{"a writer that unwraps", func(w http.ResponseWriter) http.ResponseWriter { return unwrapping{w} }},
	} {
		for _, request := range []struct {
			name    string
			replace func(Exchange)
		}{
			{"its request as it is", func(Exchange) {}},
			{"another body", func(e Exchange) { e.Request().Body = http.NoBody }},
			{"another context", func(e Exchange) { e.SetRequest(e.Request().WithContext(context.Background())) }},
			{"another request", func(e Exchange) { e.SetRequest(httptest.NewRequest("POST", "/", nil)) }},
		} {
			for _, c := range []struct {
				name     string
				handle   func(Exchange) error
				response string
				commits  int64
			}{
				{"a success", responding(201, "ok"), "commit, status 201, body ok", 1},
				{"a failure", responding(502, "no"), "release, status 502, body no", 0},
				{"an error", func(Exchange) error { return errFailed }, x.errorAnswer(), 0},
				{"a panic", done(func() error { panic("boom") }), "release, status 503, body sorry", 0},
			} {
				if c.name == "an error" && x.adapter.ErrorStatus == 0 {
					continue
				}
				x.run(writer.name+", "+request.name+", "+c.name, func(x *suite) {
					s := newSite(x, around(recovering(503)), within(func(e Exchange) error {
						if writer.wrap != nil {
							e.Wrap(writer.wrap)
						}
						return e.Next()
					}), handling(func(e Exchange) error {
						request.replace(e)
						return c.handle(e)
					}))
					if got := s.journaled(); got.String() != c.response {
						x.Errorf("did %q, want %q", got, c.response)
					}
					s.wantSettled(c.commits, 1-c.commits)
				})
			}
		}
	}
}

// errorAnswer is what is done for an error of the handler.
func (x *suite) errorAnswer() string {
	w := newJournal()
	w.note("release")
	w.WriteHeader(x.adapter.ErrorStatus)
	io.WriteString(w, x.adapter.ErrorBody)
	return w.String()
}

// outsideViews: a middleware outside gets its request back, and the error of the
// handler does not reach it as a success.
func outsideViews(x *suite) {
	for _, c := range []struct {
		name   string
		change func(*site)
	}{
		{"of a success", handling(responding(201, "ok"))},
		{"of a failure", handling(responding(502, "no"))},
		{"of a refusal", unsigned},
		{"of a replay", outcome(replay.Outcome{Status: replay.Done, Same: true}, nil)},
		{"of a request that the handler replaced", handling(func(e Exchange) error {
			e.SetRequest(e.Request().WithContext(context.Background()))
			return nil
		})},
	} {
		x.run(c.name, func(x *suite) {
			passed := false
			s := newSite(x, c.change, around(func(e Exchange) error {
				before := e.Request()
				err := e.Next()
				passed = true
				if e.Request() != before {
					x.Error("the request is not as it was")
				}
				if err != nil {
					x.Errorf("error %v", err)
				}
				if _, ok := verify.FromContext(e.Request().Context()); ok {
					x.Error("the delivery is left behind")
				}
				return err
			}))
			s.serve(s.request)
			if !passed {
				x.Error("the middleware outside did not come back")
			}
		})
	}
}

// recycledContexts: what outside answered without waiting, and gave its context to the
// next request. The guard touches nothing of that.
func recycledContexts(x *suite) {
	if x.adapter.Recycle == nil {
		x.Fatal("Adapter.Recycle is nil: say why in Adapter.Cannot[\"a recycled context\"]")
	}
	for _, c := range []struct {
		name   string
		handle func(Exchange) error
	}{
		{"of a handler that returns", func(Exchange) error { return nil }},
		{"of a handler that answers", responding(201, "")},
		{"of a handler that fails", func(Exchange) error { return errFailed }},
		{"of a handler that panics", func(Exchange) error { panic("boom") }},
	} {
		x.run(c.name, func(x *suite) {
			next := httptest.NewRequest("POST", "/next", nil)
			nextWriter := newJournal()
			s := newSite(x, around(func(e Exchange) error {
				func() {
					defer func() { recover() }()
					e.Next()
				}()
				if e.Request() != next {
					x.Error("the next request was taken away")
				}
				before := nextWriter.String()
				respond(e, 202, "next")
				if got := nextWriter.String(); before != "" && before != "status 201" || got != "status 202, body next" && c.name != "of a handler that answers" {
					x.Errorf("the next response was touched: first %q, at last %q", before, got)
				}
				return nil
			}), handling(func(e Exchange) error {
				x.adapter.Recycle(e, next, nextWriter)
				return c.handle(e)
			}))
			s.serve(s.request)
			s.wantSettled(0, 1)
			s.report()
		})
	}
}

// timeoutsOutside: a guard around which a timeout answers finishes what it began.
func timeoutsOutside(x *suite) {
	leave, over := make(chan struct{}), make(chan struct{})
	s := newSite(x)
	s.handle = func(Exchange) error {
		if s.runs.Load() == 1 {
			<-leave
		}
		return nil
	}
	timed := newJournal()
	entered := make(chan struct{})
	go func() {
		defer close(over)
		close(entered)
		s.ServeHTTP(timed, again(x, s.request)) // as http.TimeoutHandler lets it go on
	}()
	await(x, entered, "the first request")
	for range 2000 {
		if s.runs.Load() > 0 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	want(x, s.serve(again(x, s.request)), 409, "Retry-After", "30")
	close(leave)
	await(x, over, "the first request's end")
	want(x, s.serve(s.resigned(time.Second)), 200, "Webhook-Duplicate", "1")
	s.wantRuns(1)
}

// memory: however a request ends, the memory that its body took is given back.
func memory(x *suite) {
	for _, c := range []struct {
		name   string
		change func(*site)
	}{
		{"of a success", handling(responding(204, ""))},
		{"of a failure", handling(responding(502, "no"))},
		{"of a panic", handling(func(Exchange) error { panic("boom") })},
		{"of a refusal", forged},
		{"of a replay", outcome(replay.Outcome{Status: replay.Done, Same: true}, nil)},
	} {
		x.run(c.name, func(x *suite) {
			s := newSite(x, c.change, func(s *site) { s.opts.MaxBody, s.opts.BodyBudget, s.opts.BodyTimeout = 64, 128, 100*time.Millisecond })
			secret := secret
			if c.name == "of a refusal" {
				secret = otherSecret
			}
			for i := range 8 {
				id := "evt_" + string(rune('a'+i))
				w := httptest.NewRecorder()
				serveAlone(s, w, s.provider.sign(start, id, bytes.Repeat([]byte("x"), 60), secret))
				if w.Code == http.StatusServiceUnavailable {
					x.Fatalf("request %d found no memory", i+1)
				}
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			if len(s.reports) != 8 {
				x.Errorf("%d reports, want 8", len(s.reports))
			}
		})
	}
}
