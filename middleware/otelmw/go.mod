module github.com/hooknotary/hooknotary/middleware/otelmw

go 1.26.0

require (
	github.com/hooknotary/hooknotary v0.0.0
	go.opentelemetry.io/otel v1.24.0
	go.opentelemetry.io/otel/metric v1.24.0
	go.opentelemetry.io/otel/trace v1.24.0
)

require (
	github.com/go-logr/logr v1.4.1 // indirect
	github.com/go-logr/stdr v1.2.2 // indirect
)
