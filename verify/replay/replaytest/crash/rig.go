package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/redis/go-redis/v9"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/hooknotary/hooknotary/verify/replay"
	"github.com/hooknotary/hooknotary/verify/replay/redisreplay"
	"github.com/hooknotary/hooknotary/verify/replay/redisreplay/redistest"
	"github.com/hooknotary/hooknotary/verify/replay/sqlreplay"
	"github.com/hooknotary/hooknotary/verify/replay/sqlreplay/sqltest/postgrestest"
)

// stores are what -store takes. With an inbox, the handler's effect is a row that
// is committed together with the claim.
var stores = []string{"redis", "redis-cluster", "postgres", "postgres-inbox", "sqlite", "sqlite-inbox"}

// cutInbox takes a store's name apart.
func cutInbox(store string) (engine string, inbox bool) { return strings.CutSuffix(store, "-inbox") }

// rig is the store, as it is seen from outside the servers.
type rig struct {
	engine  string
	address string        // for openDB and openStore
	victims []victim      // its processes; none: it lives in the servers
	inbox   bool          // handlers have their effects in the store
	spread  time.Duration // in which a round's events happen: how quick the store is
	close   func()

	probe func(context.Context) error // asks the store for something small
	empty func() error                // makes it forget everything; nil: it cannot
	whole func() error                // waits until it can serve all keys again
}

// victim is a process of the store.
type victim interface {
	Kill() error
	Restart() error
	Pause() error
	Resume() error
}

// redisServer makes a victim of a server.
type redisServer struct{ *redistest.Server }

func (s redisServer) Kill() error {
	s.Server.Kill()
	return nil
}

// newRig starts a store. folder is where it may leave files.
func newRig(store, folder string) (*rig, error) {
	if !slices.Contains(stores, store) {
		return nil, fmt.Errorf("there is no store %q: they are %s", store, strings.Join(stores, ", "))
	}
	r := &rig{spread: 500 * time.Millisecond, whole: func() error { return nil }}
	use := r.useSQL
	r.engine, r.inbox = cutInbox(store)
	durable := []string{"appendonly yes", "appendfsync always"}
	switch r.engine {
	case "redis":
		s, err := redistest.Start(durable...)
		if err != nil {
			return nil, err
		}
		r.address, r.victims, r.close = s.Addr(), []victim{redisServer{s}}, s.Close
		use = func() error { return r.useRedis([]*redistest.Server{s}) }
	case "redis-cluster":
		c, err := redistest.StartCluster(durable...)
		if err != nil {
			return nil, err
		}
		r.address, r.close = strings.Join(c.Addrs(), ","), c.Close
		for _, s := range c.Nodes {
			r.victims = append(r.victims, redisServer{s})
		}
		r.whole = func() error {
			ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
			defer cancel()
			return c.Wait(ctx)
		}
		use = func() error { return r.useRedis(c.Nodes[:]) }
	case "postgres":
		s, err := postgrestest.Start(nil)
		if err != nil {
			return nil, err
		}
		r.address, r.victims, r.close = s.DSN(), []victim{s}, func() { s.Close() }
	case "sqlite":
		r.address, r.close = filepath.Join(folder, "store.db"), func() {}
		r.spread = 1200 * time.Millisecond // one writer at a time, and each waits for the disk
	}
	if err := use(); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

// useRedis marks the store, so that its first floor is before all deliveries, and
// opens clients of its own to the servers.
func (r *rig) useRedis(servers []*redistest.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	// Marking takes longer on a busy machine than a delivery may.
	client := redisClient(r.address)
	defer client.Close()
	if err := redisreplay.New(client, &redisreplay.Options{Timeout: startTimeout}).Check(ctx); err != nil {
		return err
	}
	var clients []*redis.Client
	for _, s := range servers {
		clients = append(clients, redis.NewClient(&redis.Options{Addr: s.Addr(), MaxRetries: -1, ContextTimeoutEnabled: true, ConnMaxLifetime: time.Nanosecond}))
	}
	each := func(ctx context.Context, do func(*redis.Client, context.Context) *redis.StatusCmd) (err error) {
		for _, c := range clients {
			err = errors.Join(err, do(c, ctx).Err())
		}
		return err
	}
	stop := r.close
	r.close = func() {
		for _, c := range clients {
			c.Close()
		}
		stop()
	}
	r.probe = func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, lease)
		defer cancel()
		return each(ctx, (*redis.Client).Ping)
	}
	r.empty = func() error {
		ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
		defer cancel()
		return each(ctx, (*redis.Client).FlushAll)
	}
	return nil
}

