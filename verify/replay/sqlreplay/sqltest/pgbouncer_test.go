//go:build linux

package sqltest_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/verify/replay/sqlreplay/sqltest/postgrestest"
)

// pooler is a PgBouncer before a server of postgrestest. It listens on a Unix
// socket in a folder of its own.
type pooler struct{ folder string }

const bouncerConfig = `[databases]
* = host=%s port=5432 user=postgres password=%s
[pgbouncer]
unix_socket_dir = %s
listen_port = 5432
logfile = %[3]s/log
auth_type = any
pool_mode = %s
default_pool_size = %d
server_round_robin = %d
max_client_conn = 1000
`

// bouncer starts a PgBouncer that ends with the test.
func bouncer(t *testing.T, server *postgrestest.Server, mode string, size int, inTurn bool) *pooler {
	t.Helper()
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		if program = "/usr/sbin/pgbouncer"; !exists(program) {
			if os.Getenv("HOOKNOTARY_SERVERS") == "required" {
				t.Fatal("PgBouncer is missing: install pgbouncer")
			}
			t.Skip("PgBouncer is missing")
		}
	}
	folder, err := os.MkdirTemp("", "pgb") // short, because it is part of a socket's name
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	turn := 0
	if inTurn {
		turn = 1
	}
	config := filepath.Join(folder, "pgbouncer.ini")
	dsn := keywords(server.DSN())
	if err := os.WriteFile(config, fmt.Appendf(nil, bouncerConfig, dsn["host"], dsn["password"], folder, mode, size, turn), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-q", config)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if os.Geteuid() == 0 { // PgBouncer does not run as root
		u, err := user.Lookup("postgres")
		if err != nil {
			u, err = user.Lookup("nobody")
		}
		if err != nil {
			t.Fatal(err)
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		for _, name := range []string{folder, config} {
			if err := os.Chown(name, uid, gid); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-ended
	})
	for !exists(filepath.Join(folder, ".s.PGSQL.5432")) {
		select {
		case <-ended:
			log, _ := os.ReadFile(filepath.Join(folder, "log"))
			t.Fatalf("PgBouncer ended: %s", log)
		case <-time.After(5 * time.Millisecond):
		}
	}
	return &pooler{folder}
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// through returns the connection string of a database, by way of the pooler.
func (p *pooler) through(dsn string) string {
	return fmt.Sprintf("host=%s port=5432 user=postgres dbname=%s sslmode=disable", p.folder, keywords(dsn)["dbname"])
}

// keywords splits a connection string, whose values have no spaces.
func keywords(dsn string) map[string]string {
	all := make(map[string]string)
	for pair := range strings.FieldsSeq(dsn) {
		name, value, _ := strings.Cut(pair, "=")
		all[name] = value
	}
	return all
}

func open(t testing.TB, driver, dsn string, limit int) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(limit)
	db.SetMaxIdleConns(limit)
	t.Cleanup(func() { db.Close() })
	return db
}

// application inserts rows until ctx ends, with statements of all the shapes that
// the store's own have: the same number of parameters, of the same types.
func application(ctx context.Context, db *sql.DB, worker int) {
	name := []byte("application")
	const number = int64(-7)
	shapes := []struct {
		statement string
		args      []any
	}{
		{"INSERT INTO application (a, b) VALUES ($1, $2)", []any{name, name}},
		{"INSERT INTO application (a, b, n) VALUES ($1, $2, $3)", []any{name, name, number}},
		{"INSERT INTO application (a, b, c, n, o, p, q) VALUES ($1, $2, $3, $4, $5, $6, $7)", []any{name, name, name, number, number, number, number}},
		{"INSERT INTO application (a, b, c, n, o, p) VALUES ($1, $2, $3, $4, $5, $6)", []any{name, name, name, number, number, number}},
		{"INSERT INTO application (a) VALUES ($1)", []any{name}},
		{"INSERT INTO application (n) VALUES ($1)", []any{number}},
		{"INSERT INTO application (a) VALUES ('application')", nil},
	}
	for i := worker; ctx.Err() == nil; i++ {
		// The first shape more often: it is that of commits and releases. Errors
		// are the application's own affair.
		shape := shapes[max(0, i%(2*len(shapes))-len(shapes))]
		db.ExecContext(ctx, shape.statement, shape.args...)
	}
}

const applicationTable = `CREATE TABLE application (a bytea, b bytea, c bytea, n bigint, o bigint, p bigint, q bigint)`

// strangers counts the rows of the application's table that have parameters of the
// store, and those in tables of the store that have the application's. The
// application mixes up its own statements, too; what the store has is longer, and
// its numbers are not negative.
func strangers(t *testing.T, direct *sql.DB, tables ...string) (n int) {
	t.Helper()
	queries := []string{`SELECT count(*) FROM application WHERE length(a) >= 16 OR length(b) >= 16 OR length(c) >= 16
		OR n >= 0 OR o >= 0 OR p >= 0 OR q >= 0`}
	for _, table := range tables {
		queries = append(queries, "SELECT count(*) FROM "+table+" WHERE length(key) <> 32")
	}
	for _, query := range queries {
		var found int
		if err := direct.QueryRow(query).Scan(&found); err != nil {
			t.Fatal(err)
		}
		n += found
	}
	return n
}
