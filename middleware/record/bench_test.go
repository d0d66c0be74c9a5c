package record_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/record"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/verify/replay"
)

// BenchmarkHandler is a guard without a recorder and with one, that by default
// records what is refused.
func BenchmarkHandler(b *testing.B) {
	ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	for _, key := range []string{secret, otherSecret} {
		for _, recorded := range []bool{false, true} {
			b.Run(fmt.Sprintf("genuine=%v/recorded=%v", key == secret, recorded), func(b *testing.B) {
				guard, err := middleware.New("bench", stripe.Must(secret), replay.NewMemory(nil), nil)
				if err != nil {
					b.Fatal(err)
				}
				h := guard.Handler(ok)
				if recorded {
					recorder, err := record.New(b.TempDir(), nil)
					if err != nil {
						b.Fatal(err)
					}
					defer recorder.Close()
					h = recorder.Handler(h)
				}
				w := httptest.NewRecorder()
				var requests []*http.Request
				n := 0
				b.ReportAllocs()
				for b.Loop() {
					if len(requests) == 0 {
						b.StopTimer()
						for range 1000 {
							n++
							requests = append(requests, signedAt(fmt.Sprint("evt_", n), time.Now(), key))
						}
						b.StartTimer()
					}
					h.ServeHTTP(w, requests[0])
					requests = requests[1:]
				}
			})
		}
	}
}
