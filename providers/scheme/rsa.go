package scheme

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"math/big"
)

// rsaFacts returns the facts of RSA with PKCS #1 v1.5 and SHA-256. A signature is as
// long as the modulus of the key, 256 to 1024 bytes, and below it. Some senders hash the
// message, and sign the hash as if it were the message: twice.
func rsaFacts(twice bool) algorithm {
	name := "RSA (PKCS #1 v1.5) with SHA-256"
	if twice {
		name += ", hashed twice"
	}
	nobody := func() crypto.PublicKey {
		n := new(big.Int).Lsh(big.NewInt(1), 2048)
		return &rsa.PublicKey{N: n.Sub(n, big.NewInt(1)), E: 65537}
	}
	a := public(name, false, nobody, func(key crypto.PublicKey) (verification, bool) {
		own, ok := key.(*rsa.PublicKey)
		return func(_ []byte, sum *[sha256.Size]byte, signature []byte) bool {
			if twice {
				again := sha256.Sum256(sum[:])
				sum = &again
			}
			return rsa.VerifyPKCS1v15(own, crypto.SHA256, sum[:], signature) == nil
		}, ok
	})
	a.least, a.most = 256, 1024
	return a
}
