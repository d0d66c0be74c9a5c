// Package scheme makes a verifier of a description.
//
// Most providers sign a webhook in the same way: one HMAC over the body, or over
// a text that contains it, in a header. Some sign the same with a private key, and the
// endpoint has the public one. They differ in the header's name, its
// form, the encoding of the signature and the layout of what is signed. A
// [Definition] says these as data; [New] turns it into a
// [github.com/hooknotary/hooknotary/verify.Verifier]. The providers in the
// folders beside this one are definitions, and a provider that is not there can
// be defined in the same way:
//
//	def := scheme.Definition{
//		Provider: "acme",
//		Signatures: []scheme.Signature{{
//			Header: "Acme-Signature", Field: "v1", Separator: ",", Assign: "=",
//		}},
//		Timestamp: scheme.Timestamp{Field: "t"},
//		Message:   []scheme.Part{scheme.SignedTime(), scheme.Literal("."), scheme.Body()},
//		ID:        scheme.ID{Member: "id"},
//		MaxBody:   1 << 20,
//		Retry: verify.RetryResigned,
//	}
//
// Tools read a definition from a file: see package
// [github.com/hooknotary/hooknotary/providers/scheme/schemejson].
//
// # What the engine does, for every definition
//
// The dangerous steps are here and nowhere else:
//
//   - Each header that takes part in verification must stand in the request
//     exactly once, unless the definition says Repeated.
//   - The header's form is strict. A signature has one spelling: the letters of one
//     case, canonical base64, the exact length. A time is a decimal number without sign
//     or leading zero, or a date in one form.
//   - The headers with signatures are at most 4 KiB long and hold at most 16 of them, of
//     known and unknown kinds together. A signature that does not decode is
//     skipped beside one that does, as official libraries do, and counts all the same;
//     where none decodes, the request is refused.
//   - Where headers have two names, a request uses the ones or the others.
//   - The receiver chooses the hash. Where a definition has two signatures, the
//     stronger one decides alone as soon as its header is there.
//   - A message can be cut into its parts in one way only, or New refuses the definition.
//   - The time that is judged is the one that was signed, byte for byte. It must
//     not lie too far back, nor ahead.
//   - A key source has verify.KeyTimeout. At most 256 calls of it run at a time, for
//     one verifier, also where they ignore their context; up to 4,096 other requests
//     wait for as long, and are refused as verify.ErrUnavailable. Anyone can cause
//     calls, so a source that takes 100 ms serves 2,560 requests a second at best,
//     forged ones included, and when more come, none: the wait takes the time that the
//     source would need. Keep keys in memory.
//   - A request without a key is refused when its body is there, and not before.
//   - At most 4 keys are tried. The MAC is computed once for each, compared with
//     every candidate, in full length and in constant time, and no key is skipped
//     because another one matched.
//   - A signature with a private key is strict, too: DER in its one form, Ed25519 with an S
//     below the order, RSA as long as its key. A request may hold 4 of them, because each is
//     verified under each key. The message is known by its SHA-256, since the signature of
//     one message has several forms for ECDSA. It is hashed as it is written; Ed25519 alone
//     needs it whole, which takes a copy of the body for each key unless the body is all
//     of it.
//   - The body is not looked into before the signature holds. Then at most two
//     members of a JSON object are read, the event's id and, where that is its place, the
//     signed time.
//   - A handshake is answered as the definition says: see [Handshake]. What it has computed
//     with a key can be no signature of a delivery, or New refuses the definition.
//   - An empty body is a body: validly signed, it is accepted like any other, and
//     known by its fingerprint.
//
// # What a definition must decide
//
// Retry has no default. RetryIdentical is right where the provider's documentation does
// not say: a repeat of what was handled is acknowledged and does not run. RetryResigned
// needs an ID, or every retry runs again; RetriesRunAgain says that this is known.
//
// Without an ID and a signed time, equal bodies are one event: an honest second one does
// not run. Where the sender tells such events apart in a header, Partition names it and
// Partitions lists its values.
//
// About is for people and tools: a command line, a diagnosis, a table. What follows from
// the rest of the definition need not be said again; Definition.Describe fills it in.
//
// # Secrets
//
// A Key holds a secret or a public key, see
// [github.com/hooknotary/hooknotary/verify.NewPublicKey], and New refuses the one in the place
// of the other: an HMAC under a public key is one that everybody can make.
//
// An empty, blank, padded or placeholder secret is refused by
// [github.com/hooknotary/hooknotary/verify.NewKey]; New also refuses one that is
// shorter than 16 bytes or has the prefix of another kind of credential. The
// keys of a verify.KeyList are checked when the verifier is made, those of any
// other source on each request, where a bad one means refusal.
package scheme
