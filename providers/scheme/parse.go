package scheme

import (
	"encoding/base64"
	"slices"
	"strings"
	"time"
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

// decodeUpperHex appends what s encodes in upper-case hexadecimal.
func decodeUpperHex(dst []byte, s string) ([]byte, bool) {
	for i := range len(s) {
		if s[i] >= 'a' {
			return dst, false
		}
	}
	return decodeHex(dst, strings.ToLower(s))
}

// decodeBase64 appends what s encodes in that form of base64. The decoder of
// the standard library skips line breaks and, unless strict, ignores trailing
// bits; a text that does not come back from the encoder is refused.
func decodeBase64(form *base64.Encoding, dst []byte, s string) ([]byte, bool) {
	start := len(dst)
	dst, err := form.Strict().AppendDecode(dst, []byte(s))
	if err != nil || form.EncodedLen(len(dst)-start) != len(s) {
		return dst, false
	}
	return dst, true
}

// base64 returns the form of base64 that e is, or nil.
func (e Encoding) base64() *base64.Encoding {
	switch e {
	case Base64:
		return base64.StdEncoding
	case Base64URL:
		return base64.URLEncoding
	case RawBase64URL:
		return base64.RawURLEncoding
	}
	return nil
}

// writes reports whether c is a character of the encoding.
func (e Encoding) writes(c byte) bool {
	upper, lower, digit := 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9'
	switch e {
	case Hex:
		return digit || lower && c <= 'f'
	case UpperHex:
		return digit || upper && c <= 'F'
	case Base64:
		return digit || upper || lower || c == '+' || c == '/' || c == '='
	case Base64URL:
		return digit || upper || lower || c == '-' || c == '_' || c == '='
	}
	return digit || upper || lower || c == '-' || c == '_'
}

// encodedLen returns how long the text of n bytes is.
func (e Encoding) encodedLen(n int) int {
	if form := e.base64(); form != nil {
		return form.EncodedLen(n)
	}
	return 2 * n
}

// decode appends what s encodes, if it is what the encoder would write.
func (e Encoding) decode(dst []byte, s string) ([]byte, bool) {
	switch e {
	case Hex:
		return decodeHex(dst, s)
	case UpperHex:
		return decodeUpperHex(dst, s)
	}
	return decodeBase64(e.base64(), dst, s)
}

// parse reads a time that is written in this unit.
func (u Unit) parse(s string) (time.Time, bool) {
	switch u {
	case RFC3339, ISO8601:
		return parseDate(s, u == RFC3339)
	}
	n, ok := decimal(s)
	if !ok {
		return time.Time{}, false
	}
	if u == Milliseconds {
		return time.UnixMilli(n).UTC(), true
	}
	return time.Unix(n, 0).UTC(), true
}

// parseDate reads a date and a time of day, behind it a point and up to nine digits, or
// nothing, and with zone a Z or an offset. The parser of the standard library takes more
// than that.
func parseDate(s string, zone bool) (time.Time, bool) {
	const form = "0000-00-00T00:00:00"
	if len(s) < len(form) || !shaped(s[:len(form)], form) {
		return time.Time{}, false
	}
	rest := s[len(form):]
	if strings.HasPrefix(rest, ".") {
		digits := 0
		for digits+1 < len(rest) && rest[digits+1]-'0' <= 9 {
			digits++
		}
		if digits == 0 || digits > 9 {
			return time.Time{}, false
		}
		rest = rest[digits+1:]
	}
	layout := "2006-01-02T15:04:05"
	switch {
	case !zone && rest == "":
	case zone && (rest == "Z" || shaped(rest, "+00:00") || shaped(rest, "-00:00")):
		layout = time.RFC3339
	default:
		return time.Time{}, false
	}
	t, err := time.Parse(layout, s)
	return t.UTC(), err == nil
}

// shaped reports whether s is form, with any digit for each of its zeros.
func shaped(s, form string) bool {
	if len(s) != len(form) {
		return false
	}
	for i := range len(s) {
		if form[i] == '0' && s[i]-'0' > 9 || form[i] != '0' && s[i] != form[i] {
			return false
		}
	}
	return true
}
