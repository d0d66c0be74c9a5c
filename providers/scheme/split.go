package scheme

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
)

// bound says by what the end of a part is known that may be of any length.
type bound uint8

const (
	unbound     bound = iota
	byNext            // it may not contain the literal behind it
	byPrevious        // it may not contain the literal before it
	byItsDigits       // a decimal time of exactly 10 or 13 digits
)

// split proves that a signed message can be cut into its parts in one way only, and notes
// for each part what the proof demands of it.
//
// Otherwise two requests could have one signature: of {id}{time}{body} whoever can put text
// into a genuine event chooses id, time and body. So what is constant, what has a
// length of its own, and what cannot contain the text next to it is taken off, from the
// left and then from the right. At most one part may be left, the body.
func (d *Definition) split() error {
	left, right := 0, len(d.Message)
	for left < right && d.bounded(left, left+1, byNext) {
		left++
	}
	for left < right && d.bounded(right-1, right-2, byPrevious) {
		right--
	}
	if right-left > 1 {
		return errors.New("the Message splits in more than one way: " + d.kindName(left) + " and " + d.kindName(right-1) +
			" have no fixed length, and nothing between them that they cannot contain; put a Literal between them if the sender does, or use FixedField, UUIDField or UUIDOrHashField if the sender documents the form")
	}
	return nil
}

// bounded reports whether the part at an index can be told from what follows on the side
// of its neighbour, and notes the bound that this takes.
func (d *Definition) bounded(i, neighbour int, by bound) bool {
	p := &d.Message[i]
	var next Part
	if neighbour >= 0 && neighbour < len(d.Message) {
		next = d.Message[neighbour]
	}
	switch p.kind {
	case BodyPart:
		return false
	case FieldPart:
		if p.size > 0 || p.hash {
			return true
		}
		if next.kind == LiteralPart {
			p.bound = by
		}
		return next.kind == LiteralPart
	case TimePart:
		switch d.Timestamp.Unit {
		case Seconds, Milliseconds:
			if c := edge(next, by); c == 0 || c-'0' <= 9 {
				p.bound = byItsDigits
			}
		case ISO8601: // its fraction has any number of digits, and it starts like nothing inside it
			if c := edge(next, by); by == byNext && (c == 0 || c == '.' || c-'0' <= 9) {
				return false
			}
		}
	}
	return true
}

// edge returns the byte of a constant neighbour that touches a part, or zero.
func edge(neighbour Part, by bound) byte {
	switch text := neighbour.text; {
	case neighbour.kind == LiteralPart && by == byNext:
		return text[0]
	case neighbour.kind == LiteralPart:
		return text[len(text)-1]
	case neighbour.kind == MethodPart:
		return 'T' // no digit, on both sides
	case neighbour.kind == URLPart && by == byNext:
		return 'h' // a URL starts with a letter
	}
	return 0
}

// kindName says what a part is, for errors.
func (d *Definition) kindName(i int) string {
	switch p := d.Message[i]; p.kind {
	case FieldPart:
		return "the header " + p.text
	case TimePart:
		return "the time"
	}
	return "the body"
}

// fits reports whether the value of a signed header has the form that the part at an
// index demands.
func (d *Definition) fits(i int, value string) bool {
	p := d.Message[i]
	if len(value) > maxValue || !visible(value) {
		return false
	}
	switch {
	case p.hash:
		return isUUID(value) || isHash(value)
	case p.uuid:
		return isUUID(value)
	case p.size > 0:
		return len(value) == p.size
	case p.bound == byNext:
		return ends(value, d.Message[i+1].text)
	case p.bound == byPrevious:
		return starts(value, d.Message[i-1].text)
	}
	return true
}

// isUUID reports whether s is a UUID in lower case.
func isUUID(s string) bool {
	if len(s) != uuidSize {
		return false
	}
	for i := range len(s) {
		if hyphen := i == 8 || i == 13 || i == 18 || i == 23; hyphen != (s[i] == '-') || !hyphen && nibbles[s[i]] > 15 {
			return false
		}
	}
	return true
}

// isHash reports whether s is 32 bytes in URL-safe base64, and does not start as a UUID.
func isHash(s string) bool {
	if len(s) != base64.URLEncoding.EncodedLen(sha256.Size) || isUUID(s[:uuidSize]) {
		return false
	}
	_, ok := decodeBase64(base64.URLEncoding, nil, s)
	return ok
}

// ends reports whether the first end in value+end is the one behind value, so
// that nobody can move the border between them.
func ends(value, end string) bool {
	if len(end) == 1 {
		return !strings.Contains(value, end)
	}
	return strings.Index(value+end, end) == len(value)
}

// starts reports whether the last start in start+value is the one before value.
func starts(value, start string) bool {
	if len(start) == 1 {
		return !strings.Contains(value, start)
	}
	return strings.LastIndex(start+value, start) == 0
}
