package forward

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"
)

const (
	dialTimeout = 10 * time.Second // for a connection, with TLS
	maxHead     = 64 << 10         // bytes of all response heads of a request, 1xx included
	maxIdle     = 512              // connections
	bigBody     = 64 << 10         // is written beside the reading of the response

	maxDrain  = 64 << 10 // bytes of a response that nobody wants
	drainTime = 100 * time.Millisecond
)

// client sends requests to one upstream over HTTP/1.1, one at a time on a connection.
//
// It is not http.Transport, which promises to replay some requests, writes what an upstream
// sends unasked into the default log, and puts a connection back before it knows whether
// more than the response has come: then the rest of one response is taken for the response
// to another delivery, and commits it.
type client struct {
	up      *upstream
	tls     *tls.Config   // nil: none
	idleFor time.Duration // 0: a connection serves one request

	mu     sync.Mutex
	idle   []*conn // the one used last is the last
	closed bool
}

// conn is a connection that serves one request at a time.
type conn struct {
	net.Conn          // what is read and written
	raw      net.Conn // beneath TLS
	in       bounded
	br       *bufio.Reader
	reused   bool
	expiry   *time.Timer // while it is idle
}

// Close breaks the connection off. That of TLS would say goodbye first, for which it may
// wait 5 seconds on an upstream that reads nothing.
func (cn *conn) Close() error { return cn.raw.Close() }

// leave closes a connection that nothing is under way on.
func (cn *conn) leave() { cn.Conn.Close() }

// bounded reads from a connection, no more than left bytes.
type bounded struct {
	net.Conn
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errHeadSize
	}
	n, err := b.Conn.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

var (
	errHeadSize = fmt.Errorf("the head of the response has more than %d bytes", maxHead)
	errResponse = errors.New("the upstream's response is no HTTP/1 response")
	errClosed   = errors.New("the connection ended before the head of a final response")
)

