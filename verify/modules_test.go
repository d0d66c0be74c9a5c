package verify_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
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

// modules returns the text of each go.mod, by folder. The root is ".".
func modules(t *testing.T) map[string]string {
	t.Helper()
	all := make(map[string]string)
	err := fs.WalkDir(os.DirFS(".."), ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || d.Name() == "testdata"):
			return fs.SkipDir
		case d.Name() == "go.mod":
			text, err := fs.ReadFile(os.DirFS(".."), path)
			all[filepath.ToSlash(filepath.Dir(path))] = string(text)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 10 {
		t.Fatalf("found %d modules only: %q", len(all), slices.Collect(maps.Keys(all)))
	}
	return all
}

// direct matches a line that requires a module that is imported.
var direct = regexp.MustCompile(`(?m)^(?:require )?\t?(\S+\.\S+/\S+) (v\S+)$`)

func TestModules(t *testing.T) {
	inCheckout(t)
	t.Run("the root requires three libraries", func(t *testing.T) {
		var got []string
		for _, m := range direct.FindAllStringSubmatch(modules(t)["."], -1) {
			got = append(got, m[1])
		}
		want := []string{"github.com/google/go-github/v60", "github.com/labstack/echo/v4", "github.com/stripe/stripe-go/v76"}
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("go.mod requires %q, want %q: what needs another library is a module of its own", got, want)
		}
	})

	t.Run("those of stores require no driver", func(t *testing.T) {
		all := modules(t)
		for folder, want := range map[string][]string{
			"verify/replay/redisreplay": {module, "github.com/redis/go-redis/v9"},
			"verify/replay/sqlreplay":   {module},
		} {
			var got []string
			for _, m := range direct.FindAllStringSubmatch(all[folder], -1) {
				got = append(got, m[1])
			}
			if slices.Sort(got); !slices.Equal(got, want) {
				t.Errorf("%s/go.mod requires %q, want %q: tests that open a driver are a module of their own", folder, got, want)
			}
		}
	})

	// Go.work uses each module, replaces each at the version that
	// the others ask for, and asks for no patch release, for which older Go would fetch
	// another one. No go.mod replaces anything: it would be ignored, and go install refused.
	t.Run("all are in go.work", func(t *testing.T) {
		text, err := os.ReadFile("../go.work")
		if err != nil {
			t.Fatal(err)
		}
		work := string(text)
		if !regexp.MustCompile(`(?m)^go 1\.\d+\.0$`).MatchString(work) {
			t.Error("the go line of go.work is not the first release of a version")
		}
		if regexp.MustCompile(`(?m)^toolchain `).MatchString(work) {
			t.Error("go.work asks for a toolchain")
		}
		for folder, mod := range modules(t) {
			path := module
			if folder != "." {
				path += "/" + folder
			}
			if !strings.Contains(mod, "module "+path+"\n") {
				t.Errorf("%s/go.mod is not of the module %s", folder, path)
			}
			if regexp.MustCompile(`(?m)^(replace|exclude|toolchain) `).MatchString(mod) {
				t.Errorf("%s/go.mod replaces, excludes or asks for a toolchain", folder)
			}
			if !regexp.MustCompile(`(?m)^go 1\.\d+\.0$`).MatchString(mod) {
				t.Errorf("the go line of %s/go.mod is not the first release of a version", folder)
			}
			use := "\t./" + folder + "\n"
			if folder == "." {
				use = "\t.\n"
			}
			if !strings.Contains(work, use) {
				t.Errorf("go.work does not use %s", folder)
			}
			for _, m := range direct.FindAllStringSubmatch(mod, -1) {
				inner, ok := strings.CutPrefix(m[1], module)
				if !ok {
					continue
				}
				if folder == "." {
					t.Errorf("the root requires %s", m[1])
				}
				if line := m[1] + " " + m[2] + " => ./" + strings.TrimPrefix(inner, "/") + "\n"; !strings.Contains(work, line) {
					t.Errorf("go.work has no line %q, which %s asks for", line, folder)
				}
			}
		}
	})

	// It would compile here, and then meet
	// another version of the other module.
	t.Run("none imports an internal package of another", func(t *testing.T) {
		folders := slices.Collect(maps.Keys(modules(t)))
		// owner returns the module that a folder is in.
		owner := func(folder string) string {
			best := "."
			for _, m := range folders {
				if (folder == m || strings.HasPrefix(folder, m+"/")) && len(m) > len(best) {
					best = m
				}
			}
			return best
		}
		nested, found := 0, 0
		err := fs.WalkDir(os.DirFS(".."), ".", func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.Contains(path, "testdata/") {
				return err
			}
			from := owner(filepath.ToSlash(filepath.Dir(path)))
			if from == "." {
				return nil
			}
			nested++
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", path), nil, parser.ImportsOnly)
			if err != nil {
				return err
			}
			for _, i := range file.Imports {
				to, ok := strings.CutPrefix(strings.Trim(i.Path.Value, `"`), module+"/")
				if !ok {
					continue
				}
				found++
				if slices.Contains(strings.Split(to, "/"), "internal") && owner(to) != from {
					t.Errorf("%s imports %s, which is internal to another module", path, to)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if nested < 50 || found < 50 {
			t.Errorf("found %d files and %d imports in nested modules: does the test still look at anything?", nested, found)
		}
	})
}
