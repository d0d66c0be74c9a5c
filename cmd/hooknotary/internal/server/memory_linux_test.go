// The race detector takes memory of its own.

//go:build !race

package server_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/config"
	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/server"
)

// childOf is set in the environment of a process that only runs a server. Its value is a child.
const childOf = "HOOKNOTARY_SERVER_TEST"

// child describes a server in a process of its own.
type child struct {
	TLS    *config.TLS
	Files  uint64 // the limit of open files, or 0
	Before bool   // it is set before the server is made
}

func TestMain(m *testing.M) {
	if conf := os.Getenv(childOf); conf != "" {
		if err := runChild(conf); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// runChild prints the address of a server, and for each line of its input, which requests it
// has served and how many KiB it takes: of physical memory, and of heap and stacks.
func runChild(conf string) error {
	var c child
	if err := json.Unmarshal([]byte(conf), &c); err != nil {
		return err
	}
	limit := func() error {
		if c.Files == 0 {
			return nil
		}
		return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: c.Files, Max: c.Files})
	}
	if c.Before {
		if err := limit(); err != nil {
			return err
		}
	}
	s, err := server.New(server.Options{
		Listen:         config.Listen{Address: "127.0.0.1:0", TLS: c.TLS},
		Limits:         config.Limits{Connections: 8192, ReadHeaderTimeout: time.Hour, IdleTimeout: time.Hour},
		TrustedProxies: loopback,
		Public:         http.NotFoundHandler(),
		Log:            slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	if err != nil {
		return err
	}
	if err := limit(); err != nil {
		return err
	}
	go s.Run(context.Background())
	fmt.Println(s.Addr())
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		status, err := os.ReadFile("/proc/self/status")
		if err != nil {
			return err
		}
		_, rest, _ := bytes.Cut(status, []byte("VmRSS:"))
		var rss int
		fmt.Sscan(string(rest), &rss)
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		fmt.Println(rss, (m.HeapInuse+m.StackInuse)/1024)
	}
	return nil
}

// process is a running child.
type process struct {
	address string
	in      io.Writer
	out     *bufio.Reader
	log     *journal
}

func startChild(t *testing.T, c child) *process {
	t.Helper()
	conf, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childOf+"="+string(conf))
	log := new(journal)
	cmd.Stderr = log
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	p := &process{in: in, out: bufio.NewReader(out), log: log}
	address, err := p.out.ReadString('\n')
	if err != nil {
		t.Fatalf("%v: %s", err, log)
	}
	p.address = strings.TrimSpace(address)
	return p
}

// kib asks how much memory the process takes.
func (p *process) kib(t *testing.T) (rss, heap int) {
	t.Helper()
	fmt.Fprintln(p.in)
	line, err := p.out.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscan(line, &rss, &heap); err != nil {
		t.Fatal(err)
	}
	return rss, heap
}

