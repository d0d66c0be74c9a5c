package redistest

import "syscall"

// mortal makes a child die with its parent.
func mortal() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
