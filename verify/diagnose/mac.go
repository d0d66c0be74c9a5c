package diagnose

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"net/http"
	"slices"
	"strings"

	"github.com/hooknotary/hooknotary/verify"
)

// A verifier can say only whether a request is signed as its scheme says. For what is
// signed otherwise with the same secret, such as by a look-alike, the MAC is computed
// here, and looked for in all headers.

const maxSignatures = 64 // of a request that are compared

var hashes = [...]struct {
	name string
	new  func() hash.Hash
	size int
}{
	{"SHA-256", sha256.New, sha256.Size},
	{"SHA-1", sha1.New, sha1.Size},
	{"SHA-512", sha512.New, sha512.Size},
}

// match is a MAC that stands in a header.
type match struct {
	header string
	hash   string
	sender *sender // nil: the verifier's own message, or the body alone
}

// signatures returns what in the headers may be a MAC, and in which headers it stands.
func signatures(h http.Header) map[string][]string {
	found := make(map[string][]string)
	for name := range fields(h, nil) {
		for _, value := range h[name][:min(len(h[name]), maxPieces)] {
			if len(value) > maxValue {
				continue
			}
			for _, item := range strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(",; \t\"'", r) }) {
				_, assigned, _ := strings.Cut(item, "=")
				for _, text := range [...]string{item, assigned} {
					if mac := decodeMAC(text); mac != "" && len(found) < maxSignatures && !slices.Contains(found[mac], name) {
						found[mac] = append(found[mac], name)
					}
				}
			}
		}
	}
	return found
}

// decodeMAC decodes hexadecimal or base64 of the length of a MAC.
func decodeMAC(text string) string {
	mac, err := hex.DecodeString(text)
	if err != nil || !isMAC(len(mac)) {
		mac, err = base64.RawStdEncoding.DecodeString(strings.NewReplacer("-", "+", "_", "/", "=", "").Replace(text))
	}
	if err != nil || !isMAC(len(mac)) {
		return ""
	}
	return string(mac)
}

func isMAC(size int) bool {
	for _, h := range hashes {
		if h.size == size {
			return true
		}
	}
	return false
}

// own returns what the verifier's scheme signs in front of the body, if that is how it
// signs, and the head has all of it.
func (q *inquiry) own(h http.Header) (string, bool) {
	if q.introspect == nil {
		return "", false
	}
	var b strings.Builder
	body := false
	marker := []byte("body")
	for label, piece := range q.introspect.Message(&verify.Head{Header: h, URL: q.head.URL, Method: q.head.Method}, marker) {
		if body || piece == nil {
			return "", false
		}
		if body = label == "body"; !body {
			b.Write(piece)
		}
	}
	return b.String(), body
}

// find looks for a MAC under one of the keys: over the verifier's message, over the body
// alone, over what senders sign whose headers are there.
func (q *inquiry) find(h http.Header, own []string, keys [][]byte) (match, bool) {
	found := signatures(h)
	if len(found) == 0 {
		return match{}, false
	}
	type layout struct {
		before string
		sender *sender
	}
	layouts := []layout{{}}
	if before, ok := q.own(h); ok && before != "" {
		layouts = append(layouts, layout{before: before})
	}
	for i := range senders {
		s := &senders[i]
		if before, ok := s.prefix(h); ok && before != "" && s.signs(h, q.profile.Provider, own, q.about.Headers) {
			layouts = append(layouts, layout{before, s})
		}
	}
	for _, l := range layouts {
		for _, hashed := range hashes {
			if !hasSize(found, hashed.size) {
				continue
			}
			for _, key := range keys {
				if !q.spend(len(q.c.Body)) {
					return match{}, false
				}
				mac := hmac.New(hashed.new, key)
				mac.Write([]byte(l.before))
				mac.Write(q.c.Body)
				if names := found[string(mac.Sum(nil))]; len(names) > 0 {
					m := match{names[0], hashed.name, l.sender}
					if l.sender == nil {
						m.header, m.sender = q.signer(h, own, names)
					}
					return m, true
				}
			}
		}
	}
	return match{}, false
}

func hasSize(found map[string][]string, size int) bool {
	for mac := range found {
		if len(mac) == size {
			return true
		}
	}
	return false
}

