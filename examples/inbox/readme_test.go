package main

import (
	"context"
	"database/sql"
	"net/http"
	"os"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay/sqlreplay"
)

// The code of README.md that needs this module, compiled. A test in the folder above
// compares.

var _, _ = readmeSQL, readmeInbox

func readmeSQL(ctx context.Context, v verify.Verifier) (*middleware.Guard, error) {
	db, err := sql.Open("pgx", os.Getenv("DATABASE_URL"))
	if err != nil {
		return nil, err
	}
	store, err := sqlreplay.New(db, sqlreplay.PostgreSQL, nil) // or sqlreplay.SQLite
	if err != nil {
		return nil, err
	}
	if err := store.Migrate(ctx); err != nil { // creates its tables if they are missing
		return nil, err
	}
	if err := store.Check(ctx); err != nil {
		return nil, err
	}
	guard, err := middleware.New("billing", v, store, nil)
	return guard, err
}

func readmeInbox(r *http.Request, db *sql.DB, store *sqlreplay.Store, d *verify.Delivery) error {
	tx, err := db.BeginTx(r.Context(), nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(r.Context(), `INSERT INTO payment (id) VALUES ($1)`, d.ID); err != nil {
		return err
	}
	if err := store.CommitIn(r.Context(), tx); err != nil {
		return err // for example replay.ErrLost: another instance took the event over
	}
	return tx.Commit()
}
