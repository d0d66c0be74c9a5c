package linear_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/verify/replay"
	"github.com/hooknotary/hooknotary/verify/replay/replaytest/linear"
)

var duration = flag.Duration("linear.duration", 0, "how long each store is checked in each way; 0: the default")

func TestCheck(t *testing.T) {
	t.Run("Memory is linearizable", func(t *testing.T) {
		t.Parallel()
		m := replay.NewMemory(&replay.MemoryOptions{MaxBytes: 1 << 30, Now: func() time.Time {
			runtime.Gosched() // lets the others in while this call is under way
			return time.Now()
		}})
		linear.Check(t, []replay.Store{m}, &linear.Options{Duration: *duration})
		linear.Check(t, []replay.Store{m}, &linear.Options{Duration: *duration, Lease: short})
	})

	t.Run("the seed repeats the calls", func(t *testing.T) {
		ask := func(seed uint64) (asked []string) {
			m := replay.NewMemory(nil)
			var stores []replay.Store
			for range clients {
				stores = append(stores, &scripted{Store: m})
			}
			linear.Check(t, stores, &linear.Options{Seed: seed, Duration: 1, Lease: 2 * time.Millisecond})
			for _, s := range stores {
				asked = append(asked, s.(*scripted).asked...)
			}
			return asked
		}
		first := ask(1)
		if len(first) < 50 {
			t.Fatalf("there were %d calls", len(first))
		}
		if !slices.Equal(first, ask(1)) {
			t.Error("the same seed made other calls")
		}
		if slices.Equal(first, ask(2)) {
			t.Error("another seed made the same calls")
		}
	})

	t.Run("a fault that loses what was acknowledged is found", func(t *testing.T) {
		m := &mortal{Store: replay.NewMemory(nil)}
		faults := 0
		linear.Check(t, []replay.Store{m}, &linear.Options{Fault: func() { faults++ }})
		if faults < 2 {
			t.Errorf("there were %d faults", faults)
		}
		r := &recorder{TB: t}
		linear.Check(r, []replay.Store{m}, &linear.Options{Duration: 10 * time.Second, Fault: func() {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.Store = replay.NewMemory(nil)
		}})
		if !strings.Contains(r.failure, "not linearizable") {
			t.Errorf("it was not found: %q", r.failure)
		}
	})

	t.Run("a store that does not respond is no success", func(t *testing.T) {
		stores := []replay.Store{broken{replay.NewMemory(nil)}}
		for want, fault := range map[string]func(){
			"a call failed without a fault: no connection":                         nil,
			"more than a quarter of the calls failed, at last with: no connection": func() {},
		} {
			r := &recorder{TB: t}
			linear.Check(r, stores, &linear.Options{Fault: fault, Duration: time.Millisecond})
			if !strings.HasSuffix(r.failure, want) {
				t.Errorf("failure = %q, want %q", r.failure, want)
			}
		}
	})

	t.Run("a failure can be read", func(t *testing.T) {
		r := &recorder{TB: t}
		linear.Check(r, []replay.Store{newFlawed("a commit is lost")}, &linear.Options{Seed: 7, Duration: 10 * time.Second})
		for _, part := range []string{
			" of seed 7: the ",
			" calls on event ",
			"\nthe longest order that was found has ",
			"→ done by ",
			"\nnone of these can be next:\n",
			"history.html)",
		} {
			if !strings.Contains(r.failure, part) {
				t.Errorf("there is no %q in:\n%s", part, r.failure)
			}
		}
		if n := strings.Count(r.failure, "\n"); n > 60 {
			t.Errorf("it has %d lines:\n%s", n, r.failure)
		}
		page, err := os.ReadFile(filepath.Join(t.ArtifactDir(), "history.html"))
		if err != nil || !strings.Contains(string(page), "claim by ") {
			t.Errorf("the page for the browser: %v, %.100q", err, page)
		}
		t.Log(r.failure)
	})
}

// scripted is a store that writes down what one client asks it for.
type scripted struct {
	replay.Store
	asked []string
}

func (s *scripted) Claim(ctx context.Context, c replay.Claim) (replay.Outcome, error) {
	s.asked = append(s.asked, fmt.Sprint("claim ", c.Fingerprint[0], c.Resigned, c.Binding != nil))
	return s.Store.Claim(ctx, c)
}

func (s *scripted) Renew(ctx context.Context, h replay.Handle, lease time.Duration) error {
	s.asked = append(s.asked, fmt.Sprint("renew ", lease))
	return s.Store.Renew(ctx, h, lease)
}

func (s *scripted) Commit(ctx context.Context, h replay.Handle) error {
	s.asked = append(s.asked, "commit")
	return s.Store.Commit(ctx, h)
}

// mortal is a store of which a fault can lose the records.
type mortal struct {
	mu sync.RWMutex
	replay.Store
}

func (m *mortal) current() replay.Store {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.Store
}

func (m *mortal) Claim(ctx context.Context, c replay.Claim) (replay.Outcome, error) {
	return m.current().Claim(ctx, c)
}

func (m *mortal) Renew(ctx context.Context, h replay.Handle, lease time.Duration) error {
	return m.current().Renew(ctx, h, lease)
}

func (m *mortal) Commit(ctx context.Context, h replay.Handle) error {
	return m.current().Commit(ctx, h)
}

func (m *mortal) Release(ctx context.Context, h replay.Handle) error {
	return m.current().Release(ctx, h)
}

func (m *mortal) Forget(ctx context.Context, k replay.Key) error { return m.current().Forget(ctx, k) }

type broken struct{ replay.Store }

func (broken) Claim(context.Context, replay.Claim) (replay.Outcome, error) {
	return replay.Outcome{}, errors.New("no connection")
}

func (broken) Forget(context.Context, replay.Key) error { return errors.New("no connection") }
