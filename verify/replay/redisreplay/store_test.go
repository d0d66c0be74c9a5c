package redisreplay_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hooknotary/hooknotary/verify/replay"
	"github.com/hooknotary/hooknotary/verify/replay/redisreplay"
	"github.com/hooknotary/hooknotary/verify/replay/redisreplay/redistest"
	"github.com/hooknotary/hooknotary/verify/replay/replaytest"
)

// factory returns the contract's view of the stores of one client.
func factory(c redis.UniversalClient) replaytest.Factory {
	// A server keeps a key to the end of the millisecond in which its time is over.
	sleep := func(d time.Duration) { time.Sleep(d + 2*time.Millisecond) }
	return replaytest.Factory{
		New: func(t *testing.T) replaytest.Store {
			return replaytest.Store{Store: open(c, nil), Advance: sleep}
		},
		NewFloored: func(t *testing.T, floor time.Time) replaytest.Store {
			prefix := fmt.Sprintf("floored-%x", rand.Uint64())
			for i := range 1024 {
				succeed(t, "SET", c.Set(t.Context(), fmt.Sprintf("{%s:%03x}floor", prefix, i), floor.UnixMilli(), 0).Err())
			}
			return replaytest.Store{Store: open(c, &redisreplay.Options{Prefix: prefix}), Advance: sleep}
		},
	}
}

func TestContract(t *testing.T) {
	t.Run("the store keeps it", func(t *testing.T) {
		t.Run("a server", func(t *testing.T) {
			t.Parallel()
			replaytest.Exercise(t, factory(dial(t, redistest.NewServer(t).Addr())))
		})
		t.Run("a cluster", func(t *testing.T) {
			t.Parallel()
			replaytest.Exercise(t, factory(dialCluster(t, redistest.NewCluster(t))))
		})
		for _, kind := range both {
			t.Run("a server whose clock is moved, and "+kind.name, func(t *testing.T) {
				t.Parallel()
				c := kind.dial(t, redistest.NewServer(t).Addr())
				f := factory(c)
				f.Unit = time.Minute
				f.New = func(t *testing.T) replaytest.Store {
					prefix := fmt.Sprintf("moved-%x", rand.Uint64())
					return replaytest.Store{
						Store: open(c, &redisreplay.Options{Prefix: prefix}),
						// What was set in this millisecond must expire, too.
						Advance: func(d time.Duration) { advance(t, c, prefix, d+time.Millisecond) },
					}
				}
				floored := f.NewFloored
				f.NewFloored = func(t *testing.T, floor time.Time) replaytest.Store {
					s := floored(t, floor)
					s.Advance = func(d time.Duration) { advance(t, c, "*", d+time.Millisecond) }
					return s
				}
				replaytest.Exercise(t, f)
			})
		}
	})
}

