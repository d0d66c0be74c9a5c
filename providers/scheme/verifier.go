package scheme

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/providers/keyring"
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

	// VerifyToken is the text that the endpoint is registered with at a provider whose
	// handshake carries one, such as Meta's "verify token": 16 to 256 bytes that nobody
	// can guess, and not the signing secret, because it stands in the query of a URL.
	// Empty: such a handshake is not answered.
	VerifyToken string

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
	other   *Definition // under the other names of its aliases, or nil
	opts    Options
	profile verify.Profile
	ring    *keyring.Ring[*key]
	listed  bool // whether a request may hold several signatures of one kind

	algorithms []algorithm // of the signatures
	method     bool        // whether the method is signed
	digits     int         // how many a decimal time must have, or 0

	partitions []string // values of the partition header that count
	responder  *Responder
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
	v := &Verifier{def: def}
	if len(def.Aliases) > 0 {
		v.other = def.otherNames()
	}
	for i := range def.Signatures {
		facts, _ := def.Signatures[i].Algorithm.facts()
		v.algorithms = append(v.algorithms, facts)
		v.listed = v.listed || def.Signatures[i].several()
	}
	for _, p := range def.Message {
		v.method = v.method || p.kind == MethodPart
		if p.kind == TimePart && p.bound == byItsDigits {
			if v.digits = 10; def.Timestamp.Unit == Milliseconds {
				v.digits = 13
			}
		}
	}
	if o != nil {
		v.opts = *o
	}
	if err := v.configure(keys); err != nil {
		return nil, fmt.Errorf("%s: %w", def.Provider, err)
	}
	return v, nil
}

// Must makes a verifier with the default options from the secrets of one endpoint, or
// from its public keys where the sender signs with a private one: one, or several while
// they are rolled. It panics where New returns an error. The function
// Must of a provider's package is this one with its definition, and the panic's text
// names it.
func Must(d Definition, secrets ...string) *Verifier {
	keys := verify.Secrets(secrets...)
	if d.public() {
		keys = verify.PublicKeys(secrets...)
	}
	v, err := New(d, keys, nil)
	if err != nil {
		panic(d.Provider + ".Must: " + strings.TrimPrefix(err.Error(), d.Provider+": "))
	}
	return v
}

// NewAt is New for a scheme that signs the URL of the endpoint: url takes the place of
// o.URL.
func NewAt(d Definition, url string, keys verify.KeySource, o *Options) (*Verifier, error) {
	var own Options
	if o != nil {
		own = *o
	}
	own.URL = url
	return New(d, keys, &own)
}

// MustAt is Must for a scheme that signs the URL of the endpoint.
func MustAt(d Definition, url string, secrets ...string) *Verifier {
	v, err := NewAt(d, url, verify.Secrets(secrets...), nil)
	if err != nil {
		panic(d.Provider + ".Must: " + strings.TrimPrefix(err.Error(), d.Provider+": "))
	}
	return v
}

func (v *Verifier) configure(source verify.KeySource) error {
	o, d := &v.opts, v.def
	o.Partitions = slices.Clone(o.Partitions) // nil stays nil
	chosen := o.Partitions
	if len(chosen) > 0 && d.Partition == "" {
		return errors.New("the scheme has no partition header")
	}
	signsURL := slices.ContainsFunc(d.Message, func(p Part) bool { return p.kind == URLPart })
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
	if err := v.configureHandshakes(source); err != nil {
		return err
	}
	nobody, err := v.keyed(verify.Key{}, material{})
	if err != nil {
		return err
	}
	v.ring, err = keyring.New(source, v.prepare, nobody)
	return err
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
