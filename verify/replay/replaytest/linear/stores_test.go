package linear_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/redis/go-redis/v9"
	_ "modernc.org/sqlite"

	"github.com/hooknotary/hooknotary/verify/replay"
	"github.com/hooknotary/hooknotary/verify/replay/redisreplay"
	"github.com/hooknotary/hooknotary/verify/replay/redisreplay/redistest"
	"github.com/hooknotary/hooknotary/verify/replay/replaytest/linear"
	"github.com/hooknotary/hooknotary/verify/replay/sqlreplay"
	"github.com/hooknotary/hooknotary/verify/replay/sqlreplay/sqltest/postgrestest"
)

const (
	clients = 6

	// patient is the timeout of stores that are to answer every call, and hasty
	// that of those that are made to fail for a while, of the length outage.
	patient = 5 * time.Second
	hasty   = 250 * time.Millisecond
	outage  = 400 * time.Millisecond
)

// each opens a store for each client.
func each[S replay.Store](open func() S) []replay.Store {
	var all []replay.Store
	for range clients {
		all = append(all, open())
	}
	return all
}

// inTurn returns a fault that is one after the other.
func inTurn(faults ...func() error) func(t testing.TB) func() {
	return func(t testing.TB) func() {
		n := 0
		return func() {
			n++
			if err := faults[n%len(faults)](); err != nil {
				t.Errorf("fault %d: %v", n%len(faults), err)
			}
		}
	}
}

// check checks the stores in all ways: leases that last and leases that end,
// without a fault and with it.
func check(t *testing.T, open func(timeout time.Duration) []replay.Store, fault func(t testing.TB) func()) {
	t.Run("leases that last", func(t *testing.T) {
		linear.Check(t, open(patient), &linear.Options{Duration: *duration})
	})
	t.Run("leases that end", func(t *testing.T) {
		linear.Check(t, open(patient), &linear.Options{Duration: *duration, Lease: 50 * time.Millisecond})
	})
	t.Run("leases that last, and a fault", func(t *testing.T) {
		linear.Check(t, open(hasty), &linear.Options{Duration: *duration, Fault: fault(t)})
	})
	t.Run("leases that end, and a fault", func(t *testing.T) {
		linear.Check(t, open(hasty), &linear.Options{Duration: *duration, Lease: 50 * time.Millisecond, Fault: fault(t)})
	})
}

type stoppable interface {
	Pause() error
	Resume() error
}

// stop makes a server not answer for a while.
func stop(s stoppable) error {
	if err := s.Pause(); err != nil {
		return err
	}
	time.Sleep(outage)
	return s.Resume()
}

func TestStores(t *testing.T) {
	t.Parallel()
	t.Run("Redis is linearizable", func(t *testing.T) {
		t.Parallel()
		// What was acknowledged is on the disk.
		server := redistest.NewServer(t, "appendonly yes", "appendfsync always")
		dial := func() *redis.Client {
			c := redis.NewClient(&redis.Options{Addr: server.Addr(), ContextTimeoutEnabled: true, MaxRetries: -1})
			t.Cleanup(func() { c.Close() })
			return c
		}
		operator := dial()
		check(t, func(timeout time.Duration) []replay.Store {
			return each(func() *redisreplay.Store {
				s := redisreplay.New(dial(), &redisreplay.Options{Timeout: timeout})
				eventually(t, s.Check)
				return s
			})
		}, inTurn(
			func() error { return stop(server) },
			func() error { return operator.ClientKillByFilter(context.Background(), "TYPE", "normal").Err() },
			func() error { server.Kill(); return server.Restart() },
		))
	})

	// No connections are cut here: what was cut off, a cluster client of go-redis sends
	// again, and so it may take effect twice.
	t.Run("Redis Cluster is linearizable", func(t *testing.T) {
		t.Parallel()
		cluster := redistest.NewCluster(t)
		check(t, func(timeout time.Duration) []replay.Store {
			return each(func() *redisreplay.Store {
				c := redis.NewClusterClient(&redis.ClusterOptions{Addrs: cluster.Addrs(), ContextTimeoutEnabled: true})
				t.Cleanup(func() { c.Close() })
				s := redisreplay.New(c, &redisreplay.Options{Timeout: timeout})
				eventually(t, s.Check)
				return s
			})
		}, inTurn(
			func() error { return stop(cluster.Nodes[0]) },
			func() error { return stop(cluster.Nodes[1]) },
			func() error { return stop(cluster.Nodes[2]) },
		))
	})

	t.Run("PostgreSQL is linearizable", func(t *testing.T) {
		t.Parallel()
		server := postgrestest.Run(t, nil)
		operator := connect(t, "pgx", server.DSN())
		check(t, func(timeout time.Duration) []replay.Store {
			return each(func() *sqlreplay.Store {
				return newSQL(t, connect(t, "pgx", server.DSN()), sqlreplay.PostgreSQL, timeout)
			})
		}, inTurn(
			func() error { return stop(server) },
			func() error {
				_, err := operator.Exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname IS NOT NULL")
				return err
			},
			func() error {
				if err := server.Kill(); err != nil {
					return err
				}
				return server.Restart()
			},
		))
	})

	t.Run("SQLite is linearizable", func(t *testing.T) {
		t.Parallel()
		dsn := fmt.Sprintf("file:%s?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate", filepath.Join(t.TempDir(), "store.db"))
		operator := connect(t, "sqlite", dsn+"&_pragma=busy_timeout(10000)")
		dsn += "&_pragma=busy_timeout(50)"
		check(t, func(timeout time.Duration) []replay.Store {
			return each(func() *sqlreplay.Store {
				return newSQL(t, connect(t, "sqlite", dsn), sqlreplay.SQLite, timeout)
			})
		}, inTurn(func() error { // another writer
			tx, err := operator.Begin()
			if err != nil {
				return err
			}
			time.Sleep(outage)
			return tx.Rollback()
		}))
	})
}

func connect(t *testing.T, driver, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func newSQL(t *testing.T, db *sql.DB, d sqlreplay.Dialect, timeout time.Duration) *sqlreplay.Store {
	t.Helper()
	s, err := sqlreplay.New(db, d, &sqlreplay.Options{Timeout: timeout})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, s.Migrate)
	eventually(t, s.Check)
	return s
}

// eventually waits until f succeeds.
func eventually(t *testing.T, f func(context.Context) error) {
	t.Helper()
	for giveUp := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		err := f(t.Context())
		if err == nil {
			return
		}
		if time.Now().After(giveUp) {
			t.Fatal(err)
		}
	}
}
