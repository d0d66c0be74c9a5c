// Package jwt verifies webhooks whose sender signs with a JSON Web Token: a token in a
// header holds claims, and one of them is a hash of the body.
//
// A sender is a [Definition], as data; packages below this one hold some:
//
//	v, err := qstash.New(verify.Secrets(current, next), &jwt.Options{URL: "https://shop.example/hooks/qstash"})
//
// The module is one of its own, because it needs github.com/go-jose/go-jose/v4, which
// checks the signatures.
//
// # What is refused
//
// The algorithm is the definition's, and never the token's choice: "none" and any other
// one is refused, and a key serves one kind of algorithm alone, so that nobody signs an HMAC
// with a public key. A token has one spelling: three parts in canonical base64url, 8 KiB at
// most. Its header and its claims are JSON objects without a name that stands twice and
// without anything behind. Refused is a header with another typ than JWT, and one that
// brings a key or changes the meaning of the rest: crit, jku, jwk, x5u, x5c, b64, cty, enc,
// zip. A detached token is the one exception: its b64 is false, and crit may name b64. An
// audience is one text and no list.
//
// Claims that a definition or an endpoint requires are compared as a whole. An expiry
// (exp) and a begin (nbf) count wherever a token has them. Times are whole seconds.
//
// # What a token proves
//
// A definition says with which claim the token covers the body (Definition.Body). Without
// one, the token says who sends, and nothing about what: whoever sees one request can put
// another body under its token until it expires. Then the Binding is verify.BindingNone,
// and [New] wants Options.InsecureBodyNotCovered.
//
// # Keys
//
// A secret is used as text, and has at least 32 bytes (48 and 64 for HS384 and HS512), as
// RFC 7518, section 3.2, asks for. Public keys come from [verify.PublicKeys], or from the
// sender's host: [Definition.ByKeyID] is a source of the key that the token's kid names, and
// package keyfetch bounds what a stranger can cause with that. [Definition.ByClaim] chooses
// keys by a claim, such as the issuer. Neither believes the token: it chooses which key
// checks it.
//
// # Repeats
//
// The Fingerprint of a Delivery is a hash of what the token signs, and of the body where
// the token does not cover it. A sender that retries with a new token makes a new message;
// where it has no id that stays the same, a handler can see such a retry again.
//
// Source: RFC 7515 (JWS), RFC 7518 (algorithms), RFC 7519 (JWT), RFC 7797 (detached bodies),
// RFC 8725 (current practices).
package jwt

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/providers/keyring"
	"github.com/hooknotary/hooknotary/verify"
)

// Algorithm is an algorithm of RFC 7518 or RFC 8037.
type Algorithm string

// The algorithms. There is no "none".
const (
	HS256 Algorithm = "HS256" // HMAC with SHA-256
	HS384 Algorithm = "HS384" // HMAC with SHA-384
	HS512 Algorithm = "HS512" // HMAC with SHA-512
	RS256 Algorithm = "RS256" // RSA PKCS #1 v1.5 with SHA-256
	ES256 Algorithm = "ES256" // ECDSA over P-256 with SHA-256
	EdDSA Algorithm = "EdDSA" // Ed25519
)

// symmetric reports whether the key is a secret.
func (a Algorithm) symmetric() bool { return a == HS256 || a == HS384 || a == HS512 }

func (a Algorithm) known() bool {
	return a.symmetric() || a == RS256 || a == ES256 || a == EdDSA
}

// Encoding is how a claim writes a SHA-256. The zero value is Hex.
type Encoding uint8

const (
	Hex       Encoding = iota // lower-case hexadecimal
	Base64                    // the standard alphabet, padded
	Base64URL                 // the alphabet of URLs, padded or not
)

