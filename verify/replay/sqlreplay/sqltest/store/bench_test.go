package store_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify/replay"
)

// A claim and its commit, beside what the database takes for two statements that
// do nothing, and for two that write a row.
func BenchmarkClaimAndCommit(b *testing.B) {
	for _, e := range []engine{postgreSQL, sqlite} {
		s, db := e.fresh(b)
		b.Run(e.name, func(b *testing.B) {
			for b.Loop() {
				finish(b, s, delivery())
			}
		})
		b.Run(e.name+"/two round trips", func(b *testing.B) {
			for b.Loop() {
				do(b, db, "SELECT 1")
				do(b, db, "SELECT 1")
			}
		})
		b.Run(e.name+"/two writes", func(b *testing.B) {
			do(b, db, "CREATE TABLE IF NOT EXISTS t (a bigint PRIMARY KEY, b bigint)")
			do(b, db, "DELETE FROM t")
			for i := int64(0); b.Loop(); i++ {
				do(b, db, "INSERT INTO t VALUES ($1, 1)", i)
				do(b, db, "UPDATE t SET b = 2 WHERE a = $1", i)
			}
		})
	}
}

// Deliveries through the whole guard, from eight senders at once.
func BenchmarkGuard(b *testing.B) {
	for _, r := range []struct {
		name string
		open func(b *testing.B) replay.Store
	}{
		{"Memory", func(*testing.B) replay.Store { return replay.NewMemory(nil) }},
		{"PostgreSQL", func(b *testing.B) replay.Store {
			s, _ := postgreSQL.fresh(b)
			return s
		}},
		{"SQLite", func(b *testing.B) replay.Store {
			s, _ := sqlite.fresh(b)
			return s
		}},
	} {
		b.Run(r.name, func(b *testing.B) {
			g, err := middleware.New("billing", stripe.Must(secret), r.open(b), nil)
			if err != nil {
				b.Fatal(err)
			}
			h := g.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			b.SetParallelism(4)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					w := httptest.NewRecorder()
					body := fmt.Appendf(nil, `{"id":"evt_%d","object":"event"}`, eventNumber.Add(1))
					h.ServeHTTP(w, stripetest.NewRequest("https://shop.example/hooks/stripe", time.Now(), body, secret))
					if w.Code != http.StatusOK {
						b.Errorf("answered %d", w.Code)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
		})
	}
}
