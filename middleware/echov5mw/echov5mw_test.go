package echov5mw_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v5"
	echomiddleware "github.com/labstack/echo/v5/middleware"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/echov5mw"
	"github.com/hooknotary/hooknotary/providers/github"
	"github.com/hooknotary/hooknotary/providers/github/githubtest"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

// requestLogger is echo's, which hands errors to the error handler and returns them.
func requestLogger(handle bool, seen func(echomiddleware.RequestLoggerValues)) echo.MiddlewareFunc {
	return echomiddleware.RequestLoggerWithConfig(echomiddleware.RequestLoggerConfig{
		HandleError: handle, LogStatus: true, LogResponseSize: true,
		LogValuesFunc: func(_ *echo.Context, v echomiddleware.RequestLoggerValues) error {
			seen(v)
			return nil
		},
	})
}

func logger() echo.MiddlewareFunc {
	return requestLogger(true, func(echomiddleware.RequestLoggerValues) {})
}

func recoverer() echo.MiddlewareFunc {
	return echomiddleware.RecoverWithConfig(echomiddleware.RecoverConfig{DisablePrintStack: true})
}

// response returns echo's own response of c.
func response(t *testing.T, c *echo.Context) *echo.Response {
	t.Helper()
	res, err := echo.UnwrapResponse(c.Response())
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// opaque puts a writer in place that hides echo's response.
func opaque(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c *echo.Context) error {
		c.SetResponse(struct{ http.ResponseWriter }{c.Response()})
		return next(c)
	}
}

var errTeapot = echo.NewHTTPError(http.StatusTeapot, "I'm a teapot")

// TestRefusal: the error handler has no part in a refusal, nor in a lost claim.
func TestRefusal(t *testing.T) {
	outcome := func(o replay.Outcome, err error) func(*site) {
		return func(s *site) { s.store.claim = func() (replay.Outcome, error) { return o, err } }
	}
	for _, c := range []struct {
		name   string
		change func(*site)
		status int
	}{
		{"on the head", func(s *site) { s.request.Header.Del("Stripe-Signature") }, 401},
		{"behind the body", func(s *site) {
			s.request = stripetest.NewRequest(hookURL, start, eventBody("evt_1"), otherSecret)
		}, 401},
		{"of a replay", outcome(replay.Outcome{Status: replay.Done, Same: true}, nil), 409},
		{"of an honest repeat", outcome(replay.Outcome{Status: replay.Done}, nil), 200},
		{"without a store", outcome(replay.Outcome{}, errors.New("down")), 503},
		{"of a claim that is lost", func(s *site) { s.store.commit = func() error { return replay.ErrLost } }, 409},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, c.change)
			s.echo.HTTPErrorHandler = func(_ *echo.Context, err error) { t.Errorf("the error handler was called: %v", err) }
			want(t, s.serve(s.request), c.status)
		})
	}
}

func TestBind(t *testing.T) {
	s := newSite(t, handling(func(c *echo.Context) error {
		var event struct{ ID, Type string }
		if err := c.Bind(&event); err != nil {
			return err
		}
		return c.JSON(202, event)
	}))
	w := s.serve(s.request)
	want(t, w, 202, "Content-Type", "application/json")
	if strings.TrimSpace(w.Body.String()) != `{"ID":"evt_1","Type":"invoice.paid"}` {
		t.Errorf("body %s", w.Body)
	}
}

func TestParsedForm(t *testing.T) {
	s := newSite(t, func(s *site) {
		v, err := github.New(verify.Secrets(githubSecret), &github.Options{Form: true})
		if err != nil {
			t.Fatal(err)
		}
		s.verifier = v
		s.request = githubtest.NewRequest(hookURL, "push", []byte("payload=genuine"), githubSecret)
		s.request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}, handling(func(c *echo.Context) error {
		if got := c.FormValue("payload"); got != "genuine" {
			t.Errorf("payload %q", got)
		}
		return nil
	}))
	s.request.Form = map[string][]string{"payload": {"forged"}}
	s.request.PostForm = s.request.Form
	want(t, s.serve(s.request), 200)
}

