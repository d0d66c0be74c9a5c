package httpsig

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
)

// Bounds of what is read of a head.
const (
	maxHeader     = 4 << 10 // bytes of Signature and of Signature-Input
	maxValue      = 4 << 10 // bytes of a signed header
	maxLabels     = 8       // of one dictionary
	maxComponents = 32
	maxText       = 256 // bytes of a parameter that is a text
)

// member is a member of a dictionary of RFC 8941, with the text of its value.
type member struct{ key, value string }

// parseDictionary splits a dictionary whose values are inner lists or bytes. Of a value, only
// where it ends is looked at.
func parseDictionary(text string) ([]member, bool) {
	var members []member
	for len(members) < maxLabels {
		key, rest, ok := strings.Cut(text, "=")
		if !ok || !isKey(key) || slices.ContainsFunc(members, func(m member) bool { return m.key == key }) {
			return nil, false
		}
		end := 0
		quoted := false
		for ; end < len(rest) && (quoted || rest[end] != ','); end++ {
			switch c := rest[end]; {
			case c < ' ' || c > '~':
				return nil, false
			case c == '"':
				quoted = !quoted
			case c == '\\' && quoted:
				end++
			}
		}
		if quoted || end > len(rest) || end == 0 {
			return nil, false
		}
		members = append(members, member{key, rest[:end]})
		if end == len(rest) {
			return members, true
		}
		if text, ok = strings.CutPrefix(rest[end:], ", "); !ok {
			if text, ok = strings.CutPrefix(rest[end:], ","); !ok {
				return nil, false
			}
		}
	}
	return nil, false
}

// pick returns the member of a label, or the only member if there is no label.
func pick(members []member, label string) (member, bool) {
	if label == "" {
		return members[0], len(members) == 1
	}
	i := slices.IndexFunc(members, func(m member) bool { return m.key == label })
	if i < 0 {
		return member{}, false
	}
	return members[i], true
}

// input is a member of Signature-Input.
type input struct {
	label            string
	text             string // as it is signed
	components       []string
	created, expires int64 // 0: there is none
	nonce, alg, tag  string
}

// parseInput reads an inner list of components and its parameters. It takes the one spelling
// that a serialiser of RFC 8941 makes, so the text is what is signed.
func parseInput(text string) (*input, bool) {
	in := &input{text: text}
	rest, ok := strings.CutPrefix(text, "(")
	if !ok {
		return nil, false
	}
	for !strings.HasPrefix(rest, ")") {
		if len(in.components) > 0 {
			if rest, ok = strings.CutPrefix(rest, " "); !ok {
				return nil, false
			}
		}
		var name string
		if name, rest, ok = parseText(rest); !ok || !isComponent(name) || slices.Contains(in.components, name) || len(in.components) == maxComponents {
			return nil, false
		}
		in.components = append(in.components, name)
	}
	rest = rest[1:]
	var seen []string
	for rest != "" {
		var name string
		if rest, ok = strings.CutPrefix(rest, ";"); !ok {
			return nil, false
		}
		if name, rest, ok = strings.Cut(rest, "="); !ok || slices.Contains(seen, name) {
			return nil, false
		}
		seen = append(seen, name)
		var value string
		switch name {
		case "created":
			in.created, rest, ok = parseTime(rest)
		case "expires":
			in.expires, rest, ok = parseTime(rest)
		case "nonce":
			in.nonce, rest, ok = parseText(rest)
			value = in.nonce
		case "alg":
			in.alg, rest, ok = parseText(rest)
			value = in.alg
		case "tag":
			in.tag, rest, ok = parseText(rest)
			value = in.tag
		case "keyid":
			value, rest, ok = parseText(rest)
		default:
			return nil, false
		}
		if !ok || len(value) > maxText || value == "" && name != "created" && name != "expires" {
			return nil, false
		}
	}
	return in, true
}

// parseText reads a string of RFC 8941.
func parseText(text string) (value, rest string, ok bool) {
	if text == "" || text[0] != '"' {
		return "", "", false
	}
	var out []byte
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			return string(out), text[i+1:], true
		case c < ' ' || c > '~':
			return "", "", false
		case c == '\\':
			if i++; i == len(text) || text[i] != '"' && text[i] != '\\' {
				return "", "", false
			}
			out = append(out, text[i])
		default:
			out = append(out, c)
		}
	}
	return "", "", false
}

// parseTime reads a time after 1970 in seconds, which has one spelling.
func parseTime(text string) (at int64, rest string, ok bool) {
	n := 0
	for n < len(text) && '0' <= text[n] && text[n] <= '9' {
		n++
	}
	if n == 0 || n > 12 || text[0] == '0' {
		return 0, "", false
	}
	at, err := strconv.ParseInt(text[:n], 10, 64)
	return at, text[n:], err == nil
}

// parseBytes reads a byte sequence of RFC 8941, in canonical base64.
func parseBytes(text string) ([]byte, bool) {
	text, front := strings.CutPrefix(text, ":")
	text, back := strings.CutSuffix(text, ":")
	b, err := base64.StdEncoding.Strict().DecodeString(text)
	if !front || !back || err != nil || base64.StdEncoding.EncodeToString(b) != text {
		return nil, false
	}
	return b, true
}

// parseDigest reads a Content-Digest. Hashes of other algorithms do not count.
func parseDigest(text string) (digest, bool) {
	var d digest
	members, ok := parseDictionary(text)
	if !ok {
		return d, false
	}
	for _, m := range members {
		b, ok := parseBytes(m.value)
		switch {
		case !ok:
			return digest{}, false
		case m.key == "sha-256":
			if d.sha256 = b; len(b) != sha256.Size {
				return digest{}, false
			}
		case m.key == "sha-512":
			if d.sha512 = b; len(b) != sha512.Size {
				return digest{}, false
			}
		}
	}
	return d, d.sha256 != nil || d.sha512 != nil
}

const lower = "abcdefghijklmnopqrstuvwxyz"

// isKey reports whether s is a key of a dictionary.
func isKey(s string) bool {
	return s != "" && len(s) <= 64 && strings.Contains(lower+"*", s[:1]) && strings.Trim(s, lower+"0123456789_-.*") == ""
}

// isComponent reports whether s is the name of something that can be signed. Host is none,
// which net/http takes out of the header; neither are the headers of the signature.
func isComponent(s string) bool {
	switch s {
	case "@method", "@target-uri", "@authority", "@scheme", "@path", "@query", "@request-target":
		return true
	case "", "host", "signature", "signature-input", "transfer-encoding", "connection":
		return false
	}
	return len(s) <= 64 && strings.Trim(s, lower+"0123456789-_") == ""
}

// isText reports whether s can be the text of a parameter.
func isText(s string) bool {
	return len(s) <= maxText && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

// isToken reports whether s is a method in upper case.
func isToken(s string) bool {
	return s != "" && len(s) <= 32 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-") == ""
}

// isValue reports whether a header may have that value. Blanks around it are not signed, and
// net/http has taken them away.
func isValue(s string) bool {
	if s == "" || strings.Trim(s, " \t") != s {
		return false
	}
	for i := range len(s) {
		if s[i] < ' ' && s[i] != '\t' || s[i] > '~' {
			return false
		}
	}
	return true
}
