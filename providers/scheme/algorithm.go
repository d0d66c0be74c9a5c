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

	// The sender signs with a private key, and the verifier's keys are public ones: see
	// verify.NewPublicKey. Such a signature is the only one of its definition.
	Ed25519         // a signature has 64 bytes
	ECDSAP256SHA256 // a signature is the DER of two numbers
	RSASHA256       // PKCS #1 v1.5; a signature is as long as the key
	RSADoubleSHA256 // the same, with the SHA-256 of the message in its place: it is hashed twice

	// A bare hash of a message that contains the secret, for providers that know no better.
	// Where the body stands behind the secret and is the last part, anyone with one genuine
	// delivery can sign a longer body without the secret, one that goes on behind
	// some bytes of padding: these hashes can be extended. Where the secret is last, two
	// bodies with one hash, which can be made for SHA-1, have one signature.
	InsecureSHA256
	InsecureSHA1
)

// String returns the name, such as "HMAC-SHA256" or "Ed25519", or "invalid".
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
	case InsecureSHA256, InsecureSHA1:
		return a.plain(), true
	case Ed25519:
		return ed25519Facts(), true
	case ECDSAP256SHA256:
		return ecdsaFacts(), true
	case RSASHA256:
		return rsaFacts(false), true
	case RSADoubleSHA256:
		return rsaFacts(true), true
	}
	return algorithm{}, false
}

// algorithm is what the engine needs of an Algorithm. Each kind stands in a file of its
// own.
type algorithm struct {
	name string

	// least and most are how many bytes a signature has.
	least, most int

	// form reports whether bytes can be a signature. Nil: all can.
	form func([]byte) bool

	// candidates is how many signatures a request may hold. 0: as many as fit.
	candidates int

	// public: the key is a public one.
	public bool

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
