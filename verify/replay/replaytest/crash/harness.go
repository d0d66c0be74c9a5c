package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hooknotary/hooknotary/providers/paypal/paypaltest"
)

// options is what the command line says.
type options struct {
	store  string
	rounds int
	events int // in a round
	seed   uint64
	plant  string
	only   []harm // what the nemesis does in every round; nil: it chooses

	gateway bool   // the servers are gateways, in front of a receiver
	binary  string // of the command that they run; "" is built
}

const (
	lease = time.Second // the shortest that a guard takes

	faultsAfter  = 100 * time.Millisecond // a round's start, when long handlers run, they begin,
	faultsWithin = 600 * time.Millisecond // and within so long
	// These are waited for as long as nothing happens, not in all.
	patience     = 30 * time.Second // for the next event to be handled, after the last fault
	quietTimeout = 20 * time.Second // for servers to be through with their requests
	startTimeout = 60 * time.Second
	oldEvents    = 300 // from earlier rounds, for replays
	maxReports   = 5
)

// harness is a run of the program.
type harness struct {
	options
	lease     time.Duration
	patience  time.Duration
	out       io.Writer
	folder    string
	rig       *rig
	instances []*instance
	providers []*provider
	client    *http.Client
	journal   *reader
	marks     *journal // the nemesis's and the senders' end of it
	faults    faults
	certs     net.Listener
	behind    *receiver // of gateways
	probing   sync.WaitGroup
	stopProbe context.CancelFunc

	count    atomic.Int64 // requests
	ailing   atomic.Bool  // the store does not answer the probe
	progress atomic.Int64 // grows when an event is answered, or nothing more is sent of it
	mu       sync.Mutex
	requests map[string]*sent
	figures  figures
	old      []*event
	current  []*event        // of this round
	touched  map[*event]bool // since the last verdict
	running  []*run          // not known to be over
	reports  int
}

// newHarness starts the store and the servers. The caller must call close.
func newHarness(o options, out io.Writer) (_ *harness, err error) {
	for _, one := range o.only {
		if !slices.Contains(harms, one) {
			return nil, fmt.Errorf("there is no fault %q: they are %v", one, harms)
		}
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	if o.rounds < 1 || o.events < 1 {
		return nil, errors.New("there must be a round and an event at least")
	}
	h := &harness{
		options:  o,
		lease:    lease,
		patience: patience,
		out:      out,
		requests: make(map[string]*sent),
		touched:  make(map[*event]bool),
		faults:   make(faults),
		figures:  figures{crashes: make(map[point]int), faults: make(map[harm]int)},
	}
	defer func() {
		if err != nil {
			h.close(h.rig == nil) // what servers say that do not start is of interest
		}
	}()
	if h.folder, err = os.MkdirTemp("", "crash-"); err != nil {
		return nil, err
	}
	if h.rig, err = newRig(o.store, h.folder); err != nil {
		return nil, err
	}
	h.figures.inbox = h.rig.inbox
	if h.journal, err = openReader(h.path("journal")); err != nil {
		return nil, err
	}
	if h.marks, err = openJournal(h.path("journal"), nothing); err != nil {
		return nil, err
	}
	start := h.startServers
	if o.gateway {
		start = h.startGateways
	}
	if err := start(); err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	h.stopProbe = stop
	h.probing.Go(func() { h.probe(ctx) })
	if h.gateway { // where this machine stood still, the gateways may have, too
		machine := &journal{file: h.marks.file, process: theStore}
		h.probing.Go(func() { machine.watch(ctx) })
	}
	return h, nil
}

func (h *harness) path(file string) string { return filepath.Join(h.folder, file) }

// startServers makes the providers and starts the servers for them.
func (h *harness) startServers() (err error) {
	account := paypaltest.New(webhookID)
	if h.certs, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return err
	}
	go http.Serve(h.certs, certificates(account))
	c := config{
		Journal:      h.path("journal"),
		Store:        h.store,
		Address:      h.rig.address,
		Lease:        h.lease,
		Plant:        h.plant,
		StripeSecret: "whsec_" + rand.Text(),
		GitHubSecret: rand.Text(),
		WebhookID:    webhookID,
		Certificates: h.certs.Addr().String(),
		Root:         account.Roots()[0].Raw,
	}
	h.providers = []*provider{newStripe(c.StripeSecret), newGitHub(c.GitHubSecret), newPayPal(account)}
	return h.start(map[string]func(string, io.Writer) (*launched, error){"a": c.launch, "b": c.launch})
}

