package scheme

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"errors"
	"hash"
	"sync"
)

// hmac returns the facts of an HMAC.
func (a Algorithm) hmac() algorithm {
	facts := algorithm{name: "HMAC-SHA256", least: sha256.Size}
	new := sha256.New
	switch a {
	case HMACSHA512:
		facts.name, facts.least, new = "HMAC-SHA512", sha512.Size, sha512.New
	case InsecureHMACSHA1:
		facts.name, facts.least, new = "HMAC-SHA1", sha1.Size, sha1.New
	}
	facts.most, facts.strength = facts.least, facts.least
	facts.new = func(m material) (checker, error) {
		if m.secret == nil {
			m.secret = make([]byte, sha256.Size)
		}
		return newHashChecker(func() hash.Hash { return hmac.New(new, m.secret) }, nil)
	}
	return facts
}

// hashChecker is a pool of hashes: HMACs that are keyed with one secret, or bare ones.
type hashChecker struct {
	hashes sync.Pool // of *mac

	// secret returns what stands in the message for SecretText: nothing for an HMAC. It is
	// a function, so that no printer finds it.
	secret func() []byte
}

// mac is a hash with room for what goes into it and comes out of it.
type mac struct {
	hash.Hash
	around [192]byte // the message around the body
	sum    [64]byte
}

// newHashChecker returns an error where package crypto panics: with a short key or SHA-1
// while only approved algorithms are allowed.
func newHashChecker(h func() hash.Hash, secret []byte) (c *hashChecker, err error) {
	defer func() {
		if r := recover(); r != nil {
			c, err = nil, errors.New("this program allows approved algorithms only: no SHA-1, and no key under 14 bytes")
		}
	}()
	m := &mac{Hash: h()}
	m.Write(nil)
	m.Sum(nil)
	c = &hashChecker{secret: func() []byte { return secret }}
	c.hashes.New = func() any { return &mac{Hash: h()} }
	c.done(m)
	return c, nil
}

// done puts a hash back, reset, which restores the keyed state of an HMAC without hashing
// the key again.
func (c *hashChecker) done(m *mac) {
	m.Reset()
	c.hashes.Put(m)
}

func (c *hashChecker) check(p *pending, body []byte) (bool, [sha256.Size]byte) {
	m := c.hashes.Get().(*mac)
	p.write(m, m.around[:0], c.secret(), body)
	sum := m.Hash.Sum(m.sum[:0])
	equal := 0
	for i := range p.count {
		equal |= subtle.ConstantTimeCompare(sum, p.candidate(i))
	}
	id := digest(sum)
	c.done(m)
	return equal == 1, id
}

func (c *hashChecker) identify(p *pending, body []byte) [sha256.Size]byte {
	m := c.hashes.Get().(*mac)
	p.write(m, m.around[:0], c.secret(), body)
	id := digest(m.Hash.Sum(m.sum[:0]))
	c.done(m)
	return id
}