func TestStore(t *testing.T) {
	// A long random life of a few events is the same as in memory, whose own tests
	// hold it against a model.
	t.Run("it does what Memory does", func(t *testing.T) {
		c := dial(t, redistest.NewServer(t).Addr())
		s := ready(t, c, nil)
		now := time.Now()
		m := replay.NewMemory(&replay.MemoryOptions{Now: func() time.Time { return now }, Since: time.Unix(0, 0)})
		random := rand.New(rand.NewPCG(1, 2))
		ctx := context.Background()
		// Minutes pass in the test's steps and milliseconds on the clock: what is to
		// be told apart lies half a minute away.
		minutes := func(n int) time.Duration { return time.Duration(random.IntN(n)) * time.Minute }
		const half = 30 * time.Second
		tokens := []replay.Token{replay.NewToken(), replay.NewToken(), replay.NewToken()}
		seen := make(map[string]int)
		for step := range 4000 {
			key := keyOf(fmt.Sprint(random.IntN(3)))
			token := tokens[random.IntN(len(tokens))]
			h := replay.Handle{Key: key, Token: token}
			var a, b any
			var errA, errB error
			var what string
			switch random.IntN(10) {
			case 0, 1, 2, 3:
				what = "Claim"
				cl := replay.Claim{Key: key, Token: token, Lease: minutes(4) + half, Needed: minutes(6) - time.Minute, Retention: minutes(6) - time.Minute}
				if cl.Needed > 0 {
					cl.Needed += half
				}
				if cl.Retention > 0 {
					cl.Retention += half
				}
				cl.Fingerprint[0] = byte(random.IntN(2))
				if random.IntN(3) == 0 {
					cl.Binding = &replay.BodyBinding{Message: keyOf(fmt.Sprint(random.IntN(3)))}
					cl.Binding.Body[0] = byte(random.IntN(2))
				}
				var o, p replay.Outcome
				o, errA = s.Claim(ctx, cl)
				p, errB = m.Claim(ctx, cl)
				seen[o.Status.String()]++
				o.Lease, p.Lease = o.Lease.Round(half), p.Lease.Round(half)
				a, b = o, p
			case 4:
				what = "Renew"
				lease := minutes(4) + half
				errA, errB = s.Renew(ctx, h, lease), m.Renew(ctx, h, lease)
			case 5, 6:
				what = "Commit"
				errA, errB = s.Commit(ctx, h), m.Commit(ctx, h)
			case 7:
				what = "Release"
				errA, errB = s.Release(ctx, h), m.Release(ctx, h)
			case 8:
				what = "Forget"
				errA, errB = s.Forget(ctx, key), m.Forget(ctx, key)
			case 9:
				what = "wait"
				d := minutes(3)
				now = now.Add(d)
				advance(t, c, "hooknotary", d)
			}
			for _, decision := range []error{replay.ErrLost, replay.ErrHeld} {
				if errors.Is(errA, decision) {
					seen[what+decision.Error()]++
				}
				if errors.Is(errA, decision) != errors.Is(errB, decision) {
					t.Fatalf("step %d: %s = %v, in memory %v", step, what, errA, errB)
				}
			}
			if (errA == nil) != (errB == nil) || !reflect.DeepEqual(a, b) {
				t.Fatalf("step %d: %s = %+v, %v, in memory %+v, %v", step, what, a, errA, b, errB)
			}
			for i := range 3 {
				x, _, errX := s.Inspect(ctx, keyOf(fmt.Sprint(i)))
				y, _, errY := m.Inspect(ctx, keyOf(fmt.Sprint(i)))
				x.Lease, x.Kept, y.Lease, y.Kept = x.Lease.Round(half), x.Kept.Round(half), y.Lease.Round(half), y.Kept.Round(half)
				if x != y || errX != nil || errY != nil {
					t.Fatalf("step %d: after %s event %d is %+v, %v, in memory %+v, %v", step, what, i, x, errX, y, errY)
				}
			}
		}
		for _, decision := range []string{"acquired", "in flight", "done", "forged", "Renew" + replay.ErrLost.Error(), "Commit" + replay.ErrLost.Error(), "Forget" + replay.ErrHeld.Error()} {
			if seen[decision] < 20 {
				t.Errorf("%q came up %d times only", decision, seen[decision])
			}
		}
	})

	t.Run("Stats counts all servers", func(t *testing.T) {
		c := dialCluster(t, redistest.NewCluster(t))
		s := ready(t, c, nil)
		const n = 1500
		var wg sync.WaitGroup
		for w := range 4 {
			wg.Go(func() {
				for i := range n / 4 {
					want(t, s, claim(fmt.Sprint(w, "-", i)), replay.Acquired, "a free event")
				}
			})
		}
		wg.Wait()
		if got, err := s.Stats(t.Context()); err != nil || got.Records != n {
			t.Errorf("Stats = %+v, %v, want %d records", got, err, n)
		}
	})

	t.Run("a store that cannot work says so", func(t *testing.T) {
		server := redistest.NewServer(t)
		c := dial(t, server.Addr())
		ring := redis.NewRing(&redis.RingOptions{Addrs: map[string]string{"a": server.Addr()}})
		defer ring.Close()
		for _, test := range []struct {
			name  string
			store *redisreplay.Store
			ok    bool
		}{
			{"no client", open(nil, nil), false},
			{"no client, but its type", open((*redis.Client)(nil), nil), false},
			{"no cluster, but its type", open((*redis.ClusterClient)(nil), nil), false},
			{"a ring", open(ring, nil), false},
			{"a client", open(c, nil), true},
			{"a prefix that is too long", open(c, &redisreplay.Options{Prefix: strings.Repeat("x", 65)}), false},
			{"a prefix that is long enough", open(c, &redisreplay.Options{Prefix: strings.Repeat("x", 64)}), true},
			{"a prefix with a brace", open(c, &redisreplay.Options{Prefix: "a}b"}), false},
			{"a prefix with a star", open(c, &redisreplay.Options{Prefix: "*"}), false},
			{"a prefix with a colon", open(c, &redisreplay.Options{Prefix: "a:b"}), false},
			{"a prefix of all that is allowed", open(c, &redisreplay.Options{Prefix: "aZ09._-"}), true},
		} {
			for name, call := range calls(test.store, claim("a")) {
				err := call(t.Context())
				if errors.Is(err, replay.ErrLost) {
					err = nil
				}
				if (err == nil) != test.ok {
					t.Errorf("%s: %s = %v", test.name, name, err)
				}
			}
		}
	})
}

