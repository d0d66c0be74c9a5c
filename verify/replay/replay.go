package replay

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"time"
)

// Store remembers which events were handled. All methods are safe for concurrent
// use, by any number of processes where the store is shared, and return soon after
// their context ends.
//
// The life of a record: Claim makes it, leased to the owner of a random token.
// The owner renews the lease while the handler runs, and ends it with Commit
// (the event is done and stays so for its retention) or Release (it may be
// claimed again at once). A lease that runs out may be taken over by the next
// claim; then the former owner has lost the record, and Renew and Commit tell it
// so with ErrLost.
//
// A record is needed while it is leased and for Claim.Needed after the latest
// verified arrival of its event, because so long a copy could still verify. A
// needed record is never dropped to make space. After that it is kept, for its
// retention, to recognise honest retries, and may be dropped, oldest first, when
// the store is full.
//
// Leases, needs and retentions are measured by the store's own clock.
//
// An error means that the backend failed or is full (ErrFull), or that the
// call was wrong: what the store decided is in the Outcome. The exceptions are
// ErrLost and ErrHeld.
type Store interface {
	// Claim asks for the right to handle an event. It is atomic, and idempotent
	// under the same token: the owner of a live lease, or of one that nobody took
	// over, acquires it again with a fresh lease.
	//
	// A claim with a Binding first binds the message to the body, whatever
	// becomes of the claim; where the message is bound to another body, the
	// outcome is Forged and the event's own record is not touched.
	//
	// A full store in which every record is needed returns ErrFull.
	Claim(ctx context.Context, c Claim) (Outcome, error)

	// Renew sets the lease to end after lease from now. It returns ErrLost
	// unless h is still the owner of a record that is not done.
	Renew(ctx context.Context, h Handle, lease time.Duration) error

	// Commit marks the event as done. It is idempotent: the owner that
	// committed may do so again. It returns ErrLost to anyone else, also where
	// the record is gone. An owner whose lease ran out, and whose record nobody
	// took over, still commits.
	Commit(ctx context.Context, h Handle) error

	// Release gives the claim back: the event is as if it had never been claimed,
	// bindings apart. It does nothing, without an error, where h is not the owner or the event is done.
	Release(ctx context.Context, h Handle) error

	// Forget drops the record of a finished event, because an operator wants it
	// to run again; until its copies no longer verify, anyone who holds one can
	// make it run, too. It returns ErrHeld while the event is being handled, and
	// nil where there is nothing to forget. Bindings stay.
	Forget(ctx context.Context, key Key) error
}

var (
	// ErrLost: the caller does not own the record, or no longer.
	ErrLost = errors.New("replay: the claim is not, or no longer, held")
	// ErrHeld: the event is being handled, so it cannot be forgotten.
	ErrHeld = errors.New("replay: the event is being handled")
	// ErrFull: every record is needed, so none can be dropped.
	ErrFull = errors.New("replay: the store is full of records that are needed")
)

// Claim is the wish to handle one event.
type Claim struct {
	// Key identifies the event.
	Key Key
	// Endpoint and Scope are those that the Key is made of. A store may divide its
	// memory by them, as Memory does, and needs them for nothing else.
	Endpoint, Scope string
	// Token is the owner's, random, new for every delivery: see NewToken.
	Token Token

	// Lease is how long the claim lasts unless it is renewed; positive.
	Lease time.Duration
	// Needed is how long from now a copy of this delivery could still verify.
	// The records of the event and of its Binding are needed until the latest
	// such time of all their arrivals. Zero or less: not at all.
	Needed time.Duration
	// Retention is how long after its commit a finished event is remembered; a
	// store keeps it at least as long as it is needed.
	Retention time.Duration

	// Fingerprint tells a byte-identical repeat from a newly signed one or, where
	// a Binding says that the signature does not cover the body, the body that was
	// handled from another one.
	Fingerprint [32]byte

	// SignedAt is the signed time; zero where the scheme signs none.
	SignedAt time.Time
	// Resigned: the provider signs every attempt anew, so SignedAt is set. Only
	// then a store may refuse an unknown event that was signed before its floor.
	Resigned bool

	// Binding, where the signature does not bind the whole body; else nil.
	Binding *BodyBinding
}

// BodyBinding ties a signed message to the body that came with it. It is written
// once. A store keeps it for the Needed of the claim, counted from the latest
// arrival, and does not keep it for the Retention: a message that no longer
// verifies brings no other body, and honest retries are recognised by the event.
type BodyBinding struct {
	Message Key      // of the signed message, see [Event.MessageKey]
	Body    [32]byte // SHA-256 of the body
}

// Handle is what an owner holds.
type Handle struct {
	Key   Key
	Token Token
}

