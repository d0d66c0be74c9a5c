package middleware_test

import (
	"bufio"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/adapter"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

// badHeads are requests that are refused before their body.
var badHeads = []struct {
	name   string
	header http.Header
}{
	{"unsigned", http.Header{"Content-Type": {"application/json"}}},
	{"malformed", http.Header{"Content-Type": {"application/json"}, "Stripe-Signature": {"t=1700000000,v1=zz"}}},
}

func benchGuard(t testing.TB) *middleware.Guard {
	guard, err := middleware.New("bench", stripe.Must(stripeSecret), replay.NewMemory(nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	return guard
}

func refuse(t testing.TB, guard *middleware.Guard, header http.Header) *middleware.Response {
	in := adapter.Inbound{
		Head:          verify.Head{Method: http.MethodPost, Header: header},
		ContentLength: 1000,
	}
	admission, response := guard.Admit(context.Background(), &in)
	if admission != nil || response.Status != 401 {
		t.Fatalf("admission %v, response %+v", admission, response)
	}
	return response
}

func TestCost(t *testing.T) {
	t.Run("a refusal on the head is cheap", func(t *testing.T) {
		guard := benchGuard(t)
		for _, c := range badHeads {
			if n := testing.AllocsPerRun(1000, func() { refuse(t, guard, c.header) }); n > 3 {
				t.Errorf("%s: %v allocations", c.name, n)
			}
		}
	})
}

func BenchmarkHeadRefusal(b *testing.B) {
	guard := benchGuard(b)
	for _, c := range badHeads {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				refuse(b, guard, c.header)
			}
		})
	}
}

// BenchmarkAdmit is the guard's whole part in an accepted delivery, without a
// server around it.
func BenchmarkAdmit(b *testing.B) {
	for _, size := range []int{256, 4 << 10} {
		b.Run(fmt.Sprint(size, " B"), func(b *testing.B) {
			guard := benchGuard(b)
			h := guard.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			w := httptest.NewRecorder()
			var requests []*http.Request
			n := 0
			b.ReportAllocs()
			for b.Loop() {
				if len(requests) == 0 {
					b.StopTimer()
					for range 1000 {
						n++
						r := stripetest.NewRequest(hookURL, time.Now(), sized(fmt.Sprint("evt_", n), size), stripeSecret)
						requests = append(requests, r)
					}
					b.StartTimer()
				}
				h.ServeHTTP(w, requests[0])
				requests = requests[1:]
			}
		})
	}
}

// handWritten is what the guard is measured against: the least that checks a
// signature, without a limit, a window or a store.
func handWritten(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		var timestamp, signature string
		for item := range strings.SplitSeq(r.Header.Get("Stripe-Signature"), ",") {
			name, value, _ := strings.Cut(item, "=")
			switch name {
			case "t":
				timestamp = value
			case "v1":
				signature = value
			}
		}
		claimed, err := hex.DecodeString(signature)
		if err != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		mac := hmac.New(sha256.New, []byte(stripeSecret))
		io.WriteString(mac, timestamp+".")
		mac.Write(body)
		if !hmac.Equal(mac.Sum(nil), claimed) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// load sends deliveries over some connections that stay open, with the client of
// net/http or with one that does as little as a client can.
type load struct {
	t     testing.TB
	size  int
	url   string
	next  int // number of the next event
	conns []net.Conn
	in    []*bufio.Reader
	texts [connections][]string

	client   *http.Client
	requests [connections][]*http.Request
}

const connections = 4

func newLoad(t testing.TB, h http.Handler, size int, client bool) *load {
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	l := &load{t: t, size: size, url: server.URL}
	if client {
		l.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections}}
		t.Cleanup(l.client.CloseIdleConnections)
		return l
	}
	for range connections {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		l.conns = append(l.conns, conn)
		l.in = append(l.in, bufio.NewReader(conn))
	}
	return l
}

// sign prepares n deliveries of distinct events.
func (l *load) sign(n int) {
	for i := range connections {
		l.texts[i], l.requests[i] = nil, nil
	}
	now := time.Now()
	for i := range n {
		l.next++
		body := sized(fmt.Sprintf("evt_%09d", l.next), l.size)
		r := stripetest.NewRequest(l.url, now, body, stripeSecret)
		i %= connections
		if l.client != nil {
			l.requests[i] = append(l.requests[i], r)
		} else {
			l.texts[i] = append(l.texts[i], headOf(r, fmt.Sprintf("Content-Length: %d", len(body)))+string(body))
		}
	}
}

// send sends what was signed and returns how long it took.
func (l *load) send() time.Duration {
	begin := time.Now()
	var group sync.WaitGroup
	for i := range connections {
		group.Go(func() {
			if err := l.sendOver(i); err != nil {
				l.t.Error(err)
			}
		})
	}
	group.Wait()
	return time.Since(begin)
}

