package verify

import (
	"context"
	"errors"
)

// Reason says why a request was refused. It is an error by itself, so it works
// with errors.Is; it is a constant, so no package can reassign it; it is small
// and closed, so it makes a good metrics label (see [Reason.String]).
//
// The zero Reason is no reason and never returned with an error.
type Reason uint8

// The reasons. The responses in parentheses are those of package middleware.
const (
	// ErrMethod: the request is not a POST (405).
	ErrMethod Reason = iota + 1
	// ErrMediaType: another Content-Type than the endpoint's, or a
	// Content-Encoding (415).
	ErrMediaType
	// ErrUnsigned: no signature that the scheme knows (401).
	ErrUnsigned
	// ErrMalformed: a security header cannot be parsed, or is repeated (401).
	ErrMalformed
	// ErrTooOld: the signed time is before the window, or before the floor of
	// the store (401). The signature was not checked, unless the time stands in the
	// body: a message that is too old may also be forged.
	ErrTooOld
	// ErrTooNew: the signed time is after the window (401). The signature was
	// not checked, unless the time stands in the body.
	ErrTooNew
	// ErrNoKey: the key source knows no usable key for this request (401).
	ErrNoKey
	// ErrMismatch: everything is well-formed and no key matches (401).
	ErrMismatch
	// ErrUntrusted: a certificate or other key material is not trusted (401).
	ErrUntrusted
	// ErrForged: another body under a signed message that was seen before, or one that
	// the provider, asked about it, does not confirm (401).
	ErrForged
	// ErrTooLarge: the body is over its limit (413).
	ErrTooLarge
	// ErrBody: the body could not be read to its end (400, or 408 when it came
	// too slowly).
	ErrBody
	// ErrReplayed: the event was handled before (409, or 200 where a repeat is
	// honest).
	ErrReplayed
	// ErrInFlight: the event is being handled now (409 and Retry-After).
	ErrInFlight
	// ErrUnavailable: the store, the key source, the memory for bodies or a
	// certificate host failed (503 and Retry-After).
	ErrUnavailable
)

var reasons = [...]struct{ label, text string }{
	0:              {"none", "no reason"},
	ErrMethod:      {"method", "method is not POST"},
	ErrMediaType:   {"media_type", "media type or content encoding is not the endpoint's"},
	ErrUnsigned:    {"unsigned", "no signature that the scheme knows"},
	ErrMalformed:   {"malformed", "security header is malformed or repeated"},
	ErrTooOld:      {"too_old", "signed time is too old"},
	ErrTooNew:      {"too_new", "signed time is in the future"},
	ErrNoKey:       {"no_key", "no key for this request"},
	ErrMismatch:    {"mismatch", "signature matches no key"},
	ErrUntrusted:   {"untrusted", "key material is not trusted"},
	ErrForged:      {"forged", "another body than the one that was signed"},
	ErrTooLarge:    {"too_large", "body is too large"},
	ErrBody:        {"body", "body could not be read to its end"},
	ErrReplayed:    {"replayed", "event was handled before"},
	ErrInFlight:    {"in_flight", "event is being handled now"},
	ErrUnavailable: {"unavailable", "a service that verification needs is unavailable"},
}

// Error returns the reason as a phrase.
func (r Reason) Error() string {
	if int(r) < len(reasons) {
		return reasons[r].text
	}
	return "unknown reason"
}

// String returns the reason as a short label in lower case, for metrics and
// logs: "too_old", "mismatch". The set of labels is closed.
func (r Reason) String() string {
	if int(r) < len(reasons) {
		return reasons[r].label
	}
	return "unknown"
}

// Error is a refusal: one reason and, where there is more to say to the
// operator, a cause. Neither holds a secret, an expected signature or anything
// of the body, but a cause is meant for a log and not for the sender.
//
// errors.Is finds both the reason and what the cause wraps.
type Error struct {
	Reason Reason
	Cause  error // may be nil

	// Message identifies the signed message where the signature is good and the
	// message was refused all the same: as forged, for example, or because the
	// provider could not be asked about it. It is the Fingerprint that the Delivery
	// would have had. The zero Fingerprint says that the signature is not known to
	// be good, so that anyone can have caused this refusal.
	Message Fingerprint
}

// Error returns the reason and the cause.
func (e *Error) Error() string {
	if e.Cause == nil {
		return "verify: " + e.Reason.Error()
	}
	return "verify: " + e.Reason.Error() + ": " + e.Cause.Error()
}

// Unwrap returns the reason and the cause, if there is one.
func (e *Error) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Reason}
	}
	return []error{e.Reason, e.Cause}
}

// ReasonOf returns the reason in err's tree. An error without one, which no
// verifier should return, counts as ErrUnavailable, and so does the end of a
// context: whatever is not a verdict is a failure and never an acceptance. Where
// a cause has a reason of its own, the outer one decides, which errors.Is cannot
// tell. A nil err has the zero Reason.
func ReasonOf(err error) Reason {
	if err == nil {
		return 0
	}
	if e, ok := err.(*Error); ok { // in most cases, and without an allocation
		return e.reason()
	}
	var e *Error
	if errors.As(err, &e) {
		return e.reason()
	}
	var r Reason
	if errors.As(err, &r) && r != 0 {
		return r
	}
	return ErrUnavailable
}

func (e *Error) reason() Reason {
	if e == nil || e.Reason == 0 {
		return ErrUnavailable
	}
	return e.Reason
}

func zeroHead() error {
	return &Error{Reason: ErrMalformed, Cause: errors.New("no head, or a head without a receive time")}
}

// Verify runs both steps of v over a head and a body that are already at hand.
// It is for queues, Lambda functions and tests. It checks neither the method
// nor the media type nor the size of the body, and it remembers nothing: a
// replay verifies again. Where several processes or retries are involved, put a
// store behind it, as middleware.Guard does.
//
// The error is a *Error; its reason is one of ErrUnsigned, ErrMalformed,
// ErrTooOld, ErrTooNew, ErrNoKey, ErrMismatch, ErrMediaType (a signed body that is
// no form where one is due), ErrUntrusted, ErrForged (a body that the provider was
// asked about and does not know) and ErrUnavailable.
// The Delivery is nil if and only if there is an error. Its Body is body itself,
// which must not be changed afterwards.
func Verify(ctx context.Context, v Verifier, h *Head, body []byte) (*Delivery, error) {
	if h == nil || h.ReceivedAt.IsZero() {
		return nil, zeroHead()
	}
	p, err := v.Begin(ctx, h)
	if err != nil {
		return nil, err
	}
	d, err := p.Finish(ctx, body)
	switch {
	case err != nil:
		return nil, err
	case d == nil:
		return nil, &Error{Reason: ErrUnavailable, Cause: errors.New("the verifier returned neither a delivery nor an error")}
	}
	return d, nil
}
