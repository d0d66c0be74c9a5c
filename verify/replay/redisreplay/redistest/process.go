package redistest

import (
	"os/exec"
	"runtime"
)

// process is a child of this one.
type process struct {
	cmd  *exec.Cmd
	gone chan struct{} // closed when it ended
}

// launch starts a child and waits for it in the background. On Linux the system
// kills a child when the thread ends that started it, so one goroutine keeps
// that thread to itself for as long as the child lives.
func launch(name string, args ...string) (*process, error) {
	p := &process{cmd: exec.Command(name, args...), gone: make(chan struct{})}
	p.cmd.SysProcAttr = mortal()
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			p.cmd.Wait()
			close(p.gone)
		}
	}()
	return p, <-started
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// kill ends the child, also one that is paused, and waits until it is gone.
func (p *process) kill() {
	p.cmd.Process.Kill()
	<-p.gone
}
