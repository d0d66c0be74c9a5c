// Package observe tells code in front of a guard what the guard reports: a recorder,
// a tracer, a test. It stands apart from package middleware because a service does not
// need it: a service sets middleware.Options.Observe when it makes the guard.
package observe

import (
	"context"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/internal/contextkey"
)

// With returns a context under which every guard calls observe, just as it calls
// Options.Observe and before that. Where several guards judge a request, the innermost
// one reports first. An observer that ctx has already is called afterwards.
//
// It panics if observe is nil.
func With(ctx context.Context, observe func(ctx context.Context, r middleware.Report)) context.Context {
	if observe == nil {
		panic("observe: the observer is nil")
	}
	if outer, ok := ctx.Value(contextkey.Observer{}).(func(context.Context, middleware.Report)); ok {
		inner := observe
		observe = func(ctx context.Context, r middleware.Report) {
			inner(ctx, r)
			outer(ctx, r)
		}
	}
	return context.WithValue(ctx, contextkey.Observer{}, observe)
}

// SignedBody returns the body of the request that an observer is told about, or nil
// where the signature is not known to be good. ctx is the observer's. It is for
// recorders: the body may be of a request that was refused, such as a forgery or a
// replay. It is read-only, and holds personal data.
func SignedBody(ctx context.Context) []byte {
	body, _ := ctx.Value(contextkey.SignedBody{}).([]byte)
	return body
}
