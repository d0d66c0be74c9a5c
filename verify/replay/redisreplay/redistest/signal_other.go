//go:build !unix

package redistest

import "syscall"

// No such system has these signals; sending them is an error.
const stop, resume = syscall.Signal(-1), syscall.Signal(-1)
