package catalog_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"go/parser"
	"go/token"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/catalog"
	"github.com/hooknotary/hooknotary/providers/providertest/signer"
	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

const secret = "Hx2v9QmT4kLr8ZpWc3NdYb6sJf7gKe1A"

// settings returns what an endpoint of p has to say beside its secrets.
func settings(p catalog.Provider) *catalog.Options {
	if p.SignsURL {
		return &catalog.Options{URL: "https://hooks.example.com/in"}
	}
	if p.Profile.Binding == verify.BindingNone || p.Profile.Binding == verify.BindingPart {
		return &catalog.Options{InsecureBodyNotCovered: true}
	}
	return nil
}

// secretOf returns a secret of the provider's form.
func secretOf(p catalog.Provider) string {
	if p.Token != nil && p.Token.Basic {
		return "hooks:" + secret
	}
	if p.Definition != nil && signer.Private(*p.Definition) {
		text, err := signer.UnknownPublic(p.Definition.Signatures[0].Algorithm)
		if err != nil {
			panic(err)
		}
		return text
	}
	if p.Definition != nil && p.Definition.Secret.PrefixRequired {
		return p.Definition.Secret.Prefix + secret
	}
	if p.Probe != "" {
		return p.Probe
	}
	if d := p.Definition; d != nil && d.Secret.Encoding == scheme.HexSecret {
		return d.Secret.Prefix + hex.EncodeToString([]byte(secret))
	}
	return secret
}

// exports returns the names of the functions that a folder's package exports.
func exports(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for name := range declared(f) {
			names = append(names, name)
		}
	}
	return names
}

func TestAll(t *testing.T) {
	// A folder of providers/ whose package exports Must beside New is
	// a provider, but for the engine.
	t.Run("every provider has a row", func(t *testing.T) {
		folders, err := os.ReadDir("..")
		if err != nil {
			t.Fatal(err)
		}
		var found []string
		for _, folder := range folders {
			if !folder.IsDir() || folder.Name() == "scheme" || folder.Name() == "token" {
				continue
			}
			names := exports(t, filepath.Join("..", folder.Name()))
			if slices.Contains(names, "New") && (slices.Contains(names, "Must") || slices.Contains(names, "InsecureMust")) {
				found = append(found, folder.Name())
			}
		}
		if len(found) < 3 {
			t.Fatalf("found %q: does the test still look at anything?", found)
		}
		var rows []string
		for _, p := range catalog.All() {
			if p.Package == p.Name {
				rows = append(rows, p.Name)
			} else if !slices.Contains(found, p.Package) {
				t.Errorf("%s is of the package %s, which is no folder of a provider", p.Name, p.Package)
			}
		}
		if !slices.Equal(found, rows) {
			t.Errorf("the folders of providers are %q, the rows of the catalogue %q", found, rows)
		}
	})

	// A package with a table of providers has a folder of vectors for each of them.
	t.Run("every provider of a table has a row", func(t *testing.T) {
		var rows, folders []string
		for _, p := range catalog.All() {
			if p.Package == p.Name {
				continue
			}
			rows = append(rows, p.Vectors())
			files, err := os.ReadDir(filepath.Join("..", p.Package, "testdata"))
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range files {
				if name := path.Join(p.Package, "testdata", file.Name()); file.IsDir() && !slices.Contains(folders, name) {
					folders = append(folders, name)
				}
			}
		}
		slices.Sort(rows)
		slices.Sort(folders)
		if len(rows) < 10 || !slices.Equal(rows, folders) {
			t.Errorf("the rows have the vectors %q, the folders are %q", rows, folders)
		}
	})

	// Who changes what All returns changes nothing for others.
	t.Run("the list is the caller's own", func(t *testing.T) {
		before := catalog.JSON()
		for _, p := range catalog.All() {
			if len(p.About.NotCovered) == 0 || len(p.About.Links) == 0 {
				t.Fatalf("%s: About lacks NotCovered or Links: say what the signature does not cover, and where that is documented", p.Name)
			}
			if len(p.About.Headers) > 0 {
				p.About.Headers[0].Use = "changed"
			}
			p.About.NotCovered[0] = "changed"
			if p.Definition != nil {
				p.Definition.Signatures[0].Header = "Changed"
				p.Definition.Message[0] = scheme.Literal("changed")
				p.Definition.About.Links[0] = "changed"
			}
			if p.Token != nil {
				for i := range p.Token.Handshakes {
					p.Token.Handshakes[i].Response = "changed"
				}
			}
		}
		if after := catalog.JSON(); !bytes.Equal(before, after) {
			t.Errorf("the catalogue is now %s", after)
		}
		for _, p := range catalog.All() {
			if d := p.Definition; d != nil && d.Signatures[0].Header == "Changed" {
				t.Errorf("%s has the changed definition", p.Name)
			}
			if p.Token == nil {
				continue
			}
			for _, h := range p.Token.Handshakes {
				if h.Response == "changed" {
					t.Errorf("%s has the changed handshake", p.Name)
				}
			}
		}
	})
}

