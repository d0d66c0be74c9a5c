// Package guides holds the guides to hooknotary serve, which begin with README.md, and the
// tests that walk through them. It has no code of its own.
package guides
