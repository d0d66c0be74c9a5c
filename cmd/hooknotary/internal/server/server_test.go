package server_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/config"
	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/server"
)

// patience is how long a test waits for what must happen. A busy machine takes its time.
const patience = 30 * time.Second

// journal is a log that tests read.
type journal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.String()
}

// running is a server that a test started.
type running struct {
	*server.Server
	log  *journal
	stop context.CancelFunc
	done chan struct{} // closed when Run has returned
	err  error         // of Run
}

func options() server.Options {
	return server.Options{
		Listen: config.Listen{Address: "127.0.0.1:0"},
		Admin:  config.Admin{Address: "127.0.0.1:0"},
		Public: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			fmt.Fprintf(w, "%s %s %d %v", r.Method, r.URL.Path, len(body), server.ClientAddress(r.Context()))
		}),
	}
}

// start runs a server until the test ends.
func start(t *testing.T, o server.Options) *running {
	t.Helper()
	log := new(journal)
	o.Log = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s, err := server.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return run(t, s, log)
}

// run runs a server that was made, until the test ends.
func run(t *testing.T, s *server.Server, log *journal) *running {
	r := &running{Server: s, log: log, done: make(chan struct{})}
	ctx, stop := context.WithCancel(context.Background())
	r.stop = stop
	go func() {
		r.err = s.Run(ctx)
		close(r.done)
	}()
	t.Cleanup(func() {
		stop()
		<-r.done
		if r.err != nil {
			t.Errorf("Run returned %v", r.err)
		}
	})
	return r
}

// wait waits until ok.
func wait(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for by := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(by) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

func dial(t *testing.T, s *running) net.Conn {
	t.Helper()
	c, err := net.Dial(s.Addr().Network(), s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(patience))
	return c
}

// say sends a request, and returns all that comes until the connection ends.
func say(t *testing.T, c net.Conn, request string) string {
	t.Helper()
	io.WriteString(c, request)
	got, err := io.ReadAll(c)
	if err != nil {
		t.Errorf("%v after %q", err, got)
	}
	return string(got)
}

func TestServe(t *testing.T) {
	s := start(t, options())
	got := say(t, dial(t, s), "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi")
	if !strings.HasPrefix(got, "HTTP/1.1 200 OK\r\n") || !strings.HasSuffix(got, "\r\n\r\nPOST /x 2 127.0.0.1") {
		t.Errorf("got %q", got)
	}
}
