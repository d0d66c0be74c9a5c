// Package inbody is the engine of verifiers whose sender puts an HMAC into the body, beside
// the values that it signs. A sender says how a body is read; keys, window, comparison and
// Delivery are here.
package inbody

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"hash"
	"io"
	"iter"
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/providers/keyring"
	"github.com/hooknotary/hooknotary/verify"
)

const minSecret = 16 // bytes

// Scheme is what a sender's package says.
type Scheme struct {
	Profile verify.Profile
	About   func() verify.About

	// Hash is that of the HMAC.
	Hash func() hash.Hash

	// Key makes the key of the HMAC of a secret, and refuses one that has not its form. Its
	// errors hold nothing of the secret. Nil: the bytes of the secret are the key.
	Key func(secret []byte) ([]byte, error)

	// EqualBodies: what is signed does not tell two events apart, so the fingerprint is that
	// of the whole body. It is for a Binding of verify.BindingNone alone.
	EqualBodies bool

	// Read reads a body. Its errors are refusals, and hold nothing of the body.
	Read func(body []byte) (*Signed, error)
}

// Signed is what a body says. Each of its items must hold, under one and the same key.
type Signed struct {
	Items     []Item
	At        time.Time // the signed time, if one is signed
	MessageID string    // the signed id of the transmission, if one is signed
}

// Item is one signed message.
type Item struct {
	// Messages are the texts that may have been signed, the likeliest first. They must mean
	// the same.
	Messages [][]byte

	// Signatures are candidates, of which one must hold. Each has the length of the MAC.
	Signatures [][]byte
}

// Verifier verifies the deliveries of one endpoint. It is safe for concurrent use.
type Verifier struct {
	scheme *Scheme
	ring   *keyring.Ring[key]
}

// key is a verify.Key made ready. A closure: nothing that prints can look inside one.
type key struct {
	scope, label string
	mac          func(message []byte) []byte
}

var errNoHead = errors.New("no head, or a head without a receive time")

// New makes a verifier. The errors start with the name of the provider.
func New(scheme *Scheme, keys verify.KeySource) (*Verifier, error) {
	ring, err := keyring.New(keys, scheme.prepare, scheme.key("", "", make([]byte, 32)))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", scheme.Profile.Provider, err)
	}
	return &Verifier{scheme, ring}, nil
}

func (s *Scheme) key(scope, label string, secret []byte) key {
	return key{scope, label, func(message []byte) []byte {
		mac := hmac.New(s.Hash, secret)
		mac.Write(message)
		return mac.Sum(nil)
	}}
}

// prepare checks a key and makes it ready.
func (s *Scheme) prepare(k verify.Key) (key, []byte, error) {
	secret := k.Secret()
	switch {
	case k.Public() != nil:
		return key{}, nil, fmt.Errorf("%v is a public key, want a secret", k)
	case len(secret) == 0:
		return key{}, nil, fmt.Errorf("%v holds no secret", k)
	}
	for _, c := range s.About().Credentials {
		if c.Matches(string(secret)) {
			return key{}, nil, fmt.Errorf("%v is %s, and not what signs webhooks", k, c.What)
		}
	}
	if len(secret) < minSecret {
		return key{}, nil, fmt.Errorf("%v has %d bytes, want at least %d", k, len(secret), minSecret)
	}
	if s.Key != nil {
		var err error
		if secret, err = s.Key(secret); err != nil {
			return key{}, nil, fmt.Errorf("%v %w", k, err)
		}
	}
	return s.key(k.Scope(), k.Label(), secret), secret, nil
}

// Format prints the name of the type, whatever the verb.
func (Verifier) Format(s fmt.State, _ rune) { io.WriteString(s, "inbody.Verifier") }

// Profile returns the facts of the scheme.
func (v *Verifier) Profile() verify.Profile { return v.scheme.Profile }

// About returns what people and tools want to know of the scheme.
func (v *Verifier) About() verify.About { return v.scheme.About() }

// SecurityHeaders returns none: everything stands in the body.
func (v *Verifier) SecurityHeaders() []string { return []string{} }

// Keys returns the keys that the verifier tries.
func (v *Verifier) Keys(ctx context.Context, h *verify.Head) ([]verify.Key, error) {
	return v.ring.Keys(ctx, h)
}

// Rekey returns a verifier that differs in its keys alone.
func (v *Verifier) Rekey(keys verify.KeySource) (verify.Verifier, error) {
	other, err := New(v.scheme, keys)
	if err != nil {
		return nil, err
	}
	return other, nil
}

