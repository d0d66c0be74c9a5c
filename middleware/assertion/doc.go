// Package assertion says to the receiver behind a gateway who verified a delivery, when, and
// over which body, so that it need not trust its network.
//
// An assertion is a JSON Web Token (RFC 7519) in a header of the request, made anew for each
// attempt. Any JWT library verifies it; this package does so for receivers in Go, and makes
// it for gateways.
//
// # Receivers
//
// A [Verifier] is a verify.Verifier, so package middleware guards a receiver as it guards an
// endpoint that providers call themselves:
//
//	keys, err := assertion.ParseKeySet(jwks) // from GET /.well-known/jwks.json of the gateway
//	…
//	v, err := assertion.New(keys, "https://hooks.example.com", "billing", nil)
//	…
//	http.Handle("POST /billing", middleware.Protect(v)(handler))
//
// The handler finds the gateway's claims with [Verifier.Claims]. Its verify.Delivery tells of
// the assertion: Provider is "hooknotary", Scope is the tenant that the gateway found, ID is
// the key of the event, which is the same in every attempt, MessageID is the jti, SignedAt
// is when the assertion was made, and Binding is full. So the guard of the receiver runs each
// event once, acknowledges another attempt of a finished event, and refuses a copy of the
// very assertion that it handled. A store in memory refuses what was asserted before the
// process started: where the sender never retries, as GitHub, give the receiver a store that
// stays.
//
// Where a gateway shares a secret with the receiver (HS256), verify.Secrets holds it:
//
//	v, err := assertion.New(verify.Secrets(os.Getenv("HOOKNOTARY_SECRET")), issuer, "billing", nil)
//
// This package fetches nothing. A receiver that wants the gateway's keys from its host reads
// them when it starts, or gives New a verify.KeySource that asks a keyfetch.Fetcher for the
// key that [KeyID] names; see the example.
//
// # Gateways
//
// A [Signer] makes assertions for one receiver, with one [Key]. A [KeySet] is what a gateway
// publishes: put the next key into it before it signs, and keep the last one until its
// assertions are over.
//
// # The token
//
// The header holds alg, kid and typ, and nothing else:
//
//	{"alg":"ES256","kid":"2026-11","typ":"hooknotary+jwt"}
//
// The claims are flat, and these. All but event_id and signed_at are always there:
//
//	iss          who asserts: the gateway
//	aud          for whom: one text, the name of the receiver
//	iat          when it was made, less 30 seconds: some verifiers refuse a time ahead of theirs
//	exp          when it was made, and 60 seconds
//	jti          random, 128 bits
//	route        the gateway's name of the endpoint
//	provider     the scheme that verified the delivery: "stripe"
//	scope        of the sender's key: the tenant
//	key_label    which of the sender's secrets matched
//	event_id     the id that the sender signed, if it signs one
//	event_key    the key of the event in the gateway's store, hexadecimal, the same in every attempt
//	signed_at    the time that the sender signed, if it signs one
//	received_at  when the gateway received the delivery
//	binding      how the sender's signature covers the body: "full", "checksum", "part", "none"
//	body_sha256  the SHA-256 of the body in base64url without padding
//
// Times are whole seconds since 1970. There is no nbf.
//
// # What is refused
//
// A Verifier takes ES256, EdDSA (Ed25519) and HS256, and the key decides which: "none", any
// other algorithm, and a key that is used for another one are refused, so that nobody signs an
// HMAC with a public key. A token has one spelling: three parts in canonical base64url, 8 KiB
// at most, JSON objects without a name that stands twice, and a signature of the one length
// that its algorithm has. A header with a fourth member is refused, such as crit, jku or jwk,
// and so are claims with nbf, with an object or a list, aud as a list among them, and a token
// that is not 90 seconds long. Issuer, audience and body are compared as a whole, in constant
// time, once the signature holds.
//
// A token counts from 30 seconds before the time it was made, until 30 seconds after exp: that
// is Options.Leeway.
//
// # What an assertion proves
//
// It proves that the holder of the key says all of this about exactly this body, for this
// audience, now. For 60 seconds, and the leeway, whoever sees a request on its way can send it
// again; a guard with a store refuses that, and a receiver without one remembers jti. HS256
// proves less: each of the two that know the secret can make assertions. Use one secret, or
// one key, for each receiver that does not check aud.
package assertion
