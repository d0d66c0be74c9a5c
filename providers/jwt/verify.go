package jwt

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/hooknotary/hooknotary/providers/keyfetch"
	"github.com/hooknotary/hooknotary/verify"
)

var (
	errClaim   = errors.New("the signature holds, and a claim is another one than this endpoint's: is the token for another endpoint, account or URL?")
	errBody    = errors.New("the signature holds, and the body is not the one that was signed")
	errNoKeyID = errors.New("the token names no key (kid)")
	errNoClaim = errors.New("the token lacks the claim that chooses its key")
)

// key is a verify.Key made ready.
type key struct {
	scope, label string
	with         func() any // a secret or a public key, as go-jose wants it; a closure, so that it does not print
}

// prepare checks a key.
func (d *Definition) prepare(k verify.Key) (*key, []byte, error) {
	a := d.Algorithms[0]
	if a.symmetric() {
		secret := k.Secret()
		if len(secret) == 0 {
			return nil, nil, fmt.Errorf("%v holds no secret, and the sender signs with one (%s)", k, a)
		}
		least := 64
		for _, a := range d.Algorithms {
			least = min(least, a.least())
		}
		if len(secret) < least {
			return nil, nil, fmt.Errorf("%v has %d bytes, want at least %d for %s", k, len(secret), least, a)
		}
		for _, c := range d.About.Credentials {
			if c.Matches(string(secret)) {
				return nil, nil, fmt.Errorf("%v starts with %q: that is %s, not the signing secret", k, c.Prefix, c.What)
			}
		}
		return &key{k.Scope(), k.Label(), func() any { return secret }}, secret, nil
	}
	public := k.Public()
	if secret := k.Secret(); public == nil && len(secret) > 0 { // the 32 bytes of an Ed25519 key look like a secret
		parsed, err := verify.ParsePublicKey(string(secret))
		if err != nil {
			return nil, nil, fmt.Errorf("%v is no public key, and the sender signs with a private one (%s)", k, a)
		}
		public = parsed
	}
	var same []byte
	ok := false
	switch p := public.(type) {
	case *rsa.PublicKey:
		same, ok = p.N.Bytes(), a == RS256
	case *ecdsa.PublicKey:
		point, err := p.Bytes()
		same, ok = point, err == nil && a == ES256
	case ed25519.PublicKey:
		same, ok = p, a == EdDSA
	}
	if !ok {
		return nil, nil, fmt.Errorf("%v is no public key for %s", k, a)
	}
	return &key{k.Scope(), k.Label(), func() any { return public }}, same, nil
}

// least is the smallest length of a secret.
func (a Algorithm) least() int {
	switch a {
	case HS384:
		return 48
	case HS512:
		return 64
	}
	return 32
}

// nobody is what a request without a key is checked with, so that it takes as long.
func (d *Definition) nobody() (*key, error) {
	var with any
	switch d.Algorithms[0] {
	case RS256:
		n := new(big.Int).Lsh(big.NewInt(1), 2047)
		with = &rsa.PublicKey{N: n.Add(n, big.NewInt(1)), E: 65537}
	case ES256:
		private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), append(make([]byte, 31), 1))
		if err != nil {
			return nil, err
		}
		with = &private.PublicKey
	case EdDSA:
		with = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)).Public()
	default:
		with = make([]byte, 64)
	}
	return &key{with: func() any { return with }}, nil
}

// Begin refuses a token that no body could make right: of another form or algorithm, out of
// its time, without a claim that it must have.
func (v *Verifier) Begin(ctx context.Context, h *verify.Head) (verify.Pending, error) {
	if h == nil || h.ReceivedAt.IsZero() {
		return nil, refuse(verify.ErrMalformed, errNoHead)
	}
	t, err := v.def.parse(v.header, h)
	if err != nil {
		return nil, err
	}
	if err := v.judge(t, h.ReceivedAt); err != nil {
		return nil, err
	}
	if err := v.complete(t); err != nil {
		return nil, err
	}
	keys, noKey, err := v.ring.Find(ctx, h)
	if err != nil {
		return nil, refuse(verify.ErrUnavailable, err)
	}
	return &pending{v, t, keys, noKey, h.ReceivedAt}, nil
}

// complete refuses a token that lacks a claim.
func (v *Verifier) complete(t *token) error {
	for _, c := range v.rules {
		_, ok := t.claims.text(c.name)
		if c.kind == isTrue {
			_, ok = t.claims[c.name].(bool)
		}
		if !ok {
			return refuse(verify.ErrMalformed, errMissing)
		}
	}
	if b := v.def.Body; b.Claim != "" {
		_, ok := t.claims.text(b.Claim)
		if _, there := t.claims[b.Claim]; !ok && (there || !b.AbsentIfEmpty) {
			return refuse(verify.ErrMalformed, errMissing)
		}
	}
	if v.def.ID != "" {
		if id, ok := t.claims.text(v.def.ID); !ok || len(id) > maxID || !visible(id) {
			return refuse(verify.ErrMalformed, errMissing)
		}
	}
	return nil
}

// pending is a request whose token has the right form.
type pending struct {
	v        *Verifier
	t        *token
	keys     []*key
	noKey    error
	received time.Time
}

// Format prints the name of the type, whatever the verb: a token is a credential.
func (pending) Format(s fmt.State, _ rune) { io.WriteString(s, "jwt.pending") }