// MAC returns the HMAC of a text under the first key of a request, for a handshake. The
// error is a refusal.
func (v *Verifier) MAC(ctx context.Context, h *verify.Head, text []byte) ([]byte, error) {
	keys, noKey, err := v.ring.Find(ctx, h)
	switch {
	case err != nil:
		return nil, Refuse(verify.ErrUnavailable, err)
	case noKey != nil:
		return nil, Refuse(verify.ErrNoKey, noKey)
	}
	return keys[0].mac(text), nil
}

// Message yields the signed messages, one behind the other. It yields nothing for a body
// that is not of the form.
func (v *Verifier) Message(_ *verify.Head, body []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		signed, err := v.scheme.Read(body)
		if err != nil {
			return
		}
		for _, item := range signed.Items {
			if !yield("values of the body", item.Messages[0]) {
				return
			}
		}
	}
}

// Begin finds the keys.
func (v *Verifier) Begin(ctx context.Context, h *verify.Head) (verify.Pending, error) {
	if h == nil || h.ReceivedAt.IsZero() {
		return nil, Refuse(verify.ErrMalformed, errNoHead)
	}
	p := &pending{v: v, receivedAt: h.ReceivedAt}
	var err error
	if p.keys, p.noKey, err = v.ring.Find(ctx, h); err != nil {
		return nil, Refuse(verify.ErrUnavailable, err)
	}
	return p, nil
}

// pending is a request whose body is yet to come.
type pending struct {
	v          *Verifier
	receivedAt time.Time
	keys       []key
	noKey      error
}

// Format prints the name of the type, whatever the verb.
func (pending) Format(s fmt.State, _ rune) { io.WriteString(s, "inbody.pending") }

// Finish reads the body and checks what is signed in it.
func (p *pending) Finish(_ context.Context, body []byte) (*verify.Delivery, error) {
	signed, err := p.v.scheme.Read(body)
	if err != nil {
		return nil, err
	}
	profile := &p.v.scheme.Profile
	if profile.Window != (verify.Window{}) {
		if signed.At.Before(p.receivedAt.Add(-profile.Window.Past)) {
			return nil, Refuse(verify.ErrTooOld, nil)
		}
		if signed.At.After(p.receivedAt.Add(profile.Window.Future)) {
			return nil, Refuse(verify.ErrTooNew, nil)
		}
	}
	var by *key
	var print [32]byte
	for i := range p.keys {
		if sum, ok := p.keys[i].holds(signed); ok && by == nil {
			by, print = &p.keys[i], sum
		}
	}
	switch {
	case p.noKey != nil:
		return nil, Refuse(verify.ErrNoKey, p.noKey)
	case by == nil:
		return nil, Refuse(verify.ErrMismatch, nil)
	}
	if p.v.scheme.EqualBodies {
		print = sha256.Sum256(body)
	}
	return &verify.Delivery{
		Provider:    profile.Provider,
		Scope:       by.scope,
		KeyLabel:    by.label,
		MessageID:   signed.MessageID,
		Fingerprint: verify.NewFingerprint(print),
		SignedAt:    signed.At,
		ReceivedAt:  p.receivedAt,
		Binding:     profile.Binding,
		Body:        body,
	}, nil
}

// holds reports whether each item was signed with the key, and returns a hash of the
// messages that hold, which is the same under any key: whoever holds a body that several
// keys signed can leave out one of the signatures. It compares all of them, whatever the
// first ones are.
func (k *key) holds(signed *Signed) (sum [32]byte, ok bool) {
	messages := sha256.New()
	all := 1
	for _, item := range signed.Items {
		one := 0
		var found []byte
		for _, message := range item.Messages {
			mac := k.mac(message)
			for _, signature := range item.Signatures {
				if subtle.ConstantTimeCompare(mac, signature) == 1 {
					one, found = 1, message
				}
			}
		}
		hash := sha256.Sum256(found)
		messages.Write(hash[:])
		all &= one
	}
	messages.Sum(sum[:0])
	return sum, all == 1 && len(signed.Items) > 0
}

// Refuse makes a refusal.
func Refuse(r verify.Reason, cause error) error { return &verify.Error{Reason: r, Cause: cause} }

// IsName reports whether s is 1 to most ASCII letters, digits and characters of more.
func IsName(s, more string, most int) bool {
	if s == "" || len(s) > most {
		return false
	}
	for i := range len(s) {
		c := s[i] | 0x20
		if (s[i] < '0' || s[i] > '9') && (c < 'a' || c > 'z') && strings.IndexByte(more, s[i]) < 0 {
			return false
		}
	}
	return true
}
