package store_test

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/hooknotary/hooknotary/verify/replay"
	"github.com/hooknotary/hooknotary/verify/replay/sqlreplay"
	"github.com/hooknotary/hooknotary/verify/replay/sqlreplay/sqltest/postgrestest"
)

func TestMain(m *testing.M) {
	if file := os.Getenv("SQLREPLAY_CHILD"); file != "" {
		child(file)
	}
	flag.Parse()
	m.Run()
}

// engine is a database that a test runs on.
type engine struct {
	name    string
	driver  string
	dialect sqlreplay.Dialect
	create  func(t testing.TB) string // returns the DSN of an empty database
}

var postgreSQL = engine{"PostgreSQL", "pgx", sqlreplay.PostgreSQL, func(t testing.TB) string {
	return postgrestest.Shared(t).Database(t)
}}

var sqlite = engine{"SQLite", "sqlite", sqlreplay.SQLite, func(t testing.TB) string {
	return sqliteDSN(filepath.Join(t.TempDir(), "events.db"))
}}

// sqliteDSN is the one of the package comment.
func sqliteDSN(file string) string {
	return "file:" + file + "?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(250)&_txlock=immediate"
}

// onEach runs a test on each engine.
func onEach(t *testing.T, f func(t *testing.T, e engine)) {
	for _, e := range []engine{postgreSQL, sqlite} {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			f(t, e)
		})
	}
}

func (e engine) open(t testing.TB, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open(e.driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(8)
	db.SetMaxIdleConns(8)
	t.Cleanup(func() { db.Close() })
	return db
}

// patient is for tests of what is decided, on a machine that may be busy.
var patient = &sqlreplay.Options{Timeout: 20 * time.Second}

func (e engine) store(t testing.TB, db *sql.DB, o *sqlreplay.Options) *sqlreplay.Store {
	t.Helper()
	s, err := sqlreplay.New(db, e.dialect, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// migrated returns a store with the schema in place.
func (e engine) migrated(t testing.TB, db *sql.DB, o *sqlreplay.Options) *sqlreplay.Store {
	t.Helper()
	s := e.store(t, db, o)
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// fresh returns a patient store in a database of its own.
func (e engine) fresh(t testing.TB) (*sqlreplay.Store, *sql.DB) {
	t.Helper()
	db := e.open(t, e.create(t))
	return e.migrated(t, db, patient), db
}

func do(t testing.TB, db *sql.DB, statement string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(context.Background(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// number returns the number that a query returns.
func number(t testing.TB, db *sql.DB, query string, args ...any) (n int64) {
	t.Helper()
	if err := db.QueryRow(query, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// advance makes the records of a table as old as if d had passed, or the clock
// of the database had been set forward.
func advance(t testing.TB, db *sql.DB, table string, d time.Duration) {
	t.Helper()
	by := int64((d + time.Millisecond - 1) / time.Millisecond)
	do(t, db, fmt.Sprintf(`UPDATE %s SET lease = lease - %d, need = need - %[2]d, purge = purge - %[2]d,
		keep = CASE WHEN state = 2 THEN keep - %[2]d ELSE keep END`, table, by))
	do(t, db, fmt.Sprintf("UPDATE %s_bindings SET purge = purge - %d", table, by))
}

const events = "hooknotary_event"

var eventNumber atomic.Uint64

// delivery returns a claim on a new event, as a guard makes it.
func delivery() replay.Claim {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], eventNumber.Add(1))
	return replay.Claim{
		Key:         sha256.Sum256(b[:]),
		Token:       replay.NewToken(),
		Lease:       30 * time.Second,
		Needed:      10 * time.Minute,
		Retention:   7 * 24 * time.Hour,
		Fingerprint: sha256.Sum256(b[1:]),
		SignedAt:    time.Now(),
		Resigned:    true,
	}
}

// again returns a claim on the same event by another owner.
func again(c replay.Claim) replay.Claim {
	c.Token = replay.NewToken()
	return c
}

// bound returns the claim with a binding.
func bound(c replay.Claim, body string) replay.Claim {
	c.Binding = &replay.BodyBinding{Message: sha256.Sum256(c.Key[:]), Body: sha256.Sum256([]byte(body))}
	return c
}

func handle(c replay.Claim) replay.Handle { return replay.Handle{Key: c.Key, Token: c.Token} }

// want claims and expects a status.
func want(t testing.TB, s replay.Store, c replay.Claim, status replay.Status) replay.Outcome {
	t.Helper()
	o, err := s.Claim(t.Context(), c)
	if err != nil || o.Status != status {
		t.Fatalf("Claim = %v, %v, want %v", o.Status, err, status)
	}
	return o
}

// finish claims and commits.
func finish(t testing.TB, s replay.Store, c replay.Claim) replay.Handle {
	t.Helper()
	want(t, s, c, replay.Acquired)
	if err := s.Commit(t.Context(), handle(c)); err != nil {
		t.Fatal(err)
	}
	return handle(c)
}
