//go:build linux

package sqltest_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "github.com/lib/pq"

	"github.com/hooknotary/hooknotary/verify/replay/sqlreplay"
	"github.com/hooknotary/hooknotary/verify/replay/sqlreplay/sqltest"
	"github.com/hooknotary/hooknotary/verify/replay/sqlreplay/sqltest/postgrestest"
)

// The ways in which the drivers send a statement.
var modes = []struct {
	name, driver, dsn string
	named             bool // it names what it prepares
}{
	{"lib-pq", "postgres", "", false},
	{"lib-pq binary_parameters", "postgres", " binary_parameters=yes", false},
	{"pgx cache_statement", "pgx", "", true},
	{"pgx cache_describe", "pgx", " default_query_exec_mode=cache_describe", false},
	{"pgx describe_exec", "pgx", " default_query_exec_mode=describe_exec", false},
	{"pgx exec", "pgx", " default_query_exec_mode=exec", false},
	{"pgx simple_protocol", "pgx", " default_query_exec_mode=simple_protocol", false},
}

func TestPgBouncer(t *testing.T) {
	// Two stores settle through the pooler, in two tables, beside an application on the
	// same pool whose statements have the same shapes.
	t.Run("no settle is wrong behind it", func(t *testing.T) {
		server := postgrestest.Run(t, nil)
		for _, pool := range []struct {
			mode   string
			size   int
			inTurn bool // server_round_robin
		}{
			{"transaction", 1, false}, {"transaction", 4, false}, {"transaction", 4, true}, {"session", 1, false}, {"session", 4, false},
		} {
			name := fmt.Sprint(pool.mode, "/", pool.size)
			if pool.inTurn {
				name += " in turn"
			}
			t.Run(name, func(t *testing.T) {
				p := bouncer(t, server, pool.mode, pool.size, pool.inTurn)
				for _, m := range modes {
					t.Run(m.name, func(t *testing.T) {
						plain := server.Database(t)
						direct := open(t, "pgx", plain, 4)
						sqltest.Do(t, direct, applicationTable)
						dsn := p.through(plain) + m.dsn

						// In session mode, each connection keeps one of the server.
						ours, theirs := 8, 4
						if pool.mode == "session" {
							ours, theirs = 3, 1
						}
						if pool.mode == "session" && pool.size == 1 {
							ours, theirs = 1, 0
						}
						db := open(t, m.driver, dsn, ours)
						stores := map[string]*sqlreplay.Store{}
						for _, table := range []string{"one", "two"} {
							stores[table] = sqltest.New(t, db, direct, sqlreplay.PostgreSQL, table)
						}
						ctx, stop := context.WithCancel(t.Context())
						var all sync.WaitGroup
						defer all.Wait()
						defer stop()
						if theirs > 0 {
							app := open(t, m.driver, dsn, theirs)
							for i := range theirs {
								all.Go(func() { application(ctx, app, i) })
							}
						}

						refused := pool.mode == "transaction" && m.named
						err := stores["one"].Check(t.Context())
						switch {
						case refused:
							if err == nil || !strings.Contains(err.Error(), "default_query_exec_mode=exec") {
								t.Errorf("Check = %v, want a refusal with the remedy", err)
							}
							c := sqltest.Claim(false)
							if o, err := stores["two"].Claim(t.Context(), c); err == nil || !strings.Contains(err.Error(), "default_query_exec_mode=exec") {
								t.Errorf("Claim = %v, %v, want a refusal with the remedy", o.Status, err)
							}
							return
						case ours == 1 && m.named:
							if err == nil || !strings.Contains(err.Error(), "cannot look") {
								t.Errorf("Check over one connection = %v", err)
							}
						case err != nil:
							t.Errorf("Check = %v", err)
						}
						tally := sqltest.Settle(t, direct, stores, max(1, ours/2), *sqltest.Settles)
						stop()
						all.Wait()
						strange := strangers(t, direct, "one", "two")
						t.Logf("%v; %d rows in a stranger's table", tally, strange)
						if tally.Wrong+tally.Lost+tally.Failed+strange != 0 {
							t.Errorf("%v; %d rows in a stranger's table: want none", tally, strange)
						}
						if n := tally.Committed + tally.Released; n != *sqltest.Settles {
							t.Errorf("%d settles, want %d", n, *sqltest.Settles)
						}
						if !testing.Short() {
							sqltest.Exercise(t, db, direct, sqlreplay.PostgreSQL)
						}
					})
				}
			})
		}
	})
}
