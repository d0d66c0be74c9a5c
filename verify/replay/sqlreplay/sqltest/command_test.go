//go:build linux

package sqltest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/verify/replay/sqlreplay"
	"github.com/hooknotary/hooknotary/verify/replay/sqlreplay/sqltest"
	"github.com/hooknotary/hooknotary/verify/replay/sqlreplay/sqltest/postgrestest"
)

func TestCommandLine(t *testing.T) {
	// Each run is another client of the pooler, and prepares what the last one did.
	t.Run("it works behind PgBouncer", func(t *testing.T) {
		server := postgrestest.Shared(t)
		p := bouncer(t, server, "transaction", 1, false)
		dsn := server.Database(t)
		direct := open(t, "pgx", dsn, 2)
		sqltest.New(t, direct, direct, sqlreplay.PostgreSQL, "store")

		program := filepath.Join(t.TempDir(), "hooknotary")
		build := exec.Command("go", "build", "-o", program, "./hooknotary")
		build.Dir = "../../../../cmd"
		build.Env = append(os.Environ(), "GOWORK=") // these tests may run without it
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		for range 4 {
			cmd := exec.Command(program, "store", "stats", "--postgres-env", "STORE", "--table", "store")
			cmd.Env = append(os.Environ(), "STORE="+p.through(dsn))
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), "0 records") {
				t.Fatalf("%v\n%s", err, out)
			}
		}
	})
}
