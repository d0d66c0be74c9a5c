module github.com/hooknotary/hooknotary/examples/chi

go 1.26.0

require (
	github.com/go-chi/chi/v5 v5.2.1
	github.com/hooknotary/hooknotary v0.0.0
)
