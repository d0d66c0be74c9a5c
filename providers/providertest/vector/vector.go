// Package vector reads test vectors: the project's own, which are .http files, and
// published ones, which lie outside of the project.
//
// An .http file is a capture, as package verify/capture reads it: one request, when it
// arrived and what a verifier must say to it. The lines note, received and expect are
// required, once, and secret at least once. Besides the former a vector has
//
//	# secret: a secret of the endpoint; repeated during a rotation
//	# option: an option of the endpoint, as the provider's test names it; may be repeated
//	# twin: the file of an accepted request that differs in one thing; for each that is refused
//	# id: the signed id of the event, for an accepted request that has one
//	# source: where somebody else published this very delivery
//
// and nothing else. The head of the request has CRLF at its line ends.
//
// The script sign.sh beside this file helps to write them with openssl.
package vector

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/capture"
)

// Vector is one scenario.
type Vector struct {
	Name    string // the file's, without its extension
	Note    string
	Secrets []string
	Options []string
	Expect  string
	Twin    string
	ID      string
	Source  string
	Head    *verify.Head
	Body    []byte
}

// Load reads the .http files in dir. It fails if there are none, if one has a
// mistake, or if a refused one has no accepted twin that differs in one thing.
func Load(t testing.TB, dir string) []Vector {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.http"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatalf("%s holds no .http file: write vectors as the comment of package vector says; hooknotary sign makes a start", dir)
	}
	byName := make(map[string]Vector)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		v := parse(t, file, text)
		byName[v.Name] = v
	}
	for _, v := range byName {
		checkTwin(t, v, byName)
	}
	return slices.SortedFunc(maps.Values(byName), func(a, b Vector) int { return strings.Compare(a.Name, b.Name) })
}

func parse(t testing.TB, file string, text []byte) Vector {
	t.Helper()
	v := Vector{Name: strings.TrimSuffix(filepath.Base(file), ".http")}
	comments, request, ok := bytes.Cut(text, []byte("\n\n"))
	if !ok {
		t.Fatalf("%s: there is no request", file)
	}
	v.comments(t, file, string(comments))
	head, _, ok := bytes.Cut(request, []byte("\r\n\r\n"))
	if !ok || bytes.Count(head, []byte("\n")) != bytes.Count(head, []byte("\r\n")) {
		t.Fatalf("%s: the head of the request does not have CRLF at its line ends", file)
	}
	c, err := capture.Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	for _, line := range [...]struct {
		name    string
		missing bool
	}{{"note", c.Note == ""}, {"received", c.ReceivedAt.IsZero()}, {"secret", len(v.Secrets) == 0}, {"expect", c.Expect == ""}} {
		if line.missing {
			t.Fatalf("%s: the line \"# %s: …\" is required, and is missing", file, line.name)
		}
	}
	if v.ID != "" && c.Expect != capture.Accept {
		t.Fatalf("%s: a request that is refused has no id", file)
	}
	v.Note, v.Expect, v.Head, v.Body = c.Note, c.Expect, c.Head(), c.Body
	return v
}

// comments reads the lines that a capture does not have, and refuses any that it would
// skip.
func (v *Vector) comments(t testing.TB, file, text string) {
	t.Helper()
	seen := make(map[string]bool)
	for line := range strings.SplitSeq(text, "\n") {
		comment, isComment := strings.CutPrefix(line, "# ")
		key, value, ok := strings.Cut(comment, ": ")
		if !ok || value == "" || !isComment {
			t.Fatalf("%s: line %q is not of the form \"# key: value\"", file, line)
		}
		switch {
		case key == "secret":
			v.Secrets = append(v.Secrets, value)
		case key == "option":
			v.Options = append(v.Options, value)
		case seen[key]:
			t.Fatalf("%s: key %q is repeated", file, key)
		case key == "twin":
			v.Twin = value
		case key == "id":
			v.ID = value
		case key == "source":
			v.Source = value
		case key != "note" && key != "received" && key != "expect":
			t.Fatalf("%s: key %q is unknown", file, key)
		}
		seen[key] = true
	}
}

// checkTwin makes sure that a refused vector and its twin differ in one thing, so
// that nothing else can be why it is refused.
func checkTwin(t testing.TB, v Vector, all map[string]Vector) {
	t.Helper()
	if v.Twin == "" {
		if v.Expect != "accept" {
			t.Fatalf("%s: a request that is refused needs a twin", v.Name)
		}
		return
	}
	twin, ok := all[strings.TrimSuffix(v.Twin, ".http")]
	if !ok || twin.Expect != "accept" || !strings.HasSuffix(v.Twin, ".http") {
		t.Fatalf("%s: the twin %q is not there, or is not accepted", v.Name, v.Twin)
	}
	var differ []string
	note := func(what string, same bool) {
		if !same {
			differ = append(differ, what)
		}
	}
	note("received", v.Head.ReceivedAt.Equal(twin.Head.ReceivedAt))
	note("secret", slices.Equal(v.Secrets, twin.Secrets))
	note("option", slices.Equal(v.Options, twin.Options))
	note("method", v.Head.Method == twin.Head.Method)
	note("URL", v.Head.URL.String() == twin.Head.URL.String())
	note("body", bytes.Equal(v.Body, twin.Body))
	names := maps.Clone(v.Head.Header)
	maps.Copy(names, twin.Head.Header)
	for name := range names {
		note(name, name == "Content-Length" || reflect.DeepEqual(v.Head.Header[name], twin.Head.Header[name]))
	}
	if len(differ) != 1 {
		t.Fatalf("%s and its twin %s differ in %q, want one thing", v.Name, v.Twin, differ)
	}
}
