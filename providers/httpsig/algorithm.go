package httpsig

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"

	"github.com/hooknotary/hooknotary/verify"
)

// Algorithm is how a sender signs. The endpoint names it; what a request says decides
// nothing. The zero value is none.
type Algorithm uint8

// The algorithms, with their names in RFC 9421.
const (
	Ed25519         Algorithm = iota + 1 // ed25519
	ECDSAP256SHA256                      // ecdsa-p256-sha256: r and s, 32 bytes each
	RSAPSSSHA512                         // rsa-pss-sha512, with 64 bytes of salt
	RSAV15SHA256                         // rsa-v1_5-sha256
	HMACSHA256                           // hmac-sha256
)

const minSecret = 16 // bytes

// facts are what the package knows of an algorithm.
type facts struct {
	name        string
	least, most int // bytes of a signature
	// verifies makes the verification of a public key, or reports that the key is of
	// another kind. Nil for HMACSHA256.
	verifies func(crypto.PublicKey) (func(message, signature []byte) bool, bool)
	// stranger makes a key of the kind; what verifies with it is refused all the same.
	stranger func() crypto.PublicKey
}

// key is a verify.Key made ready. A closure: nothing that prints can look inside one.
type key struct {
	scope, label string
	verifies     func(message, signature []byte) bool
}

func (a Algorithm) facts() (facts, bool) {
	switch a {
	case Ed25519:
		return facts{"ed25519", ed25519.SignatureSize, ed25519.SignatureSize,
			func(k crypto.PublicKey) (func(message, signature []byte) bool, bool) {
				own, ok := k.(ed25519.PublicKey)
				return func(message, signature []byte) bool { return ed25519.Verify(own, message, signature) }, ok
			},
			func() crypto.PublicKey { return ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)).Public() },
		}, true
	case ECDSAP256SHA256:
		return facts{"ecdsa-p256-sha256", 64, 64,
			func(k crypto.PublicKey) (func(message, signature []byte) bool, bool) {
				own, ok := k.(*ecdsa.PublicKey)
				return func(message, signature []byte) bool {
					sum := sha256.Sum256(message)
					return ecdsa.Verify(own, sum[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:]))
				}, ok && own.Curve == elliptic.P256()
			},
			func() crypto.PublicKey {
				scalar := make([]byte, 32)
				scalar[31] = 1
				private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar)
				if err != nil {
					panic(err) // 1 is a private key
				}
				return private.Public()
			},
		}, true
	case RSAPSSSHA512:
		return facts{"rsa-pss-sha512", 256, 1024,
			func(k crypto.PublicKey) (func(message, signature []byte) bool, bool) {
				own, ok := k.(*rsa.PublicKey)
				return func(message, signature []byte) bool {
					sum := sha512.Sum512(message)
					return rsa.VerifyPSS(own, crypto.SHA512, sum[:], signature, &rsa.PSSOptions{SaltLength: sha512.Size}) == nil
				}, ok
			}, strangerRSA,
		}, true
	case RSAV15SHA256:
		return facts{"rsa-v1_5-sha256", 256, 1024,
			func(k crypto.PublicKey) (func(message, signature []byte) bool, bool) {
				own, ok := k.(*rsa.PublicKey)
				return func(message, signature []byte) bool {
					sum := sha256.Sum256(message)
					return rsa.VerifyPKCS1v15(own, crypto.SHA256, sum[:], signature) == nil
				}, ok
			}, strangerRSA,
		}, true
	case HMACSHA256:
		return facts{name: "hmac-sha256", least: sha256.Size, most: sha256.Size}, true
	}
	return facts{}, false
}

func strangerRSA() crypto.PublicKey {
	n := new(big.Int).Lsh(big.NewInt(1), 2048)
	return &rsa.PublicKey{N: n.Sub(n, big.NewInt(1)), E: 65537}
}

// nobody returns what a request without a key is checked with, in vain.
func (f facts) nobody() key {
	if f.verifies == nil {
		return key{verifies: verifiesHMAC(make([]byte, 32))}
	}
	judge, _ := f.verifies(f.stranger())
	return key{verifies: judge}
}

func verifiesHMAC(secret []byte) func(message, signature []byte) bool {
	return func(message, signature []byte) bool {
		mac := hmac.New(sha256.New, secret)
		mac.Write(message)
		return subtle.ConstantTimeCompare(mac.Sum(nil), signature) == 1
	}
}

// prepare checks a key and makes it ready. It also returns the bytes by which two keys are
// told to be the same.
func (f facts) prepare(k verify.Key, o *Options) (key, []byte, error) {
	public, secret := k.Public(), k.Secret()
	if f.verifies == nil {
		switch {
		case public != nil:
			return key{}, nil, fmt.Errorf("%v is a public key, which is no secret: everybody could sign with it", k)
		case len(secret) == 0:
			return key{}, nil, fmt.Errorf("%v holds no secret", k)
		case len(secret) < minSecret && !o.InsecureAllowShortSecret:
			return key{}, nil, fmt.Errorf("%v has %d bytes, want at least %d (InsecureAllowShortSecret allows fewer)", k, len(secret), minSecret)
		}
		return key{k.Scope(), k.Label(), verifiesHMAC(secret)}, secret, nil
	}
	if public == nil {
		if len(secret) == 0 {
			return key{}, nil, fmt.Errorf("%v holds no key", k)
		}
		var err error
		if public, err = verify.ParsePublicKey(string(secret)); err != nil {
			return key{}, nil, fmt.Errorf("%v is no public key, with which %s verifies: %w", k, f.name, errors.Unwrap(err))
		}
	}
	judge, ok := f.verifies(public)
	if !ok {
		return key{}, nil, fmt.Errorf("%v is a key of another kind: the endpoint says %s", k, f.name)
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return key{}, nil, fmt.Errorf("%v is a public key of an unknown kind", k)
	}
	return key{k.Scope(), k.Label(), judge}, der, nil
}
