package gateway_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/config"
	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/gateway"
	"github.com/hooknotary/hooknotary/verify/replay"
)

// manyRoutes writes a file with n routes, each with a secret in a file of its own, and
// returns what loads it.
func manyRoutes(t testing.TB, n int) (load func() *config.Config) {
	dir := t.TempDir()
	var b strings.Builder
	b.WriteString("store: { memory: {} }\nroutes:\n")
	for i := range n {
		write(t, filepath.Join(dir, fmt.Sprint("secret-", i)), fmt.Sprintf("whsec_%032d\n", i))
		fmt.Fprintf(&b, "  - { name: route-%d, path: /hooks/%d/stripe, provider: stripe, secret: file:secret-%d, upstream: { url: http://127.0.0.1:1/%d } }\n", i, i, i, i)
	}
	file := filepath.Join(dir, "hooknotary.yaml")
	write(t, file, b.String())
	return func() *config.Config {
		c, err := config.Load(file, config.Env{}, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
}

// BenchmarkReload loads a file with 1,000 routes and swaps the configuration: none changed,
// or all.
func BenchmarkReload(b *testing.B) {
	load := manyRoutes(b, 1000)
	for _, all := range []bool{false, true} {
		b.Run(fmt.Sprintf("routes=1000/changed=%v", all), func(b *testing.B) {
			g, err := gateway.New(load(), gateway.Options{Store: replay.NewMemory(nil)})
			if err != nil {
				b.Fatal(err)
			}
			n := 0
			for b.Loop() {
				c := load()
				if n++; all {
					for i := range c.Routes {
						c.Routes[i].Digest[0], c.Routes[i].Digest[1] = byte(n), byte(n>>8)
					}
				}
				if _, err := g.Reload(c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkRouter finds the last of 1,000 routes.
func BenchmarkRouter(b *testing.B) {
	load := manyRoutes(b, 1000)
	g, err := gateway.New(load(), gateway.Options{Store: replay.NewMemory(nil)})
	if err != nil {
		b.Fatal(err)
	}
	r := delivery("/hooks/999/stripe/none", "evt_1")
	b.ReportAllocs()
	for b.Loop() {
		g.ServeHTTP(nowhere{}, r)
	}
}
