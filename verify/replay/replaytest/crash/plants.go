package main

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hooknotary/hooknotary/verify/replay"
)

// A plant is a bug in the wiring of the servers that the harness must find.
type plant struct {
	store   func(replay.Store) replay.Store // under the journal
	tokens  func(knowing) replay.Store      // the same, for bugs that take other owners for one's own
	marked  func(replay.Store) replay.Store // over the journal: the guards' own
	handler func(http.Handler) http.Handler // inside the guards
	site    func(http.Handler) http.Handler // outside of them
	apart   bool                            // the inbox commits its effect before the claim
	silent  bool                            // the store is emptied, and the journal says nothing of it
}

var plants = map[string]plant{
	"forget-commit":  {store: func(s replay.Store) replay.Store { return &forgetful{Store: s} }},
	"acquire-always": {store: func(s replay.Store) replay.Store { return generous{s} }},
	"commit-first":   {store: func(s replay.Store) replay.Store { return hasty{s} }},
	"short-lease":    {store: func(s replay.Store) replay.Store { return stingy{s} }},
	"unbound":        {store: func(s replay.Store) replay.Store { return unbound{s} }},
	"response-first": {marked: func(s replay.Store) replay.Store { return sluggish{s} }},
	"response-early": {site: respondEarly},
	"commit-apart":   {apart: true},

	"flush-unsaid":   {silent: true},
	"no-floor":       {store: func(s replay.Store) replay.Store { return floorless{s} }},
	"renew-once":     {marked: func(s replay.Store) replay.Store { return &lazy{Store: s} }},
	"untold":         {handler: untold},
	"attached":       {handler: attached},
	"commit-once":    {marked: func(s replay.Store) replay.Store { return &faint{Store: s} }},
	"release-any":    {tokens: func(s knowing) replay.Store { return releaser{s} }},
	"take-over":      {tokens: func(s knowing) replay.Store { return robber{s} }},
	"commit-any":     {tokens: func(s knowing) replay.Store { return usurper{s} }},
	"long-lease":     {store: func(s replay.Store) replay.Store { return generousLease{s} }},
	"fail-release":   {store: func(s replay.Store) replay.Store { return deaf{s} }},
	"forget-release": {store: func(s replay.Store) replay.Store { return sticky{s} }},
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

// sluggish commits after the response has left.
type sluggish struct{ replay.Store }

func (s sluggish) Commit(ctx context.Context, h replay.Handle) error {
	time.AfterFunc(50*time.Millisecond, func() { s.Store.Commit(context.WithoutCancel(ctx), h) })
	return nil
}

// respondEarly acknowledges an event that is being handled.
func respondEarly(next http.Handler) http.Handler {
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

// floorless lets in what was signed before the store was emptied.
type floorless struct{ replay.Store }

func (f floorless) Claim(ctx context.Context, c replay.Claim) (replay.Outcome, error) {
	c.Resigned = false
	return f.Store.Claim(ctx, c)
}

// lazy renews a lease once, and only says so from then on.
type lazy struct {
	replay.Store
	renewed sync.Map // of replay.Token
}

func (l *lazy) Renew(ctx context.Context, h replay.Handle, lease time.Duration) error {
	if _, again := l.renewed.LoadOrStore(h.Token, true); again {
		return nil
	}
	return l.Store.Renew(ctx, h, lease)
}

// untold hides from a handler that its context has ended.
func untold(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithoutCancel(r.Context())))
	})
}

// attached ends a handler that should go on when its sender hangs up.
func attached(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, end := context.WithCancel(r.Context())
		defer end()
		defer context.AfterFunc(requestOf(ctx).client, end)()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// faint gives up after the first commit that failed.
type faint struct {
	replay.Store
	failed sync.Map // of replay.Token: error
}

func (f *faint) Commit(ctx context.Context, h replay.Handle) error {
	if err, ok := f.failed.Load(h.Token); ok {
		return err.(error)
	}
	err := f.Store.Commit(ctx, h)
	if err != nil {
		f.failed.Store(h.Token, err)
	}
	return err
}

// knowing knows the token of every owner: the servers tell each other in files.
type knowing struct {
	replay.Store
	folder string
}

func (k knowing) Claim(ctx context.Context, c replay.Claim) (replay.Outcome, error) {
	o, err := k.Store.Claim(ctx, c)
	if err == nil && o.Status == replay.Acquired {
		path := k.path(c.Key)
		own := path + hex.EncodeToString(c.Token[:])
		if err := os.WriteFile(own, c.Token[:], 0o600); err != nil {
			return o, err
		}
		if err := os.Rename(own, path); err != nil {
			return o, err
		}
	}
	return o, err
}

func (k knowing) path(key replay.Key) string {
	return filepath.Join(k.folder, "owner-"+key.String())
}

// owner returns the handle of whoever was given the claim last.
func (k knowing) owner(key replay.Key) replay.Handle {
	h := replay.Handle{Key: key}
	token, err := os.ReadFile(k.path(key))
	if err == nil {
		copy(h.Token[:], token)
	}
	return h
}

// releaser releases a claim whoever holds it.
type releaser struct{ knowing }

func (r releaser) Release(ctx context.Context, h replay.Handle) error {
	return r.Store.Release(ctx, r.owner(h.Key))
}

// robber takes over a claim that is live, and was given or renewed some time ago.
type robber struct{ knowing }

func (r robber) Claim(ctx context.Context, c replay.Claim) (replay.Outcome, error) {
	o, err := r.knowing.Claim(ctx, c)
	if err == nil && o.Status == replay.InFlight && o.Lease < c.Lease*9/10 {
		if err := r.Store.Release(ctx, r.owner(c.Key)); err != nil {
			return o, err
		}
		return r.knowing.Claim(ctx, c)
	}
	return o, err
}

// usurper lets a former owner commit.
type usurper struct{ knowing }

func (u usurper) Commit(ctx context.Context, h replay.Handle) error {
	err := u.Store.Commit(ctx, h)
	if errors.Is(err, replay.ErrLost) {
		return u.Store.Commit(ctx, u.owner(h.Key))
	}
	return err
}

// generousLease makes leases six times as long as they were asked for.
type generousLease struct{ replay.Store }

func (g generousLease) Claim(ctx context.Context, c replay.Claim) (replay.Outcome, error) {
	c.Lease *= 6
	return g.Store.Claim(ctx, c)
}

func (g generousLease) Renew(ctx context.Context, h replay.Handle, lease time.Duration) error {
	return g.Store.Renew(ctx, h, 6*lease)
}

// sticky keeps what should be released.
type sticky struct{ replay.Store }

func (s sticky) Release(context.Context, replay.Handle) error { return nil }

// deaf fails to release, and says so.
type deaf struct{ replay.Store }

func (deaf) Release(context.Context, replay.Handle) error {
	return errors.New("planted: the release failed")
}
