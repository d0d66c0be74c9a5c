package forward_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/middleware/forward"
)

// hangs keeps the connection open until the other side closes it.
func hangs(c net.Conn) bool {
	io.Copy(io.Discard, c)
	return false
}

func TestResponse(t *testing.T) {
	impatient := func(s *route) { s.opts.Timeout = 2 * time.Second }
	for _, tt := range []struct {
		name    string
		serve   func(net.Conn, []byte, int) bool
		change  func(*route)
		status  int
		settled string
		from    int // the upstream's status; 0: none
	}{
		{"200 is a success", says(ok), nil, 200, "commit", 200},
		{"so is another 2xx, and it stays what it is", says("HTTP/1.1 202 Accepted\r\nContent-Length: 4\r\n\r\ndone"), nil, 202, "commit", 202},
		{"204", says("HTTP/1.1 204 No Content\r\n\r\n"), nil, 204, "commit", 204},
		{"HTTP/1.0 with a body up to the end", saysAndCloses("HTTP/1.0 200 OK\r\n\r\ndone"), nil, 200, "commit", 200},
		{"a chunked body", says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ndone\r\n0\r\nTrailer: 1\r\n\r\n"), nil, 200, "commit", 200},
		{"what the sender must not see stays here", says("HTTP/1.1 200 OK\r\nServer: acme/1\r\nSet-Cookie: a=b\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n"), nil, 200, "commit", 200},

		{"204 with a body", says("HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\ndone"), nil, 204, "commit", 204},
		{"the connection ends behind the head", saysAndCloses("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"), nil, 200, "commit", 200},
		{"a body is shorter than it says", saysAndCloses("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort"), nil, 200, "commit", 200},
		{"a body is longer than it says", says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nlonger"), nil, 200, "commit", 200},
		{"a body never ends", func(c net.Conn, _ []byte, _ int) bool {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort")
			return hangs(c)
		}, nil, 200, "commit", 200},
		{"a body drips", func(c net.Conn, _ []byte, _ int) bool {
			io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
			for {
				if _, err := io.WriteString(c, "x"); err != nil {
					return false
				}
				time.Sleep(time.Millisecond)
			}
		}, nil, 200, "commit", 200},
		{"a chunk that is none", says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), nil, 200, "commit", 200},

		{"100 before it", says("HTTP/1.1 100 Continue\r\n\r\n" + ok), nil, 200, "commit", 200},
		{"102 and 103 before it", says("HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + ok), nil, 200, "commit", 200},
		{"20 of them before it", says(strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 20) + ok), nil, 200, "commit", 200},
		{"103 and no more", saysAndCloses("HTTP/1.1 103 Early Hints\r\n\r\n"), nil, 502, "kept", 0},
		{"101 switches to nothing", says("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"), nil, 502, "release", 101},
		{"1xx without end", func(c net.Conn, _ []byte, _ int) bool {
			for {
				if _, err := io.WriteString(c, "HTTP/1.1 102 Processing\r\n\r\n"); err != nil {
					return false
				}
			}
		}, nil, 502, "kept", 0},

		{"300", says("HTTP/1.1 300 Multiple Choices\r\nContent-Length: 0\r\n\r\n"), nil, 502, "release", 300},
		{"304", says("HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n"), nil, 502, "release", 304},
		{"400", says("HTTP/1.1 400 Bad Request\r\nContent-Length: 3\r\n\r\nbad"), nil, 502, "release", 400},
		{"401 is not ours", says("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n"), nil, 502, "release", 401},
		{"409 is not ours", says("HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\n\r\n"), nil, 502, "release", 409},
		{"410 would disable the endpoint", says("HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"), nil, 502, "release", 410},
		{"429", says("HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n"), nil, 503, "release", 429},
		{"500", says("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"), nil, 502, "release", 500},
		{"503", says("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"), nil, 503, "release", 503},
		{"504 is not ours", says("HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 0\r\n\r\n"), nil, 502, "release", 504},
		{"999", says("HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n"), nil, 502, "release", 999},
		{"409 that is listed as a success", says("HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\n\r\n"), func(s *route) { s.opts.Success = []int{303, 409} }, 200, "commit", 409},
		{"another one than that", says("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"), func(s *route) { s.opts.Success = []int{303, 409} }, 502, "release", 404},

		{"nothing, and the end", saysAndCloses(""), nil, 502, "kept", 0},
		{"the end in the status line", saysAndCloses("HTTP/1.1 20"), nil, 502, "kept", 0},
		{"the end behind the status line", saysAndCloses("HTTP/1.1 200 OK\r\n"), nil, 502, "kept", 0},
		{"the end in a header", saysAndCloses("HTTP/1.1 200 OK\r\nServer: ac"), nil, 502, "kept", 0},
		{"a reset", func(c net.Conn, _ []byte, _ int) bool { c.(*net.TCPConn).SetLinger(0); return false }, nil, 502, "kept", 0},
		{"something else than HTTP", saysAndCloses("SSH-2.0-OpenSSH_9.2\r\n\r\n"), nil, 502, "kept", 0},
		{"HTTP/2", saysAndCloses("HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"), nil, 502, "kept", 0},
		{"a status of two digits", saysAndCloses("HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n"), nil, 502, "kept", 0},
		{"a status below 100", saysAndCloses("HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n"), nil, 502, "kept", 0},
		{"two lengths", saysAndCloses("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"), nil, 502, "kept", 0},
		{"a header without a colon", saysAndCloses("HTTP/1.1 200 OK\r\nServer\r\n\r\n"), nil, 502, "kept", 0},
		{"a head of 60 KiB", says("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: " + strings.Repeat("x", 60<<10) + "\r\n\r\n"), nil, 200, "commit", 200},
		{"a head of 70 KiB", says("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: " + strings.Repeat("x", 70<<10) + "\r\n\r\n"), nil, 502, "kept", 0},

		{"no word", func(c net.Conn, _ []byte, _ int) bool { return hangs(c) }, impatient, 504, "kept", 0},
		{"a head that drips", func(c net.Conn, _ []byte, _ int) bool {
			for i := 0; ; i++ {
				if _, err := io.WriteString(c, ok[i%len(ok):][:1]); err != nil || i == len(ok)-3 {
					return hangs(c)
				}
				time.Sleep(5 * time.Millisecond)
			}
		}, impatient, 504, "kept", 0},
		{"103 and no more in time", func(c net.Conn, _ []byte, _ int) bool {
			io.WriteString(c, "HTTP/1.1 103 Early Hints\r\n\r\n")
			return hangs(c)
		}, impatient, 504, "kept", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			up := newReceiver(t, "tcp", tt.serve)
			s := newRoute(t, up.url("/in"))
			if tt.change != nil {
				s = newRoute(t, up.url("/in"), tt.change)
			}
			begun := time.Now()
			want(t, s.serve(event()), tt.status)
			if took := time.Since(begun); took > patience/2 {
				t.Errorf("it took %v", took)
			}
			if got := s.store.settled(); got != tt.settled {
				t.Errorf("the store sees %s, want %s", got, tt.settled)
			}
			r := s.report()
			if r.Status != tt.from || r.Sent != tt.status || r.ClaimKept != (tt.settled == "kept") || (r.Err != nil) != (tt.from == 0) {
				t.Errorf("the report is %+v", r)
			}
			if requests, _ := up.got(); len(requests) != 1 {
				t.Errorf("the upstream got %d requests", len(requests))
			}
		})
	}
}

// TestUnwritten: where not a byte was written, the event is free at once.
func TestUnwritten(t *testing.T) {
	closed := newReceiver(t, "tcp", nil)
	closed.listener.Close()
	for name, upstream := range map[string]string{
		"nobody listens":            closed.url("/in"),
		"there is no such socket":   "unix:" + t.TempDir() + "/none:/in",
		"TLS meets something else":  "https" + strings.TrimPrefix(newReceiver(t, "tcp", nil).url("/in"), "http"),
		"the name has no addresses": "http://receiver.invalid/in",
	} {
		t.Run(name, func(t *testing.T) {
			s := newRoute(t, upstream, func(s *route) {
				if strings.HasPrefix(upstream, "https") {
					s.opts.Timeout = time.Second // the other one waits for the end of a line
				}
			})
			w := s.serve(event())
			if w.Code != 504 || strings.Contains(name, "nobody") || strings.Contains(name, "socket") { // names and TLS may take their time
				want(t, w, 502)
			}
			if got := s.store.settled(); got != "release" {
				t.Errorf("the store sees %s", got)
			}
			if r := s.report(); r.Err == nil || r.ClaimKept || r.Status != 0 {
				t.Errorf("the report is %+v", r)
			}
		})
	}
}

// TestLongResponse: the measured trap. A response that nobody can hold is a success all the
// same, so that its event does not run again.
func TestLongResponse(t *testing.T) {
	for _, size := range []int64{1 << 10, 1 << 20, 2 << 20, 1 << 30} {
		for _, answer := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d bytes, AnswerBody %v", size, answer), func(t *testing.T) {
				up := newReceiver(t, "tcp", func(c net.Conn, _ []byte, _ int) bool {
					fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n", size)
					chunk := bytes.Repeat([]byte("x"), 64<<10)
					for left := size; left > 0; {
						n, err := c.Write(chunk[:min(left, int64(len(chunk)))])
						if left -= int64(n); err != nil {
							return false
						}
					}
					return true
				})
				s := newRoute(t, up.url("/in"), func(s *route) { s.opts.AnswerBody = answer })
				first := event()
				body, _ := first.GetBody()
				text, _ := io.ReadAll(body)
				for try := range 3 {
					r := first
					if try > 0 { // a retry, signed anew
						r = again(text, time.Now().Add(time.Duration(try)*time.Second))
					}
					w := s.serve(r)
					held := 0
					if answer && try == 0 && size <= 1<<20 {
						held = int(size)
					}
					if w.Code != 200 || w.Body.Len() != held {
						t.Errorf("attempt %d gets %d and %d bytes, want 200 and %d", try+1, w.Code, w.Body.Len(), held)
					}
				}
				if requests, _ := up.got(); len(requests) != 1 {
					t.Errorf("the event ran %d times", len(requests))
				}
				if s.store.commits.Load() != 1 || s.store.releases.Load() != 0 {
					t.Errorf("%d commits, %d releases", s.store.commits.Load(), s.store.releases.Load())
				}
			})
		}
	}
}

