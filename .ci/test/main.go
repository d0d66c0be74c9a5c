// Command test runs go test and ends with one line that says what was skipped:
//
//	go run ./.ci/test [arguments of go test]
//
// Without arguments it runs go test ./... . Of a package that passes, go test prints
// one line and hides the rest, skipped tests included, and no test can get around
// that; so this asks go test for everything and prints what go test would have. It
// needs nothing but Go. Its exit code is that of go test.
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

func main() {
	args := os.Args[1:]
	if len(args) == 0 {
		args = []string{"./..."}
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
