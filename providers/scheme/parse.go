package scheme

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strings"
)

// visible reports whether s is one or more bytes of printing ASCII without
// space.
func visible(s string) bool {
	for i := range len(s) {
		if s[i]-'!' > '~'-'!' {
			return false
		}
	}
	return s != ""
}

// ends reports whether the first end in value+end is the one behind value, so
// that nobody can move the border between them.
func ends(value, end string) bool {
	if len(end) == 1 {
		return !strings.Contains(value, end)
	}
	return strings.Index(value+end, end) == len(value)
}

// decimal parses a number that has one spelling only: digits, no sign, no
// leading zero.
func decimal(s string) (int64, bool) {
	if s == "" || len(s) > 15 || s[0] == '0' && len(s) > 1 {
		return 0, false
	}
	var n int64
	for i := 0; i < len(s); i++ {
		c := s[i] - '0'
		if c > 9 {
			return 0, false
		}
		n = n*10 + int64(c)
	}
	return n, true
}

// decodeHex appends what s encodes in lower-case hexadecimal.
func decodeHex(dst []byte, s string) ([]byte, bool) {
	start, size := len(dst), len(s)/2
	dst = slices.Grow(dst, size)[:start+size]
	out := dst[start:]
	var all byte
	for i := range out {
		pair := s[2*i : 2*i+2]
		hi, lo := nibbles[pair[0]], nibbles[pair[1]]
		all |= hi | lo
		out[i] = hi<<4 | lo
	}
	return dst, all <= 15 && len(s)%2 == 0
}

const (
	none16 = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"

	// nibbles holds the value of each lower-case digit at its place in ASCII, and
	// 255 for any other byte.
	nibbles = none16 + none16 + none16 +
		"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\xff\xff\xff\xff\xff\xff" + // '0' to '9'
		none16 + none16 +
		"\xff\x0a\x0b\x0c\x0d\x0e\x0f\xff\xff\xff\xff\xff\xff\xff\xff\xff" + // 'a' to 'f'
		none16 + none16 + none16 + none16 + none16 + none16 + none16 + none16 + none16
)

// decodeBase64 appends what s encodes in padded standard base64. The decoder of
// the standard library skips line breaks and, unless strict, ignores trailing
// bits; a text that does not come back from the encoder is refused.
func decodeBase64(dst []byte, s string) ([]byte, bool) {
	start := len(dst)
	dst, err := base64.StdEncoding.Strict().AppendDecode(dst, []byte(s))
	if err != nil || base64.StdEncoding.EncodedLen(len(dst)-start) != len(s) {
		return dst, false
	}
	return dst, true
}

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
