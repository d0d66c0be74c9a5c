package main

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/hooknotary/hooknotary/verify/replay"
)

// markedStore writes into the journal what a store was asked, and what it answered.
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
	r := requestOf(ctx)
	s.journal.write(r.id, claiming, time.Time{}, nothing)
	from := time.Now()
	o, err := s.Store.Claim(ctx, c)
	switch {
	case err != nil:
		s.journal.write(r.id, refused, from, failure)
	case o.Status == replay.Acquired:
		s.owners.Store(c.Token, r)
		s.journal.write(r.id, acquired, from, nothing)
	default:
		s.journal.write(r.id, refused, from, statusName(o.Status))
	}
	return o, err
}

// failure is the detail of a refusal that was an error of the store.
const failure = "error"

// statusName names a status in the journal, which has no blanks.
func statusName(s replay.Status) string { return strings.ReplaceAll(s.String(), " ", "-") }

func (s *markedStore) Renew(ctx context.Context, h replay.Handle, lease time.Duration) error {
	r, from := s.owner(h), time.Now()
	err := s.Store.Renew(ctx, h, lease)
	switch {
	case err == nil:
		s.journal.write(r.id, renewed, from, nothing)
	case errors.Is(err, replay.ErrLost):
		s.journal.write(r.id, lost, from, "renew")
	default:
		s.journal.write(r.id, unrenewed, from, nothing)
	}
	return err
}

func (s *markedStore) Commit(ctx context.Context, h replay.Handle) error {
	r, from := s.owner(h), time.Now()
	err := s.Store.Commit(ctx, h)
	switch {
	case err == nil:
		s.journal.write(r.id, committed, from, nothing)
		s.journal.crashAt(beforeResponse, r)
	case errors.Is(err, replay.ErrLost):
		s.journal.write(r.id, lost, from, "commit")
	default:
		s.journal.write(r.id, uncommitted, from, nothing)
	}
	return err
}

func (s *markedStore) Release(ctx context.Context, h replay.Handle) error {
	r, from := s.owner(h), time.Now()
	s.journal.write(r.id, releasing, time.Time{}, nothing)
	err := s.Store.Release(ctx, h)
	if err == nil {
		s.journal.write(r.id, released, time.Time{}, nothing)
	} else {
		s.journal.write(r.id, unreleased, from, nothing)
	}
	return err
}
