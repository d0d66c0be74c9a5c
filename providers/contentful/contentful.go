// Package contentful verifies webhooks of Contentful, and the requests of its apps.
//
// Contentful signs the method, the path with its query, headers that it names, and the body,
// with the signing secret of the space or app: HMAC-SHA256 over
//
//	POST
//	<path>
//	<name>:<value>;<name>:<value>
//	<body>
//
// in hexadecimal, in the headers
//
//	X-Contentful-Signature: <64 hex digits>
//	X-Contentful-Signed-Headers: <names in lower case, sorted, separated by commas>
//	X-Contentful-Timestamp: <milliseconds>
//
//	guard := middleware.Protect(contentful.Must("https://shop.example/hooks/contentful", os.Getenv("CONTENTFUL_SIGNING_SECRET")))
//
// The list of names and the time are always among the headers that are signed; a delivery
// in which they are not is refused. The path is that of the URL of the endpoint, which is
// configuration: what a request says of its path is what a proxy made of it. The query of a
// request must be that of the URL byte for byte.
//
// Contentful's own library takes a request for 30 seconds. This package takes it for 5
// minutes at each end; Options.Window narrows that.
//
// An event is known by X-Contentful-Idempotency-Key, if that header is among those that are
// signed, and else by its message, time and all. The documentation does not say whether a
// retry is signed anew, so a repeat of a finished event is acknowledged and does not run.
//
// # Which headers are signed
//
// Contentful decides which headers are signed. What it does not name is not covered, even
// X-Contentful-Topic. Options.Require lists headers without which a delivery is refused; a
// handler that reads a header must list it there. A header that is named, and is absent or
// empty, is refused, and so are one that stands there twice, and one whose value could be
// read as a further header of the list.
//
// # What the signature does not say
//
// The signature does not cover the scheme and host of the URL, nor any header that it does
// not name. All webhooks of a space share its signing secret.
//
// Source: https://www.contentful.com/developers/docs/webhooks/request-verification/ and the
// library contentful/node-apps-toolkit (src/requests), which says how the path is escaped.
package contentful

