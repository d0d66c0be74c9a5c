package redisreplay_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify/replay"
	"github.com/hooknotary/hooknotary/verify/replay/redisreplay/redistest"
)

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}

// prepare makes claims on events that nobody has claimed before.
func prepare(n int, next *int) []replay.Claim {
	claims := make([]replay.Claim, n)
	for i := range claims {
		*next++
		claims[i] = claim(fmt.Sprint("bench", *next))
	}
	return claims
}

// BenchmarkRatio compares a claim and a commit with two bare round trips, in
// turns, so that what else happens on the machine hits both, and reports the
// medians of times and ratios. Run it with -benchtime=100x.
func BenchmarkRatio(b *testing.B) {
	const batch = 100
	c := dial(b, redistest.NewServer(b).Addr())
	s := ready(b, c, nil)
	ctx := context.Background()
	n := 0
	var claims []replay.Claim
	value := strings.Repeat("x", 72)
	nop := redis.NewScript("return 0")
	succeed(b, "SCRIPT LOAD", nop.Load(ctx, c).Err())
	kinds := []struct {
		name string
		run  func(cl *replay.Claim) (error, error)
	}{
		{"claim+commit", func(cl *replay.Claim) (error, error) {
			_, err := s.Claim(ctx, *cl)
			return err, s.Commit(ctx, handle(*cl))
		}},
		{"ping+ping", func(*replay.Claim) (error, error) { return c.Ping(ctx).Err(), c.Ping(ctx).Err() }},
		{"set+get", func(cl *replay.Claim) (error, error) {
			key := string(cl.Key[:])
			return c.Set(ctx, key, value, time.Hour).Err(), c.Get(ctx, key).Err()
		}},
		{"script+script", func(cl *replay.Claim) (error, error) {
			key := string(cl.Key[:])
			err := nop.EvalSha(ctx, c, []string{key, key}, value, 1000, 1000).Err()
			return err, nop.EvalSha(ctx, c, []string{key}, cl.Token[:]).Err()
		}},
	}
	times := make([][]float64, len(kinds))
	for i := 0; b.Loop(); i++ {
		for k := range kinds {
			k = (k + i) % len(kinds)
			claims = prepare(batch, &n)
			begin := time.Now()
			for i := range claims {
				if err1, err2 := kinds[k].run(&claims[i]); err1 != nil || err2 != nil {
					b.Fatal(kinds[k].name, err1, err2)
				}
			}
			times[k] = append(times[k], float64(time.Since(begin).Nanoseconds())/batch/1000)
		}
	}
	for k := range kinds[1:] {
		var ratios []float64
		for i := range times[0] {
			ratios = append(ratios, times[0][i]/times[k+1][i])
		}
		b.ReportMetric(median(ratios), "of_"+kinds[k+1].name)
	}
	for k := range kinds {
		b.ReportMetric(median(times[k]), "µs/"+kinds[k].name)
	}
	b.ReportMetric(0, "ns/op")
}

// load sends deliveries to a guard over connections that stay open.
type load struct {
	server   *httptest.Server
	client   *http.Client
	requests [][]*http.Request
}

func newLoad(b *testing.B, s replay.Store, connections int) *load {
	guard, err := middleware.New("bench", stripe.Must(stripeSecret), s, nil)
	succeed(b, "middleware.New", err)
	l := &load{
		server: httptest.NewServer(guard.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
		}))),
		client:   &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections}},
		requests: make([][]*http.Request, connections),
	}
	b.Cleanup(l.server.Close)
	b.Cleanup(l.client.CloseIdleConnections)
	return l
}

// measure sends n new events and returns how many were answered in a second.
func (l *load) measure(b *testing.B, n int, next *int) float64 {
	for i := range n {
		*next++
		body := fmt.Sprintf(`{"id":"evt_%09d","object":"event","data":%q}`, *next, strings.Repeat("x", 200))
		l.requests[i%len(l.requests)] = append(l.requests[i%len(l.requests)], stripetest.NewRequest(l.server.URL, time.Now(), []byte(body), stripeSecret))
	}
	runtime.GC()
	begin := time.Now()
	var wg sync.WaitGroup
	for i := range l.requests {
		wg.Go(func() {
			for _, r := range l.requests[i] {
				response, err := l.client.Do(r)
				if err != nil {
					b.Error(err)
					return
				}
				io.Copy(io.Discard, response.Body)
				response.Body.Close()
				if response.StatusCode != http.StatusOK {
					b.Errorf("status %d", response.StatusCode)
				}
			}
			l.requests[i] = nil
		})
	}
	wg.Wait()
	return float64(n) / time.Since(begin).Seconds()
}

// BenchmarkGuarded compares the deliveries a second of a guard whose store is
// in Redis with those of one whose store is in memory, in turns.
func BenchmarkGuarded(b *testing.B) {
	const batch = 2000
	for _, connections := range []int{4, 32, 128} {
		b.Run(fmt.Sprint(connections, " connections"), func(b *testing.B) {
			c := dial(b, redistest.NewServer(b).Addr())
			n := 0
			with := newLoad(b, ready(b, c, nil), connections)
			without := newLoad(b, replay.NewMemory(nil), connections)
			with.measure(b, batch, &n)
			without.measure(b, batch, &n)
			var redis, memory, ratios []float64
			for i := 0; b.Loop(); i++ {
				var r, m float64
				if i%2 == 0 {
					r, m = with.measure(b, batch, &n), without.measure(b, batch, &n)
				} else {
					m, r = without.measure(b, batch, &n), with.measure(b, batch, &n)
				}
				redis, memory, ratios = append(redis, r), append(memory, m), append(ratios, r/m)
			}
			b.ReportMetric(median(redis), "redis/s")
			b.ReportMetric(median(memory), "memory/s")
			b.ReportMetric(median(ratios), "redis/memory")
			b.ReportMetric(0, "ns/op")
		})
	}
}
