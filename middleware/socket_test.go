package middleware_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

// live puts a site on the real clock.
func live(s *site) {
	s.opts.Now = nil
	s.store = &probe{Store: replay.NewMemory(nil)}
	s.request = stripetest.NewRequest(hookURL, time.Now(), eventBody("evt_1"), stripeSecret)
}

func unsigned(s *site) { s.request.Header.Del("Stripe-Signature") }

// answered reads one response.
func answered(t *testing.T, r *bufio.Reader) *http.Response {
	t.Helper()
	response, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatalf("no response: %v", err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	response.Body = io.NopCloser(strings.NewReader(string(body)))
	return response
}

// hungUp checks that the server ends the connection soon, although the client
// does not.
func hungUp(t *testing.T, conn net.Conn, r *bufio.Reader) {
	t.Helper()
	conn.SetReadDeadline(time.Now().Add(3 * time.Second))
	if n, err := io.Copy(io.Discard, r); n != 0 || err != nil {
		t.Errorf("after the response came %d bytes and %v, want the end of the connection", n, err)
	}
}

func TestHeadRefusal(t *testing.T) {
	t.Run("it does not wait for the body", func(t *testing.T) {
		declared := fmt.Sprintf("Content-Length: %d", len(eventBody("evt_1")))
		expect := "\r\nExpect: 100-continue"
		for _, c := range []struct {
			name    string
			change  func(*site)
			framing string
			status  int
		}{
			{"a declared body", unsigned, declared, 401},
			{"a chunked body", unsigned, "Transfer-Encoding: chunked", 401},
			{"a body of more than the server would drain", unsigned, "Content-Length: 900000", 401},
			{"a body that waits for the go-ahead", unsigned, declared + expect, 401},
			{"a chunked body that waits for the go-ahead", unsigned, "Transfer-Encoding: chunked" + expect, 401},
			{"another method", method("PUT"), declared, 405},
			{"another media type", header("Content-Type", "text/plain"), declared, 415},
			{"another encoding, chunked", header("Content-Encoding", "gzip"), "Transfer-Encoding: chunked", 415},
			{"a body that is declared too large", func(*site) {}, "Content-Length: 1048577", 413},
			{"a body too large that waits for the go-ahead", func(*site) {}, "Content-Length: 1048577" + expect, 413},
		} {
			t.Run(c.name, func(t *testing.T) {
				s := newSite(t, live, c.change)
				server := listen(t, s)
				conn := dial(t, server)
				reader := bufio.NewReader(conn)
				begin := time.Now()
				send(t, conn, headOf(s.request, c.framing))
				response := answered(t, reader) // the first line, so no 100 before it
				if took := time.Since(begin); took > 3*time.Second {
					t.Errorf("answered after %v", took)
				}
				if response.StatusCode != c.status || !response.Close {
					t.Errorf("status %d, close %v, want %d and true", response.StatusCode, response.Close, c.status)
				}
				hungUp(t, conn, reader)
				wantRuns(t, s, 0)
			})
		}
	})

	t.Run("its twin keeps its connection", func(t *testing.T) {
		body := string(eventBody("evt_1"))
		declared := fmt.Sprintf("Content-Length: %d", len(body))
		chunked := fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(body), body)
		for _, c := range []struct {
			name     string
			framing  string
			goAhead  bool
			body     string
			statuses [2]int
			change   func(*site)
		}{
			{"a declared body", declared, false, body, [2]int{200, 409}, func(*site) {}},
			{"a chunked body", "Transfer-Encoding: chunked", false, chunked, [2]int{200, 409}, func(*site) {}},
			{"a body that waits for the go-ahead", declared + "\r\nExpect: 100-continue", true, body, [2]int{200, 409}, func(*site) {}},
			{"a chunked body that waits for the go-ahead", "Transfer-Encoding: chunked\r\nExpect: 100-continue", true, chunked, [2]int{200, 409}, func(*site) {}},
			{"another method without a body", "", false, "", [2]int{405, 405}, method("GET")},
			{"another method with an empty body", "Content-Length: 0", false, "", [2]int{405, 405}, method("PUT")},
			{"another media type without a body", "Content-Length: 0", false, "", [2]int{415, 415}, header("Content-Type", "text/plain")},
		} {
			t.Run(c.name, func(t *testing.T) {
				s := newSite(t, live, c.change)
				conn := dial(t, listen(t, s))
				reader := bufio.NewReader(conn)
				for _, status := range c.statuses {
					send(t, conn, headOf(s.request, c.framing))
					if c.goAhead {
						if response := answered(t, reader); response.StatusCode != 100 {
							t.Fatalf("status %d before the body, want 100", response.StatusCode)
						}
					}
					send(t, conn, c.body)
					if response := answered(t, reader); response.StatusCode != status || response.Close {
						t.Errorf("status %d, close %v, want %d and false", response.StatusCode, response.Close, status)
					}
				}
			})
		}
	})

	t.Run("it spares an HTTP/2 connection", func(t *testing.T) {
		for _, c := range []struct {
			name   string
			change func(*site)
			body   func() (io.ReadCloser, func())
			status int
		}{
			{"refused with its body under way", unsigned, func() (io.ReadCloser, func()) {
				r, w := io.Pipe()
				return r, func() { w.CloseWithError(errors.New("over")) }
			}, 401},
			{"too large, with its body under way", func(s *site) { s.opts.MaxBody = 1 }, func() (io.ReadCloser, func()) {
				r, w := io.Pipe()
				go w.Write([]byte("much more than a byte"))
				return r, func() { w.CloseWithError(errors.New("over")) }
			}, 413},
			{"refused behind its body", func(s *site) {
				s.request = stripetest.NewRequest(hookURL, time.Now(), eventBody("evt_1"), otherSecret)
			}, nil, 401},
			{"accepted", func(*site) {}, nil, 200},
		} {
			t.Run(c.name, func(t *testing.T) {
				s := newSite(t, live, func(s *site) { s.opts.Duplicates = middleware.AcknowledgeDuplicates }, c.change)
				server := httptest.NewUnstartedServer(s)
				server.EnableHTTP2 = true
				server.StartTLS()
				t.Cleanup(server.Close)
				for i := range 4 {
					r := again(t, s.request)
					over := func() {}
					if c.body != nil {
						r.Body, over = c.body()
						r.GetBody, r.ContentLength = nil, -1
					}
					r = requestTo(server.URL, r)
					var reused bool
					ctx, cancel := context.WithTimeout(t.Context(), patience)
					r = r.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
						GotConn: func(info httptrace.GotConnInfo) { reused = info.Reused },
					}))
					response, err := server.Client().Do(r)
					over()
					if err != nil {
						t.Fatal(err)
					}
					io.Copy(io.Discard, response.Body)
					response.Body.Close()
					cancel()
					if response.ProtoMajor != 2 || response.StatusCode != c.status {
						t.Errorf("%s with status %d, want %d", response.Proto, response.StatusCode, c.status)
					}
					if response.Header.Get("Connection") != "" {
						t.Error("it has a header Connection")
					}
					if reused != (i > 0) {
						t.Errorf("request %d: connection reused %v", i+1, reused)
					}
				}
			})
		}
	})
}

