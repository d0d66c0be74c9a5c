//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// plan is how much is measured.
type plan struct {
	rounds    int
	each      map[string]int // deliveries in a row, by size
	warm      int            // deliveries before each measurement
	conns     int            // at once
	flood     int            // deliveries over all conns, at most
	floodTime time.Duration  // at most
	paced     int            // deliveries at half load, at most
	paceTime  time.Duration  // at most
	heads     int
	bodies    int
	routes    int
	reloads   int
}

func longPlan(rounds int) plan {
	return plan{
		rounds: rounds, each: map[string]int{"256 B": 5000, "4 KiB": 5000, "1 MiB": 300}, warm: 200,
		conns: 64, flood: 30_000, floodTime: 5 * time.Second, paced: 10_000, paceTime: 5 * time.Second,
		heads: 5000, bodies: 1000, routes: 1000, reloads: 20,
	}
}

func shortPlan() plan {
	return plan{
		rounds: 1, each: map[string]int{"256 B": 100, "4 KiB": 100, "1 MiB": 10}, warm: 10,
		conns: 64, flood: 300, floodTime: 500 * time.Millisecond, paced: 100, paceTime: 200 * time.Millisecond,
		heads: 200, bodies: 40, routes: 1000, reloads: 2,
	}
}

// sizes of bodies.
var sizes = []struct {
	name  string
	bytes int
}{{"256 B", 256}, {"4 KiB", 4 << 10}, {"1 MiB", 1 << 20}}

const (
	typical   = "4 KiB"
	paceConns = 16
)

// The measures.
const (
	cpu           = "CPU µs a delivery, " // and a size
	cpuFlood      = "CPU µs a delivery, all connections"
	cpuAlone      = "CPU µs a delivery, 4 KiB, each on its connection"
	cpuRefusal    = "CPU µs a refusal"
	rate          = "requests/s"
	addedMedian   = "added latency ms, p50"
	added99       = "added latency ms, p99"
	refusalDials  = "upstream connections of refusals"
	memoryIdle    = "memory MiB, idle"
	memoryHead    = "memory KiB, slow head"
	memoryBodies  = "memory MiB, peak over idle, bodies"
	bodiesHeld    = "bodies at the upstream at once"
	bodiesRefused = "bodies answered 503"
	reloadTime    = "reload ms"
	reloadSlower  = "p99 while reloading, over that without"
	fsyncTime     = "fsync ms"
)

// bench measures into its samples.
type bench struct {
	*lab
	plan
	samples
	progress io.Writer
	rates    map[string]float64 // of this round, by kind
}

func (b *bench) say(format string, args ...any) { fmt.Fprintf(b.progress, format+"\n", args...) }

// run measures everything.
func (b *bench) run(ctx context.Context) error {
	for round := range b.rounds {
		b.round = round
		if err := b.oneRound(ctx); err != nil {
			return fmt.Errorf("round %d: %w", round+1, err)
		}
	}
	return nil
}

