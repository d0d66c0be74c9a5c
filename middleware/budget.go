package middleware

import (
	"context"
	"sync"
	"time"
)

const (
	// Bodies of up to 1 MiB, and the byte of room in which their end is seen, have
	// half of the budget to themselves.
	smallBody = 1<<20 + 1
	roomWait  = 2 * time.Second // how long a body waits for room, in all
)

// budget bounds the bytes of all bodies in flight. Large bodies together may take
// half of it, so that they cannot shut out the small ones.
type budget struct {
	mu      sync.Mutex
	max     int64
	used    int64
	large   int64         // part of used by bodies over smallBody
	waiting int           // number of bodies that wait for room
	freed   chan struct{} // closed when room is freed while somebody waits
}

// newBudget makes a budget of max bytes, and of the byte in which the end of a
// largest body is seen, in each half.
func newBudget(max int64) *budget { return &budget{max: max + 2, freed: make(chan struct{})} }

// share is what one body has taken.
type share struct {
	of     *budget
	bytes  int64
	waited time.Duration
}

// grow takes room for n more bytes, waiting for it if need be.
func (s *share) grow(ctx context.Context, n int64) bool {
	var timeout <-chan time.Time
	for {
		freed := s.tryGrow(n)
		if freed == nil {
			return true
		}
		if timeout == nil {
			begin := time.Now()
			defer func() { s.waited += time.Since(begin) }()
			t := time.NewTimer(roomWait - s.waited)
			defer t.Stop()
			timeout = t.C
		}
		ok := false
		select {
		case <-freed:
			ok = true
		case <-timeout:
		case <-ctx.Done():
		}
		s.of.mu.Lock()
		s.of.waiting--
		s.of.mu.Unlock()
		if !ok {
			return false
		}
	}
}

// tryGrow takes the room and returns nil, or returns what to wait for.
func (s *share) tryGrow(n int64) <-chan struct{} {
	b := s.of
	b.mu.Lock()
	defer b.mu.Unlock()
	var large int64 // what to add to b.large
	switch {
	case s.bytes > smallBody:
		large = n
	case s.bytes+n > smallBody:
		large = s.bytes + n
	}
	if b.used+n > b.max || large > 0 && b.large+large > b.max/2 {
		b.waiting++
		return b.freed
	}
	b.used += n
	b.large += large
	s.bytes += n
	return nil
}

// free gives everything back.
func (s *share) free() {
	if s.bytes == 0 {
		return
	}
	b := s.of
	b.mu.Lock()
	defer b.mu.Unlock()
	b.used -= s.bytes
	if s.bytes > smallBody {
		b.large -= s.bytes
	}
	s.bytes = 0
	if b.waiting > 0 {
		close(b.freed)
		b.freed = make(chan struct{})
	}
}
