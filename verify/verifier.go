package verify

import (
	"context"
	"time"
)

// Verifier verifies deliveries of one provider. It is safe for concurrent use and
// holds no state that a request could change.
type Verifier interface {
	// Profile returns facts of the scheme, from which a guard configures
	// itself. It returns the same value every time.
	Profile() Profile

	// Begin refuses what no body could make right: a missing, repeated or
	// malformed header, a time outside the window, a source of keys that failed. A
	// head with a zero receive time is refused as ErrMalformed.
	//
	// A request for which there is no key is refused by Finish (ErrNoKey) and not
	// here, or a sender that withholds the body could tell an unknown tenant from a
	// wrong signature.
	//
	// The Pending is for one body. Like the head, it must not be kept after
	// the request.
	Begin(ctx context.Context, h *Head) (Pending, error)
}

// Pending is a request whose head was found good and whose body is yet to come.
type Pending interface {
	// Finish checks the signature over the whole body. The Delivery is nil if
	// and only if there is an error, and its Body is body itself: the caller
	// must not change it afterwards. A Pending that has returned a Delivery is
	// used up.
	Finish(ctx context.Context, body []byte) (*Delivery, error)
}

// Profile holds facts of a scheme. The zero value of a field means what its
// comment says; a Profile without Provider, MaxBody, Binding or Retry is
// invalid.
type Profile struct {
	// Provider is the provider's name in lower case, "stripe". It is part of
	// every key of the store.
	Provider string

	// MediaType is the one Content-Type that the endpoint takes, without
	// parameters. Content-Type is not signed, so it must not choose a parser:
	// another one is refused, an absent one counts as this one. Empty means
	// application/json.
	MediaType string

	// MaxBody is the largest body, in bytes, that the provider sends.
	MaxBody int64

	// Window is how far the signed time may lie from the receive time. Zero:
	// the scheme signs no time, and a delivery verifies as long as its secret
	// lives.
	Window Window

	// Binding is how strongly the signature covers the body.
	Binding Binding

	// Retry is how the provider retries. Required.
	Retry Retry

	// Retention is how long a finished event is worth remembering: at least as
	// long as the provider retries. Zero leaves it to the guard.
	Retention time.Duration

	// Compression says whether bodies may come compressed, and which bytes are signed
	// then. Zero: they may not, and a Content-Encoding is refused.
	Compression Compression

	// Rejection is the response that the provider wants for a request that does not
	// verify. Zero: 401, with a body that says so.
	Rejection Rejection
}

// Rejection says what a request that does not verify is answered with, where the
// provider asks for something: some send bad signatures on purpose, and look.
type Rejection struct {
	// Status is 400 to 499. Zero means 401.
	Status int
	// NoBody: the response has no body.
	NoBody bool
}

// Compression says which bytes of a compressed body are signed. One layer of gzip is all
// that any provider of this kind sends.
type Compression uint8

const (
	// GzipSigned: the signature is over the bytes as they came, compressed or not. A
	// Delivery's Body is these bytes; NewUnpacker reads what they hold.
	GzipSigned Compression = iota + 1
	// GzipUnpacked: the signature is over what was compressed. The body is unpacked
	// before it is verified, within the bounds of NewUnpacker and of MaxBody, and a
	// Delivery's Body is what was unpacked.
	GzipUnpacked
)

// String returns "gzip signed", "gzip unpacked" or, for zero, "none".
func (c Compression) String() string {
	switch c {
	case 0:
		return "none"
	case GzipSigned:
		return "gzip signed"
	case GzipUnpacked:
		return "gzip unpacked"
	}
	return "invalid"
}

// Window is how far a signed time may lie before and after the receive time.
// Both ends belong to the window.
type Window struct {
	Past, Future time.Duration
}

// Retry says how a provider retries a delivery that it believes failed. It
// decides how a repeat of a finished event is answered, and whether a replay store
// that lost its memory may refuse what was signed before. The zero value is
// invalid, because no default is safe: with a wrong RetryNever an honest retry gets
// 409 for ever, and with a wrong RetryResigned a store that restarts loses what was
// signed before.
type Retry uint8

const (
	// RetryResigned: every attempt is signed anew, with a new signed time. A
	// byte-identical repeat is then a replay.
	RetryResigned Retry = iota + 1
	// RetryIdentical: an honest retry may be byte for byte the same, so it cannot
	// be told from a replay. A repeat of a finished event is acknowledged and does
	// not run. Also right where the provider's documentation does not say.
	RetryIdentical
	// RetryNever: the provider does not retry by itself. A repeat of a finished
	// event is refused.
	RetryNever
)

// String returns "resigned", "identical", "never" or "invalid".
func (r Retry) String() string {
	switch r {
	case RetryResigned:
		return "resigned"
	case RetryIdentical:
		return "identical"
	case RetryNever:
		return "never"
	}
	return "invalid"
}

// Binding says how strongly a signature covers the body. The zero value is
// invalid.
type Binding uint8

const (
	// BindingFull: the signature covers every byte of the body.
	BindingFull Binding = iota + 1
	// BindingChecksum: the signature covers a checksum that is easy to collide.
	// Whoever holds a genuine message can put another body under it; the
	// store notices only the second one.
	BindingChecksum
	// BindingNone: the signature does not cover the body at all.
	BindingNone
	// BindingPart: the signature covers values inside of the body, and not the rest of
	// it. The package of the provider says which, and hands them over.
	BindingPart
)

// String returns "full", "checksum", "none", "part" or "invalid".
func (b Binding) String() string {
	switch b {
	case BindingFull:
		return "full"
	case BindingChecksum:
		return "checksum"
	case BindingNone:
		return "none"
	case BindingPart:
		return "part"
	}
	return "invalid"
}
