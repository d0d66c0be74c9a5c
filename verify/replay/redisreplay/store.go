package redisreplay

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hooknotary/hooknotary/verify/replay"
)

const (
	defaultPrefix  = "hooknotary"
	mostPrefix     = 64
	defaultTimeout = 500 * time.Millisecond
)

var (
	// errLease is a mistake of the caller, not a decision of the store.
	errLease  = errors.New("a lease must be positive")
	errClient = errors.New("there is no client")
	errRing   = errors.New("a redis.Ring moves keys while a server is down, and so forgets them: use a cluster")
	errPrefix = errors.New("a prefix has 1 to 64 characters of A-Z a-z 0-9 . _ -")
)

// Options configures a Store. The zero value is the default.
type Options struct {
	// Prefix begins all keys of the store, so that several stores can share a
	// server: at most 64 characters, of A-Z a-z 0-9 . _ - only. Two stores with
	// one prefix share their records; a change of it forgets them. The default is
	// "hooknotary".
	Prefix string

	// Timeout bounds each operation, and each step of Check and Stats, whatever
	// the client's own settings are; an earlier deadline of the context holds. The
	// default, also for negative values, is 500 ms.
	Timeout time.Duration

	// OnNewFloor is called when the marks of so many parts, of 1024, were missing
	// and were set: once when a store is used for the first time, and from then
	// on only because the server lost its data. Then a copy of a delivery that was
	// handled before may be handled again where its provider does not sign every
	// attempt anew. Where the server's answer was lost, the number is smaller, 1 at
	// least. It is called by an operation, which waits for it, so it must not use
	// the store.
	OnNewFloor func(parts int)

	// InsecureAllowEviction accepts a server that drops records which are still
	// needed when its memory is full, or that does not say whether it does. A
	// dropped event runs again when a copy arrives.
	InsecureAllowEviction bool
}

// Store is a replay.Store and a replay.Inspector in Redis. Make it with New.
type Store struct {
	client     redis.UniversalClient
	invalid    error // why no operation can succeed, or nil
	timeout    time.Duration
	anyPolicy  bool
	onNewFloor func(parts int)

	prefix string
	tags   [parts]string

	gate   chan struct{} // held by the one that checks
	checks atomic.Uint64 // that passed
	loss   bool          // was noticed, and maybe mended without being told; like all below, for who holds the gate
	apart  bool          // the marks cannot be set by one script
	next   int           // the part whose mark is next
	set    int           // marks, by attempts that ran out of time

	honorsContext bool // the client keeps to contexts by itself
	single        bool // and talks to one server
	queue         queue
	limit         atomic.Pointer[limit]
	abandoned     atomic.Int64 // calls of the client that nobody waits for any more
}

var (
	_ replay.Store     = (*Store)(nil)
	_ replay.Inspector = (*Store)(nil)
)

// New returns a Store that uses a client, which the caller goes on owning, and
// closes. It does not talk to the server yet: call Check where a program starts.
// Nil options are the defaults. Where a client or an option is of no use, Check
// and every operation say so; a *redis.Ring is, because it would forget.
func New(client redis.UniversalClient, o *Options) *Store {
	if o == nil {
		o = &Options{}
	}
	s := &Store{
		client:     client,
		timeout:    o.Timeout,
		anyPolicy:  o.InsecureAllowEviction,
		onNewFloor: o.OnNewFloor,
		prefix:     o.Prefix,
		gate:       make(chan struct{}, 1),
	}
	if s.timeout <= 0 {
		s.timeout = defaultTimeout
	}
	if s.prefix == "" {
		s.prefix = defaultPrefix
	}
	switch _, ring := client.(*redis.Ring); {
	case isNil(client):
		s.invalid = errClient
	case ring:
		s.invalid = errRing
	case !validPrefix(s.prefix):
		s.invalid = errPrefix
	}
	if s.invalid == nil {
		s.honorsContext = honorsContext(client)
		_, s.single = client.(*redis.Client)
		_, s.apart = client.(cluster)
	}
	for i := range s.tags {
		s.tags[i] = tag(s.prefix, i)
	}
	return s
}

func validPrefix(p string) bool {
	const allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"
	return len(p) <= mostPrefix && strings.Trim(p, allowed) == ""
}

// Claim implements replay.Store. It takes one round trip to the server, and one
// more with a Binding. The first claim, and one that finds the server empty,
// checks it before.
func (s *Store) Claim(ctx context.Context, c replay.Claim) (replay.Outcome, error) {
	if c.Lease <= 0 {
		return replay.Outcome{}, fail("claim", errLease)
	}
	if c.Binding != nil {
		b := *c.Binding // the caller's, and an abandoned call may outlive this one
		c.Binding = &b
	}
	n, err := within(ctx, s, func(ctx context.Context) (int64, error) { return s.claim(ctx, &c) })
	if err != nil {
		return replay.Outcome{}, fail("claim", s.explain(err))
	}
	return outcome(n)
}

func (s *Store) claim(ctx context.Context, c *replay.Claim) (int64, error) {
	seen := s.checks.Load()
	if seen == 0 {
		if err := s.check(ctx, seen, false); err != nil {
			return 0, err
		}
		seen = s.checks.Load()
	}
	n, err := s.bindAndAcquire(ctx, c)
	if err != nil || n != unmarked {
		return n, err
	}
	// The server is not the one that was checked, or lost its data.
	if err := s.check(ctx, seen, true); err != nil {
		return 0, err
	}
	return s.bindAndAcquire(ctx, c)
}

func (s *Store) bindAndAcquire(ctx context.Context, c *replay.Claim) (int64, error) {
	if c.Binding != nil {
		if n, err := s.bind(ctx, c); err != nil || n != bound {
			return n, err
		}
	}
	return s.acquire(ctx, c)
}

