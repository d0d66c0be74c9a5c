package middleware

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/hooknotary/hooknotary/verify/replay"
)

// lease keeps a claim alive while the handler runs. What it does in the
// background needs nothing of the request.
type lease struct {
	store  replay.Store
	handle replay.Handle
	length time.Duration
	lost   func(cause error)

	mu      sync.Mutex
	renewal *time.Timer
	end     time.Time // from when on somebody else may have the claim
	settled bool      // by the handler
	over    bool
	abort   context.CancelFunc // of a renewal under way
	running sync.WaitGroup
}

// start begins to renew after a third of the lease. lost is called with a cause
// if somebody else has taken the claim, or may have.
func (l *lease) start(lost func(cause error)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lost = lost
	l.renewal = time.AfterFunc(l.length/3, l.renew)
}

func (l *lease) renew() {
	l.mu.Lock()
	if l.over {
		l.mu.Unlock()
		return
	}
	// A try that hangs leaves time for two more before the lease runs out. After
	// that there are more, for handlers that do not heed their context.
	asked := time.Now()
	ctx, abort := context.WithTimeout(context.Background(), l.pause())
	defer abort()
	l.abort = abort
	l.running.Add(1)
	defer l.running.Done()
	l.mu.Unlock()

	err := l.renewOnce(ctx)

	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.over:
	case err == errSettled:
		l.settled = true
	case errors.Is(err, replay.ErrLost):
		l.lost(errClaimLost)
	case err != nil:
		l.checkLocked()
		l.renewal.Reset(l.pause())
	default:
		l.end = asked.Add(l.length)
		l.renewal.Reset(l.length / 3)
	}
}

// pause is how long a try to renew may take, and how long the next one waits: a
// ninth of the lease, but not beyond its end.
func (l *lease) pause() time.Duration {
	d := l.length / 9
	if left := time.Until(l.end); left > 0 {
		d = min(d, left)
	}
	return d
}

// check ends the handler's context if the lease is over.
func (l *lease) check() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.checkLocked()
}

func (l *lease) checkLocked() {
	if !l.over && !l.settled && !time.Now().Before(l.end) {
		l.lost(errLeaseOver)
	}
}

// renewOnce makes an error of a panic, which on this goroutine would end the
// program. An event that the handler has marked as done in its own transaction
// cannot be renewed any more: that its owner may commit it again tells this from a
// claim that was taken over.
func (l *lease) renewOnce(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errRenewPanic
		}
	}()
	if err = l.store.Renew(ctx, l.handle, l.length); !errors.Is(err, replay.ErrLost) {
		return err
	}
	if err = l.store.Commit(ctx, l.handle); err == nil {
		return errSettled
	}
	return err
}

// stop ends the renewals, also one that is under way.
func (l *lease) stop() {
	l.mu.Lock()
	l.over = true
	l.renewal.Stop()
	if l.abort != nil {
		l.abort()
	}
	l.mu.Unlock()
	l.running.Wait()
}

// commit tries up to three times, the first time with t.
func (l *lease) commit(ctx context.Context, t *timeout) error {
	for try := 1; ; try++ {
		err := l.store.Commit(t.begin(ctx, commitTimeout, nil), l.handle)
		t.end(nil)
		if err == nil || errors.Is(err, replay.ErrLost) || try == 3 {
			return err
		}
		t = new(timeout)
		time.Sleep(commitPause)
	}
}

func (l *lease) release(ctx context.Context, t *timeout) error {
	defer t.end(nil)
	return l.store.Release(t.begin(ctx, releaseTimeout, nil), l.handle)
}
