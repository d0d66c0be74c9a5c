package verify

import (
	"context"
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"
)

// Delivery is one verified request. Every field is a signed fact
// or comes from configuration, except for the field Unsigned. A Delivery is
// read-only and safe for concurrent use.
type Delivery struct {
	// Provider is the name of the scheme that verified it.
	Provider string

	// Scope is the scope of the key that matched: the party that signed. In an
	// endpoint of many tenants it is the tenant, and the only trustworthy
	// source of it.
	Scope string

	// KeyLabel is the label of the key that matched; it tells during a rotation
	// which secret is still in use.
	KeyLabel string

	// ID is the event's id inside what is signed, bound as strongly as Binding
	// says. It is the same in every honest retry. Empty when the provider signs
	// none (GitHub).
	ID string

	// MessageID is the signed id of this one transmission, where there is one.
	MessageID string

	// Fingerprint identifies the signed message, never the text of a header.
	Fingerprint Fingerprint

	// SignedAt is the signed time, or the zero time where the scheme signs none.
	SignedAt time.Time

	// ReceivedAt is the receive time of the head.
	ReceivedAt time.Time

	// Binding is how strongly the signature covers Body.
	Binding Binding

	// Body is exactly the bytes that were verified. It is shared: do not change
	// it.
	Body []byte

	// Unsigned holds what the sender says outside the signature.
	Unsigned Unsigned
}

// Unsigned holds values of headers that the signature does not cover. Whoever
// replays a delivery can write anything into them. Use them for logs; decide
// nothing by them that the body can decide.
type Unsigned struct {
	// ID is the provider's delivery id.
	ID string
	// Type is the provider's event type.
	Type string
	// Partition is a distinction that the sender makes only in a header, and
	// that keeps two honest events with equal bodies apart. It is one of a
	// closed list in the configuration of the verifier.
	Partition string
}

// Fingerprint identifies a signed message: the MAC that was computed over it, or
// a hash of it. With the message it can be a credential, so it does not print, not
// even out of an unexported field of another type, and a guard hands only a hash of
// it to the store.
//
// Make one with NewFingerprint. The zero Fingerprint identifies nothing. Compare two
// of them with Equal; that is no check of a signature. For a key of a map or of a
// store take Sum. A Fingerprint is immutable and safe for concurrent use.
type Fingerprint struct {
	// A closure, as in Key: neither fmt nor an encoder nor reflection can look inside
	// one.
	sum func() [32]byte
}

// NewFingerprint makes a Fingerprint of a MAC of 32 bytes, or of a hash. It is for the
// code of a verifier.
func NewFingerprint(sum [32]byte) Fingerprint {
	return Fingerprint{func() [32]byte { return sum }}
}

// NewFingerprintFunc makes a Fingerprint that is computed when somebody asks for it: sum
// is called then, once, perhaps by another goroutine, and must always return the same. It
// is for the code of a verifier whose fingerprint costs another pass over the body, which a
// caller that keeps no store does not need.
func NewFingerprintFunc(sum func() [32]byte) Fingerprint {
	return Fingerprint{sync.OnceValue(sum)}
}

// Sum returns the bytes, to make a key of them. It is all zeros for the zero
// Fingerprint. Keep them out of logs.
func (f Fingerprint) Sum() [32]byte {
	if f.sum == nil {
		return [32]byte{}
	}
	return f.sum()
}

// Equal reports whether two Fingerprints identify the same message. It takes the same
// time for all of them.
func (f Fingerprint) Equal(other Fingerprint) bool {
	a, b := f.Sum(), other.Sum()
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

const redacted = "[redacted]"

// Format prints the same placeholder for every verb.
func (f Fingerprint) Format(s fmt.State, _ rune) { io.WriteString(s, redacted) }

// MarshalText returns the same placeholder for every value.
func (f Fingerprint) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalBinary returns the same placeholder for every value.
func (f Fingerprint) MarshalBinary() ([]byte, error) { return []byte(redacted), nil }

// LogValue returns the same placeholder for every value.
func (f Fingerprint) LogValue() slog.Value { return slog.StringValue(redacted) }

type contextKey struct{}

// NewContext returns a context that carries d. Guards call it; a handler's test
// may, too.
func NewContext(ctx context.Context, d *Delivery) context.Context {
	return context.WithValue(ctx, contextKey{}, d)
}

// FromContext returns the Delivery that a guard verified. It is false for a
// request that no guard verified, also under a guard that only reports.
func FromContext(ctx context.Context) (*Delivery, bool) {
	d, ok := ctx.Value(contextKey{}).(*Delivery)
	return d, ok && d != nil
}
