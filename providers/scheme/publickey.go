package scheme

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/hooknotary/hooknotary/verify"
)

// maxPublicCandidates is how many signatures of a public key one request may hold. Each
// is verified under each key, which costs a hundred times as much as a comparison.
const maxPublicCandidates = verify.MaxKeys

// public returns the facts that the algorithms with a public key have in common.
// verifies makes the verification of a key, or reports that the key is of another kind;
// nobody makes a key of that kind; what verifies with it is refused all the same.
//
// Where whole is set, a message is put together in memory for each key: Ed25519 reads it
// twice. The body is bounded by MaxBody, and one that is the whole message is not copied.
// Any other message is hashed as it is written.
func public(name string, whole bool, nobody func() crypto.PublicKey, verifies func(crypto.PublicKey) (verification, bool)) algorithm {
	return algorithm{
		name: name, public: true, candidates: maxPublicCandidates,
		new: func(m material) (checker, error) {
			if m.public == nil {
				m.public = nobody()
			}
			judge, ok := verifies(m.public)
			if !ok {
				return nil, fmt.Errorf("it is a key of another kind: the scheme signs with %s", name)
			}
			return &publicChecker{whole, judge}, nil
		},
	}
}

// verification reports whether a signature is one of a message. It gets the SHA-256 of
// the message, and the message itself only if it asked for all of it.
type verification func(message []byte, sum *[sha256.Size]byte, signature []byte) bool

// publicChecker judges signatures by a public key. Neither the key nor a signature is
// secret, so it need not take the same time for all of them.
type publicChecker struct {
	whole bool
	judge verification
}

func (c *publicChecker) check(p *pending, body []byte) (match bool, id [sha256.Size]byte) {
	id = c.identify(p, body)
	var message []byte
	if c.whole {
		message = p.message(body)
	}
	for i := range p.count {
		if c.judge(message, &id, p.candidate(i)) {
			return true, id
		}
	}
	return false, id
}

// identify returns the SHA-256 of the message. A signature identifies nothing: for
// ECDSA, anyone can turn one into a second one.
func (c *publicChecker) identify(p *pending, body []byte) (id [sha256.Size]byte) {
	h := sha256.New()
	p.write(h, nil, nil, body)
	h.Sum(id[:0])
	return id
}

// message returns the signed message: body itself where that is all of it.
func (p *pending) message(body []byte) []byte {
	if len(p.d.Message) == 1 {
		return body
	}
	m := bytes.NewBuffer(make([]byte, 0, len(body)+512))
	p.write(m, nil, nil, body)
	return m.Bytes()
}

// publicKey returns the public key that k holds, or that the text in it is: the bytes of
// an Ed25519 key have the form of a secret. The second result is equal for equal keys.
func (v *Verifier) publicKey(k verify.Key) (crypto.PublicKey, []byte, error) {
	key := k.Public()
	if key == nil {
		text := string(k.Secret())
		if text == "" {
			return nil, nil, fmt.Errorf("%v holds no key", k)
		}
		if err := v.checkCredential(k, text); err != nil {
			return nil, nil, err
		}
		var err error
		if key, err = verify.ParsePublicKey(text); err != nil {
			return nil, nil, fmt.Errorf("%v is no public key, with which the scheme verifies: %w", k, errors.Unwrap(err))
		}
	}
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return nil, nil, fmt.Errorf("%v is a public key of an unknown kind", k)
	}
	return key, der, nil
}

// public reports whether keys of d are public ones.
func (d *Definition) public() bool {
	if len(d.Signatures) == 0 {
		return false
	}
	facts, ok := d.Signatures[0].Algorithm.facts()
	return ok && facts.public
}
