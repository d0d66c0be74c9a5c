package server

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"time"
)

// Beside the bytes of a head, its form is bounded: net/http makes up to 600 KiB out of 32 KiB
// of short lines, before anybody can look at them.
const (
	maxLine  = 8 << 10 // bytes of a line, the request line among them
	maxLines = 128     // header fields
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

// scan follows p, and reports whether the head is within its bounds.
func (h *head) scan(p []byte) bool {
	for len(p) > 0 && !h.done {
		end := bytes.IndexByte(p, '\n')
		part := p
		if end >= 0 {
			part = p[:end]
		}
		if len(part) > 0 {
			h.cr = h.line == 0 && len(part) == 1 && part[0] == '\r'
			h.line += len(part)
		}
		if h.line > maxLine {
			return false
		}
		if end < 0 {
			return true
		}
		switch empty := h.line == 0 || h.cr; {
		case !empty:
			if h.lines++; h.lines > 1+maxLines {
				return false
			}
		case h.lines > 0: // lines before the first are skipped
			h.done = true
		}
		h.line, h.cr = 0, false
		p = p[end+1:]
	}
	return true
}

// headConn reads the heads of HTTP/1 within their bounds. A head beyond them is answered here.
type headConn struct {
	net.Conn // conn, or the TLS over it
	conn     *conn
	head     head
	over     bool
}

var errHead = &net.OpError{Op: "read", Err: errors.New("the head of the request is too large")}

func (c *headConn) Read(p []byte) (int, error) {
	if c.over {
		return 0, errHead
	}
	n, err := c.Conn.Read(p)
	if c.head.done || c.head.scan(p[:n]) {
		return n, err
	}
	c.over = true
	io.WriteString(c.Conn, tooLarge)
	c.CloseWrite()
	// What the peer still sends would reset the connection before the response is read.
	c.SetReadDeadline(time.Now().Add(hangUp))
	io.CopyN(io.Discard, c.Conn, 64<<10)
	return 0, errHead
}

// next makes ready for the next head.
func (c *headConn) next() { c.head = head{} }

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
