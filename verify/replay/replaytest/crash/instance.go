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
	config config
	log    string // path: what the processes have to say
	idle   func() time.Duration

	mu      sync.Mutex
	n       int
	process *exec.Cmd // nil: not running, or not ready yet
	addr    string
	closing bool
	deaths  map[string]time.Time // of processes, by name
	faults  []string             // how processes ended by themselves
	done    chan struct{}
}

// nobody is an address where nothing listens.
const nobody = "127.0.0.1:1"

// newInstance starts an instance. idle says how long it stays down after its
// process has died.
func newInstance(name string, c config, log string, idle func() time.Duration) *instance {
	i := &instance{name: name, config: c, log: log, idle: idle, deaths: make(map[string]time.Time), done: make(chan struct{})}
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

// run runs one process to its end.
func (i *instance) run() error {
	log, err := os.OpenFile(i.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	self, err := os.Executable()
	if err != nil {
		return err
	}
	i.mu.Lock()
	i.n++
	c := i.config
	c.Process = fmt.Sprintf("%s%d", i.name, i.n)
	i.mu.Unlock()

	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), serveEnv+"=1")
	cmd.Stderr = log
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	err = json.NewEncoder(in).Encode(c)
	addr := ""
	if err == nil {
		addr, err = bufio.NewReader(out).ReadString('\n')
	}
	if err != nil { // its store may be down just now
		in.Close()
		cmd.Wait()
		return nil
	}
	i.mu.Lock()
	i.process, i.addr = cmd, strings.TrimSpace(addr)
	if i.closing {
		cmd.Process.Kill()
	}
	i.mu.Unlock()
	io.Copy(io.Discard, out) // to its end
	cmd.Wait()
	i.mu.Lock()
	defer i.mu.Unlock()
	i.process, i.addr = nil, ""
	i.deaths[c.Process] = time.Now()
	if !strings.Contains(cmd.ProcessState.String(), "killed") {
		return fmt.Errorf("process %s: %v, see %s", c.Process, cmd.ProcessState, i.log)
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