func TestBodyRefusal(t *testing.T) {
	// A refusal behind a whole body leaves the connection as it is, but for 401.
	t.Run("it leaves the connection as it is", func(t *testing.T) {
		for _, c := range []struct {
			name   string
			change func(*site)
			status int
			close  bool
		}{
			{"not genuine", func(s *site) {
				s.request = stripetest.NewRequest(hookURL, time.Now(), eventBody("evt_1"), otherSecret)
			}, 401, true},
			{"forged", outcome(replay.Outcome{Status: replay.Forged}), 401, true},
			{"done", outcome(replay.Outcome{Status: replay.Done, Same: true}), 409, false},
			{"honestly repeated", outcome(replay.Outcome{Status: replay.Done}), 200, false},
			{"in flight", outcome(replay.Outcome{Status: replay.InFlight}), 409, false},
			{"no store", outcome(replay.Outcome{}), 503, false},
		} {
			t.Run(c.name, func(t *testing.T) {
				s := newSite(t, live, c.change)
				conn := dial(t, listen(t, s))
				reader := bufio.NewReader(conn)
				body := bodyOf(t, s.request)
				text := headOf(s.request, fmt.Sprintf("Content-Length: %d", len(body))) + string(body)
				send(t, conn, text)
				if response := answered(t, reader); response.StatusCode != c.status || response.Close != c.close {
					t.Errorf("status %d, close %v, want %d and %v", response.StatusCode, response.Close, c.status, c.close)
				}
				if c.close {
					hungUp(t, conn, reader)
					return
				}
				send(t, conn, text)
				answered(t, reader)
			})
		}
	})

	t.Run("a slow body is given up over a socket", func(t *testing.T) {
		half := func(t *testing.T, conn net.Conn) { send(t, conn, `{"id":`) }
		drip := func(t *testing.T, conn net.Conn) {
			for range 100 {
				if _, err := io.WriteString(conn, " "); err != nil {
					return
				}
				time.Sleep(20 * time.Millisecond)
			}
		}
		nothing := func(*testing.T, net.Conn) {}
		for _, c := range []struct {
			name   string
			body   func(*testing.T, net.Conn)
			limit  time.Duration // the guard's
			server func(*http.Server)
			hidden int // how a middleware outside wraps the writer
		}{
			{"that stalls", half, 200 * time.Millisecond, func(*http.Server) {}, visible},
			{"that stalls behind a writer that is wrapped", half, 200 * time.Millisecond, func(*http.Server) {}, wrapped},
			{"that never comes", nothing, 200 * time.Millisecond, func(*http.Server) {}, visible},
			{"that drips", drip, 200 * time.Millisecond, func(*http.Server) {}, visible},
			{"that drips where deadlines are hidden", drip, 200 * time.Millisecond, func(*http.Server) {}, hidden},
			{"within a longer limit of the server", half, 200 * time.Millisecond, func(s *http.Server) {
				s.ReadTimeout, s.ReadHeaderTimeout = time.Minute, time.Second
			}, visible},
			// The guard does not lengthen what the server allows.
			{"within a shorter limit of the server", half, time.Minute, func(s *http.Server) { s.ReadTimeout = 200 * time.Millisecond }, visible},
			{"within a shorter limit of the server, also for the head", half, time.Minute, func(s *http.Server) {
				s.ReadTimeout, s.ReadHeaderTimeout = 200*time.Millisecond, 100*time.Millisecond
			}, visible},
			{"within a limit of the server that is shorter by the time for the head", half, 10 * time.Second, func(s *http.Server) {
				s.ReadTimeout, s.ReadHeaderTimeout = 200*time.Millisecond, 20*time.Second
			}, visible},
			{"where only the server has a limit", half, time.Minute, func(s *http.Server) { s.ReadTimeout = 200 * time.Millisecond }, hidden},
		} {
			t.Run(c.name, func(t *testing.T) {
				s := newSite(t, live, func(s *site) { s.opts.BodyTimeout = c.limit })
				var h http.Handler = s
				if c.hidden != visible {
					h = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						if w = (unwrapping{w}); c.hidden == hidden {
							w = struct{ http.ResponseWriter }{w}
						}
						s.ServeHTTP(w, r)
					})
				}
				server := listen(t, h, c.server)
				conn := dial(t, server)
				reader := bufio.NewReader(conn)
				begin := time.Now()
				send(t, conn, headOf(s.request, fmt.Sprintf("Content-Length: %d", 400)))
				go c.body(t, conn)
				response := answered(t, reader)
				took := time.Since(begin)
				if response.StatusCode != 408 || !response.Close {
					t.Errorf("status %d, close %v, want 408 and true", response.StatusCode, response.Close)
				}
				if took < 150*time.Millisecond || took > 5*time.Second {
					t.Errorf("given up after %v, want about 200ms", took)
				}
				wantRuns(t, s, 0)

				// A quick one is taken by the same server.
				conn = dial(t, server)
				body := bodyOf(t, s.request)
				send(t, conn, headOf(s.request, fmt.Sprintf("Content-Length: %d", len(body)))+string(body))
				if response := answered(t, bufio.NewReader(conn)); response.StatusCode != 200 {
					t.Errorf("a quick body gets status %d", response.StatusCode)
				}
			})
		}
	})

	// The guard's deadline for the body must not end what comes after it.
	t.Run("the deadline of the body ends with the body", func(t *testing.T) {
		s := newSite(t, live, func(s *site) { s.opts.BodyTimeout = 100 * time.Millisecond })
		s.handle = func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done(): // as the server does when it cannot read on
				t.Errorf("the handler's context ended: %v", context.Cause(r.Context()))
			case <-time.After(300 * time.Millisecond):
			}
		}
		conn := dial(t, listen(t, s))
		reader := bufio.NewReader(conn)
		body := bodyOf(t, s.request)
		text := headOf(s.request, fmt.Sprintf("Content-Length: %d", len(body))) + string(body)
		for _, status := range []int{200, 409} {
			send(t, conn, text)
			if response := answered(t, reader); response.StatusCode != status {
				t.Errorf("status %d, want %d", response.StatusCode, status)
			}
		}
	})

	t.Run("a body that ends too early runs nothing", func(t *testing.T) {
		seen := make(chan middleware.Report, 1)
		s := newSite(t, live, func(s *site) {
			s.opts.Observe = func(_ context.Context, e middleware.Report) { seen <- e }
		})
		server := listen(t, s)
		for _, framing := range []string{"Content-Length: 400", "Transfer-Encoding: chunked"} {
			conn := dial(t, server)
			send(t, conn, headOf(s.request, framing)+"5\r\n{\"id\"\r\n")
			conn.(*net.TCPConn).CloseWrite()
			if response := answered(t, bufio.NewReader(conn)); response.StatusCode != 400 {
				t.Errorf("%s: status %d, want 400", framing, response.StatusCode)
			}
			if e := await(t, seen, "the event"); !errors.Is(e.Err, io.ErrUnexpectedEOF) {
				t.Errorf("%s: event %+v", framing, e)
			}
		}
		wantRuns(t, s, 0)
		if s.store.calls() != 0 {
			t.Error("the store was asked")
		}
	})

	// A Read that writes, as that of a body that waits for its go-ahead, ends in time
	// although the sender reads nothing.
	t.Run("a body whose sender reads nothing is given up", func(t *testing.T) {
		for _, timeout := range []time.Duration{0, time.Hour} {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, onBubble, observed)
				inner, outer := net.Pipe()
				l := &pipes{make(chan net.Conn, 1), make(chan struct{})}
				l.conns <- inner
				server := &http.Server{Handler: s, ReadTimeout: time.Minute, WriteTimeout: timeout}
				go server.Serve(l)
				send(t, outer, headOf(s.request, "Content-Length: 100\r\nExpect: 100-continue"))
				time.Sleep(2 * time.Minute)
				synctest.Wait()
				if len(s.events) != 1 || s.events[0].Reason != verify.ErrBody {
					t.Errorf("write timeout %v: after two minutes the events are %v", timeout, s.events)
				}
				outer.Close()
				server.Close()
			})
		}
	})
}

