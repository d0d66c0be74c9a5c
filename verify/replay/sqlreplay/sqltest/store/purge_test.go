package store_test

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/verify/replay"
	"github.com/hooknotary/hooknotary/verify/replay/sqlreplay"
)

// batch is how many rows one statement of Purge deletes.
const batch = 500

func TestPurge(t *testing.T) {
	t.Run("what is over is deleted", func(t *testing.T) {
		onEach(t, func(t *testing.T, e engine) {
			s, db := e.fresh(t)
			claim := func(lease, needed, retention time.Duration) replay.Claim {
				c := delivery()
				c.Lease, c.Needed, c.Retention = lease, needed, retention
				return c
			}
			// Longer than the test could take: what passes is passed by advance.
			const short, long = time.Hour, 30 * 24 * time.Hour
			left := make(map[string]replay.Claim)
			left["in flight"] = claim(long, 0, 0)
			left["in flight, to be remembered"] = claim(short, 0, long)
			left["in flight, needed"] = claim(short, long, 0)
			left["in flight, needed by a repeat"] = claim(short, 0, 0)
			for _, c := range left {
				want(t, s, c, replay.Acquired)
			}
			again := again(left["in flight, needed by a repeat"])
			again.Needed = long
			want(t, s, again, replay.InFlight)
			left["done, needed"] = claim(short, long, 0)
			left["done, kept"] = claim(short, 0, long)
			finish(t, s, left["done, needed"])
			finish(t, s, left["done, kept"])
			repeated := claim(short, 0, short)
			finish(t, s, repeated)
			again.Key = repeated.Key
			want(t, s, again, replay.Done)
			left["done, needed by a repeat"] = repeated
			renewed := claim(short, 0, 0)
			want(t, s, renewed, replay.Acquired)
			if err := s.Renew(t.Context(), handle(renewed), long); err != nil {
				t.Fatal(err)
			}
			left["renewed"] = renewed
			kept := bound(claim(short, long, 0), "body")
			finish(t, s, kept)
			left["bound"] = kept

			gone := 0
			for range 2 * batch / 100 {
				finish(t, s, claim(short, 0, short))
				want(t, s, claim(short, short, 0), replay.Acquired)
				finish(t, s, bound(claim(short, short, short), "body"))
				gone += 4
			}
			if n, err := s.Purge(t.Context()); n != 0 || err != nil {
				t.Errorf("before anything is over: Purge = %d, %v", n, err)
			}
			advance(t, db, events, 2*short)
			if n, err := s.Purge(t.Context()); n != int64(gone) || err != nil {
				t.Errorf("Purge = %d, %v, want %d", n, err, gone)
			}
			for what, c := range left {
				if _, ok, err := s.Inspect(t.Context(), c.Key); !ok || err != nil {
					t.Errorf("%s: Inspect = %v, %v", what, ok, err)
				}
			}
			if st, err := s.Stats(t.Context()); err != nil || st.Records != int64(len(left)+1) {
				t.Errorf("%+v, %v are left, want %d", st, err, len(left)+1)
			}
			again.Key = kept.Key
			want(t, s, bound(again, "other"), replay.Forged)
			if n, err := s.Purge(t.Context()); n != 0 || err != nil {
				t.Errorf("Purge again = %d, %v", n, err)
			}
			advance(t, db, events, 2*long)
			if n, err := s.Purge(t.Context()); n != int64(len(left)+1) || err != nil {
				t.Errorf("when all is over: Purge = %d, %v", n, err)
			}
		})
	})

	// Where the lease ran out before the commit, the retention ends later than the
	// claim could tell.
	t.Run("what was committed late is left", func(t *testing.T) {
		onEach(t, func(t *testing.T, e engine) {
			s, db := e.fresh(t)
			c := delivery()
			c.Lease, c.Needed, c.Retention = time.Second, 0, 10*time.Minute
			want(t, s, c, replay.Acquired)
			advance(t, db, events, 5*time.Minute)
			if err := s.Commit(t.Context(), handle(c)); err != nil {
				t.Fatal(err)
			}
			advance(t, db, events, 8*time.Minute)
			if n, err := s.Purge(t.Context()); n != 0 || err != nil {
				t.Errorf("Purge = %d, %v", n, err)
			}
			want(t, s, again(c), replay.Done)
		})
	})

	t.Run("it ends with its context", func(t *testing.T) {
		onEach(t, func(t *testing.T, e engine) {
			s, calls := e.counted(t, "")
			fill(t, e, calls.plain, 5*batch)
			advance(t, calls.plain, events, 48*time.Hour)
			if _, _, err := s.Inspect(t.Context(), replay.Key{}); err != nil { // looks at the schema
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			before := calls.Load()
			calls.hook = func(n int64) {
				if n == before+3 { // the third batch
					cancel()
				}
			}
			n, err := s.Purge(ctx)
			if !errors.Is(err, context.Canceled) || n != 2*batch {
				t.Errorf("Purge = %d, %v, want two batches", n, err)
			}
			if st, err := s.Stats(t.Context()); err != nil || st.Records != 8*batch {
				t.Errorf("%d records are left, %v", st.Records, err)
			}
		})
	})

	t.Run("nothing that lives is deleted beside claims", func(t *testing.T) {
		onEach(t, func(t *testing.T, e engine) {
			s, _ := e.fresh(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var all sync.WaitGroup
			var purged, settled atomic.Int64
			const enough = 300
			for range 2 {
				all.Go(func() {
					for ctx.Err() == nil {
						n, err := s.Purge(t.Context())
						if err != nil {
							t.Errorf("Purge = %v", err)
							cancel()
							return
						}
						if purged.Add(n) >= enough && settled.Load() >= enough {
							cancel()
						}
					}
				})
			}
			for worker := range 4 {
				all.Go(func() {
					var key [8]byte
					for i := uint64(0); ctx.Err() == nil; i++ {
						// Most are of few keys, so that those that are over come again.
						binary.BigEndian.PutUint64(key[:], i%8)
						c := delivery()
						if i%4 != 1 {
							c.Key = sha256.Sum256(append(key[:], byte(worker)))
						}
						c.Needed, c.Retention, c.Lease = 0, time.Millisecond, 20*time.Second
						if i%2 == 0 {
							c.Retention = time.Minute
						}
						began := time.Now()
						o, err := s.Claim(t.Context(), c)
						if err != nil {
							t.Errorf("Claim = %v", err)
							cancel()
							return
						}
						if o.Status != replay.Acquired {
							continue // one that is kept
						}
						switch err := s.Commit(t.Context(), handle(c)); {
						case time.Since(began) > c.Lease:
							continue // it may be over
						case err != nil:
							t.Errorf("the owner: Commit = %v", err)
						}
						settled.Add(1)
						if i%2 == 0 {
							want := again(c)
							if o, err := s.Claim(t.Context(), want); err != nil || o.Status != replay.Done {
								t.Errorf("a kept event: Claim = %v, %v", o.Status, err)
							}
							if err := s.Forget(t.Context(), c.Key); err != nil {
								t.Errorf("Forget = %v", err)
							}
						}
					}
				})
			}
			all.Wait()
		})
	})
}

// fill writes n finished events and as many bindings; every tenth is over.
func fill(t testing.TB, e engine, db *sql.DB, n int64) {
	t.Helper()
	keys, blob, now := "sha256(int8send(i))", `'\x00'`, "CAST(extract(epoch FROM now()) * 1000 AS bigint)"
	series := fmt.Sprintf("FROM generate_series(1, %d) AS g(i)", n)
	if e.dialect == sqlreplay.SQLite {
		keys, blob, now = "randomblob(32)", "x'00'", "unixepoch() * 1000"
		series = fmt.Sprintf("FROM (WITH RECURSIVE g(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM g WHERE i < %d) SELECT i FROM g)", n)
	}
	end := fmt.Sprintf("%s + CASE WHEN i %% 10 = 0 THEN -1000 - i ELSE 86400000 + i END", now)
	do(t, db, fmt.Sprintf("INSERT INTO hooknotary_event SELECT %s, %s, %[2]s, 2, 0, 0, %[3]s, %[3]s %[4]s", keys, blob, end, series))
	do(t, db, fmt.Sprintf("INSERT INTO hooknotary_event_bindings SELECT %s, %s, %s %s", keys, blob, end, series))
}

func TestIndexes(t *testing.T) {
	t.Run("statements use their indexes", func(t *testing.T) {
		if race {
			t.Skip("one goroutine, and many rows: there is no race to be found")
		}
		onEach(t, func(t *testing.T, e engine) {
			s, db := e.fresh(t)
			const rows = 100_000
			fill(t, e, db, rows)
			explain := "EXPLAIN QUERY PLAN "
			if e.dialect == sqlreplay.PostgreSQL {
				explain = "EXPLAIN "
			}
			plan := func(statement string, args ...any) string {
				t.Helper()
				r, err := db.Query(explain+statement, args...)
				if err != nil {
					t.Fatalf("%v\n%s", err, statement)
				}
				defer r.Close()
				var all strings.Builder
				for r.Next() {
					var line string
					var skip any
					to := []any{&line}
					if e.dialect == sqlreplay.SQLite {
						to = []any{&skip, &skip, &skip, &line}
					}
					if err := r.Scan(to...); err != nil {
						t.Fatal(err)
					}
					all.WriteString(line + "\n")
				}
				return all.String()
			}
			// What the engines say when they read a table from end to end.
			scans := func(p string) bool {
				for _, table := range []string{events, events + "_bindings"} {
					for line := range strings.Lines(p) {
						if strings.Contains(line, "Seq Scan on "+table+" ") ||
							strings.Contains(line, "SCAN "+table+"\n") || line == "SCAN r\n" {
							return true
						}
					}
				}
				return false
			}
			statements := e.statements(t)
			indexes := map[string]string{"purge 1": events + "_purge", "purge 2": events + "_bindings_purge"}
			for what := range indexes {
				if _, ok := statements[what]; !ok {
					t.Fatalf("there is no statement %q", what)
				}
			}
			for _, analysed := range []bool{false, true} {
				if analysed {
					do(t, db, "ANALYZE")
				}
				if p := plan("SELECT count(*) FROM hooknotary_event WHERE need = 5"); !scans(p) {
					t.Fatalf("the test does not know a scan when it sees one:\n%s", p)
				}
				for what, s := range statements {
					p := plan(s.text, s.args...)
					if scans(p) {
						t.Errorf("analysed %v: %s reads a table from end to end:\n%s\n%s", analysed, what, s.text, p)
					}
					if index, ok := indexes[what]; ok && !strings.Contains(p, index) {
						t.Errorf("analysed %v: %s does not use %s:\n%s", analysed, what, index, p)
					}
				}
			}

			began := time.Now()
			n, err := s.Purge(t.Context())
			if n != 2*rows/10 || err != nil {
				t.Errorf("Purge = %d, %v", n, err)
			}
			t.Logf("purged %d of %d records in %v", n, 2*rows, time.Since(began))
		})
	})
}
