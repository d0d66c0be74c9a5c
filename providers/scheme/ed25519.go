package scheme

import (
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
)

// ed25519Facts returns the facts of Ed25519 as in RFC 8032: a signature has 64 bytes, and
// crypto/ed25519 takes one spelling of it, whose S is below the order of the group.
// verify.NewPublicKey has refused keys of small order.
func ed25519Facts() algorithm {
	nobody := func() crypto.PublicKey { return ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)).Public() }
	a := public("Ed25519", true, nobody, func(key crypto.PublicKey) (verification, bool) {
		own, ok := key.(ed25519.PublicKey)
		return func(message []byte, _ *[sha256.Size]byte, signature []byte) bool {
			return ed25519.Verify(own, message, signature)
		}, ok
	})
	a.least, a.most = ed25519.SignatureSize, ed25519.SignatureSize
	return a
}
