package verify_test

import (
	"os/exec"
	"strings"
	"testing"
)

// TestExports holds the budgets of the two packages whose pages users read first: what
// only authors of adapters or of recorders need has packages of its own.
func TestExports(t *testing.T) {
	inCheckout(t)
	for _, tt := range []struct {
		pkg  string
		most int
		must string // a line that says that the right page was read
	}{
		{"middleware", 16, "func Protect("},
		{"verify/replay", 20, "type Store interface"},
	} {
		t.Run(tt.pkg+" fits on its page", func(t *testing.T) {
			cmd := exec.Command("go", "doc", "-short", "./"+tt.pkg)
			cmd.Dir = ".."
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("go doc: %v\n%s", err, out)
			}
			page := strings.TrimSpace(string(out))
			if !strings.Contains(page, tt.must) {
				t.Fatalf("the page lacks %q:\n%s", tt.must, page)
			}
			if n := len(strings.Split(page, "\n")); n > tt.most {
				t.Errorf("the page has %d lines, want at most %d: move what users of the package do not need\n%s", n, tt.most, page)
			}
		})
	}
}
