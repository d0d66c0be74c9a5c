package store_test

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/verify/replay"
	"github.com/hooknotary/hooknotary/verify/replay/sqlreplay"
	"github.com/hooknotary/hooknotary/verify/replay/sqlreplay/sqltest/postgrestest"
)

// failing expects that every operation is an error, and none a decision.
func failing(t *testing.T, s *sqlreplay.Store, c replay.Claim, why string) {
	t.Helper()
	h := handle(c)
	_, claimed := s.Claim(t.Context(), c)
	_, _, inspected := s.Inspect(t.Context(), c.Key)
	for what, err := range map[string]error{
		"Claim":   claimed,
		"Renew":   s.Renew(t.Context(), h, time.Minute),
		"Commit":  s.Commit(t.Context(), h),
		"Release": s.Release(t.Context(), h),
		"Forget":  s.Forget(t.Context(), h.Key),
		"Inspect": inspected,
		"Check":   s.Check(t.Context()),
	} {
		if err == nil || errors.Is(err, replay.ErrLost) || errors.Is(err, replay.ErrHeld) || !strings.Contains(err.Error(), why) {
			t.Errorf("%s = %v, want an error with %q", what, err, why)
		}
	}
}

// recovers expects that the store works again soon.
func recovers(t *testing.T, s replay.Store) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		o, err := s.Claim(t.Context(), delivery())
		if err == nil && o.Status == replay.Acquired {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the store does not recover: %v, %v", o.Status, err)
		}
	}
}

func TestDurability(t *testing.T) {
	t.Run("a server that is killed forgets nothing", func(t *testing.T) {
		server := postgrestest.Run(t, nil)
		db := postgreSQL.open(t, server.Database(t))
		s := postgreSQL.migrated(t, db, &sqlreplay.Options{Timeout: 5 * time.Second})
		done, running := bound(delivery(), "body"), delivery()
		finish(t, s, done)
		want(t, s, running, replay.Acquired)
		if err := server.Kill(); err != nil {
			t.Fatal(err)
		}
		failing(t, s, delivery(), "")
		if err := server.Restart(); err != nil {
			t.Fatal(err)
		}
		recovers(t, s)
		want(t, s, again(done), replay.Done)
		want(t, s, bound(again(done), "other"), replay.Forged)
		want(t, s, again(running), replay.InFlight)
		if err := s.Commit(t.Context(), handle(running)); err != nil {
			t.Error(err)
		}
	})

	t.Run("a file that is opened again forgets nothing", func(t *testing.T) {
		dsn := sqlite.create(t)
		db := sqlite.open(t, dsn)
		s := sqlite.migrated(t, db, patient)
		done, running := bound(delivery(), "body"), delivery()
		finish(t, s, done)
		want(t, s, running, replay.Acquired)
		db.Close()
		failing(t, s, delivery(), "closed")

		s = sqlite.migrated(t, sqlite.open(t, dsn), patient)
		if o := want(t, s, again(done), replay.Done); !o.Same {
			t.Error("the fingerprint is not recognised")
		}
		want(t, s, bound(again(done), "other"), replay.Forged)
		want(t, s, again(running), replay.InFlight)
		if err := s.Commit(t.Context(), handle(running)); err != nil {
			t.Error(err)
		}
	})

	t.Run("a process that is killed forgets nothing", func(t *testing.T) {
		for round := range 3 {
			dsn := filepath.Join(t.TempDir(), "events.db")
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), "SQLREPLAY_CHILD="+dsn)
			pipe, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewScanner(pipe)
			status := make(map[replay.Handle]replay.Status)
			for lines.Scan() {
				var h replay.Handle
				what, rest, _ := bytes.Cut(lines.Bytes(), []byte(" "))
				key, token, _ := bytes.Cut(rest, []byte(" "))
				if len(rest) != 97 {
					t.Fatalf("the child says %q", lines.Text())
				}
				hex.Decode(h.Key[:], key)
				hex.Decode(h.Token[:], token)
				status[h] = map[string]replay.Status{"claimed": replay.InFlight, "committed": replay.Done}[string(what)]
				if len(status) == 20+10*round {
					cmd.Process.Kill() // and read what it said meanwhile
				}
			}
			cmd.Wait()
			s := sqlite.store(t, sqlite.open(t, sqliteDSN(dsn)), patient)
			inFlight := 0
			for h, status := range status {
				c := delivery()
				c.Key = h.Key
				if status == replay.InFlight {
					// Its commit may have come through before the process could say so.
					inFlight++
					if o, err := s.Claim(t.Context(), c); err != nil || o.Status != replay.InFlight && o.Status != replay.Done {
						t.Errorf("a claimed event: Claim = %v, %v", o.Status, err)
					}
					continue
				}
				want(t, s, c, replay.Done)
			}
			if len(status) < 20+10*round || inFlight > 1 {
				t.Errorf("%d events, %d of them in flight", len(status), inFlight)
			}
		}
	})
}