func TestEntries(t *testing.T) {
	for _, p := range catalog.All() {
		t.Run(p.Name, func(t *testing.T) {
			a := p.About
			for what, missing := range map[string]bool{
				"a title":                        a.Title == "",
				"what is signed":                 a.Signed == "",
				"what is not covered":            len(a.NotCovered) == 0,
				"a link":                         len(a.Links) == 0,
				"the headers that tell it":       len(a.Tell.Headers) == 0 && p.Token == nil && !a.InBody,
				"what stands in front of a body": a.Tell.Before == "" && p.Definition == nil,
			} {
				if missing {
					t.Errorf("About lacks %s", what)
				}
			}
			for _, link := range a.Links {
				if u, err := url.Parse(link); err != nil || u.Scheme != "https" {
					t.Errorf("the link %q is none", link)
				}
			}
			for _, sentence := range slices.Concat(a.NotCovered, []string{a.Signed}) {
				if strings.HasSuffix(sentence, ".") || strings.TrimSpace(sentence) != sentence {
					t.Errorf("%q is no phrase", sentence)
				}
			}
			var names []string
			for _, h := range a.Headers {
				if h.Name != http.CanonicalHeaderKey(h.Name) || h.Use == "" || slices.Contains(names, h.Name) {
					t.Errorf("header %q is not canonical, not explained or there twice", h.Name)
				}
				names = append(names, h.Name)
			}
			for i, name := range a.Tell.Headers {
				if name != http.CanonicalHeaderKey(name) {
					t.Errorf("%s tells the sender, and is not canonical", name)
				}
				if i == 0 && !a.InBody && !slices.Contains(names, name) {
					t.Errorf("%s tells the sender by its signature, and Headers does not explain it", name)
				}
			}
			if d := p.Definition; d != nil && a.EqualBodies && d.Partition != "" && len(d.Partitions) == 0 {
				t.Errorf("%s tells equal bodies apart, and the definition lists none of its values", d.Partition)
			}
			if r := p.Profile.Retention; r != 0 && r < 3*24*time.Hour && p.Profile.Window == (verify.Window{}) {
				t.Errorf("no time is signed, and the retention is %v: a guard takes no less than 3 days", r)
			}
			if p.Profile.Provider != p.Name || p.Profile.Retry.String() == "invalid" || p.Profile.Binding.String() == "invalid" {
				t.Errorf("the profile is %+v", p.Profile)
			}
		})
	}
}

// TestRetention: a store must know what was handled until the last retry has come, and that
// one starts when the sender gives up the try before it.
func TestRetention(t *testing.T) {
	const day = 24 * time.Hour
	for name, documented := range map[string]time.Duration{
		"adyen": 30 * day, "adyenplatform": 30 * day, "docusign": 15 * day, "heroku": 3 * day, "hookdeck": 7 * day, "meta": 7 * day,
		"paypal": 3 * day, "paystack": 3 * day, "stripe": 3 * day, "wise": 14 * day, "yousign": 4*day + 39*time.Minute,
	} {
		p, ok := catalog.Lookup(name)
		if !ok {
			t.Errorf("there is no %s", name)
		} else if got := p.Profile.Retention; got <= documented {
			t.Errorf("%s retries for %v, and the retention is %v", name, documented, got)
		}
	}
}