// Definition says how a sender signs with a token. It is plain data; New copies it.
type Definition struct {
	// Provider is the sender's name: lower-case letters and digits. Required.
	Provider string

	// Header is the name of the header with the token, in any spelling. Required.
	Header string

	// Bearer: the header holds "Bearer " in front of the token.
	Bearer bool

	// Detached: the token has no claims of its own. It is header, nothing and signature, and
	// the body stands as it is in the place of the claims (RFC 7797, "b64": false). Then
	// there are no Claims, Body, Time or ID.
	Detached bool

	// Algorithms is the one algorithm of the sender. Several are allowed if all are HMAC,
	// of which none is a weaker use of the same secret.
	Algorithms []Algorithm

	// Claims are what the claims must say. The order does not matter.
	Claims []Claim

	// Body says which claim covers the body. The zero value: none does.
	Body BodyHash

	// Time says which claim is the signed time. The zero value: none is.
	Time Time

	// ID names the claim that identifies the message: "jti". It must then be there, 1 to
	// 128 bytes of visible ASCII. Empty: there is none. A token that does not cover the
	// body identifies no message, so ID needs Body.
	ID string

	// MediaType, MaxBody, Retry and Retention are as in verify.Profile. MaxBody and Retry
	// are required.
	MediaType string
	MaxBody   int64
	Retry     verify.Retry
	Retention time.Duration

	// About says what people want to know. Title, NotCovered and Links are the
	// definition's; Describe fills in what follows from the rest.
	About verify.About
}

// BodyHash names the claim that is the SHA-256 of the body.
type BodyHash struct {
	Claim    string
	Encoding Encoding
	// AbsentIfEmpty: an empty body has no such claim, and only an empty one.
	AbsentIfEmpty bool
}

// Time names the claim that is the signed time, in seconds, and how far it may lie from the
// receive time.
type Time struct {
	Claim  string // "iat" or "nbf"
	Window verify.Window

	// Expires: exp must be there.
	Expires bool

	// Leeway is for clocks that differ: how long after exp, and before nbf, a token still
	// counts. Up to 5 minutes.
	Leeway time.Duration
}

// Claim is what one claim must say. Make one with Equal, Given, True, Present, URL or
// URLHash.
type Claim struct {
	kind     claimKind
	name     string
	value    string
	encoding Encoding
}

type claimKind uint8

const (
	equal claimKind = iota + 1
	given
	isTrue
	present
	isURL
	urlHash
)

// Equal: the claim is this text.
func Equal(name, value string) Claim { return Claim{kind: equal, name: name, value: value} }

// Given: the claim is the text that Options.Claims has for it, and the endpoint must give
// one.
func Given(name string) Claim { return Claim{kind: given, name: name} }

// True: the claim is the value true.
func True(name string) Claim { return Claim{kind: isTrue, name: name} }

// Present: the claim is a text that is not empty.
func Present(name string) Claim { return Claim{kind: present, name: name} }

// URL: the claim is Options.URL.
func URL(name string) Claim { return Claim{kind: isURL, name: name} }

// URLHash: the claim is the SHA-256 of Options.URL.
func URLHash(name string, e Encoding) Claim {
	return Claim{kind: urlHash, name: name, encoding: e}
}

// Options holds what an endpoint may choose. The zero value and nil are the defaults. New
// copies it.
type Options struct {
	// Window narrows the definition's window: for each end, zero means the definition's,
	// and a longer one is an error. Zero never means "off".
	Window verify.Window

	// URL is the URL of the endpoint as it is registered at the sender, byte for byte, for
	// a sender that signs it, and empty for others. It is never taken from the request.
	URL string

	// Claims holds texts that claims must be, by their names: those that the definition
	// asks for, and any others that a token of this endpoint has. None may be empty.
	Claims map[string]string

	// InsecureBodyNotCovered says that you know what a token without a hash of the body
	// proves: who sends, and nothing about the body. Whoever sees one request can send any
	// other body under its token until that expires. Required for such a sender, and an
	// error for others.
	InsecureBodyNotCovered bool
}

// Verifier verifies deliveries as its Definition says. It is immutable and safe for
// concurrent use, as far as its key source is. Make one with New.
type Verifier struct {
	def     Definition
	header  string // canonical
	rules   []Claim
	profile verify.Profile
	ring    *keyring.Ring[*key]
}