func TestAnswerBody(t *testing.T) {
	for _, tt := range []struct {
		name, response     string
		status             int
		mediaType, body    string
		chosen, unfinished bool
	}{
		{"a body", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Other: 1\r\nContent-Length: 2\r\n\r\n{}", 200, "application/json", "{}", true, false},
		{"a body without the option", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}", 200, "", "", false, false},
		{"a body without a type", "HTTP/1.1 201 Created\r\nContent-Length: 13\r\n\r\n<html></html>", 201, "", "<html></html>", true, false},
		{"a chunked body", "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n<a>\r\n4\r\n</a>\r\n0\r\n\r\n", 200, "text/xml", "<a></a>", true, false},
		{"an encoded body", "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nzz", 200, "", "", true, false},
		{"a body that breaks off", "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 20\r\n\r\n<a>", 200, "", "", true, true},
		{"a body of a listed status", "HTTP/1.1 409 Conflict\r\nContent-Type: text/xml\r\nContent-Length: 4\r\n\r\n<a/>", 200, "text/xml", "<a/>", true, false},
		{"a body of 204", "HTTP/1.1 204 No Content\r\nContent-Type: text/xml\r\nContent-Length: 4\r\n\r\n<a/>", 204, "", "", true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			serve := says(tt.response)
			if tt.unfinished {
				serve = saysAndCloses(tt.response)
			}
			s := newRoute(t, newReceiver(t, "tcp", serve).url("/in"), func(s *route) { s.opts.AnswerBody, s.opts.Success = tt.chosen, []int{409} })
			w := s.serve(event())
			if w.Code != tt.status || w.Body.String() != tt.body || w.Header().Get("Content-Type") != tt.mediaType || w.Header().Get("X-Other") != "" {
				t.Errorf("the sender gets %d %q %q, header %v", w.Code, w.Body, w.Header().Get("Content-Type"), w.Header())
			}
			if nosniff := w.Header().Get("X-Content-Type-Options") == "nosniff"; nosniff != (tt.body != "") {
				t.Errorf("nosniff is %v", nosniff)
			}
			if got := s.store.settled(); got != "commit" {
				t.Errorf("the store sees %s", got)
			}
		})
	}
	t.Run("the body of a failure is not passed on", func(t *testing.T) {
		s := newRoute(t, newReceiver(t, "tcp", says("HTTP/1.1 500 Oops\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\ntrace")).url("/in"), func(s *route) { s.opts.AnswerBody = true })
		want(t, s.serve(event()), 502)
	})
	t.Run("the time is over before the body is", func(t *testing.T) {
		up := newReceiver(t, "tcp", func(c net.Conn, _ []byte, _ int) bool {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort")
			return hangs(c)
		})
		s := newRoute(t, up.url("/in"), func(s *route) { s.opts.AnswerBody, s.opts.Timeout = true, 2*time.Second })
		want(t, s.serve(event()), 200)
		if got := s.store.settled(); got != "commit" {
			t.Errorf("the store sees %s", got)
		}
	})
}

