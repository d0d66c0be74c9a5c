package diagnose

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"io"
	"iter"
	"net/url"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/hooknotary/hooknotary/verify/diagnose/internal/jsonform"
)

const (
	maxUnwrapped = 16      // bodies found inside of the body
	maxRatio     = 200     // by which a compressed body may grow
	minInside    = 8       // bytes of a text that may hold the body
	maxForm      = 1 << 20 // bytes of a body that is written as a form
)

// variant is a body that may have been signed, and what must have happened to it.
type variant struct {
	body []byte
	ids  []ID
}

// edit undoes a change. It returns nil where there is nothing to undo.
type edit struct {
	id   ID
	undo func([]byte) []byte
}

// edits are what editors, terminals and Git do to a body: at its end, to its line ends,
// and at its start. One of each kind is tried, alone and together with the others.
var edits = [...][]edit{
	{{}, {BodyNewlineAdded, withoutLineEnd}, {BodyNewlineAdded, withoutSpace}, {BodyNewlineCut, withLF}, {BodyNewlineCut, withCRLF}},
	{{}, {BodyLineEnds, toLF}, {BodyLineEnds, toCRLF}},
	{{}, {BodyBOM, withoutMark}, {BodyBOM, withMark}},
}

// edited yields what the body may have been before it was edited, with one change first.
func edited(body []byte) iter.Seq[variant] {
	return func(yield func(variant) bool) {
		for changes := 1; changes <= len(edits); changes++ {
			for _, end := range edits[0] {
				for _, lines := range edits[1] {
					for _, mark := range edits[2] {
						v, ok := apply(body, changes, mark, lines, end)
						if ok && !yield(v) {
							return
						}
					}
				}
			}
		}
	}
}

// apply undoes several changes. It is false unless exactly so many have an effect.
func apply(body []byte, changes int, several ...edit) (variant, bool) {
	v := variant{body: body}
	for _, e := range several {
		if e.undo == nil {
			continue
		}
		if len(v.ids) == changes {
			return v, false
		}
		if v.body = e.undo(v.body); v.body == nil {
			return v, false
		}
		v.ids = append(v.ids, e.id)
	}
	slices.Reverse(v.ids)
	return v, len(v.ids) == changes
}

func withoutLineEnd(b []byte) []byte {
	rest, ok := bytes.CutSuffix(b, []byte("\n"))
	if !ok {
		return nil
	}
	return bytes.TrimSuffix(rest, []byte("\r"))
}

func withoutSpace(b []byte) []byte {
	rest := bytes.TrimRight(b, " \t\r\n\x00")
	if len(rest) == len(b) || bytes.Equal(rest, withoutLineEnd(b)) {
		return nil
	}
	return rest
}

func withLF(b []byte) []byte   { return append(bytes.Clone(b), '\n') }
func withCRLF(b []byte) []byte { return append(bytes.Clone(b), '\r', '\n') }

func toLF(b []byte) []byte {
	if !bytes.Contains(b, []byte("\r\n")) {
		return nil
	}
	return bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n"))
}

func toCRLF(b []byte) []byte {
	if bytes.IndexByte(b, '\n') < 0 || bytes.Contains(b, []byte("\r\n")) {
		return nil
	}
	return bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n"))
}

var byteOrderMark = []byte("\xef\xbb\xbf")

func withoutMark(b []byte) []byte {
	rest, ok := bytes.CutPrefix(b, byteOrderMark)
	if !ok {
		return nil
	}
	return rest
}

func withMark(b []byte) []byte {
	if bytes.HasPrefix(b, byteOrderMark) {
		return nil
	}
	return slices.Concat(byteOrderMark, b)
}

// windows1252 holds what the bytes from 0x80 to 0x9f mean to Windows, or 0.
var windows1252 = [32]rune{
	'€', 0, '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', 0, 'Ž', 0,
	0, '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', 0, 'ž', 'Ÿ',
}

// recoded yields what the body may have been in another encoding.
func recoded(body []byte) iter.Seq[variant] {
	return func(yield func(variant) bool) {
		for _, windows := range [...]bool{false, true} {
			for _, undo := range [...]func([]byte, bool) []byte{fromUTF8, fromLatin} {
				if b := undo(body, windows); b != nil && !yield(variant{b, []ID{BodyCharset}}) {
					return
				}
			}
		}
		if b := fromUTF16(body); b != nil {
			yield(variant{b, []ID{BodyCharset}})
		}
	}
}