func TestRecords(t *testing.T) {
	t.Run("every key expires when its time is over", func(t *testing.T) {
		c := dial(t, redistest.NewServer(t).Addr())
		s := ready(t, c, nil)
		ctx := t.Context()
		record := func(id string) string {
			k := keyOf(id)
			return fmt.Sprintf("{hooknotary:%03x}e%s", partOf(k), k[:])
		}
		binding := func(c replay.Claim) string {
			k := c.Binding.Message
			return fmt.Sprintf("{hooknotary:%03x}m%s", partOf(k), k[:])
		}
		lives := func(key string, want time.Duration, when string) {
			t.Helper()
			got, err := c.PTTL(ctx, key).Result()
			if err != nil || got > want || got < want-5*time.Second {
				t.Errorf("%s: it lives for %v, %v, want %v", when, got, err, want)
			}
		}
		cl := bound("a", "body")
		want(t, s, cl, replay.Acquired, "a free event")
		lives(record("a"), 70*time.Minute, "in flight: need and retention")
		lives(binding(cl), 10*time.Minute, "a binding: its need, whatever the retention")
		succeed(t, "Renew", s.Renew(ctx, handle(cl), 30*time.Minute))
		lives(record("a"), 90*time.Minute, "renewed: lease and retention")
		repeat := bound("a", "body")
		repeat.Needed = 2 * time.Hour
		want(t, s, repeat, replay.InFlight, "a repeat")
		lives(record("a"), 3*time.Hour, "repeated: the longer need and retention")
		lives(binding(cl), 2*time.Hour, "a binding: the longer need")
		succeed(t, "Commit", s.Commit(ctx, handle(cl)))
		lives(record("a"), 2*time.Hour, "done: the need")
		repeat.Needed = 3 * time.Hour
		want(t, s, repeat, replay.Done, "a repeat")
		lives(record("a"), 3*time.Hour, "done and repeated: the longer need")

		finish(t, s, claim("b"))
		lives(record("b"), time.Hour, "done: the retention")
		taken := claim("c")
		taken.Lease = time.Millisecond
		want(t, s, taken, replay.Acquired, "a free event")
		time.Sleep(5 * time.Millisecond)
		next := claim("c")
		next.Lease, next.Needed, next.Retention = time.Second, time.Second, 2*time.Hour
		want(t, s, next, replay.Acquired, "a takeover")
		lives(record("c"), 130*time.Minute, "taken over: the longer need, the new retention")

		gone := claim("d")
		gone.Needed, gone.Retention = 0, 0
		finish(t, s, gone)
		if n, err := c.Exists(ctx, record("d")).Result(); n != 0 || err != nil {
			t.Errorf("an event that is neither needed nor kept is still there: %d, %v", n, err)
		}
		unkept := bound("e", "body")
		unkept.Needed = 0
		want(t, s, unkept, replay.Acquired, "a free event")
		if n, err := c.Exists(ctx, binding(unkept)).Result(); n != 0 || err != nil {
			t.Errorf("a binding that is not needed is still there: %d, %v", n, err)
		}

		for _, key := range keys(t, c, "*") {
			left, err := c.PTTL(ctx, key).Result()
			if succeed(t, "PTTL", err); (left < 0) != strings.HasSuffix(key, "}floor") {
				t.Errorf("%q expires in %v", key, left)
			}
		}
	})

	t.Run("durations are rounded up to milliseconds", func(t *testing.T) {
		c := dial(t, redistest.NewServer(t).Addr())
		s := ready(t, c, nil)
		for _, d := range []time.Duration{1, time.Millisecond - 1, time.Millisecond} {
			cl := claim(fmt.Sprint(d))
			cl.Lease, cl.Needed, cl.Retention = time.Hour, 0, d
			want(t, s, cl, replay.Acquired, "a free event")
			if r, _, err := s.Inspect(t.Context(), cl.Key); err != nil || r.Kept > time.Hour+time.Millisecond || r.Kept < time.Hour-2*time.Second {
				t.Errorf("with a retention of %v it is kept for %v, %v", d, r.Kept, err)
			}
			cl = claim("lease" + fmt.Sprint(d))
			cl.Lease = d
			want(t, s, cl, replay.Acquired, "a lease of "+d.String())
		}
		cl := claim("long")
		cl.Lease, cl.Needed, cl.Retention = math.MaxInt64, math.MaxInt64, math.MaxInt64
		want(t, s, cl, replay.Acquired, "for ever")
		if r, _, err := s.Inspect(t.Context(), cl.Key); err != nil || r.Lease < math.MaxInt64/2 || r.Kept < math.MaxInt64/2 {
			t.Errorf("for ever is %+v, %v", r, err)
		}
	})

	t.Run("keys are short and hold nothing of the event", func(t *testing.T) {
		c := dial(t, redistest.NewServer(t).Addr())
		s := ready(t, c, nil)
		for _, id := range hostile {
			cl := bound(id, "body")
			cl.Key = replay.Event{Endpoint: id, Provider: id, Scope: id, ID: id, Partition: id}.Key()
			finish(t, s, cl)
			want(t, s, cl, replay.Done, "itself")
		}
		const tag = "{hooknotary:000}"
		count := map[byte]int{}
		for _, key := range keys(t, c, "*") {
			if !strings.HasPrefix(key, "{hooknotary:") || key[len(tag)-1] != '}' {
				t.Fatalf("the key %q", key)
			}
			rest := key[len(tag):]
			count[rest[0]]++
			if rest == "floor" {
				continue
			}
			if len(rest) != 33 || rest[0] != 'e' && rest[0] != 'm' {
				t.Errorf("the key %q", key)
			}
			if n := partOf(replay.Key([]byte(rest[1:]))); key[:len(tag)] != fmt.Sprintf("{hooknotary:%03x}", n) {
				t.Errorf("the key %q of part %03x", key, n)
			}
			v, err := c.Get(t.Context(), key).Result()
			if err != nil || len(v) > 72 {
				t.Errorf("%q holds %d bytes, %v", key, len(v), err)
			}
		}
		if count['f'] != 1024 || count['e'] < len(hostile) || count['m'] < len(hostile) {
			t.Errorf("there are %v keys", count)
		}
	})

	t.Run("a binding is not an event under the same key", func(t *testing.T) {
		c := dial(t, redistest.NewServer(t).Addr())
		s := ready(t, c, nil)
		cl := bound("a", "body")
		cl.Binding.Message = cl.Key
		finish(t, s, cl)
		if got := len(keys(t, c, "*}[em]*")); got != 2 {
			t.Errorf("%d keys", got)
		}
		succeed(t, "Forget", s.Forget(t.Context(), cl.Key))
		forged := bound("a", "other")
		forged.Binding.Message = cl.Key
		want(t, s, forged, replay.Forged, "another body")
		want(t, s, claim("a"), replay.Acquired, "the event that was forgotten")
	})

	// The parts must spread over any number of masters, and all keys of one must lie
	// on one server.
	t.Run("parts spread over the slots", func(t *testing.T) {
		c := dial(t, redistest.NewServer(t, "cluster-enabled yes").Addr())
		slots := make(map[int64]bool)
		of := make([]int64, 1024)
		for i := range of {
			tag := fmt.Sprintf("{hooknotary:%03x}", i)
			n, err := c.ClusterKeySlot(t.Context(), tag+"floor").Result()
			succeed(t, "CLUSTER KEYSLOT", err)
			m, err := c.ClusterKeySlot(t.Context(), tag+"e}{\x00").Result()
			succeed(t, "CLUSTER KEYSLOT", err)
			if n != m {
				t.Fatalf("part %03x has the slots %d and %d", i, n, m)
			}
			slots[n], of[i] = true, n
		}
		if len(slots) < 1000 {
			t.Errorf("1024 parts fall into %d slots", len(slots))
		}
		for masters := 1; masters <= 128; masters++ {
			load := make([]int, masters)
			for _, slot := range of {
				load[int(slot)*masters/16384]++
			}
			if most, even := float64(slices.Max(load)), 1024/float64(masters); most > even*3/2 {
				t.Errorf("of %d masters one has %v parts, an even share is %.1f", masters, most, even)
			}
		}
	})

	t.Run("stores with two prefixes are apart", func(t *testing.T) {
		c := dial(t, redistest.NewServer(t).Addr())
		a := open(c, &redisreplay.Options{Prefix: "a"})
		b := open(c, &redisreplay.Options{Prefix: "b"})
		finish(t, a, claim("x"))
		finish(t, b, claim("x"))
		want(t, a, claim("x"), replay.Done, "the first store")
		want(t, open(c, &redisreplay.Options{Prefix: "a"}), claim("x"), replay.Done, "another process")
		for i := range 30 {
			finish(t, a, claim(fmt.Sprint(i)))
		}
		for s, n := range map[*redisreplay.Store]int64{a: 31, b: 1} {
			if got, err := s.Stats(t.Context()); err != nil || got.Records != n {
				t.Errorf("Stats = %+v, %v, want %d records", got, err, n)
			}
		}
	})
}