func TestRetryAfter(t *testing.T) {
	date := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(http.TimeFormat) }
	for _, tt := range []struct {
		name, line  string
		least, most int // 0: none
	}{
		{"none", "", 0, 0},
		{"seconds", "Retry-After: 120\r\n", 120, 120},
		{"no second", "Retry-After: 0\r\n", 1, 1},
		{"two days", "Retry-After: 172800\r\n", 3600, 3600},
		{"more than any number", "Retry-After: 99999999999999999999999\r\n", 3600, 3600},
		{"a date", "Retry-After: " + date(10*time.Minute) + "\r\n", 500, 600},
		{"a date in two days", "Retry-After: " + date(48*time.Hour) + "\r\n", 3600, 3600},
		{"a date that is over", "Retry-After: " + date(-time.Hour) + "\r\n", 1, 1},
		{"a negative number", "Retry-After: -5\r\n", 0, 0},
		{"a fraction", "Retry-After: 1.5\r\n", 0, 0},
		{"something else", "Retry-After: soon\r\n", 0, 0},
		{"nothing", "Retry-After: \r\n", 0, 0},
		{"two of them", "Retry-After: 5\r\nRetry-After: 6\r\n", 0, 0},
	} {
		for _, status := range []string{"429 Too Many Requests", "503 Service Unavailable"} {
			t.Run(tt.name+" with "+status[:3], func(t *testing.T) {
				s := newRoute(t, newReceiver(t, "tcp", says("HTTP/1.1 "+status+"\r\n"+tt.line+"Content-Length: 0\r\n\r\n")).url("/in"))
				w := s.serve(event())
				want(t, w, 503)
				got := w.Header().Get("Retry-After")
				n, err := strconv.Atoi(got)
				if tt.most == 0 && got != "" || tt.most > 0 && (err != nil || n < tt.least || n > tt.most) {
					t.Errorf("Retry-After is %q, want %d to %d", got, tt.least, tt.most)
				}
			})
		}
	}
	t.Run("with another failure it stays here", func(t *testing.T) {
		s := newRoute(t, newReceiver(t, "tcp", says("HTTP/1.1 500 Oops\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n")).url("/in"))
		if w := s.serve(event()); w.Header().Get("Retry-After") != "" {
			t.Error("it leaves")
		}
	})
}

