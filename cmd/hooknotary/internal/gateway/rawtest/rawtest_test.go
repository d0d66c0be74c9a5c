package rawtest

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/forward"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/verify/replay"
)

// target is what stands between senders and the receiver.
type target struct {
	addr     string
	receiver *receiver
	events   int
}

// try plays one case, and says what is wrong with its outcome.
func (g *target) try(c rawCase) (statuses string, problems []string) {
	g.events++
	d := deliver(g.events, c.body, c.signed)
	if c.untyped {
		d.mediaType = ""
	}
	if c.nameless {
		d.event = ""
	}
	alternatives := strings.Split(c.status, "|")
	responses := 0
	if alternatives[0] != "-" && !c.closes {
		responses = len(strings.Fields(alternatives[0]))
	}
	all, problems := exchange(g.addr, d.expand(c.raw, g.addr), responses)
	statuses = strings.Join(all, " ")
	if statuses == "" {
		statuses = "-"
	}
	if !slices.Contains(alternatives, statuses) {
		problems = append(problems, fmt.Sprintf("the responses are %s, want %s", statuses, c.status))
	}
	want := 0
	if !c.own {
		for _, status := range all {
			if status == "200" {
				want++
			}
		}
	}
	got := g.receiver.take()
	if len(got) != want || want > 1 {
		problems = append(problems, fmt.Sprintf("the receiver saw %d requests, want %d: %.300q", len(got), want, got))
	}
	for _, a := range got {
		problems = append(problems, a.wrong(d, g.receiver.addr())...)
	}
	return statuses, problems
}

// exercise plays all cases, and a genuine delivery behind each: whatever a case did to the
// gateway, the next sender is served.
func (g *target) exercise(t *testing.T, routes bool) {
	played := 0
	for _, c := range cases() {
		if c.gateway && !routes {
			continue
		}
		played++
		t.Run(c.name, func(t *testing.T) {
			statuses, problems := g.try(c)
			for _, p := range problems {
				t.Error(p)
			}
			t.Logf("responses %s", statuses)
			if _, problems := g.try(twin); problems != nil {
				t.Errorf("the genuine delivery after it: %q", problems)
			}
		})
	}
	if played < 200 {
		t.Errorf("%d cases, want 200 at least", played)
	}
	t.Logf("%d cases", played)
}

var twin = rawCase{name: "a genuine delivery", raw: with(""), status: "200"}

