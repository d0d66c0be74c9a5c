package ginmw_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/ginmw"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

var errFailed = errors.New("failed")

func recoverer(c *gin.Context) { gin.CustomRecoveryWithWriter(nil, nil503)(c) }

func nil503(c *gin.Context, _ any) { c.AbortWithStatus(503) }

// recovering answers panics with f.
func recovering(f gin.RecoveryFunc) gin.HandlerFunc {
	return gin.CustomRecoveryWithWriter(io.Discard, f)
}

// answering is what many programs have: it answers the errors of the context.
func answering(status int) gin.HandlerFunc {
	return func(c *gin.Context) {
		c.Next()
		if len(c.Errors) > 0 && !c.Writer.Written() {
			c.String(status, "sorry: %s", c.Errors.Last().Err)
		}
	}
}

func TestRefusal(t *testing.T) {
	outcome := func(o replay.Outcome, err error) func(*site) {
		return func(s *site) { s.store.claim = func() (replay.Outcome, error) { return o, err } }
	}
	for _, c := range []struct {
		name    string
		change  func(*site)
		status  int
		headers []string
		head    bool // refused before the body is read
		claims  int64
	}{
		{"no signature", func(s *site) { s.request.Header.Del("Stripe-Signature") }, 401, []string{"WWW-Authenticate", "Webhook-Signature"}, true, 0},
		{"another secret", func(s *site) { s.request = delivery("evt_1", otherSecret) }, 401, []string{"WWW-Authenticate", "Webhook-Signature"}, false, 0},
		{"a body that was read before", around(func(c *gin.Context) { c.ShouldBindJSON(new(struct{})) }), 400, nil, false, 0},
		{"done", outcome(replay.Outcome{Status: replay.Done, Same: true}, nil), 409, []string{"Webhook-Duplicate", ""}, false, 1},
		{"honestly repeated", outcome(replay.Outcome{Status: replay.Done}, nil), 200, []string{"Webhook-Duplicate", "1"}, false, 1},
		{"no store", outcome(replay.Outcome{}, errFailed), 503, []string{"Retry-After", "10"}, false, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, c.change, func(s *site) {
				// A middleware outside that would answer if it could.
				s.outer = append([]gin.HandlerFunc{func(c *gin.Context) {
					c.Next()
					if !c.Writer.Written() {
						t.Error("outside, the response does not count as written")
					}
				}}, s.outer...)
				if c.head {
					s.request.Body = untouchable{t}
				}
			})
			w := s.serve(s.request)
			want(t, w, c.status, c.headers...)
			body := fmt.Sprintf(`{"type":"about:blank","title":%q,"status":%d}`, http.StatusText(c.status), c.status)
			if c.status == 200 {
				body = ""
			}
			if w.Body.String() != body {
				t.Errorf("body %s", w.Body)
			}
			if s.runs.Load() != 0 || s.store.claims.Load() != c.claims {
				t.Errorf("%d runs, %d claims", s.runs.Load(), s.store.claims.Load())
			}
			if len(s.events) != 1 || s.events[0].Status != c.status {
				t.Errorf("events %+v", s.events)
			}
		})
	}
	t.Run("but not for a genuine delivery", func(t *testing.T) {
		s := newSite(t)
		want(t, s.serve(s.request), 200)
		s.wantSettled(t, 1, 0)
	})
}

