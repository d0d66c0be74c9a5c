// Package cost measures what verification costs beside the HMAC that it cannot do
// without.
package cost

import (
	"testing"
	"time"
)

// Ratio measures a and b in turn, so that whatever slows the machine down slows
// both, and returns how often the fastest round of b fits into that of a.
func Ratio(a, b func()) float64 {
	const rounds = 500 // short ones: one without a disturbance is enough
	calls := func(f func()) int {
		n := 1
		for elapsed(f, n) < 100*time.Microsecond {
			n *= 2
		}
		return n
	}
	na, nb := calls(a), calls(b)
	var best [2]float64
	for range rounds {
		for i, r := range [...]float64{
			float64(elapsed(a, na)) / float64(na),
			float64(elapsed(b, nb)) / float64(nb),
		} {
			if best[i] == 0 || r < best[i] {
				best[i] = r
			}
		}
	}
	return best[0] / best[1]
}

func elapsed(f func(), n int) time.Duration {
	start := time.Now()
	for range n {
		f()
	}
	return time.Since(start)
}

// MaxAllocs fails if f allocates more often than that. Under the race detector it
// measures nothing, because instrumented code allocates elsewhere.
func MaxAllocs(t *testing.T, most float64, f func()) {
	t.Helper()
	if race {
		t.Skip("the race detector changes what allocates")
	}
	if got := testing.AllocsPerRun(200, f); got > most {
		t.Errorf("allocates %v times, want at most %v", got, most)
	}
}
