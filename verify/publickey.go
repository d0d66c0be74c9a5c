package verify

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

const (
	maxPublicKey = 4 << 10 // bytes of the text of a public key

	minRSA, maxRSA = 2048, 8192 // bits

	publicPrefix, privatePrefix = "whpk_", "whsk_" // of Standard Webhooks
)

// NewPublicKey makes a Key of a public key, for a scheme whose sender signs with the
// private one. Scope and label are as in NewKey.
//
// The key is one of these, and is copied:
//
//   - an ed25519.PublicKey whose 32 bytes are the canonical encoding of a point of the
//     curve that is not of small order. With a point of small order, one signature can
//     verify for many messages, and no private key is needed to make it. That the point
//     lies in the subgroup of prime order is not checked.
//   - an *ecdsa.PublicKey on P-256.
//   - an *rsa.PublicKey of 2048 to 8192 bits. Its exponent is odd, because an even one
//     belongs to no private key, and lies between 3 and 1<<31-1: one under 3 makes any
//     text a signature, and a larger one makes a verification, which anyone can cause,
//     slow.
//
// A private key is refused: a receiver must not hold it. No error contains the key.
func NewPublicKey(scope, label string, key crypto.PublicKey) (Key, error) {
	if err := checkNames(scope, label); err != nil {
		return Key{}, err
	}
	own, err := clonePublic(key)
	if err != nil {
		return Key{}, fmt.Errorf("verify: public key %s/%s: %w", scope, label, err)
	}
	return publicKey(scope, label, own), nil
}

func publicKey(scope, label string, own crypto.PublicKey) Key {
	return Key{scope: scope, label: label, public: func() crypto.PublicKey {
		c, _ := clonePublic(own) // which was checked
		return c
	}}
}

// ParsePublicKey reads a public key that NewPublicKey takes, as providers show it:
//
//   - PEM with one block PUBLIC KEY, which may have white space around it
//   - the DER of such a block (SubjectPublicKeyInfo) in base64
//   - the 32 bytes of an Ed25519 key in hexadecimal or base64, also behind "whpk_"
//
// Base64 is the standard alphabet with its padding.
//
// A certificate is refused and not searched for its key: a receiver that pins a key
// judges neither the dates nor the issuer of a certificate, and would seem to. Private
// keys are refused. The result is an ed25519.PublicKey, an *ecdsa.PublicKey or an
// *rsa.PublicKey. No error contains a piece of the text.
func ParsePublicKey(text string) (crypto.PublicKey, error) {
	key, err := parsePublicKey(text)
	if err != nil {
		return nil, fmt.Errorf("verify: public key: %w", err)
	}
	return key, nil
}

// PublicKeys makes a SecretList of public keys, as ParsePublicKey reads them: the
// current one of an endpoint and, during a rotation, the one before or after it. Its keys
// have the scope "default" and the labels "1", "2" and so on. What is wrong with a text
// is reported by the constructor of the verifier:
//
//	v, err := discord.New(verify.PublicKeys(os.Getenv("DISCORD_PUBLIC_KEY")), nil)
func PublicKeys(texts ...string) *SecretList {
	return list("public key", texts, func(label, text string) (Key, error) {
		key, err := parsePublicKey(text)
		if err != nil {
			return Key{}, fmt.Errorf("verify: %w", err)
		}
		return publicKey("default", label, key), nil
	})
}

// list makes a list of keys, up to the first text that is refused.
func list(what string, texts []string, newKey func(label, text string) (Key, error)) *SecretList {
	l := &SecretList{}
	for i, text := range texts {
		k, err := newKey(strconv.Itoa(i+1), text)
		if err != nil {
			err = errors.Unwrap(err)
			if len(texts) > 1 {
				err = fmt.Errorf("%s %d of %d: %w", what, i+1, len(texts), err)
			}
			return &SecretList{err: err}
		}
		l.keys = append(l.keys, k)
	}
	return l
}

// Public returns a copy of the public key: an ed25519.PublicKey, an *ecdsa.PublicKey or
// an *rsa.PublicKey. It is nil for a Key that holds a secret, and for the zero Key.
func (k Key) Public() crypto.PublicKey {
	if k.public == nil {
		return nil
	}
	return k.public()
}

var (
	errPrivate     = errors.New("this is a private key: a receiver holds the public one alone; whoever can read this text can sign")
	errCertificate = errors.New("this is a certificate, whose dates and issuer nobody would check: want the public key in it, as openssl x509 -noout -pubkey writes it")
	errNoPublicKey = errors.New("want a public key: PEM with one block PUBLIC KEY, its DER in base64, or the 32 bytes of an Ed25519 key in hexadecimal or base64")
)

