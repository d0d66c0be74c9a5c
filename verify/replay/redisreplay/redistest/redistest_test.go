package redistest_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hooknotary/hooknotary/verify/replay/redisreplay/redistest"
)

// starter is the environment variable that makes of this test binary a program
// that starts a server, says where, and waits to be killed.
const starter = "REDISTEST_STARTER"

func TestMain(m *testing.M) {
	if os.Getenv(starter) != "" {
		startAndHang()
	}
	os.Exit(m.Run())
}

func startAndHang() {
	c := make(chan string)
	go func() {
		runtime.LockOSThread() // and never unlock: the thread ends with the goroutine
		s, err := redistest.Start()
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		c <- s.Addr()
	}()
	fmt.Println(<-c)
	select {}
}

func dial(t *testing.T, addr string) *redis.Client {
	c := redis.NewClient(&redis.Options{Addr: addr, MaxRetries: -1, ContextTimeoutEnabled: true})
	t.Cleanup(func() { c.Close() })
	return c
}

func ping(t *testing.T, addr string) error {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	c := redis.NewClient(&redis.Options{Addr: addr, MaxRetries: -1, ContextTimeoutEnabled: true})
	defer c.Close()
	return c.Ping(ctx).Err()
}

// pauses reports whether what listens at addr takes connections and is silent.
func pauses(t *testing.T, addr string) bool {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(300 * time.Millisecond))
	fmt.Fprint(c, "PING\r\n")
	_, err = c.Read(make([]byte, 1))
	return errors.Is(err, os.ErrDeadlineExceeded)
}

func TestServer(t *testing.T) {
	t.Run("a killed one comes back empty unless it keeps a file", func(t *testing.T) {
		for _, test := range []struct {
			name   string
			config []string
			want   int64
		}{
			{"no file", nil, 0},
			{"a file", []string{"appendonly yes", "appendfsync always"}, 1},
		} {
			t.Run(test.name, func(t *testing.T) {
				s := redistest.NewServer(t, test.config...)
				c := dial(t, s.Addr())
				if err := c.Set(t.Context(), "a", "b", 0).Err(); err != nil {
					t.Fatal(err)
				}
				addr := s.Addr()
				s.Kill()
				s.Kill()
				if ping(t, addr) == nil {
					t.Error("what was killed answers")
				}
				if err := s.Restart(); err != nil {
					t.Fatal(err)
				}
				if s.Addr() != addr {
					t.Errorf("it came back at %s, was at %s", s.Addr(), addr)
				}
				if n, err := dial(t, addr).Exists(t.Context(), "a").Result(); err != nil || n != test.want {
					t.Errorf("%d keys are left, error %v, want %d", n, err, test.want)
				}
				s.Close()
				s.Close()
				if ping(t, addr) == nil {
					t.Error("what was closed answers")
				}
				if s.Restart() == nil {
					t.Error("what was closed starts again")
				}
			})
		}
	})

	t.Run("a paused one takes connections and is silent", func(t *testing.T) {
		s := redistest.NewServer(t)
		if pauses(t, s.Addr()) {
			t.Fatal("it is silent before it is paused")
		}
		if err := s.Pause(); err != nil {
			t.Fatal(err)
		}
		if !pauses(t, s.Addr()) {
			t.Error("a paused server answers")
		}
		if err := s.Resume(); err != nil {
			t.Fatal(err)
		}
		if err := ping(t, s.Addr()); err != nil {
			t.Errorf("after it was resumed: %v", err)
		}
		if err := s.Pause(); err != nil {
			t.Fatal(err)
		}
		if err := s.Restart(); err != nil { // kills what is paused
			t.Fatal(err)
		}
		if err := ping(t, s.Addr()); err != nil {
			t.Errorf("after it was restarted: %v", err)
		}
		s.Kill()
		if s.Pause() == nil || s.Resume() == nil {
			t.Error("a server that does not run is paused or resumed")
		}
	})

	t.Run("it is configured", func(t *testing.T) {
		s := redistest.NewServer(t, "requirepass hush", "maxmemory 5mb", "maxmemory-policy allkeys-lru")
		if err := ping(t, s.Addr()); err == nil || !strings.Contains(err.Error(), "NOAUTH") {
			t.Errorf("without the password: %v", err)
		}
		c := redis.NewClient(&redis.Options{Addr: s.Addr(), Password: "hush"})
		defer c.Close()
		for option, want := range map[string]string{"maxmemory": "5242880", "maxmemory-policy": "allkeys-lru"} {
			if got, err := c.ConfigGet(t.Context(), option).Result(); err != nil || got[option] != want {
				t.Errorf("%s is %q, error %v, want %q", option, got[option], err, want)
			}
		}
	})

	t.Run("a wrong configuration is an error that says why", func(t *testing.T) {
		redistest.NewServer(t)
		_, err := redistest.Start("maxmemory plenty")
		if err == nil || errors.Is(err, redistest.ErrMissing) {
			t.Errorf("error %v", err)
		}
	})

	t.Run("each has its own port", func(t *testing.T) {
		var mu sync.Mutex
		seen := map[string]bool{}
		t.Run("all", func(t *testing.T) {
			for range 4 {
				t.Run("", func(t *testing.T) {
					t.Parallel()
					s := redistest.NewServer(t)
					mu.Lock()
					defer mu.Unlock()
					if seen[s.Addr()] {
						t.Errorf("%s is taken twice", s.Addr())
					}
					seen[s.Addr()] = true
				})
			}
		})
	})

	t.Run("a missing binary is an error that says so", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		if _, err := redistest.Start(); !errors.Is(err, redistest.ErrMissing) {
			t.Errorf("Start: %v", err)
		}
		if _, err := redistest.StartCluster(); !errors.Is(err, redistest.ErrMissing) {
			t.Errorf("StartCluster: %v", err)
		}
	})

	t.Run("a missing binary skips the test unless servers are required", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		for value, want := range map[string]recorder{
			"":         {skipped: true},
			"required": {failed: true},
		} {
			t.Setenv("HOOKNOTARY_SERVERS", value)
			for _, start := range []func(testing.TB){
				func(t testing.TB) { redistest.NewServer(t) },
				func(t testing.TB) { redistest.NewCluster(t) },
			} {
				r := &recorder{}
				done := make(chan bool)
				go func() {
					defer close(done)
					start(r)
				}()
				<-done
				if r.skipped != want.skipped || r.failed != want.failed {
					t.Errorf("with %q: skipped %v, failed %v", value, r.skipped, r.failed)
				}
			}
		}
	})

	t.Run("it outlives the thread that asked for it, and not the process", func(t *testing.T) {
		if runtime.GOOS != "linux" {
			t.Skip("only Linux kills what a killed process leaves behind")
		}
		redistest.NewServer(t)
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(self)
		cmd.Env = append(os.Environ(), starter+"=1", "TMPDIR="+t.TempDir())
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReader(out).ReadString('\n')
		addr := strings.TrimSpace(line)
		if err != nil || !strings.HasPrefix(addr, "127.") {
			t.Fatalf("the program says %q, error %v", line, err)
		}
		time.Sleep(100 * time.Millisecond) // the thread that asked is gone
		if err := ping(t, addr); err != nil {
			t.Errorf("while the program runs: %v", err)
		}
		cmd.Process.Kill()
		cmd.Wait()
		for deadline := time.Now().Add(5 * time.Second); ping(t, addr) == nil; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("the server outlives the process that started it")
			}
		}
	})
}

