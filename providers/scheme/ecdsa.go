package scheme

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
)

// ecdsaFacts returns the facts of ECDSA on P-256 with SHA-256, whose signature is the
// DER of two numbers, r and s.
//
// A signature with n-s in the place of s is as good, and anyone can compute it of a
// genuine one; some senders write either. So both verify, and are one message.
func ecdsaFacts() algorithm {
	nobody := func() crypto.PublicKey {
		scalar := make([]byte, 32)
		scalar[31] = 1
		private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar)
		if err != nil {
			panic(err) // 1 is a private key
		}
		return private.Public()
	}
	a := public("ECDSA on P-256 with SHA-256", false, nobody, func(key crypto.PublicKey) (verification, bool) {
		own, ok := key.(*ecdsa.PublicKey)
		return func(_ []byte, sum *[sha256.Size]byte, signature []byte) bool {
			return ecdsa.VerifyASN1(own, sum[:], signature)
		}, ok
	})
	a.least, a.most, a.form = 8, 72, strictDER
	return a
}

// orderP256 is n, the order of the group of P-256.
const orderP256 = "\xff\xff\xff\xff\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff" +
	"\xbc\xe6\xfa\xad\xa7\x17\x9e\x84\xf3\xb9\xca\xc2\xfc\x63\x25\x51"

// strictDER reports whether a signature is a sequence of two numbers between 1 and n-1,
// written as DER writes them, and nothing else. So r and s have one spelling.
func strictDER(signature []byte) bool {
	if len(signature) < 2 || signature[0] != 0x30 || int(signature[1]) != len(signature)-2 {
		return false
	}
	rest := signature[2:]
	for range 2 {
		if len(rest) < 3 || rest[0] != 0x02 {
			return false
		}
		n := int(rest[1])
		if n < 1 || n > 33 || n > len(rest)-2 {
			return false
		}
		number := rest[2 : 2+n]
		rest = rest[2+n:]
		if number[0] >= 0x80 { // below zero
			return false
		}
		if number[0] == 0 { // in front of a high bit only
			if number = number[1:]; len(number) == 0 || number[0] < 0x80 {
				return false
			}
		}
		if len(number) > 32 || len(number) == 32 && bytes.Compare(number, []byte(orderP256)) >= 0 {
			return false
		}
	}
	return len(rest) == 0
}
