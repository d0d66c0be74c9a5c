package echomw_test

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"

	"github.com/labstack/echo/v4"
	echomiddleware "github.com/labstack/echo/v4/middleware"
)

// overBoth runs a test over HTTP/1.1 and over HTTP/2. deliver posts a request to the
// handler, waiting for the server's go-ahead with the body, and returns the response.
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
func TestProxy(t *testing.T) {
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

// recovererThat responds with 500 to panics of h.
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

func TestRecovererOfNetHTTP(t *testing.T) {
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
