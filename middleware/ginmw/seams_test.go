package ginmw_test

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"

	"github.com/gin-gonic/gin"

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

// A forged delivery reaches no handler behind the guard by means of gin, and nothing
// can read what it carried.
func TestNothingOfGinRunsWhatTheGuardRefused(t *testing.T) {
	anew := func(e *gin.Engine, path string) gin.HandlerFunc {
		return func(c *gin.Context) {
			c.Request.URL.Path = path
			e.HandleContext(c)
		}
	}
	for _, c := range []struct {
		name string
		wire func(e *gin.Engine, protect, handle gin.HandlerFunc)
		path string
		runs int // of a genuine delivery
	}{
		{"HandleContext from a route", func(e *gin.Engine, protect, handle gin.HandlerFunc) {
			e.POST("/old", anew(e, hookPath))
			e.POST(hookPath, protect, handle)
		}, "/old", 1},
		{"HandleContext in NoRoute", func(e *gin.Engine, protect, handle gin.HandlerFunc) {
			e.NoRoute(anew(e, hookPath))
			e.POST(hookPath, protect, handle)
		}, "/old", 1},
		{"HandleContext from a route with more handlers", func(e *gin.Engine, protect, handle gin.HandlerFunc) {
			e.POST("/old", anew(e, hookPath), func(*gin.Context) {}, func(*gin.Context) {}, func(*gin.Context) {})
			e.POST(hookPath, protect, handle)
		}, "/old", 1},
		{"HandleContext from a route to one with a guard of a group", func(e *gin.Engine, protect, handle gin.HandlerFunc) {
			e.POST("/old", anew(e, hookPath))
			e.Group("", protect).POST(hookPath, handle)
		}, "/old", 1},
		{"HandleContext twice", func(e *gin.Engine, protect, handle gin.HandlerFunc) {
			e.POST("/older", anew(e, "/old"))
			e.POST("/old", anew(e, hookPath))
			e.POST(hookPath, protect, handle)
		}, "/older", 1},
		{"HandleContext in a middleware of the route itself", func(e *gin.Engine, protect, handle gin.HandlerFunc) {
			e.POST(hookPath, func(c *gin.Context) {
				if c.Request.Header.Get("X-Again") == "" {
					c.Request.Header.Set("X-Again", "1")
					e.HandleContext(c)
				}
			}, protect, handle)
		}, hookPath, 1},
		{"HandleContext after the refusal", func(e *gin.Engine, protect, handle gin.HandlerFunc) {
			e.POST(hookPath, func(c *gin.Context) {
				c.Next()
				if c.Request.Header.Get("X-Again") == "" {
					c.Request.Header.Set("X-Again", "1")
					e.HandleContext(c)
				}
			}, protect, handle)
		}, hookPath, 1},
		{"Next once more", func(e *gin.Engine, protect, handle gin.HandlerFunc) {
			e.POST(hookPath, func(c *gin.Context) { c.Next(); c.Next(); c.Next() }, protect, handle)
		}, hookPath, 1},
		{"the engine once more", func(e *gin.Engine, protect, handle gin.HandlerFunc) {
			e.POST(hookPath, func(c *gin.Context) {
				if c.Request.Header.Get("X-Again") == "" {
					c.Request.Header.Set("X-Again", "1")
					c.Abort()
					e.ServeHTTP(c.Writer, c.Request)
					e.ServeHTTP(c.Writer, c.Request)
				}
			}, protect, handle)
		}, hookPath, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			overBoth(t, func(t *testing.T, deliver func(http.Handler, *http.Request) (int, string)) {
				for _, genuine := range []bool{false, true} {
					s := newSite(t)
					e := gin.New()
					runs := 0
					var left string
					e.Use(func(c *gin.Context) {
						r := c.Request
						c.Next()
						if body, _ := io.ReadAll(r.Body); len(body) > 0 {
							left = string(body)
						}
					})
					c.wire(e, s.protect, func(c *gin.Context) {
						runs++
						if _, ok := verify.FromContext(c.Request.Context()); !ok {
							t.Error("the handler ran for what was not proved")
						}
						c.String(200, "ok")
					})
					r := delivery("evt_1", otherSecret)
					if genuine {
						r = delivery("evt_1", stripeSecret)
					}
					r.URL.Path = c.path
					status, body := deliver(e, r)
					if !genuine && (runs != 0 || status != 401 || left != "") {
						t.Errorf("forged: %d runs, status %d, body %q; left is %q", runs, status, body, left)
					}
					if genuine && (runs != c.runs || status != 200) {
						t.Errorf("genuine: %d runs, status %d", runs, status)
					}
				}
			})
		})
	}
}

// What calls the handler itself goes around every middleware; even then there is
// nothing to read.
func TestNothingIsLeftToReadAfterARefusal(t *testing.T) {
	s := newSite(t, func(s *site) { s.request.Header.Del("Stripe-Signature") },
		around(func(c *gin.Context) {
			c.Next()
			c.Handler()(c)
		}), handling(func(c *gin.Context) {
			if err := c.ShouldBindJSON(new(any)); err != io.EOF {
				t.Errorf("binding says %v", err)
			}
		}))
	want(t, s.serve(s.request), 401)
	if s.runs.Load() != 1 {
		t.Errorf("%d runs", s.runs.Load())
	}
}

// An upstream that sends informational answers decides all the same.
func TestAProxyBehindTheGuard(t *testing.T) {
	for _, c := range []struct {
		name             string
		informed, status int
		commits          int64
	}{
		{"whose upstream fails", 0, 500, 0},
		{"whose upstream fails after early hints", 103, 500, 0},
		{"whose upstream fails after a go-ahead", 100, 500, 0},
		{"whose upstream succeeds after early hints", 103, 202, 1},
		{"whose upstream succeeds", 0, 202, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			overBoth(t, func(t *testing.T, deliver func(http.Handler, *http.Request) (int, string)) {
				upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if c.informed != 0 {
						w.WriteHeader(c.informed)
					}
					io.Copy(io.Discard, r.Body)
					w.WriteHeader(c.status)
					io.WriteString(w, "upstream")
				}))
				defer upstream.Close()
				target, err := url.Parse(upstream.URL)
				if err != nil {
					t.Fatal(err)
				}
				s := newSite(t, handling(gin.WrapH(httputil.NewSingleHostReverseProxy(target))))
				status, body := deliver(s.engine, s.request)
				if status != c.status || body != "upstream" {
					t.Errorf("status %d, body %q", status, body)
				}
				s.wantSettled(t, c.commits, 1-c.commits)
			})
		})
	}
}

// A recoverer around the whole engine that answers nothing where the sender asks for an
// upgrade, as chi's does.
func TestAPanicIsAFailureForARecovererOutside(t *testing.T) {
	s := newSite(t, handling(func(*gin.Context) { panic("boom") }))
	s.request.Header.Set("Connection", "Upgrade")
	status := 200
	func() {
		defer func() {
			if recover() != nil && s.request.Header.Get("Connection") != "Upgrade" {
				status = 500
			}
		}()
		s.engine.ServeHTTP(httptest.NewRecorder(), s.request)
	}()
	if status != 500 {
		t.Errorf("status %d", status)
	}
	s.wantSettled(t, 0, 1)
}
