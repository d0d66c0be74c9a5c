package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
)

// asProgram makes the test's executable the program itself.
const asProgram = "HOOKNOTARY_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

// patience is how long a test waits for what must happen.
const patience = time.Minute

// served is a gateway in a process of its own.
type served struct {
	*exec.Cmd
	url, admin string // "http://127.0.0.1:12345"

	out bytes.Buffer // the standard output, once it has ended

	mu    sync.Mutex
	log   bytes.Buffer
	ended chan struct{}
}

// start starts "hooknotary serve" with free ports and waits until it listens.
func start(t *testing.T, env map[string]string, args ...string) *served {
	t.Helper()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s := &served{Cmd: exec.Command(executable, append([]string{"serve"}, args...)...), ended: make(chan struct{})}
	s.Env, s.Stdout = append(os.Environ(), asProgram+"=1"), &s.out
	for name, value := range env {
		s.Env = append(s.Env, name+"="+value)
	}
	stderr, err := s.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Process.Kill()
		<-s.ended
	})
	listening := make(chan struct{})
	wanted := 1 // listeners
	if slices.Contains(args, "--admin") || slices.Contains(args, "--config") {
		wanted = 2
	}
	go func() {
		defer close(s.ended)
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			s.mu.Lock()
			s.log.Write(append(lines.Bytes(), '\n'))
			s.mu.Unlock()
			var line struct{ Msg, Address string }
			if json.Unmarshal(lines.Bytes(), &line) != nil {
				continue
			}
			switch line.Msg {
			case "listening":
				s.url = "http://" + line.Address
			case "listening for operators":
				s.admin = "http://" + line.Address
			default:
				continue
			}
			if wanted--; wanted == 0 {
				close(listening)
			}
		}
		s.Wait()
	}()
	select {
	case <-listening:
	case <-s.ended:
		t.Fatalf("it ended: %s", s.Log())
	case <-time.After(patience):
		t.Fatalf("it does not listen: %s", s.Log())
	}
	return s
}

// Log returns what the gateway has logged so far.
func (s *served) Log() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

// says waits until the gateway has logged a message.
func (s *served) says(t *testing.T, message string) {
	t.Helper()
	for by := time.Now().Add(patience); !strings.Contains(s.Log(), fmt.Sprintf(`"msg":%q`, message)); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(by) {
			t.Fatalf("it does not say %q: %s", message, s.Log())
		}
	}
}

// end waits for the end of the process and returns its exit code.
func (s *served) end(t *testing.T) int {
	t.Helper()
	select {
	case <-s.ended:
		return s.ProcessState.ExitCode()
	case <-time.After(patience):
		t.Fatalf("it does not end: %s", s.Log())
		return 0
	}
}

// deliver sends a delivery of Stripe and returns the status of the response.
func (s *served) deliver(t *testing.T, id, secret string) int {
	t.Helper()
	status, err := s.try(id, secret)
	if err != nil {
		t.Fatal(err)
	}
	return status
}

func (s *served) try(id, secret string) (int, error) {
	r := stripetest.NewRequest(s.url+"/hooks/stripe", time.Now(), fmt.Appendf(nil, `{"id":%q,"object":"event"}`, id), secret)
	r.RequestURI = ""
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	io.Copy(io.Discard, res.Body)
	return res.StatusCode, nil
}

// inbox is an upstream that keeps the bodies it was sent. handle may be nil.
type inbox struct {
	*httptest.Server
	mu     sync.Mutex
	bodies []string
}

func newInbox(t *testing.T, handle http.HandlerFunc) *inbox {
	in := new(inbox)
	in.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		in.mu.Lock()
		in.bodies = append(in.bodies, string(body))
		in.mu.Unlock()
		if handle != nil {
			handle(w, r)
		}
	}))
	t.Cleanup(in.Close)
	return in
}

func (in *inbox) count() int {
	in.mu.Lock()
	defer in.mu.Unlock()
	return len(in.bodies)
}

// one are the flags of the README's line, with an upstream and free ports.
func one(upstream string, more ...string) []string {
	return append([]string{
		"--provider", "stripe", "--secret-env", "STRIPE_WEBHOOK_SECRET", "--path", "/hooks/stripe",
		"--upstream", upstream + "/webhook/stripe", "--listen", "127.0.0.1:0",
	}, more...)
}

var oneSecret = map[string]string{"STRIPE_WEBHOOK_SECRET": stripeSecret}

