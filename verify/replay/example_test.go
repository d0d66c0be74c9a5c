package replay_test

import (
	"context"
	"fmt"
	"time"

	"github.com/hooknotary/hooknotary/verify/replay"
)

// Where one part ends and the next begins is part of the key, so no choice of
// names makes two events one.
func ExampleEvent_Key() {
	a := replay.Event{Endpoint: "billing", Provider: "stripe", Scope: "default", ID: "evt_1"}
	b := replay.Event{Endpoint: "billings", Provider: "tripe", Scope: "default", ID: "evt_1"}
	fmt.Println(a.Key())
	fmt.Println(a.Key() == b.Key())
	// Output:
	// 6298a4b1edb05f1cd31908f368f565d6631bc95c688e06a52d367564d12da8db
	// false
}

// The life of an event, as a guard leads it.
func ExampleMemory() {
	ctx := context.Background()
	store := replay.NewMemory(nil)

	event := replay.Event{Endpoint: "billing", Provider: "stripe", Scope: "default", ID: "evt_1"}
	arrival := func() replay.Claim {
		return replay.Claim{
			Key:       event.Key(),
			Token:     replay.NewToken(), // a new one for every delivery
			Lease:     30 * time.Second,
			Needed:    10 * time.Minute,
			Retention: 7 * 24 * time.Hour,
		}
	}

	first := arrival()
	outcome, err := store.Claim(ctx, first)
	fmt.Println(outcome.Status, err)

	outcome, err = store.Claim(ctx, arrival()) // a copy, while the handler runs
	fmt.Println(outcome.Status, err)

	err = store.Commit(ctx, replay.Handle{Key: first.Key, Token: first.Token})
	fmt.Println("committed", err)

	outcome, err = store.Claim(ctx, arrival()) // a copy, later
	fmt.Println(outcome.Status, err)
	// Output:
	// acquired <nil>
	// in flight <nil>
	// committed <nil>
	// done <nil>
}

// A program that watches how full its store is.
func ExampleNewMemory() {
	store := replay.NewMemory(&replay.MemoryOptions{
		MaxBytes: 256 << 20,
		OnPressure: func(u replay.Stats) {
			fmt.Printf("store: %d of %d bytes\n", u.Bytes, u.MaxBytes)
		},
	})
	fmt.Printf("%+v\n", store.Usage())
	// Output:
	// {Records:0 Bytes:0 MaxBytes:268435456}
}
