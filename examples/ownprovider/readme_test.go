package main_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestReadme: what the page shows is what the files beside it hold, so it compiles and runs.
func TestReadme(t *testing.T) {
	var files strings.Builder
	for _, name := range []string{"main.go", "acme/acme.go", "acme/acme_test.go", "acme/testdata/sign.sh"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			files.WriteString(strings.TrimSpace(line) + "\n")
		}
	}
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := 0
	for i, block := range strings.Split(string(page), "```") {
		if i%2 == 0 {
			continue
		}
		blocks++
		_, code, _ := strings.Cut(block, "\n")
		var want strings.Builder
		for line := range strings.Lines(code) {
			want.WriteString(strings.TrimSpace(line) + "\n")
		}
		if !strings.Contains(files.String(), strings.TrimSuffix(want.String(), "\n")) {
			t.Errorf("the block is in none of the files:\n%s", code)
		}
	}
	if blocks < 4 {
		t.Errorf("found %d blocks: does the test still look at anything?", blocks)
	}
}

func TestRun(t *testing.T) {
	out, err := exec.Command("go", "run", ".").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "409  the genuine one again") {
		t.Errorf("the program prints\n%s(%v)", out, err)
	}
}
