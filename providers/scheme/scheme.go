package scheme

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hooknotary/hooknotary/verify"
)

// Options holds what an endpoint may choose. The zero value and nil are the
// defaults.
type Options struct {
	// Window narrows the definition's window: for each end, zero means the
	// definition's, and a longer one is an error. Zero never means "off".
	Window verify.Window

	// Partitions lists the values of the definition's partition header that keep
	// events apart. Any other value counts as none. A replayed delivery runs at
	// most once for each listed value.
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
	keys    []*key // prepared; nil unless the source is a verify.KeyList
}

// New makes a verifier. The keys are required; a verify.KeyList is checked here
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
	o.Partitions = slices.Clone(o.Partitions)
	if len(o.Partitions) > 0 && d.Partition == "" {
		return errors.New("the scheme has no partition header")
	}
	if o.InsecureDistinctByUnsignedID && (d.UnsignedID == "" || len(o.Partitions) > 0) {
		return errors.New("InsecureDistinctByUnsignedID needs a scheme with an unsigned id and no Partitions")
	}
	window := d.Timestamp.Window
	for _, end := range [...]struct {
		name string
		want time.Duration
		have *time.Duration
	}{{"Past", o.Window.Past, &window.Past}, {"Future", o.Window.Future, &window.Future}} {
		if end.want < 0 || end.want > *end.have {
			return fmt.Errorf("Window.%s is %v, want up to %v: an option can only narrow the window", end.name, end.want, *end.have)
		}
		if end.want > 0 {
			*end.have = end.want
		}
	}
	v.profile = verify.Profile{
		Provider:     d.Provider,
		MediaType:    d.MediaType,
		MaxBody:      d.MaxBody,
		Window:       window,
		Binding:      verify.BindingFull,
		Restamped:    d.Restamped,
		RepeatsBytes: d.RepeatsBytes,
		Retention:    d.Retention,
	}
	switch keys := v.source.(type) {
	case nil:
		return errors.New("there is no key source")
	case verify.KeyFunc:
		if keys == nil {
			return errors.New("the key source is a nil function")
		}
	case verify.KeyList:
		return v.prepareList(keys)
	}
	return nil
}

