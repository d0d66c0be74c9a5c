package redisreplay_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hooknotary/hooknotary/verify/replay"
	"github.com/hooknotary/hooknotary/verify/replay/redisreplay"
	"github.com/hooknotary/hooknotary/verify/replay/redisreplay/redistest"
)

// refused expects that an error says something.
func refused(t testing.TB, what string, err error, says string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), says) {
		t.Errorf("%s = %v, want an error that says %q", what, err, says)
	}
}

// floors returns the marks of a store, in order and without repetition.
func floors(t testing.TB, c redis.Cmdable) []time.Time {
	t.Helper()
	var all []int64
	for i := range 1024 {
		v, err := c.Get(context.Background(), fmt.Sprintf("{hooknotary:%03x}floor", i)).Int64()
		succeed(t, "GET", err)
		all = append(all, v)
	}
	slices.Sort(all)
	var times []time.Time
	for _, v := range slices.Compact(all) {
		times = append(times, time.UnixMilli(v))
	}
	return times
}

func TestCheck(t *testing.T) {
	t.Run("a server that drops records is refused", func(t *testing.T) {
		policies := []string{"allkeys-lru", "allkeys-lfu", "allkeys-random", "volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl"}
		server := redistest.NewServer(t)
		c := dial(t, server.Addr())
		ctx := t.Context()
		for i, policy := range append(policies, "noeviction") {
			succeed(t, "CONFIG SET", c.ConfigSet(ctx, "maxmemory-policy", policy).Err())
			prefix := fmt.Sprint("p", i)
			s := open(c, &redisreplay.Options{Prefix: prefix})
			insecure := open(c, &redisreplay.Options{Prefix: "insecure" + prefix, InsecureAllowEviction: true})
			want(t, insecure, claim("a"), replay.Acquired, "with InsecureAllowEviction")
			if policy == "noeviction" {
				succeed(t, "Check", s.Check(ctx))
				want(t, s, claim("a"), replay.Acquired, policy)
				continue
			}
			refused(t, "Check", s.Check(ctx), fmt.Sprintf("%q", policy))
			refused(t, "Check", s.Check(ctx), "run CONFIG SET maxmemory-policy noeviction, and set it in redis.conf, too")
			for range 2 { // and goes on to refuse
				o, err := s.Claim(ctx, claim("a"))
				refused(t, "Claim", err, policy)
				if o != (replay.Outcome{}) {
					t.Errorf("Claim = %v", o)
				}
			}
			if n := len(keys(t, c, "{"+prefix+":*")); n != 0 {
				t.Errorf("a store that is refused wrote %d keys", n)
			}
		}
	})

	t.Run("a store is used when its server is put right", func(t *testing.T) {
		server := redistest.NewServer(t, "maxmemory-policy allkeys-lru")
		c := dial(t, server.Addr())
		s := open(c, nil)
		_, err := s.Claim(t.Context(), claim("a"))
		refused(t, "Claim", err, "allkeys-lru")
		succeed(t, "CONFIG SET", c.ConfigSet(t.Context(), "maxmemory-policy", "noeviction").Err())
		want(t, s, claim("a"), replay.Acquired, "put right")

		// A server that lost its data may not be the one that was checked.
		succeed(t, "CONFIG SET", c.ConfigSet(t.Context(), "maxmemory-policy", "allkeys-lru").Err())
		succeed(t, "FLUSHALL", c.FlushAll(t.Context()).Err())
		_, err = s.Claim(t.Context(), claim("b"))
		refused(t, "Claim after a loss", err, "allkeys-lru")
		refused(t, "Check", s.Check(t.Context()), "allkeys-lru")
	})

	t.Run("one master that drops records is enough", func(t *testing.T) {
		cluster := redistest.NewCluster(t)
		c := dialCluster(t, cluster)
		node := dial(t, cluster.Nodes[2].Addr())
		succeed(t, "CONFIG SET", node.ConfigSet(t.Context(), "maxmemory-policy", "volatile-ttl").Err())
		s := open(c, nil)
		refused(t, "Check", s.Check(t.Context()), "volatile-ttl")
		succeed(t, "CONFIG SET", node.ConfigSet(t.Context(), "maxmemory-policy", "noeviction").Err())
		succeed(t, "Check", s.Check(t.Context()))
	})

	t.Run("a user with the least rights is enough", func(t *testing.T) {
		server := redistest.NewServer(t)
		admin := dial(t, server.Addr())
		user := func(name, rights string) *redis.Client {
			t.Helper()
			args := []any{"acl", "setuser", name, "on", ">word"}
			for f := range strings.FieldsSeq(rights) {
				args = append(args, f)
			}
			succeed(t, "ACL SETUSER", admin.Do(t.Context(), args...).Err())
			return client(t, &redis.Options{Addr: server.Addr(), Username: name, Password: "word", ContextTimeoutEnabled: true, MaxRetries: -1})
		}
		s := open(user("least", leastRights), nil)
		cl := bound("a", "body")
		want(t, s, cl, replay.Acquired, "the least rights")
		for _, name := range []string{"Check", "Claim", "Renew", "Inspect", "Stats", "Commit", "Release", "Forget"} {
			succeed(t, name, calls(s, cl)[name](t.Context()))
		}

		blind := user("blind", strings.ReplaceAll(leastRights, "+info", "-info"))
		for _, says := range []string{"NOPERM", "+info", "InsecureAllowEviction"} {
			refused(t, "Check without INFO", open(blind, nil).Check(t.Context()), says)
		}
		succeed(t, "Check without INFO, insecure", open(blind, &redisreplay.Options{InsecureAllowEviction: true}).Check(t.Context()))
		timeless := user("timeless", strings.ReplaceAll(leastRights, "+time", "-time"))
		refused(t, "Check without TIME", open(timeless, nil).Check(t.Context()), "the rights that a user needs")
		elsewhere := user("elsewhere", strings.ReplaceAll(leastRights, "~{hooknotary:*", "~{other:*"))
		refused(t, "Check with rights to other keys", open(elsewhere, nil).Check(t.Context()), "NOPERM")
	})

	t.Run("a replica is refused", func(t *testing.T) {
		master := redistest.NewServer(t)
		host, port, _ := strings.Cut(master.Addr(), ":")
		for _, readOnly := range []string{"yes", "no"} {
			replica := redistest.NewServer(t, "replicaof "+host+" "+port, "replica-read-only "+readOnly)
			c := dial(t, replica.Addr())
			s := open(c, nil)
			refused(t, "Check of a replica, read-only: "+readOnly, s.Check(t.Context()), "replica")
			_, err := s.Claim(t.Context(), claim("a"))
			refused(t, "Claim", err, "replica")
			anyPolicy := open(c, &redisreplay.Options{InsecureAllowEviction: true})
			refused(t, "Check where eviction is allowed", anyPolicy.Check(t.Context()), "replica")
			succeed(t, "REPLICAOF NO ONE", c.SlaveOf(t.Context(), "NO", "ONE").Err())
			want(t, s, claim(readOnly), replay.Acquired, "a replica that became the master")
		}
	})

	t.Run("the first claim marks all parts", func(t *testing.T) {
		c := dial(t, redistest.NewServer(t).Addr())
		var called []int
		s := open(c, &redisreplay.Options{OnNewFloor: func(n int) { called = append(called, n) }})
		if n := len(keys(t, c, "*")); n != 0 {
			t.Fatalf("there are %d keys before the first claim", n)
		}
		begin := time.Now().Truncate(time.Second)
		want(t, s, claim("a"), replay.Acquired, "the first")
		end := time.Now()
		got := floors(t, c)
		for _, f := range got {
			if f.Before(begin) || f.After(end) || !f.Equal(f.Truncate(time.Second)) {
				t.Errorf("the floor is %v, want a whole second from %v to %v", f, begin, end)
			}
		}
		time.Sleep(1100 * time.Millisecond)
		other := open(c, &redisreplay.Options{OnNewFloor: func(n int) { called = append(called, n) }})
		want(t, other, claim("b"), replay.Acquired, "another process")
		succeed(t, "Check", other.Check(t.Context()))
		if later := floors(t, c); !slices.EqualFunc(got, later, time.Time.Equal) {
			t.Errorf("another process moved the floor from %v to %v", got, later)
		}
		if !slices.Equal(called, []int{1024}) {
			t.Errorf("OnNewFloor was called with %v", called)
		}
	})

	t.Run("many first claims check once", func(t *testing.T) {
		c := dial(t, redistest.NewServer(t).Addr())
		s := open(c, nil)
		var infos atomic.Int64
		c.AddHook(&spy{func(cmd redis.Cmder) {
			if cmd.Name() == "info" {
				infos.Add(1)
			}
		}})
		var wg sync.WaitGroup
		for i := range 64 {
			wg.Go(func() { want(t, s, claim(fmt.Sprint(i)), replay.Acquired, "a free event") })
		}
		wg.Wait()
		if n := infos.Load(); n != 1 {
			t.Errorf("INFO was asked %d times, want once", n)
		}
	})
}

