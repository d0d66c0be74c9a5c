package redisreplay

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/redis/go-redis/v9"

	"github.com/hooknotary/hooknotary/verify/replay"
)

// Inspect implements replay.Inspector.
func (s *Store) Inspect(ctx context.Context, key replay.Key) (replay.Record, bool, error) {
	got, err := within(ctx, s, func(ctx context.Context) ([]int64, error) {
		return inspectScript.Run(ctx, s.client, []string{s.recordKey(key)}).Int64Slice()
	})
	if err == nil && len(got) != 3 {
		err = errors.New("the server's answer makes no sense")
	}
	if err != nil {
		return replay.Record{}, false, fail("inspect", s.explain(err))
	}
	r := replay.Record{Lease: duration(got[1]), Kept: duration(got[2])}
	switch got[0] {
	case 0:
		return replay.Record{}, false, nil
	case 1:
		r.Status = replay.InFlight
	case 2:
		r.Status = replay.Done
	default:
		return replay.Record{}, false, fail("inspect", fmt.Errorf("the server answered %d", got[0]))
	}
	return r, true, nil
}

// page is how many keys a server looks at in one step of Stats.
const page = 1000

// Stats implements replay.Inspector. It walks over all keys of the servers, those
// of others included, in steps that do not hold up what else they do: about a
// second for a million keys. Options.Timeout bounds each step, but not how long a
// cluster's client looks for its nodes. What comes and goes
// meanwhile may be missed, or counted twice. A node of a cluster is refused where
// the client knows it alone, because it has a part of the records only.
func (s *Store) Stats(ctx context.Context) (replay.Stats, error) {
	if s.invalid != nil {
		return replay.Stats{}, fail("stats", s.invalid)
	}
	if _, ok := s.client.(cluster); !ok {
		if _, err := within(ctx, s, s.hasAllParts); err != nil {
			return replay.Stats{}, fail("stats", s.explain(err))
		}
	}
	var n atomic.Int64
	err := s.each(ctx, func(ctx context.Context, server redis.Cmdable) error { return s.count(ctx, server, &n) })
	if err != nil {
		return replay.Stats{}, fail("stats", err)
	}
	return replay.Stats{Records: n.Load()}, nil
}

// hasAllParts fails where the one server that the client knows does not hold all
// parts. It asks for all marks, because that is what every user of the store may do.
func (s *Store) hasAllParts(ctx context.Context) (struct{}, error) {
	// One by itself: a server that wants a password first answers a single command
	// so, and closes the connection of a client that sends many.
	if err := s.client.Get(ctx, s.mark(0)).Err(); err != nil && !errors.Is(err, redis.Nil) {
		return struct{}{}, err
	}
	got, err := s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i := range parts {
			p.Get(ctx, s.mark(i))
		}
		return nil
	})
	for _, cmd := range got {
		if err = cmd.Err(); err != nil && !errors.Is(err, redis.Nil) {
			return struct{}{}, err
		}
	}
	if errors.Is(err, redis.Nil) {
		err = nil
	}
	return struct{}{}, err
}

// count adds the records of one server.
func (s *Store) count(ctx context.Context, server redis.Cmdable, n *atomic.Int64) error {
	type found struct {
		keys   []string
		cursor uint64
	}
	var cursor uint64
	for {
		f, err := within(ctx, s, func(ctx context.Context) (f found, err error) {
			f.keys, f.cursor, err = server.Scan(ctx, cursor, "{"+s.prefix+":*", page).Result()
			return f, err
		})
		if err != nil {
			return err
		}
		for _, key := range f.keys {
			if !strings.HasSuffix(key, "}floor") {
				n.Add(1)
			}
		}
		if cursor = f.cursor; cursor == 0 {
			return nil
		}
	}
}
