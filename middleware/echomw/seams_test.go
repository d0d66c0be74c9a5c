package echomw_test

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
	echomiddleware "github.com/labstack/echo/v4/middleware"

	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
)

// overBoth runs a test over HTTP/1.1 and over HTTP/2. deliver posts a request to the
// handler, waiting for the server's go-ahead with the body, and returns the answer.
func overBoth(t *testing.T, test func(t *testing.T, deliver func(http.Handler, *http.Request) (int, string))) {
	for _, name := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(name, func(t *testing.T) {
			test(t, func(h http.Handler, r *http.Request) (int, string) {
				t.Helper()
				server := httptest.NewUnstartedServer(h)
				server.Config.ErrorLog = log.New(io.Discard, "", 0)
				server.EnableHTTP2 = name == "HTTP/2.0"
				server.StartTLS()
				defer server.Close()
				r = again(t, r)
				r.URL.Scheme, r.URL.Host, r.RequestURI = "https", server.Listener.Addr().String(), ""
				r.Header.Set("Expect", "100-continue")
				response, err := server.Client().Do(r)
				if err != nil {
					t.Fatal(err)
				}
				defer response.Body.Close()
				// A second refusal may stand behind the first one, which is too long then.
				body, _ := io.ReadAll(response.Body)
				if response.Proto != name {
					t.Errorf("over %s", response.Proto)
				}
				return response.StatusCode, string(body)
			})
		})
	}
}

// upstream returns the address of a server that sends an informational status, if it
// is not 0, and then the status.
func upstream(t *testing.T, informational, status int) *url.URL {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if informational != 0 {
			w.WriteHeader(informational)
		}
		io.Copy(io.Discard, r.Body)
		w.WriteHeader(status)
		io.WriteString(w, "upstream")
	}))
	t.Cleanup(server.Close)
	target, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return target
}

// The final status of the upstream decides, whatever comes before it.
func TestAProxyBehindTheGuard(t *testing.T) {
	for name, wire := range map[string]func(*site, *url.URL){
		"ReverseProxy in WrapHandler": func(s *site, target *url.URL) {
			s.echo.POST("/proxy", echo.WrapHandler(httputil.NewSingleHostReverseProxy(target)), s.protect)
		},
		"echo's Proxy": func(s *site, target *url.URL) {
			balancer := echomiddleware.NewRandomBalancer([]*echomiddleware.ProxyTarget{{URL: target}})
			s.echo.POST("/proxy", nil, s.protect, echomiddleware.Proxy(balancer))
		},
		"ReverseProxy behind WrapMiddleware": func(s *site, target *url.URL) {
			s.echo.POST("/proxy", echo.WrapHandler(httputil.NewSingleHostReverseProxy(target)), s.protect,
				echo.WrapMiddleware(func(h http.Handler) http.Handler { return h }))
		},
		"a guard of net/http in WrapHandler": func(s *site, target *url.URL) {
			s.echo.POST("/proxy", echo.WrapHandler(s.guard.Handler(httputil.NewSingleHostReverseProxy(target))))
		},
	} {
		for _, c := range []struct {
			name                  string
			informational, status int
			commits               int64
		}{
			{"that fails", 0, 500, 0},
			{"that fails after a go-ahead", 100, 500, 0},
			{"that fails after early hints", 103, 500, 0},
			{"that succeeds", 0, 202, 1},
			{"that succeeds after a go-ahead", 100, 202, 1},
			{"that succeeds after early hints", 103, 202, 1},
		} {
			t.Run(name+", to an upstream "+c.name, func(t *testing.T) {
				overBoth(t, func(t *testing.T, deliver func(http.Handler, *http.Request) (int, string)) {
					s := newSite(t)
					wire(s, upstream(t, c.informational, c.status))
					s.request.URL.Path = "/proxy"
					status, body := deliver(s.echo, s.request)
					if status != c.status || body != "upstream" {
						t.Errorf("status %d, body %q", status, body)
					}
					s.wantSettled(c.commits, 1-c.commits)
				})
			})
		}
	}
}

// recovererThat answers 500 to panics of h.
func recovererThat(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if recover() != nil {
				http.Error(w, "sorry", http.StatusInternalServerError)
			}
		}()
		h.ServeHTTP(w, r)
	})
}

