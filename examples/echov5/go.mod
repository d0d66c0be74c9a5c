module github.com/hooknotary/hooknotary/examples/echov5

go 1.26.0

require (
	github.com/hooknotary/hooknotary v0.0.0
	github.com/hooknotary/hooknotary/middleware/echov5mw v0.0.0
	github.com/labstack/echo/v5 v5.3.1
)
