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
)

func TestMigrate(t *testing.T) {
	t.Run("many may call it at once", func(t *testing.T) {
		onEach(t, func(t *testing.T, e engine) {
			for range 3 {
				dsn := e.create(t)
				var all sync.WaitGroup
				for range 8 {
					db := e.open(t, dsn)
					s := e.store(t, db, patient)
					all.Go(func() {
						defer db.Close()
						if err := s.Migrate(t.Context()); err != nil {
							t.Errorf("Migrate = %v", err)
						}
						if err := s.Check(t.Context()); err != nil {
							t.Errorf("Check after Migrate = %v", err)
						}
					})
				}
				all.Wait()
				if n := number(t, e.open(t, dsn), "SELECT count(*) FROM hooknotary_event_meta"); n != 1 {
					t.Errorf("%d rows of meta", n)
				}
			}
		})
	})

	t.Run("it keeps everything when it runs again", func(t *testing.T) {
		onEach(t, func(t *testing.T, e engine) {
			s, db := e.fresh(t)
			do(t, db, "UPDATE hooknotary_event_meta SET floor = 1000")
			c := delivery()
			finish(t, s, c)
			if err := s.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			want(t, s, again(c), replay.Done)
			if n := number(t, db, "SELECT floor FROM hooknotary_event_meta"); n != 1000 {
				t.Errorf("the floor moved to %d", n)
			}
		})
	})

	t.Run("it completes a schema", func(t *testing.T) {
		onEach(t, func(t *testing.T, e engine) {
			s, db := e.fresh(t)
			c := delivery()
			finish(t, s, c)
			for _, damage := range []string{"DROP TABLE hooknotary_event_bindings", "DELETE FROM hooknotary_event_meta"} {
				do(t, db, damage)
				if err := s.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "call Migrate") {
					t.Errorf("after %s: Check = %v", damage, err)
				}
				if err := s.Migrate(t.Context()); err != nil {
					t.Errorf("after %s: Migrate = %v", damage, err)
				}
				if err := s.Check(t.Context()); err != nil {
					t.Errorf("after %s and Migrate: Check = %v", damage, err)
				}
				want(t, s, bound(again(c), "body"), replay.Done)
			}
		})
	})

	t.Run("it ends with its context", func(t *testing.T) {
		onEach(t, func(t *testing.T, e engine) {
			dsn := e.create(t)
			blocker := e.open(t, dsn)
			tx := begin(t, blocker)
			hold := "CREATE TABLE blocker (a int)"
			if e.dialect == sqlreplay.PostgreSQL {
				hold = "SELECT pg_advisory_xact_lock(29395921912360820)" // "hooknot"
			}
			if _, err := tx.Exec(hold); err != nil {
				t.Fatal(err)
			}
			s := e.store(t, e.open(t, dsn), nil)
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			if err := s.Migrate(ctx); err == nil {
				t.Error("Migrate did not wait for another process")
			}
			if err := tx.Rollback(); err != nil {
				t.Fatal(err)
			}
			if err := s.Migrate(t.Context()); err != nil {
				t.Errorf("Migrate afterwards = %v", err)
			}
		})
	})
}