// How a middleware outside wraps the writer: not at all, so that read deadlines
// are found by Unwrap, or so that they are not found.
const (
	visible = iota
	wrapped
	hidden
)

type unwrapping struct{ http.ResponseWriter }

func (u unwrapping) Unwrap() http.ResponseWriter { return u.ResponseWriter }

func TestHeldOverSocket(t *testing.T) {
	t.Run("a flush waits for the handler's end", func(t *testing.T) {
		for _, status := range []int{200, 500} {
			flushed, leave := make(chan struct{}), make(chan struct{})
			s := newSite(t, live)
			s.handle = func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(status)
				io.WriteString(w, "part")
				if err := http.NewResponseController(w).Flush(); err != nil {
					t.Error(err)
				}
				close(flushed)
				<-leave
			}
			conn := dial(t, listen(t, s))
			body := bodyOf(t, s.request)
			send(t, conn, headOf(s.request, fmt.Sprintf("Content-Length: %d", len(body)))+string(body))
			await(t, flushed, "the flush")
			silent(t, conn)
			close(leave)
			response := answered(t, bufio.NewReader(conn))
			if got, _ := io.ReadAll(response.Body); response.StatusCode != status || string(got) != "part" {
				t.Errorf("status %d with %q", response.StatusCode, got)
			}
		}
	})
}

