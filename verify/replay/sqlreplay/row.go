package sqlreplay

import (
	"context"
	"database/sql"
	"math"
	"sync"
	"time"
)

// The states of an event.
const inFlight = 1 // else it is done

// querier is a database, a connection or a transaction.
type querier interface {
	Execer
	QueryContext(ctx context.Context, statement string, args ...any) (*sql.Rows, error)
}

// cache is an SQLite database that parses a statement once a connection, because
// that takes longer than to execute it. Drivers of PostgreSQL do this themselves.
// The statements are a dozen, and live as long as the database.
type cache struct {
	db  *sql.DB
	all sync.Map // of *sql.Stmt, by their text
}

func (c *cache) prepare(ctx context.Context, text string) (*sql.Stmt, error) {
	if known, ok := c.all.Load(text); ok {
		return known.(*sql.Stmt), nil
	}
	statement, err := c.db.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	known, loaded := c.all.LoadOrStore(text, statement)
	if loaded {
		statement.Close()
	}
	return known.(*sql.Stmt), nil
}

func (c *cache) ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error) {
	statement, err := c.prepare(ctx, text)
	if err != nil {
		return nil, err
	}
	return statement.ExecContext(ctx, args...)
}

func (c *cache) QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	statement, err := c.prepare(ctx, text)
	if err != nil {
		return nil, err
	}
	return statement.QueryContext(ctx, args...)
}

// runner executes the statements of a store.
type runner interface {
	// exec returns the number of rows that a statement changed.
	exec(ctx context.Context, statement string, args ...any) (int64, error)
	// row scans the only row of a result, if there is one.
	row(ctx context.Context, statement string, args []any, to ...any) (ok bool, err error)
}

// plain executes each statement as it is.
type plain struct{ q querier }

func (p plain) exec(ctx context.Context, statement string, args ...any) (int64, error) {
	return changed(ctx, p.q, statement, args...)
}

// changed returns the number of rows that a statement changed.
func changed(ctx context.Context, e Execer, statement string, args ...any) (int64, error) {
	r, err := e.ExecContext(ctx, statement, args...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// row reads to the end of the result, because a statement that returns a row may
// still fail, and only then says so.
func (p plain) row(ctx context.Context, statement string, args []any, to ...any) (ok bool, err error) {
	rows, err := p.q.QueryContext(ctx, statement, args...)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	if ok = rows.Next(); ok {
		if err := rows.Scan(to...); err != nil {
			return false, err
		}
		rows.Next()
	}
	if err := rows.Err(); err != nil {
		return false, err
	}
	return ok, rows.Close()
}

// millis rounds up, and takes a negative duration for none. A time of our days
// and some such sums do not overflow.
func millis(d time.Duration) int64 {
	if d <= 0 {
		return 0
	}
	n := int64(d / time.Millisecond)
	if d%time.Millisecond != 0 {
		n++
	}
	return n
}

// duration is the inverse, cut down to the longest duration.
func duration(millis int64) time.Duration {
	if millis > math.MaxInt64/int64(time.Millisecond) {
		return math.MaxInt64
	}
	return time.Duration(millis) * time.Millisecond
}
