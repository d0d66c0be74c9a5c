package redisreplay_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hooknotary/hooknotary/verify/replay"
	"github.com/hooknotary/hooknotary/verify/replay/redisreplay"
	"github.com/hooknotary/hooknotary/verify/replay/redisreplay/redistest"
)

// dial returns a client as the package comment recommends it.
func dial(t testing.TB, addr string) *redis.Client {
	return client(t, &redis.Options{Addr: addr, ContextTimeoutEnabled: true, MaxRetries: -1})
}

func client(t testing.TB, o *redis.Options) *redis.Client {
	c := redis.NewClient(o)
	t.Cleanup(func() { c.Close() })
	return c
}

func dialCluster(t testing.TB, c *redistest.Cluster) *redis.ClusterClient {
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: c.Addrs(), ContextTimeoutEnabled: true})
	t.Cleanup(func() { client.Close() })
	return client
}

// both are the two kinds of client that a store treats differently.
var both = []struct {
	name string
	dial func(t testing.TB, addr string) *redis.Client
}{
	{"a client that keeps deadlines", dial},
	{"a client as go-redis makes it", func(t testing.TB, addr string) *redis.Client {
		return client(t, &redis.Options{Addr: addr})
	}},
}

// patient is a timeout for tests that are not about time: so long a busy machine
// may keep a server from answering.
const patient = 30 * time.Second

// open returns a store that is patient, unless it is to have another timeout.
func open(c redis.UniversalClient, o *redisreplay.Options) *redisreplay.Store {
	var options redisreplay.Options
	if o != nil {
		options = *o
	}
	if options.Timeout == 0 {
		options.Timeout = patient
	}
	return redisreplay.New(c, &options)
}

// ready returns a store that was checked.
func ready(t testing.TB, c redis.UniversalClient, o *redisreplay.Options) *redisreplay.Store {
	t.Helper()
	s := open(c, o)
	eventually(t, "the store is ready", func() error { return s.Check(t.Context()) })
	return s
}

// eventually waits until f succeeds. Tries are counted, and not seconds: on a busy
// machine each takes longer.
func eventually(t testing.TB, what string, f func() error) {
	t.Helper()
	for try := 1; ; try++ {
		err := f()
		if err == nil {
			return
		}
		if try == 1000 {
			t.Fatalf("%s: not after %d tries: %v", what, try, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// stopwatch measures the time during which this process got to run: it counts short
// pauses, which a busy machine makes longer, but not more.
type stopwatch struct {
	ticks atomic.Int64
	stop  chan struct{}
}

const tick = 5 * time.Millisecond

func startWatch() *stopwatch {
	w := &stopwatch{stop: make(chan struct{})}
	go func() {
		for {
			select {
			case <-w.stop:
				return
			case <-time.After(tick):
				w.ticks.Add(1)
			}
		}
	}()
	return w
}

// read stops the watch and returns what went by.
func (w *stopwatch) read() time.Duration {
	close(w.stop)
	return time.Duration(w.ticks.Load()) * tick
}

func keyOf(id string) replay.Key {
	return replay.Event{Endpoint: "billing", Provider: "stripe", Scope: "default", ID: id}.Key()
}

// claim returns a claim on an event by a new owner.
func claim(id string) replay.Claim {
	return replay.Claim{
		Key:         keyOf(id),
		Token:       replay.NewToken(),
		Lease:       time.Minute,
		Needed:      10 * time.Minute,
		Retention:   time.Hour,
		Fingerprint: sha256.Sum256([]byte(id)),
	}
}

// bound returns a claim with the binding of a message of the same name to a body.
func bound(id, body string) replay.Claim {
	c := claim(id)
	from := replay.Event{Endpoint: "billing", Provider: "paypal", Scope: "default"}
	c.Binding = &replay.BodyBinding{Message: from.MessageKey(id), Body: sha256.Sum256([]byte(body))}
	return c
}

// resigned returns a claim on an event that was signed at a time, by a provider
// that signs every attempt anew.
func resigned(id string, at time.Time) replay.Claim {
	c := claim(id)
	c.Resigned, c.SignedAt = true, at
	return c
}

func handle(c replay.Claim) replay.Handle { return replay.Handle{Key: c.Key, Token: c.Token} }

func want(t testing.TB, s replay.Store, c replay.Claim, status replay.Status, why string) replay.Outcome {
	t.Helper()
	o, err := s.Claim(context.Background(), c)
	if err != nil || o.Status != status {
		t.Fatalf("%s: Claim = %v, %v, want %v", why, o.Status, err, status)
	}
	return o
}

func succeed(t testing.TB, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// finish claims an event and commits it.
func finish(t testing.TB, s replay.Store, c replay.Claim) {
	t.Helper()
	want(t, s, c, replay.Acquired, "a free event")
	succeed(t, "Commit", s.Commit(context.Background(), handle(c)))
}

// calls are the operations of a store, on an event that the claim acquired.
func calls(s *redisreplay.Store, c replay.Claim) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"Claim":   func(ctx context.Context) error { _, err := s.Claim(ctx, claim("another")); return err },
		"Renew":   func(ctx context.Context) error { return s.Renew(ctx, handle(c), time.Minute) },
		"Commit":  func(ctx context.Context) error { return s.Commit(ctx, handle(c)) },
		"Release": func(ctx context.Context) error { return s.Release(ctx, handle(c)) },
		"Forget":  func(ctx context.Context) error { return s.Forget(ctx, keyOf("yet another")) },
		"Check":   s.Check,
		"Inspect": func(ctx context.Context) error { _, _, err := s.Inspect(ctx, c.Key); return err },
		"Stats":   func(ctx context.Context) error { _, err := s.Stats(ctx); return err },
	}
}

// advance lets time pass on a server for the keys that begin with a prefix: what
// was to expire in a minute expires that much earlier, as if the server's clock
// had been set forward.
func advance(t testing.TB, c redis.Cmdable, prefix string, d time.Duration) {
	t.Helper()
	ctx := context.Background()
	for _, key := range keys(t, c, "{"+prefix+":*}[em]*") { // marks stay
		left, err := c.PTTL(ctx, key).Result()
		succeed(t, "PTTL", err)
		switch {
		case left < 0: // it never expires, or just did
		case left <= d:
			succeed(t, "DEL", c.Del(ctx, key).Err())
		default:
			succeed(t, "PEXPIRE", c.PExpire(ctx, key, left-d).Err())
		}
	}
}

func keys(t testing.TB, c redis.Cmdable, pattern string) []string {
	t.Helper()
	all, err := c.Keys(context.Background(), pattern).Result()
	succeed(t, "KEYS", err)
	return all
}

// counter counts the round trips of a client: commands and pipelines.
type counter struct{ n atomic.Int64 }

func count(c redis.UniversalClient) *counter {
	n := new(counter)
	c.AddHook(n)
	return n
}

func (c *counter) DialHook(next redis.DialHook) redis.DialHook { return next }

func (c *counter) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		c.n.Add(1)
		return next(ctx, cmd)
	}
}

func (c *counter) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		c.n.Add(1)
		return next(ctx, cmds)
	}
}