func TestFailure(t *testing.T) {
	failed := errors.New("failed")
	teapot := echo.NewHTTPError(http.StatusTeapot, "short and stout")
	answering200 := func(s *site) {
		s.echo.HTTPErrorHandler = func(c *echo.Context, err error) {
			if res, _ := echo.UnwrapResponse(c.Response()); res == nil || !res.Committed {
				c.String(200, "fine: "+err.Error())
			}
		}
	}
	silent := func(s *site) { s.echo.HTTPErrorHandler = func(*echo.Context, error) {} }
	careless := func(s *site) { // it does not ask whether something was answered
		s.echo.HTTPErrorHandler = func(c *echo.Context, err error) { c.String(502, "sorry") }
	}
	raw := func(s *site) { // it writes past echo's response
		s.echo.HTTPErrorHandler = func(c *echo.Context, err error) {
			w := response(s.t, c).ResponseWriter
			w.WriteHeader(502)
			io.WriteString(w, "sorry")
		}
	}
	changes := func(c ...func(*site)) func(*site) {
		return func(s *site) {
			for _, change := range c {
				change(s)
			}
		}
	}
	ok := func(c *echo.Context) error { return c.String(200, "done") }
	thenFail := func(c *echo.Context) error {
		c.Response().Header().Set("Set-Cookie", "handler=1")
		c.String(200, "done")
		return failed
	}
	const body500 = `{"message":"Internal Server Error"}` + "\n"
	for _, c := range []struct {
		name     string
		change   func(*site)
		handle   echo.HandlerFunc
		response string
	}{
		{"by an HTTP error", func(*site) {}, func(*echo.Context) error { return teapot }, `status 418, body {"message":"short and stout"}` + "\n"},
		{"by an HTTP error that says 200", func(*site) {}, func(*echo.Context) error { return echo.NewHTTPError(200, "all is well") }, "status 500"},
		{"by an error that is answered 200", answering200, func(*echo.Context) error { return failed }, "status 500"},
		{"by an error after a response that is answered 200", answering200, thenFail, "status 500"},
		{"by an error that nobody answers", silent, func(*echo.Context) error { return failed }, "status 500"},
		{"by an error after a response that nobody answers", silent, thenFail, "status 500"},
		{"by an error that is answered carelessly", careless, thenFail, "status 502, body sorry"},
		{"by an error that is answered past echo", raw, thenFail, "status 502, body sorry"},

		{"by an error that Logger inside answers", within(logger()), func(*echo.Context) error { return failed }, "status 500, body " + body500},
		{"by an error after a response, with Logger inside", within(logger()), thenFail, "status 500, body " + body500},
		{"by an error that Logger inside has answered 200", changes(within(logger()), answering200), func(*echo.Context) error { return failed }, "status 500"},
		{"by an error after a response that Logger inside has answered 200", changes(within(logger()), answering200), thenFail, "status 500"},
		{"by an error that nobody answers, with Logger inside", changes(within(logger()), silent), func(*echo.Context) error { return failed }, "status 500"},
		{"by an error that RequestLogger inside answers", within(requestLogger(true, func(echomiddleware.RequestLoggerValues) {})), thenFail, "status 500, body " + body500},
		{"by an error with Logger outside", around(logger()), thenFail, "status 500, body " + body500},
		{"by an error with Logger outside and a careless handler", changes(around(logger()), careless), thenFail, "status 502, body sorry"},
		{"by an error with Logger outside that is answered 200", changes(around(logger()), answering200), thenFail, "status 500"},
		{"by an error with Loggers everywhere", changes(around(logger(), requestLogger(true, func(echomiddleware.RequestLoggerValues) {})), within(logger())), thenFail, "status 500, body " + body500},

		{"by a panic with Recover inside", within(recoverer()), func(*echo.Context) error { panic("boom") }, "status 500, body " + body500},
		{"by a panic after a response, with Recover inside", within(recoverer()), func(c *echo.Context) error {
			ok(c)
			panic("boom")
		}, "status 500, body " + body500},
		{"by a panic with Recover inside, answered 200", changes(within(recoverer()), answering200), func(*echo.Context) error { panic("boom") }, "status 500"},
		{"by a panic with Recover outside", around(recoverer()), func(*echo.Context) error { panic("boom") }, "status 500, body " + body500},
		{"by a panic after a response, with Recover outside", around(recoverer()), func(c *echo.Context) error {
			c.Response().Header().Set("Set-Cookie", "handler=1")
			ok(c)
			http.NewResponseController(c.Response()).Flush()
			panic("boom")
		}, "status 500, body " + body500},
		{"by a panic with Recover outside, answered 200", changes(around(recoverer()), answering200), func(*echo.Context) error { panic("boom") }, "status 500, body fine: boom"},
		{"by a panic with Recover outside, answered past echo", changes(around(recoverer()), func(s *site) {
			s.echo.HTTPErrorHandler = func(c *echo.Context, err error) { response(t, c).ResponseWriter.Write([]byte("fine")) }
		}), func(*echo.Context) error { panic("boom") }, "status 500, body fine"},
		{"by a panic with Recover outside, answered by a flush", changes(around(recoverer()), func(s *site) {
			s.echo.HTTPErrorHandler = func(c *echo.Context, err error) {
				http.NewResponseController(c.Response()).Flush()
			}
		}), func(*echo.Context) error { panic("boom") }, "status 500"},
		{"by a panic with Recover outside and a response of a stranger, answered 200", changes(around(recoverer(), opaque), answering200),
			func(*echo.Context) error { panic("boom") }, "status 500, body fine: boom"},
		{"by a panic of an error handler, with Recover outside", changes(around(recoverer()), func(s *site) {
			first := true
			s.echo.HTTPErrorHandler = func(c *echo.Context, err error) {
				if first {
					first = false
					c.String(200, "fine")
					panic("boom")
				}
				echo.DefaultHTTPErrorHandler(false)(c, err)
			}
		}), thenFail, "status 500, body " + body500},
		{"by an error that is answered 500, which a hook inside makes 200", within(soothing), thenFail, "status 500"},
		{"by an error with Gzip outside", around(echomiddleware.Gzip()), thenFail, "status 500, body " + body500},
		{"by an error after early hints", func(*site) {}, func(c *echo.Context) error { c.Response().WriteHeader(103); return failed }, "status 500, body " + body500},
		{"by early hints past the response", func(*site) {}, func(c *echo.Context) error {
			res, err := echo.UnwrapResponse(c.Response())
			res.WriteHeader(103)
			return err
		}, "status 500"},
		{"by early hints alone, above another response", within(echo.WrapMiddleware(func(h http.Handler) http.Handler { return h })), func(c *echo.Context) error { c.Response().WriteHeader(103); return nil }, "status 500"},
		{"by a status after a response", func(*site) {}, func(c *echo.Context) error { c.String(200, "ok"); c.Response().WriteHeader(502); return nil }, "status 502"},
		{"by a response after a response", func(*site) {}, func(c *echo.Context) error { c.String(200, "ok"); return c.String(503, "no") }, "status 503, body no"},
		{"by an error with BodyDump inside", within(echomiddleware.BodyDump(func(*echo.Context, []byte, []byte, error) {})), thenFail, "status 500, body " + body500},
		{"by an error with a timeout outside", around(echomiddleware.ContextTimeout(time.Minute)), thenFail, "status 500, body " + body500},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, c.change, handling(c.handle))
			w := newJournal()
			w.header.Set("X-Outer", "1")
			s.echo.ServeHTTP(w, again(t, s.request))
			if w.String() != c.response {
				t.Errorf("answered %q, want %q", w, c.response)
			}
			if w.header.Get("Set-Cookie") != "" || w.header.Get("X-Outer") != "1" {
				t.Errorf("headers %v", w.header)
			}
			s.wantSettled(0, 1)
			if e := s.event(); e.Outcome != middleware.Failed || e.Err != nil || e.Status != 0 {
				t.Errorf("event %+v", e)
			}
			s.handle = ok
			again := s.serve(again(t, s.request))
			want(t, again, 200, "Webhook-Duplicate", "")
			if again.Body.String() != "done" {
				t.Errorf("body %q", again.Body)
			}
			s.wantRuns(2)
			s.wantSettled(1, 1)
		})
	}
}

