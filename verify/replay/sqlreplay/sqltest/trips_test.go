//go:build linux

package sqltest_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/hooknotary/hooknotary/verify/replay"
	"github.com/hooknotary/hooknotary/verify/replay/sqlreplay"
	"github.com/hooknotary/hooknotary/verify/replay/sqlreplay/sqltest"
	"github.com/hooknotary/hooknotary/verify/replay/sqlreplay/sqltest/postgrestest"
)

// turns is a proxy before a server that counts round trips: how often the client
// spoke after the server did.
type turns struct {
	folder string
	count  atomic.Int64
}

func newTurns(t *testing.T, server *postgrestest.Server) *turns {
	t.Helper()
	folder, err := os.MkdirTemp("", "turns")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	l, err := net.Listen("unix", filepath.Join(folder, ".s.PGSQL.5432"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	p := &turns{folder: folder}
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(client, server.Socket())
		}
	}()
	return p
}

func (p *turns) serve(client net.Conn, socket string) {
	defer client.Close()
	server, err := net.Dial("unix", socket)
	if err != nil {
		return
	}
	defer server.Close()
	var spoke atomic.Bool // the server, since the client did
	spoke.Store(true)
	go func() {
		defer client.Close()
		io.Copy(client, reader(func(b []byte) (int, error) {
			n, err := server.Read(b)
			spoke.Store(true) // before the client can have seen it
			return n, err
		}))
	}()
	io.Copy(server, reader(func(b []byte) (int, error) {
		n, err := client.Read(b)
		if n > 0 && spoke.Swap(false) {
			p.count.Add(1)
		}
		return n, err
	}))
}

type reader func(b []byte) (int, error)

func (r reader) Read(b []byte) (int, error) { return r(b) }

func (p *turns) through(dsn string) string {
	all := keywords(dsn)
	return fmt.Sprintf("host=%s port=5432 user=postgres password=%s dbname=%s sslmode=disable", p.folder, all["password"], all["dbname"])
}

// The figures of the package comment.
func TestRoundTripsOfAStatement(t *testing.T) {
	server := postgrestest.Shared(t)
	p := newTurns(t, server)
	want := map[string]int64{
		"lib-pq": 4, "lib-pq binary_parameters": 3,
		"pgx cache_statement": 1, "pgx cache_describe": 3, "pgx describe_exec": 4, "pgx exec": 3, "pgx simple_protocol": 3,
	}
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			dsn := server.Database(t)
			direct := open(t, "pgx", dsn, 2)
			db := open(t, m.driver, p.through(dsn)+m.dsn, 2)
			s := sqltest.New(t, db, direct, sqlreplay.PostgreSQL, "store")
			if err := s.Check(t.Context()); err != nil {
				t.Fatal(err)
			}
			db.SetMaxOpenConns(1) // which knows its statements after the first time
			// The least of some, because pgx asks after a connection that was idle for
			// a second.
			claim, commit := int64(math.MaxInt64), int64(math.MaxInt64)
			for range 5 {
				c := sqltest.Claim(false)
				claim = min(claim, p.trips(t, func() error {
					_, err := s.Claim(t.Context(), c)
					return err
				}))
				commit = min(commit, p.trips(t, func() error {
					return s.Commit(t.Context(), replay.Handle{Key: c.Key, Token: c.Token})
				}))
			}
			t.Logf("%d round trips for a claim and %d for a commit", claim, commit)
			if claim != want[m.name] || commit != want[m.name] {
				t.Errorf("%d round trips for a claim and %d for a commit, want %d", claim, commit, want[m.name])
			}
		})
	}
}

func (p *turns) trips(t *testing.T, f func() error) int64 {
	t.Helper()
	before := p.count.Load()
	if err := f(); err != nil {
		t.Fatal(err)
	}
	return p.count.Load() - before
}

// pgxTx is the adapter that the comment of CommitIn shows.
type pgxTx struct{ pgx.Tx }

