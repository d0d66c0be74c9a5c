package replay_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hooknotary/hooknotary/verify/replay"
	"github.com/hooknotary/hooknotary/verify/replay/replaytest"
)

// clock is a clock that a test moves.
type clock struct{ now atomic.Pointer[time.Time] }

func newClock() *clock {
	c := new(clock)
	now := time.Date(2026, 3, 1, 12, 0, 0, 400e6, time.UTC)
	c.now.Store(&now)
	return c
}

func (c *clock) Now() time.Time { return *c.now.Load() }

func (c *clock) Advance(d time.Duration) {
	now := c.Now().Add(d)
	c.now.Store(&now)
}

// number returns the key of a number. It is as evenly spread as a hash, and
// cheap.
func number(i int) (k replay.Key) {
	random := rand.NewPCG(uint64(i), 1)
	for b := 0; b < len(k); b += 8 {
		binary.LittleEndian.PutUint64(k[b:], random.Uint64())
	}
	return k
}

func token(i int) (t replay.Token) {
	binary.LittleEndian.PutUint64(t[:], uint64(i))
	return t
}

func claim(i int) replay.Claim {
	return replay.Claim{
		Key:       number(i),
		Token:     token(i),
		Lease:     30 * time.Second,
		Needed:    10 * time.Minute,
		Retention: 24 * time.Hour,
	}
}

func handle(c replay.Claim) replay.Handle { return replay.Handle{Key: c.Key, Token: c.Token} }

// must claims and expects a status.
func must(t testing.TB, m *replay.Memory, c replay.Claim, want replay.Status) replay.Outcome {
	t.Helper()
	o, err := m.Claim(t.Context(), c)
	if err != nil || o.Status != want {
		t.Fatalf("Claim = %v, %v, want %v", o.Status, err, want)
	}
	return o
}

func check(t testing.TB, m *replay.Memory) {
	t.Helper()
	if err := m.Check(); err != nil {
		t.Fatal(err)
	}
}

func TestMemory(t *testing.T) {
	open := func(t *testing.T, o replay.MemoryOptions) replaytest.Store {
		c := newClock()
		o.Now = c.Now
		m := replay.NewMemory(&o)
		t.Cleanup(func() { check(t, m) })
		u := m.Usage()
		return replaytest.Store{Store: m, Advance: c.Advance, Records: int(u.MaxBytes / 160)}
	}
	replaytest.Exercise(t, replaytest.Factory{
		New:        func(t *testing.T) replaytest.Store { return open(t, replay.MemoryOptions{}) },
		NewBounded: func(t *testing.T) replaytest.Store { return open(t, replay.MemoryOptions{MaxBytes: 1}) },
		NewFloored: func(t *testing.T, floor time.Time) replaytest.Store {
			return open(t, replay.MemoryOptions{Since: floor})
		},
	})
}

// The suite must also hold where it waits, as it does for a store whose clock
// cannot be moved.
func TestMemoryRealClock(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for some seconds")
	}
	replaytest.Exercise(t, replaytest.Factory{
		New: func(*testing.T) replaytest.Store { return replaytest.Store{Store: replay.NewMemory(nil)} },
	})
}

// slow is a store on a host that takes longer over a claim than the leases last.
type slow struct {
	*replay.Memory
	pause time.Duration
}

func (s slow) Claim(ctx context.Context, c replay.Claim) (replay.Outcome, error) {
	time.Sleep(s.pause)
	return s.Memory.Claim(ctx, c)
}

// What a test of the suite finds on a host that was too slow for it says nothing of
// the store, and the next try finds the truth.
func TestMemoryOnASlowHost(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for some seconds")
	}
	const unit = 5 * time.Millisecond
	var tried sync.Map // names of tests
	replaytest.Exercise(t, replaytest.Factory{
		New: func(t *testing.T) replaytest.Store {
			s := slow{Memory: replay.NewMemory(nil)}
			if _, again := tried.LoadOrStore(t.Name(), nil); !again {
				s.pause = 3 * unit
			}
			return replaytest.Store{Store: s}
		},
		Unit: unit,
	})
}

func TestMemoryOptions(t *testing.T) {
	for _, test := range []struct {
		o    *replay.MemoryOptions
		want int64
	}{
		{nil, 64 << 20},
		{&replay.MemoryOptions{}, 64 << 20},
		{&replay.MemoryOptions{MaxBytes: -1}, 16 << 10},
		{&replay.MemoryOptions{MaxBytes: 1}, 16 << 10},
		{&replay.MemoryOptions{MaxBytes: 16<<10 + 1}, 16<<10 + 1},
		{&replay.MemoryOptions{MaxBytes: 1 << 62}, 512 << 30},
	} {
		if u := replay.NewMemory(test.o).Usage(); u != (replay.Stats{MaxBytes: test.want}) {
			t.Errorf("NewMemory(%+v).Usage() = %+v, want %d bytes at most", test.o, u, test.want)
		}
	}
}

func TestMemoryUsage(t *testing.T) {
	m := replay.NewMemory(nil)
	c := claim(1)
	must(t, m, c, replay.Acquired)
	bound := claim(2)
	bound.Binding = &replay.BodyBinding{Message: number(3)}
	must(t, m, bound, replay.Acquired)
	if u := m.Usage(); u.Records != 3 || u.Bytes != 3*160 {
		t.Errorf("Usage = %+v, want 3 records", u)
	}
	m.Release(t.Context(), handle(c))
	m.Release(t.Context(), handle(bound))
	if u := m.Usage(); u.Records != 1 || u.Bytes != 160 {
		t.Errorf("Usage = %+v, want the binding", u)
	}
}

