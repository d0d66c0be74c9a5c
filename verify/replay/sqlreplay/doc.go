// Package sqlreplay is the store in an SQL database: for several instances in
// PostgreSQL, for one machine in an SQLite file. Both remember across restarts.
//
//	db, err := sql.Open("pgx", os.Getenv("DATABASE_URL"))
//	store, err := sqlreplay.New(db, sqlreplay.PostgreSQL, nil)
//	err = store.Migrate(ctx) // or what Schema returns, by an administrator
//	guard, err := middleware.New("billing", verifier, store, nil)
//
// The package itself needs no driver. It is tested with pgx v5.7.5
// (github.com/jackc/pgx/v5/stdlib) and lib/pq v1.12.3 on PostgreSQL 15, directly and
// behind PgBouncer 1.18, and on SQLite with modernc.org/sqlite v1.46.2,
// mattn/go-sqlite3 v1.14.53 and ncruces/go-sqlite3 v0.37.0. Take these or later
// ones: until v1.40 modernc's left statements open when their context ended, so
// that later commits on the connection were lost with the process, and SQLite
// itself could lose commits until 3.51.3 (https://sqlite.org/wal.html#walresetbug).
//
// # Which engine
//
// For one machine, SQLite: it needs no server, and what was committed survives the
// death of the process. For several, PostgreSQL, if you run it already, and in any
// case if the handlers work in it. Redis (package redisreplay) is quicker, and a
// failover of it may forget. For money, take SQL.
//
// # Exactly once
//
// A guard commits an event when its handler has succeeded. A crash between the
// two leaves effects without a mark, and the event runs again. No store that
// stands beside the handler's data can close this gap. One that stands in the
// same database can, as a transactional inbox: the handler marks the event in the
// transaction of its effects, and both are committed or neither.
//
//	func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
//		err := s.book(r.Context())
//		if err != nil { // the event is free again, and the provider's retry runs
//			http.Error(w, "try again later", http.StatusInternalServerError)
//		}
//	}
//
//	func (s *shop) book(ctx context.Context) error {
//		tx, err := s.db.BeginTx(ctx, nil)
//		if err != nil {
//			return err
//		}
//		defer tx.Rollback()
//		// … the effects, all of them with tx …
//		if err := s.store.CommitIn(ctx, tx); err != nil {
//			return err
//		}
//		return tx.Commit()
//	}
//
// No row of the store is locked until [Store.CommitIn] is called, so it is
// called last. If the handler was stopped for longer than its lease, and another
// instance has taken the event over, one of the two transactions commits and the
// other one is told [replay.ErrLost], or a collision by the database. The guard's
// own commit afterwards finds the event done, and changes nothing. Effects outside
// the database, such as a mail, are not covered: write them into a table in the
// same transaction, and send them from there.
//
// # PostgreSQL
//
// A claim is one statement, and so is a commit. They wait for a connection of db, within Options.Timeout, so give it enough, and
// keep them: by default database/sql closes all idle ones but two.
//
//	db.SetMaxOpenConns(20)
//	db.SetMaxIdleConns(20)
//
// It does not matter which isolation the database is set to, but for the
// transactions of handlers with [Store.CommitIn], which begin with
// sql.LevelReadCommitted if it is not the default. To open a connection takes part
// of Options.Timeout, too.
//
// # Poolers
//
// A pooler in transaction mode, such as PgBouncer, may send each round trip to
// another connection of the server. Some drivers parse a statement in one round
// trip and execute it in the next; between the two, another client may have parsed
// its own. So the store runs each statement in a transaction of its own, which
// keeps the connection, whether there is a pooler or not:
//
//	driver and mode                                  round trips a statement
//	pgx v5.5.5 and later, default (cache_statement)  1, no transaction
//	pgx cache_describe, exec, simple_protocol        3
//	pgx describe_exec                                4
//	lib/pq with binary_parameters=yes                3
//	lib/pq                                           4
//
// By default, pgx names each statement by a hash of its text, so it executes no
// other one. Such names fail behind a pooler that does not keep them apart, as
// PgBouncer did not before 1.21 (max_prepared_statements). The first operation, and
// [Store.Check], look for a pooler then, and refuse to work behind one in
// transaction mode. Add default_query_exec_mode=exec to the connection string. The
// look may miss a busy pooler; then operations fail (SQLSTATE 42P05 or 26000) until
// a later look finds it. Drivers that number their statements, as pgx did before
// v5.5, are refused always. Where a pooler pools sessions, every mode works.
//
// The statements of the handlers are theirs: a driver that mixes up statements
// does so with the application's, too.
//
// # What a commit is worth
//
// What was committed is as safe as a commit of that server. With
// synchronous_commit off, a crash forgets the last moments; with an asynchronous
// replica, a failover does. Then a copy of an event from those moments is handled
// again, and events that were running may be run twice; with the inbox, at least
// the effects are forgotten together with the marks. Wait for a replica
// (synchronous_standby_names) where that must not happen. After a failover that
// lost something, or after a backup was restored, raise the floor:
//
//	UPDATE hooknotary_event_meta SET floor = extract(epoch FROM now()) * 1000;
//
// From providers that sign every attempt anew, what was signed before it, and is
// not known, is then refused as too old; it comes again with a new timestamp. The floor
// is set for the first time when the schema is made. All instances must reach the
// same primary; a second region with a database of its own is a second store.
//
// # SQLite
//
// One file, on a local disk of one machine, for any number of processes on it. The
// name of the data source for modernc.org/sqlite and ncruces/go-sqlite3, and for
// mattn/go-sqlite3:
//
//	file:/var/lib/shop/shop.db?_pragma=busy_timeout(250)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate
//	file:/var/lib/shop/shop.db?_busy_timeout=250&_journal_mode=WAL&_synchronous=FULL&_txlock=immediate
//
// WAL lets readers read while one writes. With synchronous FULL a commit survives
// a loss of power; NORMAL is quicker, and survives the death of the process only.
// A busy_timeout that is longer than Options.Timeout makes operations last longer
// than it, because the driver cannot interrupt this wait. With _txlock=immediate a
// handler's transaction takes the lock at its beginning, and cannot find in its
// middle that it is too late for it.
//
// There is one writer at a time in the whole file: keep transactions short, and
// make calls to other services before they begin. While a handler's transaction is
// open, claims wait, for as long as Options.Timeout, and the provider is then asked
// to come again. A database in memory (":memory:") is another one for each
// connection and cannot be used.
//
// # Time and space
//
// Leases, needs and retentions are measured by the clock of the database: of its
// server for PostgreSQL, of the machine for SQLite. Where it steps forward, leases
// end early, and an event may be taken over from a handler that still runs, which
// is told so. Where it steps back, everything lasts longer.
//
// A record takes some 200 bytes in SQLite and 300 in PostgreSQL, indexes included,
// and stays after its time until it is purged. Any instance may purge, at any time:
//
//	for range time.Tick(time.Hour) {
//		n, err := store.Purge(ctx)
//		slog.Info("store purged", "records", n, "error", err)
//	}
//
// # Failures
//
// An operation that fails, or lasts longer than Options.Timeout, is an error, and
// the guard responds with 503 and Retry-After. Nothing is sent twice, but for what the
// database says it did not do; a claim whose response was lost is free again when its
// lease has run out. When the database is back, so is the store.
package sqlreplay
