//go:build !linux

package redistest

import "syscall"

func mortal() *syscall.SysProcAttr { return nil }
