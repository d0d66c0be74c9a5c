// Package diagnose says why a captured delivery does not verify, in a sentence that
// a person can act on. It tries, offline, the mistakes that people really make.
//
//	for _, f := range diagnose.Verifier(ctx, v, c, nil) {
//		fmt.Println(f.ID, f.Confidence, f.Text, f.Fix)
//	}
//
// A mistake is proved by undoing it: with that one change, and no other, the
// signature verifies. Where that cannot be, because the mistake has destroyed what was
// signed, a finding says that the delivery looks like it, and that it is only likely.
// The last resort is [SecretWrong], whose text says what was ruled out, because it was
// tried to its end, and what was not. A body whose values were changed cannot be told
// from a wrong secret.
//
// It is for tests, tools and the person on call. Nothing on the serving path imports
// it, and a server must not: it tries thousands of signatures for one request.
//
// # What is tried
//
//   - The body: line ends, byte order marks and character sets; base64, compression,
//     forms, lists of bytes and strings of JSON around it; brackets missing at its end; and whatever a
//     JSON encoder changes: white space, order of members, escapes, numbers, {} for [],
//     alone and together. The order of members cannot be undone, except for a provider whose own
//     order is known (Stripe).
//   - The secret: white space, quotes, prefixes, escapes, base64 and hexadecimal digits, and the
//     other secrets of the account in [Options].
//   - The headers: renamed, joined, split, spelt otherwise, a weaker signature alone.
//   - The clock: time zones, skew, milliseconds, a capture judged at another time than
//     that of its arrival.
//   - The sender: another provider, a look-alike; another media type than the endpoint's.
//   - What the verifier itself knows, as a [verify.Explainer], of its provider's users:
//     PayPal's other environment, its simulator, its IPN. Such findings have ids of their
//     own, "paypal.simulator".
//
// # Bounds
//
// One diagnosis makes at most 20,000 tries over at most 3 GiB, in which bodies that are
// serialised again count fourfold; so it takes seconds at worst, and milliseconds for most
// captures. Variants are tried of bodies up to 32 MiB, and serialised again are those up
// to 8 MiB. At most 64 candidates and 16 other verifiers are tried. What is decompressed
// may grow 200 times, up to 32 MiB. A diagnosis ends when its context does; the text of
// the last finding says if something was left out.
//
// # The network
//
// A diagnosis opens no connection of its own. A verifier might: PayPal's fetches the
// certificate that the head names. All tries share the certificates of the verifier they
// are for, and none names another certificate than the capture does, so that nothing is
// fetched beyond what verifying the capture once would fetch, by each verifier that is
// given. If such a verifier is set up to ask PayPal to confirm a delivery, it asks once,
// about the capture as it is. For a verifier that is no [Scheme], every try does whatever
// it does.
//
// # PayPal
//
// PayPal signs nothing but the CRC-32 of the body. Each try over another body has a
// chance of 1 in 4,294,967,296 to verify although it is not the body that was signed.
// What is proved is proved up to that.
package diagnose
