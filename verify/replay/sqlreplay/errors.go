package sqlreplay

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/verify/replay"
)

// collisionPause is the longest pause before another try, see Store.attempt.
const collisionPause = 4 * time.Millisecond

// errNoVersion: the schema is not complete.
var errNoVersion = errors.New("the schema has no version")

// sqlState returns the code of an error of PostgreSQL, as the common drivers
// tell it, or "".
func sqlState(err error) string {
	var e interface{ SQLState() string }
	if errors.As(err, &e) {
		return e.SQLState()
	}
	return ""
}

// sqliteCode returns the primary code of an error of SQLite, or 0.
func sqliteCode(err error) int {
	var e interface{ Code() int }
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}

const (
	sqliteError    = 1
	sqliteBusy     = 5
	sqliteReadOnly = 8
	sqliteFull     = 13
	sqliteNoFile   = 14
	sqliteSchema   = 17 // a table was made while the statement was parsed
)

// collided reports whether the database did nothing, because another transaction
// was in the way.
func (d Dialect) collided(err error) bool {
	if err == nil {
		return false
	}
	if d == SQLite {
		code := sqliteCode(err)
		return code == sqliteBusy || code == sqliteSchema
	}
	switch sqlState(err) {
	case "40001", "40P01": // serialization_failure, deadlock_detected
		return true
	}
	return false
}

// missing reports whether part of the schema does not exist.
func (d Dialect) missing(err error) bool {
	switch {
	case err == nil:
		return false
	case err == errNoVersion:
		return true
	case d == SQLite:
		return sqliteCode(err) == sqliteError && strings.Contains(err.Error(), "no such table")
	}
	return sqlState(err) == "42P01"
}

// explain makes the error of an operation. What the store decided stays as it is.
func (s *Store) explain(what string, err error) error {
	switch {
	case err == nil, err == replay.ErrLost, err == replay.ErrHeld:
		return err
	case s.dialect.full(err):
		err = fmt.Errorf("%w: %w", replay.ErrFull, err)
	}
	if advice := s.advice(err); advice != "" {
		return fmt.Errorf("sqlreplay: %s: %w: %s", what, err, advice)
	}
	return fmt.Errorf("sqlreplay: %s: %w", what, err)
}

func (d Dialect) full(err error) bool {
	if d == SQLite {
		return sqliteCode(err) == sqliteFull
	}
	return sqlState(err) == "53100"
}

const (
	adviceMigrate   = "the schema is missing, or part of it: call Migrate, or execute what Schema returns"
	adviceForeign   = "a table of this name is not the register's: choose another name in Options.Table"
	adviceReadOnly  = "the database is read-only: the register needs the primary server"
	adviceRights    = "the user lacks a right on the register's tables: see Schema"
	adviceFile      = "the file of the database, its folder and the files beside it must be writable"
	adviceIsolation = "others touched the event after a transaction began that is stricter than READ COMMITTED"
	adviceBusy      = "another transaction holds the database, or the row, for longer than Options.Timeout"
)

// advice says what to do about an error, or "".
func (s *Store) advice(err error) string {
	if s.dialect.missing(err) {
		return adviceMigrate
	}
	if s.dialect == SQLite {
		switch sqliteCode(err) {
		case sqliteError:
			if strings.Contains(err.Error(), "no such column") {
				return adviceForeign
			}
		case sqliteBusy:
			return adviceBusy
		case sqliteReadOnly, sqliteNoFile:
			return adviceFile
		}
	} else {
		switch sqlState(err) {
		case "3F000": // invalid_schema_name
			return adviceMigrate
		case "42703", "42804", "42883", "42P10", "42809": // column, type, operator, no unique key, no table
			return adviceForeign
		case "25006":
			return adviceReadOnly
		case "42501":
			return adviceRights
		case "40001":
			return adviceIsolation
		case "40P01", "55P03", "57014": // deadlock; lock or statement timeout of the server
			return adviceBusy
		}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Sprintf("there was no answer in time, and Options.Timeout is %v", s.timeout)
	}
	return ""
}
