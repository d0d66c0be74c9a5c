// Package providertest tests verifiers.
//
// # Verifiers
//
// The author of a verifier describes it with a [Subject] and calls [Exercise],
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
// It fits schemes with a secret as well as those with a public key, and schemes that
// bind the body by a checksum only.
//
// The package knows no provider.
package providertest
