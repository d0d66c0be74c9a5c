package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"
	_ "modernc.org/sqlite" // the driver of --sqlite

	"github.com/hooknotary/hooknotary/verify/replay"
	"github.com/hooknotary/hooknotary/verify/replay/redisreplay"
	"github.com/hooknotary/hooknotary/verify/replay/sqlreplay"
)

// storeTimeout bounds one operation. An operator waits longer than a guard.
const storeTimeout = 10 * time.Second

// store is a replay store that is open.
type store struct {
	replay.Store
	replay.Inspector
	password string
	noSchema string // what to ask where the schema is missing
	close    func() error
}

// failed makes the error of an operation. The drivers keep passwords out of theirs;
// should one of them, or a server, not do so, it is taken out here.
func (r *store) failed(err error) error {
	text := err.Error()
	if r.password != "" {
		text = strings.ReplaceAll(text, r.password, "[redacted]")
	}
	if strings.Contains(text, "redis.NewClusterClient") { // advice to programs
		text += "; name several of its nodes in the address: redis://host:port,host:port"
	}
	if r.noSchema != "" && strings.Contains(text, "the schema is missing") { // its advice is for programs
		text += "; " + r.noSchema
	}
	return errors.New("the store failed: " + text)
}

// storeFlags say where a store is.
type storeFlags struct {
	redisEnv, redisFile       string
	postgresEnv, postgresFile string
	sqlite                    string
	prefix, table             string
}

func (f *storeFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.redisEnv, "redis-env", "", "environment `VAR` with the URL of Redis, redis:// or rediss://")
	flags.StringVar(&f.redisFile, "redis-file", "", "`FILE` with the URL of Redis; one line end at its end is cut off")
	flags.StringVar(&f.postgresEnv, "postgres-env", "", "environment `VAR` with the connection string of PostgreSQL")
	flags.StringVar(&f.postgresFile, "postgres-file", "", "`FILE` with the connection string of PostgreSQL; one line end at its end is cut off")
	flags.StringVar(&f.sqlite, "sqlite", "", "the `FILE` of an SQLite database, which must exist")
	flags.StringVar(&f.prefix, "prefix", "", "Redis: the `PREFIX` of the store's keys (default \"hooknotary\")")
	flags.StringVar(&f.table, "table", "", "PostgreSQL, SQLite: the `NAME` of the store's table (default \"hooknotary_event\")")
	stores := []string{"redis-env", "redis-file", "postgres-env", "postgres-file", "sqlite"}
	cmd.MarkFlagsOneRequired(stores...)
	cmd.MarkFlagsMutuallyExclusive(stores...)
}

// withStore opens the store, calls f and closes the store.
func (p *program) withStore(cmd *cobra.Command, f *storeFlags, do func(context.Context, *store) error) error {
	r, err := f.open(p, cmd)
	if err != nil {
		return err
	}
	defer r.close()
	ctx, cancel := context.WithTimeout(cmd.Context(), commandTimeout)
	defer cancel()
	return do(ctx, r)
}

func (f *storeFlags) open(p *program, cmd *cobra.Command) (*store, error) {
	given := cmd.Flags().Changed
	inRedis := given("redis-env") || given("redis-file")
	if other := map[bool]string{true: "table", false: "prefix"}[inRedis]; given(other) {
		return nil, fmt.Errorf("--%s is not for this store", other)
	}
	switch {
	case inRedis:
		text, err := p.address("redis-env", f.redisEnv, f.redisFile)
		if err != nil {
			return nil, err
		}
		return openRedis(cmd.Context(), text, f.prefix)
	case given("sqlite"):
		return openSQLite(f.sqlite, f.table)
	}
	text, err := p.address("postgres-env", f.postgresEnv, f.postgresFile)
	if err != nil {
		return nil, err
	}
	return openPostgreSQL(text, f.table)
}

