package scheme

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hooknotary/hooknotary/verify"
)

// Options holds what an endpoint may choose. The zero value and nil are the
// defaults.
type Options struct {
	// Window narrows the definition's window: for each end, zero means the
	// definition's, and a longer one is an error. Zero never means "off".
	Window verify.Window

	// URL is the URL of the endpoint as it is registered at the provider, byte for
	// byte, for a scheme that signs it. It is never taken from the request, whose
	// sender could move a piece of the body into the query.
	URL string

	// Partitions lists the values of the definition's partition header that keep
	// events apart, 1 to 256 bytes of visible ASCII each, in place of the
	// definition's own list. Any other value counts as none. A captured delivery runs
	// at most once for each listed value, and once for none, so list what the endpoint
	// subscribes to. Nil means the definition's list; a list that is empty and not
	// nil means none.
	Partitions []string

	// InsecureAllowShortSecret allows secrets under 16 bytes, which can be
	// guessed from one captured delivery.
	InsecureAllowShortSecret bool

	// InsecureDistinctByUnsignedID treats an equal body under another delivery
	// id as another event. The id is not signed: a replay with a new id runs.
	InsecureDistinctByUnsignedID bool
}

// Verifier verifies deliveries as its Definition says. It is immutable and safe
// for concurrent use.
type Verifier struct {
	def     *Definition
	opts    Options
	profile verify.Profile
	source  verify.KeySource
	keys    []*key // prepared; nil unless the source is a fixed list
	listed  bool   // whether a header may hold several signatures

	partitions []string // values of the partition header that count

	// For a source that is asked on each request.
	nobody  []*key        // what a request without a key is checked with, in vain
	asking  chan struct{} // holds one element for each call that has not returned
	waiting atomic.Int64  // requests that wait for room in it
}

// New makes a verifier. The keys are required; a fixed list of them is checked here
// and is also the fastest source. A nil o is the zero Options.
//
// An error means that the definition, the keys or the options cannot be right.
// It holds no secret.
func New(d Definition, keys verify.KeySource, o *Options) (*Verifier, error) {
	def, err := d.check()
	if err != nil {
		return nil, fmt.Errorf("scheme: definition of %q: %w", d.Provider, err)
	}
	v := &Verifier{def: def, source: keys}
	v.listed = slices.ContainsFunc(def.Signatures, func(s Signature) bool { return s.Field != "" })
	if o != nil {
		v.opts = *o
	}
	if err := v.configure(); err != nil {
		return nil, fmt.Errorf("%s: %w", def.Provider, err)
	}
	return v, nil
}

func (v *Verifier) configure() error {
	o, d := &v.opts, v.def
	o.Partitions = slices.Clone(o.Partitions) // nil stays nil
	chosen := o.Partitions
	if len(chosen) > 0 && d.Partition == "" {
		return errors.New("the scheme has no partition header")
	}
	signsURL := slices.ContainsFunc(d.Message, func(p Part) bool { return p.kind == partURL })
	if u, err := url.Parse(o.URL); signsURL && (err != nil || u.Scheme == "" || u.Host == "" || !visible(o.URL)) {
		return errors.New("the scheme signs the URL of the endpoint: Options.URL must be the one that is registered at the provider")
	}
	if !signsURL && o.URL != "" {
		return errors.New("the scheme does not sign the URL: Options.URL must be empty")
	}
	if err := checkPartitions("option Partitions", chosen); err != nil {
		return err
	}
	if o.InsecureDistinctByUnsignedID && (d.UnsignedID == "" || len(chosen) > 0) {
		return errors.New("InsecureDistinctByUnsignedID needs a scheme with an unsigned id and no Partitions")
	}
	if v.partitions = chosen; chosen == nil {
		v.partitions = d.Partitions
	}
	v.profile = d.profile()
	for _, end := range [...]struct {
		name string
		want time.Duration
		have *time.Duration
	}{{"Past", o.Window.Past, &v.profile.Window.Past}, {"Future", o.Window.Future, &v.profile.Window.Future}} {
		if end.want < 0 || end.want > *end.have {
			return fmt.Errorf("option Window.%s is %v, want up to %v: an option can only narrow the window", end.name, end.want, *end.have)
		}
		if end.want > 0 {
			*end.have = end.want
		}
	}
	switch keys := v.source.(type) {
	case nil:
		return errors.New("there is no key source")
	case verify.KeyFunc:
		if keys == nil {
			return errors.New("the key source is a nil function")
		}
	case *verify.SecretList:
		list, err := keys.KeyList()
		if err != nil {
			return err
		}
		return v.prepareList(list)
	case verify.KeyList:
		return v.prepareList(keys)
	}
	v.asking = make(chan struct{}, maxAsking)
	nobody, err := v.prepare(verify.Key{}, make([]byte, sha256.Size))
	v.nobody = []*key{nobody}
	return err
}

