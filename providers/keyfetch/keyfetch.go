// Package keyfetch fetches public keys by their id, within bounds.
//
// Some senders sign with a private key and publish the public one: in a JWK set with all
// of their keys, or behind an API that returns one key for an id. The id of the key
// stands in the request, and nobody has verified the request yet. So anyone can cause a
// fetch, and what a stranger can cause has a bound here:
//
//   - The URL is configuration. Of the request, only the id of the key gets into it, as
//     one segment of the path, of letters, digits and "-._~". Only https is spoken, no
//     redirect is followed, and no proxy is used unless Options.Transport says so.
//   - A response has at most 256 KiB and takes at most 5 seconds. A delivery waits at
//     most 1.5 seconds for it, less than [verify.KeyTimeout]; at most 1024 wait at a time,
//     128 of them for keys that are not known, so that those leave places of a verifier.
//   - Whoever asks for the same key waits for the same fetch.
//   - A set is fetched at most once a minute, however many unknown ids are asked for. While
//     its host fails, it is asked every 5 seconds.
//   - Behind an API, unknown ids cause a burst of 10 fetches and then one a second, at
//     most 8 at a time. An id that the host does not know is remembered for a minute, as
//     are 256 of them. A key that is known is fetched again when its time is over, and every
//     5 seconds while the host fails; no flood can take that away.
//   - At most 64 keys are held.
//
// A key is kept as long as Cache-Control says, but for a minute at least and Options.MaxAge
// at most; a key that the sender withdraws counts until then. If the host fails at that
// time, the key counts for Options.MaxStale longer. If the host says that it does not know the
// key any more, it is gone at once.
//
// While unknown ids are asked for in a flood of n a second, a key that is new at the host
// has a chance of about 1 in n to be fetched in each second. The sender's retries get it in
// the end. Keys that are known are not concerned.
//
//	keys, err := keyfetch.New(keyfetch.Endpoint{
//		URL:  "https://sender.example/.well-known/jwks.json",
//		Kind: keyfetch.Ed25519,
//	}, nil)
//	…
//	v, err := scheme.New(definition, keys.ByHeader("X-Key-Id"), nil)
//
// The keys are those that [verify.NewPublicKey] takes: RSA of 2048 to 8192 bits, ECDSA over
// P-256, and Ed25519.
package keyfetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/hooknotary/hooknotary/verify"
)

const (
	maxWait       = 3 * verify.KeyTimeout / 4 // of a delivery, for a key; then a verifier still waits for what counts though the host fails
	fetchTimeout  = 5 * time.Second
	maxBody       = 256 << 10 // bytes of a response
	maxID         = 128       // bytes of an id
	maxInSet      = 64
	maxKnown      = 64
	maxUnknown    = 256
	maxFailures   = 256
	maxFlights    = 8 // of ids that are not known
	maxWaiting    = 1024
	maxStrangers  = 128 // of them, those that name what is not known; package keyring asks for 256 at a time
	minLifetime   = time.Minute
	lifetime      = time.Hour // of a response that does not say
	refreshEvery  = time.Minute
	retryFailed   = 5 * time.Second
	retryUnknown  = time.Minute
	bucketSize    = 10
	bucketRefill  = time.Second
	defaultMaxAge = 24 * time.Hour
	defaultStale  = time.Hour
	longest       = 24 * time.Hour // of MaxAge and MaxStale
	idSegment     = "{id}"
)

// Kind is a kind of public keys. A fetcher yields keys of one kind, and passes over
// others: the request must not choose the algorithm. The zero value is invalid.
type Kind uint8

const (
	// RSA is for RSA with SHA-256 ("RS256"): an *rsa.PublicKey.
	RSA Kind = iota + 1
	// P256 is for ECDSA over P-256 with SHA-256 ("ES256"): an *ecdsa.PublicKey.
	P256
	// Ed25519 is for EdDSA over Curve25519 ("EdDSA"): an ed25519.PublicKey.
	Ed25519
)

// String returns "RSA", "P-256", "Ed25519" or "invalid".
func (k Kind) String() string {
	switch k {
	case RSA:
		return "RSA"
	case P256:
		return "P-256"
	case Ed25519:
		return "Ed25519"
	}
	return "invalid"
}

// Form is the form of a response. The zero value is that of a JWK.
type Form uint8

const (
	// JWK: a JWK set if the URL holds no id, and one JWK if it does (RFC 7517). Of a JWK
	// that names its use, operations or algorithm, these must be those of a signature of
	// the Kind. A document with a private or a secret key is refused as a whole.
	JWK Form = iota
	// PEM: one key, as [verify.ParsePublicKey] reads it. The block may also be one line, as
	// some hosts write it in JSON.
	PEM
)

