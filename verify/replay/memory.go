package replay

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"math"
	"math/bits"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

const (
	// recordBytes is what a record is charged: 128 bytes in its chunk, up to 11
	// in the index, up to 12 of what its shard holds in reserve, and a margin,
	// so that MaxBytes is a bound.
	recordBytes = 160

	defaultBytes = 64 << 20
	leastBytes   = 16 << 10 // below it, half-filled chunks would break the bound
	mostBytes    = 512 << 30

	defaultScopePercent = 90
	leastGroups         = 16
	mostGroups          = 1 << 16
	ungrouped           = 0 // the group of claims without endpoint and scope
	ownSteps            = 1024

	maxShards = 512
	// A shard of fewer records would hold too much of them in reserve.
	leastShard = 2048
)

// errLease is a mistake of the caller, not a decision of the store.
var errLease = errors.New("replay: a lease must be positive")

// errQuota: the store is not full, but this endpoint and scope may have no more.
var errQuota = fmt.Errorf("replay: this endpoint and scope have used up their part of the memory (MemoryOptions.MaxScopePercent): %w", ErrFull)

// MemoryOptions configures a Memory. The zero value is the default.
type MemoryOptions struct {
	// MaxBytes bounds the memory for records, their index included. A record
	// takes 160 bytes; an event takes one record, and a second one where its
	// claims have a Binding. The default is 64 MiB, enough for 419,430 records.
	// Values below 16 KiB, zero apart, are raised to it; values above 512 GiB
	// are cut down to it.
	MaxBytes int64

	// MaxScopePercent is how much of MaxBytes the records of one endpoint and scope
	// may take, in percent, so that one tenant cannot fill a store that several
	// share. Beyond it a new event takes the place of one of their own that is not
	// needed; where all are, or nearly all, its claim fails with ErrFull, and a guard
	// answers 503, while the other tenants go on. The default is 90, which leaves a tenth to all
	// others together, 41,943 records of the default store. Values below 1, zero
	// apart, are raised to 1; values above 100 are cut down to 100, which is right
	// where there is one tenant. Two tenants together can still take all where
	// twice the percentage is 100 or more: 100/(n+1) holds against n of them.
	// For a bound that nobody else can reach, give each tenant a guard with a Memory
	// of its own. Claims that name neither endpoint nor scope have no quota and no
	// limit.
	MaxScopePercent int

	// Since is the floor: an event that is not known, comes from a provider that
	// signs every attempt anew and was signed before Since, is refused with
	// BeforeFloor. The default is the time of NewMemory, cut down to the whole
	// second, because many providers sign whole seconds. Set it to an earlier
	// time only if no event that was signed since can have been handled before.
	Since time.Time

	// Now is the clock, for tests. It is called under a lock and must not call
	// the store. The default is time.Now, of which the monotonic reading is
	// used: a step of the wall clock changes no lease and no retention.
	Now func() time.Time

	// OnPressure is called when 80 % of MaxBytes come into use, and not again
	// before they fell below 70 %. Records that are merely kept count, too. It
	// runs within a Claim, which waits for it, and may use the store.
	OnPressure func(Stats)
}

// Memory is a Store in the memory of the process. It forgets everything when
// the process ends, and no other process shares it.
//
// Its memory grows with its records, up to a bound. When that is reached, a new
// event takes the place of the record that has gone unneeded for longest: of its
// own shard, a part of at least 2048 records that its key falls into, and of
// the whole store where that shard has none.
//
// A Memory is safe for concurrent use and runs no goroutine. Make it with
// NewMemory; the zero value is not usable.
type Memory struct {
	clock func() time.Time // nil: time.Now
	start time.Time        // all times below are nanoseconds since start
	floor time.Time
	seed  maphash.Seed

	maxBytes   int64
	capacity   int64 // in records
	high, low  int64 // in records: 80 % and 70 % of maxBytes
	onPressure func(Stats)

	shards []shard
	shift  int // takes the number of the shard from a hash

	// groups counts the records of each endpoint and scope, of which a seeded hash
	// chooses the place, one of 32,768 in the default store: of two that share one,
	// which nobody can choose, each has what the other leaves.
	groups []atomic.Int32
	quota  int32 // how many records a group may have

	used    atomic.Int64 // records in all shards, never more than capacity
	pressed atomic.Bool  // OnPressure was called and is not armed again
}