// leastRights is the user of the package comment.
const leastRights = "~{hooknotary:* -@all +eval +evalsha +get +set +del +pttl +pexpire +time +info +scan"

func TestFloor(t *testing.T) {
	// A part whose mark is missing is noticed also if it holds only the binding.
	t.Run("a loss of a binding's part is noticed", func(t *testing.T) {
		c := dial(t, redistest.NewServer(t).Addr())
		var told []int
		s := ready(t, c, &redisreplay.Options{OnNewFloor: func(n int) { told = append(told, n) }})
		b := bound("event", "body")
		if partOf(b.Key) == partOf(b.Binding.Message) {
			t.Fatal("one part holds both")
		}
		want(t, s, b, replay.Acquired, "before")
		mark := fmt.Sprintf("{hooknotary:%03x}floor", partOf(b.Binding.Message))
		succeed(t, "DEL", c.Del(t.Context(), mark).Err())
		want(t, s, bound("event", "body"), replay.InFlight, "after")
		want(t, s, bound("event", "other"), replay.Forged, "another body")
		if !slices.Equal(told, []int{1024, 1}) {
			t.Errorf("OnNewFloor was called with %v", told)
		}
		if n := c.Exists(t.Context(), mark).Val(); n != 1 {
			t.Error("the mark was not set again")
		}
	})

	t.Run("a loss is told, also if the reply was lost", func(t *testing.T) {
		c := dial(t, redistest.NewServer(t).Addr())
		var told []int
		s := ready(t, c, &redisreplay.Options{OnNewFloor: func(n int) { told = append(told, n) }})
		finish(t, s, claim("before"))
		d := new(deaf)
		c.AddHook(d)
		for _, armed := range []bool{false, true} {
			told = nil
			succeed(t, "FLUSHALL", c.FlushAll(t.Context()).Err())
			d.armed.Store(armed)
			_, err := s.Claim(t.Context(), claim("first"))
			if (err != nil) != armed {
				t.Errorf("Claim = %v", err)
			}
			want(t, s, claim("second"), replay.Acquired, "afterwards")
			succeed(t, "Check", s.Check(t.Context()))
			if len(told) != 1 {
				t.Errorf("OnNewFloor was called with %v", told)
			}
		}
	})

	t.Run("a loss of the data raises the floor", func(t *testing.T) {
		for name, lose := range losses {
			t.Run(name, func(t *testing.T) {
				server := redistest.NewServer(t, "repl-diskless-sync-delay 0")
				c := dial(t, server.Addr())
				var called []int
				s := ready(t, c, &redisreplay.Options{OnNewFloor: func(n int) { called = append(called, n) }})
				signed := time.Now()
				finish(t, s, resigned("a", signed))
				want(t, s, resigned("a", signed), replay.Done, "a replay")
				before := resigned("b", signed)
				want(t, s, before, replay.Acquired, "before the loss")
				old := floors(t, c)
				time.Sleep(time.Until(signed.Truncate(time.Second).Add(1100 * time.Millisecond)))

				lose(t, server, c)

				eventually(t, "the server answers", func() error { return c.Ping(t.Context()).Err() })
				want(t, s, resigned("a", signed), replay.BeforeFloor, "a replay of what was forgotten")
				if got := floors(t, c); !got[0].After(old[len(old)-1]) {
					t.Errorf("the floor was %v and is %v", old, got)
				}
				if !slices.Equal(called, []int{1024, 1024}) {
					t.Errorf("OnNewFloor was called with %v", called)
				}
				if err := s.Commit(t.Context(), handle(before)); !errors.Is(err, replay.ErrLost) {
					t.Errorf("Commit of what was claimed before = %v", err)
				}
				finish(t, s, resigned("a", time.Now()))
				want(t, s, claim("c"), replay.Acquired, "a provider that does not sign anew")
			})
		}
	})

	t.Run("a restart with a file forgets nothing", func(t *testing.T) {
		server := redistest.NewServer(t, "appendonly yes", "appendfsync always")
		c := dial(t, server.Addr())
		var called []int
		s := open(c, &redisreplay.Options{OnNewFloor: func(n int) { called = append(called, n) }})
		finish(t, s, bound("a", "body"))
		running := claim("b")
		want(t, s, running, replay.Acquired, "a free event")
		old := floors(t, c)
		server.Kill()
		succeed(t, "Restart", server.Restart())
		want(t, s, bound("a", "body"), replay.Done, "what was done")
		want(t, s, bound("a", "other"), replay.Forged, "what was bound")
		want(t, s, claim("b"), replay.InFlight, "what was in flight")
		succeed(t, "Commit", s.Commit(t.Context(), handle(running)))
		if got := floors(t, c); !slices.EqualFunc(got, old, time.Time.Equal) || len(called) != 1 {
			t.Errorf("the floor was %v and is %v, OnNewFloor was called with %v", old, got, called)
		}
	})

	t.Run("a loss of one part raises its floor alone", func(t *testing.T) {
		c := dial(t, redistest.NewServer(t).Addr())
		var called []int
		s := open(c, &redisreplay.Options{OnNewFloor: func(n int) { called = append(called, n) }})
		signed := time.Now().Truncate(time.Second).Add(time.Second)
		time.Sleep(time.Until(signed))
		want(t, s, resigned("a", signed.Add(time.Hour)), replay.Acquired, "the first")
		mark := fmt.Sprintf("{hooknotary:%03x}floor", partOf(keyOf("b")))
		time.Sleep(1100 * time.Millisecond)
		succeed(t, "DEL", c.Del(t.Context(), mark).Err())
		want(t, s, resigned("b", signed), replay.BeforeFloor, "in the part that was lost")
		want(t, s, resigned("c", signed.Add(time.Second)), replay.Acquired, "in another part")
		if !slices.Equal(called, []int{1024, 1}) {
			t.Errorf("OnNewFloor was called with %v", called)
		}
	})

	t.Run("a loss in the midst of a crowd is noticed once", func(t *testing.T) {
		c := dial(t, redistest.NewServer(t).Addr())
		var mu sync.Mutex
		var called []int
		o := &redisreplay.Options{OnNewFloor: func(n int) {
			mu.Lock()
			defer mu.Unlock()
			called = append(called, n)
		}}
		stores := []*redisreplay.Store{ready(t, c, o), ready(t, c, o)}
		succeed(t, "FLUSHALL", c.FlushAll(t.Context()).Err())
		var acquired [8]atomic.Int64
		var wg sync.WaitGroup
		for i := range 64 {
			wg.Go(func() {
				o, err := stores[i%2].Claim(t.Context(), claim(fmt.Sprint(i%8)))
				if succeed(t, "Claim", err); o.Status == replay.Acquired {
					acquired[i%8].Add(1)
				}
			})
		}
		wg.Wait()
		for i := range acquired {
			if n := acquired[i].Load(); n != 1 {
				t.Errorf("event %d was acquired %d times", i, n)
			}
		}
		sum := 0
		for _, n := range called {
			sum += n
		}
		if sum != 2*1024 {
			t.Errorf("OnNewFloor was called with %v", called)
		}
	})

	t.Run("a cluster that loses one master raises the floors of its parts", func(t *testing.T) {
		cluster := redistest.NewCluster(t)
		c := dialCluster(t, cluster)
		var called []int
		s := ready(t, c, &redisreplay.Options{OnNewFloor: func(n int) { called = append(called, n) }})
		signed := time.Now()
		ids := make([]string, 60)
		for i := range ids {
			ids[i] = fmt.Sprint(i)
			finish(t, s, resigned(ids[i], signed))
		}
		time.Sleep(time.Until(signed.Truncate(time.Second).Add(1100 * time.Millisecond)))
		cluster.Nodes[0].Kill()
		succeed(t, "Restart", cluster.Nodes[0].Restart()) // without its data
		eventually(t, "the cluster is whole", func() error { return cluster.Wait(t.Context()) })
		got := make(map[replay.Status]int)
		for _, id := range ids {
			var o replay.Outcome
			eventually(t, "Claim", func() (err error) {
				o, err = s.Claim(t.Context(), resigned(id, signed))
				return err
			})
			got[o.Status]++
		}
		if got[replay.Done]+got[replay.BeforeFloor] != len(ids) || got[replay.BeforeFloor] < 5 || got[replay.Done] < 20 {
			t.Errorf("replays of %d events are %v", len(ids), got)
		}
		if len(called) != 2 || called[0] != 1024 || called[1] < 300 || called[1] > 380 {
			t.Errorf("OnNewFloor was called with %v", called)
		}
	})

	t.Run("a failover by Sentinel forgets nothing that the replica knew", func(t *testing.T) {
		master := redistest.NewServer(t, "repl-diskless-sync-delay 0")
		host, port, _ := strings.Cut(master.Addr(), ":")
		redistest.NewServer(t, "replicaof "+host+" "+port)
		sentinel := redistest.NewSentinel(t, "shop", master)
		var after []func()
		for _, keeps := range []bool{true, false} {
			c := redis.NewFailoverClient(&redis.FailoverOptions{MasterName: "shop", SentinelAddrs: []string{sentinel.Addr()}, ContextTimeoutEnabled: keeps})
			t.Cleanup(func() { c.Close() })
			var called []int
			s := ready(t, c, &redisreplay.Options{Prefix: fmt.Sprint(keeps), OnNewFloor: func(n int) { called = append(called, n) }})
			finish(t, s, bound("done", "body"))
			running := claim("running")
			want(t, s, running, replay.Acquired, "a free event")
			eventually(t, "the replica is in step", func() error {
				if n, err := c.Wait(t.Context(), 1, time.Second).Result(); err != nil || n < 1 {
					return fmt.Errorf("%d replicas, %v", n, err)
				}
				return nil
			})
			after = append(after, func() {
				eventually(t, fmt.Sprintf("Claim, by a client that keeps deadlines: %v", keeps), func() error {
					o, err := s.Claim(t.Context(), bound("done", "body"))
					if err == nil && o.Status != replay.Done {
						t.Fatalf("Claim = %v", o.Status)
					}
					return err
				})
				succeed(t, "Commit", s.Commit(t.Context(), handle(running)))
				want(t, s, bound("done", "other"), replay.Forged, "what was bound")
				finish(t, s, claim("after"))
				if !slices.Equal(called, []int{1024}) {
					t.Errorf("OnNewFloor was called with %v", called)
				}
			})
		}
		watcher := redis.NewSentinelClient(&redis.Options{Addr: sentinel.Addr()})
		defer watcher.Close()
		eventually(t, "the Sentinel knows the replica", func() error {
			if r, err := watcher.Replicas(t.Context(), "shop").Result(); err != nil || len(r) != 1 {
				return fmt.Errorf("%d replicas, %v", len(r), err)
			}
			return nil
		})
		master.Kill()
		for _, f := range after {
			f()
		}
	})
}

