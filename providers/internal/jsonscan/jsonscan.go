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

// Number returns the text of the number that the JSON object in b has as the member of that
// name, which has no escapes. It reads the whole object, and finds nothing where another
// reader could find another number: where the member stands there twice, where a name
// differs from it in the case of letters only, where any name of the object has an
// escape, and where the object is not all of b. It does not validate what else the
// object holds.
func Number(b []byte, name string) (number []byte, ok bool) {
	b = skipSpace(b)
	if len(b) == 0 || b[0] != '{' {
		return nil, false
	}
	for b = skipSpace(b[1:]); ; b = skipSpace(b[1:]) {
		key, rest, ok := quoted(b)
		if !ok {
			return nil, false
		}
		b = skipSpace(rest)
		if len(b) == 0 || b[0] != ':' {
			return nil, false
		}
		value := skipSpace(b[1:])
		b = skipValue(value)
		switch {
		case string(key) == name && number == nil:
			if number = bytes.TrimRight(value[:len(value)-len(b)], " \n\r\t"); len(number) == 0 || number[0] == '"' {
				return nil, false
			}
		case bytes.EqualFold(key, []byte(name)):
			return nil, false
		}
		switch {
		case len(b) == 0:
			return nil, false
		case b[0] == '}':
			return number, number != nil && len(skipSpace(b[1:])) == 0
		case b[0] != ',':
			return nil, false
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
			end := stringEnd(b[i+1:])
			if end < 0 {
				return nil
			}
			i += 1 + end
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

// stringEnd returns where the quote stands that ends the string whose content b starts
// with, or -1.
func stringEnd(b []byte) int {
	for from := 0; ; {
		n := bytes.IndexByte(b[from:], '"')
		if n < 0 {
			return -1
		}
		end := from + n
		backslashes := 0
		for end-backslashes > from && b[end-backslashes-1] == '\\' {
			backslashes++
		}
		if backslashes%2 == 0 {
			return end
		}
		from = end + 1
	}
}
