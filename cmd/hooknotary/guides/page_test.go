//go:build unix

package guides_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A block is a block of code of a page. What the test does with it stands behind its
// language, where a reader does not see it:
//
//	```yaml hooknotary.yaml        a file to write
//	```sh                          commands that must succeed
//	```sh server serving           a server that is ready once it has printed "serving"
//	```console                     commands, each behind "$ ", with what they print
//	```text                        nothing
//
// "…" in what a console prints stands for anything. Other second words of an sh block are for
// the test of that page.
type block struct {
	line           int
	language, rest string
	text           string
}

// blocks takes a page apart.
func blocks(t *testing.T, page string) (all []block) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var open *block
	var indent string
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		before, info, fence := strings.Cut(line, "```")
		fence = fence && strings.TrimSpace(before) == ""
		switch {
		case fence && open == nil:
			open, indent = &block{line: n}, before
			open.language, open.rest, _ = strings.Cut(strings.TrimSpace(info), " ")
		case fence:
			all, open = append(all, *open), nil
		case open != nil:
			open.text += strings.TrimPrefix(line, indent)
		}
	}
	if open != nil {
		t.Fatalf("%s:%d: the block does not end", page, open.line)
	}
	return all
}

// A walk does what a page says.
type walk struct {
	*testing.T
	page    string
	dir     string                   // where commands run and files are written
	env     []string                 // besides this process's own
	replace []string                 // pairs: what is printed, and what stands for it here
	special map[string]func(b block) // what to do with the sh blocks of that second word
	servers []*process
}

// newWalk returns a walk through a page in a folder of its own. Each of the page's ports
// becomes a free one.
func newWalk(t *testing.T, page string, ports ...string) *walk {
	t.Helper()
	w := &walk{T: t, page: page, dir: t.TempDir()}
	for _, port := range ports {
		w.replace = append(w.replace, port, freePort(t))
	}
	w.env = append(w.env, "PATH="+filepath.Dir(command(t))+":"+os.Getenv("PATH"), "CHECKOUT="+checkout(t))
	return w
}

// here returns a text of the page as it has to be here.
func (w *walk) here(text string) string { return strings.NewReplacer(w.replace...).Replace(text) }

// run does what the page says, from its beginning to its end.
func (w *walk) run() {
	w.Helper()
	all := blocks(w.T, w.page)
	if len(all) == 0 {
		w.Fatalf("%s has no blocks", w.page)
	}
	for _, b := range all {
		w.do(b)
	}
}

func (w *walk) do(b block) {
	w.Helper()
	kind, rest, _ := strings.Cut(b.rest, " ")
	switch {
	case b.language == "text":
	case b.language == "sh" && kind == "server":
		w.servers = append(w.servers, w.start(b, rest))
	case b.language == "sh" && w.special[kind] != nil:
		w.special[kind](b)
	case b.language == "sh" && kind == "":
		if out, err := w.shell(w.here(b.text)).CombinedOutput(); err != nil {
			w.Fatalf("%s:%d: %v\n%s", w.page, b.line, err, out)
		}
	case b.language == "console":
		w.console(b)
	case kind != "" && b.language != "sh":
		file := w.here(kind)
		if !filepath.IsAbs(file) {
			file = filepath.Join(w.dir, file)
		}
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			w.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(w.here(b.text)), 0o600); err != nil {
			w.Fatal(err)
		}
	default:
		w.Fatalf("%s:%d: nobody knows what to do with this block", w.page, b.line)
	}
}