// The end of a lease, of a need and of a retention does not belong to it.
func TestMemoryExactEnds(t *testing.T) {
	c := newClock()
	m := replay.NewMemory(&replay.MemoryOptions{Now: c.Now})

	a := claim(1)
	must(t, m, a, replay.Acquired)
	c.Advance(a.Lease - 1)
	other := claim(1)
	other.Token = token(2)
	if o := must(t, m, other, replay.InFlight); o.Lease != 1 {
		t.Errorf("%v are left, want 1ns", o.Lease)
	}
	if err := m.Forget(t.Context(), a.Key); err != replay.ErrHeld {
		t.Errorf("Forget = %v, want %v", err, replay.ErrHeld)
	}
	c.Advance(1)
	must(t, m, other, replay.Acquired)

	if err := m.Commit(t.Context(), handle(other)); err != nil {
		t.Fatal(err)
	}
	probe := other
	probe.Needed = 0
	c.Advance(other.Retention - 1)
	must(t, m, probe, replay.Done)
	c.Advance(1)
	if err := m.Commit(t.Context(), handle(other)); err != replay.ErrLost {
		t.Errorf("Commit after the retention = %v, want %v", err, replay.ErrLost)
	}
	must(t, m, probe, replay.Acquired)
}

// An owner that was away for long still commits: its record is remembered for
// its retention after it stopped being needed, unless the room is wanted.
func TestMemoryLateCommit(t *testing.T) {
	c := newClock()
	m := replay.NewMemory(&replay.MemoryOptions{Now: c.Now})
	a, b := claim(1), claim(2)
	must(t, m, a, replay.Acquired)
	must(t, m, b, replay.Acquired)
	c.Advance(a.Needed + a.Retention - 1)
	if err := m.Commit(t.Context(), handle(a)); err != nil {
		t.Errorf("Commit = %v", err)
	}
	c.Advance(1)
	if err := m.Commit(t.Context(), handle(b)); err != replay.ErrLost {
		t.Errorf("Commit = %v, want %v", err, replay.ErrLost)
	}
	a.Needed = 0
	must(t, m, a, replay.Done)
}

func TestMemoryFloor(t *testing.T) {
	start := time.Date(2026, 3, 1, 12, 0, 0, 400e6, time.UTC)
	second := start.Truncate(time.Second)
	for _, test := range []struct {
		name    string
		since   time.Time
		signed  time.Time
		resigns bool
		want    replay.Status
	}{
		{"in the second of the start", time.Time{}, second, true, replay.Acquired},
		{"just before that second", time.Time{}, second.Add(-1), true, replay.BeforeFloor},
		{"a second before", time.Time{}, second.Add(-time.Second), true, replay.BeforeFloor},
		{"a second after", time.Time{}, second.Add(time.Second), true, replay.Acquired},
		{"before, not re-signed", time.Time{}, second.Add(-time.Second), false, replay.Acquired},
		{"without a time, not re-signed", time.Time{}, time.Time{}, false, replay.Acquired},
		{"without a time", time.Time{}, time.Time{}, true, replay.BeforeFloor},
		{"at an earlier floor", start.Add(-time.Hour), start.Add(-time.Hour), true, replay.Acquired},
		{"before an earlier floor", start.Add(-time.Hour), start.Add(-time.Hour - 1), true, replay.BeforeFloor},
		{"at a later floor", start.Add(time.Hour), start.Add(time.Hour), true, replay.Acquired},
		{"before a later floor", start.Add(time.Hour), start.Add(time.Hour - 1), true, replay.BeforeFloor},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := replay.NewMemory(&replay.MemoryOptions{Since: test.since, Now: func() time.Time { return start }})
			c := claim(1)
			c.SignedAt, c.Resigned = test.signed, test.resigns
			must(t, m, c, test.want)
		})
	}
}

// What was handled before a restart is refused after it, and the provider's next
// attempt is taken.
func TestMemoryRestart(t *testing.T) {
	c := newClock()
	signed := c.Now().Truncate(time.Second)
	a := claim(1)
	a.SignedAt, a.Resigned = signed, true
	m := replay.NewMemory(&replay.MemoryOptions{Now: c.Now})
	must(t, m, a, replay.Acquired)
	if err := m.Commit(t.Context(), handle(a)); err != nil {
		t.Fatal(err)
	}

	// The gap that remains: a restart within the second of the timestamp.
	c.Advance(500 * time.Millisecond)
	must(t, replay.NewMemory(&replay.MemoryOptions{Now: c.Now}), a, replay.Acquired)

	c.Advance(100 * time.Millisecond) // the next second begins
	m = replay.NewMemory(&replay.MemoryOptions{Now: c.Now})
	must(t, m, a, replay.BeforeFloor)
	a.SignedAt = signed.Add(time.Second)
	must(t, m, a, replay.Acquired)
}