// New makes a verifier. The keys are required; a fixed list of them is checked here. A nil o
// is the zero Options. An error says that the definition, the keys or the options cannot be
// right, and holds no secret.
func New(d Definition, keys verify.KeySource, o *Options) (*Verifier, error) {
	header, err := d.check()
	if err != nil {
		return nil, fmt.Errorf("jwt: definition of %q: %w", d.Provider, err)
	}
	if o == nil {
		o = &Options{}
	}
	v := &Verifier{def: d.clone(), header: header}
	if err := v.configure(keys, o); err != nil {
		return nil, fmt.Errorf("%s: %w", d.Provider, err)
	}
	return v, nil
}

func (d Definition) clone() Definition {
	d.Algorithms = slices.Clone(d.Algorithms)
	d.Claims = slices.Clone(d.Claims)
	d.About = d.About.Clone()
	return d
}

// Profile returns the facts of the scheme with default options.
func (d Definition) Profile() (verify.Profile, error) {
	if _, err := d.check(); err != nil {
		return verify.Profile{}, fmt.Errorf("jwt: definition of %q: %w", d.Provider, err)
	}
	return d.profile(), nil
}

func (d *Definition) profile() verify.Profile {
	p := verify.Profile{
		Provider: d.Provider, MediaType: d.MediaType, MaxBody: d.MaxBody, Window: d.Time.Window,
		Binding: verify.BindingFull, Retry: d.Retry, Retention: d.Retention,
	}
	if p.MediaType == "" {
		p.MediaType = "application/json"
	}
	if d.Body.Claim == "" && !d.Detached {
		p.Binding = verify.BindingNone
	}
	return p
}

// reserved lists the claims that have a rule of their own.
var reserved = [...]string{"exp", "nbf", "iat"}

// check looks for mistakes in a definition, and returns the canonical name of the header.
func (d *Definition) check() (string, error) {
	switch {
	case d.Provider == "" || strings.Trim(d.Provider, "abcdefghijklmnopqrstuvwxyz0123456789") != "":
		return "", errors.New("the Provider is not lower-case letters and digits")
	case !isToken(d.Header):
		return "", errors.New("the Header is no name of a header")
	case len(d.Algorithms) == 0:
		return "", errors.New("there is no algorithm")
	case d.MaxBody <= 0:
		return "", errors.New("MaxBody is required")
	case d.Retry.String() == "invalid":
		return "", errors.New("the Retry is required")
	case d.Retention < 0:
		return "", errors.New("the Retention is negative")
	case d.Detached && (len(d.Claims) > 0 || d.Body != BodyHash{} || d.Time != Time{} || d.ID != ""):
		return "", errors.New("a Detached token has no Claims, Body, Time or ID")
	case d.ID != "" && d.Body.Claim == "":
		return "", errors.New("ID needs Body: a token that does not cover the body identifies no message")
	case d.Body.Encoding > Base64URL:
		return "", errors.New("the encoding of Body is unknown")
	}
	for _, a := range d.Algorithms {
		if !a.known() {
			return "", fmt.Errorf("algorithm %q is unknown", a)
		}
		if len(d.Algorithms) > 1 && !a.symmetric() {
			return "", errors.New("several algorithms are allowed for HMAC alone")
		}
	}
	switch t := d.Time; {
	case t.Leeway < 0 || t.Leeway > 5*time.Minute:
		return "", errors.New("Time.Leeway is not between 0 and 5 minutes")
	case t.Claim == "" && (t.Window != verify.Window{} || t.Expires):
		return "", errors.New("Time.Window and Time.Expires need Time.Claim")
	case t.Claim != "" && t.Claim != "iat" && t.Claim != "nbf":
		return "", errors.New("Time.Claim is not iat or nbf")
	case t.Claim != "" && (t.Window.Past <= 0 || t.Window.Future < 0):
		return "", errors.New("Time.Window needs a past, and no negative future")
	}
	names := make(map[string]bool)
	if d.Body.Claim != "" {
		names[d.Body.Claim] = true
	}
	for _, c := range d.Claims {
		switch {
		case c.kind == 0 || c.name == "":
			return "", errors.New("a claim was not made by a function of this package, or has no name")
		case slices.Contains(reserved[:], c.name):
			return "", fmt.Errorf("the claim %s is Time's", c.name)
		case names[c.name]:
			return "", fmt.Errorf("the claim %s has two rules", c.name)
		case c.kind == equal && c.value == "":
			return "", fmt.Errorf("the claim %s must be equal to nothing", c.name)
		case c.encoding > Base64URL:
			return "", fmt.Errorf("the encoding of the claim %s is unknown", c.name)
		}
		names[c.name] = true
	}
	return canonical(d.Header), nil
}

