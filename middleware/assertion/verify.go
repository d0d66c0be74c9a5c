package assertion

import (
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/providers/keyring"
	"github.com/hooknotary/hooknotary/verify"
)

// Header is where an assertion stands unless something else is configured.
const Header = "Hooknotary-Assertion"

const (
	provider = "hooknotary"

	defaultLeeway = 30 * time.Second
	maxLeeway     = 5 * time.Minute
	defaultBody   = 25 << 20
)

// Options holds what a receiver may choose. The zero value of each field, and a nil
// *Options, mean the default. New copies it.
type Options struct {
	// Header is the name of the header with the assertion. Default: Hooknotary-Assertion.
	// Prefix is what stands in front of it there. Default: "Bearer " in Authorization, and
	// nothing elsewhere.
	Header, Prefix string

	// Leeway is for clocks that differ: how long after its end an assertion still counts,
	// and how far its making may lie ahead. Default: 30 seconds; at most 5 minutes.
	Leeway time.Duration

	// MediaType is the one that the sender's bodies have. Default: application/json.
	MediaType string

	// MaxBody is the largest body in bytes. Default: 25 MiB.
	MaxBody int64

	// Gzip: bodies may come compressed, because the sender signs them so (Nylas). Read what
	// they hold with verify.NewUnpacker, which bounds it.
	Gzip bool
}

// Verifier verifies what a gateway hands on, by the assertion in its header. It is a
// verify.Verifier, so a guard does with these requests what it does with those of any
// sender. It is immutable and safe for concurrent use, as far as its key source is. Make one
// with New.
type Verifier struct {
	header, prefix   string
	issuer, audience string
	profile          verify.Profile
	set              *KeySet             // whose keys are ready, or nil
	ring             *keyring.Ring[*key] // of any other source
	nobody           []*key              // one for each algorithm, which signed nothing
}

// New makes a verifier for the receiver that the gateway calls audience. Only assertions of
// that issuer, and for that audience, count. A nil o is the zero Options.
//
// The keys are a *KeySet, which is the public keys that the gateway publishes, or those of
// another verify.KeySource: public keys of P-256 (ES256) or Ed25519 (EdDSA), or secrets of at
// least 32 bytes that are shared with the gateway (HS256). A key serves its one algorithm,
// whatever a token says. A source may learn from KeyID which key the token names; each key
// that it yields is tried.
func New(keys verify.KeySource, issuer, audience string, o *Options) (*Verifier, error) {
	v, err := newVerifier(keys, issuer, audience, o)
	if err != nil {
		return nil, fmt.Errorf("assertion: %w", err)
	}
	return v, nil
}

func newVerifier(keys verify.KeySource, issuer, audience string, o *Options) (*Verifier, error) {
	if o == nil {
		o = &Options{}
	}
	leeway := cmp.Or(o.Leeway, defaultLeeway)
	v := &Verifier{
		header: http.CanonicalHeaderKey(cmp.Or(o.Header, Header)), prefix: o.Prefix, issuer: issuer, audience: audience,
		profile: verify.Profile{
			Provider:  provider,
			MediaType: cmp.Or(o.MediaType, "application/json"),
			MaxBody:   cmp.Or(o.MaxBody, defaultBody),
			Window:    verify.Window{Past: lifetime + leeway, Future: leeway},
			Binding:   verify.BindingFull,
			Retry:     verify.RetryResigned,
		},
	}
	if v.header == "Authorization" && v.prefix == "" {
		v.prefix = "Bearer "
	}
	if o.Gzip {
		v.profile.Compression = verify.GzipSigned
	}
	switch {
	case !isText(issuer):
		return nil, errors.New("the issuer must be 1 to 512 bytes of UTF-8, as the gateway has it in assertion.issuer")
	case !isText(audience):
		return nil, errors.New("the audience must be 1 to 512 bytes of UTF-8, as the gateway's route has it")
	case !isToken(v.header):
		return nil, errors.New("option Header is no name of a header")
	case leeway < 0 || leeway > maxLeeway:
		return nil, fmt.Errorf("option Leeway is %v, want up to %v", leeway, maxLeeway)
	case v.profile.MaxBody < 0:
		return nil, errors.New("option MaxBody is negative")
	}
	var err error
	if v.nobody, err = nobody(); err != nil {
		return nil, err
	}
	set, ok := keys.(*KeySet)
	if !ok {
		v.ring, err = keyring.New(keys, prepare, nil)
		return v, err
	}
	if set == nil || set.Len() == 0 {
		return nil, errors.New("the set has no key")
	}
	v.set = set
	return v, nil
}

