module github.com/hooknotary/hooknotary/providers/jwt

go 1.26.0

require (
	github.com/go-jose/go-jose/v4 v4.1.9
	github.com/hooknotary/hooknotary v0.0.0
)
