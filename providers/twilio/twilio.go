// Package twilio verifies webhooks of Twilio: calls, messages, status callbacks.
//
// Twilio signs the URL of the endpoint, as it was given to Twilio, and behind it the name
// and the value of each field of the form, decoded and sorted by name, with nothing in
// between. The signature is an HMAC-SHA1 with the Auth Token of the account, in base64, in
// the header
//
//	X-Twilio-Signature: <28 characters>
//
//	guard := middleware.Protect(twilio.Must("https://shop.example/hooks/sms", os.Getenv("TWILIO_AUTH_TOKEN")))
//
// The URL is configuration: what a request says of its host and path is what a proxy made
// of it. Write it as Twilio has it, with its query, and without the fragment that sets
// timeouts and retries (#rc=2). Each endpoint has a verifier of its own. The query of a
// request must be that of the URL byte for byte, so that a handler reads no query that was
// not signed. Where each call or message has a query of its own, see Options.AnyQuery.
//
// Twilio is not consistent about the port, so the URL is tried with the default port of its
// scheme and without one. The path is taken as it is: "//" stays "//". An apostrophe in the
// query is also tried as %27.
//
// # JSON
//
// Some products send JSON. Then Twilio adds a parameter bodySHA256, with the SHA-256 of the
// body, to the query, and signs the URL alone. Such an endpoint sets Options.JSON, and has
// the URL without that parameter. A request without it is refused, although its signature
// may be right: nothing would cover its body. The Content-Type is not signed, so it does
// not choose between the two.
//
// # Algorithm
//
// Where a Webhooks Rule of the account signs with HMAC-SHA256 and a shared key, set
// Options.SHA256 and configure that key. The header X-Twilio-Webhooks-Signature-Settings,
// which says so, is not looked at: its sender would choose.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the Auth Token changes. Only the
// replay store can refuse it.
//
// The borders between fields are not signed: BodyHello and From+15550100 is the same text
// as one field "Body" with the value "HelloFrom+15550100". Nor are repetitions, the order
// of the fields, and escapes. So whoever holds a genuine delivery can make other forms that
// verify, and who sends a message can choose where its text could be cut. The Binding of a
// Delivery is verify.BindingChecksum, and the store knows the delivery by the signed text,
// so that one form of it runs, and no second one. A form that parsers may read differently
// is refused. With Options.JSON all bytes of the body are covered.
//
// All endpoints of an account share its Auth Token, and nothing separates the URL from the
// form either. So that a request for /hooks/status does not verify at /hooks, a form is
// refused whose first field, sorted, has a name that starts with no letter; and one in whose
// text the account stands, and that has no field AccountSid. Where an app names parameters
// of its own, it starts their names with letters. Do not give Twilio a URL that is another
// one with letters behind it, /hooks and /hooksA.
//
// # Equal requests
//
// Equal forms at one URL are one event. A menu that a caller goes through twice in one call
// sends the same digits twice, and the second is answered as a repeat, without a handler
// and without TwiML. Such an endpoint has a URL for each step, or sets
// Options.InsecureDistinctByIdempotencyToken.
//
// Twilio tries again when it could not connect, or as the URL's fragment says. A repeat of
// what was handled is acknowledged with an empty response.
//
// Source: https://www.twilio.com/docs/usage/webhooks/webhooks-security,
// https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides, and the request
// validators of twilio/twilio-node and twilio/twilio-java (port, repeated fields, bodySHA256,
// HMAC-SHA256).
package twilio

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"regexp"
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
	maxFields = 1024 // of a form; Twilio sends some fifty
	maxQuery  = 4096 // bytes of the query of a request
)