func TestSuccess(t *testing.T) {
	for _, c := range []struct {
		name     string
		change   func(*site)
		handle   echo.HandlerFunc
		response string
	}{
		{"with 204 after early hints", func(*site) {}, func(c *echo.Context) error { c.Response().WriteHeader(103); return c.NoContent(204) }, "commit, status 204"},
		{"with 200 and another success", func(*site) {}, func(c *echo.Context) error { c.String(200, "ok"); return c.NoContent(204) }, "commit, status 200, body ok"},
		{"past echo's response", func(*site) {}, func(c *echo.Context) error {
			response(t, c).ResponseWriter.WriteHeader(202)
			return nil
		}, "commit, status 202"},
		{"with Logger and Recover inside", within(logger(), recoverer()), func(c *echo.Context) error { return c.String(201, "ok") }, "commit, status 201, body ok"},
		{"with Logger and Recover outside", around(logger(), recoverer()), func(c *echo.Context) error { return c.String(201, "ok") }, "commit, status 201, body ok"},
		{"with a handler of net/http", func(*site) {}, echo.WrapHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, ok := verify.FromContext(r.Context()); !ok {
				http.Error(w, "not verified", http.StatusForbidden)
			}
			io.WriteString(w, "ok")
		})), "commit, status 200, body ok"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newJournal()
			s := newSite(t, c.change, handling(c.handle))
			s.store.commit = func() error { w.note("commit"); return nil }
			s.echo.ServeHTTP(w, again(t, s.request))
			if w.String() != c.response {
				t.Errorf("did %q, want %q", w, c.response)
			}
			if e := s.event(); e.Outcome != middleware.Handled {
				t.Errorf("event %+v", e)
			}
			s.wantSettled(1, 0)
			want(t, s.serve(again(t, s.request)), 409)
			s.wantRuns(1)
		})
	}
}

