package jwt_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/providers/jwt"
	"github.com/hooknotary/hooknotary/providers/jwt/catalog"
	"github.com/hooknotary/hooknotary/providers/providertest"
	"github.com/hooknotary/hooknotary/providers/providertest/vector"
	"github.com/hooknotary/hooknotary/verify"
)

// optionsOf reads the options of a vector.
func optionsOf(v vector.Vector) (*jwt.Options, error) {
	o := &jwt.Options{Claims: make(map[string]string)}
	for _, option := range v.Options {
		kind, value, _ := strings.Cut(option, " ")
		switch {
		case option == "body not covered":
			o.InsecureBodyNotCovered = true
		case kind == "url" && value != "":
			o.URL = value
		case kind == "claim":
			name, text, _ := strings.Cut(value, " ")
			o.Claims[name] = text
		default:
			return nil, fmt.Errorf("unknown option %q", option)
		}
	}
	return o, nil
}

func judge(v verify.Verifier, h *verify.Head, body []byte) (*verify.Delivery, error) {
	if err := v.Profile().Check(h, int64(len(body))); err != nil {
		return nil, err
	}
	return verify.Verify(context.Background(), v, h, body)
}

// TestVectors runs the vectors of each sender. They were made with openssl.
func TestVectors(t *testing.T) {
	for _, d := range catalog.All() {
		t.Run(d.Provider, func(t *testing.T) {
			outcomes := make(map[string]int)
			for _, tt := range vector.Load(t, filepath.Join(d.Provider, "testdata")) {
				outcomes[tt.Expect]++
				t.Run(tt.Name, func(t *testing.T) {
					o, err := optionsOf(tt)
					if err != nil {
						t.Fatal(err)
					}
					v, err := jwt.New(d, verify.Secrets(tt.Secrets...), o)
					if err != nil {
						t.Fatal(err)
					}
					got, err := judge(v, tt.Head, tt.Body)
					if outcome := vector.Outcome(err); outcome != tt.Expect {
						t.Fatalf("%s: outcome is %s (%v), want %s", tt.Note, outcome, err, tt.Expect)
					}
					if err == nil && (got.ID != tt.ID || string(got.Body) != string(tt.Body) || got.Binding != v.Profile().Binding) {
						t.Errorf("the delivery is %+v, want the id %q", got, tt.ID)
					}
				})
			}
			want := []string{"accept", "unsigned", "malformed", "mismatch"}
			if d.Time.Claim != "" {
				want = append(want, "too_old", "too_new")
			}
			for _, outcome := range want {
				if least := 1; outcomes[outcome] < least {
					t.Errorf("there is no vector whose outcome is %s", outcome)
				}
			}
		})
	}
}

// TestSecretMarks: a JWT is marked as a secret, so that nobody passes it on.
func TestSecretMarks(t *testing.T) {
	for _, d := range catalog.All() {
		for _, mistake := range providertest.Marks(d.Describe(), vector.Load(t, filepath.Join(d.Provider, "testdata")), nil) {
			t.Errorf("%s: %s", d.Provider, mistake)
		}
	}
}

// TestPublished runs the vectors that nobody of this project wrote. Some have another method
// than POST: a guard refuses that, and what is judged here is the token.
func TestPublished(t *testing.T) {
	ran := 0
	for _, d := range catalog.All() {
		for _, tt := range published(t, d) {
			ran++
			t.Run(tt.Name, func(t *testing.T) {
				o := &jwt.Options{}
				if slices.Contains([]string{"messagebird", "qstash"}, d.Provider) {
					o.URL = tt.Head.URL.String()
				}
				v, err := jwt.New(d, verify.Secrets(tt.Secrets...), o)
				if err != nil {
					t.Fatal(err)
				}
				_, err = verify.Verify(context.Background(), v, tt.Head, tt.Body)
				if got, want := vector.Outcome(err), tt.Want(t); got != want {
					t.Errorf("published: %s, ours: %s (%v)", want, got, err)
				}
			})
		}
	}
	if ran < 15 {
		t.Errorf("ran %d vectors, want at least 15", ran)
	}
}

// published returns the published vectors of a sender that have its token.
func published(t *testing.T, d jwt.Definition) []vector.Published {
	t.Helper()
	return slices.DeleteFunc(vector.PublishedBy(t, d.Provider), func(v vector.Published) bool {
		return len(v.Head.Header[http.CanonicalHeaderKey(d.Header)]) == 0 // another scheme of this sender
	})
}

func TestCatalog(t *testing.T) {
	last := ""
	for _, d := range catalog.All() {
		t.Run(d.Provider, func(t *testing.T) {
			if d.Provider <= last {
				t.Errorf("it stands behind %s", last)
			}
			last = d.Provider
			profile, err := d.Profile()
			if err != nil {
				t.Fatal(err)
			}
			about := d.Describe()
			if about.Title == "" || about.Signed == "" || len(about.NotCovered) == 0 || len(about.Links) == 0 || len(about.Headers) != 1 {
				t.Errorf("About lacks something: %+v", about)
			}
			for _, link := range about.Links {
				if u, err := url.Parse(link); err != nil || u.Scheme != "https" {
					t.Errorf("the link %q is none", link)
				}
			}
			for _, phrase := range append(about.NotCovered, about.Signed) {
				if strings.HasSuffix(phrase, ".") || strings.TrimSpace(phrase) != phrase {
					t.Errorf("%q is no phrase", phrase)
				}
			}
			if profile.Retention < profile.Window.Past && profile.Window.Past > 0 {
				t.Errorf("it is remembered for %v, and verifies for %v", profile.Retention, profile.Window.Past)
			}
			if uncovered := profile.Binding == verify.BindingNone; uncovered != strings.Contains(strings.Join(about.NotCovered, "\n"), "the body:") {
				t.Errorf("the binding is %v, and NotCovered is %q", profile.Binding, about.NotCovered)
			}
		})
	}
	t.Run("each has its row in the README", func(t *testing.T) {
		readme, err := os.ReadFile("README.md")
		if err != nil {
			t.Fatal(err)
		}
		root, err := os.ReadFile("../../README.md") // it is there in a checkout
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		for _, d := range catalog.All() {
			about := d.Describe()
			signed, _, _ := strings.Cut(about.Signed, ", JW") // without the algorithm
			row := fmt.Sprintf("| [%s](%s) | `%s` | %s | ", about.Title, d.Provider, about.Headers[0].Name, signed)
			if !strings.Contains(string(readme), "\n"+row) {
				t.Errorf("there is no row %q", row)
			}
			link := fmt.Sprintf("[%s](providers/jwt/%s)", about.Title, d.Provider)
			if len(root) > 0 && !strings.Contains(string(root), link) {
				t.Errorf("the README of the repository does not hold %q", link)
			}
		}
		if rows, want := strings.Count(string(readme), "\n| ["), len(catalog.All()); rows != want {
			t.Errorf("there are %d rows, want %d", rows, want)
		}
	})
	t.Run("what names an outside vector has one", func(t *testing.T) {
		for _, d := range catalog.All() {
			found := slices.ContainsFunc(published(t, d), func(v vector.Published) bool { return v.Verdict == "accept" })
			if named := d.About.OutsideVector != ""; named != found {
				t.Errorf("%s: named: %v, found: %v", d.Provider, named, found)
			}
		}
	})
}