func TestTrailersArrive(t *testing.T) {
	for _, c := range []struct {
		name   string
		handle http.HandlerFunc
	}{
		{"declared", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Trailer", "X-Sum, x-other")
			io.WriteString(w, "body")
			w.Header().Set("X-Sum", "42")
			w.Header().Set("X-Other", "43")
			w.Header().Set("X-Late", "no")
		}},
		{"undeclared", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(200)
			io.WriteString(w, strings.Repeat("body", 10_000)) // chunked, so that there can be trailers
			w.Header().Set(http.TrailerPrefix+"X-Sum", "42")
			w.Header().Set(http.TrailerPrefix+"X-Other", "43")
			w.Header().Set("X-Late", "no")
		}},
	} {
		for _, guarded := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, guarded %v", c.name, guarded), func(t *testing.T) {
				s := newSite(t, live)
				s.handle = c.handle
				var h http.Handler = c.handle
				if guarded {
					h = s
				}
				server := listen(t, h)
				response, err := server.Client().Do(requestTo(server.URL, s.request))
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(response.Body)
				response.Body.Close()
				if err != nil || !strings.HasPrefix(string(body), "body") {
					t.Errorf("body %.10q, %v", body, err)
				}
				if got := response.Trailer; got.Get("X-Sum") != "42" || got.Get("X-Other") != "43" || len(got) != 2 {
					t.Errorf("trailers %v", got)
				}
				if response.Header.Get("X-Late") != "" || response.Header.Get("X-Sum") != "" {
					t.Errorf("headers %v", response.Header)
				}
			})
		}
	}
}

