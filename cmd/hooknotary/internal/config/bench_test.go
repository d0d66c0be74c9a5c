package config_test

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkLoad reads a file of 1,000 routes, each with a secret file of its own, as a reload
// does.
func BenchmarkLoad(b *testing.B) {
	var text strings.Builder
	text.WriteString("routes:\n")
	files := make(map[string]string)
	for i := range 1000 {
		fmt.Fprintf(&text, "  - name: r%d\n    path: /hooks/r%[1]d\n    provider: %s\n    secret: file:secrets/%[1]d\n    upstream: { url: \"http://127.0.0.1:1/in/%[1]d\" }\n    max_run: 20m\n", i, []string{"stripe", "github", "shopify", "slack"}[i%4])
		files[fmt.Sprintf("secrets/%d", i)] = fmt.Sprintf("0123456789abcdef%016d", i)
	}
	files["hooknotary.yaml"] = text.String()
	f := newFolder(b, files)
	b.ReportAllocs()
	for b.Loop() {
		f.must()
	}
}