func TestFaults(t *testing.T) {
	t.Run("a paused server is an error within the timeout", func(t *testing.T) {
		server := postgrestest.Run(t, nil)
		db := postgreSQL.open(t, server.Database(t))
		const timeout = 300 * time.Millisecond
		s := postgreSQL.migrated(t, db, &sqlreplay.Options{Timeout: timeout})
		recovers(t, s)
		if err := server.Pause(); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			began := time.Now()
			_, err := s.Claim(t.Context(), delivery())
			if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took > timeout+2*time.Second {
				t.Errorf("Claim = %v after %v", err, took)
			}
			if err != nil && !strings.Contains(err.Error(), "300ms") {
				t.Errorf("Claim = %v, which does not tell the timeout", err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		began := time.Now()
		if err := s.Commit(ctx, handle(delivery())); err == nil || time.Since(began) > 250*time.Millisecond {
			t.Errorf("Commit = %v after %v, and its context ended after 10ms", err, time.Since(began))
		}
		if err := server.Resume(); err != nil {
			t.Fatal(err)
		}
		recovers(t, s)
	})

	t.Run("a reply that is lost is an error, and nothing is sent again", func(t *testing.T) {
		t.Parallel()
		server := postgrestest.Shared(t)
		direct := server.Database(t)
		p := newProxy(t, server)
		db := postgreSQL.open(t, p.dsn(direct))
		db.SetMaxOpenConns(1)
		s := postgreSQL.migrated(t, db, patient)
		other := postgreSQL.store(t, postgreSQL.open(t, direct), patient)
		recovers(t, s)

		for _, tt := range []struct {
			name   string
			cut    func()
			status replay.Status // of what another owner asks for afterwards
		}{
			{"the answer", func() { p.dropAnswer.Store(true) }, replay.InFlight},
			{"the request", func() { p.dropRequest.Store(true) }, replay.Acquired},
		} {
			t.Run(tt.name, func(t *testing.T) {
				c := delivery()
				recovers(t, s)
				before := p.sessions.Load()
				tt.cut()
				if o, err := s.Claim(t.Context(), c); err == nil {
					t.Fatalf("Claim = %v", o.Status)
				}
				if n := p.sessions.Load() - before; n != 0 {
					t.Errorf("the claim was sent again, on %d new sessions", n)
				}
				if tt.status == replay.InFlight {
					want(t, s, c, replay.Acquired) // the same token still owns it
				}
				want(t, other, again(c), tt.status)

				finish(t, s, delivery()) // the driver prepares a statement before, which may be sent again
				c = delivery()
				want(t, s, c, replay.Acquired)
				tt.cut()
				if err := s.Commit(t.Context(), handle(c)); err == nil || errors.Is(err, replay.ErrLost) {
					t.Fatalf("Commit = %v", err)
				}
				if err := s.Commit(t.Context(), handle(c)); err != nil {
					t.Errorf("Commit, called again = %v", err)
				}
				want(t, other, again(c), replay.Done)
			})
		}
	})

	t.Run("a read-only database is an error that says so", func(t *testing.T) {
		t.Run("PostgreSQL", func(t *testing.T) {
			dsn := postgreSQL.create(t)
			db := postgreSQL.open(t, dsn)
			postgreSQL.migrated(t, db, nil)
			readOnly := postgreSQL.store(t, postgreSQL.open(t, dsn+" default_transaction_read_only=on"), patient)
			c := delivery()
			_, err := readOnly.Claim(t.Context(), c)
			for what, err := range map[string]error{"Claim": err, "Commit": readOnly.Commit(t.Context(), handle(c)), "Check": readOnly.Check(t.Context())} {
				if err == nil || !strings.Contains(err.Error(), "read-only") || !strings.Contains(err.Error(), "primary") {
					t.Errorf("%s = %v", what, err)
				}
			}
		})
		t.Run("SQLite", func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "events.db")
			sqlite.migrated(t, sqlite.open(t, sqliteDSN(file)), nil)
			db := sqlite.open(t, "file:"+file+"?mode=ro&_pragma=query_only(1)")
			s := sqlite.store(t, db, patient)
			c := delivery()
			_, err := s.Claim(t.Context(), c)
			for what, err := range map[string]error{"Claim": err, "Commit": s.Commit(t.Context(), handle(c)), "Check": s.Check(t.Context())} {
				if err == nil || !strings.Contains(err.Error(), "must be writable") {
					t.Errorf("%s = %v", what, err)
				}
			}
			absent := sqlite.store(t, sqlite.open(t, sqliteDSN(filepath.Join(file, "events.db"))), patient)
			if err := absent.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "must be writable") {
				t.Errorf("in a folder that does not exist: Check = %v", err)
			}
		})
	})

	t.Run("a wrong password is an error that does not repeat it", func(t *testing.T) {
		dsn := postgreSQL.create(t)
		s := postgreSQL.store(t, postgreSQL.open(t, dsn+" password=open_sesame"), patient)
		failing(t, s, delivery(), "password authentication failed")
		if err := s.Check(t.Context()); err == nil || strings.Contains(err.Error(), "sesame") {
			t.Errorf("Check = %v", err)
		}
	})

	t.Run("a full disk is ErrFull", func(t *testing.T) {
		t.Run("SQLite", func(t *testing.T) {
			db := sqlite.open(t, sqlite.create(t))
			db.SetMaxOpenConns(1) // the setting is the connection's
			s := sqlite.migrated(t, db, patient)
			c := delivery()
			want(t, s, c, replay.Acquired)
			do(t, db, fmt.Sprintf("PRAGMA max_page_count = %d", number(t, db, "PRAGMA page_count")+4))
			var err error
			for n := 0; err == nil && n < 1000; n++ {
				_, err = s.Claim(t.Context(), delivery())
			}
			if !errors.Is(err, replay.ErrFull) {
				t.Fatalf("Claim = %v, want %v", err, replay.ErrFull)
			}
			want(t, s, again(c), replay.InFlight) // what it has, it knows
			if err := s.Commit(t.Context(), handle(c)); err != nil {
				t.Errorf("Commit = %v", err)
			}
			do(t, db, "PRAGMA max_page_count = 1000000")
			recovers(t, s)
		})
		t.Run("PostgreSQL", func(t *testing.T) { // simulated: with the error that it gives
			s, db := postgreSQL.fresh(t)
			do(t, db, `CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
			$$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$`)
			do(t, db, "CREATE TRIGGER full_disk BEFORE INSERT ON hooknotary_event FOR EACH ROW EXECUTE FUNCTION full_disk()")
			if _, err := s.Claim(t.Context(), delivery()); !errors.Is(err, replay.ErrFull) {
				t.Errorf("Claim = %v, want %v", err, replay.ErrFull)
			}
			do(t, db, "DROP TRIGGER full_disk ON hooknotary_event")
			recovers(t, s)
		})
	})

	// A row, or the whole file, that a transaction holds.
	t.Run("a transaction that holds the event is an error within the timeout", func(t *testing.T) {
		onEach(t, func(t *testing.T, e engine) {
			dsn := e.create(t)
			db := e.open(t, dsn)
			s := e.migrated(t, db, &sqlreplay.Options{Timeout: 300 * time.Millisecond})
			recovers(t, s)
			c := delivery()
			want(t, s, c, replay.Acquired)
			tx := begin(t, e.open(t, dsn))
			if _, err := tx.Exec("UPDATE hooknotary_event SET state = state"); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			_, err := s.Claim(t.Context(), again(c))
			if took := time.Since(began); err == nil || took > 2*time.Second || took < 200*time.Millisecond {
				t.Errorf("Claim = %v after %v", err, took)
			}
			if err := tx.Rollback(); err != nil {
				t.Fatal(err)
			}
			recovers(t, s)
			want(t, s, again(c), replay.InFlight)
		})
	})

	// A connection that cannot be had is a failure like another.
	t.Run("a pool without a connection is an error within the timeout", func(t *testing.T) {
		onEach(t, func(t *testing.T, e engine) {
			db := e.open(t, e.create(t))
			s := e.migrated(t, db, &sqlreplay.Options{Timeout: 100 * time.Millisecond})
			db.SetMaxOpenConns(1)
			taken, err := db.Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Claim(t.Context(), delivery()); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Claim = %v", err)
			}
			taken.Close()
			recovers(t, s)
		})
	})

	// The clock of the database steps. Forward, leases and retentions end early;
	// backward, late.
	t.Run("a clock that steps moves leases and nothing else", func(t *testing.T) {
		onEach(t, func(t *testing.T, e engine) {
			s, db := e.fresh(t)
			c := delivery()
			want(t, s, c, replay.Acquired)
			advance(t, db, events, -time.Hour)
			if o := want(t, s, again(c), replay.InFlight); o.Lease < time.Hour {
				t.Errorf("the clock was set back by an hour, and %v are left of the lease", o.Lease)
			}
			advance(t, db, events, 2*time.Hour)
			taker := again(c)
			want(t, s, taker, replay.Acquired)
			if err := s.Commit(t.Context(), handle(c)); !errors.Is(err, replay.ErrLost) {
				t.Errorf("the former owner: Commit = %v", err)
			}
			if err := s.Commit(t.Context(), handle(taker)); err != nil {
				t.Errorf("Commit = %v", err)
			}
			advance(t, db, events, -time.Hour)
			want(t, s, again(c), replay.Done)
		})
	})
}

// child handles events in a file until it is killed, and tells what it committed.
func child(file string) {
	db, err := sql.Open("sqlite", sqliteDSN(file))
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	s, err := sqlreplay.New(db, sqlreplay.SQLite, patient)
	if err == nil {
		err = s.Migrate(context.Background())
	}
	for err == nil {
		c := delivery()
		if _, err = s.Claim(context.Background(), c); err == nil {
			fmt.Printf("claimed %x %x\n", c.Key[:], c.Token[:])
			err = s.Commit(context.Background(), handle(c))
		}
		if err == nil {
			fmt.Printf("committed %x %x\n", c.Key[:], c.Token[:])
		}
	}
	fmt.Println(err)
	os.Exit(1)
}
