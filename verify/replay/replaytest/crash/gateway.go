package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	command = "github.com/hooknotary/hooknotary/cmd/hooknotary"
	maxRun  = 2500 * time.Millisecond // of a delivery at a gateway: longer than the longest handler

	processHeader = "Crash-Process"
)

// check finds options that do not go together.
func (o options) check() error {
	known := func(name string) bool { _, ok := plants[name]; return ok }
	if o.gateway {
		known = func(name string) bool { _, ok := gatewayPlants[name]; return ok }
		if !slices.Contains([]string{"redis", "postgres", "sqlite"}, o.store) {
			return fmt.Errorf("the store %q is not for gateways: they take redis, postgres or sqlite", o.store)
		}
	}
	if o.plant != "" && !known(o.plant) {
		return fmt.Errorf("there is no bug %q to plant", o.plant)
	}
	return nil
}

// A gatewayPlant is a fault in the configuration of gateways, or in what is around them, that
// the harness must find.
type gatewayPlant struct {
	apart   bool // each gateway has a store of its own
	memory  bool // the store is the process's memory
	renamed bool // routes have other names in each process
	liar    bool // the receiver fails after its effect
	early   bool // senders take an event that is being handled for one that is done
	bypass  bool // forgers reach the receiver
}

var gatewayPlants = map[string]gatewayPlant{
	"apart":   {apart: true},
	"memory":  {memory: true},
	"renamed": {renamed: true},
	"liar":    {liar: true},
	"early":   {early: true},
	"bypass":  {bypass: true},
}

// startGateways builds the command, starts a receiver, and two gateways in front of it.
func (h *harness) startGateways() error {
	binary := h.path("hooknotary")
	if h.binary != "" {
		binary = h.binary
	} else if out, err := exec.Command("go", "build", "-o", binary, command).CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w: %s", err, out)
	}
	secrets := map[string]string{stripeName: "whsec_" + rand.Text(), gitHub: rand.Text(), shopifyName: rand.Text()}
	h.providers = []*provider{newStripe(secrets[stripeName]), newGitHub(secrets[gitHub]), newShopify(secrets[shopifyName])}
	var err error
	if h.behind, err = newReceiver(h); err != nil {
		return err
	}
	launch := make(map[string]func(string, io.Writer) (*launched, error))
	for _, name := range []string{"a", "b"} {
		if launch[name], err = h.gatewayLauncher(binary, name, secrets); err != nil {
			return err
		}
	}
	return h.start(launch)
}

// gatewayLauncher returns how to start a process of one gateway. All of its processes listen on
// one address.
func (h *harness) gatewayLauncher(binary, name string, secrets map[string]string) (func(string, io.Writer) (*launched, error), error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	addr := l.Addr().String()
	l.Close()
	return func(process string, log io.Writer) (*launched, error) {
		file := h.path(process + ".yaml")
		if err := os.WriteFile(file, []byte(h.gatewayConfig(addr, name, process)), 0o600); err != nil {
			return nil, err
		}
		cmd := exec.Command(binary, "serve", "--config", file)
		cmd.Env = append(os.Environ(), "CRASH_STORE="+h.storeURL(), "CRASH_PROCESS="+process)
		for provider, secret := range secrets {
			cmd.Env = append(cmd.Env, "CRASH_"+strings.ToUpper(provider)+"="+secret)
		}
		out, err := cmd.StderrPipe()
		if err != nil {
			return nil, err
		}
		if err := cmd.Start(); err != nil {
			return nil, err
		}
		over := make(chan struct{})
		go func() {
			defer close(over)
			h.behind.listen(out, process, log)
		}()
		return &launched{
			cmd: cmd,
			ready: func() (string, error) {
				for {
					select {
					case <-over:
						return "", errors.New("it ended")
					case <-time.After(5 * time.Millisecond):
					}
					if conn, err := net.Dial("tcp", addr); err == nil {
						conn.Close()
						return addr, nil
					}
				}
			},
			rest: func() { <-over },
		}, nil
	}, nil
}

func (h *harness) storeURL() string {
	if h.rig.engine == "redis" {
		return "redis://" + h.rig.address
	}
	return h.rig.address
}

