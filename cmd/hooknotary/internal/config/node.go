package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// maxFile is the largest configuration file, in bytes.
const maxFile = 1 << 20

// maxDepth is how deep the file's lists and mappings may stand in each other. It needs six.
const maxDepth = 16

// node is a value of the file, or the place where one is absent.
type node struct {
	l      *loader
	n      *yaml.Node // nil: absent
	path   string     // "routes[1].upstream.url"
	schema string     // "routes[].upstream.url"
	line   int        // where absent: of what it would stand in
}

// wrong notes a mistake. The text must hold no value of the file.
func (x node) wrong(format string, args ...any) {
	x.l.wrong(x.line, x.path, fmt.Sprintf(format, args...))
}

// given reports whether the file has the value.
func (x node) given() bool { return x.n != nil }

// parse reads a document. The node is absent if it cannot be read, and mistakes say why.
func (l *loader) parse(text []byte) node {
	root := node{l: l}
	if len(text) > maxFile {
		l.wrong(0, "", "the file is larger than 1 MiB")
		return root
	}
	if !utf8.Valid(text) {
		l.wrong(0, "", "the file is not UTF-8")
		return root
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	var doc, next yaml.Node
	switch err := d.Decode(&doc); {
	case errors.Is(err, io.EOF):
		l.wrong(0, "", "the file is empty")
		return root
	case err != nil:
		l.syntax(err)
		return root
	}
	if err := d.Decode(&next); !errors.Is(err, io.EOF) {
		if err != nil {
			l.syntax(err)
		} else {
			l.wrong(next.Line, "", "a second document begins; want one, without ---")
		}
		return root
	}
	if len(doc.Content) != 1 {
		l.wrong(0, "", "the file is empty")
		return root
	}
	before := len(l.mistakes)
	l.plain(doc.Content[0], 0)
	if len(l.mistakes) > before {
		return root
	}
	root.n, root.line = doc.Content[0], doc.Content[0].Line
	return root
}

var yamlLine = regexp.MustCompile(`line ([0-9]+):`)

// advice says what to do about the parser's complaints that people meet. Its own words are not
// repeated, because some of them quote the file.
var advice = []struct{ part, text string }{
	{"found character that cannot start any token", "there is a tab, or a value begins with @, ` or %: indent with spaces, and put such a value into quotes"},
	{"found a tab character", "there is a tab; indent with spaces"},
	{"mapping values are not allowed", "there is a second colon; put the value into quotes, or mend the indentation"},
	{"did not find expected key", "the indentation is not that of the lines above, or a quote or bracket is not closed"},
	{"did not find expected '-' indicator", "the indentation is not that of the list above"},
	{"did not find expected ',' or", "a bracket or brace is not closed; put a text that holds one into quotes"},
	{"could not find expected ':'", "a name lacks its colon"},
	{"found unexpected end of stream", "a quote is not closed"},
	{"unknown anchor", "there is an alias; write the value out"},
}

// syntax notes that the text is no YAML. The parser names no line for the first one.
func (l *loader) syntax(err error) {
	line, text := 1, "this is not YAML; look at indentation, colons, quotes and brackets"
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		line, _ = strconv.Atoi(m[1])
	}
	for _, a := range advice {
		if strings.Contains(err.Error(), a.part) {
			text = a.text
			break
		}
	}
	l.wrong(line, "", text)
}

// plain notes what the file must not use of YAML.
func (l *loader) plain(n *yaml.Node, depth int) {
	switch {
	case depth > maxDepth:
		l.wrong(n.Line, "", "lists and mappings stand too deep in each other")
		return
	case n.Kind == yaml.AliasNode:
		l.wrong(n.Line, "", "there is an alias (*); write the value out")
		return
	case n.Anchor != "":
		l.wrong(n.Line, "", "there is an anchor (&); write the value out where it is needed, or put the text into quotes")
	case n.Style&yaml.TaggedStyle != 0:
		l.wrong(n.Line, "", "there is a tag (!); leave it away, or put the text into quotes")
	case n.Kind == yaml.ScalarNode && n.Tag == "!!merge":
		l.wrong(n.Line, "", "there is a merge (<<); write the values out")
	}
	for _, c := range n.Content {
		l.plain(c, depth+1)
	}
}

