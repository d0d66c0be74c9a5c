package vector_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/providers/providertest/vector"
)

// recorder is a testing.TB that notes how a test ends instead of ending it.
type recorder struct {
	testing.TB
	end  string // fatal or skip, with the message
	errs []string
}

type ended struct{}

func (r *recorder) Helper() {}

func (r *recorder) Fatal(args ...any) { r.end = "fatal: " + fmt.Sprint(args...); panic(ended{}) }

func (r *recorder) Fatalf(format string, args ...any) {
	r.end = "fatal: " + fmt.Sprintf(format, args...)
	panic(ended{})
}

func (r *recorder) Skipf(format string, args ...any) {
	r.end = "skip: " + fmt.Sprintf(format, args...)
	panic(ended{})
}

func (r *recorder) Errorf(format string, args ...any) {
	r.errs = append(r.errs, fmt.Sprintf(format, args...))
}

// record runs f until it ends the test.
func record(t *testing.T, f func(tb testing.TB)) (r *recorder) {
	r = &recorder{TB: t}
	defer func() {
		if p := recover(); p != nil && p != any(ended{}) {
			panic(p)
		}
	}()
	f(r)
	return r
}

const (
	good = "# note: good\n# received: 2029-01-02T03:04:05Z\n# secret: s\n# expect: accept\n\n" +
		"POST / HTTP/1.1\r\nHost: h\r\nSig: 1\r\nContent-Length: 2\r\n\r\n{}"
	bad = "# note: bad\n# received: 2029-01-02T03:04:05Z\n# secret: s\n# expect: mismatch\n# twin: good.http\n\n" +
		"POST / HTTP/1.1\r\nHost: h\r\nSig: 2\r\nContent-Length: 2\r\n\r\n{}"
)

func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestLoad(t *testing.T) {
	t.Run("a request is read exactly", func(t *testing.T) {
		vectors := vector.Load(t, folder(t, map[string]string{"good.http": good, "bad.http": bad}))
		if len(vectors) != 2 || vectors[0].Name != "bad" || vectors[0].Expect != "mismatch" {
			t.Fatalf("vectors are %+v", vectors)
		}
		v := vectors[1]
		if v.Note != "good" || string(v.Body) != "{}" || v.Head.Header.Get("Sig") != "1" || v.Secrets[0] != "s" || v.Head.Method != "POST" {
			t.Errorf("vector is %+v", v)
		}
	})

	t.Run("a mistaken vector fails", func(t *testing.T) {
		edit := func(text, old, new string) string {
			if !strings.Contains(text, old) {
				panic(old)
			}
			return strings.ReplaceAll(text, old, new)
		}
		for _, tt := range []struct {
			name  string
			files map[string]string
			want  string
		}{
			{"without files", nil, "no .http file"},
			{"without a twin", map[string]string{"good.http": good, "bad.http": edit(bad, "# twin: good.http\n", "")}, "needs a twin"},
			{"with a twin that is not there", map[string]string{"bad.http": bad}, "not there"},
			{"with a twin that is refused", map[string]string{"good.http": good, "bad.http": edit(bad, "good.http", "bad.http")}, "not accepted"},
			{"with a twin that differs in nothing", map[string]string{"good.http": good, "bad.http": edit(bad, "Sig: 2", "Sig: 1")}, "want one thing"},
			{"with a twin that differs in two things", map[string]string{"good.http": good, "bad.http": edit(bad, "secret: s", "secret: t")}, "want one thing"},
			{"with an unknown key", map[string]string{"good.http": edit(good, "secret", "password")}, "unknown"},
			{"with a repeated key", map[string]string{"good.http": edit(good, "# note: good", "# note: a\n# note: b")}, "repeated"},
			{"with a line of another form", map[string]string{"good.http": edit(good, "# note: good", "note: good")}, "not of the form"},
			{"without a note", map[string]string{"good.http": edit(good, "# note: good\n", "")}, `"# note: …" is required`},
			{"without a secret", map[string]string{"good.http": edit(good, "# secret: s\n", "")}, `"# secret: …" is required`},
			{"with a time of another form", map[string]string{"good.http": edit(good, "2029-01-02T", "2 Jan ")}, "want one time"},
			{"without a request", map[string]string{"good.http": "# note: good\n"}, "no request"},
			{"with bare line feeds", map[string]string{"good.http": edit(good, "Sig: 1\r\n", "Sig: 1\n")}, "CRLF"},
			{"with a body that is too short", map[string]string{"good.http": edit(good, "Length: 2", "Length: 3")}, "shorter"},
			{"with a body that is too long", map[string]string{"good.http": edit(good, "Length: 2", "Length: 1")}, "longer"},
		} {
			t.Run(tt.name, func(t *testing.T) {
				dir := folder(t, tt.files)
				r := record(t, func(tb testing.TB) { vector.Load(tb, dir) })
				end := strings.ReplaceAll(r.end, dir, "") // which has the name of the test in it
				if !strings.HasPrefix(end, "fatal: ") || !strings.Contains(end, tt.want) {
					t.Errorf("ends with %q, want it to fail with %q", r.end, tt.want)
				}
			})
		}
	})
}

