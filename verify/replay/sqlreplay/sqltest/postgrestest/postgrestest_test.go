package postgrestest_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/verify/replay/sqlreplay/sqltest/postgrestest"
	"github.com/jackc/pgx/v5"
)

// TestMain is also the process that TestServer kills.
func TestMain(m *testing.M) {
	if os.Getenv("POSTGRESTEST_CHILD") == "" {
		os.Exit(m.Run())
	}
	s, err := postgrestest.Start(nil)
	if err == nil {
		err = s.Pause() // a stopped process cannot end by itself
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(filepath.Dir(s.Socket()))
	select {}
}

func connect(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(context.Background()) })
	return c
}

func exec1(t *testing.T, dsn, statement string) {
	t.Helper()
	if _, err := connect(t, dsn).Exec(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

func count(t *testing.T, dsn string) (n int) {
	t.Helper()
	if err := connect(t, dsn).QueryRow(t.Context(), "SELECT count(*) FROM t").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestServer(t *testing.T) {
	t.Run("a killed one keeps what was committed", func(t *testing.T) {
		s := postgrestest.Run(t, nil)
		dsn := s.Database(t)
		exec1(t, dsn, "CREATE TABLE t (a int)")
		exec1(t, dsn, "INSERT INTO t VALUES (1)")
		open := connect(t, dsn)
		for range 3 {
			if err := s.Kill(); err != nil {
				t.Fatal(err)
			}
			if err := open.Ping(t.Context()); err == nil {
				t.Error("a connection outlived the server")
			}
			if _, err := pgx.Connect(t.Context(), dsn); err == nil {
				t.Error("the server answers after Kill")
			}
			if err := s.Restart(); err != nil {
				t.Fatal(err)
			}
			open = connect(t, dsn)
		}
		if n := count(t, dsn); n != 1 {
			t.Errorf("%d rows after the restarts", n)
		}
		if err := s.Restart(); err != nil {
			t.Errorf("Restart of a running server: %v", err)
		}
		if n := count(t, dsn); n != 1 {
			t.Errorf("%d rows after a restart in order", n)
		}
	})

	t.Run("a paused one replies nothing", func(t *testing.T) {
		s := postgrestest.Run(t, nil)
		open := connect(t, s.DSN())
		if err := s.Pause(); err != nil {
			t.Fatal(err)
		}
		answer := make(chan error, 1)
		go func() { answer <- open.Ping(context.Background()) }()
		select {
		case err := <-answer:
			t.Errorf("the paused server answered: %v", err)
		case <-time.After(200 * time.Millisecond):
		}
		if err := s.Resume(); err != nil {
			t.Fatal(err)
		}
		if err := <-answer; err != nil {
			t.Errorf("after Resume: %v", err)
		}
		connect(t, s.DSN())
	})

	t.Run("a paused one can be killed, restarted and closed", func(t *testing.T) {
		s := postgrestest.Run(t, nil)
		if err := s.Pause(); err != nil {
			t.Fatal(err)
		}
		if err := s.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := s.Pause(); err == nil {
			t.Error("a server that does not run was paused")
		}
		if err := s.Restart(); err != nil {
			t.Fatal(err)
		}
		if err := s.Pause(); err != nil {
			t.Fatal(err)
		}
		if err := s.Restart(); err != nil {
			t.Fatal(err)
		}
		if err := s.Pause(); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("Close again: %v", err)
		}
		if err := s.Restart(); err == nil {
			t.Error("a closed server was started")
		}
		if _, err := os.Stat(filepath.Dir(s.Socket())); !os.IsNotExist(err) {
			t.Errorf("the folder is still there: %v", err)
		}
	})

	t.Run("databases are apart", func(t *testing.T) {
		s := postgrestest.Shared(t)
		exec1(t, s.Database(t), "CREATE TABLE t (a int)")
		exec1(t, s.Database(t), "CREATE TABLE t (a int)")
		if other := postgrestest.Shared(t); other != s {
			t.Error("Shared returned another server")
		}
	})

	t.Run("settings are the server's", func(t *testing.T) {
		s := postgrestest.Run(t, &postgrestest.Options{Sync: true, Config: map[string]string{"max_connections": "7"}})
		for name, want := range map[string]string{"fsync": "on", "max_connections": "7", "port": "5432"} {
			var got string
			if err := connect(t, s.DSN()).QueryRow(t.Context(), "SELECT current_setting($1)", name).Scan(&got); err != nil || got != want {
				t.Errorf("%s = %q, %v, want %q", name, got, err, want)
			}
		}
		_, err := postgrestest.Start(&postgrestest.Options{Config: map[string]string{"max_connections": "many"}})
		if err == nil || !strings.Contains(err.Error(), "max_connections") {
			t.Errorf("Start with a wrong setting: %v", err)
		}
	})

	t.Run("a wrong password is refused", func(t *testing.T) {
		s := postgrestest.Shared(t)
		if _, err := pgx.Connect(t.Context(), s.DSN()+" password=wrong"); err == nil {
			t.Error("a wrong password is accepted")
		}
	})

	t.Run("nothing survives its process", func(t *testing.T) {
		postgrestest.Shared(t) // skips
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "POSTGRESTEST_CHILD=1")
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReader(out).ReadString('\n')
		folder := strings.TrimSpace(line)
		if err != nil || len(running(t, folder)) < 3 {
			t.Fatalf("%q, %v, processes %v", line, err, running(t, folder))
		}
		cmd.Process.Kill()
		cmd.Wait()
		for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			_, err := os.Stat(folder)
			left := running(t, folder)
			if os.IsNotExist(err) && len(left) == 0 {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("left after the process: folder: %v, processes %v", err, left)
			}
		}
	})

	t.Run("a missing server skips the test unless it is required", func(t *testing.T) {
		for _, required := range []bool{false, true} {
			t.Setenv("HOOKNOTARY_SERVERS", map[bool]string{true: "required"}[required])
			r := &recorder{TB: t}
			postgrestest.Give(r, fmt.Errorf("%w: why", postgrestest.ErrMissing))
			if r.failed != required || r.skipped == required || !strings.Contains(r.text, "PostgreSQL is missing: why") {
				t.Errorf("required: %v; failed: %v, skipped: %v, %q", required, r.failed, r.skipped, r.text)
			}
		}
		t.Setenv("HOOKNOTARY_SERVERS", "")
		r := &recorder{TB: t}
		if postgrestest.Give(r, os.ErrPermission); !r.failed {
			t.Error("another error does not fail the test")
		}
	})
}

// running returns the processes that work in folder.
func running(t *testing.T, folder string) (all []string) {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		if to, err := os.Readlink(link); err == nil && strings.HasPrefix(to, folder) {
			all = append(all, link)
		}
	}
	return all
}

type recorder struct {
	testing.TB
	failed, skipped bool
	text            string
}

func (r *recorder) Skip(args ...any)  { r.skipped, r.text = true, r.text+fmt.Sprint(args...) }
func (r *recorder) Fatal(args ...any) { r.failed = true; r.text += fmt.Sprint(args...) }
