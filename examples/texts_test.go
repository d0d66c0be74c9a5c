package examples_test

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The texts are Markdown, and what they name exists.

var (
	fenced   = regexp.MustCompile("(?s)```.*?```")
	spanned  = regexp.MustCompile("`([^`\n]+)`")
	linked   = regexp.MustCompile(`\]\(([^)#\s]+)(#[^)]*)?\)`)
	roomPath = regexp.MustCompile(`^(\./)?(verify|providers|middleware|cmd|examples|\.ci|\.github)(/[\w.-]+)*(/\.\.\.|/)?$`)
	testName = regexp.MustCompile(`^(Test|Fuzz|Benchmark)[A-Z]\w*$`)
)

// inCheckout skips a test of the repository as a whole where there is only the module, as
// in a module cache: a module's zip holds no nested module.
func inCheckout(t *testing.T) {
	t.Helper()
	for _, name := range [...]string{".git", "cmd/go.mod"} {
		if _, err := os.Stat("../" + name); err == nil {
			return
		}
	}
	t.Skip("this is the module alone, and no checkout")
}

// namesIn returns the paths and the tests that a text names. Links are relative to
// the folder of the text, all else to the root.
func namesIn(file, text string) (paths, tests []string) {
	text = fenced.ReplaceAllString(text, "")
	for _, m := range linked.FindAllStringSubmatch(text, -1) {
		if !strings.Contains(m[1], "://") {
			paths = append(paths, path.Join(path.Dir(file), m[1]))
		}
	}
	for _, m := range spanned.FindAllStringSubmatch(text, -1) {
		for _, word := range strings.Fields(m[1]) {
			switch {
			case roomPath.MatchString(word):
				paths = append(paths, path.Clean(strings.TrimSuffix(word, "/...")))
			case testName.MatchString(word):
				tests = append(tests, word)
			}
		}
	}
	return paths, tests
}

func TestNamesIn(t *testing.T) {
	for _, c := range []struct{ name, text, paths, tests string }{
		{"a link is relative to its text", "[one](decisions/x.md)", ".github/decisions/x.md", ""},
		{"a link may leave its folder and name a part", "[one](../SECURITY.md#attackers)", "SECURITY.md", ""},
		{"a link to the web is none of ours", "[one](https://example.com/x.md)", "", ""},
		{"a path between back quotes is one of the root", "`verify/doc.go`", "verify/doc.go", ""},
		{"a command names paths, too", "`go test ./providers/...` and `.ci/run`", "providers .ci/run", ""},
		{"code is no path", "`replay.Store` and `v, err`", "", ""},
		{"a block is not read", "```\n[one](gone.md)\n`verify/gone`\n```", "", ""},
		{"a test is named between back quotes", "`TestSettle`", "", "TestSettle"},
	} {
		t.Run(c.name, func(t *testing.T) {
			paths, tests := namesIn(".github/X.md", c.text)
			if got := strings.Join(paths, " "); got != c.paths {
				t.Errorf("paths are %q, want %q", got, c.paths)
			}
			if got := strings.Join(tests, " "); got != c.tests {
				t.Errorf("tests are %q, want %q", got, c.tests)
			}
		})
	}
}

func TestTexts(t *testing.T) {
	inCheckout(t)
	root := os.DirFS("..")
	var texts []string
	declared := make(map[string]bool)
	function := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)\w+)\(`)
	err := fs.WalkDir(root, ".", func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && (name == ".git" || path.Base(name) == "testdata"):
			return fs.SkipDir
		case strings.HasSuffix(name, ".md"):
			texts = append(texts, name)
		case strings.HasSuffix(name, "_test.go"):
			text, err := fs.ReadFile(root, name)
			if err != nil {
				return err
			}
			for _, m := range function.FindAllStringSubmatch(string(text), -1) {
				declared[m[1]] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(texts) < 10 || len(declared) < 100 {
		t.Fatalf("found %d texts and %d tests: is this the repository?", len(texts), len(declared))
	}
	decisions := 0
	for _, name := range texts {
		text, err := fs.ReadFile(root, name)
		if err != nil {
			t.Fatal(err)
		}
		paths, tests := namesIn(name, string(text))
		for _, p := range paths {
			if _, err := os.Stat(filepath.Join("..", p)); err != nil {
				t.Errorf("%s names %s, which is not there", name, p)
			}
		}
		for _, f := range tests {
			if !declared[f] {
				t.Errorf("%s names %s, which is no test", name, f)
			}
		}
		if path.Dir(name) == ".github/decisions" {
			decisions++
			overview, err := fs.ReadFile(root, ".github/ARCHITECTURE.md")
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(overview), "decisions/"+path.Base(name)) {
				t.Errorf("ARCHITECTURE.md does not lead to %s", name)
			}
			for _, part := range []string{"**Context.**", "**Decision.**", "**Consequence.**"} {
				if !strings.Contains(string(text), part) {
					t.Errorf("%s has no %s", name, part)
				}
			}
		}
	}
	if decisions < 10 {
		t.Errorf("found %d decisions, want at least 10", decisions)
	}
}
