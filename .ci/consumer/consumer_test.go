// Package consumer_test releases the commit that is checked out in a clone, and uses
// the release as others do: behind a module proxy that is a folder, from modules that
// know nothing of this checkout. It prints what an import costs.
//
//	go test -count=1 -v ./.ci/consumer
//
// Other modules come from where GOPROXY says, so this needs a network.
package consumer_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	root    = "github.com/hooknotary/hooknotary"
	version = "v0.1.0"
)

// world is a release, and the environment of those who use it.
type world struct {
	clone  string
	env    []string
	nested []string // folders of the nested modules
}

// run runs a command in a folder and returns what it prints.
func (w *world) run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	out, err := w.try(dir, name, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return out
}

func (w *world) try(dir, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = dir, w.env
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return string(out) + stderr.String(), err
	}
	return string(out), nil
}

// clone makes a clone of the commit that is checked out.
func clone(t *testing.T) *world {
	t.Helper()
	w := &world{clone: filepath.Join(t.TempDir(), "clone")}
	w.env = append(os.Environ(), "GIT_CONFIG_COUNT=2",
		"GIT_CONFIG_KEY_0=user.name", "GIT_CONFIG_VALUE_0=Test", "GIT_CONFIG_KEY_1=user.email", "GIT_CONFIG_VALUE_1=test@example.com")
	from, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	w.run(t, ".", "git", "clone", "-q", "--no-tags", from, w.clone)
	for file := range strings.Lines(w.run(t, w.clone, "git", "ls-files", "*/go.mod")) {
		w.nested = append(w.nested, filepath.Dir(strings.TrimSpace(file)))
	}
	if len(w.nested) < 10 {
		t.Fatalf("found %d nested modules: %q", len(w.nested), w.nested)
	}
	return w
}

// release releases the clone, and makes a proxy of its tags.
func release(t *testing.T) *world {
	t.Helper()
	w := clone(t)
	w.run(t, w.clone, ".ci/release", version, "-write")
	proxy := t.TempDir()
	w.publish(t, proxy, "")
	for _, dir := range w.nested {
		w.publish(t, proxy, dir)
	}
	others := w.run(t, ".", "go", "env", "GOPROXY", "GOMODCACHE")
	list, cache, _ := strings.Cut(strings.TrimSpace(others), "\n")
	w.env = append(w.env,
		// What was fetched before is fetched from there.
		"GOPROXY=file://"+proxy+",file://"+filepath.Join(cache, "cache", "download")+","+list,
		"GONOSUMDB="+root+","+root+"/*", "GOPRIVATE=", "GONOPROXY=",
		"GOMODCACHE="+t.TempDir(), "GOFLAGS=-modcacherw -trimpath", "GOWORK=off")
	return w
}

