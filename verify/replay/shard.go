package replay

// BenchmarkMemoryPair justifies this file: a claim and a commit in a full store take
// 1.1 µs and no allocation. With a map, container/heap and one lock they take 4 µs and
// one allocation, and a record takes 252 bytes of heap in place of 140.

import (
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

const (
	inFlight = iota + 1
	done
	binding
)

// record is an event or a binding. It holds no pointer, so that the garbage
// collector need not look into it.
type record struct {
	key   Key
	token Token    // of the owner; events only
	print [32]byte // fingerprint of an event, body of a binding
	lease int64    // end of the lease; in flight only
	need  int64    // end of the need, not counting the lease
	keep  int64    // end of the retention; in flight its length, as it starts with the commit
	pos   uint32   // place in the heap
	state uint8
	group uint16 // see Memory.groups
}

// claim decides about an event that is known or, with state 0, was just made.
func (r *record) claim(c *Claim, now int64) Outcome {
	r.need = max(r.need, after(now, c.Needed))
	switch {
	case r.state == done:
		r.keep = max(r.keep, r.need)
		return Outcome{Status: Done, Same: r.print == c.Fingerprint}
	case r.state == inFlight && r.token != c.Token && now < r.lease:
		return Outcome{Status: InFlight, Lease: time.Duration(r.lease - now)}
	}
	r.state = inFlight
	r.token = c.Token
	r.print = c.Fingerprint
	r.lease = after(now, c.Lease)
	r.keep = int64(max(0, c.Retention))
	return Outcome{Status: Acquired}
}

// end returns when the record stops being needed.
func (r *record) end() int64 {
	if r.state == inFlight {
		return max(r.need, r.lease)
	}
	return r.need
}

// until returns when the record stops to count. One that was never settled is
// remembered for its retention, too: its owner may still commit.
func (r *record) until() int64 {
	if r.state == inFlight {
		return after(r.end(), time.Duration(r.keep))
	}
	return r.keep
}

// chunkLen is the number of records in a chunk, a power of two. Chunks make the
// records grow without being copied, and shrink.
const chunkLen = 16

// chunk holds records with the hashes of their keys and, independent of them, as
// many places of the heap: ids, each with its end(). Hashes and ends stand apart
// from the records because they are what is looked at most, and so stay in the
// processor's cache. It takes 128 bytes a record, a size class of the allocator.
type chunk struct {
	records [chunkLen]record
	hashes  [chunkLen]uint32
	ends    [chunkLen]int64
	ids     [chunkLen]uint32
}

// shard is a part of the records, with their index and their order. A record's
// id is its place in the chunks; the records are dense, so that removing one
// moves the last.
type shard struct {
	mu     sync.Mutex
	n      uint32 // records, and places of the heap
	hand   uint32 // id that the next sweep looks at
	chunks []*chunk

	// slots is a hash table with open addressing and linear probing. A slot
	// holds the id plus one in its lower 24 bits, and in its upper 8 the last
	// bits of the hash, which spare most looks into records of other keys.
	slots []uint32

	// oldest is first(), for those that do not hold the lock.
	oldest atomic.Int64

	_ [64]byte // keeps the locks of two shards out of one cache line
}

const (
	leastSlots = 32
	idMask     = 1<<24 - 1
	heapArity  = 4 // a record moves far in the heap, and a flat heap is kinder to the cache
)

func (s *shard) at(id uint32) *record { return &s.chunks[id/chunkLen].records[id%chunkLen] }

// slot returns what stands in the index for a record.
func slot(h, id uint32) uint32 { return h<<24 | (id + 1) }

// start returns where the search for a hash starts. Its bits are others than
// those in the slot.
func (s *shard) start(h uint32) uint32 { return h >> 8 & uint32(len(s.slots)-1) }

// hash returns the hash of a record's key.
func (s *shard) hash(id uint32) uint32 { return s.chunks[id/chunkLen].hashes[id%chunkLen] }

func (s *shard) find(h uint32, k *Key, isBinding bool) (id uint32, ok bool) {
	if s.n == 0 {
		return 0, false
	}
	mask := uint32(len(s.slots) - 1)
	tag := slot(h, 0) &^ idMask
	for i := s.start(h); s.slots[i] != 0; i = (i + 1) & mask {
		if s.slots[i]&^idMask != tag {
			continue
		}
		id := s.slots[i]&idMask - 1
		if r := s.at(id); r.key == *k && (r.state == binding) == isBinding {
			return id, true
		}
	}
	return 0, false
}

// add makes a record. Until the caller calls fix, it stands last in the heap.
func (s *shard) add(h uint32, k *Key) uint32 {
	if int(s.n) == len(s.chunks)*chunkLen {
		s.chunks = append(s.chunks, new(chunk))
	}
	if int(s.n)*4 >= len(s.slots)*3 {
		s.reindex(max(leastSlots, 2*len(s.slots)))
	}
	id := s.n
	s.n++
	s.make(id, h, k)
	s.set(id, id, math.MaxInt64)
	return id
}

// replace makes a record in the place of the first of the heap.
func (s *shard) replace(h uint32, k *Key) uint32 {
	id := s.top()
	s.unindex(id)
	s.make(id, h, k)
	return id
}

func (s *shard) make(id, h uint32, k *Key) {
	*s.at(id) = record{key: *k}
	s.chunks[id/chunkLen].hashes[id%chunkLen] = h
	s.index(id)
}

func (s *shard) remove(id uint32) {
	s.unindex(id)
	last := s.n - 1
	pos := s.at(id).pos
	c := s.chunks[last/chunkLen]
	end, tail := c.ends[last%chunkLen], c.ids[last%chunkLen]
	s.n--
	if pos != last {
		s.settle(pos, tail, end)
	}
	if id != last {
		r, h := s.at(id), s.hash(last)
		*r = *s.at(last)
		s.chunks[id/chunkLen].hashes[id%chunkLen] = h
		s.chunks[r.pos/chunkLen].ids[r.pos%chunkLen] = id
		s.slots[s.locate(last)] = slot(h, id)
	}
	s.publish()

	// Some chunks stay in reserve, so that a number of records that goes up and
	// down does not allocate.
	if len(s.chunks)*chunkLen > int(s.n+s.n/16)+2*chunkLen {
		s.chunks[len(s.chunks)-1] = nil
		s.chunks = s.chunks[:len(s.chunks)-1]
		if len(s.slots) > leastSlots && int(s.n) < len(s.slots)/8 {
			s.reindex(len(s.slots) / 2)
		}
	}
}

// index enters a record whose key it does not have.
func (s *shard) index(id uint32) {
	mask := uint32(len(s.slots) - 1)
	h := s.hash(id)
	i := s.start(h)
	for s.slots[i] != 0 {
		i = (i + 1) & mask
	}
	s.slots[i] = slot(h, id)
}

// locate returns the slot of a record that is in the index.
func (s *shard) locate(id uint32) uint32 {
	mask := uint32(len(s.slots) - 1)
	h := s.hash(id)
	i := s.start(h)
	for s.slots[i] != slot(h, id) {
		i = (i + 1) & mask
	}
	return i
}

// unindex takes a record out of the index and moves those back that a search
// would no longer reach over the gap.
func (s *shard) unindex(id uint32) {
	mask := uint32(len(s.slots) - 1)
	gap := s.locate(id)
	for i := (gap + 1) & mask; s.slots[i] != 0; i = (i + 1) & mask {
		start := s.start(s.hash(s.slots[i]&idMask - 1))
		if (i-start)&mask >= (i-gap)&mask {
			s.slots[gap] = s.slots[i]
			gap = i
		}
	}
	s.slots[gap] = 0
}

// reindex makes the index anew, with n slots.
func (s *shard) reindex(n int) {
	s.slots = make([]uint32, n)
	for id := range s.n {
		s.index(id)
	}
}

// top returns the record that stops being needed first. There must be one.
func (s *shard) top() uint32 { return s.chunks[0].ids[0] }

// first returns when it does, and the last time where there is no record.
func (s *shard) first() int64 {
	if s.n == 0 {
		return math.MaxInt64
	}
	return s.chunks[0].ends[0]
}

// unneeded looks for a record of a group that is not needed, among those in the heap
// at pos and below, in so many steps.
func (s *shard) unneeded(pos uint32, now int64, g uint16, steps *int) (id uint32, ok bool) {
	if pos >= s.n || *steps <= 0 {
		return 0, false
	}
	*steps--
	c := s.chunks[pos/chunkLen]
	if c.ends[pos%chunkLen] > now {
		return 0, false
	}
	if id = c.ids[pos%chunkLen]; s.at(id).group == g {
		return id, true
	}
	for child := pos*heapArity + 1; child <= pos*heapArity+heapArity; child++ {
		if id, ok = s.unneeded(child, now, g, steps); ok {
			return id, true
		}
	}
	return 0, false
}

// sample looks for a record of a group that is not needed, among a few taken at random.
func (s *shard) sample(now int64, g uint16) (id uint32, ok bool) {
	for range min(s.n, chunkLen) {
		id = rand.N(s.n)
		if r := s.at(id); r.group == g && r.end() <= now {
			return id, true
		}
	}
	return 0, false
}

func (s *shard) publish() {
	if t := s.first(); s.oldest.Load() != t {
		s.oldest.Store(t)
	}
}

// fix puts a record that was changed into its place in the heap.
func (s *shard) fix(id uint32) {
	r := s.at(id)
	end := r.end()
	if s.chunks[r.pos/chunkLen].ends[r.pos%chunkLen] == end {
		return
	}
	s.settle(r.pos, id, end)
	s.publish()
}

// set writes a place of the heap.
func (s *shard) set(pos, id uint32, end int64) {
	c := s.chunks[pos/chunkLen]
	c.ends[pos%chunkLen] = end
	c.ids[pos%chunkLen] = id
	s.at(id).pos = pos
}

// settle puts a record into the heap, where pos is free, and moves others out of
// its way.
func (s *shard) settle(pos, id uint32, end int64) {
	for pos > 0 {
		up := (pos - 1) / heapArity
		c := s.chunks[up/chunkLen]
		if c.ends[up%chunkLen] <= end {
			break
		}
		s.set(pos, c.ids[up%chunkLen], c.ends[up%chunkLen])
		pos = up
	}
	for {
		child := pos*heapArity + 1
		var best uint32
		bestEnd := end
		for i := child; i < s.n && i < child+heapArity; i++ {
			if e := s.chunks[i/chunkLen].ends[i%chunkLen]; e < bestEnd {
				best, bestEnd = i, e
			}
		}
		if best == 0 {
			break
		}
		s.set(pos, s.chunks[best/chunkLen].ids[best%chunkLen], bestEnd)
		pos = best
	}
	s.set(pos, id, end)
}
