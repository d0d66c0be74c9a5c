// Package canonical makes verifiers of schemes whose message takes code: of the fields of a
// form, of headers that the request names, of a query.
//
// Everything but the message is data, as in package scheme: a [Scheme] has a Definition
// whose Message is the body, and code that makes the message in place of the body. Keys,
// bounds, encodings, times and the comparison are those of the engine.
//
// A message can be less than the body. A Scheme says with Binding how much it covers.
package canonical

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// Scheme says how a provider signs. New copies it; its functions must be safe for
// concurrent use.
type Scheme struct {
	// Definition is all but the message. Where its Message has scheme.Body, what Request
	// makes is signed. It has no ID, which would be looked for in that message. Required.
	Definition scheme.Definition

	// Binding is how strongly the message covers the body. Default: verify.BindingFull.
	Binding verify.Binding

	// Window is how far SignedAt of a Request may lie from the receive time, for a scheme
	// whose time stands inside of the message. The Definition has no Timestamp then. Zero:
	// the Definition has one, or no time is signed.
	Window verify.Window

	// Distinct: the message holds something that tells events with equal bodies apart,
	// such as a nonce.
	Distinct bool

	// Headers names the headers that Begin reads, and that take part in verification.
	Headers []string

	// Begin reads what of the head is part of the message, and refuses a head that no body
	// could make right, with an error that is a *verify.Error. It is called before the
	// engine reads the head, which is not nil, and must not keep it. Required.
	Begin func(h *verify.Head) (Request, error)

	// Message yields the message in pieces, as scheme.Verifier.Message does, for people to
	// read. Required.
	Message func(h *verify.Head, body []byte) iter.Seq2[string, []byte]
}

// Request is a request whose head was read.
type Request struct {
	// Messages returns what a body may have been signed as: one message, or one for each
	// way in which the provider writes what configuration knows. The error of a body that
	// has no message says why; the request is refused as verify.ErrMismatch. It must not
	// change the body. Required.
	Messages func(body []byte) ([][]byte, error)

	// Head is what the engine reads in place of the head, if not nil: one in which the
	// header of the signature has the form that a Signature can say.
	Head *verify.Head

	// SignedAt is the signed time. It is required where the Scheme has a Window, and is
	// judged before the keys are asked for.
	SignedAt time.Time

	// ID and MessageID are those of the Delivery, where the head has them and the message
	// holds them.
	ID, MessageID string
}

// engine judges the signature over a message.
type engine = scheme.Verifier

// Verifier verifies deliveries as its Scheme says. It is immutable and safe for concurrent
// use. Make one with New.
type Verifier struct {
	*engine
	s Scheme
	o scheme.Options
}

// New makes a verifier. Its errors are those of scheme.New. A nil o is the zero Options.
func New(s Scheme, keys verify.KeySource, o *scheme.Options) (*Verifier, error) {
	if o == nil {
		o = &scheme.Options{}
	}
	if s.Binding == 0 {
		s.Binding = verify.BindingFull
	}
	switch {
	case s.Begin == nil || s.Message == nil:
		return nil, fmt.Errorf("canonical: scheme of %q: it needs Begin and Message", s.Definition.Provider)
	case s.Definition.ID.Header != "" || s.Definition.ID.Member != "":
		return nil, fmt.Errorf("canonical: scheme of %q: the Definition has an ID: Request has it", s.Definition.Provider)
	}
	engineOptions := *o
	if s.Window != (verify.Window{}) {
		if s.Definition.Timestamp != (scheme.Timestamp{}) || s.Window.Past <= 0 || s.Window.Future <= 0 {
			return nil, fmt.Errorf("canonical: scheme of %q: a Window has two positive ends, and no Timestamp of the Definition beside it", s.Definition.Provider)
		}
		var err error
		if s.Window, err = narrow(s.Window, o.Window); err != nil {
			return nil, fmt.Errorf("%s: %w", s.Definition.Provider, err)
		}
		engineOptions.Window = verify.Window{}
	}
	s.Definition = s.Definition.Clone()
	s.Headers = slices.Clone(s.Headers)
	for i, name := range s.Headers {
		s.Headers[i] = http.CanonicalHeaderKey(name)
	}
	e, err := scheme.New(s.Definition, keys, &engineOptions)
	if err != nil {
		return nil, err
	}
	return &Verifier{engine: e, s: s, o: *o}, nil
}

// narrow narrows a window as scheme.Options.Window does.
func narrow(w, by verify.Window) (verify.Window, error) {
	for _, end := range [...]struct {
		name string
		want time.Duration
		have *time.Duration
	}{{"Past", by.Past, &w.Past}, {"Future", by.Future, &w.Future}} {
		if end.want < 0 || end.want > *end.have {
			return w, fmt.Errorf("option Window.%s is %v, want up to %v: an option can only narrow the window", end.name, end.want, *end.have)
		}
		if end.want > 0 {
			*end.have = end.want
		}
	}
	return w, nil
}