func TestLostClaim(t *testing.T) {
	for _, c := range []struct {
		name   string
		commit error
		status int
		body   string
	}{
		{"lost", replay.ErrLost, 409, `{"type":"about:blank","title":"Conflict","status":409}`},
		{"not lost", nil, 200, "done"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var status int
			var committed bool
			s := newSite(t, around(func(next echo.HandlerFunc) echo.HandlerFunc {
				return func(c *echo.Context) error {
					err := next(c)
					status, committed = response(t, c).Status, response(t, c).Committed
					return err
				}
			}), handling(func(c *echo.Context) error {
				c.Response().Header().Set("Set-Cookie", "handler=1")
				return c.String(200, "done")
			}))
			s.store.commit = func() error { return c.commit }
			w := s.serve(s.request)
			want(t, w, c.status)
			if w.Body.String() != c.body || (w.Header().Get("Set-Cookie") != "") != (c.status == 200) {
				t.Errorf("body %q, headers %v", w.Body, w.Header())
			}
			if status != c.status || !committed {
				t.Errorf("outside, the response has status %d, committed %v", status, committed)
			}
		})
	}
}

func TestOutsideView(t *testing.T) {
	failed := errors.New("failed")
	for _, c := range []struct {
		name      string
		handle    echo.HandlerFunc
		status    int
		size      int64
		err       error
		committed bool
	}{
		{"of success", func(c *echo.Context) error { return c.String(201, "ok") }, 201, 2, nil, true},
		{"of an empty success", func(c *echo.Context) error { return nil }, 200, 0, nil, false},
		{"of a failure", func(c *echo.Context) error { return c.String(502, "sorry") }, 502, 5, nil, true},
		{"of an error", func(c *echo.Context) error { return failed }, 500, 36, failed, true},
		{"of an error after a response", func(c *echo.Context) error { c.String(200, "done"); return failed }, 500, 36, failed, true},
		{"of an HTTP error", func(c *echo.Context) error { return echo.ErrForbidden }, 403, 24, echo.ErrForbidden, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var seen echomiddleware.RequestLoggerValues
			var res echo.Response
			var request *http.Request
			s := newSite(t, around(
				requestLogger(false, func(v echomiddleware.RequestLoggerValues) { seen = v }),
				func(next echo.HandlerFunc) echo.HandlerFunc {
					return func(c *echo.Context) error {
						before := c.Request()
						err := next(c)
						res = *response(t, c)
						if request = c.Request(); request != before {
							t.Error("the request is not as it was")
						}
						return err
					}
				},
			), handling(c.handle))
			s.serve(s.request)
			if res.Status != c.status || res.Size != c.size || res.Committed != c.committed {
				t.Errorf("status %d, size %d, committed %v", res.Status, res.Size, res.Committed)
			}
			if seen.Error != c.err || seen.Status != c.status {
				t.Errorf("logged status %d and error %v, want %d and %v", seen.Status, seen.Error, c.status, c.err)
			}
		})
	}
	t.Run("of an error that is answered 200", func(t *testing.T) {
		var seen echomiddleware.RequestLoggerValues
		s := newSite(t, around(requestLogger(false, func(v echomiddleware.RequestLoggerValues) { seen = v }), func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c *echo.Context) error {
				err := next(c)
				if res := response(t, c); res.Status != 500 || !res.Committed {
					t.Errorf("status %d, committed %v", res.Status, res.Committed)
				}
				return err
			}
		}), handling(func(*echo.Context) error { return failed }))
		s.echo.HTTPErrorHandler = func(c *echo.Context, _ error) { c.String(200, "fine") }
		want(t, s.serve(s.request), 500)
		if seen.Status != 500 || seen.Error != failed || seen.ResponseSize != 0 {
			t.Errorf("logged %+v", seen)
		}
	})
	t.Run("of a refusal", func(t *testing.T) {
		var seen echomiddleware.RequestLoggerValues
		s := newSite(t, around(requestLogger(false, func(v echomiddleware.RequestLoggerValues) { seen = v })))
		s.request.Header.Del("Stripe-Signature")
		s.serve(s.request)
		if seen.Status != 401 || seen.Error != nil {
			t.Errorf("logged %+v", seen)
		}
	})
}

