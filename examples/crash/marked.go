package main

import (
	"context"
	"sync"
	"time"

	"github.com/hooknotary/hooknotary/verify/replay"
)

// markedStore writes into the journal what a register answered.
type markedStore struct {
	replay.Store
	journal *journal
	owners  sync.Map // of replay.Token: *request
}

func newMarkedStore(s replay.Store, j *journal) *markedStore {
	return &markedStore{Store: s, journal: j}
}

// owner returns the request that holds a claim. The renewals and the commit do
// not come under its context.
func (s *markedStore) owner(h replay.Handle) *request {
	r, _ := s.owners.Load(h.Token)
	return r.(*request)
}

func (s *markedStore) Claim(ctx context.Context, c replay.Claim) (replay.Outcome, error) {
	from := time.Now()
	o, err := s.Store.Claim(ctx, c)
	if err == nil && o.Status == replay.Acquired {
		r := requestOf(ctx)
		s.owners.Store(c.Token, r)
		s.journal.write(r.id, acquired, from, "-")
	}
	return o, err
}

func (s *markedStore) Renew(ctx context.Context, h replay.Handle, lease time.Duration) error {
	from := time.Now()
	err := s.Store.Renew(ctx, h, lease)
	if err == nil {
		s.journal.write(s.owner(h).id, renewed, from, "-")
	}
	return err
}

func (s *markedStore) Commit(ctx context.Context, h replay.Handle) error {
	r := s.owner(h)
	if err := s.Store.Commit(ctx, h); err != nil {
		s.journal.write(r.id, uncommitted, time.Time{}, "-")
		return err
	}
	s.journal.write(r.id, committed, time.Time{}, "-")
	s.journal.crashAt(beforeAnswer, r)
	return nil
}

func (s *markedStore) Release(ctx context.Context, h replay.Handle) error {
	s.journal.write(s.owner(h).id, releasing, time.Time{}, "-")
	return s.Store.Release(ctx, h)
}
