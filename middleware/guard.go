package middleware

import (
	"fmt"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/hooknotary/hooknotary/middleware/adapter"
	"github.com/hooknotary/hooknotary/middleware/hold"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

// Guard verifies requests, claims their events and settles them. Make one with
// [New]. It is safe for concurrent use and holds no goroutine, so it needs no
// Close.
type Guard struct {
	endpoint  string
	verifier  verify.Verifier
	answers   verify.Challenger // the verifier, if its provider has handshakes
	profile   verify.Profile
	store     replay.Store
	opts      Options
	publicURL *url.URL
	bound     time.Duration // how long a message stays bound to its body
	responses *responses
	forged    memory
	computed  computed

	unpackCharge int64 // what a body that is unpacked is charged besides

	deadlineReported atomic.Bool
	hiddenReported   atomic.Bool
}

// New makes a guard. The endpoint names it in the store and in reports: 1 to
// 128 bytes, from configuration, the same in every process and after every
// restart. Renaming an endpoint forgets what its store knows. Verifier and
// store are required; a nil o is the zero Options.
func New(endpoint string, v verify.Verifier, s replay.Store, o *Options) (*Guard, error) {
	g := &Guard{endpoint: endpoint, verifier: v, store: s}
	g.answers, _ = v.(verify.Challenger)
	if o != nil {
		g.opts = *o
	}
	if err := g.configure(); err != nil {
		return nil, fmt.Errorf("middleware: endpoint %q: %w", endpoint, err)
	}
	return g, nil
}

// Protect returns a middleware that guards one endpoint with v and a store in
// memory. It fits net/http, chi and whatever else takes a function from handler
// to handler. The store is made here, once, and forgets when the process ends;
// several processes need [New] and a store that they share. Refusals and
// failures are logged to slog.Default, as [LogObserver] does.
//
// It panics if v is nil or has an invalid profile.
func Protect(v verify.Verifier) func(http.Handler) http.Handler {
	g, err := New("default", v, replay.NewMemory(nil), &Options{Observe: LogObserver(nil)})
	if err != nil {
		panic(err)
	}
	return g.Handler
}

// Endpoint returns the name that New was given.
func (g *Guard) Endpoint() string { return g.endpoint }

// Verifier returns the verifier that New was given.
func (g *Guard) Verifier() verify.Verifier { return g.verifier }

// Key returns the key under which the store knows a delivery of this guard,
// for replay.Store.Forget.
func (g *Guard) Key(d *verify.Delivery) replay.Key {
	return replay.Event{
		Endpoint:    g.endpoint,
		Provider:    d.Provider,
		Scope:       d.Scope,
		ID:          d.ID,
		Fingerprint: d.Fingerprint.Sum(),
		Partition:   d.Unsigned.Partition,
	}.Key()
}

// Handler wraps next. A request that carries a claim of this guard already, since
// the guard stands around next twice, passes through.
//
// It panics if next is nil.
func (g *Guard) Handler(next http.Handler) http.Handler {
	if next == nil {
		panic("middleware: handler is nil")
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if g.Admitted(r.Context()) {
			next.ServeHTTP(w, r)
			return
		}
		admission, response := g.Admit(r.Context(), adapter.NewInbound(w, r))
		if response != nil {
			response.ServeHTTP(w, r)
			return
		}
		// Runs also when next panics or ends its goroutine, and leaves a panic
		// as it is.
		defer admission.Close()
		if admission.ReportOnly() {
			watched := hold.Watch(w)
			next.ServeHTTP(watched, admission.Request(r))
			admission.Settle(watched.Success())
			return
		}
		held := hold.Hold(w)
		returned := false
		defer func() {
			if !returned {
				held.Reset() // whoever recovers outside must not send the handler's headers
			}
		}()
		next.ServeHTTP(held, admission.Request(r))
		returned = true
		if response := admission.Settle(held.Success()); response != nil {
			held.Reset()
			response.ServeHTTP(w, r)
			return
		}
		held.Send()
	})
}