func TestResponseHooks(t *testing.T) {
	for _, c := range []struct {
		name   string
		handle echo.HandlerFunc
		status int
	}{
		{"success", func(c *echo.Context) error { return c.String(201, "ok") }, 201},
		{"an error", func(c *echo.Context) error { return echo.ErrForbidden }, 403},
		{"an error after a response", func(c *echo.Context) error { c.String(200, "ok"); return echo.ErrForbidden }, 403},
		{"a refusal", nil, 401},
	} {
		t.Run(c.name, func(t *testing.T) {
			var statuses []int
			s := newSite(t, around(func(next echo.HandlerFunc) echo.HandlerFunc {
				return func(c *echo.Context) error {
					res := response(t, c)
					res.Before(func() {
						statuses = append(statuses, res.Status)
						res.Header().Set("X-Hook", fmt.Sprint(res.Status))
					})
					return next(c)
				}
			}), handling(c.handle))
			if c.handle == nil {
				s.request.Header.Del("Stripe-Signature")
			}
			w := s.serve(s.request)
			want(t, w, c.status, "X-Hook", fmt.Sprint(c.status))
			if statuses[len(statuses)-1] != c.status {
				t.Errorf("hooks ran for %v", statuses)
			}
		})
	}
}

func TestErrorHandlerAppendsNoSecondBody(t *testing.T) {
	calls := 0
	s := newSite(t, handling(func(c *echo.Context) error { return errors.New("failed") }))
	s.echo.HTTPErrorHandler = func(c *echo.Context, err error) { // for the guard, and for echo itself
		calls++
		c.JSON(500, map[string]int{"call": calls})
		response(t, c).ResponseWriter.Write([]byte("raw"))
	}
	server := listen(t, s.echo)
	response, err := server.Client().Do(mustRequest(server.URL+hookPath, s.request))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	response.Body.Close()
	if err != nil || response.StatusCode != 500 || string(body) != `{"call":1}`+"\n"+"raw" {
		t.Errorf("status %d with %q, %v", response.StatusCode, body, err)
	}
	if calls != 2 {
		t.Errorf("%d calls, want one by the guard and one by echo", calls)
	}
}

func mustRequest(url string, r *http.Request) *http.Request {
	n, err := http.NewRequest(r.Method, url, r.Body)
	if err != nil {
		panic(err)
	}
	n.Header, n.ContentLength = r.Header, r.ContentLength
	return n
}