func TestServe(t *testing.T) {
	t.Run("what is genuine reaches the upstream once, and nothing else does", func(t *testing.T) {
		in := newInbox(t, nil)
		s := start(t, oneSecret, one(in.URL, "--admin", "127.0.0.1:0")...)
		if got := s.deliver(t, "evt_1", stripeSecret); got != 200 {
			t.Errorf("genuine: status %d", got)
		}
		if got := s.deliver(t, "evt_2", otherSecret); got != 401 {
			t.Errorf("forged: status %d", got)
		}
		replayed := stripetest.NewRequest(s.url+"/hooks/stripe", time.Now(), []byte(`{"id":"evt_3"}`), stripeSecret)
		for _, want := range []int{200, 409} {
			r := replayed.Clone(t.Context())
			r.RequestURI, r.Body = "", io.NopCloser(strings.NewReader(`{"id":"evt_3"}`))
			res, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode != want {
				t.Errorf("status %d, want %d", res.StatusCode, want)
			}
		}
		if got := in.count(); got != 2 {
			t.Errorf("the upstream got %d requests, want 2: %v", got, in.bodies)
		}
		for path, want := range map[string]int{"/livez": 200, "/readyz": 200, "/metrics": 200, "/.well-known/jwks.json": 200, "/": 404, "/hooks/stripe": 404} {
			res, err := http.Get(s.admin + path)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode != want {
				t.Errorf("%s of the admin listener: status %d, want %d", path, res.StatusCode, want)
			}
		}
		for _, path := range []string{"/livez", "/readyz", "/metrics", "/.well-known/jwks.json"} {
			res, err := http.Get(s.url + path)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode != 404 {
				t.Errorf("%s of the public listener: status %d, want 404", path, res.StatusCode)
			}
		}
	})
	t.Run("the store of a file outlives the process", func(t *testing.T) {
		in := newInbox(t, nil)
		store := "sqlite:" + filepath.Join(t.TempDir(), "store.db")
		first := start(t, oneSecret, one(in.URL, "--store", store)...)
		if got := first.deliver(t, "evt_1", stripeSecret); got != 200 {
			t.Errorf("status %d: %s", got, first.Log())
		}
		first.Process.Kill()
		first.end(t)
		second := start(t, oneSecret, one(in.URL, "--store", store)...)
		if got := second.deliver(t, "evt_1", stripeSecret); got != 200 && got != 409 { // a duplicate in another second
			t.Errorf("status %d: %s", got, second.Log())
		}
		if got := in.count(); got != 1 {
			t.Errorf("the upstream got %d requests, want 1", got)
		}
	})
	t.Run("an upstream that is not there makes 502, and the event is free", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address := l.Addr().String()
		l.Close()
		s := start(t, oneSecret, one("http://"+address)...)
		if got := s.deliver(t, "evt_1", stripeSecret); got != 502 {
			t.Errorf("status %d: %s", got, s.Log())
		}
		if l, err = net.Listen("tcp", address); err != nil {
			t.Skip("the port is somebody else's now: ", err)
		}
		server := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})}
		go server.Serve(l)
		defer server.Close()
		if got := s.deliver(t, "evt_1", stripeSecret); got != 200 {
			t.Errorf("status %d: %s", got, s.Log())
		}
	})
}

func TestServeSignals(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no signals")
	}
	signalled := func(t *testing.T, s *served, sig os.Signal) {
		t.Helper()
		if err := s.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
	}
	// held starts a gateway with a delivery under way, which ends when open is closed.
	held := func(t *testing.T) (s *served, result <-chan error, open func()) {
		gate, inside := make(chan struct{}), make(chan struct{})
		in := newInbox(t, func(http.ResponseWriter, *http.Request) {
			close(inside)
			<-gate
		})
		open = sync.OnceFunc(func() { close(gate) })
		t.Cleanup(open) // before the upstream is closed
		s = start(t, oneSecret, one(in.URL)...)
		done := make(chan error, 1)
		go func() {
			status, err := s.try("evt_1", stripeSecret)
			if err == nil && status != 200 {
				err = fmt.Errorf("status %d", status)
			}
			done <- err
		}()
		select {
		case <-inside:
		case <-time.After(patience):
			t.Fatal("the delivery does not reach the upstream")
		}
		return s, done, open
	}
	for _, sig := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		t.Run(fmt.Sprintf("%v: what is under way ends well, and the exit code is 0", sig), func(t *testing.T) {
			t.Parallel()
			s, result, open := held(t)
			signalled(t, s, sig)
			s.says(t, "draining")
			if got := s.deliver(t, "evt_2", otherSecret); got != 401 {
				t.Errorf("while it drains, a new request gets %d", got)
			}
			open()
			if err := <-result; err != nil {
				t.Error(err)
			}
			if got := s.end(t); got != 0 {
				t.Errorf("exit code %d: %s", got, s.Log())
			}
		})
	}
	t.Run("a second signal ends it at once, with exit code 1", func(t *testing.T) {
		t.Parallel()
		s, result, _ := held(t)
		signalled(t, s, syscall.SIGTERM)
		s.says(t, "draining")
		signalled(t, s, syscall.SIGTERM)
		if got := s.end(t); got != 1 {
			t.Errorf("exit code %d: %s", got, s.Log())
		}
		if err := <-result; err == nil {
			t.Error("what was under way has ended well")
		}
	})
	t.Run("without a file, SIGHUP ends it", func(t *testing.T) {
		t.Parallel()
		s := start(t, oneSecret, one("http://127.0.0.1:1")...)
		signalled(t, s, syscall.SIGHUP)
		if got := s.end(t); got == 0 {
			t.Error("exit code 0")
		}
	})
}