var _ Store = (*Memory)(nil)

// NewMemory returns an empty Memory. Nil options are the defaults.
func NewMemory(o *MemoryOptions) *Memory {
	if o == nil {
		o = &MemoryOptions{}
	}
	m := &Memory{
		clock:      o.Now,
		floor:      o.Since,
		seed:       maphash.MakeSeed(),
		maxBytes:   o.MaxBytes,
		onPressure: o.OnPressure,
	}
	m.start = time.Now()
	if m.clock != nil {
		m.start = m.clock()
	}
	if m.floor.IsZero() {
		m.floor = m.start.Truncate(time.Second)
	}
	if m.maxBytes == 0 {
		m.maxBytes = defaultBytes
	}
	m.maxBytes = min(max(m.maxBytes, leastBytes), mostBytes)
	m.capacity = m.maxBytes / recordBytes
	m.high = (m.maxBytes*8/10 + recordBytes - 1) / recordBytes
	m.low = (m.maxBytes*7/10 + recordBytes - 1) / recordBytes

	percent := o.MaxScopePercent
	if percent == 0 {
		percent = defaultScopePercent
	}
	m.quota = int32(min(max(1, m.capacity*int64(min(max(percent, 1), 100))/100), math.MaxInt32))
	groups := leastGroups
	for groups < mostGroups && int64(groups)*16 <= m.capacity {
		groups *= 2
	}
	m.groups = make([]atomic.Int32, groups)

	n := 1
	for n < maxShards && m.capacity/int64(2*n) >= leastShard {
		n *= 2
	}
	m.shift = 64 - bits.Len(uint(n-1))
	m.shards = make([]shard, n)
	for i := range m.shards {
		m.shards[i].oldest.Store(math.MaxInt64)
	}
	return m
}

// Usage returns how full the store is. It takes no lock. A record is charged 160 bytes.
func (m *Memory) Usage() Stats {
	n := m.used.Load()
	return Stats{Records: n, Bytes: n * recordBytes, MaxBytes: m.maxBytes}
}

// Claim implements Store.
func (m *Memory) Claim(ctx context.Context, c Claim) (Outcome, error) {
	if err := ctx.Err(); err != nil {
		return Outcome{}, err
	}
	if c.Lease <= 0 {
		return Outcome{}, errLease
	}
	var o Outcome
	var err error
	if c.Binding != nil {
		o, err = m.bind(&c)
	}
	if o.Status == 0 && err == nil {
		o, err = m.acquire(&c)
	}
	if m.onPressure != nil && m.used.Load() >= m.high && !m.pressed.Load() && m.pressed.CompareAndSwap(false, true) {
		m.onPressure(m.Usage())
	}
	return o, err
}

// bind returns Forged where the message is bound to another body, and otherwise
// the zero Outcome. The binding and the event mostly live in two shards. They
// need no common lock, because a binding that was written does not change: of
// two bodies, the one that comes first to the message's shard has won.
func (m *Memory) bind(c *Claim) (Outcome, error) {
	b := c.Binding
	h, s := m.home(&b.Message)
	g := m.group(c)
	for {
		s.mu.Lock()
		now := m.now()
		m.sweep(s, now)
		id, ok := m.find(s, h, &b.Message, true, now)
		if !ok {
			if id, ok = m.put(s, h, now, &b.Message, g); !ok {
				s.mu.Unlock()
				if err := m.evict(g); err != nil {
					return Outcome{}, err
				}
				continue
			}
			r := s.at(id)
			r.state, r.print = binding, b.Body
		}
		r := s.at(id)
		if r.print != b.Body {
			s.mu.Unlock()
			return Outcome{Status: Forged}, nil
		}
		r.need = max(r.need, after(now, c.Needed))
		r.keep = r.need
		s.fix(id)
		s.mu.Unlock()
		return Outcome{}, nil
	}
}