func (v *Verifier) configure(keys verify.KeySource, o *Options) error {
	d := &v.def
	v.profile = d.profile()
	uncovered := v.profile.Binding == verify.BindingNone
	switch {
	case uncovered && !o.InsecureBodyNotCovered:
		return errors.New("the token does not cover the body: whoever sees one request can send another body under it. If you know that, set Options.InsecureBodyNotCovered")
	case !uncovered && o.InsecureBodyNotCovered:
		return errors.New("the token covers the body: Options.InsecureBodyNotCovered must not be set")
	}
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
	if err := v.rule(o); err != nil {
		return err
	}
	nobody, err := d.nobody()
	if err != nil {
		return err
	}
	v.ring, err = keyring.New(keys, d.prepare, nobody)
	return err
}

// SignsURL reports whether a claim says the URL of the endpoint, so that New needs
// Options.URL.
func (d Definition) SignsURL() bool {
	return slices.ContainsFunc(d.Claims, func(c Claim) bool { return c.kind == isURL || c.kind == urlHash })
}

// rule makes the rules of the endpoint: in each, what the claim must say stands as a text.
func (v *Verifier) rule(o *Options) error {
	claims := maps.Clone(o.Claims)
	if v.def.Detached && len(claims) > 0 {
		return errors.New("the token is detached and has no claims: Options.Claims must be empty")
	}
	signsURL := v.def.SignsURL()
	if u, err := url.Parse(o.URL); signsURL && (err != nil || u.Scheme == "" || u.Host == "" || !visible(o.URL)) {
		return errors.New("the sender signs the URL of the endpoint: Options.URL must be the one that is registered there")
	}
	if !signsURL && o.URL != "" {
		return errors.New("the sender does not sign the URL: Options.URL must be empty")
	}
	for _, c := range v.def.Claims {
		text, ok := claims[c.name]
		delete(claims, c.name)
		switch {
		case ok && text == "":
			return fmt.Errorf("option Claims has no text for %s; is its environment variable set?", c.name)
		case ok && c.kind != given && c.kind != present:
			return fmt.Errorf("option Claims has %s, which the definition sets", c.name)
		case !ok && c.kind == given:
			return fmt.Errorf("option Claims must say which %s the tokens of this endpoint have", c.name)
		case ok:
			c.kind, c.value = equal, text
		case c.kind == isURL:
			c.kind, c.value = equal, o.URL
		case c.kind == urlHash:
			c.value = o.URL
		}
		v.rules = append(v.rules, c)
	}
	for _, name := range slices.Sorted(maps.Keys(claims)) { // the endpoint's own
		if claims[name] == "" || name == "" {
			return fmt.Errorf("option Claims has no text for %q; is its environment variable set?", name)
		}
		if name == v.def.Body.Claim || slices.Contains(reserved[:], name) {
			return fmt.Errorf("option Claims has %s, which is not the endpoint's to set", name)
		}
		v.rules = append(v.rules, Equal(name, claims[name]))
	}
	return nil
}

// Profile returns the facts of the scheme.
func (v *Verifier) Profile() verify.Profile { return v.profile }

// About returns what people and tools want to know of the scheme.
func (v *Verifier) About() verify.About { return v.def.Describe() }

// Format prints the provider's name, whatever the verb: a verifier holds secrets.
func (v Verifier) Format(s fmt.State, _ rune) {
	fmt.Fprintf(s, "jwt.Verifier(%s)", v.def.Provider)
}

// isToken reports whether s is a token of RFC 9110, section 5.6.2.
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c <= ' ' || c > '~' || strings.IndexByte("\"(),/:;<=>?@[\\]{}", c) >= 0 {
			return false
		}
	}
	return s != ""
}

// visible reports whether s is visible ASCII.
func visible(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
