package sqlreplay

import (
	"fmt"
	"regexp"
	"strings"
)

// Dialect is the SQL of a database. The zero value is invalid.
type Dialect uint8

const (
	// PostgreSQL is PostgreSQL 11 and later, tested with pgx and lib/pq.
	PostgreSQL Dialect = iota + 1
	// SQLite is SQLite 3.42 and later, tested with the drivers of modernc, mattn
	// and ncruces.
	SQLite
)

// String returns the name of the dialect, "invalid" for the zero value.
func (d Dialect) String() string {
	switch d {
	case PostgreSQL:
		return "PostgreSQL"
	case SQLite:
		return "SQLite"
	}
	return "invalid"
}

const defaultTable = "hooknotary_event"

// tableName is what can be quoted in both dialects without a second thought, and
// leaves room for the endings of the other names within PostgreSQL's 63 bytes.
var tableName = regexp.MustCompile(`^(?:([a-z_][a-z0-9_]{0,47})\.)?([a-z_][a-z0-9_]{0,47})$`)

// replacer returns what turns the templates below into the dialect's SQL.
func (d Dialect) replacer(table string) (*strings.Replacer, error) {
	if d != PostgreSQL && d != SQLite {
		return nil, fmt.Errorf("unknown dialect %d", d)
	}
	m := tableName.FindStringSubmatch(table)
	if m == nil {
		return nil, fmt.Errorf("the table's name must be of the form name or schema.name, each 1 to 48 of a-z, 0-9 and _, and no digit first: %.100q", table)
	}
	schema, name := m[1], m[2]
	if d == SQLite && (schema != "" || strings.HasPrefix(name, "sqlite_")) {
		return nil, fmt.Errorf("the table's name must have no schema and not begin with sqlite_: %q", table)
	}
	if schema != "" {
		schema = `"` + schema + `".`
	}
	names := []string{
		"{events}", schema + `"` + name + `"`,
		"{events_purge}", `"` + name + `_purge"`,
		"{bindings}", schema + `"` + name + `_bindings"`,
		"{bindings_purge}", `"` + name + `_bindings_purge"`,
		"{meta}", schema + `"` + name + `_meta"`,
	}
	if d == SQLite {
		return strings.NewReplacer(append(names,
			"{now}", "CAST(round(unixepoch('subsec') * 1000) AS bigint)",
			"{bytes}", "BLOB",
			"{int}", "INTEGER",
			"{table}", "STRICT, WITHOUT ROWID",
			"{in}", "IN ",
			"{skip}", "",
			"greatest(", "max(",
			"$", "?",
		)...), nil
	}
	return strings.NewReplacer(append(names,
		// The time when it is evaluated, not when the transaction or the statement
		// began: a statement may wait for a lock in between.
		"{now}", "CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS bigint)",
		"{bytes}", "bytea",
		"{int}", "bigint",
		"{table}", "",
		// Unlike IN, it runs the query once whatever the planner thinks.
		"{in}", "= ANY (ARRAY",
		"{skip}", " FOR UPDATE SKIP LOCKED)",
	)...), nil
}

// The tables. Times are milliseconds of the database's clock since 1970.
//
// An event is in flight (state 1) until the end of its lease, or done (state 2).
// It is needed until need. While it is in flight, keep is the length of its
// retention, which starts with the commit; then it is the end of it. purge is
// when the record may be deleted: not before it stops to count, but maybe after,
// because a commit leaves the column alone where it can, which spares an entry of
// the index.
var schema = []string{
	`CREATE TABLE IF NOT EXISTS {events} (
	key {bytes} NOT NULL PRIMARY KEY,
	token {bytes} NOT NULL,
	print {bytes} NOT NULL,
	state {int} NOT NULL,
	lease {int} NOT NULL,
	need {int} NOT NULL,
	keep {int} NOT NULL,
	purge {int} NOT NULL
) {table}`,
	`CREATE INDEX IF NOT EXISTS {events_purge} ON {events} (purge)`,
	`CREATE TABLE IF NOT EXISTS {bindings} (
	key {bytes} NOT NULL PRIMARY KEY,
	body {bytes} NOT NULL,
	purge {int} NOT NULL
) {table}`,
	`CREATE INDEX IF NOT EXISTS {bindings_purge} ON {bindings} (purge)`,
	`CREATE TABLE IF NOT EXISTS {meta} (
	id {int} NOT NULL PRIMARY KEY CHECK (id = 1),
	version {int} NOT NULL,
	floor {int} NOT NULL
) {table}`,
	// The floor is cut down to the whole second, because many providers sign
	// whole seconds.
	`INSERT INTO {meta} (id, version, floor) SELECT 1, 1, {now} / 1000 * 1000 WHERE true ON CONFLICT (id) DO NOTHING`,
}

