package forward_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// TestLeaks: whatever an upstream does, no connection and no goroutine is left behind its
// requests and Close.
func TestLeaks(t *testing.T) {
	authority := certificate(t, nil)
	roots := x509.NewCertPool()
	roots.AddCert(authority.Leaf)
	server := &tls.Config{Certificates: []tls.Certificate{*certificate(t, authority, "127.0.0.1")}}
	for _, tt := range []struct {
		name  string
		reads bool   // the whole request, before it says anything
		says  string // and then nothing more
	}{
		{"a response", true, ok},
		{"a failure", true, "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"},
		{"two responses", true, ok + ok},
		{"half a body", true, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"},
		{"half a chunk", true, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nhalf"},
		{"half a head", true, "HTTP/1.1 200 OK\r\nServer"},
		{"no response", true, ""},
		{"a success, and it reads no more", false, ok},
		{"a failure, and it reads no more", false, "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"},
		{"no response, and it reads no more", false, ""},
	} {
		for _, secure := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, TLS %v", tt.name, secure), func(t *testing.T) {
				before := runtime.NumGoroutine()
				l, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				defer l.Close()
				scheme := "http"
				if secure {
					scheme = "https"
				}
				var open atomic.Int64
				go func() {
					for {
						c, err := l.Accept()
						if err != nil {
							return
						}
						open.Add(1)
						go func() {
							defer open.Add(-1)
							defer c.Close()
							conn := c
							if secure {
								conn = tls.Server(c, server)
							}
							br := bufio.NewReaderSize(conn, 16)
							for {
								r, err := http.ReadRequest(br)
								if err != nil {
									return
								}
								if tt.reads {
									io.Copy(io.Discard, r.Body)
								}
								io.WriteString(conn, tt.says)
								if !tt.reads {
									time.Sleep(time.Second) // longer than Timeout
								}
							}
						}()
					}
				}()
				s := newRoute(t, scheme+"://"+l.Addr().String()+"/in", func(s *route) {
					s.guard.MaxBody, s.opts.Timeout, s.opts.IdleTimeout = 32<<20, 500*time.Millisecond, time.Hour
					if secure {
						s.opts.TLS = &tls.Config{RootCAs: roots}
					}
				})
				for _, size := range []int{256, 8 << 20} {
					s.serve(eventOf(size))
				}
				if n := len(s.reports); n != 2 {
					t.Errorf("%d requests, want 2", n)
				}
				s.handler.Close()
				eventually(t, "the connections are closed", func() bool { return open.Load() == 0 })
				l.Close()
				eventually(t, "the goroutines end", func() bool { return runtime.NumGoroutine() <= before })
			})
		}
	}
}
