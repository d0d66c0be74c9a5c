// Package otelmw makes OpenTelemetry metrics and spans of what a guard reports.
//
//	t, err := otelmw.New(nil) // the global providers
//	guard, err := middleware.New("billing", verifier, store, &middleware.Options{
//		Observe: func(ctx context.Context, r middleware.Report) {
//			t.Observe(ctx, r)
//			log(ctx, r) // another observer
//		},
//	})
//	err = t.Register("main", store)
//
// It needs the API of OpenTelemetry, and not the SDK: the program chooses the SDK and its
// exporters.
//
// # Metrics
//
//	hooknotary.deliveries         counter    {delivery}  requests that reached a guard
//	hooknotary.delivery.duration  histogram  s           from the head to the settled claim, the handler included
//	hooknotary.stage.duration     histogram  s           one stage: read, verify, claim, handle or settle
//	hooknotary.body.size          histogram  By          bodies that were read, as they were sent
//	hooknotary.key.uses           counter    {delivery}  verified deliveries, by the key that matched
//	hooknotary.claims.kept        counter    {claim}     failed events whose handler may have acted: they may run twice
//	hooknotary.store.failures     counter    {failure}   calls of the store that failed
//	hooknotary.store.records      gauge      {record}    records of a registered store
//	hooknotary.store.bytes        gauge      By          the memory they are charged, where the store has a bound
//	hooknotary.store.max_bytes    gauge      By          that bound
//
// Prometheus writes them as hooknotary_deliveries_total, hooknotary_delivery_duration_seconds
// and so on.
//
// # Attributes
//
//	hooknotary.endpoint   the guard's name                  all but the gauges
//	hooknotary.provider   whose deliveries it takes         deliveries, delivery.duration, key.uses
//	hooknotary.outcome    as middleware.Outcome prints      deliveries, delivery.duration
//	error.type            as verify.Reason prints           deliveries, where there is a reason
//	hooknotary.stage      the stage                         stage.duration, store.failures (claim or settle)
//	hooknotary.key_label  the label of the key              key.uses
//	hooknotary.scope      the scope of the key, if listed   deliveries, key.uses; see Options.Scopes
//	hooknotary.store      the name given to Register        the gauges
//
// All values come from the configuration or from closed sets, so a sender can make no new
// ones. The counter of deliveries has 7 outcomes and 15 reasons, and of their pairs about
// twenty come about; so a guard has at most 24 series of it. No attribute of a metric holds an
// id, a path, a query, an address, a user agent, the text of an error, or a scope that
// Options.Scopes does not list.
//
// # HTTP metrics
//
// This package emits no http.* metrics. Those come from otelhttp, around the guard:
//
//	mux.Handle("/hooks/stripe", guard.Handler(handler))
//	server.Handler = otelhttp.NewHandler(mux, "hooks",
//		otelhttp.WithPublicEndpointFn(func(*http.Request) bool { return true }),
//		otelhttp.WithPropagators(propagation.TraceContext{}),
//		otelhttp.WithServerName("hooks.example.com:443"))
//
// Program examples/telemetry shows the whole of it. The order matters: otelhttp is outside, then comes the mux, which sets the route that
// otelhttp reports as http.route, and then the guard. Each of the options closes a hole. The
// senders of webhooks are the public: WithPublicEndpointFn makes their traceparent a link
// of a new trace and never its parent, and the propagator takes no baggage from them. Without
// WithServerName, otelhttp makes server.address and server.port of the Host header, and whoever
// sends requests can make any number of series.
//
// # Spans
//
// A request is one span, "hooknotary.admit", with the stages as events, each at its end. It
// is a child of the span in the request's context, which is otelhttp's. Spans of the handler
// are its siblings, because a guard reports when a request is over. The span has the
// attributes above, listed scopes only, and hooknotary.correlation_id, which is random and
// stands in the log, too. The id of an event stands in a span only with Options.RecordIDs.
// By default a request without a recorded span in its context has none of this package,
// either.
package otelmw
