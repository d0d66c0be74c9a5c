// Package mattn_test stands apart because both drivers call themselves "sqlite3".
package mattn_test

import (
	"testing"

	_ "github.com/mattn/go-sqlite3"

	"github.com/hooknotary/hooknotary/verify/replay/sqlreplay/sqltest"
)

func TestSQLite(t *testing.T) {
	sqltest.SQLite(t, "sqlite3", "?_journal_mode=WAL&_synchronous=OFF&_busy_timeout=250&_txlock=immediate")
}
