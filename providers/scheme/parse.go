package scheme

import (
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
