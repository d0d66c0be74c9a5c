// Package verify is the contract of hooknotary: what a verifier is given, what
// it verifies, and what it says when it refuses.
//
// A webhook is a POST that a provider sends to a URL, and anyone can POST to
// that URL. A [Verifier] decides, from the head of the request, its body and
// the secret of the endpoint, whether the provider made it. It works in two
// steps, so that a request with a bad head is refused before one byte of its
// body is read:
//
//	pending, err := v.Begin(ctx, head)      // header form, time, keys
//	delivery, err := pending.Finish(ctx, body) // the signature
//
// [Verify] does both where head and body are already at hand: in a queue
// consumer, a Lambda function, a unit test. There, [Profile.Unpack] comes before it for a
// provider that signs before it compresses, and [Respond] answers what a provider checks an
// endpoint with, see [Challenger]; a guard does both itself.
//
// A [Delivery] is what was verified. Its fields are signed facts, except for those
// in its field Unsigned, which stand apart because anyone can write them.
//
// Verification is a pure function of head, body, keys and receive time. Nothing
// in it reads a clock, a logger or a global: a delivery that was captured years
// ago verifies today with its own receive time.
//
// # What a signature does not prove
//
// A signature proves who made a message. It does not prove that the message is
// new: a copy of a genuine delivery verifies as well as the original. The
// store of package [github.com/hooknotary/hooknotary/verify/replay], which
// package [github.com/hooknotary/hooknotary/middleware] puts behind every
// verifier, is what refuses the copy. Nor does it prove that the message is
// about what the handler expects: check account, amount and currency in the
// handler.
//
// # Words
//
//	delivery    one verified request; an honest retry is another delivery of the same event
//	event       what a provider tells about, known by its signed id or its fingerprint
//	message     the bytes that were signed; its fingerprint identifies them and does not print
//	scope       the party that signed; with it a key has a label, the name of one secret
//	window      how far the signed time, the timestamp, may lie from the receive time
//	retry       how a provider sends again: re-signed, identical or never
//	binding     how strongly a signature covers the body
//	store       the replay store: it remembers events
//	claim       the right to handle an event, leased until commit or release
//	floor       the time from which on a store knows every event
//	guard       the middleware that verifies, claims and settles
//	handshake   how a provider checks an endpoint; its challenge is what it wants to read again
//
// # Writing a verifier
//
// Most schemes differ only in the name of a header, an encoding and the layout
// of what is signed. Package [github.com/hooknotary/hooknotary/providers/scheme]
// turns such a description into a Verifier. Write one by hand only for a scheme
// that needs more, and keep these rules: refuse on the head what no body could
// make right; touch nothing and parse nothing before the signature holds;
// return no Delivery together with an error; put nothing into an error that is
// secret, expected or personal.
package verify
