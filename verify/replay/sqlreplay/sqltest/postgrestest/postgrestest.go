package postgrestest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	folders = "/usr/lib/postgresql" // <version>/bin, as Debian has it
	port    = "5432"                // part of the socket's name, nothing more

	startTimeout = 60 * time.Second
	stopTimeout  = 30 * time.Second
)

// ErrMissing: this machine has no PostgreSQL that can be started.
var ErrMissing = errors.New("postgrestest: PostgreSQL is missing")

// Options configures a Server. The zero value is the default.
type Options struct {
	// Sync makes the server wait for the disk at each commit. The default does
	// not, which is quicker, and as safe as long as the machine itself goes on: a
	// server that is killed loses nothing.
	Sync bool

	// Config is settings by name, over those of postgresql.conf:
	// "max_connections": "20".
	Config map[string]string
}

// Server is a PostgreSQL cluster. Its methods are safe for concurrent use.
// Make it with Start, Run or Shared.
type Server struct {
	programs string
	folder   string
	account  *account
	password string
	settings []string
	guardian *guardian

	mu     sync.Mutex
	main   *exec.Cmd     // nil: not running
	exited chan struct{} // closed when main is gone
	closed bool
	count  int // databases made
}

// Start makes a cluster and starts it; it takes a second or two. The error wraps
// ErrMissing where PostgreSQL is not installed. Call Close to end it before the
// process ends. Nil options are the defaults.
func Start(o *Options) (*Server, error) {
	if o == nil {
		o = &Options{}
	}
	programs, err := find()
	if err != nil {
		return nil, err
	}
	a, err := unprivileged()
	if err != nil {
		return nil, err
	}
	s := &Server{programs: programs, account: a, password: rand.Text()}
	if s.folder, err = temporary(); err != nil {
		return nil, err
	}
	if s.guardian, err = guard(s.folder); err != nil {
		os.RemoveAll(s.folder)
		return nil, err
	}
	s.settings = settings(s.folder, o)
	if err = s.create(); err == nil {
		err = s.start()
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// temporary makes a folder and returns its name without symbolic links, as the
// system shows it.
func temporary() (string, error) {
	name, err := os.MkdirTemp("", "postgrestest")
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(name)
}

// Run starts a server that is closed when the test ends.
func Run(tb testing.TB, o *Options) *Server {
	tb.Helper()
	s, err := Start(o)
	if err != nil {
		give(tb, err)
	}
	tb.Cleanup(func() { s.Close() })
	return s
}

var shared = sync.OnceValues(func() (*Server, error) { return Start(nil) })

// Shared returns a server that all tests of the process share. It is started by
// the first of them and ends with the process. It must not be made to fail.
func Shared(tb testing.TB) *Server {
	tb.Helper()
	s, err := shared()
	if err != nil {
		give(tb, err)
	}
	return s
}

func give(tb testing.TB, err error) {
	tb.Helper()
	if errors.Is(err, ErrMissing) && os.Getenv("HOOKNOTARY_SERVERS") != "required" {
		tb.Skip(err)
		return
	}
	tb.Fatal(err)
}

// find returns the folder of PostgreSQL's programs.
func find() (string, error) {
	if p, err := exec.LookPath("initdb"); err == nil {
		if _, err := exec.LookPath("postgres"); err == nil {
			if p, err = filepath.EvalSymlinks(p); err == nil {
				return filepath.Dir(p), nil
			}
		}
	}
	best, version := "", -1.0
	found, _ := filepath.Glob(folders + "/*/bin/initdb")
	for _, p := range found {
		dir := filepath.Dir(p)
		v, err := strconv.ParseFloat(filepath.Base(filepath.Dir(dir)), 64)
		if err == nil && v > version {
			best, version = dir, v
		}
	}
	if best == "" {
		return "", fmt.Errorf("%w: initdb and postgres are neither on the PATH nor in %s", ErrMissing, folders)
	}
	return best, nil
}

func settings(folder string, o *Options) []string {
	all := map[string]string{
		"unix_socket_directories": folder,
		"listen_addresses":        "",
		"port":                    port,
		// Shared memory of this type is a file of the folder and goes with it.
		"dynamic_shared_memory_type": "mmap",
	}
	if !o.Sync {
		all["fsync"] = "off"
	}
	for name, value := range o.Config {
		all[name] = value
	}
	var args []string
	for name, value := range all {
		args = append(args, "-c", name+"="+value)
	}
	return args
}

func (s *Server) data() string { return filepath.Join(s.folder, "data") }
func (s *Server) log() string  { return filepath.Join(s.folder, "log") }

func (s *Server) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.programs, program), args...)
	cmd.Dir = s.folder
	cmd.Env = []string{"PATH=" + s.programs + ":/usr/bin:/bin", "LC_ALL=C", "TZ=UTC", "HOME=" + s.folder}
	s.account.own(cmd)
	return cmd
}