func (t pgxTx) ExecContext(ctx context.Context, statement string, args ...any) (sql.Result, error) {
	tag, err := t.Exec(ctx, statement, args...)
	return driver.RowsAffected(tag.RowsAffected()), err
}

func TestHandlersTransaction(t *testing.T) {
	dsn := postgrestest.Shared(t).Database(t)
	direct := open(t, "pgx", dsn, 4)
	s := sqltest.New(t, direct, direct, sqlreplay.PostgreSQL, "store")
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	libpq := open(t, "postgres", dsn, 2)
	claimed := func() (replay.Claim, context.Context) {
		t.Helper()
		c := sqltest.Claim(false)
		if o, err := s.Claim(t.Context(), c); err != nil || o.Status != replay.Acquired {
			t.Fatalf("Claim = %v, %v", o.Status, err)
		}
		return c, replay.NewContext(t.Context(), replay.Handle{Key: c.Key, Token: c.Token})
	}
	for _, tt := range []struct {
		name  string
		begin func(isolation string) (tx sqlreplay.Execer, end func(commit bool) error, err error)
	}{
		{"of pgx itself", func(isolation string) (sqlreplay.Execer, func(bool) error, error) {
			tx, err := conn.BeginTx(t.Context(), pgx.TxOptions{IsoLevel: pgx.TxIsoLevel(isolation)})
			return pgxTx{tx}, func(commit bool) error {
				if commit {
					return tx.Commit(t.Context())
				}
				return tx.Rollback(t.Context())
			}, err
		}},
		{"of lib/pq", func(isolation string) (sqlreplay.Execer, func(bool) error, error) {
			level := sql.LevelReadCommitted
			if isolation != "read committed" {
				level = sql.LevelSerializable
			}
			tx, err := libpq.BeginTx(t.Context(), &sql.TxOptions{Isolation: level})
			return tx, func(commit bool) error {
				if commit {
					return tx.Commit()
				}
				return tx.Rollback()
			}, err
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, commit := range []bool{true, false} {
				c, ctx := claimed()
				tx, end, err := tt.begin("read committed")
				if err != nil {
					t.Fatal(err)
				}
				for range 2 { // it may be repeated
					if err := s.CommitIn(ctx, tx); err != nil {
						t.Errorf("CommitIn = %v", err)
					}
				}
				if err := end(commit); err != nil {
					t.Fatal(err)
				}
				r, ok, err := s.Inspect(t.Context(), c.Key)
				if want := map[bool]replay.Status{true: replay.Done, false: replay.InFlight}[commit]; err != nil || !ok || r.Status != want {
					t.Errorf("committed %v: Inspect = %v, %v, %v, want %v", commit, r.Status, ok, err, want)
				}
			}
			_, ctx := claimed()
			tx, end, err := tt.begin("serializable")
			if err != nil {
				t.Fatal(err)
			}
			if err := s.CommitIn(ctx, tx); err == nil || !strings.Contains(err.Error(), "READ COMMITTED") {
				t.Errorf("CommitIn in a serializable transaction = %v", err)
			}
			end(false)

			lost := replay.NewContext(t.Context(), replay.Handle{Key: replay.Key{1}})
			if tx, end, err = tt.begin("read committed"); err != nil {
				t.Fatal(err)
			}
			if err := s.CommitIn(lost, tx); err != replay.ErrLost {
				t.Errorf("CommitIn without the claim = %v, want ErrLost", err)
			}
			end(false)
		})
	}
	t.Run("that is none", func(t *testing.T) {
		_, ctx := claimed()
		for what, tx := range map[string]sqlreplay.Execer{"nil": nil, "a nil *sql.Tx": (*sql.Tx)(nil), "a database": direct} {
			if err := s.CommitIn(ctx, tx); err == nil {
				t.Errorf("CommitIn accepts %s", what)
			}
		}
	})
}
