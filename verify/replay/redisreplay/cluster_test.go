package redisreplay_test

import (
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/hooknotary/hooknotary/verify/replay"
	"github.com/hooknotary/hooknotary/verify/replay/redisreplay/redistest"
)

// universal is what NewUniversalClient makes of one address.
func universal(t testing.TB, addr string) redis.UniversalClient {
	c := redis.NewUniversalClient(&redis.UniversalOptions{Addrs: []string{addr}, ContextTimeoutEnabled: true, MaxRetries: -1})
	t.Cleanup(func() { c.Close() })
	return c
}

func TestCluster(t *testing.T) {
	t.Run("a client that knows one node of a cluster is refused", func(t *testing.T) {
		cluster := redistest.NewCluster(t)
		addr := cluster.Nodes[0].Addr()
		whole := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{addr}, ContextTimeoutEnabled: true, MaxRetries: -1})
		defer whole.Close()
		s := ready(t, whole, nil)
		var here, elsewhere replay.Claim // on the node that is known, and on another one
		for i := range 100 {
			c := claim(string(rune('a' + i)))
			finish(t, s, c)
			if partOnNode(t, dial(t, addr), c.Key) {
				here = c
			} else {
				elsewhere = c
			}
		}
		if got, err := s.Stats(t.Context()); err != nil || got.Records != 100 {
			t.Errorf("by a client of the cluster: Stats = %+v, %v, want 100 records", got, err)
		}

		one := open(universal(t, addr), nil)
		const says = "redis.NewClusterClient"
		refused(t, "Check", one.Check(t.Context()), says)
		_, err := one.Claim(t.Context(), claim("new"))
		refused(t, "the first Claim", err, says)
		got, err := one.Stats(t.Context())
		refused(t, "Stats", err, says)
		if got != (replay.Stats{}) {
			t.Errorf("Stats = %+v", got)
		}
		for what, call := range map[string]func() error{
			"Inspect": func() error { _, _, err := one.Inspect(t.Context(), elsewhere.Key); return err },
			"Renew":   func() error { return one.Renew(t.Context(), handle(elsewhere), 1) },
			"Commit":  func() error { return one.Commit(t.Context(), handle(elsewhere)) },
			"Release": func() error { return one.Release(t.Context(), handle(elsewhere)) },
			"Forget":  func() error { return one.Forget(t.Context(), elsewhere.Key) },
		} {
			refused(t, what+" of an event on another node", call(), says)
		}
		if r, ok, err := one.Inspect(t.Context(), here.Key); err != nil || !ok || r.Status != replay.Done {
			t.Errorf("Inspect of an event on the node = %+v, %v, %v", r, ok, err)
		}
	})

	// A cluster of one node has all records there, so any client will do.
	t.Run("a cluster of one node is a server", func(t *testing.T) {
		c := universal(t, redistest.NewServer(t, "cluster-enabled yes").Addr())
		succeed(t, "CLUSTER ADDSLOTSRANGE", c.ClusterAddSlotsRange(t.Context(), 0, 16383).Err())
		var told int
		s := ready(t, c, tell(&told))
		finish(t, s, bound("a", "body"))
		want(t, s, bound("a", "other"), replay.Forged, "another body")
		if got, err := s.Stats(t.Context()); err != nil || got.Records != 2 {
			t.Errorf("Stats = %+v, %v, want 2 records", got, err)
		}
		if told != 1024 {
			t.Errorf("OnNewFloor was called for %d marks", told)
		}
	})
}

// partOnNode reports whether a node serves the part of a key.
func partOnNode(t testing.TB, node *redis.Client, k replay.Key) bool {
	t.Helper()
	err := node.Exists(t.Context(), markOf(k)).Err()
	if err != nil && !redis.HasErrorPrefix(err, "MOVED") {
		t.Fatal(err)
	}
	return err == nil
}
