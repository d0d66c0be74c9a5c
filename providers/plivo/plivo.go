// Package plivo verifies webhooks of Plivo, by version 3 of its signatures.
//
// Plivo signs the URL of the endpoint with its query sorted, the fields of the form, and a
// nonce, with the Auth Token of the account: HMAC-SHA256 over
//
//	<URL>?<sorted query>.<names and values of the form, sorted>.<nonce>
//
// in base64, in the headers
//
//	X-Plivo-Signature-V3: <44 characters>, or several, separated by commas
//	X-Plivo-Signature-V3-Nonce: <digits>
//
//	guard := middleware.Protect(plivo.Must("https://shop.example/hooks/plivo", os.Getenv("PLIVO_AUTH_TOKEN")))
//
// Without a query the form stands behind the question mark, and without a form its dot is
// not there. The URL is configuration: write it as Plivo has it, with its query, and without
// the fragment that sets timeouts and retries. Each endpoint has a verifier of its own. The
// query of a request must be that of the URL byte for byte.
//
// Plivo's libraries do not agree whether the query is signed as it is or without its
// escapes, so both are tried. They do not agree about a name that stands in it twice, so
// such a URL is refused.
//
// A subaccount has an Auth Token of its own. Options.MainAccount takes the signature that
// is always the main account's, X-Plivo-Signature-Ma-V3. Version 2 of the signatures covers
// neither the query nor the form, and is not looked at.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the Auth Token changes. Only the
// replay store can refuse it. It knows a delivery by the signed text, nonce and all.
//
// The borders between fields are not signed, nor are their order and their escapes: whoever
// holds a genuine delivery can cut the same text into other fields. So the Binding of a
// Delivery is verify.BindingChecksum, its MessageID is the nonce, and the guard binds a
// nonce to the first body that came with it. A form that parsers may read differently is
// refused.
//
// The form stands right behind the URL, too, and all endpoints of an account share its Auth
// Token. So that a request for another URL does not verify, a form is refused whose first
// field, sorted, has a name that starts with no letter. Do not give Plivo a URL without a
// query, and the same one with a query whose first name sorts before those of the form.
//
// # Retries
//
// Plivo tries a callback of a message again after 1, 3 and 7 minutes, and one of a call as
// the URL's fragment says. Its documentation does not say whether an attempt has a nonce of
// its own. If it has, an attempt whose predecessor was handled runs again: make effects
// depend on MessageUUID or CallUUID.
//
// Source: https://docs.plivo.com/docs/voice/xml/request/validation,
// https://support.plivo.com/hc/en-us/articles/360041344652 (retries), and the libraries
// plivo/plivo-go (utils.go), plivo-python (signature_v3.py) and plivo-node (v3Security.js).
package plivo

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/providers/canonical"
	"github.com/hooknotary/hooknotary/providers/internal/endpoint"
	"github.com/hooknotary/hooknotary/providers/internal/form"
	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

const (
	maxFields = 1024 // of a form; Plivo sends some thirty
	maxNonce  = 128  // bytes; Plivo's has 20
	nonceName = "X-Plivo-Signature-V3-Nonce"
)

// Options holds what an endpoint may choose. The zero value and nil are the defaults.
type Options struct {
	// MainAccount takes the signature of the main account, X-Plivo-Signature-Ma-V3, whose
	// Auth Token is the secret. Default: that of the account or subaccount.
	MainAccount bool

	// InsecureAllowShortSecret allows secrets under 16 bytes. Auth Tokens have 40.
	InsecureAllowShortSecret bool
}

// Verifier verifies deliveries of Plivo at one URL.
type Verifier = canonical.Verifier

// New makes a verifier for the endpoint with this URL, as it was given to Plivo, from keys,
// for example [verify.Secrets] of one account. A nil o is the zero Options. It returns an
// error for a URL or a secret that cannot be right.
func New(url string, keys verify.KeySource, o *Options) (*Verifier, error) {
	if o == nil {
		o = &Options{}
	}
	e := &site{}
	var err error
	if e.url, err = endpoint.Parse(url); err != nil {
		return nil, fmt.Errorf("plivo: %w", err)
	}
	if e.urls, err = variants(e.url); err != nil {
		return nil, fmt.Errorf("plivo: %w", err)
	}
	return canonical.New(e.scheme(o), keys, &scheme.Options{InsecureAllowShortSecret: o.InsecureAllowShortSecret})
}

// Must makes a verifier for the endpoint with this URL from the Auth Tokens of one account:
// one, or several while they are changed. It panics where [New] returns an error, most often
// because an environment variable is not set: a program that cannot verify must not start.
func Must(url string, secrets ...string) *Verifier {
	v, err := New(url, verify.Secrets(secrets...), nil)
	if err != nil {
		panic("plivo.Must: " + strings.TrimPrefix(err.Error(), "plivo: "))
	}
	return v
}

// About returns what people and tools want to know of the scheme.
func About() verify.About {
	s := (&site{}).scheme(&Options{})
	return s.About()
}

// site is one endpoint.
type site struct {
	url  endpoint.URL
	urls []string // with the query sorted, as Plivo may have signed it
}

