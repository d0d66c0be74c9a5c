package main_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// packages are those of a module to be tested.
var packages = map[string]string{
	"quiet": `package quiet
import "testing"
func TestPass(t *testing.T) { t.Log("not to be seen") }
`,
	"partly": `package partly
import ("fmt"; "testing")
func TestPass(t *testing.T) { fmt.Println("not to be seen") }
func TestServer(t *testing.T) { t.Log("looking"); t.Skip("no server on the PATH") }
func TestMany(t *testing.T) {
	for _, name := range []string{"a", "b"} {
		t.Run(name, func(t *testing.T) { t.Skipf("%s is not set", "VECTORS") })
	}
}
func TestMute(t *testing.T) { t.SkipNow() }
`,
	"failing": `package failing
import ("fmt"; "testing")
func TestPass(t *testing.T) { t.Log("not to be seen") }
func TestSkip(t *testing.T) { t.Skip("VECTORS is not set") }
func TestFail(t *testing.T) {
	fmt.Println("printed")
	t.Run("sub", func(t *testing.T) { t.Error("it is wrong") })
}
`,
	"broken":  "package broken\nimport \"testing\"\nfunc TestX(t *testing.T) { undefined() }\n",
	"endless": "package endless\nimport \"testing\"\nfunc TestX(t *testing.T) { panic(\"over\") }\n",
}

// TestWithoutPackages: what is tested then is named by the help, and each module of
// go.work is either in it, or known to be left out.
func TestWithoutPackages(t *testing.T) {
	run := func(dir string, args ...string) (string, error) {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOWORK=", "GOFLAGS=")
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	tool := filepath.Join(t.TempDir(), "tool")
	if out, err := run(".", "go", "build", "-o", tool, "."); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	out, err := run("../..", tool, "-help")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	packages := regexp.MustCompile(`(?m)^\t(\./\S+)$`).FindAllStringSubmatch(out, -1)
	list := []string{"go", "list"}
	for _, p := range packages {
		list = append(list, p[1])
	}
	found, err := run("../..", list...)
	if err != nil || strings.Contains(found, "matched no packages") {
		t.Fatalf("go list: %v\n%s", err, found)
	}
	for _, want := range []string{"verify", "middleware", "cmd/hooknotary", "providers/paypal", "verify/replay/redisreplay", "verify/replay/sqlreplay/sqltest/store", "examples/quickstart"} {
		if !regexp.MustCompile(`(?m)/` + want + `$`).MatchString(found) {
			t.Errorf("%s is not tested", want)
		}
	}
	text, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	work, err := os.ReadFile("../../go.work")
	if err != nil {
		t.Fatal(err)
	}
	left := regexp.MustCompile(`(?m)^\t"(\./\S+)":`).FindAllStringSubmatch(string(text), -1)
	if len(left) == 0 {
		t.Error("no module is left out: does the test still look at anything?")
	}
	for _, m := range left {
		if !strings.Contains(string(work), "\n\t"+m[1]+"\n") {
			t.Errorf("%s is left out, and no module", m[1])
		}
	}
	if out, err := run(t.TempDir(), tool); err == nil || !strings.Contains(out, "root of the checkout") {
		t.Errorf("in another folder: %v\n%s", err, out)
	}
}

func TestSkipped(t *testing.T) {
	t.Run("a test run ends with what was skipped", func(t *testing.T) {
		dir := t.TempDir()
		tool := filepath.Join(dir, "tool")
		if out, err := exec.Command("go", "build", "-o", tool, ".").CombinedOutput(); err != nil {
			t.Fatalf("go build: %v\n%s", err, out)
		}
		write := func(name, text string) {
			path := filepath.Join(dir, name)
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
				t.Fatal(err)
			}
		}
		write("go.mod", "module scratch\n\ngo 1.26.0\n")
		write("none/none.go", "package none\n")
		for name, text := range packages {
			write(filepath.Join(name, name+"_test.go"), text)
		}
		run := func(t *testing.T, name string, args ...string) (lines []string, code int) {
			cmd := exec.Command(name, args...)
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
			out, err := cmd.Output()
			var exit *exec.ExitError
			if err != nil && !errors.As(err, &exit) {
				t.Fatal(err)
			}
			out = regexp.MustCompile(`\d+\.\d+s|\(cached\)|0x[0-9a-f]+|goroutine \d+`).ReplaceAll(out, []byte("…"))
			return strings.Split(string(bytes.TrimSuffix(out, []byte("\n"))), "\n"), cmd.ProcessState.ExitCode()
		}
		for _, c := range []struct {
			name     string
			packages []string
			want     string
			code     int
		}{
			{"where nothing is skipped", []string{"./quiet"}, "skipped: nothing", 0},
			{"where tests are skipped", []string{"./quiet", "./partly"}, "skipped: 4 tests: 2 (VECTORS is not set), 1 (no reason given), 1 (no server on the PATH)", 0},
			{"where a package has no tests", []string{"./none"}, "skipped: nothing", 0},
			{"where a test fails", []string{"./failing", "./partly"}, "skipped: 5 tests: 3 (VECTORS is not set), 1 (no reason given), 1 (no server on the PATH)", 1},
			{"where a package does not compile", []string{"./broken", "./quiet"}, "skipped: nothing", 1},
			{"where a test panics", []string{"./endless"}, "skipped: nothing", 1},
			{"with flags", []string{"-run=Mute", "./partly"}, "skipped: 1 tests: 1 (no reason given)", 0},
		} {
			t.Run(c.name, func(t *testing.T) {
				got, code := run(t, tool, c.packages...)
				if last := got[len(got)-1]; last != c.want {
					t.Errorf("the last line is %q, want %q", last, c.want)
				}
				if code != c.code {
					t.Errorf("exit code %d, want %d", code, c.code)
				}
				// All else is what go test prints.
				want, code := run(t, "go", append([]string{"test"}, c.packages...)...)
				got = got[:len(got)-1]
				for _, lines := range [][]string{got, want} {
					for i := range lines {
						lines[i] = strings.TrimSpace(lines[i])
					}
					slices.Sort(lines) // packages are reported in the order in which they end
				}
				if strings.Join(got, "\n") != strings.Join(want, "\n") || code != c.code {
					t.Errorf("it prints\n%s\nand go test prints\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
				}
			})
		}
	})
}