func (s *Store) bind(ctx context.Context, c *replay.Claim) (int64, error) {
	b := c.Binding
	return s.run(ctx, bindScript, "2", s.bindingKey(b.Message), s.mark(part(b.Message)), b.Body[:], millis(c.Needed))
}

func (s *Store) acquire(ctx context.Context, c *replay.Claim) (int64, error) {
	lease, need, keep := millis(c.Lease), millis(c.Needed), millis(c.Retention)
	record := make([]byte, 0, recordLen)
	record = append(record, c.Token[:]...)
	record = append(record, c.Fingerprint[:]...)
	for _, n := range [...]int64{lease, need, keep} {
		record = binary.BigEndian.AppendUint64(record, math.Float64bits(float64(n)))
	}
	args := []any{s.recordKey(c.Key), s.mark(part(c.Key)), record, max(lease, need) + keep}
	if c.Resigned {
		args = append(args, min(max(c.SignedAt.UnixMilli(), -mostMillis), mostMillis))
	}
	return s.run(ctx, claimScript, "2", args...)
}

// outcome reads what the scripts answer to a claim.
func outcome(n int64) (replay.Outcome, error) {
	switch {
	case n > 0:
		return replay.Outcome{Status: replay.InFlight, Lease: duration(n)}, nil
	case n == acquired:
		return replay.Outcome{Status: replay.Acquired}, nil
	case n == doneSame, n == doneOther:
		return replay.Outcome{Status: replay.Done, Same: n == doneSame}, nil
	case n == forged:
		return replay.Outcome{Status: replay.Forged}, nil
	case n == beforeFloor:
		return replay.Outcome{Status: replay.BeforeFloor}, nil
	case n == unmarked:
		return replay.Outcome{}, fail("claim", errors.New("the marks of the store vanish as soon as they are set"))
	}
	return replay.Outcome{}, fail("claim", fmt.Errorf("the server answered %d", n))
}

// Renew implements replay.Store.
func (s *Store) Renew(ctx context.Context, h replay.Handle, lease time.Duration) error {
	if lease <= 0 {
		return fail("renew", errLease)
	}
	return s.settle(ctx, "renew", replay.ErrLost, renewScript, h.Key, h.Token[:], millis(lease))
}

// Commit implements replay.Store.
func (s *Store) Commit(ctx context.Context, h replay.Handle) error {
	return s.settle(ctx, "commit", replay.ErrLost, commitScript, h.Key, h.Token[:])
}

// Release implements replay.Store.
func (s *Store) Release(ctx context.Context, h replay.Handle) error {
	return s.settle(ctx, "release", nil, releaseScript, h.Key, h.Token[:])
}

// Forget implements replay.Store.
func (s *Store) Forget(ctx context.Context, key replay.Key) error {
	return s.settle(ctx, "forget", replay.ErrHeld, forgetScript, key)
}

// send has the client process a command, together with others where that holds up
// none of them: a client that does not keep to contexts could block the queue, one
// server of a cluster what is for the others, and an operation with little time
// left would end those that it sends.
func (s *Store) send(ctx context.Context, cmd *redis.IntCmd) error {
	if l, ok := ctx.(*limited); ok && s.single && l.limit.fresh(s.timeout) {
		return s.queue.send(ctx, s.client, cmd)
	}
	return s.client.Process(ctx, cmd)
}

// settle runs a script on one record. Where that answers no, the error is refusal.
func (s *Store) settle(ctx context.Context, what string, refusal error, sc script, key replay.Key, args ...any) error {
	n, err := within(ctx, s, func(ctx context.Context) (int64, error) {
		return s.run(ctx, sc, "1", append([]any{s.recordKey(key)}, args...)...)
	})
	if err != nil {
		return fail(what, s.explain(err))
	}
	switch n {
	case yes:
		return nil
	case no:
		return refusal
	}
	return fail(what, fmt.Errorf("the server answered %d", n))
}

// millis returns d in milliseconds, rounded up; a negative d is none.
func millis(d time.Duration) int64 {
	if d <= 0 {
		return 0
	}
	n := d.Milliseconds()
	if d%time.Millisecond > 0 {
		n++
	}
	return n
}

// duration is the reverse of millis.
func duration(n int64) time.Duration {
	return time.Duration(min(max(n, 0), math.MaxInt64/int64(time.Millisecond))) * time.Millisecond
}

// explain says what to do about an error of a server: that it sends the client to
// another one, which the client does not know, or that a right is missing.
func (s *Store) explain(err error) error {
	if _, ok := s.client.(cluster); !ok && (redis.HasErrorPrefix(err, "MOVED") || redis.HasErrorPrefix(err, "ASK")) {
		return fmt.Errorf("%w: %w", errCluster, err)
	}
	var refused redis.Error
	if errors.As(err, &refused) && (strings.Contains(refused.Error(), "can't run this command") || strings.Contains(refused.Error(), "ACL failure in script")) {
		return fmt.Errorf("a right is missing; the package comment has the rights that a user needs: %w", err)
	}
	return err
}

// fail makes the error of an operation. A server without memory is replay.ErrFull.
func fail(what string, err error) error {
	if isFull(err) {
		return fmt.Errorf("redisreplay: %s: %w: %w", what, replay.ErrFull, err)
	}
	return fmt.Errorf("redisreplay: %s: %w", what, err)
}

// isFull reports whether the server refused to use more memory. What stands
// before that in the answer, and after, depends on its version.
func isFull(err error) bool {
	var answer redis.Error
	return errors.As(err, &answer) && strings.Contains(answer.Error(), "OOM command not allowed")
}