func TestFailure(t *testing.T) {
	attach := func(c *gin.Context) { c.Error(errFailed) }
	okThenAttach := func(c *gin.Context) {
		c.Header("Set-Cookie", "handler=1")
		c.String(200, "done")
		c.Error(errFailed)
	}
	okThenPanic := func(c *gin.Context) {
		c.Header("Set-Cookie", "handler=1")
		c.String(200, "done")
		c.Writer.Flush()
		panic("boom")
	}
	for _, c := range []struct {
		name     string
		change   func(*site)
		handle   gin.HandlerFunc
		response string
	}{
		{"by a status that is written", func(*site) {}, func(c *gin.Context) { c.AbortWithStatus(502) }, "status 502"},
		{"by a response", func(*site) {}, func(c *gin.Context) { c.AbortWithStatusJSON(422, gin.H{"a": 1}) }, `status 422, body {"a":1}`},
		{"by an error with a status", func(*site) {}, func(c *gin.Context) { c.AbortWithError(418, errFailed) }, "status 418"},
		{"by an error that is answered outside", around(answering(503)), attach, "status 503, body sorry: failed"},
		{"by an error after a response that is answered outside", around(answering(503)), okThenAttach, "status 503, body sorry: failed"},
		{"by an error that is answered 200 outside", around(answering(200)), attach, "status 500, body sorry: failed"},
		{"by an error that is answered inside", within(answering(503)), attach, "status 503, body sorry: failed"},
		{"by an error that is answered 200 inside", within(answering(200)), attach, "status 500"},
		{"by an error of a middleware inside", within(func(c *gin.Context) { c.Next(); c.Error(errFailed) }), func(c *gin.Context) { c.Status(204) }, "status 500"},

		{"by a panic with a recovery outside", around(recoverer), func(*gin.Context) { panic("boom") }, "status 503"},
		{"by a panic after a response, with a recovery outside", around(recoverer), okThenPanic, "status 503"},
		{"by a panic with a recovery outside that says nothing", around(recovering(func(*gin.Context, any) {})), okThenPanic, "status 500"},
		{"by a panic with a recovery outside that responds with 200", around(recovering(func(c *gin.Context, _ any) { c.String(200, "fine") })), okThenPanic, "status 500, body fine"},
		{"by a status after a response", func(*site) {}, func(c *gin.Context) { c.String(201, "ok"); c.Status(500) }, "status 500"},
		{"by a response after a response", func(*site) {}, func(c *gin.Context) { c.String(201, "ok"); c.String(503, "no") }, "status 503, body no"},
		{"by an informational status that is written", func(*site) {}, func(c *gin.Context) { c.Status(103); c.Writer.WriteHeaderNow() }, "status 500"},
		{"by an informational status with a body", func(*site) {}, func(c *gin.Context) { c.Status(103); c.Writer.WriteString("hint") }, "status 500"},
		{"by an upgrade", func(*site) {}, func(c *gin.Context) { c.Status(101); c.Writer.WriteHeaderNow() }, "status 500"},
		{"by a panic after a response, with gin's recovery inside", within(gin.RecoveryWithWriter(io.Discard)), okThenPanic, "status 500"},
		{"by a panic after a response, with a recovery of net/http inside", func(*site) {}, gin.WrapF(func(w http.ResponseWriter, r *http.Request) {
			defer func() {
				recover()
				http.Error(w, "sorry", http.StatusBadGateway)
			}()
			io.WriteString(w, "done")
			panic("boom")
		}), "status 502, body sorry\n"},
		{"by a panic with a recovery inside", within(recoverer), func(*gin.Context) { panic("boom") }, "status 503"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, c.change, handling(c.handle))
			w := newJournal()
			w.header.Set("X-Outer", "1")
			s.engine.ServeHTTP(w, again(t, s.request))
			if w.String() != c.response {
				t.Errorf("answered %q, want %q", w, c.response)
			}
			if w.header.Get("Set-Cookie") != "" || w.header.Get("X-Outer") != "1" {
				t.Errorf("headers %v", w.header)
			}
			s.wantSettled(t, 0, 1)
			if len(s.events) != 1 || s.events[0].Outcome != middleware.Failed {
				t.Errorf("events %+v", s.events)
			}
			s.handle = func(c *gin.Context) { c.String(200, "done") }
			if s.inner == nil {
				retry := s.serve(again(t, s.request))
				want(t, retry, 200, "Webhook-Duplicate", "")
				s.wantSettled(t, 1, 1)
			}
		})
	}
}

