package scheme

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"math/big"
)

// rsaFacts returns the facts of RSA with PKCS #1 v1.5 and SHA-256. A signature is as
// long as the modulus of the key, 256 to 1024 bytes, and below it.
func rsaFacts() algorithm {
	nobody := func() crypto.PublicKey {
		n := new(big.Int).Lsh(big.NewInt(1), 2048)
		return &rsa.PublicKey{N: n.Sub(n, big.NewInt(1)), E: 65537}
	}
	a := public("RSA (PKCS #1 v1.5) with SHA-256", false, nobody, func(key crypto.PublicKey) (verification, bool) {
		own, ok := key.(*rsa.PublicKey)
		return func(_ []byte, sum *[sha256.Size]byte, signature []byte) bool {
			return rsa.VerifyPKCS1v15(own, crypto.SHA256, sum[:], signature) == nil
		}, ok
	})
	a.least, a.most = 256, 1024
	return a
}
