package sqlreplay

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/verify/replay"
)

// Schema returns what Migrate executes, for those who manage their schema
// themselves: statements in the store's dialect and with the names of its tables,
// each with a semicolon behind it. They change nothing where everything exists.
//
// The user that the store works as needs SELECT, INSERT, UPDATE and DELETE on the
// tables of events and of bindings, and SELECT on the one that ends in "_meta".
func (s *Store) Schema() string { return strings.Join(s.sql.schema, ";\n") + ";\n" }

// Migrate makes the tables and indexes that do not exist yet. Any number of
// processes may call it at once. Where all is in place it only reads, so that it
// needs no more rights than the store itself. A schema of another version is an
// error, and nothing is changed.
//
// Migrate is bounded by ctx alone.
func (s *Store) Migrate(ctx context.Context) error {
	return s.explain("migrate", s.attempt(ctx, func() error {
		err := s.check(ctx, s.tables)
		if !s.dialect.missing(err) {
			return err
		}
		return s.create(ctx)
	}))
}

// create executes the schema in a transaction that only one process is in.
func (s *Store) create(ctx context.Context) error {
	// Not with BeginTx, which cannot begin a transaction that writes at once in
	// SQLite, nor one that waits for a lock and then sees what came before it
	// where PostgreSQL is set to another isolation.
	c, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	begin := []string{"BEGIN IMMEDIATE"}
	if s.dialect == PostgreSQL {
		begin = []string{"BEGIN ISOLATION LEVEL READ COMMITTED", fmt.Sprintf("SELECT pg_advisory_xact_lock(%d)", advisoryLock)}
	}
	for _, statement := range append(begin, s.sql.schema...) {
		if _, err := c.ExecContext(ctx, statement); err != nil {
			abandon(c)
			return err
		}
	}
	if err := s.check(ctx, plain{c}); err != nil {
		abandon(c)
		return err
	}
	if _, err := c.ExecContext(ctx, "COMMIT"); err != nil {
		abandon(c)
		return err
	}
	return nil
}

// advisoryLock is the lock under which the schema is made: "hooknot" in ASCII.
const advisoryLock int64 = 0x686f6f6b6e6f74

// abandon ends a transaction, and the connection if that fails.
func abandon(c *sql.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if _, err := c.ExecContext(ctx, "ROLLBACK"); err != nil {
		c.Raw(func(any) error { return driver.ErrBadConn })
	}
}

// Check reports whether the store can work: the database answers and can be
// written to, and the schema is there, of the right version and with the rights
// that it takes. It runs a claim in a transaction that it rolls back. A program
// may call it at start, so that it does not serve what it must refuse.
//
// On PostgreSQL, Check looks for a pooler in transaction mode where the driver
// names the statements that it prepares. It refuses such a driver behind such a
// pooler, and says what to set. The look takes two connections. Where db is limited
// to one, Check says that it could not look, although the store works without a
// pooler. The look lasts for up to 5 s, or Options.Timeout if that is longer.
func (s *Store) Check(ctx context.Context) error {
	s.checked.Store(false)
	// Not within Options.Timeout, which is short for a look at a server far away.
	if err := s.attempt(ctx, func() error { return s.ready(ctx) }); err != nil {
		return s.explain("check", err)
	}
	err := s.write(ctx, "check", func(ctx context.Context) error {
		tx, err := s.db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback()
		return s.rehearse(ctx, plain{tx})
	})
	if err == nil && s.server != nil && s.server.blind() {
		err = s.explain("check", errBlind)
	}
	return err
}

// rehearse executes each kind of statement on each table.
func (s *Store) rehearse(ctx context.Context, tx runner) error {
	token := replay.NewToken()
	event := replay.Event{Endpoint: "check", ID: string(token[:])}.Key()
	c := &replay.Claim{Key: event, Token: token, Lease: time.Minute, Binding: &replay.BodyBinding{Message: event}}
	if _, err := s.bind(ctx, tx, c); err != nil {
		return err
	}
	if _, err := s.claim(ctx, tx, c); err != nil {
		return err
	}
	if err := s.commit(ctx, tx, replay.Handle{Key: c.Key, Token: c.Token}); err != nil {
		return err
	}
	for _, statement := range []string{s.sql.purgeEvents, s.sql.purgeBindings} {
		if _, err := tx.exec(ctx, statement, 0); err != nil {
			return err
		}
	}
	return nil
}

// ready checks the schema unless that was done. Nothing is claimed before it
// succeeded, and of many that wait for it, one asks.
func (s *Store) ready(ctx context.Context) error {
	if s.checked.Load() {
		return nil
	}
	select {
	case s.checking <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	if s.checked.Load() {
		<-s.checking
		return nil
	}
	// A look at a server far away may take longer than this operation may. It goes
	// on when ctx ends, so that a later operation finds it done.
	checked := make(chan error, 1)
	go func() {
		defer func() { <-s.checking }()
		defer func() {
			if p := recover(); p != nil { // or it would end the process
				checked <- fmt.Errorf("the driver panicked: %v", p)
			}
		}()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), max(lookTimeout, s.timeout))
		defer cancel()
		err := s.examine(ctx)
		if err == nil {
			s.checked.Store(true)
		}
		checked <- err
	}()
	select {
	case err := <-checked:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// examine looks for a pooler, and at the schema.
func (s *Store) examine(ctx context.Context) error {
	if s.server != nil {
		if err := s.server.look(ctx); err != nil {
			return err
		}
	}
	return s.check(ctx, s.tables)
}

// check reads the version of the schema.
func (s *Store) check(ctx context.Context, r runner) error {
	var found int64
	ok, err := r.row(ctx, s.sql.getVersion, nil, &found)
	switch {
	case err != nil:
		return err
	case !ok:
		return errNoVersion
	case found != version:
		return fmt.Errorf("the schema has version %d, and this program works with %d", found, version)
	}
	return nil
}