// signer picks, among the headers that hold the same MAC, one of the verifier's own or
// that of a sender that is known by it.
func (q *inquiry) signer(h http.Header, own, names []string) (string, *sender) {
	for _, name := range names {
		if slices.Contains(own, name) {
			return name, nil
		}
	}
	for i := range senders {
		s := &senders[i]
		if slices.Contains(names, s.headers[0]) && s.signs(h, q.profile.Provider, own, q.about.Headers) {
			return s.headers[0], s
		}
	}
	return names[0], nil
}

// byMAC explains a head without a signature of the scheme's form by a MAC that stands
// elsewhere, or is another one, under the same secret.
func (q *inquiry) byMAC(h http.Header, own []string) bool {
	keys := q.keyBytes()
	m, ok := q.find(h, own, keys)
	if !ok {
		return q.byWeak(h, own)
	}
	name := printable(m.header, "another header")
	switch {
	case m.sender != nil:
		q.found = append(q.found, explainf(ProviderOther, Proved,
			"The signature in %s is right under this secret, and it is made as %s makes it: the verifier is for another provider.", name, m.sender.name))
	case m.hash == "SHA-1" && len(own) > 0 && m.header != own[0] && !slices.Contains(missing(h, own), own[0]):
		return false // the stronger one is there, and broken
	case m.hash == "SHA-1":
		q.found = append(q.found, explainf(HeaderSHA1, Proved,
			"The signature in %s is right under this secret, but it is made with SHA-1, and the verifier wants a stronger one.", name))
	case slices.Contains(own, m.header):
		q.found = append(q.found, explainf(HeaderMalformed, Proved,
			"The signature in %s is right under this secret, but it is not written as the scheme writes it, or made with another hash.", name))
	default:
		q.found = append(q.found, explainf(HeaderRenamed, Proved,
			"The signature in %s is right under this secret, but it stands under another name than the scheme's, and may be written otherwise.", name))
	}
	return true
}

// byWeak explains a head that has only the weak signature of the provider.
func (q *inquiry) byWeak(h http.Header, own []string) bool {
	if len(own) == 0 || !slices.Contains(missing(h, own), own[0]) {
		return false
	}
	for _, use := range q.about.Headers {
		if use.Weak != "" && strings.HasPrefix(h.Get(use.Name), use.Weak) {
			q.found = append(q.found, explainf(HeaderSHA1, Likely,
				"%s is there, which is made with SHA-1, and %s is not: the verifier wants SHA-256.", use.Name, own[0]))
			return true
		}
	}
	return false
}

// bySender explains a head by the headers of another provider.
func (q *inquiry) bySender(h http.Header, own []string) bool {
	for i := range senders {
		if s := &senders[i]; s.signs(h, q.profile.Provider, own, q.about.Headers) {
			q.found = append(q.found, explainf(ProviderOther, Likely,
				"The headers of the request are those of %s, and the verifier is for %s.", s.name, q.profile.Provider))
			return true
		}
	}
	return false
}

// byOthers explains the judgement of a delivery that a verifier of Options.Others
// accepts.
func (q *inquiry) byOthers(j judgement) bool {
	own := q.profile.Provider
	for _, other := range q.o.Others[:min(len(q.o.Others), maxOthers)] {
		if other == nil || !q.judgeWith(other, q.c.Header).holds() {
			continue
		}
		switch provider := other.Profile().Provider; {
		case own == provider && q.contribute(q.ask(verify.Refusal{Head: j.head, Err: j.err, Other: other}), Proved):
		case own == provider && j.mismatch():
			q.found = append(q.found, explainf(SecretOther, Proved,
				"Another verifier for %s accepts the delivery: it is for another endpoint than the configured secret.", own))
		default:
			q.found = append(q.found, explainf(ProviderOther, Proved,
				"The verifier for %s accepts the delivery, and this one is for %s.", provider, own))
		}
		return true
	}
	return false
}

// keyBytes returns what the keys of the verifier may be as bytes: the text, and what it
// encodes.
func (q *inquiry) keyBytes() [][]byte {
	var all [][]byte
	for _, k := range q.keys {
		all = append(all, k.Secret())
		for _, d := range decodings(string(k.Secret())) {
			all = append(all, d.bytes)
		}
	}
	return all
}