// nobody returns keys that a token without a key is checked with, so that it takes as long.
func nobody() ([]*key, error) {
	private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), append(make([]byte, 31), 1))
	if err != nil {
		return nil, err
	}
	return []*key{
		keyOfP256("", &private.PublicKey),
		keyOfEd25519("", ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)).Public().(ed25519.PublicKey)),
		keyOfSecret("", make([]byte, minSecret)),
	}, nil
}

func isToken(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == ""
}

// Profile returns the facts from which a guard configures itself. The time that counts is
// when the assertion was made; an assertion lives for 60 seconds, and the leeway is added to
// both ends of the window.
func (v *Verifier) Profile() verify.Profile { return v.profile }

// About returns what people and tools want to know of the scheme.
func (v *Verifier) About() verify.About {
	return verify.About{
		Title:      "Hooknotary",
		Signed:     "time, event, sender and hash of the body, JWT ES256, EdDSA or HS256",
		Headers:    []verify.HeaderUse{{Name: v.header, Use: "a token whose signature covers its claims, one of which is the hash of the body", Secret: true}},
		NotCovered: []string{"the URL and all other headers, such as Hooknotary-Event-Id: take the claims instead"},
		Tell:       verify.Tell{Headers: []string{v.header}, Value: v.prefix, Before: verify.NotBeforeBody},
	}
}

// key is a verify.Key made ready.
type key struct {
	label, algorithm string
	verifies         func(text, signature []byte) bool // a closure, so that it does not print
}

func keyOfSecret(label string, secret []byte) *key {
	return &key{label, hs256, func(text, signature []byte) bool { return hmac.Equal(mac(secret, text), signature) }}
}

func keyOfP256(label string, public *ecdsa.PublicKey) *key {
	return &key{label, es256, func(text, signature []byte) bool {
		if len(signature) != sizeES256 {
			return false
		}
		sum := sha256.Sum256(text)
		r, s := new(big.Int).SetBytes(signature[:sizeES256/2]), new(big.Int).SetBytes(signature[sizeES256/2:])
		return ecdsa.Verify(public, sum[:], r, s)
	}}
}

func keyOfEd25519(label string, public ed25519.PublicKey) *key {
	return &key{label, edDSA, func(text, signature []byte) bool { return ed25519.Verify(public, text, signature) }}
}

// prepare checks a key, and fixes its algorithm.
func prepare(k verify.Key) (*key, []byte, error) {
	switch p := k.Public().(type) {
	case *ecdsa.PublicKey:
		point, err := p.Bytes()
		if err != nil {
			return nil, nil, fmt.Errorf("%v is no point of P-256", k)
		}
		return keyOfP256(k.Label(), p), point, nil
	case ed25519.PublicKey:
		return keyOfEd25519(k.Label(), p), p, nil
	case nil:
		secret := k.Secret()
		if len(secret) < minSecret {
			return nil, nil, fmt.Errorf("%v has %d bytes, want at least %d for HS256", k, len(secret), minSecret)
		}
		return keyOfSecret(k.Label(), secret), secret, nil
	}
	return nil, nil, fmt.Errorf("%v is for another algorithm than ES256, EdDSA and HS256", k)
}

type keyIDKey struct{}

// KeyID returns the id of the key that a token names, in the context of a verify.KeySource
// that a Verifier asks. The id is a stranger's text, 1 to 64 letters, digits and "._-": look
// it up, and build no URL of it.
func KeyID(ctx context.Context) (string, bool) {
	id, ok := ctx.Value(keyIDKey{}).(string)
	return id, ok
}

// Begin refuses an assertion that no body could make right.
func (v *Verifier) Begin(ctx context.Context, h *verify.Head) (verify.Pending, error) {
	if h == nil || h.ReceivedAt.IsZero() {
		return nil, refuse(verify.ErrMalformed, errNoHead)
	}
	text, err := v.find(h.Header)
	if err != nil {
		return nil, err
	}
	t, err := parse(text)
	if err != nil {
		return nil, err
	}
	switch made, w := t.claims.made(), v.profile.Window; {
	case h.ReceivedAt.After(made.Add(w.Past)):
		return nil, refuse(verify.ErrTooOld, nil)
	case h.ReceivedAt.Before(made.Add(-w.Future)):
		return nil, refuse(verify.ErrTooNew, nil)
	}
	keys, noKey, err := v.keysOf(ctx, h, t.kid)
	if err != nil {
		return nil, refuse(verify.ErrUnavailable, err)
	}
	return &pending{v, t, keys, noKey, h.ReceivedAt}, nil
}

