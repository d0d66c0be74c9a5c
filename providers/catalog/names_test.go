package catalog_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/providers/catalog"
	"github.com/hooknotary/hooknotary/verify"
)

// english lists the names of providers that are words, too. Code may use them as words;
// they are looked for in texts, as titles or alone.
var english = []string{
	"ably", "acuity", "affirm", "alchemy", "asana", "attio", "bland", "box", "bridge", "checkout", "chip", "cursor",
	"due", "expo", "front", "increase",
	"intercom", "intuit", "jira", "kick", "line", "linear", "logto", "loops", "mercury", "meta", "mux", "notion", "orb",
	"plain", "polar", "pusher", "ramp", "render", "replicate", "segment", "sentry", "slack", "square", "stream",
	"tally", "wise", "bird",
}

// allowed lists the files, and the folders with all of their files, that may name a
// provider, and why.
var allowed = map[string]string{
	"verify/capture/github.go": "reads deliveries as GitHub's REST API returns them, a format of captures as HAR is",
	"verify/capture/http.go":   "says why the text of GitHub's page of recent deliveries is no capture",
	"verify/capture/json.go":   "lists the formats of captures, of which GitHub's REST API has one",
	"verify/capture/redact.go": "lists headers that platforms add on a request's way, such as Vercel's",

	"providers/github/githubevent/shape.go":      "lists GitHub's events, of which one is called meta",
	"providers/sendgrid/sendgrid.go":             "has headers with the name of Twilio, whose product it is",
	"providers/standardwebhooks/senders.go":      "holds a table of senders, of which GitLab has a provider for its tokens, too",
	"providers/providertest/vector/published.go": "reads the vectors that others published, of which PayPal's have certificates",
	"verify/replay/replaytest/linear/":           "is named for a history that is linear, as Linear is",
	"verify/replay/replaytest/crash/":            "is a program that sends deliveries of real providers, as the examples do",
}

// allowance returns the entry of allowed that a file falls under.
func allowance(name string) string {
	for entry := range allowed {
		if name == entry || strings.HasSuffix(entry, "/") && strings.HasPrefix(name, entry) {
			return entry
		}
	}
	return ""
}

// named returns which providers a piece of code names: by an identifier, or by a text
// that is no path of an import. Comments may name them where they teach.
func named(f *ast.File, all []catalog.Provider) map[string][]token.Pos {
	found := make(map[string][]token.Pos)
	add := func(p catalog.Provider, at token.Pos) { found[p.Name] = append(found[p.Name], at) }
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec:
			return false
		case *ast.Ident:
			for _, p := range all {
				name := strings.ReplaceAll(p.Name, "-", "")
				if !slices.Contains(english, p.Name) && strings.Contains(strings.ToLower(n.Name), name) {
					add(p, n.Pos())
				}
			}
		case *ast.BasicLit:
			text, err := strconv.Unquote(n.Value)
			if err != nil || n.Kind != token.STRING || strings.HasPrefix(text, "https://") { // anybody may host a page
				return true
			}
			text = strings.ReplaceAll(text, "github.com/", "")
			for _, p := range all {
				if says(text, p) {
					add(p, n.Pos())
				}
			}
		}
		return true
	})
	return found
}

// says reports whether a text names a provider or one of the headers that it is known by.
func says(text string, p catalog.Provider) bool {
	switch {
	case text == p.Name, strings.Contains(text, p.About.Title):
		return true
	case !slices.Contains(english, p.Name) && strings.Contains(strings.ToLower(text), p.Name):
		return true
	}
	return slices.ContainsFunc(p.About.Tell.Headers, func(name string) bool {
		return strings.Contains(name, "-") && strings.EqualFold(name, text) && !shared(name, p.Name) // one without is a word
	})
}

// shared reports whether another provider than that one uses a header, too, or the guard
// itself says it of all. Such a header names nobody.
func shared(header, provider string) bool {
	return header == "Webhook-Signature" || header == "X-Webhook-Signature" || slices.ContainsFunc(catalog.All(), func(p catalog.Provider) bool {
		return p.Name != provider &&
			(slices.Contains(p.About.Tell.Headers, header) || slices.ContainsFunc(p.About.Headers, func(h verify.HeaderUse) bool { return h.Name == header }))
	})
}

// inCheckout skips a test of the repository as a whole where there is only the module, as
// in a module cache: a module's zip holds no nested module.
func inCheckout(t *testing.T) {
	t.Helper()
	for _, name := range [...]string{".git", "cmd/go.mod"} {
		if _, err := os.Stat("../../" + name); err == nil {
			return
		}
	}
	t.Skip("this is the module alone, and no checkout")
}

// TestNames: no provider's name stands outside of its own folder, the catalogue, files that
// are generated from it, the command line and the examples.
func TestNames(t *testing.T) {
	inCheckout(t)
	all := catalog.All()
	root := filepath.Join("..", "..")
	files, used := 0, make(map[string]bool)
	for _, dir := range []string{"verify", "middleware", "providers"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			name, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			name = filepath.ToSlash(name)
			switch {
			case entry.IsDir() && (name == "providers/catalog" || entry.Name() == "testdata"):
				return filepath.SkipDir
			case entry.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
				return nil
			}
			set := token.NewFileSet()
			f, err := parser.ParseFile(set, path, nil, parser.ParseComments|parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			if files++; ast.IsGenerated(f) {
				return nil
			}
			for provider, places := range named(f, all) {
				if p, _ := catalog.Lookup(provider); strings.HasPrefix(name, "providers/"+p.Package) { // or a longer name that starts so
					continue
				}
				if entry := allowance(name); entry != "" {
					used[entry] = true
					continue
				}
				for _, at := range places {
					t.Errorf("%s:%d names %s", name, set.Position(at).Line, provider)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if files < 80 {
		t.Errorf("%d files were read, want more: does the test still look at anything?", files)
	}
	for name := range allowed {
		if !used[name] {
			t.Errorf("%s names no provider: take it from the list", name)
		}
		if _, err := os.Stat(filepath.Join(root, name)); err != nil {
			t.Error(err)
		}
	}
}

// TestNamesAreFound: the test of names sees what it is for, and no more.
func TestNamesAreFound(t *testing.T) {
	for _, c := range []struct {
		name, code string
		want       string // the provider that is found; "" for none
	}{
		{"a switch over a provider's name", `package p; func f(s string) bool { return s == "paypal" }`, "paypal"},
		{"a constant with the name in it", `package p; const payPalWebhookID = 1`, "paypal"},
		{"a text that names it", `package p; var text = "as GitHub's hooks do"`, "github"},
		{"a header that it is known by", `package p; var name = "paypal-cert-url"`, "paypal"},
		{"a header that several use", `package p; var name = "x-hub-signature-256"`, ""},
		{"a comment that teaches", `package p; var x int // as Stripe does`, ""},
		{"a path of an import", `package p; import _ "github.com/hooknotary/hooknotary/providers/stripe"`, ""},
		{"a path of this module in a text", `package p; var text = "github.com/hooknotary/hooknotary/verify"`, ""},
		{"a word that is none", `package p; var stripped, slack = "a pay pal", 1`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := parser.ParseFile(token.NewFileSet(), "p.go", c.code, parser.ParseComments|parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			found := named(f, catalog.All())
			if len(found) != min(1, len(c.want)) || c.want != "" && found[c.want] == nil {
				t.Errorf("found %v, want %q", found, c.want)
			}
		})
	}
}