// address reads the address of a server from the variable that a flag names, or else
// from a file.
func (p *program) address(flag, variable, file string) (string, error) {
	if variable != "" || file == "" {
		all, err := p.variables(flag, []string{variable})
		if err != nil {
			return "", err
		}
		return all[0].text, nil
	}
	text, err := readSmall(file)
	if err != nil {
		return "", err
	}
	s, err := lineSecret("file", text)
	if err != nil {
		return "", fmt.Errorf("%s: %w", file, err)
	}
	return s.text, nil
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
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	info, _ := client.Info(ctx, "cluster").Result()
	for line := range strings.Lines(info) {
		if strings.TrimSpace(line) == "cluster_enabled:1" {
			return true
		}
	}
	return false
}

func openRedis(ctx context.Context, text, prefix string) (*store, error) {
	scheme, user, hosts, rest, err := authority(text)
	if err != nil {
		return nil, err
	}
	if scheme != "redis://" && scheme != "rediss://" {
		return nil, errRedisURL
	}
	var o *redis.Options
	var addresses []string
	for host := range strings.SplitSeq(hosts, ",") {
		if o, err = redis.ParseURL(scheme + user + host + rest); err != nil || host == "" {
			return nil, errRedisURL
		}
		addresses = append(addresses, o.Addr)
	}
	if len(addresses) > 1 {
		if o.DB != 0 {
			return nil, errNumber
		}
		if o.TLSConfig != nil {
			o.TLSConfig.ServerName = "" // that of each node
		}
	}
	all := &redis.UniversalOptions{
		Addrs: addresses, Username: o.Username, Password: o.Password, DB: o.DB, TLSConfig: o.TLSConfig,
		Protocol: o.Protocol, ClientName: o.ClientName,
		MaxRetries: -1, ContextTimeoutEnabled: true,
		DialTimeout: storeTimeout, ReadTimeout: storeTimeout, WriteTimeout: storeTimeout,
	}
	client := redis.NewUniversalClient(all)
	if len(addresses) == 1 && o.DB == 0 && inCluster(ctx, client) {
		if all.TLSConfig != nil {
			all.TLSConfig = all.TLSConfig.Clone()
			all.TLSConfig.ServerName = "" // that of each node
		}
		client.Close()
		client = redis.NewClusterClient(all.Cluster())
	}
	s := redisreplay.New(client, &redisreplay.Options{Prefix: prefix, Timeout: storeTimeout})
	return &store{s, s, o.Password, "", client.Close}, nil
}

func openPostgreSQL(text, table string) (*store, error) {
	if strings.Contains(text, "://") {
		if _, _, _, _, err := authority(text); err != nil {
			return nil, err
		}
	}
	config, err := pgx.ParseConfig(text)
	if err != nil {
		return nil, errDSN
	}
	if config.DefaultQueryExecMode == pgx.QueryExecModeCacheStatement {
		// The default, which fails behind a pooler in transaction mode.
		config.DefaultQueryExecMode = pgx.QueryExecModeExec
	}
	return openSQL(stdlib.OpenDB(*config), sqlreplay.PostgreSQL, table, config.Password)
}

func openSQLite(file, table string) (*store, error) {
	info, err := os.Stat(file)
	switch {
	case err != nil:
		return nil, fileError(file, err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: it is no file: want an SQLite database", file)
	}
	db, err := sql.Open("sqlite", "file:"+url.PathEscape(file)+"?mode=rw&_pragma=busy_timeout(250)")
	if err != nil {
		return nil, err
	}
	return openSQL(db, sqlreplay.SQLite, table, "")
}

func openSQL(db *sql.DB, d sqlreplay.Dialect, table, password string) (*store, error) {
	s, err := sqlreplay.New(db, d, &sqlreplay.Options{Table: table, Timeout: storeTimeout})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("--table: %w", err), db.Close())
	}
	noSchema := "is this the database, and --table the table, of a store?"
	if d == sqlreplay.SQLite {
		noSchema = "is --sqlite the file, and --table the table, of a store?"
	}
	return &store{s, s, password, noSchema, db.Close}, nil
}