// Finish checks the signature, the claims and the body.
func (p *pending) Finish(_ context.Context, body []byte) (*verify.Delivery, error) {
	v, d, t := p.v, &p.v.def, p.t
	sum := sha256.Sum256(body)
	by := p.sign(body)
	switch {
	case p.noKey != nil:
		return nil, refuse(verify.ErrNoKey, p.noKey)
	case by == nil:
		return nil, refuse(verify.ErrMismatch, nil)
	}
	for _, c := range v.rules {
		if !c.holds(t.claims) {
			return nil, refuse(verify.ErrMismatch, errClaim)
		}
	}
	message := sha256.New()
	io.WriteString(message, t.signed)
	switch b := d.Body; {
	case d.Detached:
		message.Write(body)
	case b.Claim == "":
		message.Write(append([]byte{'\n'}, sum[:]...))
	case len(body) == 0 && b.AbsentIfEmpty:
		if _, ok := t.claims[b.Claim]; ok {
			return nil, refuse(verify.ErrMismatch, errBody)
		}
	default:
		if !hashes(t.claims, b.Claim, b.Encoding, sum) {
			return nil, refuse(verify.ErrMismatch, errBody)
		}
	}
	delivery := &verify.Delivery{
		Provider:    d.Provider,
		Scope:       by.scope,
		KeyLabel:    by.label,
		Fingerprint: verify.NewFingerprint([sha256.Size]byte(message.Sum(nil))),
		SignedAt:    t.at,
		ReceivedAt:  p.received,
		Binding:     v.profile.Binding,
		Body:        body,
	}
	if d.ID != "" {
		delivery.ID, _ = t.claims.text(d.ID)
	}
	return delivery, nil
}

// sign returns the key under which the token's signature holds, or nil. A detached one needs
// memory for another copy of the body.
func (p *pending) sign(body []byte) *key {
	algorithms := make([]jose.SignatureAlgorithm, len(p.v.def.Algorithms))
	for i, a := range p.v.def.Algorithms {
		algorithms[i] = jose.SignatureAlgorithm(a)
	}
	var signature *jose.JSONWebSignature
	var err error
	if p.v.def.Detached {
		if body == nil {
			body = []byte{} // nil is no body to jose
		}
		signature, err = jose.ParseDetached(p.t.text, body, algorithms)
	} else {
		signature, err = jose.ParseSignedCompact(p.t.text, algorithms)
	}
	if err != nil {
		return nil
	}
	for _, k := range p.keys {
		if _, err := signature.Verify(k.with()); err == nil {
			return k
		}
	}
	return nil
}

// holds reports whether the claims keep a rule.
func (c Claim) holds(claims object) bool {
	switch c.kind {
	case isTrue:
		return claims[c.name] == true
	case present:
		_, ok := claims.text(c.name)
		return ok
	case urlHash:
		return hashes(claims, c.name, c.encoding, sha256.Sum256([]byte(c.value)))
	}
	text, _ := claims.text(c.name)
	return subtle.ConstantTimeCompare([]byte(text), []byte(c.value)) == 1
}

// hashes reports whether a claim is that hash.
func hashes(claims object, name string, e Encoding, sum [sha256.Size]byte) bool {
	text, _ := claims.text(name)
	var want string
	switch e {
	case Hex:
		want = hex.EncodeToString(sum[:])
	case Base64:
		want = base64.StdEncoding.EncodeToString(sum[:])
	case Base64URL:
		want = base64.URLEncoding.EncodeToString(sum[:])
		if !strings.HasSuffix(text, "=") {
			want = strings.TrimSuffix(want, "=")
		}
	}
	return subtle.ConstantTimeCompare([]byte(text), []byte(want)) == 1
}

// ByKeyID returns a source of the key that the token's header names (kid). The kid is a
// stranger's text: keys bounds what it can cause. The key still has to be of the
// definition's algorithm, and to verify the token.
func (d Definition) ByKeyID(keys *keyfetch.Fetcher) verify.KeySource {
	d = d.clone()
	return d.by(func(ctx context.Context, t *token) ([]verify.Key, error) {
		if t.kid == "" {
			return nil, refuse(verify.ErrNoKey, errNoKeyID)
		}
		key, err := keys.Key(ctx, t.kid)
		if err != nil {
			return nil, err
		}
		return []verify.Key{key}, nil
	})
}

// ByClaim returns a source of the keys that a function has for the value of a claim, such as
// the issuer. The value is a stranger's text, up to 8 KiB of it: look it up in a table, and
// build no URL of it. No keys, or an error that wraps verify.ErrNoKey, means that there is
// none.
func (d Definition) ByClaim(name string, keys func(ctx context.Context, value string) ([]verify.Key, error)) verify.KeySource {
	d = d.clone()
	return d.by(func(ctx context.Context, t *token) ([]verify.Key, error) {
		value, ok := t.claims.text(name)
		if !ok {
			return nil, refuse(verify.ErrNoKey, errNoClaim)
		}
		return keys(ctx, value)
	})
}

func (d Definition) by(keys func(context.Context, *token) ([]verify.Key, error)) verify.KeySource {
	header := canonical(d.Header)
	return verify.KeyFunc(func(ctx context.Context, h *verify.Head) ([]verify.Key, error) {
		t, err := d.parse(header, h)
		if err != nil { // another definition than the verifier's
			return nil, refuse(verify.ErrNoKey, err)
		}
		return keys(ctx, t)
	})
}
