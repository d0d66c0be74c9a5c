package middleware_test

import (
	"bytes"
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/http/httputil"
	"net/textproto"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify/replay"
)

// overBoth runs a test over HTTP/1.1 and over HTTP/2.
func overBoth(t *testing.T, test func(t *testing.T, serve func(http.Handler) *httptest.Server)) {
	for _, name := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(name, func(t *testing.T) {
			test(t, func(h http.Handler) *httptest.Server {
				server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.Proto != name {
						t.Errorf("over %s", r.Proto)
					}
					h.ServeHTTP(w, r)
				}))
				server.Config.ErrorLog = log.New(io.Discard, "", 0)
				server.EnableHTTP2 = name == "HTTP/2.0"
				server.StartTLS()
				t.Cleanup(server.Close)
				transport := server.Client().Transport.(*http.Transport)
				transport.ExpectContinueTimeout = patience
				return server
			})
		})
	}
}

// deliver posts r to the server and returns the status, the body and the
// informational statuses that came before.
func deliver(t *testing.T, server *httptest.Server, r *http.Request) (int, string, []int) {
	t.Helper()
	var informed []int
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		Got1xxResponse: func(code int, _ textproto.MIMEHeader) error {
			informed = append(informed, code)
			return nil
		},
	})
	response, err := server.Client().Do(requestTo(server.URL, again(t, r)).WithContext(ctx))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body), informed
}

// proxyTo returns a proxy to an upstream that sends early hints and then the status.
func proxyTo(t *testing.T, status int, upgrade bool) *httputil.ReverseProxy {
	t.Helper()
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, ok := r.Header["Expect"]; ok {
			t.Error("the upstream is asked for a go-ahead")
		}
		if upgrade {
			w.Header().Set("Connection", "Upgrade")
			w.Header().Set("Upgrade", "websocket")
			w.WriteHeader(http.StatusSwitchingProtocols)
			return
		}
		io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(status)
		io.WriteString(w, "upstream")
	}))
	t.Cleanup(upstream.Close)
	target, err := url.Parse(upstream.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ErrorLog = log.New(io.Discard, "", 0)
	return proxy
}

func TestNothingInformationalLeavesThroughAProxy(t *testing.T) {
	for _, c := range []struct {
		name    string
		status  int
		upgrade bool
		want    int
		commits int64
	}{
		{"an upstream that fails", 500, false, 500, 0},
		{"an upstream that succeeds", 200, false, 200, 1},
		{"an upstream that upgrades unasked", 101, true, 502, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			overBoth(t, func(t *testing.T, serve func(http.Handler) *httptest.Server) {
				s := newSite(t, live)
				s.handle = proxyTo(t, c.status, c.upgrade).ServeHTTP
				s.request.Header.Set("Expect", "100-continue")
				server := serve(s)
				if c.upgrade {
					if server.EnableHTTP2 {
						t.Skip("HTTP/2 has no upgrades")
					}
					s.request.Header.Set("Upgrade", "websocket")
				}
				status, _, informed := deliver(t, server, s.request)
				if status != c.want || s.store.commits.Load() != c.commits || s.store.releases.Load() != 1-c.commits {
					t.Errorf("status %d, %d commits, %d releases", status, s.store.commits.Load(), s.store.releases.Load())
				}
				for _, code := range informed {
					if code != 100 { // the server's own, for the body
						t.Errorf("status %d reached the sender", code)
					}
				}
			})
		})
	}
}

func TestTheAdmittedRequestExpectsNothing(t *testing.T) {
	for name, value := range map[string]string{"Expect": "100-continue", "Connection": "Upgrade", "Upgrade": "websocket", "X-Some": "1"} {
		s := newSite(t)
		s.request.Header.Set(name, value)
		s.request.Header.Set("X-Other", "1")
		s.handle = func(w http.ResponseWriter, r *http.Request) {
			if _, ok := r.Header[name]; ok != (name == "X-Some") || r.Header.Get("X-Other") != "1" {
				t.Errorf("the handler sees %v", r.Header)
			}
		}
		s.serve(s.request)
		wantRuns(t, s, 1)
		if s.request.Header.Get(name) != value {
			t.Error("the header of the request outside was changed")
		}
	}
}

