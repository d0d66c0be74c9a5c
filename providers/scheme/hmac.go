package scheme

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"hash"
)

// Hash is the hash function of an HMAC.
type Hash uint8

const (
	SHA256 Hash = iota
	SHA512
	InsecureSHA1 // for providers that still sign with it
)

// String returns "HMAC-SHA256", "HMAC-SHA512", "HMAC-SHA1" or "invalid".
func (h Hash) String() string {
	switch h {
	case SHA256:
		return "HMAC-SHA256"
	case SHA512:
		return "HMAC-SHA512"
	case InsecureSHA1:
		return "HMAC-SHA1"
	}
	return "invalid"
}

func (h Hash) new() func() hash.Hash {
	switch h {
	case SHA512:
		return sha512.New
	case InsecureSHA1:
		return sha1.New
	}
	return sha256.New
}

func (h Hash) size() int {
	switch h {
	case SHA512:
		return sha512.Size
	case InsecureSHA1:
		return sha1.Size
	}
	return sha256.Size
}

// mac is a keyed MAC with room for what goes into it and comes out of it.
type mac struct {
	hash.Hash
	around [192]byte // the message around the body
	sum    [64]byte
}

// keyed returns a MAC that is keyed with the secret.
func (h Hash) keyed(secret []byte) *mac { return &mac{Hash: hmac.New(h.new(), secret)} }

// newMAC returns an error where crypto/hmac panics: with a short key or SHA-1
// while only approved algorithms are allowed.
func newMAC(h Hash, secret []byte) (m *mac, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.New("this program allows approved algorithms only: no SHA-1, and no key under 14 bytes")
		}
	}()
	m = h.keyed(secret)
	m.Write(nil)
	m.Sum(nil)
	return m, nil
}