// oneRound measures all kinds, which take turns.
func (b *bench) oneRound(ctx context.Context) error {
	proxies := make(map[string]*proxy)
	defer func() {
		for _, p := range proxies {
			p.stop()
		}
	}()
	for _, kind := range b.kinds {
		p, err := b.start(kind)
		if err != nil {
			return err
		}
		proxies[kind] = p
	}
	// A store in memory takes nothing that was signed before it began, in whole seconds.
	if err := pause(ctx, 1100*time.Millisecond); err != nil {
		return err
	}
	idle, err := proxies[plain].resident()
	if err != nil {
		return err
	}
	b.add(plain, memoryIdle, mib(idle))

	turns := slices.Concat(b.kinds[b.round%len(b.kinds):], b.kinds[:b.round%len(b.kinds)])
	if b.round%2 == 1 {
		slices.Reverse(turns)
	}
	type step struct {
		name  string
		kinds []string
		do    func(*proxy) error
	}
	steps := []step{{"refusals", []string{plain}, b.refusals}}
	for _, size := range sizes {
		steps = append(steps, step{size.name, turns, func(p *proxy) error {
			stored := p.kind == withRedis || p.kind == withPostgres
			if stored && size.name != typical {
				return nil
			}
			n := b.each[size.name]
			if stored {
				n = max(1, n/5)
			}
			return b.row(p, cpu+size.name, payloadOf(size.bytes), n, false)
		}})
	}
	steps = append(steps, step{"a connection each", []string{plain}, b.alone})
	b.rates = make(map[string]float64)
	steps = append(steps, step{fmt.Sprint(b.conns, " connections"), turns, b.allConns})
	steps = append(steps, step{"half load", intersect(turns, plain, withRedis, withPostgres), b.halfLoad})
	for _, step := range steps {
		b.say("round %d of %d: %s", b.round+1, b.rounds, step.name)
		for _, kind := range step.kinds {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := step.do(proxies[kind]); err != nil {
				return fmt.Errorf("%s, %s: %w%s", kind, step.name, err, proxies[kind].said())
			}
		}
	}
	for kind, p := range proxies {
		p.stop()
		delete(proxies, kind)
	}
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{{"slow heads", b.slowHeads}, {"bodies in flight", b.bodiesInFlight}, {"reloads", b.reload}, {"fsync", b.fsyncs}} {
		b.say("round %d of %d: %s", b.round+1, b.rounds, step.name)
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return nil
}

// said is what a gateway logged last, for an error.
func (p *proxy) said() string {
	if p.log == nil {
		return ""
	}
	return "\n" + p.log.tail()
}

func intersect(turns []string, kinds ...string) []string {
	return slices.DeleteFunc(slices.Clone(turns), func(kind string) bool { return !slices.Contains(kinds, kind) })
}

// pause waits, unless ctx ends before.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }

func perDelivery(spent time.Duration, n int) float64 {
	return float64(spent) / float64(time.Microsecond) / float64(n)
}

// spent returns the CPU time that a proxy takes while f runs, and what comes to the upstream.
func (b *bench) spent(p *proxy, f func() error) (time.Duration, counts, error) {
	before, err := b.upstream.counts()
	if err != nil {
		return 0, counts{}, err
	}
	start, err := p.cpu()
	if err != nil {
		return 0, counts{}, err
	}
	if err := f(); err != nil {
		return 0, counts{}, err
	}
	end, err := p.cpu()
	if err != nil {
		return 0, counts{}, err
	}
	after, err := b.upstream.counts()
	return end - start, after.minus(before), err
}

// refusals sends deliveries that are too old, which the head shows. The gateway has not
// sent anything to the upstream yet.
func (b *bench) refusals(p *proxy) error {
	body := payloadOf(4 << 10)
	n := b.each[typical]
	ds := sign(body, n+b.warm, time.Now().Add(-time.Hour))
	if err := sendAll(p.address, body, ds[n:], 401, false); err != nil {
		return err
	}
	spent, got, err := b.spent(p, func() error { return sendAll(p.address, body, ds[:n], 401, false) })
	if err != nil {
		return err
	}
	b.add(p.kind, cpuRefusal, perDelivery(spent, n))
	b.add(p.kind, refusalDials, float64(got.conns))
	if got != (counts{}) {
		return fmt.Errorf("the upstream got %+v", got)
	}
	return nil
}

// alone sends deliveries each over a connection of its own, as a refusal comes: the gateway
// ends its connection.
func (b *bench) alone(p *proxy) error {
	return b.row(p, cpuAlone, payloadOf(4<<10), b.each[typical]/2, true)
}

// row measures the CPU time of deliveries one after another.
func (b *bench) row(p *proxy, measure string, body payload, n int, alone bool) error {
	ds := sign(body, n+b.warm, time.Now())
	if err := sendAll(p.address, body, ds[n:], 200, alone); err != nil {
		return err
	}
	spent, got, err := b.spent(p, func() error { return sendAll(p.address, body, ds[:n], 200, alone) })
	if err != nil {
		return err
	}
	b.add(p.kind, measure, perDelivery(spent, n))
	return arrived(got, n, body)
}

// arrived fails where the upstream has not got n bodies.
func arrived(got counts, n int, body payload) error {
	if got.requests != int64(n) || got.bytes != int64(n)*int64(body.size) {
		return fmt.Errorf("the upstream got %+v, want %d of %d bytes", got, n, body.size)
	}
	return nil
}

// allConns sends as fast as it can over many connections.
func (b *bench) allConns(p *proxy) error {
	body := payloadOf(4 << 10)
	ds := sign(body, b.flood+b.conns, time.Now())
	if _, _, err := flood(p.address, body, ds[b.flood:], b.conns, patience); err != nil {
		return err
	}
	var sent int
	var took time.Duration
	spent, got, err := b.spent(p, func() (err error) {
		sent, took, err = flood(p.address, body, ds[:b.flood], b.conns, b.floodTime)
		return err
	})
	if err != nil {
		return err
	}
	b.rates[p.kind] = float64(sent) / took.Seconds()
	b.add(p.kind, rate, b.rates[p.kind])
	b.add(p.kind, cpuFlood, perDelivery(spent, sent))
	return arrived(got, sent, body)
}

// halfLoad compares the latency through a gateway with that without one, at half the rate
// that allConns has just seen.
func (b *bench) halfLoad(p *proxy) error {
	body := payloadOf(4 << 10)
	half := b.rates[p.kind] / 2
	n := max(2*paceConns, min(b.paced, int(half*b.paceTime.Seconds())))
	through, err := pace(p.address, body, sign(body, n, time.Now()), paceConns, half)
	if err != nil {
		return err
	}
	past, err := pace(b.upstream.address, body, sign(body, n, time.Now()), paceConns, half)
	if err != nil {
		return err
	}
	for measure, q := range map[string]float64{addedMedian: 0.5, added99: 0.99} {
		without := milliseconds(quantile(durations(past), q))
		b.add(direct+", at the rate of "+p.kind, strings.Replace(measure, "added ", "", 1), without)
		b.add(p.kind, measure, milliseconds(quantile(durations(through), q))-without)
	}
	return nil
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// slowHeads opens connections that do not finish their heads. An address may hold an eighth
// of all connections, so they come from several.
func (b *bench) slowHeads(ctx context.Context) error {
	p, err := b.startGateway(configOf + "limits: { read_header_timeout: 5m }\nstore: { memory: {} }\n" + b.route(""))
	if err != nil {
		return err
	}
	defer p.stop()
	var cs []net.Conn
	defer func() {
		for _, c := range cs {
			c.Close()
		}
	}()
	open := func(n int) (int64, error) {
		for i := range n {
			if err := ctx.Err(); err != nil {
				return 0, err
			}
			c, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(2+i%8))}}).Dial("tcp", p.address)
			if err != nil {
				return 0, err
			}
			cs = append(cs, c)
			if _, err := io.WriteString(c, "POST "+path+" HTTP/1.1\r\nHost: hooks.example.com\r\nStripe-Sig"); err != nil {
				return 0, err
			}
		}
		err := within("the connections are taken in", func() (bool, error) {
			n, err := p.sockets()
			return n > len(cs), err // and the one that listens
		})
		if err != nil {
			return 0, err
		}
		return p.resident()
	}
	before, err := open(16) // what is made once
	if err != nil {
		return err
	}
	after, err := open(b.heads)
	if err != nil {
		return err
	}
	b.add(plain, memoryHead, float64(after-before)/float64(b.heads)/(1<<10))
	return nil
}

