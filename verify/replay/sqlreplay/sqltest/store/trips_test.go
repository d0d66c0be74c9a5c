package store_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/verify/replay"
	"github.com/hooknotary/hooknotary/verify/replay/sqlreplay"
)

// counter is a driver around another one that counts what is sent to the
// database.
type counter struct {
	driver driver.Driver
	dsn    string
	calls  *calls
}

// calls counts calls, and calls hook with the count before each one, and seen with
// each statement and its parameters.
type calls struct {
	atomic.Int64
	hook  func(n int64)
	seen  func(statement string, args []any)
	plain *sql.DB // the same database, not counted
}

func (c *calls) one() {
	if n := c.Add(1); c.hook != nil {
		c.hook(n)
	}
}

// statement is one with a statement.
func (c *calls) statement(text string, args []driver.NamedValue) {
	c.one()
	if c.seen != nil {
		var values []any
		for _, a := range args {
			values = append(values, a.Value)
		}
		c.seen(text, values)
	}
}

func (c counter) Driver() driver.Driver { return c.driver }

func (c counter) Connect(context.Context) (driver.Conn, error) {
	conn, err := c.driver.Open(c.dsn)
	if err != nil {
		return nil, err
	}
	return countedConn{conn, c.calls}, nil
}

type countedConn struct {
	driver.Conn
	calls *calls
}

// Prepare is not counted: it happens once a connection.
func (c countedConn) Prepare(statement string) (driver.Stmt, error) {
	s, err := c.Conn.Prepare(statement)
	if err != nil {
		return nil, err
	}
	return countedStmt{s, statement, c.calls}, nil
}

func (c countedConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	c.calls.one()
	tx, err := c.Conn.(driver.ConnBeginTx).BeginTx(ctx, o)
	return countedTx{tx, c.calls}, err
}

type countedTx struct {
	driver.Tx
	calls *calls
}

func (t countedTx) Commit() error {
	t.calls.one()
	return t.Tx.Commit()
}

func (c countedConn) ExecContext(ctx context.Context, statement string, args []driver.NamedValue) (driver.Result, error) {
	c.calls.statement(statement, args)
	return c.Conn.(driver.ExecerContext).ExecContext(ctx, statement, args)
}

func (c countedConn) QueryContext(ctx context.Context, statement string, args []driver.NamedValue) (driver.Rows, error) {
	c.calls.statement(statement, args)
	return c.Conn.(driver.QueryerContext).QueryContext(ctx, statement, args)
}

func (c countedConn) CheckNamedValue(v *driver.NamedValue) error {
	if checker, ok := c.Conn.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

type countedStmt struct {
	driver.Stmt
	text  string
	calls *calls
}

func (s countedStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	s.calls.statement(s.text, args)
	return s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args)
}

func (s countedStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	s.calls.statement(s.text, args)
	return s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
}

// counted returns a store, and the count of what it sends to its database.
func (e engine) counted(t *testing.T, more string) (*sqlreplay.Store, *calls) {
	t.Helper()
	dsn := e.create(t) + more
	calls := &calls{plain: e.open(t, dsn)}
	e.migrated(t, calls.plain, nil)
	db := sql.OpenDB(counter{calls.plain.Driver(), dsn, calls})
	t.Cleanup(func() { db.Close() })
	return e.store(t, db, patient), calls
}

// A statement is what a store sends to its database, with parameters.
type statement struct {
	text string
	args []any
}

