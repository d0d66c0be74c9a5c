package diagnose

import (
	"net/http"
	"slices"
	"strings"

	"github.com/hooknotary/hooknotary/verify"
)

//go:generate go run github.com/hooknotary/hooknotary/providers/catalog/generate

// sender is what tells a provider, or a family of providers, by the headers of its
// deliveries.
type sender struct {
	provider string // as a verifier's Profile calls it; may be empty
	name     string
	headers  []string // canonical; the signature's first; each of them tells
	value    string   // how the value of the signature's header begins; "" in any way
	// before is what is signed in front of the body, with {Header} for a value and
	// {=name} for an item of the signature's header. It is
	// verify.NotBeforeBody where the signature is
	// no HMAC over something that ends in the body.
	before string
}

// signs reports whether the sender's headers are there, and are none of those that the
// verifier itself reads or that its provider sends besides.
func (s *sender) signs(h http.Header, provider string, own []string, uses []verify.HeaderUse) bool {
	if s.provider != "" && s.provider == provider {
		return false
	}
	there := false
	for _, name := range s.headers {
		if slices.Contains(own, name) {
			return false
		}
		there = there || len(h[name]) > 0
	}
	value := h.Get(s.headers[0])
	for _, use := range uses {
		if use.Weak != "" && use.Name == s.headers[0] && strings.HasPrefix(value, use.Weak) {
			return false
		}
	}
	// Another sender's weak signature may have the same name.
	return there && (s.value == "" || strings.HasPrefix(value, s.value))
}

// prefix returns what the sender signs in front of the body.
func (s *sender) prefix(h http.Header) (string, bool) {
	var b strings.Builder
	for rest := s.before; ; {
		text, after, ok := strings.Cut(rest, "{")
		b.WriteString(text)
		if !ok {
			return b.String(), s.before != verify.NotBeforeBody
		}
		name, behind, _ := strings.Cut(after, "}")
		value := h.Get(name)
		if field, ok := strings.CutPrefix(name, "="); ok {
			value = itemOf(h.Get(s.headers[0]), field+"=")
		}
		if value == "" {
			return "", false
		}
		b.WriteString(value)
		rest = behind
	}
}

// itemOf returns the value of the item of a list that starts so.
func itemOf(list, start string) string {
	for _, item := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ';' }) {
		if value, ok := strings.CutPrefix(item, start); ok {
			return value
		}
	}
	return ""
}

// alias is a header that two schemes call differently, and else write alike.
type alias struct {
	from, to string // beginnings of names
	value    string // beginning of the value
	name     string // of who uses the first one
}