// failure is an exchange without a final response. It holds nothing that the upstream said.
type failure struct {
	err     error
	written bool // the upstream may have got a byte
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// exchange is a request whose final response has begun. End it with finish.
type exchange struct {
	c        *client
	conn     *conn
	response *http.Response
	stop     func() bool   // of the context, which ends nothing from then on; false: it has ended
	writing  chan struct{} // closed when a big body is written; else nil
	broken   bool          // it was not written to its end
	success  bool          // see succeed
}

// do sends head and body and waits for the final response until the deadline, or until ctx
// ends. A request is sent anew on another connection only if not a byte of it was written.
// The error is a *failure.
func (c *client) do(ctx context.Context, deadline time.Time, head, body []byte) (*exchange, error) {
	cn := c.take()
	for {
		if cn == nil {
			var err error
			if cn, err = c.dial(ctx, deadline); err != nil {
				return nil, &failure{err: err}
			}
		}
		x, err := c.try(ctx, cn, deadline, head, body)
		if err == nil {
			return x, nil
		}
		if f := err.(*failure); f.written || !cn.reused || ctx.Err() != nil {
			return nil, f
		}
		cn = nil // it was dead before
	}
}

// dial makes a connection.
func (c *client) dial(ctx context.Context, deadline time.Time) (*conn, error) {
	ctx, cancel := context.WithDeadline(ctx, earlier(deadline, time.Now().Add(dialTimeout)))
	defer cancel()
	raw, err := new(net.Dialer).DialContext(ctx, c.up.network, c.up.address)
	if err != nil {
		return nil, fmt.Errorf("no connection to the upstream: %w", err)
	}
	cn := &conn{Conn: raw, raw: raw}
	if c.tls != nil {
		secure := tls.Client(raw, c.tls)
		if err := secure.HandshakeContext(ctx); err != nil {
			raw.Close()
			return nil, fmt.Errorf("no TLS with the upstream: %w", err)
		}
		cn.Conn = secure
	}
	cn.in.Conn = cn.Conn
	cn.br = bufio.NewReader(&cn.in)
	return cn, nil
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// try sends a request over a connection, and closes it if there is no final response.
func (c *client) try(ctx context.Context, cn *conn, deadline time.Time, head, body []byte) (*exchange, error) {
	cn.SetDeadline(deadline)
	cn.in.left = maxHead
	x := &exchange{c: c, conn: cn}
	x.stop = sync.OnceValue(context.AfterFunc(ctx, func() { cn.SetDeadline(time.Unix(1, 0)) }))
	// Where the process stood still, only Err knows that the lease is over.
	if err := ctx.Err(); err != nil {
		return nil, x.fail(ctx, err, false)
	}

	var written int64
	var failed error
	write := func() {
		written, failed = cn.write(head, body)
		x.broken = failed != nil
	}
	if len(body) > bigBody {
		// The upstream may answer before it has read all, and read no more.
		x.writing = make(chan struct{})
		go func() { defer close(x.writing); write() }()
	} else if write(); failed != nil && written == 0 {
		return nil, x.fail(ctx, failed, false)
	}
	var err error
	if x.response, err = cn.response(); err == nil {
		return x, nil
	}
	cn.Close()
	if x.writing != nil {
		<-x.writing
	}
	if failed != nil && (written == 0 || err == errClosed) {
		err = failed
	}
	return nil, x.fail(ctx, err, written > 0)
}

// fail ends an exchange that has no response.
func (x *exchange) fail(ctx context.Context, err error, written bool) error {
	x.stop()
	x.conn.Close()
	if ended := ctx.Err(); ended != nil && (err == ended || errors.Is(err, os.ErrDeadlineExceeded)) {
		err = ended
		if cause := context.Cause(ctx); cause != ended {
			err = fmt.Errorf("%w: %w", ended, cause)
		}
	}
	return &failure{err, written}
}

// write returns how many bytes were written.
func (cn *conn) write(head, body []byte) (int64, error) {
	if len(head)+len(body) <= 16<<10 { // one write, and one record of TLS
		n, err := cn.Conn.Write(append(head, body...))
		return int64(n), err
	}
	if cn.Conn != cn.raw {
		n, err := cn.Conn.Write(head)
		if err != nil {
			return int64(n), err
		}
		m, err := cn.Conn.Write(body)
		return int64(n + m), err
	}
	buffers := net.Buffers{head, body}
	return buffers.WriteTo(cn.Conn)
}

// post says to http.ReadResponse what was asked.
var post = &http.Request{Method: http.MethodPost}

// response reads the final response's head, and passes over those before it.
func (cn *conn) response() (*http.Response, error) {
	for {
		if _, err := cn.br.Peek(1); err != nil {
			if errors.Is(err, io.EOF) {
				return nil, errClosed
			}
			return nil, err
		}
		response, err := http.ReadResponse(cn.br, post)
		var network net.Error
		switch {
		case errors.Is(err, errHeadSize) || errors.As(err, &network):
			return nil, err
		case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF):
			return nil, errClosed
		case err != nil || response.ProtoMajor != 1 || response.StatusCode < 100:
			return nil, errResponse // the error quotes what came
		}
		if response.StatusCode >= 200 || response.StatusCode == http.StatusSwitchingProtocols {
			cn.in.left = math.MaxInt64
			return response, nil
		}
	}
}

// succeed says that the response is a success. The upstream may still be reading, and loses
// the event if it does not get all. So the rest of the request is written until the
// deadline, also when the sender hangs up.
func (x *exchange) succeed() {
	if x.success = true; !x.isWritten() {
		x.stop()
	}
}

// finish ends an exchange. It reads what is left of the response, within bounds: an upstream
// that is still writing may take a broken connection for a reason to stop. The connection
// serves again only if that was all, and nothing else has come.
func (x *exchange) finish() {
	cn, r := x.conn, x.response
	if x.success && !x.isWritten() {
		discarded := make(chan struct{})
		go func() { // else each side may wait for the other
			defer close(discarded)
			io.Copy(io.Discard, r.Body)
		}()
		<-x.writing
		cn.SetReadDeadline(time.Now().Add(drainTime))
		<-discarded
	}
	complete := false
	if r.ContentLength <= maxDrain {
		cn.SetReadDeadline(time.Now().Add(drainTime))
		n, err := io.Copy(io.Discard, io.LimitReader(r.Body, maxDrain+1))
		complete = err == nil && n <= maxDrain
	}
	if !x.stop() || !complete || r.Close || !bodyAllowed(r) || cn.br.Buffered() > 0 {
		x.close()
		return
	}
	if x.writing != nil {
		select {
		case <-x.writing:
		case <-time.After(drainTime): // it reads no more
			x.close()
			return
		}
	}
	if x.broken {
		cn.Close()
		return
	}
	if !x.c.keep(cn) {
		cn.leave()
	}
}

// isWritten reports whether the writing of the request has ended.
func (x *exchange) isWritten() bool {
	if x.writing == nil {
		return true
	}
	select {
	case <-x.writing:
		return true
	default:
		return false
	}
}

func (x *exchange) close() {
	x.stop()
	x.conn.Close()
	if x.writing != nil {
		<-x.writing
	}
}

// bodyAllowed reports whether the response has the body that its head announces. Some
// servers write one to a 204.
func bodyAllowed(r *http.Response) bool {
	switch {
	case r.StatusCode < 200:
		return false
	case r.StatusCode == http.StatusNoContent || r.StatusCode == http.StatusNotModified:
		length := r.Header["Content-Length"]
		return len(r.TransferEncoding) == 0 && (len(length) == 0 || len(length) == 1 && length[0] == "0")
	}
	return true
}

// take returns an idle connection that is still good, or nil.
func (c *client) take() *conn {
	for {
		c.mu.Lock()
		n := len(c.idle)
		if n == 0 {
			c.mu.Unlock()
			return nil
		}
		cn := c.idle[n-1]
		c.idle[n-1] = nil
		c.idle = c.idle[:n-1]
		c.mu.Unlock()
		cn.expiry.Stop()
		if cn.good() {
			cn.reused = true
			return cn
		}
		cn.Close()
	}
}

// good reports whether an idle connection is open, and nothing has come that nobody asked
// for.
func (cn *conn) good() bool {
	if cn.Conn != cn.raw {
		// TLS may have read ahead. It reads no further than that: the deadline is over.
		cn.SetReadDeadline(time.Unix(1, 0))
		var b [1]byte
		if _, err := cn.Conn.Read(b[:]); !errors.Is(err, os.ErrDeadlineExceeded) {
			return false
		}
		cn.SetReadDeadline(time.Time{})
	}
	return quiet(cn.raw)
}

// keep makes a connection idle, until it is taken or its time is over. It reports whether
// the connection may be kept.
func (c *client) keep(cn *conn) bool {
	if c.idleFor == 0 || !canPeek {
		return false
	}
	cn.SetDeadline(time.Time{})
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || len(c.idle) >= maxIdle {
		return false
	}
	c.idle = append(c.idle, cn)
	if cn.expiry == nil {
		cn.expiry = time.AfterFunc(c.idleFor, func() { c.drop(cn) })
	} else {
		cn.expiry.Reset(c.idleFor)
	}
	return true
}

// drop closes a connection if it is idle.
func (c *client) drop(cn *conn) {
	c.mu.Lock()
	i := slices.Index(c.idle, cn)
	if i >= 0 {
		c.idle = slices.Delete(c.idle, i, i+1)
	}
	c.mu.Unlock()
	if i >= 0 {
		cn.leave()
	}
}

// close closes the idle connections. The others are closed behind their request.
func (c *client) close() {
	c.mu.Lock()
	idle := c.idle
	c.idle, c.closed = nil, true
	c.mu.Unlock()
	for _, cn := range idle {
		cn.expiry.Stop()
		cn.leave()
	}
}
