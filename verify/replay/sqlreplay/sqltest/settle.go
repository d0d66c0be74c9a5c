package sqltest

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/verify/replay"
	"github.com/hooknotary/hooknotary/verify/replay/replaytest"
	"github.com/hooknotary/hooknotary/verify/replay/sqlreplay"
)

// Patient is for tests of what is decided, on a machine that may be busy.
const Patient = 20 * time.Second

// New returns a store with a table of its own and its schema in place. The schema
// is made over direct.
func New(t testing.TB, db, direct *sql.DB, d sqlreplay.Dialect, table string) *sqlreplay.Store {
	t.Helper()
	o := &sqlreplay.Options{Table: table, Timeout: Patient}
	maker, err := sqlreplay.New(direct, d, o)
	if err == nil {
		err = maker.Migrate(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	s, err := sqlreplay.New(db, d, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Exercise runs the contract of a store over db. It passes time over direct.
func Exercise(t *testing.T, db, direct *sql.DB, d sqlreplay.Dialect) {
	var tables atomic.Int64
	open := func(t *testing.T) (replaytest.Store, string) {
		table := fmt.Sprint("contract", tables.Add(1))
		return replaytest.Store{
			Store: New(t, db, direct, d, table),
			Advance: func(by time.Duration) {
				ms := (by + time.Millisecond - 1).Milliseconds()
				Do(t, direct, fmt.Sprintf(`UPDATE %s SET lease = lease - %d, need = need - %[2]d, purge = purge - %[2]d,
					keep = CASE WHEN state = 2 THEN keep - %[2]d ELSE keep END`, table, ms))
				Do(t, direct, fmt.Sprintf("UPDATE %s_bindings SET purge = purge - %d", table, ms))
			},
		}, table
	}
	replaytest.Exercise(t, replaytest.Factory{
		New: func(t *testing.T) replaytest.Store {
			s, _ := open(t)
			return s
		},
		NewFloored: func(t *testing.T, floor time.Time) replaytest.Store {
			s, table := open(t)
			Do(t, direct, fmt.Sprintf("UPDATE %s_meta SET floor = %d", table, floor.UnixMilli()))
			return s
		},
		Unit: time.Minute,
	})
}

// Do executes a statement.
func Do(t testing.TB, db *sql.DB, statement string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(context.Background(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// Claim returns a claim on a new event. With a binding it takes one statement more.
func Claim(bound bool) replay.Claim {
	token := replay.NewToken()
	c := replay.Claim{
		Key:       replay.Event{Endpoint: "test", ID: hex.EncodeToString(token[:])}.Key(),
		Token:     replay.NewToken(),
		Lease:     10 * time.Minute,
		Needed:    time.Hour,
		Retention: time.Hour,
	}
	if bound {
		c.Binding = &replay.BodyBinding{Message: sha256.Sum256(c.Key[:]), Body: sha256.Sum256(token[:])}
	}
	return c
}

// Tally counts what became of claims and settles.
type Tally struct {
	Committed, Released int    // settles that returned nil
	Wrong               int    // of them, those that the table contradicts
	Lost                int    // claims that returned Acquired, and whose commit or renewal said that they were lost
	Failed              int    // operations that returned another error
	First               string // the first such error
}

func (t *Tally) String() string {
	s := fmt.Sprintf("%d settles (%d commits, %d releases): %d wrong, %d lost claims, %d errors",
		t.Committed+t.Released, t.Committed, t.Released, t.Wrong, t.Lost, t.Failed)
	if t.First != "" {
		s += ", the first: " + t.First
	}
	return s
}

// Settle claims and settles n events, one half on each store, by a number of
// workers for each. Of the events every other one is committed, and the rest are
// released; of four, one is renewed before. Then it compares each settle that
// returned nil with the tables, which it reads over direct.
func Settle(t *testing.T, direct *sql.DB, stores map[string]*sqlreplay.Store, workers, n int) *Tally {
	var (
		mu    sync.Mutex
		all   sync.WaitGroup
		tally Tally
		done  = make(map[string]map[string]bool) // by table and key: committed, else released
	)
	for table, s := range stores {
		done[table] = make(map[string]bool)
		var left atomic.Int64
		left.Store(int64(n / len(stores)))
		for range workers {
			all.Go(func() {
				for i := left.Add(-1); i >= 0; i = left.Add(-1) {
					c := Claim(i%8 == 0)
					err := settle(t.Context(), s, c, i)
					mu.Lock()
					switch {
					case err == nil:
						done[table][hex.EncodeToString(c.Key[:])] = i%2 == 0
					case errors.Is(err, replay.ErrLost):
						tally.Lost++
					default:
						tally.Failed++
						if tally.First == "" {
							tally.First = err.Error()
						}
					}
					mu.Unlock()
				}
			})
		}
	}
	all.Wait()
	for _, s := range stores {
		_, err := s.Purge(t.Context())
		if _, err2 := s.Stats(t.Context()); err == nil {
			err = err2
		}
		if err != nil {
			tally.Failed++
			tally.First = err.Error()
		}
	}
	for table, keys := range done {
		state := make(map[string]int)
		rows, err := direct.QueryContext(t.Context(), "SELECT key, state FROM "+table)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var key []byte
			var s int
			if err := rows.Scan(&key, &s); err != nil {
				t.Fatal(err)
			}
			state[hex.EncodeToString(key)] = s
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		for key, committed := range keys {
			want := 0 // there is no row
			if committed {
				want = 2
				tally.Committed++
			} else {
				tally.Released++
			}
			if state[key] != want {
				tally.Wrong++
			}
		}
	}
	return &tally
}

func settle(ctx context.Context, s *sqlreplay.Store, c replay.Claim, i int64) error {
	o, err := s.Claim(ctx, c)
	if err != nil {
		return fmt.Errorf("claim: %w", err)
	}
	if o.Status != replay.Acquired {
		return fmt.Errorf("claim of a new event: %v: %w", o.Status, replay.ErrLost)
	}
	h := replay.Handle{Key: c.Key, Token: c.Token}
	if i%4 < 2 && i%8 < 4 {
		if err := s.Renew(ctx, h, c.Lease); err != nil {
			return fmt.Errorf("renewal: %w", err)
		}
	}
	if i%2 != 0 {
		return s.Release(ctx, h)
	}
	if err := s.Commit(ctx, h); err != nil || i%16 != 0 {
		return err
	}
	// The statements that the others leave out.
	if r, ok, err := s.Inspect(ctx, c.Key); err != nil || !ok || r.Status != replay.Done {
		return fmt.Errorf("inspection after a commit: %v, %v, %w", r.Status, ok, cmp.Or(err, replay.ErrLost))
	}
	other := c
	other.Token = replay.NewToken()
	if o, err := s.Claim(ctx, other); err != nil || o.Status != replay.Done {
		return fmt.Errorf("claim after a commit: %v, %w", o.Status, cmp.Or(err, replay.ErrLost))
	}
	return s.Commit(ctx, h) // again
}
