module github.com/hooknotary/hooknotary/examples/lambda

go 1.26.0

require (
	github.com/aws/aws-lambda-go v1.47.0
	github.com/hooknotary/hooknotary v0.0.0
)

replace github.com/hooknotary/hooknotary => ../..