// dump writes a subtree, for a digest, without the members of those names.
func dump(w io.Writer, n *yaml.Node, without ...string) {
	if n == nil {
		io.WriteString(w, "-")
		return
	}
	fmt.Fprintf(w, "(%d %q %q", n.Kind, n.Tag, n.Value)
	for i := 0; i < len(n.Content); i++ {
		if n.Kind == yaml.MappingNode && i%2 == 0 && slices.Contains(without, n.Content[i].Value) {
			i++
			continue
		}
		dump(w, n.Content[i])
	}
	io.WriteString(w, ")")
}

// mapping checks that x is a mapping of known and distinct names, and reports whether it is
// one at all. Absent is none.
func (x node) mapping() bool {
	names := known()[x.schema]
	if names == nil {
		panic("config: no mapping in the table of fields: " + x.schema)
	}
	if !x.isMapping() {
		return false
	}
	seen := make(map[string]bool)
	for i := 0; i+1 < len(x.n.Content); i += 2 {
		key := x.n.Content[i]
		at := node{x.l, key, x.path, x.schema, key.Line}
		name := key.Value
		_, ok := names[name]
		switch {
		case key.Kind != yaml.ScalarNode:
			at.wrong("the name of a field must be a word")
		case !ok:
			at.wrong("unknown field%s", suggestion(name, names))
		case seen[name]:
			at.path = join(x.path, name)
			at.wrong("it stands here twice; leave one")
		}
		seen[name] = true
	}
	return true
}

// isMapping reports whether x is a mapping, and notes a mistake if it is something else.
func (x node) isMapping() bool {
	if !x.given() {
		return false
	}
	if x.n.Kind != yaml.MappingNode {
		x.wrong("want a mapping, {name: value}%s", x.emptiness())
		return false
	}
	return true
}

// emptiness says that a value is absent behind its name.
func (x node) emptiness() string {
	if x.n != nil && x.n.Kind == yaml.ScalarNode && x.n.Tag == "!!null" {
		return "; there is nothing behind the colon"
	}
	return ""
}

// suggestion says which name may be meant. It repeats known names alone.
func suggestion(name string, names map[string]Kind) string {
	flat := strings.NewReplacer("_", "", "-", "").Replace(strings.ToLower(name))
	var near, all []string
	for n := range names {
		if distance(strings.ReplaceAll(n, "_", ""), flat) <= 2 && len(n) > 2 {
			near = append(near, n)
		}
		all = append(all, n)
	}
	slices.Sort(near)
	slices.Sort(all)
	switch {
	case len(near) > 0:
		return "; is it " + strings.Join(near, " or ") + "?"
	case len(all) <= 8:
		return "; want " + strings.Join(all, ", ")
	}
	return "; the reference of the file lists those that there are"
}

