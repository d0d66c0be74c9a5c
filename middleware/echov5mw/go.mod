module github.com/hooknotary/hooknotary/middleware/echov5mw

go 1.26.0

require (
	github.com/hooknotary/hooknotary v0.0.0
	github.com/labstack/echo/v5 v5.3.1
)

require golang.org/x/time v0.15.0 // indirect