func TestSuccess(t *testing.T) {
	for _, c := range []struct {
		name     string
		change   func(*site)
		handle   gin.HandlerFunc
		response string
	}{
		{"with a status that is written", func(*site) {}, func(c *gin.Context) { c.AbortWithStatus(204) }, "commit, status 204"},
		{"with a second thought", func(*site) {}, func(c *gin.Context) { c.Status(500); c.Status(202) }, "commit, status 202"},
		{"with an informational status before", func(*site) {}, func(c *gin.Context) { c.Status(103); c.Writer.Flush(); c.String(201, "ok") }, "commit, status 201, body ok"},
		{"with a body", func(*site) {}, func(c *gin.Context) { c.JSON(201, gin.H{"a": 1}) }, `commit, status 201, body {"a":1}`},
		{"with strings and a flush", func(*site) {}, func(c *gin.Context) {
			c.Writer.WriteString("o")
			c.Writer.Flush()
			c.Writer.WriteString("k")
			if !c.Writer.Written() || c.Writer.Size() != 2 || c.Writer.Status() != 200 {
				t.Errorf("written %v, size %d, status %d", c.Writer.Written(), c.Writer.Size(), c.Writer.Status())
			}
		}, "commit, status 200, body ok"},
		{"with an error of a middleware outside from before", around(func(c *gin.Context) { c.Error(errFailed) }), func(c *gin.Context) { c.Status(204) }, "commit, status 204"},
		{"with recoveries on both sides", func(s *site) {
			s.outer, s.inner = []gin.HandlerFunc{recoverer}, []gin.HandlerFunc{recoverer}
		}, func(c *gin.Context) { c.String(201, "ok") }, "commit, status 201, body ok"},
		{"with a handler of net/http", func(*site) {}, gin.WrapF(func(w http.ResponseWriter, r *http.Request) {
			if _, ok := verify.FromContext(r.Context()); !ok {
				http.Error(w, "not verified", http.StatusForbidden)
			}
			io.WriteString(w, "ok")
		}), "commit, status 200, body ok"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newJournal()
			s := newSite(t, c.change, handling(c.handle))
			s.store.commit = func() error { w.note("commit"); return nil }
			s.engine.ServeHTTP(w, again(t, s.request))
			if w.String() != c.response {
				t.Errorf("did %q, want %q", w, c.response)
			}
			s.wantSettled(t, 1, 0)
			want(t, s.serve(again(t, s.request)), 409)
			if s.runs.Load() != 1 {
				t.Errorf("%d runs", s.runs.Load())
			}
		})
	}
}

func TestLostClaim(t *testing.T) {
	var status int
	s := newSite(t, handling(func(c *gin.Context) {
		c.Header("Set-Cookie", "handler=1")
		c.String(200, "done")
	}), around(func(c *gin.Context) { c.Next(); status = c.Writer.Status() }))
	s.store.commit = func() error { return replay.ErrLost }
	w := s.serve(again(t, s.request))
	want(t, w, 409, "Set-Cookie", "")
	if w.Body.String() != `{"type":"about:blank","title":"Conflict","status":409}` {
		t.Errorf("body %s", w.Body)
	}
	if status != 409 {
		t.Errorf("outside, the status is %d", status)
	}
	s.store.commit = nil
	s.request = delivery("evt_2", stripeSecret)
	w = s.serve(s.request)
	want(t, w, 200, "Set-Cookie", "handler=1")
}

func TestBind(t *testing.T) {
	s := newSite(t, handling(func(c *gin.Context) {
		var event struct{ ID, Type string }
		if err := c.ShouldBindJSON(&event); err != nil || event.ID != "evt_1" || event.Type != "invoice.paid" {
			t.Errorf("event %+v, %v", event, err)
		}
		if d, ok := verify.FromContext(c.Request.Context()); !ok || string(d.Body) != string(eventBody("evt_1")) {
			t.Errorf("delivery %+v", d)
		}
		c.Status(204)
	}))
	want(t, s.serve(s.request), 204)
	s.wantSettled(t, 1, 0)
}

func TestOutsideView(t *testing.T) {
	for _, c := range []struct {
		name    string
		handle  gin.HandlerFunc
		status  int
		size    int
		written bool
		errors  int
	}{
		{"of success", func(c *gin.Context) { c.String(201, "ok") }, 201, 2, true, 0},
		{"of a status", func(c *gin.Context) { c.Status(204) }, 204, -1, false, 0},
		{"of a status that is written", func(c *gin.Context) { c.AbortWithStatus(204) }, 204, 0, true, 0},
		{"of a failure", func(c *gin.Context) { c.String(502, "sorry") }, 502, 5, true, 0},
		{"of an error", func(c *gin.Context) { c.String(200, "done"); c.Error(errFailed) }, 500, -1, false, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, handling(c.handle), around(func(ec *gin.Context) {
				before := ec.Request
				ec.Next()
				if ec.Request != before {
					t.Error("the request is not as it was")
				}
				w := ec.Writer
				if w.Status() != c.status || w.Size() != c.size || w.Written() != c.written || len(ec.Errors) != c.errors {
					t.Errorf("status %d, size %d, written %v, %d errors", w.Status(), w.Size(), w.Written(), len(ec.Errors))
				}
			}))
			want(t, s.serve(s.request), c.status)
		})
	}
}

