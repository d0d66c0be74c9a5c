package sqltest

import (
	"database/sql"
	"errors"
	"flag"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/verify/replay"
	"github.com/hooknotary/hooknotary/verify/replay/sqlreplay"
)

// Settles is how many events each mode of a driver settles. The long form takes
// 10,000, and the contract in each mode. With -short there is no contract behind
// PgBouncer.
//
//	go test -timeout 2h -v ./... -args -settles 10000
var Settles = flag.Int("settles", 200, "how many events each mode of a driver settles")

// SQLite tests a driver of SQLite with files that it opens with these parameters.
func SQLite(t *testing.T, driver, parameters string) {
	dsn := func(t *testing.T) string {
		return "file:" + filepath.Join(t.TempDir(), "store.db") + parameters
	}
	open := func(t *testing.T, dsn string) *sql.DB {
		t.Helper()
		db, err := sql.Open(driver, dsn)
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Ping(); err != nil && strings.Contains(err.Error(), "cgo") {
			t.Skip("this driver needs a C compiler:", err)
		}
		db.SetMaxOpenConns(8)
		db.SetMaxIdleConns(8)
		t.Cleanup(func() { db.Close() })
		return db
	}

	t.Run("contract", func(t *testing.T) {
		db := open(t, dsn(t))
		Exercise(t, db, db, sqlreplay.SQLite)
	})

	// Each store has a pool of its own, as two processes have, and does not know of
	// the other's writes. Both write to one file.
	t.Run("settles by several writers", func(t *testing.T) {
		dsn := dsn(t)
		direct := open(t, dsn)
		stores := map[string]*sqlreplay.Store{}
		for _, table := range []string{"one", "two", "three"} {
			stores[table] = New(t, open(t, dsn), direct, sqlreplay.SQLite, table)
			if err := stores[table].Check(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		tally := Settle(t, direct, stores, 4, *Settles)
		t.Log(tally)
		if tally.Wrong+tally.Lost+tally.Failed != 0 {
			t.Errorf("%v: want none", tally)
		}
		if n := tally.Committed + tally.Released; n < *Settles-len(stores) || n == 0 {
			t.Errorf("%d settles, want %d", n, *Settles)
		}
	})

	t.Run("errors say what to do", func(t *testing.T) {
		dsn := dsn(t)
		db := open(t, dsn)
		s, err := sqlreplay.New(db, sqlreplay.SQLite, &sqlreplay.Options{Timeout: 400 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		advised := func(what string, err error, advice string) {
			t.Helper()
			if err == nil || !strings.Contains(err.Error(), advice) {
				t.Errorf("%s = %v, want the advice %q", what, err, advice)
			}
		}
		_, err = s.Claim(t.Context(), Claim(false))
		advised("Claim before Migrate", err, "call Migrate")
		if err := s.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		ready := func() error { // on a machine that may be busy
			for end := time.Now().Add(Patient); ; {
				o, err := s.Claim(t.Context(), Claim(false))
				if err == nil && o.Status == replay.Acquired || time.Now().After(end) {
					return err
				}
			}
		}
		if err := ready(); err != nil {
			t.Fatal(err)
		}

		other, err := open(t, dsn).Begin()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := other.Exec("UPDATE hooknotary_event SET state = state"); err != nil {
			t.Fatal(err)
		}
		_, err = s.Claim(t.Context(), Claim(false))
		advised("Claim beside a transaction that does not end", err, "Options.Timeout")
		if err := other.Rollback(); err != nil {
			t.Fatal(err)
		}
		if err := ready(); err != nil {
			t.Errorf("Claim afterwards: %v", err)
		}

		Do(t, db, "ALTER TABLE hooknotary_event RENAME COLUMN lease TO other")
		advised("Check of another one's table", s.Check(t.Context()), "Options.Table")
	})

	t.Run("a full database is ErrFull", func(t *testing.T) {
		db := open(t, dsn(t))
		db.SetMaxOpenConns(1) // the setting is the connection's
		s := New(t, db, db, sqlreplay.SQLite, "store")
		Do(t, db, "PRAGMA max_page_count = 20")
		var err error
		for n := 0; err == nil && n < 2000; n++ {
			_, err = s.Claim(t.Context(), Claim(false))
		}
		if !errors.Is(err, replay.ErrFull) {
			t.Errorf("Claim = %v, want ErrFull", err)
		}
	})
}
