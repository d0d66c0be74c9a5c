// Package stores opens the replay stores of the command line and the gateway: in memory, in an
// SQLite file, in PostgreSQL, in Redis.
//
//	s, err := stores.Open(ctx, stores.Options{PostgreSQL: os.Getenv("DATABASE_URL"), Create: true})
//	…
//	defer s.Close()
//	if err := s.Check(ctx); err != nil {
//
// No error of this package holds the address of a server, nor its password.
package stores

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/redis/go-redis/v9"
	_ "modernc.org/sqlite" // the driver of SQLite

	"github.com/hooknotary/hooknotary/verify/replay"
	"github.com/hooknotary/hooknotary/verify/replay/redisreplay"
	"github.com/hooknotary/hooknotary/verify/replay/sqlreplay"
)

// connections is how many a gateway keeps to an SQL database at most. A claim that finds none
// free waits, within the timeout of its operation.
const connections = 32

// lookTimeout bounds the look for a cluster.
const lookTimeout = 10 * time.Second

// Options says where a store is. Exactly one of the first four fields is set.
type Options struct {
	Memory     bool
	SQLite     string // a file
	Redis      string // redis:// or rediss://
	PostgreSQL string // a connection string

	Prefix string // Redis: of the keys. Default "hooknotary"
	Table  string // SQLite, PostgreSQL. Default "hooknotary_event"

	// Timeout bounds each operation. Default: 500 ms, the store's own.
	Timeout time.Duration

	// Create makes what is missing: the SQLite file, the tables. An SQLite file is then also
	// switched to a write-ahead log that survives a loss of power.
	Create bool

	// Once: the store is for a few operations of an operator, perhaps behind a pooler, and not
	// for a gateway: it takes no connections beside the driver's default, and PostgreSQL gets
	// no named statements.
	Once bool
}

// Store is a replay store that is open. It is safe for concurrent use.
type Store struct {
	replay.Store
	replay.Inspector

	check    func(context.Context) error
	purge    func(context.Context) (int64, error) // nil: nothing to purge
	password string
	noSchema string // what to ask where the schema is missing
	close    func() error
}

// Open opens a store. It reaches no server, but for a Redis that might be a cluster, and with
// Create. Call Check to know whether the store can work.
func Open(ctx context.Context, o Options) (*Store, error) {
	given := 0
	for _, is := range [...]bool{o.Memory, o.SQLite != "", o.Redis != "", o.PostgreSQL != ""} {
		if is {
			given++
		}
	}
	if given != 1 {
		return nil, fmt.Errorf("there are %d stores: want one", given)
	}
	switch {
	case o.Memory:
		m := replay.NewMemory(nil)
		return &Store{Store: m, Inspector: m, check: func(context.Context) error { return nil }, close: func() error { return nil }}, nil
	case o.Redis != "":
		return openRedis(ctx, o)
	case o.SQLite != "":
		return openSQLite(ctx, o)
	}
	return openPostgreSQL(ctx, o)
}

// Close closes the connections of the store.
func (s *Store) Close() error { return s.close() }

// Check reports whether the store can work. It takes what time it needs; Ping is quick.
func (s *Store) Check(ctx context.Context) error {
	if err := s.check(ctx); err != nil {
		return s.Failed(err)
	}
	return nil
}

// Ping reports whether the store answers.
func (s *Store) Ping(ctx context.Context) error {
	if _, _, err := s.Inspect(ctx, replay.Key{}); err != nil {
		return s.Failed(err)
	}
	return nil
}

// Purge deletes the records whose time is over, and returns how many. Nothing but space
// depends on it; call it every hour. Stores that do so themselves delete none.
func (s *Store) Purge(ctx context.Context) (int64, error) {
	if s.purge == nil {
		return 0, nil
	}
	n, err := s.purge(ctx)
	if err != nil {
		err = s.Failed(err)
	}
	return n, err
}

