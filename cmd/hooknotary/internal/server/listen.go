package server

import (
	"errors"
	"net"
	"os"
	"strings"
	"syscall"
	"time"
)

// listen opens a listener. field names the address in errors.
func listen(field, address string) (net.Listener, error) {
	path, unix := strings.CutPrefix(address, "unix:")
	if !unix {
		l, err := net.Listen("tcp", address)
		return l, listenError(field, err)
	}
	if path == "" {
		return nil, errors.New(field + ": no path after unix:")
	}
	removeStale(path)
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, listenError(field, err)
	}
	// The owner and the group may connect. Who else may is up to the folder.
	if err := os.Chmod(path, 0o660); err != nil {
		l.Close()
		return nil, listenError(field, err)
	}
	return l, nil
}

// removeStale removes a socket that a process left behind that was killed. Where somebody still
// listens, or what stands there is no socket, it stays, and listening fails.
func removeStale(path string) {
	if info, err := os.Lstat(path); err != nil || info.Mode()&os.ModeSocket == 0 {
		return
	}
	c, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		c.Close()
		return
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		os.Remove(path)
	}
}

// listenError says why an address cannot be listened on, without repeating it.
func listenError(field string, err error) error {
	if err == nil {
		return nil
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		err = op.Err
	}
	var sys *os.SyscallError
	if errors.As(err, &sys) {
		err = sys.Err
	}
	if a, ok := errors.AsType[*net.AddrError](err); ok {
		err = errors.New(a.Err)
	}
	if d, ok := errors.AsType[*net.DNSError](err); ok {
		err = errors.New(d.Err)
	}
	return errors.New(field + ": cannot listen: " + err.Error())
}

// public reports whether others than this machine reach the listener.
func public(l net.Listener) bool {
	t, ok := l.Addr().(*net.TCPAddr)
	return ok && !t.IP.IsLoopback()
}
