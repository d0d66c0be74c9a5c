// Package redistest runs real Redis servers for tests, examples and crash
// harnesses: each on a loopback port of its own, with its data in a temporary
// folder that [Server.Close] removes.
//
// A test asks for a server and gets one that is closed when it ends:
//
//	s := redistest.NewServer(t, "maxmemory 64mb")
//	client := redis.NewClient(&redis.Options{Addr: s.Addr()})
//
// A program calls [Start] and [Server.Close]. Both can then ill-treat what they
// started: Kill is SIGKILL, Restart comes back on the same port and with what
// was on disk, Pause stops the process without closing its connections.
//
// The servers keep nothing on disk unless a line of configuration says so, for
// example "appendonly yes". On Linux they die with the process that started
// them, however that ends; elsewhere a process that is killed leaves them behind.
package redistest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// ErrMissing: there is neither a redis-server nor a valkey-server on the PATH.
var ErrMissing = errors.New("redistest: no redis-server on the PATH (Debian: apt-get install redis-server)")

// errPort: another process has the port.
var errPort = errors.New("redistest: the port is taken")

const (
	patience = time.Minute // for a server to answer, or a cluster to form; a busy machine may need long

	// Ports are taken from below those that systems give to outgoing
	// connections, so that none is gone when a server comes back to it. A
	// cluster's second port, 10,000 above the first, lies there too.
	firstPort, lastPort = 15000, 22700
	busOffset           = 10000
)

// Server is one server process. Make it with Start or NewServer. Its methods
// are safe for concurrent use.
type Server struct {
	binary   string
	args     []string // beside the file
	port     int
	dir      string
	password string

	mu      sync.Mutex
	process *process // nil: not running
	closed  bool
}

// NewServer starts a server with the given lines of configuration and closes it
// at the end of the test. Where there is no server binary the test is skipped,
// or fails if HOOKNOTARY_SERVERS is "required" in the environment.
func NewServer(t testing.TB, config ...string) *Server {
	t.Helper()
	s, err := Start(config...)
	check(t, err)
	t.Cleanup(s.Close)
	return s
}

func check(t testing.TB, err error) {
	t.Helper()
	switch {
	case errors.Is(err, ErrMissing) && os.Getenv("HOOKNOTARY_SERVERS") != "required":
		t.Skip(err)
	case err != nil:
		t.Fatal(err)
	}
}

// Start starts a server with the given lines of configuration, as in a
// redis.conf, and returns when it answers. The error is ErrMissing where there
// is no server binary. The caller must call Close.
func Start(config ...string) (*Server, error) {
	return start(alone, config)
}

// mode is what a server is for.
type mode int

const (
	alone mode = iota
	inCluster
	asSentinel
)

func start(m mode, config []string) (*Server, error) {
	for try := 1; ; try++ {
		s, err := prepare(m, config)
		if err != nil {
			return nil, err
		}
		err = s.Restart()
		if err == nil {
			return s, nil
		}
		s.Close()
		if !errors.Is(err, errPort) || try == 5 {
			return nil, err
		}
	}
}

// prepare makes a server that was not started yet, with its folder.
func prepare(m mode, config []string) (*Server, error) {
	s := &Server{}
	for _, name := range []string{"redis-server", "valkey-server"} {
		if path, err := exec.LookPath(name); err == nil {
			s.binary = path
			break
		}
	}
	if s.binary == "" {
		return nil, ErrMissing
	}
	var err error
	if s.port, err = freePort(); err != nil {
		return nil, err
	}
	if s.dir, err = os.MkdirTemp("", "redistest-"); err != nil {
		return nil, fmt.Errorf("redistest: %w", err)
	}
	lines := []string{
		"bind 127.0.0.1",
		fmt.Sprintf("port %d", s.port),
		fmt.Sprintf("dir %q", s.dir),
		`logfile "server.log"`,
		"daemonize no",
	}
	switch m {
	case alone:
		lines = append(lines, `save ""`, "appendonly no")
	case inCluster:
		lines = append(lines, `save ""`, "appendonly no", "cluster-enabled yes", "cluster-config-file nodes.conf", "cluster-node-timeout 5000")
	case asSentinel:
		s.args = []string{"--sentinel"}
	}
	lines = append(lines, config...)
	for _, line := range config {
		if f := strings.Fields(line); len(f) == 2 && strings.EqualFold(f[0], "requirepass") {
			s.password = f[1]
		}
	}
	if err := os.WriteFile(s.path("server.conf"), []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		os.RemoveAll(s.dir)
		return nil, fmt.Errorf("redistest: %w", err)
	}
	return s, nil
}

