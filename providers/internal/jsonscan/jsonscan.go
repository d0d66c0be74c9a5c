// Package jsonscan reads one member of a JSON object, from the front, without parsing
// the rest.
package jsonscan

import "bytes"

// Member returns the value of the first member of that name in the JSON object
// that b holds, if it is a string without escapes. It reads no further than
// that. A name with an escape ends the search: it could be the one.
//
// It does not validate: b is what a provider signed, and whatever it holds, the
// result is only a name for the event.
func Member(b []byte, name string) []byte {
	b = skipSpace(b)
	if len(b) == 0 || b[0] != '{' {
		return nil
	}
	for b = skipSpace(b[1:]); ; b = skipSpace(b[1:]) {
		key, rest, ok := quoted(b)
		if !ok {
			return nil
		}
		b = skipSpace(rest)
		if len(b) == 0 || b[0] != ':' {
			return nil
		}
		b = skipSpace(b[1:])
		if string(key) == name {
			value, _, _ := quoted(b)
			return value
		}
		b = skipSpace(skipValue(b))
		if len(b) == 0 || b[0] != ',' {
			return nil
		}
	}
}

func skipSpace(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\n' || b[0] == '\r' || b[0] == '\t') {
		b = b[1:]
	}
	return b
}

// quoted returns the content of the string that b starts with, if it has no
// escapes, and what follows.
func quoted(b []byte) (content, rest []byte, ok bool) {
	if len(b) == 0 || b[0] != '"' {
		return nil, nil, false
	}
	b = b[1:]
	end := bytes.IndexByte(b, '"')
	if end < 0 || bytes.IndexByte(b[:end], '\\') >= 0 {
		return nil, nil, false
	}
	return b[:end], b[end+1:], true
}

// skipValue returns what follows the value that b starts with.
func skipValue(b []byte) []byte {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			for i++; i < len(b) && b[i] != '"'; i++ {
				if b[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth < 0 {
				return b[i:]
			}
		case ',':
			if depth == 0 {
				return b[i:]
			}
		}
	}
	return nil
}