// Endpoint says where keys are. URL and Kind are required.
type Endpoint struct {
	// URL is an https URL. With "{id}" as one segment of the path, or with ByID, each key
	// has a document of its own. Without, one document holds all keys.
	URL string

	// ByID: each key has a document of its own although the URL does not hold the id,
	// because Prepare puts it into the body of the request.
	ByID bool

	// Kind is the kind of the keys.
	Kind Kind

	// Form is the form of the response.
	Form Form

	// Member names where the key or the set stands in a JSON object, with a dot between
	// levels: "data.public_key". A key as PEM is a string there. Empty: the response is
	// the key or the set itself.
	Member string

	// Withdrawn names a member of a JWK that is absent or null while the key counts. With
	// any other value the key is not known. Empty: there is no such member.
	Withdrawn string

	// Prepare may set the method, the body and header fields of a request before it is
	// sent, credentials for example. The id is "" for a document with all keys. It
	// cannot change where the request goes. It is called in a goroutine of its own, by
	// several at a time. An error counts as a failure of the host; it is logged, so keep
	// credentials out of it. Nil: nothing is added to a GET.
	Prepare func(r *http.Request, id string) error
}

// Options holds what an endpoint may choose. The zero value and nil are the defaults. New
// copies it.
type Options struct {
	// Transport carries the requests. Default: one of its own that uses no proxy.
	Transport http.RoundTripper

	// Scope is the scope of the keys of a KeySource. Default: "default".
	Scope string

	// MaxAge bounds how long a key is kept before the host is asked again, whatever the
	// host says: one minute to 24 hours. Zero means 24 hours.
	MaxAge time.Duration

	// MaxStale is how much longer a key counts if the host fails: up to 24 hours. Zero
	// means an hour, and a negative value means none.
	MaxStale time.Duration
}

// Fetcher fetches keys and keeps them. It is safe for concurrent use. Its memory is
// bounded, and it has no goroutine but those of fetches under way. Make one with New, once
// for a host, and share it.
type Fetcher struct {
	endpoint Endpoint
	options  Options
	byID     bool
	client   *http.Client
	now      func() time.Time

	mu      sync.Mutex
	known   map[string]*document // by id, or "" for all keys
	unknown map[string]time.Time // ids that the host does not know, and until when
	failed  map[string]failure
	flights map[string]*flight
	open    bucket
	busy    int // flights of ids that are not known
	waiting int
	strange int // of them, those that name what is not known
}

// New makes a fetcher. It opens no connection. A nil o is the zero Options.
func New(e Endpoint, o *Options) (*Fetcher, error) {
	f := &Fetcher{
		endpoint: e,
		now:      time.Now,
		known:    make(map[string]*document),
		unknown:  make(map[string]time.Time),
		failed:   make(map[string]failure),
		flights:  make(map[string]*flight),
		open:     bucket{tokens: bucketSize},
	}
	if o != nil {
		f.options = *o
	}
	if err := f.configure(); err != nil {
		return nil, fmt.Errorf("keyfetch: %w", err)
	}
	return f, nil
}

func (f *Fetcher) configure() error {
	e, o := &f.endpoint, &f.options
	inURL, err := checkURL(e.URL)
	switch {
	case err != nil:
		return err
	case inURL && e.ByID:
		return errors.New("ByID is for a URL without {id}")
	case e.ByID && e.Prepare == nil:
		return errors.New("ByID needs Prepare, which puts the id into the request")
	case e.Kind.String() == "invalid":
		return errors.New("the Kind is not RSA, P256 or Ed25519")
	case e.Form > PEM:
		return errors.New("the Form is not JWK or PEM")
	case e.Withdrawn != "" && e.Form != JWK:
		return errors.New("the Withdrawn is for keys in the form of a JWK")
	case o.MaxAge != 0 && (o.MaxAge < minLifetime || o.MaxAge > longest):
		return fmt.Errorf("MaxAge is %v, want %v to %v", o.MaxAge, minLifetime, longest)
	case o.MaxStale > longest:
		return fmt.Errorf("MaxStale is %v, want up to %v", o.MaxStale, longest)
	}
	for _, name := range strings.Split(e.Member, ".") {
		if name == "" && e.Member != "" {
			return errors.New("the Member has an empty name between dots")
		}
	}
	f.byID = inURL || e.ByID
	if o.Scope == "" {
		o.Scope = "default"
	}
	if _, err := verify.NewKey(o.Scope, "probe", []byte("no secret but a probe of the scope")); err != nil {
		return errors.New("the Scope is not 1 to 128 bytes of printable text")
	}
	if o.MaxAge == 0 {
		o.MaxAge = defaultMaxAge
	}
	if o.MaxStale == 0 {
		o.MaxStale = defaultStale
	}
	o.MaxStale = max(o.MaxStale, 0)
	f.client = newClient(o.Transport)
	return nil
}

