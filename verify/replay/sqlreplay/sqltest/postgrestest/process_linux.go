package postgrestest

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

const (
	kill   = syscall.SIGKILL
	pause  = syscall.SIGSTOP
	resume = syscall.SIGCONT
)

// account is the user that runs the server; nil: the one that runs us.
type account struct{ uid, gid int }

func unprivileged() (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.Atoi(u.Uid)
		gid, err2 := strconv.Atoi(u.Gid)
		if err1 == nil && err2 == nil {
			return &account{uid, gid}, nil
		}
	}
	return nil, fmt.Errorf(`%w: it does not run as root, and there is neither a user "postgres" nor a user "nobody"`, ErrMissing)
}

// give makes a file the account's.
func (a *account) give(name string) error {
	if a == nil {
		return nil
	}
	return os.Chown(name, a.uid, a.gid)
}

// own makes cmd run as the account, out of reach of the terminal's signals.
func (a *account) own(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if a != nil {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
	}
}

// within returns the processes whose working directory is dir or below it.
func within(dir string) ([]int, error) {
	links, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil {
		return nil, err
	}
	if len(links) == 0 {
		return nil, errors.New("postgrestest: /proc lists no processes")
	}
	var all []int
	for _, link := range links {
		if to, err := os.Readlink(link); err != nil || to != dir && !strings.HasPrefix(to, dir+"/") {
			continue // gone, or another user's
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(link))); err == nil {
			all = append(all, pid)
		}
	}
	return all, nil
}

// watch waits until the process that started it has gone or wants it to: then the
// other end of its input is closed. It ends the processes whose working directory
// is in $1, and removes the shared memory that a killed server leaves, and $1.
const watch = `
read -r _
for pass in 1 2 3; do
	for p in /proc/[0-9]*; do
		case "$(readlink "$p/cwd")" in
		"$1" | "$1"/*) kill -9 "${p#/proc/}" ;;
		esac
	done
done
id=$(sed -n '7s/.* //p' "$1/data/postmaster.pid")
[ -n "$id" ] && ipcrm -m "$id"
rm -rf "$1"
`

// guardian is a process that cleans up behind us.
type guardian struct {
	cmd *exec.Cmd
	in  io.Closer
}

func guard(folder string) (*guardian, error) {
	cmd := exec.Command("/bin/sh", "-c", watch, "sh", folder)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("postgrestest: %w", err)
	}
	return &guardian{cmd, in}, nil
}

// dismiss lets the guardian clean up, and waits for it.
func (g *guardian) dismiss() error {
	g.in.Close()
	if err := g.cmd.Wait(); err != nil {
		return fmt.Errorf("postgrestest: cleaning up: %w", err)
	}
	return nil
}
