package server_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/server"
)

// loopback are trusted proxies on this machine, which may hold every connection.
var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

const part = "POST / HTTP/1.1\r\nHost: h\r\n" // of a head

// closed waits until the server has closed c, which said nothing before.
func closed(t *testing.T, c net.Conn) {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(patience))
	if n, err := c.Read(make([]byte, 1)); n > 0 || err == nil || isTimeout(err) {
		t.Errorf("the connection is not closed: %d, %v", n, err)
	}
}

func isTimeout(err error) bool {
	ne, ok := err.(net.Error)
	return ok && ne.Timeout()
}

// finish sends the rest of a head, and fails without a 200.
func finish(t *testing.T, c net.Conn) {
	t.Helper()
	io.WriteString(c, "Content-Length: 0\r\n\r\n")
	answered(t, c)
}

func answered(t *testing.T, c net.Conn) {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(patience))
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	if io.Copy(io.Discard, r.Body); r.StatusCode != 200 {
		t.Errorf("got %s", r.Status)
	}
}

func TestConnections(t *testing.T) {
	open := func(t *testing.T, s *running, n int) (cs []net.Conn) {
		for range n {
			c := dial(t, s)
			io.WriteString(c, part)
			cs = append(cs, c)
		}
		return cs
	}
	t.Run("at the bound accepting goes on, and the one that has waited longest for a head goes", func(t *testing.T) {
		o := options()
		o.Limits.Connections = 8
		o.TrustedProxies = loopback
		s := start(t, o)
		cs := open(t, s, 8+3)
		for _, c := range cs[:3] {
			closed(t, c)
		}
		for _, c := range cs[3:] {
			finish(t, c)
		}
		if !strings.Contains(s.log.String(), "connections are at their bound") {
			t.Errorf("the log is %s", s.log)
		}
	})
	t.Run("below the bound none goes", func(t *testing.T) {
		o := options()
		o.Limits.Connections = 11
		o.TrustedProxies = loopback
		for _, c := range open(t, start(t, o), 11) {
			finish(t, c)
		}
	})
	t.Run("one that had its head stays, and one that is idle waits", func(t *testing.T) {
		o := options()
		o.Limits.Connections = 2
		o.TrustedProxies = loopback
		begun, end := make(chan bool), make(chan bool)
		o.Public = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/long" {
				begun <- true
				<-end
			}
		})
		s := start(t, o)
		long, idle := dial(t, s), dial(t, s)
		io.WriteString(long, "GET /long HTTP/1.1\r\nHost: h\r\n\r\n")
		<-begun
		io.WriteString(idle, part)
		finish(t, idle)
		var c net.Conn
		wait(t, "the idle one goes", func() bool { // the server may not know yet that it is idle
			c = dial(t, s) // one too many
			idle.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
			_, err := idle.Read(make([]byte, 1))
			return err != nil && !isTimeout(err)
		})
		io.WriteString(c, part)
		finish(t, c)
		close(end)
		answered(t, long)
	})
	t.Run("where none waits the new one goes, and later ones are served", func(t *testing.T) {
		o := options()
		o.Limits.Connections = 1
		o.TrustedProxies = loopback
		begun, end := make(chan bool), make(chan bool)
		o.Public = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/long" {
				begun <- true
				<-end
			}
		})
		s := start(t, o)
		long := dial(t, s)
		io.WriteString(long, "GET /long HTTP/1.1\r\nHost: h\r\n\r\n")
		<-begun
		closed(t, dial(t, s))
		close(end)
		answered(t, long)
		wait(t, "a later one is served", func() bool { // the server may not know yet that the first is idle
			c := dial(t, s)
			io.WriteString(c, part+"Connection: close\r\n\r\n")
			got, _ := io.ReadAll(c)
			return strings.HasPrefix(string(got), "HTTP/1.1 200 ")
		})
	})
	t.Run("an address cannot hold more than an eighth", func(t *testing.T) {
		for _, c := range []struct {
			name    string
			trusted []netip.Prefix
			lost    int
		}{
			{"a stranger", nil, 3},
			{"a trusted proxy is exempt", loopback, 0},
		} {
			t.Run(c.name, func(t *testing.T) {
				o := options()
				o.Limits.Connections = 32
				o.TrustedProxies = c.trusted
				s := start(t, o)
				other, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}).Dial("tcp", s.Addr().String())
				if err != nil {
					t.Skip("this machine has no 127.0.0.2")
				}
				defer other.Close()
				io.WriteString(other, part) // it waits longest of all
				cs := open(t, s, 4+3)
				for _, lost := range cs[:c.lost] {
					closed(t, lost)
				}
				for _, kept := range cs[c.lost:] {
					finish(t, kept)
				}
				finish(t, other)
			})
		}
	})
	t.Run("a closed one makes room", func(t *testing.T) {
		o := options()
		o.Limits.Connections = 4
		o.TrustedProxies = loopback
		s := start(t, o)
		first := dial(t, s)
		io.WriteString(first, part)
		for range 50 {
			say(t, dial(t, s), "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
		}
		finish(t, first)
	})
	t.Run("an idle one is closed", func(t *testing.T) {
		o := options()
		o.Limits.IdleTimeout = 50 * time.Millisecond
		s := start(t, o)
		c := dial(t, s)
		io.WriteString(c, part)
		finish(t, c)
		closed(t, c)
	})
	t.Run("one whose peer does not read is closed", func(t *testing.T) {
		if testing.Short() {
			t.Skip("it takes ten seconds")
		}
		t.Parallel()
		failed := make(chan error)
		o := options()
		o.Public = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for {
				if _, err := w.Write(make([]byte, 1<<20)); err != nil {
					failed <- err
					return
				}
			}
		})
		s := start(t, o)
		io.WriteString(dial(t, s), "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		select {
		case err := <-failed:
			if !isTimeout(err) {
				t.Error(err)
			}
		case <-time.After(10*time.Second + patience):
			t.Error("a write still waits")
		}
	})
}

func TestPeerKey(t *testing.T) {
	for a, want := range map[string]string{
		"192.0.2.1":            "192.0.2.1",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::",
		"2001:db8:1:2::1":      "2001:db8:1:2::",
		"2001:db8:1:3::1":      "2001:db8:1:3::",
	} {
		if got := server.PeerKey(netip.MustParseAddr(a)); got.String() != want {
			t.Errorf("%s has the share of %s, want %s", a, got, want)
		}
	}
	if got := server.PeerKey(netip.Addr{}); got.IsValid() {
		t.Errorf("no address has the share of %s", got)
	}
}
