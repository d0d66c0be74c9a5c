package main

import (
	"database/sql"
	"net/http"

	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay/sqlreplay"
)

// The code of README.md that needs this module, compiled. A test in the folder above
// compares.

var _ = readmeInbox

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
