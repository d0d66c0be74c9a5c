package verifytest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hooknotary/hooknotary/verify/capture"
)

// direct reaches a handler without a connection.
type direct struct{ h http.Handler }

func (d *direct) send(c *capture.Capture) outcome { return d.serve(c, c.Body) }

func (d *direct) sendHead(c *capture.Capture, size int) outcome {
	return d.serve(c, bytes.Repeat([]byte(" "), size))
}

func (d *direct) serve(c *capture.Capture, body []byte) (o outcome) {
	r := c.Request(context.Background())
	counted := &counted{r: bytes.NewReader(body)}
	r.Body, r.ContentLength = counted, int64(len(body))
	w := httptest.NewRecorder()
	o.panicked, o.stack = caught(func() { d.h.ServeHTTP(w, r) })
	o.read = counted.n.Load()
	if o.panicked == "" {
		o.response(w.Result())
	}
	return o
}

// counted is a body that counts what is read of it.
type counted struct {
	r io.Reader
	n atomic.Int64
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n.Add(int64(n))
	return n, err
}

func (*counted) Close() error { return nil }

func (o *outcome) response(r *http.Response) {
	o.status = r.StatusCode
	o.duplicate = r.Header.Get("Webhook-Duplicate") == "1"
}

// caught runs f and says with what it panicked. That is no more than the type
// unless the runtime panicked: a handler may panic with a body.
func caught(f func()) (what string, stack []byte) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case runtime.Error:
			what, stack = p.Error(), debug.Stack()
		default:
			what, stack = fmt.Sprintf("a %T", p), debug.Stack()
		}
	}()
	f()
	return "", nil
}

// loopback reaches a handler through a server.
type loopback struct {
	*httptest.Server
	patience time.Duration

	mu       sync.Mutex
	panicked string
	stack    []byte
}

func serve(h http.Handler, patience time.Duration) *loopback {
	l := &loopback{patience: patience}
	l.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		what, stack := caught(func() { h.ServeHTTP(w, r) })
		if what != "" {
			l.mu.Lock()
			l.panicked, l.stack = what, stack
			l.mu.Unlock()
			panic(http.ErrAbortHandler)
		}
	}))
	l.Config.ErrorLog = log.New(io.Discard, "", 0)
	l.Start()
	l.Client().Timeout = patience
	l.Client().CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return l
}

func (l *loopback) send(c *capture.Capture) outcome {
	return l.outcome(func() (*http.Response, error) {
		r, err := http.NewRequest(c.Method, l.URL+c.URL.RequestURI(), bytes.NewReader(c.Body))
		if err != nil {
			return nil, err
		}
		r.Host, r.Header = c.Host, c.Header.Clone()
		return l.Client().Do(r)
	})
}

func (l *loopback) sendHead(c *capture.Capture, size int) outcome {
	var conn net.Conn
	defer func() {
		if conn != nil {
			conn.Close()
		}
	}()
	return l.outcome(func() (_ *http.Response, err error) {
		if conn, err = net.Dial("tcp", l.Listener.Addr().String()); err != nil {
			return nil, err
		}
		conn.SetDeadline(time.Now().Add(l.patience))
		if _, err := fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n", c.Method, c.URL.RequestURI(), c.Host, size); err != nil {
			return nil, err
		}
		if err := c.Header.Write(conn); err != nil {
			return nil, err
		}
		if _, err := io.WriteString(conn, "\r\n"); err != nil {
			return nil, err
		}
		return http.ReadResponse(bufio.NewReader(conn), nil)
	})
}

// outcome takes down what became of a request.
func (l *loopback) outcome(send func() (*http.Response, error)) outcome {
	l.mu.Lock()
	l.panicked, l.stack = "", nil
	l.mu.Unlock()
	r, err := send()
	if e := (*url.Error)(nil); errors.As(err, &e) {
		err = e.Err // without the URL, which may hold a token
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	o := outcome{read: unknown, err: err, panicked: l.panicked, stack: l.stack}
	if err == nil {
		o.response(r)
		io.Copy(io.Discard, r.Body)
		r.Body.Close()
	}
	return o
}
