module github.com/hooknotary/hooknotary/examples/inbox

go 1.26.0

require (
	github.com/hooknotary/hooknotary v0.0.0
	github.com/hooknotary/hooknotary/verify/replay/sqlreplay v0.0.0
	modernc.org/sqlite v1.46.2
)

require (
	github.com/dustin/go-humanize v1.0.1 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/mattn/go-isatty v0.0.20 // indirect
	github.com/ncruces/go-strftime v1.0.0 // indirect
	github.com/remyoudompheng/bigfft v0.0.0-20230129092748-24d4a6f8daec // indirect
	golang.org/x/sys v0.49.0 // indirect
	modernc.org/libc v1.70.0 // indirect
	modernc.org/mathutil v1.7.1 // indirect
	modernc.org/memory v1.11.0 // indirect
)
