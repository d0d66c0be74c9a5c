// Package middleware puts a verifier and a store in front of an HTTP handler,
// so that the handler sees each genuine delivery once, and nothing else.
//
//	mux.Handle("POST /hooks/stripe", middleware.Protect(stripe.Must(secret))(handler))
//
// [Protect] is the whole of it for one process. [New] makes a [Guard] with a
// store of your choice and with [Options]; [Guard.Handler] wraps a handler.
// In the handler [verify.FromContext] returns the verified delivery, and the request's
// body reads as ever.
//
// What a service does not need has packages of its own, so that this page is short:
// [github.com/hooknotary/hooknotary/middleware/adapter] and
// [github.com/hooknotary/hooknotary/middleware/hold] are for authors of adapters to
// other frameworks, and [github.com/hooknotary/hooknotary/middleware/observe] is for
// recorders.
//
// # What happens to a request
//
//  1. A handshake is answered, see below. Method, Content-Type, Content-Encoding and
//     Content-Length are checked, then the verifier judges the head. A refusal here costs no byte of the body and
//     no call of the store. The one Content-Type that the endpoint takes is a
//     fact of the verifier; an absent one counts as that.
//  2. The body is read: bounded in size, in time and in the memory that all bodies
//     in flight may take together (see [Budget]).
//  3. The verifier checks the signature.
//  4. The event is claimed in the store. A repeat ends here.
//  5. The handler runs. Its response is held back.
//  6. If it succeeded, with a final 2xx status and without a panic, the event is
//     committed, and then the response leaves. Otherwise the claim is released, and
//     then the response leaves or the panic goes on, unchanged.
//
// So no event is lost when a handler fails, none runs twice when it succeeds, and
// no 2xx leaves for an event that is not done. A failure that is written after a 2xx
// counts; informational statuses (1xx) are dropped, and an upgrade (101) is no
// success. There are two exceptions: if the
// program dies between the handler's effects and the commit, the event runs once
// more; and if the store cannot be told, after three tries, the handler's 2xx
// leaves all the same, because the work is done.
//
// # Handshakes
//
// Where the provider checks an endpoint with a request of its own, most often a GET, or
// with a delivery that wants something written back, the guard answers it: see
// [verify.Challenger]. No handler runs, the store is not asked, and the report says
// [Challenged]. What is echoed is bounded, plain text or JSON, and never HTML; what is
// computed with a secret is given 5 times a second at most, in bursts of up to 20, unless
// the request is signed. Under InsecureReportOnly the handler gets such a request, as
// every other.
//
// The route must let the request through to the guard. The pattern "POST /hooks/meta"
// answers a GET before the guard sees it; "/hooks/meta" does not. The guard reports it
// once, with NoHandshakes. With other frameworks, register the path for all methods.
//
// # Compressed bodies
//
// A Content-Encoding is refused, unless the provider is known to compress what it sends.
// Then one layer of gzip is taken. Where the compressed bytes are signed, the handler reads
// these. Where what they hold is signed, the guard unpacks as the body comes, and the
// handler reads what was unpacked, without a Content-Encoding: MaxBody and the budget
// count unpacked bytes, nothing may follow the gzip, and a body that unpacks to more than
// 100 times its size is refused with 413.
//
// # Responses
//
//	405 not a POST                      415 another media type, or an encoding
//	401 not verified                    413 body too large
//	400 body broken off                 408 body too slow
//	409 handled before, byte for byte   409 being handled now (Retry-After)
//	200 handled before, honestly repeated (Webhook-Duplicate: 1)
//	503 the store or a key source failed, or no memory for the body (Retry-After)
//
// All 401s are the same, byte for byte; the reason goes to [Options.Observe]. A few
// providers want another status for what does not verify, or no body; see
// [verify.Rejection].
// Where a provider signs each attempt anew, a byte-identical repeat is a replay
// and gets 409, while a newly signed one is an honest retry whose response was
// lost, and gets 200. Where a retry may repeat its bytes, both get 200.
//
// An empty body that is validly signed is an event: the handler gets an empty body.
// It has no id, so it is known by its fingerprint; where the provider signs the body
// alone, all empty bodies are one event.
//
// If a store panics in Commit, nobody knows whether the event is done. The panic goes
// on, no 2xx leaves, and the claim is renewed no longer: once its lease has run out, a
// retry runs, unless the event was marked as done.
//
// # Rules of placement
//
// Nothing may read or change the body before the guard. A middleware that
// decompresses, limits or logs bodies goes behind it.
//
// Timeouts belong outside: [net/http.TimeoutHandler] inside the guard responds with 503
// while the handler still runs, so the event is released and may run twice at
// once. [Options.MaxRun] ends a handler's context.
//
// If outer middleware recovers from panics, it must write an error response; otherwise
// net/http sends 200 for an event that was released.
//
// After a refusal the request has no body any more, for whatever a framework still
// runs on it. A middleware outside that copied the request before keeps the body
// that it had.
//
// One guard, one handler: two handlers behind one guard, or under one endpoint
// name in one store, are one to the store, and each event reaches only one
// of them. The same guard twice around a handler counts once.
//
// Set ReadHeaderTimeout and ReadTimeout of the http.Server. The guard bounds the
// reading of bodies, but not what comes before it. If an outer ResponseWriter has no
// Unwrap, only http.Server.ReadTimeout stops a stalled body. The guard never lengthens
// either.
package middleware