// fromUTF8 writes each character as one byte: what was there before somebody took the
// bytes for Latin-1, or for Windows-1252, and encoded them as UTF-8.
func fromUTF8(b []byte, windows bool) []byte {
	if !utf8.Valid(b) || ascii(b) {
		return nil
	}
	out := make([]byte, 0, len(b))
	for _, r := range string(b) {
		if r > 0xff {
			i := slices.Index(windows1252[:], r)
			if !windows || i < 0 {
				return nil
			}
			r = rune(0x80 + i)
		}
		out = append(out, byte(r))
	}
	return out
}

// fromLatin is the reverse: each byte is a character, to be encoded as UTF-8.
func fromLatin(b []byte, windows bool) []byte {
	if ascii(b) {
		return nil
	}
	out := make([]byte, 0, len(b)+len(b)/8)
	for _, c := range b {
		r := rune(c)
		if windows && r >= 0x80 && r < 0xa0 && windows1252[r-0x80] != 0 {
			r = windows1252[r-0x80]
		}
		out = utf8.AppendRune(out, r)
	}
	return out
}

func ascii(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// fromUTF16 decodes UTF-16 with a byte order mark.
func fromUTF16(b []byte) []byte {
	if len(b) < 4 || len(b)%2 != 0 {
		return nil
	}
	low, high := 0, 1
	switch {
	case b[0] == 0xff && b[1] == 0xfe:
	case b[0] == 0xfe && b[1] == 0xff:
		low, high = 1, 0
	default:
		return nil
	}
	units := make([]uint16, 0, len(b)/2)
	for i := 2; i < len(b); i += 2 {
		units = append(units, uint16(b[i+low])|uint16(b[i+high])<<8)
	}
	return []byte(string(utf16.Decode(units)))
}

// unwrapped yields what is inside of the body, and inside of that, if it is a wrapping:
// base64, compressed, a string of JSON, a list of bytes, a form. The body is d's text, and json if that is JSON.
// It sets bounded if it left out a string that may be the body.
func unwrapped(d *jsonform.Document, json bool, bounded *bool) iter.Seq[variant] {
	return func(yield func(variant) bool) {
		queue := []variant{{body: d.Text}}
		for n := 0; n < len(queue); n++ {
			if n > 0 {
				inner, _, ok := jsonform.Scan(queue[n].body)
				d, json = &inner, ok
			}
			for _, v := range inside(d, json, bounded) {
				if len(queue) > maxUnwrapped {
					return
				}
				v.ids = append(v.ids, queue[n].ids...)
				if !yield(v) {
					return
				}
				queue = append(queue, v)
			}
		}
	}
}

// inside returns what a body may hold.
func inside(d *jsonform.Document, json bool, bounded *bool) []variant {
	b := d.Text
	var all []variant
	add := func(id ID, content []byte) {
		if len(content) > 0 {
			all = append(all, variant{content, []ID{id}})
		}
	}
	add(BodyGzip, inflate(b))
	if content := fromBase64(b); content != nil {
		add(BodyBase64, content)
	}
	if json {
		for _, content := range d.Strings(bounded) {
			add(BodyString, content)
		}
		add(BodyWrapped, d.Listed())
	}
	for _, content := range fromForm(b) {
		add(BodyWrapped, content)
	}
	return all
}

// fromForm returns what a form holds whose one field has the body as its value, or as its
// name, as parsers and writers of forms make of a body that is no form.
func fromForm(b []byte) [][]byte {
	text := string(bytes.TrimSpace(b))
	if len(text) > maxForm {
		return nil
	}
	var all [][]byte
	add := func(s string) {
		for _, unescape := range [...]func(string) (string, error){url.QueryUnescape, url.PathUnescape} {
			if content, err := unescape(s); err == nil && content != text && isContainer(content) {
				all = append(all, []byte(content))
			}
		}
	}
	if name, ok := strings.CutSuffix(text, "="); ok {
		if isContainer(name) {
			all = append(all, []byte(name))
		}
		add(name)
	} else if name, value, ok := strings.Cut(text, "="); ok && isFieldName(name) {
		if isContainer(value) {
			all = append(all, []byte(value))
		}
		add(value)
	} else if strings.HasPrefix(text, "%") {
		add(text)
	}
	return all
}

// inflate decompresses gzip and zlib, up to maxRatio times the size and no more than
// maxBody. What is broken or larger is nil.
func inflate(b []byte) []byte {
	var r io.Reader
	var err error
	switch {
	case bytes.HasPrefix(b, []byte{0x1f, 0x8b}):
		r, err = gzip.NewReader(bytes.NewReader(b))
	case len(b) > 2 && b[0] == 0x78 && (int(b[0])<<8|int(b[1]))%31 == 0:
		r, err = zlib.NewReader(bytes.NewReader(b))
	default:
		return nil
	}
	if err != nil {
		return nil
	}
	limit := min(maxBody, maxRatio*len(b)+1024)
	content, err := io.ReadAll(io.LimitReader(r, int64(limit)+1))
	if err != nil || len(content) > limit {
		return nil
	}
	return content
}

// fromBase64 decodes a body that is nothing but base64 of either alphabet, padded or
// not, with line ends in it or not.
func fromBase64(b []byte) []byte {
	if !mayBeBase64(b) {
		return nil
	}
	var text []byte
	for _, c := range b {
		switch c {
		case '\r', '\n', ' ', '\t', '=':
			continue
		case '-':
			c = '+'
		case '_':
			c = '/'
		}
		text = append(text, c)
	}
	content, err := base64.RawStdEncoding.AppendDecode(nil, text)
	if err != nil {
		return nil
	}
	return content
}

func mayBeBase64(b []byte) bool {
	b = bytes.TrimSpace(b)
	if len(b) < minInside {
		return false
	}
	for _, c := range b {
		if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') && strings.IndexByte("+/-_=\r\n", c) < 0 {
			return false
		}
	}
	return true
}

