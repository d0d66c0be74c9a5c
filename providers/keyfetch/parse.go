package keyfetch

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/hooknotary/hooknotary/verify"
)

var (
	errForm      = errors.New("key host: the response has another form than the endpoint's")
	errPrivate   = errors.New("key host: the response holds a private or a secret key, which nobody may publish: it is not trusted")
	errNoKeys    = errors.New("key host: the response holds no key of the kind")
	errOther     = errors.New("key host: the response is a key of another id, kind or use")
	errManyKeys  = fmt.Errorf("key host: the set holds more than %d keys", maxInSet)
	errTwice     = errors.New("key host: the set holds two keys of one id")
	errRSA       = errors.New("key host: the numbers of an RSA key have zeros in front, or the exponent is over 2147483647")
	errEC        = errors.New("key host: an EC key is not a point of P-256")
	errCanonical = errors.New("key host: a member of a JWK is not base64url without padding")
)

// jwk is a JSON object whose names are compared byte for byte, as encoding/json does for a
// map alone.
type jwk map[string]json.RawMessage

// text returns a member that is a string, or "" if it is absent. It is false for another
// value.
func (k jwk) text(name string) (string, bool) {
	raw, ok := k[name]
	if !ok {
		return "", true
	}
	var s *string
	if json.Unmarshal(raw, &s) != nil || s == nil {
		return "", false
	}
	return *s, true
}

// bytes returns a member in base64url.
func (k jwk) bytes(name string) ([]byte, error) {
	s, ok := k.text(name)
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if !ok || err != nil || len(b) == 0 || base64.RawURLEncoding.EncodeToString(b) != s {
		return nil, errCanonical
	}
	return b, nil
}

// private lists the members of a JWK that only a private or a secret key has (RFC 7518,
// sections 6.2.2, 6.3.2 and 6.4).
var private = [...]string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"}

// parse returns the keys of a response: exactly one where each key has a document of its
// own. Errors are refusals.
func (f *Fetcher) parse(body []byte, id string) ([]named, error) {
	fail := func(err error) ([]named, error) { return nil, refuse(verify.ErrUnavailable, err) }
	for _, name := range strings.Split(f.endpoint.Member, ".") {
		if name == "" {
			break
		}
		var object jwk
		if err := json.Unmarshal(body, &object); err != nil || object[name] == nil {
			return fail(errForm)
		}
		body = object[name]
	}
	if f.endpoint.Form == PEM {
		if f.endpoint.Member != "" {
			var text *string
			if json.Unmarshal(body, &text) != nil || text == nil {
				return fail(errForm)
			}
			body = []byte(*text)
		}
		public, err := verify.ParsePublicKey(unfolded(string(bytes.TrimSpace(body))))
		if err != nil {
			return fail(fmt.Errorf("key host: %w", errors.Unwrap(err)))
		}
		n, err := f.make(id, public)
		if err != nil {
			return fail(err)
		}
		return []named{n}, nil
	}
	if f.byID {
		var k jwk
		if json.Unmarshal(body, &k) != nil || k == nil {
			return fail(errForm)
		}
		n, ok, err := f.key(k, id)
		switch {
		case err != nil:
			return fail(err)
		case f.withdrawn(k):
			return nil, refuse(verify.ErrNoKey, errGone)
		case !ok || n.id != id:
			return fail(errOther)
		}
		return []named{n}, nil
	}
	var set jwk
	var list []jwk
	if json.Unmarshal(body, &set) != nil || json.Unmarshal(set["keys"], &list) != nil {
		return fail(errForm)
	}
	if len(list) > maxInSet {
		return fail(errManyKeys)
	}
	var keys []named
	for _, k := range list {
		n, ok, err := f.key(k, "")
		if err != nil {
			return fail(err)
		}
		if !ok || f.withdrawn(k) {
			continue
		}
		if n.id != "" && slices.ContainsFunc(keys, func(other named) bool { return other.id == n.id }) {
			return fail(errTwice)
		}
		keys = append(keys, n)
	}
	if len(keys) == 0 {
		return fail(errNoKeys)
	}
	return keys, nil
}

