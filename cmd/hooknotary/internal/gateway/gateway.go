// Package gateway serves the routes of a configuration: each a guard in front of one
// upstream.
//
//	g, err := gateway.New(c, gateway.Options{Store: store})
//	…
//	http.Serve(listener, g)
//
// A request is matched by its path, as it was sent. What no route has gets 404, and a
// route with hosts answers any other Host with 421, both before a byte of the body is
// read. The route then decides everything: the sender's secrets, the tenant, the upstream.
//
// # Reload
//
// [Gateway.Reload] swaps the configuration as a whole. A request keeps what it began
// with. A route that did not change, by its Digest, keeps its verifier, its guard and its
// connections. All guards ask one store, under the route's name, so a delivery that was
// handled before a reload is a replay after it. The budget of the bodies, the limits of
// the log and the counts of what is in flight belong to the gateway, so a reload resets
// none of them.
//
// A [Follower] reloads: when it is told to, or when a file changes.
//
// # Bounds
//
// Route.InFlight bounds the verified deliveries of a route that are in flight, from the
// signature to the last byte of the response. What comes above it gets 503 with
// Retry-After. Before the signature holds, only the budget of the bodies counts, so
// strangers cannot use this bound up. Routes that only report have a budget of their own, of
// the same size, because nothing interrupts what they read.
//
// # Keys that end
//
// A key is over at its NotAfter, to the request: the gateway compares the time with
// that of the key which matched, whether or not the configuration could be loaded since.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/config"
	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/telemetry"
	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/forward"
	"github.com/hooknotary/hooknotary/middleware/record"
	"github.com/hooknotary/hooknotary/verify/replay"
)

// Options holds what a gateway is given beside its configuration. Store is required; the
// zero value of each other field means the default.
type Options struct {
	// Store is the one store behind all routes. It outlives every reload.
	Store replay.Store

	// Log gets one line for each refusal, failure and reload, within the limits of
	// middleware.LogObserver. Default: slog.Default.
	Log *slog.Logger

	// Recorder, if not nil, stands around every guard.
	Recorder *record.Recorder

	// Shutdown, if not nil, ends the handlers of all routes when it ends.
	Shutdown context.Context

	// ClientAddress, if not nil, returns the address that a request came from, for the log
	// and for the routes that forward it; "" where it is not known.
	ClientAddress func(*http.Request) string

	// Telemetry measures. Nil: nothing is measured.
	Telemetry *telemetry.Telemetry

	// Now is the clock, for tests. Default: time.Now.
	Now func() time.Time
}

// Gateway is an http.Handler that serves the routes of a configuration. Make one with
// [New]. It is safe for concurrent use.
type Gateway struct {
	o       Options
	budget  *middleware.Budget
	lenient *middleware.Budget // of the guards that only report, which interrupt no body
	observe func(context.Context, middleware.Report)
	nothing http.Handler // for what no route takes
	serving atomic.Pointer[generation]

	reloading sync.Mutex
	started   map[string][32]byte // Config.Restart, as it was at the start
	inFlight  map[string]*inFlight

	credentials atomic.Pointer[[]string] // parameters of queries, also those of former configurations
}

// generation is one configuration with what was made of it. It does not change.
type generation struct {
	config *config.Config
	router router
	routes map[string]*route
	keys   []byte // JSON Web Key Set
}

