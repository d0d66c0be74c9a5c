package server_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/config"
)

// wantAnonymous fails if a response names software.
func wantAnonymous(t *testing.T, response string) {
	t.Helper()
	lower := strings.ToLower(response)
	for _, word := range []string{"server:", "golang", "go/", "go1", "net/http", "hooknotary", "via:", "x-powered-by", "goroutine"} {
		if strings.Contains(lower, word) {
			t.Errorf("the response names software, %q: %q", word, response)
		}
	}
}

// post is the head of a POST without its end, of n bytes with it.
func post(n int) string {
	const start, end = "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n", "\r\n\r\n"
	var b strings.Builder
	b.WriteString(start)
	for b.Len() < n-len(end) {
		line := "X-Filler: "
		rest := n - len(end) - b.Len() - len(line)
		if rest > 8000 {
			b.WriteString(line + strings.Repeat("a", 4000) + "\r\n")
			continue
		}
		b.WriteString(line + strings.Repeat("a", rest))
	}
	return b.String()
}

func TestHead(t *testing.T) {
	const head = "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
	for _, c := range []struct {
		name, request string
		status        string
	}{
		{"one of 32 KiB is served", post(32<<10) + "\r\n\r\n", "200 OK"},
		{"one of 32 KiB and a byte is too large", post(32<<10+1) + "\r\n\r\n", "431 Request Header Fields Too Large"},
		{"128 fields are served", head + strings.Repeat("X: y\r\n", 126) + "\r\n", "200 OK"},
		{"129 fields are too many", head + strings.Repeat("X: y\r\n", 127) + "\r\n", "431 Request Header Fields Too Large"},
		{"of those that are too many the rest is read", head + strings.Repeat("X: y\r\n", 10000) + "\r\n", "431 Request Header Fields Too Large"},
		{"a field of 8 KiB is served", head + "X: " + strings.Repeat("y", 8<<10-4) + "\r\n\r\n", "200 OK"},
		{"a field of more is too long", head + "X: " + strings.Repeat("y", 8<<10-3) + "\r\n\r\n", "431 Request Header Fields Too Large"},
		{"a request line of 8 KiB is served", "GET /" + strings.Repeat("y", 8<<10-15) + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", "200 OK"},
		{"a longer one is too long", "GET /" + strings.Repeat("y", 8<<10-14) + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", "431 Request Header Fields Too Large"},
		{"one without an end is too long", "GET /" + strings.Repeat("y", 9<<10), "431 Request Header Fields Too Large"},
		{"lines of a body are no fields", head + "Content-Length: 2000\r\n\r\n" + strings.Repeat("\n", 2000), "200 OK"},
		{"a long line of a body is no field", head + "Content-Length: 20000\r\n\r\n" + strings.Repeat("y", 20000), "200 OK"},
		{"one without a Host is malformed", "GET / HTTP/1.1\r\n\r\n", "400 Bad Request: missing required Host header"},
		{"one that is no HTTP is malformed", "hello\r\n\r\n", "400 Bad Request"},
		{"an empty first line is malformed", "\r\n" + head + "\r\n", "400 Bad Request"},
		{"an unknown transfer encoding is not implemented", head + "Transfer-Encoding: gzip\r\n\r\n", "501 Not Implemented"},
		{"two lengths are malformed", head + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", "400 Bad Request"},
		{"HTTP/2 with prior knowledge is refused", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505 HTTP Version Not Supported"},
		{"HTTP/3.0 is refused", "GET / HTTP/3.0\r\nHost: h\r\n\r\n", "505 HTTP Version Not Supported: unsupported protocol version"},
		{"an upgrade to HTTP/2 is ignored", head[:len(head)-len("Connection: close\r\n")] + "Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n", "200 OK"},
		{"another expectation than 100-continue fails", head + "Expect: tea\r\n\r\n", "417 Expectation Failed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, options())
			got := say(t, dial(t, s), c.request)
			if !strings.HasPrefix(got, "HTTP/1.1 "+c.status+"\r\n") {
				t.Errorf("got %.120q, want %s", got, c.status)
			}
			wantAnonymous(t, got)
		})
	}

	t.Run("each request on a connection has its own bounds", func(t *testing.T) {
		s := start(t, options())
		c := dial(t, s)
		in := bufio.NewReader(c)
		request := "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n" + strings.Repeat("X: y\r\n", 100) + "\r\nabc"
		for range 3 {
			io.WriteString(c, request)
			if r, err := http.ReadResponse(in, nil); err != nil || r.StatusCode != 200 {
				t.Fatalf("got %v, %v", r, err)
			} else {
				io.Copy(io.Discard, r.Body)
			}
		}
		io.WriteString(c, strings.Replace(request, "X: y\r\n", strings.Repeat("X: y\r\n", 30), 1))
		if r, err := http.ReadResponse(in, nil); err != nil || r.StatusCode != 431 {
			t.Fatalf("got %v, %v", r, err)
		}
	})

	t.Run("a second request that came with the first is not served", func(t *testing.T) {
		const first, second = "POST /1 HTTP/1.1\r\nHost: h\r\n", "GET /2 HTTP/1.1\r\nHost: h\r\n\r\n"
		for name, request := range map[string]string{
			"no body":         first + "\r\n",
			"a length":        first + "Content-Length: 5\r\n\r\nabcde",
			"chunks":          first + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
			"chunks, trailer": first + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n",
		} {
			for _, behind := range []string{second, second[:10], "GE"} {
				served := make(chan string, 100)
				o := options()
				o.Public = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					io.Copy(io.Discard, r.Body)
					served <- r.URL.Path
				})
				s := start(t, o)
				c := dial(t, s)
				io.WriteString(c, request+behind)
				got, err := io.ReadAll(c)
				first, rest, _ := strings.Cut(string(got), "\r\n\r\n")
				if strings.HasPrefix(name, "chunks") != strings.Contains(first, "\r\nConnection: close") {
					t.Errorf("%s: got %q", name, first)
				}
				if !strings.HasPrefix(first, "HTTP/1.1 200 ") || rest != "" && !strings.HasPrefix(rest, "HTTP/1.1 400 ") {
					t.Errorf("%s: got %q, %v", name, got, err)
				}
				if len(served) != 1 || <-served != "/1" {
					t.Errorf("%s: %d requests were served", name, len(served))
				}
				if strings.HasPrefix(name, "chunks") {
					continue // they are the last request in any case
				}
				// The accepted twin comes once the first is answered.
				c = dial(t, s)
				io.WriteString(c, request)
				for range 50 {
					answered(t, c)
					io.WriteString(c, second)
				}
				answered(t, c)
			}
		}
	})

	t.Run("empty lines between two requests are not its end", func(t *testing.T) {
		for n, want := range map[int]int{100: 200, 128: 431} {
			s := start(t, options())
			c := dial(t, s)
			io.WriteString(c, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n")
			answered(t, c)
			io.WriteString(c, "\r\nPOST / HTTP/1.1\r\nHost: h\r\n"+strings.Repeat("X: y\r\n", n)+"\r\n")
			if r, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || r.StatusCode != want {
				t.Errorf("%d fields: got %v, %v", n+1, r, err)
			}
		}
	})

	t.Run("it may come in any pieces", func(t *testing.T) {
		for _, n := range []int{126, 127} {
			s := start(t, options())
			c := dial(t, s)
			c.(*net.TCPConn).SetNoDelay(true)
			for _, b := range []byte(head + strings.Repeat("X: y\r\n", n) + "\r\n") {
				if _, err := c.Write([]byte{b}); err != nil {
					break
				}
			}
			got, _ := io.ReadAll(c)
			if want := map[int]string{126: "200", 127: "431"}[n]; !strings.HasPrefix(string(got), "HTTP/1.1 "+want) {
				t.Errorf("%d fields: got %q", n+2, got)
			}
		}
	})

	t.Run("one that does not come in time ends the connection", func(t *testing.T) {
		o := options()
		o.Limits = config.Limits{ReadHeaderTimeout: 50e6}
		s := start(t, o)
		for _, part := range []string{"", "PO", "POST / HTTP/1.1\r\nHost: h\r\n", "POST / HTTP/1.1\r\nHost: h\r\nX"} {
			got := say(t, dial(t, s), part)
			if got != "" && !strings.HasPrefix(got, "HTTP/1.1 400 Bad Request\r\n") {
				t.Errorf("got %q", got)
			}
			wantAnonymous(t, got)
		}
	})
}

func TestBody(t *testing.T) {
	t.Run("a body that no handler reads does not hold its connection", func(t *testing.T) {
		o := options()
		o.Public = http.NotFoundHandler()
		s := start(t, o)
		got := say(t, dial(t, s), "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n")
		if !strings.HasPrefix(got, "HTTP/1.1 404 ") {
			t.Errorf("got %q", got)
		}
	})
}

func TestClientAddress(t *testing.T) {
	private := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, c := range []struct {
		name    string
		trusted []netip.Prefix
		lines   []string
		want    string
	}{
		{"nobody is trusted", nil, []string{"192.0.2.1"}, "127.0.0.1"},
		{"the peer is not trusted", private[1:], []string{"192.0.2.1"}, "127.0.0.1"},
		{"a trusted peer says nothing", private, nil, "127.0.0.1"},
		{"a trusted peer names the client", private, []string{"192.0.2.1"}, "192.0.2.1"},
		{"the rightmost counts", private, []string{"198.51.100.7, 192.0.2.1"}, "192.0.2.1"},
		{"but for trusted proxies", private, []string{"198.51.100.7, 192.0.2.1,10.1.2.3 , 10.0.0.9"}, "192.0.2.1"},
		{"of several lines the last counts", private, []string{"198.51.100.7", "192.0.2.1", "10.0.0.9"}, "192.0.2.1"},
		{"all are trusted", private, []string{"10.0.0.1, 10.0.0.2"}, "10.0.0.1"},
		{"an entry is no address", private, []string{"192.0.2.1, unknown, 10.0.0.9"}, "10.0.0.9"},
		{"the last entry is no address", private, []string{"192.0.2.1, "}, "127.0.0.1"},
		{"a line is empty", private, []string{"192.0.2.1", ""}, "127.0.0.1"},
		{"a port stands behind the address", private, []string{"192.0.2.1:4711"}, "192.0.2.1"},
		{"the address is of IPv6", private, []string{"2001:db8::1, fd00::1"}, "2001:db8::1"},
		{"the address of IPv6 has brackets and a port", private, []string{"[2001:db8::1]:443"}, "2001:db8::1"},
		{"the address has a zone", private, []string{"fe80::1%eth0"}, "fe80::1"},
		{"the address is mapped into IPv6", private, []string{"192.0.2.1, ::ffff:10.0.0.9"}, "192.0.2.1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := options()
			o.TrustedProxies = c.trusted
			s := start(t, o)
			request := "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
			for _, l := range c.lines {
				request += "X-Forwarded-For: " + l + "\r\n"
			}
			got := say(t, dial(t, s), request+"\r\n")
			if !strings.HasSuffix(got, " "+c.want) {
				t.Errorf("got %q, want %s", got, c.want)
			}
		})
	}
}
