package replay_test

import (
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/verify/replay"
)

// A tenant that came last has only records which are younger than the many of others,
// and a new event takes the place of one of them all the same.
func TestMemoryShareOfATenantThatCameLast(t *testing.T) {
	const share = 650
	c := newClock()
	m := replay.NewMemory(&replay.MemoryOptions{MaxBytes: 10 * share * 160, MaxScopePercent: 10, Now: c.Now})
	names := tenants(m, 9)
	n := 0
	finish := func(tenant string) error {
		n++
		one := of(tenant, n)
		one.Lease, one.Needed, one.Retention = time.Second, 10*time.Second, 30*24*time.Hour
		if _, err := m.Claim(t.Context(), one); err != nil {
			return err
		}
		return m.Commit(t.Context(), handle(one))
	}
	for _, tenant := range names {
		for range share {
			c.Advance(time.Millisecond)
			if err := finish(tenant); err != nil {
				t.Fatal(err)
			}
		}
	}
	c.Advance(time.Hour)
	for i := range 2 * share {
		c.Advance(time.Second) // ten are needed, all others are merely kept
		if err := finish(names[8]); err != nil {
			t.Fatalf("event %d: %v", i, err)
		}
	}
	check(t, m)
}
