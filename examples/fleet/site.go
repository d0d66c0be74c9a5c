package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay/redisreplay"
)

// lease is how long an instance that died keeps an event from the others. The
// default, 30 seconds, would be long to watch.
const lease = 3 * time.Second

// newSite makes what every instance serves. All have the same endpoint's name, the
// same secret and the same Redis.
func newSite(ctx context.Context, addr, secret string, b *bookkeeper) (http.Handler, error) {
	store := redisreplay.New(redis.NewClient(&redis.Options{
		Addr:                  addr,
		MaxRetries:            -1, // the guard decides what is tried again
		ContextTimeoutEnabled: true,
	}), &redisreplay.Options{
		Timeout: 5 * time.Second, // for Check: the guard has shorter ones for deliveries
	})
	// Does Redis respond, and does it keep what it is given? Without this the
	// first delivery would find out.
	if err := store.Check(ctx); err != nil {
		return nil, err
	}
	guard, err := middleware.New("billing", stripe.Must(secret), store, &middleware.Options{Lease: lease})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("POST /hooks/stripe", guard.Handler(b))
	return mux, nil
}

// bookkeeper is the handler. It books invoices in a ledger, which is a file that
// all instances share and stands for a database.
type bookkeeper struct {
	instance string
	ledger   *os.File // append only
}

func (b *bookkeeper) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d, ok := verify.FromContext(r.Context())
	if !ok {
		http.Error(w, "there is no guard in front of this handler", http.StatusInternalServerError)
		return
	}
	var event struct {
		Trouble map[string]string `json:"trouble"` // what goes wrong at which instance, for the script
	}
	if err := json.Unmarshal(d.Body, &event); err != nil {
		http.Error(w, "not an event", http.StatusBadRequest)
		return
	}
	switch event.Trouble[b.instance] {
	case fails:
		b.write(d.ID, "failed")
		http.Error(w, "try again later", http.StatusInternalServerError)
		return
	case hangs:
		b.write(d.ID, "began")
		select {
		case <-r.Context().Done():
		case <-time.After(time.Minute):
		}
	}
	// Right before the effect: has somebody else taken the event over?
	if r.Context().Err() != nil {
		http.Error(w, "too late", http.StatusInternalServerError)
		return
	}
	b.write(d.ID, "booked")
	w.WriteHeader(http.StatusNoContent)
}

func (b *bookkeeper) write(event, what string) {
	fmt.Fprintf(b.ledger, "%s %s %s\n", event, what, b.instance)
}