// gatewayConfig is the file of one process.
func (h *harness) gatewayConfig(addr, name, process string) string {
	bug := gatewayPlants[h.plant]
	var b strings.Builder
	fmt.Fprintf(&b, "listen: { address: %q }\nshutdown: { drain: 200ms, grace: 5s }\n", addr)
	switch store := h.rig.engine; {
	case bug.memory || bug.apart && store != "redis":
		fmt.Fprint(&b, "store: { memory: {} }\n")
	case bug.apart:
		fmt.Fprintf(&b, "store: { redis: env:CRASH_STORE, prefix: %q }\n", "apart-"+name)
	case store == "sqlite":
		fmt.Fprintf(&b, "store: { sqlite: %q }\n", h.rig.address)
	default:
		fmt.Fprintf(&b, "store: { %s: env:CRASH_STORE }\n", store)
	}
	fmt.Fprint(&b, "routes:\n")
	for _, p := range h.providers {
		route := p.name
		if bug.renamed {
			route += "-" + process
		}
		fmt.Fprintf(&b, "  - name: %s\n    path: /%s\n    provider: %s\n    secret: env:CRASH_%s\n", route, p.name, p.name, strings.ToUpper(p.name))
		fmt.Fprintf(&b, "    lease: %dms\n    max_run: %dms\n    upstream: { url: %q, timeout: %dms, headers: { %s: env:CRASH_PROCESS } }\n",
			h.lease.Milliseconds(), maxRun.Milliseconds(), "http://"+h.behind.addr()+"/"+p.name, maxRun.Milliseconds(), processHeader)
		fmt.Fprintf(&b, "    forward: { headers: [%s, %s] }\n", requestHeader, fateHeader)
		if p.name != shopifyName { // GitHub's are in any case
			fmt.Fprint(&b, "    detach: true\n")
		}
		if p.name == gitHub { // so that the operator's script sees a 2xx
			fmt.Fprint(&b, "    duplicates: acknowledge\n")
		}
	}
	return b.String()
}

// report is what the log of a gateway says of a delivery that it could not settle as done.
type report struct {
	at      time.Time
	outcome string // as the guard calls it; "" is none
	kept    bool   // the claim was
	stuck   bool   // the store could not be told
}

// receiver stands behind the gateways. It is as a good receiver is: its effect takes place
// before it answers. And it does not look at whether anybody still listens.
type receiver struct {
	h        *harness
	listener net.Listener
	server   *http.Server
	bug      gatewayPlant

	mu    sync.Mutex
	told  map[string]report // by the gateway's name of the delivery
	names map[string]bool   // of deliveries that came
	keys  map[string]string // of events
	wrong []string
}

func newReceiver(h *harness) (*receiver, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	c := &receiver{h: h, listener: l, bug: gatewayPlants[h.plant], told: make(map[string]report), names: make(map[string]bool), keys: make(map[string]string)}
	c.server = &http.Server{Handler: c}
	go c.server.Serve(l)
	return c, nil
}

func (c *receiver) addr() string { return c.listener.Addr().String() }

// close returns when all requests are over. The gateways are gone by then.
func (c *receiver) close() {
	ctx, cancel := context.WithTimeout(context.Background(), quietTimeout)
	defer cancel()
	c.server.Shutdown(ctx)
}

// complain notes what no gateway should have sent.
func (c *receiver) complain(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.wrong) < 20 {
		c.wrong = append(c.wrong, fmt.Sprintf(format, args...))
	}
}

// takeWrong returns these since it was called last.
func (c *receiver) takeWrong() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := c.wrong
	c.wrong = nil
	return w
}

// listen reads what a gateway logs, to its end.
func (c *receiver) listen(in io.Reader, process string, log io.Writer) {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		fmt.Fprintf(log, "%s %s\n", process, lines.Bytes())
		var l struct {
			Time time.Time `json:"time"`
			Msg  string    `json:"msg"`
			ID   string    `json:"correlation_id"`
			Kept bool      `json:"claim_kept"`
			Err  string    `json:"error"`
		}
		outcome := ""
		if json.Unmarshal(lines.Bytes(), &l) == nil {
			outcome, _ = strings.CutPrefix(l.Msg, "webhook ")
		}
		switch outcome {
		case "failed", "lost", "commit_failed":
			c.mu.Lock()
			c.told[l.ID] = report{l.Time, outcome, l.Kept, l.Err != ""}
			c.mu.Unlock()
		}
	}
	io.Copy(log, in) // a line that is too long
}

