//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	if child() {
		return
	}
	os.Exit(m.Run())
}

// TestShort runs the short form. Its numbers mean nothing on a busy machine, but for the
// connections of refusals.
func TestShort(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts eight proxies")
	}
	file := filepath.Join(t.TempDir(), "samples.csv")
	var out, progress bytes.Buffer
	if err := run(context.Background(), []string{"-short", "-csv", file}, &out, &progress); err != nil {
		t.Fatalf("%v\n%s", err, &progress)
	}
	report := out.String()
	if _, missing, ok := strings.Cut(report, "not installed: "); ok {
		missing, _, _ = strings.Cut(missing, "\n")
		if os.Getenv("HOOKNOTARY_SERVERS") == "required" {
			t.Errorf("not installed: %s", missing)
		}
	} else if strings.Contains(report, "not measured") {
		t.Error("a goal was not measured")
	}
	for _, g := range goals {
		if !strings.Contains(report, "\n"+g.what+"  ") {
			t.Errorf("the report has no row %q", g.what)
		}
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(rows, func(row []string) bool {
		return slices.Equal(row, []string{"1", plain, refusalDials, "0"})
	}) {
		t.Error("the file does not say that refusals have not dialled the upstream")
	}
	if t.Failed() {
		t.Log(report)
	}
}

func TestReport(t *testing.T) {
	for _, c := range []struct {
		name   string
		rounds [][2]float64 // CPU at 4 KiB of the gateway and the ReverseProxy
		rates  [2]float64
		want   []string
	}{
		{"a goal that is met", [][2]float64{{90, 100}}, [2]float64{106, 100},
			[]string{"0.900 0.900 0.900 ≤ 0.9 met", "1.060 1.060 1.060 ≥ 1.05 met"}},
		{"one that is missed", [][2]float64{{91, 100}}, [2]float64{104, 100},
			[]string{"0.910 0.910 0.910 ≤ 0.9 missed", "1.040 1.040 1.040 ≥ 1.05 missed"}},
		{"the median of the ratios counts", [][2]float64{{80, 100}, {170, 200}, {300, 100}}, [2]float64{106, 100},
			[]string{"0.850 0.800 3.000 ≤ 0.9 met"}},
		{"the median of an even number is between two", [][2]float64{{80, 100}, {100, 100}}, [2]float64{106, 100},
			[]string{"0.900 0.800 1.000 ≤ 0.9 met"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := &bench{plan: plan{rounds: len(c.rounds)}}
			for round, values := range c.rounds {
				b.round = round
				b.add(plain, cpu+typical, values[0])
				b.add(reverseProxy, cpu+typical, values[1])
				b.add(plain, rate, c.rates[0])
				b.add(reverseProxy, rate, c.rates[1])
			}
			var out strings.Builder
			if err := b.report(&out); err != nil {
				t.Fatal(err)
			}
			text := strings.Join(strings.Fields(out.String()), " ")
			for _, want := range append(c.want, "over nginx – – – ≤ 3.5 not measured") {
				if !strings.Contains(text, want) {
					t.Errorf("the report lacks %q:\n%s", want, &out)
				}
			}
		})
	}
}

// TestSender sends to the upstream, which counts what it gets.
func TestSender(t *testing.T) {
	u, err := startUpstream()
	if err != nil {
		t.Fatal(err)
	}
	defer u.stop()
	for _, size := range sizes {
		t.Run(size.name, func(t *testing.T) {
			body := payloadOf(size.bytes)
			ds := sign(body, 5, time.Now())
			if n := len(body.body(ds[0].id)); n != size.bytes {
				t.Errorf("the body has %d bytes, want %d", n, size.bytes)
			}
			before, err := u.counts()
			if err != nil {
				t.Fatal(err)
			}
			if err := sendAll(u.address, body, ds, 200, false); err != nil {
				t.Fatal(err)
			}
			after, err := u.counts()
			if err != nil {
				t.Fatal(err)
			}
			got := after.minus(before)
			if err := arrived(got, len(ds), body); err != nil || got.conns != 1 {
				t.Errorf("over %d connections: %v", got.conns, err)
			}
			if err := arrived(got, len(ds)+1, body); err == nil {
				t.Error("one that is lost is not found")
			}
			if err := sendAll(u.address, body, ds[:1], 401, true); err == nil {
				t.Error("another status is taken")
			}
		})
	}
}

func TestArguments(t *testing.T) {
	for _, args := range [][]string{{"-rounds", "0"}, {"-procs", "0"}, {"now"}, {"-unknown"}} {
		if err := run(context.Background(), args, io.Discard, io.Discard); err == nil {
			t.Errorf("%q is taken", args)
		}
	}
}