// Options holds what an endpoint may choose. The zero value and nil are the defaults: forms,
// and HMAC-SHA1.
type Options struct {
	// JSON: the endpoint takes JSON, whose SHA-256 stands in the query. Default: forms.
	JSON bool

	// SHA256: a Webhooks Rule has Twilio sign with HMAC-SHA256, and the secret is the
	// shared key of its Setting. HMAC-SHA1 is then refused. Default: HMAC-SHA1 with the
	// Auth Token.
	SHA256 bool

	// AnyQuery: the URL has no query, and that of each request is its own, as for a status
	// callback whose URL names an order. Nothing separates the query from the form in what
	// is signed, so a form must have AccountSid as the first of its sorted fields, as those
	// of calls and messages have, and what is signed must hold such a field once: then the
	// border cannot be moved. It is not for JSON.
	AnyQuery bool

	// InsecureAllowShortSecret allows secrets under 16 bytes. Auth Tokens have 32.
	InsecureAllowShortSecret bool

	// InsecureDistinctByIdempotencyToken treats an equal request under another
	// I-Twilio-Idempotency-Token as another event; see the package comment. The token
	// is not signed: whoever holds a delivery can make it run again by changing it. The
	// header becomes required.
	InsecureDistinctByIdempotencyToken bool
}

// Verifier verifies deliveries of Twilio at one URL.
type Verifier = canonical.Verifier

// New makes a verifier for the endpoint with this URL, as it was given to Twilio, from keys,
// for example [verify.Secrets] of one account: the Auth Token, and the secondary one while
// they are changed. A nil o is the zero Options. It returns an error for a URL or a secret
// that cannot be right.
func New(url string, keys verify.KeySource, o *Options) (*Verifier, error) {
	if o == nil {
		o = &Options{}
	}
	e := &site{opts: *o}
	var err error
	if e.url, err = endpoint.Parse(url); err != nil {
		return nil, fmt.Errorf("twilio: %w", err)
	}
	switch {
	case o.JSON && len(hashes(e.url.Query)) > 0:
		return nil, errors.New("twilio: the URL of the endpoint has bodySHA256, which Twilio adds to each request: leave it out")
	case o.AnyQuery && o.JSON:
		return nil, errors.New("twilio: AnyQuery is for forms, and not for JSON")
	case o.AnyQuery && strings.Contains(e.url.Text, "?"):
		return nil, errors.New("twilio: the URL of the endpoint has a query, and AnyQuery takes that of each request: leave it out")
	}
	return canonical.New(e.scheme(), keys, &scheme.Options{
		InsecureAllowShortSecret:     o.InsecureAllowShortSecret,
		InsecureDistinctByUnsignedID: o.InsecureDistinctByIdempotencyToken,
	})
}

// Must makes a verifier of forms for the endpoint with this URL from the Auth Tokens of one
// account: one, or two while they are changed. It panics where [New] returns an error, most
// often because an environment variable is not set: a program that cannot verify must not
// start.
func Must(url string, secrets ...string) *Verifier {
	v, err := New(url, verify.Secrets(secrets...), nil)
	if err != nil {
		panic("twilio.Must: " + strings.TrimPrefix(err.Error(), "twilio: "))
	}
	return v
}

// site is one endpoint.
type site struct {
	url  endpoint.URL
	opts Options
}

// scheme returns how Twilio signs for the endpoint.
func (e *site) scheme() canonical.Scheme {
	s := canonical.Scheme{Definition: definition(&e.opts), Binding: verify.BindingChecksum, Begin: e.beginForm, Message: e.message}
	if e.opts.JSON {
		s.Binding, s.Begin = verify.BindingFull, e.beginJSON
	}
	return s
}

var (
	errForm   = errors.New("the body is no form that all parsers read alike, or it has too many fields")
	errBorder = errors.New("the form could begin with the end of a longer URL: its first sorted field starts with no letter, or AccountSid is not a field")
	errHash   = errors.New("the body is not the one whose SHA-256 the URL has in bodySHA256")
	errAnchor = errors.New("with AnyQuery, AccountSid must be the first of the sorted fields, and stand in what is signed once")
	errNoURL  = errors.New("the head has no URL, whose query is signed")
	errQuery  = errors.New("the query is longer than 4096 bytes, or not visible ASCII")
	errNoHash = errors.New("the query does not have one bodySHA256 of 64 lower-case hexadecimal digits beside that of the endpoint's URL: nothing covers the body")
)

