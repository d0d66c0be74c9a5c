package redisreplay

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

var errReplica = errors.New("this server is a replica: what is written to it is lost")

// Check does what the first claim would do otherwise, and may be called again at
// any time: it refuses a server that drops records to make room (its
// maxmemory-policy must be noeviction), or that is a replica, and sets the marks
// that are missing. In a cluster, it asks every master.
func (s *Store) Check(ctx context.Context) error {
	_, err := within(ctx, s, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, s.check(ctx, s.checks.Load(), false)
	})
	if err != nil {
		return fail("check", err)
	}
	return nil
}

// check checks the servers, unless somebody did since checks was seen. One does
// so at a time; the others wait. loss says that a mark was seen to be missing.
func (s *Store) check(ctx context.Context, seen uint64, loss bool) error {
	select {
	case s.gate <- struct{}{}:
		defer func() { <-s.gate }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if s.checks.Load() != seen {
		return nil
	}
	if err := s.each(ctx, s.checkServer); err != nil {
		return err
	}
	if err := s.stamp(ctx, loss); err != nil {
		return err
	}
	s.checks.Add(1)
	return nil
}

// each calls f for every server that may hold records, for some at once.
func (s *Store) each(ctx context.Context, f func(context.Context, redis.Cmdable) error) error {
	if c, ok := s.client.(*redis.ClusterClient); ok {
		return c.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error { return f(ctx, node) })
	}
	return f(ctx, s.client)
}

// checkServer asks by INFO, because CONFIG is often forbidden.
func (s *Store) checkServer(ctx context.Context, server redis.Cmdable) error {
	if !s.anyPolicy {
		if err := checkPolicy(ctx, server); err != nil {
			return err
		}
	}
	replication, err := server.Info(ctx, "replication").Result()
	var refused redis.Error
	switch {
	case s.anyPolicy && errors.As(err, &refused): // it does not say
		return nil
	case err != nil:
		return fmt.Errorf("asking for the role: %w", err)
	case field(replication, "role") != "master":
		return errReplica
	}
	return nil
}

func checkPolicy(ctx context.Context, server redis.Cmdable) error {
	memory, err := server.Info(ctx, "memory").Result()
	if err != nil {
		return fmt.Errorf("asking for the maxmemory-policy: %w", err)
	}
	switch policy := field(memory, "maxmemory_policy"); policy {
	case "noeviction":
	case "":
		return errors.New("the server does not say what its maxmemory-policy is; see Options.InsecureAllowEviction")
	default:
		return fmt.Errorf("the maxmemory-policy is %q, so that records are dropped while they are needed; it must be noeviction", policy)
	}
	return nil
}

// field returns the value of a line of an INFO, or "".
func field(info, name string) string {
	for line := range strings.Lines(info) {
		if k, v, ok := strings.Cut(strings.TrimSpace(line), ":"); ok && k == name {
			return v
		}
	}
	return ""
}

// stamp sets the marks that are missing, all at once: the floor of a part is the
// time when a loss was noticed, not when the part was used again.
func (s *Store) stamp(ctx context.Context, loss bool) error {
	var set [parts]*redis.Cmd
	_, err := s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i := range set {
			set[i] = p.Eval(ctx, stampScript.source, []string{s.mark(i)})
		}
		return nil
	})
	n := 0
	for _, cmd := range set {
		if v, _ := cmd.Int(); v == 1 {
			n++
		}
	}
	if err != nil {
		s.loss = s.loss || loss || n > 0 // maybe they are set now
		return fmt.Errorf("marking the store: %w", err)
	}
	if s.loss {
		n = max(n, 1)
	}
	s.loss = false
	if n > 0 && s.onNewFloor != nil {
		s.onNewFloor(n)
	}
	return nil
}
