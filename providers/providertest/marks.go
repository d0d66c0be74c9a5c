package providertest

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/hooknotary/hooknotary/providers/providertest/vector"
	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// leastSecret is how many bytes a secret has at least that is looked for: a shorter text
// stands somewhere by chance.
const leastSecret = 8

// Marks says what is wrong with the marks of credentials in a: HeaderUse.Secret and
// SecretQuery. It looks into every header and every parameter of the query of the vectors
// that are accepted, for their secrets and for JWTs, as they are and encoded: whatever holds
// one must be marked, and nothing else may be. The verify tokens of the handshakes must be
// marked, too. It returns nothing if all is well.
func Marks(a verify.About, vectors []vector.Vector, handshakes []scheme.Handshake) []string {
	headers, query := make(map[string]bool), make(map[string]bool) // what holds a credential
	for _, v := range vectors {
		if v.Expect != "accept" {
			continue
		}
		var secrets []string
		if a.Identifier == "" { // else they are public
			secrets = v.Secrets
		}
		note(headers, v.Head.Header, secrets)
		if v.Head.URL != nil {
			values, _ := url.ParseQuery(v.Head.URL.RawQuery)
			note(query, values, secrets)
		}
	}
	for _, h := range handshakes {
		if h.Token != "" {
			query[h.Token] = true
		}
	}
	var marked []string
	for _, h := range a.Headers {
		if h.Secret {
			marked = append(marked, h.Name)
		}
	}
	return append(compare("header", headers, marked), compare("parameter", query, a.SecretQuery)...)
}

// compare says what holds a credential and is not marked, or is marked and holds none.
func compare(what string, found map[string]bool, marked []string) (mistakes []string) {
	for _, name := range marked {
		if !found[name] {
			mistakes = append(mistakes, fmt.Sprintf("the %s %q is marked as a secret, and no vector shows one in it", what, name))
		}
		delete(found, name)
	}
	for name := range found {
		mistakes = append(mistakes, fmt.Sprintf("the %s %q holds a credential, and About does not mark it", what, name))
	}
	slices.Sort(mistakes)
	return mistakes
}

// note adds the names whose values hold a secret or a JWT.
func note(found map[string]bool, values map[string][]string, secrets []string) {
	for name, all := range values {
		for _, value := range all {
			if isJWT(value) || slices.ContainsFunc(secrets, func(secret string) bool { return holds(value, secret) }) {
				found[name] = true
			}
		}
	}
}

// holds reports whether a value contains a secret, or the key that its text stands for.
func holds(value, secret string) bool {
	wanted := [][]byte{[]byte(secret)}
	text := secret
	if i := strings.LastIndexAny(text, "_:"); i >= 0 { // behind a prefix, or behind a user
		text = text[i+1:]
		wanted = append(wanted, []byte(text))
	}
	wanted = append(wanted, decoded(text)...)
	for _, candidate := range append(decoded(words(value)...), []byte(value)) {
		for _, w := range wanted {
			if len(w) >= leastSecret && bytes.Contains(candidate, w) {
				return true
			}
		}
	}
	return false
}

// words returns the parts of a value that may be encoded on their own.
func words(value string) []string {
	return append(strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(" ,;:\"", r) }),
		strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(" ,;:\"=.", r) })...)
}

// decoded returns what the texts stand for in hex and base64.
func decoded(texts ...string) (all [][]byte) {
	for _, text := range texts {
		if b, err := hex.DecodeString(text); err == nil {
			all = append(all, b)
		}
		text = strings.TrimRight(text, "=")
		for _, e := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			if b, err := e.DecodeString(text); err == nil {
				all = append(all, b)
			}
		}
	}
	return all
}

// isJWT reports whether a value holds a JWT. A detached JWS, which has no claims, is none:
// it is a signature.
func isJWT(value string) bool {
	for _, word := range strings.Fields(value) {
		parts := strings.Split(word, ".")
		if len(parts) != 3 || parts[1] == "" {
			continue
		}
		head, err := base64.RawURLEncoding.DecodeString(parts[0])
		var fields struct{ Alg string }
		if err == nil && json.Unmarshal(head, &fields) == nil && fields.Alg != "" {
			return true
		}
	}
	return false
}
