package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/verify/replay"
	"github.com/hooknotary/hooknotary/verify/replay/replaytest"
	"github.com/hooknotary/hooknotary/verify/replay/sqlreplay"
)

func TestContract(t *testing.T) {
	t.Run("the store keeps it", func(t *testing.T) {
		onEach(t, func(t *testing.T, e engine) {
			dsn := e.create(t)
			exercise(t, e, e.open(t, strings.Replace(dsn, "FULL", "OFF", 1))) // no crashes here
		})
	})

	// Under these settings PostgreSQL refuses statements that collide.
	t.Run("the store keeps it in stricter isolation", func(t *testing.T) {
		for _, isolation := range []string{"repeatable read", "serializable"} {
			t.Run(isolation, func(t *testing.T) {
				t.Parallel()
				dsn := postgreSQL.create(t) + " default_transaction_isolation='" + isolation + "'"
				exercise(t, postgreSQL, postgreSQL.open(t, dsn))
			})
		}
	})

	// The driver's other ways of sending a statement. Behind poolers they are tested in
	// the module sqltest.
	t.Run("each mode of the driver works", func(t *testing.T) {
		for _, mode := range []string{"cache_describe", "describe_exec", "exec", "simple_protocol"} {
			t.Run(mode, func(t *testing.T) {
				db := postgreSQL.open(t, postgreSQL.create(t)+" default_query_exec_mode="+mode)
				s := postgreSQL.migrated(t, db, patient)
				if err := s.Check(t.Context()); err != nil {
					t.Fatal(err)
				}
				c := bound(delivery(), "body")
				want(t, s, c, replay.Acquired)
				want(t, s, again(c), replay.InFlight)
				if err := s.Renew(t.Context(), handle(c), time.Minute); err != nil {
					t.Error(err)
				}
				if err := s.Commit(t.Context(), handle(c)); err != nil {
					t.Error(err)
				}
				want(t, s, again(c), replay.Done)
				want(t, s, bound(again(c), "other"), replay.Forged)
				old := again(c)
				old.SignedAt = time.Unix(0, 0)
				want(t, s, old, replay.Done)
				old.Key[0]++
				want(t, s, old, replay.BeforeFloor)
				if err := s.Forget(t.Context(), c.Key); err != nil {
					t.Error(err)
				}
				want(t, s, c, replay.Acquired)
				if err := s.Release(t.Context(), handle(c)); err != nil {
					t.Error(err)
				}
				if _, err := s.Purge(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
	})
}

// exercise runs the contract on tables of their own for each test, whose records
// it makes older where the contract waits.
func exercise(t *testing.T, e engine, db *sql.DB) {
	var tables atomic.Int64
	open := func(t *testing.T) (replaytest.Store, string) {
		o := *patient
		o.Table = fmt.Sprint("t", tables.Add(1))
		return replaytest.Store{
			Store:   e.migrated(t, db, &o),
			Advance: func(d time.Duration) { advance(t, db, o.Table, d) },
		}, o.Table
	}
	replaytest.Exercise(t, replaytest.Factory{
		New: func(t *testing.T) replaytest.Store {
			s, _ := open(t)
			return s
		},
		NewFloored: func(t *testing.T, floor time.Time) replaytest.Store {
			s, table := open(t)
			do(t, db, fmt.Sprintf("UPDATE %s_meta SET floor = %d", table, floor.UnixMilli()))
			return s
		},
		Unit: time.Minute,
	})
}

func TestStore(t *testing.T) {
	t.Run("time passes by the database's clock", func(t *testing.T) {
		onEach(t, func(t *testing.T, e engine) {
			s, db := e.fresh(t)
			const unit = 400 * time.Millisecond
			leased, kept, bind := delivery(), delivery(), bound(delivery(), "body")
			leased.Lease = unit
			kept.Needed, kept.Retention = 0, unit
			bind.Needed, bind.Retention = unit, 0
			want(t, s, leased, replay.Acquired)
			if o := want(t, s, again(leased), replay.InFlight); o.Lease > unit || o.Lease < unit/10 {
				t.Errorf("%v are left of %v", o.Lease, unit)
			}
			finish(t, s, kept)
			want(t, s, again(kept), replay.Done)
			want(t, s, bind, replay.Acquired)
			want(t, s, bound(again(bind), "other"), replay.Forged)
			time.Sleep(unit + 10*time.Millisecond)
			want(t, s, again(leased), replay.Acquired)
			want(t, s, again(kept), replay.Acquired)
			want(t, s, bound(again(delivery()), "other"), replay.Acquired)
			// The floor is the second in which the schema was made.
			floor := time.UnixMilli(number(t, db, "SELECT floor FROM hooknotary_event_meta"))
			if age := time.Since(floor); age < 0 || age > time.Minute || floor.Nanosecond() != 0 {
				t.Errorf("the floor is %v, %v ago", floor, age)
			}
			old := delivery()
			old.SignedAt = floor.Add(-time.Millisecond)
			want(t, s, old, replay.BeforeFloor)
			old.SignedAt = floor
			want(t, s, old, replay.Acquired)
		})
	})

	t.Run("two stores in one database share their records", func(t *testing.T) {
		onEach(t, func(t *testing.T, e engine) {
			dsn := e.create(t)
			a, b := e.migrated(t, e.open(t, dsn), patient), e.migrated(t, e.open(t, dsn), patient)
			c := delivery()
			want(t, a, c, replay.Acquired)
			want(t, b, again(c), replay.InFlight)
			if err := b.Commit(t.Context(), handle(c)); err != nil {
				t.Error(err)
			}
			want(t, a, again(c), replay.Done)
		})
	})

	t.Run("Stats counts events and bindings", func(t *testing.T) {
		onEach(t, func(t *testing.T, e engine) {
			s, _ := e.fresh(t)
			for i := range 10 {
				c := delivery()
				if i%2 == 0 {
					c = bound(c, "body")
				}
				want(t, s, c, replay.Acquired)
			}
			if st, err := s.Stats(t.Context()); err != nil || st.Records != 15 {
				t.Errorf("Stats = %+v, %v, want 15 records", st, err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if _, err := s.Stats(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("Stats with a cancelled context = %v", err)
			}
		})
	})
}

func TestClaim(t *testing.T) {
	// A claim that waited for another transaction decides by the time at which it got
	// its turn.
	t.Run("it reads the time when the event is locked", func(t *testing.T) {
		onEach(t, func(t *testing.T, e engine) {
			s, db := e.fresh(t)
			const lease, wait = 400 * time.Millisecond, 600 * time.Millisecond
			// behind runs f while another transaction holds the event for some time,
			// and returns when that ended.
			behind := func(c replay.Claim, f func()) (end time.Time) {
				tx := begin(t, db)
				if _, err := tx.Exec("UPDATE hooknotary_event SET state = state WHERE key = $1", c.Key[:]); err != nil {
					t.Fatal(err)
				}
				done := make(chan struct{})
				go func() {
					defer close(done)
					f()
				}()
				time.Sleep(wait)
				end = time.Now()
				if err := tx.Rollback(); err != nil {
					t.Fatal(err)
				}
				<-done
				return end
			}
			leased := func(c replay.Claim) time.Time {
				return time.UnixMilli(number(t, db, "SELECT lease FROM hooknotary_event WHERE key = $1", c.Key[:]))
			}

			c := delivery()
			c.Lease = lease
			want(t, s, c, replay.Acquired)
			next := again(c)
			next.Lease = time.Minute
			end := behind(c, func() {
				if o, err := s.Claim(t.Context(), next); err != nil || o.Status != replay.Acquired {
					t.Errorf("a claim that waited for the end of the lease: %v, %v", o.Status, err)
				}
			})
			if early := end.Add(next.Lease).Sub(leased(c)); early > wait/2 {
				t.Errorf("the lease ends %v too early: it began while the claim waited", early)
			}
			b := bound(delivery(), "body")
			b.Lease, b.Needed, b.Retention = lease, lease, 0
			want(t, s, b, replay.Acquired)
			behind(b, func() {
				if o, err := s.Claim(t.Context(), again(b)); err != nil || o.Status != replay.Acquired {
					t.Errorf("a claim that waited for the end of the record: %v, %v", o.Status, err)
				}
			})
		})
	})

	t.Run("a repeat with a shorter need shortens no binding", func(t *testing.T) {
		onEach(t, func(t *testing.T, e engine) {
			s, db := e.fresh(t)
			c := bound(delivery(), "body")
			c.Needed = time.Hour
			want(t, s, c, replay.Acquired)
			short := bound(again(c), "body")
			short.Needed, short.Retention = 0, 0
			want(t, s, short, replay.InFlight)
			advance(t, db, events, time.Minute)
			want(t, s, bound(again(c), "other"), replay.Forged)
		})
	})

	// A statement that returned a row may still fail when its transaction ends.
	t.Run("a claim whose transaction fails in the end is an error", func(t *testing.T) {
		s, db := postgreSQL.fresh(t)
		do(t, db, `CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'in the end'; END $$`)
		do(t, db, `CREATE CONSTRAINT TRIGGER late AFTER INSERT OR UPDATE ON hooknotary_event
		DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fail()`)
		c := delivery()
		if o, err := s.Claim(t.Context(), c); err == nil || o != (replay.Outcome{}) {
			t.Errorf("Claim = %+v, %v", o, err)
		}
		do(t, db, "DROP TRIGGER late ON hooknotary_event")
		want(t, s, c, replay.Acquired)
	})

	// The floor refuses what is not known. A record whose time is over counts as
	// absent, purged or not.
	t.Run("one from before the floor takes only what counts", func(t *testing.T) {
		onEach(t, func(t *testing.T, e engine) {
			s, db := e.fresh(t)
			old := func(retention time.Duration) replay.Claim {
				c := delivery()
				c.Lease, c.Needed, c.Retention = time.Hour, 0, retention
				c.SignedAt = time.Unix(0, 0)
				first := c
				first.Resigned = false // the floor is not asked
				want(t, s, first, replay.Acquired)
				return again(c)
			}
			counts, over := old(48*time.Hour), old(time.Hour)
			done, overDone := old(48*time.Hour), old(time.Hour)
			do(t, db, "UPDATE hooknotary_event SET state = 2, keep = lease + keep WHERE key IN ($1, $2)", done.Key[:], overDone.Key[:])
			advance(t, db, events, 24*time.Hour)
			want(t, s, over, replay.BeforeFloor)
			want(t, s, overDone, replay.BeforeFloor)
			want(t, s, counts, replay.Acquired) // its lease ran out, and it is remembered
			want(t, s, done, replay.Done)
		})
	})

	// A driver that leaves a statement open when its context ends holds back the
	// commits of all that come after it on the connection: they seem to succeed.
	t.Run("what is given up does not hold back what comes after it", func(t *testing.T) {
		onEach(t, func(t *testing.T, e engine) {
			dsn := e.create(t)
			db := e.open(t, dsn)
			db.SetMaxOpenConns(4)
			s, other := e.migrated(t, db, patient), e.migrated(t, e.open(t, dsn), patient)
			var all sync.WaitGroup
			for i := range 8 {
				all.Go(func() {
					for range 50 {
						c := delivery()
						ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rand.N(2*time.Millisecond)))
						if _, err := s.Claim(ctx, c); err == nil && i%2 == 0 {
							s.Commit(ctx, handle(c))
						}
						cancel()
					}
				})
			}
			all.Wait()
			for range 8 {
				all.Go(func() {
					c := delivery()
					want(t, s, c, replay.Acquired)
					if err := s.Commit(t.Context(), handle(c)); err != nil {
						t.Errorf("Commit = %v", err)
					}
					want(t, other, again(c), replay.Done)
				})
			}
			all.Wait()
		})
	})
}

func TestNew(t *testing.T) {
	t.Run("mistakes are refused", func(t *testing.T) {
		db := sqlite.open(t, "file::memory:")
		for _, tt := range []struct {
			name string
			db   *sql.DB
			d    sqlreplay.Dialect
			o    *sqlreplay.Options
			ok   bool
		}{
			{"nothing that is in order", db, sqlreplay.SQLite, nil, true},
			{"no database", nil, sqlreplay.SQLite, nil, false},
			{"the zero dialect", db, 0, nil, false},
			{"an unknown dialect", db, 3, nil, false},
			{"a negative timeout", db, sqlreplay.SQLite, &sqlreplay.Options{Timeout: -1}, false},
			{"a schema on SQLite", db, sqlreplay.SQLite, &sqlreplay.Options{Table: "main.store"}, false},
			{"a schema on PostgreSQL, not", db, sqlreplay.PostgreSQL, &sqlreplay.Options{Table: "webhooks.store"}, true},
			{"a reserved name of SQLite", db, sqlreplay.SQLite, &sqlreplay.Options{Table: "sqlite_store"}, false},
		} {
			t.Run(tt.name, func(t *testing.T) {
				s, err := sqlreplay.New(tt.db, tt.d, tt.o)
				if (err == nil) != tt.ok || (s != nil) != tt.ok {
					t.Errorf("New = %v, %v", s, err)
				}
			})
		}
	})

	t.Run("names of tables that could be misread are refused", func(t *testing.T) {
		db := sqlite.open(t, "file::memory:")
		for _, d := range []sqlreplay.Dialect{sqlreplay.PostgreSQL, sqlreplay.SQLite} {
			for _, name := range []string{
				"store; DROP TABLE users", `store"`, "store'", "store--", "store/*", "store ", " store", "store\n",
				"store\x00", "Store", "störe", "1store", "store.", ".store", "a.b.c", "store-2", "$1", "?1",
				"{events}", "st{now}ore", strings.Repeat("a", 49), strings.Repeat("a", 49) + ".store", "a..b", "*", "store(x)", "\u212aey",
			} {
				if _, err := sqlreplay.New(db, d, &sqlreplay.Options{Table: name}); err == nil {
					t.Errorf("%v accepts a table with the name %q", d, name)
				}
			}
		}
	})

	// Names that are key words, and as long as can be.
	t.Run("plain names of tables are accepted", func(t *testing.T) {
		onEach(t, func(t *testing.T, e engine) {
			db := e.open(t, e.create(t))
			for _, name := range []string{"select", "user", "order", "_", "a1", strings.Repeat("a", 48), strings.Repeat("a", 47) + "b"} {
				s := e.migrated(t, db, &sqlreplay.Options{Table: name, Timeout: patient.Timeout})
				c := delivery()
				finish(t, s, c)
				want(t, s, again(c), replay.Done)
				if st, err := s.Stats(t.Context()); err != nil || st.Records != 1 {
					t.Errorf("%s: Stats = %+v, %v: the tables are not apart", name, st, err)
				}
			}
			if e.dialect == sqlreplay.PostgreSQL {
				do(t, db, "CREATE SCHEMA webhooks")
				s := e.migrated(t, db, &sqlreplay.Options{Table: "webhooks.store", Timeout: patient.Timeout})
				finish(t, s, delivery())
				if n := number(t, db, "SELECT count(*) FROM webhooks.store"); n != 1 {
					t.Errorf("%d rows in the schema", n)
				}
			}
		})
	})
}

func TestSettle(t *testing.T) {
	// A commit whose answer was lost is sent again, while the first is under way.
	t.Run("commits of one owner at once all succeed", func(t *testing.T) {
		onEach(t, func(t *testing.T, e engine) {
			s, _ := e.fresh(t)
			for range 30 {
				c := delivery()
				want(t, s, c, replay.Acquired)
				var all sync.WaitGroup
				for range 4 {
					all.Go(func() {
						if err := s.Commit(t.Context(), handle(c)); err != nil {
							t.Errorf("Commit = %v", err)
						}
					})
				}
				all.Wait()
			}
		})
	})

	t.Run("Forget may meet a commit", func(t *testing.T) {
		onEach(t, func(t *testing.T, e engine) {
			s, _ := e.fresh(t)
			for range 200 {
				c := delivery()
				want(t, s, c, replay.Acquired)
				committed := make(chan error)
				go func() { committed <- s.Commit(t.Context(), handle(c)) }()
				err := replay.ErrHeld
				for errors.Is(err, replay.ErrHeld) {
					err = s.Forget(t.Context(), c.Key)
				}
				if err := errors.Join(err, <-committed); err != nil {
					t.Fatal(err)
				}
				if r, ok, err := s.Inspect(t.Context(), c.Key); ok || err != nil {
					t.Fatalf("Inspect = %+v, %v, %v of an event that was forgotten", r, ok, err)
				}
			}
		})
	})
}