func TestNew(t *testing.T) {
	for _, p := range catalog.All() {
		t.Run(p.Name, func(t *testing.T) {
			secret := secretOf(p)
			v, err := p.New(settings(p), secret)
			if err != nil {
				t.Fatal(err)
			}
			if v.Profile() != p.Profile {
				t.Errorf("the verifier's profile is %+v, the entry's %+v", v.Profile(), p.Profile)
			}
			about, ok := v.(interface{ About() verify.About })
			if !ok {
				t.Fatal("the verifier has no About")
			}
			if got := about.About(); !equal(got, p.About) {
				t.Errorf("the verifier says %+v, the entry %+v", got, p.About)
			}
			headers, ok := v.(interface{ SecurityHeaders() []string })
			if !ok {
				t.Fatal("the verifier does not name its headers")
			}
			for _, name := range headers.SecurityHeaders() {
				if !slices.ContainsFunc(p.About.Headers, func(h verify.HeaderUse) bool { return h.Name == name }) {
					t.Errorf("%s is read, and About does not say so", name)
				}
			}
			for _, bad := range []string{"", "  ", "two words", secret + "\n"} {
				if p.About.Identifier == "" && bad == "two words" {
					continue // short, and that is another test
				}
				if v, err := p.New(settings(p), bad); err == nil || v != nil {
					t.Errorf("New(%q) is %v, %v", bad, v, err)
				}
			}
			if v, err := p.New(settings(p)); err == nil || v != nil {
				t.Errorf("without a secret: %v, %v", v, err)
			}
			other := &catalog.Options{URL: "https://hooks.example.com/in"}
			if p.SignsURL {
				other = nil
			}
			if v, err := p.New(other, secret); err == nil || v != nil {
				t.Errorf("with a URL where none is signed, or without one where it is: %v, %v", v, err)
			}
		})
	}
}

// TestCredentials: a text that is another credential is refused, and the same text
// without the prefix is not.
func TestCredentials(t *testing.T) {
	for _, p := range catalog.All() {
		for _, c := range p.About.Credentials {
			t.Run(p.Name+" "+c.Prefix, func(t *testing.T) {
				if c.What == "" {
					t.Error("it does not say what it is")
				}
				text := c.Prefix + strings.Repeat(secret, 3)
				text = text[:max(c.Length, 32)]
				if !c.Matches(text) {
					t.Fatalf("%q does not match", text)
				}
				if _, err := p.New(settings(p), text); err == nil {
					t.Errorf("%q is taken for a secret", text)
				}
				if _, err := p.New(settings(p), secretOf(p)); err != nil {
					t.Errorf("without it: %v", err)
				}
			})
		}
	}
}

func TestLookup(t *testing.T) {
	for _, want := range catalog.All() {
		got, ok := catalog.Lookup(want.Name)
		if !ok || got.Name != want.Name || (got.Definition == nil) != (want.Definition == nil) {
			t.Errorf("Lookup(%q) is %+v, %v", want.Name, got, ok)
		}
	}
	for _, name := range []string{"", "nobody", "Stripe", "stripe "} {
		if p, ok := catalog.Lookup(name); ok {
			t.Errorf("Lookup(%q) is %+v", name, p)
		}
	}
}

func TestJSON(t *testing.T) {
	var entries []struct {
		Name  string `json:"name"`
		Retry string `json:"retry"`
		Data  bool   `json:"data"`
		About struct {
			Title   string `json:"title"`
			Headers []struct {
				Name string `json:"name"`
			} `json:"headers"`
		} `json:"about"`
	}
	text := catalog.JSON()
	if err := json.Unmarshal(text, &entries); err != nil {
		t.Fatal(err)
	}
	all := catalog.All()
	if len(entries) != len(all) {
		t.Fatalf("there are %d entries, want %d", len(entries), len(all))
	}
	for i, e := range entries {
		p := all[i]
		if e.Name != p.Name || e.About.Title != p.About.Title || e.Retry != p.Profile.Retry.String() ||
			e.Data != (p.Definition != nil) || len(e.About.Headers) != len(p.About.Headers) {
			t.Errorf("entry is %+v, want that of %s", e, p.Name)
		}
	}
	if !bytes.Equal(text, catalog.JSON()) {
		t.Error("the text is another one each time")
	}
	if bytes.Contains(text, []byte("null")) {
		t.Error("an empty list is null")
	}
	if bytes.Contains(text, []byte(`\u00`)) {
		t.Error("the text has escapes for HTML")
	}
}
