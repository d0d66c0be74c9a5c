package assertion

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"

	"github.com/hooknotary/hooknotary/verify"
)

// The algorithms, as a token names them.
const (
	es256 = "ES256"
	edDSA = "EdDSA"
	hs256 = "HS256"
)

const (
	minSecret = 32      // bytes
	maxKeyID  = 64      // bytes
	maxPEM    = 8 << 10 // bytes

	sizeES256 = 64 // bytes of a signature: r and s
)

// Key signs assertions. It prints as its id, in every verb and encoder. Make one with
// NewKey, ParseKey or NewSecretKey; the zero Key signs nothing and is refused by NewSigner
// and NewKeySet. A Key is immutable, and safe for concurrent use as far as its
// crypto.Signer is.
type Key struct {
	id, algorithm string
	// Closures, because neither fmt nor reflection can look inside one.
	sign   func(text []byte) ([]byte, error)
	public func() crypto.PublicKey // nil for a secret
}

// NewKey makes a Key of a private key: of ECDSA over P-256, which signs ES256, or of
// Ed25519, which signs EdDSA. The key may be a *ecdsa.PrivateKey, an ed25519.PrivateKey, or
// one that never leaves its hardware. It signs a probe here: a signer that does not fit its
// own public key is refused, and so is one that fails.
//
// The id is what a token's kid says: 1 to 64 letters, digits and "._-", of which the first is
// a letter or a digit.
func NewKey(id string, signer crypto.Signer) (Key, error) {
	k, err := newKey(id, signer)
	if err != nil {
		return Key{}, fmt.Errorf("assertion: key %.64q: %w", id, err)
	}
	return k, nil
}

func newKey(id string, signer crypto.Signer) (Key, error) {
	if !isKeyID(id) {
		return Key{}, errKeyID
	}
	if signer == nil {
		return Key{}, errors.New("there is no private key")
	}
	k := Key{id: id}
	public, err := verify.NewPublicKey("gateway", id, signer.Public())
	if err != nil {
		return Key{}, errKind
	}
	k.public = public.Public
	switch public.Public().(type) {
	case *ecdsa.PublicKey:
		k.algorithm, k.sign = es256, func(text []byte) ([]byte, error) {
			sum := sha256.Sum256(text)
			der, err := signer.Sign(rand.Reader, sum[:], crypto.SHA256)
			if err != nil {
				return nil, err
			}
			return fixed(der)
		}
	case ed25519.PublicKey:
		k.algorithm, k.sign = edDSA, func(text []byte) ([]byte, error) {
			return signer.Sign(rand.Reader, text, crypto.Hash(0))
		}
	default:
		return Key{}, errKind
	}
	probe := []byte("hooknotary: does the private key fit its public one?")
	signature, err := k.sign(probe)
	if err != nil {
		return Key{}, fmt.Errorf("the private key does not sign: %w", err)
	}
	check, _, err := prepare(public)
	if err != nil {
		return Key{}, err
	}
	if !check.verifies(probe, signature) {
		return Key{}, errors.New("the private key does not fit its own public key")
	}
	return k, nil
}

var (
	errKeyID = errors.New(`the id of a key must be 1 to 64 letters, digits and "._-", of which the first is a letter or a digit`)
	errKind  = errors.New("want a private key of ECDSA over P-256, or of Ed25519")
)

func isKeyID(s string) bool {
	if s == "" || len(s) > maxKeyID {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case i > 0 && (c == '.' || c == '_' || c == '-'):
		default:
			return false
		}
	}
	return true
}

// fixed turns an ECDSA signature of DER into r and s, 32 bytes each.
func fixed(der []byte) ([]byte, error) {
	var point struct{ R, S *big.Int }
	rest, err := asn1.Unmarshal(der, &point)
	if err != nil || len(rest) > 0 || point.R.Sign() <= 0 || point.S.Sign() <= 0 || point.R.BitLen() > 256 || point.S.BitLen() > 256 {
		return nil, errors.New("the private key made no ECDSA signature over P-256")
	}
	signature := make([]byte, sizeES256)
	point.R.FillBytes(signature[:sizeES256/2])
	point.S.FillBytes(signature[sizeES256/2:])
	return signature, nil
}