func TestGuardPlacement(t *testing.T) {
	for _, c := range []struct {
		name  string
		build func(*gin.Engine, gin.HandlerFunc, gin.HandlerFunc)
	}{
		{"at a route", func(e *gin.Engine, m, h gin.HandlerFunc) { e.POST("/hooks/:tenant", m, h) }},
		{"at a group", func(e *gin.Engine, m, h gin.HandlerFunc) { e.Group("/hooks", m).POST("/:tenant", h) }},
		{"at a group and its route", func(e *gin.Engine, m, h gin.HandlerFunc) { e.Group("/hooks", m).POST("/:tenant", m, h) }},
		{"in Use", func(e *gin.Engine, m, h gin.HandlerFunc) { e.Use(m); e.POST("/hooks/:tenant", h) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t)
			runs := 0
			e := gin.New()
			c.build(e, s.protect, func(c *gin.Context) {
				runs++
				if d, ok := verify.FromContext(c.Request.Context()); !ok || d.ID != "evt_1" || c.Param("tenant") != "acme" {
					t.Errorf("delivery %+v of tenant %q", d, c.Param("tenant"))
				}
				if runs == 1 {
					c.Error(errFailed)
				}
			})
			for _, status := range []int{500, 200, 409} {
				w := httptest.NewRecorder()
				r := again(t, s.request)
				r.URL.Path = "/hooks/acme"
				e.ServeHTTP(w, r)
				want(t, w, status)
			}
			if runs != 2 || s.store.claims.Load() != 3 {
				t.Errorf("%d runs, %d claims", runs, s.store.claims.Load())
			}
			s.wantSettled(t, 1, 1)
		})
	}
	t.Run("of an unknown route nothing is committed", func(t *testing.T) {
		s := newSite(t)
		e := gin.New()
		e.Use(s.protect)
		w := httptest.NewRecorder()
		e.ServeHTTP(w, again(t, s.request))
		want(t, w, 404, "Content-Type", "text/plain")
		if w.Body.String() != "404 page not found" {
			t.Errorf("body %q", w.Body)
		}
		s.wantSettled(t, 0, 1)
	})
}

// As documented: gin finds a route that http.ServeMux does not.
func TestGuardAroundTheEngineIsReachedPast(t *testing.T) {
	past := httptest.NewRequest("POST", "http://hooks.example/hooks%2Fstripe", nil)

	runs := 0
	engine := gin.New()
	engine.POST("/hooks/stripe", func(c *gin.Context) { runs++ })
	mux := http.NewServeMux()
	mux.Handle("/hooks/stripe", middleware.Protect(stripe.Must(stripeSecret))(engine))
	mux.Handle("/", engine)
	mux.ServeHTTP(httptest.NewRecorder(), past)
	if runs != 1 {
		t.Error("the handler is not reached past the guard: the package comment is out of date")
	}

	runs = 0
	engine = gin.New()
	engine.POST("/hooks/stripe", ginmw.Protect(stripe.Must(stripeSecret)), func(c *gin.Context) { runs++ })
	w := httptest.NewRecorder()
	engine.ServeHTTP(w, past)
	want(t, w, 401)
	if runs != 0 {
		t.Error("the handler ran")
	}
}

// As documented: a handler of net/http needs no adapter.
func TestGuardOfNetHTTPInWrapH(t *testing.T) {
	guard, err := middleware.New("test", stripe.Must(stripeSecret), replay.NewMemory(nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	runs := 0
	engine := gin.New()
	engine.Use(recoverer)
	engine.POST(hookPath, gin.WrapH(guard.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch runs++; runs {
		case 1:
			panic("boom")
		case 2:
			http.Error(w, "sorry", http.StatusBadGateway)
		default:
			w.WriteHeader(204)
		}
	}))))
	r := stripetest.NewRequest(hookURL, time.Now(), eventBody("evt_1"), stripeSecret)
	for _, status := range []int{503, 502, 204, 409} {
		w := httptest.NewRecorder()
		engine.ServeHTTP(w, again(t, r))
		want(t, w, status)
	}
	if runs != 3 {
		t.Errorf("%d runs", runs)
	}
}

