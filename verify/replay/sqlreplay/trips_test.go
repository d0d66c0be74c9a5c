package sqlreplay_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/verify/replay"
)

// counter is a driver around another one that counts what is sent to the
// database.
type counter struct {
	driver driver.Driver
	dsn    string
	calls  *atomic.Int64
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
	calls *atomic.Int64
}

// Prepare is not counted: it happens once a connection.
func (c countedConn) Prepare(statement string) (driver.Stmt, error) {
	s, err := c.Conn.Prepare(statement)
	if err != nil {
		return nil, err
	}
	return countedStmt{s, c.calls}, nil
}

func (c countedConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	c.calls.Add(1)
	return c.Conn.(driver.ConnBeginTx).BeginTx(ctx, o)
}

func (c countedConn) ExecContext(ctx context.Context, statement string, args []driver.NamedValue) (driver.Result, error) {
	c.calls.Add(1)
	return c.Conn.(driver.ExecerContext).ExecContext(ctx, statement, args)
}

func (c countedConn) QueryContext(ctx context.Context, statement string, args []driver.NamedValue) (driver.Rows, error) {
	c.calls.Add(1)
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
	calls *atomic.Int64
}

func (s countedStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	s.calls.Add(1)
	return s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args)
}

func (s countedStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	s.calls.Add(1)
	return s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
}

func TestEachOperationTakesOneRoundTrip(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		dsn := e.create(t)
		plain := e.open(t, dsn)
		e.migrated(t, plain, nil)
		calls := new(atomic.Int64)
		db := sql.OpenDB(counter{plain.Driver(), dsn, calls})
		defer db.Close()
		s := e.store(t, db, patient)
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
		count("the first claim, with a look at the schema", 2, claim(c, replay.Acquired))
		count("a claim on an event in flight", 1, claim(again(c), replay.InFlight))
		count("a renewal", 1, func() error { return s.Renew(t.Context(), handle(c), time.Minute) })
		count("a commit", 1, func() error { return s.Commit(t.Context(), handle(c)) })
		count("a claim on a finished event", 1, claim(again(c), replay.Done))
		count("another commit", 2, func() error { return s.Commit(t.Context(), handle(c)) })
		count("a release", 1, func() error { return s.Release(t.Context(), handle(c)) })
		count("to forget", 1, func() error { return s.Forget(t.Context(), c.Key) })
		count("a claim on a new event", 1, claim(delivery(), replay.Acquired))
		count("a claim with a binding", 2, claim(bound(delivery(), "body"), replay.Acquired))
		old := delivery()
		old.SignedAt = time.Unix(0, 0)
		count("a claim from before the floor", 3, claim(old, replay.BeforeFloor))
	})
}

func TestOneOfManyOperationsLooksAtTheSchema(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		dsn := e.create(t)
		plain := e.open(t, dsn)
		e.migrated(t, plain, nil)
		calls := new(atomic.Int64)
		db := sql.OpenDB(counter{plain.Driver(), dsn, calls})
		defer db.Close()
		s := e.store(t, db, patient)
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
		if n := calls.Load(); n != crowd+1 {
			t.Errorf("%d claims took %d round trips, want one more", crowd, n)
		}
	})
}
