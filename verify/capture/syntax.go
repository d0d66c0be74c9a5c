package capture

import (
	"fmt"
	"strconv"
	"strings"
)

// SyntaxError says where a file is not what it should be. It holds nothing of the
// request's header and body.
type SyntaxError struct {
	File string // empty where it is not known
	Line int    // from 1, or 0 where a line says nothing
	Text string // what is wrong, and what was expected
}

// Error returns "capture: file:line: text".
func (e *SyntaxError) Error() string {
	var b strings.Builder
	b.WriteString("capture: ")
	if e.File != "" {
		b.WriteString(e.File + ":")
	}
	if e.Line > 0 {
		b.WriteString(strconv.Itoa(e.Line) + ":")
	}
	if e.File != "" || e.Line > 0 {
		b.WriteByte(' ')
	}
	return b.String() + e.Text
}

func syntax(line int, format string, args ...any) error {
	return &SyntaxError{Line: line, Text: fmt.Sprintf(format, args...)}
}