// checkURL reports whether a URL holds the id. The id is one whole segment of the path, so
// that no id can reach another path, host or query.
func checkURL(s string) (bool, error) {
	n := strings.Count(s, idSegment)
	u, err := url.Parse(strings.Replace(s, idSegment, "id", 1))
	switch {
	case err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Fragment != "" || u.Opaque != "":
		return false, errors.New("URL is not an https URL with a host and without user and fragment")
	case n == 0:
		return false, nil
	case n > 1:
		return false, errors.New("URL holds {id} more than once")
	}
	before, after, _ := strings.Cut(s, idSegment)
	if strings.Count(before, "/") < 3 || !strings.HasSuffix(before, "/") || strings.Contains(before, "?") || after != "" && after[0] != '/' && after[0] != '?' {
		return false, errors.New("{id} is not one segment of the path of URL")
	}
	return true, nil
}

// Format prints the name of the type, whatever the verb: its fields change meanwhile.
func (*Fetcher) Format(s fmt.State, _ rune) { io.WriteString(s, "keyfetch.Fetcher") }

// Key returns the key of that id, and its id is its label. It may fetch it, and takes 1.5
// seconds at most.
//
// The id may be whatever a stranger wrote. The error is a *verify.Error: ErrNoKey if there
// is no such key, and ErrUnavailable if that is not known because the host failed, or
// because others ask for too many unknown ids.
func (f *Fetcher) Key(ctx context.Context, id string) (verify.Key, error) {
	if !validID(id, f.byID) {
		return verify.Key{}, refuse(verify.ErrNoKey, errID)
	}
	name := ""
	if f.byID {
		name = id
	}
	d, err := f.document(ctx, name, false)
	if err != nil {
		return verify.Key{}, err
	}
	if f.byID {
		return d.keys[0].key, nil
	}
	if key, ok := d.find(id); ok {
		return key, nil
	}
	// The key may be newer than the set.
	if d, err = f.document(ctx, name, true); err != nil {
		return verify.Key{}, err
	}
	if key, ok := d.find(id); ok {
		return key, nil
	}
	return verify.Key{}, refuse(verify.ErrNoKey, errNotInSet)
}

// ByHeader returns a source of the key whose id is the value of a header, which the
// request must hold once. A request with no or another value has no key.
func (f *Fetcher) ByHeader(name string) verify.KeySource {
	name = http.CanonicalHeaderKey(name)
	return verify.KeyFunc(func(ctx context.Context, h *verify.Head) ([]verify.Key, error) {
		values := h.Header[name]
		if len(values) != 1 {
			return nil, refuse(verify.ErrNoKey, errHeader)
		}
		key, err := f.Key(ctx, values[0])
		if err != nil {
			return nil, err
		}
		return []verify.Key{key}, nil
	})
}

// All returns a source of all keys of the document, for a sender whose requests do not
// name a key. There may be [verify.MaxKeys] at most; a document with more has failed. A
// key that the sender adds counts when the document is fetched again, after Options.MaxAge
// at the latest. The URL must hold no id.
func (f *Fetcher) All() verify.KeySource {
	return verify.KeyFunc(func(ctx context.Context, _ *verify.Head) ([]verify.Key, error) {
		if f.byID {
			return nil, refuse(verify.ErrUnavailable, errNoSet)
		}
		d, err := f.document(ctx, "", false)
		if err != nil {
			return nil, err
		}
		if len(d.keys) > verify.MaxKeys {
			return nil, refuse(verify.ErrUnavailable, fmt.Errorf("the document holds %d keys, and a request is tried with %d at most", len(d.keys), verify.MaxKeys))
		}
		keys := make([]verify.Key, len(d.keys))
		for i, n := range d.keys {
			keys[i] = n.key
		}
		return keys, nil
	})
}

// validID reports whether an id can be that of a key. One that gets into a URL has fewer
// characters.
func validID(id string, inURL bool) bool {
	if id == "" || len(id) > maxID || inURL && (id == "." || id == "..") {
		return false
	}
	for i := range len(id) {
		c := id[i]
		alphanumeric := '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !alphanumeric && strings.IndexByte("-._~", c) < 0 && (inURL || c <= ' ' || c > '~') {
			return false
		}
	}
	return true
}

func refuse(r verify.Reason, cause error) error { return &verify.Error{Reason: r, Cause: cause} }