func TestGuardPlacement(t *testing.T) {
	for _, c := range []struct {
		name  string
		build func(*echo.Echo, echo.MiddlewareFunc, echo.HandlerFunc)
	}{
		{"at a route", func(e *echo.Echo, m echo.MiddlewareFunc, h echo.HandlerFunc) { e.POST("/hooks/:tenant", h, m) }},
		{"at a group", func(e *echo.Echo, m echo.MiddlewareFunc, h echo.HandlerFunc) {
			e.Group("/hooks", m).POST("/:tenant", h)
		}},
		{"at a group and its route", func(e *echo.Echo, m echo.MiddlewareFunc, h echo.HandlerFunc) {
			e.Group("/hooks", m).POST("/:tenant", h, m)
		}},
		{"in Use", func(e *echo.Echo, m echo.MiddlewareFunc, h echo.HandlerFunc) { e.Use(m); e.POST("/hooks/:tenant", h) }},
		{"in Pre", func(e *echo.Echo, m echo.MiddlewareFunc, h echo.HandlerFunc) { e.Pre(m); e.POST("/hooks/:tenant", h) }},
		{"everywhere", func(e *echo.Echo, m echo.MiddlewareFunc, h echo.HandlerFunc) {
			e.Pre(m)
			e.Use(m)
			e.Group("/hooks", m, m).POST("/:tenant", h, m)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t)
			runs := 0
			fail := false
			e := echo.New()
			c.build(e, s.protect, func(c *echo.Context) error {
				runs++
				if c.Param("tenant") != "acme" {
					t.Errorf("tenant %q", c.Param("tenant"))
				}
				if d, ok := verify.FromContext(c.Request().Context()); !ok || d.ID != "evt_1" {
					t.Errorf("delivery %+v", d)
				}
				if fail {
					return errors.New("failed")
				}
				return c.NoContent(204)
			})
			for i, status := range []int{500, 204, 409} {
				fail = i == 0
				w := httptest.NewRecorder()
				r := again(t, s.request)
				r.URL.Path = "/hooks/acme"
				e.ServeHTTP(w, r)
				want(t, w, status)
			}
			if runs != 2 || s.store.claims.Load() != 3 {
				t.Errorf("%d runs, %d claims", runs, s.store.claims.Load())
			}
			s.wantSettled(1, 1)
		})
	}
	t.Run("of an unknown route nothing is committed", func(t *testing.T) {
		s := newSite(t)
		e := echo.New()
		e.Use(s.protect)
		w := httptest.NewRecorder()
		e.ServeHTTP(w, again(t, s.request))
		want(t, w, 404)
		s.wantSettled(0, 1)
	})
}

func TestTwoGuards(t *testing.T) {
	const body500 = `{"message":"Internal Server Error"}` + "\n"
	failed := func(*echo.Context) error { return errors.New("failed") }
	thenFail := func(c *echo.Context) error {
		c.NoContent(200)
		return errors.New("failed")
	}
	for _, c := range []struct {
		name     string
		handle   echo.HandlerFunc
		between  []echo.MiddlewareFunc
		inside   []echo.MiddlewareFunc
		errors   func(*echo.Context, error)
		response string
		commits  int64
		again    int
	}{
		{"an error that is answered 200", failed, nil, nil, func(c *echo.Context, _ error) { c.NoContent(200) }, "status 500", 0, 500},
		{"a panic that is recovered in between", func(c *echo.Context) error { panic("boom") },
			[]echo.MiddlewareFunc{recoverer()}, nil, nil, "status 500, body " + body500, 0, 500},
		{"an error that is logged inside", thenFail, nil, []echo.MiddlewareFunc{logger()}, nil, "status 500, body " + body500, 0, 500},
		{"an error that is logged in between", thenFail, []echo.MiddlewareFunc{logger()}, nil, nil, "status 500, body " + body500, 0, 500},
	} {
		t.Run(c.name, func(t *testing.T) {
			outer := newSite(t)
			inner := newSite(t, around(append([]echo.MiddlewareFunc{outer.protect}, c.between...)...), within(c.inside...), handling(c.handle))
			if c.errors != nil {
				inner.echo.HTTPErrorHandler = c.errors
			}
			w := newJournal()
			inner.echo.ServeHTTP(w, again(t, inner.request))
			if w.String() != c.response {
				t.Errorf("answered %q, want %q", w, c.response)
			}
			inner.wantSettled(c.commits, 1-c.commits)
			outer.wantSettled(c.commits, 1-c.commits)
			want(t, inner.serve(again(t, inner.request)), c.again)
		})
	}
}

