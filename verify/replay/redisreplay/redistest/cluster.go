package redistest

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	masters = 3
	slots   = 16384
)

// Cluster is three masters that share the slots. Make it with StartCluster or
// NewCluster.
type Cluster struct {
	// Nodes are the masters. They may be killed, restarted and paused one by
	// one; Wait tells when the cluster is whole again.
	Nodes [masters]*Server
}

// NewCluster starts a cluster, each node with the given lines of configuration,
// and closes it at the end of the test. Without a server binary it does what
// NewServer does.
func NewCluster(t testing.TB, config ...string) *Cluster {
	t.Helper()
	c, err := StartCluster(config...)
	check(t, err)
	t.Cleanup(c.Close)
	return c
}

// StartCluster starts a cluster, each node with the given lines of
// configuration, and returns when all slots are served. The error is ErrMissing
// where there is no server binary. The caller must call Close.
func StartCluster(config ...string) (*Cluster, error) {
	c := &Cluster{}
	for i := range c.Nodes {
		s, err := start(inCluster, config)
		if err != nil {
			c.Close()
			return nil, err
		}
		c.Nodes[i] = s
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := c.form(ctx); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// form divides the slots and introduces the nodes to each other.
func (c *Cluster) form(ctx context.Context) error {
	for i, s := range c.Nodes {
		err := s.ask(func(node *redis.Client) error {
			if err := node.Do(ctx, "cluster", "set-config-epoch", i+1).Err(); err != nil {
				return err
			}
			if err := node.ClusterAddSlotsRange(ctx, i*slots/masters, (i+1)*slots/masters-1).Err(); err != nil {
				return err
			}
			if i == 0 {
				return nil
			}
			return node.ClusterMeet(ctx, "127.0.0.1", strconv.Itoa(c.Nodes[0].port)).Err()
		})
		if err != nil {
			return fmt.Errorf("redistest: forming a cluster: %w", err)
		}
	}
	return c.Wait(ctx)
}

// Wait returns when every node runs, knows the others and serves its slots. It
// gives up with the context.
func (c *Cluster) Wait(ctx context.Context) error {
	for _, s := range c.Nodes {
		for {
			var state string
			err := s.ask(func(node *redis.Client) (err error) {
				state, err = node.ClusterInfo(ctx).Result()
				return err
			})
			if err == nil && whole(state) {
				break
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("redistest: the cluster is not whole: %w, last answer of %s: %q, %v", ctx.Err(), s.Addr(), state, err)
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
	return nil
}

func whole(state string) bool {
	return contains(state, "cluster_state:ok") &&
		contains(state, fmt.Sprintf("cluster_slots_ok:%d", slots)) &&
		contains(state, fmt.Sprintf("cluster_size:%d", masters)) &&
		contains(state, fmt.Sprintf("cluster_known_nodes:%d", masters))
}

// ask lends f a client.
func (s *Server) ask(f func(node *redis.Client) error) error {
	node := s.dial()
	defer node.Close()
	return f(node)
}

// Addrs returns the host and port of each node.
func (c *Cluster) Addrs() []string {
	var addrs []string
	for _, s := range c.Nodes {
		addrs = append(addrs, s.Addr())
	}
	return addrs
}

// Close kills the nodes and removes their folders. It may be called twice.
func (c *Cluster) Close() {
	for _, s := range c.Nodes {
		if s != nil {
			s.Close()
		}
	}
}
