// Package token verifies webhooks of senders that sign nothing: each request carries the
// same token, in a header or as the password of HTTP Basic authentication.
//
//	v, err := gitlab.New(verify.Secrets(os.Getenv("GITLAB_TOKEN")), &token.Options{InsecureBodyNotCovered: true})
//
// # What a token does not prove
//
// A token says who sent the request, as long as nobody else has read one. It proves no
// body: whoever sees one delivery, such as a proxy, a log or another receiver of the same
// token, can send any other body. It proves no time either, so a captured
// delivery is accepted until the token changes. That is why the type has Insecure in its
// name, why [New] wants an option of that name, and why the Binding is verify.BindingNone.
// Use it over TLS, with a long random token for each endpoint, and take what is worth
// money from the sender's API. Where the sender can sign, choose that.
//
// A guard keeps repeats away by their bodies: an equal body is the same event, and does
// not run again. That serves honest retries; it stops no attacker, who can change a byte.
//
// # A sender of one's own
//
// A sender is a Definition, as data:
//
//	token.Definition{
//		Provider: "acme", Header: "X-Acme-Token", MaxBody: 1 << 20, Retry: verify.RetryIdentical,
//	}
package token

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"iter"
	"mime"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hooknotary/hooknotary/providers/keyring"
	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

const (
	maxValue  = 4 << 10 // bytes of the header that holds the token
	maxOther  = 256     // bytes of any other header
	minSecret = 16      // bytes of a token, or of a password
)

// Definition says where a sender puts its token. It is plain data; New copies what it
// needs.
type Definition struct {
	// Provider is the provider's name: lower-case letters, digits and hyphens. Required.
	Provider string

	// MediaType is the one Content-Type of the endpoint. Default: application/json.
	MediaType string

	// Header is the header that holds the token, in any spelling. Required, unless Basic
	// is set, which means Authorization.
	Header string

	// Prefix is a constant text before the token: "Bearer ". May be empty.
	Prefix string

	// Basic: the header is Authorization, as in HTTP Basic authentication. A secret is
	// then "user:password".
	Basic bool

	// UnsignedID and UnsignedType name headers that hold the provider's delivery id and
	// event type. They end up in Delivery.Unsigned, or not at all if they are repeated,
	// longer than 256 bytes, or anything but visible ASCII.
	UnsignedID, UnsignedType string

	// MaxBody, Retry and Retention are as in verify.Profile. MaxBody and Retry are
	// required. verify.RetryResigned is no choice, because nothing is signed.
	MaxBody   int64
	Retry     verify.Retry
	Retention time.Duration

	// Handshakes says how the provider checks an endpoint, and what it wants to read then.
	// Such a request carries the token, too, and is answered only if that is right; so
	// there are no verify tokens, and no handshake computes anything.
	Handshakes []scheme.Handshake

	// About is what people and tools want to know of the scheme. What follows from the
	// rest may be left out: Describe fills it in. A secret that is one of
	// About.Credentials is refused.
	About verify.About
}

// Options holds what an endpoint chooses. InsecureBodyNotCovered is required.
type Options struct {
	// InsecureBodyNotCovered says that you know what a token does not prove: the body,
	// and when it was sent.
	InsecureBodyNotCovered bool

	// InsecureAllowShortSecret allows tokens and passwords under 16 bytes, which can be
	// guessed.
	InsecureAllowShortSecret bool
}

// InsecureVerifier verifies that a request carries the token of the endpoint, and nothing
// about its body. It is immutable and safe for concurrent use.
type InsecureVerifier struct {
	def  *Definition
	opts Options
	ring *keyring.Ring[*key]

	responder *scheme.Responder
}

// key is a verify.Key made ready: the hash of its token.
type key struct {
	scope, label string
	sum          [sha256.Size]byte
}

// New makes a verifier. The keys hold the tokens as the provider shows them; a fixed list
// of them is checked here. The options must say InsecureBodyNotCovered.
//
// An error means that the definition, the keys or the options cannot be right. It holds no
// secret.
func New(d Definition, keys verify.KeySource, o *Options) (*InsecureVerifier, error) {
	def, err := d.check()
	if err != nil {
		return nil, fmt.Errorf("token: definition of %q: %w", d.Provider, err)
	}
	v := &InsecureVerifier{def: def}
	if o != nil {
		v.opts = *o
	}
	if v.responder, err = scheme.NewResponder(def.Handshakes, ""); err != nil {
		return nil, err // check has seen to it
	}
	if !v.opts.InsecureBodyNotCovered {
		return nil, fmt.Errorf("%s: a token does not cover the body; if you know that, set Options.InsecureBodyNotCovered", def.Provider)
	}
	if v.ring, err = keyring.New(keys, v.prepare, &key{}); err != nil {
		return nil, fmt.Errorf("%s: %w", def.Provider, err)
	}
	return v, nil
}

