package forward_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/middleware/forward"
)

// TestReuse: when a connection serves again.
func TestReuse(t *testing.T) {
	const stray = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
	for _, tt := range []struct {
		name   string
		serve  func(net.Conn, []byte, int) bool
		change func(*route)
		conns  int // of four requests
	}{
		{"a response without a body", says(ok), nil, 1},
		{"one with a body", says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), nil, 1},
		{"a chunked one", says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"), nil, 1},
		{"a failure", says("HTTP/1.1 500 Oops\r\nContent-Length: 2\r\n\r\nno"), nil, 1},
		{"204", says("HTTP/1.1 204 No Content\r\n\r\n"), nil, 1},
		{"304", says("HTTP/1.1 304 Not Modified\r\n\r\n"), nil, 1},
		{"a sender that never retries gets fresh ones", says(ok), onGitHub, 4},
		{"Connection: close", says("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"), nil, 4},
		{"HTTP/1.0", says("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"), nil, 4},
		{"a body of 64 KiB", says("HTTP/1.1 200 OK\r\nContent-Length: 65536\r\n\r\n" + strings.Repeat("x", 64<<10)), nil, 1},
		{"a longer one, which is not read", says("HTTP/1.1 200 OK\r\nContent-Length: 65537\r\n\r\n" + strings.Repeat("x", 64<<10+1)), nil, 4},
		{"a longer one that is chunked", says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20000\r\n" + strings.Repeat("x", 128<<10) + "\r\n0\r\n\r\n"), nil, 4},
		{"204 with a body", says("HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok"), nil, 4},
		{"204 with a body that is not announced", says("HTTP/1.1 204 No Content\r\n\r\n" + stray), nil, 4},
		{"204 with a chunked body", says("HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), nil, 4},
		{"304 with a length", says("HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n"), nil, 4},
		{"more than its length", says("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" + stray), nil, 4},
		{"more than its chunks", says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + stray), nil, 4},
		{"101", says("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"), nil, 4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			up := newReceiver(t, "tcp", tt.serve)
			s := newRoute(t, up.url("/in"), func(s *route) {
				s.opts.IdleTimeout = patience
				if tt.change != nil {
					tt.change(s)
				}
			})
			for range 4 {
				r := event()
				if s.verifier.Profile().Provider == "github" {
					r = push()
				}
				s.serve(r)
			}
			requests, conns := up.got()
			// A body may take longer than is waited for it, on a busy machine.
			if len(requests) != 4 || tt.conns == 4 && conns != 4 || tt.conns == 1 && conns > 3 {
				t.Errorf("%d requests over %d connections, want 4 over %d", len(requests), conns, tt.conns)
			}
			for _, r := range s.reports {
				if r.Err != nil {
					t.Errorf("a request fails: %v", r.Err)
				}
			}
		})
	}

	for _, tt := range []struct {
		name  string
		late  func(net.Conn) // what comes when the response is read
		conns int            // of four requests
	}{
		{"nothing comes later", func(net.Conn) {}, 1},
		{"more comes later", func(c net.Conn) { io.WriteString(c, stray) }, 4},
		{"a byte comes later", func(c net.Conn) { io.WriteString(c, "\n") }, 4},
		{"the end comes later", func(c net.Conn) { c.Close() }, 4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			answered, came := make(chan struct{}), make(chan struct{})
			up := newReceiver(t, "tcp", func(c net.Conn, _ []byte, _ int) bool {
				io.WriteString(c, ok)
				<-answered
				tt.late(c)
				came <- struct{}{}
				return true
			})
			s := newRoute(t, up.url("/in"), func(s *route) { s.opts.IdleTimeout = time.Hour })
			for range 4 {
				want(t, s.serve(event()), 200)
				answered <- struct{}{}
				<-came
				time.Sleep(5 * time.Millisecond) // on its way to us
			}
			if requests, conns := up.got(); len(requests) != 4 || conns != tt.conns {
				t.Errorf("%d requests over %d connections, want 4 over %d", len(requests), conns, tt.conns)
			}
		})
	}

	t.Run("a large body does not cost the connection", func(t *testing.T) {
		up := newReceiver(t, "tcp", nil)
		s := newRoute(t, up.url("/in"), func(s *route) { s.opts.IdleTimeout = patience })
		for range 40 {
			want(t, s.serve(eventOf(200<<10)), 200)
		}
		if _, conns := up.got(); conns > 10 { // one, but for a machine that stands still
			t.Errorf("40 requests over %d connections", conns)
		}
	})

	t.Run("a connection is idle for IdleTimeout", func(t *testing.T) {
		ended := make(chan struct{})
		up := newReceiver(t, "tcp", nil)
		up.serve = func(c net.Conn, _ []byte, _ int) bool {
			io.WriteString(c, ok)
			io.Copy(io.Discard, c)
			close(ended)
			return false
		}
		s := newRoute(t, up.url("/in"), func(s *route) { s.opts.IdleTimeout = 100 * time.Millisecond })
		begun := time.Now()
		want(t, s.serve(event()), 200)
		select {
		case <-ended:
		case <-time.After(patience):
			t.Fatal("it is still open")
		}
		if took := time.Since(begun); took < 100*time.Millisecond {
			t.Errorf("it was open for %v", took)
		}
	})

	t.Run("Close closes it, and ends no request", func(t *testing.T) {
		begun, goOn := make(chan struct{}), make(chan struct{})
		up := newReceiver(t, "tcp", func(c net.Conn, _ []byte, n int) bool {
			if n == 2 {
				close(begun)
				<-goOn
			}
			io.WriteString(c, ok)
			return true
		})
		s := newRoute(t, up.url("/in"), func(s *route) { s.opts.IdleTimeout = time.Hour })
		want(t, s.serve(event()), 200)
		done := make(chan int)
		go func() { done <- s.serve(event()).Code }()
		<-begun
		if err := s.handler.Close(); err != nil {
			t.Error(err)
		}
		close(goOn)
		if status := <-done; status != 200 {
			t.Errorf("the request under way gets %d", status)
		}
		for range 2 {
			want(t, s.serve(event()), 200)
		}
		if _, conns := up.got(); conns != 3 {
			t.Errorf("%d connections, want 3: none is kept behind Close", conns)
		}
	})
}

