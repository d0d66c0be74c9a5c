package migration

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// sections returns the text of README.md under each heading.
func sections(t *testing.T) map[string]string {
	t.Helper()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]string)
	for part := range strings.SplitSeq("\n"+string(readme), "\n## ") {
		heading, text, _ := strings.Cut(part, "\n")
		found[heading] = text
	}
	return found
}

// flat folds white space, so that indentation does not count.
func flat(s string) string { return strings.Join(strings.Fields(s), " ") }

func TestREADME(t *testing.T) {
	// Finds the first block of a section in the first of its
	// files, the second in the second, and so on.
	t.Run("its code is compiled", func(t *testing.T) {
		files := map[string][]string{
			"In two steps": {"rollout.go"},
			fromStripe:     {"stripe_before.go", "stripe_after.go"},
			fromGitHub:     {"github_before.go", "github_after.go", "github_after.go"},
			fromPlayground: {"playground_before.go", "playground_after.go"},
			fromStandard:   {"svix_before.go", "svix_before.go", "standard_before.go", "standard_after.go", "standard_after.go"},
		}
		block := regexp.MustCompile("(?s)```go\n(.*?)```")
		for heading, text := range sections(t) {
			blocks := block.FindAllStringSubmatch(text, -1)
			if len(blocks) != len(files[heading]) {
				t.Errorf("%q has %d blocks of Go, want %d", heading, len(blocks), len(files[heading]))
				continue
			}
			for i, b := range blocks {
				source, err := os.ReadFile(files[heading][i])
				if err != nil {
					t.Fatal(err)
				}
				if !strings.Contains(flat(string(source)), flat(b[1])) {
					t.Errorf("this code of %q does not stand in %s:\n%s", heading, files[heading][i], b[1])
				}
			}
			delete(files, heading)
		}
		for heading := range files {
			t.Errorf("README.md has no section %q", heading)
		}
	})

	t.Run("the files to which it links exist", func(t *testing.T) {
		links := 0
		for _, text := range sections(t) {
			for _, m := range regexp.MustCompile(`\]\(([^)#]+)`).FindAllStringSubmatch(text, -1) {
				links++
				if _, err := os.Stat(filepath.FromSlash(m[1])); err != nil {
					t.Errorf("README.md links to %s, which is not there", m[1])
				}
			}
		}
		if links == 0 {
			t.Error("README.md has no link: does the test still look at anything?")
		}
	})

	t.Run("its versions are those of the tests", func(t *testing.T) {
		mod, err := os.ReadFile("go.mod")
		if err != nil {
			t.Fatal(err)
		}
		readme, err := os.ReadFile("README.md")
		if err != nil {
			t.Fatal(err)
		}
		libraries := 0
		for line := range strings.Lines(string(mod)) {
			require := strings.Fields(line)
			if len(require) != 2 || !strings.HasPrefix(require[1], "v") || require[1] == "v0.0.0" {
				continue // no requirement, ours, or an indirect one
			}
			if libraries++; !strings.Contains(string(readme), require[1]) {
				t.Errorf("README.md does not name %s %s", require[0], require[1])
			}
		}
		if libraries != 5 {
			t.Errorf("go.mod requires %d libraries, want 5", libraries)
		}
	})
}
