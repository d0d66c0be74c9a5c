//go:build linux

package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// role, in the environment, makes this program one of its own children.
const role = "HOOKNOTARY_GATEWAYBENCH"

// child runs as the environment says, until the input ends. It is false for the parent.
func child() bool {
	var err error
	switch as, upstream, _ := strings.Cut(os.Getenv(role), " "); as {
	case "":
		return false
	case "upstream":
		err = serveUpstream()
	case "ReverseProxy":
		err = serveReverseProxy(upstream)
	default:
		err = errors.New("unknown role")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return true
}

func startChild(as string) (p *process, in io.Writer, out *bufio.Reader, address string, err error) {
	binary, err := os.Executable()
	if err != nil {
		return nil, nil, nil, "", err
	}
	cmd := exec.Command(binary)
	cmd.Env = append(os.Environ(), role+"="+as)
	cmd.Stderr = os.Stderr
	r, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, nil, "", err
	}
	if in, err = cmd.StdinPipe(); err != nil {
		return nil, nil, nil, "", err
	}
	if p, err = launch(cmd); err != nil {
		return nil, nil, nil, "", err
	}
	out = bufio.NewReader(r)
	if address, err = out.ReadString('\n'); err != nil {
		p.stop()
		return nil, nil, nil, "", fmt.Errorf("%s: %w", as, err)
	}
	return p, in, out, strings.TrimSpace(address), nil
}

// idleUpstream and idleConns are the gateway's: how long a connection to the upstream may be
// idle, and how many may. The others get the same.
const (
	idleUpstream = time.Second
	idleConns    = 512
)

// serveReverseProxy checks nothing.
func serveReverseProxy(upstream string) error {
	target, err := url.Parse("http://" + upstream)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost, transport.IdleConnTimeout = idleConns, idleConns, idleUpstream
	fmt.Println(l.Addr())
	go http.Serve(l, &httputil.ReverseProxy{
		Transport: transport,
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target) },
	})
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// holdPath is where the upstream answers when it is told to.
const holdPath = "/hold"

// counts says what an upstream has got.
type counts struct{ conns, requests, bytes int64 }

func (c counts) minus(d counts) counts {
	return counts{c.conns - d.conns, c.requests - d.requests, c.bytes - d.bytes}
}

// serveUpstream reads requests and answers 200, with as little work as it can. It prints its
// counts for each line of its input; "release" ends what waits below holdPath.
func serveUpstream() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	var conns, requests, size atomic.Int64
	held := make(chan struct{})
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns.Add(1)
			go func() {
				defer c.Close()
				br := bufio.NewReaderSize(c, 64<<10)
				for {
					hold, n, err := readRequest(br)
					if err != nil {
						return
					}
					size.Add(n)
					requests.Add(1)
					if hold {
						<-held
					}
					if _, err := io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"); err != nil {
						return
					}
				}
			}()
		}
	}()
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		if in.Text() == "release" {
			close(held)
			held = make(chan struct{}) // no request is under way: the caller has waited for all
		}
		fmt.Println(conns.Load(), requests.Load(), size.Load())
	}
	return in.Err()
}

var contentLength = []byte("content-length:")

// readRequest reads a request with a Content-Length, which all proxies here send.
func readRequest(br *bufio.Reader) (hold bool, body int64, err error) {
	for first, length := true, int64(-1); ; first = false {
		line, err := br.ReadSlice('\n')
		if err != nil {
			return false, 0, err
		}
		line = bytes.TrimRight(line, "\r\n")
		switch {
		case first:
			hold = bytes.HasPrefix(line, []byte("POST "+holdPath))
		case len(line) == 0:
			if length < 0 {
				return false, 0, errors.New("the request has no Content-Length")
			}
			_, err := br.Discard(int(length))
			return hold, length, err
		case len(line) > len(contentLength) && bytes.EqualFold(line[:len(contentLength)], contentLength):
			if length, err = strconv.ParseInt(string(bytes.TrimSpace(line[len(contentLength):])), 10, 63); err != nil {
				return false, 0, err
			}
		}
	}
}

// upstream is the process behind all proxies.
type upstream struct {
	*process
	address string
	in      io.Writer
	out     *bufio.Reader
}

func startUpstream() (*upstream, error) {
	p, in, out, address, err := startChild("upstream")
	if err != nil {
		return nil, err
	}
	return &upstream{p, address, in, out}, nil
}

func (u *upstream) say(what string) (c counts, err error) {
	if _, err = fmt.Fprintln(u.in, what); err == nil {
		_, err = fmt.Fscanln(u.out, &c.conns, &c.requests, &c.bytes)
	}
	return c, err
}

func (u *upstream) counts() (counts, error) { return u.say("count") }

// release answers what is held.
func (u *upstream) release() error { _, err := u.say("release"); return err }