// A released event is unknown, so it falls under the floor again.
func TestMemoryFloorAfterRelease(t *testing.T) {
	c := newClock()
	m := replay.NewMemory(&replay.MemoryOptions{Now: c.Now})
	a := claim(1)
	a.SignedAt, a.Resigned = c.Now(), true
	must(t, m, a, replay.Acquired)
	if err := m.Release(t.Context(), handle(a)); err != nil {
		t.Fatal(err)
	}
	a.SignedAt = a.SignedAt.Add(-time.Second)
	must(t, m, a, replay.BeforeFloor)
}

// With its own clock a Memory measures by the monotonic reading, to the
// nanosecond.
func TestMemoryDefaultClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(300 * time.Millisecond) // the start is not a whole second
		m := replay.NewMemory(nil)
		a, b := claim(1), claim(1)
		b.Token = token(2)
		must(t, m, a, replay.Acquired)
		time.Sleep(10 * time.Second)
		if o := must(t, m, b, replay.InFlight); o.Lease != 20*time.Second {
			t.Errorf("%v are left, want 20s", o.Lease)
		}
		if err := m.Renew(t.Context(), handle(a), 30*time.Second); err != nil {
			t.Fatal(err)
		}
		time.Sleep(30*time.Second - 1)
		if o := must(t, m, b, replay.InFlight); o.Lease != 1 {
			t.Errorf("%v are left, want 1ns", o.Lease)
		}
		time.Sleep(time.Nanosecond)
		must(t, m, b, replay.Acquired)
		if err := m.Renew(t.Context(), handle(a), time.Second); err != replay.ErrLost {
			t.Errorf("Renew = %v, want %v", err, replay.ErrLost)
		}
		if err := m.Commit(t.Context(), handle(b)); err != nil {
			t.Fatal(err)
		}
		b.Needed = 0
		time.Sleep(24*time.Hour - 1)
		must(t, m, b, replay.Done)
		time.Sleep(time.Nanosecond)

		c := claim(3)
		c.SignedAt, c.Resigned = time.Now().Add(-24*time.Hour-time.Minute), true
		must(t, m, c, replay.BeforeFloor)
		c.SignedAt = time.Now().Add(-24 * time.Hour)
		must(t, m, c, replay.Acquired)
		must(t, m, b, replay.Acquired)
	})
}

// A clock that goes back to before the start stops the store's time, and
// overflows nothing.
func TestMemoryClockBeforeStart(t *testing.T) {
	c := newClock()
	m := replay.NewMemory(&replay.MemoryOptions{Now: c.Now})
	a, b := claim(1), claim(1)
	a.Lease, b.Token = 1<<63-1, token(2)
	c.Advance(-1000 * time.Hour)
	must(t, m, a, replay.Acquired)
	if o := must(t, m, b, replay.InFlight); o.Lease != a.Lease {
		t.Errorf("%v are left, want %v", o.Lease, a.Lease)
	}
}

// One key may be that of an event and of a message.
func TestMemoryBindingIsNoEvent(t *testing.T) {
	m := replay.NewMemory(nil)
	c := claim(1)
	c.Binding = &replay.BodyBinding{Message: c.Key}
	must(t, m, c, replay.Acquired)
	if err := m.Commit(t.Context(), handle(c)); err != nil {
		t.Fatal(err)
	}
	if err := m.Forget(t.Context(), c.Key); err != nil {
		t.Fatal(err)
	}
	must(t, m, c, replay.Acquired)
	c.Binding = &replay.BodyBinding{Message: c.Key, Body: [32]byte{1}}
	must(t, m, c, replay.Forged)
	check(t, m)
}

func TestMemoryPressure(t *testing.T) {
	for _, bytes := range []int64{1, 100_000, 1 << 20} {
		t.Run(fmt.Sprint(bytes), func(t *testing.T) {
			var calls []replay.Stats
			var m *replay.Memory
			m = replay.NewMemory(&replay.MemoryOptions{MaxBytes: bytes, OnPressure: func(u replay.Stats) {
				if u != m.Usage() {
					t.Errorf("OnPressure(%+v), but Usage is %+v", u, m.Usage())
				}
				calls = append(calls, u)
			}})
			add := func(i int) { must(t, m, claim(i), replay.Acquired) }
			remove := func(i int) { m.Release(t.Context(), handle(claim(i))) }
			share := func() float64 { u := m.Usage(); return float64(u.Bytes) / float64(u.MaxBytes) }

			n := 0
			for share() < 0.8 {
				if len(calls) != 0 {
					t.Fatalf("called at %.1f %%", 100*share())
				}
				add(n)
				n++
			}
			if len(calls) != 1 {
				t.Fatalf("called %d times at %.1f %%", len(calls), 100*share())
			}
			high := n
			for ; m.Usage().Bytes+160 <= m.Usage().MaxBytes; n++ {
				add(n)
			}
			if _, err := m.Claim(t.Context(), claim(n)); err != replay.ErrFull {
				t.Fatalf("Claim = %v, want %v", err, replay.ErrFull)
			}
			for share()-160/float64(m.Usage().MaxBytes) >= 0.7 {
				n--
				remove(n)
			}
			for ; n < high; n++ {
				add(n)
			}
			if len(calls) != 1 {
				t.Fatalf("called %d times without having fallen below 70 %%", len(calls))
			}
			for share() >= 0.7 {
				n--
				remove(n)
			}
			for ; n < high-1; n++ {
				add(n)
			}
			if len(calls) != 1 {
				t.Fatalf("called %d times below 80 %%", len(calls))
			}
			add(n)
			if len(calls) != 2 {
				t.Fatalf("called %d times after the second crossing", len(calls))
			}
			check(t, m)
		})
	}
}

