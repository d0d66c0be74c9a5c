package main

import (
	"strings"
	"testing"
)

func TestPlay(t *testing.T) {
	// The attacks must reach the server, and no genuine delivery may be lost. The rate is
	// one that a busy machine serves; with a small budget it still uses
	// up one of which each head takes 8 KiB for 10 seconds.
	t.Run("no genuine delivery is lost", func(t *testing.T) {
		if testing.Short() {
			t.Skip("takes long, and measures the host: under the race detector it serves another rate")
		}
		for _, budget := range []int64{16 << 20, 0} {
			var out strings.Builder
			lost, err := show(&out, true, budget, 10<<10)
			if err != nil {
				t.Fatal(err)
			}
			t.Log(out.String())
			if lost {
				t.Errorf("budget %d: genuine deliveries were lost", budget)
			}
			if strings.Contains(out.String(), "0 of 0") || strings.HasPrefix(out.String(), "0 heads") {
				t.Error("nothing was sent")
			}
		}
	})
}
