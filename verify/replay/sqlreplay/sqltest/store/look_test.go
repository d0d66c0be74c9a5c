package store_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/verify/replay/sqlreplay"
)

func TestLook(t *testing.T) {
	// Several stores, of which each looks for a pooler, do not keep from each other the
	// connection that they lack.
	t.Run("stores that share few connections look one after the other", func(t *testing.T) {
		db := postgreSQL.open(t, postgreSQL.create(t))
		var stores []*sqlreplay.Store
		for _, table := range []string{"one", "two", "three"} {
			postgreSQL.migrated(t, db, &sqlreplay.Options{Table: table})
			stores = append(stores, postgreSQL.store(t, db, &sqlreplay.Options{Table: table}))
		}
		db.SetMaxOpenConns(2)
		start := time.Now()
		var all sync.WaitGroup
		for _, s := range stores {
			all.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				if err := s.Check(ctx); err != nil {
					t.Errorf("after %v: %v", time.Since(start), err)
				}
			})
		}
		all.Wait()
	})
}