// Failed makes the error of an operation one for people. The drivers keep passwords out of
// theirs; should one of them, or a server, not do so, it is taken out here.
func (s *Store) Failed(err error) error {
	text := err.Error()
	if s.password != "" {
		text = strings.ReplaceAll(text, s.password, "[redacted]")
	}
	if strings.Contains(text, "redis.NewClusterClient") { // advice to programs
		text += "; name several of its nodes in the address: redis://host:port,host:port"
	}
	if s.noSchema != "" && strings.Contains(text, "the schema is missing") { // its advice is for programs
		text += "; " + s.noSchema
	}
	return &failure{text: "the store failed: " + text, is: err}
}

// failure has the text for people, and is what the operation's error is.
type failure struct {
	text string
	is   error
}

func (f *failure) Error() string { return f.text }

func (f *failure) Is(target error) bool { return errors.Is(f.is, target) }

// Address reports whether an address of Redis, or a connection string of PostgreSQL, parses.
// It reaches nothing.
func Address(o Options) error {
	switch {
	case o.Redis != "":
		_, err := redisOptions(o)
		return err
	case o.PostgreSQL != "":
		_, err := postgresConfig(o)
		return err
	}
	return nil
}

// The errors about addresses say nothing of what stands in them.
var (
	errRedisURL  = errors.New("the address of Redis does not parse: want redis://[user:password@]host:port[,host:port…][/number], or rediss:// for TLS")
	errNumber    = errors.New("the address of Redis has several hosts and a number: a cluster has no numbered databases")
	errDSN       = errors.New("the connection string of PostgreSQL does not parse: want postgres://user:password@host:port/database or keywords and values")
	errAmbiguous = errors.New("the address has a / ? or # in front of an @: in a password, want them escaped with %")
)

// authority cuts a URL into the part before its user, user with password and "@", the
// hosts, and the rest. It refuses one in which part of a password would be taken for
// a host, port or name, which errors show.
func authority(text string) (scheme, user, hosts, rest string, err error) {
	scheme, text, ok := strings.Cut(text, "://")
	if !ok {
		return "", "", "", "", errRedisURL
	}
	if i := strings.IndexAny(text, "/?#"); i >= 0 {
		text, rest = text[:i], text[i:]
	}
	if strings.Contains(rest, "@") {
		return "", "", "", "", errAmbiguous
	}
	at := strings.LastIndex(text, "@") + 1
	return scheme + "://", text[:at], text[at:], rest, nil
}

// inCluster reports whether a server says that it is a node of a cluster. Where it
// says nothing, the store refuses what needs the others.
func inCluster(ctx context.Context, client redis.UniversalClient) bool {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	info, _ := client.Info(ctx, "cluster").Result()
	for line := range strings.Lines(info) {
		if strings.TrimSpace(line) == "cluster_enabled:1" {
			return true
		}
	}
	return false
}

// redisOptions reads the address of Redis.
func redisOptions(o Options) (*redis.UniversalOptions, error) {
	scheme, user, hosts, rest, err := authority(o.Redis)
	if err != nil {
		return nil, err
	}
	if scheme != "redis://" && scheme != "rediss://" {
		return nil, errRedisURL
	}
	var one *redis.Options
	var addresses []string
	for host := range strings.SplitSeq(hosts, ",") {
		if one, err = redis.ParseURL(scheme + user + host + rest); err != nil || host == "" {
			return nil, errRedisURL
		}
		addresses = append(addresses, one.Addr)
	}
	if len(addresses) > 1 {
		if one.DB != 0 {
			return nil, errNumber
		}
		if one.TLSConfig != nil {
			one.TLSConfig.ServerName = "" // that of each node
		}
	}
	return &redis.UniversalOptions{
		Addrs: addresses, Username: one.Username, Password: one.Password, DB: one.DB, TLSConfig: one.TLSConfig,
		Protocol: one.Protocol, ClientName: one.ClientName,
		MaxRetries: -1, ContextTimeoutEnabled: true,
		DialTimeout: o.Timeout, ReadTimeout: o.Timeout, WriteTimeout: o.Timeout, // 0: go-redis' own, which the store cuts short
	}, nil
}

