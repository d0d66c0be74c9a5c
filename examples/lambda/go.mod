module github.com/hooknotary/hooknotary/examples/lambda

go 1.26.0

require (
	github.com/aws/aws-lambda-go v1.47.0
	github.com/hooknotary/hooknotary v0.0.0
	github.com/hooknotary/hooknotary/verify/replay/redisreplay v0.0.0
	github.com/redis/go-redis/v9 v9.7.3
)

require (
	github.com/cespare/xxhash/v2 v2.2.0 // indirect
	github.com/dgryski/go-rendezvous v0.0.0-20200823014737-9f7001d12a5f // indirect
)
