//go:build unix

package server

import (
	"math"
	"syscall"
)

// openFiles returns how many files the process may open, and whether there is a limit.
func openFiles() (int, bool) {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil || l.Cur > math.MaxInt32 {
		return 0, false
	}
	return int(l.Cur), true
}
