package jsonform

import (
	"bytes"
	"slices"
	"unicode/utf16"
	"unicode/utf8"
)

// The scanner keeps every byte of a JSON text: encoding/json loses the order of
// members, the form of numbers and the spelling of strings, which is what a signature
// depends on.

const (
	MaxDepth  = 200     // of nested values
	maxTokens = 8 << 20 // of one text
)

// token is a piece of a JSON text without the white space around it. Its kind is the
// first byte: one of {}[],:" or the first of a word, and '0' for any number.
type token struct {
	start, end uint32
	match      uint32 // of an opening bracket: the index of the closing one
	kind       byte
}

// Document is a JSON text in tokens.
type Document struct {
	Text   []byte
	tokens []token
}

// Scan reads one JSON value and the white space around it. If the text ends too early
// but is right so far, it returns the brackets that are still open.
func Scan(text []byte) (d Document, open []byte, ok bool) {
	d.Text = text
	var (
		stack  []uint32 // indexes of open brackets
		want   = wantValue
		broken bool // the text ends inside of a token
	)
	for i := skipSpace(text, 0); i < len(text); i = skipSpace(text, i) {
		if len(d.tokens) == maxTokens {
			return d, nil, false
		}
		end, whole := tokenEnd(text, i)
		if end < 0 {
			return d, nil, false
		}
		t := token{start: uint32(i), end: uint32(end), kind: kindOf(text[i])}
		next, legal := want.after(t.kind)
		if !legal {
			return d, nil, false
		}
		switch t.kind {
		case '{', '[':
			if len(stack) == MaxDepth {
				return d, nil, false
			}
			stack = append(stack, uint32(len(d.tokens)))
		case '}', ']':
			top := len(stack) - 1
			if top < 0 || d.tokens[stack[top]].kind != t.kind-2 {
				return d, nil, false
			}
			d.tokens[stack[top]].match = uint32(len(d.tokens))
			stack = stack[:top]
		}
		if next == wantSeparator && len(stack) > 0 {
			if d.tokens[stack[len(stack)-1]].kind == '{' {
				next = wantCommaOrBrace
			} else {
				next = wantCommaOrBracket
			}
		}
		if t.kind == ',' && d.tokens[stack[len(stack)-1]].kind == '[' {
			next = wantValue
		}
		d.tokens = append(d.tokens, t)
		want, i = next, end
		broken = !whole
	}
	if len(stack) == 0 && want == wantSeparator && !broken {
		return d, nil, true
	}
	for _, s := range slices.Backward(stack) {
		open = append(open, d.tokens[s].kind+2)
	}
	return d, open, false
}

// state is what may come next.
type state uint8

const (
	wantValue          state = iota
	wantValueOrBracket       // behind [
	wantKeyOrBrace           // behind {
	wantKey                  // behind a comma in an object
	wantColon
	wantCommaOrBrace
	wantCommaOrBracket
	wantSeparator // behind a value: decided by what is around it, or the end
)

// after returns what may follow a token of that kind, and whether the token itself may
// stand here.
func (s state) after(kind byte) (state, bool) {
	switch kind {
	case '{':
		return wantKeyOrBrace, s <= wantValueOrBracket
	case '[':
		return wantValueOrBracket, s <= wantValueOrBracket
	case '}':
		return wantSeparator, s == wantKeyOrBrace || s == wantCommaOrBrace
	case ']':
		return wantSeparator, s == wantValueOrBracket || s == wantCommaOrBracket
	case ':':
		return wantValue, s == wantColon
	case ',':
		return wantKey, s == wantCommaOrBrace || s == wantCommaOrBracket
	case '"':
		if s == wantKey || s == wantKeyOrBrace {
			return wantColon, true
		}
	}
	return wantSeparator, s <= wantValueOrBracket
}

func kindOf(c byte) byte {
	if c == '-' || c >= '0' && c <= '9' {
		return '0'
	}
	return c
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t') {
		i++
	}
	return i
}

