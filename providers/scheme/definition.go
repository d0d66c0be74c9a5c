package scheme

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/verify"
)

// Definition describes how a provider signs. It is plain data; New copies what
// it needs.
type Definition struct {
	// Provider is the provider's name: lower-case letters, digits and hyphens.
	// Required.
	Provider string

	// MediaType is the one Content-Type of the endpoint. Default:
	// application/json.
	MediaType string

	// Signatures says where the signature stands. Several entries are
	// alternatives in falling strength: the first one whose header the request
	// carries decides, and a weaker one never rescues it. Required.
	Signatures []Signature

	// Message is what is signed, in order. It contains Body exactly once, and
	// SignedTime exactly once if there is a Timestamp. Required.
	Message []Part

	// Timestamp says where the signed time stands. Zero: none is signed.
	Timestamp Timestamp

	// ID says where the signed id of the event stands. Zero: there is none.
	ID ID

	// Secret says how a secret's text becomes a key. Zero: the text's bytes.
	Secret Secret

	// UnsignedID and UnsignedType name headers outside the signature that hold
	// the provider's delivery id and event type. They end up in
	// Delivery.Unsigned, or not at all if they are repeated, longer than 256
	// bytes, or anything but visible ASCII.
	UnsignedID, UnsignedType string

	// BodyPrefix is what every body starts with, such as the name of the one field
	// of a form. A body that is signed but starts otherwise is refused as
	// verify.ErrMediaType. Default: none.
	BodyPrefix string

	// Partition names a header outside the signature by whose value the sender
	// tells honest events with equal bodies apart. Only values of a closed list
	// count: Partitions, which is the list of an endpoint that does not say
	// otherwise, or Options.Partitions in its place.
	Partition  string
	Partitions []string

	// MaxBody, Retry and Retention are as in verify.Profile.
	// MaxBody is required.
	MaxBody   int64
	Retry     verify.Retry
	Retention time.Duration

	// RetriesRunAgain says that the definition knows what RetryResigned means without
	// a signed ID: an honest retry is another message that nothing ties to the first
	// one, so it runs again, also where only the response to the first was lost. New
	// refuses such a definition that does not say so.
	RetriesRunAgain bool

	// About is what people and tools want to know of the scheme. What follows from
	// the rest may be left out: Describe fills it in. A secret that is one of
	// About.Credentials is refused.
	About verify.About
}

// Signature says where a signature stands and how it is written. There are two
// forms: one bare value behind a Prefix, or, with Field set, a list of named
// items.
type Signature struct {
	// Header is the header's name, in any spelling.
	Header string

	// Prefix is a constant text before a bare value, "sha256=". May be empty.
	Prefix string

	// Field is the name of the items that are signatures, "v1". Items are
	// separated by Separator and consist of a name, Assign and a value. Items
	// with other names are ignored, because providers add schemes in this way. A
	// signature that does not decode, such as an empty one, is skipped beside one
	// that does; it counts towards the limit of 16 as every item does.
	Field, Separator, Assign string

	Encoding  Encoding
	Algorithm Algorithm
}

// Encoding is how a signature is written as text.
type Encoding uint8

const (
	Hex    Encoding = iota // lower case
	Base64                 // standard alphabet, padded
)

// Timestamp says where a signed time stands.
type Timestamp struct {
	Header string // a header of its own, or
	Field  string // an item of the signature's header
	Unit   Unit
	// Window is how far the time may lie from the receive time. Default for each
	// end: 5 minutes.
	Window verify.Window
}

// Unit is what a decimal timestamp counts.
type Unit uint8

const (
	Seconds Unit = iota // since 1970, UTC
	Milliseconds
)

// ID says where the signed id of an event stands: in a header that is part of
// the message, or in the body. An id that does not have the form is no id; the
// event is then known by its message.
type ID struct {
	// Header names a header that Message contains.
	Header string
	// Member names a member of the body's top-level JSON object whose value is a
	// string. The first such member counts, and only if it has no escapes.
	Member string
	// Prefix is what the id starts with.
	Prefix string
	// Repeated lists ids that the provider gives to any number of events, such as those
	// that its dashboard sends for a test. Such an id is no id: it would make the second
	// of them a replay of the first.
	Repeated []string
}

// Secret says how a secret's text becomes a key.
type Secret struct {
	// Encoding says how the text encodes the key. Prefix, if the text has it, is cut
	// off first.
	Encoding SecretEncoding
	Prefix   string
	// Refuse lists prefixes of what is refused as a secret besides
	// About.Credentials.
	Refuse []string
}

