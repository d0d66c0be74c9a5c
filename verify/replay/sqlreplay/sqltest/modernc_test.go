package sqltest_test

import (
	"testing"

	_ "modernc.org/sqlite"

	"github.com/hooknotary/hooknotary/verify/replay/sqlreplay/sqltest"
)

func TestSQLite(t *testing.T) {
	sqltest.SQLite(t, "sqlite", "?_pragma=busy_timeout(250)&_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)&_txlock=immediate")
}
