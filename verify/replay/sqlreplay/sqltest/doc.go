// Package sqltest tests package sqlreplay with the drivers and the pooler that Go
// programs really use: pgx and lib/pq, on PostgreSQL and behind PgBouncer, and
// mattn/go-sqlite3, ncruces/go-sqlite3 and modernc.org/sqlite. It is a module of
// its own, so that sqlreplay brings none of them to those who import it.
//
// The tests of mattn's driver need a C compiler, those of PostgreSQL its server and
// PgBouncer. What is missing is skipped with one line, unless HOOKNOTARY_SERVERS
// says that it is required.
package sqltest
