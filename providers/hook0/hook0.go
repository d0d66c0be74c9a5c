// Package hook0 verifies webhooks that are sent by Hook0, and those of senders that sign as
// it does, such as the Coinbase Developer Platform.
//
// Hook0 signs the time, headers that it names, and the body, with the secret of the
// subscription: HMAC-SHA256 over
//
//	<time>.<names>.<values, joined by dots>.<body>
//
// in hexadecimal, in the header
//
//	X-Hook0-Signature: t=1700000000,h=content-type x-event-id x-event-type,v1=<64 hex digits>
//
//	guard := middleware.Protect(hook0.Must(os.Getenv("HOOK0_SECRET")))
//
// Another item, v0, is the older version: it covers the time and the body, and no header. A
// verifier looks at one version alone, so that neither rescues the other: at v1, or with
// Options.BodyAlone at v0. Whoever holds a delivery with both could leave out v1, and then
// change the headers.
//
// Each attempt is signed anew. An event is known by X-Event-Id, if that header is among
// those that are signed. Otherwise a delivery is known by its message, and a retry of what
// was handled runs again.
//
// # Which headers are signed
//
// The sender decides which headers are signed. What it does not name is not covered, even if
// this package knows the header. Options.Require lists headers without which a delivery is
// refused; a handler that reads a header must list it there. A header that is named and
// absent is refused, and so is one that stands there twice.
//
// Nothing but dots separates the values and the body. So that nobody can move a border, one
// header alone may have dots in its value, X-Event-Type or Options.Dotted, a value has no
// brace and no bracket, and a body is a JSON object or array.
//
// # Coinbase
//
// NewCoinbaseCDP and MustCoinbaseCDP are for webhooks of the Coinbase Developer Platform,
// which sends both versions. The webhooks of Coinbase Commerce are signed otherwise.
//
// # What the signature does not say
//
// The signature does not cover the URL, the method, nor any header that it does not name.
//
// Source: https://documentation.hook0.com/tutorials/webhook-authentication,
// https://docs.cdp.coinbase.com/webhooks/verify-signatures, and clients/conformance of
// hook0/hook0.
package hook0

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/providers/canonical"
	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

const (
	header   = "X-Hook0-Signature"
	idHeader = "X-Event-Id"
	dotted   = "X-Event-Type"

	maxHeader = 4 << 10 // bytes of the signature's header
	maxNames  = 16
	maxValue  = 1 << 10 // bytes of a header that is signed
	maxID     = 256
)

// Options holds what an endpoint may choose. The zero value and nil are the defaults.
type Options struct {
	// Require lists headers, in any spelling, that must be among those that are signed.
	// Default: none. It is not for BodyAlone.
	Require []string

	// Dotted names the one header, in any spelling, that may have dots in its value.
	// Default: X-Event-Type.
	Dotted string

	// BodyAlone judges v0, which covers the time and the body and no header, for a sender
	// that has no v1. No id is signed then.
	BodyAlone bool

	// Window narrows how far the signed time may lie from the receive time, as in
	// scheme.Options. Default: 5 minutes at each end.
	Window verify.Window

	// InsecureAllowShortSecret allows secrets under 16 bytes.
	InsecureAllowShortSecret bool
}

// Verifier verifies deliveries that are signed as Hook0 signs.
type Verifier = canonical.Verifier

// New makes a verifier from keys, for example [verify.Secrets] of one subscription. A nil o
// is the zero Options. It returns an error for a secret or options that cannot be right.
func New(keys verify.KeySource, o *Options) (*Verifier, error) { return hook0.verifier(keys, o) }

// Must makes a verifier from the secrets of one subscription: one, or several while it is
// changed. It panics where [New] returns an error, most often because an environment
// variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *Verifier { return hook0.must("hook0.Must: ", secrets) }

// About returns what people and tools want to know of the scheme.
func About() verify.About { return hook0.about() }

// NewCoinbaseCDP is New for webhooks of the Coinbase Developer Platform.
func NewCoinbaseCDP(keys verify.KeySource, o *Options) (*Verifier, error) {
	return coinbase.verifier(keys, o)
}

// MustCoinbaseCDP is Must for webhooks of the Coinbase Developer Platform.
func MustCoinbaseCDP(secrets ...string) *Verifier {
	return coinbase.must("hook0.MustCoinbaseCDP: ", secrets)
}

// AboutCoinbaseCDP is About for webhooks of the Coinbase Developer Platform.
func AboutCoinbaseCDP() verify.About { return coinbase.about() }

// sender is who signs in this way.
type sender struct {
	name, title string
	links       []string
	outside     string
}

