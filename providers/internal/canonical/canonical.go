// Package canonical lets the engine judge a message that a verifier makes of a request:
// of its URL, of fields of a form, of headers that the request names.
//
// Such a verifier holds one of package scheme whose Message is the body alone, and hands
// the message to it in place of the body. So keys, bounds, encodings and the comparison
// are those of the engine.
package canonical

import (
	"context"
	"errors"

	"github.com/hooknotary/hooknotary/verify"
)

// Finish judges the messages that a request may have been signed as, and returns a
// delivery of the body. p is the engine's. The body has no message if none is not nil: the
// keys are tried as for any other, because nobody may measure who has one, and the request
// is refused as verify.ErrMismatch for that cause.
//
// Only configuration may decide how many messages there are.
func Finish(ctx context.Context, p verify.Pending, body []byte, none error, messages ...[]byte) (*verify.Delivery, error) {
	if none != nil {
		messages = [][]byte{body}
	}
	var d *verify.Delivery
	var refusal error
	for _, m := range messages {
		found, err := p.Finish(ctx, m)
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
	case d == nil && refusal == nil:
		return nil, &verify.Error{Reason: verify.ErrMismatch}
	case d == nil:
		return nil, refusal
	}
	d.Body = body
	return d, nil
}
