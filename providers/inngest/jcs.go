package inngest

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hooknotary/hooknotary/providers/internal/strictjson"
)

// maxValues bounds how many values a body may hold.
const maxValues = 100_000

// Causes of refusals. They hold nothing of the body.
var (
	errBorder = errors.New("the body is not a JSON object or array without white space around it")
	errNumber = errors.New("the body has a number that its canonical form would change")
	errOrder  = errors.New("names of the body that differ in upper and lower case alone do not stand in canonical order")
)

// canonicalize returns the canonical form of a body, as RFC 8785 has it. It refuses a body
// that two parsers could read in two ways.
func canonicalize(body []byte) ([]byte, error) {
	if n := len(body); n < 2 || (body[0] != '{' || body[n-1] != '}') && (body[0] != '[' || body[n-1] != ']') {
		return nil, errBorder
	}
	v, err := strictjson.Parse(body, maxValues)
	if err != nil {
		return nil, err
	}
	return appendValue(make([]byte, 0, len(body)), v)
}

func appendValue(out []byte, v strictjson.Value) (_ []byte, err error) {
	switch v.Kind {
	case strictjson.Object:
		members, err := ordered(v.Members)
		if err != nil {
			return nil, err
		}
		out = append(out, '{')
		for i, m := range members {
			if i > 0 {
				out = append(out, ',')
			}
			out = append(appendString(out, m.Name), ':')
			if out, err = appendValue(out, m.Value); err != nil {
				return nil, err
			}
		}
		return append(out, '}'), nil
	case strictjson.Array:
		out = append(out, '[')
		for i, e := range v.Elements {
			if i > 0 {
				out = append(out, ',')
			}
			if out, err = appendValue(out, e); err != nil {
				return nil, err
			}
		}
		return append(out, ']'), nil
	case strictjson.String:
		return appendString(out, v.Text), nil
	case strictjson.Number:
		return appendNumber(out, v.Text)
	}
	return append(out, v.Text...), nil // a word
}

// ordered returns members in canonical order.
func ordered(members []strictjson.Member) ([]strictjson.Member, error) {
	type member struct {
		at int
		strictjson.Member
	}
	list := make([]member, len(members))
	for i, m := range members {
		list[i] = member{i, m}
	}
	slices.SortFunc(list, func(a, b member) int { return compareUTF16(a.Name, b.Name) })
	last := make(map[string]int, len(list)) // where the last member of a folded name stands
	out := make([]strictjson.Member, len(list))
	for i, m := range list {
		folded := fold(m.Name)
		if at, ok := last[folded]; ok && at > m.at {
			return nil, errOrder
		}
		last[folded], out[i] = m.at, m.Member
	}
	return out, nil
}

// fold returns one text for all that strings.EqualFold takes to be equal.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		least := r
		for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
			least = min(least, other)
		}
		return least
	}, s)
}

// compareUTF16 compares two texts by their UTF-16 code units.
func compareUTF16(a, b string) int {
	for a != "" && b != "" {
		r, n := utf8.DecodeRuneInString(a)
		s, m := utf8.DecodeRuneInString(b)
		if r != s {
			// What takes two units starts with one of 0xD800 to 0xDBFF.
			if (r > 0xFFFF) == (s > 0xFFFF) {
				return cmp.Compare(r, s)
			}
			if r > 0xFFFF {
				return cmp.Compare(0xD800, s)
			}
			return cmp.Compare(r, 0xD800)
		}
		a, b = a[n:], b[m:]
	}
	return cmp.Compare(len(a), len(b))
}

func appendString(out []byte, s string) []byte {
	const digits = "0123456789abcdef"
	out = append(out, '"')
	for i := range len(s) {
		switch c := s[i]; c {
		case '"', '\\':
			out = append(out, '\\', c)
		case '\b':
			out = append(out, `\b`...)
		case '\t':
			out = append(out, `\t`...)
		case '\n':
			out = append(out, `\n`...)
		case '\f':
			out = append(out, `\f`...)
		case '\r':
			out = append(out, `\r`...)
		default:
			if c < ' ' {
				out = append(out, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
			} else {
				out = append(out, c)
			}
		}
	}
	return append(out, '"')
}

// appendNumber writes a number as ECMAScript does, whose numbers are float64. A text that
// says another number than the one that is written is refused.
func appendNumber(out []byte, text string) ([]byte, error) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(f, 0) || f == 0 && text[0] == '-' {
		return nil, errNumber
	}
	if f == 0 {
		if digits, _ := decimal(text); digits != "" { // too small for a float64
			return nil, errNumber
		}
		return append(out, '0'), nil
	}
	// The fewest digits that tell the number from others, and where its point stands.
	digits, point := decimal(strconv.FormatFloat(f, 'e', -1, 64))
	if d, p := decimal(text); d != digits || p != point {
		return nil, errNumber
	}
	if f < 0 {
		out = append(out, '-')
	}
	k := len(digits)
	switch {
	case k <= point && point <= 21:
		return append(append(out, digits...), strings.Repeat("0", point-k)...), nil
	case 0 < point && point <= 21:
		return append(append(append(out, digits[:point]...), '.'), digits[point:]...), nil
	case -6 < point && point <= 0:
		return append(append(append(out, "0."...), strings.Repeat("0", -point)...), digits...), nil
	}
	if out = append(out, digits[0]); k > 1 {
		out = append(append(out, '.'), digits[1:]...)
	}
	out = append(out, 'e')
	if point > 0 {
		out = append(out, '+')
	}
	return strconv.AppendInt(out, int64(point-1), 10), nil
}

// decimal returns the digits of a JSON number without zeros around them, and the place of
// the point behind their start: the number is 0.digits times ten to the power of point.
// Zero has no digits. An exponent that is no int counts as one that no float64 has.
func decimal(text string) (digits string, point int) {
	text = strings.TrimPrefix(text, "-")
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		exponent, err := strconv.ParseInt(strings.TrimPrefix(text[i+1:], "+"), 10, 32)
		if err != nil {
			exponent = math.MaxInt32
		}
		text, point = text[:i], int(exponent)
	}
	whole, fraction, _ := strings.Cut(text, ".")
	digits = whole + fraction
	point += len(whole)
	rest := strings.TrimLeft(digits, "0")
	point -= len(digits) - len(rest)
	return strings.TrimRight(rest, "0"), point
}