func TestARecovererOfNetHTTPBehindTheAnswer(t *testing.T) {
	for _, c := range []struct {
		name    string
		panics  bool
		wire    func(s *site, h http.Handler) (echo.HandlerFunc, []echo.MiddlewareFunc)
		status  int
		commits int64
	}{
		{"inside a guard of net/http", true, func(s *site, h http.Handler) (echo.HandlerFunc, []echo.MiddlewareFunc) {
			return echo.WrapHandler(s.guard.Handler(recovererThat(h))), nil
		}, 500, 0},
		{"inside a guard of net/http, with nothing to recover", false, func(s *site, h http.Handler) (echo.HandlerFunc, []echo.MiddlewareFunc) {
			return echo.WrapHandler(s.guard.Handler(recovererThat(h))), nil
		}, 200, 1},
		{"that is echo's, inside this guard", true, func(s *site, h http.Handler) (echo.HandlerFunc, []echo.MiddlewareFunc) {
			return echo.WrapHandler(h), []echo.MiddlewareFunc{s.protect, recoverer()}
		}, 500, 0},
		// As documented.
		{"inside this guard", true, func(s *site, h http.Handler) (echo.HandlerFunc, []echo.MiddlewareFunc) {
			return echo.WrapHandler(recovererThat(h)), []echo.MiddlewareFunc{s.protect}
		}, 200, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			overBoth(t, func(t *testing.T, deliver func(http.Handler, *http.Request) (int, string)) {
				s := newSite(t)
				handle, middlewares := c.wire(s, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					io.WriteString(w, "done")
					if c.panics {
						panic("boom")
					}
				}))
				s.echo.POST("/wrapped", handle, middlewares...)
				s.request.URL.Path = "/wrapped"
				if status, body := deliver(s.echo, s.request); status != c.status {
					t.Errorf("status %d, body %q", status, body)
				}
				s.wantSettled(c.commits, 1-c.commits)
			})
		})
	}
}

// A forged delivery reaches no handler behind the guard by means of echo, and nothing
// can read what it carried.
func TestNothingOfEchoRunsWhatTheGuardRefused(t *testing.T) {
	once := func(f func(echo.Context) error) echo.MiddlewareFunc {
		return func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c echo.Context) error {
				if c.Request().Header.Get("X-Again") != "" {
					return next(c)
				}
				c.Request().Header.Set("X-Again", "1")
				if err := next(c); err != nil {
					return err
				}
				return f(c)
			}
		}
	}
	find := func(e *echo.Echo) func(echo.Context) error {
		return func(c echo.Context) error {
			c.Request().URL.Path = hookPath
			e.Router().Find(http.MethodPost, hookPath, c)
			return c.Handler()(c)
		}
	}
	for _, c := range []struct {
		name string
		path string
		wire func(e *echo.Echo, protect echo.MiddlewareFunc, handle echo.HandlerFunc)
	}{
		{"the router from another route", "/old", func(e *echo.Echo, protect echo.MiddlewareFunc, handle echo.HandlerFunc) {
			e.POST("/old", find(e))
			e.POST(hookPath, handle, protect)
		}},
		{"the router from another route, to a group", "/old", func(e *echo.Echo, protect echo.MiddlewareFunc, handle echo.HandlerFunc) {
			e.POST("/old", find(e))
			e.Group("", protect).POST(hookPath, handle)
		}},
		{"the router from another route, with the guard in Use", "/old", func(e *echo.Echo, protect echo.MiddlewareFunc, handle echo.HandlerFunc) {
			e.Use(protect)
			e.POST("/old", find(e))
			e.POST(hookPath, handle)
		}},
		{"the router where no route is found", "/old", func(e *echo.Echo, protect echo.MiddlewareFunc, handle echo.HandlerFunc) {
			e.RouteNotFound("/*", find(e))
			e.POST(hookPath, handle, protect)
		}},
		{"the router after the refusal", hookPath, func(e *echo.Echo, protect echo.MiddlewareFunc, handle echo.HandlerFunc) {
			e.Use(once(find(e)))
			e.POST(hookPath, handle, protect)
		}},
		{"next once more", hookPath, func(e *echo.Echo, protect echo.MiddlewareFunc, handle echo.HandlerFunc) {
			e.POST(hookPath, handle, func(next echo.HandlerFunc) echo.HandlerFunc {
				return func(c echo.Context) error { next(c); return next(c) }
			}, protect)
		}},
		{"the route's handler after the refusal", hookPath, func(e *echo.Echo, protect echo.MiddlewareFunc, handle echo.HandlerFunc) {
			e.Use(once(func(c echo.Context) error { return c.Handler()(c) }))
			e.POST(hookPath, handle, protect)
		}},
		{"the whole Echo after the refusal", hookPath, func(e *echo.Echo, protect echo.MiddlewareFunc, handle echo.HandlerFunc) {
			e.Use(once(func(c echo.Context) error { e.ServeHTTP(c.Response(), c.Request()); return nil }))
			e.POST(hookPath, handle, protect)
		}},
		{"a context that was reset after the refusal", hookPath, func(e *echo.Echo, protect echo.MiddlewareFunc, handle echo.HandlerFunc) {
			e.Use(once(func(c echo.Context) error {
				h := c.Handler()
				c.Reset(c.Request(), c.Response().Writer)
				c.SetHandler(h)
				return c.Handler()(c)
			}))
			e.POST(hookPath, handle, protect)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			overBoth(t, func(t *testing.T, deliver func(http.Handler, *http.Request) (int, string)) {
				for _, genuine := range []bool{false, true} {
					if genuine && strings.Contains(c.name, "in Use") {
						continue // inside the guard, the router does not take the context
					}
					s := newSite(t)
					e := echo.New()
					e.Logger.SetOutput(io.Discard)
					runs := 0
					var left string
					e.Pre(func(next echo.HandlerFunc) echo.HandlerFunc {
						return func(c echo.Context) error {
							r := c.Request()
							err := next(c)
							if body, _ := io.ReadAll(r.Body); len(body) > 0 {
								left = string(body)
							}
							return err
						}
					})
					c.wire(e, s.protect, func(c echo.Context) error {
						runs++
						if _, ok := verify.FromContext(c.Request().Context()); !ok {
							t.Error("the handler ran for what was not proved")
						}
						return c.String(200, "ok")
					})
					r := stripetest.NewRequest(hookURL, start, eventBody("evt_1"), otherSecret)
					if genuine {
						r = s.request
					}
					r.URL.Path = c.path
					status, body := deliver(e, r)
					if !genuine && (runs != 0 || status != 401 || left != "") {
						t.Errorf("forged: %d runs, status %d, body %q; left is %q", runs, status, body, left)
					}
					if genuine && (runs != 1 || status != 200) {
						t.Errorf("genuine: %d runs, status %d, body %q", runs, status, body)
					}
				}
			})
		})
	}
}