func (v *Verifier) prepareList(keys verify.KeyList) error {
	if len(keys) == 0 {
		return errors.New("there is no key: is the variable set that the secret comes from?")
	}
	if len(keys) > verify.MaxKeys {
		return fmt.Errorf("there are %d keys, at most %d are tried", len(keys), verify.MaxKeys)
	}
	secrets := make([][]byte, len(keys))
	for i, k := range keys {
		secret, err := v.secret(k)
		if err != nil {
			return err
		}
		secrets[i] = secret
		for j, other := range keys[:i] {
			if hmac.Equal(secret, secrets[j]) {
				return fmt.Errorf("%v and %v are the same secret", other, k)
			}
			if k.Scope() == other.Scope() && k.Label() == other.Label() {
				return fmt.Errorf("two keys are named %v", k)
			}
		}
		prepared, err := v.prepare(k, secret)
		if err != nil {
			return err
		}
		v.keys = append(v.keys, prepared)
	}
	return nil
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
// definition, and one for the fingerprint where a MAC cannot serve as that.
type key struct {
	scope, label string
	macs         []sync.Pool
}

func (k *key) mac(i int) hash.Hash { return k.macs[i].Get().(hash.Hash) }

// done puts a MAC back, reset, which restores the keyed state without hashing
// the key again.
func (k *key) done(i int, h hash.Hash) {
	h.Reset()
	k.macs[i].Put(h)
}

// secret checks a key and returns the bytes that its MACs are made with.
func (v *Verifier) secret(k verify.Key) ([]byte, error) {
	secret := k.Secret()
	if len(secret) == 0 {
		return nil, fmt.Errorf("%v holds no secret", k)
	}
	for _, prefix := range v.def.Secret.Refuse {
		if strings.HasPrefix(string(secret), prefix) {
			return nil, fmt.Errorf("%v starts with %q: that is another credential of the account, not the webhook's signing secret", k, prefix)
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

// prepare derives what verification needs of a key.
func (v *Verifier) prepare(k verify.Key, secret []byte) (*key, error) {
	prepared := &key{scope: k.Scope(), label: k.Label()}
	hashes := make([]Hash, 0, len(v.def.Signatures)+1)
	for _, s := range v.def.Signatures {
		hashes = append(hashes, s.Hash)
	}
	prepared.macs = make([]sync.Pool, len(hashes))
	for i, h := range hashes {
		first, err := newMAC(h, secret)
		if err != nil {
			return nil, fmt.Errorf("%v: %w", k, err)
		}
		first.Reset()
		prepared.macs[i].New = func() any { return hmac.New(h.new(), secret) }
		prepared.macs[i].Put(first)
	}
	return prepared, nil
}

// newMAC returns an error where crypto/hmac panics: with a short key or SHA-1
// while only approved algorithms are allowed.
func newMAC(h Hash, secret []byte) (mac hash.Hash, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.New("this program allows approved algorithms only: no SHA-1, and no key under 14 bytes")
		}
	}()
	mac = hmac.New(h.new(), secret)
	mac.Write(nil)
	mac.Sum(nil)
	return mac, nil
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
	errURL         = errors.New("the scheme signs the public URL, and the head has none that is absolute and well-formed")
	errUnsignedID  = errors.New("the delivery id is missing, repeated or malformed")
	errTooManyKeys = errors.New("the key source returned too many keys")
	errNoKeys      = errors.New("the key source returned no key")
)

func refuse(r verify.Reason, cause error) error { return &verify.Error{Reason: r, Cause: cause} }

// pending is a request whose head is good.
type pending struct {
	v          *Verifier
	keys       []*key
	signature  int    // index of the definition's signature that the request has
	candidates []byte // decoded signatures, one after the other
	stamp      string
	signedAt   time.Time
	receivedAt time.Time
	url        string
	fields     [maxParts]string // values of Field parts, by their index
	unsigned   verify.Unsigned

	room    [2 * sha256.Size]byte // for candidates
	scratch [192]byte             // for the message around the body
	sum     [64]byte
}

// Begin refuses a head that no body could make right.
func (v *Verifier) Begin(ctx context.Context, h *verify.Head) (verify.Pending, error) {
	if h == nil || h.ReceivedAt.IsZero() {
		return nil, refuse(verify.ErrMalformed, errNoHead)
	}
	index, value, err := v.signature(h)
	if err != nil {
		return nil, err
	}
	p := &pending{v: v, signature: index, receivedAt: h.ReceivedAt}
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
	items := 0
	for more := true; more; {
		var item string
		item, value, more = strings.Cut(value, s.Separator)
		name, text, ok := strings.Cut(item, s.Assign)
		if !ok || name == "" || text == "" {
			return refuse(verify.ErrMalformed, errForm)
		}
		if stampField != "" && name == stampField {
			if p.stamp != "" {
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
		if err := p.candidate(s, text); err != nil {
			return err
		}
	}
	if len(p.candidates) == 0 {
		return refuse(verify.ErrUnsigned, nil)
	}
	return nil
}

func (p *pending) candidate(s *Signature, text string) error {
	size, start := s.Hash.size(), len(p.candidates)
	var ok bool
	if s.Encoding == Base64 {
		if len(text) == base64.StdEncoding.EncodedLen(size) {
			p.candidates, ok = decodeBase64(p.candidates, text)
		}
	} else if len(text) == 2*size {
		p.candidates, ok = decodeHex(p.candidates, text)
	}
	if !ok || len(p.candidates) != start+size {
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
		p.signedAt = time.UnixMilli(n).UTC()
	} else {
		p.signedAt = time.Unix(n, 0).UTC()
	}
	w := p.v.profile.Window
	if p.signedAt.Before(h.ReceivedAt.Add(-w.Past)) {
		return refuse(verify.ErrTooOld, nil)
	}
	if p.signedAt.After(h.ReceivedAt.Add(w.Future)) {
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
			p.fields[i] = values[0]
		case partURL:
			if h.URL == nil || h.URL.Scheme == "" || h.URL.Host == "" {
				return refuse(verify.ErrMalformed, errURL)
			}
			p.url = h.URL.String()
			if !visible(p.url) || strings.ContainsAny(p.url, notInURL) {
				return refuse(verify.ErrMalformed, errURL)
			}
		}
	}
	p.unsigned = verify.Unsigned{ID: unsigned(h, d.UnsignedID), Type: unsigned(h, d.UnsignedType)}
	if p.v.opts.InsecureDistinctByUnsignedID {
		if p.unsigned.ID == "" {
			return refuse(verify.ErrMalformed, errUnsignedID)
		}
		p.unsigned.Partition = p.unsigned.ID
	} else if len(p.v.opts.Partitions) > 0 {
		if value := unsigned(h, d.Partition); slices.Contains(p.v.opts.Partitions, value) {
			p.unsigned.Partition = value
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

func (p *pending) findKeys(ctx context.Context, h *verify.Head) error {
	if p.keys = p.v.keys; p.keys != nil {
		return nil
	}
	list, err := p.v.source.Keys(ctx, h)
	switch {
	case errors.Is(err, verify.ErrNoKey):
		return refuse(verify.ErrNoKey, err)
	case err != nil:
		return refuse(verify.ErrUnavailable, err)
	case len(list) == 0:
		return refuse(verify.ErrNoKey, errNoKeys)
	case len(list) > verify.MaxKeys:
		return refuse(verify.ErrNoKey, errTooManyKeys)
	}
	keys := make([]*key, len(list))
	for i, k := range list {
		secret, err := p.v.secret(k)
		if err != nil {
			return refuse(verify.ErrNoKey, err)
		}
		if keys[i], err = p.v.prepare(k, secret); err != nil {
			return refuse(verify.ErrNoKey, err)
		}
	}
	p.keys = keys
	return nil
}

// Finish checks the signature.
func (p *pending) Finish(ctx context.Context, body []byte) (*verify.Delivery, error) {
	var (
		match *key
		found [64]byte
	)
	size := p.v.def.Signatures[p.signature].Hash.size()
	for _, k := range p.keys {
		mac := k.mac(p.signature)
		p.write(mac, body)
		sum := mac.Sum(p.sum[:0])
		k.done(p.signature, mac)
		equal := 0
		for c := p.candidates; len(c) >= size; c = c[size:] {
			equal |= subtle.ConstantTimeCompare(sum, c[:size])
		}
		if equal == 1 && match == nil {
			match = k
			copy(found[:], sum)
		}
	}
	// A MAC that was expected is a genuine signature: leave none in memory that a
	// dump of the request prints.
	clear(p.sum[:])
	if match == nil {
		return nil, refuse(verify.ErrMismatch, nil)
	}
	d := &verify.Delivery{
		Provider:   p.v.def.Provider,
		Scope:      match.scope,
		Key:        match.label,
		ID:         p.id(body),
		SignedAt:   p.signedAt,
		ReceivedAt: p.receivedAt,
		Binding:    verify.BindingFull,
		Body:       body,
		Unsigned:   p.unsigned,
	}
	d.Fingerprint = p.fingerprint(match, found[:size], d.ID, body)
	return d, nil
}

// write feeds the signed message to a hash.
func (p *pending) write(h hash.Hash, body []byte) {
	b := p.scratch[:0]
	for i, part := range p.v.def.Message {
		switch part.kind {
		case partLiteral:
			b = append(b, part.text...)
		case partStamp:
			b = append(b, p.stamp...)
		case partField:
			b = append(b, p.fields[i]...)
		case partURL:
			b = append(b, p.url...)
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

// fingerprint identifies the message. Whoever holds a genuine request can make
// variants of it that verify, too: leave out one of several signatures, or the
// header of the stronger of two alternatives. The fingerprint must be the same
// for all of them.
func (p *pending) fingerprint(match *key, mac []byte, id string, body []byte) (f verify.Fingerprint) {
	d := p.v.def
	listed := slices.ContainsFunc(d.Signatures, func(s Signature) bool { return s.Field != "" })
	switch {
	case listed && (id == "" || len(p.keys) > 1):
		// Other signatures of this message may be under other keys, of ours or of
		// another time.
		h := sha256.New()
		p.write(h, body)
		h.Sum(f[:0])
	case len(d.Signatures) > 1 && p.signature > 0:
		// The strongest signature's MAC, although the request came without it.
		strongest := match.mac(0)
		p.write(strongest, body)
		f = digest(strongest.Sum(nil))
		match.done(0, strongest)
	default:
		f = digest(mac)
	}
	return f
}

func digest(mac []byte) (f verify.Fingerprint) {
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
		value := member(body, d.ID.Member)
		if len(value) > maxValue {
			return ""
		}
		id = string(value)
	}
	if rest, ok := strings.CutPrefix(id, d.ID.Prefix); !ok || rest == "" || !visible(id) {
		return ""
	}
	return id
}