func (v *Verifier) prepareList(keys verify.KeyList) (err error) {
	if len(keys) == 0 {
		return errors.New("there is no key: is the variable set that the secret comes from?")
	}
	v.keys, err = v.prepareAll(keys)
	return err
}

// Must makes a verifier with the default options from the secrets of one endpoint: one,
// or several while they are rolled. It panics where New returns an error. The function
// Must of a provider's package is this one with its definition, and the panic's text
// names it.
func Must(d Definition, secrets ...string) *Verifier {
	v, err := New(d, verify.Secrets(secrets...), nil)
	if err != nil {
		panic(d.Provider + ".Must: " + strings.TrimPrefix(err.Error(), d.Provider+": "))
	}
	return v
}

// prepareAll checks the keys for one request and makes them ready.
func (v *Verifier) prepareAll(list []verify.Key) ([]*key, error) {
	if len(list) > verify.MaxKeys {
		return nil, fmt.Errorf("there are %d keys, at most %d are tried", len(list), verify.MaxKeys)
	}
	keys, secrets := make([]*key, len(list)), make([][]byte, len(list))
	for i, k := range list {
		secret, err := v.secret(k)
		if err != nil {
			return nil, err
		}
		secrets[i] = secret
		for j, other := range list[:i] {
			if hmac.Equal(secret, secrets[j]) {
				return nil, fmt.Errorf("%v and %v are the same secret", other, k)
			}
			if k.Scope() == other.Scope() && k.Label() == other.Label() {
				return nil, fmt.Errorf("two keys are named %v", k)
			}
		}
		if keys[i], err = v.prepare(k, secret); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

// Profile returns the facts of the scheme.
func (v *Verifier) Profile() verify.Profile { return v.profile }

// Format prints the provider's name, whatever the verb: a verifier holds
// secrets.
func (v *Verifier) Format(s fmt.State, _ rune) {
	if v == nil || v.def == nil {
		io.WriteString(s, "scheme.Verifier(none)")
		return
	}
	fmt.Fprintf(s, "scheme.Verifier(%s)", v.def.Provider)
}

// key is a verify.Key made ready: a pool of keyed MACs for each signature of the
// definition.
type key struct {
	scope, label string
	macs         []sync.Pool // of *mac
}

// mac is a keyed MAC with room for what goes into it and comes out of it.
type mac struct {
	hash.Hash
	around [192]byte // the message around the body
	sum    [64]byte
}

func (k *key) mac(i int) *mac { return k.macs[i].Get().(*mac) }

// done puts a MAC back, reset, which restores the keyed state without hashing
// the key again.
func (k *key) done(i int, m *mac) {
	m.Hash.Reset()
	k.macs[i].Put(m)
}

// secret checks a key and returns the bytes that its MACs are made with.
func (v *Verifier) secret(k verify.Key) ([]byte, error) {
	secret := k.Secret()
	if len(secret) == 0 {
		return nil, fmt.Errorf("%v holds no secret", k)
	}
	for _, c := range v.def.About.Credentials {
		if c.Matches(string(secret)) {
			return nil, errCredential(k, c.Prefix)
		}
	}
	for _, prefix := range v.def.Secret.Refuse {
		if strings.HasPrefix(string(secret), prefix) {
			return nil, errCredential(k, prefix)
		}
	}
	if v.def.Secret.Base64 {
		text := strings.TrimPrefix(string(secret), v.def.Secret.Prefix)
		decoded, ok := decodeBase64(nil, text)
		if !ok {
			return nil, fmt.Errorf("%v is not base64", k)
		}
		secret = decoded
	}
	if len(secret) < minSecret && !v.opts.InsecureAllowShortSecret {
		return nil, fmt.Errorf("%v has %d bytes, want at least %d (InsecureAllowShortSecret allows fewer)", k, len(secret), minSecret)
	}
	if len(secret) == 0 {
		return nil, fmt.Errorf("%v decodes to nothing", k)
	}
	return secret, nil
}

func errCredential(k verify.Key, prefix string) error {
	return fmt.Errorf("%v starts with %q: that is another credential of the account, not the webhook's signing secret", k, prefix)
}

// prepare derives what verification needs of a key.
func (v *Verifier) prepare(k verify.Key, secret []byte) (*key, error) {
	prepared := &key{scope: k.Scope(), label: k.Label()}
	prepared.macs = make([]sync.Pool, len(v.def.Signatures))
	for i, s := range v.def.Signatures {
		first, err := newMAC(s.Hash, secret)
		if err != nil {
			return nil, fmt.Errorf("%v: %w", k, err)
		}
		prepared.macs[i].New = func() any { return &mac{Hash: hmac.New(s.Hash.new(), secret)} }
		prepared.done(i, first)
	}
	return prepared, nil
}

// newMAC returns an error where crypto/hmac panics: with a short key or SHA-1
// while only approved algorithms are allowed.
func newMAC(h Hash, secret []byte) (m *mac, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.New("this program allows approved algorithms only: no SHA-1, and no key under 14 bytes")
		}
	}()
	m = &mac{Hash: hmac.New(h.new(), secret)}
	m.Write(nil)
	m.Sum(nil)
	return m, nil
}

