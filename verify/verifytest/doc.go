// Package verifytest holds the battery that every verifier must pass.
//
// A provider's test describes the provider with a [Subject] and calls
// [Exercise]:
//
//	func TestVerifierPassesTheBattery(t *testing.T) {
//		verifytest.Exercise(t, verifytest.Subject{
//			New:  func(keys verify.KeySource) (verify.Verifier, error) { return acme.New(keys, nil) },
//			Sign: sign, // shares no code with package acme
//			…
//		})
//	}
//
// The package knows no provider. It fits schemes with a secret as well as those
// with a public key, and schemes that bind the body by a checksum only.
package verifytest
