// Package httpsig verifies webhooks whose sender signs as RFC 9421, HTTP Message Signatures,
// has it.
//
// The sender lists what it signs, components of the request, in one header, puts the
// signature into another one, and a hash of the body into a third one:
//
//	Content-Digest: sha-256=:<44 characters>:
//	Signature-Input: sig1=("@method" "@target-uri" "content-digest");created=1700000000
//	Signature: sig1=:<base64>:
//
//	guard := middleware.Protect(httpsig.Must("https://shop.example/hooks", httpsig.Ed25519, os.Getenv("ACME_PUBLIC_KEY")))
//
// RFC 9421 lets the sender choose nearly everything, so what counts is what the endpoint
// wants. By default a signature must cover the method, the URL (as @target-uri, or as
// @authority and @path) and Content-Digest, which must fit the body, and must have a created
// time. [Options] wants more, and the options that want less are named Insecure. The
// algorithm is that of the constructor; a parameter alg that says another one is refused.
//
// The URL is configuration: @target-uri, @authority, @scheme, @path, @query and
// @request-target are those of the URL that the sender has for the endpoint, whatever a proxy
// made of the request. The request's query must be that of this URL. Each endpoint has a
// verifier of its own.
//
// A parameter nonce is the message's id. No id of an event is signed: a retry that is signed
// anew is another message, and runs again.
//
// # What is refused
//
// One message has one spelling here. Lists and parameters must be written as RFC 8941
// serialises them, a signed header stands there once, and a component or a parameter that
// this package does not know is refused, as are components with parameters (;sf, ;key, ;bs,
// ;req, ;tr), @query-param and @status. A signature whose expires has passed is refused.
// Other labels of the two headers are read, and do not count.
//
// # What the signature does not say
//
// A header that is not covered is not signed: Options.Components must list each one that the
// handler reads. The parameter keyid is signed and decides nothing; the key that matched
// does. Two URLs that a proxy leads to one endpoint are two endpoints.
//
// Source: https://www.rfc-editor.org/rfc/rfc9421.html and
// https://www.rfc-editor.org/rfc/rfc9530.html (Content-Digest).
package httpsig

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/providers/internal/endpoint"
	"github.com/hooknotary/hooknotary/providers/keyring"
	"github.com/hooknotary/hooknotary/verify"
)

const (
	signatureHeader = "Signature"
	inputHeader     = "Signature-Input"
	digestHeader    = "Content-Digest"

	provider = "httpsig"
	window   = 5 * time.Minute
)

// Options holds what an endpoint may choose. The zero value and nil are the defaults.
type Options struct {
	// Label is the label of the signature that counts; others are ignored. Default: a
	// request has one label, whatever it is.
	Label string

	// Components lists what a signature must cover besides the method, the URL and the
	// body: names of headers in lower case, and derived components such as "@query".
	Components []string

	// Tag is the parameter tag that a signature must have. Default: it must have none,
	// because one with a tag was made for another application.
	Tag string

	// Window narrows how far the parameter created may lie from the receive time. Zero
	// for an end: 5 minutes. A longer one is an error.
	Window verify.Window

	// InsecureBodyNotCovered takes signatures that do not cover Content-Digest: whoever
	// sees one request can send any other body under its signature. The Binding of each
	// Delivery is verify.BindingNone then.
	InsecureBodyNotCovered bool

	// InsecureRequestNotCovered takes signatures that cover neither the method nor the
	// URL: a request to another endpoint of the same sender verifies here.
	InsecureRequestNotCovered bool

	// InsecureAllowShortSecret allows secrets under 16 bytes, for HMACSHA256.
	InsecureAllowShortSecret bool
}

// Verifier verifies signatures of one sender at one endpoint. It is immutable and safe for
// concurrent use. Make one with New or Must.
type Verifier struct {
	url       endpoint.URL
	parts     target
	algorithm Algorithm
	o         Options
	ring      *keyring.Ring[key]
}