// Causes of refusals. They name what is wrong with the form and hold nothing of
// the request.
var (
	errNoHead      = errors.New("no head, or a head without a receive time")
	errRepeated    = errors.New("a security header is repeated")
	errLong        = errors.New("a security header is too long")
	errForm        = errors.New("the signature header does not have the scheme's form")
	errCandidates  = errors.New("the signature header has too many items")
	errSignature   = errors.New("a signature is not encoded as the scheme says")
	errStampForm   = errors.New("the time is missing, repeated or not a canonical decimal number")
	errSignedField = errors.New("a signed header is missing or does not have its form")
	errBodyPrefix  = errors.New("the body does not start as every body of this endpoint does")
	errFinished    = errors.New("a pending request was finished twice")
	errUnsignedID  = errors.New("the delivery id is missing, repeated or malformed")
	errNoKeys      = errors.New("the key source returned no key")
	errKeysLate    = fmt.Errorf("the key source did not answer within %v: have it end with its context", verify.KeyTimeout)
	errKeysGone    = errors.New("the key source ended its goroutine instead of returning")
)

func refuse(r verify.Reason, cause error) error { return &verify.Error{Reason: r, Cause: cause} }

// pending is a request whose head is good.
type pending struct {
	v          *Verifier
	keys       []*key
	noKey      error  // why there is none, for Finish to say
	signature  int    // index of the definition's signature that the request has
	candidates []byte // decoded signatures, one after the other
	stamp      string
	fields     []string // values of Field parts, by their index

	room [2*sha256.Size + slack]byte // for candidates

	// What Finish returns, of which the head is known already: one allocation
	// instead of two. So a Pending is good for one delivery.
	delivery verify.Delivery
	finished atomic.Bool
}

const (
	slack    = 4   // what the base64 decoder asks for beyond what it writes
	longList = 200 // bytes; a time and two signatures are shorter
)

