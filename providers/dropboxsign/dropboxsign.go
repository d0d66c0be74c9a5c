// Package dropboxsign verifies the events of Dropbox Sign, which was HelloSign.
//
// A delivery is multipart/form-data with one part that is called json. Dropbox Sign signs
// the time and the type of the event inside of it, and nothing else: event.event_hash is an
// HMAC-SHA256 in lower-case hexadecimal, under the API key of the account, over event_time and
// event_type without anything between them.
//
//	v, err := dropboxsign.New(verify.Secrets(os.Getenv("DROPBOX_SIGN_API_KEY")), &dropboxsign.Options{InsecureBodyNotCovered: true})
//
// # What is not signed
//
// Everything that the event is about: the request for a signature, the account, who signed.
// Whoever holds one genuine delivery can put any event of its type under its hash, for three
// days. So the Binding of a Delivery is verify.BindingNone, and New wants to be told that
// you know it. Take what matters from the API of Dropbox Sign, by the id of the request.
//
// Two events of one type in one second have the same hash, so a store knows an event by its
// whole body: an equal body does not run again, which serves honest retries. It stops no
// attacker, who can change a byte.
//
// The API key is also what your server uses the API with. Only the primary key signs.
//
// # Time, retries, and the response
//
// Dropbox Sign retries for about three days, so the window reaches 3 days and 6 hours into
// the past. It takes a delivery for received if the response has status 200 and the text
// "Hello API Event Received", which the handler has to write.
//
// Source: https://developers.hellosign.com/docs/events/walkthrough/
package dropboxsign

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"mime/multipart"
	"strconv"
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/providers/internal/inbody"
	"github.com/hooknotary/hooknotary/providers/internal/strictjson"
	"github.com/hooknotary/hooknotary/verify"
)

const (
	maxBody   = 1 << 20
	maxValues = 16384 // of the JSON
)

// Options holds what an endpoint may choose.
type Options struct {
	// InsecureBodyNotCovered says that you know that the time and the type of an event are
	// signed, and nothing else. It is required.
	InsecureBodyNotCovered bool
}

// Event is what a delivery says.
type Event struct {
	Time time.Time // signed, in seconds
	Type string    // signed: "signature_request_signed"

	// UnsignedJSON is the part json, which anyone who holds a genuine delivery can write, but
	// for the time and the type. It is the caller's.
	UnsignedJSON []byte
}

// New makes a verifier. The options are required, because of InsecureBodyNotCovered.
func New(keys verify.KeySource, o *Options) (verify.Verifier, error) {
	if o == nil || !o.InsecureBodyNotCovered {
		return nil, errors.New("dropboxsign: the signature covers nothing of the event but its time and type; if you know that, set Options.InsecureBodyNotCovered")
	}
	v, err := inbody.New(scheme, keys)
	if err != nil {
		return nil, err
	}
	return v, nil
}

// InsecureMust makes a verifier from the API keys of one endpoint: one, or several while
// they are rolled. The name says that the signature does not cover the body: it is [New]
// with Options.InsecureBodyNotCovered. It panics where New returns an error, most often
// because an environment variable is not set: a program that cannot verify must not start.
func InsecureMust(secrets ...string) verify.Verifier {
	v, err := New(verify.Secrets(secrets...), &Options{InsecureBodyNotCovered: true})
	if err != nil {
		panic("dropboxsign.InsecureMust: " + strings.TrimPrefix(err.Error(), "dropboxsign: "))
	}
	return v
}

// EventOf returns the event of a delivery that a verifier of this package returned. It is an
// error if d is of another verifier, or nil.
func EventOf(d *verify.Delivery) (*Event, error) {
	if d == nil || d.Provider != "dropboxsign" {
		return nil, errors.New("dropboxsign: this is no delivery of Dropbox Sign")
	}
	m, err := parse(d.Body)
	if err != nil {
		return nil, errors.New("dropboxsign: the body of the delivery is not the one that was verified")
	}
	return &m.Event, nil
}

// About returns what people and tools want to know of the scheme.
func About() verify.About {
	return verify.About{
		Title:       "Dropbox Sign",
		Signed:      "time and type of the event in the body, HMAC-SHA256",
		InBody:      true,
		Headers:     []verify.HeaderUse{},
		NotCovered:  []string{"the event but for its time and type: whoever holds a genuine delivery can put another event of the type under its hash"},
		EqualBodies: true,
		Credentials: []verify.Credential{},
		Tell:        verify.Tell{Headers: []string{}, Before: verify.NotBeforeBody},
		Links: []string{
			"https://developers.hellosign.com/docs/events/walkthrough/",
			"https://developers.hellosign.com/api/manual-reference-pages/glossary/callbacks-events",
		},
		OutsideVector: "a test of hellosign/dropbox-sign-python",
	}
}