// publish writes a module to a proxy, as go help goproxy describes it.
func (w *world) publish(t *testing.T, proxy, dir string) {
	t.Helper()
	path, tag := root, version
	if dir != "" {
		path, tag = root+"/"+dir, dir+"/"+version
	}
	folder := filepath.Join(proxy, filepath.FromSlash(path), "@v")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("git", "archive", "--format=tar", tag+":"+dir)
	cmd.Dir, cmd.Env = w.clone, w.env
	archive, err := cmd.Output()
	if err != nil {
		t.Fatalf("git archive %s: %v", tag, err)
	}
	var inner []string // modules within this one are not in its zip
	for _, other := range w.nested {
		if rest, ok := strings.CutPrefix(other, dir); ok && other != dir && (dir == "" || rest[0] == '/') {
			inner = append(inner, strings.TrimPrefix(rest, "/")+"/")
		}
	}
	var zipped, mod bytes.Buffer
	z := zip.NewWriter(&zipped)
	for files := tar.NewReader(bytes.NewReader(archive)); ; {
		h, err := files.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag != tar.TypeReg || slices.ContainsFunc(inner, func(p string) bool { return strings.HasPrefix(h.Name, p) }) {
			continue
		}
		to, err := z.Create(path + "@" + version + "/" + h.Name)
		if err != nil {
			t.Fatal(err)
		}
		if h.Name == "go.mod" {
			to = io.MultiWriter(to, &mod)
		}
		if _, err := io.Copy(to, files); err != nil {
			t.Fatal(err)
		}
	}
	info := fmt.Sprintf(`{"Version":%q,"Time":%q}`, version, time.Now().UTC().Format(time.RFC3339))
	for name, text := range map[string][]byte{"list": []byte(version + "\n"), version + ".info": []byte(info), version + ".mod": mod.Bytes()} {
		err = errors.Join(err, os.WriteFile(filepath.Join(folder, name), text, 0o600))
	}
	if err := errors.Join(err, z.Close(), os.WriteFile(filepath.Join(folder, version+".zip"), zipped.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
}

// consumer is a module of somebody else.
func (w *world) consumer(t *testing.T, source string) string {
	t.Helper()
	dir := t.TempDir()
	w.run(t, dir, "go", "mod", "init", "consumer.example")
	write(t, dir, source)
	return dir
}

func write(t *testing.T, dir, source string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
}

// selected returns the version of each module that is built with.
func (w *world) selected(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	for line := range strings.Lines(w.run(t, dir, "go", "list", "-m", "all")) {
		path, v, _ := strings.Cut(strings.TrimSpace(line), " ")
		all[path] = v
	}
	return all
}

// lines counts the lines of go.sum, and those of go.mod that require something.
func lines(t *testing.T, dir string) (mod, sum int) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimPrefix(strings.TrimSpace(line), "require ")
		if fields := strings.Fields(line); len(fields) >= 2 && strings.HasPrefix(fields[1], "v") {
			mod++
		}
	}
	text, err = os.ReadFile(filepath.Join(dir, "go.sum"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return mod, bytes.Count(text, []byte("\n"))
}

// oneLine is the one-liner of the README.
const oneLine = `package main

import (
	"net/http"
	"os"

	"` + root + `/middleware"
	"` + root + `/providers/stripe"
)

func main() {
	mux := http.NewServeMux()
	mux.Handle("POST /hooks/stripe", middleware.Protect(stripe.Must(os.Getenv("STRIPE_WEBHOOK_SECRET")))(http.NotFoundHandler()))
	http.ListenAndServe("localhost:8080", mux)
}
`

// theirs is a service as it was before: what it imports moves with no import of ours.
var theirs = map[string]string{
	"github.com/jackc/pgx/v5":     "v5.6.0",
	"github.com/labstack/echo/v4": "v4.12.0",
	"go.opentelemetry.io/otel":    "v1.28.0",
	"modernc.org/sqlite":          "v1.38.0",
}

// imports is the source of a program that imports packages.
func imports(packages ...string) string {
	return "package main\n\nimport (\n\t_ \"" + strings.Join(packages, "\"\n\t_ \"") + "\"\n)\n\nfunc main() {}\n"
}

func TestRelease(t *testing.T) {
	w := release(t)

	t.Run("net http and one provider are one module and nothing else", func(t *testing.T) {
		dir := w.consumer(t, oneLine)
		w.run(t, dir, "go", "get", root+"@"+version)
		w.run(t, dir, "go", "mod", "tidy")
		w.run(t, dir, "go", "build", "-o", filepath.Join(dir, "consumer"), ".")
		mod, sum := lines(t, dir)
		t.Logf("net/http and Stripe: go.mod %d line, go.sum %d lines", mod, sum)
		if mod != 1 || sum != 2 {
			t.Errorf("want 1 line in go.mod and 2 in go.sum")
		}
	})

	// As go test all does: the tests find what they read in the module, or are skipped.
	t.Run("the tests of the root pass where there is only the module", func(t *testing.T) {
		dir := w.consumer(t, oneLine)
		w.run(t, dir, "go", "get", root+"@"+version)
		w.run(t, dir, "go", "test", "-mod=mod", "-short", root+"/verify", root+"/providers/catalog/...", root+"/examples")
	})

	before := []string{"github.com/jackc/pgx/v5/stdlib", "github.com/labstack/echo/v4", "go.opentelemetry.io/otel", "modernc.org/sqlite"}
	for _, c := range []struct {
		name string
		ours []string
	}{
		{"net http and Stripe", []string{"middleware", "providers/stripe"}},
		{"echo", []string{"middleware/echomw", "providers/github", "providers/paypal"}},
		{"typed events", []string{"providers/stripe/stripeevent", "providers/github/githubevent"}},
		{"sqlreplay", []string{"middleware", "providers/stripe", "verify/replay/sqlreplay"}},
		{"otelmw", []string{"middleware", "providers/stripe", "middleware/otelmw"}},
		{"redisreplay", []string{"middleware", "providers/stripe", "verify/replay/redisreplay"}},
	} {
		t.Run("no version of theirs moves with "+c.name, func(t *testing.T) {
			dir := w.consumer(t, imports(before...))
			for path, v := range theirs {
				w.run(t, dir, "go", "mod", "edit", "-require="+path+"@"+v)
			}
			w.run(t, dir, "go", "mod", "tidy")
			old := w.selected(t, dir)
			for path, v := range theirs {
				if old[path] != v {
					t.Fatalf("the service has %s %s, want %s", path, old[path], v)
				}
			}
			mod, sum := lines(t, dir)

			all := slices.Clone(before)
			for _, p := range c.ours {
				all = append(all, root+"/"+p)
			}
			write(t, dir, imports(all...))
			for _, p := range c.ours {
				w.run(t, dir, "go", "get", root+"/"+p+"@"+version)
			}
			w.run(t, dir, "go", "mod", "tidy")
			w.run(t, dir, "go", "list", "-deps", ".")
			selected := w.selected(t, dir)
			moved := 0
			for _, path := range slices.Sorted(maps.Keys(old)) {
				if selected[path] != old[path] {
					moved++
					t.Errorf("%s moved from %s to %q", path, old[path], selected[path])
				}
			}
			mod2, sum2 := lines(t, dir)
			t.Logf("%s: %d of %d modules of theirs moved; x/crypto %s; go.mod has %d lines more, go.sum %d",
				c.name, moved, len(old)-1, selected["golang.org/x/crypto"], mod2-mod, sum2-sum)
			if _, ok := old["golang.org/x/crypto"]; !ok {
				t.Error("the service has no x/crypto: does the test still look at it?")
			}
		})
	}

	// An instrumented library needs the API of OpenTelemetry, and never its SDK.
	t.Run("otelmw brings no SDK", func(t *testing.T) {
		dir := w.consumer(t, imports(root+"/middleware/otelmw"))
		w.run(t, dir, "go", "get", root+"/middleware/otelmw@"+version)
		w.run(t, dir, "go", "mod", "tidy")
		all := strings.Join(slices.Sorted(maps.Keys(w.selected(t, dir))), "\n")
		if strings.Contains(all, "opentelemetry.io/otel/sdk") || !strings.Contains(all, "opentelemetry.io/otel/metric") {
			t.Errorf("with it come:\n%s", all)
		}
		mod, sum := lines(t, dir)
		t.Logf("otelmw: go.mod %d lines, go.sum %d", mod, sum)
	})

	// What the tests of the stores open stays with them.
	drivers := []string{"pgx", "/pq", "sqlite", "porcupine", "modernc.org", "ncruces", "cobra"}
	for _, store := range []string{"verify/replay/sqlreplay", "verify/replay/redisreplay"} {
		t.Run(filepath.Base(store)+" brings no driver of our tests", func(t *testing.T) {
			dir := w.consumer(t, imports(root+"/"+store))
			w.run(t, dir, "go", "get", root+"/"+store+"@"+version)
			w.run(t, dir, "go", "mod", "tidy")
			all := strings.Join(slices.Sorted(maps.Keys(w.selected(t, dir))), "\n")
			for _, d := range drivers {
				if strings.Contains(all, d) {
					t.Errorf("with it comes %s:\n%s", d, all)
				}
			}
			mod, sum := lines(t, dir)
			t.Logf("%s: go.mod %d lines, go.sum %d", store, mod, sum)
		})
	}

	for _, dir := range w.nested {
		t.Run("go get of "+strings.ReplaceAll(dir, "/", " "), func(t *testing.T) {
			t.Parallel()
			module := root + "/" + dir
			at := w.consumer(t, "package main\n\nfunc main() {}\n")
			w.run(t, at, "go", "get", module+"@"+version)
			deps := w.run(t, at, "go", "list", "-mod=mod", "-deps", module+"/...")
			if !strings.Contains(deps, module) {
				t.Errorf("it has no package:\n%s", deps)
			}
			mod := w.run(t, w.clone, "git", "show", dir+"/"+version+":"+dir+"/go.mod")
			for _, word := range []string{"replace", "v0.0.0\n"} {
				if strings.Contains(mod, word) {
					t.Errorf("its go.mod says %q", word)
				}
			}
		})
	}

	t.Run("the checkout goes on after it", func(t *testing.T) {
		env := w.env
		defer func() { w.env = env }()
		w.env = append(slices.Clone(env), "GOWORK=")
		w.run(t, w.clone, "go", "list", "-deps", "./cmd/hooknotary", "./examples/quickstart")
		w.run(t, w.clone, ".ci/release", "v0.1.1", "-write")
		w.run(t, w.clone, "go", "list", "-deps", "./cmd/hooknotary", "./examples/quickstart")
	})
}

func TestReleaseRefuses(t *testing.T) {
	w := clone(t)
	head := w.run(t, w.clone, "git", "rev-parse", "HEAD")
	for _, c := range []struct{ name, version, want string }{
		{"no version", "", "want a version"},
		{"a version without v", "1.2.3", "want a version"},
		{"two numbers", "v1.2", "want a version"},
		{"a leading zero", "v1.02.3", "want a version"},
		{"a version that needs another path", "v2.0.0", "no /v2"},
		{"a part of no characters", "v1.2.3-rc..1", "want a version"},
		{"a name that git takes for no tag", "v1.2.3-rc.lock", "git takes no tag"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if out, err := w.try(w.clone, ".ci/release", c.version, "-write"); err == nil || !strings.Contains(out, c.want) {
				t.Errorf("%v, want %q:\n%s", err, c.want, out)
			}
		})
	}
	t.Run("another argument", func(t *testing.T) {
		if out, err := w.try(w.clone, ".ci/release", version, "-wirte"); err == nil {
			t.Errorf("it goes on:\n%s", out)
		}
	})
	t.Run("a tree with changes", func(t *testing.T) {
		name := filepath.Join(w.clone, "change")
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		defer os.Remove(name)
		if out, err := w.try(w.clone, ".ci/release", version, "-write"); err == nil || !strings.Contains(out, "has changes") {
			t.Errorf("%v:\n%s", err, out)
		}
	})
	t.Run("to write without being told", func(t *testing.T) {
		out := w.run(t, w.clone, ".ci/release", version)
		if !strings.Contains(out, "would run: git tag "+version) || !strings.Contains(out, "would run: git tag cmd/"+version) {
			t.Errorf("it does not say what it would do:\n%s", out)
		}
	})
	if now := w.run(t, w.clone, "git", "rev-parse", "HEAD"); now != head {
		t.Error("there is a commit")
	}
	if out := w.run(t, w.clone, "git", "status", "--porcelain") + w.run(t, w.clone, "git", "tag"); out != "" {
		t.Errorf("something was changed:\n%s", out)
	}
	t.Run("a version that exists", func(t *testing.T) {
		w.run(t, w.clone, "git", "tag", "cmd/"+version)
		if out, err := w.try(w.clone, ".ci/release", version, "-write"); err == nil || !strings.Contains(out, "cmd/"+version+" exists") {
			t.Errorf("%v:\n%s", err, out)
		}
	})
	t.Run("nothing else", func(t *testing.T) {
		w.run(t, w.clone, ".ci/release", "v1.2.3-rc.1", "-write")
		if got := w.run(t, w.clone, "git", "describe", "--tags", "--exact-match", "--match", "v*"); strings.TrimSpace(got) != "v1.2.3-rc.1" {
			t.Errorf("the commit is %q", got)
		}
	})
}