// start starts the two instances and waits for them.
func (h *harness) start(launch map[string]func(string, io.Writer) (*launched, error)) error {
	addresses := make(map[string]*instance)
	for _, name := range []string{"a", "b"} {
		i := newInstance(name, launch[name], h.path("servers.log"), func() time.Duration {
			return time.Duration(10+mathrand.IntN(90)) * time.Millisecond
		})
		h.instances = append(h.instances, i)
		addresses[name] = i
	}
	h.client = &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext:       dialer(func(name string) string { return addresses[name].address() }),
	}}
	for _, i := range h.instances {
		if err := i.await(startTimeout); err != nil {
			return err
		}
	}
	return nil
}

// certificates serves what PayPal would serve.
func certificates(account *paypaltest.PayPal) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked, err := http.NewRequestWithContext(r.Context(), http.MethodGet, r.FormValue("url"), nil)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		res, err := account.RoundTrip(asked)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer res.Body.Close()
		w.WriteHeader(res.StatusCode)
		io.Copy(w, res.Body)
	})
}

// close ends the servers and the store, and removes what they left, if it is of no
// interest.
func (h *harness) close(remove bool) {
	if h.stopProbe != nil {
		h.stopProbe()
		h.probing.Wait()
	}
	for _, i := range h.instances {
		i.close()
	}
	if h.certs != nil {
		h.certs.Close()
	}
	if h.behind != nil {
		h.behind.close()
	}
	for _, end := range []io.Closer{h.journal, h.marks} {
		end.Close()
	}
	if h.rig != nil {
		h.rig.close()
	}
	if remove {
		os.RemoveAll(h.folder)
	}
}

// playAll plays all rounds.
func (h *harness) playAll(ctx context.Context) error {
	start := time.Now()
	r := mathrand.New(mathrand.NewPCG(h.seed, h.seed))
	for n := range h.rounds {
		if err := h.round(ctx, n, child(r)); err != nil {
			return err
		}
		h.figures.took = time.Since(start)
		if (n+1)%10 == 0 {
			h.figures.line(h.out)
		}
	}
	return nil
}

// round plays one round: faults and deliveries at the same time, then none of the
// faults until every event is handled, then the verdict.
func (h *harness) round(interrupt context.Context, n int, r *mathrand.Rand) error {
	ctx, giveUp := context.WithCancel(interrupt)
	defer giveUp()

	var senders sync.WaitGroup
	crashes := h.planCrashes(r)
	for i := range h.options.events {
		e := &event{id: fmt.Sprintf("%dx%d", n, i), provider: h.providers[i%len(h.providers)]}
		if e.detached = n%4 == 0; h.gateway { // as their routes say
			e.detached = e.provider.name != shopifyName
		}
		if n%2 == 0 || h.only != nil { // a round with long handlers takes twice as long
			e.work = workOf(i, e.detached)
		}
		h.current = append(h.current, e)
		own := child(r)
		start := time.Duration(r.Int64N(int64(h.rig.spread)))
		if e.work != brief {
			start /= 10 // before the faults, mostly
		}
		senders.Go(func() {
			defer h.progress.Add(1)
			if rest(ctx, start) {
				h.play(ctx, e, own, crashes[i])
			}
		})
	}
	for range min(len(h.old), 20) {
		e := h.old[r.IntN(len(h.old))]
		own := child(r)
		start := time.Duration(r.IntN(1500)) * time.Millisecond
		senders.Go(func() {
			if rest(ctx, start) {
				h.replay(ctx, own, e)
			}
		})
	}
	if err := h.nemesis(ctx, r); err != nil {
		return err
	}
	played := make(chan struct{})
	go func() {
		senders.Wait()
		close(played)
	}()
	h.await(played, giveUp)
	if ctx.Err() == nil {
		// Everything an attacker has seen, once more.
		for _, e := range h.current {
			if r.IntN(100) < 40 {
				own := child(r)
				senders.Go(func() { h.replay(ctx, own, e) })
			}
		}
		senders.Wait()
	}
	if err := interrupt.Err(); err != nil {
		return err
	}
	if err := h.quiet(); err != nil {
		return err
	}
	return h.judgeRound(n, r)
}