// beginJSON finds the SHA-256 of the body in the query.
func (e *site) beginJSON(h *verify.Head) (canonical.Request, error) {
	if h.URL == nil {
		return malformed(errNoURL)
	}
	query := h.URL.RawQuery
	found := hashes(query)
	if len(found) != 1 || len(query) > maxQuery || without(query, found[0]) != e.url.Query {
		return malformed(errNoHash)
	}
	text := strings.TrimPrefix(found[0], hashName)
	want, err := hex.DecodeString(text)
	if err != nil || len(want) != sha256.Size || hex.EncodeToString(want) != text {
		return malformed(errNoHash)
	}
	urls := variants(e.url.Base + "?" + query)
	return canonical.Request{Messages: func(body []byte) ([][]byte, error) {
		if hash := sha256.Sum256(body); subtle.ConstantTimeCompare(hash[:], want) != 1 {
			return nil, errHash
		}
		return messages(urls, nil), nil
	}}, nil
}

// beginForm finds the URLs that may have been signed with a form.
func (e *site) beginForm(h *verify.Head) (canonical.Request, error) {
	text := e.url.Text
	if !e.opts.AnyQuery {
		if err := e.url.Check(h); err != nil {
			return canonical.Request{}, err
		}
	} else {
		switch {
		case h.URL == nil:
			return malformed(errNoURL)
		case len(h.URL.RawQuery) > maxQuery || strings.ContainsFunc(h.URL.RawQuery, func(r rune) bool { return r <= ' ' || r > '~' }):
			return malformed(errQuery)
		case h.URL.RawQuery != "":
			text += "?" + h.URL.RawQuery
		}
	}
	urls := variants(text)
	return canonical.Request{Messages: func(body []byte) ([][]byte, error) {
		fields, ok := form.Parse(body, maxFields)
		if !ok {
			return nil, errForm
		}
		signed := join(fields)
		isAccount := func(f form.Field) bool { return f.Name == "AccountSid" }
		if !form.StartsWithLetter(fields) || anchor.Match(signed) && !slices.ContainsFunc(fields, isAccount) {
			return nil, errBorder
		}
		if e.opts.AnyQuery && (len(fields) == 0 || fields[0].Name != "AccountSid" || !anchored(text, signed)) {
			return nil, errAnchor
		}
		return messages(urls, signed), nil
	}}, nil
}

func malformed(cause error) (canonical.Request, error) {
	return canonical.Request{}, &verify.Error{Reason: verify.ErrMalformed, Cause: cause}
}

// messages returns each URL with what stands behind it.
func messages(urls []string, behind []byte) [][]byte {
	all := make([][]byte, len(urls))
	for i, u := range urls {
		all[i] = slices.Concat([]byte(u), behind)
	}
	return all
}

// anchor is a field AccountSid with its value, as it is signed.
var anchor = regexp.MustCompile(`AccountSidAC[0-9a-f]{32}`)

// anchored reports whether the form begins with the only anchor of the message, so that no
// other border between URL and form makes the same message.
func anchored(url string, form []byte) bool {
	at := anchor.FindAllIndex(append([]byte(url), form...), 2)
	return len(at) == 1 && at[0][0] == len(url)
}

const hashName = "bodySHA256="

// hashes returns the parameters of a query that name the hash of the body.
func hashes(query string) []string {
	var found []string
	for item := range strings.SplitSeq(query, "&") {
		if strings.HasPrefix(item, hashName) {
			found = append(found, item)
		}
	}
	return found
}

// without returns a query without one of its parameters.
func without(query, item string) string {
	switch rest, ok := strings.CutPrefix(query, item); {
	case ok && rest == "":
		return ""
	case ok:
		return rest[1:]
	}
	return strings.Replace(query, "&"+item, "", 1)
}

// variants returns a URL as Twilio may have signed it: with and without a port, and with an
// apostrophe of its query as it is or escaped.
func variants(text string) []string {
	scheme, rest, _ := strings.Cut(text, "://")
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	host, tail := rest[:end], rest[end:]
	colon := strings.LastIndexByte(host, ':')
	// A colon of a user's password or of an IPv6 address is none of a port.
	if colon < strings.LastIndexByte(host, '@') || colon < strings.LastIndexByte(host, ']') {
		colon = -1
	}
	port := ":443"
	if scheme == "http" {
		port = ":80"
	}
	other := host + port
	if colon >= 0 {
		other = host[:colon]
	}
	all := []string{text, scheme + "://" + other + tail}
	if base, query, _ := strings.Cut(tail, "?"); strings.Contains(query, "'") {
		tail = base + "?" + strings.ReplaceAll(query, "'", "%27")
		all = append(all, scheme+"://"+host+tail, scheme+"://"+other+tail)
	}
	return all
}