// SecretEncoding is how the text of a secret encodes a key.
type SecretEncoding uint8

const (
	TextSecret   SecretEncoding = iota // the key is the bytes of the text
	Base64Secret                       // standard alphabet, padded
)

// Part is a piece of a signed message. Make one with the functions below.
type Part struct {
	kind PartKind
	text string
}

// Literal is a constant text.
func Literal(text string) Part { return Part{LiteralPart, text} }

// SignedTime is the signed time, byte for byte as it was received.
func SignedTime() Part { return Part{kind: TimePart} }

// Field is the value of a header: 1 to 256 bytes of visible ASCII. It must be
// followed by a Literal, which its value may not contain, so that two messages
// never look alike.
func Field(name string) Part { return Part{FieldPart, http.CanonicalHeaderKey(name)} }

// URL is Options.URL, the URL of the endpoint.
func URL() Part { return Part{kind: URLPart} }

// Body is the body, byte for byte.
func Body() Part { return Part{kind: BodyPart} }

const (
	maxHeader     = 4 << 10 // bytes of a signature's header
	maxCandidates = 16
	maxValue      = 256 // bytes of any other header, and of an id
	maxParts      = 8
	minSecret     = 16

	defaultWindow = 5 * time.Minute
	maxWindow     = 30 * 24 * time.Hour
)

// check returns a copy of d with defaults filled in and names in canonical form,
// or says what is wrong with it. These are mistakes of a programmer.
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
	if d.Secret.Encoding > Base64Secret {
		return nil, errors.New("the Secret has an unknown Encoding")
	}
	if d.Secret.Prefix != "" && d.Secret.Encoding == TextSecret {
		return nil, errors.New("Secret.Prefix is cut off only if Secret.Encoding is not TextSecret")
	}
	if d.MaxBody <= 0 {
		return nil, errors.New("MaxBody must be positive")
	}
	if d.Retention < 0 {
		return nil, errors.New("the Retention must not be negative")
	}
	if slices.ContainsFunc(d.About.Credentials, func(c verify.Credential) bool { return c.Prefix == "" }) {
		return nil, errors.New("one of About.Credentials has no Prefix")
	}
	d.UnsignedID = http.CanonicalHeaderKey(d.UnsignedID)
	d.UnsignedType = http.CanonicalHeaderKey(d.UnsignedType)
	d.Partition = http.CanonicalHeaderKey(d.Partition)
	d.Partitions = slices.Clone(d.Partitions)
	if len(d.Partitions) > 0 && d.Partition == "" {
		return nil, errors.New("there are Partitions, but no Partition header")
	}
	if err := checkPartitions("Partitions", d.Partitions); err != nil {
		return nil, err
	}
	d.Secret.Refuse = slices.Clone(d.Secret.Refuse)
	d.ID.Repeated = slices.Clone(d.ID.Repeated)
	d.About = d.About.Clone()
	if err := d.checkSignatures(); err != nil {
		return nil, err
	}
	if err := d.checkTimestamp(); err != nil {
		return nil, err
	}
	if err := d.checkMessage(); err != nil {
		return nil, err
	}
	return &d, nil
}

// checkPartitions checks a list of values of a partition header.
func checkPartitions(name string, values []string) error {
	for _, value := range values {
		if len(value) > maxValue || !visible(value) {
			return fmt.Errorf("%s has %q, want 1 to %d bytes of visible ASCII", name, value, maxValue)
		}
	}
	return nil
}

func (d *Definition) checkSignatures() error {
	if len(d.Signatures) == 0 {
		return errors.New("there is no Signature")
	}
	d.Signatures = slices.Clone(d.Signatures)
	for i := range d.Signatures {
		s := &d.Signatures[i]
		s.Header = http.CanonicalHeaderKey(s.Header)
		switch {
		case s.Header == "":
			return errors.New("a Signature has no Header")
		case s.Encoding > Base64 || s.Algorithm > InsecureHMACSHA1:
			return errors.New("a Signature has an unknown Encoding or Algorithm")
		case i > 0 && s.Algorithm.size() >= d.Signatures[i-1].Algorithm.size():
			return errors.New("alternative Signatures must stand in falling strength of their Algorithm")
		case slices.ContainsFunc(d.Signatures[:i], func(other Signature) bool { return other.Header == s.Header }):
			return errors.New("alternative Signatures must stand in different headers")
		case s.Field == "" && (s.Separator != "" || s.Assign != ""):
			return errors.New("a Signature has Separator or Assign, but no Field")
		case s.Field != "" && (len(s.Separator) != 1 || len(s.Assign) != 1 || s.Separator == s.Assign || s.Prefix != ""):
			return errors.New("a Signature with Field needs a Separator and another Assign, of one character each, and no Prefix")
		case s.Field != "" && strings.ContainsAny(s.Field+d.Timestamp.Field, s.Separator+s.Assign):
			return errors.New("a Field contains its Separator or its Assign, and would never be found")
		}
	}
	return nil
}

