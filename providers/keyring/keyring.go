// Package keyring holds the keys of a verifier: it checks and prepares those of a fixed
// list once, and asks any other source on each request, within bounds. It is for authors
// of verifiers; users hand a verify.KeySource to the constructor of theirs.
//
//	ring, err := keyring.New(source, prepare, nobody)
//	…
//	keys, noKey, err := ring.Find(ctx, head) // in Begin
//
// A verifier that was handed no key goes on with nobody's up to Finish, and refuses the
// request there: whoever withholds the body, or measures what a large one takes, must not
// learn who has a key.
package keyring

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/hooknotary/hooknotary/verify"
)

const (
	maxAsking  = 256  // calls of a source that have not returned, of one ring
	maxWaiting = 4096 // requests that wait for such a call
)

var (
	errNoKeys   = errors.New("the key source returned no key")
	errKeysLate = fmt.Errorf("the key source did not answer within %v: have it end with its context", verify.KeyTimeout)
	errKeysGone = errors.New("the key source ended its goroutine instead of returning")
)

// Ring holds the keys of one verifier, prepared as a K each. It is safe for concurrent
// use.
type Ring[K any] struct {
	source  verify.KeySource
	prepare func(verify.Key) (K, []byte, error)
	fixed   []K // nil unless the source is a fixed list
	nobody  []K

	// For a source that is asked on each request.
	asking  chan struct{} // holds one element for each call that has not returned
	waiting atomic.Int64  // requests that wait for room in it
}

// New makes a ring. prepare checks one key and makes it ready; it also returns the bytes
// by which two keys are told to be the same, and its errors hold no secret. nobody is what
// a request without a key is checked with, in vain. All of them are required.
//
// The keys of a fixed list, which is a verify.KeyList or a *verify.SecretList, are checked
// here: an error says what is wrong with them.
func New[K any](source verify.KeySource, prepare func(verify.Key) (K, []byte, error), nobody K) (*Ring[K], error) {
	r := &Ring[K]{source: source, prepare: prepare, nobody: []K{nobody}}
	switch keys := source.(type) {
	case nil:
		return nil, errors.New("there is no key source")
	case verify.KeyFunc:
		if keys == nil {
			return nil, errors.New("the key source is a nil function")
		}
	case *verify.SecretList:
		list, err := keys.KeyList()
		if err != nil {
			return nil, err
		}
		return r, r.fix(list)
	case verify.KeyList:
		keys = slices.Clone(keys) // the caller may change its list
		r.source = keys
		return r, r.fix(keys)
	}
	r.asking = make(chan struct{}, maxAsking)
	return r, nil
}

func (r *Ring[K]) fix(keys verify.KeyList) (err error) {
	if len(keys) == 0 {
		return errors.New("there is no key; is the environment variable of the secret set?")
	}
	r.fixed, err = r.prepareAll(keys)
	return err
}

// prepareAll checks the keys for one request and makes them ready.
func (r *Ring[K]) prepareAll(list []verify.Key) ([]K, error) {
	if len(list) > verify.MaxKeys {
		return nil, fmt.Errorf("there are %d keys, at most %d are tried", len(list), verify.MaxKeys)
	}
	keys, secrets := make([]K, len(list)), make([][]byte, len(list))
	for i, k := range list {
		var err error
		if keys[i], secrets[i], err = r.prepare(k); err != nil {
			return nil, err
		}
		for j, other := range list[:i] {
			if subtle.ConstantTimeCompare(secrets[i], secrets[j]) == 1 {
				return nil, fmt.Errorf("%v and %v are the same secret", other, k)
			}
			if k.Scope() == other.Scope() && k.Label() == other.Label() {
				return nil, fmt.Errorf("two keys are named %v", k)
			}
		}
	}
	return keys, nil
}

// Find returns the keys of a request. Where there is none, it returns nobody's, and noKey
// says why, for Finish to refuse the request with verify.ErrNoKey. err says that the source
// failed: Begin refuses the request with verify.ErrUnavailable. The keys must not be
// changed.
func (r *Ring[K]) Find(ctx context.Context, h *verify.Head) (keys []K, noKey, err error) {
	if r.fixed != nil {
		return r.fixed, nil, nil
	}
	list, err := r.Keys(ctx, h)
	switch {
	case errors.Is(err, verify.ErrNoKey):
		return r.nobody, err, nil
	case err != nil:
		return nil, nil, err
	case len(list) == 0:
		return r.nobody, errNoKeys, nil
	}
	if keys, noKey = r.prepareAll(list); noKey != nil {
		return r.nobody, noKey, nil
	}
	return keys, nil, nil
}

// answer is what a key source returned, or what became of the call.
type answer struct {
	keys     []verify.Key
	err      error
	panicked any
}

// Keys asks the source for keys, and waits for verify.KeyTimeout at most. A call that
// takes longer is left behind, and holds its place among maxAsking until it returns: so a
// source that never does cannot hold requests, and cannot pile up goroutines.
func (r *Ring[K]) Keys(ctx context.Context, h *verify.Head) ([]verify.Key, error) {
	if r.asking == nil { // a fixed list
		return r.source.Keys(ctx, h)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, verify.KeyTimeout, errKeysLate)
	defer cancel()
	if err := r.place(ctx); err != nil {
		return nil, err
	}
	// A call that is left behind reads the head while the request's own is somebody
	// else's again.
	own := h
	if h != nil {
		own = &verify.Head{Method: h.Method, Header: h.Header.Clone(), ReceivedAt: h.ReceivedAt}
		if h.URL != nil {
			u := *h.URL
			own.URL = &u
		}
	}
	answered := make(chan answer, 1)
	go func() {
		a := answer{err: errKeysGone}
		defer func() {
			<-r.asking
			answered <- a
		}()
		defer func() { a.panicked = recover() }()
		a.keys, a.err = r.source.Keys(ctx, own)
	}()
	select {
	case a := <-answered:
		if a.panicked != nil {
			panic(a.panicked)
		}
		return a.keys, a.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// place takes one of the places of calls. So many may wait, and one more is refused: a
// request that waits here is counted nowhere else.
func (r *Ring[K]) place(ctx context.Context) error {
	defer r.waiting.Add(-1)
	if r.waiting.Add(1) > maxWaiting {
		return fmt.Errorf("the key source was not asked: %d requests wait for it", maxWaiting)
	}
	select {
	case r.asking <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%w (all of the %d calls at a time are waiting)", context.Cause(ctx), maxAsking)
	}
}