// What a middleware outside holds of the request has no body after a refusal on the
// head, either, although nobody has read it.
func TestNothingIsLeftToReadAfterARefusal(t *testing.T) {
	overBoth(t, func(t *testing.T, deliver func(http.Handler, *http.Request) (int, string)) {
		for _, signed := range []bool{false, true} {
			var left []byte
			s := newSite(t, around(func(next echo.HandlerFunc) echo.HandlerFunc {
				return func(c echo.Context) error {
					err := next(c)
					left, _ = io.ReadAll(c.Request().Body)
					return err
				}
			}))
			status := 200
			if !signed {
				s.request.Header.Del("Stripe-Signature")
				status = 401
			}
			if got, _ := deliver(s.echo, s.request); got != status || len(left) != 0 {
				t.Errorf("status %d, left %q", got, left)
			}
		}
	})
}

// A recoverer around the whole Echo that answers nothing where the sender asks for an
// upgrade, as chi's does.
func TestAPanicIsAFailureForARecovererOutside(t *testing.T) {
	s := newSite(t, handling(func(echo.Context) error { panic("boom") }))
	s.request.Header.Set("Connection", "Upgrade")
	status := 200
	func() {
		defer func() {
			if recover() != nil && s.request.Header.Get("Connection") != "Upgrade" {
				status = 500
			}
		}()
		s.echo.ServeHTTP(httptest.NewRecorder(), s.request)
	}()
	if status != 500 {
		t.Errorf("status %d", status)
	}
	s.wantSettled(0, 1)
}

// Early hints of a middleware outside are not taken for the guard's answer.
func TestEarlyHintsBeforeTheGuard(t *testing.T) {
	hint := func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error { c.Response().WriteHeader(103); return next(c) }
	}
	for _, c := range []struct {
		name   string
		change func(*site)
		status int
	}{
		{"a refusal", func(s *site) { s.request.Header.Del("Stripe-Signature") }, 401},
		{"a failure", handling(func(c echo.Context) error { return c.NoContent(503) }), 503},
		{"a success", handling(func(c echo.Context) error { return c.NoContent(204) }), 204},
		{"a success without a status", func(*site) {}, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			overBoth(t, func(t *testing.T, deliver func(http.Handler, *http.Request) (int, string)) {
				s := newSite(t, around(hint), c.change)
				if status, _ := deliver(s.echo, s.request); status != c.status {
					t.Errorf("status %d", status)
				}
				if done := s.store.commits.Load() == 1; done != (c.status/100 == 2) {
					t.Errorf("committed: %v", done)
				}
			})
		})
	}
}
