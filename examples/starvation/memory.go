package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// serve runs a server alone in this process until in ends, so that its memory can be
// measured.
func serve(in io.Reader, out io.Writer, budget int64) error {
	s, err := newSite(budget)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, s.address)
	io.Copy(io.Discard, in)
	s.close()
	return nil
}

// memory starts such a server, sends it many bodies at once, and returns the most
// memory that it ever had, as Linux counts it.
func memory(load func(ctx context.Context, s *site), budget int64) (string, error) {
	name, err := os.Executable()
	if err != nil {
		return "", err
	}
	cmd := exec.Command(name, "-serve", "-budget", fmt.Sprint(budget))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return "", err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	defer cmd.Wait()
	defer in.Close()
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return "", err
	}
	s := &site{address: strings.TrimSpace(address), clients: newClients()}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	load(ctx, s)
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(status)) {
		if peak, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			return strings.TrimSpace(peak), nil
		}
	}
	return "", errors.New("no VmHWM in /proc")
}

// together sends n bodies of size bytes at once. None ends before all have sent
// everything but their last byte, or three seconds have passed.
func together(s *site, path string, n, size int, c *count) {
	var group sync.WaitGroup
	var left atomic.Int64
	left.Store(int64(n))
	gate := make(chan struct{})
	for i := range n {
		group.Go(func() {
			r := s.genuine(path, size)
			r.Body, r.GetBody = io.NopCloser(&gated{r: r.Body, left: size - 1, all: &left, gate: gate}), nil
			s.send(i%2, r, 0, c)
		})
	}
	group.Wait()
}

// gated is a body that waits before its last byte.
type gated struct {
	r    io.Reader
	left int
	all  *atomic.Int64
	gate chan struct{}
}

func (g *gated) Read(b []byte) (int, error) {
	if g.left == 0 {
		if g.all.Add(-1) == 0 {
			close(g.gate)
		}
		select {
		case <-g.gate:
		case <-time.After(3 * time.Second):
		}
		g.left = len(b) // what is left
	}
	n, err := g.r.Read(b[:min(len(b), g.left)])
	g.left -= n
	return n, err
}