// About returns what people and tools want to know of the scheme.
func (s *Scheme) About() verify.About {
	a := s.Definition.Describe()
	a.EqualBodies = !s.Distinct
	return a
}

// About returns what people and tools want to know of the scheme.
func (v *Verifier) About() verify.About { return v.s.About() }

// Profile returns the facts of the scheme.
func (v *Verifier) Profile() verify.Profile {
	p := v.engine.Profile()
	p.Binding = v.s.Binding
	if v.timed() {
		p.Window = v.s.Window
	}
	return p
}

// timed reports whether the time stands inside of the message.
func (v *Verifier) timed() bool { return v.s.Window != verify.Window{} }

// SignedAt returns the signed time of a request, without judging anything but its form, and
// whether there is one. Nothing on the serving path calls it.
func (v *Verifier) SignedAt(h *verify.Head, body []byte) (time.Time, bool) {
	if !v.timed() {
		return v.engine.SignedAt(h, body)
	}
	if h == nil {
		return time.Time{}, false
	}
	r, err := v.s.Begin(h)
	return r.SignedAt, err == nil && !r.SignedAt.IsZero()
}

// SecurityHeaders returns the canonical names of the headers that take part in
// verification, the strongest signature's first. The list is the caller's.
func (v *Verifier) SecurityHeaders() []string {
	names := v.engine.SecurityHeaders()
	for _, name := range v.s.Headers {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// Rekey returns a verifier that differs from v in its keys alone. Its errors are those that
// New has for keys.
func (v *Verifier) Rekey(keys verify.KeySource) (verify.Verifier, error) {
	other, err := New(v.s, keys, &v.o)
	if err != nil {
		return nil, err
	}
	return other, nil
}

// Message yields the signed message in pieces, each with a few words on where it is from.
// It checks nothing: the head may be one that Begin refuses. The pieces must not be changed.
func (v *Verifier) Message(h *verify.Head, body []byte) iter.Seq2[string, []byte] {
	if h == nil {
		h = &verify.Head{}
	}
	return v.s.Message(h, body)
}

// Begin refuses a head that no body could make right.
func (v *Verifier) Begin(ctx context.Context, h *verify.Head) (verify.Pending, error) {
	p := &pending{v: v}
	if h != nil && !h.ReceivedAt.IsZero() { // else the engine refuses it
		var err error
		if p.r, err = v.s.Begin(h); err != nil {
			return nil, err
		}
		if v.timed() {
			switch at, w := p.r.SignedAt, v.s.Window; {
			case at.Before(h.ReceivedAt.Add(-w.Past)):
				return nil, &verify.Error{Reason: verify.ErrTooOld}
			case at.After(h.ReceivedAt.Add(w.Future)):
				return nil, &verify.Error{Reason: verify.ErrTooNew}
			}
		}
	}
	if p.r.Head != nil {
		h = p.r.Head
	}
	inner, err := v.engine.Begin(ctx, h)
	if err != nil {
		return nil, err
	}
	p.inner, p.r.Head = inner, nil
	return p, nil
}

// pending is a request whose head is good.
type pending struct {
	v     *Verifier
	inner verify.Pending
	r     Request
}

// Format prints the provider's name, whatever the verb: what a request was signed as is
// nobody's business.
func (p *pending) Format(s fmt.State, _ rune) {
	fmt.Fprintf(s, "canonical.pending(%s)", p.v.s.Definition.Provider)
}

// Finish checks the signature.
func (p *pending) Finish(ctx context.Context, body []byte) (*verify.Delivery, error) {
	messages, none := p.r.Messages(body)
	if none != nil {
		// The keys are tried all the same: nobody may measure who has one.
		messages = [][]byte{body}
	}
	var d *verify.Delivery
	var refusal error
	for _, m := range messages {
		found, err := p.inner.Finish(ctx, m)
		switch {
		case err == nil && d == nil:
			d = found
		case err != nil && (refusal == nil || !errors.Is(err, verify.ErrMismatch)):
			refusal = err
		}
	}
	switch {
	case none != nil && (refusal == nil || errors.Is(refusal, verify.ErrMismatch)):
		return nil, &verify.Error{Reason: verify.ErrMismatch, Cause: none}
	case d == nil && refusal == nil: // there is no message
		return nil, &verify.Error{Reason: verify.ErrMismatch}
	case d == nil:
		return nil, refusal
	}
	d.ID, d.MessageID, d.Binding, d.Body = p.r.ID, p.r.MessageID, p.v.s.Binding, body
	if p.v.timed() {
		d.SignedAt = p.r.SignedAt
	}
	return d, nil
}