// embedding is how most middlewares wrap the writer.
type embedding struct{ gin.ResponseWriter }

// unwrapping does so, too, and says what it wraps.
type unwrapping struct{ gin.ResponseWriter }

func (w unwrapping) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// opaque does not show what it wraps.
type opaque struct {
	gin.ResponseWriter
	inner gin.ResponseWriter
}

func (w *opaque) WriteHeader(status int)            { w.inner.WriteHeader(status) }
func (w *opaque) WriteHeaderNow()                   { w.inner.WriteHeaderNow() }
func (w *opaque) Write(b []byte) (int, error)       { return w.inner.Write(b) }
func (w *opaque) WriteString(s string) (int, error) { return w.inner.WriteString(s) }
func (w *opaque) Header() http.Header               { return w.inner.Header() }
func (w *opaque) Status() int                       { return w.inner.Status() }
func (w *opaque) Written() bool                     { return w.inner.Written() }

// A middleware inside may wrap the writer and leave it so, and a handler may empty its
// keys and replace its request.
func TestReplacedContextParts(t *testing.T) {
	wrap := func(f func(gin.ResponseWriter) gin.ResponseWriter) gin.HandlerFunc {
		return func(c *gin.Context) { c.Writer = f(c.Writer) }
	}
	keys := func(c *gin.Context) { c.Keys = nil; c.Set("user", 1) }
	request := func(c *gin.Context) { c.Request = httptest.NewRequest("POST", "/", nil) }
	both := func(c *gin.Context) { keys(c); request(c) }
	wrappers := map[string]gin.HandlerFunc{
		"the writer itself":       func(*gin.Context) {},
		"an embedding writer":     wrap(func(w gin.ResponseWriter) gin.ResponseWriter { return &embedding{w} }),
		"one that is a value":     wrap(func(w gin.ResponseWriter) gin.ResponseWriter { return embedding{w} }),
		"an unwrapping writer":    wrap(func(w gin.ResponseWriter) gin.ResponseWriter { return &unwrapping{w} }),
		"two writers":             wrap(func(w gin.ResponseWriter) gin.ResponseWriter { return &unwrapping{embedding{w}} }),
		"a writer that is opaque": wrap(func(w gin.ResponseWriter) gin.ResponseWriter { return &opaque{inner: w} }),
	}
	for wrapper, inner := range wrappers {
		for replaced, replace := range map[string]gin.HandlerFunc{"nothing": func(*gin.Context) {}, "keys": keys, "the request": request, "both": both} {
			if replaced == "both" && strings.HasSuffix(wrapper, "opaque") {
				continue // as documented
			}
			for _, c := range []struct {
				name     string
				handle   gin.HandlerFunc
				response string
				commits  int64
			}{
				{"and succeed", func(c *gin.Context) { c.String(201, "done") }, "status 201, body done", 1},
				{"and fail", func(c *gin.Context) { c.String(503, "no") }, "status 503, body no", 0},
				{"and attach an error", func(c *gin.Context) { c.String(200, "done"); c.Error(errFailed) }, "status 500", 0},
				{"and panic", func(c *gin.Context) { c.String(200, "done"); panic("boom") }, "status 500", 0},
			} {
				t.Run(wrapper+"; replace "+replaced+" "+c.name, func(t *testing.T) {
					s := newSite(t, within(inner), handling(func(ec *gin.Context) { replace(ec); c.handle(ec) }),
						around(func(ec *gin.Context) {
							before := ec.Request
							defer func() {
								recover()
								if ec.Request != before {
									t.Error("outside, the request is not as it was")
								}
							}()
							ec.Next()
						}))
					w := newJournal()
					s.engine.ServeHTTP(w, again(t, s.request))
					if w.String() != c.response {
						t.Errorf("answered %q, want %q", w, c.response)
					}
					s.wantSettled(t, c.commits, 1-c.commits)
				})
			}
		}
	}
}

