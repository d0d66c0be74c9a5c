package scheme

import (
	"crypto"
	"crypto/sha256"
)

// Algorithm is how a message is signed.
type Algorithm uint8

const (
	HMACSHA256 Algorithm = iota
	HMACSHA512
	InsecureHMACSHA1 // for providers that still sign with it
)

// String returns "HMAC-SHA256", "HMAC-SHA512", "HMAC-SHA1" or "invalid".
func (a Algorithm) String() string {
	if facts, ok := a.facts(); ok {
		return facts.name
	}
	return "invalid"
}

// facts returns what the engine knows of a, and whether it knows a.
func (a Algorithm) facts() (algorithm, bool) {
	switch a {
	case HMACSHA256, HMACSHA512, InsecureHMACSHA1:
		return a.hmac(), true
	}
	return algorithm{}, false
}

// algorithm is what the engine needs of an Algorithm. Each kind stands in a file of its
// own.
type algorithm struct {
	name string

	// least and most are how many bytes a signature has.
	least, most int

	// strength orders the alternatives of a definition.
	strength int

	// new makes a checker of a key, or says why the key cannot be right. The zero
	// material is the key of nobody: its checker takes as long as any other.
	new func(material) (checker, error)
}

// material is what a checker is made of: a secret or a public key.
type material struct {
	secret []byte
	public crypto.PublicKey
}

// checker judges signatures by one key. It is safe for concurrent use.
type checker interface {
	// check reports whether one of the candidates of p signs the message that body
	// completes, and returns what identify returns. It looks at every candidate.
	check(p *pending, body []byte) (match bool, id [sha256.Size]byte)

	// identify returns what identifies the message among those under this key: the
	// same for each of its signatures.
	identify(p *pending, body []byte) [sha256.Size]byte
}
