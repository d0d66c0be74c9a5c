package catalog_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// vectors returns the number of .http files below providers, by their names.
func vectors(t *testing.T) map[string]int {
	t.Helper()
	found := make(map[string]int)
	err := filepath.WalkDir("..", func(path string, _ fs.DirEntry, err error) error {
		if name, ok := strings.CutSuffix(filepath.Base(path), ".http"); ok {
			found[name]++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestKit: the page tells of flaws that have vectors, and shows a reader that reads them.
func TestKit(t *testing.T) {
	page, err := os.ReadFile("../TESTKIT.md")
	if err != nil {
		t.Fatal(err)
	}
	found := vectors(t)
	_, flaws, _ := strings.Cut(string(page), "## The flaws")
	flaws, accepted, _ := strings.Cut(flaws, "What must be accepted")
	named, files := 0, 0
	for _, m := range regexp.MustCompile("`([a-z0-9-]+)`").FindAllStringSubmatch(flaws, -1) {
		named++
		files += found[m[1]]
		if found[m[1]] == 0 {
			t.Errorf("there is no %s.http", m[1])
		}
	}
	for _, m := range regexp.MustCompile("`([a-z0-9-]+)`").FindAllStringSubmatch(accepted, -1) {
		if found[m[1]] == 0 {
			t.Errorf("there is no %s.http", m[1])
		}
	}
	if named < 40 || files < 400 {
		t.Errorf("the page names %d flaws, of which there are %d vectors, want 40 and 400", named, files)
	}
	t.Logf("%d flaws are named, of which there are %d vectors", named, files)

	t.Run("its reader reads them all", func(t *testing.T) {
		python, err := exec.LookPath("python3")
		if err != nil {
			t.Skip("there is no python3")
		}
		_, code, _ := strings.Cut(string(page), "```python\n")
		code, _, _ = strings.Cut(code, "```")
		file := filepath.Join(t.TempDir(), "read.py")
		if err := os.WriteFile(file, []byte(code), 0o644); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(python, file, "..").CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		all := 0
		for _, n := range found {
			all += n
		}
		if lines := strings.Count(string(out), "\n"); lines != all {
			t.Errorf("it reads %d files, want %d", lines, all)
		}
	})
}
