package sqlreplay

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"sync/atomic"
	"time"

	"github.com/hooknotary/hooknotary/verify/replay"
)

const defaultTimeout = 500 * time.Millisecond

var (
	errLease     = errors.New("sqlreplay: a lease must be positive")
	errIsolation = errors.New("the transaction is stricter than READ COMMITTED, so that it would fail whenever the event was touched after it began: begin it with sql.LevelReadCommitted")

	errHandle = errors.New("sqlreplay: the context carries no claim: pass on the request's context, behind a guard that has this store")
)

// Options configures a Store. The zero value is the default.
type Options struct {
	// Table is the name of the table of events: 1 to 48 of the characters a-z,
	// 0-9 and _, and no digit first. On PostgreSQL a schema of the same form may
	// stand before it, "webhooks.store"; without one, the search_path finds
	// the table. The names of the other tables and of the indexes begin with it.
	// The default is "hooknotary_event".
	Table string

	// Timeout bounds each operation, beside its context: the waiting for a
	// connection, for a lock and for the answer together. It does not bound
	// Migrate, Purge, Stats, and the look of Check for poolers. The default is
	// 500 ms.
	Timeout time.Duration
}

// Store is a replay.Store in the tables of an SQL database. All methods are safe
// for concurrent use, by any number of processes. Make it with New; the zero
// value is not usable.
//
// An error wraps the driver's, and says what to do about it where that is known.
// Where the driver tells that the disk is full, it wraps replay.ErrFull.
type Store struct {
	db      *sql.DB
	tables  runner
	server  *server // the same for PostgreSQL, else nil
	dialect Dialect
	timeout time.Duration
	sql     *statements

	// writing is held by the one statement that writes to SQLite, whose own way
	// of waiting is neither fair nor quick. Nil for PostgreSQL.
	writing chan struct{}

	checked  atomic.Bool // the schema has been found to be ours, and poolers were looked for
	checking chan struct{}
}

var (
	_ replay.Store     = (*Store)(nil)
	_ replay.Inspector = (*Store)(nil)
)

// New returns a Store in db, which remains the caller's. It does not touch the
// database: the first operation checks the version of the schema and how the driver
// sends statements, and Check does so at start. Nil options are the defaults.
//
// It refuses a nil db, an unknown dialect, the name of a table that is not of the
// form that Options.Table tells, and a negative timeout.
func New(db *sql.DB, d Dialect, o *Options) (*Store, error) {
	if o == nil {
		o = &Options{}
	}
	table, timeout := o.Table, o.Timeout
	if table == "" {
		table = defaultTable
	}
	if timeout == 0 {
		timeout = defaultTimeout
	}
	r, err := d.replacer(table)
	switch {
	case err != nil:
		return nil, fmt.Errorf("sqlreplay: %w", err)
	case db == nil:
		return nil, errors.New("sqlreplay: db is nil; check the error that sql.Open returned")
	case timeout < 0:
		return nil, errors.New("sqlreplay: the timeout must not be negative")
	}
	s := &Store{db: db, dialect: d, timeout: timeout, sql: newStatements(r), checking: make(chan struct{}, 1)}
	if d == SQLite {
		s.tables = plain{&cache{db: db}}
		s.writing = make(chan struct{}, 1)
	} else {
		s.server = &server{db: db}
		s.tables = s.server
	}
	return s, nil
}

// Claim implements replay.Store. It takes one statement, and another one before it
// where c has a binding; one or two more for an event that was signed before the
// floor.
func (s *Store) Claim(ctx context.Context, c replay.Claim) (o replay.Outcome, err error) {
	if c.Lease <= 0 {
		return replay.Outcome{}, errLease
	}
	err = s.write(ctx, "claim", func(ctx context.Context) error {
		if c.Binding != nil {
			same, err := s.bind(ctx, s.tables, &c)
			if err != nil {
				return err
			}
			if !same {
				o.Status = replay.Forged
				return nil
			}
		}
		o, err = s.claim(ctx, s.tables, &c)
		return err
	})
	if err != nil {
		return replay.Outcome{}, err
	}
	return o, nil
}

// bind reports whether the message is bound to the body. It needs no transaction
// with the claim, because a binding that was written does not change.
func (s *Store) bind(ctx context.Context, q runner, c *replay.Claim) (same bool, err error) {
	_, err = q.row(ctx, s.sql.bind, []any{c.Binding.Message[:], c.Binding.Body[:], millis(c.Needed)}, &same)
	return same, err
}