// Status says what a store decided. The zero value is invalid.
type Status uint8

const (
	// Acquired: the caller owns the event and must settle it.
	Acquired Status = iota + 1
	// InFlight: another owner's lease is live.
	InFlight
	// Done: the event was handled.
	Done
	// Forged: the message is bound to another body.
	Forged
	// BeforeFloor: the event is not known and was signed before the time from
	// which on the store is sure to know all.
	BeforeFloor
)

// String returns the status in lower case, "invalid" for the zero value.
func (s Status) String() string {
	switch s {
	case Acquired:
		return "acquired"
	case InFlight:
		return "in flight"
	case Done:
		return "done"
	case Forged:
		return "forged"
	case BeforeFloor:
		return "before floor"
	}
	return "invalid"
}

// Outcome is what a store decided about a Claim.
type Outcome struct {
	Status Status
	// Lease is, for InFlight, how long the other owner's lease still runs.
	Lease time.Duration
	// Same is, for Done, whether the fingerprint is that of the delivery that
	// was handled.
	Same bool
}

// Inspector is what a Store offers to operators beside Forget. It is optional;
// the stores of this module have it.
type Inspector interface {
	// Inspect returns the record of an event, and false where there is none. It
	// changes nothing. A binding is no event, and is not found.
	Inspect(ctx context.Context, key Key) (Record, bool, error)

	// Stats says how much the store holds. It may take long where the store has
	// to count, and is not meant for every scrape of a monitor.
	Stats(ctx context.Context) (Stats, error)
}

// Record is what a store knows of an event.
type Record struct {
	// Status is InFlight or Done.
	Status Status
	// Lease is, for InFlight, how long the lease still runs. It is zero where it
	// ran out and nobody took over: the next claim would.
	Lease time.Duration
	// Kept is how long the record is still remembered if nothing else happens to
	// it. A store that is full may drop one earlier that is not needed.
	Kept time.Duration
}

// Stats is how much a store holds.
type Stats struct {
	// Records is the number of events and bindings. It may include some whose
	// retention is over, and that were not removed yet.
	Records int64
	// Bytes is the memory that the records are charged, and MaxBytes is its bound.
	// Both are zero where the store has no bound of its own.
	Bytes, MaxBytes int64
}

// Key names a record: a hash, so that it has a fixed size and holds nothing
// personal, whatever an event is called.
type Key [32]byte

// String returns the key in hexadecimal.
func (k Key) String() string { return hex.EncodeToString(k[:]) }

// Token shows ownership of a claim.
type Token [16]byte

// NewToken returns a random token.
func NewToken() Token {
	var t Token
	rand.Read(t[:]) // never fails
	return t
}

// Event is what the key of a record is made of. All of it comes from
// configuration or from what is signed, except for Partition.
type Event struct {
	Endpoint string // the guard's name
	Provider string
	Scope    string // of the key that matched
	// ID is the signed id of the event. Where there is none, Fingerprint takes
	// its place.
	ID          string
	Fingerprint [32]byte // used only if ID is empty
	Partition   string
}

// Key returns the key of the event's record. Two events have the same key only
// if all parts are equal, whatever characters they hold.
func (e Event) Key() Key {
	if e.ID != "" {
		return keyOf("id", e.Endpoint, e.Provider, e.Scope, e.ID, e.Partition)
	}
	return keyOf("fingerprint", e.Endpoint, e.Provider, e.Scope, string(e.Fingerprint[:]), e.Partition)
}

// MessageKey returns the key of a binding: of the signed message with that id, which
// came from the endpoint, provider and scope of e. It is never the key of an event.
func (e Event) MessageKey(id string) Key {
	return keyOf("message", e.Endpoint, e.Provider, e.Scope, id, "")
}

// keyOf hashes its parts, each behind its length.
func keyOf(kind, endpoint, provider, scope, id, partition string) Key {
	var buffer [256]byte
	b := append(buffer[:0], "hooknotary/1"...)
	for _, part := range [...]string{kind, endpoint, provider, scope, id, partition} {
		b = binary.BigEndian.AppendUint64(b, uint64(len(part)))
		b = append(b, part...)
	}
	return sha256.Sum256(b)
}

type contextKey struct{}

// NewContext returns a context that carries h. Guards call it before a handler
// runs, so that a store can commit inside the handler's own transaction.
func NewContext(ctx context.Context, h Handle) context.Context {
	return context.WithValue(ctx, contextKey{}, h)
}

// FromContext returns the handle of the claim under which a handler runs.
func FromContext(ctx context.Context) (Handle, bool) {
	h, ok := ctx.Value(contextKey{}).(Handle)
	return h, ok
}