// A recoverer inside the guard answers 500 to a panic after the handler's 200.
func TestARecovererInsideMakesAFailure(t *testing.T) {
	overBoth(t, func(t *testing.T, serve func(http.Handler) *httptest.Server) {
		s := newSite(t, live)
		s.handle = func(w http.ResponseWriter, r *http.Request) {
			defer func() {
				if recover() != nil {
					http.Error(w, "sorry", http.StatusInternalServerError)
				}
			}()
			io.WriteString(w, "done")
			if s.runs.Load() == 1 {
				panic("boom")
			}
		}
		server := serve(s)
		for _, want := range []struct {
			status int
			body   string
		}{{500, "sorry\n"}, {200, "done"}} {
			if status, body, _ := deliver(t, server, s.request); status != want.status || body != want.body {
				t.Errorf("status %d, body %q; want %d, %q", status, body, want.status, want.body)
			}
		}
		if s.store.commits.Load() != 1 || s.store.releases.Load() != 1 {
			t.Errorf("%d commits, %d releases", s.store.commits.Load(), s.store.releases.Load())
		}
	})
}

func TestAfterARefusalTheBodyIsGone(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*site)
		status int
	}{
		{"on the head", unsigned, 401},
		{"another media type", func(s *site) { s.request.Header.Set("Content-Type", "text/plain") }, 415},
		{"another secret", func(s *site) {
			s.request = stripetest.NewRequest(hookURL, time.Now(), eventBody("evt_1"), otherSecret)
		}, 401},
		{"too large", func(s *site) { s.opts.MaxBody = 16 }, 413},
		{"without a store", func(s *site) {
			s.store.claim = func(context.Context, replay.Claim) (replay.Outcome, error) {
				return replay.Outcome{}, context.DeadlineExceeded
			}
		}, 503},
		{"an honest repeat", func(s *site) {
			s.store.claim = func(context.Context, replay.Claim) (replay.Outcome, error) {
				return replay.Outcome{Status: replay.Done}, nil
			}
		}, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			overBoth(t, func(t *testing.T, serve func(http.Handler) *httptest.Server) {
				s := newSite(t, live, c.change)
				reads := make(chan string, 1)
				server := serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					s.ServeHTTP(w, r)
					body, err := io.ReadAll(r.Body)
					if err != nil || r.GetBody != nil || r.Body != http.NoBody {
						t.Errorf("%v, %T", err, r.Body)
					}
					reads <- string(body)
				}))
				status, _, _ := deliver(t, server, s.request)
				if got := await(t, reads, "the middleware outside"); status != c.status || got != "" {
					t.Errorf("status %d, and then the body was read: %q", status, got)
				}
				wantRuns(t, s, 0)
			})
		})
	}
	t.Run("but not for whom the guard only reports to", func(t *testing.T) {
		s := newSite(t, reportOnly, unsigned)
		s.handle = func(w http.ResponseWriter, r *http.Request) {
			if body, err := io.ReadAll(r.Body); err != nil || !bytes.Equal(body, eventBody("evt_1")) {
				t.Errorf("body %q, %v", body, err)
			}
		}
		s.serve(s.request)
		wantRuns(t, s, 1)
	})
}

// A middleware outside that tries again gets no further.
func TestARefusedRequestIsRefusedAgain(t *testing.T) {
	for _, refused := range []bool{true, false} {
		s := newSite(t)
		if refused {
			s.request = stripetest.NewRequest(hookURL, start, eventBody("evt_1"), otherSecret)
		}
		r := again(t, s.request)
		w := s.serve(r)
		s.ServeHTTP(newJournal(), r)
		s.ServeHTTP(newJournal(), r.WithContext(context.Background()))
		if refused {
			wantRuns(t, s, 0)
		} else {
			wantRuns(t, s, 1)
		}
		if (w.Code == 401) != refused {
			t.Errorf("status %d", w.Code)
		}
	}
}

// The same request stays on an HTTP/1 connection after a refusal that read the whole
// body: that the body is taken away later confuses no server.
func TestAConnectionOutlivesARefusalBehindTheBody(t *testing.T) {
	s := newSite(t, live)
	server := listen(t, s)
	var dials atomic.Int64
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) {
		if !i.Reused {
			dials.Add(1)
		}
	}})
	for _, want := range []int{200, 409, 409} {
		response, err := server.Client().Do(requestTo(server.URL, again(t, s.request)).WithContext(ctx))
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, response.Body)
		response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("status %d, want %d", response.StatusCode, want)
		}
	}
	if dials.Load() != 1 {
		t.Errorf("%d connections", dials.Load())
	}
}
