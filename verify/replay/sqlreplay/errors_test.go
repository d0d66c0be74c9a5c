package sqlreplay_test

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/verify/replay/sqlreplay"
)

// Errors as drivers make them. None of their types is known to the store.
type (
	code8     uint8
	structErr struct {
		Code, ExtendedCode int
		text               string
	}
	methodErr struct {
		code code8
		text string
	}
	stringErr struct{ Code, Message string }
	nested    struct{ *stringErr }
)

func (e structErr) Error() string  { return e.text }
func (e *methodErr) Error() string { return e.text }
func (e *methodErr) Code() code8   { return e.code }
func (e *stringErr) Error() string { return e.Message }
func (e nested) Error() string     { return "without a code" }

func TestErrors(t *testing.T) {
	t.Run("they are understood whatever their type", func(t *testing.T) {
		db := sql.OpenDB(panicking{}) // nothing connects
		stores := map[sqlreplay.Dialect]*sqlreplay.Store{}
		for _, d := range []sqlreplay.Dialect{sqlreplay.SQLite, sqlreplay.PostgreSQL} {
			s, err := sqlreplay.New(db, d, nil)
			if err != nil {
				t.Fatal(err)
			}
			stores[d] = s
		}
		for _, tt := range []struct {
			name   string
			d      sqlreplay.Dialect
			err    error
			advice string // "": none
		}{
			{"a field with a number", sqlreplay.SQLite, structErr{5, 517, "database is locked"}, "longer than Options.Timeout"},
			{"the field's number, whatever the text", sqlreplay.SQLite, structErr{5, 5, "besetzt"}, "longer than Options.Timeout"},
			{"a method of a named type", sqlreplay.SQLite, &methodErr{8, "x"}, "must be writable"},
			{"a nil pointer in an interface", sqlreplay.SQLite, fmt.Errorf("%w", nested{}), ""},
			{"wrapped", sqlreplay.SQLite, fmt.Errorf("driver: %w", structErr{6, 262, "database table is locked"}), "longer than Options.Timeout"},
			{"joined", sqlreplay.SQLite, errors.Join(errors.New("a"), &methodErr{5, "x"}), "longer than Options.Timeout"},
			{"text alone", sqlreplay.SQLite, errors.New("exec: no such table: hooknotary_event"), "call Migrate"},
			{"another code", sqlreplay.SQLite, structErr{19, 2067, "UNIQUE constraint failed"}, ""},
			{"another text", sqlreplay.SQLite, errors.New("no such luck"), ""},

			{"a field with a state", sqlreplay.PostgreSQL, &stringErr{"42P05", "x"}, "default_query_exec_mode=exec"},
			{"a name that is unknown", sqlreplay.PostgreSQL, &stringErr{"26000", "x"}, "default_query_exec_mode=exec"},
			{"a pooler's refusal", sqlreplay.PostgreSQL, &stringErr{"08P01", "query_wait_timeout"}, "give its pool enough connections"},
			{"wrapped by another library", sqlreplay.PostgreSQL, fmt.Errorf("otel: %w", &stringErr{"25006", "x"}), "needs the primary"},
			{"the text of pgx", sqlreplay.PostgreSQL, errors.New("ERROR: x (SQLSTATE 42P05)"), "default_query_exec_mode=exec"},
			{"the text of lib/pq", sqlreplay.PostgreSQL, errors.New("pq: x (42501)"), "lacks a right"},
			{"a field that is no state", sqlreplay.PostgreSQL, &stringErr{"teapot", "x"}, ""},
			{"another state", sqlreplay.PostgreSQL, &stringErr{"23505", "x"}, ""},
			{"an error of database/sql", sqlreplay.PostgreSQL, sql.ErrConnDone, ""},
		} {
			t.Run(tt.name, func(t *testing.T) {
				advice := stores[tt.d].Advice(tt.err)
				if advice == "" != (tt.advice == "") || !strings.Contains(advice, tt.advice) {
					t.Errorf("the advice is %q, want %q", advice, tt.advice)
				}
			})
		}
	})
}
