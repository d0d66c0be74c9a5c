package sqlreplay

import (
	"context"
	"time"
)

// batch is how many rows one statement deletes.
const batch = 500

// Purge deletes the records whose time is over, and returns how many. It deletes
// them in batches of 500, each by a statement and a transaction of its own, and
// rests after each for as long as it took. It deletes nothing that is needed, in
// flight or kept, and may run beside claims and in several processes at once.
// Records that it has not deleted yet count as absent, so nothing but space
// depends on it: call it every hour, or every minute where thousands of events
// come in one.
//
// When ctx ends, or a statement fails, Purge returns the error together with the
// number of records that were deleted until then. It is bounded by ctx alone.
func (s *Store) Purge(ctx context.Context) (n int64, err error) {
	err = s.attempt(ctx, func() error { return s.ready(ctx) })
	for _, statement := range []string{s.sql.purgeEvents, s.sql.purgeBindings} {
		for err == nil {
			var deleted int64
			began := time.Now()
			deleted, err = s.purge(ctx, statement)
			n += deleted
			if deleted < batch {
				break
			}
			select {
			case <-time.After(time.Since(began)):
			case <-ctx.Done():
				err = ctx.Err()
			}
		}
	}
	return n, s.explain("purge", err)
}

// purge deletes one batch.
func (s *Store) purge(ctx context.Context, statement string) (n int64, err error) {
	err = s.attempt(ctx, func() error {
		return s.alone(ctx, func() error {
			n, err = s.tables.exec(ctx, statement, batch)
			return err
		})
	})
	return n, err
}
