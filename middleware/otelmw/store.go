package otelmw

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/otel/metric"

	"github.com/hooknotary/hooknotary/verify/replay"
)

const (
	statsEvery   = time.Minute
	statsTimeout = 30 * time.Second
	statsFresh   = 3 * time.Minute
)

// Register adds gauges of a store, under a name that no other store has. A replay.Memory
// is asked at each collection. Another store, which may have to count, is asked at most
// once a minute, beside the collection and for at most 30 seconds: a collection starts
// that, and a later one has the result. A result that is older than three minutes is left
// out, so a store that fails has no gauges.
//
// It fails where the store is no replay.Inspector, or the name is empty or taken. A store
// stays registered as long as the program runs.
func (t *Telemetry) Register(name string, s replay.Store) error {
	var stats func() (replay.Stats, bool)
	switch s := s.(type) {
	case interface{ Usage() replay.Stats }:
		stats = func() (replay.Stats, bool) { return s.Usage(), true }
	case replay.Inspector:
		p := &poll{of: s}
		stats = p.stats
	default:
		return fmt.Errorf("otelmw: the store %q implements no replay.Inspector, so it has nothing to show", name)
	}
	if name == "" {
		return errors.New("otelmw: the name of a store is empty")
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stores[name] {
		return fmt.Errorf("otelmw: a store %q is registered already", name)
	}
	labels := metric.WithAttributes(str(storeKey, name))
	_, err := t.meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		if now, ok := stats(); ok {
			o.ObserveInt64(t.storeRecords, now.Records, labels)
			if now.MaxBytes > 0 {
				o.ObserveInt64(t.storeBytes, now.Bytes, labels)
				o.ObserveInt64(t.storeLimit, now.MaxBytes, labels)
			}
		}
		return nil
	}, t.storeRecords, t.storeBytes, t.storeLimit)
	if err != nil {
		return fmt.Errorf("otelmw: %w", err)
	}
	t.stores[name] = true
	return nil
}

// poll asks a store that takes its time.
type poll struct {
	of replay.Inspector

	mu    sync.Mutex
	asked time.Time
	busy  bool
	last  replay.Stats
	at    time.Time // of last; zero if there is none
}

func (p *poll) stats() (replay.Stats, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if !p.busy && (p.asked.IsZero() || now.Sub(p.asked) >= statsEvery) {
		p.busy, p.asked = true, now
		go p.ask()
	}
	return p.last, !p.at.IsZero() && now.Sub(p.at) < statsFresh
}

func (p *poll) ask() {
	ctx, cancel := context.WithTimeout(context.Background(), statsTimeout)
	defer cancel()
	var stats replay.Stats
	err := errors.New("the store panicked")
	defer func() {
		recover() // on this goroutine a panic would end the program
		p.mu.Lock()
		defer p.mu.Unlock()
		p.busy = false
		if err == nil {
			p.last, p.at = stats, time.Now()
		}
	}()
	stats, err = p.of.Stats(ctx)
}