func TestPublished(t *testing.T) {
	t.Run("vectors are skipped only without the folder", func(t *testing.T) {
		load := func(least int) *recorder {
			return record(t, func(tb testing.TB) { vector.LoadPublished(tb, least, "core/*.json") })
		}
		t.Setenv(vector.Variable, "")
		if r := load(1); !strings.HasPrefix(r.end, "skip: "+vector.Variable) {
			t.Errorf("without the variable: %q", r.end)
		}
		dir := t.TempDir()
		t.Setenv(vector.Variable, dir)
		if r := load(0); !strings.HasPrefix(r.end, "fatal: no file matches") {
			t.Errorf("with an empty folder: %q", r.end)
		}
		if err := os.Mkdir(filepath.Join(dir, "core"), 0o755); err != nil {
			t.Fatal(err)
		}
		const text = `{"key":{"secrets":["s"]},"headers":[["Sig","1"]],"body_b64":"e30=","verify_at":null,"expect":{"verdict":"accept"}}`
		if err := os.WriteFile(filepath.Join(dir, "core", "one.json"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if r := load(2); !strings.HasPrefix(r.end, "fatal: found 1 published") {
			t.Errorf("with one file of two: %q", r.end)
		}
		if r := load(1); r.end != "" {
			t.Errorf("with one file of one: %q", r.end)
		}
	})
}

func TestDifferences(t *testing.T) {
	t.Run("they must be listed and real", func(t *testing.T) {
		dir := folder(t, map[string]string{"D.md": "# Differences\n\n| vector | published | ours | why |\n|---|---|---|---|\n| `a` | `accept` | `malformed` | stricter |\n"})
		for _, tt := range []struct {
			name string
			run  func(compare func(t testing.TB, name, published, ours string), tb testing.TB)
			want int
		}{
			{"listed and real", func(c func(testing.TB, string, string, string), tb testing.TB) {
				c(tb, "a", "accept", "malformed")
				c(tb, "b", "accept", "accept")
			}, 0},
			{"not listed", func(c func(testing.TB, string, string, string), tb testing.TB) {
				c(tb, "a", "accept", "malformed")
				c(tb, "b", "accept", "mismatch")
			}, 1},
			{"listed and gone", func(c func(testing.TB, string, string, string), tb testing.TB) { c(tb, "a", "accept", "accept") }, 1},
			{"listed with another outcome", func(c func(testing.TB, string, string, string), tb testing.TB) { c(tb, "a", "accept", "mismatch") }, 1},
			{"listed and not found", func(c func(testing.TB, string, string, string), tb testing.TB) { c(tb, "b", "accept", "accept") }, 1},
		} {
			t.Run(tt.name, func(t *testing.T) {
				r := &recorder{TB: t}
				compare, done := vector.Differences(r, filepath.Join(dir, "D.md"))
				tt.run(compare, r)
				done()
				if len(r.errs) != tt.want {
					t.Errorf("errors are %q, want %d", r.errs, tt.want)
				}
			})
		}
	})
}
