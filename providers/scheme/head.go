package scheme

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hooknotary/hooknotary/verify"
)

// Causes of refusals. They name what is wrong with the form and hold nothing of
// the request.
var (
	errNoHead      = errors.New("no head, or a head without a receive time")
	errRepeated    = errors.New("a security header is repeated")
	errLong        = errors.New("a security header is too long")
	errForm        = errors.New("the signature header does not have the scheme's form")
	errCandidates  = errors.New("the signature header has too many items")
	errSignature   = errors.New("a signature is not encoded as the scheme says")
	errTimeForm    = errors.New("the time is missing, repeated or not a canonical decimal number")
	errSignedField = errors.New("a signed header is missing or does not have its form")
	errBodyPrefix  = errors.New("the body does not start as every body of this endpoint does")
	errFinished    = errors.New("a pending request was finished twice")
	errUnsignedID  = errors.New("the delivery id is missing, repeated or malformed")
)

func refuse(r verify.Reason, cause error) error { return &verify.Error{Reason: r, Cause: cause} }

// pending is a request whose head is good.
type pending struct {
	v          *Verifier
	keys       []*key
	noKey      error    // why there is none, for Finish to say
	signature  int      // index of the definition's signature that the request has
	candidates []byte   // decoded signatures, one after the other
	timestamp  string   // as it was received
	fields     []string // values of Field parts, by their index

	room [2*sha256.Size + slack]byte // for candidates

	// What Finish returns, of which the head is known already: one allocation
	// instead of two. So a Pending is good for one delivery.
	delivery verify.Delivery
	finished atomic.Bool
}

const (
	slack    = 4   // what the base64 decoder asks for beyond what it writes
	longList = 200 // bytes; a time and two signatures are shorter
)

// Format prints the provider's name, whatever the verb: a pending request holds
// signatures.
func (p *pending) Format(s fmt.State, _ rune) {
	fmt.Fprintf(s, "scheme.pending(%s)", p.v.def.Provider)
}

// Begin refuses a head that no body could make right.
func (v *Verifier) Begin(ctx context.Context, h *verify.Head) (verify.Pending, error) {
	if h == nil || h.ReceivedAt.IsZero() {
		return nil, refuse(verify.ErrMalformed, errNoHead)
	}
	index, value, err := v.signature(h)
	if err != nil {
		return nil, err
	}
	p := &pending{v: v, signature: index}
	p.delivery.Provider = v.def.Provider
	p.delivery.ReceivedAt = h.ReceivedAt
	p.delivery.Binding = verify.BindingFull
	p.candidates = p.room[:0]
	if err := p.parse(value); err != nil {
		return nil, err
	}
	if err := p.readTime(h); err != nil {
		return nil, err
	}
	if err := p.readFields(h); err != nil {
		return nil, err
	}
	if p.keys, p.noKey, err = v.ring.Find(ctx, h); err != nil {
		return nil, refuse(verify.ErrUnavailable, err)
	}
	return p, nil
}

// signature finds the strongest signature header that the request has.
func (v *Verifier) signature(h *verify.Head) (int, string, error) {
	for i := range v.def.Signatures {
		values := h.Header[v.def.Signatures[i].Header]
		switch {
		case len(values) == 0:
			continue
		case len(values) > 1:
			return 0, "", refuse(verify.ErrMalformed, errRepeated)
		case values[0] == "":
			return 0, "", refuse(verify.ErrUnsigned, nil)
		case len(values[0]) > maxHeader:
			return 0, "", refuse(verify.ErrMalformed, errLong)
		}
		return i, values[0], nil
	}
	return 0, "", refuse(verify.ErrUnsigned, nil)
}

