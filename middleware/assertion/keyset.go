package assertion

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/hooknotary/hooknotary/verify"
)

const (
	maxKeySet  = 64 << 10 // bytes of a JWK set
	maxSetKeys = 64       // keys in it
)

// KeySet is a set of public keys by their ids: what a gateway publishes, and a receiver
// trusts. As a verify.KeySource of a Verifier it yields the key that a token names. It is
// immutable and safe for concurrent use. Make one with NewKeySet or ParseKeySet; the zero
// KeySet is empty.
type KeySet struct {
	keys  []verify.Key // the id is the label
	ready []*key       // the same
}

// NewKeySet makes the set of the public keys of keys: of those that sign and of the next
// ones, which must be published before they do. Secrets are left out, because they have no
// public key. Two keys with one id, more than 64, and a zero Key are errors.
func NewKeySet(keys ...Key) (*KeySet, error) {
	s := &KeySet{}
	ids := make(map[string]bool)
	for _, k := range keys {
		if k.sign == nil {
			return nil, errors.New("assertion: a key of the set is the zero Key; check the error of its constructor")
		}
		if ids[k.id] {
			return nil, fmt.Errorf("assertion: two keys of the set have the id %q", k.id)
		}
		ids[k.id] = true
		if k.public == nil {
			continue
		}
		if err := s.add(k.id, k.public()); err != nil {
			return nil, fmt.Errorf("assertion: key %q of the set: %w", k.id, err)
		}
	}
	return s, nil
}

// ParseKeySet reads a set as MarshalJSON writes it, a JWK set (RFC 7517) of at most 64 KiB.
// Passed over are keys that serve something else: of another type, curve, use or algorithm.
// A key without an id or with a private part, two keys with one id, a name that stands twice
// in an object, and a set without any key that serves make the whole set an error, which
// holds nothing of the text.
func ParseKeySet(text []byte) (*KeySet, error) {
	s, err := parseKeySet(text)
	if err != nil {
		return nil, fmt.Errorf("assertion: JWK set: %w", err)
	}
	return s, nil
}

func parseKeySet(text []byte) (*KeySet, error) {
	if len(text) > maxKeySet {
		return nil, fmt.Errorf("want at most %d bytes", maxKeySet)
	}
	o, ok := parseObject(text)
	var list []json.RawMessage
	if !ok || json.Unmarshal(o["keys"], &list) != nil {
		return nil, errors.New(`want an object whose "keys" is a list, and in which no name stands twice`)
	}
	s := &KeySet{}
	for i, raw := range list {
		id, public, err := parseJWK(raw)
		if err == nil && public != nil {
			err = s.add(id, public)
		}
		if err != nil {
			return nil, fmt.Errorf("key %d of %d: %w", i+1, len(list), err)
		}
	}
	if len(s.keys) == 0 {
		return nil, errors.New("it has no key of P-256 or Ed25519 that is for signatures")
	}
	return s, nil
}

func (s *KeySet) add(id string, public crypto.PublicKey) error {
	if !isKeyID(id) {
		return errKeyID
	}
	if len(s.keys) == maxSetKeys {
		return fmt.Errorf("want at most %d keys", maxSetKeys)
	}
	if s.index(id) >= 0 {
		return errors.New("another key has the same id")
	}
	k, err := verify.NewPublicKey("gateway", id, public)
	if err != nil {
		return errors.Unwrap(err)
	}
	own, _, err := prepare(k)
	if err != nil {
		return err
	}
	s.keys, s.ready = append(s.keys, k), append(s.ready, own)
	return nil
}

// parseJWK reads one key. It returns a nil key for one that serves something else.
func parseJWK(text []byte) (id string, public crypto.PublicKey, err error) {
	o, ok := parseObject(text)
	if !ok {
		return "", nil, errors.New("want an object in which no name stands twice")
	}
	member := func(name string) string { s, _ := textOf(o[name]); return s }
	for _, name := range [...]string{"d", "k", "p", "q", "dp", "dq", "qi", "oth"} {
		if _, ok := o[name]; ok {
			return "", nil, errors.New("it holds a private or secret part: take the public key alone, and make a new private one, since others may have seen this")
		}
	}
	algorithm := map[[2]string]string{{"EC", "P-256"}: es256, {"OKP", "Ed25519"}: edDSA}[[2]string{member("kty"), member("crv")}]
	if algorithm == "" {
		return "", nil, nil
	}
	if _, ok := o["use"]; ok && member("use") != "sig" {
		return "", nil, nil
	}
	if _, ok := o["alg"]; ok && member("alg") != algorithm {
		return "", nil, nil
	}
	if raw, ok := o["key_ops"]; ok {
		var operations []string
		if json.Unmarshal(raw, &operations) != nil || len(operations) != 1 || operations[0] != "verify" {
			return "", nil, nil
		}
	}
	var x, y [32]byte
	if !decode(x[:], member("x"), base64URL) || algorithm == es256 && !decode(y[:], member("y"), base64URL) {
		return "", nil, errors.New("its coordinates are not 32 bytes of base64url")
	}
	if algorithm == edDSA {
		return member("kid"), ed25519.PublicKey(x[:]), nil
	}
	public, err = ecdsa.ParseUncompressedPublicKey(elliptic.P256(), bytes.Join([][]byte{{4}, x[:], y[:]}, nil))
	if err != nil {
		return "", nil, errors.New("it is no point of the curve")
	}
	return member("kid"), public, nil
}

// jwk is a public key as MarshalJSON writes it.
type jwk struct {
	Type      string `json:"kty"`
	Curve     string `json:"crv"`
	X         string `json:"x"`
	Y         string `json:"y,omitempty"`
	ID        string `json:"kid"`
	Use       string `json:"use"`
	Algorithm string `json:"alg"`
}

// MarshalJSON returns the set as a JWK set, whose media type is application/jwk-set+json.
func (s *KeySet) MarshalJSON() ([]byte, error) {
	set := struct {
		Keys []jwk `json:"keys"`
	}{[]jwk{}}
	for _, k := range s.keys {
		j := jwk{ID: k.Label(), Use: "sig"}
		switch p := k.Public().(type) {
		case *ecdsa.PublicKey:
			point, err := p.Bytes()
			if err != nil {
				return nil, err
			}
			j.Type, j.Curve, j.Algorithm = "EC", "P-256", es256
			j.X, j.Y = base64URL.encode(point[1:33]), base64URL.encode(point[33:])
		case ed25519.PublicKey:
			j.Type, j.Curve, j.Algorithm, j.X = "OKP", "Ed25519", edDSA, base64URL.encode(p)
		}
		set.Keys = append(set.Keys, j)
	}
	return json.Marshal(set)
}

// Len returns how many keys the set has.
func (s *KeySet) Len() int { return len(s.keys) }

// Keys returns the key that the token names, for a Verifier of this package. The error is
// verify.ErrNoKey where the set has none of that name.
func (s *KeySet) Keys(ctx context.Context, _ *verify.Head) ([]verify.Key, error) {
	id, _ := KeyID(ctx)
	if i := s.index(id); i >= 0 {
		return []verify.Key{s.keys[i]}, nil
	}
	return nil, unknownKey{}
}

// index returns where the key of that id is, or -1.
func (s *KeySet) index(id string) int {
	return slices.IndexFunc(s.ready, func(k *key) bool { return k.label == id })
}

// unknownKey is the error of a set without the key that a token names.
type unknownKey struct{}

func (unknownKey) Error() string {
	return "the set has no key with the id that the assertion names: is it older than the gateway's?"
}

func (unknownKey) Unwrap() error { return verify.ErrNoKey }
