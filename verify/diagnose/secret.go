package diagnose

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"iter"
	"net/url"
	"strings"
	"unicode"

	"github.com/hooknotary/hooknotary/verify"
)

// mend is a secret as it may be meant, and what is wrong with it as it is.
type mend struct {
	secret string
	ids    []ID
}

// mends yields what a secret may be meant to be, the likeliest first. It is not the
// secret itself, and nothing twice.
func mends(secret string) iter.Seq[mend] {
	return func(yield func(mend) bool) {
		seen := map[string]bool{secret: true, "": true}
		try := func(s string, ids ...ID) bool {
			if seen[s] || len(s) > verify.MaxSecret {
				return true
			}
			seen[s] = true
			return yield(mend{s, ids})
		}
		bare := trimmed(secret)
		inner := unquoted(bare)
		_ = try(bare, SecretWhiteSpace) &&
			try(unquoted(secret), SecretQuotes) &&
			try(inner, SecretQuotes, SecretWhiteSpace) &&
			try(trimmed(inner), SecretQuotes, SecretWhiteSpace) &&
			try(strings.Join(strings.FieldsFunc(secret, isSpace), ""), SecretWhiteSpace) &&
			prefixes(bare, try) &&
			escapings(bare, try) &&
			encodings(bare, try)
	}
}

func isSpace(r rune) bool {
	return unicode.IsSpace(r) || r == 0 || r == '\ufeff' || r == '\u200b'
}

// trimmed cuts white space, and the two characters that stand for a line break in files
// that are not unescaped.
func trimmed(s string) string {
	for {
		t := strings.TrimFunc(s, isSpace)
		t = strings.TrimSuffix(strings.TrimSuffix(t, `\n`), `\r`)
		if t == s {
			return s
		}
		s = t
	}
}

func unquoted(s string) string { return strings.Trim(s, "\"'`“”‘’") }

// prefixes tries another beginning: none, or the commonest.
func prefixes(s string, try func(string, ...ID) bool) bool {
	for _, cut := range [...]string{"whsec_", "v1,", "sha256=", "Bearer "} {
		if rest, ok := strings.CutPrefix(s, cut); ok && !try(rest, SecretPrefix) {
			return false
		}
	}
	if name, value, ok := strings.Cut(s, "="); ok && len(name) <= 64 && !try(unquoted(trimmed(value)), SecretPrefix) {
		return false // a line of an environment file
	}
	if i := strings.LastIndexByte(s, '_'); i > 0 && i < 24 && !try(s[i+1:], SecretPrefix) {
		return false
	}
	return try("whsec_"+s, SecretPrefix)
}

