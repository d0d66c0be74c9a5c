package main

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/verify/replay/redisreplay/redistest"
)

// TestMain makes the test binary an instance where it is started as one.
func TestMain(m *testing.M) {
	if os.Getenv(serveEnv) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestPromises(t *testing.T) {
	var out strings.Builder
	err := run(&out, "")
	if errors.Is(err, redistest.ErrMissing) && os.Getenv("HOOKNOTARY_SERVERS") != "required" {
		t.Skip(err)
	}
	if err != nil {
		t.Errorf("%v\n%s", err, out.String())
	}
	if n := strings.Count(out.String(), "\n"); n < 18 {
		t.Errorf("the table has %d lines: was the script played?\n%s", n, out.String())
	}
}

func TestBrokenPromise(t *testing.T) {
	f := &fleet{}
	var out strings.Builder
	f.show(&out, "kept", "a", outcome{"204", "booked a"}, outcome{"204", "booked a"})
	if f.broken != 0 || strings.Contains(out.String(), "BROKEN") {
		t.Errorf("a promise that was kept counts as broken: %s", out.String())
	}
	f.show(&out, "broken", "a", outcome{"409", ""}, outcome{"409", "booked a"})
	if f.broken != 1 || !strings.Contains(out.String(), "BROKEN") {
		t.Errorf("%d broken: %s", f.broken, out.String())
	}
	if f.verdict(&out) == nil {
		t.Error("no error")
	}
}

func TestPlay(t *testing.T) {
	t.Run("a Redis that is not there is a failure", func(t *testing.T) {
		if err := run(&strings.Builder{}, "127.0.0.1:1"); err == nil || errors.Is(err, redistest.ErrMissing) {
			t.Errorf("the error is %v", err)
		}
	})
}