// In a store of many shards the rules hold for the whole: it is full only when
// every record is needed, and none of those is lost.
func TestMemoryShards(t *testing.T) {
	c := newClock()
	m := replay.NewMemory(&replay.MemoryOptions{MaxBytes: 4 << 20, Now: c.Now})
	capacity := int(m.Usage().MaxBytes / 160)
	if m.Shards() < 8 {
		t.Fatalf("%d shards", m.Shards())
	}
	settle := func(i int, needed time.Duration) {
		t.Helper()
		a := claim(i)
		a.Needed = needed
		must(t, m, a, replay.Acquired)
		if err := m.Commit(t.Context(), handle(a)); err != nil {
			t.Fatal(err)
		}
	}
	// A tenth is needed for long, the rest for a short while.
	long := func(i int) bool { return i%10 == 0 }
	for i := range capacity {
		if long(i) {
			settle(i, time.Hour)
		} else {
			settle(i, time.Minute)
		}
	}
	if _, err := m.Claim(t.Context(), claim(-1)); err != replay.ErrFull {
		t.Fatalf("Claim = %v, want %v", err, replay.ErrFull)
	}
	c.Advance(time.Minute)
	fresh := 0
	for i := range capacity {
		if !long(i) {
			settle(capacity+i, 2*time.Hour)
			fresh++
		}
	}
	check(t, m)
	if _, err := m.Claim(t.Context(), claim(-1)); err != replay.ErrFull {
		t.Fatalf("after %d new events: Claim = %v, want %v", fresh, err, replay.ErrFull)
	}
	for i := range capacity {
		if long(i) {
			must(t, m, claim(i), replay.Done)
		} else {
			must(t, m, claim(capacity+i), replay.Done)
		}
	}
	// Much later everything goes, and its memory with it.
	c.Advance(1000 * time.Hour)
	for i := range capacity {
		a := claim(2*capacity + i)
		must(t, m, a, replay.Acquired)
		m.Release(t.Context(), handle(a))
	}
	check(t, m)
	if u := m.Usage(); int(u.Records) > capacity/100 {
		t.Errorf("%d records are left of %d whose retention is over", u.Records, capacity)
	}
}

// of returns the claim of a number on an event of a tenant.
func of(tenant string, i int) replay.Claim {
	c := claim(i)
	c.Endpoint, c.Scope = "billing", tenant
	return c
}

// tenants returns the names of tenants of which none shares its place among the
// counts with another one. There are few places in a small store.
func tenants(m *replay.Memory, n int) (names []string) {
	seen := make(map[uint16]bool)
	for i := 0; len(names) < n; i++ {
		name := fmt.Sprint("tenant", i)
		if g := m.Group(of(name, 0)); !seen[g] {
			seen[g] = true
			names = append(names, name)
		}
	}
	return names
}

// One tenant cannot take the room of the others: of a store that several share, the
// records of one scope at one endpoint have a share.
func TestMemoryShare(t *testing.T) {
	for _, test := range []struct {
		name    string
		percent int
		bytes   int64
		most    int // records of a tenant
	}{
		{"the default is 90 percent", 0, 1600 * 160, 1440},
		{"as configured", 25, 1600 * 160, 400},
		{"all", 100, 1600 * 160, 1600},
		{"more than all", 101, 1600 * 160, 1600},
		{"less than one percent", -1, 1600 * 160, 16},
		{"of many shards", 50, 40_000 * 160, 20_000},
		{"of the smallest store", 1, 1, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newClock()
			m := replay.NewMemory(&replay.MemoryOptions{MaxBytes: test.bytes, MaxScopePercent: test.percent, Now: c.Now})
			names := tenants(m, 2)
			loud, quiet := names[0], names[1]
			refused := func(c replay.Claim, why string) {
				t.Helper()
				if o, err := m.Claim(t.Context(), c); !errors.Is(err, replay.ErrFull) || o != (replay.Outcome{}) {
					t.Fatalf("%s: Claim = %v, %v, want %v", why, o.Status, err, replay.ErrFull)
				}
			}
			for i := range test.most {
				must(t, m, of(loud, i), replay.Acquired)
			}
			refused(of(loud, -1), "the share is full")
			bound := of(loud, 0)
			bound.Binding = &replay.BodyBinding{Message: number(-9)}
			refused(bound, "a binding counts, too")
			must(t, m, of(loud, 0), replay.Acquired) // what it has goes on
			if err := m.Commit(t.Context(), handle(of(loud, 0))); err != nil {
				t.Fatal(err)
			}
			must(t, m, of(loud, 0), replay.Done)

			capacity := int(m.Usage().MaxBytes / 160)
			if room := capacity - test.most; room > 0 {
				other := of(quiet, -2)
				must(t, m, other, replay.Acquired)
				m.Release(t.Context(), handle(other))
				elsewhere := of(loud, -3) // the scope of another endpoint is another one
				for m.Group(elsewhere) == m.Group(of(loud, 0)) {
					elsewhere.Endpoint += "2"
				}
				must(t, m, elsewhere, replay.Acquired)
				m.Release(t.Context(), handle(elsewhere))
			}
			check(t, m)

			// A release, and an event that is not needed any more, make room in the share.
			if err := m.Forget(t.Context(), of(loud, 0).Key); err != nil {
				t.Fatal(err)
			}
			must(t, m, of(loud, -1), replay.Acquired)
			refused(of(loud, -4), "the share is full again")
			c.Advance(time.Hour)
			must(t, m, of(loud, -4), replay.Acquired)
			check(t, m)
			if u := m.Usage(); int(u.Records) > test.most {
				t.Errorf("%d records, the share is %d", u.Records, test.most)
			}
		})
	}
}

