package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"
)

const serveEnv = "HOOKNOTARY_FLEET_SERVE" // makes this program an instance

// config is what an instance is told, on its standard input.
type config struct {
	Instance string
	Redis    string
	Secret   string
	Ledger   string // path
}

// serve is the life of an instance. It writes its address to out and ends when in
// ends, or earlier if it is killed.
func serve(in io.Reader, out io.Writer) error {
	var c config
	if err := json.NewDecoder(in).Decode(&c); err != nil {
		return err
	}
	go func() {
		io.Copy(io.Discard, in)
		os.Exit(0)
	}()
	ledger, err := os.OpenFile(c.Ledger, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	site, err := newSite(ctx, c.Redis, c.Secret, &bookkeeper{c.Instance, ledger})
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintln(out, l.Addr())
	srv := &http.Server{Handler: site, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second}
	return srv.Serve(l)
}

// instance is a server process, as it is seen from outside.
type instance struct {
	cmd *exec.Cmd
	url string
}

func startInstance(c config) (*instance, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), serveEnv+"=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe() // open for as long as the instance is wanted
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
	i := &instance{cmd: cmd}
	err = json.NewEncoder(in).Encode(c)
	addr := ""
	if err == nil {
		addr, err = bufio.NewReader(out).ReadString('\n')
	}
	if err != nil {
		i.kill()
		return nil, fmt.Errorf("instance %s does not start: %w", c.Instance, err)
	}
	i.url = "http://" + strings.TrimSpace(addr) + "/hooks/stripe"
	return i, nil
}

// kill ends the process with SIGKILL and waits until it is gone.
func (i *instance) kill() {
	i.cmd.Process.Kill()
	i.cmd.Wait()
}