// InsecureMust makes a verifier from the tokens of one endpoint: one, or several while they
// are changed. It panics where New returns an error, and says InsecureBodyNotCovered for
// the caller. The function InsecureMust of a provider's package is this one with its
// definition, and the panic's text names it.
func InsecureMust(d Definition, tokens ...string) *InsecureVerifier {
	v, err := New(d, verify.Secrets(tokens...), &Options{InsecureBodyNotCovered: true})
	if err != nil {
		panic(d.Provider + ".InsecureMust: " + strings.TrimPrefix(err.Error(), d.Provider+": "))
	}
	return v
}

// check returns a copy of d with defaults filled in and names in canonical form, or says
// what is wrong with it.
func (d Definition) check() (*Definition, error) {
	if d.Provider == "" || len(d.Provider) > 64 || strings.Trim(d.Provider, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return nil, errors.New("the Provider must be 1 to 64 lower-case letters, digits and hyphens")
	}
	if d.MediaType == "" {
		d.MediaType = "application/json"
	}
	if mediaType, params, err := mime.ParseMediaType(d.MediaType); err != nil || mediaType != d.MediaType || len(params) > 0 {
		return nil, errors.New("MediaType must be a type and a subtype in lower case, without parameters")
	}
	if d.Basic {
		if d.Header != "" || d.Prefix != "" {
			return nil, errors.New("with Basic there is no Header and no Prefix")
		}
		d.Header, d.Prefix = "Authorization", "Basic "
	}
	d.Header = http.CanonicalHeaderKey(d.Header)
	d.UnsignedID = http.CanonicalHeaderKey(d.UnsignedID)
	d.UnsignedType = http.CanonicalHeaderKey(d.UnsignedType)
	switch {
	case d.Header == "" || d.Header == "Host":
		return nil, errors.New("there is no Header, or it is Host, which net/http takes out of the header")
	case d.UnsignedID == d.Header || d.UnsignedType == d.Header:
		return nil, errors.New("the header of the token is no id and no type: those are logged")
	case d.MaxBody <= 0:
		return nil, errors.New("MaxBody must be positive")
	case d.Retention < 0:
		return nil, errors.New("the Retention must not be negative")
	case d.Retry != verify.RetryIdentical && d.Retry != verify.RetryNever:
		return nil, errors.New("the Retry must be RetryIdentical or RetryNever: nothing is signed anew")
	}
	for _, c := range d.About.Credentials {
		if c.Prefix == "" {
			return nil, errors.New("one of About.Credentials has no Prefix")
		}
	}
	d.About = d.About.Clone()
	d.Handshakes = slices.Clone(d.Handshakes)
	if slices.ContainsFunc(d.Handshakes, func(h scheme.Handshake) bool { return h.Token != "" }) {
		return nil, errors.New("a Handshake has a Token of its own, beside the one that each request carries")
	}
	if _, err := scheme.NewResponder(d.Handshakes, ""); err != nil {
		return nil, err
	}
	return &d, nil
}

// prepare checks a key and makes it ready.
func (v *InsecureVerifier) prepare(k verify.Key) (*key, []byte, error) {
	secret := k.Secret()
	if len(secret) == 0 {
		return nil, nil, fmt.Errorf("%v holds no secret", k)
	}
	for _, c := range v.def.About.Credentials {
		if c.Matches(string(secret)) {
			return nil, nil, fmt.Errorf("%v starts with %q: that is another credential of the account, not the webhook's token", k, c.Prefix)
		}
	}
	guessed := secret // what an attacker has to guess
	if v.def.Basic {
		user, password, ok := strings.Cut(string(secret), ":")
		if !ok || user == "" {
			return nil, nil, fmt.Errorf("%v is not of the form user:password", k)
		}
		guessed = []byte(password)
	}
	if len(guessed) < minSecret && !v.opts.InsecureAllowShortSecret || len(guessed) == 0 {
		return nil, nil, fmt.Errorf("%v has %d bytes, want at least %d (InsecureAllowShortSecret allows fewer)", k, len(guessed), minSecret)
	}
	return &key{k.Scope(), k.Label(), sha256.Sum256(secret)}, secret, nil
}

// Profile returns the facts of the scheme. Its Binding is verify.BindingNone.
func (v *InsecureVerifier) Profile() verify.Profile { return v.def.profile() }