// statements returns what the operations of a store send, by name. An operation of
// several statements is there with a number for each.
func (e engine) statements(t *testing.T) map[string]statement {
	t.Helper()
	s, calls := e.counted(t, "")
	want(t, s, delivery(), replay.Acquired) // with a look at the schema
	all := make(map[string]statement)
	record := func(what string, n int, f func() error) {
		t.Helper()
		before := len(all)
		calls.seen = func(text string, args []any) {
			all[fmt.Sprint(what, " ", len(all)-before+1)] = statement{text, args}
		}
		defer func() { calls.seen = nil }()
		if err := f(); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if len(all)-before != n {
			t.Fatalf("%s sent %d statements, want %d", what, len(all)-before, n)
		}
	}
	claim := func(c replay.Claim, status replay.Status) func() error {
		return func() error {
			want(t, s, c, status)
			return nil
		}
	}
	c, h := delivery(), replay.Handle{}
	old := delivery()
	old.SignedAt = time.Unix(0, 0)
	record("claim", 1, claim(c, replay.Acquired))
	record("claim with a binding", 2, claim(bound(delivery(), "body"), replay.Acquired))
	record("claim before the floor", 3, claim(old, replay.BeforeFloor))
	delete(all, "claim before the floor 2") // a look at the schema, WHERE false
	h = handle(c)
	record("renew", 1, func() error { return s.Renew(t.Context(), h, time.Minute) })
	record("inspect", 1, func() error {
		_, _, err := s.Inspect(t.Context(), c.Key)
		return err
	})
	record("forget what is held", 2, func() error {
		if err := s.Forget(t.Context(), c.Key); err == nil {
			return errors.New("it forgets what is held")
		}
		return nil
	})
	record("commit", 1, func() error { return s.Commit(t.Context(), h) })
	record("commit again", 2, func() error { return s.Commit(t.Context(), h) })
	record("release", 1, func() error { return s.Release(t.Context(), h) })
	record("forget", 1, func() error { return s.Forget(t.Context(), c.Key) })
	record("purge", 2, func() error {
		_, err := s.Purge(t.Context())
		return err
	})
	return all
}

func TestRoundTrips(t *testing.T) {
	// A driver that does not name its statements by their text might execute those of
	// another client, were it not for a transaction around each.
	t.Run("statements without a name run in transactions of their own", func(t *testing.T) {
		for _, mode := range []string{"cache_describe", "describe_exec", "exec", "simple_protocol"} {
			t.Run(mode, func(t *testing.T) {
				s, calls := postgreSQL.counted(t, " default_query_exec_mode="+mode)
				want(t, s, delivery(), replay.Acquired)
				before := calls.Load()
				want(t, s, delivery(), replay.Acquired)
				if n := calls.Load() - before; n != 3 {
					t.Errorf("a claim took %d calls, want 3: BEGIN, the statement and COMMIT", n)
				}
			})
		}
	})

	t.Run("each operation takes one round trip", func(t *testing.T) {
		onEach(t, func(t *testing.T, e engine) {
			s, calls := e.counted(t, "")
			count := func(what string, want int64, f func() error) {
				t.Helper()
				before := calls.Load()
				err := f()
				if n := calls.Load() - before; err != nil || n != want {
					t.Errorf("%s: %v, and %d round trips, want %d", what, err, n, want)
				}
			}
			claim := func(c replay.Claim, status replay.Status) func() error {
				return func() error {
					want(t, s, c, status)
					return nil
				}
			}
			c := delivery()
			want(t, s, delivery(), replay.Acquired) // with a look at the schema
			count("a claim on a new event", 1, claim(c, replay.Acquired))
			count("a claim on an event in flight", 1, claim(again(c), replay.InFlight))
			count("a renewal", 1, func() error { return s.Renew(t.Context(), handle(c), time.Minute) })
			count("a commit", 1, func() error { return s.Commit(t.Context(), handle(c)) })
			count("a claim on a finished event", 1, claim(again(c), replay.Done))
			count("another commit", 2, func() error { return s.Commit(t.Context(), handle(c)) })
			count("a release", 1, func() error { return s.Release(t.Context(), handle(c)) })
			count("to forget", 1, func() error { return s.Forget(t.Context(), c.Key) })
			count("a claim with a binding", 2, claim(bound(delivery(), "body"), replay.Acquired))
			old := delivery()
			old.SignedAt = time.Unix(0, 0)
			count("a claim from before the floor", 3, claim(old, replay.BeforeFloor))
		})
	})

	t.Run("one of many operations looks at the schema", func(t *testing.T) {
		onEach(t, func(t *testing.T, e engine) {
			one, look := e.counted(t, "")
			want(t, one, delivery(), replay.Acquired)
			s, calls := e.counted(t, "")
			if calls.Load() != 0 {
				t.Error("New touched the database")
			}
			const crowd = 16
			done := make(chan error)
			for range crowd {
				go func() {
					_, err := s.Claim(t.Context(), delivery())
					done <- err
				}()
			}
			for range crowd {
				if err := <-done; err != nil {
					t.Error(err)
				}
			}
			if n := calls.Load(); n != crowd-1+look.Load() {
				t.Errorf("one claim took %d round trips, and %d claims %d, want %d", look.Load(), crowd, n, crowd-1+look.Load())
			}
		})
	})
}
