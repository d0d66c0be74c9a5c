// Command test runs go test and ends with one line that says what was skipped:
//
//	go run ./.ci/test [flags of go test, as -flag=value] [packages]
//
// Without packages it tests the verifiers, the guard, the replay stores with their
// servers, the command line, and the programs that use them: all modules of go.work but
// those that try other frameworks, drivers and libraries, which .ci/run tests, too.
// With -help it says which packages these are.
//
// Of a package that passes, go test prints one line and hides the rest, skipped tests
// included, and no test can get around that; so this asks go test for everything and
// prints what go test would have. It needs nothing but Go. Its exit code is that of go
// test.
package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
)

const help = `go run ./.ci/test [flags of go test, as -flag=value] [packages]

Runs go test, and says in its last line what was skipped. Without packages it tests

	%s

The other modules try frameworks, drivers and libraries; .ci/run tests them, too.
`

func main() {
	args := os.Args[1:]
	if !slices.ContainsFunc(args, func(a string) bool { return !strings.HasPrefix(a, "-") }) {
		packages, err := covered("go.work")
		if err != nil {
			fmt.Fprintln(os.Stderr, "test: run this in the root of the checkout:", err)
			os.Exit(1)
		}
		if len(args) == 1 && slices.Contains([]string{"-h", "-help", "--help"}, args[0]) {
			fmt.Printf(help, strings.Join(packages, "\n\t"))
			return
		}
		args = append(args, packages...)
	}
	cmd := exec.Command("go", append([]string{"test", "-json"}, args...)...)
	cmd.Stdin, cmd.Stderr = os.Stdin, os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "test:", err)
		os.Exit(1)
	}
	line, readErr := report(os.Stdout, out)
	err = cmd.Wait()
	if readErr != nil {
		fmt.Fprintln(os.Stderr, "test:", readErr)
	}
	if err != nil {
		fmt.Println("FAIL") // as go test does at the end
	}
	fmt.Println(line)
	switch {
	case err != nil && cmd.ProcessState.ExitCode() > 0:
		os.Exit(cmd.ProcessState.ExitCode())
	case err != nil || readErr != nil:
		os.Exit(1)
	}
}

// others are the modules that are not tested without being asked for: they try
// frameworks, drivers and libraries that would have to be fetched and compiled. Of
// the module of drivers, what every store needs is tested.
var others = map[string][]string{
	"./examples/chi":                    nil,
	"./examples/echov5":                 nil,
	"./examples/gin":                    nil,
	"./examples/lambda":                 nil,
	"./examples/migration":              nil,
	"./examples/telemetry":              nil,
	"./middleware/echov5mw":             nil,
	"./middleware/ginmw":                nil,
	"./verify/replay/sqlreplay/sqltest": {"./verify/replay/sqlreplay/sqltest/postgrestest", "./verify/replay/sqlreplay/sqltest/store"},
}

// covered returns the packages to test of the modules in a go.work.
func covered(work string) (packages []string, err error) {
	text, err := os.ReadFile(work)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		module, ok := strings.CutPrefix(strings.TrimSpace(line), ".")
		if !ok {
			continue
		}
		module = "." + module
		if some, ok := others[module]; ok {
			packages = append(packages, some...)
			continue
		}
		packages = append(packages, module+"/...")
	}
	if len(packages) == 0 {
		return nil, fmt.Errorf("%s uses no module", work)
	}
	return packages, nil
}

// event is a line of go test -json: see go doc test2json.
type event struct {
	Action  string
	Package string
	Test    string
	Output  string
}

// piece is some output of a test, or of a whole package.
type piece struct{ test, text string }

// report prints what go test without -json prints, and returns the line about what
// was skipped.
func report(w io.Writer, events io.Reader) (string, error) {
	pieces := make(map[string][]piece) // by package
	skipped := make(map[string]int)    // by reason
	in := bufio.NewReader(events)
	for {
		text, err := in.ReadString('\n')
		if text != "" {
			var e event
			if json.Unmarshal([]byte(text), &e) != nil {
				fmt.Fprint(w, text) // go test itself has something to say
			} else {
				take(w, e, pieces, skipped)
			}
		}
		if err == io.EOF {
			return summary(skipped), nil
		}
		if err != nil {
			return summary(skipped), err
		}
	}
}

func take(w io.Writer, e event, pieces map[string][]piece, skipped map[string]int) {
	all := pieces[e.Package]
	switch {
	case e.Action == "build-output":
		fmt.Fprint(os.Stderr, e.Output)
	case e.Action == "output":
		pieces[e.Package] = append(all, piece{e.Test, e.Output})
	case e.Test != "" && (e.Action == "pass" || e.Action == "skip"):
		if e.Action == "skip" {
			skipped[reasonIn(all, e.Test)]++
		}
		pieces[e.Package] = slices.DeleteFunc(all, func(p piece) bool { return p.test == e.Test })
	case e.Test == "" && (e.Action == "pass" || e.Action == "skip" || e.Action == "fail"):
		for _, p := range all {
			if e.Action == "fail" && !strings.HasPrefix(p.text, "=== ") || verdict.MatchString(p.text) {
				fmt.Fprint(w, p.text)
			}
		}
		delete(pieces, e.Package)
	}
}

var (
	verdict = regexp.MustCompile(`^(ok  |\?   |---|FAIL)\t|^\t`) // go test's line about a package
	where   = regexp.MustCompile(`^\s+\S+\.go:\d+: `)
)

// reasonIn returns the last line of what a test said when it was skipped.
func reasonIn(pieces []piece, test string) string {
	for _, p := range slices.Backward(pieces) {
		if at := where.FindString(p.text); p.test == test && at != "" {
			return strings.TrimSpace(p.text[len(at):])
		}
	}
	return "no reason given"
}

func summary(skipped map[string]int) string {
	if len(skipped) == 0 {
		return "skipped: nothing"
	}
	reasons := slices.SortedFunc(maps.Keys(skipped), func(a, b string) int {
		return cmp.Or(skipped[b]-skipped[a], strings.Compare(a, b))
	})
	total := 0
	var list []string
	for _, r := range reasons {
		total += skipped[r]
		list = append(list, fmt.Sprintf("%d (%s)", skipped[r], r))
	}
	return fmt.Sprintf("skipped: %d tests: %s", total, strings.Join(list, ", "))
}
