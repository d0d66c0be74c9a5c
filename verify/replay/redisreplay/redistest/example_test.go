package redistest_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/redis/go-redis/v9"

	"github.com/hooknotary/hooknotary/verify/replay/redisreplay/redistest"
)

// A program that needs a Redis of its own.
func ExampleStart() {
	s, err := redistest.Start("appendonly yes", "appendfsync always")
	if errors.Is(err, redistest.ErrMissing) {
		fmt.Println("install redis-server first")
		return
	}
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()

	ctx := context.Background()
	client := redis.NewClient(&redis.Options{Addr: s.Addr()})
	defer client.Close()
	client.Set(ctx, "kept", "yes", 0)
	s.Kill()
	if err := s.Restart(); err != nil {
		log.Fatal(err)
	}
	fmt.Println(client.Get(ctx, "kept").Val())
}