func TestBodyBeforeTheGuard(t *testing.T) {
	body := eventBody("evt_1")
	compressed := new(bytes.Buffer)
	zip := gzip.NewWriter(compressed)
	zip.Write(body)
	zip.Close()
	limit := func(n int) echo.MiddlewareFunc { return echomiddleware.BodyLimit(int64(n)) }
	undeclared := func(r *http.Request) { r.ContentLength = -1 }
	for _, c := range []struct {
		name    string
		outer   echo.MiddlewareFunc
		request func(*http.Request)
		status  int
	}{
		{"a BodyLimit that is met", limit(len(body)), func(*http.Request) {}, 200},
		{"a BodyLimit that is met by an undeclared body", limit(len(body)), undeclared, 200},
		{"a BodyLimit that cuts off", limit(len(body) - 1), undeclared, 413},
		{"Decompress of a body that is not compressed", echomiddleware.Decompress(), func(*http.Request) {}, 200},
		{"Decompress of one that is", echomiddleware.Decompress(), func(r *http.Request) {
			r.Body, r.ContentLength = io.NopCloser(compressed), int64(compressed.Len())
			r.Header.Set("Content-Encoding", "gzip")
		}, 415},
		{"BodyDump, which puts the body back", echomiddleware.BodyDump(func(*echo.Context, []byte, []byte, error) {}), func(*http.Request) {}, 200},
		{"a Bind before the guard", func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c *echo.Context) error {
				c.Bind(new(struct{}))
				return next(c)
			}
		}, func(*http.Request) {}, 400},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, around(c.outer))
			c.request(s.request)
			want(t, s.serve(s.request), c.status)
			runs := int64(0)
			if c.status == 200 {
				runs = 1
			}
			s.wantRuns(runs)
			if c.status != 200 && s.store.claims.Load() != 0 {
				t.Error("the store was asked")
			}
		})
	}
}

func TestReportOnly(t *testing.T) {
	body := string(eventBody("evt_1"))
	for _, c := range []struct {
		name     string
		change   func(*site)
		outer    echo.MiddlewareFunc
		verified bool
		body     string
		err      error
		reason   verify.Reason
	}{
		{"genuine", func(*site) {}, nil, true, body, nil, 0},
		{"cut off by BodyLimit", func(s *site) { s.request.ContentLength = -1 }, echomiddleware.BodyLimit(10), false, body, echo.ErrStatusRequestEntityTooLarge, verify.ErrTooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, c.change, func(s *site) { s.opts.InsecureReportOnly = true }, handling(func(ec *echo.Context) error {
				d, ok := verify.FromContext(ec.Request().Context())
				if ok != c.verified || (d != nil) != c.verified {
					t.Errorf("verified %v, want %v", ok, c.verified)
				}
				b, err := io.ReadAll(ec.Request().Body)
				if string(b) != c.body || err != c.err {
					t.Errorf("body %q, %v; want %q, %v", b, err, c.body, c.err)
				}
				ec.String(202, "handled")
				http.NewResponseController(ec.Response()).Flush()
				return nil
			}))
			if c.outer != nil {
				s.echo.Use(c.outer)
			}
			w := s.serve(s.request)
			want(t, w, 202)
			if w.Body.String() != "handled" || !w.Flushed {
				t.Errorf("body %q, flushed %v", w.Body, w.Flushed)
			}
			s.wantRuns(1)
			outcome := middleware.Refused
			if c.verified {
				outcome = middleware.Handled
			}
			if e := s.event(); e.Outcome != outcome || e.Reason != c.reason || !e.ReportOnly || e.Status != 0 {
				t.Errorf("event %+v", e)
			}
		})
	}
	t.Run("also of failures", func(t *testing.T) {
		s := newSite(t, func(s *site) { s.opts.InsecureReportOnly = true }, handling(func(c *echo.Context) error { return c.NoContent(502) }))
		want(t, s.serve(s.request), 502)
		s.wantSettled(0, 1)
	})
	t.Run("also of errors after a response", func(t *testing.T) {
		s := newSite(t, func(s *site) { s.opts.InsecureReportOnly = true }, handling(func(c *echo.Context) error {
			c.NoContent(200)
			return errTeapot
		}))
		want(t, s.serve(s.request), 200)
		s.wantSettled(0, 1)
	})
	t.Run("also of errors", func(t *testing.T) {
		s := newSite(t, func(s *site) { s.opts.InsecureReportOnly = true }, handling(func(c *echo.Context) error { return errTeapot }))
		want(t, s.serve(s.request), 418)
		s.wantSettled(0, 1)
	})
}

