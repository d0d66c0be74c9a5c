// Package mailgun verifies webhooks of Mailgun.
//
// Mailgun signs a time and a random token, and nothing of the event. The three stand in the
// body, in its member signature: an HMAC-SHA256 in lower-case hexadecimal, under the HTTP
// webhook signing key of the account, over the time and the token without anything between
// them.
//
//	v, err := mailgun.New(verify.Secrets(os.Getenv("MAILGUN_WEBHOOK_SIGNING_KEY")), &mailgun.Options{InsecureBodyNotCovered: true})
//
// # What is not signed
//
// The event: all of event-data. Whoever holds one genuine triple of time, token and
// signature, for 9 hours, can put any event under it. So the Binding of a Delivery is
// verify.BindingNone, and New wants to be told that you know it. The token is the MessageID
// of a Delivery: a guard binds it to the first body that it comes in, and refuses another
// one as verify.ErrForged. What remains is an interceptor who keeps the genuine delivery
// from arriving. Take what matters from Mailgun's API, by the id of the event or of the
// message.
//
// For an event of a subaccount, the body also holds parent-signature, under the key of the
// primary account. Either one is enough: the keys of the endpoint say whose it is. Whoever
// holds such a body can leave out one of the two, so an endpoint that has the keys of both
// accounts gives them one scope: under two, the event could run once for each.
//
// # Time and repeats
//
// Mailgun retries for 8 hours, unless the response has status 200 or 406. Whether a retry has
// a token of its own is not documented; in case it has not, the window reaches 9 hours into
// the past, and a store knows a delivery by what is signed. If it has, an event whose response
// got lost comes twice: event-data has an id, which nobody signs.
//
// Source: https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks
package mailgun

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/providers/internal/form"
	"github.com/hooknotary/hooknotary/providers/internal/inbody"
	"github.com/hooknotary/hooknotary/providers/internal/strictjson"
	"github.com/hooknotary/hooknotary/verify"
)

const (
	maxValues   = 16384 // of a body
	maxFields   = 1000  // of a form
	tokenLength = 50
)

// Options holds what an endpoint may choose.
type Options struct {
	// InsecureBodyNotCovered says that you know that a time and a token are signed, and
	// nothing of the event. It is required.
	InsecureBodyNotCovered bool

	// Form takes bodies of the media type application/x-www-form-urlencoded, with the fields
	// timestamp, token and signature: Mailgun's older webhooks, and messages that a route
	// forwards. Such an endpoint takes no JSON.
	Form bool
}

// New makes a verifier. The options are required, because of InsecureBodyNotCovered.
func New(keys verify.KeySource, o *Options) (verify.Verifier, error) {
	if o == nil || !o.InsecureBodyNotCovered {
		return nil, errors.New("mailgun: the signature covers nothing of the event; if you know that, set Options.InsecureBodyNotCovered")
	}
	v, err := inbody.New(schemeOf(o.Form), keys)
	if err != nil {
		return nil, err
	}
	return v, nil
}

// InsecureMust makes a verifier from the signing keys of one endpoint: one, or several while they
// are rolled. The name says that the signature does not cover the body: it is [New] with
// Options.InsecureBodyNotCovered. It panics where New returns an error, most often because
// an environment variable is not set: a program that cannot verify must not start.
func InsecureMust(secrets ...string) verify.Verifier {
	v, err := New(verify.Secrets(secrets...), &Options{InsecureBodyNotCovered: true})
	if err != nil {
		panic("mailgun.InsecureMust: " + strings.TrimPrefix(err.Error(), "mailgun: "))
	}
	return v
}

// About returns what people and tools want to know of the scheme.
func About() verify.About {
	return verify.About{
		Title:       "Mailgun",
		Signed:      "time and token in the body, HMAC-SHA256",
		InBody:      true,
		Headers:     []verify.HeaderUse{},
		NotCovered:  []string{"the event: whoever holds a genuine delivery can put another event under its signature"},
		Credentials: []verify.Credential{{Prefix: "pubkey-", What: "a public key of the API"}},
		Tell:        verify.Tell{Headers: []string{}, Before: verify.NotBeforeBody},
		Links: []string{
			"https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks",
			"https://help.mailgun.com/hc/en-us/articles/202236504-Webhooks",
		},
		OutsideVector: "a test of mailgun/mailgun-php",
	}
}

