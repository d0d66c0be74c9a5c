// Package migration holds the code of README.md: webhook endpoints as they are
// written with other libraries, and the same endpoints behind a guard. Its tests
// send the same requests to both and compare the responses with the tables there.
//
//	cd examples/migration
//	go test .
package migration