func TestNewPanicsWithoutAGuard(t *testing.T) {
	for _, make := range []func(){
		func() { echov5mw.New(nil) },
		func() { echov5mw.Protect(nil) },
		func() { echov5mw.Protect((*stripe.Verifier)(nil)) },
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
	e := echo.New()
	runs := 0
	e.POST(hookPath, func(*echo.Context) error { runs++; return nil }, echov5mw.Protect(stripe.Must(stripeSecret)))
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

// As documented: what the guard cannot see, and its twin that it can.
func TestErrorOutOfSight(t *testing.T) {
	answering := func(swallow bool) echo.MiddlewareFunc {
		return func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c *echo.Context) error {
				err := next(c)
				if err != nil {
					c.Echo().HTTPErrorHandler(c, err)
				}
				if swallow {
					return nil
				}
				return err
			}
		}
	}
	fail := func(*echo.Context) error { return errors.New("failed") }
	thenFail := func(c *echo.Context) error {
		c.String(200, "done")
		return errors.New("failed")
	}
	for _, c := range []struct {
		name    string
		change  func(*site)
		handle  echo.HandlerFunc
		status  int
		commits int64
	}{
		{"inside, and returned", within(answering(false)), thenFail, 500, 0},
		{"inside, and not returned, with 500", within(answering(true)), fail, 500, 0},
		{"inside, and not returned, behind a response that stands", within(answering(true)), thenFail, 200, 1},
		{"outside, and not returned", around(answering(true)), thenFail, 500, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, c.change, handling(c.handle))
			want(t, s.serve(s.request), c.status)
			s.wantSettled(c.commits, 1-c.commits)
		})
	}
}

// As documented: a guard of net/http does not see the error, and its twin does.
func TestGuardOfNetHTTPIsNoSubstitute(t *testing.T) {
	for _, c := range []struct {
		name     string
		native   bool
		statuses []int
	}{{"of net/http", false, []int{200, 409}}, {"of this package", true, []int{500, 500}}} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t)
			m := s.protect
			if !c.native {
				m = echo.WrapMiddleware(s.guard.Handler)
			}
			e := echo.New()
			e.POST(hookPath, func(*echo.Context) error { return errors.New("failed") }, m)
			for _, status := range c.statuses {
				w := httptest.NewRecorder()
				e.ServeHTTP(w, again(t, s.request))
				want(t, w, status)
			}
		})
	}
}

// A handler may put a context of its own into its request, even one that knows
// nothing of the guard's, and a response around its own.
func TestReplacedContextAndResponse(t *testing.T) {
	swap := func(c *echo.Context) { c.SetRequest(c.Request().WithContext(context.Background())) }
	dump := echomiddleware.BodyDump(func(*echo.Context, []byte, []byte, error) {})
	const teapot = `status 418, body {"message":"I'm a teapot"}` + "\n"
	for _, c := range []struct {
		name     string
		change   func(*site)
		handle   echo.HandlerFunc
		response string
		commits  int64
	}{
		{"its context and its writer, and succeed", within(dump), func(c *echo.Context) error { swap(c); return c.NoContent(204) }, "status 204", 1},
		{"its context and its writer, and fail", within(dump), func(c *echo.Context) error { swap(c); return c.NoContent(502) }, "status 502", 0},
		{"its response, and succeed", func(*site) {}, func(c *echo.Context) error {
			c.SetResponse(echo.NewResponse(c.Response(), c.Logger()))
			return c.String(201, "ok")
		}, "status 201, body ok", 1},
		{"its response, and return an error", func(*site) {}, func(c *echo.Context) error {
			c.SetResponse(echo.NewResponse(c.Response(), c.Logger()))
			c.String(201, "ok")
			return errTeapot
		}, teapot, 0},
		{"its response, inside a middleware of net/http", within(echo.WrapMiddleware(func(h http.Handler) http.Handler { return h })),
			func(*echo.Context) error { return errTeapot }, teapot, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, c.change, handling(c.handle), func(s *site) {
				s.outer = append([]echo.MiddlewareFunc{func(next echo.HandlerFunc) echo.HandlerFunc {
					return func(c *echo.Context) error {
						before := c.Request()
						err := next(c)
						if c.Request() != before {
							t.Error("another request is left behind")
						}
						return err
					}
				}}, s.outer...)
			})
			w := newJournal()
			s.echo.ServeHTTP(w, again(t, s.request))
			if w.String() != c.response {
				t.Errorf("answered %q, want %q", w, c.response)
			}
			s.wantSettled(c.commits, 1-c.commits)
		})
	}
}