// variants returns the URL with its query sorted, as it is and without its escapes.
func variants(u endpoint.URL) ([]string, error) {
	if u.Query == "" {
		return []string{u.Base}, nil
	}
	decoded, ok := form.Parse([]byte(u.Query), maxFields)
	if !ok {
		return nil, errors.New("the query of the endpoint's URL must consist of name=value, separated by &")
	}
	form.Sort(decoded)
	var pairs []string
	for i, f := range decoded {
		if i > 0 && f.Name == decoded[i-1].Name {
			return nil, errors.New("a name stands twice in the query of the endpoint's URL: Plivo's libraries do not agree on what is signed")
		}
		pairs = append(pairs, f.Name+"="+f.Value)
	}
	raw := strings.Split(u.Query, "&")
	slices.SortFunc(raw, func(a, b string) int {
		a, _, _ = strings.Cut(a, "=")
		b, _, _ = strings.Cut(b, "=")
		return strings.Compare(a, b)
	})
	return slices.Compact([]string{u.Base + "?" + strings.Join(raw, "&"), u.Base + "?" + strings.Join(pairs, "&")}), nil
}

var (
	errForm   = errors.New("the body is no form that all parsers read alike, or it has too many fields")
	errBorder = errors.New("the form could begin with the end of a longer URL: its first sorted field starts with no letter")
	errNonce  = errors.New("the nonce is missing, repeated, too long or not letters and digits")
)

// scheme returns how Plivo signs for the endpoint.
func (e *site) scheme(o *Options) canonical.Scheme {
	header := "X-Plivo-Signature-V3"
	if o.MainAccount {
		header = "X-Plivo-Signature-Ma-V3"
	}
	return canonical.Scheme{
		Binding: verify.BindingChecksum, Distinct: true, Headers: []string{nonceName}, Begin: e.begin, Message: e.message,
		Definition: scheme.Definition{
			Provider:   "plivo",
			MediaType:  "application/x-www-form-urlencoded",
			Signatures: []scheme.Signature{{Header: header, Separator: ",", Encoding: scheme.Base64}},
			Message:    []scheme.Part{scheme.Body()},
			MaxBody:    1 << 20, // Plivo states no limit; forms have a few KiB
			Retry:      verify.RetryIdentical,
			Retention:  7 * 24 * time.Hour, // no time is signed, so longer than retries go on
			About: verify.About{
				Title:  "Plivo",
				Signed: "URL, names and values of the form, and a nonce, HMAC-SHA256",
				Headers: []verify.HeaderUse{
					{Name: header, Use: "the signature, an HMAC-SHA256, of which there may be several"},
					{Name: nonceName, Use: "the nonce: all of it is signed"},
				},
				NotCovered: []string{
					"the time: there is none, so a captured delivery verifies until the Auth Token changes",
					"the borders between the fields of the form, and their order: whoever holds a delivery can cut the same text otherwise",
					"the signatures of version 2 (X-Plivo-Signature-V2), which cover neither query nor form",
				},
				Tell:          verify.Tell{Headers: []string{header, nonceName}, Before: verify.NotBeforeBody},
				Links:         []string{"https://docs.plivo.com/docs/voice/xml/request/validation", "https://support.plivo.com/hc/en-us/articles/360041344652"},
				OutsideVector: "tests of plivo/plivo-go",
			},
		},
	}
}

// begin reads the nonce.
func (e *site) begin(h *verify.Head) (canonical.Request, error) {
	if err := e.url.Check(h); err != nil {
		return canonical.Request{}, err
	}
	values := h.Header[nonceName]
	if len(values) != 1 || !isNonce(values[0]) {
		if len(h.Header["X-Plivo-Signature-V3"])+len(h.Header["X-Plivo-Signature-Ma-V3"]) == 0 {
			return canonical.Request{}, &verify.Error{Reason: verify.ErrUnsigned}
		}
		return canonical.Request{}, &verify.Error{Reason: verify.ErrMalformed, Cause: errNonce}
	}
	nonce := values[0]
	return canonical.Request{MessageID: nonce, Messages: func(body []byte) ([][]byte, error) {
		fields, ok := form.Parse(body, maxFields)
		if !ok {
			return nil, errForm
		}
		behind := append(e.behind(fields), "."+nonce...)
		if !form.StartsWithLetter(fields) { // behind has sorted them
			return nil, errBorder
		}
		all := make([][]byte, len(e.urls))
		for i, u := range e.urls {
			all[i] = slices.Concat([]byte(u), behind)
		}
		return all, nil
	}}, nil
}

// isNonce reports whether s is a nonce. One with a dot could not be told from the form in
// front of it.
func isNonce(s string) bool {
	for i := range len(s) {
		if c := s[i] | 0x20; (s[i] < '0' || s[i] > '9') && (c < 'a' || c > 'z') && s[i] != '-' {
			return false
		}
	}
	return s != "" && len(s) <= maxNonce
}

// behind returns the form as it is signed behind the URL.
func (e *site) behind(fields []form.Field) []byte {
	if len(fields) == 0 {
		return []byte{}
	}
	b := []byte("?")
	if e.url.Query != "" {
		b = []byte(".")
	}
	form.Sort(fields)
	for _, f := range fields {
		b = append(append(b, f.Name...), f.Value...)
	}
	return b
}

// message yields what is signed, with the query as it is.
func (e *site) message(h *verify.Head, body []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		var behind, nonce []byte
		if fields, ok := form.Parse(body, maxFields); ok {
			behind = e.behind(fields)
		}
		if values := h.Header[nonceName]; len(values) == 1 && values[0] != "" {
			nonce = []byte(values[0])
		}
		_ = yield("URL, from configuration, its query sorted", []byte(e.urls[0])) && yield("names and values of the form, sorted", behind) &&
			yield("constant", []byte(".")) && yield("nonce, from "+nonceName, nonce)
	}
}
