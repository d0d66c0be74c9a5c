// Package ncruces_test stands apart because both drivers call themselves "sqlite3".
package ncruces_test

import (
	"testing"

	_ "github.com/ncruces/go-sqlite3/driver"

	"github.com/hooknotary/hooknotary/verify/replay/sqlreplay/sqltest"
)

func TestSQLite(t *testing.T) {
	sqltest.SQLite(t, "sqlite3", "?_pragma=busy_timeout(250)&_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)&_txlock=immediate")
}