// acquire decides about the event.
func (m *Memory) acquire(c *Claim) (Outcome, error) {
	h, s := m.home(&c.Key)
	g := m.group(c)
	for {
		s.mu.Lock()
		// Under the lock, or the lease of an owner that came meanwhile would
		// seem to be longer than it is.
		now := m.now()
		m.sweep(s, now)
		id, ok := m.find(s, h, &c.Key, false, now)
		if !ok {
			if c.Resigned && c.SignedAt.Before(m.floor) {
				s.mu.Unlock()
				return Outcome{Status: BeforeFloor}, nil
			}
			if id, ok = m.put(s, h, now, &c.Key, g); !ok {
				s.mu.Unlock()
				if err := m.evict(g); err != nil {
					return Outcome{}, err
				}
				continue
			}
		}
		o := s.at(id).claim(c, now)
		s.fix(id)
		s.mu.Unlock()
		return o, nil
	}
}

// Renew implements Store.
func (m *Memory) Renew(ctx context.Context, h Handle, lease time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if lease <= 0 {
		return errLease
	}
	hash, s := m.home(&h.Key)
	s.mu.Lock()
	defer s.mu.Unlock()
	now := m.now()
	id, ok := m.find(s, hash, &h.Key, false, now)
	if !ok {
		return ErrLost
	}
	r := s.at(id)
	if r.token != h.Token || r.state != inFlight {
		return ErrLost
	}
	r.lease = after(now, lease)
	s.fix(id)
	return nil
}

// Commit implements Store.
func (m *Memory) Commit(ctx context.Context, h Handle) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	hash, s := m.home(&h.Key)
	s.mu.Lock()
	defer s.mu.Unlock()
	now := m.now()
	id, ok := m.find(s, hash, &h.Key, false, now)
	if !ok {
		return ErrLost
	}
	r := s.at(id)
	if r.token != h.Token {
		return ErrLost
	}
	if r.state == inFlight {
		r.state = done
		r.keep = max(r.need, after(now, time.Duration(r.keep)))
		s.fix(id)
	}
	return nil
}

// Release implements Store.
func (m *Memory) Release(ctx context.Context, h Handle) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	hash, s := m.home(&h.Key)
	s.mu.Lock()
	defer s.mu.Unlock()
	id, ok := m.find(s, hash, &h.Key, false, m.now())
	if !ok {
		return nil
	}
	if r := s.at(id); r.token == h.Token && r.state == inFlight {
		m.drop(s, id)
	}
	return nil
}

// Forget implements Store.
func (m *Memory) Forget(ctx context.Context, key Key) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	hash, s := m.home(&key)
	s.mu.Lock()
	defer s.mu.Unlock()
	now := m.now()
	id, ok := m.find(s, hash, &key, false, now)
	if !ok {
		return nil
	}
	if r := s.at(id); r.state == inFlight && now < r.lease {
		return ErrHeld
	}
	m.drop(s, id)
	return nil
}

// now returns the time since start. It is never negative, so that differences
// of times cannot overflow.
func (m *Memory) now() int64 {
	if m.clock == nil {
		return int64(time.Since(m.start)) // monotonic
	}
	return max(0, int64(m.clock().Sub(m.start)))
}

// after returns the time d after now. A negative d is zero; what lies beyond the
// last time is the last time.
func after(now int64, d time.Duration) int64 {
	if d <= 0 {
		return now
	}
	if int64(d) > math.MaxInt64-now {
		return math.MaxInt64
	}
	return now + int64(d)
}

// home returns a key's hash and shard; its shard is not in the hash. Both are
// seeded: nobody who can make keys can choose where they fall.
func (m *Memory) home(k *Key) (uint32, *shard) {
	h := maphash.Bytes(m.seed, k[:])
	return uint32(h), &m.shards[h>>m.shift]
}

// find looks a record up in its locked shard and drops it if its retention is
// over. Events and bindings are never taken for each other, not even under one
// key.
func (m *Memory) find(s *shard, h uint32, k *Key, isBinding bool, now int64) (id uint32, ok bool) {
	id, ok = s.find(h, k, isBinding)
	if ok && s.at(id).until() <= now {
		m.drop(s, id)
		return 0, false
	}
	return id, ok
}

// group returns the group of a claim.
func (m *Memory) group(c *Claim) uint16 {
	if c.Endpoint == "" && c.Scope == "" {
		return ungrouped
	}
	var h maphash.Hash
	h.SetSeed(m.seed)
	h.WriteString(c.Endpoint)
	h.WriteByte(0)
	h.WriteString(c.Scope)
	return uint16(1 + h.Sum64()%uint64(len(m.groups)-1))
}