// tell says to the runs of an event what the gateways have logged of them.
func (c *receiver) tell(e *event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range e.runs {
		if t, ok := c.told[r.id]; ok {
			r.told = t
		}
	}
}

// awaitReports waits until the gateways have logged what did not end well, within reason.
func (c *receiver) awaitReports(events map[*event]bool) {
	const tick = 20 * time.Millisecond
	for waited := time.Duration(0); waited < maxRun+3*time.Second; waited += tick {
		missing := false
		for e := range events {
			c.tell(e)
			for _, r := range e.runs {
				missing = missing || r.told.outcome == "" && !r.sent.ok() && r.outcome != acted && !c.h.dead(r.process)
			}
		}
		if !missing {
			break
		}
		time.Sleep(tick)
	}
	time.Sleep(10 * tick) // for those that did, and whose sender has gone
}

// dead reports whether a process has ended.
func (h *harness) dead(process string) bool {
	return slices.ContainsFunc(h.instances, func(i *instance) bool { return !i.died(process).IsZero() })
}

// What a receiver did, in the detail of the mark closed.
const (
	acted    = "success" // it answered with 2xx
	declined = "failure" // it answered with something else
	silent   = "silence" // it did not answer
)

// ServeHTTP implements http.Handler.
func (c *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the gateway was killed while it wrote
	}
	request, process, id := r.Header.Get(requestHeader), r.Header.Get(processHeader), r.Header.Get("Hooknotary-Delivery")
	f, err := parseFate(r.Header.Get(fateHeader))
	if err != nil || request == "" || process == "" || id == "" {
		c.complain("a request without its headers: %v", slices.Sorted(maps.Keys(r.Header)))
		return
	}
	event := eventOf(body)
	c.mu.Lock()
	again, key := c.names[id], c.keys[event]
	c.names[id] = true
	if key == "" {
		key = r.Header.Get("Hooknotary-Event-Key")
		c.keys[event] = key
	}
	c.mu.Unlock()
	if again {
		c.complain("delivery %s came twice", id)
	}
	if got := r.Header.Get("Hooknotary-Event-Key"); len(got) != 64 || got != key && !c.bug.renamed {
		c.complain("event %s came with the key %q, and with %q before", event, got, key)
	}

	j := &journal{file: c.h.marks.file, process: process}
	j.write(request, known, time.Time{}, id)
	j.write(request, ran, time.Time{}, event)
	outcome := silent // also of a panic
	defer func() { j.write(request, closed, time.Time{}, outcome) }()
	time.Sleep(f.before)
	c.crashAt(j, f, beforeEffect, request, process)
	switch f.end {
	case panics:
		panic(http.ErrAbortHandler)
	case fails:
		outcome = declined
		w.WriteHeader(http.StatusInternalServerError)
		return
	case busy:
		outcome = declined
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	j.write(request, effect, time.Now(), event)
	time.Sleep(f.after)
	c.crashAt(j, f, beforeCommit, request, process)
	switch f.end {
	case hangs:
		select {
		case <-r.Context().Done():
		case <-time.After(2 * maxRun):
		}
		panic(http.ErrAbortHandler)
	case breaks:
		panic(http.ErrAbortHandler)
	}
	if c.bug.liar && mathrand.IntN(4) == 0 {
		outcome = acted
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	outcome = acted
	if f.end == chatters {
		w.Write(make([]byte, 2<<20))
	} else {
		w.WriteHeader(http.StatusNoContent)
	}
	if f.crash == beforeResponse {
		http.NewResponseController(w).Flush()
		time.Sleep(time.Duration(mathrand.IntN(4)) * time.Millisecond)
		c.crashAt(j, f, beforeResponse, request, process)
	}
}

// crashAt kills the gateway that waits for an answer, if that is the request's fate.
func (c *receiver) crashAt(j *journal, f fate, p point, request, process string) {
	if f.crash != p {
		return
	}
	for _, i := range c.h.instances {
		if i.target() == process {
			j.write(request, crashed, time.Time{}, string(p))
			i.killIf(process)
		}
	}
}
