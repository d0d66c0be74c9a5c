package assertion

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"time"
)

// SignerOptions holds what is rarely needed. The zero value, and nil, are the defaults.
type SignerOptions struct {
	// Now is the clock, for tests. Default: time.Now.
	Now func() time.Time
}

// Signer makes assertions with one key for one receiver. It is immutable, and safe for
// concurrent use as far as its Key is. Make one with NewSigner.
type Signer struct {
	key              Key
	header           string // encoded, with a dot behind
	issuer, audience string
	now              func() time.Time
}

// NewSigner makes a signer. The issuer names the gateway, by its URL for example, and the
// audience the receiver: each is 1 to 512 bytes of UTF-8, and required, so that an assertion
// for one receiver counts at no other. A nil o is the zero SignerOptions.
func NewSigner(k Key, issuer, audience string, o *SignerOptions) (*Signer, error) {
	switch {
	case k.sign == nil:
		return nil, errors.New("assertion: the key is the zero Key; check the error of its constructor")
	case !isText(issuer):
		return nil, errors.New("assertion: the issuer must be 1 to 512 bytes of UTF-8")
	case !isText(audience):
		return nil, errors.New("assertion: the audience must be 1 to 512 bytes of UTF-8: name the receiver, so that an assertion for it counts at no other")
	}
	s := &Signer{key: k, issuer: issuer, audience: audience, now: time.Now}
	if o != nil && o.Now != nil {
		s.now = o.Now
	}
	// The id of a key needs no escape.
	header := fmt.Sprintf(`{"alg":"%s","kid":"%s","typ":"%s"}`, k.algorithm, k.id, typ)
	s.header = base64.RawURLEncoding.EncodeToString([]byte(header)) + "."
	return s, nil
}

// Key returns the key that signs.
func (s *Signer) Key() Key { return s.key }

// Sign returns an assertion of c, as a token in the form that HTTP headers take. It counts
// from now on and for 60 seconds, so make one for each attempt to deliver. It sets the Issuer
// and all that follows it in Claims. The error says that a required claim is missing or
// cannot be written, or that the private key failed; it holds no claim.
func (s *Signer) Sign(c Claims) (string, error) {
	now := s.now().UTC()
	c.Issuer, c.Audience = s.issuer, s.audience
	c.IssuedAt, c.Expires = now.Add(-backdate), now.Add(lifetime)
	c.ID = newID()
	claims, err := c.marshal()
	if err != nil {
		return "", fmt.Errorf("assertion: %w", err)
	}
	b := make([]byte, 0, len(s.header)+base64.RawURLEncoding.EncodedLen(len(claims))+1+base64.RawURLEncoding.EncodedLen(sizeES256))
	b = append(b, s.header...)
	b = base64.RawURLEncoding.AppendEncode(b, claims)
	if len(b) > maxToken-1-base64.RawURLEncoding.EncodedLen(sizeES256) {
		return "", errors.New("assertion: the claims are too long")
	}
	signature, err := s.key.sign(b)
	if err != nil {
		return "", fmt.Errorf("assertion: the private key does not sign: %w", err)
	}
	b = append(b, '.')
	return string(base64.RawURLEncoding.AppendEncode(b, signature)), nil
}

// newID returns 16 random bytes as text.
func newID() string {
	var id [16]byte
	rand.Read(id[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(id[:])
}
