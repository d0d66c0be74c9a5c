package gateway

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/config"
	"github.com/hooknotary/hooknotary/verify"
)

var (
	errInFlight = errors.New("too many verified deliveries of this route are in flight: the upstream is too slow for what comes, or in_flight is too small")
	errOver     = errors.New("the key that the signature was made with is over: its not_after has passed")
)

// inFlight counts the verified deliveries of a route that are in flight. A route keeps
// its count over a reload, which may change the bound.
type inFlight struct{ count atomic.Int64 }

// enter counts one more, unless there are limit of them.
func (f *inFlight) enter(limit int64) bool {
	if f.count.Add(1) > limit {
		f.count.Add(-1)
		return false
	}
	return true
}

func (f *inFlight) leave() { f.count.Add(-1) }

// verifier is the verifier of a route, with what the gateway asks of a delivery that is
// verified: that its key is not over, and that there is space for it.
//
// The bound on what is in flight must not count what is not verified, or strangers could
// use it up; and what is above it must not reach the store, or a flood of genuine
// deliveries would be one of claims and releases. Between the two, a guard runs nothing
// but the last step of its verifier. So the bound stands there, and what is above it is
// refused as unavailable: 503 with Retry-After, also by a guard that lets pass what the
// store fails for.
type verifier struct {
	verify.Verifier
	limit int64
	ends  map[keyName]time.Time // of the keys that have an end
	now   func() time.Time
}

type keyName struct{ scope, label string }

// newVerifier returns the verifier for the guard of a route: a verify.Challenger if the
// route's own is one.
func newVerifier(rc *config.Route, now func() time.Time) verify.Verifier {
	v := &verifier{Verifier: rc.Verifier, limit: int64(rc.InFlight), ends: make(map[keyName]time.Time), now: now}
	for _, k := range rc.Keys {
		if !k.NotAfter.IsZero() {
			v.ends[keyName{k.Scope, k.Label}] = k.NotAfter
		}
	}
	if c, ok := rc.Verifier.(verify.Challenger); ok {
		return &challenger{v, c}
	}
	return v
}

func (v *verifier) Begin(ctx context.Context, h *verify.Head) (verify.Pending, error) {
	p, err := v.Verifier.Begin(ctx, h)
	if err != nil || p == nil {
		return p, err
	}
	return &pending{p, v}, nil
}

// admit returns why a verified delivery must go no further, or nil.
func (v *verifier) admit(ctx context.Context, d *verify.Delivery) error {
	if end, ok := v.ends[keyName{d.Scope, d.KeyLabel}]; ok && !v.now().Before(end) {
		return &verify.Error{Reason: verify.ErrMismatch, Cause: errOver}
	}
	if r := requestOf(ctx); r != nil && !r.enter(v.limit) {
		return &verify.Error{Reason: verify.ErrUnavailable, Cause: errInFlight, Message: d.Fingerprint}
	}
	return nil
}

// About is the verifier's own, if it has one.
func (v *verifier) About() verify.About {
	if a, ok := v.Verifier.(interface{ About() verify.About }); ok {
		return a.About()
	}
	return verify.About{}
}

// pending is a delivery that the verifier has not seen the body of.
type pending struct {
	verify.Pending
	v *verifier
}

func (p *pending) Finish(ctx context.Context, body []byte) (*verify.Delivery, error) {
	d, err := p.Pending.Finish(ctx, body)
	if err != nil || d == nil {
		return d, err
	}
	if err := p.v.admit(ctx, d); err != nil {
		return nil, err
	}
	return d, nil
}

// challenger is a verifier whose provider has handshakes.
type challenger struct {
	*verifier
	own verify.Challenger
}

func (c *challenger) Challenge(ctx context.Context, h *verify.Head) (verify.Challenge, error) {
	return c.own.Challenge(ctx, h)
}

func (c *challenger) Respond(ctx context.Context, h *verify.Head, d *verify.Delivery) (*verify.Response, error) {
	return c.own.Respond(ctx, h, d)
}

// HandshakeMethods are the verifier's own, if it names them.
func (c *challenger) HandshakeMethods() []string {
	if m, ok := c.own.(interface{ HandshakeMethods() []string }); ok {
		return m.HandshakeMethods()
	}
	return nil
}