// tokenEnd returns where the token ends that starts at i, or -1 if none does. It is
// not whole if the text ends in it.
func tokenEnd(b []byte, i int) (end int, whole bool) {
	switch c := b[i]; {
	case c == '{', c == '}', c == '[', c == ']', c == ',', c == ':':
		return i + 1, true
	case c == '"':
		for j := i + 1; j < len(b); j++ {
			switch b[j] {
			case '\\':
				j++
			case '"':
				return j + 1, true
			}
		}
		return len(b), false
	case kindOf(c) == '0':
		j := i + 1
		for j < len(b) && (b[j]|0x20 == 'e' || b[j] == '.' || b[j] == '+' || kindOf(b[j]) == '0') {
			j++
		}
		return j, true
	}
	for _, word := range [...]string{"true", "false", "null"} {
		if bytes.HasPrefix(b[i:], []byte(word)) {
			return i + len(word), true
		}
		if bytes.HasPrefix([]byte(word), b[i:]) {
			return len(b), false
		}
	}
	return -1, false
}

func (d *Document) bytes(t token) []byte { return d.Text[t.start:t.end] }

// Order is an order of the members of an object.
type Order uint8

// The orders.
const (
	OrderKept   Order = iota
	OrderSorted       // by name, behind those of Usual.First
)

// before compares the names of two members in sorted objects in which the members that
// first lists stand first.
func before(first []string, a, b []byte) int {
	rank := func(name []byte) int {
		for i := range first {
			if string(name) == first[i] { // copies nothing
				return i
			}
		}
		return len(first)
	}
	if ra, rb := rank(a), rank(b); ra != rb {
		return ra - rb
	}
	return bytes.Compare(a, b)
}

// reorder returns the tokens with the members of every object in that order.
func (d *Document) reorder(o Order, first []string) []token {
	out := make([]token, 0, len(d.tokens))
	var emit func(i uint32) // one value; no deeper than MaxDepth
	emit = func(i uint32) {
		t := d.tokens[i]
		out = append(out, t)
		if t.kind != '{' && t.kind != '[' {
			return
		}
		for n, m := range d.members(i, o, first) {
			if n > 0 {
				out = append(out, token{kind: ','})
			}
			if t.kind == '{' {
				out = append(out, d.tokens[m], d.tokens[m+1])
				m += 2
			}
			emit(m)
		}
		out = append(out, d.tokens[t.match])
	}
	emit(0)
	return out
}

// members returns the indexes at which the members of the object, or the elements of
// the array, begin that opens at i, in that order.
func (d *Document) members(i uint32, o Order, first []string) []uint32 {
	var all []uint32
	object, end := d.tokens[i].kind == '{', d.tokens[i].match
	for j := i + 1; j < end; j++ { // j stands on a comma after each round
		all = append(all, j)
		if object {
			j += 2
		}
		if m := d.tokens[j].match; m > j {
			j = m
		}
		j++
	}
	if object && o != OrderKept {
		slices.SortStableFunc(all, func(a, b uint32) int { return before(first, d.name(a), d.name(b)) })
	}
	return all
}

// name returns the name of the member that begins at i, as it is written.
func (d *Document) name(i uint32) []byte {
	b := d.bytes(d.tokens[i])
	return b[1 : len(b)-1]
}

// Sorted reports whether the members of every object stand in the order of their names,
// or of the length of their names, as databases and maps write them, and how many pairs
// of neighbours say so.
func (d *Document) Sorted() (bool, int) {
	pairs, byName, byLength := 0, true, true
	for i, t := range d.tokens {
		if t.kind != '{' {
			continue
		}
		members := d.members(uint32(i), OrderKept, nil)
		for n := 1; n < len(members); n++ {
			a, b := d.name(members[n-1]), d.name(members[n])
			pairs++
			byName = byName && bytes.Compare(a, b) < 0
			byLength = byLength && (len(a) < len(b) || len(a) == len(b) && bytes.Compare(a, b) < 0)
			if !byName && !byLength {
				return false, pairs
			}
		}
	}
	return true, pairs
}

// White is a way to write white space between tokens.
type White uint8

const (
	WhiteKept White = iota
	WhiteNone
	WhiteTwo
	WhiteFour
	WhiteTab
	WhiteSpaced // ", " and ": ", as Python writes
	WhiteRuby   // two spaces, and line ends in what is empty
)

