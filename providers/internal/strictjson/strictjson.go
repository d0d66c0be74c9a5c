// Package strictjson parses a JSON text of which no two readers can have two opinions,
// within bounds, before anybody knows who wrote it: for schemes that sign values inside
// of the body.
//
// It accepts less than RFC 8259 allows: no name may stand twice in an object, no escape
// may stand for half a character, and there is nothing behind the value. So whatever
// parser the handler uses, it reads the values that were verified.
package strictjson

import (
	"errors"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth bounds how deeply objects and arrays may be nested.
const maxDepth = 32

// Errors say what is wrong, and hold nothing of the text.
var (
	ErrSyntax    = errors.New("the body is no JSON")
	ErrDuplicate = errors.New("a name stands twice in one object of the body")
	ErrBounds    = errors.New("the body has too many values, or they are nested too deeply")
)

// Kind is the type of a Value. The zero Kind is that of no value.
type Kind uint8

// The kinds.
const (
	Object Kind = iota + 1
	Array
	String
	Number
	Bool
	Null
)

// Value is a JSON value. The zero Value is none: a member that is not there.
type Value struct {
	Kind     Kind
	Text     string // of a String without its escapes; of a Number and a Bool as it stands there
	Members  []Member
	Elements []Value
}

// Member is a member of an Object.
type Member struct {
	Name  string
	Value Value
}

// Parse parses a text with at most that many values in it.
func Parse(text []byte, maxValues int) (Value, error) {
	if !utf8.Valid(text) {
		return Value{}, ErrSyntax
	}
	p := parser{rest: text, left: maxValues}
	p.space()
	v := p.value(maxDepth)
	p.space()
	if p.err == nil && len(p.rest) > 0 {
		p.err = ErrSyntax
	}
	if p.err != nil {
		return Value{}, p.err
	}
	return v, nil
}

// Get returns a member of an Object, or the zero Value. It fails where another member has
// the same name but for upper and lower case: package encoding/json might take that one.
func (v Value) Get(name string) (Value, error) {
	var found Value
	for _, m := range v.Members {
		switch {
		case m.Name == name:
			found = m.Value
		case strings.EqualFold(m.Name, name):
			return Value{}, ErrDuplicate
		}
	}
	return found, nil
}

type parser struct {
	rest []byte
	left int // values that are still allowed
	err  error
}

func (p *parser) fail(err error) Value {
	if p.err == nil {
		p.err = err
	}
	return Value{}
}

func (p *parser) space() {
	for len(p.rest) > 0 && (p.rest[0] == ' ' || p.rest[0] == '\n' || p.rest[0] == '\r' || p.rest[0] == '\t') {
		p.rest = p.rest[1:]
	}
}

// take skips c, and white space behind it, if c is next.
func (p *parser) take(c byte) bool {
	if p.err != nil || len(p.rest) == 0 || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	p.space()
	return true
}

func (p *parser) value(depth int) Value {
	if p.left--; p.left < 0 || depth == 0 {
		return p.fail(ErrBounds)
	}
	if len(p.rest) == 0 {
		return p.fail(ErrSyntax)
	}
	switch p.rest[0] {
	case '{':
		return p.object(depth)
	case '[':
		return p.array(depth)
	case '"':
		return Value{Kind: String, Text: p.text()}
	case 't':
		return p.word("true", Bool)
	case 'f':
		return p.word("false", Bool)
	case 'n':
		return p.word("null", Null)
	}
	return p.number()
}

func (p *parser) word(word string, kind Kind) Value {
	if len(p.rest) < len(word) || string(p.rest[:len(word)]) != word {
		return p.fail(ErrSyntax)
	}
	p.rest = p.rest[len(word):]
	return Value{Kind: kind, Text: word}
}

func (p *parser) object(depth int) Value {
	v := Value{Kind: Object}
	p.take('{')
	if p.take('}') {
		return v
	}
	var names map[string]bool // from the 9th member on
	for {
		if len(p.rest) == 0 || p.rest[0] != '"' {
			return p.fail(ErrSyntax)
		}
		m := Member{Name: p.text()}
		p.space()
		if !p.take(':') {
			return p.fail(ErrSyntax)
		}
		m.Value = p.value(depth - 1)
		p.space()
		if p.err != nil {
			return Value{}
		}
		if names == nil && len(v.Members) < 8 {
			for _, other := range v.Members {
				if other.Name == m.Name {
					return p.fail(ErrDuplicate)
				}
			}
		} else {
			if names == nil {
				names = make(map[string]bool)
				for _, other := range v.Members {
					names[other.Name] = true
				}
			}
			if names[m.Name] {
				return p.fail(ErrDuplicate)
			}
			names[m.Name] = true
		}
		v.Members = append(v.Members, m)
		if p.take('}') {
			break
		}
		if !p.take(',') {
			return p.fail(ErrSyntax)
		}
	}
	return v
}

func (p *parser) array(depth int) Value {
	v := Value{Kind: Array}
	p.take('[')
	if p.take(']') {
		return v
	}
	for {
		e := p.value(depth - 1)
		p.space()
		if p.err != nil {
			return Value{}
		}
		v.Elements = append(v.Elements, e)
		if p.take(']') {
			return v
		}
		if !p.take(',') {
			return p.fail(ErrSyntax)
		}
	}
}

// number reads a number as RFC 8259 has it: no plus, no leading zero, no bare point.
func (p *parser) number() Value {
	n := 0
	digits := func() bool {
		start := n
		for n < len(p.rest) && '0' <= p.rest[n] && p.rest[n] <= '9' {
			n++
		}
		return n > start
	}
	next := func(set string) bool {
		if n < len(p.rest) {
			for i := range len(set) {
				if p.rest[n] == set[i] {
					n++
					return true
				}
			}
		}
		return false
	}
	next("-")
	if !next("0") && !digits() {
		return p.fail(ErrSyntax)
	}
	if next(".") && !digits() {
		return p.fail(ErrSyntax)
	}
	if next("eE") {
		next("+-")
		if !digits() {
			return p.fail(ErrSyntax)
		}
	}
	v := Value{Kind: Number, Text: string(p.rest[:n])}
	p.rest = p.rest[n:]
	return v
}

// text reads a string, of which the quotation mark is next.
func (p *parser) text() string {
	b := p.rest[1:]
	n := 0
	for n < len(b) && b[n] != '"' && b[n] != '\\' && b[n] >= ' ' {
		n++
	}
	if n < len(b) && b[n] == '"' { // in most cases
		p.rest = b[n+1:]
		return string(b[:n])
	}
	out := append(make([]byte, 0, n+32), b[:n]...)
	for b = b[n:]; len(b) > 0 && b[0] >= ' '; {
		switch b[0] {
		case '"':
			p.rest = b[1:]
			return string(out)
		case '\\':
			r, size := escape(b)
			if size == 0 {
				p.fail(ErrSyntax)
				return ""
			}
			out, b = utf8.AppendRune(out, r), b[size:]
		default:
			out, b = append(out, b[0]), b[1:]
		}
	}
	p.fail(ErrSyntax)
	return ""
}

// escape reads the escape that b starts with. The size is 0 if it is none, or half a
// character.
func escape(b []byte) (r rune, size int) {
	if len(b) < 2 {
		return 0, 0
	}
	switch b[1] {
	case '"', '\\', '/':
		return rune(b[1]), 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	}
	r, ok := unit(b)
	switch {
	case !ok:
		return 0, 0
	case !utf16.IsSurrogate(r):
		return r, 6
	}
	low, ok := unit(b[6:])
	if r = utf16.DecodeRune(r, low); !ok || r == unicode.ReplacementChar {
		return 0, 0
	}
	return r, 12
}

// unit reads one escape of the form \u0000.
func unit(b []byte) (rune, bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	for _, c := range b[2:6] {
		if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'f') {
			return 0, false
		}
	}
	n, err := strconv.ParseUint(string(b[2:6]), 16, 16)
	return rune(n), err == nil
}
