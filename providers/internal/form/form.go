// Package form reads application/x-www-form-urlencoded bodies for schemes that sign what
// the fields of a form decode to.
//
// Such a signature does not cover the bytes of the body, so a handler's parser must find
// the same fields as the verifier. Parse therefore takes only forms that every parser reads
// alike.
package form

import (
	"bytes"
	"slices"
	"strings"
)

// Field is one field of a form, decoded.
type Field struct{ Name, Value string }

// Parse returns the fields of a form in the order of the body, or false if the body is no
// form or has more than most fields. An empty body is a form without fields.
//
// Each field must be a name, one "=" and a value, and the name must not be empty. What is
// not escaped must be visible ASCII other than ";" and "%", and an escape must have two
// hexadecimal digits. A name may stand several times.
func Parse(body []byte, most int) ([]Field, bool) {
	if len(body) == 0 {
		return nil, true
	}
	count := 1 + bytes.Count(body, []byte("&"))
	if count > most {
		return nil, false
	}
	fields := make([]Field, 0, count)
	for pair := range bytes.SplitSeq(body, []byte("&")) {
		name, value, ok := bytes.Cut(pair, []byte("="))
		if !ok || len(name) == 0 {
			return nil, false
		}
		f := Field{}
		if f.Name, ok = decode(name); !ok {
			return nil, false
		}
		if f.Value, ok = decode(value); !ok {
			return nil, false
		}
		fields = append(fields, f)
	}
	return fields, true
}

// decode undoes the escapes of a name or a value. It copies once: nobody knows yet who sent
// a body, which may be large.
func decode(s []byte) (string, bool) {
	escaped, size := false, len(s)
	for i := range len(s) {
		switch c := s[i]; {
		case c <= ' ' || c > '~' || c == ';' || c == '=':
			return "", false
		case c == '%':
			escaped = true
			size -= 2
		case c == '+':
			escaped = true
		}
	}
	if !escaped {
		return string(s), true
	}
	var b strings.Builder
	b.Grow(max(size, 0)) // what is no escape of three characters is refused below
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '+':
			b.WriteByte(' ')
		case '%':
			if i+2 >= len(s) {
				return "", false
			}
			hi, lo := digit(s[i+1]), digit(s[i+2])
			if hi > 15 || lo > 15 {
				return "", false
			}
			b.WriteByte(hi<<4 | lo)
			i += 2
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String(), true
}

// digit returns the value of a hexadecimal digit, or more than 15.
func digit(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 16
}

// StartsWithLetter reports whether the first of some sorted fields has a name that starts
// with an ASCII letter, or there are no fields. It is for schemes that sign the fields right
// behind a URL: where another endpoint has a URL that goes on, with "/x", "?x=1" or a digit,
// the rest of its URL could be passed off as the first field.
func StartsWithLetter(sorted []Field) bool {
	if len(sorted) == 0 {
		return true
	}
	c := sorted[0].Name[0] | 0x20
	return 'a' <= c && c <= 'z'
}

// Sort sorts fields by the bytes of their names, and those of one name by the bytes of
// their values.
func Sort(fields []Field) {
	slices.SortFunc(fields, func(a, b Field) int {
		if c := strings.Compare(a.Name, b.Name); c != 0 {
			return c
		}
		return strings.Compare(a.Value, b.Value)
	})
}
