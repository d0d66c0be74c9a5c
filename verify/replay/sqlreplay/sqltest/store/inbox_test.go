package store_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/verify/replay"
	"github.com/hooknotary/hooknotary/verify/replay/sqlreplay"
	"github.com/hooknotary/hooknotary/verify/replay/sqlreplay/sqltest/postgrestest"
)

// under returns the context of a handler that runs under a claim.
func under(t *testing.T, c replay.Claim) context.Context {
	return replay.NewContext(t.Context(), handle(c))
}

// withEffects makes the table that handlers write to.
func withEffects(t *testing.T, db *sql.DB) {
	t.Helper()
	do(t, db, "CREATE TABLE effects (who text)")
}

// affect is what a handler does in its transaction.
func affect(t *testing.T, tx *sql.Tx, who string) {
	t.Helper()
	if _, err := tx.Exec("INSERT INTO effects VALUES ($1)", who); err != nil {
		t.Fatal(err)
	}
}

func effects(t *testing.T, db *sql.DB) int64 {
	t.Helper()
	return number(t, db, "SELECT count(*) FROM effects")
}

func TestCommitIn(t *testing.T) {
	t.Run("the mark is committed with the effects", func(t *testing.T) {
		onEach(t, func(t *testing.T, e engine) {
			s, db := e.fresh(t)
			withEffects(t, db)
			c := delivery()
			want(t, s, c, replay.Acquired)
			tx := begin(t, db)
			affect(t, tx, "owner")
			for range 2 { // it may be repeated
				if err := s.CommitIn(under(t, c), tx); err != nil {
					t.Fatal(err)
				}
			}
			if err := tx.Commit(); err != nil {
				t.Fatal(err)
			}
			want(t, s, again(c), replay.Done)
			if n := effects(t, db); n != 1 {
				t.Errorf("%d effects", n)
			}
			// What the guard does afterwards.
			if err := s.Commit(t.Context(), handle(c)); err != nil {
				t.Errorf("Commit after CommitIn = %v", err)
			}
			if err := s.Release(t.Context(), handle(c)); err != nil {
				t.Error(err)
			}
			if o := want(t, s, again(c), replay.Done); !o.Same {
				t.Error("the fingerprint is not recognised")
			}
		})
	})

	t.Run("the mark is rolled back with the effects", func(t *testing.T) {
		onEach(t, func(t *testing.T, e engine) {
			s, db := e.fresh(t)
			withEffects(t, db)
			c := delivery()
			want(t, s, c, replay.Acquired)
			tx := begin(t, db)
			affect(t, tx, "owner")
			if err := s.CommitIn(under(t, c), tx); err != nil {
				t.Fatal(err)
			}
			if err := tx.Rollback(); err != nil {
				t.Fatal(err)
			}
			want(t, s, again(c), replay.InFlight)
			if n := effects(t, db); n != 0 {
				t.Errorf("%d effects", n)
			}
			if err := s.Release(t.Context(), handle(c)); err != nil {
				t.Error(err)
			}
			want(t, s, again(c), replay.Acquired)
		})
	})

	t.Run("the mark needs a transaction that sees what others did", func(t *testing.T) {
		s, db := postgreSQL.fresh(t)
		for level, ok := range map[sql.IsolationLevel]bool{
			sql.LevelDefault:         true,
			sql.LevelReadUncommitted: true,
			sql.LevelReadCommitted:   true,
			sql.LevelRepeatableRead:  false,
			sql.LevelSerializable:    false,
		} {
			c := delivery()
			want(t, s, c, replay.Acquired)
			tx, err := db.BeginTx(t.Context(), &sql.TxOptions{Isolation: level})
			if err != nil {
				t.Fatal(err)
			}
			defer tx.Rollback()
			if _, err := tx.Exec("SELECT 1"); err != nil {
				t.Fatal(err)
			}
			want(t, s, again(c), replay.InFlight) // touches the event
			err = s.CommitIn(under(t, c), tx)
			if (err == nil) != ok || !ok && !strings.Contains(err.Error(), "LevelReadCommitted") {
				t.Errorf("%v: CommitIn = %v", level, err)
			}
		}
	})

	t.Run("the mark is refused to whoever does not own the event", func(t *testing.T) {
		onEach(t, func(t *testing.T, e engine) {
			s, db := e.fresh(t)
			owner, former, released, finished := delivery(), delivery(), delivery(), delivery()
			want(t, s, owner, replay.Acquired)
			want(t, s, former, replay.Acquired)
			advance(t, db, events, time.Minute)
			want(t, s, again(former), replay.Acquired)
			want(t, s, released, replay.Acquired)
			if err := s.Release(t.Context(), handle(released)); err != nil {
				t.Fatal(err)
			}
			finish(t, s, finished)
			tx := begin(t, db)
			for who, c := range map[string]replay.Claim{
				"the former owner of what was taken over": former,
				"somebody else":                  again(owner),
				"who released":                   released,
				"who never claimed":              delivery(),
				"somebody else, when it is done": again(finished),
			} {
				if err := s.CommitIn(under(t, c), tx); !errors.Is(err, replay.ErrLost) {
					t.Errorf("%s: CommitIn = %v, want %v", who, err, replay.ErrLost)
				}
			}
			if err := s.CommitIn(under(t, owner), tx); err != nil {
				t.Errorf("the owner, whose lease ran out: CommitIn = %v", err)
			}
			if err := s.CommitIn(under(t, finished), tx); err != nil {
				t.Errorf("who committed: CommitIn = %v", err)
			}
			if err := s.CommitIn(t.Context(), tx); err == nil || errors.Is(err, replay.ErrLost) || !strings.Contains(err.Error(), "no claim") {
				t.Errorf("without a claim: CommitIn = %v", err)
			}
			if err := s.CommitIn(under(t, owner), nil); err == nil {
				t.Error("CommitIn without a transaction succeeds")
			}
			if err := tx.Rollback(); err != nil {
				t.Fatal(err)
			}
			if err := s.CommitIn(under(t, owner), tx); !errors.Is(err, sql.ErrTxDone) {
				t.Errorf("in a transaction that ended: CommitIn = %v", err)
			}
			ctx, cancel := context.WithCancel(under(t, owner))
			cancel()
			if err := s.CommitIn(ctx, begin(t, db)); !errors.Is(err, context.Canceled) {
				t.Errorf("with a cancelled context: CommitIn = %v", err)
			}
		})
	})

	// The owner's lease ran out, and it marked the event when another one asks.
	t.Run("a takeover waits for the owner's transaction", func(t *testing.T) {
		onEach(t, func(t *testing.T, e engine) {
			for _, tt := range []struct {
				name   string
				end    func(*sql.Tx) error
				status replay.Status
			}{
				{"that commits", (*sql.Tx).Commit, replay.Done},
				{"that rolls back", (*sql.Tx).Rollback, replay.Acquired},
			} {
				t.Run(tt.name, func(t *testing.T) {
					s, db := e.fresh(t)
					c := delivery()
					want(t, s, c, replay.Acquired)
					advance(t, db, events, time.Minute)
					tx := begin(t, db)
					if err := s.CommitIn(under(t, c), tx); err != nil {
						t.Fatal(err)
					}
					asked := make(chan replay.Status)
					go func() {
						o, err := s.Claim(t.Context(), again(c))
						if err != nil {
							t.Error(err)
						}
						asked <- o.Status
					}()
					select {
					case status := <-asked:
						t.Fatalf("the claim did not wait: %v", status)
					case <-time.After(200 * time.Millisecond):
					}
					if err := tt.end(tx); err != nil {
						t.Fatal(err)
					}
					if status := <-asked; status != tt.status {
						t.Errorf("Claim = %v, want %v", status, tt.status)
					}
				})
			}
		})
	})

	// Two handlers of one event, because the first was stopped for longer than its
	// lease.
	t.Run("of two handlers one commits", func(t *testing.T) {
		onEach(t, func(t *testing.T, e engine) {
			s, db := e.fresh(t)
			withEffects(t, db)
			const rounds = 40
			for round := range rounds {
				c := delivery()
				want(t, s, c, replay.Acquired)
				advance(t, db, events, time.Minute)
				handle := func(c replay.Claim, who string, pause time.Duration) bool {
					tx, err := db.BeginTx(t.Context(), nil)
					if err != nil {
						t.Error(err)
						return false
					}
					defer tx.Rollback()
					if _, err := tx.Exec("INSERT INTO effects VALUES ($1)", who); err != nil {
						return false
					}
					time.Sleep(pause)
					return s.CommitIn(replay.NewContext(t.Context(), replay.Handle{Key: c.Key, Token: c.Token}), tx) == nil && tx.Commit() == nil
				}
				var both sync.WaitGroup
				var first, second bool
				both.Go(func() { first = handle(c, "first", time.Duration(round%4)*time.Millisecond) })
				both.Go(func() {
					time.Sleep(time.Duration(round%7) * time.Millisecond)
					next := again(c)
					switch o, err := s.Claim(t.Context(), next); {
					case err != nil:
						t.Errorf("Claim = %v", err)
					case o.Status == replay.Acquired:
						second = handle(next, "second", 0)
					case o.Status != replay.Done:
						t.Errorf("Claim = %v", o.Status)
					}
				})
				both.Wait()
				if first && second {
					t.Fatalf("both handlers committed in round %d", round)
				}
				if n := effects(t, db); n > int64(round+1) {
					t.Fatalf("%d effects of %d events", n, round+1)
				}
				if !first && !second {
					// The second lost its claim to nobody, so it may try again.
					if !handle(c, "again", 0) {
						last := again(c)
						advance(t, db, events, time.Minute)
						want(t, s, last, replay.Acquired)
						if !handle(last, "last", 0) {
							t.Fatal("nobody can commit")
						}
					}
				}
				want(t, s, again(c), replay.Done)
			}
			if n := effects(t, db); n != rounds {
				t.Errorf("%d effects of %d events", n, rounds)
			}
		})
	})

	// While a handler works in its transaction, everybody else is answered at once.
	t.Run("no row is held while the handler works", func(t *testing.T) {
		dsn := postgreSQL.create(t)
		db := postgreSQL.open(t, dsn)
		s := postgreSQL.migrated(t, db, nil)
		withEffects(t, db)
		c := bound(delivery(), "body")
		want(t, s, c, replay.Acquired)
		tx := begin(t, db)
		affect(t, tx, "owner")
		want(t, s, again(c), replay.InFlight)
		want(t, s, bound(again(c), "other"), replay.Forged)
		if err := s.Renew(t.Context(), handle(c), time.Minute); err != nil {
			t.Error(err)
		}
		if n := number(t, db, "SELECT count(*) FROM pg_locks WHERE relation = 'hooknotary_event'::regclass"); n != 0 {
			t.Errorf("%d locks on the events", n)
		}
		if err := s.CommitIn(under(t, c), tx); err != nil {
			t.Fatal(err)
		}
		other := delivery()
		finish(t, s, other) // waits for nobody
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		want(t, s, again(c), replay.Done)
	})

	t.Run("a server that is killed rolls the mark back with the effects", func(t *testing.T) {
		server := postgrestest.Run(t, nil)
		db := postgreSQL.open(t, server.Database(t))
		s := postgreSQL.migrated(t, db, &sqlreplay.Options{Timeout: 5 * time.Second})
		withEffects(t, db)
		c := delivery()
		want(t, s, c, replay.Acquired)
		tx := begin(t, db)
		affect(t, tx, "owner")
		if err := s.CommitIn(under(t, c), tx); err != nil {
			t.Fatal(err)
		}
		if err := server.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := tx.Commit(); err == nil {
			t.Error("a server that is gone commits")
		}
		if err := server.Restart(); err != nil {
			t.Fatal(err)
		}
		recovers(t, s)
		if n := effects(t, db); n != 0 {
			t.Errorf("%d effects", n)
		}
		want(t, s, again(c), replay.InFlight)
	})
}
