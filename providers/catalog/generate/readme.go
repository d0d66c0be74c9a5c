package main

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/providers/catalog"
	"github.com/hooknotary/hooknotary/verify"
)

// The lists of providers stand between two lines, in README.md and in providers/README.md.
const (
	begin = "<!-- providers: written by go generate ./verify/diagnose -->\n"
	end   = "<!-- end of providers -->\n"
)

// between returns the text with another list between the two lines.
func between(text []byte, list string) ([]byte, error) {
	before, rest, ok := bytes.Cut(text, []byte(begin))
	_, after, closed := bytes.Cut(rest, []byte(end))
	if !ok || !closed || bytes.Contains(after, []byte(begin)) {
		return nil, errors.New("want the two lines that hold the list of providers, once")
	}
	return slices.Concat(before, []byte(begin+list+end), after), nil
}

// group is one kind of senders: what they sign, what that gives, and who belongs to it.
type group struct {
	signed, gives string
	has           func(p catalog.Provider) bool
}

// groups are the kinds of senders by what a guard can do for their receivers, the best
// first.
var groups = []group{
	{"time, body and an id", "A late copy is refused. A repeat is known by the id.",
		func(p catalog.Provider) bool { return covered(p) && timed(p) && !p.About.EqualBodies && hasID(p) }},
	{"time and body", "A late copy is refused. A repeat is known by what is signed.",
		func(p catalog.Provider) bool { return covered(p) && timed(p) }},
	{"body with an id in it", "No time: a copy verifies until the secret changes, so the store must remember. A repeat is known by the id.",
		func(p catalog.Provider) bool { return covered(p) && hasID(p) }},
	{"body", "No time: a copy verifies until the secret changes, so the store must remember. Equal bodies are one event.", covered},
	{"a part of the body, or a checksum", "Whoever holds a delivery can change the rest. The package says what is signed.",
		func(p catalog.Provider) bool { return p.Profile.Binding != verify.BindingNone }},
	{"not the body", "Whoever holds a delivery, or its token, can send any other body. The option is called `Insecure…`.",
		func(catalog.Provider) bool { return true }},
}

func covered(p catalog.Provider) bool { return p.Profile.Binding == verify.BindingFull }

func timed(p catalog.Provider) bool { return p.Profile.Window != (verify.Window{}) }

// hasID reports whether an id of the event is signed.
func hasID(p catalog.Provider) bool {
	if d := p.Definition; d != nil {
		return d.ID.Header != "" || d.ID.Member != ""
	}
	if p.About.InBody && p.About.Identifier == "" { // an HMAC over values of the body, of which none is the event's id
		return false
	}
	return !p.About.EqualBodies
}

// readme returns README.md with the providers of the catalogue, each with a link, in
// groups.
func readme(all []catalog.Provider, text []byte) ([]byte, error) {
	links := make([][]string, len(groups))
	for _, p := range all {
		i := slices.IndexFunc(groups, func(g group) bool { return g.has(p) })
		links[i] = append(links[i], link(p, "providers/"))
	}
	var b strings.Builder
	b.WriteString("| signed | what that gives | providers |\n|---|---|---|\n")
	for i, g := range groups {
		if len(links[i]) > 0 {
			fmt.Fprintf(&b, "| %s | %s | %s |\n", g.signed, g.gives, strings.Join(links[i], ", "))
		}
	}
	return between(text, b.String())
}

// link returns the provider's title with a link to its package, whose folder is in dir.
func link(p catalog.Provider, dir string) string {
	return fmt.Sprintf("[%s](%s%s)", cell(p.About.Title), dir, p.Package)
}

// long returns providers/README.md with what is known of each provider.
func long(all []catalog.Provider, text []byte) ([]byte, error) {
	var b strings.Builder
	b.WriteString("| provider | header | signed | signed time | known again by | retries | largest body | not covered | tested with a delivery of |\n")
	b.WriteString("|---|---|---|---|---|---|---|---|---|\n")
	for _, p := range all {
		a := p.About
		signed := a.Signed
		if a.Identifier != "" {
			signed += "; you configure the " + a.Identifier
		}
		outside := a.OutsideVector
		if outside == "" {
			outside = "nobody else"
		}
		header := "in the body"
		if !a.InBody && len(a.Headers) > 0 {
			header = "`" + cell(a.Headers[0].Name) + "`"
		}
		fmt.Fprintf(&b, "| %s |\n", strings.Join([]string{
			link(p, ""), header, cell(signed), window(p.Profile.Window), replayKey(p), retries(p.Profile.Retry), size(p.Profile.MaxBody),
			cell(strings.Join(a.NotCovered, "; ")), cell(outside),
		}, " | "))
	}
	return between(text, b.String())
}

// replayKey says by what a store knows an event again.
func replayKey(p catalog.Provider) string {
	switch {
	case hasID(p) && p.Definition != nil && p.Definition.ID.Member != "":
		return "`" + cell(p.Definition.ID.Member) + "` in the body"
	case hasID(p):
		return "a signed id"
	case p.Definition != nil && p.Definition.Partition != "":
		return "the body, and `" + cell(p.Definition.Partition) + "`"
	case p.About.EqualBodies && (p.Definition != nil || !timed(p)):
		return "the body"
	}
	return "what is signed" // also where code signs a time and no id
}

// cell returns a text that ends no cell of a table.
func cell(s string) string { return strings.NewReplacer("|", `\|`, "\n", " ").Replace(s) }

func window(w verify.Window) string {
	if w == (verify.Window{}) {
		return "none"
	}
	return span(w.Past) + " past, " + span(w.Future) + " ahead"
}

// span writes a duration in days, hours, minutes and seconds.
func span(d time.Duration) string {
	var said []string
	for _, unit := range []struct {
		size time.Duration
		name string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}} {
		switch n := d / unit.size; n {
		case 0:
		case 1:
			said = append(said, "1 "+unit.name)
		default:
			said = append(said, fmt.Sprintf("%d %ss", n, unit.name))
		}
		d %= unit.size
	}
	return strings.Join(said, " and ")
}

func retries(r verify.Retry) string {
	switch r {
	case verify.RetryResigned:
		return "signed anew each time"
	case verify.RetryIdentical:
		return "perhaps the same bytes"
	case verify.RetryNever:
		return "never by itself"
	}
	return "not known"
}

func size(n int64) string {
	switch {
	case n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}