// escapings tries the secret as it was before something escaped it for JSON, HTML, a URL,
// a form or a shell, or took what it holds for such escapes.
func escapings(s string, try func(string, ...ID) bool) bool {
	unescape := [...]func(string) string{
		func(s string) string {
			var text string
			if json.Unmarshal([]byte(`"`+s+`"`), &text) != nil {
				return ""
			}
			return text
		},
		html.UnescapeString,
		func(s string) string { return html.UnescapeString(html.UnescapeString(s)) },
		func(s string) string { text, _ := url.PathUnescape(s); return text },
		func(s string) string { text, _ := url.QueryUnescape(s); return text },
		func(s string) string { return strings.ReplaceAll(s, " ", "+") },
		func(s string) string { return strings.ReplaceAll(s, "$$", "$") },
		func(s string) string { return strings.ReplaceAll(s, `\\`, `\`) },
		func(s string) string { return strings.ReplaceAll(s, `\`, "") },
		// The reverse.
		html.EscapeString,
		url.PathEscape,
		url.QueryEscape,
		func(s string) string { return strings.ReplaceAll(s, "$", "$$") },
		func(s string) string { return strings.ReplaceAll(s, `\`, `\\`) },
	}
	for _, change := range unescape {
		if !try(change(s), SecretEscaped) {
			return false
		}
	}
	return true
}

// encodings tries the secret decoded and encoded.
func encodings(s string, try func(string, ...ID) bool) bool {
	for _, d := range decodings(s) {
		if !try(string(d.bytes), d.id) || !try(base64.StdEncoding.EncodeToString(d.bytes), d.id) {
			return false
		}
	}
	for _, text := range [...]string{s, strings.TrimPrefix(s, "whsec_")} {
		if !try(base64.StdEncoding.EncodeToString([]byte(text)), SecretBase64) ||
			!try(hex.EncodeToString([]byte(text)), SecretHex) {
			return false
		}
	}
	return true
}

// decoding is what a text encodes.
type decoding struct {
	bytes []byte
	id    ID
}

// decodings returns what a secret's text may encode, with and without a prefix.
func decodings(s string) []decoding {
	var all []decoding
	for _, text := range [...]string{s, strings.TrimPrefix(s, "whsec_")} {
		if b, err := hex.DecodeString(text); err == nil && len(b) >= 8 {
			all = append(all, decoding{b, SecretHex})
		}
		standard := strings.NewReplacer("-", "+", "_", "/", "=", "").Replace(text)
		if b, err := base64.RawStdEncoding.DecodeString(standard); err == nil && len(b) >= 8 {
			all = append(all, decoding{b, SecretBase64})
		}
		if text == s && !strings.HasPrefix(s, "whsec_") {
			break
		}
	}
	return all
}

// credential reports whether a secret looks like an API key.
func credential(s string) bool {
	s = unquoted(trimmed(s))
	for _, c := range credentials {
		if c.Matches(s) && (c.Length == 0 || isToken(s)) {
			return true
		}
	}
	return false
}

// isToken reports whether a text has the characters of random tokens alone.
func isToken(s string) bool {
	return strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

// rekeyed returns a verifier with one other secret, if it can be one.
func (q *inquiry) rekeyed(scope, secret string) verify.Verifier {
	if q.introspect == nil {
		return nil
	}
	k, err := verify.NewKey(scope, "tried", []byte(secret))
	if err != nil {
		return nil
	}
	v, err := q.introspect.Rekey(verify.KeyList{k})
	if err != nil {
		return nil
	}
	return v
}

// candidate returns a verifier with another secret, without the white space and quotes
// with which it can be none.
func (q *inquiry) candidate(c Candidate) verify.Verifier {
	v := q.rekeyed("candidate", c.Secret)
	for m := range mends(c.Secret) {
		if v != nil || (m.ids[0] != SecretWhiteSpace && m.ids[0] != SecretQuotes) {
			break
		}
		v = q.rekeyed("candidate", m.secret)
	}
	return v
}

// usable returns how many of the other secrets can be tried.
func (q *inquiry) usable() (n int) {
	for _, c := range q.o.Candidates[:min(len(q.o.Candidates), maxCandidates)] {
		if q.candidate(c) != nil {
			n++
		}
	}
	return n
}

// byCandidates looks for another secret of the account that made the signature.
func (q *inquiry) byCandidates(j judgement) bool {
	for i, c := range q.o.Candidates[:min(len(q.o.Candidates), maxCandidates)] {
		v := q.candidate(c)
		if v == nil || !q.holds(v, j.head, q.c.Body, 1) {
			continue
		}
		name := fmt.Sprintf("number %d of the other secrets", i+1)
		if label := printable(c.Label, ""); label != "" && !strings.Contains(label, c.Secret) {
			name = fmt.Sprintf("%q", label)
		}
		switch {
		case q.contribute(q.ask(verify.Refusal{Head: j.head, Err: j.err, Candidate: name}), Proved):
		case c.OtherMode:
			q.found = append(q.found, explainf(SecretOtherMode, Proved,
				"The signature verifies with the secret of %s: the delivery is of the other mode, test or live, than the configured secret.", name))
		default:
			q.found = append(q.found, explainf(SecretOther, Proved,
				"The signature verifies with the secret of %s: the delivery is for another endpoint than the configured secret.", name))
		}
		return true
	}
	return false
}

// bySecret looks for a mistake in how the secrets are written.
func (q *inquiry) bySecret(h *verify.Head) bool {
	for _, k := range q.keys {
		for m := range mends(string(k.Secret())) {
			v := q.rekeyed(k.Scope(), m.secret)
			if v != nil && q.holds(v, h, q.c.Body, 1) {
				q.prove(m.ids...)
				return true
			}
		}
	}
	// What is no text cannot be the secret of a Key.
	for _, k := range q.keys {
		for _, d := range decodings(string(k.Secret())) {
			if m, ok := q.find(h.Header, q.introspect.SecurityHeaders(), [][]byte{d.bytes}); ok && m.sender == nil {
				q.prove(d.id)
				return true
			}
		}
	}
	return false
}

// unusable is the finding for a secret that nothing mends, and that new refuses with err.
func unusable(secret string, err error) Finding {
	if credential(secret) {
		return explain(SecretAPIKey, Likely)
	}
	if f, ok := explained(err); ok {
		return f
	}
	switch {
	case err == nil || secret != "" && strings.Contains(err.Error(), secret):
		return explain(SecretUnusable, Likely)
	}
	return explainf(SecretUnusable, Likely, "The secret cannot be one: %s", ending(err))
}
