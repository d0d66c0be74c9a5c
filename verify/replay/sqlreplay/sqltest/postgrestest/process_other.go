//go:build !linux

package postgrestest

import (
	"fmt"
	"os"
	"os/exec"
)

var kill, pause, resume = os.Kill, os.Kill, os.Kill

type account struct{}

func unprivileged() (*account, error) {
	return nil, fmt.Errorf("%w: this package needs Linux", ErrMissing)
}

func (*account) give(string) error { return nil }
func (*account) own(*exec.Cmd)     {}

func within(string) ([]int, error) { return nil, nil }

type guardian struct{}

func guard(string) (*guardian, error) { return &guardian{}, nil }
func (*guardian) dismiss() error      { return nil }
