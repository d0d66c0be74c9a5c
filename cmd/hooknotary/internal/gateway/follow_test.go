package gateway_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/config"
	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/gateway"
)

// never is longer than any test waits: what happens must have been an event's doing.
const never = time.Hour

// followed is a gateway whose only route has the secrets that a file holds, one a line.
type followed struct {
	*gateway.Gateway
	log  *buffer
	file string
	loads
}

// loads counts how often the file was loaded, and how often without success.
type loads struct {
	mu          sync.Mutex
	ok, refused int
}

func (l *loads) counts() (ok, refused int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ok, l.refused
}

// follow starts a Follower of a gateway. file holds the secret at first; change may be nil.
func follow(t *testing.T, file string, change func(*gateway.Follower)) *followed {
	t.Helper()
	up := newReceiver(t, nil)
	f := &followed{file: file}
	read := func() (*config.Config, error) {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, config.Mistakes{{File: "hooknotary.yaml", Line: 7, Text: "a file cannot be read"}}
		}
		secrets := strings.Fields(string(text))
		if len(secrets) == 0 {
			return nil, config.Mistakes{{File: "hooknotary.yaml", Line: 7, Text: "the secret is empty"}}
		}
		c := newConfig(newRoute(t, "billing", "/hooks/stripe", up.URL, secrets...))
		c.Routes[0].Digest = sha256.Sum256(text)
		c.Watch = []string{file}
		return c, nil
	}
	c, err := read()
	if err != nil {
		t.Fatal(err)
	}
	f.Gateway, f.log = newGateway(t, c, nil)
	follower := &gateway.Follower{
		Gateway: f.Gateway,
		Watch:   true,
		Every:   never,
		Load: func() (*config.Config, error) {
			c, err := read()
			f.mu.Lock()
			defer f.mu.Unlock()
			if err != nil {
				f.refused++
			} else {
				f.ok++
			}
			return c, err
		},
	}
	if change != nil {
		change(follower)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	ready := make(chan struct{})
	follower.Ready = func() { close(ready) }
	go func() {
		follower.Run(ctx)
		close(done)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	<-ready
	return f
}

// takes waits until the gateway takes what is signed with a secret.
func (f *followed) takes(t *testing.T, secret string) {
	t.Helper()
	n := 0
	eventually(t, "the new secret is taken", func() bool {
		n++
		return serve(f, delivery("/hooks/stripe", fmt.Sprint("evt_", secret, n), secret)).StatusCode == 200
	})
}

func write(t testing.TB, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, target, name string) {
	t.Helper()
	if err := os.Symlink(target, name); err != nil {
		t.Skip("symbolic links: ", err)
	}
}

func TestFollowerWatches(t *testing.T) {
	start := func(t *testing.T) (*followed, string) {
		dir := t.TempDir()
		file := filepath.Join(dir, "secret")
		write(t, file, secret)
		return follow(t, file, nil), dir
	}
	t.Run("a file that is written", func(t *testing.T) {
		f, _ := start(t)
		write(t, f.file, otherSecret)
		f.takes(t, otherSecret)
	})
	t.Run("a file that an editor replaces, again and again", func(t *testing.T) {
		f, dir := start(t)
		for i := range 3 {
			next := fmt.Sprint(otherSecret, i)
			rename(t, f.file, f.file+"~")
			write(t, filepath.Join(dir, ".secret.swp"), next)
			rename(t, filepath.Join(dir, ".secret.swp"), f.file)
			f.takes(t, next)
		}
	})
	t.Run("a link that Kubernetes swaps", func(t *testing.T) {
		dir := t.TempDir()
		revision := func(name, text string) {
			if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(dir, name, "secret"), text)
		}
		revision("..2026_11_30_1", secret)
		link(t, "..2026_11_30_1", filepath.Join(dir, "..data"))
		link(t, filepath.Join("..data", "secret"), filepath.Join(dir, "secret"))
		f := follow(t, filepath.Join(dir, "secret"), nil)
		for i := 2; i < 5; i++ {
			next := fmt.Sprint(otherSecret, i)
			revision(fmt.Sprint("..2026_11_30_", i), next)
			link(t, fmt.Sprint("..2026_11_30_", i), filepath.Join(dir, "..data_tmp"))
			rename(t, filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data"))
			os.RemoveAll(filepath.Join(dir, fmt.Sprint("..2026_11_30_", i-1)))
			f.takes(t, next)
		}
	})
	t.Run("a file behind links to other folders", func(t *testing.T) {
		dir := t.TempDir()
		for _, name := range []string{"etc", "run", "run/a", "run/b"} {
			if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		write(t, filepath.Join(dir, "run/a/secret"), secret)
		write(t, filepath.Join(dir, "run/b/secret"), otherSecret)
		link(t, "a", filepath.Join(dir, "run/current"))
		link(t, filepath.Join(dir, "run/current/secret"), filepath.Join(dir, "etc/secret"))
		f := follow(t, filepath.Join(dir, "etc/secret"), nil)
		link(t, "b", filepath.Join(dir, "run/next"))
		rename(t, filepath.Join(dir, "run/next"), filepath.Join(dir, "run/current"))
		f.takes(t, otherSecret)
		write(t, filepath.Join(dir, "run/b/secret"), otherSecret+"-2")
		f.takes(t, otherSecret+"-2")
	})
	t.Run("a file that is truncated, and later whole", func(t *testing.T) {
		f, _ := start(t)
		write(t, f.file, "")
		eventually(t, "the empty file is refused", func() bool { _, refused := f.counts(); return refused > 0 })
		send(t, f, delivery("/hooks/stripe", "evt_1"), 200)
		for _, want := range []string{"hooknotary.yaml:7: the secret is empty", "the old one stays"} {
			if !strings.Contains(f.log.String(), want) {
				t.Errorf("the log lacks %q: %s", want, f.log)
			}
		}
		write(t, f.file, otherSecret)
		f.takes(t, otherSecret)
	})
	t.Run("a file that is removed, and later there", func(t *testing.T) {
		f, _ := start(t)
		os.Remove(f.file)
		eventually(t, "the missing file is refused", func() bool { _, refused := f.counts(); return refused > 0 })
		send(t, f, delivery("/hooks/stripe", "evt_1"), 200)
		write(t, f.file, otherSecret)
		f.takes(t, otherSecret)
	})
	t.Run("nothing else in its folder", func(t *testing.T) {
		f, dir := start(t)
		for i := range 20 {
			write(t, filepath.Join(dir, fmt.Sprint("other", i%3)), fmt.Sprint(i))
			time.Sleep(30 * time.Millisecond) // it is about several merged changes, and not about time
		}
		// Once, because the file might have changed before the watching began.
		if ok, refused := f.counts(); ok+refused > 1 {
			t.Errorf("it was loaded %d times, want once at most", ok+refused)
		}
		write(t, f.file, otherSecret)
		f.takes(t, otherSecret)
	})
	t.Run("many changes at once as one", func(t *testing.T) {
		f, _ := start(t)
		for i := range 1000 {
			write(t, f.file, fmt.Sprint(otherSecret, i))
		}
		f.takes(t, otherSecret+"999")
		if ok, refused := f.counts(); ok+refused > 100 {
			t.Errorf("it was loaded %d times for 1000 changes", ok+refused)
		}
	})
}

func TestFollowerCompares(t *testing.T) {
	t.Run("a file whose change no event tells", func(t *testing.T) {
		// The folder is replaced as a whole: what is watched is the old one.
		dir := t.TempDir()
		old, next := filepath.Join(dir, "a", "conf"), filepath.Join(dir, "a", "next")
		for _, name := range []string{filepath.Join(dir, "a"), old, next} {
			if err := os.Mkdir(name, 0o700); err != nil {
				t.Fatal(err)
			}
		}
		write(t, filepath.Join(old, "secret"), secret)
		write(t, filepath.Join(next, "secret"), otherSecret)
		f := follow(t, filepath.Join(old, "secret"), func(f *gateway.Follower) { f.Every = 20 * time.Millisecond })
		rename(t, old, filepath.Join(dir, "a", "gone"))
		rename(t, next, old)
		f.takes(t, otherSecret)
		write(t, filepath.Join(old, "secret"), otherSecret+"-2")
		f.takes(t, otherSecret+"-2")
	})
	t.Run("a file that changed between the first load and the watching", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "secret")
		write(t, file, secret)
		f := follow(t, file, func(f *gateway.Follower) {
			write(t, file, otherSecret)
			f.Every = 20 * time.Millisecond
		})
		f.takes(t, otherSecret)
	})
	t.Run("a mistake is tried again, and said once", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "secret")
		write(t, file, secret)
		lacking := true
		var mu sync.Mutex
		f := follow(t, file, func(f *gateway.Follower) {
			load := f.Load
			f.Every = 10 * time.Millisecond
			f.Load = func() (*config.Config, error) {
				c, err := load()
				mu.Lock()
				defer mu.Unlock()
				if lacking {
					return nil, errors.Join(err, errors.New("something that is not watched is missing"))
				}
				return c, err
			}
		})
		write(t, file, otherSecret)
		eventually(t, "it is tried several times", func() bool { ok, _ := f.counts(); return ok > 5 })
		mu.Lock()
		lacking = false
		mu.Unlock()
		f.takes(t, otherSecret)
		// Once at the start and once for the change of the file.
		if n := strings.Count(f.log.String(), "the old one stays"); n < 1 || n > 3 {
			t.Errorf("it was said %d times: %s", n, f.log)
		}
	})
	t.Run("a panic of what reads the file ends nothing", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "secret")
		write(t, file, secret)
		var panicked atomic.Bool
		f := follow(t, file, func(f *gateway.Follower) {
			load := f.Load
			f.Every = 10 * time.Millisecond
			f.Load = func() (*config.Config, error) {
				if panicked.CompareAndSwap(false, true) {
					panic(secret)
				}
				return load()
			}
		})
		write(t, file, otherSecret)
		f.takes(t, otherSecret)
		if log := f.log.String(); !strings.Contains(log, "panic while") || strings.Contains(log, secret) {
			t.Errorf("log: %s", log)
		}
	})
	t.Run("the end of a key with the time", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "secret")
		write(t, file, secret)
		end := time.Now().Add(100 * time.Millisecond)
		f := follow(t, file, func(f *gateway.Follower) {
			f.Watch, f.Every = false, 10*time.Millisecond
			load := f.Load
			c := *f.Gateway.Config()
			c.NextExpiry = end
			reload(t, f.Gateway, &c)
			f.Load = func() (*config.Config, error) {
				if time.Now().Before(end) {
					t.Error("it was loaded before the end")
				}
				return load()
			}
		})
		eventually(t, "it is loaded", func() bool { ok, _ := f.counts(); return ok > 0 })
	})
}

func TestFollowerSignal(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no SIGHUP")
	}
	again := make(chan os.Signal, 1)
	file := filepath.Join(t.TempDir(), "secret")
	write(t, file, secret)
	f := follow(t, file, func(f *gateway.Follower) { f.Watch, f.Again = false, again })
	write(t, file, otherSecret)
	send(t, f, delivery("/hooks/stripe", "evt_1"), 200) // nobody watches
	again <- os.Interrupt
	f.takes(t, otherSecret)
	if !strings.Contains(f.log.String(), `"configuration loaded","routes":1,"added":0,"changed":1,"removed":0`) {
		t.Errorf("the log does not say it: %s", f.log)
	}
	write(t, file, "")
	again <- os.Interrupt
	eventually(t, "the mistake is refused", func() bool { _, refused := f.counts(); return refused == 1 })
	f.takes(t, otherSecret)
}