func TestRedirect(t *testing.T) {
	other := newReceiver(t, "tcp", nil)
	for _, status := range []int{301, 302, 303, 307, 308} {
		up := newReceiver(t, "tcp", says(fmt.Sprintf("HTTP/1.1 %d Elsewhere\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", status, other.url("/in"))))
		s := newRoute(t, up.url("/in"))
		want(t, s.serve(event()), 502)
		if got := s.store.settled(); got != "release" {
			t.Errorf("%d: the store sees %s", status, got)
		}
	}
	if _, conns := other.got(); conns != 0 {
		t.Error("a redirect was followed")
	}
}

// TestProxyEnvironment: the environment names no proxy for us.
func TestProxyEnvironment(t *testing.T) {
	proxy, up := newReceiver(t, "tcp", nil), newReceiver(t, "tcp", nil)
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"} {
		t.Setenv(name, proxy.url(""))
	}
	s := newRoute(t, "http://receiver.invalid/in")
	want(t, s.serve(event()), 502)
	s = newRoute(t, up.url("/in"))
	want(t, s.serve(event()), 200)
	if _, conns := proxy.got(); conns != 0 {
		t.Error("the proxy was asked")
	}
}

// TestHangUp: what becomes of an event whose sender hangs up.
func TestHangUp(t *testing.T) {
	for _, tt := range []struct {
		name    string
		change  func(*route)
		settled string
	}{
		{"the upstream may be at work on it", func(*route) {}, "kept"},
		{"a detached one goes on", func(s *route) { s.guard.Detach = true }, "commit"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			begun, goOn := make(chan struct{}), make(chan struct{})
			up := newReceiver(t, "tcp", func(c net.Conn, _ []byte, _ int) bool {
				close(begun)
				<-goOn
				io.WriteString(c, ok)
				return true
			})
			s := newRoute(t, up.url("/in"), tt.change)
			ctx, hangUp := context.WithCancel(t.Context())
			done := make(chan int)
			go func() { done <- s.serve(event().WithContext(ctx)).Code }()
			<-begun
			hangUp()
			if s.guard.Detach {
				close(goOn)
			} else {
				defer close(goOn)
			}
			select {
			case <-done:
			case <-time.After(patience):
				t.Fatal("it goes on")
			}
			if got := s.store.settled(); got != tt.settled {
				t.Errorf("the store sees %s, want %s", got, tt.settled)
			}
		})
	}

	t.Run("before a connection is there, the event is free", func(t *testing.T) {
		// A listener whose queue is full does not answer, and neither does one that wants TLS.
		up := newReceiver(t, "tcp", nil)
		s := newRoute(t, "https"+strings.TrimPrefix(up.url("/in"), "http"))
		ctx, hangUp := context.WithCancel(t.Context())
		done := make(chan int)
		go func() { done <- s.serve(event().WithContext(ctx)).Code }()
		eventually(t, "the connection", func() bool { _, conns := up.got(); return conns == 1 })
		hangUp()
		<-done
		if got := s.store.settled(); got != "release" {
			t.Errorf("the store sees %s", got)
		}
	})

	t.Run("the end of MaxRun is a time-out", func(t *testing.T) {
		up := newReceiver(t, "tcp", func(c net.Conn, _ []byte, _ int) bool { return hangs(c) })
		s := newRoute(t, up.url("/in"), func(s *route) { s.guard.MaxRun = 2 * time.Second })
		want(t, s.serve(event()), 504)
		if got := s.store.settled(); got != "kept" {
			t.Errorf("the store sees %s", got)
		}
	})

	t.Run("a shutdown ends it", func(t *testing.T) {
		shutdown, end := context.WithCancel(t.Context())
		up := newReceiver(t, "tcp", func(c net.Conn, _ []byte, _ int) bool { end(); return hangs(c) })
		s := newRoute(t, up.url("/in"), func(s *route) { s.guard.Shutdown, s.guard.Detach = shutdown, true })
		want(t, s.serve(event()), 502)
		if r := s.report(); !r.ClaimKept || !strings.Contains(r.Err.Error(), "shuts down") {
			t.Errorf("the report is %+v", r)
		}
	})
}