func (d *Definition) profile() verify.Profile {
	return verify.Profile{
		Provider: d.Provider, MediaType: d.MediaType, MaxBody: d.MaxBody,
		Binding: verify.BindingNone, Retry: d.Retry, Retention: d.Retention,
	}
}

// Profile returns the facts of the scheme, or an error if New would refuse the definition.
func (d *Definition) Profile() (verify.Profile, error) {
	checked, err := d.check()
	if err != nil {
		return verify.Profile{}, fmt.Errorf("token: definition of %q: %w", d.Provider, err)
	}
	return checked.profile(), nil
}

// About returns what people and tools want to know of the scheme, as Definition.Describe
// says.
func (v *InsecureVerifier) About() verify.About { return v.def.Describe() }

// Describe returns About with what follows from the rest of the definition filled in where
// About leaves it empty. The result shares nothing with the definition.
func (d *Definition) Describe() verify.About {
	a := d.About.Clone()
	header := http.CanonicalHeaderKey(d.Header)
	if d.Basic {
		header = "Authorization"
	}
	a.EqualBodies = true
	if a.Title == "" {
		a.Title = d.Provider
	}
	if a.Signed == "" {
		a.Signed = "nothing: a token in " + header
		if d.Basic {
			a.Signed = "nothing: user and password"
		}
	}
	if len(a.Headers) == 0 {
		a.Headers = []verify.HeaderUse{{Name: header, Use: "the token, as it is: whoever reads it can send anything", Secret: true}}
	}
	if len(a.NotCovered) == 0 {
		a.NotCovered = []string{"the body: whoever has the token can send any", "the time: there is none, so a captured delivery verifies until the token changes"}
	}
	if len(a.Tell.Headers) == 0 && header != "Authorization" {
		a.Tell.Headers = []string{header}
	}
	if a.Tell.Before == "" {
		a.Tell.Before = verify.NotBeforeBody
	}
	if len(a.Handshakes) == 0 {
		for _, h := range d.Handshakes {
			a.Handshakes = append(a.Handshakes, h.Describe())
		}
	}
	return a
}

// SecurityHeaders returns the canonical name of the header that holds the token. The list
// is the caller's.
func (v *InsecureVerifier) SecurityHeaders() []string { return []string{v.def.Header} }

// Keys returns the keys that a request with this head is tried with, from the source that
// New was given, and its error. They hold their tokens. The list must not be changed.
func (v *InsecureVerifier) Keys(ctx context.Context, h *verify.Head) ([]verify.Key, error) {
	return v.ring.Keys(ctx, h)
}

// Message yields nothing: nothing is signed.
func (v *InsecureVerifier) Message(*verify.Head, []byte) iter.Seq2[string, []byte] {
	return func(func(string, []byte) bool) {}
}

// Rekey returns a verifier that differs from v in its keys alone. Its errors are those that
// New has for keys.
func (v *InsecureVerifier) Rekey(keys verify.KeySource) (verify.Verifier, error) {
	other, err := New(*v.source(), keys, &v.opts)
	if err != nil {
		return nil, err
	}
	return other, nil
}

// source returns a definition that New takes.
func (v *InsecureVerifier) source() *Definition {
	d := *v.def
	if d.Basic {
		d.Header, d.Prefix = "", ""
	}
	return &d
}

// Format prints the provider's name, whatever the verb: a verifier holds secrets.
func (v *InsecureVerifier) Format(s fmt.State, _ rune) {
	if v == nil || v.def == nil {
		io.WriteString(s, "token.InsecureVerifier(none)")
		return
	}
	fmt.Fprintf(s, "token.InsecureVerifier(%s)", v.def.Provider)
}

// Causes of refusals. They hold nothing of the request.
var (
	errNoHead   = errors.New("no head, or a head without a receive time")
	errRepeated = errors.New("the header of the token is repeated")
	errLong     = errors.New("the header of the token is too long")
	errForm     = errors.New("the header of the token does not have the scheme's form")
	errFinished = errors.New("a pending request was finished twice")
)

func refuse(r verify.Reason, cause error) error { return &verify.Error{Reason: r, Cause: cause} }

// pending is a request whose token has not been compared yet.
type pending struct {
	v        *InsecureVerifier
	keys     []*key
	noKey    error
	sum      [sha256.Size]byte // of the token
	delivery verify.Delivery
	finished atomic.Bool
}

// Format prints the provider's name, whatever the verb.
func (p *pending) Format(s fmt.State, _ rune) { fmt.Fprintf(s, "token.pending(%s)", p.v.def.Provider) }