// TestForward: the handler of package forward, behind a server of net/http as it comes.
func TestForward(t *testing.T) {
	r := newReceiver(t)
	guard, err := middleware.New("stripe", stripe.Must(secret), replay.NewMemory(nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	h, err := forward.New(guard, "http://"+r.addr()+"/receiver", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	server := httptest.NewUnstartedServer(h)
	server.Config.MaxHeaderBytes = 32 << 10
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	t.Cleanup(server.Close)
	(&target{addr: server.Listener.Addr().String(), receiver: r}).exercise(t, false)
}

// build makes the command, once, in the folder of this run of the tests.
var (
	folder string
	build  = sync.OnceValues(func() (string, error) {
		binary := filepath.Join(folder, "hooknotary")
		out, err := exec.Command("go", "build", "-o", binary, "github.com/hooknotary/hooknotary/cmd/hooknotary").CombinedOutput()
		if err != nil {
			err = fmt.Errorf("go build: %w: %s", err, out)
		}
		return binary, err
	})
)

func TestMain(m *testing.M) {
	var err error
	if folder, err = os.MkdirTemp("", "rawtest-"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(folder)
	os.Exit(code)
}

// serve starts a gateway with one route, to a receiver, and returns its address.
func serve(t *testing.T, r *receiver) string {
	t.Helper()
	binary, err := build()
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	command := exec.Command(binary, "serve", "--provider", "stripe", "--secret-env", "RAW_SECRET", "--path", "/hooks/stripe",
		"--upstream", "http://"+r.addr()+"/receiver", "--listen", addr)
	command.Env = append(os.Environ(), "RAW_SECRET="+secret)
	var log bytes.Buffer
	command.Stderr = &log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	go func() { command.Wait(); close(over) }()
	t.Cleanup(func() {
		command.Process.Kill()
		<-over
		if strings.Contains(log.String(), "smuggled") || strings.Contains(log.String(), secret) {
			t.Errorf("the log holds what a sender sent, or the secret:\n%s", log.String())
		}
	})
	for limit := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			conn.Close()
			break
		}
		select {
		case <-over:
			t.Fatalf("it ended: %s", log.String())
		default:
		}
		if time.Now().After(limit) {
			t.Fatal("it does not listen")
		}
	}
	return addr
}

// TestServe: the whole gateway, with its own server and routes, as the README starts it.
func TestServe(t *testing.T) {
	r := newReceiver(t)
	(&target{addr: serve(t, r), receiver: r}).exercise(t, true)
}

// TestReverseProxy: a guard around httputil.ReverseProxy hands on what the sender says of
// itself, and what the receiver says of itself, and the battery sees it.
func TestReverseProxy(t *testing.T) {
	r := newReceiver(t)
	guard, err := middleware.New("stripe", stripe.Must(secret), replay.NewMemory(nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	to := &url.URL{Scheme: "http", Host: r.addr(), Path: "/receiver"}
	server := httptest.NewServer(guard.Handler(&httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
		p.Out.URL = to
		p.Out.Host = to.Host
	}}))
	t.Cleanup(server.Close)
	g := &target{addr: server.Listener.Addr().String(), receiver: r}
	for _, test := range []struct{ name, raw, finds string }{
		{"an identity header", with("Hooknotary-Scope: smuggled"), `Hooknotary-Scope is "smuggled"`},
		{"an identity header with underscores", with("Hooknotary_Scope: smuggled"), `the line "Hooknotary_scope: smuggled"`},
		{"a cookie", with("Cookie: smuggled"), `the line "Cookie: smuggled"`},
		{"an address", with("X-Real-Ip: smuggled"), `the line "X-Real-Ip: smuggled"`},
		{"an idempotency key", with("Idempotency-Key: smuggled"), `the line "Idempotency-Key: smuggled"`},
		{"who sent it", with(""), "there is no Hooknotary-Event-Key"},
		{"the receiver's headers", with(""), "a response with the header X-Leaked"},
		{"the receiver's body", with(""), `a response with the body "leaked"`},
	} {
		_, problems := g.try(rawCase{name: test.name, raw: test.raw, status: "200"})
		if !strings.Contains(strings.Join(problems, "\n"), test.finds) {
			t.Errorf("%s: found %q, want %q", test.name, problems, test.finds)
		}
	}
}

// TestArrival: a request that differs in one thing from what the gateway writes is found.
func TestArrival(t *testing.T) {
	const addr = "127.0.0.1:1"
	d := deliver(1, "", "")
	lines := []string{
		"POST /receiver HTTP/1.1", "Host: " + addr, fmt.Sprint("Content-Length: ", len(d.body)), "Content-Type: application/json",
		"Stripe-Signature: " + d.signature, "Hooknotary-Route: stripe", "Hooknotary-Provider: stripe", "Hooknotary-Scope: default",
		"Hooknotary-Key-Label: 1", "Hooknotary-Event-Id: " + d.event, "Hooknotary-Event-Key: " + strings.Repeat("0a", 32),
		"Hooknotary-Signed-At: 2026-01-02T03:04:05.000Z", "Hooknotary-Received-At: 2026-01-02T03:04:05.000Z",
		"Hooknotary-Binding: full", "Hooknotary-Delivery: 0123456789abcdef",
	}
	arrive := func(bytes string) []string {
		a, _ := read(bufio.NewReader(strings.NewReader(bytes)))
		return a.wrong(d, addr)
	}
	text := func(lines []string) string { return strings.Join(lines, "\r\n") + "\r\n\r\n" + d.body }
	if problems := arrive(text(lines)); problems != nil {
		t.Errorf("as it should be: %q", problems)
	}
	for i, line := range lines {
		name, _, _ := strings.Cut(line, ":")
		for change, changed := range map[string][]string{
			"without":      slices.Delete(slices.Clone(lines), i, i+1),
			"twice":        slices.Insert(slices.Clone(lines), i, line),
			"with more in": slices.Replace(slices.Clone(lines), i, i+1, line+" smuggled"),
			"with LF in":   slices.Replace(slices.Clone(lines), i, i+1, line+"\nX: y"),
			"lower-case":   slices.Replace(slices.Clone(lines), i, i+1, strings.ToLower(name)+line[len(name):]),
		} {
			if arrive(text(changed)) == nil {
				t.Errorf("nothing is wrong %s %s", change, name)
			}
		}
	}
	for name, bytes := range map[string]string{
		"another body":     strings.Replace(text(lines), `"object"`, `"Object"`, 1),
		"a shorter body":   text(lines)[:len(text(lines))-1],
		"a head cut off":   strings.Join(lines, "\r\n"),
		"another header":   text(append(slices.Clone(lines), "X-Other: 1")),
		"a folded line":    text(append(slices.Clone(lines), " smuggled")),
		"an empty name":    text(append(slices.Clone(lines), ": smuggled")),
		"an absolute form": strings.Replace(text(lines), "POST /", "POST http://x/", 1),
	} {
		if arrive(bytes) == nil {
			t.Errorf("nothing is wrong with %s", name)
		}
	}
}
