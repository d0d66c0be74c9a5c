//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// patience is how long a program may take to start, or a number to settle.
const patience = 30 * time.Second

// process is a program under measurement, with its children.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed when it has ended
}

// launch starts a program that ends with this one, however that ends.
func launch(cmd *exec.Cmd) (*process, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd, make(chan struct{})}
	go func() { cmd.Wait(); close(p.ended) }()
	return p, nil
}

// stop ends it, and returns when it has ended.
func (p *process) stop() {
	p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.cmd.Process.Kill()
		<-p.ended
	}
}

// pids returns the process and its children.
func (p *process) pids() ([]int, error) {
	pid := p.cmd.Process.Pid
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", pid))
	if err != nil {
		return nil, err
	}
	pids := []int{pid}
	for _, field := range strings.Fields(string(b)) {
		child, err := strconv.Atoi(field)
		if err != nil {
			return nil, err
		}
		pids = append(pids, child)
	}
	return pids, nil
}

// cpu returns the CPU time that the process and its children have taken. It reads their
// clocks: /proc/PID/stat counts in steps of 10 ms.
func (p *process) cpu() (time.Duration, error) {
	pids, err := p.pids()
	if err != nil {
		return 0, err
	}
	var sum time.Duration
	for _, pid := range pids {
		clock := ^pid<<3 | 2 // CPUCLOCK_SCHED of a process
		var t syscall.Timespec
		if _, _, errno := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, uintptr(clock), uintptr(unsafe.Pointer(&t)), 0); errno != 0 {
			return 0, fmt.Errorf("the clock of process %d: %w", pid, errno)
		}
		sum += time.Duration(t.Nano())
	}
	return sum, nil
}

// status returns a field of /proc/PID/status, in bytes.
func (p *process) status(field string) (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, rest, ok := bytes.Cut(b, []byte("\n"+field+":"))
	var kib int64
	if _, err := fmt.Sscan(string(rest), &kib); !ok || err != nil {
		return 0, fmt.Errorf("/proc/PID/status has no %s", field)
	}
	return kib << 10, nil
}

// resident returns the physical memory of the process, once it no longer grows.
func (p *process) resident() (int64, error) {
	var last int64
	for end := time.Now().Add(patience); ; time.Sleep(300 * time.Millisecond) {
		now, err := p.status("VmRSS")
		if err != nil {
			return 0, err
		}
		if now-last < now/100 || time.Now().After(end) {
			return now, nil
		}
		last = now
	}
}

// forgetPeak makes the peak of the physical memory what it is now.
func (p *process) forgetPeak() error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.cmd.Process.Pid), []byte("5"), 0)
}

// sockets returns how many sockets the process has open.
func (p *process) sockets() (n int, err error) {
	folder := fmt.Sprintf("/proc/%d/fd/", p.cmd.Process.Pid)
	entries, err := os.ReadDir(folder)
	for _, e := range entries {
		if to, err := os.Readlink(folder + e.Name()); err == nil && strings.HasPrefix(to, "socket:") {
			n++
		}
	}
	return n, err
}

// fsync returns the median time of a write of 8 KiB that waits for the disk, in a folder.
func fsync(folder string, n int) (time.Duration, error) {
	f, err := os.CreateTemp(folder, "fsync-")
	if err != nil {
		return 0, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	times := make([]time.Duration, n)
	for i := range times {
		start := time.Now()
		if _, err := f.Write(make([]byte, 8<<10)); err != nil {
			return 0, err
		}
		if err := syscall.Fdatasync(int(f.Fd())); err != nil {
			return 0, err
		}
		times[i] = time.Since(start)
	}
	return quantile(times, 0.5), nil
}

// within calls ok until it is true, or fails.
func within(what string, ok func() (bool, error)) error {
	for end := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		done, err := ok()
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		if done {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("%s: not within %v", what, patience)
		}
	}
}

var errEnded = errors.New("it ended")