// New makes a verifier for the endpoint at a URL, as the sender has it, byte for byte. The
// keys hold public keys, or secrets for HMACSHA256; see [verify.PublicKeys] and
// [verify.Secrets]. A nil o is the zero Options. It returns an error for a URL, a key or
// options that cannot be right.
func New(url string, a Algorithm, keys verify.KeySource, o *Options) (*Verifier, error) {
	if o == nil {
		o = &Options{}
	}
	v := &Verifier{algorithm: a, o: *o}
	v.o.Components = slices.Clone(o.Components)
	var err error
	if v.url, err = endpoint.Parse(url); err != nil {
		return nil, fmt.Errorf("httpsig: %w", err)
	}
	if v.parts, err = split(v.url); err != nil {
		return nil, fmt.Errorf("httpsig: %w", err)
	}
	facts, ok := a.facts()
	switch {
	case !ok:
		return nil, errors.New("httpsig: the Algorithm is none of the package's: name the one that the sender uses")
	case o.Label != "" && !isKey(o.Label):
		return nil, errors.New("httpsig: option Label is no label: want a lower-case letter or *, then lower-case letters, digits and _-.*")
	case o.Tag != "" && !isText(o.Tag):
		return nil, errors.New("httpsig: option Tag must be 1 to 256 characters of ASCII")
	case len(o.Components) > maxComponents:
		return nil, fmt.Errorf("httpsig: option Components has %d entries, at most %d can be signed", len(o.Components), maxComponents)
	}
	for i, name := range o.Components {
		if !isComponent(name) || slices.Contains(o.Components[:i], name) {
			return nil, fmt.Errorf("httpsig: option Components has %q, want each component once: a header's name in lower case, or a derived component of the package comment", name)
		}
	}
	for _, end := range [...]struct {
		name string
		have *time.Duration
	}{{"Past", &v.o.Window.Past}, {"Future", &v.o.Window.Future}} {
		if *end.have < 0 || *end.have > window {
			return nil, fmt.Errorf("httpsig: option Window.%s is %v, want up to %v: an option can only narrow the window", end.name, *end.have, window)
		}
		if *end.have == 0 {
			*end.have = window
		}
	}
	v.ring, err = keyring.New(keys, func(k verify.Key) (key, []byte, error) { return facts.prepare(k, &v.o) }, facts.nobody())
	if err != nil {
		return nil, fmt.Errorf("httpsig: %w", err)
	}
	return v, nil
}

// Must makes a verifier from the texts of public keys, or of secrets for HMACSHA256: one, or
// several while the sender changes it. It panics where [New] returns an error, most often
// because an environment variable is not set: a program that cannot verify must not start.
func Must(url string, a Algorithm, keys ...string) *Verifier {
	v, err := New(url, a, verify.Secrets(keys...), nil)
	if err != nil {
		panic("httpsig.Must: " + strings.TrimPrefix(err.Error(), "httpsig: "))
	}
	return v
}

// Rekey returns a verifier that differs from v in its keys alone. Its errors are those that
// New has for keys.
func (v *Verifier) Rekey(keys verify.KeySource) (verify.Verifier, error) {
	other, err := New(v.url.Text, v.algorithm, keys, &v.o)
	if err != nil {
		return nil, err
	}
	return other, nil
}

// Format prints the name of the type, whatever the verb.
func (*Verifier) Format(s fmt.State, _ rune) { io.WriteString(s, "httpsig.Verifier") }

// Profile returns the facts of the scheme.
func (v *Verifier) Profile() verify.Profile {
	p := verify.Profile{
		Provider:  provider,
		MediaType: "application/json",
		MaxBody:   1 << 20, // RFC 9421 has no limit; events are far smaller
		Window:    v.o.Window,
		Binding:   verify.BindingFull, // by a hash
		Retry:     verify.RetryIdentical,
		Retention: 24 * time.Hour,
	}
	if v.o.InsecureBodyNotCovered {
		p.Binding = verify.BindingNone
	}
	return p
}