// Begin refuses a head without a token of the scheme's form.
func (v *InsecureVerifier) Begin(ctx context.Context, h *verify.Head) (verify.Pending, error) {
	if h == nil || h.ReceivedAt.IsZero() {
		return nil, refuse(verify.ErrMalformed, errNoHead)
	}
	text, err := v.token(h)
	if err != nil {
		return nil, err
	}
	p := &pending{v: v, sum: sha256.Sum256([]byte(text))}
	p.delivery = verify.Delivery{
		Provider: v.def.Provider, ReceivedAt: h.ReceivedAt, Binding: verify.BindingNone,
		Unsigned: verify.Unsigned{ID: unsigned(h, v.def.UnsignedID), Type: unsigned(h, v.def.UnsignedType)},
	}
	if p.keys, p.noKey, err = v.ring.Find(ctx, h); err != nil {
		return nil, refuse(verify.ErrUnavailable, err)
	}
	return p, nil
}

// token returns the token that a request carries; with Basic, user and password.
func (v *InsecureVerifier) token(h *verify.Head) (string, error) {
	values := h.Header[v.def.Header]
	switch {
	case len(values) == 0 || len(values) == 1 && values[0] == "":
		return "", refuse(verify.ErrUnsigned, nil)
	case len(values) > 1:
		return "", refuse(verify.ErrMalformed, errRepeated)
	case len(values[0]) > maxValue:
		return "", refuse(verify.ErrMalformed, errLong)
	}
	text, ok := strings.CutPrefix(values[0], v.def.Prefix)
	if !ok || text == "" {
		return "", refuse(verify.ErrMalformed, errForm)
	}
	if !v.def.Basic {
		return text, nil
	}
	decoded, err := base64.StdEncoding.Strict().DecodeString(text)
	// One spelling of a text: neither line ends nor bits that nobody reads.
	if err != nil || base64.StdEncoding.EncodeToString(decoded) != text || !strings.Contains(string(decoded), ":") {
		return "", refuse(verify.ErrMalformed, errForm)
	}
	return string(decoded), nil
}

// Finish compares the token with each key in the same time, whatever they are: it compares
// hashes, so that a length does not show either.
func (p *pending) Finish(_ context.Context, body []byte) (*verify.Delivery, error) {
	var match *key
	for _, k := range p.keys {
		if subtle.ConstantTimeCompare(p.sum[:], k.sum[:]) == 1 && match == nil {
			match = k
		}
	}
	switch {
	case p.noKey != nil:
		return nil, refuse(verify.ErrNoKey, p.noKey)
	case match == nil:
		return nil, refuse(verify.ErrMismatch, nil)
	}
	if !p.finished.CompareAndSwap(false, true) {
		return nil, refuse(verify.ErrUnavailable, errFinished)
	}
	d := &p.delivery
	d.Scope, d.KeyLabel, d.Body = match.scope, match.label, body
	d.Fingerprint = verify.NewFingerprint(sha256.Sum256(body))
	return d, nil
}

// handshake is a request that carries a token, and that is a handshake if it is right.
type handshake struct {
	pending   verify.Pending
	challenge verify.Challenge
}

// Challenge returns what answers a handshake that comes as a request of its own, as the
// definition says.
func (v *InsecureVerifier) Challenge(ctx context.Context, h *verify.Head) (verify.Challenge, error) {
	challenge, err := v.responder.Challenge(h)
	if challenge == nil || err != nil {
		return nil, err
	}
	pending, err := v.Begin(ctx, h)
	if err != nil {
		return nil, err
	}
	return &handshake{pending, challenge}, nil
}

// Finish returns the response if the token is right.
func (h *handshake) Finish(ctx context.Context, body []byte) (*verify.Response, error) {
	if _, err := h.pending.Finish(ctx, body); err != nil {
		return nil, err
	}
	return h.challenge.Finish(ctx, body)
}

// HandshakeMethods returns the methods by which handshakes come, each once.
func (v *InsecureVerifier) HandshakeMethods() []string { return v.responder.HandshakeMethods() }

// Respond returns the response to a delivery that is a handshake, as the definition says.
func (v *InsecureVerifier) Respond(ctx context.Context, h *verify.Head, d *verify.Delivery) (*verify.Response, error) {
	return v.responder.Respond(ctx, h, d)
}

// unsigned returns the value of another header, if it is a single short one.
func unsigned(h *verify.Head, name string) string {
	values := h.Header[name]
	if name == "" || len(values) != 1 || len(values[0]) > maxOther {
		return ""
	}
	for i := range len(values[0]) {
		if c := values[0][i]; c < '!' || c > '~' {
			return ""
		}
	}
	return values[0]
}