// deaf loses the answer to a command that sets marks, once: one with many keys, or
// a message of many commands.
type deaf struct{ armed atomic.Bool }

func (d *deaf) DialHook(next redis.DialHook) redis.DialHook { return next }

func (d *deaf) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if len(cmd.Args()) > 100 && d.armed.CompareAndSwap(true, false) {
			err = io.ErrUnexpectedEOF
			cmd.SetErr(err)
		}
		return err
	}
}

func (d *deaf) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		err := next(ctx, cmds)
		if d.armed.CompareAndSwap(true, false) {
			err = io.ErrUnexpectedEOF
			for _, cmd := range cmds {
				cmd.SetErr(err)
			}
		}
		return err
	}
}

// spy sees the commands of a client.
type spy struct{ see func(redis.Cmder) }

func (s *spy) DialHook(next redis.DialHook) redis.DialHook { return next }

func (s *spy) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		s.see(cmd)
		return next(ctx, cmd)
	}
}

func (s *spy) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// losses are ways in which a server can lose all it knows.
var losses = map[string]func(t *testing.T, s *redistest.Server, c *redis.Client){
	"a flush": func(t *testing.T, _ *redistest.Server, c *redis.Client) {
		succeed(t, "FLUSHALL", c.FlushAll(t.Context()).Err())
	},
	"a restart without a file": func(t *testing.T, s *redistest.Server, _ *redis.Client) {
		s.Kill()
		succeed(t, "Restart", s.Restart())
	},
	"a failover to an empty server": func(t *testing.T, s *redistest.Server, c *redis.Client) {
		// The server becomes the replica of an empty one, and is then promoted.
		host, port, _ := strings.Cut(redistest.NewServer(t, "repl-diskless-sync-delay 0").Addr(), ":")
		succeed(t, "REPLICAOF", c.SlaveOf(t.Context(), host, port).Err())
		eventually(t, "the replica is in step", func() error {
			info, err := c.Info(t.Context(), "replication").Result()
			if err == nil && !strings.Contains(info, "master_link_status:up") {
				err = errors.New(info)
			}
			return err
		})
		succeed(t, "REPLICAOF NO ONE", c.SlaveOf(t.Context(), "NO", "ONE").Err())
	},
}