// Indent returns what a level of nesting adds to the start of a line.
func (w White) Indent() string {
	switch w {
	case WhiteTwo, WhiteRuby:
		return "  "
	case WhiteFour:
		return "    "
	case WhiteTab:
		return "\t"
	}
	return ""
}

// escapes is a way to write some of the characters of strings.
type escapes uint8

const (
	escapeKept escapes = iota
	escapeNone
	escapeAll
	escapeAllUpper // with upper-case digits
	escapeLines    // U+2028 and U+2029 alone
	escapeLower    // what is escaped, with lower-case digits
	escapeUpper    // what is escaped, with upper-case digits
)

// form is a way to write a document.
type form struct {
	white   White
	order   Order
	html    escapes // of <, > and &
	unicode escapes // of what is not ASCII
	slash   escapes // of /
	end     lineEnd
	numbers map[string]string // by how they are written now; may be nil

	// What is otherwise at some places only, by where it starts. May be nil.
	fraction  map[uint32]string // what stands behind a number
	exchanged map[uint32]bool   // empty objects that are arrays, and the reverse
}

// lineEnd is what stands behind the last token.
type lineEnd uint8

const (
	endKept lineEnd = iota
	endNone
	endLF
)

// write appends the document in that form. The tokens are those of the document, in the
// order of the form.
func (d *Document) write(dst []byte, tokens []token, f *form) []byte {
	var last token
	level := 0
	exchange := byte(0) // for the closing bracket of an exchanged pair
	for i, t := range tokens {
		if t.kind == '}' || t.kind == ']' {
			level--
		}
		if f.white == WhiteKept {
			dst = append(dst, d.Text[last.end:t.start]...)
		} else {
			dst = f.white.gap(dst, last.kind, t.kind, level)
		}
		switch t.kind {
		case '{', '[':
			if f.exchanged[t.start] {
				exchange = '{' ^ '['
			}
			dst = append(dst, t.kind^exchange)
			level++
		case '"':
			dst = f.appendString(dst, d.bytes(t))
		case '0':
			other, ok := "", false
			if f.numbers != nil {
				other, ok = f.numbers[string(d.bytes(t))]
			}
			if ok {
				dst = append(dst, other...)
			} else {
				dst = append(dst, d.bytes(t)...)
				dst = append(dst, f.fraction[t.start]...)
			}
		case '}', ']':
			dst = append(dst, t.kind^exchange)
			exchange = 0
		case ',', ':':
			dst = append(dst, t.kind)
		default:
			dst = append(dst, d.bytes(t)...)
		}
		last = tokens[i]
	}
	switch f.end {
	case endKept:
		dst = append(dst, d.Text[d.tokens[len(d.tokens)-1].end:]...)
	case endLF:
		dst = append(dst, '\n')
	}
	return dst
}

// gap appends the white space between two tokens.
func (w White) gap(dst []byte, before, after byte, level int) []byte {
	if w == WhiteNone || before == 0 {
		return dst
	}
	if w == WhiteSpaced {
		if before == ',' || before == ':' {
			dst = append(dst, ' ')
		}
		return dst
	}
	opened, closes := before == '{' || before == '[', after == '}' || after == ']'
	switch {
	case before == ':':
		return append(dst, ' ')
	case opened && closes && w != WhiteRuby:
		return dst
	case opened && closes && after == ']':
		dst = append(dst, '\n')
	case !opened && !closes && before != ',':
		return dst
	}
	dst = append(dst, '\n')
	for range level {
		dst = append(dst, w.Indent()...)
	}
	return dst
}

