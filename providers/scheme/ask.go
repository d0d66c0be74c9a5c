package scheme

import (
	"context"
	"fmt"

	"github.com/hooknotary/hooknotary/verify"
)

// answer is what a key source returned, or what became of the call.
type answer struct {
	keys     []verify.Key
	err      error
	panicked any
}

// ask asks the key source for keys, and waits for verify.KeyTimeout at most. A call that
// takes longer is left behind, and holds its place among maxAsking until it returns: so a
// source that never does cannot hold requests, and cannot pile up goroutines.
func (v *Verifier) ask(ctx context.Context, h *verify.Head) ([]verify.Key, error) {
	if v.asking == nil { // a fixed list
		return v.source.Keys(ctx, h)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, verify.KeyTimeout, errKeysLate)
	defer cancel()
	if err := v.place(ctx); err != nil {
		return nil, err
	}
	// A call that is left behind reads the head while the request's own is somebody
	// else's again.
	own := h
	if h != nil {
		own = &verify.Head{Method: h.Method, Header: h.Header.Clone(), ReceivedAt: h.ReceivedAt}
		if h.URL != nil {
			u := *h.URL
			own.URL = &u
		}
	}
	answered := make(chan answer, 1)
	go func() {
		a := answer{err: errKeysGone}
		defer func() {
			<-v.asking
			answered <- a
		}()
		defer func() { a.panicked = recover() }()
		a.keys, a.err = v.source.Keys(ctx, own)
	}()
	select {
	case a := <-answered:
		if a.panicked != nil {
			panic(a.panicked)
		}
		return a.keys, a.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// place takes one of the places of calls. So many may wait, and one more is refused: a
// request that waits here is counted nowhere else.
func (v *Verifier) place(ctx context.Context) error {
	defer v.waiting.Add(-1)
	if v.waiting.Add(1) > maxWaiting {
		return fmt.Errorf("the key source was not asked: %d requests wait for it", maxWaiting)
	}
	select {
	case v.asking <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%w (all of the %d calls at a time are waiting)", context.Cause(ctx), maxAsking)
	}
}