// useSQL makes the tables.
func (r *rig) useSQL() error {
	db, err := openDB(r.engine, r.address)
	if err != nil {
		return err
	}
	db.SetMaxIdleConns(-1) // a server's client may have to connect, too
	stop := r.close
	r.close = func() {
		db.Close()
		stop()
	}
	r.probe = func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, lease)
		defer cancel()
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback()
		if r.engine == "sqlite" { // the transaction has the lock that writers wait for
			return nil
		}
		if _, err := tx.ExecContext(ctx, "UPDATE probe SET n = n + 1"); err != nil {
			return err
		}
		return tx.Commit()
	}
	s, err := sqlreplay.New(db, dialects[r.engine], nil)
	if err == nil {
		err = s.Migrate(context.Background())
	}
	if err == nil {
		_, err = db.Exec("CREATE TABLE probe (n INTEGER NOT NULL)")
	}
	if err == nil {
		_, err = db.Exec("INSERT INTO probe (n) VALUES (0)")
	}
	if err == nil && r.inbox {
		_, err = db.Exec("CREATE TABLE effects (request TEXT NOT NULL, event TEXT NOT NULL, seen INTEGER NOT NULL DEFAULT 0)")
	}
	return err
}

// row is the effect of a handler.
type row struct{ request, event string }

// newEffects returns the rows that it has not returned before.
func (r *rig) newEffects() ([]row, error) {
	if !r.inbox {
		return nil, nil
	}
	db, err := openDB(r.engine, r.address) // anew, as the store may have been killed
	if err != nil {
		return nil, err
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	found, err := db.QueryContext(ctx, "UPDATE effects SET seen = 1 WHERE seen = 0 RETURNING request, event")
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var rows []row
	for found.Next() {
		var one row
		if err := found.Scan(&one.request, &one.event); err != nil {
			return nil, err
		}
		rows = append(rows, one)
	}
	return rows, found.Err()
}

var dialects = map[string]sqlreplay.Dialect{"postgres": sqlreplay.PostgreSQL, "sqlite": sqlreplay.SQLite}

// openDB opens a database as a program whose store is there should.
func openDB(engine, address string) (*sql.DB, error) {
	driver, dsn := "pgx", address
	if engine == "sqlite" {
		driver = "sqlite"
		dsn = "file:" + address + "?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(200)&_txlock=immediate"
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return nil, err
	}
	// When the database comes back, all of them connect at once.
	db.SetMaxOpenConns(8)
	db.SetMaxIdleConns(8)
	return db, nil
}

// redisClient makes a client as a program should that keeps its store there.
func redisClient(address string) redis.UniversalClient {
	return redis.NewUniversalClient(&redis.UniversalOptions{
		Addrs:                 strings.Split(address, ","),
		MaxRetries:            -1, // the guard decides what is tried again
		ContextTimeoutEnabled: true,
	})
}

// openStore opens the store from within a server. db is nil without an inbox.
func openStore(store, address string) (s replay.Store, db *sql.DB, err error) {
	engine, inbox := cutInbox(store)
	if strings.HasPrefix(engine, "redis") {
		return redisreplay.New(redisClient(address), nil), nil, nil
	}
	db, err = openDB(engine, address)
	if err != nil {
		return nil, nil, err
	}
	s, err = sqlreplay.New(db, dialects[engine], nil)
	if !inbox {
		db = nil
	}
	return s, db, err
}