// A tenant that has its share drops none of the others' records, also where they are
// merely kept and its own are needed.
func TestMemoryShareDropsNothingOfOthers(t *testing.T) {
	c := newClock()
	m := replay.NewMemory(&replay.MemoryOptions{MaxBytes: 1000 * 160, MaxScopePercent: 50, Now: c.Now})
	names := tenants(m, 2)
	loud, quiet := names[0], names[1]
	for i := range 100 {
		must(t, m, of(quiet, i), replay.Acquired)
		if err := m.Commit(t.Context(), handle(of(quiet, i))); err != nil {
			t.Fatal(err)
		}
	}
	c.Advance(time.Hour) // merely kept
	for i := range 2000 {
		o, err := m.Claim(t.Context(), of(loud, 100+i))
		if full := errors.Is(err, replay.ErrFull); full != (i >= 500) || !full && o.Status != replay.Acquired {
			t.Fatalf("event %d of a loud tenant: %v, %v", i, o.Status, err)
		}
	}
	for i := range 100 {
		probe := of(quiet, i)
		probe.Needed = 0
		must(t, m, probe, replay.Done)
	}
	check(t, m)
}

// Under a crowd of tenants none has more than its share, and the counts stay right.
func TestMemoryShareUnderACrowd(t *testing.T) {
	m := replay.NewMemory(&replay.MemoryOptions{MaxBytes: 4000 * 160, MaxScopePercent: 20})
	names := tenants(m, 4)
	var acquired [4]atomic.Int32
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 1500 {
				tenant := g % 4
				switch o, err := m.Claim(t.Context(), of(names[tenant], g*10_000+i)); {
				case err == nil && o.Status == replay.Acquired:
					acquired[tenant].Add(1)
				case !errors.Is(err, replay.ErrFull):
					t.Errorf("Claim = %v, %v", o.Status, err)
				}
			}
		})
	}
	wg.Wait()
	for i := range acquired {
		if n := acquired[i].Load(); n != 800 {
			t.Errorf("tenant %d has %d records, its share is 800", i, n)
		}
	}
	check(t, m)
}

// With a steady stream of events, those whose retention is over do not pile up,
// also where the order of the needs is not that of the retentions.
func TestMemoryExpiry(t *testing.T) {
	c := newClock()
	m := replay.NewMemory(&replay.MemoryOptions{Now: c.Now})
	const live = 10_000
	for i := range 10 * live {
		a := claim(i)
		a.Needed, a.Retention = 0, 2*live*time.Second // every 50th lives twice as long and heads the heap
		if i%50 != 0 {
			a.Needed, a.Retention = live*time.Second, 0
		}
		must(t, m, a, replay.Acquired)
		if err := m.Commit(t.Context(), handle(a)); err != nil {
			t.Fatal(err)
		}
		c.Advance(time.Second)
	}
	if u := m.Usage(); u.Records > 2*live {
		t.Errorf("%d records, about %d of them live", u.Records, live)
	}
	check(t, m)
}

// heapBytes returns the live heap.
func heapBytes() uint64 {
	runtime.GC()
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}

// A record takes at most 160 bytes, all included. Far below its bound a store
// takes a little more, for its many shards.
func TestMemoryBytesPerRecord(t *testing.T) {
	top := 1_000_000
	if testing.Short() {
		top = 200_000
	}
	before := heapBytes()
	m := replay.NewMemory(&replay.MemoryOptions{MaxBytes: int64(top) * 160})
	for i := range top {
		must(t, m, claim(i), replay.Acquired)
		switch i + 1 {
		case top / 100, top / 10, top / 4, top / 3, top / 2, top * 2 / 3, top * 3 / 4, top:
			n := i + 1
			per := float64(heapBytes()-before) / float64(n)
			t.Logf("%7d records: %.1f bytes each", n, per)
			if per > 160 && n >= top/10 {
				t.Errorf("%d records take %.1f bytes each", n, per)
			}
		}
	}
	if u := m.Usage(); int(u.Records) != top || u.Bytes > u.MaxBytes {
		t.Errorf("Usage = %+v", u)
	}
	check(t, m)
}

