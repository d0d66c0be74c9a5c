package store_test

import (
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/hooknotary/hooknotary/verify/replay/sqlreplay/sqltest/postgrestest"
)

// proxy stands between a client and PostgreSQL.
type proxy struct {
	listener net.Listener
	socket   string

	dropAnswer  atomic.Bool // cut the next connection on which the server answers
	dropRequest atomic.Bool // cut the next connection on which the client asks
	sessions    atomic.Int64

	open sync.WaitGroup
}

func newProxy(t *testing.T, s *postgrestest.Server) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, socket: s.Socket()}
	p.open.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			p.open.Go(func() { p.serve(client) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		p.open.Wait() // the clients have gone before
	})
	return p
}

// dsn leads a DSN of the server through the proxy.
func (p *proxy) dsn(dsn string) string {
	return fmt.Sprintf("%s host=127.0.0.1 port=%d", dsn, p.listener.Addr().(*net.TCPAddr).Port)
}

func (p *proxy) serve(client net.Conn) {
	server, err := net.Dial("unix", p.socket)
	if err != nil {
		client.Close()
		return
	}
	end := func() {
		client.Close()
		server.Close()
	}
	p.open.Go(func() {
		defer end()
		carry(client, server, func(b []byte) bool {
			// What begins with a length is no command: it opens a session, or
			// wants a command of another one cancelled.
			if b[0] == 0 {
				if len(b) != cancelRequest {
					p.sessions.Add(1)
				}
				return false
			}
			return p.dropRequest.CompareAndSwap(true, false)
		})
	})
	defer end()
	carry(server, client, func([]byte) bool { return p.dropAnswer.CompareAndSwap(true, false) })
}

const cancelRequest = 16 // bytes

// carry copies until the connection ends or is to be cut.
func carry(from, to net.Conn, cut func([]byte) bool) {
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		if err != nil || cut(b[:n]) {
			return
		}
		if _, err := to.Write(b[:n]); err != nil {
			return
		}
	}
}
