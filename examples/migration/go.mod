module github.com/hooknotary/hooknotary/examples/migration

go 1.26.0

require (
	github.com/go-playground/webhooks/v6 v6.4.0
	github.com/google/go-github/v60 v60.0.0
	github.com/hooknotary/hooknotary v0.0.0
	github.com/standard-webhooks/standard-webhooks/libraries v0.0.1
	github.com/stripe/stripe-go/v76 v76.25.0
	github.com/svix/svix-webhooks v1.44.0
)

require (
	github.com/google/go-querystring v1.1.0 // indirect
	gopkg.in/validator.v2 v2.0.1 // indirect
)