// take returns the count and starts anew.
func (c *counter) take() int64 { return c.n.Swap(0) }

// proxy stands between a client and a server and loses what it is told to.
type proxy struct {
	t      testing.TB
	listen net.Listener
	server string

	mu     sync.Mutex
	fault  fault
	script string // the fault is for requests that contain this
}

// fault is what happens to the next request. After it the connection is cut.
type fault int

const (
	none       fault = iota
	noRequest        // it does not reach the server
	cutRequest       // half of it does
	noAnswer         // the server's answer does not come back
	cutAnswer        // the first byte of it does
)

func newProxy(t testing.TB, server string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	succeed(t, "listen", err)
	p := &proxy{t: t, listen: l, server: server}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(c)
		}
	}()
	return p
}

func (p *proxy) addr() string { return p.listen.Addr().String() }

// next arms a fault for the next request that contains a script's name.
func (p *proxy) next(f fault, script string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault, p.script = f, script
}

// pending reports whether the fault has not happened yet.
func (p *proxy) pending() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fault != none
}

func (p *proxy) take(request []byte) fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !strings.Contains(string(request), p.script) {
		return none
	}
	f := p.fault
	p.fault = none
	return f
}

// serve passes on what comes, until something is to be lost. A request of the
// tests fits into one read, and so does its answer; only those of the first check
// do not.
func (p *proxy) serve(c net.Conn) {
	defer c.Close()
	s, err := net.Dial("tcp", p.server)
	if err != nil {
		return
	}
	defer s.Close()
	var f atomic.Int32
	go func() {
		defer c.Close()
		buf := make([]byte, 1<<16)
		for {
			n, err := s.Read(buf)
			if err != nil {
				return
			}
			switch fault(f.Load()) {
			case noAnswer:
				return
			case cutAnswer:
				c.Write(buf[:1])
				return
			}
			if _, err := c.Write(buf[:n]); err != nil {
				return
			}
		}
	}()
	buf := make([]byte, 1<<16)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		switch f.Store(int32(p.take(buf[:n]))); fault(f.Load()) {
		case noRequest:
			return
		case cutRequest:
			s.Write(buf[:n/2])
			return
		}
		if _, err := s.Write(buf[:n]); err != nil {
			return
		}
	}
}

// partOf returns the part that a key falls into, found another way than the store
// finds it.
func partOf(k replay.Key) int {
	var n int
	fmt.Sscanf(fmt.Sprintf("%08b%08b", k[0], k[1])[:10], "%b", &n)
	return n
}