// unfolded returns the base64 in a PEM block that is one line, and any other text as it is.
func unfolded(text string) string {
	der, begins := strings.CutPrefix(text, "-----BEGIN PUBLIC KEY-----")
	der, ends := strings.CutSuffix(der, "-----END PUBLIC KEY-----")
	if !begins || !ends || strings.Contains(der, "\n") {
		return text
	}
	return der
}

func (f *Fetcher) withdrawn(k jwk) bool {
	raw, ok := k[f.endpoint.Withdrawn]
	return ok && f.endpoint.Withdrawn != "" && string(bytes.TrimSpace(raw)) != "null"
}

// key parses a JWK, which has that id if it names none. It is false for one that is not for
// signatures of the endpoint's kind.
func (f *Fetcher) key(k jwk, id string) (named, bool, error) {
	for _, name := range private {
		if _, ok := k[name]; ok {
			return named{}, false, errPrivate
		}
	}
	texts := make(map[string]string)
	for _, name := range [...]string{"kty", "kid", "use", "alg", "crv"} {
		s, ok := k.text(name)
		if !ok {
			return named{}, false, errForm
		}
		texts[name] = s
	}
	if texts["use"] != "" && texts["use"] != "sig" {
		return named{}, false, nil
	}
	if raw, ok := k["key_ops"]; ok {
		var ops []string
		if json.Unmarshal(raw, &ops) != nil {
			return named{}, false, errForm
		}
		if !slices.Contains(ops, "verify") {
			return named{}, false, nil
		}
	}
	is := func(kty, crv string, algs ...string) bool {
		return texts["kty"] == kty && texts["crv"] == crv && (texts["alg"] == "" || slices.Contains(algs, texts["alg"]))
	}
	var public crypto.PublicKey
	var err error
	switch {
	case f.endpoint.Kind == RSA && is("RSA", "", "RS256"):
		public, err = k.rsa()
	case f.endpoint.Kind == P256 && is("EC", "P-256", "ES256"):
		public, err = k.p256()
	case f.endpoint.Kind == Ed25519 && is("OKP", "Ed25519", "EdDSA", "Ed25519"):
		public, err = k.ed25519()
	default:
		return named{}, false, nil
	}
	if err != nil {
		return named{}, false, err
	}
	if texts["kid"] != "" {
		id = texts["kid"]
	}
	if id != "" && !validID(id, false) {
		return named{}, false, errID
	}
	n, err := f.make(id, public)
	return n, err == nil, err
}

func (k jwk) rsa() (crypto.PublicKey, error) {
	n, err := k.bytes("n")
	if err != nil {
		return nil, err
	}
	e, err := k.bytes("e")
	if err != nil {
		return nil, err
	}
	if len(e) > 4 || e[0] >= 0x80 && len(e) == 4 || e[0] == 0 || n[0] == 0 {
		return nil, errRSA
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}, nil
}

func (k jwk) p256() (crypto.PublicKey, error) {
	x, err := k.bytes("x")
	if err != nil {
		return nil, err
	}
	y, err := k.bytes("y")
	if err != nil {
		return nil, err
	}
	if len(x) != 32 || len(y) != 32 {
		return nil, errEC
	}
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, x, y))
	if err != nil {
		return nil, errEC
	}
	return public, nil
}

func (k jwk) ed25519() (crypto.PublicKey, error) {
	x, err := k.bytes("x")
	return ed25519.PublicKey(x), err
}

// make returns a key that is of the endpoint's kind, as [verify.NewPublicKey] takes it.
func (f *Fetcher) make(id string, public crypto.PublicKey) (named, error) {
	kind := Kind(0)
	switch public.(type) {
	case *rsa.PublicKey:
		kind = RSA
	case *ecdsa.PublicKey:
		kind = P256
	case ed25519.PublicKey:
		kind = Ed25519
	}
	if kind != f.endpoint.Kind {
		return named{}, errOther
	}
	label := id
	if label == "" {
		label = "key"
	}
	key, err := verify.NewPublicKey(f.options.Scope, label, public)
	if err != nil {
		return named{}, fmt.Errorf("key host: %w", errors.Unwrap(err)) // without the names of the key
	}
	return named{id, key}, nil
}
