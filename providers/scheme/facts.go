package scheme

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"iter"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/providers/internal/jsonscan"
	"github.com/hooknotary/hooknotary/verify"
)

// What a tool wants to know that explains a verdict. Nothing on the serving path
// calls these methods.

// Keys returns the keys that a request with this head is tried with, from the source
// that New was given, and its error. They hold their secrets. The list must not be
// changed. A source that is no fixed list has verify.KeyTimeout.
func (v *Verifier) Keys(ctx context.Context, h *verify.Head) ([]verify.Key, error) {
	return v.ring.Keys(ctx, h)
}

// Rekey returns a verifier that differs from v in its keys alone. Its errors are those
// that New has for keys.
func (v *Verifier) Rekey(keys verify.KeySource) (verify.Verifier, error) {
	other, err := New(*v.def, keys, &v.opts)
	if err != nil {
		return nil, err
	}
	return other, nil
}

// SecurityHeaders returns the canonical names of the headers that take part in
// verification, each once: those of the signatures, the strongest first, and those of
// what is signed. The list is the caller's.
func (v *Verifier) SecurityHeaders() []string {
	var names []string
	add := func(name string) {
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, d := range [...]*Definition{v.def, v.other} {
		if d == nil {
			break
		}
		for i := range d.Signatures {
			for j := range 1 + len(d.Signatures[i].More) {
				add(d.Signatures[i].name(j))
			}
		}
		add(d.Timestamp.Header)
		for _, part := range d.Message {
			if part.kind == FieldPart {
				add(part.text)
			}
		}
		for _, c := range d.Constants {
			add(c.Header)
		}
	}
	return names
}

// Message yields the signed message in pieces, each with a few words on where it is
// from: "time, from Stripe-Signature", "constant", "body". One behind the other, they
// are what is signed. A piece that the head lacks, or holds more than once, is nil. It
// checks nothing: the head may be one that Begin refuses. A secret that is a part of the
// message is nil, too. The pieces must not be changed.
func (v *Verifier) Message(h *verify.Head, body []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		d := v.def
		if h != nil {
			if used, err := v.names(h); err == nil {
				d = used
			}
		}
		for _, part := range d.Message {
			if !yield(v.piece(d, part, h, body)) {
				return
			}
		}
	}
}

func (v *Verifier) piece(d *Definition, p Part, h *verify.Head, body []byte) (string, []byte) {
	switch p.kind {
	case LiteralPart:
		return "constant", []byte(p.text)
	case TimePart:
		t := d.Timestamp
		if t.Header != "" {
			return "time, from " + t.Header, single(h, t.Header)
		}
		s := d.Signatures[0]
		return "time, from " + s.Header, item(single(h, s.Header), s, t)
	case FieldPart:
		if p.text == d.ID.Header {
			return "id, from " + p.text, single(h, p.text)
		}
		return "header " + p.text, single(h, p.text)
	case URLPart:
		return "URL, from configuration", []byte(v.opts.URL)
	case MethodPart:
		return "method", []byte(http.MethodPost)
	case SecretPart:
		return "secret", nil
	case BodySHA256Part:
		sum := sha256.Sum256(body)
		return "SHA-256 of the body", hex.AppendEncode(nil, sum[:])
	}
	return "body", body
}

// SignedAt reads the signed time of a request, without judging anything, and reports
// whether there is one. The body is needed only where the time stands in it.
func (v *Verifier) SignedAt(h *verify.Head, body []byte) (time.Time, bool) {
	t := &v.def.Timestamp
	switch {
	case t.none():
		return time.Time{}, false
	case t.Member != "":
		text, ok := jsonscan.Number(body, t.Member)
		if !ok {
			return time.Time{}, false
		}
		return t.Unit.parse(string(text))
	}
	for what, text := range v.Message(h, nil) {
		if strings.HasPrefix(what, "time, ") {
			return t.Unit.parse(string(text))
		}
	}
	return time.Time{}, false
}

// single returns the value of a header that is there once, and not empty.
func single(h *verify.Head, name string) []byte {
	if h == nil || len(h.Header[name]) != 1 || h.Header[name][0] == "" {
		return nil
	}
	return []byte(h.Header[name][0])
}

// item returns the time that stands in a list: its first item, or the first one of that
// name.
func item(list []byte, s Signature, t Timestamp) []byte {
	text, ok := strings.CutPrefix(string(list), s.Prefix)
	if !ok || text == "" {
		return nil
	}
	first := true
	for text := range strings.SplitSeq(text, s.Separator) {
		if s.Blanks && !first {
			text = strings.TrimPrefix(text, " ")
		}
		first = false
		if t.First {
			if text == "" {
				return nil
			}
			return []byte(text)
		}
		if name, value, ok := strings.Cut(text, s.Assign); ok && name == t.Field && value != "" {
			return []byte(value)
		}
	}
	return nil
}