var hostile = []string{
	"", "evt_1", "evt_1\r\nFLUSHALL\r\n", "\x00", "{a}", "}{", "{hooknotary:000}floor", "*", "?[a-z]\\",
	"$5\r\nhello", "'; return redis.call('FLUSHALL') --", "\xff\xfe", "evt_\u202e1", strings.Repeat("x", 1<<20),
}

func TestRoundTrips(t *testing.T) {
	t.Run("a delivery takes two round trips", func(t *testing.T) {
		server := redistest.NewServer(t)
		for name, c := range map[string]redis.UniversalClient{
			"one server": dial(t, server.Addr()),
			"a cluster":  dialCluster(t, redistest.NewCluster(t)),
		} {
			t.Run(name, func(t *testing.T) {
				s := ready(t, c, nil)
				for i := range 64 { // from here on every server knows the scripts
					cl := bound(fmt.Sprint("scripts", i), "body")
					want(t, s, cl, replay.Acquired, "a free event")
					succeed(t, "Renew", s.Renew(t.Context(), handle(cl), time.Minute))
					succeed(t, "Release", s.Release(t.Context(), handle(cl)))
					finish(t, s, cl)
				}
				trips := count(c)
				took := func(want int64, what string) {
					t.Helper()
					if n := trips.take(); n != want {
						t.Errorf("%s takes %d round trips, want %d", what, n, want)
					}
				}
				finish(t, s, claim("a"))
				took(2, "a delivery")
				want(t, s, claim("a"), replay.Done, "a repeat")
				took(1, "a repeat")
				finish(t, s, bound("b", "body"))
				took(3, "a delivery with a binding")
				want(t, s, bound("b", "other"), replay.Forged, "another body")
				took(1, "a forged delivery")
				want(t, s, resigned("c", time.Unix(0, 0)), replay.BeforeFloor, "an old timestamp")
				took(1, "a delivery from before the floor")
				cl := claim("d")
				want(t, s, cl, replay.Acquired, "a free event")
				succeed(t, "Renew", s.Renew(t.Context(), handle(cl), time.Minute))
				succeed(t, "Release", s.Release(t.Context(), handle(cl)))
				took(3, "a failed delivery that was renewed once")
			})
		}
	})
}
