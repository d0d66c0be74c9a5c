package jsonform

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
)

const (
	maxInside = 4 // strings of a document that may hold another body
	minInside = 8 // bytes of such a string
)

// Listed returns the bytes that a document lists as numbers, as JavaScript writes a Buffer,
// {"type":"Buffer","data":[123,34]}, and an array of bytes, [123,34] or {"0":123,"1":34}.
func (d *Document) Listed() []byte {
	tokens := d.tokens
	buffer := []string{"{", `"type"`, ":", `"Buffer"`, ",", `"data"`, ":"}
	is := len(tokens) > len(buffer)+1
	for i := 0; is && i < len(buffer); i++ {
		is = string(d.bytes(tokens[i])) == buffer[i]
	}
	if is {
		tokens = tokens[len(buffer) : len(tokens)-1]
	}
	last := len(tokens) - 1
	named := tokens[0].kind == '{'
	if last < 2 || !named && tokens[0].kind != '[' || int(tokens[0].match) != last && !is {
		return nil
	}
	var content []byte
	for i := 1; i < last; i++ {
		if named {
			if i+2 >= last || string(d.bytes(tokens[i])) != strconv.Quote(strconv.Itoa(len(content))) || tokens[i+1].kind != ':' {
				return nil
			}
			i += 2
		}
		n, err := strconv.ParseUint(string(d.bytes(tokens[i])), 10, 8)
		if err != nil {
			return nil
		}
		content = append(content, byte(n))
		if i++; i < last && tokens[i].kind != ',' {
			return nil
		}
	}
	return content
}

// Strings returns the strings of a JSON text that may be the body: the text itself, or
// those of a document, such as the event that a gateway hands to a function, that are
// long or look like JSON, the longest first. It sets bounded if there are more.
func (d *Document) Strings(bounded *bool) [][]byte {
	var may []token
	for _, t := range d.tokens {
		if size := int(t.end - t.start); t.kind == '"' && size >= minInside && (size >= len(d.Text)/8 || holdsJSON(d.bytes(t))) {
			may = append(may, t)
		}
	}
	slices.SortStableFunc(may, func(a, b token) int { return int(b.end-b.start) - int(a.end-a.start) })
	*bounded = *bounded || len(may) > maxInside
	var all [][]byte
	for _, t := range may[:min(len(may), maxInside)] {
		var s string
		if json.Unmarshal(d.bytes(t), &s) == nil {
			all = append(all, []byte(s))
		}
	}
	return all
}

// holdsJSON reports whether a string, with its quotes, begins as an object or an array,
// or as base64 of one.
func holdsJSON(s []byte) bool {
	for _, start := range [...]string{"{", "[", "ey", "ew", "W"} {
		if bytes.HasPrefix(s[1:], []byte(start)) {
			return true
		}
	}
	return false
}
