package config_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/config"
)

const reference = "../../guides/reference.md"

var update = flag.Bool("update", false, "write the table of fields into the reference")

// TestReference: the reference has a row for each field, which says what the code says.
func TestReference(t *testing.T) {
	text, err := os.ReadFile(reference)
	if err != nil {
		t.Fatal(err)
	}
	const head = "| field | takes | default | |\n|---|---|---|---|\n"
	before, rows, ok := strings.Cut(string(text), head)
	if !ok {
		t.Fatal("the reference has no table of fields")
	}
	var want strings.Builder
	for _, f := range config.Fields() {
		fmt.Fprintf(&want, "| `%s` | %s | %s | %s |\n", f.Path, f.Kind, f.Default, f.Text)
	}
	if *update {
		if err := os.WriteFile(reference, []byte(before+head+want.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if rows != want.String() {
		t.Error("the table is not that of the code; go test ./cmd/hooknotary/internal/config -run TestReference -update writes it")
	}
}

// TestDefaults: what the table calls a default is what an absent field means.
func TestDefaults(t *testing.T) {
	route := "    provider: stripe\n    secret: file:secret\n"
	for _, f := range config.Fields() {
		name, ok := strings.CutPrefix(f.Path, "routes[].")
		value := f.Default
		switch f.Kind {
		case config.Duration, config.Size, config.Number, config.Bool:
		default:
			continue
		}
		if !regexp.MustCompile(`^[0-9]|^false$`).MatchString(value) {
			continue // in words
		}
		value, _, _ = strings.Cut(value, ";")
		t.Run(f.Path, func(t *testing.T) {
			plain := minimal(route)
			said := minimal(route)
			switch {
			case name == "upstream.timeout" || name == "upstream.idle":
				said["hooknotary.yaml"] = strings.Replace(said["hooknotary.yaml"], "/in\" }", "/in\", "+strings.TrimPrefix(name, "upstream.")+": "+value+" }", 1)
			case ok && strings.Contains(name, "."):
				parent, child, _ := strings.Cut(name, ".")
				said["hooknotary.yaml"] += fmt.Sprintf("    %s: { %s: %s }\n", parent, child, value)
			case ok:
				said["hooknotary.yaml"] += fmt.Sprintf("    %s: %s\n", name, value)
			default:
				parent, child, _ := strings.Cut(f.Path, ".")
				more := map[string]string{"admin": `address: "127.0.0.1:1", `, "assertion": ""}[parent]
				said["hooknotary.yaml"] += fmt.Sprintf("%s: { %s%s: %s }\n", parent, more, child, value)
				if parent == "admin" {
					plain["hooknotary.yaml"] += `admin: { address: "127.0.0.1:1" }` + "\n"
				}
			}
			folder := newFolder(t, said)
			m := folder.mistakes()
			if len(m) == 1 && strings.Contains(m[0].Text, "it is not for ") {
				return // of another sender; its zero value is false or nothing
			}
			if m != nil {
				t.Fatalf("the default is refused: %v", m)
			}
			a, b := folder.must(), newFolder(t, plain).must()
			for _, c := range []*config.Config{a, b} { // what differs in any case
				c.File, c.Watch, c.Restart = "", nil, nil
				for i := range c.Routes {
					c.Routes[i].Digest, c.Routes[i].Line = [32]byte{}, 0
					c.Routes[i].Verifier = nil
				}
			}
			if got, want := fmt.Sprintf("%+v", a), fmt.Sprintf("%+v", b); got != want {
				t.Errorf("with the default it is\n%s\nand without\n%s", got, want)
			}
			if got, want := fmt.Sprintf("%+v %v", a.Routes[0].Upstream.Timeout, a.Routes[0].Upstream.Idle), fmt.Sprintf("%+v %v", b.Routes[0].Upstream.Timeout, b.Routes[0].Upstream.Idle); got != want {
				t.Errorf("with the default the upstream has %s, and without %s", got, want)
			}
		})
	}
}

// TestExample: the file that the reference shows loads.
func TestExample(t *testing.T) {
	text, err := os.ReadFile(reference)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```yaml\n")
	example, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("the reference shows no file")
	}
	f := newFolder(t, map[string]string{"secret": stripeNew})
	example = strings.NewReplacer("/run/secrets/stripe", filepath.Join(f.path, "secret"), "/var/lib/hooknotary/", f.path+"/").Replace(example)
	f.write("hooknotary.yaml", example)
	if c := f.must(); len(c.Routes) != 1 || c.Store.SQLite == "" {
		t.Errorf("it means %+v", c)
	}
}