// appendString appends a string, with its quotes, in that form.
func (f *form) appendString(dst, s []byte) []byte {
	if f.html == escapeKept && f.unicode == escapeKept && f.slash == escapeKept {
		return append(dst, s...)
	}
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '\\' && i+1 < len(s) && s[i+1] == 'u':
			r, n := unescape(s[i:])
			if n == 0 {
				dst = append(dst, s[i:i+2]...)
				i += 2
				continue
			}
			dst = f.appendRune(dst, r, s[i:i+n], true)
			i += n
		case c == '\\' && i+1 < len(s):
			if s[i+1] == '/' {
				dst = f.appendSlash(dst, true)
			} else {
				dst = append(dst, s[i:i+2]...)
			}
			i += 2
		case c == '/':
			dst = f.appendSlash(dst, false)
			i++
		case isHTML(rune(c)):
			dst = f.appendRune(dst, rune(c), s[i:i+1], false)
			i++
		case c < utf8.RuneSelf:
			dst = append(dst, c)
			i++
		default:
			r, n := utf8.DecodeRune(s[i:])
			if r == utf8.RuneError && n == 1 {
				dst = append(dst, c)
			} else {
				dst = f.appendRune(dst, r, s[i:i+n], false)
			}
			i += n
		}
	}
	return dst
}

func isHTML(r rune) bool { return r == '<' || r == '>' || r == '&' }

func (f *form) appendSlash(dst []byte, escaped bool) []byte {
	if f.slash == escapeAll || f.slash == escapeKept && escaped {
		dst = append(dst, '\\')
	}
	return append(dst, '/')
}

// appendRune appends a character that is written as raw, which may be an escape.
func (f *form) appendRune(dst []byte, r rune, raw []byte, escaped bool) []byte {
	if isHTML(r) && f.html != escapeKept {
		if f.html == escapeNone {
			return append(dst, byte(r))
		}
		return appendEscape(dst, r, f.unicode == escapeAllUpper || f.unicode == escapeUpper)
	}
	switch f.unicode {
	case escapeLower, escapeUpper:
		if escaped {
			return appendDigits(dst, raw, f.unicode == escapeUpper)
		}
	case escapeNone, escapeAll, escapeAllUpper, escapeLines:
		upper := f.unicode == escapeAllUpper
		switch {
		case isHTML(r) || utf16.IsSurrogate(r):
			if escaped && f.unicode != escapeNone && f.unicode != escapeLines {
				return appendDigits(dst, raw, upper)
			}
		case r == '"' || r == '\\':
			return append(dst, '\\', byte(r))
		case r < ' ':
			return appendControl(dst, r, upper)
		case r >= utf8.RuneSelf && (f.unicode == escapeAll || upper),
			f.unicode == escapeLines && (r == '\u2028' || r == '\u2029'):
			return appendEscape(dst, r, upper)
		default:
			return utf8.AppendRune(dst, r)
		}
	}
	return append(dst, raw...)
}

// appendControl appends a control character in its shortest form.
func appendControl(dst []byte, r rune, upper bool) []byte {
	if i := bytes.IndexByte([]byte("\b\t\n\f\r"), byte(r)); i >= 0 {
		return append(dst, '\\', "btnfr"[i])
	}
	return appendEscape(dst, r, upper)
}

func appendEscape(dst []byte, r rune, upper bool) []byte {
	if r > 0xffff {
		high, low := utf16.EncodeRune(r)
		return appendEscape(appendEscape(dst, high, upper), low, upper)
	}
	digits := "0123456789abcdef"
	if upper {
		digits = "0123456789ABCDEF"
	}
	return append(dst, '\\', 'u', digits[r>>12&15], digits[r>>8&15], digits[r>>4&15], digits[r&15])
}

// appendDigits appends escapes with their hexadecimal digits in one case.
func appendDigits(dst, raw []byte, upper bool) []byte {
	for _, c := range raw {
		switch {
		case upper && c >= 'a' && c <= 'f':
			c -= 'a' - 'A'
		case !upper && c >= 'A' && c <= 'F':
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}

// unescape reads the \u escape, or the pair of them, that s starts with. It returns how
// long it is, or 0 if it is none.
func unescape(s []byte) (rune, int) {
	r, ok := hex4(s)
	if !ok {
		return 0, 0
	}
	if utf16.IsSurrogate(r) {
		if low, ok := hex4(s[6:]); ok {
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				return pair, 12
			}
		}
	}
	return r, 6
}

func hex4(s []byte) (rune, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range s[2:6] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
