// Package mandrill verifies webhooks of Mailchimp Transactional, which was called Mandrill.
//
// Mandrill signs the URL of the webhook, as it was given to Mandrill, and behind it the name
// and the value of the one field of the form, which holds the events as JSON. The signature
// is an HMAC-SHA1 with the key of the webhook, in base64, in the header
//
//	X-Mandrill-Signature: <28 characters>
//
//	guard := middleware.Protect(mandrill.Must("https://shop.example/hooks/mandrill", os.Getenv("MANDRILL_WEBHOOK_KEY")))
//
// The URL is configuration: what a request says of its host and path is what a proxy made
// of it. Write it as Mandrill has it, to the last slash, with its query and with a password
// if it has one. The query of a request must be that of the URL byte for byte. Each webhook
// has a URL and a key of its own.
//
// The handler parses the form, and then the field mandrill_events. A body with any other
// field, or with that one twice, is refused: nothing separates fields in what is signed.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the key changes. Only the replay
// store can refuse it. The members ts of the events are in the body, and are signed.
//
// How the characters of the field are escaped is not signed, and changes nothing of its
// value. Equal values are one delivery.
//
// A delivery holds up to 1,000 events. One that fails is sent again, all of it; a repeat of
// what was handled is acknowledged and does not run.
//
// The webhooks of audiences (Mailchimp Marketing) are another product, and have no
// signature. Mandrill looks whether the URL answers while a webhook is added: where it does
// so with another method than POST, or before the endpoint knows the key, put the guard in
// front afterwards.
//
// Source: https://mailchimp.com/developer/transactional/docs/webhooks/ and
// https://mandrill.zendesk.com/hc/en-us/articles/360039232513-How-to-Authenticate-Webhook-Requests.
package mandrill

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

const fieldName = "mandrill_events"

// Options holds what an endpoint may choose. The zero value and nil are the defaults.
type Options struct {
	// InsecureAllowShortSecret allows keys under 16 bytes. Mandrill's have 22.
	InsecureAllowShortSecret bool
}

// Verifier verifies deliveries of Mandrill at one URL.
type Verifier = canonical.Verifier

// New makes a verifier for the webhook with this URL, as it was given to Mandrill, from keys,
// for example [verify.Secrets] of one webhook. A nil o is the zero Options. It returns an
// error for a URL or a key that cannot be right.
func New(url string, keys verify.KeySource, o *Options) (*Verifier, error) {
	if o == nil {
		o = &Options{}
	}
	u, err := endpoint.Parse(url)
	if err != nil {
		return nil, fmt.Errorf("mandrill: %w", err)
	}
	s := (&site{u}).scheme()
	return canonical.New(s, keys, &scheme.Options{InsecureAllowShortSecret: o.InsecureAllowShortSecret})
}

// Must makes a verifier for the webhook with this URL from its keys: one, or several while
// it is reset. It panics where [New] returns an error, most often because an environment
// variable is not set: a program that cannot verify must not start.
func Must(url string, secrets ...string) *Verifier {
	v, err := New(url, verify.Secrets(secrets...), nil)
	if err != nil {
		panic("mandrill.Must: " + strings.TrimPrefix(err.Error(), "mandrill: "))
	}
	return v
}

// About returns what people and tools want to know of the scheme.
func About() verify.About {
	s := (&site{}).scheme()
	return s.About()
}

// site is one endpoint.
type site struct{ url endpoint.URL }

var errForm = errors.New("the body is no form with " + fieldName + " as its one field")

// scheme returns how Mandrill signs for the endpoint.
func (e *site) scheme() canonical.Scheme {
	return canonical.Scheme{
		Begin: e.begin, Message: e.message,
		Definition: scheme.Definition{
			Provider:   "mandrill",
			MediaType:  "application/x-www-form-urlencoded",
			Signatures: []scheme.Signature{{Header: "X-Mandrill-Signature", Encoding: scheme.Base64, Algorithm: scheme.InsecureHMACSHA1}},
			Message:    []scheme.Part{scheme.Body()},
			MaxBody:    32 << 20, // 1,000 events, some of which hold a message that came in
			Retry:      verify.RetryIdentical,
			Retention:  7 * 24 * time.Hour, // no time is signed, so longer than retries go on
			About: verify.About{
				Title:   "Mandrill (Mailchimp Transactional)",
				Signed:  "URL, and the field " + fieldName + ", HMAC-SHA1",
				Headers: []verify.HeaderUse{{Name: "X-Mandrill-Signature", Use: "the signature, an HMAC-SHA1 over the URL and the field"}},
				NotCovered: []string{
					"the time: there is none, so a captured delivery verifies until the key changes",
					"how the characters of the form are escaped: its value is covered whole",
				},
				Tell:  verify.Tell{Name: "Mandrill", Headers: []string{"X-Mandrill-Signature"}, Before: verify.NotBeforeBody},
				Links: []string{"https://mandrill.zendesk.com/hc/en-us/articles/360039232513-How-to-Authenticate-Webhook-Requests", "https://mailchimp.com/developer/transactional/docs/webhooks/"},
			},
		},
	}
}

func (e *site) begin(h *verify.Head) (canonical.Request, error) {
	if err := e.url.Check(h); err != nil {
		return canonical.Request{}, err
	}
	return canonical.Request{Messages: func(body []byte) ([][]byte, error) {
		value, ok := field(body)
		if !ok {
			return nil, errForm
		}
		return [][]byte{slices.Concat([]byte(e.url.Text), []byte(fieldName), []byte(value))}, nil
	}}, nil
}

// field returns the value of the one field of the form.
func field(body []byte) (string, bool) {
	fields, ok := form.Parse(body, 1)
	if !ok || len(fields) != 1 || fields[0].Name != fieldName {
		return "", false
	}
	return fields[0].Value, true
}

// message yields what is signed.
func (e *site) message(_ *verify.Head, body []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		var piece []byte
		if value, ok := field(body); ok {
			piece = []byte(fieldName + value)
		}
		_ = yield("URL, from configuration", []byte(e.url.Text)) && yield("name and value of "+fieldName, piece)
	}
}
