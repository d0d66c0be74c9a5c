package signer

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"math/big"
	"net/http"
	"strings"

	"github.com/hooknotary/hooknotary/providers/scheme"
)

// Public returns the public key of a private one, as text that verify.ParsePublicKey
// reads. The private key is PEM with a block PRIVATE KEY, its DER in base64, or the seed of
// an Ed25519 key in base64 behind "whsk_". No error contains a piece of it.
func Public(private string) (string, error) {
	key, err := parsePrivate(private)
	if err != nil {
		return "", err
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return "", errors.New("the private key is of an unknown kind")
	}
	return base64.StdEncoding.EncodeToString(der), nil
}

// Message returns what a delivery's signature is made of, byte for byte.
func Message(d scheme.Definition, v Delivery) ([]byte, error) {
	h := make(http.Header)
	for name, value := range v.Fields {
		h.Set(name, value)
	}
	timestamp, err := timeText(d.Timestamp, v)
	if err != nil {
		return nil, err
	}
	return layOut(d.Message, v, nil, timestamp, h)
}

// private reports whether the sender signs with a private key.
func private(a scheme.Algorithm) bool {
	return a == scheme.Ed25519 || a == scheme.ECDSAP256SHA256 || a == scheme.RSASHA256 || a == scheme.RSADoubleSHA256
}

var errPrivate = errors.New("want a private key: PEM with a block PRIVATE KEY, its DER in base64, or whsk_ and the seed of an Ed25519 key in base64")

func parsePrivate(text string) (crypto.Signer, error) {
	if rest, ok := strings.CutPrefix(text, "whsk_"); ok {
		seed, err := base64.StdEncoding.DecodeString(rest)
		if err != nil || len(seed) != ed25519.SeedSize && len(seed) != ed25519.PrivateKeySize {
			return nil, errPrivate
		}
		return ed25519.NewKeyFromSeed(seed[:ed25519.SeedSize]), nil
	}
	der, err := base64.StdEncoding.DecodeString(text)
	if block, _ := pem.Decode([]byte(text)); block != nil && block.Type == "PRIVATE KEY" {
		der, err = block.Bytes, nil
	}
	if err != nil {
		return nil, errPrivate
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, errPrivate
	}
	signs, ok := key.(crypto.Signer)
	if !ok {
		return nil, errPrivate
	}
	return signs, nil
}

// signPrivate makes a signature with a private key. It makes the same one of the same
// message each time.
func signPrivate(a scheme.Algorithm, text string, message []byte) ([]byte, error) {
	key, err := parsePrivate(text)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(message)
	switch key := key.(type) {
	case ed25519.PrivateKey:
		if a == scheme.Ed25519 {
			return key.Sign(nil, message, &ed25519.Options{})
		}
	case *ecdsa.PrivateKey:
		if a == scheme.ECDSAP256SHA256 {
			return key.Sign(nil, sum[:], crypto.SHA256) // without random bytes: as in RFC 6979
		}
	case *rsa.PrivateKey:
		if a == scheme.RSADoubleSHA256 {
			sum = sha256.Sum256(sum[:])
		}
		if a == scheme.RSASHA256 || a == scheme.RSADoubleSHA256 {
			return key.Sign(nil, sum[:], crypto.SHA256)
		}
	}
	return nil, errors.New("the private key is of another kind than the scheme's")
}

// NewPrivate returns a new private key for an algorithm that takes one, as Public reads it.
func NewPrivate(a scheme.Algorithm) (string, error) {
	var key any
	var err error
	switch a {
	case scheme.Ed25519:
		_, key, err = ed25519.GenerateKey(nil)
	case scheme.ECDSAP256SHA256:
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case scheme.RSASHA256, scheme.RSADoubleSHA256:
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	default:
		err = errors.New("the algorithm has no private key")
	}
	if err != nil {
		return "", err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(der), nil
}

// UnknownPublic returns a public key whose private key nobody has, for a program that
// needs one before it knows the right one.
func UnknownPublic(a scheme.Algorithm) (string, error) {
	if a != scheme.RSASHA256 && a != scheme.RSADoubleSHA256 {
		text, err := NewPrivate(a)
		if err != nil {
			return "", err
		}
		return Public(text)
	}
	// To make a pair takes long, and any odd number looks like a modulus.
	modulus := make([]byte, 256)
	rand.Read(modulus)
	modulus[0], modulus[255] = modulus[0]|0x80, modulus[255]|1
	der, err := x509.MarshalPKIXPublicKey(&rsa.PublicKey{N: new(big.Int).SetBytes(modulus), E: 65537})
	if err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(der), nil
}

// Private reports whether the sender signs with a private key, so that Delivery.Secrets are
// private keys and the endpoint holds public ones.
func Private(d scheme.Definition) bool {
	return len(d.Signatures) > 0 && private(d.Signatures[0].Algorithm)
}
