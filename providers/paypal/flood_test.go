package paypal_test

import (
	"context"
	"crypto/x509"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hooknotary/hooknotary/providers/paypal"
	"github.com/hooknotary/hooknotary/verify"
)

// flood sends requests that name unknown certificates, so many a second, until it is
// stopped. Each is a request of its own, which waits as long as it is let.
func flood(v *paypal.Verifier, perSecond int) (sent *atomic.Int64, stop func()) {
	sent = new(atomic.Int64)
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() {
		ticker := time.NewTicker(time.Second / time.Duration(perSecond))
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			h := stranger(int(sent.Add(1)))
			all.Go(func() { v.Begin(ctx, h) })
		}
	})
	return sent, func() { cancel(); all.Wait() }
}

func TestFlood(t *testing.T) {
	t.Run("a flood of URLs causes few requests", func(t *testing.T) {
		t.Parallel()
		for _, perSecond := range []int{5, 50, 500} {
			t.Run(fmt.Sprint(perSecond, " a second"), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld()
					v := w.verifier(t)
					accept(t, "known before", v, sent(event), event)
					before := len(w.net.asked())
					n, stop := flood(v, perSecond)
					time.Sleep(2 * time.Minute)
					accept(t, "known before, in the flood", v, sent(event), event)
					stop()
					// The burst of 10, of which one was for the good one, and one a second.
					if got := len(w.net.asked()) - before; got < 127 || got > 130 {
						t.Errorf("%d unknown URLs in two minutes caused %d requests, want 129", n.Load(), got)
					}
				})
			})
		}
	})

	// What 24 genuine deliveries get while 50 requests a second name certificates that
	// nobody has.
	t.Run("genuine deliveries are verified", func(t *testing.T) {
		const deliveries, perSecond = 24, 50
		for _, tt := range []struct {
			name string
			warm func(t *testing.T, w *world, o *paypal.Options)
			all  bool
		}{
			{"a file of an earlier run", func(t *testing.T, w *world, o *paypal.Options) {
				o.CertFile = filepath.Join(t.TempDir(), "paypal.certs")
				earlier := w.verifier(t, func(options *paypal.Options) { *options = *o })
				accept(t, "in the earlier run", earlier, sent(event), event)
				written(t, earlier)
				w.hosts.status(certURL, 503) // PayPal's host is not even needed
				time.Sleep(time.Minute)
			}, true},
			{"nothing", func(*testing.T, *world, *paypal.Options) {}, false},
		} {
			t.Run("with "+tt.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld()
					o := paypal.Options{Roots: []*x509.Certificate{w.root.cert}, Transport: w.net}
					tt.warm(t, w, &o)
					v := w.verifier(t, func(mine *paypal.Options) { *mine = o })
					n, stop := flood(v, perSecond)
					defer stop()
					time.Sleep(time.Minute)
					// PayPal tries 26 times in all. The attempts of one event are hours
					// apart, but the flood does not know that.
					lost, first := 0, 0
					var all sync.WaitGroup
					var mu sync.Mutex
					for i := range deliveries {
						all.Go(func() {
							time.Sleep(time.Duration(i) * 400 * time.Millisecond)
							for attempt := range 26 {
								start := time.Now()
								_, err := verify.Verify(context.Background(), v, sent(event), event)
								if took := time.Since(start); took > 3*time.Second || tt.all && took != 0 {
									t.Errorf("a delivery waited %v", took)
								}
								if err == nil {
									mu.Lock()
									defer mu.Unlock()
									if attempt == 0 {
										first++
									}
									return
								}
								if verify.ReasonOf(err) != verify.ErrUnavailable {
									t.Errorf("refused with %v", err)
								}
								time.Sleep(10 * time.Second)
							}
							mu.Lock()
							defer mu.Unlock()
							lost++
						})
					}
					all.Wait()
					t.Logf("of %d deliveries %d were accepted at the first attempt and %d were lost, among %d unknown URLs", deliveries, first, lost, n.Load())
					// With nothing known, an attempt that waits among 150 others for one
					// draw a second has a chance of 3 in 150. That all of 624 attempts
					// miss has one of 3 in a million.
					if lost > 0 || tt.all && first != deliveries {
						t.Errorf("%d were lost, %d accepted at first", lost, first)
					}
				})
			})
		}
	})

	// The same over real sockets and TLS, with the file of an earlier run.
	t.Run("genuine deliveries are verified over TLS", func(t *testing.T) {
		w := newWorld()
		net := newInternet(t, w.hosts)
		file := filepath.Join(t.TempDir(), "paypal.certs")
		options := func(o *paypal.Options) { o.Transport, o.CertFile = net, file }
		earlier := w.verifier(t, options)
		accept(t, "in the earlier run", earlier, sent(event), event)
		written(t, earlier)

		v := w.verifier(t, options)
		before := len(net.asked())
		n, stop := flood(v, 50)
		for n.Load() < 60 { // the burst is over
			time.Sleep(time.Millisecond)
		}
		lost := 0
		for range 24 {
			if _, err := verify.Verify(t.Context(), v, sent(event), event); err != nil {
				lost++
			}
			time.Sleep(20 * time.Millisecond)
		}
		stop()
		strangers := 0
		for _, request := range net.asked()[before:] {
			if request == "GET "+certURL {
				t.Error("the known certificate was fetched")
			}
			strangers++
		}
		t.Logf("%d of 24 lost among %d unknown URLs, which caused %d requests", lost, n.Load(), strangers)
		if lost > 0 || strangers < 10 {
			t.Errorf("%d of 24 lost; the flood caused %d requests, want at least 10", lost, strangers)
		}
	})

	// Of the requests that wait, chance chooses: neither the first nor the last of them
	// has a claim.
	t.Run("chance chooses among unknown URLs", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			v := newWorld().verifier(t)
			for i := range 10 {
				v.Begin(context.Background(), stranger(i)) // the burst
			}
			const rounds = 300
			early := 0
			for i := range rounds {
				var order []string
				var mu sync.Mutex
				var all sync.WaitGroup
				for _, name := range []string{"early", "late"} {
					h := with(genuine(), "Paypal-Cert-Url", fmt.Sprintf("https://api.paypal.com/v1/notifications/certs/%s-%d", name, i))
					all.Go(func() {
						v.Begin(context.Background(), h)
						mu.Lock()
						defer mu.Unlock()
						order = append(order, name)
					})
					synctest.Wait() // it waits
				}
				all.Wait()
				if order[0] == "early" {
					early++
				}
			}
			t.Logf("of %d pairs the one that came first was chosen first %d times", rounds, early)
			if early < rounds/3 || early > 2*rounds/3 { // six deviations
				t.Errorf("of %d pairs the one that came first was chosen first %d times", rounds, early)
			}
		})
	})

	// What waits is bounded; of what comes then, and what is there, chance turns away.
	t.Run("the queue is bounded", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld()
			v := w.verifier(t)
			for i := range 10 {
				v.Begin(context.Background(), stranger(i))
			}
			ctx, cancel := context.WithCancel(context.Background())
			var all sync.WaitGroup
			var waiting atomic.Int64
			begin := func(h *verify.Head) {
				waiting.Add(1)
				all.Go(func() {
					v.Begin(ctx, h)
					waiting.Add(-1)
				})
			}
			for i := range 512 {
				begin(stranger(1000 + i))
				synctest.Wait()
				if n := waiting.Load(); n != int64(min(i+1, 256)) {
					t.Fatalf("of %d requests %d wait, want 256 at most", i+1, n)
				}
			}
			cancel()
			all.Wait()
		})
	})

	t.Run("a known URL has room in a flood", func(t *testing.T) {
		for _, prefetched := range []bool{true, false} {
			t.Run(fmt.Sprintf("prefetched %v", prefetched), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld()
					leaf := w.genuineFile()
					w.hosts.status(certURL, 503)
					v := w.verifier(t)
					if prefetched {
						if err := v.Prefetch(context.Background(), certURL); verify.ReasonOf(err) != verify.ErrUnavailable {
							t.Fatalf("Prefetch from a host that is down: %v", err)
						}
					}
					w.hosts.file(certURL, leaf)
					_, stop := flood(v, 500)
					defer stop()
					time.Sleep(time.Minute)
					start := time.Now()
					_, err := verify.Verify(context.Background(), v, sent(event), event)
					took := time.Since(start)
					if prefetched && (err != nil || took != 0) {
						t.Errorf("it waited %v: %v", took, err)
					}
					if !prefetched && (took == 0 || err != nil && !strings.Contains(err.Error(), "Prefetch")) {
						t.Errorf("among the others it waited %v: %v", took, err)
					}
				})
			})
		}
	})

	t.Run("fetches that hang leave room for a known URL", func(t *testing.T) {
		for _, prefetched := range []bool{true, false} {
			t.Run(fmt.Sprintf("prefetched %v", prefetched), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld()
					leaf := w.genuineFile()
					w.hosts.status(certURL, 503)
					v := w.verifier(t)
					if prefetched {
						v.Prefetch(context.Background(), certURL)
						time.Sleep(time.Minute)
					}
					w.hosts.file(certURL, leaf)
					var all sync.WaitGroup
					for i := range 8 {
						h := stranger(i)
						w.hosts.handle(h.Header.Get("Paypal-Cert-Url"), slowHosts[0].response)
						all.Go(func() {
							start := time.Now()
							if _, err := v.Begin(context.Background(), h); verify.ReasonOf(err) != verify.ErrUnavailable || time.Since(start) != 3*time.Second {
								t.Errorf("a URL that hangs took %v: %v", time.Since(start), err)
							}
						})
					}
					synctest.Wait()
					hanging := 0
					for _, request := range w.net.asked() {
						if strings.HasPrefix(request, "GET https://api.paypal.com/") && request != "GET "+certURL {
							hanging++
						}
					}
					if hanging != 8 {
						t.Errorf("%d fetches hang at once, want 8", hanging)
					}
					time.Sleep(time.Second)
					start := time.Now()
					accept(t, "meanwhile", v, sent(event), event)
					want := 2 * time.Second // then there is budget for it
					if prefetched {
						want = 0
					}
					if took := time.Since(start); took != want {
						t.Errorf("it waited %v, want %v", took, want)
					}
					all.Wait()
				})
			})
		}
	})

	// PayPal's host serves old certificates for ever, so anyone can name those that are
	// not valid any more, and were never trusted here. They take no place of one that
	// was.
	t.Run("a full cache drops no trusted certificate for another", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld()
			v := w.verifier(t)
			begin := func(url string) error {
				time.Sleep(time.Second) // a token
				_, err := v.Begin(t.Context(), sentUnder(url, leafKey(), receivedAt, event))
				return err
			}
			refetched := func(from, to int) int {
				before := len(w.net.asked())
				for i := from; i < to; i++ {
					if err := begin(leafURL(i)); err != nil {
						t.Errorf("certificate %d: %v", i, err)
					}
				}
				return len(w.net.asked()) - before
			}
			const capacity = 32
			expired := inPEM(w.issuer.leaf(leafKey().Public(), validFrom(receivedAt.AddDate(-3, 0, 0)), validUntil(receivedAt.AddDate(-2, 0, 0))))
			w.hosts.file(leafURL(1000), expired)
			if err := begin(leafURL(1000)); verify.ReasonOf(err) != verify.ErrUntrusted {
				t.Fatalf("one that expired: %v", err)
			}
			for i := range capacity {
				// The first of them expires first.
				w.hosts.file(leafURL(i), inPEM(w.issuer.leaf(leafKey().Public(), validUntil(receivedAt.Add(time.Duration(i+1)*time.Hour)))))
			}
			refetched(0, capacity)
			if n := refetched(0, capacity); n != 0 {
				t.Errorf("%d of %d trusted certificates were fetched again: one that expired took a place", n, capacity)
			}
			for i := range 2 * capacity {
				w.hosts.file(leafURL(2000+i), expired)
				if err := begin(leafURL(2000 + i)); verify.ReasonOf(err) != verify.ErrUntrusted {
					t.Fatalf("one that expired: %v", err)
				}
			}
			if n := refetched(0, capacity); n != 0 {
				t.Errorf("%d of %d trusted certificates were dropped for ones that expired", n, capacity)
			}
			// One that is trusted takes the place of the one that expires first.
			w.hosts.file(leafURL(capacity), w.genuineFile())
			if n := refetched(capacity, capacity+1); n != 1 {
				t.Errorf("a new one caused %d requests", n)
			}
			if n := refetched(1, capacity+1); n != 0 {
				t.Errorf("%d others were dropped for it", n)
			}
			if n := refetched(0, 1); n != 1 {
				t.Errorf("the one that expires first caused %d requests, want 1", n)
			}
		})
	})

	// Neither does a certificate that is no certificate: it takes no place at all.
	t.Run("garbage takes no place in the cache", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld()
			v := w.verifier(t)
			accept(t, "genuine", v, sent(event), event)
			for i := range 100 {
				w.hosts.handle(leafURL(i), func(rw http.ResponseWriter, _ *http.Request) { rw.Write([]byte("garbage")) })
				time.Sleep(time.Second)
				v.Begin(t.Context(), sentUnder(leafURL(i), leafKey(), receivedAt, event))
			}
			before := len(w.net.asked())
			accept(t, "genuine, still", v, sent(event), event)
			silent(t, "afterwards", w.net, before)
		})
	})
}

// written waits until a verifier has written its file.
func written(t *testing.T, v *paypal.Verifier) {
	t.Helper()
	if err := v.Prefetch(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// leafURL is one of many URLs of certificates.
func leafURL(i int) string {
	return fmt.Sprintf("https://api.paypal.com/v1/notifications/certs/CERT-%d", i)
}
