package redisreplay_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/verify/replay"
	"github.com/hooknotary/hooknotary/verify/replay/redisreplay"
	"github.com/hooknotary/hooknotary/verify/replay/redisreplay/redistest"
)

// An endpoint of which several processes run, with one store.
func Example() {
	client := redis.NewClient(&redis.Options{ // of a cluster: redis.NewClusterClient
		Addr:                  "redis.internal:6379",
		Password:              os.Getenv("REDIS_PASSWORD"),
		ContextTimeoutEnabled: true,
		MaxRetries:            -1,
	})
	defer client.Close()

	store := redisreplay.New(client, &redisreplay.Options{
		OnNewFloor: func(parts int) { log.Printf("redis knew nothing in %d of 1024 parts", parts) },
	})
	if err := store.Check(context.Background()); err != nil {
		log.Fatal(err)
	}
	guard, err := middleware.New("billing", stripe.Must(os.Getenv("STRIPE_WEBHOOK_SECRET")), store, nil)
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("POST /hooks/stripe", guard.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Runs once for each event, in one of the processes.
	})))
	log.Fatal(http.ListenAndServe("127.0.0.1:8080", nil))
}

// Two processes and one event.
func ExampleStore() {
	server, err := redistest.Start()
	if errors.Is(err, redistest.ErrMissing) {
		fmt.Println("install redis-server first")
		return
	}
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()

	ctx := context.Background()
	event := replay.Event{Endpoint: "billing", Provider: "stripe", Scope: "default", ID: "evt_1"}
	for range 2 {
		client := redis.NewClient(&redis.Options{Addr: server.Addr(), ContextTimeoutEnabled: true, MaxRetries: -1})
		defer client.Close()
		store := redisreplay.New(client, nil)

		claim := replay.Claim{
			Key:       event.Key(),
			Token:     replay.NewToken(),
			Lease:     30 * time.Second,
			Needed:    10 * time.Minute,
			Retention: 7 * 24 * time.Hour,
		}
		outcome, err := store.Claim(ctx, claim)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(outcome.Status)
		if outcome.Status == replay.Acquired {
			if err := store.Commit(ctx, replay.Handle{Key: claim.Key, Token: claim.Token}); err != nil {
				log.Fatal(err)
			}
		}
	}
	// It prints "acquired" and "done".
}
