package forward_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/forward"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify/replay"
)

// TestEndedContext: a request whose context has ended is not sent, also where a connection
// is at hand, so its claim is released. A process that stood still beyond a lease would have
// the receiver act on an event that somebody else has taken over.
func TestEndedContext(t *testing.T) {
	for _, ends := range []bool{false, true} {
		name := map[bool]string{false: "a context that has not ended", true: "a context that ended before"}[ends]
		t.Run(name, func(t *testing.T) {
			const secret = "whsec_of_ended_contexts"
			var requests atomic.Int64
			receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests.Add(1) }))
			defer receiver.Close()
			var kept atomic.Int64
			guard, err := middleware.New("stripe", stripe.Must(secret), replay.NewMemory(nil), &middleware.Options{
				Observe: func(_ context.Context, r middleware.Report) {
					if r.ClaimKept {
						kept.Add(1)
					}
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			hangUp := func() {}
			h, err := forward.New(guard, receiver.URL+"/", &forward.Options{
				IdleTimeout: time.Minute,
				Observe: func(context.Context, http.Header) func(forward.Report) {
					hangUp()
					return nil
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			defer h.Close()
			deliver := func(ctx context.Context, n int) int {
				body := []byte(`{"id":"evt_` + string(rune('a'+n)) + `","object":"event"}`)
				w := httptest.NewRecorder()
				h.ServeHTTP(w, stripetest.NewRequest("https://hooks.example.com/", time.Now(), body, secret).WithContext(ctx))
				return w.Code
			}
			if status := deliver(t.Context(), 0); status != 200 {
				t.Fatalf("status %d", status)
			}
			want := int64(1)
			for n := range 20 {
				ctx, cancel := context.WithCancel(t.Context())
				if ends {
					hangUp = cancel
				} else {
					want++
				}
				if status := deliver(ctx, n+1); (status == 200) == ends {
					t.Errorf("status %d", status)
				}
				cancel()
			}
			if got := requests.Load(); got != want || kept.Load() != 0 {
				t.Errorf("the receiver saw %d requests, want %d; %d claims were kept, want 0", got, want, kept.Load())
			}
		})
	}
}
