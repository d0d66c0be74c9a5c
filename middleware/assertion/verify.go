package assertion

import (
	"context"
	"crypto"
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
	// Header is the name of the header with the assertion, and Prefix what stands in front
	// of it there: "Authorization" and "Bearer ". Default: Hooknotary-Assertion, and
	// nothing.
	Header, Prefix string

	// Leeway is for clocks that differ: how long after its end an assertion still counts,
	// and how far its making may lie ahead. Default: 30 seconds; at most 5 minutes.
	Leeway time.Duration

	// MediaType is the one that the sender's bodies have. Default: application/json.
	MediaType string

	// MaxBody is the largest body in bytes. Default: 25 MiB.
	MaxBody int64
}

// Verifier verifies what a gateway hands on, by the assertion in its header. It is a
// verify.Verifier, so a guard does with these requests what it does with those of any
// sender. It is immutable and safe for concurrent use, as far as its key source is. Make one
// with New.
type Verifier struct {
	header, prefix   string
	issuer, audience string
	profile          verify.Profile
	ring             *keyring.Ring[*key]
	labelled         bool // the label of a key is its id
}

// New makes a verifier for the receiver that the gateway calls audience. Only assertions of
// that issuer, and for that audience, count. A nil o is the zero Options.
//
// The keys are a *KeySet, or a verify.KeySource whose keys have their ids as labels: public
// keys of P-256 or Ed25519, or a secret of at least 32 bytes that is shared with the gateway.
// The key decides on the algorithm. A source may learn from KeyID which key the token
// names. The keys of verify.Secrets and verify.PublicKeys have no ids, and each of them is
// tried.
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
	v := &Verifier{
		header: http.CanonicalHeaderKey(o.Header), prefix: o.Prefix, issuer: issuer, audience: audience,
		profile: verify.Profile{
			Provider: provider, MediaType: o.MediaType, MaxBody: o.MaxBody,
			Binding: verify.BindingFull, Retry: verify.RetryResigned,
		},
	}
	if v.header == "" {
		v.header = Header
	}
	leeway := o.Leeway
	if leeway == 0 {
		leeway = defaultLeeway
	}
	v.profile.Window = verify.Window{Past: lifetime + leeway, Future: leeway}
	if v.profile.MediaType == "" {
		v.profile.MediaType = "application/json"
	}
	if v.profile.MaxBody == 0 {
		v.profile.MaxBody = defaultBody
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
	if set, ok := keys.(*KeySet); ok && (set == nil || set.Len() == 0) {
		return nil, errors.New("the set has no key")
	}
	_, secrets := keys.(*verify.SecretList)
	v.labelled = !secrets
	var err error
	v.ring, err = keyring.New(keys, prepare, nil)
	return v, err
}

func isToken(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == ""
}

// Profile returns the facts from which a guard configures itself. The time that counts is
// when the assertion was made; an assertion lives for 60 seconds, and the leeway is added to
// both ends of the window.
func (v *Verifier) Profile() verify.Profile { return v.profile }

// key is a verify.Key made ready.
type key struct {
	label, algorithm string
	verifies         func(text, signature []byte) bool // a closure, so that it does not print
}

// prepare checks a key, and fixes its algorithm.
func prepare(k verify.Key) (*key, []byte, error) {
	own := &key{label: k.Label()}
	public := k.Public()
	if secret := k.Secret(); public == nil {
		if len(secret) < minSecret {
			return nil, nil, fmt.Errorf("%v has %d bytes, want at least %d for HS256", k, len(secret), minSecret)
		}
		own.algorithm, own.verifies = hs256, func(text, signature []byte) bool { return hmac.Equal(mac(secret, text), signature) }
		return own, secret, nil
	}
	switch p := public.(type) {
	case *ecdsa.PublicKey:
		point, err := p.Bytes()
		if err != nil {
			return nil, nil, fmt.Errorf("%v is no point of P-256", k)
		}
		own.algorithm, own.verifies = es256, func(text, signature []byte) bool {
			sum := sha256.Sum256(text)
			r, s := new(big.Int).SetBytes(signature[:sizeES256/2]), new(big.Int).SetBytes(signature[sizeES256/2:])
			return ecdsa.Verify(p, sum[:], r, s)
		}
		return own, point, nil
	case ed25519.PublicKey:
		own.algorithm, own.verifies = edDSA, func(text, signature []byte) bool { return ed25519.Verify(p, text, signature) }
		return own, p, nil
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
	keys, noKey, err := v.ring.Find(context.WithValue(ctx, keyIDKey{}, t.kid), h)
	if err != nil {
		return nil, refuse(verify.ErrUnavailable, err)
	}
	return &pending{v, t, keys, noKey, h.ReceivedAt}, nil
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
	tried, by := 0, (*key)(nil)
	for _, k := range p.keys {
		if k == nil || k.algorithm != t.algorithm || v.labelled && k.label != t.kid {
			continue
		}
		if tried++; by == nil && k.verifies([]byte(t.signed), t.signature) {
			by = k
		}
	}
	switch {
	case tried == 0:
		if nobody, err := nobodyOf(t.algorithm); err == nil {
			nobody.verifies([]byte(t.signed), t.signature) // so that it takes as long
		}
		if p.noKey == nil {
			p.noKey = errKeyless
		}
		return nil, refuse(verify.ErrNoKey, p.noKey)
	case by == nil:
		return nil, refuse(verify.ErrMismatch, nil)
	case !equal(t.claims.Issuer, v.issuer) || !equal(t.claims.Audience, v.audience):
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

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func (t *token) fingerprint() verify.Fingerprint {
	return verify.NewFingerprint(sha256.Sum256([]byte(t.signed)))
}

// nobodyOf returns a key that signed nothing.
func nobodyOf(algorithm string) (*key, error) {
	var public crypto.PublicKey
	switch algorithm {
	case es256:
		private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), append(make([]byte, 31), 1))
		if err != nil {
			return nil, err
		}
		public = private.Public()
	case edDSA:
		public = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)).Public()
	default:
		return &key{verifies: func(text, _ []byte) bool { mac(make([]byte, minSecret), text); return false }}, nil
	}
	k, err := verify.NewPublicKey("gateway", "nobody", public)
	if err != nil {
		return nil, err
	}
	own, _, err := prepare(k)
	return own, err
}

// Claims returns what the assertion says about a delivery that this verifier verified, whose
// request had the header h: the r.Header of a handler. It is false for a nil Delivery, for
// one of another verifier, and where the header is not the one that was verified.
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
	if err != nil || !t.fingerprint().Equal(d.Fingerprint) {
		return nil, false
	}
	return &t.claims, true
}
