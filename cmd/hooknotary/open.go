package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/sender"
	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/stores"
)

// storeTimeout bounds one operation. An operator waits longer than a guard.
const storeTimeout = 10 * time.Second

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
	all := []string{"redis-env", "redis-file", "postgres-env", "postgres-file", "sqlite"}
	cmd.MarkFlagsOneRequired(all...)
	cmd.MarkFlagsMutuallyExclusive(all...)
}

// withStore opens the store, calls f and closes the store.
func (p *program) withStore(cmd *cobra.Command, f *storeFlags, do func(context.Context, *stores.Store) error) error {
	s, err := f.open(p, cmd)
	if err != nil {
		return err
	}
	defer s.Close()
	ctx, cancel := context.WithTimeout(cmd.Context(), commandTimeout)
	defer cancel()
	return do(ctx, s)
}

func (f *storeFlags) open(p *program, cmd *cobra.Command) (*stores.Store, error) {
	given := cmd.Flags().Changed
	inRedis := given("redis-env") || given("redis-file")
	if other := map[bool]string{true: "table", false: "prefix"}[inRedis]; given(other) {
		return nil, fmt.Errorf("--%s is not for this store", other)
	}
	o := stores.Options{Prefix: f.prefix, Table: f.table, Timeout: storeTimeout, Once: true}
	var err error
	switch {
	case inRedis:
		o.Redis, err = p.address("redis-env", f.redisEnv, f.redisFile)
	case given("sqlite"):
		if o.SQLite = f.sqlite; f.sqlite == "" {
			err = fmt.Errorf("--sqlite: want the name of a file")
		}
	default:
		o.PostgreSQL, err = p.address("postgres-env", f.postgresEnv, f.postgresFile)
	}
	if err != nil {
		return nil, err
	}
	return stores.Open(cmd.Context(), o)
}

// address reads the address of a server from the variable that a flag names, or else
// from a file.
func (p *program) address(flag, variable, file string) (string, error) {
	if variable != "" || file == "" {
		all, err := p.variables(flag, []string{variable})
		if err != nil {
			return "", err
		}
		return all[0].Text, nil
	}
	text, err := readSmall(file)
	if err != nil {
		return "", err
	}
	s, err := sender.Line(text)
	if err != nil {
		return "", fmt.Errorf("%s: %w", file, err)
	}
	return s, nil
}
