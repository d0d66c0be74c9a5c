package sqlreplay

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/verify/replay"
)

// collisionPause is the longest pause before another try, see Store.attempt.
const collisionPause = 4 * time.Millisecond

// errNoVersion: the schema is not complete.
var errNoVersion = errors.New("the schema has no version")

// Each driver has an error type of its own, and this package imports none. So an
// error is understood by what the types have in common: a method or a field that
// holds the code, or else by its text.

var (
	isState     = regexp.MustCompile(`^[0-9A-Z]{5}$`)
	stateInText = regexp.MustCompile(`\bSQLSTATE ([0-9A-Z]{5})\b|\(([0-9A-Z]{5})\)$`)
)

// sqlState returns the code of an error of PostgreSQL, or "".
func sqlState(err error) string {
	if err == nil {
		return ""
	}
	var e interface{ SQLState() string }
	if errors.As(err, &e) {
		return e.SQLState()
	}
	if c := codeOf(err, func(v reflect.Value) bool { return v.Kind() == reflect.String && isState.MatchString(v.String()) }); c.IsValid() {
		return c.String()
	}
	if m := stateInText.FindStringSubmatch(err.Error()); m != nil {
		return m[1] + m[2]
	}
	return ""
}

// sqliteTexts are the texts that SQLite itself gives to the codes that matter.
var sqliteTexts = []struct {
	text string
	code int
}{
	{"no such table", sqliteError},
	{"no such column", sqliteError},
	{"database is locked", sqliteBusy},
	{"database table is locked", sqliteLocked},
	{"attempt to write a readonly database", sqliteReadOnly},
	{"database or disk is full", sqliteFull},
	{"unable to open database file", sqliteNoFile},
	{"database schema has changed", sqliteSchema},
}

// sqliteCode returns the primary code of an error of SQLite, or 0.
func sqliteCode(err error) int {
	if err == nil {
		return 0
	}
	if c := codeOf(err, func(v reflect.Value) bool { return v.CanInt() && v.Int() > 0 || v.CanUint() && v.Uint() > 0 }); c.IsValid() {
		if c.CanUint() {
			return int(c.Uint() & 0xff)
		}
		return int(c.Int() & 0xff)
	}
	for _, t := range sqliteTexts {
		if strings.Contains(err.Error(), t.text) {
			return t.code
		}
	}
	return 0
}

// codeOf returns the first method's result or field with the name Code that is
// fit, of err and of what it wraps; or else the zero Value.
func codeOf(err error, fit func(reflect.Value) bool) reflect.Value {
	v := reflect.ValueOf(err)
	if m := v.MethodByName("Code"); m.IsValid() && m.Type().NumIn() == 0 && m.Type().NumOut() == 1 && !(v.Kind() == reflect.Pointer && v.IsNil()) {
		if c := m.Call(nil)[0]; fit(c) {
			return c
		}
	}
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if v.Kind() == reflect.Struct {
		if f, ok := v.Type().FieldByName("Code"); ok {
			if c, err := v.FieldByIndexErr(f.Index); err == nil && fit(c) {
				return c
			}
		}
	}
	var inner []error
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		inner = []error{e.Unwrap()}
	case interface{ Unwrap() []error }:
		inner = e.Unwrap()
	}
	for _, err := range inner {
		if err != nil {
			if c := codeOf(err, fit); c.IsValid() {
				return c
			}
		}
	}
	return reflect.Value{}
}

const (
	sqliteError    = 1
	sqliteBusy     = 5
	sqliteLocked   = 6 // a table of a cache that connections share
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
		return code == sqliteBusy || code == sqliteLocked || code == sqliteSchema
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
	adviceNoSchema  = "create the schema first (CREATE SCHEMA name), or name one that exists: in Options.Table, or in the search_path where the table has no schema"
	advicePooler    = "a pooler before the server mixes up statements that the driver names: " + remedy
	adviceProtocol  = "a pooler before the server refused the connection or the statement, or mixed up statements: give its pool enough connections; " + remedy
	adviceForeign   = "a table of this name is not the store's: choose another name in Options.Table"
	adviceReadOnly  = "the database is read-only: the store needs the primary server"
	adviceRights    = "the user lacks a right on the store's tables: see Schema"
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
		case sqliteBusy, sqliteLocked:
			return adviceBusy
		case sqliteReadOnly, sqliteNoFile:
			return adviceFile
		}
	} else {
		switch sqlState(err) {
		case "3F000": // invalid_schema_name
			return adviceNoSchema
		case "42P05", "26000": // duplicate_prepared_statement, invalid_sql_statement_name
			return advicePooler
		case "08P01": // protocol_violation
			return adviceProtocol
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