// Begin refuses a head that no body could make right.
func (v *Verifier) Begin(ctx context.Context, h *verify.Head) (verify.Pending, error) {
	if h == nil || h.ReceivedAt.IsZero() {
		return nil, refuse(verify.ErrMalformed, errNoHead)
	}
	index, value, err := v.signature(h)
	if err != nil {
		return nil, err
	}
	p := &pending{v: v, signature: index}
	p.delivery.Provider = v.def.Provider
	p.delivery.ReceivedAt = h.ReceivedAt
	p.delivery.Binding = verify.BindingFull
	p.candidates = p.room[:0]
	if err := p.parse(value); err != nil {
		return nil, err
	}
	if err := p.readStamp(h); err != nil {
		return nil, err
	}
	if err := p.readFields(h); err != nil {
		return nil, err
	}
	if err := p.findKeys(ctx, h); err != nil {
		return nil, err
	}
	return p, nil
}

// signature finds the strongest signature header that the request has.
func (v *Verifier) signature(h *verify.Head) (int, string, error) {
	for i := range v.def.Signatures {
		values := h.Header[v.def.Signatures[i].Header]
		switch {
		case len(values) == 0:
			continue
		case len(values) > 1:
			return 0, "", refuse(verify.ErrMalformed, errRepeated)
		case values[0] == "":
			return 0, "", refuse(verify.ErrUnsigned, nil)
		case len(values[0]) > maxHeader:
			return 0, "", refuse(verify.ErrMalformed, errLong)
		}
		return i, values[0], nil
	}
	return 0, "", refuse(verify.ErrUnsigned, nil)
}

// parse reads the candidates, and the time where it stands beside them.
func (p *pending) parse(value string) error {
	s := &p.v.def.Signatures[p.signature]
	if s.Field == "" {
		text, ok := strings.CutPrefix(value, s.Prefix)
		if !ok {
			return refuse(verify.ErrMalformed, errForm)
		}
		return p.candidate(s, text)
	}
	stampField := p.v.def.Timestamp.Field
	// A long list is counted before anything of it is decoded.
	if len(value) > longList && strings.Count(value, s.Separator) > maxCandidates {
		return refuse(verify.ErrMalformed, errCandidates)
	}
	items := 0
	var undecodable error
	for more := true; more; {
		var item string
		item, value, more = strings.Cut(value, s.Separator)
		name, text, ok := strings.Cut(item, s.Assign)
		if !ok || name == "" {
			return refuse(verify.ErrMalformed, errForm)
		}
		if stampField != "" && name == stampField {
			if p.stamp != "" || text == "" {
				return refuse(verify.ErrMalformed, errStampForm)
			}
			p.stamp = text
			continue
		}
		if items++; items > maxCandidates {
			return refuse(verify.ErrMalformed, errCandidates)
		}
		if name != s.Field {
			if !visible(name) || !visible(text) {
				return refuse(verify.ErrMalformed, errForm)
			}
			continue
		}
		// One that does not decode can match nothing, so it spoils no other.
		if err := p.candidate(s, text); err != nil {
			undecodable = err
		}
	}
	switch {
	case len(p.candidates) > 0:
		return nil
	case undecodable != nil:
		return undecodable
	}
	return refuse(verify.ErrUnsigned, nil)
}

// candidate adds a signature to the candidates, if it decodes.

func (p *pending) candidate(s *Signature, text string) error {
	size, start := s.Hash.size(), len(p.candidates)
	if start+size > cap(p.candidates) {
		p.candidates = append(make([]byte, 0, maxCandidates*size+slack), p.candidates...)
	}
	var ok bool
	if s.Encoding == Base64 {
		if len(text) == base64.StdEncoding.EncodedLen(size) {
			p.candidates, ok = decodeBase64(p.candidates, text)
		}
	} else if len(text) == 2*size {
		p.candidates, ok = decodeHex(p.candidates, text)
	}
	if !ok || len(p.candidates) != start+size {
		p.candidates = p.candidates[:start]
		return refuse(verify.ErrMalformed, errSignature)
	}
	return nil
}

