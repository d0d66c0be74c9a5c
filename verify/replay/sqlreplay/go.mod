module github.com/hooknotary/hooknotary/verify/replay/sqlreplay

go 1.26.0

require github.com/hooknotary/hooknotary v0.0.0
