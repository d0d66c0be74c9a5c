package scheme

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"hash"
)

// Algorithm is how a message is signed.
type Algorithm uint8

const (
	HMACSHA256 Algorithm = iota
	HMACSHA512
	InsecureHMACSHA1 // for providers that still sign with it
)

// String returns "HMAC-SHA256", "HMAC-SHA512", "HMAC-SHA1" or "invalid".
func (h Algorithm) String() string {
	switch h {
	case HMACSHA256:
		return "HMAC-SHA256"
	case HMACSHA512:
		return "HMAC-SHA512"
	case InsecureHMACSHA1:
		return "HMAC-SHA1"
	}
	return "invalid"
}

func (h Algorithm) new() func() hash.Hash {
	switch h {
	case HMACSHA512:
		return sha512.New
	case InsecureHMACSHA1:
		return sha1.New
	}
	return sha256.New
}

func (h Algorithm) size() int {
	switch h {
	case HMACSHA512:
		return sha512.Size
	case InsecureHMACSHA1:
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
func (h Algorithm) keyed(secret []byte) *mac { return &mac{Hash: hmac.New(h.new(), secret)} }

// newMAC returns an error where crypto/hmac panics: with a short key or SHA-1
// while only approved algorithms are allowed.
func newMAC(h Algorithm, secret []byte) (m *mac, err error) {
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
