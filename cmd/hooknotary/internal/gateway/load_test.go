package gateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/config"
	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/gateway"
	"github.com/hooknotary/hooknotary/providers/github/githubtest"
	"github.com/hooknotary/hooknotary/providers/paypal/paypaltest"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
)

const webhookID = "8PT597110X687430L"

// runs counts how often an upstream was given each event, by its id.
type runs struct {
	mu sync.Mutex
	of map[string]int
}

func (r *runs) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	var event struct{ ID string }
	if err := json.NewDecoder(req.Body).Decode(&event); err != nil || event.ID == "" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	r.of[event.ID]++
	r.mu.Unlock()
}

// rotation is a secret that changes: the newest four are taken, as in a file that has the
// new one above the old ones. A sender uses the newest that was announced to it. The
// oldest is dropped only when nothing is under way that it signed, as an operator would.
type rotation struct {
	mu      sync.Mutex
	secrets []string // the newest last
	using   map[string]int
	unused  *sync.Cond
}

func newRotation() *rotation {
	r := &rotation{secrets: []string{newSecret()}, using: make(map[string]int)}
	r.unused = sync.NewCond(&r.mu)
	return r
}

func newSecret() string { return fmt.Sprintf("whsec_%016x%016x", rand.Uint64(), rand.Uint64()) }

// use returns the secret to sign with, and what to call when the response has come.
func (r *rotation) use() (secret string, done func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	secret = r.secrets[len(r.secrets)-1]
	r.using[secret]++
	return secret, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.using[secret]--
		r.unused.Broadcast()
	}
}

// rotate has a new secret loaded, and then announces it.
func (r *rotation) rotate(load func(keys []string)) {
	r.mu.Lock()
	next := newSecret()
	keys := append(slices.Clone(r.secrets), next)
	if len(keys) > verify.MaxKeys {
		for oldest := keys[0]; r.using[oldest] > 0; {
			r.unused.Wait()
		}
		delete(r.using, keys[0])
		keys = keys[1:]
	}
	r.mu.Unlock()
	slices.Reverse(keys)
	load(keys)
	slices.Reverse(keys)
	r.mu.Lock()
	r.secrets = keys
	r.mu.Unlock()
}

// newestFirst returns the secrets as a file lists them.
func (r *rotation) newestFirst() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	keys := slices.Clone(r.secrets)
	slices.Reverse(keys)
	return keys
}

