package replay

import (
	"context"
	"time"
)

var _ Inspector = (*Memory)(nil)

// Inspect implements Inspector.
func (m *Memory) Inspect(ctx context.Context, key Key) (Record, bool, error) {
	if err := ctx.Err(); err != nil {
		return Record{}, false, err
	}
	hash, s := m.home(&key)
	s.mu.Lock()
	defer s.mu.Unlock()
	now := m.now()
	id, ok := m.find(s, hash, &key, false, now)
	if !ok {
		return Record{}, false, nil
	}
	r := s.at(id)
	rec := Record{Status: Done, Kept: time.Duration(r.until() - now)}
	if r.state == inFlight {
		rec.Status = InFlight
		rec.Lease = time.Duration(max(0, r.lease-now))
	}
	return rec, true, nil
}

// Stats implements Inspector. It is Usage with the errors of other stores.
func (m *Memory) Stats(ctx context.Context) (Stats, error) {
	if err := ctx.Err(); err != nil {
		return Stats{}, err
	}
	return m.Usage(), nil
}