func TestReleaseOverSocket(t *testing.T) {
	// A guard outside of which a timeout answers still finishes what it began.
	t.Run("a timeout outside does not run an event twice", func(t *testing.T) {
		s := newSite(t)
		entered, leave, committed := make(chan struct{}), make(chan struct{}), make(chan struct{})
		s.handle = func(w http.ResponseWriter, r *http.Request) {
			close(entered)
			<-leave
		}
		s.store.commit = func(ctx context.Context, h replay.Handle) error {
			defer close(committed)
			return s.store.Store.Commit(ctx, h)
		}
		h := http.TimeoutHandler(s, time.Second, "") // by then the handler has begun
		w := httptest.NewRecorder()
		h.ServeHTTP(w, again(t, s.request))
		want(t, w, 503)
		select {
		case <-entered:
		default:
			t.Fatal("the handler has not begun within a second")
		}
		w = httptest.NewRecorder()
		s.ServeHTTP(w, s.stripe("evt_1"))
		want(t, w, 409, "Retry-After", "30")
		close(leave)
		await(t, committed, "the commit")
		s.clock.advance(time.Second)
		w = httptest.NewRecorder()
		h.ServeHTTP(w, s.stripe("evt_1"))
		want(t, w, 200, "Webhook-Duplicate", "1")
		wantRuns(t, s, 1)
	})
}

// pipes is a listener of one connection, which keeps nothing that is not read.
type pipes struct {
	conns chan net.Conn
	over  chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.over:
		return nil, net.ErrClosed
	}
}
func (p *pipes) Close() error   { close(p.over); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{} }

func TestTrailer(t *testing.T) {
	// A trailer is read with the end of the body, before the signature is known.
	for _, tt := range []struct {
		name, trailer string
		status        string
	}{
		{"one that is a header is dropped", "X-Note: smuggled", "HTTP/1.1 200"},
		{"one that is none is refused, and not repeated", "smuggled", "HTTP/1.1 400"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, observed)
			body := bodyOf(t, s.request)
			conn := dial(t, listen(t, s))
			send(t, conn, headOf(s.request, "Transfer-Encoding: chunked")+fmt.Sprintf("%x\r\n%s\r\n0\r\n%s\r\n\r\n", len(body), body, tt.trailer))
			line, err := bufio.NewReader(conn).ReadString('\n')
			if err != nil || !strings.HasPrefix(line, tt.status) {
				t.Errorf("%q, %v", line, err)
			}
			if e := s.event(); e.Err != nil && strings.Contains(e.Err.Error(), "smuggled") {
				t.Errorf("the report repeats the trailer: %v", e.Err)
			}
		})
	}
}