func TestServeMistakes(t *testing.T) {
	env := map[string]string{"SECRET": stripeSecret, "EMPTY": "", "URL": "mysql://user:" + otherSecret + "@db/x"}
	flags := func(edit func(m map[string]string)) []string {
		m := map[string]string{"provider": "stripe", "secret-env": "SECRET", "path": "/hooks/stripe", "upstream": "http://127.0.0.1:1", "listen": "127.0.0.1:0"}
		edit(m)
		args := []string{"serve"}
		for name, value := range m {
			args = append(args, "--"+name, value)
		}
		return args
	}
	for _, c := range []struct {
		name string
		edit func(m map[string]string)
		want string
	}{
		{"no secret", func(m map[string]string) { delete(m, "secret-env") }, "secret-env"},
		{"no provider", func(m map[string]string) { delete(m, "provider") }, "provider"},
		{"no path", func(m map[string]string) { delete(m, "path") }, "path"},
		{"no upstream", func(m map[string]string) { delete(m, "upstream") }, "upstream"},
		{"an empty secret", func(m map[string]string) { m["secret-env"] = "EMPTY" }, "empty"},
		{"a variable that is not set", func(m map[string]string) { m["secret-env"] = "NOT_THERE" }, "not set"},
		{"an unknown provider", func(m map[string]string) { m["provider"] = otherSecret + "x" }, "secret"},
		{"a path that is none", func(m map[string]string) { m["path"] = "hooks" }, "path"},
		{"an upstream that is none", func(m map[string]string) { m["upstream"] = "ftp://127.0.0.1" }, "upstream"},
		{"an upstream with a password", func(m map[string]string) { m["upstream"] = "http://me:" + githubSecret + "@127.0.0.1" }, "upstream"},
		{"an address that is none", func(m map[string]string) { m["listen"] = "nowhere" }, "listen"},
		{"a store that is none", func(m map[string]string) { m["store"] = "oracle" }, "store"},
		{"a store whose URL holds a password", func(m map[string]string) { m["store"] = "redis://:" + otherSecret + "@db" }, "--store-env"},
		{"a setting that has no flag", func(m map[string]string) { m["provider"] = "twilio" }, "A file says what no flag does"},
		{"a store of an unknown engine", func(m map[string]string) { m["store-env"] = "URL" }, "store-env"},
		{"a folder that is not there", func(m map[string]string) { m["store"] = "sqlite:/not/there/store.db" }, "store"},
		{"an admin listener for everybody", func(m map[string]string) { m["admin"] = "0.0.0.0:0" }, "admin"},
		{"a file beside flags", func(m map[string]string) { m["config"] = "hooknotary.yaml" }, "--config"},
		{"a file that is not there", func(m map[string]string) {
			clear(m)
			m["config"] = "/not/there.yaml"
		}, "/not/there.yaml"},
		{"nothing", func(m map[string]string) { clear(m) }, "--config"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := hooknotary(t, setup{env: env}, flags(c.edit)...)
			o.want(t, exitWrong, c.want, "!"+stripeSecret, "!"+otherSecret, "!"+githubSecret)
			if o.out != "" {
				t.Errorf("standard output: %s", o.out)
			}
		})
	}
	for _, c := range []struct{ name, part, want string }{
		{"a store whose folder is not there", "store: { sqlite: /not/there/marker.db }", "store.sqlite: no such file"},
		{"a recorder whose folder cannot be made", "recorder: { folder: /proc/marker }", "recorder.folder: no such file"},
	} {
		t.Run(c.name+" is called by its field", func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "hooknotary.yaml")
			text := c.part + "\nlisten: { address: \"127.0.0.1:0\" }\nroutes:\n  - { name: a, path: /a, provider: stripe, secret: env:SECRET, upstream: { url: \"http://127.0.0.1:1\" } }\n"
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			hooknotary(t, setup{env: env}, "serve", "--config", file).want(t, exitWrong, c.want, "!marker")
		})
	}
	t.Run("an address that is taken", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		o := hooknotary(t, setup{env: env}, flags(func(m map[string]string) { m["listen"] = l.Addr().String() })...)
		o.want(t, exitWrong, "in use")
	})
}
