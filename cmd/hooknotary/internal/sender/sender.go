// Package sender knows the senders of webhooks as the command line and the gateway need them:
// by name, or by a definition in a file, with everything that an endpoint may choose.
//
//	s, err := sender.Find("stripe")
//	…
//	v, err := s.VerifierOf(&sender.Settings{Tolerance: time.Minute}, sender.Secret{Label: "2026-11", Text: secret})
//
// What is wrong with settings or secrets is an error that holds no secret.
package sender

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hooknotary/hooknotary/providers/catalog"
	"github.com/hooknotary/hooknotary/providers/jwt"
	jwtcatalog "github.com/hooknotary/hooknotary/providers/jwt/catalog"
	"github.com/hooknotary/hooknotary/providers/providertest/signer"
	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/providers/token"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/diagnose"
)

// Scope is the scope of the keys that VerifierOf makes.
const Scope = "default"

// Sender is a sender of webhooks. It is safe for concurrent use; callers do not change it.
type Sender struct {
	catalog.Provider

	// JWT is not nil where the sender signs with a JSON Web Token.
	JWT *jwt.Definition

	// Words are the settings that this sender knows, "tolerance", as the flags of the command
	// line spell them. The file of a gateway has "_" for "-".
	Words []string

	// OnlySHA1: the sender has nothing but SHA-1, and Settings.InsecureSHA1 has to say that
	// this is known.
	OnlySHA1 bool

	probe  func(o *Settings) string
	key    func(scope, label, text string) (verify.Key, error)
	keyed  func(o *Settings, keys verify.KeySource) (verify.Verifier, error)
	named  func(o *Settings, ids []string) (verify.Verifier, error)
	others func(o *Settings, secrets []Secret) []verify.Verifier
	sign   signing
	whyNot string
}

// All returns the senders of the catalogue in the order of their names. Those that sign with
// a JSON Web Token are not among them; Find knows them. The list is shared.
func All() []*Sender { return all() }

var all = sync.OnceValue(func() []*Sender {
	var list []*Sender
	for _, entry := range catalog.All() {
		s := &Sender{Provider: entry, key: textKey, probe: func(*Settings) string { return random() }}
		if entry.Probe != "" {
			s.probe = func(*Settings) string { return entry.Probe }
		}
		switch {
		case entry.Definition != nil:
			s.fromData()
		case entry.Token != nil:
			s.fromToken()
		default:
			s.whyNot = "nobody but the provider has the key"
			if s.SignsURL {
				s.Words = append(s.Words, "url")
			}
			if b := s.Profile.Binding; b == verify.BindingNone || b == verify.BindingPart {
				s.Words = append(s.Words, "insecure-body-not-covered")
			}
		}
		if special := specials[s.Name]; special != nil {
			special(s)
		}
		list = append(list, s)
	}
	return list
})

// Find returns the sender of that name. The error does not repeat the name, which might be
// anything.
func Find(name string) (*Sender, error) {
	for _, s := range All() {
		if s.Name == name {
			return s, nil
		}
	}
	for _, d := range jwtcatalog.All() {
		if d.Provider == name {
			return fromJWT(d)
		}
	}
	return nil, errors.New("unknown provider: hooknotary providers lists those that are known")
}

// Names returns the names of All.
func Names() []string {
	var names []string
	for _, s := range All() {
		names = append(names, s.Name)
	}
	return names
}

// FromDefinition returns the sender of a definition.
func FromDefinition(d scheme.Definition) (*Sender, error) {
	profile, err := d.Profile()
	if err != nil {
		return nil, err
	}
	s := &Sender{
		Provider: catalog.Provider{
			Name: d.Provider, About: d.Describe(), Profile: profile, Definition: &d,
			SignsURL: slices.ContainsFunc(d.Message, func(p scheme.Part) bool { return p.Kind() == scheme.URLPart }),
		},
		key: textKey, probe: func(*Settings) string { return random() },
	}
	s.fromData()
	return s, nil
}

