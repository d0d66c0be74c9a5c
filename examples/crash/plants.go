package main

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/hooknotary/hooknotary/verify/replay"
)

// A plant is a bug in the wiring of the servers that the harness must find.
type plant struct {
	store    func(replay.Store) replay.Store // under the journal
	register func(replay.Store) replay.Store // over it: the guards' own
	site     func(http.Handler) http.Handler
	apart    bool // the inbox commits its effect before the claim
}

var plants = map[string]plant{
	"forget-commit":  {store: func(s replay.Store) replay.Store { return &forgetful{Store: s} }},
	"acquire-always": {store: func(s replay.Store) replay.Store { return generous{s} }},
	"commit-first":   {store: func(s replay.Store) replay.Store { return hasty{s} }},
	"short-lease":    {store: func(s replay.Store) replay.Store { return stingy{s} }},
	"unbound":        {store: func(s replay.Store) replay.Store { return unbound{s} }},
	"answer-first":   {register: func(s replay.Store) replay.Store { return sluggish{s} }},
	"answer-early":   {site: answerEarly},
	"commit-apart":   {apart: true},
}

// forgetful does not pass on every fourth commit.
type forgetful struct {
	replay.Store
	n atomic.Int64
}

func (f *forgetful) Commit(ctx context.Context, h replay.Handle) error {
	if f.n.Add(1)%4 == 0 {
		return nil
	}
	return f.Store.Commit(ctx, h)
}

// generous gives every claim.
type generous struct{ replay.Store }

func (g generous) Claim(ctx context.Context, c replay.Claim) (replay.Outcome, error) {
	o, err := g.Store.Claim(ctx, c)
	if err == nil {
		o = replay.Outcome{Status: replay.Acquired}
	}
	return o, err
}

// hasty commits before the handler runs.
type hasty struct{ replay.Store }

func (h hasty) Claim(ctx context.Context, c replay.Claim) (replay.Outcome, error) {
	o, err := h.Store.Claim(ctx, c)
	if err == nil && o.Status == replay.Acquired {
		err = h.Store.Commit(ctx, replay.Handle{Key: c.Key, Token: c.Token})
	}
	return o, err
}

// stingy cuts leases short.
type stingy struct{ replay.Store }

func (s stingy) Claim(ctx context.Context, c replay.Claim) (replay.Outcome, error) {
	c.Lease /= 50
	return s.Store.Claim(ctx, c)
}

func (s stingy) Renew(ctx context.Context, h replay.Handle, lease time.Duration) error {
	return s.Store.Renew(ctx, h, lease/50)
}

// unbound does not tie messages to their bodies.
type unbound struct{ replay.Store }

func (u unbound) Claim(ctx context.Context, c replay.Claim) (replay.Outcome, error) {
	c.Binding = nil
	return u.Store.Claim(ctx, c)
}

// sluggish commits after the answer has left.
type sluggish struct{ replay.Store }

func (s sluggish) Commit(ctx context.Context, h replay.Handle) error {
	time.AfterFunc(50*time.Millisecond, func() { s.Store.Commit(context.WithoutCancel(ctx), h) })
	return nil
}

// answerEarly acknowledges an event that is being handled.
func answerEarly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(&early{w}, r)
	})
}

type early struct{ http.ResponseWriter }

func (e *early) WriteHeader(status int) {
	if status == http.StatusConflict && e.Header().Get("Retry-After") != "" {
		status = http.StatusOK
	}
	e.ResponseWriter.WriteHeader(status)
}

func (e *early) Unwrap() http.ResponseWriter { return e.ResponseWriter }