// distance is the number of characters to insert, delete or change, or 3 if it is more than 2.
func distance(a, b string) int {
	if len(a) > len(b)+2 || len(b) > len(a)+2 {
		return 3
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return min(row[len(b)], 3)
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// get returns the value of a field of the mapping x.
func (x node) get(name string) node {
	if _, ok := known()[x.schema][name]; !ok {
		panic("config: not in the table of fields: " + join(x.schema, name))
	}
	child := node{l: x.l, path: join(x.path, name), schema: join(x.schema, name), line: x.line}
	if x.n == nil || x.n.Kind != yaml.MappingNode {
		return child
	}
	for i := 0; i+1 < len(x.n.Content); i += 2 {
		if x.n.Content[i].Value == name {
			child.n, child.line = x.n.Content[i+1], x.n.Content[i].Line
			break
		}
	}
	return child
}

// pair is a member of a mapping whose names are free.
type pair struct {
	name  string
	value node
}

// pairs returns the members of a mapping whose names are free. A mistake names them by their
// numbers.
func (x node) pairs() []pair {
	if !x.isMapping() {
		return nil
	}
	var list []pair
	seen := make(map[string]bool)
	for i := 0; i+1 < len(x.n.Content); i += 2 {
		key := x.n.Content[i]
		v := node{x.l, x.n.Content[i+1], fmt.Sprintf("%s[%d]", x.path, i/2), x.schema + "[]", key.Line}
		if key.Kind != yaml.ScalarNode {
			v.wrong("the name must be a word")
			continue
		}
		if seen[key.Value] {
			v.wrong("the name stands here twice")
			continue
		}
		seen[key.Value] = true
		list = append(list, pair{key.Value, v})
	}
	return list
}

// list returns the entries of a list.
func (x node) list() []node {
	if !x.given() {
		return nil
	}
	if x.n.Kind != yaml.SequenceNode {
		x.wrong("want a list, [a, b]%s", x.emptiness())
		return nil
	}
	var all []node
	for i, n := range x.n.Content {
		all = append(all, node{x.l, n, fmt.Sprintf("%s[%d]", x.path, i), x.schema + "[]", n.Line})
	}
	return all
}

// scalar returns the text of a scalar with one of these tags.
func (x node) scalar(want string, tags ...string) (string, bool) {
	if !x.given() {
		return "", false
	}
	if x.n.Kind != yaml.ScalarNode || !slices.Contains(tags, x.n.Tag) {
		x.wrong("want %s%s", want, x.emptiness())
		return "", false
	}
	return x.n.Value, true
}

// text returns a text on one line.
func (x node) text() (string, bool) {
	s, ok := x.scalar("a text; put it into quotes if YAML takes it for something else", "!!str")
	if !ok {
		return "", false
	}
	if s == "" || len(s) > 4096 || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		x.wrong("want 1 to 4096 characters that print, on one line")
		return "", false
	}
	return s, true
}

// matching returns a text of a form, which words describe.
func (x node) matching(form *regexp.Regexp, words string) (string, bool) {
	s, ok := x.text()
	if ok && !form.MatchString(s) {
		x.wrong("want %s", words)
		return "", false
	}
	return s, ok
}

// choice returns one of several words, or that default.
func (x node) choice(def string, words ...string) string {
	s, ok := x.text()
	if !ok {
		return def
	}
	if !slices.Contains(words, s) {
		x.wrong("want %s", strings.Join(words, ", "))
		return def
	}
	return s
}

func (x node) bool(def bool) bool {
	s, ok := x.scalar("true or false", "!!bool")
	if !ok {
		return def
	}
	switch s {
	case "true":
		return true
	case "false":
		return false
	}
	x.wrong("want true or false")
	return def
}

var sizes = regexp.MustCompile(`^([0-9]{1,15})(B|KiB|MiB|GiB)$`)

// size returns a number of bytes.
func (x node) size(def, least, most int64) int64 {
	want := fmt.Sprintf("a size from %s to %s, such as 32KiB or 25MiB", sizeText(least), sizeText(most))
	s, ok := x.scalar(want, "!!str")
	if !ok {
		return def
	}
	m := sizes.FindStringSubmatch(s)
	if m == nil {
		x.wrong("want %s", want)
		return def
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	unit := map[string]int64{"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}[m[2]]
	if err != nil || n > most/unit || n*unit < least {
		x.wrong("want %s", want)
		return def
	}
	return n * unit
}

// sizeText writes a size as the file has it.
func sizeText(n int64) string {
	for _, u := range []struct {
		name string
		unit int64
	}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}} {
		if n >= u.unit && n%u.unit == 0 {
			return fmt.Sprintf("%d%s", n/u.unit, u.name)
		}
	}
	return fmt.Sprintf("%dB", n)
}

// duration returns a duration.
func (x node) duration(def, least, most time.Duration) time.Duration {
	want := fmt.Sprintf("a duration from %v to %v, such as 500ms, 10s, 15m or 72h", span(least), span(most))
	s, ok := x.scalar(want, "!!str")
	if !ok {
		return def
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < least || d > most {
		x.wrong("want %s", want)
		return def
	}
	return d
}

// span writes a duration without zeros that say nothing.
func span(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func (x node) number(def, least, most int) int {
	want := fmt.Sprintf("a whole number from %d to %d", least, most)
	s, ok := x.scalar(want, "!!int")
	if !ok {
		return def
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < least || n > most {
		x.wrong("want %s", want)
		return def
	}
	return n
}

// time returns a point in time, or the zero time.
func (x node) time() time.Time {
	const want = "a time such as 2026-12-01T00:00:00Z"
	s, ok := x.scalar(want, "!!str", "!!timestamp")
	if !ok {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || t.Year() < 1970 {
		x.wrong("want " + want)
		return time.Time{}
	}
	return t
}

// required notes a mistake where x is absent, and reports whether it is there.
func (x node) required(what string) bool {
	if !x.given() {
		x.wrong("it is missing: want %s", what)
		return false
	}
	return true
}