func (l *load) sendOver(i int) error {
	for _, r := range l.requests[i] {
		response, err := l.client.Do(r)
		if err != nil {
			return err
		}
		io.Copy(io.Discard, response.Body)
		response.Body.Close()
		if response.StatusCode != 200 {
			return fmt.Errorf("status %d", response.StatusCode)
		}
	}
	for _, text := range l.texts[i] {
		if _, err := io.WriteString(l.conns[i], text); err != nil {
			return err
		}
		if err := accepted(l.in[i]); err != nil {
			return err
		}
	}
	return nil
}

// accepted reads a response without a body.
func accepted(in *bufio.Reader) error {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !strings.HasPrefix(string(line), "HTTP/1.1 200 ") {
		return fmt.Errorf("answered %q", line)
	}
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) == 2 {
			return nil
		}
	}
}

var ok = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	// As handlers do: they read the body once.
	io.Copy(io.Discard, r.Body)
})

func guarded(t testing.TB) http.Handler { return benchGuard(t).Handler(ok) }

func benchmarkServer(b *testing.B, h func(testing.TB) http.Handler) {
	const batch = 2000
	for _, size := range []int{256, 4 << 10} {
		b.Run(fmt.Sprint(size, " B"), func(b *testing.B) {
			l := newLoad(b, h(b), size, false)
			b.ReportAllocs()
			b.ResetTimer()
			for left := b.N; left > 0; left -= batch {
				b.StopTimer()
				l.sign(min(left, batch))
				b.StartTimer()
				l.send()
			}
		})
	}
}

func BenchmarkGuarded(b *testing.B) { benchmarkServer(b, guarded) }

func BenchmarkHandWritten(b *testing.B) {
	benchmarkServer(b, func(testing.TB) http.Handler { return handWritten(ok) })
}

// BenchmarkRatio measures both in turns, so that what else happens on the machine
// hits both, and reports the median of their ratios: requests a second with the
// guard to requests a second without. Run it with -benchtime=30x.
func BenchmarkRatio(b *testing.B) {
	const batch = 4000
	for _, client := range []bool{true, false} {
		for _, size := range []int{256, 4 << 10} {
			name := fmt.Sprint("bare client, ", size, " B")
			if client {
				name = fmt.Sprint("net/http client, ", size, " B")
			}
			b.Run(name, func(b *testing.B) {
				with, without := newLoad(b, guarded(b), size, client), newLoad(b, handWritten(ok), size, client)
				measure := func(l *load) float64 {
					l.sign(batch)
					runtime.GC()
					return batch / l.send().Seconds()
				}
				measure(with)
				measure(without)
				var ratios []float64
				for i := 0; b.Loop(); i++ {
					var a, c float64
					if i%2 == 0 {
						a, c = measure(with), measure(without)
					} else {
						c, a = measure(without), measure(with)
					}
					ratios = append(ratios, a/c)
				}
				slices.Sort(ratios)
				b.ReportMetric(ratios[len(ratios)/2], "guarded/hand-written")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// BenchmarkEviction is one delivery among bodies that stall and use up the budget:
// it takes the place of one. Run it with -benchtime=60x.
func BenchmarkEviction(b *testing.B) {
	for _, stalled := range []int{64, 512, 4096} {
		b.Run(fmt.Sprint(stalled, " stalled bodies"), func(b *testing.B) {
			// Each is charged 24 KiB.
			budget := int64(stalled) * 48 << 10
			guard, err := middleware.New("bench", stripe.Must(stripeSecret), replay.NewMemory(nil), &middleware.Options{
				BodyBudget: budget, MaxBody: 8 << 10, BodyTimeout: time.Hour,
			})
			if err != nil {
				b.Fatal(err)
			}
			evicted := make(chan struct{}, 2*stalled)
			stall := func() {
				r := stripetest.NewRequest(hookURL, time.Now(), sized("evt_stalled", 8<<10-1), stripeSecret)
				over := make(chan struct{})
				body := io.MultiReader(io.LimitReader(r.Body, 4<<10), readerFunc(func([]byte) (int, error) {
					<-over
					return 0, io.ErrUnexpectedEOF
				}))
				_, response := guard.Admit(context.Background(), &adapter.Inbound{
					Head: verify.Head{Method: "POST", Header: r.Header}, ContentLength: r.ContentLength, Body: body,
					SetReadDeadline: func(time.Time) error { close(over); return nil },
				})
				if response != nil {
					evicted <- struct{}{}
				}
			}
			for range stalled + 2 {
				go stall()
			}
			time.Sleep(3 * time.Second) // until all are old enough
			// A machine with other work makes some of them slow, but not all.
			n, fastest := 0, time.Hour
			for b.Loop() {
				n++
				r := stripetest.NewRequest(hookURL, time.Now(), sized(fmt.Sprint("evt_", n), 8<<10-1), stripeSecret)
				begin := time.Now()
				admission, response := guard.Admit(context.Background(), adapter.NewInbound(httptest.NewRecorder(), r))
				fastest = min(fastest, time.Since(begin))
				if response != nil {
					b.Fatalf("status %d", response.Status)
				}
				defer admission.Close() // its place stays taken
			}
			b.ReportMetric(float64(fastest.Nanoseconds()), "fastest-ns")
			if len(evicted) < n-2 {
				b.Errorf("%d bodies were evicted for %d", len(evicted), n)
			}
		})
	}
}
