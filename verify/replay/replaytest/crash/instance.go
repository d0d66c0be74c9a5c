package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// instance keeps a server process running. Its methods are safe for concurrent
// use.
type instance struct {
	name   string // a
	launch func(process string, log io.Writer) (*launched, error)
	log    string // path: what the processes have to say
	idle   func() time.Duration

	mu      sync.Mutex
	n       int
	process *exec.Cmd // nil: not running, or not ready yet
	addr    string
	ending  bool // it was asked to
	closing bool
	deaths  map[string]time.Time // of processes, by name
	faults  []string             // how processes ended by themselves
	done    chan struct{}
}

// nobody is an address where nothing listens.
const nobody = "127.0.0.1:1"

// newInstance starts an instance. idle says how long it stays down after its
// process has died.
func newInstance(name string, launch func(string, io.Writer) (*launched, error), log string, idle func() time.Duration) *instance {
	i := &instance{name: name, launch: launch, log: log, idle: idle, deaths: make(map[string]time.Time), done: make(chan struct{})}
	go i.keep()
	return i
}

func (i *instance) keep() {
	defer close(i.done)
	for {
		if err := i.run(); err != nil {
			i.mu.Lock()
			i.faults = append(i.faults, err.Error())
			i.mu.Unlock()
		}
		i.mu.Lock()
		over := i.closing
		i.mu.Unlock()
		if over {
			return
		}
		time.Sleep(i.idle())
	}
}

// launched is a process that was started.
type launched struct {
	cmd   *exec.Cmd
	ready func() (addr string, err error) // waits until it listens; an error: it never will
	rest  func()                          // returns when it writes nothing more
}

// launch starts this program as a server.
func (c config) launch(process string, log io.Writer) (*launched, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), serveEnv+"=1")
	cmd.Stderr = log
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &launched{
		cmd: cmd,
		ready: func() (string, error) {
			c.Process = process
			if err := json.NewEncoder(in).Encode(c); err != nil {
				in.Close()
				return "", err
			}
			addr, err := bufio.NewReader(out).ReadString('\n')
			if err != nil {
				in.Close()
			}
			return strings.TrimSpace(addr), err
		},
		rest: func() {
			io.Copy(io.Discard, out)
			in.Close()
		},
	}, nil
}

// run runs one process to its end.
func (i *instance) run() error {
	log, err := os.OpenFile(i.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	i.mu.Lock()
	i.n++
	process := fmt.Sprintf("%s%d", i.name, i.n)
	i.mu.Unlock()

	p, err := i.launch(process, log)
	if err != nil {
		return err
	}
	addr, err := p.ready()
	if err != nil { // its store may be down just now
		p.rest()
		p.cmd.Wait()
		return nil
	}
	i.mu.Lock()
	i.process, i.addr, i.ending = p.cmd, addr, false
	if i.closing {
		p.cmd.Process.Kill()
	}
	i.mu.Unlock()
	p.rest()
	p.cmd.Wait()
	i.mu.Lock()
	defer i.mu.Unlock()
	i.process, i.addr = nil, ""
	i.deaths[process] = time.Now()
	if state := p.cmd.ProcessState; !strings.Contains(state.String(), "killed") && !(i.ending && state.Success()) {
		return fmt.Errorf("process %s: %v, see %s", process, state, i.log)
	}
	return nil
}

// address returns where the instance listens, or an address where nothing does.
func (i *instance) address() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.addr == "" {
		return nobody
	}
	return i.addr
}

// target returns the name of the process, or "" if there is none.
func (i *instance) target() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.process == nil {
		return ""
	}
	return fmt.Sprintf("%s%d", i.name, i.n)
}

// kill ends the process with SIGKILL. It reports whether there was one.
func (i *instance) kill() bool { return i.signal(os.Kill) }

// term asks the process to end.
func (i *instance) term() bool {
	i.mu.Lock()
	i.ending = true
	i.mu.Unlock()
	return i.signal(termSignal)
}

// killIf kills the process if it is this one.
func (i *instance) killIf(process string) {
	if i.target() == process {
		i.kill()
	}
}

func (i *instance) pause() bool  { return i.signal(pauseSignal) }
func (i *instance) resume() bool { return i.signal(resumeSignal) }

func (i *instance) signal(s os.Signal) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.process != nil && i.process.Process.Signal(s) == nil
}

// died returns when a process ended; zero: it runs.
func (i *instance) died(process string) time.Time {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.deaths[process]
}

// await waits until the instance listens.
func (i *instance) await(timeout time.Duration) error {
	// Counted in ticks, as time runs on where the whole machine stands still.
	const tick = 5 * time.Millisecond
	for n := 0; i.address() == nobody; time.Sleep(tick) {
		if n++; n > int(timeout/tick) {
			return fmt.Errorf("instance %s does not start: see %s", i.name, i.log)
		}
	}
	return nil
}

// close ends the instance for good.
func (i *instance) close() {
	i.mu.Lock()
	i.closing = true
	if i.process != nil {
		i.process.Process.Kill()
	}
	i.mu.Unlock()
	<-i.done
}

// takeFaults returns how processes ended by themselves since it was called last.
func (i *instance) takeFaults() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	f := i.faults
	i.faults = nil
	return f
}
