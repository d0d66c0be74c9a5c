// Package forward puts a guard in front of a receiver in any language: what the guard has
// verified goes to an upstream, once, and nothing else does.
//
//	guard, err := middleware.New("billing", stripe.Must(os.Getenv("STRIPE_WEBHOOK_SECRET")), store, nil)
//	handler, err := forward.New(guard, "http://127.0.0.1:5678/webhook/stripe", nil)
//	mux.Handle("POST /hooks/stripe", handler)
//
// # A new request
//
// The upstream does not get the sender's request. It gets a new one, which is made from
// the verified bytes: a POST to the configured URL, with the length of the body, the
// Content-Type, the headers of the signature, those that Options name, and the identity
// headers. Authorization never goes on, even where a signature stands in it. So no
// framing, cookie, hop-by-hop or spoofed header of the sender can reach it. A header or
// parameter that holds a credential of the sender, such as a token, never goes on: the
// scheme marks it in verify.About. Content-Encoding goes on only where the signature
// covers the packed bytes.
//
// The identity headers say who was verified:
//
//	Hooknotary-Route        the guard's endpoint
//	Hooknotary-Provider     the scheme, "stripe"
//	Hooknotary-Scope        whose key it was
//	Hooknotary-Key-Label    which key it was
//	Hooknotary-Event-Id     the signed id, where there is one of at most 512 bytes of UTF-8
//	Hooknotary-Event-Key    the key of the event in the store: the same in each attempt
//	Hooknotary-Signed-At    the signed time, where there is one, as 2006-01-02T15:04:05.000Z
//	Hooknotary-Received-At  when the delivery arrived, in the same form
//	Hooknotary-Binding      how the signature covers the body: full, checksum, part or none
//	Hooknotary-Delivery     the correlation id of the guard's report
//
// A byte of a name or id that is not visible ASCII, and each "%", stands there as %XX. These
// headers prove nothing where others than the gateway can reach the receiver. There take
// Options.Assertion, a token that the receiver verifies (package assertion), or
// Options.Resign, for receivers that know Standard Webhooks.
//
// # What the sender gets
//
// The status of the upstream's final response decides. 2xx, and what Options.Success
// lists, is a success: the event is committed, and the sender gets the status, or 200, with
// an empty body. A success stays one whatever its body does: 64 KiB of it are read for 100
// milliseconds, and Options.AnswerBody passes on up to 1 MiB. A receiver that says so while
// it still reads the request gets the rest of it, within Options.Timeout. 429 and 503 become 503 with
// their Retry-After, an hour at most. Everything else becomes 502, or 504 where the time
// was over: a receiver's 401 or 410 must not look like a verdict on the signature. Then the
// event is released, and may come again.
//
// # When nobody knows
//
// Where a byte of the request may have been written and there is no final response, because
// the time was over, the connection broke or the sender hung up, the upstream may be at
// work. Then the claim is kept (middleware.KeepClaim): a retry gets 409 until the lease has
// ended, and runs after that. So an event may run twice here, and where the process dies
// before the commit; the receiver tells it by Hooknotary-Event-Key. Set Options.Timeout
// longer than the receiver takes, and middleware.Options.Detach so that the sender's
// patience does not matter.
//
// A request is sent again only over another connection, and only if not a byte of it was
// written. It never has an Idempotency-Key, with which HTTP clients further on would send
// it again.
//
// A connection serves the next request only if the response before it was read to its end
// and nothing has come since. An upstream that sends more than its response, late, can
// still make the next delivery fail or succeed with it: HTTP/1.1 cannot tell. Let such a
// receiver answer with Connection: close.
//
// # Bounds
//
//	30 s     until the head of the final response (Options.Timeout)
//	10 s     of it for a connection, with TLS
//	64 KiB   of response heads for a request, those of 1xx included
//	64 KiB   and 100 ms of a body that nobody wants
//	1 MiB    of a body with AnswerBody, within Options.Timeout
//	1 s      until an idle connection is closed (Options.IdleTimeout); 512 of them
//
// How many requests are under way is not bounded here: each has its body in memory, which
// the guard's budget bounds, and the server in front bounds connections.
//
// No redirect is followed, no proxy of the environment is asked, and TLS is verified; there
// is no way to turn that off. The upstream speaks HTTP/1.1.
//
// Behind a guard with InsecureReportOnly, what would have been refused goes on as a POST
// whose only identity header is Hooknotary-Route, without an assertion and without a
// signature of ours. Its body is read within 10 seconds, up to the provider's largest, and
// counts in no budget.
package forward