func TestCluster(t *testing.T) {
	t.Run("it serves all slots and survives a restart", func(t *testing.T) {
		cluster := redistest.NewCluster(t)
		c := redis.NewClusterClient(&redis.ClusterOptions{Addrs: cluster.Addrs()})
		defer c.Close()
		hold := func() {
			t.Helper()
			nodes := map[string]bool{}
			for i := range 60 {
				key := fmt.Sprintf("{%d}", i)
				if err := c.Set(t.Context(), key, "", 0).Err(); err != nil {
					t.Fatal(err)
				}
				n, err := c.MasterForKey(t.Context(), key)
				if err != nil {
					t.Fatal(err)
				}
				nodes[n.Options().Addr] = true
			}
			if len(nodes) != 3 {
				t.Errorf("the keys lie on %d nodes, want 3", len(nodes))
			}
		}
		hold()
		cluster.Nodes[1].Kill()
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if err := cluster.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("waiting for a cluster with a dead node: %v", err)
		}
		if err := cluster.Nodes[1].Restart(); err != nil {
			t.Fatal(err)
		}
		ctx, cancel = context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if err := cluster.Wait(ctx); err != nil {
			t.Fatal(err)
		}
		hold()
	})
}

// recorder stands in for a test that asks for a server.
type recorder struct {
	testing.TB
	skipped, failed bool
}

func (r *recorder) Helper()        {}
func (r *recorder) Skip(...any)    { r.skipped = true; runtime.Goexit() }
func (r *recorder) Fatal(...any)   { r.failed = true; runtime.Goexit() }
func (r *recorder) Cleanup(func()) {}

func TestSentinel(t *testing.T) {
	t.Run("it puts a replica in the place of a dead master", func(t *testing.T) {
		master := redistest.NewServer(t)
		host, port, _ := strings.Cut(master.Addr(), ":")
		replica := redistest.NewServer(t, "replicaof "+host+" "+port)
		sentinel := redis.NewSentinelClient(&redis.Options{Addr: redistest.NewSentinel(t, "shop", master).Addr()})
		defer sentinel.Close()
		is := func(want string) {
			t.Helper()
			var got []string
			var err error
			for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
				got, err = sentinel.GetMasterAddrByName(t.Context(), "shop").Result()
				if err == nil && strings.Join(got, ":") == want {
					return
				}
			}
			t.Fatalf("the master is %v, error %v, want %s", got, err, want)
		}
		is(master.Addr())
		known := 0 // a Sentinel learns of replicas from their master
		for deadline := time.Now().Add(20 * time.Second); known == 0 && time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
			replicas, err := sentinel.Replicas(t.Context(), "shop").Result()
			if err != nil {
				t.Fatal(err)
			}
			known = len(replicas)
		}
		master.Kill()
		is(replica.Addr())
	})
}
