package main

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/verify/replay/redisreplay/redistest"
	"github.com/hooknotary/hooknotary/verify/replay/sqlreplay/postgrestest"
)

// TestMain makes the test binary a server where the harness starts it as one.
func TestMain(m *testing.M) {
	if os.Getenv(serveEnv) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// open makes a harness that is closed at the end of the test. Where the store's
// server is missing, the test is skipped, or fails if it must not be.
func open(t *testing.T, o options) (*harness, *bytes.Buffer) {
	t.Helper()
	var out bytes.Buffer
	h, err := newHarness(o, &out)
	if errors.Is(err, redistest.ErrMissing) || errors.Is(err, postgrestest.ErrMissing) {
		if os.Getenv("HOOKNOTARY_SERVERS") != "required" {
			t.Skip(err)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.close(true) })
	return h, &out
}

func TestPromisesAreKept(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	for i, store := range stores {
		t.Run(store, func(t *testing.T) {
			t.Parallel()
			o := options{store: store, rounds: 1, events: 90, seed: uint64(i)}
			h, out := open(t, o)
			if err := h.playAll(t.Context()); err != nil {
				t.Fatal(err)
			}
			f := &h.figures
			f.table(out, o)
			t.Log(out.String())
			if !f.kept() || h.rig.inbox && f.gap()+f.late > 0 {
				t.Error("a promise is broken")
			}
			if f.handled != f.events || f.events != 90 {
				t.Errorf("%d of %d events were handled, want 90", f.handled, f.events)
			}
			if f.failed == 0 || f.cuts == 0 || f.replays == 0 || f.forgeries == 0 {
				t.Error("nothing went wrong")
			}
		})
	}
}

// Without these, nobody knows whether the harness would find anything.
func TestPlantedBugsAreFound(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	found := map[string]func(*figures) bool{
		"forget-commit":  func(f *figures) bool { return f.accepted > 0 && f.elsewhere > 0 },
		"acquire-always": func(f *figures) bool { return f.accepted > 0 && f.elsewhere > 0 },
		"commit-first":   func(f *figures) bool { return f.lost > 0 },
		"short-lease":    func(f *figures) bool { return f.elsewhere > 0 },
		"unbound":        func(f *figures) bool { return f.forgeriesAccepted > 0 },
		"answer-first":   func(f *figures) bool { return f.lost > 0 },
		"answer-early":   func(f *figures) bool { return f.lost > 0 },
		"commit-apart":   func(f *figures) bool { return f.elsewhere > 0 },
	}
	for name := range plants {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if found[name] == nil {
				t.Fatal("nobody knows what it breaks")
			}
			const rounds = 6
			o := options{store: "sqlite", rounds: rounds, events: 60, seed: 1, plant: name}
			if name == "commit-apart" {
				o.store = "sqlite-inbox"
			}
			h, out := open(t, o)
			h.patience = 4 * time.Second // some events are never handled
			r := rand.New(rand.NewPCG(1, 1))
			for n := range rounds {
				if err := h.round(t.Context(), n, child(r)); err != nil {
					t.Fatal(err)
				}
				if found[name](&h.figures) {
					break
				}
			}
			if !found[name](&h.figures) || h.figures.kept() {
				h.figures.table(out, o)
				t.Fatalf("not found in %d rounds:\n%s", rounds, out)
			}
			if !strings.Contains(out.String(), "seed 1: event ") {
				t.Errorf("no history was written:\n%s", out)
			}
		})
	}
}

func TestUnknownNamesAreRefused(t *testing.T) {
	for _, o := range []options{
		{store: "mysql", rounds: 1, events: 1},
		{store: "redis-inbox", rounds: 1, events: 1},
		{store: "sqlite", rounds: 1, events: 1, plant: "nothing"},
		{store: "sqlite", rounds: 0, events: 1},
		{store: "sqlite", rounds: 1, events: 0},
	} {
		if err := play(t.Context(), &bytes.Buffer{}, o); err == nil || errors.Is(err, errBroken) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}