// version of the schema.
const version = 1

// statements are the templates below in the SQL of one store.
type statements struct {
	schema                                 []string
	claim, claimKnown, bind                string
	renew, commit, committed, release      string
	commitAgain                            string
	forget, held                           string
	inspect, count                         string
	purgeEvents, purgeBindings, getVersion string
}

func newStatements(r *strings.Replacer) *statements {
	s := &statements{
		claim:         r.Replace(claim),
		claimKnown:    r.Replace(claimKnown),
		bind:          r.Replace(bind),
		renew:         r.Replace(renew),
		commit:        r.Replace(commit),
		committed:     r.Replace(committed),
		commitAgain:   r.Replace(commitAgain),
		release:       r.Replace(release),
		forget:        r.Replace(forget),
		held:          r.Replace(held),
		inspect:       r.Replace(inspect),
		count:         r.Replace(count),
		purgeEvents:   r.Replace(purgeEvents),
		purgeBindings: r.Replace(purgeBindings),
		getVersion:    r.Replace(getVersion),
	}
	for _, statement := range schema {
		s.schema = append(s.schema, r.Replace(statement))
	}
	return s
}

const (
	// clock is read once for all that one statement decides about a row. In ON
	// CONFLICT DO UPDATE, PostgreSQL reads it when it has locked the row. In an
	// UPDATE it may do so before it waits for the lock; then a renewal counts from
	// the call.
	clock = `(SELECT {now} AS now) AS c`

	// until is when a record that is in flight stops to count. Its owner may
	// still commit after the lease, so it is remembered for its retention, too.
	until = `greatest(r.lease, r.need) + r.keep`

	// gone reports whether a record stopped to count.
	gone = `CASE r.state WHEN 1 THEN ` + until + ` ELSE r.keep END <= c.now`

	// claimed decides about an event that has a row: known, or one that is gone.
	//
	// $2 token, $3 fingerprint, $4 lease, $5 need, $6 retention
	claimed      = claimedBefore + gone + claimedAfter
	claimedKnown = claimedBefore + `false` + claimedAfter

	claimedBefore = `SELECT
		CASE WHEN d.take THEN CAST($2 AS {bytes}) ELSE r.token END,
		CASE WHEN d.take THEN CAST($3 AS {bytes}) ELSE r.print END,
		CASE WHEN d.take THEN 1 ELSE r.state END,
		CASE WHEN d.take THEN d.now + $4 ELSE r.lease END,
		d.need,
		CASE WHEN d.take THEN $6 WHEN r.state = 2 THEN greatest(r.keep, d.need) ELSE r.keep END,
		CASE WHEN d.take THEN greatest(d.now + $4, d.need) + $6
			WHEN r.state = 2 THEN greatest(r.purge, d.need)
			ELSE greatest(r.lease, d.need) + r.keep END
	FROM (
		SELECT g.now,
			CASE WHEN g.gone THEN g.now + $5 ELSE greatest(r.need, g.now + $5) END AS need,
			g.gone OR r.state = 1 AND (r.token = CAST($2 AS {bytes}) OR r.lease <= g.now) AS take
		FROM (
			SELECT c.now, `
	claimedAfter = ` AS gone
			FROM ` + clock + `
		) AS g
	) AS d`

	claimColumns = `(token, print, state, lease, need, keep, purge)`
	claimResult  = `RETURNING state, token = CAST($2 AS {bytes}), print = CAST($3 AS {bytes}), lease - {now}`

	// claim returns no row where the event was signed ($7) before the floor, or
	// the schema is not ours; then nobody knows yet whether the event is known.
	claim = `INSERT INTO {events} AS r (key, token, print, state, lease, need, keep, purge)
	SELECT CAST($1 AS {bytes}), CAST($2 AS {bytes}), CAST($3 AS {bytes}), 1,
		c.now + $4, c.now + $5, CAST($6 AS bigint), greatest(c.now + $4, c.now + $5) + $6
	FROM {meta} AS m, ` + clock + `
	WHERE m.version = 1 AND m.floor <= $7
	ON CONFLICT (key) DO UPDATE SET ` + claimColumns + ` = (` + claimed + `)
	` + claimResult

	// claimKnown returns no row where there is none that counts. That is decided
	// once: the record's time may end before the rest of the statement reads the
	// clock.
	claimKnown = `UPDATE {events} AS r SET ` + claimColumns + ` = (` + claimedKnown + `)
	WHERE key = $1 AND CASE r.state WHEN 1 THEN ` + until + ` ELSE r.keep END > {now}
	` + claimResult

	// bind: $1 message, $2 body, $3 how long
	bind = `INSERT INTO {bindings} AS b (key, body, purge)
	SELECT CAST($1 AS {bytes}), CAST($2 AS {bytes}), {now} + $3 WHERE true
	ON CONFLICT (key) DO UPDATE SET (body, purge) = (
		SELECT CASE WHEN b.purge <= c.now THEN CAST($2 AS {bytes}) ELSE b.body END,
			CASE WHEN b.purge <= c.now THEN c.now + $3
				WHEN b.body = CAST($2 AS {bytes}) THEN greatest(b.purge, c.now + $3)
				ELSE b.purge END
		FROM ` + clock + `
	)
	RETURNING body = CAST($2 AS {bytes})`

	owned = `key = $1 AND token = $2 AND state = 1 AND ` + until + ` > {now}`

	renew = `UPDATE {events} AS r SET (lease, purge) = (
		SELECT c.now + $3, greatest(c.now + $3, r.need) + r.keep FROM ` + clock + `
	)
	WHERE ` + owned

	commit = `UPDATE {events} AS r SET (state, keep, purge) = (
		SELECT 2, greatest(r.need, c.now + r.keep), greatest(r.purge, r.need, c.now + r.keep) FROM ` + clock + `
	)
	WHERE ` + owned

	committed = `SELECT 1 FROM {events} WHERE key = $1 AND token = $2 AND state = 2 AND keep > {now}`

	// commitAgain changes nothing, and tells by the number of its rows what
	// committed selects.
	commitAgain = `UPDATE {events} SET state = 2 WHERE key = $1 AND token = $2 AND state = 2 AND keep > {now}`

	release = `DELETE FROM {events} WHERE key = $1 AND token = $2 AND state = 1`

	forget = `DELETE FROM {events} WHERE key = $1 AND (state = 2 OR lease <= {now})`
	held   = `SELECT state = 1 AND lease > {now} FROM {events} WHERE key = $1`

	inspect = `SELECT r.state, r.lease - c.now, CASE r.state WHEN 1 THEN ` + until + ` ELSE r.keep END - c.now
	FROM {events} AS r, ` + clock + ` WHERE r.key = $1`

	count = `SELECT (SELECT count(*) FROM {events}) + (SELECT count(*) FROM {bindings})`

	// The rows that another statement holds are left to the next purge.
	purgeEvents   = `DELETE FROM {events} WHERE key {in}(SELECT key FROM {events} WHERE purge <= (SELECT {now}) ORDER BY purge LIMIT $1{skip})`
	purgeBindings = `DELETE FROM {bindings} WHERE key {in}(SELECT key FROM {bindings} WHERE purge <= (SELECT {now}) ORDER BY purge LIMIT $1{skip})`

	// getVersion fails where any of the tables is missing or not ours.
	getVersion = `SELECT version FROM {meta} WHERE id = 1 AND floor IS NOT NULL
	AND NOT EXISTS (SELECT key, token, print, state, lease, need, keep, purge FROM {events} WHERE false)
	AND NOT EXISTS (SELECT key, body, purge FROM {bindings} WHERE false)`
)
