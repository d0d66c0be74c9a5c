module github.com/hooknotary/hooknotary/cmd

go 1.26.0

require (
	github.com/hooknotary/hooknotary v0.0.0
	github.com/hooknotary/hooknotary/providers/jwt v0.0.0
	github.com/hooknotary/hooknotary/verify/replay/redisreplay v0.0.0
	github.com/hooknotary/hooknotary/verify/replay/sqlreplay v0.0.0
	github.com/hooknotary/hooknotary/verify/replay/sqlreplay/sqltest v0.0.0
	github.com/jackc/pgx/v5 v5.7.5
	github.com/mattn/go-isatty v0.0.20
	github.com/redis/go-redis/v9 v9.7.3
	github.com/spf13/cobra v1.8.1
	modernc.org/sqlite v1.46.2
)

require (
	github.com/cespare/xxhash/v2 v2.2.0 // indirect
	github.com/dgryski/go-rendezvous v0.0.0-20200823014737-9f7001d12a5f // indirect
	github.com/dustin/go-humanize v1.0.1 // indirect
	github.com/go-jose/go-jose/v4 v4.1.9 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/jackc/pgpassfile v1.0.0 // indirect
	github.com/jackc/pgservicefile v0.0.0-20240606120523-5a60cdf6a761 // indirect
	github.com/jackc/puddle/v2 v2.2.2 // indirect
	github.com/ncruces/go-strftime v1.0.0 // indirect
	github.com/remyoudompheng/bigfft v0.0.0-20230129092748-24d4a6f8daec // indirect
	github.com/spf13/pflag v1.0.5 // indirect
	golang.org/x/crypto v0.58.0 // indirect
	golang.org/x/sync v0.24.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.43.0 // indirect
	modernc.org/libc v1.70.0 // indirect
	modernc.org/mathutil v1.7.1 // indirect
	modernc.org/memory v1.11.0 // indirect
)