// bodyBudget is the default of the gateway.
const bodyBudget = 128 << 20

// bodiesInFlight sends large bodies at once, which the upstream holds.
func (b *bench) bodiesInFlight(ctx context.Context) error {
	config := configOf + fmt.Sprintf("limits: { body_budget: %dMiB }\nstore: { memory: {} }\n", bodyBudget>>20) + b.route("")
	p, err := b.startGateway(strings.Replace(config, b.upstream.address+path, b.upstream.address+holdPath, 1))
	if err != nil {
		return err
	}
	defer p.stop()
	if err := pause(ctx, 1100*time.Millisecond); err != nil {
		return err
	}
	body := payloadOf(1 << 20)
	ds := sign(body, b.bodies, time.Now())
	idle, err := p.resident()
	if err != nil {
		return err
	}
	if err := p.forgetPeak(); err != nil {
		return err
	}
	before, err := b.upstream.counts()
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	var done, refused atomic.Int64
	for i, d := range ds {
		wg.Go(func() {
			s := &sender{address: p.address, path: path, from: &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(2+i%8))}}
			defer s.close()
			if status, err := s.send(body, d); err == nil && status == 503 {
				refused.Add(1)
			}
			done.Add(1)
		})
	}
	var held int64
	err = within("all bodies are held or answered", func() (bool, error) {
		now, err := b.upstream.counts()
		held = now.requests - before.requests
		return held+done.Load() >= int64(b.bodies), err
	})
	peak, peakErr := p.status("VmHWM")
	err = errors.Join(err, peakErr, b.upstream.release())
	wg.Wait()
	if err != nil {
		return fmt.Errorf("%w%s", err, p.said())
	}
	b.add(plain, memoryBodies, mib(peak-idle))
	b.add(plain, bodiesHeld, float64(held))
	b.add(plain, bodiesRefused, float64(refused.Load()))
	return nil
}

