package redisreplay

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

var (
	errReplica = errors.New("this server is a replica: what is written to it is lost")
	errCluster = errors.New("this server is a node of a cluster, and the client knows it alone: use redis.NewClusterClient, which also finds a cluster by one address (see the package comment)")
)

// checkSteps bounds Check: it may take as many times Options.Timeout.
const checkSteps = 20

// Check does what the first claim would do otherwise, and may be called again at
// any time: it refuses a server that drops records to free memory (its
// maxmemory-policy must be noeviction), that is a replica, or that is a node of a
// cluster where the client is not one of a cluster; and it sets the marks that are
// missing. In a cluster, it asks every master.
//
// Options.Timeout bounds each of its steps, of which a slow host may need several,
// and 20 times Options.Timeout bounds all of them.
func (s *Store) Check(ctx context.Context) error {
	_, err := withinTime(ctx, s, checkSteps*s.timeout, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, s.check(ctx, s.checks.Load(), false)
	})
	if err != nil {
		return fail("check", s.explain(err))
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
	if loss {
		s.next = 0 // the marks that were seen may be lost, too
	}
	if err := s.setMarks(ctx, loss); err != nil {
		return err
	}
	s.checks.Add(1)
	return nil
}

// cluster is a client that knows the masters of a cluster.
type cluster interface {
	ForEachMaster(ctx context.Context, f func(context.Context, *redis.Client) error) error
}

// each calls f for every server that may hold records, for some at once.
func (s *Store) each(ctx context.Context, f func(context.Context, redis.Cmdable) error) error {
	if c, ok := s.client.(cluster); ok {
		return c.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error { return f(ctx, node) })
	}
	return f(ctx, s.client)
}

// checkServer asks by INFO, because CONFIG is often forbidden.
func (s *Store) checkServer(ctx context.Context, server redis.Cmdable) error {
	info, err := within(ctx, s, func(ctx context.Context) (string, error) { return server.Info(ctx).Result() })
	var refused redis.Error
	switch {
	case err == nil:
	case !errors.As(err, &refused):
		return fmt.Errorf("asking for INFO: %w", err)
	case s.anyPolicy: // it does not say
		return nil
	case redis.HasErrorPrefix(err, "NOPERM"), redis.HasErrorPrefix(err, "unknown command"):
		return fmt.Errorf("the server does not say whether it drops records that are needed: "+
			"let its user call INFO (ACL SETUSER … +info; INFO must not be renamed), or set Options.InsecureAllowEviction: %w", err)
	default:
		return fmt.Errorf("asking for INFO: %w", err)
	}
	if err := checkPolicy(field(info, "maxmemory_policy")); err != nil && !s.anyPolicy {
		return err
	}
	switch role := field(info, "role"); {
	case role == "master", role == "" && s.anyPolicy:
		return nil
	case role == "":
		return errors.New("the server does not say whether it is a replica")
	}
	return errReplica
}

func checkPolicy(policy string) error {
	switch policy {
	case "noeviction":
		return nil
	case "":
		return errors.New("the server does not say what its maxmemory-policy is; see Options.InsecureAllowEviction")
	}
	return fmt.Errorf("the maxmemory-policy is %q, so that records are dropped while they are needed; it must be noeviction: "+
		"run CONFIG SET maxmemory-policy noeviction, and set it in redis.conf, too", policy)
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

// batch is how many marks a message to a cluster is for.
const batch = 128

// setMarks sets the marks that are missing, all at once: the floor of a part is the
// time when a loss was noticed, not when the part was used again. For one server
// that is a single script, which is over at once also on a busy machine. In a
// cluster every mark needs a script of its own; what was done before an attempt ran
// out of time, the next one does not repeat.
func (s *Store) setMarks(ctx context.Context, loss bool) error {
	for s.next < parts {
		to, set := parts, s.markTogether
		if s.apart {
			to, set = min(s.next+batch, parts), s.markApart
		}
		from := s.next // an attempt that nobody waits for must not look at s
		n, err := within(ctx, s, func(ctx context.Context) (int, error) { return set(ctx, from, to) })
		s.set += n
		if !s.apart && redis.HasErrorPrefix(err, "CROSSSLOT") {
			s.apart = true // one node may have all slots of a cluster; MOVED says that it has not
			continue
		}
		if err != nil {
			s.loss = s.loss || loss // maybe they are set now
			return fmt.Errorf("marking the store: %w", err)
		}
		s.next = to
	}
	n := min(s.set, parts)
	if s.loss {
		n = max(n, 1)
	}
	s.next, s.set, s.loss = 0, 0, false
	if n > 0 && s.onNewFloor != nil {
		s.onNewFloor(n)
	}
	return nil
}

// markTogether sets the missing marks of some parts, which must lie on one server,
// and returns their number.
func (s *Store) markTogether(ctx context.Context, from, to int) (int, error) {
	marks := make([]string, 0, to-from)
	for i := from; i < to; i++ {
		marks = append(marks, s.mark(i))
	}
	return s.client.Eval(ctx, markScript.source, marks).Int()
}

// markApart does the same where each part may lie on another server.
func (s *Store) markApart(ctx context.Context, from, to int) (n int, err error) {
	set, err := s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i := from; i < to; i++ {
			p.Eval(ctx, markScript.source, []string{s.mark(i)})
		}
		return nil
	})
	for _, cmd := range set {
		if v, _ := cmd.(*redis.Cmd).Int(); v == 1 {
			n++
		}
	}
	return n, err
}
