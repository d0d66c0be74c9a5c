// Package providertest tests verifiers.
//
// # Definitions
//
// A provider that is data, see package
// [github.com/hooknotary/hooknotary/providers/scheme], needs no test of its own. A
// [Sender] is its definition and the folder of its vectors, and brings the rest: the
// battery below, the vectors, the handshakes with what differs from each in one thing,
// secrets that cannot be right, a benchmark, two properties
// to fuzz, and a signer that shares no code with the engine, package
// [github.com/hooknotary/hooknotary/providers/providertest/signer]. The tests of this
// package are one table: they loop over package catalog, so adding a provider adds no
// test code. Whoever defines one outside of this module writes
//
//	func TestAcme(t *testing.T) {
//		providertest.Sender{Definition: definition, Dir: "testdata"}.Test(t)
//	}
//
// # Vectors
//
// A vector is an .http file with one scenario, see package
// [github.com/hooknotary/hooknotary/providers/providertest/vector]. The table knows the
// options
//
//	# option: window 10s
//	# option: url https://shop.example/hooks
//	# option: partition orders/create
//	# option: distinct by unsigned id
//	# option: short secret
//
// which are those of scheme.Options. An option that starts with the provider's name, such
// as "github form", is one that its package adds; the provider's own test runs that
// vector. Each folder holds two different bodies that are accepted, and vectors that are
// refused as unsigned, as malformed and as a mismatch, and as too old and too new where a
// time is signed.
//
// # Other verifiers
//
// The author of any other verifier describes it with a [Subject] and calls [Exercise],
// the battery that every verifier must pass:
//
//	func TestVerifierPassesTheBattery(t *testing.T) {
//		providertest.Exercise(t, providertest.Subject{
//			New:  func(keys verify.KeySource) (verify.Verifier, error) { return acme.New(keys, nil) },
//			Sign: sign, // shares no code with package acme
//			…
//		})
//	}
//
// It fits schemes with a secret as well as those with a public key, and schemes that bind
// the body by a checksum only. [ExerciseEmbedded] is the battery for a sender whose
// signature stands in the body, [Vectors] judges a folder of vectors, and [Constructed]
// looks at what a constructor returned.
//
// The package knows no provider.
package providertest
