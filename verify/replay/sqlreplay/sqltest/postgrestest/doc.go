// Package postgrestest runs real PostgreSQL servers for tests, and lets them
// fail: killed, restarted and paused.
//
// Each [Server] is a cluster of its own in a temporary folder, reached through a
// Unix socket in it, by a user with a random password. It takes the programs of
// PostgreSQL from the PATH or from /usr/lib/postgresql, and no settings of the
// machine. PostgreSQL refuses to run as root: for root, it runs as the user
// "postgres" or "nobody".
//
// A test starts one with [Run], or takes the one of its process with [Shared]
// and a database of its own in it:
//
//	dsn := postgrestest.Shared(t).Database(t)
//
// Where PostgreSQL is not installed, both skip the test; with
// HOOKNOTARY_SERVERS=required in the environment they fail it instead. Programs
// call [Start]. Nothing of a server survives the process that started it, however
// that ends.
//
// The package needs Linux.
package postgrestest