func parsePublicKey(text string) (crypto.PublicKey, error) {
	switch {
	case strings.TrimSpace(text) == "":
		return nil, errors.New("the public key is empty; is its environment variable set?")
	case len(text) > maxPublicKey:
		return nil, fmt.Errorf("the public key is longer than %d bytes", maxPublicKey)
	case strings.HasPrefix(text, privatePrefix) || strings.Contains(text, "PRIVATE KEY-----"):
		return nil, errPrivate
	case strings.Contains(text, "-----BEGIN "):
		return parsePEM(strings.TrimSpace(text))
	case strings.TrimSpace(text) != text:
		return nil, errors.New("the public key has white space around it, often a line break at its end: trim it")
	}
	if rest, ok := strings.CutPrefix(text, publicPrefix); ok {
		raw, ok := decodeBase64(rest)
		if !ok || len(raw) != ed25519.PublicKeySize {
			return nil, errors.New("behind whpk_ there must be the 32 bytes of an Ed25519 key in base64")
		}
		return clonePublic(ed25519.PublicKey(raw))
	}
	if raw, err := hex.DecodeString(text); err == nil && len(raw) == ed25519.PublicKeySize {
		return clonePublic(ed25519.PublicKey(raw))
	}
	raw, ok := decodeBase64(text)
	switch n := len(text); {
	case placeholder(text):
		return nil, errors.New("the public key is a placeholder: put the provider's key in its place")
	case reference(text):
		return nil, errors.New("this looks like the name or path of a public key, not the key itself")
	case n >= 2 && text[0] == text[n-1] && strings.IndexByte("\"'`", text[0]) >= 0:
		return nil, errors.New("the public key has quotes around it: remove them")
	case !ok:
		return nil, errNoPublicKey
	case len(raw) == ed25519.PublicKeySize:
		return clonePublic(ed25519.PublicKey(raw))
	}
	return parseDER(raw)
}

func parsePEM(text string) (crypto.PublicKey, error) {
	if !strings.Contains(text, "\n") {
		return nil, errors.New(`the PEM text is one line: keep its line breaks, and write no \n in their place`)
	}
	if !strings.HasPrefix(text, "-----BEGIN ") {
		return nil, errors.New("something stands in front of the PEM block: want the block alone")
	}
	block, rest := pem.Decode([]byte(text))
	switch {
	case block == nil:
		return nil, errors.New("the PEM block is damaged or cut")
	case len(bytes.TrimSpace(rest)) > 0:
		return nil, errors.New("something stands behind the PEM block: want one key in a text")
	case len(block.Headers) > 0:
		return nil, errors.New("the PEM block has headers: want a block PUBLIC KEY without any")
	case block.Type == "CERTIFICATE":
		return nil, errCertificate
	case block.Type == "RSA PUBLIC KEY":
		return nil, errors.New("the PEM block is an RSA PUBLIC KEY: want a PUBLIC KEY, as openssl rsa -RSAPublicKey_in -pubout writes it")
	case block.Type != "PUBLIC KEY":
		return nil, errors.New("the PEM block is no PUBLIC KEY")
	}
	return parseDER(block.Bytes)
}

func parseDER(der []byte) (crypto.PublicKey, error) {
	key, err := x509.ParsePKIXPublicKey(der) // err may quote the key
	if err == nil {
		return clonePublic(key)
	}
	if _, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		return nil, errPrivate
	}
	if _, err := x509.ParseCertificate(der); err == nil {
		return nil, errCertificate
	}
	return nil, errNoPublicKey
}

// decodeBase64 decodes padded standard base64 that has no other spelling.
func decodeBase64(text string) ([]byte, bool) {
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	return raw, err == nil && base64.StdEncoding.EncodedLen(len(raw)) == len(text)
}

// plainlyPublic reports whether a text can be no secret, because it has the form of a
// public key. The bare bytes of an Ed25519 key have none: they are a secret as well.
func plainlyPublic(text string) bool {
	if strings.HasPrefix(text, "-----BEGIN PUBLIC KEY-----") {
		return true
	}
	if rest, ok := strings.CutPrefix(text, publicPrefix); ok {
		raw, ok := decodeBase64(rest)
		return ok && len(raw) == ed25519.PublicKeySize
	}
	if len(text) > maxPublicKey || !strings.HasPrefix(text, "M") { // DER begins with 0x30
		return false
	}
	der, ok := decodeBase64(text)
	if !ok {
		return false
	}
	_, err := x509.ParsePKIXPublicKey(der)
	return err == nil
}

