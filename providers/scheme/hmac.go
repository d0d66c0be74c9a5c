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
	hash := sha256.New
	switch a {
	case HMACSHA512:
		facts.name, facts.least, hash = "HMAC-SHA512", sha512.Size, sha512.New
	case InsecureHMACSHA1:
		facts.name, facts.least, hash = "HMAC-SHA1", sha1.Size, sha1.New
	}
	facts.most, facts.strength = facts.least, facts.least
	facts.new = func(m material) (checker, error) {
		if m.secret == nil {
			m.secret = make([]byte, sha256.Size)
		}
		return newHMAC(hash, m.secret)
	}
	return facts
}

// hmacChecker is a pool of MACs that are keyed with one secret.
type hmacChecker struct{ macs sync.Pool } // of *mac

// mac is a keyed MAC with room for what goes into it and comes out of it.
type mac struct {
	hash.Hash
	around [192]byte // the message around the body
	sum    [64]byte
}

// newHMAC returns an error where crypto/hmac panics: with a short key or SHA-1
// while only approved algorithms are allowed.
func newHMAC(h func() hash.Hash, secret []byte) (c *hmacChecker, err error) {
	defer func() {
		if r := recover(); r != nil {
			c, err = nil, errors.New("this program allows approved algorithms only: no SHA-1, and no key under 14 bytes")
		}
	}()
	m := &mac{Hash: hmac.New(h, secret)}
	m.Write(nil)
	m.Sum(nil)
	c = new(hmacChecker)
	c.macs.New = func() any { return &mac{Hash: hmac.New(h, secret)} }
	c.done(m)
	return c, nil
}

// done puts a MAC back, reset, which restores the keyed state without hashing
// the key again.
func (c *hmacChecker) done(m *mac) {
	m.Reset()
	c.macs.Put(m)
}

func (c *hmacChecker) check(p *pending, body []byte) (bool, [sha256.Size]byte) {
	m := c.macs.Get().(*mac)
	p.write(m, m.around[:0], nil, body)
	sum := m.Hash.Sum(m.sum[:0])
	equal := 0
	for i := range p.count {
		equal |= subtle.ConstantTimeCompare(sum, p.candidate(i))
	}
	id := digest(sum)
	c.done(m)
	return equal == 1, id
}

func (c *hmacChecker) identify(p *pending, body []byte) [sha256.Size]byte {
	m := c.macs.Get().(*mac)
	p.write(m, m.around[:0], nil, body)
	id := digest(m.Hash.Sum(m.sum[:0]))
	c.done(m)
	return id
}