// TestReloadUnderLoad sends 500 deliveries a second over real connections while the
// configuration is loaded 200 times, with a new secret each time.
func TestReloadUnderLoad(t *testing.T) {
	const rate = 500 // a second
	reloads := 200
	if testing.Short() {
		reloads = 20
	}
	const pause = 100 * time.Millisecond // between two reloads

	upstream := &runs{of: make(map[string]int)}
	up := httptest.NewServer(upstream)
	defer up.Close()
	sender := paypaltest.New(webhookID)
	stripeSecret, githubSecret := newRotation(), newRotation()

	dir := t.TempDir()
	file := filepath.Join(dir, "hooknotary.yaml")
	// configure writes the file with these secrets, the newest first.
	configure := func(stripeKeys, githubKeys []string) {
		var b strings.Builder
		fmt.Fprintf(&b, "listen: { address: 127.0.0.1:0 }\nstore: { memory: {} }\nroutes:\n")
		for _, r := range []struct {
			name, provider string
			secrets        []string
		}{{"billing", "stripe", stripeKeys}, {"ci", "github", githubKeys}} {
			fmt.Fprintf(&b, "  - name: %s\n    path: /hooks/%s\n    provider: %[2]s\n    upstream: { url: %s }\n    secrets:\n", r.name, r.provider, up.URL)
			for _, secret := range r.secrets {
				label := secret[len(secret)-8:]
				write(t, filepath.Join(dir, label), secret+"\n")
				fmt.Fprintf(&b, "      - { label: k-%s, from: file:%[1]s }\n", label)
			}
		}
		fmt.Fprintf(&b, "  - { name: shop, path: /hooks/paypal, provider: paypal, webhook_id: %s, upstream: { url: %s } }\n", webhookID, up.URL)
		write(t, file+"~", b.String())
		rename(t, file+"~", file)
	}
	configure(stripeSecret.secrets, githubSecret.secrets)
	read := func() (*config.Config, error) {
		return config.Load(file, config.Env{Transport: sender, Roots: sender.Roots()}, time.Now())
	}
	first, err := read()
	if err != nil {
		t.Fatal(err)
	}
	g, _ := newGateway(t, first, nil)
	hup := make(chan os.Signal, 1)
	follower := &gateway.Follower{Gateway: g, Load: read, Again: hup}
	following, stop := context.WithCancel(t.Context())
	followed := make(chan struct{})
	go func() {
		follower.Run(following)
		close(followed)
	}()
	defer func() {
		stop()
		<-followed
	}()
	var slowest time.Duration
	// load has the gateway load the file, and waits until it serves it.
	load := func(stripeKeys, githubKeys []string) {
		configure(stripeKeys, githubKeys)
		before, began := g.Config(), time.Now()
		hup <- syscall.SIGHUP
		eventually(t, "the file is loaded", func() bool { return g.Config() != before })
		slowest = max(slowest, time.Since(began))
	}
	server := httptest.NewServer(g)
	defer server.Close()

	var dials atomic.Int64
	client := &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: 100,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			dials.Add(1)
			return new(net.Dialer).DialContext(ctx, network, address)
		},
	}}
	defer client.CloseIdleConnections()

	var mu sync.Mutex
	sent := make(map[string]bool)
	statuses := make(map[string]int)
	type past struct {
		url    string
		header http.Header
		body   []byte
	}
	var handled []past // some of the deliveries that were answered
	do := func(r *http.Request) (int, bool) {
		res, err := client.Do(r)
		if err != nil {
			t.Errorf("%s: %v", r.URL.Path, err)
			return 0, false
		}
		io.Copy(io.Discard, res.Body)
		res.Body.Close()
		return res.StatusCode, res.Header.Get("Webhook-Duplicate") != ""
	}
	deliver := func(n int) {
		id := fmt.Sprint("evt_", n)
		var r *http.Request
		var body []byte
		done := func() {}
		switch n % 3 {
		case 0:
			var s string
			s, done = stripeSecret.use()
			body = event(id)
			r = stripetest.NewRequest(server.URL+"/hooks/stripe", time.Now(), body, s)
			r.RequestURI = ""
		case 1:
			var s string
			s, done = githubSecret.use()
			body = fmt.Appendf(nil, `{"id":%q,"zen":"Keep it logically awesome."}`, id)
			r = githubtest.NewRequest(server.URL+"/hooks/github", "push", body, s)
		default:
			body = fmt.Appendf(nil, `{"id":%q,"event_type":"PAYMENT.CAPTURE.COMPLETED"}`, id)
			r = sender.NewRequest(server.URL+"/hooks/paypal", time.Now(), body)
		}
		header := r.Header.Clone()
		status, duplicate := do(r)
		done()
		mu.Lock()
		defer mu.Unlock()
		sent[id] = true
		statuses[fmt.Sprintf("%s %d %t", r.URL.Path, status, duplicate)]++
		if n%10 < 3 {
			handled = append(handled, past{r.URL.String(), header, body})
		}
	}
	replays, refused := 0, 0
	replay := func() {
		mu.Lock()
		var old []past
		for range min(len(handled), 10) {
			old = append(old, handled[rand.IntN(len(handled))])
		}
		mu.Unlock()
		for _, p := range old {
			r, err := http.NewRequest(http.MethodPost, p.url, bytes.NewReader(p.body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header = p.header.Clone()
			status, duplicate := do(r)
			replays++
			switch {
			case status == 409, status == 401: // or its key is gone
				refused++
			case status != 200 || !duplicate:
				t.Errorf("a replay on %s: status %d, duplicate %t", r.URL.Path, status, duplicate)
			}
		}
	}

	start := time.Now()
	var senders sync.WaitGroup
	ended := make(chan struct{})
	senders.Go(func() {
		tick := time.NewTicker(time.Second / rate)
		defer tick.Stop()
		for n := 0; ; n++ {
			select {
			case <-ended:
				return
			case <-tick.C: // which a busy machine does not always hear
			}
			senders.Go(func() { deliver(n) })
		}
	})
	for i := range reloads {
		time.Sleep(pause)
		githubKeys := githubSecret.newestFirst()
		if i%4 == 3 {
			githubSecret.rotate(func(keys []string) {
				githubKeys = slices.Clone(keys)
				load(stripeSecret.newestFirst(), githubKeys)
			})
		}
		stripeSecret.rotate(func(keys []string) { load(keys, githubKeys) })
		replay()
	}
	close(ended)
	senders.Wait()
	took := time.Since(start)

	if len(statuses) != 3 {
		t.Errorf("answers: %v; want 200 from each of three routes", statuses)
	}
	for _, path := range []string{"/hooks/stripe", "/hooks/github", "/hooks/paypal"} {
		if statuses[path+" 200 false"] == 0 {
			t.Errorf("%s: none was handled: %v", path, statuses)
		}
	}
	for id := range sent {
		if n := upstream.of[id]; n != 1 {
			t.Errorf("%s ran %d times, want once", id, n)
		}
	}
	if n := len(upstream.of); n != len(sent) {
		t.Errorf("%d events ran, want %d", n, len(sent))
	}
	fetched := sender.Fetched()
	slices.Sort(fetched)
	if n := len(slices.Compact(slices.Clone(fetched))); n != len(fetched) {
		t.Errorf("certificates were fetched %d times, %d of them: the route that did not change lost them", len(fetched), n)
	}
	t.Logf("%d deliveries in %v, %.0f a second, over %d connections; %d reloads, the slowest took %v; %d replays, of which %d were refused and the rest acknowledged",
		len(sent), took.Round(time.Millisecond), float64(len(sent))/took.Seconds(), dials.Load(), reloads, slowest.Round(time.Microsecond), replays, refused)
}
