//go:build unix

package config

import "syscall"

// nonblocking opens a pipe at once, where one has come into the place of a file since it was
// looked at.
const nonblocking = syscall.O_NONBLOCK
