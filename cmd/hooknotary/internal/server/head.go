package server

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"time"
)

// Beside the bytes of a head, its form is bounded: net/http makes up to 600 KiB out of 32 KiB
// of short lines, before anybody can look at them.
const (
	MaxFields = 128     // header fields of a request
	MaxLine   = 8 << 10 // bytes of a field of HTTP/1, and of the request line
)

// tooLarge is what net/http answers to a head with too many bytes.
const tooLarge = "HTTP/1.1 431 Request Header Fields Too Large\r\n" +
	"Content-Type: text/plain; charset=utf-8\r\n" +
	"Connection: close\r\n" +
	"\r\n" +
	"431 Request Header Fields Too Large"

// head follows the lines of one head.
type head struct {
	line  int  // bytes of the current line
	cr    bool // the current line is one carriage return so far
	lines int  // lines that ended
	done  bool // the empty line was seen
}

// scan follows p to the end of the head, and returns how much of p belongs to it, and whether
// the head is within its bounds.
func (h *head) scan(p []byte) (n int, ok bool) {
	for n < len(p) && !h.done {
		part := p[n:]
		end := bytes.IndexByte(part, '\n')
		if end >= 0 {
			part = part[:end]
		}
		if len(part) > 0 {
			h.cr = h.line == 0 && len(part) == 1 && part[0] == '\r'
			h.line += len(part)
		}
		if h.line > MaxLine {
			return n, false
		}
		if end < 0 {
			return len(p), true
		}
		switch empty := h.line == 0 || h.cr; {
		case !empty:
			if h.lines++; h.lines > 1+MaxFields {
				return n, false
			}
		case h.lines > 0: // empty lines before the first one are not the end
			h.done = true
		}
		h.line, h.cr = 0, false
		n += end + 1
	}
	return n, true
}

// headConn reads the heads of HTTP/1 within their bounds. A head beyond them is answered here.
//
// It ends where more came than one request: what hides behind a request, and behind another
// reading of its length, is not served, and does not go past the bounds of a head. For the same
// reason a request in chunks, whose length is not known here, is the last one of its connection.
type headConn struct {
	net.Conn // conn, or the TLS over it
	conn     *conn
	head     head
	size     int64 // bytes of the head
	body     int64 // bytes of the body, as the head says
	read     int64 // bytes of both, and of what came with them
	over     bool  // nothing more is read
}

// newHeadConn returns a headConn over c, which c lies beneath.
func newHeadConn(over net.Conn, c *conn) *headConn {
	c.head = &headConn{Conn: over, conn: c}
	return c.head
}

var errOver = &net.OpError{Op: "read", Err: errors.New("the head of the request is too large, or more came than one request")}

func (c *headConn) Read(p []byte) (int, error) {
	if c.over {
		return 0, errOver
	}
	n, err := c.Conn.Read(p)
	size, ok := c.head.scan(p[:n])
	c.size += int64(size)
	c.read += int64(n)
	if ok {
		return n, err
	}
	c.over = true
	io.WriteString(c.Conn, tooLarge)
	c.CloseWrite()
	// What the peer still sends would reset the connection before the response is read.
	c.SetReadDeadline(time.Now().Add(hangUp))
	io.CopyN(io.Discard, c.Conn, 64<<10)
	return 0, errOver
}

// begin is the begin of a request, and reports whether it may be served.
func (c *headConn) begin(w http.ResponseWriter, r *http.Request) bool {
	c.body = r.ContentLength
	if c.body < 0 {
		w.Header().Set("Connection", "close")
	}
	return !c.over
}

// next makes ready for the next head, once a response has left. A client may be one byte ahead
// of us: net/http may have read that while the response left.
func (c *headConn) next() {
	c.over = c.read > c.size+c.body+1
	c.head, c.size, c.read, c.body = head{}, 0, 0, 0
}

func (c *headConn) tracked() *conn { return c.conn }

func (c *headConn) CloseWrite() error {
	return c.Conn.(interface{ CloseWrite() error }).CloseWrite()
}

// tlsConn is a headConn over TLS. net/http asks it for the state.
type tlsConn struct {
	*headConn
	state tls.ConnectionState
}

func (c *tlsConn) ConnectionState() tls.ConnectionState { return c.state }