// shell returns a shell that will run the commands in the folder of the walk.
func (w *walk) shell(script string) *exec.Cmd {
	cmd := exec.CommandContext(w.Context(), "bash", "-euo", "pipefail", "-c", script)
	cmd.Dir = w.dir
	cmd.Env = append(os.Environ(), w.env...)
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// console runs the commands of a block and compares what they print. What a command
// exits with does not count: the page shows what it prints.
func (w *walk) console(b block) {
	w.Helper()
	for i, step := range strings.Split("\n"+b.text, "\n$ ") {
		if i == 0 {
			continue
		}
		script, want, _ := strings.Cut(step, "\n")
		for strings.HasSuffix(script, `\`) {
			var more string
			more, want, _ = strings.Cut(want, "\n")
			script += "\n" + more
		}
		out, _ := w.shell(w.here(script)).CombinedOutput()
		want = strings.TrimSpace(w.here(want))
		pattern := strings.ReplaceAll(regexp.QuoteMeta(want), "…", ".*?")
		if !regexp.MustCompile(`(?s)^` + pattern + `$`).Match(bytes.TrimSpace(out)) {
			w.Fatalf("%s:%d: $ %s\ngot:\n%s\nwant:\n%s\n%s", w.page, b.line, script, out, want, w.logs())
		}
	}
}

// A process is a server that a page starts.
type process struct {
	name string
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended

	mu  sync.Mutex
	out bytes.Buffer
}

func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.Write(b)
}

// printed returns what the server printed until now.
func (p *process) printed() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String()
}

// patience is how long a server may take to start on a busy machine.
const patience = 3 * time.Minute

// start starts the server of a block and waits until it has printed the text.
func (w *walk) start(b block, ready string) *process {
	w.Helper()
	p := &process{name: fmt.Sprintf("%s:%d", w.page, b.line), done: make(chan struct{})}
	p.cmd = w.shell(w.here(b.text))
	p.cmd.Stdout, p.cmd.Stderr = p, p
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // the shell and what it starts
	p.cmd.Cancel = func() error { return syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) }
	if err := p.cmd.Start(); err != nil {
		w.Fatal(err)
	}
	go func() { p.cmd.Wait(); close(p.done) }()
	w.Cleanup(func() {
		syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-p.done
		for _, v := range w.env {
			if name, value, _ := strings.Cut(v, "="); strings.HasSuffix(name, "_SECRET") && value != "" && strings.Contains(p.printed(), value) {
				w.Errorf("%s printed the value of %s", p.name, name)
			}
		}
		if w.Failed() {
			w.Logf("%s printed:\n%s", p.name, p.printed())
		}
	})
	for deadline := time.Now().Add(patience); !strings.Contains(p.printed(), ready); {
		select {
		case <-p.done:
			w.Fatalf("%s: the server ended before it said %q", p.name, ready)
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			w.Fatalf("%s: the server did not say %q in %v", p.name, ready, patience)
		}
	}
	return p
}

// logs returns what the servers printed.
func (w *walk) logs() string {
	var all strings.Builder
	for _, p := range w.servers {
		fmt.Fprintf(&all, "--- %s\n%s\n", p.name, p.printed())
	}
	return all.String()
}

// freePort returns a port of loopback that was free a moment ago.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// scratch is a folder for what several tests need. TestMain removes it.
var scratch string

func TestMain(m *testing.M) {
	var err error
	if scratch, err = os.MkdirTemp("", "hooknotary-guides-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(scratch)
	os.Exit(code)
}

var build = sync.OnceValues(func() (string, error) {
	bin := filepath.Join(scratch, "bin", "hooknotary")
	// As the pages build it, so that most of it is compiled once.
	cmd := exec.Command("go", "build", "-ldflags=-s", "-o", bin, "github.com/hooknotary/hooknotary/cmd/hooknotary")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return bin, nil
})

// command returns the path of hooknotary, built from this checkout.
func command(t *testing.T) string {
	t.Helper()
	bin, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

// need skips the test where a program is not installed, or fails it where all of them
// must be.
func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, name := range programs {
		if _, err := exec.LookPath(name); err != nil {
			if os.Getenv("HOOKNOTARY_SERVERS") == "required" {
				t.Fatalf("%s is not installed, and HOOKNOTARY_SERVERS says that it must be", name)
			}
			t.Skipf("%s is not installed", name)
		}
	}
}

// fetches skips a test that installs from npm, unless all servers must be there.
func fetches(t *testing.T, what string) {
	t.Helper()
	if testing.Short() {
		t.Skipf("-short leaves out what needs %s", what)
	}
	if os.Getenv("HOOKNOTARY_SERVERS") != "required" {
		t.Skipf("%s comes from npm, which is asked only with HOOKNOTARY_SERVERS=required", what)
	}
}

// checkout returns the folder of this repository.
func checkout(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}