// However many events come, the store stays within its bound.
func TestMemoryBound(t *testing.T) {
	for _, bytes := range []int64{16 << 10, 100_000, 1 << 20, 24 << 20} {
		t.Run(fmt.Sprint(bytes), func(t *testing.T) {
			c := newClock()
			before := heapBytes()
			m := replay.NewMemory(&replay.MemoryOptions{MaxBytes: bytes, Now: c.Now})
			random := rand.New(rand.NewPCG(1, 2))
			capacity := int(bytes / 160)
			for i := range min(5*capacity, capacity+200_000) {
				a := claim(i)
				a.Needed, a.Retention = time.Duration(random.IntN(capacity))*time.Second, 10000*time.Hour
				must(t, m, a, replay.Acquired)
				if random.IntN(4) == 0 {
					m.Release(t.Context(), handle(a))
				}
				c.Advance(time.Second)
			}
			after := heapBytes()
			u := m.Usage()
			t.Logf("%d bytes for %d records, bound %d", after-before, u.Records, bytes)
			// The Memory itself and what the test runs on are beside the bound.
			if after > before && int64(after-before) > bytes+4096 {
				t.Errorf("%d bytes, bound %d", after-before, bytes)
			}
			if u.Bytes > u.MaxBytes || int(u.Records) < capacity*9/10 {
				t.Errorf("Usage = %+v", u)
			}
			check(t, m)
		})
	}
}