func TestSchema(t *testing.T) {
	t.Run("it is what Migrate makes", func(t *testing.T) {
		onEach(t, func(t *testing.T, e engine) {
			db := e.open(t, e.create(t))
			s := e.store(t, db, patient)
			for range 2 {
				for _, statement := range strings.SplitAfter(strings.TrimSpace(s.Schema()), ";\n") {
					do(t, db, statement)
				}
			}
			if err := s.Check(t.Context()); err != nil {
				t.Fatal(err)
			}
			finish(t, s, delivery())

			other := e.open(t, e.create(t))
			e.migrated(t, other, nil)
			shape := "SELECT group_concat(sql, ';') FROM (SELECT sql FROM sqlite_schema ORDER BY name)"
			if e.dialect == sqlreplay.PostgreSQL {
				shape = `SELECT (SELECT string_agg(table_name || ' ' || column_name || ' ' || data_type || ' ' || is_nullable, ';' ORDER BY table_name, ordinal_position)
				FROM information_schema.columns WHERE table_schema = 'public') || (SELECT string_agg(indexdef, ';' ORDER BY indexname) FROM pg_indexes WHERE schemaname = 'public')`
			}
			var a, b string
			if err := errors.Join(db.QueryRow(shape).Scan(&a), other.QueryRow(shape).Scan(&b)); err != nil {
				t.Fatal(err)
			}
			if a != b || !strings.Contains(a, "hooknotary_event_bindings") {
				t.Errorf("Schema makes\n%s\nand Migrate\n%s", a, b)
			}
		})
	})

	// A store that ran Migrate, or whose schema an administrator made, works without
	// the right to create.
	t.Run("a store works with the rights that Schema tells", func(t *testing.T) {
		dsn := postgreSQL.create(t)
		owner := postgreSQL.open(t, dsn)
		postgreSQL.migrated(t, owner, nil)
		do(t, owner, "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
		do(t, owner, "CREATE ROLE worker_rights LOGIN PASSWORD 'w'")
		s := postgreSQL.store(t, postgreSQL.open(t, dsn+" user=worker_rights password=w"), patient)

		if err := s.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "lacks a right") {
			t.Errorf("without any right: Check = %v", err)
		}
		for _, grant := range []string{
			"SELECT ON hooknotary_event_meta",
			"SELECT, INSERT, UPDATE, DELETE ON hooknotary_event",
			"SELECT, INSERT, UPDATE, DELETE ON hooknotary_event_bindings",
		} {
			if err := s.Check(t.Context()); err == nil {
				t.Errorf("Check succeeds before GRANT %s", grant)
			}
			do(t, owner, "GRANT "+grant+" TO worker_rights")
		}
		if err := s.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := s.Migrate(t.Context()); err != nil {
			t.Errorf("Migrate with all in place = %v", err)
		}
		c := bound(delivery(), "body")
		finish(t, s, c)
		if err := s.Forget(t.Context(), c.Key); err != nil {
			t.Error(err)
		}
		if _, err := s.Purge(t.Context()); err != nil {
			t.Error(err)
		}
		for _, right := range []string{"INSERT", "UPDATE", "DELETE"} {
			for _, table := range []string{events, events + "_bindings"} {
				do(t, owner, "REVOKE "+right+" ON "+table+" FROM worker_rights")
				if err := s.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "lacks a right") {
					t.Errorf("without %s on %s: Check = %v", right, table, err)
				}
				do(t, owner, "GRANT "+right+" ON "+table+" TO worker_rights")
			}
		}
		other := postgreSQL.store(t, postgreSQL.open(t, dsn+" user=worker_rights password=w"), &sqlreplay.Options{Table: "other"})
		if err := other.Migrate(t.Context()); err == nil {
			t.Error("Migrate succeeds without the right to create")
		}
	})

	t.Run("another version of the schema is refused", func(t *testing.T) {
		onEach(t, func(t *testing.T, e engine) {
			s, db := e.fresh(t)
			c := delivery()
			want(t, s, c, replay.Acquired)
			do(t, db, "UPDATE hooknotary_event_meta SET version = 2")
			wrong := func(what string, err error) {
				t.Helper()
				if err == nil || !strings.Contains(err.Error(), "version 2") {
					t.Errorf("%s = %v", what, err)
				}
			}
			_, err := s.Claim(t.Context(), delivery())
			wrong("Claim by a store at work", err)
			wrong("Check", s.Check(t.Context()))
			wrong("Migrate", s.Migrate(t.Context()))
			next := e.store(t, db, patient)
			_, err = next.Claim(t.Context(), delivery())
			wrong("Claim", err)
			wrong("Commit", next.Commit(t.Context(), handle(c)))
			wrong("Renew", next.Renew(t.Context(), handle(c), time.Minute))
			wrong("Release", next.Release(t.Context(), handle(c)))
			wrong("Forget", next.Forget(t.Context(), c.Key))
			_, _, err = next.Inspect(t.Context(), c.Key)
			wrong("Inspect", err)
			_, err = next.Stats(t.Context())
			wrong("Stats", err)
			_, err = next.Purge(t.Context())
			wrong("Purge", err)
			do(t, db, "UPDATE hooknotary_event_meta SET version = 1")
			want(t, next, again(c), replay.InFlight)
			want(t, s, again(c), replay.InFlight)
		})
	})

	t.Run("a table that is missing is named with what to do", func(t *testing.T) {
		onEach(t, func(t *testing.T, e engine) {
			db := e.open(t, e.create(t))
			s := e.store(t, db, patient)
			for _, when := range []string{"before Migrate", "after the tables were dropped"} {
				c := delivery()
				_, err := s.Claim(t.Context(), c)
				for what, err := range map[string]error{"Claim": err, "Commit": s.Commit(t.Context(), handle(c)), "Check": s.Check(t.Context())} {
					if err == nil || !strings.Contains(err.Error(), "call Migrate") || errors.Is(err, replay.ErrLost) {
						t.Errorf("%s: %s = %v", when, what, err)
					}
				}
				if err := s.Migrate(t.Context()); err != nil {
					t.Fatal(err)
				}
				want(t, s, delivery(), replay.Acquired) // a new one, because the schema is young
				do(t, db, "DROP TABLE hooknotary_event")
				do(t, db, "DROP TABLE hooknotary_event_meta")
			}
		})
	})

	t.Run("a schema that is missing is named with what to do", func(t *testing.T) {
		dsn := postgreSQL.create(t)
		for _, tt := range []struct{ name, table, dsn string }{
			{"of the table's name", "hooks.store", dsn},
			{"of the search_path", "", dsn + " search_path=hooks"},
		} {
			t.Run(tt.name, func(t *testing.T) {
				db := postgreSQL.open(t, tt.dsn)
				do(t, db, "DROP SCHEMA IF EXISTS hooks CASCADE")
				s := postgreSQL.store(t, db, &sqlreplay.Options{Table: tt.table, Timeout: patient.Timeout})
				if err := s.Migrate(t.Context()); err == nil || !strings.Contains(err.Error(), "CREATE SCHEMA") || strings.Contains(err.Error(), "call Migrate") {
					t.Errorf("Migrate = %v", err)
				}
				do(t, db, "CREATE SCHEMA hooks")
				if err := s.Migrate(t.Context()); err != nil {
					t.Errorf("Migrate, with the schema = %v", err)
				}
			})
		}
	})

	t.Run("a table of somebody else is named with what to do", func(t *testing.T) {
		onEach(t, func(t *testing.T, e engine) {
			db := e.open(t, e.create(t))
			do(t, db, "CREATE TABLE hooknotary_event (id bigint, purge bigint)")
			s := e.store(t, db, patient)
			if err := s.Migrate(t.Context()); err == nil || !strings.Contains(err.Error(), "Options.Table") {
				t.Errorf("Migrate = %v", err)
			}
			do(t, db, "CREATE TABLE hooknotary_event_meta (id bigint, version bigint, floor bigint)")
			do(t, db, "CREATE TABLE hooknotary_event_bindings (id bigint)")
			_, err := s.Claim(t.Context(), delivery())
			if err == nil || !strings.Contains(err.Error(), "Options.Table") {
				t.Errorf("Claim = %v", err)
			}
			if err := s.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "Options.Table") {
				t.Errorf("Check = %v", err)
			}
		})
	})
}

func TestCheck(t *testing.T) {
	t.Run("it writes nothing", func(t *testing.T) {
		onEach(t, func(t *testing.T, e engine) {
			s, _ := e.fresh(t)
			if err := s.Check(t.Context()); err != nil {
				t.Fatal(err)
			}
			if st, err := s.Stats(t.Context()); err != nil || st.Records != 0 {
				t.Errorf("after Check: %+v, %v", st, err)
			}
		})
	})
}

func begin(t testing.TB, db *sql.DB) *sql.Tx {
	t.Helper()
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tx.Rollback() })
	return tx
}