func (d *Definition) checkTimestamp() error {
	t := &d.Timestamp
	t.Header = http.CanonicalHeaderKey(t.Header)
	if t.Header == "" && t.Field == "" {
		if *t != (Timestamp{}) {
			return errors.New("the Timestamp has neither Header nor Field")
		}
		return nil
	}
	switch {
	case t.Header != "" && t.Field != "":
		return errors.New("the Timestamp has both Header and Field")
	case t.Field != "" && (len(d.Signatures) != 1 || d.Signatures[0].Field == "" || d.Signatures[0].Field == t.Field):
		return errors.New("Timestamp.Field needs one Signature with another Field")
	case t.Unit > Milliseconds:
		return errors.New("the Timestamp has an unknown Unit")
	}
	for _, end := range [...]*time.Duration{&t.Window.Past, &t.Window.Future} {
		if *end == 0 {
			*end = defaultWindow
		}
		if *end < 0 || *end > maxWindow {
			return fmt.Errorf("Timestamp.Window must lie between 0 and %v", maxWindow)
		}
	}
	return nil
}

func (d *Definition) checkMessage() error {
	if len(d.Message) > maxParts {
		return fmt.Errorf("the Message has more than %d parts", maxParts)
	}
	d.Message = slices.Clone(d.Message)
	var n [BodyPart + 1]int
	idSigned := d.ID.Header == ""
	d.ID.Header = http.CanonicalHeaderKey(d.ID.Header)
	for i, p := range d.Message {
		if p.kind < LiteralPart || p.kind > BodyPart {
			return errors.New("the Message has an invalid part")
		}
		n[p.kind]++
		next := Part{}
		if i+1 < len(d.Message) {
			next = d.Message[i+1]
		}
		switch p.kind {
		case LiteralPart:
			if p.text == "" {
				return errors.New("the Message has an empty Literal")
			}
		case FieldPart:
			if p.text == "Host" {
				return errors.New("a Field in Message is Host, which net/http takes out of the header")
			}
			if p.text == "" || next.kind != LiteralPart {
				return errors.New("a Field in Message needs a name, and a Literal behind it")
			}
			idSigned = idSigned || p.text == d.ID.Header
		case BodyPart:
			if next.kind != 0 && next.kind != URLPart {
				return errors.New("the Body in Message must stand last or before URL")
			}
		}
	}
	switch timed := d.Timestamp != (Timestamp{}); {
	case n[BodyPart] != 1:
		return errors.New("the Message must contain Body once")
	case n[URLPart] > 1:
		return errors.New("the Message contains URL twice")
	case timed && n[TimePart] != 1:
		return errors.New("the Message must contain SignedTime once: a time that is not signed proves nothing")
	case !timed && n[TimePart] != 0:
		return errors.New("the Message contains SignedTime, but there is no Timestamp")
	case d.Retry < verify.RetryResigned || d.Retry > verify.RetryNever:
		return errors.New("the Retry is not set: say how the sender retries, RetryIdentical if its documentation does not tell")
	case d.Retry == verify.RetryResigned && !timed:
		return errors.New("RetryResigned needs a Timestamp")
	case d.Retry == verify.RetryResigned && d.ID.Header == "" && d.ID.Member == "" && !d.RetriesRunAgain:
		return errors.New("RetryResigned without an ID runs every retry again: name the ID, or say with RetriesRunAgain that this is known")
	case d.RetriesRunAgain && (d.Retry != verify.RetryResigned || d.ID.Header != "" || d.ID.Member != ""):
		return errors.New("RetriesRunAgain is only for RetryResigned without an ID")
	case d.ID.Header != "" && d.ID.Member != "":
		return errors.New("ID has both Header and Member")
	case d.ID.Header == "" && d.ID.Member == "" && (d.ID.Prefix != "" || len(d.ID.Repeated) > 0):
		return errors.New("ID has a Prefix or Repeated, but neither Header nor Member")
	case !idSigned:
		return errors.New("ID.Header is not part of Message: an id that is not signed identifies nothing")
	}
	return nil
}