// join writes names and values as they are signed: sorted, and each pair once.
func join(fields []form.Field) []byte {
	form.Sort(fields)
	b := []byte{}
	for i, f := range fields {
		if i == 0 || f != fields[i-1] {
			b = append(append(b, f.Name...), f.Value...)
		}
	}
	return b
}

// message yields what is signed, but for the port of the URL.
func (e *site) message(h *verify.Head, body []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		query := ""
		if h.URL != nil && h.URL.RawQuery != "" {
			query = "?" + h.URL.RawQuery
		}
		switch {
		case e.opts.JSON:
			_ = yield("URL, from configuration", []byte(e.url.Base)) && yield("query, with the SHA-256 of the body", []byte(query))
			return
		case e.opts.AnyQuery && query != "":
			if !yield("URL, from configuration", []byte(e.url.Text)) || !yield("query", []byte(query)) {
				return
			}
		case !yield("URL, from configuration", []byte(e.url.Text)):
			return
		}
		fields, ok := form.Parse(body, maxFields)
		joined := join(fields)
		if !ok {
			joined = nil
		}
		yield("names and values of the form, sorted", joined)
	}
}

// About returns what people and tools want to know of the scheme, for an endpoint of forms.
func About() verify.About {
	s := (&site{}).scheme()
	return s.About()
}

// definition returns how the engine judges a message of Twilio. Its body is that message.
func definition(o *Options) scheme.Definition {
	d := scheme.Definition{
		Provider:   "twilio",
		MediaType:  "application/x-www-form-urlencoded",
		Signatures: []scheme.Signature{{Header: "X-Twilio-Signature", Encoding: scheme.Base64, Algorithm: scheme.InsecureHMACSHA1}},
		Message:    []scheme.Part{scheme.Body()},
		UnsignedID: "I-Twilio-Idempotency-Token",
		MaxBody:    1 << 20, // Twilio states no limit; forms have a few KiB
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour, // no time is signed, so longer than retries go on
		About: verify.About{
			Title:   "Twilio",
			Signed:  "URL, and names and values of the form, HMAC-SHA1",
			Headers: []verify.HeaderUse{{Name: "X-Twilio-Signature", Use: "the signature, an HMAC-SHA1 over the URL and the sorted fields of the form"}},
			NotCovered: []string{
				"the time: there is none, so a captured delivery verifies until the Auth Token changes",
				"the borders between the fields of the form, their order and repetitions: whoever holds a delivery can cut the same text otherwise",
				"the idempotency token (I-Twilio-Idempotency-Token)",
				"the Content-Type: whether a body is a form or JSON is a setting of the endpoint",
			},
			Credentials: []verify.Credential{
				{Prefix: "AC", Length: 34, What: "the SID of an account"},
				{Prefix: "SK", Length: 34, What: "the SID of an API key"},
			},
			Tell:  verify.Tell{Headers: []string{"X-Twilio-Signature"}, Before: verify.NotBeforeBody},
			Links: []string{"https://www.twilio.com/docs/usage/webhooks/webhooks-security", "https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides"},
			OtherMedia: []verify.MediaNote{{
				Type: "application/json",
				Text: "The product sends JSON, and the endpoint takes forms.",
				Fix:  "Give JSON an endpoint of its own, with twilio.Options.JSON.",
			}},
			OutsideVector: "tests of twilio/twilio-python, twilio-node and twilio-java",
		},
	}
	if o.SHA256 {
		d.Signatures[0].Algorithm = scheme.HMACSHA256
		d.About.Signed = "URL, and names and values of the form, HMAC-SHA256"
		d.About.Headers[0].Use = "the signature, an HMAC-SHA256 over the URL and the sorted fields of the form"
	}
	if o.JSON {
		d.MediaType = "application/json"
		d.About.Signed = strings.Replace(d.About.Signed, "and names and values of the form", "which holds the SHA-256 of the body", 1)
		d.About.Headers[0].Use = strings.Replace(d.About.Headers[0].Use, "and the sorted fields of the form", "with its query, which holds the SHA-256 of the body", 1)
		d.About.NotCovered = append(d.About.NotCovered[:1:1], d.About.NotCovered[2:]...)
		d.About.OtherMedia = nil
	}
	return d
}
