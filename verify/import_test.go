package verify_test

import (
	"go/build"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/hooknotary/hooknotary"

// foreign lists the packages that exist to bring in third-party code. They stand
// under folders that are otherwise free of it.
var foreign = []string{
	module + "/middleware/echomw",
	module + "/providers/github/githubevent",
	module + "/providers/stripe/stripeevent",
}

// goList runs go list in the root of the module.
func goList(t *testing.T, args ...string) []string {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list"}, args...)...)
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		if e, ok := err.(*exec.ExitError); ok {
			t.Fatalf("go list: %s", e.Stderr)
		}
		t.Fatal(err)
	}
	return strings.Fields(string(out))
}

func pure(t *testing.T) []string {
	t.Helper()
	all := goList(t, "./verify/...", "./providers/...", "./middleware/...")
	return slices.DeleteFunc(all, func(p string) bool { return slices.Contains(foreign, p) })
}

// standard reports whether a package is of the standard library: it has no dot in
// its first element.
func standard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}

func TestImports(t *testing.T) {
	inCheckout(t)
	t.Run("those of verification code are the standard library and our own", func(t *testing.T) {
		packages := pure(t)
		if len(packages) < 8 {
			t.Fatalf("found %d packages only: %q", len(packages), packages)
		}
		for _, dep := range goList(t, append([]string{"-deps", "-test", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}"}, packages...)...) {
			if !strings.HasPrefix(dep, module+"/") && !strings.HasPrefix(dep, "[") && !standard(dep) {
				t.Errorf("%s is not of the standard library", dep)
			}
			if slices.Contains(foreign, dep) {
				t.Errorf("%s is reached from a package that must stay free of third-party code", dep)
			}
		}
	})

	// Whoever wants typed events behind net/http does
	// not get echo, and whoever wants those of one provider not the other's.
	t.Run("those of typed events are their SDKs", func(t *testing.T) {
		for pkg, sdk := range map[string][]string{
			"providers/github/githubevent": {"github.com/google/go-github/", "github.com/google/go-querystring/"},
			"providers/stripe/stripeevent": {"github.com/stripe/stripe-go/"},
		} {
			found := 0
			for _, dep := range goList(t, "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", "./"+pkg) {
				if strings.HasPrefix(dep, module+"/") {
					continue
				}
				found++
				if !slices.ContainsFunc(sdk, func(prefix string) bool { return strings.HasPrefix(dep, prefix) }) {
					t.Errorf("%s imports %s", pkg, dep)
				}
			}
			if found == 0 {
				t.Errorf("%s imports no SDK: does the test still look at anything?", pkg)
			}
		}
	})

	// Keeps the direction of dependencies between our own
	// packages, tests aside.
	t.Run("they follow the design", func(t *testing.T) {
		allowed := func(from, to string) bool {
			switch {
			case from == "verify" || from == "verify/replay":
				return false
			case strings.HasPrefix(from, "verify/"):
				return to == "verify" || strings.HasPrefix(to, "verify/")
			case from == "providers/keyring" || from == "providers/keyfetch":
				return to == "verify"
			case from == "providers/internal/jsonscan":
				return false
			case from == "providers/scheme":
				return to == "verify" || to == "providers/keyring" || to == "providers/internal/jsonscan"
			case from == "middleware/hold" || from == "middleware/internal/contextkey":
				return false
			case from == "middleware/adapter":
				return to == "verify"
			case from == "middleware/observe":
				return to == "middleware" || to == "middleware/internal/contextkey"
			case from == "middleware":
				return to == "verify" || to == "verify/replay" || to == "middleware/hold" || to == "middleware/adapter" || to == "middleware/internal/contextkey"
			case from == "middleware/forward":
				return to == "middleware" || to == "middleware/assertion" || to == "verify"
			case from == "middleware/record":
				return to == "middleware" || to == "middleware/observe" || to == "verify" || to == "verify/capture"
			case from == "middleware/middlewaretest":
				return strings.HasPrefix(to, "verify") || to == "middleware" || to == "middleware/hold" || to == "middleware/record"
			case from == "middleware/assertion":
				return to == "verify" || to == "verify/replay" || to == "providers/keyring"
			case strings.HasPrefix(from, "middleware/"):
				return to == "middleware" || to == "middleware/hold" || to == "middleware/adapter" || to == "verify" || to == "verify/replay"
			case strings.HasPrefix(from, "providers/internal/"):
				return to == "verify" || to == "providers/keyring"
			case from == "providers/providertest/vector":
				return to == "verify" || to == "verify/capture"
			case from == "providers/providertest":
				return to == "verify" || to == "providers/scheme" || to == "providers/internal/cost" || strings.HasPrefix(to, "providers/providertest/")
			case strings.HasSuffix(from, "test"): // signers for users' tests
				return to == "verify" || to == "providers/scheme" || to == "providers/providertest/signer" || to == from[:strings.LastIndexByte(from, '/')]
			case strings.HasSuffix(from, "event"):
				return to == "verify" || to == "providers/scheme" || to == "providers/internal/typed" || to == "providers/internal/jsonscan"
			case from == "providers/catalog/generate":
				return to == "verify" || to == "providers/catalog"
			case from == "providers/catalog":
				return to == "verify" || strings.HasPrefix(to, "providers/") && strings.Count(to, "/") == 1
			case from == "providers/canonical":
				return to == "verify" || to == "providers/scheme"
			case from == "providers/token":
				return to == "verify" || to == "providers/keyring" || to == "providers/scheme"
			case strings.HasPrefix(from, "providers/"):
				return to == "verify" || to == "providers/scheme" || to == "providers/canonical" || to == "providers/token" || to == "providers/keyring" || to == "providers/keyfetch" || strings.HasPrefix(to, "providers/internal/")
			}
			return true
		}
		edges := 0
		for _, line := range goList(t, "-f", `{{$p := .ImportPath}}{{range .Imports}}{{$p}}>{{.}}{{"\n"}}{{end}}`, "./verify/...", "./providers/...", "./middleware/...") {
			from, to, _ := strings.Cut(line, ">")
			if !strings.HasPrefix(to, module+"/") {
				continue
			}
			edges++
			from, to = strings.TrimPrefix(from, module+"/"), strings.TrimPrefix(to, module+"/")
			if !allowed(from, to) {
				t.Errorf("%s imports %s", from, to)
			}
		}
		if edges < 8 {
			t.Errorf("found %d imports between our packages, want more: does the test still look at anything?", edges)
		}
	})

	t.Run("the rule tells the standard library from the rest", func(t *testing.T) {
		for path, want := range map[string]bool{
			"crypto/hmac":                 true,
			"fmt":                         true,
			"github.com/labstack/echo/v4": false,
			"golang.org/x/net/http2":      false,
		} {
			if standard(path) != want {
				t.Errorf("standard(%q) = %v", path, !want)
			}
			if p, err := build.Import(path, ".", build.FindOnly); want && (err != nil || !p.Goroot) {
				t.Errorf("%s is not found in GOROOT", path)
			}
		}
	})
}