// freePort returns a port that was free a moment ago, like the one that a
// cluster would use beside it.
func freePort() (int, error) {
	for range 100 {
		port := firstPort + rand.IntN(lastPort-firstPort)
		if free(port) && free(port+busOffset) {
			return port, nil
		}
	}
	return 0, errors.New("redistest: no free port")
}

func free(port int) bool {
	l, err := net.Listen("tcp", address(port))
	if err != nil {
		return false
	}
	l.Close()
	return true
}

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

func (s *Server) path(name string) string { return filepath.Join(s.dir, name) }

// Addr returns the host and port, which stay the same through Restart.
func (s *Server) Addr() string { return address(s.port) }

// Kill ends the process with SIGKILL and waits until it is gone. It does nothing
// where it is gone already.
func (s *Server) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kill()
}

func (s *Server) kill() {
	if s.process != nil {
		s.process.kill()
		s.process = nil
	}
}

// Restart kills the process if it runs, starts it again on the same port and in
// the same folder, and returns when it answers and has loaded its data. What it
// then still knows depends on its configuration: by default, nothing.
func (s *Server) Restart() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errors.New("redistest: the server is closed")
	}
	s.kill()
	p, err := launch(s.binary, append([]string{s.path("server.conf")}, s.args...)...)
	if err != nil {
		return fmt.Errorf("redistest: %w", err)
	}
	if err := s.await(p); err != nil {
		p.kill()
		return err
	}
	s.process = p
	return nil
}

// await waits until p answers. That it is p, and not another server that got
// hold of the port, tells its process id, or its folder where INFO is renamed.
func (s *Server) await(p *process) error {
	c := s.dial()
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	want := "process_id:" + strconv.Itoa(p.pid())
	for {
		err := c.Ping(ctx).Err()
		if err == nil {
			var info string
			if info, err = c.Info(ctx, "server").Result(); err == nil && contains(info, want) {
				return nil
			}
			if redis.HasErrorPrefix(err, "unknown command") {
				var dir map[string]string
				if dir, err = c.ConfigGet(ctx, "dir").Result(); err == nil && dir["dir"] == s.dir {
					return nil
				}
			}
		}
		select {
		case <-p.gone:
			return s.failure("the server ended")
		case <-ctx.Done():
			return s.failure(fmt.Sprintf("the server did not answer within %v: %v", patience, err))
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// dial returns a client of its own, for what this package has to ask.
func (s *Server) dial() *redis.Client {
	return redis.NewClient(&redis.Options{
		Addr:                  s.Addr(),
		Password:              s.password,
		MaxRetries:            -1,
		ContextTimeoutEnabled: true,
		ReadTimeout:           patience, // contexts end earlier
	})
}

// contains reports whether a line of an INFO is the given one.
func contains(info, line string) bool {
	for l := range strings.Lines(info) {
		if strings.TrimSpace(l) == line {
			return true
		}
	}
	return false
}

// failure returns an error with the end of the server's log.
func (s *Server) failure(what string) error {
	log, _ := os.ReadFile(s.path("server.log"))
	if len(log) > 1000 {
		log = log[len(log)-1000:]
	}
	if strings.Contains(string(log), "Address already in use") {
		return errPort
	}
	return fmt.Errorf("redistest: %s: %s", what, log)
}

// Pause stops the process with SIGSTOP: its connections stay open, and nothing
// answers.
func (s *Server) Pause() error { return s.signal(stop) }

// Resume lets a paused process run again.
func (s *Server) Resume() error { return s.signal(resume) }

func (s *Server) signal(sig os.Signal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return errors.New("redistest: the server does not run")
	}
	if err := s.process.cmd.Process.Signal(sig); err != nil {
		return fmt.Errorf("redistest: %w", err)
	}
	return nil
}

// Close kills the process and removes its folder. It may be called twice.
func (s *Server) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kill()
	s.closed = true
	os.RemoveAll(s.dir)
}