var (
	hook0 = sender{"hook0", "Hook0", []string{
		"https://documentation.hook0.com/tutorials/webhook-authentication", "https://documentation.hook0.com/explanation/webhook-retry-logic",
	}, "the conformance tests of hook0/hook0"}
	coinbase = sender{"coinbasecdp", "Coinbase Developer Platform", []string{"https://docs.cdp.coinbase.com/webhooks/verify-signatures"}, ""}
)

func (s sender) verifier(keys verify.KeySource, o *Options) (*Verifier, error) {
	if o == nil {
		o = &Options{}
	}
	e := &site{require: slices.Clone(o.Require), dotted: dotted}
	for i, name := range e.require {
		if e.require[i] = strings.ToLower(name); !isName(e.require[i]) {
			return nil, fmt.Errorf("%s: Require has %q, want the name of a header that can be signed", s.name, name)
		}
	}
	if o.Dotted != "" {
		if e.dotted = http.CanonicalHeaderKey(o.Dotted); !isName(strings.ToLower(e.dotted)) {
			return nil, fmt.Errorf("%s: Dotted is %q, want the name of a header that can be signed", s.name, o.Dotted)
		}
	}
	if o.BodyAlone && (len(o.Require) > 0 || o.Dotted != "") {
		return nil, fmt.Errorf("%s: with BodyAlone no header is signed: Require and Dotted must be empty", s.name)
	}
	return canonical.New(e.scheme(s, o.BodyAlone), keys, &scheme.Options{Window: o.Window, InsecureAllowShortSecret: o.InsecureAllowShortSecret})
}

func (s sender) must(who string, secrets []string) *Verifier {
	v, err := s.verifier(verify.Secrets(secrets...), nil)
	if err != nil {
		panic(who + strings.TrimPrefix(err.Error(), s.name+": "))
	}
	return v
}

func (s sender) about() verify.About {
	c := (&site{}).scheme(s, false)
	return c.About()
}

// site is one endpoint.
type site struct {
	require []string // in lower case
	dotted  string   // canonical
}

// scheme returns how a sender signs for the endpoint.
func (e *site) scheme(s sender, bodyAlone bool) canonical.Scheme {
	c := canonical.Scheme{
		Distinct: true, Begin: e.begin, Message: e.message,
		Definition: scheme.Definition{
			Provider:        s.name,
			Signatures:      []scheme.Signature{{Header: header, Field: "v1", Separator: ",", Assign: "="}},
			Timestamp:       scheme.Timestamp{Field: "t"},
			Message:         []scheme.Part{scheme.SignedTime(), scheme.Literal("."), scheme.Body()},
			MaxBody:         1 << 20, // no limit is stated; events are far smaller
			Retry:           verify.RetryResigned,
			RetriesRunAgain: true,               // where X-Event-Id is not signed
			Retention:       7 * 24 * time.Hour, // retries go on for days
			About: verify.About{
				Title:   s.title,
				Signed:  "time, headers that it names, and body, HMAC-SHA256",
				Headers: []verify.HeaderUse{{Name: header, Use: "t is the time and is signed; h names the headers whose values are signed; v1 is the signature; other items are ignored"}},
				NotCovered: []string{
					"each header that h does not name: require those that the handler reads",
					"the URL and the method",
					"v0, the older version: it covers no header, and counts only where an option says so",
				},
				Tell:          verify.Tell{Name: "Hook0, or a sender that signs alike", Headers: []string{header}, Before: verify.NotBeforeBody},
				Links:         s.links,
				OutsideVector: s.outside,
			},
		},
	}
	if bodyAlone {
		c.Begin, c.Message = e.beginBody, e.messageBody
		c.Definition.Signatures[0].Field = "v0"
		c.Definition.About.Signed = "time and body, HMAC-SHA256"
		c.Definition.About.Headers[0].Use = "t is the time and is signed; v0 is the signature; other items are ignored"
	}
	return c
}

var (
	errNames = errors.New("h does not name headers as the scheme does, or names one twice")
	errList  = errors.New("the header of the signature has several h")
	errLong  = errors.New("the header of the signature is too long")
	errNeed  = errors.New("a header that the endpoint requires is not signed")
	errValue = errors.New("a signed header is missing, repeated, too long, or has a character that would make its border uncertain")
	errJSON  = errors.New("the body is no JSON object or array")
)

// begin reads the headers that the signature names.
func (e *site) begin(h *verify.Head) (canonical.Request, error) {
	head, names, named, err := split(h)
	if err != nil {
		return canonical.Request{}, err
	}
	r := canonical.Request{Head: head}
	if !named { // then no v1 can be right
		return canonical.Request{}, &verify.Error{Reason: verify.ErrUnsigned}
	}
	list := strings.Split(names, " ")
	if len(list) > maxNames {
		return malformed(errNames)
	}
	before := []byte(names)
	for i, name := range list {
		if !isName(name) || slices.Contains(list[:i], name) {
			return malformed(errNames)
		}
		key := http.CanonicalHeaderKey(name)
		values := h.Header[key]
		if len(values) != 1 || !e.isValue(key, values[0]) {
			return malformed(errValue)
		}
		if key == idHeader && len(values[0]) <= maxID && !strings.Contains(values[0], " ") {
			r.ID = values[0]
		}
		before = append(append(before, '.'), values[0]...)
	}
	for _, name := range e.require {
		if !slices.Contains(list, name) {
			return malformed(errNeed)
		}
	}
	before = append(before, '.')
	r.Messages = func(body []byte) ([][]byte, error) {
		if !isJSON(body) {
			return nil, errJSON
		}
		return [][]byte{slices.Concat(before, body)}, nil
	}
	return r, nil
}