// create makes the cluster.
func (s *Server) create() error {
	secret := filepath.Join(s.folder, "password")
	if err := os.WriteFile(secret, []byte(s.password), 0o600); err != nil {
		return err
	}
	for _, name := range []string{s.folder, secret} {
		if err := s.account.give(name); err != nil {
			return err
		}
	}
	out, err := s.command("initdb", "--pgdata="+s.data(), "--no-sync", "--no-locale", "--encoding=UTF8",
		"--username=postgres", "--auth=scram-sha-256", "--pwfile="+secret).CombinedOutput()
	if err != nil {
		return fmt.Errorf("postgrestest: initdb: %w\n%s", err, out)
	}
	return nil
}

// start runs the server until it answers.
func (s *Server) start() error {
	log, err := os.OpenFile(s.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := s.command("postgres", append([]string{"-D", s.data()}, s.settings...)...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("postgrestest: %w", err)
	}
	exited := make(chan struct{})
	go func() {
		cmd.Wait()
		close(exited)
	}()
	s.main, s.exited = cmd, exited
	giveUp := time.After(startTimeout)
	for {
		err := s.ping()
		if err == nil {
			return nil
		}
		select {
		case <-exited:
			s.main = nil
			return fmt.Errorf("postgrestest: the server did not start: %s", s.tail())
		case <-giveUp:
			return fmt.Errorf("postgrestest: the server does not answer: %w: %s", err, s.tail())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (s *Server) ping() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return s.do(ctx, "")
}

// do executes a statement.
func (s *Server) do(ctx context.Context, statement string) error {
	c, err := pgx.Connect(ctx, s.DSN())
	if err != nil {
		return err
	}
	defer c.Close(context.Background())
	_, err = c.Exec(ctx, statement)
	return err
}

func (s *Server) tail() string {
	b, err := os.ReadFile(s.log())
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-2000):])
}

// Socket returns the path of the Unix socket on which the server listens, for a
// proxy in front of it.
func (s *Server) Socket() string { return filepath.Join(s.folder, ".s.PGSQL."+port) }

// DSN returns the connection string of the database "postgres", in the form of
// keywords and values. The user is a superuser. Of a keyword that is given twice
// the last value counts, so more can be appended: " host=127.0.0.1 port=4000"
// for a proxy.
func (s *Server) DSN() string { return s.dsn("postgres") }

func (s *Server) dsn(database string) string {
	return "host=" + s.folder + " port=" + port + " user=postgres password=" + s.password + " dbname=" + database + " sslmode=disable"
}

// NewDatabase makes an empty database and returns its connection string, as DSN
// does. It lives as long as the server.
func (s *Server) NewDatabase(ctx context.Context) (string, error) {
	s.mu.Lock()
	s.count++
	name := "db" + strconv.Itoa(s.count)
	s.mu.Unlock()
	if err := s.do(ctx, "CREATE DATABASE "+name); err != nil {
		return "", fmt.Errorf("postgrestest: %w", err)
	}
	return s.dsn(name), nil
}

// Database is NewDatabase for tests: it fails the test instead of returning an
// error.
func (s *Server) Database(tb testing.TB) string {
	tb.Helper()
	dsn, err := s.NewDatabase(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	return dsn
}

// Kill ends all processes of the server with SIGKILL, as a crash would, and
// returns when they are gone. It does nothing where none runs.
func (s *Server) Kill() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kill()
}

func (s *Server) kill() error {
	if s.main == nil {
		return nil
	}
	s.main.Process.Kill() // first, so that no other process begins
	<-s.exited
	s.main = nil
	giveUp := time.Now().Add(stopTimeout)
	for {
		left, err := s.each(kill)
		if err != nil || len(left) == 0 {
			return err
		}
		if time.Now().After(giveUp) {
			return fmt.Errorf("postgrestest: processes %v do not end", left)
		}
		time.Sleep(time.Millisecond)
	}
}

// Restart starts the server again, with all its data, and returns when it
// answers. One that still runs is stopped first: it ends all connections and
// leaves in order.
func (s *Server) Restart() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errors.New("postgrestest: the server is closed")
	}
	if s.main != nil {
		if err := s.stop(); err != nil {
			return err
		}
	}
	return s.start()
}

func (s *Server) stop() error {
	if _, err := s.each(resume); err != nil {
		return err
	}
	s.main.Process.Signal(os.Interrupt)
	select {
	case <-s.exited:
		s.main = nil
		return nil
	case <-time.After(stopTimeout):
		return errors.New("postgrestest: the server does not stop: " + s.tail())
	}
}

// Pause stops all processes of the server with SIGSTOP: connections stay, and
// new ones are accepted by the kernel, but nothing answers.
func (s *Server) Pause() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.main == nil {
		return errors.New("postgrestest: the server does not run")
	}
	if err := s.main.Process.Signal(pause); err != nil { // first, so that no other process begins
		return err
	}
	_, err := s.each(pause)
	return err
}

// Resume ends a Pause.
func (s *Server) Resume() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.each(resume)
	return err
}

// Close ends the server and removes its folder. It may be called again.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	err := s.kill()
	return errors.Join(err, s.guardian.dismiss())
}

// each sends a signal to every process of the server and returns their ids. They
// are told by their working directory, because children that outlive the main
// process are nobody's.
func (s *Server) each(signal os.Signal) ([]int, error) {
	all, err := within(s.folder)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(pid int) bool {
		p, err := os.FindProcess(pid)
		return err != nil || p.Signal(signal) != nil
	}), nil
}