// TestDesync: a response that is followed by something that looks like another one. No
// delivery is answered by what belongs to another delivery.
func TestDesync(t *testing.T) {
	up := newReceiver(t, "tcp", says("HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
	s := newRoute(t, up.url("/in"))
	var statuses sync.Map
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 50 {
				statuses.Store(s.serve(event()).Code, nil)
			}
		})
	}
	wg.Wait()
	statuses.Range(func(status, _ any) bool {
		if status != 204 {
			t.Errorf("a delivery gets %v", status)
		}
		return true
	})
	if requests, _ := up.got(); len(requests) != 800 || s.store.commits.Load() != 800 {
		t.Errorf("%d requests, %d commits, want 800", len(requests), s.store.commits.Load())
	}
}

// TestDeadConnection: an upstream that closes connections while they are idle. A request is
// sent again only if not a byte of it was written, so nothing runs twice, and where the
// upstream closed in time nothing is lost.
func TestDeadConnection(t *testing.T) {
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("TLS %v", secure), func(t *testing.T) {
			t.Parallel()
			var runs sync.Map // by event key
			var conns atomic.Int64
			up := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				n, _ := runs.LoadOrStore(r.Header.Get("Hooknotary-Event-Key"), new(atomic.Int64))
				n.(*atomic.Int64).Add(1)
			}))
			up.Config.ErrorLog = log.New(io.Discard, "", 0)
			up.Config.IdleTimeout = 20 * time.Millisecond // it closes about when we come
			up.Config.ConnState = func(_ net.Conn, state http.ConnState) {
				if state == http.StateNew {
					conns.Add(1)
				}
			}
			if secure {
				up.StartTLS()
			} else {
				up.Start()
			}
			defer up.Close()
			s := newRoute(t, up.URL+"/in", func(s *route) {
				s.opts.IdleTimeout = patience // so that we meet the end of connections
				if secure {
					roots := x509.NewCertPool()
					roots.AddCert(up.Certificate())
					s.opts.TLS = &tls.Config{RootCAs: roots}
				}
			})
			failed := 0
			for i := range 100 {
				switch w := s.serve(event()); w.Code {
				case 200:
				case 502:
					failed++ // a byte was written when it ended
				default:
					t.Errorf("the sender gets %d", w.Code)
				}
				time.Sleep(20*time.Millisecond + time.Duration(i%10-5)*200*time.Microsecond)
			}
			kept := 0
			for _, r := range s.reports {
				if r.Err != nil && !r.ClaimKept {
					t.Errorf("a request failed before it was written: %v", r.Err)
				}
				if r.ClaimKept {
					kept++
				}
			}
			if kept != failed || s.store.releases.Load() != 0 {
				t.Errorf("%d failed, %d claims were kept, %d released", failed, kept, s.store.releases.Load())
			}
			total := 0
			runs.Range(func(key, n any) bool {
				if total++; n.(*atomic.Int64).Load() != 1 {
					t.Errorf("the event %v ran %d times", key, n.(*atomic.Int64).Load())
				}
				return true
			})
			if total < 100-failed {
				t.Errorf("%d events ran, want at least %d", total, 100-failed)
			}
			t.Logf("%d of 100 requests met the end of their connection after a byte, over %d connections", failed, conns.Load())
		})
	}

	t.Run("one that ends when it has read a request", func(t *testing.T) {
		up := newReceiver(t, "tcp", func(c net.Conn, _ []byte, n int) bool {
			if n == 1 {
				io.WriteString(c, ok)
			}
			return n == 1
		})
		s := newRoute(t, up.url("/in"), func(s *route) { s.opts.IdleTimeout = patience })
		want(t, s.serve(event()), 200)
		want(t, s.serve(event()), 502)
		if requests, conns := up.got(); len(requests) != 2 || conns != 1 {
			t.Errorf("%d requests over %d connections, want 2 over 1: it is not sent again", len(requests), conns)
		}
		if s.store.releases.Load() != 0 {
			t.Error("the claim is released")
		}
	})

	t.Run("one that was closed long ago is found dead before a byte is written", func(t *testing.T) {
		closed := make(chan struct{}, 20)
		up := newReceiver(t, "tcp", nil)
		up.serve = func(c net.Conn, _ []byte, _ int) bool {
			io.WriteString(c, ok)
			c.Close()
			closed <- struct{}{}
			return false
		}
		s := newRoute(t, up.url("/in"), func(s *route) { s.opts.IdleTimeout = patience })
		for range 20 {
			want(t, s.serve(event()), 200)
			<-closed
			time.Sleep(5 * time.Millisecond) // for the end to arrive
		}
		if requests, conns := up.got(); len(requests) != 20 || conns != 20 {
			t.Errorf("%d requests over %d connections, want 20 over 20", len(requests), conns)
		}
	})
}

