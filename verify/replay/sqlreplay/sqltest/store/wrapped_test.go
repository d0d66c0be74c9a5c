package store_test

import (
	"database/sql"
	"testing"

	"github.com/hooknotary/hooknotary/verify/replay"
	"github.com/hooknotary/hooknotary/verify/replay/sqlreplay"
)

func TestCommitInTarget(t *testing.T) {
	// Libraries wrap a database, as sqlx does. In one, the mark is committed at once,
	// whatever becomes of the effects.
	t.Run("a wrapped database is refused", func(t *testing.T) {
		s, db := sqlite.fresh(t)
		c := delivery()
		want(t, s, c, replay.Acquired)
		ctx := replay.NewContext(t.Context(), handle(c))
		for _, tx := range []sqlreplay.Execer{db, struct{ *sql.DB }{db}} {
			if err := s.CommitIn(ctx, tx); err == nil {
				t.Errorf("%T was taken for a transaction", tx)
			}
		}
		want(t, s, again(c), replay.InFlight)
	})
}