// KeySourced reports whether keys configure an endpoint. Where it is false, an identifier
// does, which is no secret and is not rotated: About.Identifier says what it is.
func (s *Sender) KeySourced() bool { return s.named == nil }

// SignsNoID reports whether no id of the event is signed.
func (s *Sender) SignsNoID() bool {
	return s.Definition != nil && s.Definition.ID.Header == "" && s.Definition.ID.Member == ""
}

// Timed reports whether a time is signed.
func (s *Sender) Timed() bool { return s.Profile.Window != (verify.Window{}) }

// Private reports whether the sender signs with a private key, and the endpoint holds a public
// one.
func (s *Sender) Private() bool { return s.Definition != nil && signer.Private(*s.Definition) }

// Use says what the scheme does with a header.
func (s *Sender) Use(name string) string {
	for _, u := range s.About.Headers {
		if u.Name == name {
			return u.Use
		}
	}
	return ""
}

// SignedAt reads the signed time without judging anything.
func (s *Sender) SignedAt(v diagnose.Scheme, h *verify.Head, body []byte) (time.Time, error) {
	if reads, ok := v.(interface {
		SignedAt(h *verify.Head, body []byte) (time.Time, bool)
	}); ok {
		if at, ok := reads.SignedAt(h, body); ok {
			return at, nil
		}
		return time.Time{}, errors.New("there is none")
	}
	for what, text := range v.Message(h, nil) {
		if strings.HasPrefix(what, "time, ") && text != nil {
			return time.Parse(time.RFC3339, string(text))
		}
	}
	return time.Time{}, errors.New("there is none")
}

// Probe returns a secret, or an identifier, that the library takes for these settings and that
// is nobody's.
func (s *Sender) Probe(o *Settings) Secret { return Secret{"probe", s.probe(o)} }

// Key makes a key of the text that the sender shows, or of a public key's text where the
// sender signs with a private one. The error holds neither.
func (s *Sender) Key(scope, label, text string) (verify.Key, error) { return s.key(scope, label, text) }

// Material returns what the scheme makes of the text of a secret or of a public key, so that it
// is equal for two spellings of one: without a prefix that may be left away, decoded. Of what
// is no key it returns the text. It is as secret as the text.
func (s *Sender) Material(text string) []byte {
	if k, err := s.key(Scope, "material", text); err == nil && k.Public() != nil {
		if der, err := x509.MarshalPKIXPublicKey(k.Public()); err == nil {
			return der
		}
	}
	if s.Definition == nil { // a scheme in Go may decode hexadecimal, and honest secrets never differ in case alone
		if decoded, err := hex.DecodeString(text); err == nil {
			return decoded
		}
		return []byte(text)
	}
	form := s.Definition.Secret
	bare := strings.TrimPrefix(text, form.Prefix)
	var decoded []byte
	var err error
	switch form.Encoding {
	case scheme.Base64Secret:
		decoded, err = base64.StdEncoding.DecodeString(bare)
	case scheme.HexSecret:
		decoded, err = hex.DecodeString(bare)
	default:
		return []byte(bare)
	}
	if err != nil {
		return []byte(text)
	}
	return decoded
}

// textKey is Key for most senders.
func textKey(scope, label, text string) (verify.Key, error) {
	return verify.NewKey(scope, label, []byte(text))
}

// Verifier makes a verifier with keys of Key. It is an error where KeySourced is false.
func (s *Sender) Verifier(o *Settings, keys verify.KeySource) (verify.Verifier, error) {
	if s.keyed == nil {
		return nil, fmt.Errorf("%s has no keys: want its %s", s.Name, s.About.Identifier)
	}
	return s.keyed(o, keys)
}

// Identified makes a verifier where KeySourced is false, and is an error elsewhere.
func (s *Sender) Identified(o *Settings, ids ...string) (verify.Verifier, error) {
	switch {
	case s.named == nil:
		return nil, fmt.Errorf("%s has no identifier: want its secret", s.Name)
	case len(ids) == 0:
		return nil, fmt.Errorf("want the %s", s.About.Identifier)
	}
	return s.named(o, ids)
}