func TestMemoryAllocs(t *testing.T) {
	c := newClock()
	m := replay.NewMemory(&replay.MemoryOptions{MaxBytes: 1 << 20, Now: c.Now})
	ctx := t.Context()
	i := 0
	next := func(bind bool) {
		a := claim(i)
		a.Needed = time.Hour
		var b replay.BodyBinding
		if bind {
			b.Message = number(-i - 1)
			a.Binding = &b
		}
		i++
		must(t, m, a, replay.Acquired)
		h := handle(a)
		if m.Renew(ctx, h, time.Minute) != nil || m.Commit(ctx, h) != nil || m.Release(ctx, h) != nil {
			t.Fatal("the owner lost")
		}
		must(t, m, a, replay.Done)
	}
	for range 3000 {
		next(false)
	}
	if n := testing.AllocsPerRun(3000, func() {
		k := number(i - 3000)
		next(false)
		if err := m.Forget(ctx, k); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("below the bound: %v allocations a run", n)
	}
	for m.Usage().Bytes+160 <= m.Usage().MaxBytes {
		next(false)
	}
	c.Advance(time.Hour)
	// Every record now makes room, first for events, then for events with
	// bindings; twice the runs stay below the number of records.
	if n := testing.AllocsPerRun(1000, func() { next(false) }); n != 0 {
		t.Errorf("at the bound: %v allocations a run", n)
	}
	if n := testing.AllocsPerRun(1000, func() { next(true) }); n > 1 { // the test's Binding
		t.Errorf("at the bound, with a binding: %v allocations a run", n)
	}
	check(t, m)
}

// model is the contract, as short as it can be written: a map and no bound.
type model struct {
	now      time.Duration
	floor    time.Time
	events   map[replay.Key]*entry
	messages map[replay.Key]*entry
}

type entry struct {
	token             replay.Token
	print             [32]byte
	done              bool
	lease, need, keep time.Duration
	retention         time.Duration
}

func (e *entry) end() time.Duration {
	if e.done {
		return e.need
	}
	return max(e.need, e.lease)
}

func (e *entry) until() time.Duration {
	if e.done {
		return max(e.keep, e.need)
	}
	return e.end() + e.retention
}

func (m *model) tidy() {
	for _, all := range []map[replay.Key]*entry{m.events, m.messages} {
		for k, e := range all {
			if e.until() <= m.now {
				delete(all, k)
			}
		}
	}
}

// needed returns how many records are.
func (m *model) needed() (n int) {
	for _, all := range []map[replay.Key]*entry{m.events, m.messages} {
		for _, e := range all {
			if e.end() > m.now {
				n++
			}
		}
	}
	return n
}

// bind reports whether the message is not bound to another body.
func (m *model) bind(c replay.Claim) bool {
	e := m.messages[c.Binding.Message]
	if e == nil {
		e = &entry{done: true, print: c.Binding.Body}
		m.messages[c.Binding.Message] = e
	}
	if e.print != c.Binding.Body {
		return false
	}
	e.need = max(e.need, m.now+c.Needed)
	return true
}

// known reports whether the event has a record that is needed.
func (m *model) known(k replay.Key) bool {
	e := m.events[k]
	return e != nil && e.end() > m.now
}

func (m *model) claim(c replay.Claim) replay.Outcome {
	if c.Binding != nil && !m.bind(c) {
		return replay.Outcome{Status: replay.Forged}
	}
	e := m.events[c.Key]
	if e == nil {
		if c.Resigned && c.SignedAt.Before(m.floor) {
			return replay.Outcome{Status: replay.BeforeFloor}
		}
		e = &entry{}
		m.events[c.Key] = e
	}
	e.need = max(e.need, m.now+c.Needed)
	if e.done {
		return replay.Outcome{Status: replay.Done, Same: e.print == c.Fingerprint}
	}
	if e.lease > m.now && e.token != c.Token {
		return replay.Outcome{Status: replay.InFlight, Lease: e.lease - m.now}
	}
	e.token, e.print, e.lease, e.retention = c.Token, c.Fingerprint, m.now+c.Lease, c.Retention
	return replay.Outcome{Status: replay.Acquired}
}

func (m *model) owned(h replay.Handle) *entry {
	if e := m.events[h.Key]; e != nil && e.token == h.Token {
		return e
	}
	return nil
}

func (m *model) renew(h replay.Handle, lease time.Duration) error {
	e := m.owned(h)
	if e == nil || e.done {
		return replay.ErrLost
	}
	e.lease = m.now + lease
	return nil
}

func (m *model) commit(h replay.Handle) error {
	e := m.owned(h)
	if e == nil {
		return replay.ErrLost
	}
	if !e.done {
		e.done, e.keep = true, m.now+e.retention
	}
	return nil
}

func (m *model) release(h replay.Handle) {
	if e := m.owned(h); e != nil && !e.done {
		delete(m.events, h.Key)
	}
}

func (m *model) forget(k replay.Key) error {
	e := m.events[k]
	if e == nil {
		return nil
	}
	if !e.done && e.lease > m.now {
		return replay.ErrHeld
	}
	delete(m.events, k)
	return nil
}

// TestMemoryModel makes random calls on a Memory and on the model and compares
// all answers.
func TestMemoryModel(t *testing.T) {
	runs := 30
	if testing.Short() {
		runs = 10
	}
	dropped, refused := 0, 0
	for seed := range runs {
		// Few keys make a Memory that forgets nothing early; many make one that
		// is mostly full.
		names := []int{5, 40, 90, 200, 500}[seed%5]
		d, r := runModel(t, uint64(seed), names)
		dropped += d
		refused += r
	}
	if dropped < 10*runs || refused < 10*runs {
		t.Errorf("%d records were dropped and %d claims refused in %d runs: too few", dropped, refused, runs)
	}
}

func runModel(t *testing.T, seed uint64, names int) (dropped, refused int) {
	random := rand.New(rand.NewPCG(seed, 7))
	c := newClock()
	m := replay.NewMemory(&replay.MemoryOptions{MaxBytes: 1, Now: c.Now}) // room for 102
	const capacity = 102
	ref := &model{
		floor:    c.Now().Truncate(time.Second),
		events:   make(map[replay.Key]*entry),
		messages: make(map[replay.Key]*entry),
	}
	some := func() time.Duration { return time.Duration(random.IntN(20)) * time.Second }
	// unsure reports whether a record may have been dropped or not.
	unsure := func(h replay.Handle) bool { return ref.events[h.Key] != nil && !ref.known(h.Key) }
	var held []replay.Handle
	forged := 0
	for step := range 6000 {
		ref.tidy()
		key := number(random.IntN(names))
		h := replay.Handle{Key: key, Token: token(random.IntN(3))}
		if len(held) > 0 && random.IntN(4) != 0 {
			h = held[random.IntN(len(held))]
		}
		var got, want any
		var what string
		switch n := random.IntN(20); {
		case n < 10:
			a := replay.Claim{
				Key: key, Token: token(random.IntN(3)), Lease: 1 + some(), Needed: some(), Retention: some(),
				Fingerprint: [32]byte{byte(random.IntN(2))},
				SignedAt:    ref.floor.Add(time.Duration(random.IntN(3)-1) * time.Second),
				Resigned:    random.IntN(3) == 0,
			}
			if random.IntN(3) == 0 {
				a.Binding = &replay.BodyBinding{Message: number(-1 - random.IntN(names)), Body: [32]byte{byte(random.IntN(8) / 7)}}
			}
			o, err := m.Claim(t.Context(), a)
			// At the bound, Memory may have dropped what the model kept.
			if err == nil && ref.dropped(a, o) {
				dropped++
			}
			if err != nil {
				refused++
				// A binding that is new needs a place before the event does.
				b := a.Binding
				fresh := b != nil && ref.messages[b.Message] == nil
				room := capacity - ref.needed()
				if err != replay.ErrFull || room > 1 || room == 1 && !fresh || !fresh && ref.known(a.Key) {
					t.Fatalf("seed %d, step %d: Claim = %v, with room for %d", seed, step, err, room)
				}
				if b != nil && (!fresh || room == 1) {
					ref.bind(a)
				}
				continue
			}
			if o.Status == replay.Forged {
				forged++
			}
			what, got, want = "Claim", o, ref.claim(a)
			if o.Status == replay.Acquired {
				held = append(held, handle(a))
			}
		case n < 12:
			d := 1 + some()
			if unsure(h) {
				continue
			}
			what, got, want = "Renew", m.Renew(t.Context(), h, d), ref.renew(h, d)
		case n < 15:
			if unsure(h) {
				continue
			}
			what, got, want = "Commit", m.Commit(t.Context(), h), ref.commit(h)
		case n < 17:
			m.Release(t.Context(), h)
			ref.release(h)
		case n < 18:
			what, got, want = "Forget", m.Forget(t.Context(), key), ref.forget(key)
		default:
			d := some() / 16
			c.Advance(d)
			ref.now += d
		}
		if got != want {
			t.Fatalf("seed %d, step %d: %s = %+v, want %+v", seed, step, what, got, want)
		}
		if len(held) > 50 {
			held = slices.Delete(held, 0, 25)
		}
		if step%50 == 0 {
			check(t, m)
		}
	}
	check(t, m)
	if forged == 0 {
		t.Errorf("seed %d: nothing was forged", seed)
	}
	return dropped, refused
}

// dropped removes the event of a claim from the model if the outcome shows that
// the store dropped it, which it may do with what is not needed. Bindings are
// never dropped: they are needed for as long as they are kept.
func (m *model) dropped(c replay.Claim, o replay.Outcome) bool {
	e := m.events[c.Key]
	if e == nil || e.end() > m.now {
		return false
	}
	if o.Status == replay.BeforeFloor || o.Status == replay.Acquired && e.done {
		delete(m.events, c.Key)
		return true
	}
	return false
}

// Many goroutines use everything at once, in a store that is full and one that
// is not.
func TestMemoryRace(t *testing.T) {
	for _, bytes := range []int64{1, 1 << 20} {
		c := newClock()
		var pressed atomic.Int32
		var m *replay.Memory
		m = replay.NewMemory(&replay.MemoryOptions{MaxBytes: bytes, Now: c.Now, OnPressure: func(replay.Stats) {
			pressed.Add(1)
			m.Usage()
		}})
		const names = 300
		var owners [names]atomic.Int32
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				random := rand.New(rand.NewPCG(uint64(g), 3))
				ctx := context.Background()
				for range 2000 {
					i := random.IntN(names)
					a := claim(i)
					a.Token = replay.NewToken()
					a.Needed = time.Duration(random.IntN(3)) * time.Second
					a.Retention = time.Duration(random.IntN(3)) * time.Second
					if random.IntN(4) == 0 {
						a.Binding = &replay.BodyBinding{Message: number(-1 - i), Body: number(i)}
					}
					o, err := m.Claim(ctx, a)
					if err != nil {
						if err != replay.ErrFull {
							t.Errorf("Claim = %v", err)
						}
						continue
					}
					switch o.Status {
					case replay.Acquired:
						// The clock moves by less than a lease in all.
						if owners[i].Add(1) != 1 {
							t.Error("an event has two owners")
						}
						if err := m.Renew(ctx, handle(a), a.Lease); err != nil {
							t.Errorf("Renew = %v", err)
						}
						owners[i].Add(-1)
						if random.IntN(2) == 0 {
							err = m.Commit(ctx, handle(a))
						} else {
							err = m.Release(ctx, handle(a))
						}
						if err != nil {
							t.Errorf("the owner cannot settle: %v", err)
						}
					case replay.Forged, replay.BeforeFloor:
						t.Errorf("Claim = %v", o.Status)
					}
					switch random.IntN(50) {
					case 0:
						m.Forget(ctx, number(random.IntN(names)))
					case 1:
						m.Usage()
					case 2:
						if g == 0 {
							c.Advance(100 * time.Millisecond)
						}
					}
				}
			})
		}
		wg.Wait()
		check(t, m)
		if bytes == 1 && pressed.Load() == 0 {
			t.Error("the small store was never full")
		}
	}
}