// About returns what people and tools want to know of the scheme.
func About() verify.About {
	return verify.About{
		Title:  "HTTP Message Signatures",
		Signed: "method, URL, digest of the body and time, RFC 9421",
		Headers: []verify.HeaderUse{
			{Name: signatureHeader, Use: "the signature, by its label"},
			{Name: inputHeader, Use: "what is signed, by the label of the signature; created is the time and is signed"},
			{Name: digestHeader, Use: "the SHA-256 or SHA-512 of the body; it must be signed"},
		},
		NotCovered: []string{
			"each header that the signature does not list: require those that the handler reads",
			"the label of the signature",
		},
		EqualBodies:   true, // a nonce may be absent
		Credentials:   []verify.Credential{},
		Tell:          verify.Tell{Name: "a sender with HTTP Message Signatures", Headers: []string{inputHeader}, Before: verify.NotBeforeBody},
		Links:         []string{"https://www.rfc-editor.org/rfc/rfc9421.html", "https://www.rfc-editor.org/rfc/rfc9530.html"},
		OutsideVector: "appendix B.2 of RFC 9421",
	}
}

// About returns what people and tools want to know of the scheme.
func (v *Verifier) About() verify.About { return About() }

// SecurityHeaders returns the canonical names of the headers that take part in
// verification, the signature's first. The list is the caller's.
func (v *Verifier) SecurityHeaders() []string {
	names := []string{signatureHeader, inputHeader, digestHeader}
	for _, c := range v.o.Components {
		if name := http.CanonicalHeaderKey(c); c[0] != '@' && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// Keys returns the keys that the verifier tries.
func (v *Verifier) Keys(ctx context.Context, h *verify.Head) ([]verify.Key, error) {
	return v.ring.Keys(ctx, h)
}

// SignedAt returns the parameter created of a request, without judging anything but its
// form, and whether there is one. Nothing on the serving path calls it.
func (v *Verifier) SignedAt(h *verify.Head, _ []byte) (time.Time, bool) {
	if h == nil {
		return time.Time{}, false
	}
	in, err := v.input(h)
	if err != nil || in.created == 0 {
		return time.Time{}, false
	}
	return time.Unix(in.created, 0).UTC(), true
}

// Message yields the signed message in pieces, each with a few words on where it is from.
// It checks nothing but the form of Signature-Input, without which there is no message. The
// pieces must not be changed.
func (v *Verifier) Message(h *verify.Head, _ []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		if h == nil {
			return
		}
		in, err := v.input(h)
		if err != nil {
			return
		}
		for _, name := range in.components {
			value, _ := v.component(h, name)
			if !yield("constant", []byte(`"`+name+`": `)) || !yield("component "+name, []byte(value)) || !yield("constant", []byte("\n")) {
				return
			}
		}
		_ = yield("constant", []byte(`"@signature-params": `)) && yield("from "+inputHeader, []byte(in.text))
	}
}

// Causes of refusals. They hold nothing of the request.
var (
	errNoHead    = errors.New("no head, or a head without a receive time")
	errRepeated  = errors.New("a header of the signature is missing, repeated or too long")
	errInput     = errors.New("the header Signature-Input is not a list of signatures as RFC 8941 writes it, or has something that is not supported")
	errSignature = errors.New("the header Signature is not a list of signatures as RFC 8941 writes it, or has none of the length of the algorithm's")
	errAlgorithm = errors.New("the parameter alg is not the algorithm of the endpoint")
	errLabel     = errors.New("the label of the endpoint is missing, or, if it names none, there are several")
	errTag       = errors.New("the parameter tag is not that of the endpoint")
	errCovered   = errors.New("the signature does not cover what the endpoint requires")
	errCreated   = errors.New("the signature has no parameter created")
	errExpires   = errors.New("the parameter expires lies before created")
	errComponent = errors.New("a signed header is missing, repeated, too long, or has a character that a header has not")
	errDigest    = errors.New("the header Content-Digest is not a list of hashes as RFC 8941 writes it, or has neither sha-256 nor sha-512")
	errExpired   = errors.New("the parameter expires has passed")
	errBody      = errors.New("the body is not the one of Content-Digest")
)

func refuse(r verify.Reason, cause error) error { return &verify.Error{Reason: r, Cause: cause} }

// one returns the value of a header that stands there once, within bounds.
func one(h *verify.Head, name string, most int) (string, error) {
	values := h.Header[name]
	if len(values) != 1 || values[0] == "" || len(values[0]) > most {
		return "", refuse(verify.ErrMalformed, errRepeated)
	}
	return values[0], nil
}

// input reads what is signed.
func (v *Verifier) input(h *verify.Head) (*input, error) {
	text, err := one(h, inputHeader, maxHeader)
	if err != nil {
		return nil, err
	}
	members, ok := parseDictionary(text)
	if !ok {
		return nil, refuse(verify.ErrMalformed, errInput)
	}
	m, ok := pick(members, v.o.Label)
	if !ok {
		return nil, refuse(verify.ErrMalformed, errLabel)
	}
	in, ok := parseInput(m.value)
	if !ok {
		return nil, refuse(verify.ErrMalformed, errInput)
	}
	in.label = m.key
	return in, nil
}

// check refuses a signature that is not what the endpoint requires.
func (v *Verifier) check(in *input, receivedAt time.Time) error {
	covers := func(name string) bool { return slices.Contains(in.components, name) }
	request := covers("@method") && (covers("@target-uri") || covers("@authority") && (covers("@path") || covers("@request-target")))
	switch {
	case !request && !v.o.InsecureRequestNotCovered, !covers("content-digest") && !v.o.InsecureBodyNotCovered:
		return refuse(verify.ErrMalformed, errCovered)
	case in.tag != v.o.Tag:
		return refuse(verify.ErrMalformed, errTag)
	case in.created == 0:
		return refuse(verify.ErrMalformed, errCreated)
	case in.expires != 0 && in.expires < in.created:
		return refuse(verify.ErrMalformed, errExpires)
	}
	for _, name := range v.o.Components {
		if !covers(name) {
			return refuse(verify.ErrMalformed, errCovered)
		}
	}
	switch at := time.Unix(in.created, 0); {
	case at.Before(receivedAt.Add(-v.o.Window.Past)):
		return refuse(verify.ErrTooOld, nil)
	case at.After(receivedAt.Add(v.o.Window.Future)):
		return refuse(verify.ErrTooNew, nil)
	case in.expires != 0 && receivedAt.After(time.Unix(in.expires, 0)):
		return refuse(verify.ErrTooOld, errExpired)
	}
	return nil
}

// component returns the value of a component.
func (v *Verifier) component(h *verify.Head, name string) (string, bool) {
	switch name {
	case "@method":
		return h.Method, isToken(h.Method)
	case "@target-uri":
		return v.url.Text, true
	case "@authority":
		return v.parts.authority, true
	case "@scheme":
		return v.parts.scheme, true
	case "@path":
		return v.parts.path, true
	case "@query":
		return "?" + v.url.Query, true
	case "@request-target":
		return v.parts.request, true
	}
	values := h.Header[http.CanonicalHeaderKey(name)]
	if len(values) != 1 || len(values[0]) > maxValue {
		return "", false
	}
	return values[0], isValue(values[0])
}

// Begin refuses a head that no body could make right.
func (v *Verifier) Begin(ctx context.Context, h *verify.Head) (verify.Pending, error) {
	if h == nil || h.ReceivedAt.IsZero() {
		return nil, refuse(verify.ErrMalformed, errNoHead)
	}
	if values := h.Header[signatureHeader]; len(values) == 0 || len(values) == 1 && values[0] == "" {
		return nil, refuse(verify.ErrUnsigned, nil)
	}
	text, err := one(h, signatureHeader, maxHeader)
	if err != nil {
		return nil, err
	}
	in, err := v.input(h)
	if err != nil {
		return nil, err
	}
	p := &pending{v: v, in: in, receivedAt: h.ReceivedAt}
	signatures, ok := parseDictionary(text)
	if !ok {
		return nil, refuse(verify.ErrMalformed, errSignature)
	}
	m, ok := pick(signatures, in.label)
	if !ok || v.o.Label == "" && len(signatures) != 1 {
		return nil, refuse(verify.ErrMalformed, errLabel)
	}
	facts, _ := v.algorithm.facts()
	if p.signature, ok = parseBytes(m.value); !ok || len(p.signature) < facts.least || len(p.signature) > facts.most {
		return nil, refuse(verify.ErrMalformed, errSignature)
	}
	if in.alg != "" && in.alg != facts.name {
		return nil, refuse(verify.ErrMalformed, errAlgorithm)
	}
	if err := v.check(in, h.ReceivedAt); err != nil {
		return nil, err
	}
	if err := v.url.Check(h); err != nil {
		return nil, err
	}
	var base strings.Builder
	for _, name := range in.components {
		value, ok := v.component(h, name)
		if !ok {
			return nil, refuse(verify.ErrMalformed, errComponent)
		}
		fmt.Fprintf(&base, "%q: %s\n", name, value)
		if name == "content-digest" {
			if p.digest, ok = parseDigest(value); !ok {
				return nil, refuse(verify.ErrMalformed, errDigest)
			}
		}
	}
	fmt.Fprintf(&base, `"@signature-params": %s`, in.text)
	p.base = []byte(base.String())
	if p.keys, p.noKey, err = v.ring.Find(ctx, h); err != nil {
		return nil, refuse(verify.ErrUnavailable, err)
	}
	return p, nil
}

// pending is a request whose body is yet to come.
type pending struct {
	v          *Verifier
	in         *input
	receivedAt time.Time
	base       []byte // what is signed
	signature  []byte
	digest     digest
	keys       []key
	noKey      error
}

// Format prints the name of the type, whatever the verb.
func (*pending) Format(s fmt.State, _ rune) { io.WriteString(s, "httpsig.pending") }

// Finish checks the signature, and the body by its digest.
func (p *pending) Finish(_ context.Context, body []byte) (*verify.Delivery, error) {
	var by *key
	for i := range p.keys {
		if p.keys[i].verifies(p.base, p.signature) && by == nil {
			by = &p.keys[i]
		}
	}
	fits := p.digest.fits(body)
	switch {
	case p.noKey != nil:
		return nil, refuse(verify.ErrNoKey, p.noKey)
	case by == nil:
		return nil, refuse(verify.ErrMismatch, nil)
	case !fits:
		return nil, refuse(verify.ErrMismatch, errBody)
	}
	return &verify.Delivery{
		Provider:    provider,
		Scope:       by.scope,
		KeyLabel:    by.label,
		MessageID:   p.in.nonce,
		Fingerprint: verify.NewFingerprint(sha256.Sum256(p.base)),
		SignedAt:    time.Unix(p.in.created, 0).UTC(),
		ReceivedAt:  p.receivedAt,
		Binding:     p.v.Profile().Binding,
		Body:        body,
	}, nil
}

// digest holds the hashes of Content-Digest, each of which may be nil.
type digest struct{ sha256, sha512 []byte }

// fits reports whether a body has the hashes. A digest without any fits each body.
func (d digest) fits(body []byte) bool {
	ok := 1
	if d.sha256 != nil {
		sum := sha256.Sum256(body)
		ok &= subtle.ConstantTimeCompare(sum[:], d.sha256)
	}
	if d.sha512 != nil {
		sum := sha512.Sum512(body)
		ok &= subtle.ConstantTimeCompare(sum[:], d.sha512)
	}
	return ok == 1
}

// target holds the parts of the URL that can be signed.
type target struct{ scheme, authority, path, request string }

var errURL = errors.New("the URL of the endpoint must have a path, at least /, and no user name: it is signed as the sender writes it")

// split cuts a URL.
func split(u endpoint.URL) (target, error) {
	scheme, rest, _ := strings.Cut(u.Base, "://")
	i := strings.IndexByte(rest, '/')
	if i < 0 || strings.Contains(rest[:i], "@") {
		return target{}, errURL
	}
	t := target{scheme: scheme, authority: strings.ToLower(rest[:i]), path: rest[i:], request: strings.TrimPrefix(u.Text, scheme+"://"+rest[:i])}
	port := ":443"
	if scheme == "http" {
		port = ":80"
	}
	t.authority = strings.TrimSuffix(t.authority, port)
	return t, nil
}
