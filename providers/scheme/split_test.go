package scheme_test

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// token is a part of a message in a small world: how it is written in a definition, what it
// may be, and values that look like their neighbours.
type token struct {
	name    string
	part    func(header string) scheme.Part
	grammar *regexp.Regexp
	values  []string
}

var (
	splitAt = time.Date(2026, 11, 30, 11, 0, 0, 0, time.UTC)

	tokens = []token{
		{"'.'", func(string) scheme.Part { return scheme.Literal(".") }, regexp.MustCompile(`^\.$`), []string{"."}},
		{"'1'", func(string) scheme.Part { return scheme.Literal("1") }, regexp.MustCompile(`^1$`), []string{"1"}},
		{"field", scheme.Field, regexp.MustCompile(`^[!-~]+$`), []string{"a", "1", "a.1", "."}},
		{"fixed", func(h string) scheme.Part { return scheme.FixedField(h, 2) }, regexp.MustCompile(`^[!-~]{2}$`), []string{"11", ".."}},
		{"body", func(string) scheme.Part { return scheme.Body() }, regexp.MustCompile(`(?s)^.*$`), []string{"", "a", "1.", ".5.", "a1"}},
	}
	times = map[scheme.Unit]token{
		scheme.Seconds: {"seconds", nil, regexp.MustCompile(`^(0|[1-9][0-9]{0,14})$`), []string{"1796036400", "1796036401"}},
		scheme.RFC3339: {"date", nil, regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$`), []string{"2026-11-30T11:00:00Z", "2026-11-30T11:00:00.1Z", "2026-11-30T11:00:00.11+00:00"}},
		scheme.ISO8601: {"zoneless date", nil, regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?$`), []string{"2026-11-30T11:00:00", "2026-11-30T11:00:00.1", "2026-11-30T11:00:00.11"}},
	}
)

// layouts yields each message of up to five tokens that has one body, and at most one
// time.
func layouts(yield func([]token)) {
	var extend func(prefix []token)
	extend = func(prefix []token) {
		if slices.ContainsFunc(prefix, func(t token) bool { return t.name == "body" }) {
			yield(prefix)
		}
		if len(prefix) == 5 {
			return
		}
		for _, t := range tokens {
			if t.name == "body" && slices.ContainsFunc(prefix, func(o token) bool { return o.name == "body" }) {
				continue
			}
			extend(append(slices.Clone(prefix), t))
		}
		if !slices.ContainsFunc(prefix, func(o token) bool { return o.part == nil }) {
			for _, t := range times {
				extend(append(slices.Clone(prefix), t))
			}
		}
	}
	extend(nil)
}

// unitOf returns the unit of the time in a layout.
func unitOf(layout []token) (scheme.Unit, bool) {
	for unit, t := range times {
		if slices.ContainsFunc(layout, func(o token) bool { return o.name == t.name }) {
			return unit, true
		}
	}
	return 0, false
}

// splitDefinition makes a definition of a layout. The header of the part at index i is
// called X-i.
func splitDefinition(layout []token) scheme.Definition {
	d := bare()
	d.Message = nil
	for i, t := range layout {
		if t.part == nil {
			d.Message = append(d.Message, scheme.SignedTime())
		} else {
			d.Message = append(d.Message, t.part(fmt.Sprintf("X-%d", i)))
		}
	}
	if unit, timed := unitOf(layout); timed {
		d.Timestamp = scheme.Timestamp{Header: "X-Time", Unit: unit, Window: verify.Window{Past: 30 * day, Future: 30 * day}}
	}
	return d
}

// messages returns what the values of a layout make, each once.
func messages(layout []token) []string {
	all := []string{""}
	for _, t := range layout {
		values := t.values
		if t.name == "body" {
			values = append(slices.Clone(values), imitations(layout)...)
		}
		var longer []string
		for _, m := range all {
			for _, value := range values {
				longer = append(longer, m+value)
			}
		}
		all = longer
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// imitations returns bodies that look like what stands around the body.
func imitations(layout []token) []string {
	var all []string
	for i := range layout {
		text := ""
		for _, t := range layout[i:] {
			if t.name == "body" {
				break
			}
			text += t.values[0]
			all = append(all, text)
		}
	}
	return all
}

// splits returns the ways in which the grammar of a layout cuts a message, up to some.
func splits(layout []token, message string, most int) [][]string {
	var all [][]string
	var cut func(rest []token, message string, before []string)
	cut = func(rest []token, message string, before []string) {
		if len(all) == most {
			return
		}
		if len(rest) == 0 {
			if message == "" {
				all = append(all, slices.Clone(before))
			}
			return
		}
		for n := range len(message) + 1 {
			if rest[0].grammar.MatchString(message[:n]) {
				cut(rest[1:], message[n:], append(before, message[:n]))
			}
		}
	}
	cut(layout, message, nil)
	return all
}

// requestOf makes the head of a request with the values of a layout.
func requestOf(layout []token, values []string) *verify.Head {
	h := http.Header{"Bare-Signature": {strings.Repeat("0", 64)}}
	for i, t := range layout {
		if t.part == nil {
			h["X-Time"] = []string{values[i]}
		} else {
			h[fmt.Sprintf("X-%d", i)] = []string{values[i]}
		}
	}
	return &verify.Head{Header: h, ReceivedAt: splitAt}
}

// TestSplit compares what New takes with a splitter that tries every cut: of a definition
// that New takes no message splits into two requests that Begin takes; and of one that
// New refuses, some message splits in two ways.
func TestSplit(t *testing.T) {
	taken, refused, strict := 0, 0, 0
	layouts(func(layout []token) {
		if testing.Short() && len(layout) > 4 || t.Failed() {
			return
		}
		var names []string
		for _, o := range layout {
			names = append(names, o.name)
		}
		d := splitDefinition(layout)
		v, err := scheme.New(d, verify.Secrets(plainSecrets[0]), nil)
		if err != nil {
			refused++
			if !strings.Contains(err.Error(), "more than one way") {
				t.Errorf("%q: %v", names, err)
			}
			if !slices.ContainsFunc(messages(layout), func(m string) bool { return len(splits(layout, m, 2)) > 1 }) {
				strict++
				// A fraction has to have digits, so a zoneless date before two literals could
				// be told from them. No sender writes that.
				if i := slices.Index(names, "zoneless date"); i < 0 || i+1 == len(names) || !strings.HasPrefix(names[i+1], "'") {
					t.Errorf("%q is refused, and the splitter finds no message that splits in two ways", names)
				}
			}
			return
		}
		taken++
		for _, m := range messages(layout) {
			ways := 0
			for _, values := range splits(layout, m, 1<<10) {
				if _, err := v.Begin(t.Context(), requestOf(layout, values)); err == nil {
					ways++
				}
			}
			if ways > 1 {
				t.Errorf("%q: the message %q splits in %d ways", names, m, ways)
				return
			}
		}
	})
	t.Logf("%d definitions are taken, %d refused, of which %d needlessly", taken, refused, strict)
	if taken < 100 || refused < 100 {
		t.Errorf("%d definitions are taken and %d refused: does the test still look at anything?", taken, refused)
	}
}
