package redisreplay_test

import (
	"context"
	"io"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hooknotary/hooknotary/verify/replay"
	"github.com/hooknotary/hooknotary/verify/replay/redisreplay"
	"github.com/hooknotary/hooknotary/verify/replay/redisreplay/redistest"
)

// tell returns options that add up what OnNewFloor is called with.
func tell(sum *int) *redisreplay.Options {
	return &redisreplay.Options{OnNewFloor: func(n int) { *sum += n }}
}

// markOf returns the mark of a key's part.
func markOf(k replay.Key) string {
	const digits = "0123456789abcdef"
	n := partOf(k)
	return "{hooknotary:" + string([]byte{digits[n>>8], digits[n>>4&15], digits[n&15]}) + "}floor"
}

// traffic is called before each message of a client, with the number of its
// commands. Where it returns an error, the message is not sent.
type traffic func(commands int) error

func (f traffic) DialHook(next redis.DialHook) redis.DialHook { return next }

func (f traffic) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if err := f(1); err != nil {
			cmd.SetErr(err)
			return err
		}
		return next(ctx, cmd)
	}
}

func (f traffic) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if err := f(len(cmds)); err != nil {
			for _, cmd := range cmds {
				cmd.SetErr(err)
			}
			return err
		}
		return next(ctx, cmds)
	}
}

func TestColdServer(t *testing.T) {
	// A guard waits half a second for a claim, so the first on a server that knows
	// nothing must not cost a thousand commands.
	t.Run("the first claim on a cold server takes few commands", func(t *testing.T) {
		c := dial(t, redistest.NewServer(t).Addr())
		var commands atomic.Int64
		c.AddHook(traffic(func(n int) error { commands.Add(int64(n)); return nil }))
		want(t, open(c, nil), claim("a"), replay.Acquired, "the first")
		if n := commands.Load(); n > 4 { // INFO, the marks, and the claim with its script
			t.Errorf("it took %d commands", n)
		}
		if n := len(keys(t, c, "*floor")); n != 1024 {
			t.Errorf("%d parts are marked", n)
		}
	})

	// On a cluster the marks take many messages. An attempt that is cut off leaves what
	// it did to the next one.
	t.Run("marks that were set are not set again", func(t *testing.T) {
		c := dialCluster(t, redistest.NewCluster(t))
		var told int
		s := open(c, tell(&told))
		const cut = 4 // messages that get through
		sent, commands := 0, 0
		broken := true
		c.AddHook(traffic(func(n int) error {
			if n == 1 {
				return nil
			}
			if sent++; broken && sent > cut {
				return io.ErrUnexpectedEOF
			}
			commands += n
			return nil
		}))
		refused(t, "Check that is cut off", s.Check(t.Context()), io.ErrUnexpectedEOF.Error())
		if commands == 0 || commands >= 1024 || told != 0 {
			t.Fatalf("%d marks were set, OnNewFloor told of %d", commands, told)
		}
		broken = false
		succeed(t, "Check", s.Check(t.Context()))
		if commands != 1024 || told != 1024 {
			t.Errorf("%d marks were set by two attempts, OnNewFloor told of %d", commands, told)
		}
		commands = 0
		succeed(t, "Check", s.Check(t.Context()))
		if commands != 1024 || told != 1024 {
			t.Errorf("a later Check looked at %d marks, OnNewFloor told of %d", commands, told)
		}
	})

	// The time in a bubble stands still while the network is waited for, and goes on
	// with what the hook sleeps.
	t.Run("Check has the time of an operation for each of its steps", func(t *testing.T) {
		server := redistest.NewServer(t)
		for _, test := range []struct {
			name  string
			pause time.Duration
			ok    bool
		}{
			{"each step in time", 20 * time.Second, true},
			{"a step too slow", 40 * time.Second, false},
		} {
			t.Run(test.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c := dial(t, server.Addr())
					s := redisreplay.New(c, &redisreplay.Options{Prefix: "steps", Timeout: 30 * time.Second})
					c.AddHook(traffic(func(int) error { time.Sleep(test.pause); return nil }))
					if err := s.Check(t.Context()); (err == nil) != test.ok {
						t.Errorf("Check = %v", err)
					}
				})
			})
		}
	})

	// The floor is compared with what providers signed, and must be right where a node's
	// clock is wrong: in a bubble it is that of the year 2000. It is also not what a
	// proxy says that answers TIME.
	t.Run("the floor is of the server's clock", func(t *testing.T) {
		server := redistest.NewServer(t)
		direct := dial(t, server.Addr())
		before, err := direct.Time(t.Context()).Result()
		succeed(t, "TIME", err)
		synctest.Test(t, func(t *testing.T) {
			if time.Since(before) > 0 {
				t.Fatal("the node's clock is right")
			}
			c := dial(t, server.Addr())
			c.AddHook(&spy{func(cmd redis.Cmder) {
				if cmd.Name() == "time" {
					t.Error("TIME is asked for by itself: the answer is old when it comes, and may be a proxy's")
				}
			}})
			s := redisreplay.New(c, &redisreplay.Options{Timeout: patient})
			succeed(t, "Check", s.Check(t.Context()))
			want(t, s, resigned("before", before.Add(-time.Minute)), replay.BeforeFloor, "signed before")
			want(t, s, resigned("after", before.Add(time.Minute)), replay.Acquired, "signed after")

			succeed(t, "FLUSHALL", c.FlushAll(t.Context()).Err())
			want(t, s, resigned("before", before.Add(-time.Minute)), replay.BeforeFloor, "signed before a loss")
		})
		after, err := direct.Time(t.Context()).Result()
		succeed(t, "TIME", err)
		for _, f := range floors(t, direct) {
			if f.Before(before.Truncate(time.Second)) || f.After(after) {
				t.Errorf("the floor is %v, want it from %v to %v", f, before, after)
			}
		}
	})

	// INFO may be away under its name, and then nothing tells what the server drops.
	t.Run("a server without INFO is refused with the remedy", func(t *testing.T) {
		c := dial(t, redistest.NewServer(t, `rename-command INFO ""`).Addr())
		for _, says := range []string{"unknown command", "+info", "InsecureAllowEviction"} {
			refused(t, "Check", open(c, nil).Check(t.Context()), says)
			_, err := open(c, nil).Claim(t.Context(), claim("a"))
			refused(t, "the first Claim", err, says)
		}
		if n := len(keys(t, c, "*")); n != 0 {
			t.Errorf("a store that is refused wrote %d keys", n)
		}
		want(t, open(c, &redisreplay.Options{InsecureAllowEviction: true}), claim("a"), replay.Acquired, "with InsecureAllowEviction")
	})

	// A process that starts while the server is full settles and recognises what there is.
	t.Run("a full server with its marks passes", func(t *testing.T) {
		c := dial(t, redistest.NewServer(t).Addr())
		finish(t, ready(t, c, nil), claim("a"))
		succeed(t, "CONFIG SET", c.ConfigSet(t.Context(), "maxmemory", "1").Err())
		s := open(c, nil)
		succeed(t, "Check", s.Check(t.Context()))
		want(t, s, claim("a"), replay.Done, "what was done")
	})
}