// readStamp reads the signed time and judges it.
func (p *pending) readStamp(h *verify.Head) error {
	t := &p.v.def.Timestamp
	if t.Header == "" && t.Field == "" {
		return nil
	}
	if t.Header != "" {
		values := h.Header[t.Header]
		if len(values) > 1 {
			return refuse(verify.ErrMalformed, errRepeated)
		}
		if len(values) == 1 {
			p.stamp = values[0]
		}
	}
	n, ok := decimal(p.stamp)
	if !ok {
		return refuse(verify.ErrMalformed, errStampForm)
	}
	if t.Unit == Milliseconds {
		p.delivery.SignedAt = time.UnixMilli(n).UTC()
	} else {
		p.delivery.SignedAt = time.Unix(n, 0).UTC()
	}
	w := p.v.profile.Window
	if p.delivery.SignedAt.Before(h.ReceivedAt.Add(-w.Past)) {
		return refuse(verify.ErrTooOld, nil)
	}
	if p.delivery.SignedAt.After(h.ReceivedAt.Add(w.Future)) {
		return refuse(verify.ErrTooNew, nil)
	}
	return nil
}

// readFields reads what else of the head is signed, and what is not.
func (p *pending) readFields(h *verify.Head) error {
	d := p.v.def
	for i, part := range d.Message {
		switch part.kind {
		case partField:
			values := h.Header[part.text]
			if len(values) > 1 {
				return refuse(verify.ErrMalformed, errRepeated)
			}
			if len(values) == 0 || len(values[0]) > maxValue || !visible(values[0]) || !ends(values[0], d.Message[i+1].text) {
				return refuse(verify.ErrMalformed, errSignedField)
			}
			if p.fields == nil {
				p.fields = make([]string, len(d.Message))
			}
			p.fields[i] = values[0]
		}
	}
	p.delivery.Unsigned = verify.Unsigned{ID: unsigned(h, d.UnsignedID), Type: unsigned(h, d.UnsignedType)}
	if p.v.opts.InsecureDistinctByUnsignedID {
		if p.delivery.Unsigned.ID == "" {
			return refuse(verify.ErrMalformed, errUnsignedID)
		}
		p.delivery.Unsigned.Partition = p.delivery.Unsigned.ID
	} else if len(p.v.partitions) > 0 {
		if value := unsigned(h, d.Partition); slices.Contains(p.v.partitions, value) {
			p.delivery.Unsigned.Partition = value
		}
	}
	return nil
}

// unsigned returns the value of a header outside the signature, if it is a
// single short one.
func unsigned(h *verify.Head, name string) string {
	if name == "" {
		return ""
	}
	values := h.Header[name]
	if len(values) != 1 || len(values[0]) > maxValue || !visible(values[0]) {
		return ""
	}
	return values[0]
}

// findKeys finds the keys of the request. Where there is none, the request goes on
// with one of nobody, up to Finish: one that withholds its body, or measures what a
// large one takes, must not tell who has a key.
func (p *pending) findKeys(ctx context.Context, h *verify.Head) error {
	if p.keys = p.v.keys; p.keys != nil {
		return nil
	}
	list, err := p.v.ask(ctx, h)
	switch {
	case errors.Is(err, verify.ErrNoKey):
		p.noKey = err
	case err != nil:
		return refuse(verify.ErrUnavailable, err)
	case len(list) == 0:
		p.noKey = errNoKeys
	default:
		p.keys, p.noKey = p.v.prepareAll(list)
	}
	if p.noKey != nil {
		p.keys = p.v.nobody
	}
	return nil
}

// Format prints the provider's name, whatever the verb: a pending request holds
// signatures.
func (p *pending) Format(s fmt.State, _ rune) {
	fmt.Fprintf(s, "scheme.pending(%s)", p.v.def.Provider)
}