// New makes a gateway that serves c. The error says what is wrong with each route.
func New(c *config.Config, o Options) (*Gateway, error) {
	if o.Store == nil {
		return nil, errors.New("gateway: Store is nil")
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Telemetry == nil {
		o.Telemetry = new(telemetry.Telemetry)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	g := &Gateway{
		o:        o,
		budget:   middleware.NewBudget(c.Limits.BodyBudget),
		lenient:  middleware.NewBudget(c.Limits.BodyBudget),
		started:  c.Restart,
		inFlight: make(map[string]*inFlight),
	}
	log := middleware.LogObserver(slog.New(requestHandler{o.Log.Handler(), o.ClientAddress}))
	g.observe = func(ctx context.Context, r middleware.Report) {
		log(ctx, r)
		o.Telemetry.Observe(ctx, r)
	}
	g.nothing = o.Telemetry.Route("", answer(http.StatusNotFound))
	if _, err := g.Reload(c); err != nil {
		return nil, err
	}
	return g, nil
}

// Config returns the configuration that is served. It is read-only.
func (g *Gateway) Config() *config.Config { return g.serving.Load().config }

// Close closes the idle connections to all upstreams. Requests go on.
func (g *Gateway) Close() error {
	for _, r := range g.serving.Load().routes {
		r.forward.Close()
	}
	return nil
}

// Reload serves c from now on. It returns the names of the parts that differ from
// those the gateway was started with and have no effect until it is started anew. If
// there is an error, the old configuration stays as it is.
func (g *Gateway) Reload(c *config.Config) (restart []string, err error) {
	g.reloading.Lock()
	defer g.reloading.Unlock()
	var old map[string]*route
	if now := g.serving.Load(); now != nil {
		old = now.routes
	}
	next := &generation{config: c, routes: make(map[string]*route, len(c.Routes))}
	var made []*route
	var mistakes []error
	for i := range c.Routes {
		rc := &c.Routes[i]
		r := old[rc.Name]
		if r == nil || r.digest != rc.Digest {
			if r, err = g.newRoute(c, rc); err != nil {
				mistakes = append(mistakes, fmt.Errorf("route %s: %w", rc.Name, err))
				continue
			}
			made = append(made, r)
		}
		if err := next.router.add(rc.Path, r); err != nil {
			mistakes = append(mistakes, fmt.Errorf("route %s: %w", rc.Name, err))
		}
		next.routes[rc.Name] = r
	}
	if next.keys, err = keySet(c.Assertion.Keys); err != nil {
		mistakes = append(mistakes, err)
	}
	if mistakes != nil {
		for _, r := range made {
			r.forward.Close()
		}
		return nil, errors.Join(mistakes...)
	}
	g.learnCredentials(c)
	g.serving.Store(next)
	g.o.Telemetry.Faulty(len(c.Faulty))
	for name, r := range old {
		if next.routes[name] != r {
			r.forward.Close()
		}
	}
	for name, f := range g.inFlight {
		if next.routes[name] == nil && f.count.Load() == 0 {
			delete(g.inFlight, name)
		}
	}
	for name := range maps.Keys(g.started) {
		if g.started[name] != c.Restart[name] {
			restart = append(restart, name)
		}
	}
	slices.Sort(restart)
	return restart, nil
}

// route is one route, ready to serve.
type route struct {
	name, path string
	digest     [32]byte
	inFlight   *inFlight
	forward    *forward.Handler
	handler    http.Handler // forward, and what stands around it
}

func (g *Gateway) newRoute(c *config.Config, rc *config.Route) (*route, error) {
	guardOptions := rc.Guard
	guardOptions.Budget, guardOptions.BodyBudget = g.budget, 0
	if guardOptions.InsecureReportOnly {
		guardOptions.Budget = g.lenient
	}
	guardOptions.Observe, guardOptions.Now, guardOptions.Shutdown = g.observe, g.o.Now, g.o.Shutdown
	guard, err := middleware.New(rc.Name, newVerifier(rc, g.o.Now), g.o.Store, &guardOptions)
	if err != nil {
		return nil, err
	}
	return g.guarded(c, rc, guard)
}

// guarded makes a route of its guard.
func (g *Gateway) guarded(c *config.Config, rc *config.Route, guard *middleware.Guard) (*route, error) {
	f, err := forward.New(guard, rc.Upstream.URL, g.forwardOptions(rc))
	if err != nil {
		return nil, err
	}
	r := &route{name: rc.Name, path: rc.Path, digest: rc.Digest, forward: f, handler: f}
	if g.o.Recorder != nil {
		r.handler = g.o.Recorder.Handler(r.handler)
	}
	hosts := rc.Hosts
	if hosts == nil {
		hosts = c.Listen.Hosts
	}
	if len(hosts) > 0 {
		r.handler = onlyHosts(hosts, r.handler)
	}
	r.handler = g.o.Telemetry.Route(r.path, r.handler)
	if r.inFlight = g.inFlight[rc.Name]; r.inFlight == nil {
		r.inFlight = new(inFlight)
		g.inFlight[rc.Name] = r.inFlight
	}
	return r, nil
}

func (g *Gateway) forwardOptions(rc *config.Route) *forward.Options {
	o := rc.ForwardOptions()
	o.Observe = g.observeUpstream(rc.Name)
	if rc.Forward.ClientAddress {
		o.ClientAddress = g.o.ClientAddress
	}
	return o
}

// observeUpstream returns what notes the outcome of a request to a route's upstream, for
// the log and for the telemetry.
func (g *Gateway) observeUpstream(route string) func(context.Context, http.Header) func(forward.Report) {
	begin := g.o.Telemetry.Upstream(route)
	return func(ctx context.Context, h http.Header) func(forward.Report) {
		end := func(forward.Report) {}
		if begin != nil {
			end = begin(ctx, h)
		}
		return func(report forward.Report) {
			if r := requestOf(ctx); r != nil {
				r.upstream = &report
			}
			end(report)
		}
	}
}

// ServeHTTP hands a request to the guard of its route, as the configuration is now.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	now := g.serving.Load()
	to := now.router.find(r)
	switch {
	case to != nil:
	case now.config.Assertion.Publish && r.URL.EscapedPath() == KeysPath:
		g.serveKeys(w, r)
		return
	default:
		g.nothing.ServeHTTP(w, r)
		return
	}
	state := &request{Request: r, route: to}
	defer state.leave()
	ctx := context.WithValue(r.Context(), requestKey{}, state)
	if tenant := r.PathValue("tenant"); tenant != "" {
		ctx = config.WithTenant(ctx, tenant)
	}
	r = r.WithContext(ctx)
	r.Pattern = to.path
	to.handler.ServeHTTP(w, r)
}