// ParseKey makes a Key of a private key in PEM: one block PRIVATE KEY (PKCS #8) or EC PRIVATE
// KEY (SEC 1), which is not encrypted. The block EC PARAMETERS that openssl writes may stand
// in front. The rest is as for NewKey. No error contains a piece of the text.
//
//	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out assert.pem
func ParseKey(id string, text []byte) (Key, error) {
	signer, err := parsePrivate(text)
	if err != nil {
		return Key{}, fmt.Errorf("assertion: key %.64q: %w", id, err)
	}
	return NewKey(id, signer)
}

func parsePrivate(text []byte) (crypto.Signer, error) {
	if len(text) > maxPEM {
		return nil, fmt.Errorf("the file of a private key has at most %d bytes", maxPEM)
	}
	block, rest := pem.Decode(text)
	if block != nil && block.Type == "EC PARAMETERS" {
		block, rest = pem.Decode(rest)
	}
	if block == nil {
		return nil, errors.New("want a private key in PEM, a block PRIVATE KEY or EC PRIVATE KEY")
	}
	if len(bytes.TrimSpace(rest)) > 0 {
		return nil, errors.New("behind the private key stands something else: want one key in the file")
	}
	if block.Type == "ENCRYPTED PRIVATE KEY" || len(block.Headers) > 0 {
		return nil, errors.New("the private key is encrypted: decrypt it with openssl pkey, and protect the file")
	}
	var key any
	var err error
	switch block.Type {
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	default:
		return nil, errors.New("the PEM block is no private key: want PRIVATE KEY or EC PRIVATE KEY")
	}
	if err != nil { // which might quote what it read
		return nil, errors.New("the private key cannot be read: is the file complete?")
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, errKind
	}
	return signer, nil
}

// NewSecretKey makes a Key of a secret that the gateway shares with one receiver, and which
// signs HS256. Whoever can read it there can make assertions, so take NewKey where the
// receiver accepts a public key, and a secret of its own for each receiver otherwise.
//
// The secret is used as text, at least 32 bytes of it and at most verify.MaxSecret, and is
// copied; what verify.NewKey refuses is refused here. The id is as for NewKey.
func NewSecretKey(id string, secret []byte) (Key, error) {
	k, err := newSecretKey(id, secret)
	if err != nil {
		return Key{}, fmt.Errorf("assertion: key %.64q: %w", id, err)
	}
	return k, nil
}

func newSecretKey(id string, secret []byte) (Key, error) {
	if !isKeyID(id) {
		return Key{}, errKeyID
	}
	k, err := verify.NewKey("gateway", id, secret)
	if err != nil {
		return Key{}, errors.Unwrap(err)
	}
	check, _, err := prepare(k)
	if err != nil {
		return Key{}, err
	}
	if check.algorithm != hs256 {
		return Key{}, errors.New("this is a public key, which everybody may know, and no secret")
	}
	own := k.Secret()
	return Key{id: id, algorithm: hs256, sign: func(text []byte) ([]byte, error) { return mac(own, text), nil }}, nil
}

func mac(secret, text []byte) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write(text)
	return h.Sum(nil)
}

// ID returns the id.
func (k Key) ID() string { return k.id }

// Algorithm returns "ES256", "EdDSA" or "HS256", and "" for the zero Key.
func (k Key) Algorithm() string { return k.algorithm }

// String returns the id.
func (k Key) String() string { return "assertion.Key(" + k.id + ")" }

// Format prints the id, whatever the verb.
func (k Key) Format(s fmt.State, _ rune) { io.WriteString(s, k.String()) }

// MarshalText returns the id.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// LogValue returns the id.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }
