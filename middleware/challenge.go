package middleware

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hooknotary/hooknotary/middleware/adapter"
	"github.com/hooknotary/hooknotary/verify"
)

var (
	errChallengeLength   = errors.New("a handshake comes with a body that is larger than any delivery")
	errChallengeEncoding = errors.New("a handshake comes with an encoded body")
	errComputed          = errors.New("too many handshakes ask for something that is computed with a secret: a few an hour are genuine")
)

// challenge asks the verifier whether the head is that of a handshake.
func (g *Guard) challenge(ctx context.Context, in *adapter.Inbound, watch *stopwatch) (verify.Challenge, error) {
	if g.answers == nil {
		return nil, nil
	}
	defer watch.lap(&watch.verify)
	challenge, err := g.answers.Challenge(ctx, &in.Head)
	if challenge == nil || err != nil {
		return nil, err
	}
	switch encoding := strings.Join(in.Head.Header["Content-Encoding"], ","); {
	case encoding != "" && !strings.EqualFold(encoding, "identity"):
		return nil, &verify.Error{Reason: verify.ErrMediaType, Cause: errChallengeEncoding}
	case in.ContentLength > g.opts.MaxBody:
		return nil, &verify.Error{Reason: verify.ErrTooLarge, Cause: errChallengeLength}
	}
	return challenge, nil
}

// hasOther reports whether the verifier's handshakes come by another method than POST, too.
func (g *Guard) hasOther() bool {
	o, ok := g.verifier.(interface{ HandshakeMethods() []string })
	return ok && slices.ContainsFunc(o.HandshakeMethods(), func(method string) bool { return method != http.MethodPost })
}

// answer asks for the response to a handshake. verified says that it is a delivery, which
// may be none: then there is neither a response nor an error.
func (a *Admission) answer(ask func() (*verify.Response, error), verified bool) (*verify.Response, error) {
	defer a.watch.lap(&a.watch.verify)
	answer, err := ask()
	if err != nil || answer == nil && verified {
		return nil, err
	}
	if err := answer.Check(); err != nil {
		return nil, err
	}
	if answer.Computed && !verified && !a.g.computed.allow(time.Now()) {
		return nil, &verify.Error{Reason: verify.ErrUnavailable, Cause: errComputed}
	}
	return answer, nil
}

// computed limits how often anyone gets something that is computed with a secret.
type computed struct {
	mu    sync.Mutex
	limit limiter
}

func (c *computed) allow(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.limit.last.IsZero() {
		c.limit = limiter{tokens: refusalBurst, last: now}
	}
	_, ok := c.limit.allow(false, now)
	return ok
}

// challenged ends Admit with the response to a handshake.
func (a *Admission) challenged(ctx context.Context, in *adapter.Inbound, r refusal) (*Admission, *Response) {
	a.report.Outcome = Challenged
	return a.end(ctx, in, r, func() *Response { return handshake(r.answer) })
}

// handshake returns the response to a handshake. What was echoed must stay what it is: it
// is no page, and nobody keeps it.
func handshake(answer *verify.Response) *Response {
	r := &Response{Status: answer.Status, Body: answer.Body, Header: http.Header{
		"Cache-Control":          {"no-store"},
		"X-Content-Type-Options": {"nosniff"},
	}}
	setDefault(&r.Status, http.StatusOK)
	if answer.ContentType != "" {
		r.Header.Set("Content-Type", answer.ContentType)
	}
	return r
}
