package replay

import (
	"fmt"
	"hash/maphash"
)

// Shards returns the number of shards.
func (m *Memory) Shards() int { return len(m.shards) }

// Group returns the group of a claim.
func (m *Memory) Group(c Claim) uint16 { return m.group(&c) }

// Check looks for contradictions inside a store that nobody uses meanwhile.
func (m *Memory) Check() error {
	var used int64
	groups := make([]int32, len(m.groups))
	for i := range m.shards {
		s := &m.shards[i]
		used += int64(s.n)
		if have, least := len(s.chunks)*chunkLen, int(s.n); have < least || have > least+least/16+3*chunkLen {
			return fmt.Errorf("shard %d: %d chunks for %d records", i, len(s.chunks), s.n)
		}
		if s.oldest.Load() != s.first() {
			return fmt.Errorf("shard %d: the published end is %d, not %d", i, s.oldest.Load(), s.first())
		}
		filled := 0
		for _, v := range s.slots {
			if v != 0 {
				filled++
			}
		}
		if filled != int(s.n) {
			return fmt.Errorf("shard %d: %d slots for %d records", i, filled, s.n)
		}
		for id := range s.n {
			r := s.at(id)
			groups[r.group]++
			h := maphash.Bytes(m.seed, r.key[:])
			if &m.shards[h>>m.shift] != s {
				return fmt.Errorf("shard %d: record %d belongs elsewhere", i, id)
			}
			if s.hash(id) != uint32(h) {
				return fmt.Errorf("shard %d: record %d has the hash %x, not %x", i, id, s.hash(id), uint32(h))
			}
			if got, ok := s.find(uint32(h), &r.key, r.state == binding); !ok || got != id {
				return fmt.Errorf("shard %d: record %d is found as %d, %v", i, id, got, ok)
			}
			c := s.chunks[r.pos/chunkLen]
			if c.ids[r.pos%chunkLen] != id || c.ends[r.pos%chunkLen] != r.end() {
				return fmt.Errorf("shard %d: record %d is not at its place %d in the heap", i, id, r.pos)
			}
			if r.until() < r.end() {
				return fmt.Errorf("shard %d: record %d is forgotten at %d but needed until %d", i, id, r.until(), r.end())
			}
			if r.pos > 0 {
				up := (r.pos - 1) / heapArity
				if s.chunks[up/chunkLen].ends[up%chunkLen] > r.end() {
					return fmt.Errorf("shard %d: the heap is out of order at %d", i, r.pos)
				}
			}
		}
	}
	for g, n := range groups {
		if counted := m.groups[g].Load(); counted != n {
			return fmt.Errorf("group %d has %d records, but %d are counted", g, n, counted)
		}
	}
	if used != m.used.Load() {
		return fmt.Errorf("%d records, but %d are counted", used, m.used.Load())
	}
	return nil
}