// TestEarlyResponse: an upstream that answers before it has read the body.
func TestEarlyResponse(t *testing.T) {
	for _, tt := range []struct {
		name    string
		text    string
		closes  bool
		timeout time.Duration
		status  []int
		settled []string
	}{
		{"413, and it reads no more", "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n", false, patience, []int{502}, []string{"release"}},
		{"200, and it reads no more", ok, false, 2 * time.Second, []int{200}, []string{"commit"}},
		// A reset may destroy what was said before it. Then nobody knows.
		{"413, and it closes", "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", true, patience, []int{502}, []string{"release", "kept"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			end := make(chan struct{})
			defer close(end)
			go func() {
				c, err := l.Accept()
				if err != nil {
					return
				}
				defer c.Close()
				bufio.NewReaderSize(c, 16).ReadString('\n')
				io.WriteString(c, tt.text)
				if !tt.closes {
					<-end
				}
			}()
			s := newRoute(t, "http://"+l.Addr().String()+"/in", func(s *route) { s.guard.MaxBody, s.opts.Timeout = 32<<20, tt.timeout })
			w := s.serve(eventOf(24 << 20)) // more than the buffers of a socket hold
			if !slices.Contains(tt.status, w.Code) || !slices.Contains(tt.settled, s.store.settled()) {
				t.Errorf("the sender gets %d, the store sees %s", w.Code, s.store.settled())
			}
		})
	}
	for _, tt := range []struct {
		name string
		text string
		echo bool
		hang bool // the sender hangs up
	}{
		{"200, and it reads on", ok, false, false},
		{"200, and it reads on though the sender hangs up", ok, false, true},
		{"200 with the end of the connection, and it reads on", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", false, false},
		{"200, and it writes what it reads", "HTTP/1.1 200 OK\r\n\r\n", true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			missing := make(chan int64, 1)
			ctx, hangUp := context.WithCancel(t.Context())
			defer hangUp()
			go func() {
				c, err := l.Accept()
				if err != nil {
					return
				}
				defer c.Close()
				r, err := http.ReadRequest(bufio.NewReader(c))
				if err != nil {
					t.Error(err)
					return
				}
				io.WriteString(c, tt.text)
				time.Sleep(300 * time.Millisecond) // a receiver at work
				if tt.hang {
					hangUp()
					time.Sleep(50 * time.Millisecond)
				}
				var to io.Writer = io.Discard
				if tt.echo {
					to = c
				}
				n, _ := io.Copy(to, r.Body)
				missing <- r.ContentLength - n
			}()
			s := newRoute(t, "http://"+l.Addr().String()+"/in", func(s *route) { s.guard.MaxBody = 32 << 20 })
			want(t, s.serve(eventOf(24<<20).WithContext(ctx)), 200)
			if got := s.store.settled(); got != "commit" {
				t.Errorf("the store sees %s", got)
			}
			if n := <-missing; n != 0 {
				t.Errorf("the receiver misses %d bytes of an event that is done", n)
			}
		})
	}
	t.Run("an upstream that reads nothing at all", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close() // it accepts nothing, the system does
		s := newRoute(t, "http://"+l.Addr().String()+"/in", func(s *route) { s.guard.MaxBody, s.opts.Timeout = 32<<20, 2*time.Second })
		want(t, s.serve(eventOf(24<<20)), 504)
		if got := s.store.settled(); got != "kept" {
			t.Errorf("the store sees %s", got)
		}
	})
}

