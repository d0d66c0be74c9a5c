// Package bird verifies webhooks of Bird, which was MessageBird.
//
// Bird signs the time, the URL of the endpoint and the SHA-256 of the body, with the signing
// key of the webhook: HMAC-SHA256 over
//
//	<time>
//	<URL>
//	<SHA-256 of the body, 32 bytes>
//
// with a line feed between each two of them, in base64, in the headers
//
//	MessageBird-Signature: <44 characters>
//	MessageBird-Request-Timestamp: 1700000000
//
//	guard := middleware.Protect(bird.Must("https://shop.example/hooks/bird", os.Getenv("BIRD_SIGNING_KEY")))
//
// The URL is configuration: what a request says of its host and path is what a proxy made
// of it. Write it as Bird has it, with its query. The query of a request must be that of
// the URL byte for byte.
//
// MessageBird's older webhooks have the same headers, and sign the query in place of the
// URL, its parameters sorted by name: an endpoint of them sets Options.QueryAlone. Webhooks
// with the header MessageBird-Signature-JWT are another scheme.
//
// Bird's documentation states no window and does not say whether a retry is signed anew. The
// window is 5 minutes at each end. A delivery is known by its message, time and all, so a
// retry that is signed anew runs again although the first was handled, and one that is not
// is refused as too old after 5 minutes: make effects depend on the ids in the body.
//
// # What the signature does not say
//
// The signature does not cover the method, and no header but the two. With
// Options.QueryAlone it does not cover the URL either, but for its query: a delivery for
// another endpoint with the same key and the same query verifies.
//
// Source: https://docs.bird.com/api/notifications-api/api-reference/webhook-subscriptions/verifying-a-webhook-subscription
// and, for the older webhooks, messagebird/go-rest-api (signature).
package bird

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/providers/canonical"
	"github.com/hooknotary/hooknotary/providers/internal/endpoint"
	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

const (
	signatureHeader = "Messagebird-Signature"
	timeHeader      = "Messagebird-Request-Timestamp"
)

// Options holds what an endpoint may choose. The zero value and nil are the defaults.
type Options struct {
	// QueryAlone: the endpoint takes MessageBird's older webhooks, which sign the query and
	// not the rest of the URL.
	QueryAlone bool

	// Window narrows how far the signed time may lie from the receive time, as in
	// scheme.Options. Default: 5 minutes at each end.
	Window verify.Window

	// InsecureAllowShortSecret allows signing keys under 16 bytes.
	InsecureAllowShortSecret bool
}

// Verifier verifies deliveries of Bird at one URL.
type Verifier = canonical.Verifier

// New makes a verifier for the endpoint with this URL, as it was given to Bird, from keys,
// for example [verify.Secrets] of one webhook. A nil o is the zero Options. It returns an
// error for a URL or a signing key that cannot be right.
func New(url string, keys verify.KeySource, o *Options) (*Verifier, error) {
	if o == nil {
		o = &Options{}
	}
	u, err := endpoint.Parse(url)
	if err != nil {
		return nil, fmt.Errorf("bird: %w", err)
	}
	e := &site{url: u, signed: u.Text}
	if o.QueryAlone {
		if e.signed, err = sorted(u.Query); err != nil {
			return nil, fmt.Errorf("bird: %w", err)
		}
	}
	return canonical.New(e.scheme(o), keys, &scheme.Options{Window: o.Window, InsecureAllowShortSecret: o.InsecureAllowShortSecret})
}

// sorted returns a query as MessageBird's older webhooks sign it.
func sorted(query string) (string, error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return "", errors.New("the query of the endpoint's URL cannot be read")
	}
	return values.Encode(), nil
}

// Must makes a verifier for the endpoint with this URL from the signing keys of one webhook:
// one, or several while it is changed. It panics where [New] returns an error, most often
// because an environment variable is not set: a program that cannot verify must not start.
func Must(url string, secrets ...string) *Verifier {
	v, err := New(url, verify.Secrets(secrets...), nil)
	if err != nil {
		panic("bird.Must: " + strings.TrimPrefix(err.Error(), "bird: "))
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
	url    endpoint.URL
	signed string // of the URL
}

// scheme returns how Bird signs for the endpoint.
func (e *site) scheme(o *Options) canonical.Scheme {
	s := canonical.Scheme{
		Distinct: true, Begin: e.begin, Message: e.message,
		Definition: scheme.Definition{
			Provider:   "bird",
			Signatures: []scheme.Signature{{Header: signatureHeader, Encoding: scheme.Base64}},
			Timestamp:  scheme.Timestamp{Header: timeHeader},
			Message:    []scheme.Part{scheme.SignedTime(), scheme.Literal("\n"), scheme.Body()},
			MaxBody:    1 << 20, // no limit is stated; events are far smaller
			Retry:      verify.RetryIdentical,
			Retention:  7 * 24 * time.Hour,
			About: verify.About{
				Title:  "Bird (MessageBird)",
				Signed: "time, URL and SHA-256 of the body, HMAC-SHA256",
				Headers: []verify.HeaderUse{
					{Name: signatureHeader, Use: "the signature, an HMAC-SHA256"},
					{Name: timeHeader, Use: "the time: all of it is signed"},
				},
				NotCovered: []string{"the method, and all headers but the two"},
				Tell:       verify.Tell{Headers: []string{signatureHeader, timeHeader}, Before: verify.NotBeforeBody},
				Links: []string{
					"https://docs.bird.com/api/notifications-api/api-reference/webhook-subscriptions/verifying-a-webhook-subscription",
					"https://docs.bird.com/api/notifications-api/api-reference/webhooks/verifying-a-webhook",
				},
				OutsideVector: "a test of messagebird/go-rest-api, of the older webhooks",
			},
		},
	}
	if o.QueryAlone {
		s.Definition.About.Signed = "time, query and SHA-256 of the body, HMAC-SHA256"
		s.Definition.About.NotCovered = append(s.Definition.About.NotCovered, "the URL but for its query: another endpoint with the same key and query takes the delivery, too")
	}
	return s
}

func (e *site) begin(h *verify.Head) (canonical.Request, error) {
	if err := e.url.Check(h); err != nil {
		return canonical.Request{}, err
	}
	return canonical.Request{Messages: func(body []byte) ([][]byte, error) {
		hash := sha256.Sum256(body)
		return [][]byte{slices.Concat([]byte(e.signed), []byte("\n"), hash[:])}, nil
	}}, nil
}

// message yields what is signed.
func (e *site) message(h *verify.Head, body []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		var at []byte
		if values := h.Header[timeHeader]; len(values) == 1 && values[0] != "" {
			at = []byte(values[0])
		}
		hash := sha256.Sum256(body)
		_ = yield("time, from "+timeHeader, at) && yield("constant", []byte("\n")) && yield("URL, from configuration", []byte(e.signed)) &&
			yield("constant", []byte("\n")) && yield("SHA-256 of the body", hash[:])
	}
}
