package scheme

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
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
	errCandidates  = errors.New("the signature header has too many items, or there are too many of them")
	errSignature   = errors.New("a signature is not encoded as the scheme says")
	errTimeForm    = errors.New("the time is missing, repeated or not in its canonical form")
	errConstant    = errors.New("a header that holds a constant is missing, repeated or another")
	errNames       = errors.New("a signature stands under both of its names, and not all headers are the same under both")
	errMethod      = errors.New("the method is not the one that the scheme signs, POST")
	errSignedField = errors.New("a signed header is missing or does not have its form")
	errBodyPrefix  = errors.New("the body does not start as every body of this endpoint does")
	errBodyTime    = errors.New("the time in the body is missing, not in its canonical form, or could be read in two ways")
	errBodyWindow  = errors.New("the signature is good, and the time in the body lies outside the window")
	errFinished    = errors.New("a pending request was finished twice")
	errUnsignedID  = errors.New("the delivery id is missing, repeated or malformed")
)

func refuse(r verify.Reason, cause error) error { return &verify.Error{Reason: r, Cause: cause} }

// pending is a request whose head is good.
type pending struct {
	v          *Verifier
	d          *Definition // under the names that the request uses
	keys       []*key
	noKey      error                 // why there is none, for Finish to say
	signature  int                   // index of the definition's signature that the request has
	items      int                   // signatures that were read, decodable or not
	count      int                   // candidates
	candidates []byte                // decoded signatures, one after the other
	ends       [maxCandidates]uint16 // where each of them ends
	timestamp  string                // as it was received
	fields     []string              // values of Field parts, by their index

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
	d, err := v.names(h)
	if err != nil {
		return nil, err
	}
	p := &pending{v: v, d: d}
	p.delivery.Provider = d.Provider
	p.delivery.ReceivedAt = h.ReceivedAt
	p.delivery.Binding = verify.BindingFull
	p.candidates = p.room[:0]
	if err := p.readSignatures(h); err != nil {
		return nil, err
	}
	if err := p.readConstants(h); err != nil {
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

// names returns the definition under the names that the request uses.
func (v *Verifier) names(h *verify.Head) (*Definition, error) {
	if v.other == nil {
		return v.def, nil
	}
	first, other := false, false
	for _, a := range v.def.Aliases {
		if v.def.signatureHeader(a.Header) {
			first = first || len(h.Header[a.Header]) > 0
			other = other || len(h.Header[a.Other]) > 0
		}
	}
	switch {
	case !other:
		return v.def, nil
	case !first:
		return v.other, nil
	}
	for _, a := range v.def.Aliases {
		if !slices.Equal(h.Header[a.Header], h.Header[a.Other]) {
			return nil, refuse(verify.ErrMalformed, errNames)
		}
	}
	return v.def, nil
}

// readSignatures reads the candidates of the strongest signature that the request has,
// and the time where it stands beside them.
func (p *pending) readSignatures(h *verify.Head) error {
	for i := range p.d.Signatures {
		s := &p.d.Signatures[i]
		n, size := 0, 0
		for j := range 1 + len(s.More) {
			values := h.Header[s.name(j)]
			if len(values) > 1 && !s.Repeated {
				return refuse(verify.ErrMalformed, errRepeated)
			}
			n += len(values)
			for _, value := range values {
				size += len(value)
			}
		}
		switch {
		case n == 0:
			continue
		case size == 0:
			return refuse(verify.ErrUnsigned, nil)
		case size > maxHeader:
			return refuse(verify.ErrMalformed, errLong)
		case n > maxCandidates:
			return refuse(verify.ErrMalformed, errCandidates)
		}
		p.signature = i
		var undecodable error
		for j := range 1 + len(s.More) {
			for _, value := range h.Header[s.name(j)] {
				if value == "" { // beside one that is not
					p.items++
					continue
				}
				skipped, err := p.parse(s, value)
				if err != nil {
					return err
				}
				if skipped != nil {
					undecodable = skipped
				}
			}
		}
		switch most := p.v.algorithms[i].candidates; {
		case most > 0 && p.count > most:
			return refuse(verify.ErrMalformed, errCandidates)
		case p.count > 0:
			return nil
		case undecodable != nil:
			return undecodable
		}
		return refuse(verify.ErrUnsigned, nil)
	}
	return refuse(verify.ErrUnsigned, nil)
}

// parse reads the candidates of one header. One that does not decode can match
// nothing, so it spoils no other: it is skipped, and the first result says why. The
// second one refuses the request.
func (p *pending) parse(s *Signature, value string) (skipped, err error) {
	if s.Separator == "" {
		if p.items++; p.items > maxCandidates {
			return nil, refuse(verify.ErrMalformed, errCandidates)
		}
		text, ok := strings.CutPrefix(value, s.Prefix)
		if !ok {
			return refuse(verify.ErrMalformed, errForm), nil
		}
		return p.add(s, text), nil
	}
	value, ok := strings.CutPrefix(value, s.Prefix)
	if !ok {
		return nil, refuse(verify.ErrMalformed, errForm)
	}
	// A long list is counted before anything of it is decoded.
	if len(value) > longList && strings.Count(value, s.Separator) > maxCandidates {
		return nil, refuse(verify.ErrMalformed, errCandidates)
	}
	t := &p.d.Timestamp
	for first, more := true, true; more; first = false {
		var text string
		text, value, more = strings.Cut(value, s.Separator)
		if s.Blanks && !first {
			text = strings.TrimPrefix(text, " ")
		}
		name := ""
		if s.Field != "" {
			if name, text, ok = strings.Cut(text, s.Assign); !ok || name == "" {
				return nil, refuse(verify.ErrMalformed, errForm)
			}
		}
		if t.First && first || t.Field != "" && name == t.Field {
			if p.timestamp != "" || text == "" {
				return nil, refuse(verify.ErrMalformed, errTimeForm)
			}
			p.timestamp = text
			continue
		}
		if p.items++; p.items > maxCandidates {
			return nil, refuse(verify.ErrMalformed, errCandidates)
		}
		switch {
		case name != s.Field:
			if !visible(name) || !visible(text) {
				return nil, refuse(verify.ErrMalformed, errForm)
			}
			continue
		case s.Field == "" && text == "":
			return nil, refuse(verify.ErrMalformed, errForm)
		}
		if undecodable := p.add(s, text); undecodable != nil {
			skipped = undecodable
		}
	}
	return skipped, nil
}

// add adds a signature to the candidates, if it decodes.
func (p *pending) add(s *Signature, text string) error {
	a, start := &p.v.algorithms[p.signature], len(p.candidates)
	if start+a.most+slack > cap(p.candidates) {
		p.candidates = append(make([]byte, 0, min(maxCandidates*a.most, maxHeader)+slack), p.candidates...)
	}
	ok := false
	if n := len(text); n >= s.Encoding.encodedLen(a.least) && n <= s.Encoding.encodedLen(a.most) {
		p.candidates, ok = s.Encoding.decode(p.candidates, text)
	}
	if n := len(p.candidates) - start; !ok || n < a.least || n > a.most || a.form != nil && !a.form(p.candidates[start:]) {
		p.candidates = p.candidates[:start]
		return refuse(verify.ErrMalformed, errSignature)
	}
	p.ends[p.count] = uint16(len(p.candidates))
	p.count++
	return nil
}

// candidate returns the one at an index below count.
func (p *pending) candidate(i int) []byte {
	start := uint16(0)
	if i > 0 {
		start = p.ends[i-1]
	}
	return p.candidates[start:p.ends[i]]
}

// readConstants checks what each request of the sender has alike.
func (p *pending) readConstants(h *verify.Head) error {
	for i := range p.d.Constants {
		c := &p.d.Constants[i]
		if values := h.Header[c.Header]; len(values) != 1 || values[0] != c.Value {
			return refuse(verify.ErrMalformed, errConstant)
		}
	}
	if p.v.method && h.Method != http.MethodPost {
		return refuse(verify.ErrMalformed, errMethod)
	}
	return nil
}

// readTime reads the signed time and judges it.
func (p *pending) readTime(h *verify.Head) error {
	t := &p.d.Timestamp
	if t.none() || t.Member != "" {
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
	var ok bool
	if p.delivery.SignedAt, ok = t.Unit.parse(p.timestamp); !ok || p.v.digits > 0 && len(p.timestamp) != p.v.digits {
		return refuse(verify.ErrMalformed, errTimeForm)
	}
	if reason := p.v.judge(p.delivery.SignedAt, h.ReceivedAt); reason != 0 {
		return refuse(reason, nil)
	}
	return nil
}

// judge returns the reason for which a signed time is refused, or zero.
func (v *Verifier) judge(signed, received time.Time) verify.Reason {
	switch w := v.profile.Window; {
	case signed.Before(received.Add(-w.Past)):
		return verify.ErrTooOld
	case signed.After(received.Add(w.Future)):
		return verify.ErrTooNew
	}
	return 0
}

// readFields reads what else of the head is signed, and what is not.
func (p *pending) readFields(h *verify.Head) error {
	d := p.d
	for i, part := range d.Message {
		if part.kind != FieldPart {
			continue
		}
		values := h.Header[part.text]
		if len(values) > 1 {
			return refuse(verify.ErrMalformed, errRepeated)
		}
		if len(values) == 0 || !d.fits(i, values[0]) {
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