// certificate makes one for names, signed by an authority, which is nil for itself.
func certificate(t *testing.T, by *tls.Certificate, names ...string) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "test"}, DNSNames: names,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), BasicConstraintsValid: true, IsCA: by == nil,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		}
	}
	parent, signer := template, any(key)
	if by != nil {
		parent, signer = by.Leaf, by.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

func TestTLS(t *testing.T) {
	authority := certificate(t, nil)
	roots := x509.NewCertPool()
	roots.AddCert(authority.Leaf)
	good := certificate(t, authority, "127.0.0.1", "receiver.example")
	for _, tt := range []struct {
		name    string
		server  *tls.Config
		client  *tls.Config
		status  int
		settled string
	}{
		{"a certificate of the authority", &tls.Config{Certificates: []tls.Certificate{*good}}, &tls.Config{RootCAs: roots}, 200, "commit"},
		{"one for another name that is asked for", &tls.Config{Certificates: []tls.Certificate{*good}}, &tls.Config{RootCAs: roots, ServerName: "receiver.example"}, 200, "commit"},
		{"one for another name", &tls.Config{Certificates: []tls.Certificate{*certificate(t, authority, "127.0.0.2")}}, &tls.Config{RootCAs: roots}, 502, "release"},
		{"one of another authority", &tls.Config{Certificates: []tls.Certificate{*certificate(t, nil, "127.0.0.1")}}, &tls.Config{RootCAs: roots}, 502, "release"},
		{"the system's roots", &tls.Config{Certificates: []tls.Certificate{*good}}, nil, 502, "release"},
		{"TLS 1.2", &tls.Config{Certificates: []tls.Certificate{*good}, MaxVersion: tls.VersionTLS12}, &tls.Config{RootCAs: roots}, 200, "commit"},
		{"TLS 1.1", &tls.Config{Certificates: []tls.Certificate{*good}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, &tls.Config{RootCAs: roots}, 502, "release"},
		{"mutual TLS", &tls.Config{Certificates: []tls.Certificate{*good}, ClientCAs: roots, ClientAuth: tls.RequireAndVerifyClientCert},
			&tls.Config{RootCAs: roots, Certificates: []tls.Certificate{*certificate(t, authority, "gateway")}}, 200, "commit"},
		{"mutual TLS without a certificate of ours", &tls.Config{Certificates: []tls.Certificate{*good}, ClientCAs: roots, ClientAuth: tls.RequireAndVerifyClientCert, MaxVersion: tls.VersionTLS12},
			&tls.Config{RootCAs: roots}, 502, "release"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			asked := atomic.Int64{}
			up := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				if r.ProtoMajor != 1 {
					t.Errorf("it comes over %s", r.Proto)
				}
			}))
			up.EnableHTTP2 = true
			up.TLS = tt.server
			up.Config.ErrorLog = log.New(io.Discard, "", 0)
			up.StartTLS()
			defer up.Close()
			s := newRoute(t, up.URL+"/in", func(s *route) { s.opts.TLS = tt.client })
			want(t, s.serve(event()), tt.status)
			if got := s.store.settled(); got != tt.settled {
				t.Errorf("the store sees %s, want %s: %v", got, tt.settled, s.report().Err)
			}
			if (asked.Load() > 0) != (tt.status == 200) {
				t.Errorf("the upstream got %d requests", asked.Load())
			}
			if tt.client != nil && (tt.client.MinVersion != 0 || tt.client.NextProtos != nil) {
				t.Error("the caller's configuration was changed")
			}
		})
	}
	t.Run("connections serve again", func(t *testing.T) {
		conns := atomic.Int64{}
		up := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {}))
		up.TLS = &tls.Config{Certificates: []tls.Certificate{*good}}
		up.Config.ConnState = func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				conns.Add(1)
			}
		}
		up.StartTLS()
		defer up.Close()
		s := newRoute(t, up.URL+"/in", func(s *route) { s.opts.TLS, s.opts.IdleTimeout = &tls.Config{RootCAs: roots}, patience })
		for _, size := range []int{60, 1 << 10, 20 << 10, 100 << 10} {
			want(t, s.serve(eventOf(size)), 200)
		}
		if conns.Load() != 1 {
			t.Errorf("%d connections, want 1", conns.Load())
		}
	})
	t.Run("a record that comes with that of a response does not serve the next", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				go func() {
					defer c.Close()
					together := &corked{Conn: c}
					secure := tls.Server(together, &tls.Config{Certificates: []tls.Certificate{*good}})
					br := bufio.NewReader(secure)
					for {
						if _, err := readRequest(br); err != nil {
							return
						}
						together.cork = true
						io.WriteString(secure, "HTTP/1.1 204 No Content\r\n\r\n")
						io.WriteString(secure, ok)
						together.uncork()
					}
				}()
			}
		}()
		s := newRoute(t, "https://"+l.Addr().String()+"/in", func(s *route) { s.opts.TLS, s.opts.IdleTimeout = &tls.Config{RootCAs: roots}, patience })
		for range 50 {
			want(t, s.serve(event()), 204)
		}
	})
}

// corked writes in one piece what is written while it is corked.
type corked struct {
	net.Conn
	cork bool
	held []byte
}

func (c *corked) Write(b []byte) (int, error) {
	if !c.cork {
		return c.Conn.Write(b)
	}
	c.held = append(c.held, b...)
	return len(b), nil
}

func (c *corked) uncork() {
	c.cork = false
	c.Conn.Write(c.held)
	c.held = nil
}

// TestMany: requests at once, for the race detector.
func TestMany(t *testing.T) {
	up := newReceiver(t, "tcp", nil)
	s := newRoute(t, up.url("/in"), func(s *route) {
		s.opts.IdleTimeout = 2 * time.Millisecond
		s.opts.Observe = func(context.Context, http.Header) func(forward.Report) { return nil }
	})
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for i := range 40 {
				if w := s.serve(eventOf(100 << (i % 12))); w.Code != 200 {
					t.Errorf("the sender gets %d", w.Code)
				}
			}
		})
	}
	wg.Wait()
	s.handler.Close()
}