// await waits until all is played, and gives up when no event makes progress any
// more. It counts ticks, which come late where the whole machine stands still.
func (h *harness) await(played <-chan struct{}, giveUp func()) {
	const tick = 50 * time.Millisecond
	seen, idle := h.progress.Load(), 0
	for {
		select {
		case <-played:
			return
		case <-time.After(tick):
		}
		idle++
		if n := h.progress.Load(); n != seen {
			seen, idle = n, 0
		}
		if idle > int(h.patience/tick) {
			giveUp()
			<-played
			return
		}
	}
}

// child makes a source of chance for another goroutine.
func child(r *mathrand.Rand) *mathrand.Rand {
	return mathrand.New(mathrand.NewPCG(r.Uint64(), r.Uint64()))
}

// planCrashes chooses the events in whose handling a server kills itself.
func (h *harness) planCrashes(r *mathrand.Rand) map[int]point {
	all := make(map[int]point)
	for i := range h.options.events {
		all[i] = nowhere
	}
	for range r.IntN(4) {
		all[r.IntN(h.options.events)] = []point{beforeEffect, beforeCommit, beforeResponse}[r.IntN(3)]
	}
	return all
}

// send sends a request and waits for the response.
func (h *harness) send(ctx context.Context, r *mathrand.Rand, e *event, o origin, d delivery, f fate) *sent {
	s := &sent{
		id:       fmt.Sprintf("%c%d", o, h.count.Add(1)),
		event:    e,
		instance: h.instances[r.IntN(len(h.instances))].name,
		at:       now(),
		signed:   d.signed,
		message:  d.message(),
	}
	if o == attempt || o == duplicate {
		if p := r.IntN(100); p < 9 {
			s.cut = cut(1 + p%3)
		}
	}
	// Where the machine is slow, senders learn to wait.
	timeout := time.Duration(400+r.IntN(500))*time.Millisecond + time.Duration(min(e.attempts.Load(), 100))*20*time.Millisecond
	if o == attempt {
		e.attempts.Add(1)
	}
	h.mu.Lock()
	h.requests[s.id] = s
	h.figures.sent(s)
	h.mu.Unlock()

	ctx, cancel := context.WithTimeout(withCut(ctx, s.cut), timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.instance+"/"+e.provider.name, bytes.NewReader(d.body))
	if err != nil {
		panic(err) // not with such a URL
	}
	req.Header = d.header.Clone()
	req.Header.Set(requestHeader, s.id)
	req.Header.Set(fateHeader, f.String())
	res, err := h.client.Do(req)
	if err == nil {
		res.Body.Close()
		s.status, s.wait = res.StatusCode, res.Header.Get("Retry-After") != ""
		if gatewayPlants[h.plant].early && s.status == http.StatusConflict && s.wait {
			s.status = http.StatusOK
		}
	}
	if gatewayPlants[h.plant].bypass && o == forged {
		req.URL.Host, req.Body = h.behind.addr(), io.NopCloser(bytes.NewReader(d.body))
		req = req.WithContext(context.Background())
		if res, err := http.DefaultClient.Do(req); err == nil {
			res.Body.Close()
		}
	}
	s.done = now()
	if s.cut != uncut {
		h.marks.befell(s.id, cutOff, s.at)
	}
	if e.tried(s, d) {
		h.progress.Add(1)
	}
	return s
}

// quiet waits until the servers are through with all that they were sent, also
// where the sender has gone.
func (h *harness) quiet() error {
	const pause = 20 * time.Millisecond
	silent := 0
	for ; silent < int(quietTimeout/pause); time.Sleep(pause) {
		marks, err := h.journal.next()
		if err != nil {
			return err
		}
		silent++
		for _, m := range marks {
			if m.request == nothing {
				h.suffer(m)
				continue
			}
			silent = 0
			if err := h.enter(m); err != nil {
				return err
			}
		}
		if h.open() == 0 && silent >= 4 && !h.ailing.Load() {
			return nil
		}
	}
	return errors.New("the servers do not come to rest")
}

