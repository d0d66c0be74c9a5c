package sqlreplay

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hooknotary/hooknotary/verify/replay"
)

const (
	// lookTimeout bounds a look at how statements reach the server. It is longer
	// than an operation may last, so that a server far away can be looked at, too.
	lookTimeout = 5 * time.Second

	// lookRounds is how often the look for a pooler repeats its questions. Where a
	// busy pool has two connections, each answer tells nothing with a chance of one
	// half, and there are three a round.
	lookRounds = 3

	// lookPause is the longest pause of a look that finds all connections in use.
	lookPause = 20 * time.Millisecond
)

const remedy = "with pgx, add default_query_exec_mode=exec to the connection string; with another driver, turn its cache of statements off"

var (
	errPooler   = errors.New("a pooler in transaction mode stands before the server, and mixes up the statements that the driver names: " + remedy + "; or let the pooler pool sessions")
	errNumbered = errors.New("the driver numbers the statements that it prepares, so that behind a pooler one is taken for another: take pgx v5.5.5 or later; or, " + remedy)
	errBlind    = errors.New("Check cannot look for a pooler over one connection: raise db.SetMaxOpenConns to 2 or more; or, " + remedy)
	errTaken    = errors.New("all connections of db are in use, and a look for a pooler takes two: raise db.SetMaxOpenConns")
	errSecond   = errors.New("a second connection of db gets no answer while the first one is open: db.SetMaxOpenConns must not be more than what the pooler, or the server, gives")
)

// server runs the statements of a store on PostgreSQL.
//
// Behind a pooler in transaction mode, each round trip outside of a transaction
// may reach another connection of the server. A driver that parses a statement in
// one round trip, and executes it in the next, then executes what another client
// parsed last. Nothing in the answer tells this for sure, nor can a look for
// poolers rule it out. A transaction keeps the connection, so each statement runs
// in one.
//
// There is one exception. A driver may name a statement by a hash of its text, as
// pgx does by default. Then a name stands for no other statement, and behind such
// a pooler the driver fails, but executes nothing foreign.
type server struct {
	db     *sql.DB
	direct atomic.Bool // the driver names statements by their text
}

func (s *server) exec(ctx context.Context, statement string, args ...any) (n int64, err error) {
	err = s.do(ctx, func(r runner) error {
		n, err = r.exec(ctx, statement, args...)
		return err
	})
	return n, err
}

func (s *server) row(ctx context.Context, statement string, args []any, to ...any) (ok bool, err error) {
	err = s.do(ctx, func(r runner) error {
		ok, err = r.row(ctx, statement, args, to...)
		return err
	})
	return ok && err == nil, err
}

func (s *server) do(ctx context.Context, f func(runner) error) error {
	if s.direct.Load() {
		return f(plain{s.db})
	}
	// The drivers send BEGIN and COMMIT in one round trip each.
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := f(plain{tx}); err != nil {
		return err
	}
	return tx.Commit()
}

// look finds out how the driver sends statements, and refuses the ways that are
// not safe. It looks for a pooler where that matters.
func (s *server) look(ctx context.Context) error {
	s.direct.Store(false)
	name, text, err := s.sample(ctx)
	switch {
	case mixedUp(err):
		return errPooler
	case err != nil:
		return err
	case name == "", strings.HasPrefix(name, "PGBOUNCER_"):
		// PgBouncer from 1.21 on gives names of its own to the statements of its
		// clients, and keeps them apart.
		return nil
	case !strings.Contains(name, digest(text)):
		return errNumbered
	}
	if !s.single() {
		pooled, err := s.pooled(ctx)
		if mixedUp(err) || err == nil && pooled {
			err = errPooler
		}
		if err != nil {
			return err
		}
	}
	s.direct.Store(true)
	return nil
}

// digest is what pgx makes names of, shortened.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:16])
}

// sample executes a statement as the store does, in a transaction, and returns the
// name under which the server knows it, or "". Its text is new each time, so that
// it was not prepared before.
func (s *server) sample(ctx context.Context) (name, text string, err error) {
	mark := replay.NewToken()
	text = fmt.Sprintf(`SELECT name FROM pg_prepared_statements WHERE NOT from_sql AND strpos(statement, '%x') > $1`, mark[:])
	_, err = s.row(ctx, text, []any{int64(0)}, &name)
	return name, text, err
}

// single reports whether there are too few connections to look for a pooler.
func (s *server) single() bool { return s.db.Stats().MaxOpenConnections == 1 }

// blind reports whether a look was needed that could not be had.
func (s *server) blind() bool { return s.direct.Load() && s.single() }

// pooled reports whether two connections of the driver are other than two
// connections of the server. It asks for the server's process on either, and once
// on the first while the second is in a transaction.
func (s *server) pooled(ctx context.Context) (bool, error) {
	first, err := s.first(ctx)
	if err != nil {
		return false, err
	}
	defer first.Close()
	one, err := process(ctx, first)
	if err != nil {
		return false, err
	}
	// Where the pooler, or the server, has no second connection, nothing answers.
	short, cancel := part(ctx)
	defer cancel()
	second, err := s.db.Conn(short)
	if err != nil {
		return false, unanswered(ctx, short, err)
	}
	defer second.Close()
	two, err := process(short, second)
	if err != nil {
		return false, unanswered(ctx, short, err)
	}
	moved := func(ctx context.Context, q querier, from int64) (bool, error) {
		pid, err := process(ctx, q)
		return err == nil && pid != from, err
	}
	for range lookRounds {
		if one == two {
			return true, nil
		}
		// Twice in a row, because a pooler may take its connections in turn.
		for range 2 {
			if moved, err := moved(ctx, first, one); moved || err != nil {
				return moved, err
			}
		}
		if moved, err := moved(ctx, second, two); moved || err != nil {
			return moved, err
		}
	}
	tx, err := second.BeginTx(ctx, nil)
	if err != nil {
		return false, err
	}
	defer tx.Rollback()
	if moved, err := moved(ctx, tx, two); moved || err != nil {
		return moved, err
	}
	short, cancel = part(ctx)
	defer cancel()
	found, err := moved(short, first, one)
	if err != nil && short.Err() != nil && ctx.Err() == nil {
		return true, nil // it waits for what the transaction keeps
	}
	return found, err
}

// first returns a connection, beside which db has another one to give. Two stores that
// look at once must not keep from each other the second one.
func (s *server) first(ctx context.Context) (*sql.Conn, error) {
	for {
		c, err := s.db.Conn(ctx)
		if err != nil {
			return nil, err
		}
		if st := s.db.Stats(); st.MaxOpenConnections == 0 || st.InUse < st.MaxOpenConnections {
			return c, nil
		}
		c.Close()
		select {
		case <-time.After(rand.N(lookPause)):
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", errTaken, ctx.Err())
		}
	}
}

// part returns a context that ends after half of the time that is left.
func part(ctx context.Context) (context.Context, context.CancelFunc) {
	end, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, time.Until(end)/2)
}

func unanswered(ctx, short context.Context, err error) error {
	if short.Err() != nil && ctx.Err() == nil {
		return fmt.Errorf("%w: %w", errSecond, err)
	}
	return err
}

// process returns the number of the server's process that answers.
func process(ctx context.Context, q querier) (pid int64, err error) {
	_, err = plain{q}.row(ctx, `SELECT CAST(pg_backend_pid() AS bigint)`, nil, &pid)
	return pid, err
}

// mixedUp reports whether the server did not know a statement by its name, or knew
// another one.
func mixedUp(err error) bool {
	switch sqlState(err) {
	case "42P05", "26000":
		return true
	}
	return false
}