func TestMemoryErrors(t *testing.T) {
	m := replay.NewMemory(nil)
	cause := errors.New("gone")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	c := claim(1)
	if _, err := m.Claim(ctx, c); err != context.Canceled {
		t.Errorf("Claim = %v", err)
	}
	if err := m.Renew(ctx, handle(c), 1); err != context.Canceled {
		t.Errorf("Renew = %v", err)
	}
	if err := m.Commit(ctx, handle(c)); err != context.Canceled {
		t.Errorf("Commit = %v", err)
	}
	if err := m.Release(ctx, handle(c)); err != context.Canceled {
		t.Errorf("Release = %v", err)
	}
	if err := m.Forget(ctx, c.Key); err != context.Canceled {
		t.Errorf("Forget = %v", err)
	}
}

// benchmarkStore returns a store that is full of events that are not needed.
func benchmarkStore(b *testing.B) *replay.Memory {
	m := replay.NewMemory(nil)
	for i := range int(m.Usage().MaxBytes / 160) {
		c := claim(-1 - i)
		c.Lease, c.Needed = 1, 0
		must(b, m, c, replay.Acquired)
		m.Commit(b.Context(), handle(c))
	}
	b.ReportAllocs()
	b.ResetTimer()
	return m
}

// BenchmarkMemoryPair claims and commits new events. The store is full, so each
// takes the place of another.
func BenchmarkMemoryPair(b *testing.B) {
	m := benchmarkStore(b)
	var next atomic.Int64
	b.RunParallel(func(pb *testing.PB) {
		random := rand.NewPCG(uint64(next.Add(1)), 5)
		c := claim(0)
		c.Needed = 0
		ctx := context.Background()
		for pb.Next() {
			binary.LittleEndian.PutUint64(c.Key[:], random.Uint64())
			binary.LittleEndian.PutUint64(c.Key[8:], random.Uint64())
			o, err := m.Claim(ctx, c)
			if err != nil || o.Status != replay.Acquired {
				b.Errorf("Claim = %v, %v", o.Status, err)
				return
			}
			if err := m.Commit(ctx, handle(c)); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

// BenchmarkMemoryDone claims events that are done.
func BenchmarkMemoryDone(b *testing.B) {
	m := replay.NewMemory(nil)
	const n = 1 << 18
	for i := range n {
		c := claim(i)
		must(b, m, c, replay.Acquired)
		m.Commit(b.Context(), handle(c))
	}
	keys := make([]replay.Key, 1<<12)
	for i := range keys {
		keys[i] = number(i * (n / len(keys)))
	}
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		c := claim(0)
		ctx := context.Background()
		for i := 0; pb.Next(); i++ {
			c.Key = keys[i%len(keys)]
			if o, err := m.Claim(ctx, c); err != nil || o.Status != replay.Done {
				b.Errorf("Claim = %v, %v", o.Status, err)
				return
			}
		}
	})
}