// TestKept: an event whose upstream did not answer is in flight until its lease ends.
func TestKept(t *testing.T) {
	up := newReceiver(t, "tcp", func(c net.Conn, _ []byte, n int) bool {
		if n == 1 {
			return false
		}
		io.WriteString(c, ok)
		return true
	})
	s := newRoute(t, up.url("/in"), func(s *route) { s.guard.Lease = time.Second })
	r := event()
	body, _ := r.GetBody()
	text, _ := io.ReadAll(body)
	begun := time.Now()
	want(t, s.serve(r), 502)
	w := s.serve(again(text, time.Now().Add(time.Second)))
	if took := time.Since(begun); took < 900*time.Millisecond && (w.Code != 409 || w.Header().Get("Retry-After") == "") {
		t.Errorf("a retry at once gets %d and Retry-After %q", w.Code, w.Header().Get("Retry-After"))
	}
	try := time.Duration(2)
	eventually(t, "a later retry succeeds", func() bool {
		try++
		time.Sleep(50 * time.Millisecond)
		return s.serve(again(text, time.Now().Add(try*time.Second))).Code == 200
	})
	if requests, _ := up.got(); len(requests) != 2 {
		t.Errorf("the event ran %d times, want 2", len(requests))
	}
}

// TestObserve: what observers may do, and cannot.
func TestObserve(t *testing.T) {
	t.Run("it adds a trace context, and nothing that is there", func(t *testing.T) {
		up := newReceiver(t, "tcp", nil)
		s := newRoute(t, up.url("/in"), func(s *route) {
			s.opts.Header = http.Header{"X-Token": {"own"}}
			s.opts.Observe = func(_ context.Context, h http.Header) func(forward.Report) {
				if len(h) > 0 {
					t.Errorf("it sees %v", h)
				}
				h["traceparent"] = []string{"00-1-2-01"}
				for name, value := range map[string]string{
					"Hooknotary-Scope": "forged", "hooknotary_scope": "forged", "X_Token": "forged", "X-Token": "forged", "Content-Length": "0",
					"Transfer-Encoding": "chunked", "Idempotency-Key": "1", "Stripe-Signature": "forged", "Bad Name": "1", "Tracestate": "a\r\nX-Evil: 1",
				} {
					h[name] = []string{value}
				}
				return nil
			}
		})
		want(t, s.serve(event()), 200)
		requests, _ := up.got()
		if got := valuesOf(requests[0], "Traceparent"); len(got) != 1 || got[0] != "00-1-2-01" {
			t.Errorf("the trace context is %q", got)
		}
		for _, bad := range []string{"forged", "chunked", "Idempotency", "Bad", "Evil", "racestate"} {
			if bytes.Contains(requests[0], []byte(bad)) {
				t.Errorf("%q is in the request %q", bad, requests[0])
			}
		}
	})
	t.Run("one that panics behind a success makes no second run", func(t *testing.T) {
		up := newReceiver(t, "tcp", nil)
		s := newRoute(t, up.url("/in"), func(s *route) {
			s.opts.Observe = func(context.Context, http.Header) func(forward.Report) {
				return func(forward.Report) { panic("observer") }
			}
		})
		func() {
			defer func() { recover() }()
			s.serve(event())
			t.Error("the panic is gone")
		}()
		if got := s.store.settled(); got != "commit" {
			t.Errorf("the store sees %s", got)
		}
	})
	t.Run("one that panics behind a failure frees the event", func(t *testing.T) {
		up := newReceiver(t, "tcp", says("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"))
		s := newRoute(t, up.url("/in"), func(s *route) {
			s.opts.Observe = func(context.Context, http.Header) func(forward.Report) {
				return func(forward.Report) { panic("observer") }
			}
		})
		func() {
			defer func() {
				if p := recover(); p != "observer" {
					t.Errorf("the panic is %v", p)
				}
			}()
			s.serve(event())
		}()
		if got := s.store.settled(); got != "release" {
			t.Errorf("the store sees %s", got)
		}
	})
	t.Run("one that panics before the request frees the event", func(t *testing.T) {
		s := newRoute(t, newReceiver(t, "tcp", nil).url("/in"), func(s *route) {
			s.opts.Observe = func(context.Context, http.Header) func(forward.Report) { panic("observer") }
		})
		func() {
			defer func() { recover() }()
			s.serve(event())
		}()
		if got := s.store.settled(); got != "release" {
			t.Errorf("the store sees %s", got)
		}
	})
}
