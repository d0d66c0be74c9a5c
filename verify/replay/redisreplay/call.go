package redisreplay

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// maxAbandoned bounds the calls of a client that go on after nobody waits for them
// any more. With go-redis there are at most as many as it has connections.
const maxAbandoned = 1024

var errStray = errors.New("too many calls are stuck in the client")

// sentinel is the address of a client that finds its server by Sentinel.
const sentinel = "FailoverClient"

// honorsContext reports whether all that a client does ends with the context's
// deadline. Without ContextTimeoutEnabled it reads and writes without regard to
// it, and with negative timeouts in any case; a TLS handshake has only a deadline
// of its own, Sentinels are asked one after the other, and what its owner has it
// do to connect may take any time.
func honorsContext(client redis.UniversalClient) bool {
	switch c := client.(type) {
	case *redis.Client:
		o := c.Options()
		return o.ContextTimeoutEnabled && o.TLSConfig == nil && o.Addr != sentinel &&
			o.ReadTimeout >= 0 && o.WriteTimeout >= 0 &&
			o.CredentialsProvider == nil && o.CredentialsProviderContext == nil && o.OnConnect == nil
	case *redis.ClusterClient:
		o := c.Options()
		return o.ContextTimeoutEnabled && o.TLSConfig == nil && o.NewClient == nil &&
			o.ReadTimeout >= 0 && o.WriteTimeout >= 0 &&
			o.CredentialsProvider == nil && o.CredentialsProviderContext == nil && o.OnConnect == nil
	}
	return false
}

// isNil reports whether there is no client.
func isNil(client redis.UniversalClient) bool {
	switch c := client.(type) {
	case nil:
		return true
	case *redis.Client:
		return c == nil
	case *redis.ClusterClient:
		return c == nil
	}
	return false
}

// within calls f with a context that ends after the store's timeout at the
// latest, and returns when it does. What f uses must stay as it is for as long as
// f runs, which may be longer.
func within[T any](ctx context.Context, s *Store, f func(context.Context) (T, error)) (T, error) {
	return withinTime(ctx, s, s.timeout, f)
}

// withinTime does the same with another timeout.
func withinTime[T any](ctx context.Context, s *Store, timeout time.Duration, f func(context.Context) (T, error)) (T, error) {
	var none T
	if s.invalid != nil {
		return none, s.invalid
	}
	if err := ctx.Err(); err != nil {
		return none, err
	}
	if s.honorsContext && timeout == s.timeout {
		l := s.newestLimit()
		if d, ok := ctx.Deadline(); !ok || !d.Before(l.deadline) {
			return f(&limited{ctx, l})
		}
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if s.honorsContext {
		return f(ctx)
	}
	return await(ctx, s, f)
}

// limit is a context that many operations share: setting a timer for each of them
// would cost as much as all else that happens here.
type limit struct {
	context.Context
	made, deadline time.Time
}

// fresh reports whether so little of the time is over that operations under this
// limit and the newest one may wait for each other.
func (l *limit) fresh(timeout time.Duration) bool { return time.Since(l.made) < timeout/8 }

// limited carries the values of an operation's context and ends with a limit. That
// the operation's own context is cancelled is not noticed before.
type limited struct {
	context.Context
	limit *limit
}

func (l *limited) Deadline() (time.Time, bool) { return l.limit.deadline, true }
func (l *limited) Done() <-chan struct{}       { return l.limit.Done() }
func (l *limited) Err() error                  { return l.limit.Err() }

// newestLimit returns a limit that is between 7/8 and 15/16 of the timeout away: a
// caller that sets the same timeout is within it.
func (s *Store) newestLimit() *limit {
	now := time.Now()
	l := s.limit.Load()
	if l != nil && now.Sub(l.made) < s.timeout/16 {
		return l
	}
	deadline := now.Add(s.timeout - s.timeout/16)
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	_ = cancel // others may use it until the deadline, which frees it
	l = &limit{ctx, now, deadline}
	s.limit.Store(l)
	return l
}

// await calls f and returns when it does or the context ends, whichever is first.
func await[T any](ctx context.Context, s *Store, f func(context.Context) (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	var none T
	if s.abandoned.Load() >= maxAbandoned {
		return none, errStray
	}
	var ended atomic.Bool // by f or the context
	c := make(chan answer, 1)
	go func() {
		var a answer
		defer func() {
			if p := recover(); p != nil { // or it would end the process
				a.err = fmt.Errorf("the client panicked: %v", p)
			}
			if ended.Swap(true) {
				s.abandoned.Add(-1)
			}
			c <- a
		}()
		a.value, a.err = f(ctx)
	}()
	select {
	case a := <-c:
		return a.value, a.err
	case <-ctx.Done():
		if ended.Swap(true) {
			a := <-c
			return a.value, a.err
		}
		s.abandoned.Add(1)
		return none, ctx.Err()
	}
}