// beginBody leaves the body as it is.
func (e *site) beginBody(h *verify.Head) (canonical.Request, error) {
	head, _, _, err := split(h)
	if err != nil {
		return canonical.Request{}, err
	}
	return canonical.Request{Head: head, Messages: func(body []byte) ([][]byte, error) {
		// What v1 signs looks like the body of v0, but for its first character.
		if !isJSON(body) {
			return nil, errJSON
		}
		return [][]byte{body}, nil
	}}, nil
}

// split takes the names of the signed headers out of the header of the signature. The engine
// judges the rest of that header, and also one that is absent or repeated.
func split(h *verify.Head) (head *verify.Head, names string, named bool, err error) {
	values := h.Header[header]
	if len(values) != 1 || values[0] == "" {
		return nil, "", true, one(values)
	}
	if len(values[0]) > maxHeader {
		_, err := malformed(errLong)
		return nil, "", false, err
	}
	var rest []string
	for item := range strings.SplitSeq(values[0], ",") {
		text, ok := strings.CutPrefix(item, "h=")
		switch {
		case !ok:
			rest = append(rest, item)
		case named:
			_, err := malformed(errList)
			return nil, "", false, err
		default:
			names, named = text, true
		}
	}
	if len(rest) == 0 {
		return nil, "", false, &verify.Error{Reason: verify.ErrUnsigned}
	}
	c := *h
	c.Header = maps.Clone(h.Header)
	c.Header[header] = []string{strings.Join(rest, ",")}
	return &c, names, named, nil
}

// one refuses a header of the signature that does not stand there once.
func one(values []string) error {
	if len(values) > 1 {
		return &verify.Error{Reason: verify.ErrMalformed, Cause: errValue}
	}
	return &verify.Error{Reason: verify.ErrUnsigned}
}

func malformed(cause error) (canonical.Request, error) {
	return canonical.Request{}, &verify.Error{Reason: verify.ErrMalformed, Cause: cause}
}

// isName reports whether s is the name of a header in lower case that can be signed. Host
// is none, which net/http takes out of the header.
func isName(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == "" &&
		s != "host" && !strings.EqualFold(s, header)
}

// isValue reports whether a header may have that value.
func (e *site) isValue(key, value string) bool {
	if value == "" || len(value) > maxValue || value[0] == ' ' || value[len(value)-1] == ' ' {
		return false
	}
	for i := range len(value) {
		switch c := value[i]; {
		case c < ' ' || c > '~' || c == '{' || c == '[':
			return false
		case c == '.' && key != e.dotted:
			return false
		}
	}
	return true
}

// isJSON reports whether a body begins as a JSON object or array does.
func isJSON(body []byte) bool {
	return bytes.HasPrefix(body, []byte("{")) || bytes.HasPrefix(body, []byte("["))
}

// message yields what is signed.
func (e *site) message(h *verify.Head, body []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		at, names := items(h)
		if !yield("time, from "+header, at) || !yield("constant", []byte(".")) || !yield("names of headers, from "+header, names) {
			return
		}
		for name := range strings.FieldsSeq(string(names)) {
			key := http.CanonicalHeaderKey(name)
			var value []byte
			if values := h.Header[key]; len(values) == 1 && values[0] != "" {
				value = []byte(values[0])
			}
			if !yield("constant", []byte(".")) || !yield("header "+key, value) {
				return
			}
		}
		_ = yield("constant", []byte(".")) && yield("body", body)
	}
}

// messageBody yields what is signed by v0.
func (e *site) messageBody(h *verify.Head, body []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		at, _ := items(h)
		_ = yield("time, from "+header, at) && yield("constant", []byte(".")) && yield("body", body)
	}
}

// items returns the time and the names in the header of the signature, or nil.
func items(h *verify.Head) (at, names []byte) {
	if values := h.Header[header]; len(values) == 1 {
		for item := range strings.SplitSeq(values[0], ",") {
			switch name, text, _ := strings.Cut(item, "="); {
			case name == "t" && at == nil && text != "":
				at = []byte(text)
			case name == "h" && names == nil && text != "":
				names = []byte(text)
			}
		}
	}
	return at, names
}