// parse reads the candidates, and the time where it stands beside them.
func (p *pending) parse(value string) error {
	s := &p.v.def.Signatures[p.signature]
	if s.Field == "" {
		text, ok := strings.CutPrefix(value, s.Prefix)
		if !ok {
			return refuse(verify.ErrMalformed, errForm)
		}
		return p.candidate(s, text)
	}
	timeField := p.v.def.Timestamp.Field
	// A long list is counted before anything of it is decoded.
	if len(value) > longList && strings.Count(value, s.Separator) > maxCandidates {
		return refuse(verify.ErrMalformed, errCandidates)
	}
	items := 0
	var undecodable error
	for more := true; more; {
		var item string
		item, value, more = strings.Cut(value, s.Separator)
		name, text, ok := strings.Cut(item, s.Assign)
		if !ok || name == "" {
			return refuse(verify.ErrMalformed, errForm)
		}
		if timeField != "" && name == timeField {
			if p.timestamp != "" || text == "" {
				return refuse(verify.ErrMalformed, errTimeForm)
			}
			p.timestamp = text
			continue
		}
		if items++; items > maxCandidates {
			return refuse(verify.ErrMalformed, errCandidates)
		}
		if name != s.Field {
			if !visible(name) || !visible(text) {
				return refuse(verify.ErrMalformed, errForm)
			}
			continue
		}
		// One that does not decode can match nothing, so it spoils no other.
		if err := p.candidate(s, text); err != nil {
			undecodable = err
		}
	}
	switch {
	case len(p.candidates) > 0:
		return nil
	case undecodable != nil:
		return undecodable
	}
	return refuse(verify.ErrUnsigned, nil)
}

// candidate adds a signature to the candidates, if it decodes.
func (p *pending) candidate(s *Signature, text string) error {
	size, start := s.Algorithm.size(), len(p.candidates)
	if start+size > cap(p.candidates) {
		p.candidates = append(make([]byte, 0, maxCandidates*size+slack), p.candidates...)
	}
	var ok bool
	if s.Encoding == Base64 {
		if len(text) == base64.StdEncoding.EncodedLen(size) {
			p.candidates, ok = decodeBase64(p.candidates, text)
		}
	} else if len(text) == 2*size {
		p.candidates, ok = decodeHex(p.candidates, text)
	}
	if !ok || len(p.candidates) != start+size {
		p.candidates = p.candidates[:start]
		return refuse(verify.ErrMalformed, errSignature)
	}
	return nil
}

// readTime reads the signed time and judges it.
func (p *pending) readTime(h *verify.Head) error {
	t := &p.v.def.Timestamp
	if t.Header == "" && t.Field == "" {
		return nil
	}
	if t.Header != "" {
		values := h.Header[t.Header]
		if len(values) > 1 {
			return refuse(verify.ErrMalformed, errRepeated)
		}
		if len(values) == 1 {
			p.timestamp = values[0]
		}
	}
	n, ok := decimal(p.timestamp)
	if !ok {
		return refuse(verify.ErrMalformed, errTimeForm)
	}
	if t.Unit == Milliseconds {
		p.delivery.SignedAt = time.UnixMilli(n).UTC()
	} else {
		p.delivery.SignedAt = time.Unix(n, 0).UTC()
	}
	w := p.v.profile.Window
	if p.delivery.SignedAt.Before(h.ReceivedAt.Add(-w.Past)) {
		return refuse(verify.ErrTooOld, nil)
	}
	if p.delivery.SignedAt.After(h.ReceivedAt.Add(w.Future)) {
		return refuse(verify.ErrTooNew, nil)
	}
	return nil
}

// readFields reads what else of the head is signed, and what is not.
func (p *pending) readFields(h *verify.Head) error {
	d := p.v.def
	for i, part := range d.Message {
		if part.kind != FieldPart {
			continue
		}
		values := h.Header[part.text]
		if len(values) > 1 {
			return refuse(verify.ErrMalformed, errRepeated)
		}
		if len(values) == 0 || len(values[0]) > maxValue || !visible(values[0]) || !ends(values[0], d.Message[i+1].text) {
			return refuse(verify.ErrMalformed, errSignedField)
		}
		if p.fields == nil {
			p.fields = make([]string, len(d.Message))
		}
		p.fields[i] = values[0]
	}
	p.delivery.Unsigned = verify.Unsigned{ID: unsigned(h, d.UnsignedID), Type: unsigned(h, d.UnsignedType)}
	if p.v.opts.InsecureDistinctByUnsignedID {
		if p.delivery.Unsigned.ID == "" {
			return refuse(verify.ErrMalformed, errUnsignedID)
		}
		p.delivery.Unsigned.Partition = p.delivery.Unsigned.ID
	} else if len(p.v.partitions) > 0 {
		if value := unsigned(h, d.Partition); slices.Contains(p.v.partitions, value) {
			p.delivery.Unsigned.Partition = value
		}
	}
	return nil
}

// unsigned returns the value of a header outside the signature, if it is a
// single short one.
func unsigned(h *verify.Head, name string) string {
	if name == "" {
		return ""
	}
	values := h.Header[name]
	if len(values) != 1 || len(values[0]) > maxValue || !visible(values[0]) {
		return ""
	}
	return values[0]
}