// keysOf returns the keys that a token with that kid may be signed with, or says why there is
// none. err says that the source failed.
func (v *Verifier) keysOf(ctx context.Context, h *verify.Head, kid string) (keys []*key, noKey, err error) {
	if v.set == nil {
		return v.ring.Find(context.WithValue(ctx, keyIDKey{}, kid), h)
	}
	if i := v.set.index(kid); i >= 0 {
		return v.set.ready[i : i+1], nil, nil
	}
	return nil, unknownKey{}, nil
}

// made returns the time at which an assertion was made.
func (c *Claims) made() time.Time { return c.IssuedAt.Add(backdate) }

// find returns the assertion's text.
func (v *Verifier) find(h http.Header) (string, error) {
	values := h[v.header]
	if len(values) == 0 || len(values) == 1 && values[0] == "" {
		return "", refuse(verify.ErrUnsigned, nil)
	}
	if len(values) > 1 {
		return "", refuse(verify.ErrMalformed, errRepeated)
	}
	text, ok := strings.CutPrefix(values[0], v.prefix)
	if !ok {
		return "", refuse(verify.ErrUnsigned, errPrefix)
	}
	return text, nil
}

// pending is a request whose assertion has the right form.
type pending struct {
	v        *Verifier
	t        *token
	keys     []*key
	noKey    error
	received time.Time
}

// Format prints the name of the type, whatever the verb: an assertion is a credential.
func (pending) Format(s fmt.State, _ rune) { io.WriteString(s, "assertion.pending") }

// Finish checks the signature, for whom the assertion is, and the body.
func (p *pending) Finish(_ context.Context, body []byte) (*verify.Delivery, error) {
	v, t := p.v, p.t
	sum := sha256.Sum256(body)
	by, tried := t.signer(p.keys)
	switch {
	case !tried:
		t.signer(v.nobody) // in vain
		return nil, refuse(verify.ErrNoKey, cmp.Or(p.noKey, errUnfit))
	case by == nil:
		return nil, refuse(verify.ErrMismatch, nil)
	case !v.isParty(&t.claims):
		return nil, refuse(verify.ErrMismatch, errParty)
	case subtle.ConstantTimeCompare(sum[:], t.claims.BodySHA256[:]) != 1:
		return nil, refuse(verify.ErrMismatch, errBody)
	}
	return &verify.Delivery{
		Provider:    provider,
		Scope:       t.claims.Scope,
		KeyLabel:    by.label,
		ID:          t.claims.EventKey.String(),
		MessageID:   t.claims.ID,
		Fingerprint: t.fingerprint(),
		SignedAt:    t.claims.made(),
		ReceivedAt:  p.received,
		Binding:     verify.BindingFull,
		Body:        body,
	}, nil
}

// signer returns which of the keys made the signature, or nil, and whether any of them
// serves the token's algorithm.
func (t *token) signer(keys []*key) (by *key, tried bool) {
	for _, k := range keys {
		if k == nil || k.algorithm != t.algorithm {
			continue
		}
		if k.verifies([]byte(t.signed), t.signature) {
			return k, true
		}
		tried = true
	}
	return nil, tried
}

// isParty reports whether an assertion is from the gateway, and for this receiver.
func (v *Verifier) isParty(c *Claims) bool {
	return equal(c.Issuer, v.issuer) && equal(c.Audience, v.audience)
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func (t *token) fingerprint() verify.Fingerprint {
	return verify.NewFingerprint(sha256.Sum256([]byte(t.signed)))
}

// Claims returns what the assertion says about a delivery that was verified with it, whose
// request had the header h: the r.Header of a handler. It reports false for no delivery, for
// one of another receiver, and for another header than the one that was verified.
//
//	d, _ := verify.FromContext(r.Context())
//	claims, ok := verifier.Claims(d, r.Header)
func (v *Verifier) Claims(d *verify.Delivery, h http.Header) (*Claims, bool) {
	if d == nil || d.Provider != provider {
		return nil, false
	}
	text, err := v.find(h)
	if err != nil {
		return nil, false
	}
	t, err := parse(text)
	if err != nil || !t.fingerprint().Equal(d.Fingerprint) || !v.isParty(&t.claims) {
		return nil, false
	}
	return &t.claims, true
}