// hasQuota reports whether a group may have one record more.
func (m *Memory) hasQuota(g uint16) bool { return g == ungrouped || m.groups[g].Load() < m.quota }

// count counts one record more of a group, if it may have one.
func (m *Memory) count(g uint16) bool {
	if m.groups[g].Add(1) > m.quota && g != ungrouped {
		m.groups[g].Add(-1)
		return false
	}
	return true
}

// put makes a record of a group in its locked shard, where find found none. The
// caller fills it and calls fix. When the store is full, the record takes the place
// of one of this shard that is not needed; if there is none, or the group has its
// quota, put returns false.
func (m *Memory) put(s *shard, h uint32, now int64, k *Key, g uint16) (id uint32, ok bool) {
	if !m.count(g) {
		return 0, false
	}
	for {
		n := m.used.Load()
		if n >= m.capacity {
			break
		}
		if m.used.CompareAndSwap(n, n+1) {
			id = s.add(h, k)
			s.at(id).group = g
			return id, true
		}
	}
	if s.first() > now {
		m.groups[g].Add(-1)
		return 0, false
	}
	m.groups[s.at(s.top()).group].Add(-1)
	id = s.replace(h, k)
	s.at(id).group = g
	return id, true
}

// evict drops a record that is not needed, to make space for one of a group in
// another shard: the one that has gone unneeded for longest or, where the group has
// its quota, one of the group. No shard may be locked by the caller. It returns an
// error if there is none.
func (m *Memory) evict(g uint16) error {
	for {
		if !m.hasQuota(g) {
			return m.evictOwn(g)
		}
		now := m.now()
		var from *shard
		first := int64(math.MaxInt64)
		for i := range m.shards {
			if t := m.shards[i].oldest.Load(); t < first {
				from, first = &m.shards[i], t
			}
		}
		if first > now {
			// A place may have become free since the caller found none.
			if m.used.Load() >= m.capacity {
				return ErrFull
			}
			return nil
		}
		from.mu.Lock()
		ok := from.first() <= now
		if ok {
			m.drop(from, from.top())
		}
		from.mu.Unlock()
		if ok {
			return nil
		}
	}
}

// evictOwn drops a record of a group that is not needed. The search is bounded,
// because one that floods the store pays nothing for it. It looks at those that have
// gone unneeded for longest, which are all where there are few. Where they are those
// of others, it looks at records taken at random: a group that has its quota has as
// large a part of them.
func (m *Memory) evictOwn(g uint16) error {
	steps := ownSteps
	for i := 0; i < len(m.shards) && steps > 0; i++ {
		s := &m.shards[i]
		now := m.now()
		if s.oldest.Load() > now {
			continue
		}
		s.mu.Lock()
		id, ok := s.unneeded(0, now, g, &steps)
		if ok {
			m.drop(s, id)
		}
		s.mu.Unlock()
		if ok {
			return nil
		}
	}
	if steps > 0 {
		return errQuota
	}
	for range ownSteps / chunkLen {
		s := &m.shards[rand.N(len(m.shards))]
		now := m.now()
		s.mu.Lock()
		id, ok := s.sample(now, g)
		if ok {
			m.drop(s, id)
		}
		s.mu.Unlock()
		if ok {
			return nil
		}
	}
	return errQuota
}

// sweep removes some records of a locked shard whose retention is over: the
// longest unneeded, and those that a hand passes, which turns with every claim.
func (m *Memory) sweep(s *shard, now int64) {
	for range 2 {
		if s.first() > now || s.at(s.top()).until() > now {
			break
		}
		m.drop(s, s.top())
	}
	for range 2 {
		if s.hand >= s.n {
			s.hand = 0
		}
		if s.n == 0 {
			return
		}
		if s.at(s.hand).until() <= now {
			m.drop(s, s.hand) // another record takes its place
		} else {
			s.hand++
		}
	}
}

// drop removes a record of a locked shard and gives its place back.
func (m *Memory) drop(s *shard, id uint32) {
	m.groups[s.at(id).group].Add(-1)
	s.remove(id)
	if m.used.Add(-1) < m.low && m.pressed.Load() {
		m.pressed.Store(false)
	}
}
