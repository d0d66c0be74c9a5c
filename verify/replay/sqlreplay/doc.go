// Package sqlreplay is the register in an SQL database: for several instances in
// PostgreSQL, for one machine in an SQLite file. Both remember across restarts.
//
//	db, err := sql.Open("pgx", os.Getenv("DATABASE_URL"))
//	register, err := sqlreplay.New(db, sqlreplay.PostgreSQL, nil)
//	err = register.Migrate(ctx) // or what Schema returns, by an administrator
//	guard, err := middleware.New("billing", verifier, register, nil)
//
// The package itself needs no driver. It is tested with
// github.com/jackc/pgx/v5/stdlib on PostgreSQL 15, and with modernc.org/sqlite
// v1.46.2. Take that or a later one: until v1.40 the latter left statements open
// when their context ended, so that later commits on the connection were lost with
// the process, and SQLite itself could lose commits until 3.51.3
// (https://sqlite.org/wal.html#walresetbug).
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
// two leaves effects without a mark, and the event runs again. No register that
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
//		if err := s.register.CommitIn(ctx, tx); err != nil {
//			return err
//		}
//		return tx.Commit()
//	}
//
// No row of the register is locked until [Store.CommitIn] is called, so it is
// called last. If the handler was stopped for longer than its lease, and another
// instance has taken the event over, one of the two transactions commits and the
// other one is told [replay.ErrLost], or a collision by the database. The guard's
// own commit afterwards finds the event done, and changes nothing. Effects outside
// the database, such as a mail, are not covered: write them into a table in the
// same transaction, and send them from there.
//
// # PostgreSQL
//
// A claim is one statement, and so is a commit; neither holds a transaction open.
// They wait for a connection of db, within Options.Timeout, so give it enough, and
// keep them: by default database/sql closes all idle ones but two.
//
//	db.SetMaxOpenConns(20)
//	db.SetMaxIdleConns(20)
//
// It does not matter which isolation the database is set to, but for the
// transactions of handlers with [Store.CommitIn], which begin with
// sql.LevelReadCommitted if it is not the default; nor whether the driver prepares
// statements (default_query_exec_mode, for poolers such as PgBouncer). To open a
// connection takes part of Options.Timeout, too.
//
// What was committed is as safe as a commit of that server. With
// synchronous_commit off, a crash forgets the last moments; with an asynchronous
// replica, a failover does. Then a copy of an event from those moments is handled
// again, and events that were running may be run twice; with the inbox, at least
// the effects are forgotten together with the marks. Wait for a replica
// (synchronous_standby_names) where that must not happen. After a failover that
// lost something, or after a backup was restored, raise the floor:
//
//	UPDATE hooknotary_register_meta SET floor = extract(epoch FROM now()) * 1000;
//
// From providers that sign every attempt anew, what was signed before it, and is
// not known, is then refused as too old; it comes again with a new stamp. The floor
// is set for the first time when the schema is made. All instances must reach the
// same primary; a second region with a database of its own is a second register.
//
// # SQLite
//
// One file, on a local disk of one machine, for any number of processes on it. The
// name of the data source for modernc.org/sqlite:
//
//	file:/var/lib/shop/shop.db?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(250)&_txlock=immediate
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
// # Time and room
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
//		n, err := register.Purge(ctx)
//		slog.Info("register purged", "records", n, "error", err)
//	}
//
// # Failures
//
// An operation that fails, or lasts longer than Options.Timeout, is an error, and
// the guard answers 503 with Retry-After. Nothing is sent twice, but for what the
// database says it did not do; a claim whose answer was lost is free again when its
// lease has run out. When the database is back, so is the store.
package sqlreplay