import (
	"errors"
	"fmt"
	"iter"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/providers/canonical"
	"github.com/hooknotary/hooknotary/providers/internal/endpoint"
	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

const (
	namesHeader = "X-Contentful-Signed-Headers"
	timeHeader  = "X-Contentful-Timestamp"
	idHeader    = "X-Contentful-Idempotency-Key"

	maxNames = 32
	maxValue = 4 << 10 // bytes of a header that is signed
	maxID    = 256
	window   = 5 * time.Minute
)

// Options holds what an endpoint may choose. The zero value and nil are the defaults.
type Options struct {
	// Require lists headers, in any spelling, that must be among those that are signed.
	// Default: none but the list of names and the time.
	Require []string

	// MediaType is the Content-Type of the webhook, without parameters. Default:
	// application/vnd.contentful.management.v1+json, which is that of a webhook whose
	// settings do not say otherwise.
	MediaType string

	// Window narrows how far the signed time may lie from the receive time, as in
	// scheme.Options. Default: 5 minutes at each end.
	Window verify.Window

	// InsecureAllowShortSecret allows secrets under 16 bytes. Contentful's have 64.
	InsecureAllowShortSecret bool
}

// Verifier verifies deliveries of Contentful at one URL.
type Verifier = canonical.Verifier

// New makes a verifier for the endpoint with this URL, as it was given to Contentful, from
// keys, for example [verify.Secrets] of one space. A nil o is the zero Options. It returns an
// error for a URL, a secret or options that cannot be right.
func New(url string, keys verify.KeySource, o *Options) (*Verifier, error) {
	if o == nil {
		o = &Options{}
	}
	e := &site{require: slices.Clone(o.Require)}
	var err error
	if e.url, err = endpoint.Parse(url); err != nil {
		return nil, fmt.Errorf("contentful: %w", err)
	}
	if e.path, err = pathOf(e.url); err != nil {
		return nil, fmt.Errorf("contentful: %w", err)
	}
	for i, name := range e.require {
		if e.require[i] = strings.ToLower(name); !isName(e.require[i]) {
			return nil, fmt.Errorf("contentful: Require has %q, want the name of a header", name)
		}
	}
	return canonical.New(e.scheme(o), keys, &scheme.Options{Window: o.Window, InsecureAllowShortSecret: o.InsecureAllowShortSecret})
}

// Must makes a verifier for the endpoint with this URL from the signing secrets of one
// space: one, or several while it is changed. It panics where [New] returns an error, most
// often because an environment variable is not set: a program that cannot verify must not
// start.
func Must(url string, secrets ...string) *Verifier {
	v, err := New(url, verify.Secrets(secrets...), nil)
	if err != nil {
		panic("contentful.Must: " + strings.TrimPrefix(err.Error(), "contentful: "))
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
	url     endpoint.URL
	path    string   // with its query, as it is signed
	require []string // in lower case
}

// pathOf returns the path and the query of a URL as they are signed: what a path may hold
// stays, and of a query every character that is no letter, digit or mark is escaped twice.
func pathOf(u endpoint.URL) (string, error) {
	_, rest, _ := strings.Cut(u.Base, "://")
	path := "/"
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		path = rest[i:]
	}
	const marks = "-_.!~*'()"
	letter := func(c byte) bool {
		return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z' || strings.IndexByte(marks, c) >= 0
	}
	for i := range len(path) {
		if !letter(path[i]) && strings.IndexByte(";,/:@&=+$", path[i]) < 0 {
			return "", errors.New("the path of the endpoint's URL has an escape, or a character that should be one: Contentful's library does not say how it is signed")
		}
	}
	if u.Query == "" {
		return path, nil
	}
	if strings.Contains(u.Query, "?") {
		return "", errors.New("the query of the endpoint's URL has a question mark: Contentful's library would sign a part of it")
	}
	b := append([]byte(path), '?')
	for i := range len(u.Query) {
		if c := u.Query[i]; letter(c) {
			b = append(b, c)
		} else {
			b = fmt.Appendf(b, "%%25%02X", c)
		}
	}
	return string(b), nil
}

var (
	errNames = errors.New("X-Contentful-Signed-Headers is missing or repeated, or does not list names in lower case, sorted, with its own and that of the time")
	errTime  = errors.New("X-Contentful-Timestamp is missing, repeated or not a time in milliseconds")
	errNeed  = errors.New("a header that the endpoint requires is not signed")
	errValue = errors.New("a signed header is missing, repeated, empty or too long, or is not visible ASCII")
	errSplit = errors.New("the value of a signed header could be read as a further header")
)

// scheme returns how Contentful signs for the endpoint.
func (e *site) scheme(o *Options) canonical.Scheme {
	mediaType := o.MediaType
	if mediaType == "" {
		mediaType = "application/vnd.contentful.management.v1+json"
	}
	return canonical.Scheme{
		Window: verify.Window{Past: window, Future: window}, Distinct: true,
		Headers: []string{namesHeader, timeHeader}, Begin: e.begin, Message: e.message,
		Definition: scheme.Definition{
			Provider:   "contentful",
			MediaType:  mediaType,
			Signatures: []scheme.Signature{{Header: "X-Contentful-Signature"}},
			Message:    []scheme.Part{scheme.Body()},
			MaxBody:    4 << 20, // no limit is stated; an entry in many languages is large
			Retry:      verify.RetryIdentical,
			Retention:  24 * time.Hour,
			About: verify.About{
				Title:  "Contentful",
				Signed: "method, path, time, headers that it names, and body, HMAC-SHA256",
				Headers: []verify.HeaderUse{
					{Name: "X-Contentful-Signature", Use: "the signature, an HMAC-SHA256"},
					{Name: namesHeader, Use: "the names of the headers that are signed: all of it is signed"},
					{Name: timeHeader, Use: "the time: all of it is signed"},
				},
				NotCovered: []string{
					"each header that X-Contentful-Signed-Headers does not name: require those that the handler reads, such as X-Contentful-Topic",
					"the scheme and the host of the URL",
					"which webhook of the space it is for: they share its signing secret",
				},
				Credentials: []verify.Credential{{Prefix: "CFPAT-", What: "a personal access token", Secret: true}},
				Tell:        verify.Tell{Headers: []string{"X-Contentful-Signature", namesHeader}, Before: verify.NotBeforeBody},
				Links:       []string{"https://www.contentful.com/developers/docs/webhooks/request-verification/", "https://www.contentful.com/developers/docs/webhooks/headers/"},
			},
		},
	}
}

// begin reads the headers that are signed.
func (e *site) begin(h *verify.Head) (canonical.Request, error) {
	if signature := h.Header["X-Contentful-Signature"]; len(signature) == 0 || len(signature) == 1 && signature[0] == "" {
		return canonical.Request{}, &verify.Error{Reason: verify.ErrUnsigned}
	}
	if err := e.url.Check(h); err != nil {
		return canonical.Request{}, err
	}
	at, ok := timeOf(h)
	if !ok {
		return malformed(errTime)
	}
	list := h.Header[namesHeader]
	if len(list) != 1 || len(list[0]) > maxValue {
		return malformed(errNames)
	}
	names := strings.Split(list[0], ",")
	if len(names) > maxNames || !slices.Contains(names, strings.ToLower(namesHeader)) || !slices.Contains(names, strings.ToLower(timeHeader)) {
		return malformed(errNames)
	}
	r := canonical.Request{SignedAt: at}
	before := []byte("POST\n" + e.path + "\n")
	start := len(before)
	for i, name := range names {
		if !isName(name) || i > 0 && name <= names[i-1] {
			return malformed(errNames)
		}
		key := http.CanonicalHeaderKey(name)
		values := h.Header[key]
		if len(values) != 1 || !isValue(values[0]) {
			return malformed(errValue)
		}
		if key == idHeader && len(values[0]) <= maxID && !strings.Contains(values[0], " ") {
			r.ID = values[0]
		}
		if i > 0 {
			before = append(before, ';')
		}
		before = append(append(append(before, name...), ':'), values[0]...)
	}
	for _, name := range e.require {
		if !slices.Contains(names, name) {
			return malformed(errNeed)
		}
	}
	if len(field.FindAllIndex(before[start:], len(names)+1)) != len(names) {
		return malformed(errSplit)
	}
	before = append(before, '\n')
	r.Messages = func(body []byte) ([][]byte, error) { return [][]byte{slices.Concat(before, body)}, nil }
	return r, nil
}

// field is where a header of the message begins. If there are as many as names, the message
// has one reading.
var field = regexp.MustCompile(`(?:^|;)[a-z0-9-]+:`)

func malformed(cause error) (canonical.Request, error) {
	return canonical.Request{}, &verify.Error{Reason: verify.ErrMalformed, Cause: cause}
}

// timeOf reads the time: 13 digits, as it has from 2001 to 2286.
func timeOf(h *verify.Head) (time.Time, bool) {
	values := h.Header[timeHeader]
	if len(values) != 1 || len(values[0]) != 13 || values[0][0] == '0' || strings.Trim(values[0], "0123456789") != "" {
		return time.Time{}, false
	}
	n, err := strconv.ParseInt(values[0], 10, 64)
	return time.UnixMilli(n).UTC(), err == nil
}

// isName reports whether s is the name of a header in lower case that can be signed. Host
// is none, which net/http takes out of the header.
func isName(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == "" && s != "host" && s != "x-contentful-signature"
}

// isValue reports whether a header may have that value.
func isValue(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return s != "" && len(s) <= maxValue && strings.TrimSpace(s) == s
}

// message yields what is signed.
func (e *site) message(h *verify.Head, body []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		list := ""
		if values := h.Header[namesHeader]; len(values) == 1 {
			list = values[0]
		}
		if !yield("method, and path from configuration", []byte("POST\n"+e.path+"\n")) {
			return
		}
		for i, name := range strings.Split(list, ",") {
			key := http.CanonicalHeaderKey(name)
			var value []byte
			if values := h.Header[key]; len(values) == 1 {
				value = append([]byte{}, values[0]...)
			}
			mark := name + ":"
			if i > 0 {
				mark = ";" + mark
			}
			if !yield("name of a header, from "+namesHeader, []byte(mark)) || !yield("header "+key, value) {
				return
			}
		}
		_ = yield("constant", []byte("\n")) && yield("body", body)
	}
}