func (s *Store) claim(ctx context.Context, q runner, c *replay.Claim) (replay.Outcome, error) {
	signed := int64(math.MaxInt64)
	if c.Resigned {
		signed = c.SignedAt.UnixMilli()
	}
	args := []any{c.Key[:], c.Token[:], c.Fingerprint[:], millis(c.Lease), millis(c.Needed), millis(c.Retention), signed}
	var r claimRow
	ok, err := r.query(ctx, q, s.sql.claim, args)
	if err == nil && !ok {
		if err := s.check(ctx, q); err != nil {
			return replay.Outcome{}, err
		}
		// It was signed before the floor, so only an event that is known can be
		// claimed.
		ok, err = r.query(ctx, q, s.sql.claimKnown, args[:6])
	}
	switch {
	case err != nil:
		return replay.Outcome{}, err
	case !ok:
		return replay.Outcome{Status: replay.BeforeFloor}, nil
	}
	return r.outcome(), nil
}

// claimRow is what a row says to who claimed it.
type claimRow struct {
	state int64
	own   bool // it has the caller's token
	same  bool // it has the caller's fingerprint
	lease int64
}

func (r *claimRow) query(ctx context.Context, q runner, statement string, args []any) (ok bool, err error) {
	return q.row(ctx, statement, args, &r.state, &r.own, &r.same, &r.lease)
}

func (r *claimRow) outcome() replay.Outcome {
	switch {
	case r.state != inFlight:
		return replay.Outcome{Status: replay.Done, Same: r.same}
	case r.own:
		return replay.Outcome{Status: replay.Acquired}
	}
	// The lease ran when the statement decided, so something is left of it.
	return replay.Outcome{Status: replay.InFlight, Lease: duration(max(1, r.lease))}
}

// Renew implements replay.Store.
func (s *Store) Renew(ctx context.Context, h replay.Handle, lease time.Duration) error {
	if lease <= 0 {
		return errLease
	}
	return s.write(ctx, "renew", func(ctx context.Context) error {
		n, err := s.tables.exec(ctx, s.sql.renew, h.Key[:], h.Token[:], millis(lease))
		if err == nil && n == 0 {
			err = replay.ErrLost
		}
		return err
	})
}

// Commit implements replay.Store. It takes one statement, and a second one where
// the event is done already, as after CommitIn.
func (s *Store) Commit(ctx context.Context, h replay.Handle) error {
	return s.write(ctx, "commit", func(ctx context.Context) error { return s.commit(ctx, s.tables, h) })
}

// Execer is a transaction, as CommitIn needs it: an *sql.Tx, an *sql.Conn on which
// the caller began one, or an adapter to another library. The statements have
// parameters $1 and $2 (PostgreSQL) or ?1 and ?2 (SQLite). RowsAffected of the
// result must be the number of rows that a statement changed or selected.
type Execer interface {
	ExecContext(ctx context.Context, statement string, args ...any) (sql.Result, error)
}

// CommitIn marks the event of the handler that ctx belongs to as done within tx,
// the handler's own transaction in the store's database, so that the mark is
// committed or rolled back together with the effects. It is the last statement
// before tx.Commit: until the transaction ends, others that ask for the event
// wait.
//
// On any error the handler must roll back and fail. It returns replay.ErrLost if
// the claim was taken over: then another handler runs, or ran, whose effects
// count. Of two handlers of one event that both mark it, only one can commit.
//
// On PostgreSQL the transaction must be READ COMMITTED, which is the default;
// another one is an error. That is asked for in a statement of its own.
//
// A transaction of pgx itself takes an adapter:
//
//	type pgxTx struct{ pgx.Tx }
//
//	func (t pgxTx) ExecContext(ctx context.Context, statement string, args ...any) (sql.Result, error) {
//		tag, err := t.Exec(ctx, statement, args...)
//		return driver.RowsAffected(tag.RowsAffected()), err
//	}
func (s *Store) CommitIn(ctx context.Context, tx Execer) error {
	if v := reflect.ValueOf(tx); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		return errors.New("sqlreplay: tx is nil: check the error that came with it")
	}
	if _, ok := tx.(interface{ Begin() (*sql.Tx, error) }); ok { // an *sql.DB, or what embeds one
		return errors.New("sqlreplay: tx is a database, which runs each statement by itself: pass the transaction of the effects")
	}
	h, ok := replay.FromContext(ctx)
	if !ok {
		return errHandle
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	err := s.checkIsolation(ctx, tx)
	for _, statement := range []string{s.sql.commit, s.sql.commitAgain} {
		var n int64
		if err == nil {
			n, err = changed(ctx, tx, statement, h.Key[:], h.Token[:])
		}
		if err != nil || n != 0 {
			return s.explain("commit in a transaction", err)
		}
	}
	return replay.ErrLost
}