// VerifierOf makes a verifier of either kind. The keys have the scope Scope and the labels of
// the secrets.
func (s *Sender) VerifierOf(o *Settings, secrets ...Secret) (verify.Verifier, error) {
	if !s.KeySourced() {
		var ids []string
		for _, secret := range secrets {
			ids = append(ids, secret.Text)
		}
		return s.Identified(o, ids...)
	}
	var keys verify.KeyList
	for _, secret := range secrets {
		k, err := s.key(Scope, secret.Label, secret.Text)
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	return s.Verifier(o, keys)
}

// Others returns verifiers that might accept a delivery that the verifier of these settings
// refuses, such as that of the sender's sandbox.
func (s *Sender) Others(o *Settings, secrets []Secret) []verify.Verifier {
	if s.others == nil {
		return nil
	}
	return s.others(o, secrets)
}

// fromToken makes what is known of a sender that signs nothing.
func (s *Sender) fromToken() {
	s.Words = []string{"insecure-allow-short-secret", "insecure-body-not-covered"}
	d := *s.Token
	if d.Basic {
		s.probe = func(*Settings) string { return "user:" + random() }
	}
	s.keyed = opens(func(o *Settings, keys verify.KeySource) (*token.InsecureVerifier, error) {
		return token.New(d, keys, &token.Options{InsecureBodyNotCovered: o.InsecureBodyNotCovered, InsecureAllowShortSecret: o.InsecureAllowShortSecret})
	})
	s.whyNot = "it signs nothing, and a capture drops the token, which is a credential; to try an endpoint, send a request with the token by hand"
}

// opens makes of a constructor one that returns no nil pointer beside an error.
func opens[V verify.Verifier](open func(*Settings, verify.KeySource) (V, error)) func(*Settings, verify.KeySource) (verify.Verifier, error) {
	return func(o *Settings, keys verify.KeySource) (verify.Verifier, error) {
		v, err := open(o, keys)
		if err != nil {
			return nil, err
		}
		return v, nil
	}
}

// fetched are the senders with a JSON Web Token whose keys change at a host of theirs: a
// constructor in Go knows how to fetch them.
var fetched = []string{"plaid", "pubsub", "saleor"}

// fromJWT returns a sender that signs with a JSON Web Token.
func fromJWT(d jwt.Definition) (*Sender, error) {
	if slices.Contains(fetched, d.Provider) {
		return nil, fmt.Errorf("%s signs with a JSON Web Token whose keys are fetched from its host; verify it in Go, with the module providers/jwt", d.Describe().Title)
	}
	profile, err := d.Profile()
	if err != nil {
		return nil, err
	}
	s := &Sender{
		Provider: catalog.Provider{Name: d.Provider, About: d.Describe(), Profile: profile},
		JWT:      &d,
		Words:    []string{"claims"},
		key:      textKey,
		probe:    func(*Settings) string { return random() + random() }, // 64 bytes, for HS512
		whyNot:   "it signs with a JSON Web Token, which this program does not make",
	}
	if s.SignsURL = d.SignsURL(); s.SignsURL {
		s.Words = append(s.Words, "url")
	}
	if s.Timed() {
		s.Words = append(s.Words, "tolerance")
	}
	if profile.Binding == verify.BindingNone {
		s.Words = append(s.Words, "insecure-body-not-covered")
	}
	s.keyed = opens(func(o *Settings, keys verify.KeySource) (*jwt.Verifier, error) {
		return jwt.New(d, keys, &jwt.Options{
			Window: o.window(), URL: o.URL, Claims: o.Claims,
			InsecureBodyNotCovered: o.InsecureBodyNotCovered && profile.Binding == verify.BindingNone,
		})
	})
	return s, nil
}
