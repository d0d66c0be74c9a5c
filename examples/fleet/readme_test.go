package main

import (
	"github.com/redis/go-redis/v9"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay/redisreplay"
)

// The code of README.md that needs this module, compiled. A test in the folder above
// compares.

var _ = readmeFleet

func readmeFleet(v verify.Verifier, client redis.UniversalClient) (*middleware.Guard, error) {
	guard, err := middleware.New("billing", v, redisreplay.New(client, nil), nil)
	return guard, err
}