func TestEmptiedKeys(t *testing.T) {
	empty := func(next gin.HandlerFunc) gin.HandlerFunc {
		return func(c *gin.Context) {
			c.Keys = nil
			c.Set("user", 1)
			next(c)
		}
	}
	for _, c := range []struct {
		name              string
		handle            gin.HandlerFunc
		status            int
		commits, releases int64
	}{
		{"and succeed", func(c *gin.Context) { c.String(201, "done") }, 201, 1, 0},
		{"and fail", func(c *gin.Context) { c.AbortWithStatus(503) }, 503, 0, 1},
		{"and attach an error", func(c *gin.Context) { c.Error(errFailed) }, 500, 0, 1},
		{"and panic", func(c *gin.Context) { panic("boom") }, 500, 0, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, handling(empty(c.handle)), around(gin.CustomRecoveryWithWriter(nil, func(*gin.Context, any) {})))
			want(t, s.serve(s.request), c.status)
			s.wantSettled(t, c.commits, c.releases)
		})
	}
}

func TestFailureIsNotMadeASuccessOutside(t *testing.T) {
	soothe := func(c *gin.Context) {
		c.Next()
		if !c.Writer.Written() {
			c.JSON(200, gin.H{"ok": true})
		}
	}
	for name, handle := range map[string]gin.HandlerFunc{
		"a status without a body":              func(c *gin.Context) { c.Status(503) },
		"a status without a body and an error": func(c *gin.Context) { c.Status(422); c.Error(errFailed) },
		"an error":                             func(c *gin.Context) { c.Error(errFailed) },
		"a status that is not final":           func(c *gin.Context) { c.Status(103) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, handling(handle), around(soothe))
			if w := s.serve(s.request); w.Code/100 == 2 {
				t.Errorf("status %d", w.Code)
			}
			s.wantSettled(t, 0, 1)
		})
	}
	t.Run("but of what succeeded without a body", func(t *testing.T) {
		s := newSite(t, handling(func(c *gin.Context) { c.Status(202) }), around(soothe))
		want(t, s.serve(s.request), 200)
		s.wantSettled(t, 1, 0)
	})
}

func TestErrorsFromBeforeTheGuard(t *testing.T) {
	before := func(c *gin.Context) {
		c.Error(errFailed)
		c.Next()
		if len(c.Errors) != 1 && len(c.Errors) != 2 {
			t.Errorf("%d errors outside", len(c.Errors))
		}
	}
	s := newSite(t, around(before))
	want(t, s.serve(s.request), 200)
	s.wantSettled(t, 1, 0)
	s = newSite(t, around(before), handling(func(c *gin.Context) { c.Errors = nil; c.Error(errFailed) }))
	want(t, s.serve(s.request), 500)
	s.wantSettled(t, 0, 1)
}

func TestErrorsFromBeforeTheGuardOutliveAPanic(t *testing.T) {
	var seen []string
	s := newSite(t, handling(func(c *gin.Context) {
		c.Error(errors.New("inside"))
		panic("boom")
	}), around(func(c *gin.Context) {
		defer func() {
			recover()
			seen = c.Errors.Errors()
		}()
		c.Error(errors.New("before"))
		c.Next()
	}))
	want(t, s.serve(s.request), 500)
	s.wantSettled(t, 0, 1)
	if !slices.Equal(seen, []string{"before", "inside"}) {
		t.Errorf("outside, the errors are %q", seen)
	}
}

// As documented: what is answered past the guard is not counted as done, also where
// the handler puts back what HandleContext threw away.
func TestHandleContextInside(t *testing.T) {
	for name, handleAnew := range map[string]func(*gin.Engine, *gin.Context){
		"and left so": func(e *gin.Engine, c *gin.Context) { e.HandleContext(c) },
		"with its keys kept": func(e *gin.Engine, c *gin.Context) {
			keys := c.Keys
			e.HandleContext(c)
			c.Keys = keys
		},
		"with its keys kept, under another request": func(e *gin.Engine, c *gin.Context) {
			keys, r := c.Keys, c.Request
			c.Request = httptest.NewRequest("POST", "/elsewhere", nil)
			e.HandleContext(c)
			c.Keys, c.Request = keys, r
		},
		"with another guard around": func(e *gin.Engine, c *gin.Context) {
			keys := c.Keys
			e.HandleContext(c)
			c.Keys = keys
		},
	} {
		for _, status := range []int{200, 503} {
			t.Run(fmt.Sprintf("%s, and responds with %d", name, status), func(t *testing.T) {
				var s *site
				outside := newSite(t)
				s = newSite(t, func(s *site) {
					if strings.Contains(name, "another guard") {
						s.outer = []gin.HandlerFunc{outside.protect}
					}
				}, handling(func(c *gin.Context) {
					c.Request.URL.Path = "/elsewhere"
					handleAnew(s.engine, c)
				}))
				s.engine.POST("/elsewhere", func(c *gin.Context) { c.String(status, "anew") })
				w := s.serve(s.request)
				want(t, w, status)
				if w.Body.String() != "anew" {
					t.Errorf("body %q", w.Body)
				}
				s.wantSettled(t, 0, 1)
				if outside.store.commits.Load() != 0 {
					t.Error("the guard around committed")
				}
			})
		}
	}
}

