package config

import (
	"fmt"
	"strings"
)

// Mistake is one thing that is wrong with a file.
type Mistake struct {
	File  string `json:"file"`  // as it was named; "" for flags
	Line  int    `json:"line"`  // 0: the mistake is about the whole file
	Field string `json:"field"` // "routes[1].upstream.url", or ""
	Text  string `json:"text"`  // what is wrong, and what to do
}

func (m Mistake) String() string {
	var b strings.Builder
	if m.File != "" {
		b.WriteString(m.File)
		if m.Line > 0 {
			fmt.Fprintf(&b, ":%d", m.Line)
		}
		b.WriteString(": ")
	}
	if m.Field != "" {
		b.WriteString(m.Field + ": ")
	}
	return b.String() + m.Text
}

// Mistakes is the error of Load: everything that is wrong, in the order of the lines. The text
// has a line for each.
type Mistakes []Mistake

func (m Mistakes) Error() string {
	var lines []string
	for _, one := range m {
		lines = append(lines, one.String())
	}
	return strings.Join(lines, "\n")
}