// dialMany opens n connections, each with what begin makes of it. What they hold in this
// process does not count.
func dialMany(t *testing.T, p *process, n int, begin func(net.Conn) error) {
	t.Helper()
	jobs := make(chan bool)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var cs []net.Conn
	t.Cleanup(func() {
		for _, c := range cs {
			c.Close()
		}
	})
	for range 16 {
		wg.Go(func() {
			for range jobs {
				c, err := net.Dial("tcp", p.address)
				if err == nil {
					mu.Lock()
					cs = append(cs, c)
					mu.Unlock()
					c.SetDeadline(time.Now().Add(patience))
					err = begin(c)
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range n {
		jobs <- true
	}
	close(jobs)
	wg.Wait()
}

// settled returns the memory once it no longer grows: what was sent has been read.
func (p *process) settled(t *testing.T) (rss, heap int) {
	for {
		_, before := p.kib(t)
		time.Sleep(300 * time.Millisecond)
		if rss, heap = p.kib(t); heap-before < 64 {
			return rss, heap
		}
	}
}

func TestMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes thousands of connections")
	}
	const most = 64 // KiB a connection
	ca := newAuthority(t)
	roots := &tls.Config{RootCAs: ca.pool(), ServerName: "localhost", ClientSessionCache: nil}
	files := secured(t, ca).Listen.TLS

	shortLines := func(n int) string {
		var b strings.Builder
		for i := 0; b.Len() < n; i++ {
			fmt.Fprintf(&b, "%c%c%c:\r\n", 'A'+i%26, 'a'+i/26%26, 'a'+i/676)
		}
		return b.String()
	}
	long := func(n int) string { return strings.Repeat("a", n) }
	plain := func(head string) func(net.Conn) error {
		return func(c net.Conn) error { _, err := io.WriteString(c, head); return err }
	}
	secure := func(what string, protos ...string) func(net.Conn) error {
		return func(c net.Conn) error {
			conf := roots.Clone()
			conf.NextProtos = protos
			s := tls.Client(c, conf)
			if err := s.Handshake(); err != nil {
				return err
			}
			_, err := io.WriteString(s, what)
			return err
		}
	}
	const settings = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"
	// The start of a frame of headers, 16 KiB of which all but the last byte come.
	headers := "\x00\x40\x00\x01\x00\x00\x00\x00\x01" + long(16<<10-1)
	// Short fields, as many as are taken, and the end of the head does not come.
	var fields strings.Builder
	fields.WriteString("\x82\x86\x84\x41\x01h") // GET http / h
	for i := range 880 {
		fmt.Fprintf(&fields, "\x00\x02%c%c\x00", 'a'+i%26, 'a'+i/26)
	}
	short := fmt.Sprintf("\x00%c%c\x01\x00\x00\x00\x00\x01%s", fields.Len()>>8, fields.Len()&0xff, fields.String())
	// A frame of data that may be large: its buffer must not be made before it comes.
	data := "\x0f\xff\xff\x00\x00\x00\x00\x00\x01"

	for _, c := range []struct {
		name  string
		n     int
		tls   bool
		begin func(net.Conn) error
	}{
		{"slow heads", 5000, false, plain(part)},
		{"slow heads over TLS", 1500, true, secure(part)},
		{"handshakes that do not begin", 1500, true, plain("")},
		{"half of a handshake", 500, true, plain("\x16\x03\x01\x40\x00\x01\x00\x3f\xfc" + long(8<<10))},
		{"most of a large handshake", 500, true, plain("\x16\x03\x01\x40\x00\x01\x00\xff\xff" + long(16<<10-4) + strings.Repeat("\x16\x03\x03\x40\x00"+long(16<<10), 2) + "\x16\x03\x03\x40\x00" + long(15<<10))},
		{"a request line of 8 KiB", 500, false, plain("POST /" + long(8<<10-20) + " HTTP/1.1\r\nHost: h\r\n")},
		{"an escaped request line of 8 KiB", 500, false, plain("POST /" + strings.Repeat("%61a", 2<<10-5) + " HTTP/1.1\r\nHost: h\r\n")},
		{"long fields", 500, false, plain(part + strings.Repeat("X: "+long(7<<10)+"\r\n", 4))},
		{"a folded field", 500, false, plain(part + "X: a" + strings.Repeat("\r\n "+long(250), 100))},
		{"as many short fields as are taken", 500, false, plain(part + shortLines(127*6))},
		{"a whole request and 4 KiB of the next head", 500, false, plain("GET / HTTP/1.1\r\nHost: h\r\n\r\n" + part + shortLines(4000))},
		{"HTTP/2 that is idle", 1500, true, secure(settings, "h2")},
		{"HTTP/2 with a part of a head", 500, true, secure(settings+headers, "h2")},
		{"HTTP/2 with short fields", 500, true, secure(settings+short, "h2")},
		{"HTTP/2 with a part of a large frame", 500, true, secure(settings+data, "h2")},
	} {
		t.Run(c.name, func(t *testing.T) {
			var limit syscall.Rlimit
			if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || limit.Cur < uint64(c.n)+100 {
				t.Skipf("only %d files may be open", limit.Cur)
			}
			var conf child
			if c.tls {
				conf.TLS = files
			}
			p := startChild(t, conf)
			dialMany(t, p, 16, c.begin) // what is made once
			rss, heap := p.settled(t)
			dialMany(t, p, c.n, c.begin)
			rss2, heap2 := p.settled(t)
			rss, heap = (rss2-rss)/c.n, (heap2-heap)/c.n
			t.Logf("%d connections: %d KiB each, %d KiB of heap and stacks", c.n, rss, heap)
			// The collector keeps garbage for as much again, which counts where it is many.
			if heap > most || c.n >= 1500 && rss > most {
				t.Errorf("want at most %d KiB", most)
			}
		})
	}
}

func TestFiles(t *testing.T) {
	const lowered = "the bound is lowered"
	for _, c := range []struct {
		name    string
		child   child
		lowered bool
	}{
		{"with no file left to open, accepting goes on", child{Files: 40}, false},
		{"the bound of connections leaves files for others", child{Files: 40, Before: true}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := startChild(t, c.child)
			dialMany(t, p, 100, func(c net.Conn) error { _, err := io.WriteString(c, part); return err })
			conn, err := net.Dial("tcp", p.address)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(patience))
			if got := say(t, conn, part+"Connection: close\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 404 ") {
				t.Errorf("got %q", got)
			}
			if got := p.log.String(); strings.Contains(got, lowered) != c.lowered {
				t.Errorf("the log is %s", got)
			}
		})
	}
}
