package main

import (
	"context"
	"database/sql"
	"time"

	"github.com/hooknotary/hooknotary/verify/replay/sqlreplay"
)

// committer is a store in the database that the handler's effects go to:
// *sqlreplay.Store.
type committer interface {
	CommitIn(ctx context.Context, tx sqlreplay.Execer) error
}

// longestTransaction is how long a handler holds its transaction open: in SQLite
// nobody else can write meanwhile.
const longestTransaction = 3 * time.Millisecond

// inbox is where a handler has its effect together with the commit.
type inbox struct {
	db    *sql.DB
	store committer
	// apart commits the effect before the claim: a planted bug.
	apart bool
}

// inTransaction has an effect that is committed with the claim, or not at all.
func (a *app) inTransaction(ctx context.Context, r *request, event string) error {
	inside := min(r.fate.after, longestTransaction)
	sleep(ctx, r.fate.before+r.fate.after-inside)
	a.journal.crashAt(beforeEffect, r)

	tx, err := a.inbox.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, "INSERT INTO effects (request, event) VALUES ($1, $2)", r.id, event); err != nil {
		return err
	}
	if a.inbox.apart {
		if tx, err = a.another(ctx, tx); err != nil {
			return err
		}
		defer tx.Rollback()
	}
	if err := a.fail(r); err != nil { // takes the effect back
		return err
	}
	time.Sleep(inside / 2)
	a.journal.crashAt(beforeCommit, r)
	if err := a.inbox.store.CommitIn(ctx, tx); err != nil {
		return err
	}
	time.Sleep(inside / 2)
	if err := tx.Commit(); err != nil {
		return err
	}
	a.journal.write(r.id, committed, time.Time{}, nothing)
	a.journal.crashAt(beforeResponse, r)
	return nil
}

// another commits a transaction and begins the next.
func (a *app) another(ctx context.Context, tx *sql.Tx) (*sql.Tx, error) {
	if err := tx.Commit(); err != nil {
		return nil, err
	}
	return a.inbox.db.BeginTx(ctx, nil)
}
