package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// inCheckout skips a test of the repository as a whole where there is only the module, as
// in a module cache: a module's zip holds no nested module.
func inCheckout(t *testing.T) {
	t.Helper()
	for _, name := range [...]string{".git", "cmd/go.mod"} {
		if _, err := os.Stat("../../../" + name); err == nil {
			return
		}
	}
	t.Skip("this is the module alone, and no checkout")
}

// build builds the command, which a go run for each case would take longer for.
func build(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "generate.exe")
	if out, err := exec.Command("go", "build", "-o", name, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return name
}

func TestGenerate(t *testing.T) {
	inCheckout(t)
	command := build(t)
	files := []string{"go.mod", "README.md", "verify/diagnose/lookalikes.json", "verify/diagnose/senders_gen.go", "providers/README.md"}
	root := filepath.Join("..", "..", "..")
	for _, c := range []struct {
		name   string
		change func(t *testing.T, dir string)
		stale  string // a file that is named; "" for none
		broken string // what the error of a file that cannot be made says
	}{
		{"the files of this checkout are those of the catalogue", func(*testing.T, string) {}, "", ""},
		{"a sender that is gone from the generated file is missed", replace(files[3], `"Stripe-Signature"`, `"Other-Signature"`), files[3], ""},
		{"a look-alike that is new is missed", replace(files[2], `"senders": [`, `"senders": [{"name": "Acme", "headers": ["X-Acme-Signature"]},`), files[3], ""},
		{"a name in the README's list that was edited by hand is seen", replace(files[1], "[GitHub](", "[Github]("), files[1], ""},
		{"a row of the long list that was edited by hand is seen", replace(files[4], "| 25 MiB |", "| 26 MiB |"), files[4], ""},
		{"the README's text around the list is free", replace(files[1], "## Providers", "## All providers"), "", ""},
		{"a README without the list is an error", replace(files[1], "<!-- end of providers -->", ""), "", "want the two lines"},
		{"a look-alike with a member that nobody reads is an error", replace(files[2], `"before"`, `"befor"`), "", "unknown field"},
		{"a look-alike without a header is an error", replace(files[2], `"senders": [`, `"senders": [{"name": "Acme", "headers": []},`), "", "no header"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			for _, name := range files {
				text, err := os.ReadFile(filepath.Join(root, name))
				if err != nil {
					t.Fatal(err)
				}
				if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			c.change(t, dir)
			run := func(args ...string) (string, bool) {
				cmd := exec.Command(command, args...)
				cmd.Dir = filepath.Join(dir, "verify", "diagnose")
				out, err := cmd.CombinedOutput()
				return string(out), err == nil
			}
			out, fresh := run("-check")
			if c.broken != "" {
				if fresh || !strings.Contains(out, c.broken) {
					t.Fatalf("-check says %q, want %q", out, c.broken)
				}
				return
			}
			if fresh != (c.stale == "") || !strings.Contains(out, c.stale) {
				t.Fatalf("-check says %q (fresh: %v), want %q to be stale", out, fresh, c.stale)
			}
			if out, ok := run(); !ok {
				t.Fatalf("generating fails: %s", out)
			}
			if out, fresh := run("-check"); !fresh {
				t.Errorf("what was generated is stale at once: %s", out)
			}
		})
	}
}

// replace changes a text in a file, everywhere.
func replace(name, from, to string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		t.Helper()
		file := filepath.Join(dir, name)
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), from) {
			t.Fatalf("%s does not hold %q: does the test still change anything?", name, from)
		}
		if err := os.WriteFile(file, []byte(strings.ReplaceAll(string(text), from, to)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