// reload loads a file anew in which every route has changed, while deliveries come.
func (b *bench) reload(ctx context.Context) error {
	file := func(generation int) string {
		var s strings.Builder
		s.WriteString(configOf + "store: { memory: {} }\n")
		s.WriteString(strings.Replace(b.route(""), b.upstream.address+path, fmt.Sprintf("%s/%d", b.upstream.address, generation), 1))
		for i := range b.routes - 1 {
			fmt.Fprintf(&s, "  - { name: route-%d, path: /hooks/%[1]d, provider: stripe, secret: file:secret-%[1]d, upstream: { url: http://%s/%d/%[1]d } }\n", i, b.upstream.address, generation)
		}
		return s.String()
	}
	for i := range b.routes - 1 {
		if err := b.put(fmt.Sprint("secret-", i), fmt.Sprintf("whsec_%032d\n", i)); err != nil {
			return err
		}
	}
	p, err := b.startGateway(file(0))
	if err != nil {
		return err
	}
	defer p.stop()
	if err := pause(ctx, 1100*time.Millisecond); err != nil {
		return err
	}

	type span struct{ from, to time.Time }
	var spans []span
	var failed error
	const perSecond = 500
	enough := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(enough)
		for generation := range b.reloads {
			// The file and its secrets are written before.
			if failed = b.put("hooknotary.yaml", file(generation+1)); failed != nil {
				return
			}
			if failed = pause(ctx, 300*time.Millisecond); failed != nil {
				return
			}
			before, _ := p.log.reload()
			from := time.Now()
			if failed = p.cmd.Process.Signal(syscall.SIGHUP); failed != nil {
				return
			}
			var to time.Time
			failed = within("the configuration is loaded", func() (bool, error) {
				var n int
				n, to = p.log.reload()
				return n > before, nil
			})
			if failed != nil {
				return
			}
			spans = append(spans, span{from, to})
		}
	})
	var timings []timing
	body := payloadOf(4 << 10)
	for more := true; more && err == nil; {
		var some []timing
		some, err = pace(p.address, body, sign(body, perSecond/4, time.Now()), paceConns, perSecond)
		timings = append(timings, some...)
		select {
		case <-enough:
			more = false
		default:
		}
	}
	wg.Wait()
	if err := errors.Join(err, failed); err != nil {
		return fmt.Errorf("%w%s", err, p.said())
	}
	var took, meanwhile, else_ []time.Duration
	for _, s := range spans {
		took = append(took, s.to.Sub(s.from))
	}
	for _, t := range timings {
		if slices.ContainsFunc(spans, func(s span) bool { return t.at.Before(s.to) && t.at.Add(t.took).After(s.from) }) {
			meanwhile = append(meanwhile, t.took)
		} else {
			else_ = append(else_, t.took)
		}
	}
	b.add(plain, reloadTime, milliseconds(quantile(took, 0.5)))
	if len(meanwhile) > 0 && len(else_) > 0 {
		b.add(plain, reloadSlower, float64(quantile(meanwhile, 0.99))/float64(quantile(else_, 0.99)))
	}
	return nil
}

// fsyncs measures what a commit of PostgreSQL waits for.
func (b *bench) fsyncs(context.Context) error {
	d, err := fsync(b.folder, 100)
	b.add("disk", fsyncTime, milliseconds(d))
	return err
}
