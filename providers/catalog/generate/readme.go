package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/providers/catalog"
	"github.com/hooknotary/hooknotary/verify"
)

// The table of providers stands between two lines of README.md.
const (
	begin = "<!-- providers: written by go generate ./verify/diagnose -->\n"
	end   = "<!-- end of providers -->\n"
)

// readme returns README.md with the table as the catalogue has it.
func readme(all []catalog.Provider, text []byte) ([]byte, error) {
	before, rest, ok := bytes.Cut(text, []byte(begin))
	_, after, closed := bytes.Cut(rest, []byte(end))
	if !ok || !closed || bytes.Contains(after, []byte(begin)) {
		return nil, errors.New("want the two lines that hold the table of providers, once")
	}
	var b bytes.Buffer
	b.Write(before)
	b.WriteString(begin)
	b.WriteString("| provider | header of the signature | what is signed | signed time | retries | largest body | what the signature does not cover |\n")
	b.WriteString("|---|---|---|---|---|---|---|\n")
	for _, p := range all {
		a := p.About
		signed := a.Signed
		if a.Identifier != "" {
			signed += "; you configure the " + a.Identifier
		}
		fmt.Fprintf(&b, "| %s |\n", strings.Join([]string{
			fmt.Sprintf("[%s](providers/%s)", cell(a.Title), p.Package),
			"`" + cell(a.Headers[0].Name) + "`",
			cell(signed), window(p.Profile.Window), retries(p.Profile.Retry), size(p.Profile.MaxBody),
			cell(strings.Join(a.NotCovered, "; ")),
		}, " | "))
	}
	b.WriteString(end)
	b.Write(after)
	return b.Bytes(), nil
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