func openRedis(ctx context.Context, o Options) (*Store, error) {
	all, err := redisOptions(o)
	if err != nil {
		return nil, err
	}
	client := redis.NewUniversalClient(all)
	if len(all.Addrs) == 1 && all.DB == 0 && inCluster(ctx, client) {
		if all.TLSConfig != nil {
			all.TLSConfig = all.TLSConfig.Clone()
			all.TLSConfig.ServerName = "" // that of each node
		}
		client.Close()
		client = redis.NewClusterClient(all.Cluster())
	}
	s := redisreplay.New(client, &redisreplay.Options{Prefix: o.Prefix, Timeout: o.Timeout})
	return &Store{Store: s, Inspector: s, check: s.Check, password: all.Password, close: client.Close}, nil
}

// postgresConfig reads a connection string.
func postgresConfig(o Options) (*pgx.ConnConfig, error) {
	if strings.Contains(o.PostgreSQL, "://") {
		if _, _, _, _, err := authority(o.PostgreSQL); err != nil {
			return nil, err
		}
	}
	config, err := pgx.ParseConfig(o.PostgreSQL)
	if err != nil {
		return nil, errDSN
	}
	if o.Once && config.DefaultQueryExecMode == pgx.QueryExecModeCacheStatement {
		// The default, which fails behind a pooler in transaction mode. Check looks for one;
		// an operator's few operations need not.
		config.DefaultQueryExecMode = pgx.QueryExecModeExec
	}
	return config, nil
}

func openPostgreSQL(ctx context.Context, o Options) (*Store, error) {
	config, err := postgresConfig(o)
	if err != nil {
		return nil, err
	}
	db := stdlib.OpenDB(*config)
	if !o.Once {
		db.SetMaxOpenConns(connections)
		db.SetMaxIdleConns(connections)
	}
	return openSQL(ctx, db, sqlreplay.PostgreSQL, o, config.Password)
}

func openSQLite(ctx context.Context, o Options) (*Store, error) {
	info, err := os.Stat(o.SQLite)
	switch {
	case o.Create && errors.Is(err, fs.ErrNotExist):
		if err := createFile(o.SQLite); err != nil {
			return nil, err
		}
	case err != nil:
		return nil, fileError(o.SQLite, err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: it is no file: want an SQLite database", o.SQLite)
	}
	name := "file:" + url.PathEscape(o.SQLite) + "?mode=rw&_pragma=busy_timeout(250)"
	if o.Create {
		name += "&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate"
	}
	db, err := sql.Open("sqlite", name)
	if err != nil {
		return nil, err
	}
	return openSQL(ctx, db, sqlreplay.SQLite, o, "")
}

// createFile makes an empty file that only its owner reads.
func createFile(name string) error {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fileError(name, err)
	}
	return f.Close()
}

// fileError makes the text of an error begin with the file's name.
func fileError(file string, err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return fmt.Errorf("%s: %w", file, path.Err)
	}
	return err
}

func openSQL(ctx context.Context, db *sql.DB, d sqlreplay.Dialect, o Options, password string) (*Store, error) {
	s, err := sqlreplay.New(db, d, &sqlreplay.Options{Table: o.Table, Timeout: o.Timeout})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the table: %w", err), db.Close())
	}
	noSchema := "is this the database, and the table that of a store?"
	if d == sqlreplay.SQLite {
		noSchema = "is this the file, and the table that of a store?"
	}
	made := &Store{Store: s, Inspector: s, check: s.Check, purge: s.Purge, password: password, noSchema: noSchema, close: db.Close}
	if o.Create {
		if err := s.Migrate(ctx); err != nil {
			return nil, errors.Join(made.Failed(err), db.Close())
		}
	}
	return made, nil
}