// formed yields forms that the body may have been before a field was taken out of one,
// or before one was read and written again.
func formed(body []byte) iter.Seq[variant] {
	return func(yield func(variant) bool) {
		if len(body) > maxForm {
			return
		}
		name, value, ok := fieldOf(string(bytes.TrimSpace(body)))
		if !ok {
			return
		}
		escaped := url.QueryEscape(value)
		seen := make(map[string]bool)
		for set := range 1 << len(formStyles) {
			text := name + "=" + escaped
			for i, style := range formStyles {
				if set>>i&1 == 1 {
					text = style(text)
				}
			}
			if seen[text] || text == string(body) {
				continue
			}
			seen[text] = true
			if !yield(variant{[]byte(text), []ID{BodyFormDecoded}}) {
				return
			}
		}
	}
}

// fieldOf returns the field that a body is, or was taken out of, decoded.
func fieldOf(body string) (name, value string, ok bool) {
	name, value, ok = strings.Cut(body, "=")
	if !ok || !isFieldName(name) {
		return "payload", body, isContainer(body)
	}
	if isContainer(value) {
		return name, value, true
	}
	value, err := url.QueryUnescape(value)
	return name, value, err == nil
}

func isContainer(s string) bool { return s != "" && (s[0] == '{' || s[0] == '[') }

func isFieldName(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == ""
}

// formStyles are how encoders of forms differ from url.QueryEscape.
var formStyles = [...]func(string) string{
	func(s string) string { return strings.ReplaceAll(s, "~", "%7E") },
	func(s string) string { return strings.ReplaceAll(s, "+", "%20") },
	func(s string) string { return strings.ReplaceAll(s, "%2A", "*") },
	lowerEscapes,
}

// lowerEscapes writes the digits of percent escapes in lower case.
func lowerEscapes(s string) string {
	b := []byte(s)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == '%' {
			copy(b[i+1:], bytes.ToLower(b[i+1:i+3]))
		}
	}
	return string(b)
}

// completed yields a body with the brackets behind it that are still open.
func completed(body, open []byte) iter.Seq[variant] {
	return func(yield func(variant) bool) {
		if len(open) == 0 {
			return
		}
		trimmed := bytes.TrimRight(body, " \t\r\n")
		for _, w := range [...]jsonform.White{jsonform.WhiteNone, jsonform.WhiteTwo, jsonform.WhiteFour, jsonform.WhiteTab} {
			text := bytes.Clone(trimmed)
			for i, bracket := range open {
				if w != jsonform.WhiteNone {
					text = append(text, '\n')
				}
				text = append(text, strings.Repeat(w.Indent(), len(open)-1-i)...)
				text = append(text, bracket)
			}
			for _, end := range [...]string{"", "\n"} {
				if !yield(variant{append(bytes.Clone(text), end...), []ID{BodyTruncated}}) {
					return
				}
			}
		}
	}
}