// Finish checks the signature.
func (p *pending) Finish(ctx context.Context, body []byte) (*verify.Delivery, error) {
	var (
		match *key
		found [sha256.Size]byte
	)
	size := p.v.def.Signatures[p.signature].Hash.size()
	for _, k := range p.keys {
		m := k.mac(p.signature)
		p.write(m.Hash, m.around[:0], body)
		sum := m.Hash.Sum(m.sum[:0])
		equal := 0
		for c := p.candidates; len(c) >= size; c = c[size:] {
			equal |= subtle.ConstantTimeCompare(sum, c[:size])
		}
		if equal == 1 && match == nil {
			match, found = k, digest(sum)
		}
		k.done(p.signature, m)
	}
	switch {
	case p.noKey != nil:
		return nil, refuse(verify.ErrNoKey, p.noKey)
	case match == nil:
		return nil, refuse(verify.ErrMismatch, nil)
	}
	if !bytes.HasPrefix(body, []byte(p.v.def.BodyPrefix)) {
		return nil, &verify.Error{Reason: verify.ErrMediaType, Cause: errBodyPrefix, Message: verify.NewFingerprint(p.fingerprint(match, found, "", body))}
	}
	if !p.finished.CompareAndSwap(false, true) {
		return nil, refuse(verify.ErrUnavailable, errFinished)
	}
	d := &p.delivery
	d.Scope, d.KeyLabel = match.scope, match.label
	d.ID = p.id(body)
	d.Fingerprint = verify.NewFingerprint(p.fingerprint(match, found, d.ID, body))
	d.Body = body
	return d, nil
}

// write feeds the signed message to a hash. It collects what stands around the
// body in b.
func (p *pending) write(h hash.Hash, b, body []byte) {
	for i, part := range p.v.def.Message {
		switch part.kind {
		case partLiteral:
			b = append(b, part.text...)
		case partTime:
			b = append(b, p.stamp...)
		case partField:
			b = append(b, p.fields[i]...)
		case partURL:
			b = append(b, p.v.opts.URL...)
		case partBody:
			if len(b) > 0 {
				h.Write(b)
				b = b[:0]
			}
			h.Write(body)
		}
	}
	if len(b) > 0 {
		h.Write(b)
	}
}

// fingerprint identifies the message, in most cases by f, the MAC that matched.
// Whoever holds a genuine request can make variants of it that verify, too: leave
// out one of several signatures, or the header of the stronger of two
// alternatives. The fingerprint must be the same for all of them.
func (p *pending) fingerprint(match *key, f [sha256.Size]byte, id string, body []byte) [sha256.Size]byte {
	switch {
	case p.v.listed && (id == "" || len(p.keys) > 1):
		// Other signatures of this message may be under other keys, of ours or of
		// another time.
		h := sha256.New()
		p.write(h, nil, body)
		h.Sum(f[:0])
	case p.signature > 0:
		// The strongest signature's MAC, although the request came without it.
		strongest := match.mac(0)
		p.write(strongest.Hash, strongest.around[:0], body)
		f = digest(strongest.Sum(strongest.sum[:0]))
		match.done(0, strongest)
	}
	return f
}

func digest(mac []byte) (f [sha256.Size]byte) {
	if len(mac) == len(f) {
		copy(f[:], mac)
		return f
	}
	return sha256.Sum256(mac)
}

// id returns the signed id, or "" where there is none of the right form.
func (p *pending) id(body []byte) string {
	d := p.v.def
	var id string
	switch {
	case d.ID.Header != "":
		for i, part := range d.Message {
			if part.kind == partField && part.text == d.ID.Header {
				id = p.fields[i]
			}
		}
	case d.ID.Member != "":
		value := Member(body, d.ID.Member)
		if len(value) > maxValue {
			return ""
		}
		id = string(value)
	}
	if rest, ok := strings.CutPrefix(id, d.ID.Prefix); !ok || rest == "" || !visible(id) || slices.Contains(d.ID.Repeated, id) {
		return ""
	}
	return id
}