// checkIsolation refuses what would fail only now and then: every renewal and
// every copy that is turned away touches the event.
func (s *Store) checkIsolation(ctx context.Context, tx Execer) error {
	if s.dialect != PostgreSQL {
		return nil
	}
	// PostgreSQL has "read uncommitted" in name only. It counts the rows of a
	// SELECT as others do those of an UPDATE.
	n, err := changed(ctx, tx, `SELECT 1 WHERE current_setting('transaction_isolation') IN ('read committed', 'read uncommitted')`)
	if err == nil && n == 0 {
		err = errIsolation
	}
	return err
}

func (s *Store) commit(ctx context.Context, q runner, h replay.Handle) error {
	n, err := q.exec(ctx, s.sql.commit, h.Key[:], h.Token[:])
	if err != nil || n != 0 {
		return err
	}
	// A second statement, because it must see what the first one waited for.
	ok, err := q.row(ctx, s.sql.committed, []any{h.Key[:], h.Token[:]}, new(int64))
	if err == nil && !ok {
		err = replay.ErrLost
	}
	return err
}

// Release implements replay.Store.
func (s *Store) Release(ctx context.Context, h replay.Handle) error {
	return s.write(ctx, "release", func(ctx context.Context) error {
		_, err := s.tables.exec(ctx, s.sql.release, h.Key[:], h.Token[:])
		return err
	})
}

// Forget implements replay.Store.
func (s *Store) Forget(ctx context.Context, key replay.Key) error {
	return s.write(ctx, "forget", func(ctx context.Context) error {
		for {
			n, err := s.tables.exec(ctx, s.sql.forget, key[:])
			if err != nil || n != 0 {
				return err
			}
			var held bool
			ok, err := s.tables.row(ctx, s.sql.held, []any{key[:]}, &held)
			switch {
			case err != nil || !ok:
				return err
			case held:
				return replay.ErrHeld
			}
			// It was committed, or its lease ran out, between the two.
		}
	})
}

// Inspect implements replay.Inspector.
func (s *Store) Inspect(ctx context.Context, key replay.Key) (r replay.Record, ok bool, err error) {
	err = s.read(ctx, "inspect", func(ctx context.Context) error {
		var state, lease, left int64
		ok, err = s.tables.row(ctx, s.sql.inspect, []any{key[:]}, &state, &lease, &left)
		if ok = ok && left > 0; !ok {
			return err
		}
		r = replay.Record{Status: replay.Done, Kept: duration(left)}
		if state == inFlight {
			r.Status, r.Lease = replay.InFlight, duration(max(0, lease))
		}
		return err
	})
	if err != nil {
		return replay.Record{}, false, err
	}
	return r, ok, nil
}

// Stats implements replay.Inspector. It counts the rows, which takes PostgreSQL
// and SQLite about a second for some millions of them.
func (s *Store) Stats(ctx context.Context) (st replay.Stats, err error) {
	err = s.ready(ctx)
	if err == nil {
		_, err = s.tables.row(ctx, s.sql.count, nil, &st.Records)
	}
	return st, s.explain("stats", err)
}

// write runs an operation that writes.
func (s *Store) write(ctx context.Context, what string, f func(context.Context) error) error {
	return s.read(ctx, what, func(ctx context.Context) error {
		return s.alone(ctx, func() error { return f(ctx) })
	})
}

// alone calls f when no other statement of this store writes to SQLite.
func (s *Store) alone(ctx context.Context, f func() error) error {
	if s.writing == nil {
		return f()
	}
	select {
	case s.writing <- struct{}{}:
		defer func() { <-s.writing }()
		return f()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// read runs an operation within its time.
func (s *Store) read(ctx context.Context, what string, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	return s.explain(what, s.attempt(ctx, func() error {
		if err := s.ready(ctx); err != nil {
			return err
		}
		err := f(ctx)
		if s.server != nil && mixedUp(err) {
			s.checked.Store(false) // there is a pooler now: look again
		}
		return err
	}))
}

// attempt calls f again for as long as the database says that f did nothing,
// because others were in the way; in no other case, because then f may have done
// something.
func (s *Store) attempt(ctx context.Context, f func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	for {
		err := f()
		if !s.dialect.collided(err) {
			return err
		}
		select {
		case <-time.After(rand.N(collisionPause)):
		case <-ctx.Done():
			return err
		}
	}
}