func schemeOf(isForm bool) *inbody.Scheme {
	s := &inbody.Scheme{
		Profile: verify.Profile{
			Provider:  "mailgun",
			MediaType: "application/json",
			MaxBody:   1 << 20, // Mailgun states no limit; an event has a few KiB
			Window:    verify.Window{Past: 9 * time.Hour, Future: 5 * time.Minute},
			Binding:   verify.BindingNone,
			Retry:     verify.RetryIdentical,
			Retention: 24 * time.Hour, // Mailgun retries for 8 hours
		},
		About: About,
		Hash:  sha256.New,
		Read:  readJSON,
	}
	if isForm {
		s.Profile.MediaType = "application/x-www-form-urlencoded"
		s.Profile.MaxBody = 25 << 20 // a route forwards messages of up to 25 MB
		s.Read = readForm
	}
	return s
}

// Causes of refusals. They hold nothing of the request.
var (
	errForm      = errors.New("the body is no form, or a field of the signature stands there twice")
	errTime      = errors.New("timestamp is not a time in 10 digits")
	errToken     = errors.New("token is not 50 letters and digits")
	errSignature = errors.New("signature is not 64 lower-case hexadecimal digits")
	errValue     = errors.New("a member of signature is not of its type")
)

func malformed(cause error) error { return inbody.Refuse(verify.ErrMalformed, cause) }

// readJSON reads a body with the members signature and event-data.
func readJSON(body []byte) (*inbody.Signed, error) {
	v, err := strictjson.Parse(body, maxValues)
	if err != nil {
		return nil, malformed(err)
	}
	v, err = v.Get("signature")
	switch {
	case err != nil:
		return nil, malformed(err)
	case v.Kind != strictjson.Object:
		return nil, inbody.Refuse(verify.ErrUnsigned, nil)
	}
	var texts [4]string
	for i, name := range [...]string{"timestamp", "token", "signature", "parent-signature"} {
		m, err := v.Get(name)
		if err == nil && m.Kind != 0 && m.Kind != strictjson.String && (i != 0 || m.Kind != strictjson.Number) {
			err = errValue
		}
		if err != nil {
			return nil, malformed(err)
		}
		texts[i] = m.Text
	}
	return read(texts[0], texts[1], texts[2], texts[3])
}

// readForm reads a form with the fields timestamp, token and signature.
func readForm(body []byte) (*inbody.Signed, error) {
	fields, ok := form.Parse(body, maxFields)
	if !ok {
		return nil, malformed(errForm)
	}
	values := make(map[string]string)
	for _, f := range fields {
		switch f.Name {
		case "timestamp", "token", "signature":
			if _, twice := values[f.Name]; twice {
				return nil, malformed(errForm)
			}
			values[f.Name] = f.Value
		}
	}
	return read(values["timestamp"], values["token"], values["signature"], "")
}

// read reads what is signed. Each value has a fixed length, so the two that stand side by
// side split in one way only.
func read(timestamp, token, signature, parent string) (*inbody.Signed, error) {
	if signature == "" {
		return nil, inbody.Refuse(verify.ErrUnsigned, nil)
	}
	seconds, err := strconv.ParseUint(timestamp, 10, 63) // which takes no sign
	if err != nil || len(timestamp) != 10 {
		return nil, malformed(errTime)
	}
	if len(token) != tokenLength || !inbody.IsName(token, "", tokenLength) {
		return nil, malformed(errToken)
	}
	item := inbody.Item{Messages: [][]byte{[]byte(timestamp + token)}}
	for _, text := range [...]string{signature, parent} {
		if text == "" {
			continue
		}
		mac, err := hex.DecodeString(text)
		if err != nil || len(mac) != sha256.Size || hex.EncodeToString(mac) != text {
			return nil, malformed(errSignature)
		}
		item.Signatures = append(item.Signatures, mac)
	}
	return &inbody.Signed{Items: []inbody.Item{item}, At: time.Unix(int64(seconds), 0).UTC(), MessageID: token}, nil
}
