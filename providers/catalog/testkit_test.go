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

	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("there is no python3")
	}
	blocks := regexp.MustCompile("(?s)```python\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	if len(blocks) != 2 {
		t.Fatalf("the page has %d blocks of Python, want 2", len(blocks))
	}
	t.Run("its reader reads them all", func(t *testing.T) {
		out := run(t, python, blocks[0][1], "..")
		all := 0
		for _, n := range found {
			all += n
		}
		if lines := strings.Count(out, "\n"); lines != all {
			t.Errorf("it reads %d files, want %d", lines, all)
		}
	})

	t.Run("its verifier is right about each file of Slack, and not about Discord's", func(t *testing.T) {
		reader, _, _ := strings.Cut(blocks[0][1], "\nfor path")
		code := reader + "\n" + blocks[1][1]
		if out := run(t, python, code, "../slack/testdata"); strings.Contains(out, "wrong:") || strings.Count(out, "right:") < 20 {
			t.Errorf("it prints\n%s", out)
		}
		if out := run(t, python, code, "../discord/testdata"); !strings.Contains(out, "wrong: event.http") {
			t.Errorf("of another sender it prints\n%s", out)
		}
	})
}

// run runs code of Python and returns what it prints.
func run(t *testing.T, python, code, dir string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "kit.py")
	if err := os.WriteFile(file, []byte(code), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(python, file, dir).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}