// suffer enters a mark of a fault.
func (h *harness) suffer(m mark) {
	h.faults.add(m)
	if m.kind == ends {
		h.figures.faults[harm(m.detail)]++
	}
}

// enter enters a mark into the history of its event.
func (h *harness) enter(m mark) error {
	s := h.requests[m.request]
	if s == nil {
		return fmt.Errorf("journal: nobody sent %q", m.request)
	}
	if s.run == nil {
		s.run = &run{sent: s, process: m.process}
		s.event.runs = append(s.event.runs, s.run)
		h.touched[s.event] = true
		h.running = append(h.running, s.run)
	}
	s.run.add(m)
	h.faults.witness(m)
	if m.kind == crashed {
		h.figures.crashes[point(m.detail)]++
		h.faults[m.process] = append(h.faults[m.process], fault{harm: kill, begin: m.at, end: m.at})
	}
	return nil
}

// open returns the number of runs that may still go on.
func (h *harness) open() int {
	var left []*run
	for _, r := range h.running {
		if r.over() {
			continue
		}
		for _, i := range h.instances {
			if i.name == r.process[:1] {
				r.died = i.died(r.process)
			}
		}
		if r.died.IsZero() {
			left = append(left, r)
		}
	}
	h.running = left
	return len(left)
}

// judgeRound judges the events of a round, and the earlier ones that were heard of
// in it.
func (h *harness) judgeRound(n int, r *mathrand.Rand) error {
	if h.gateway {
		h.behind.awaitReports(h.touched)
	}
	rows, err := h.rig.newEffects()
	if err != nil {
		return err
	}
	for _, row := range rows {
		s := h.requests[row.request]
		if s == nil || s.event.id != row.event {
			return fmt.Errorf("the store holds an effect of %q on %q, which nobody sent", row.request, row.event)
		}
		s.event.rows = append(s.event.rows, row.request)
		h.touched[s.event] = true
	}
	for _, e := range h.current {
		h.touched[e] = true
	}
	for e := range h.touched {
		h.figures.add(e.verdict, -1)
		before := len(e.verdict.notes)
		if h.gateway {
			h.behind.tell(e)
			e.verdict = e.judgeOutside(h.lease, h.faults)
		} else {
			e.verdict = e.judge(h.lease, h.rig.inbox, h.faults)
		}
		h.figures.add(e.verdict, +1)
		if e.verdict.bad() && len(e.verdict.notes) > before {
			h.report(n, e)
		}
	}
	clear(h.touched)
	h.figures.rounds++
	h.figures.events += len(h.current)
	h.remember(r)
	if h.gateway {
		for _, wrong := range h.behind.takeWrong() {
			h.figures.wrong++
			fmt.Fprintf(h.out, "round %d, seed %d: %s\n", n+1, h.seed, wrong)
		}
	}
	for _, i := range h.instances {
		for _, fault := range i.takeFaults() {
			h.figures.endings++
			fmt.Fprintf(h.out, "round %d, seed %d: %s\n", n+1, h.seed, fault)
		}
	}
	return nil
}

// remember keeps the events of a round for replays in later ones, in the place of
// others, of which nothing more is sent.
func (h *harness) remember(r *mathrand.Rand) {
	for _, e := range h.current {
		if len(h.old) < oldEvents {
			h.old = append(h.old, e)
			continue
		}
		place := &h.old[r.IntN(oldEvents)]
		for _, s := range (*place).sent {
			delete(h.requests, s.id)
		}
		*place = e
	}
	h.current = nil
}

// report tells the whole story of an event for which a promise was broken.
func (h *harness) report(n int, e *event) {
	if h.reports++; h.reports > maxReports {
		return
	}
	fmt.Fprintf(h.out, "\nround %d, seed %d: event %s of %s: a promise is broken\n", n+1, h.seed, e.id, e.provider.name)
	for _, note := range e.verdict.notes {
		fmt.Fprintln(h.out, "  "+note)
	}
	for _, l := range e.history(h.faults) {
		fmt.Fprintln(h.out, "    "+l)
	}
}
