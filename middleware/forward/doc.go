// Package forward makes a guard a reverse proxy: what it has verified goes to a receiver in
// any language, and nothing else does.
package forward