// clonePublic returns a copy of a public key, or says what is wrong with it.
func clonePublic(key crypto.PublicKey) (crypto.PublicKey, error) {
	switch key := key.(type) {
	case nil:
		return nil, errors.New("the public key is nil; check the error that came with it")
	case ed25519.PublicKey:
		if err := checkEd25519(key); err != nil {
			return nil, err
		}
		return slices.Clone(key), nil
	case *ecdsa.PublicKey:
		if key == nil || key.Curve != elliptic.P256() {
			return nil, errors.New("an ECDSA key must be on the curve P-256")
		}
		point, err := key.Bytes()
		if err != nil {
			return nil, errors.New("the ECDSA key is no point of P-256")
		}
		own, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
		if err != nil {
			return nil, errors.New("the ECDSA key is no point of P-256")
		}
		return own, nil
	case *rsa.PublicKey:
		switch {
		case key == nil || key.N == nil || key.N.Sign() <= 0 || key.N.BitLen() < minRSA || key.N.BitLen() > maxRSA:
			return nil, fmt.Errorf("an RSA key must have %d to %d bits", minRSA, maxRSA)
		case key.N.Bit(0) == 0:
			return nil, errors.New("the modulus of the RSA key is even: it is no product of two primes")
		case key.E < 3 || key.E > math.MaxInt32 || key.E%2 == 0:
			return nil, errors.New("the exponent of an RSA key must be odd, and lie between 3 and 2147483647")
		}
		return &rsa.PublicKey{N: new(big.Int).Set(key.N), E: key.E}, nil
	case crypto.Signer:
		return nil, errPrivate
	}
	return nil, errors.New("the public key is of an unknown kind: want Ed25519, ECDSA on P-256 or RSA")
}

// checkEd25519 checks that the bytes are the canonical encoding of a point that is not
// of small order: the standard library takes others, too. The key is public, so this
// need not take the same time for all.
func checkEd25519(key ed25519.PublicKey) error {
	if len(key) != ed25519.PublicKeySize {
		return fmt.Errorf("an Ed25519 key must have %d bytes", ed25519.PublicKeySize)
	}
	c := newEdwards()
	encoded := slices.Clone(key)
	odd := uint(encoded[31] >> 7)
	encoded[31] &= 0x7f
	slices.Reverse(encoded) // it is little-endian
	y := new(big.Int).SetBytes(encoded)
	if y.Cmp(c.p) >= 0 {
		return errors.New("the Ed25519 key is not written canonically")
	}
	x := c.x(y)
	if x == nil {
		return errors.New("the Ed25519 key is no point of its curve")
	}
	if x.Bit(0) != odd {
		if x.Sign() == 0 {
			return errors.New("the Ed25519 key is not written canonically")
		}
		x.Sub(c.p, x)
	}
	for range 3 { // eight times the point
		x, y = c.double(x, y)
	}
	if x.Sign() == 0 && y.Cmp(c.one) == 0 {
		return errors.New("the Ed25519 key is of small order: nobody can have its private key")
	}
	return nil
}

// edwards is the curve -x² + y² = 1 + d·x²·y² modulo p, of RFC 8032.
type edwards struct{ p, d, one *big.Int }

func newEdwards() *edwards {
	one := big.NewInt(1)
	p := new(big.Int).Lsh(one, 255)
	p.Sub(p, big.NewInt(19))
	c := &edwards{p: p, one: one}
	c.d = c.quotient(big.NewInt(-121665), big.NewInt(121666))
	return c
}

// quotient returns a/b modulo p.
func (c *edwards) quotient(a, b *big.Int) *big.Int {
	inverse := new(big.Int).ModInverse(new(big.Int).Mod(b, c.p), c.p)
	q := new(big.Int).Mul(a, inverse)
	return q.Mod(q, c.p)
}

// x returns an x-coordinate for y, or nil if there is none.
func (c *edwards) x(y *big.Int) *big.Int {
	yy := new(big.Int).Mul(y, y)
	above := new(big.Int).Sub(yy, c.one)
	below := yy.Mul(yy, c.d)
	below.Add(below, c.one) // never 0 modulo p: -1/d is no square
	return new(big.Int).ModSqrt(c.quotient(above, below), c.p)
}

// double returns twice the point, by the addition law of the curve, which has no
// exceptions.
func (c *edwards) double(x, y *big.Int) (*big.Int, *big.Int) {
	xx, yy, xy := new(big.Int).Mul(x, x), new(big.Int).Mul(y, y), new(big.Int).Mul(x, y)
	e := new(big.Int).Mul(xx, yy)
	e.Mul(e, c.d)
	return c.quotient(new(big.Int).Lsh(xy, 1), new(big.Int).Add(c.one, e)),
		c.quotient(new(big.Int).Add(yy, xx), new(big.Int).Sub(c.one, e))
}