var scheme = &inbody.Scheme{
	Profile: verify.Profile{
		Provider:  "dropboxsign",
		MediaType: "multipart/form-data",
		MaxBody:   maxBody, // Dropbox Sign states no limit; an event has a few KiB
		Window:    verify.Window{Past: 3*24*time.Hour + 6*time.Hour, Future: 5 * time.Minute},
		Binding:   verify.BindingNone,
		Retry:     verify.RetryIdentical,
		Retention: 7 * 24 * time.Hour, // Dropbox Sign retries for 3 days
	},
	About:       About,
	Hash:        sha256.New,
	EqualBodies: true,
	Read: func(body []byte) (*inbody.Signed, error) {
		m, err := parse(body)
		if err != nil {
			return nil, err
		}
		return &inbody.Signed{
			Items: []inbody.Item{{Messages: [][]byte{m.message}, Signatures: [][]byte{m.mac}}},
			At:    m.Time,
		}, nil
	},
}

// Causes of refusals. They hold nothing of the request.
var (
	errForm  = errors.New("the body is not multipart with one part that is called json")
	errTime  = errors.New("event_time is not a time in 10 digits")
	errType  = errors.New("event_type is not a name in lower case")
	errHash  = errors.New("event_hash is not 64 lower-case hexadecimal digits")
	errValue = errors.New("a member of event is not of its type")
)

func malformed(cause error) error { return inbody.Refuse(verify.ErrMalformed, cause) }

// message is a body that has the right form.
type message struct {
	Event
	message, mac []byte
}

// parse reads a body.
func parse(body []byte) (*message, error) {
	text, ok := part(body)
	if !ok {
		return nil, malformed(errForm)
	}
	v, err := strictjson.Parse(text, maxValues)
	if err != nil {
		return nil, malformed(err)
	}
	v, err = v.Get("event")
	switch {
	case err != nil:
		return nil, malformed(err)
	case v.Kind != strictjson.Object:
		return nil, inbody.Refuse(verify.ErrUnsigned, nil)
	}
	var values [3]string
	for i, name := range [...]string{"event_time", "event_type", "event_hash"} {
		m, err := v.Get(name)
		if err == nil && m.Kind != 0 && m.Kind != strictjson.String && (i != 0 || m.Kind != strictjson.Number) {
			err = errValue
		}
		if err != nil {
			return nil, malformed(err)
		}
		values[i] = m.Text
	}
	if values[2] == "" {
		return nil, inbody.Refuse(verify.ErrUnsigned, nil)
	}
	seconds, err := strconv.ParseUint(values[0], 10, 63) // which takes no sign
	if err != nil || len(values[0]) != 10 {
		return nil, malformed(errTime)
	}
	// No digit, so the two that stand side by side split in one way only.
	if values[1] == "" || len(values[1]) > 100 || strings.Trim(values[1], "abcdefghijklmnopqrstuvwxyz_") != "" {
		return nil, malformed(errType)
	}
	mac, err := hex.DecodeString(values[2])
	if err != nil || len(mac) != sha256.Size || hex.EncodeToString(mac) != values[2] {
		return nil, malformed(errHash)
	}
	return &message{
		Event:   Event{Time: time.Unix(int64(seconds), 0).UTC(), Type: values[1], UnsignedJSON: text},
		message: []byte(values[0] + values[1]),
		mac:     mac,
	}, nil
}

// part returns the content of the one part of a body. The boundary is the one that the body
// starts with: the header that names it is not signed.
func part(body []byte) ([]byte, bool) {
	line, _, ok := bytes.Cut(body, []byte("\r\n"))
	boundary, dashes := strings.CutPrefix(string(line), "--")
	if !ok || !dashes || !inbody.IsName(boundary, "-_'()+,./:=?", 70) || !bytes.HasSuffix(bytes.TrimRight(body, "\r\n"), []byte("\r\n--"+boundary+"--")) {
		return nil, false
	}
	r := multipart.NewReader(bytes.NewReader(body), boundary)
	p, err := r.NextRawPart()
	if err != nil || p.FormName() != "json" || p.FileName() != "" {
		return nil, false
	}
	text, err := io.ReadAll(io.LimitReader(p, maxBody))
	if err != nil {
		return nil, false
	}
	if _, err := r.NextRawPart(); err != io.EOF {
		return nil, false
	}
	return text, true
}
