package scheme

import (
	"context"
	"iter"
	"slices"
	"strings"

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
	for _, s := range v.def.Signatures {
		add(s.Header)
	}
	add(v.def.Timestamp.Header)
	for _, part := range v.def.Message {
		if part.kind == FieldPart {
			add(part.text)
		}
	}
	return names
}

// Message yields the signed message in pieces, each with a few words on where it is
// from: "time, from Stripe-Signature", "constant", "body". One behind the other, they
// are what is signed. A piece that the head lacks, or holds more than once, is nil. It
// checks nothing: the head may be one that Begin refuses. The pieces must not be
// changed.
func (v *Verifier) Message(h *verify.Head, body []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for _, part := range v.def.Message {
			if !yield(v.piece(part, h, body)) {
				return
			}
		}
	}
}

func (v *Verifier) piece(p Part, h *verify.Head, body []byte) (string, []byte) {
	switch p.kind {
	case LiteralPart:
		return "constant", []byte(p.text)
	case TimePart:
		t := v.def.Timestamp
		if t.Header != "" {
			return "time, from " + t.Header, single(h, t.Header)
		}
		s := v.def.Signatures[0]
		return "time, from " + s.Header, item(single(h, s.Header), s, t.Field)
	case FieldPart:
		if p.text == v.def.ID.Header {
			return "id, from " + p.text, single(h, p.text)
		}
		return "header " + p.text, single(h, p.text)
	case URLPart:
		return "URL, from configuration", []byte(v.opts.URL)
	}
	return "body", body
}

// single returns the value of a header that is there once, and not empty.
func single(h *verify.Head, name string) []byte {
	if h == nil || len(h.Header[name]) != 1 || h.Header[name][0] == "" {
		return nil
	}
	return []byte(h.Header[name][0])
}

// item returns the value of the first item of that name in a list.
func item(list []byte, s Signature, name string) []byte {
	for text := range strings.SplitSeq(string(list), s.Separator) {
		if n, value, ok := strings.Cut(text, s.Assign); ok && n == name && value != "" {
			return []byte(value)
		}
	}
	return nil
}