func TestTwoGuards(t *testing.T) {
	for _, c := range []struct {
		name     string
		handle   gin.HandlerFunc
		between  []gin.HandlerFunc
		response string
		commits  int64
	}{} {
		t.Run(c.name, func(t *testing.T) {
			outer := newSite(t)
			inner := newSite(t, around(append([]gin.HandlerFunc{outer.protect}, c.between...)...), handling(c.handle))
			w := newJournal()
			inner.engine.ServeHTTP(w, again(t, inner.request))
			if w.String() != c.response {
				t.Errorf("answered %q, want %q", w, c.response)
			}
			inner.wantSettled(t, c.commits, 1-c.commits)
			outer.wantSettled(t, c.commits, 1-c.commits)
		})
	}
}

func TestReportOnly(t *testing.T) {
	for _, c := range []struct {
		name     string
		request  *http.Request
		handle   gin.HandlerFunc
		verified bool
		commits  int64
	}{
		{"genuine", delivery("evt_1", stripeSecret), func(c *gin.Context) { c.String(202, "handled") }, true, 1},
		{"genuine, with an error", delivery("evt_1", stripeSecret), func(c *gin.Context) { c.String(202, "handled"); c.Error(errFailed) }, true, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, func(s *site) { s.opts.InsecureReportOnly, s.request = true, c.request }, handling(func(ec *gin.Context) {
				if _, ok := verify.FromContext(ec.Request.Context()); ok != c.verified {
					t.Errorf("verified %v", ok)
				}
				if b, err := io.ReadAll(ec.Request.Body); string(b) != string(eventBody("evt_1")) || err != nil {
					t.Errorf("body %q, %v", b, err)
				}
				c.handle(ec)
			}))
			if w := s.serve(s.request); w.Body.String() != "handled" {
				t.Errorf("body %q", w.Body)
			}
			releases := int64(0)
			if c.verified {
				releases = 1 - c.commits
			}
			s.wantSettled(t, c.commits, releases)
		})
	}
}

func TestWriter(t *testing.T) {
	s := newSite(t, handling(func(c *gin.Context) {
		if _, _, err := c.Writer.Hijack(); !errors.Is(err, http.ErrNotSupported) {
			t.Errorf("Hijack: %v", err)
		}
		if c.Writer.Pusher() != nil {
			t.Error("there is a Pusher")
		}
		if err := http.NewResponseController(c.Writer).SetWriteDeadline(time.Time{}); err != nil {
			t.Errorf("SetWriteDeadline: %v", err)
		}
		c.Writer.CloseNotify() // the server's, which does not panic
	}))
	server := httptest.NewServer(s.engine)
	defer server.Close()
	s.request.URL.Host = server.Listener.Addr().String()
	response, err := server.Client().Do(s.request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != 200 || s.events[0].NoReadDeadline {
		t.Errorf("status %d, event %+v", response.StatusCode, s.events[0])
	}
}

func TestNewPanicsWithoutAGuard(t *testing.T) {
	for _, make := range []func(){
		func() { ginmw.New(nil) },
		func() { ginmw.Protect(nil) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			make()
		}()
	}
	e := gin.New()
	runs := 0
	e.POST(hookPath, ginmw.Protect(stripe.Must(stripeSecret)), func(*gin.Context) { runs++ })
	r := stripetest.NewRequest(hookURL, time.Now(), eventBody("evt_1"), stripeSecret)
	for _, status := range []int{200, 409} {
		w := httptest.NewRecorder()
		e.ServeHTTP(w, again(t, r))
		want(t, w, status)
	}
	if runs != 1 {
		t.Errorf("%d runs", runs)
	}
}
