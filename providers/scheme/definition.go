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

	// Message is what is signed, in order. It contains Body exactly once, or BodySHA256 in
	// its place, and SignedTime exactly once if there is a Timestamp outside of the body.
	// Required.
	Message []Part

	// Timestamp says where the signed time stands. Zero: none is signed.
	Timestamp Timestamp

	// ID says where the signed id of the event stands. Zero: there is none.
	ID ID

	// Constants are headers that must hold one value, byte for byte, such as the
	// version of the signature. A request where one is absent, repeated or another is
	// refused as verify.ErrMalformed. A constant proves nothing: anyone can send it.
	Constants []Constant

	// Aliases are other names of the headers above, for a sender that has two names for
	// each. A request uses either all first names or all other names: the name of its
	// signature's header decides. Where a signature stands under both, every pair of
	// names must hold the same, or the request is refused as verify.ErrMalformed.
	Aliases []Alias

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

	// Handshakes says how the provider checks an endpoint, and what it wants to read
	// then; at most 8. The first one that a request fits counts.
	Handshakes []Handshake

	// Compression and Rejection are as in verify.Profile. Where the gzip bytes are
	// signed, an ID.Member is looked for in the first 64 KiB of what they hold.
	Compression verify.Compression
	Rejection   verify.Rejection

	// About is what people and tools want to know of the scheme. What follows from
	// the rest may be left out: Describe fills it in. A secret that is one of
	// About.Credentials is refused.
	About verify.About
}

// Signature says where a signature stands and how it is written. There are three
// forms: one bare value behind a Prefix; with Separator set, a list of bare values
// behind one Prefix; with Field set, too, a list of named items.
//
// All headers of a Signature together hold at most 4 KiB and 16 signatures. One that
// does not decode, such as an empty one, can match nothing, and is skipped beside one
// that does; it counts all the same. Where none decodes, the request is refused.
type Signature struct {
	// Header is the header's name, in any spelling.
	Header string

	// More are further headers that hold signatures of the same kind, such as that of
	// a second key. A request needs one of them, or Header.
	More []string

	// Repeated says that a header may stand in the request several times, each time
	// with a signature. Otherwise such a request is refused.
	Repeated bool

	// Prefix is a constant text before a bare value, "sha256=", or before a list of
	// them. May be empty.
	Prefix string

	// Field is the name of the items that are signatures, "v1". Items are
	// separated by Separator and consist of a name, Assign and a value. Items
	// with other names are ignored, because providers add schemes in this way.
	// Separator and Assign are one character each.
	Field, Separator, Assign string

	// Blanks says that one blank may stand behind a Separator: "t=1, v1=2".
	Blanks bool

	Encoding  Encoding
	Algorithm Algorithm
}

// name returns the name of the header at an index: Header, and then those of More.
func (s *Signature) name(i int) string {
	if i == 0 {
		return s.Header
	}
	return s.More[i-1]
}

// several reports whether a request can hold more than one signature of the kind.
func (s *Signature) several() bool { return s.Separator != "" || len(s.More) > 0 || s.Repeated }

// Encoding is how a signature is written as text. Each signature has one spelling.
type Encoding uint8

const (
	Hex          Encoding = iota // lower case
	Base64                       // standard alphabet, padded
	UpperHex                     // upper case
	Base64URL                    // URL-safe alphabet, padded
	RawBase64URL                 // URL-safe alphabet, not padded
)

// Constant is a header that must hold one value.
type Constant struct{ Header, Value string }

// Alias is another name of a header.
type Alias struct{ Header, Other string }

// Timestamp says where a signed time stands: at one of the places below.
//
// A time in the body is judged after the signature, because nothing of a body is read
// before that; only then a delivery is too old. A body where two readers could find two
// times is refused as verify.ErrMalformed: one where the member is repeated, or there is
// another name that differs from it in the case of letters only, or one with an escape.
type Timestamp struct {
	Header string // a header of its own, or
	Field  string // an item of the signature's header, or
	First  bool   // the first item of a list of bare values, or
	Member string // a number in the body's top-level JSON object
	Unit   Unit
	// Window is how far the time may lie from the receive time. Default for each
	// end: 5 minutes.
	Window verify.Window
}

// none reports whether no time is signed.
func (t *Timestamp) none() bool {
	return t.Header == "" && t.Field == "" && !t.First && t.Member == ""
}

// Unit is how a time is written.
type Unit uint8

const (
	Seconds      Unit = iota // a decimal number, since 1970, UTC
	Milliseconds             // likewise
	RFC3339                  // 2006-01-02T15:04:05Z, with any fraction and any zone
	ISO8601                  // 2006-01-02T15:04:05, with any fraction: it is UTC
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
	// off first. With PrefixRequired a text that does not have it is refused.
	Encoding       SecretEncoding
	Prefix         string
	PrefixRequired bool
	// Refuse lists prefixes of what is refused as a secret besides
	// About.Credentials.
	Refuse []string
}

// SecretEncoding is how the text of a secret encodes a key.
type SecretEncoding uint8

const (
	TextSecret   SecretEncoding = iota // the key is the bytes of the text
	Base64Secret                       // standard alphabet, padded
	HexSecret                          // hexadecimal, in upper or lower case
)

// Part is a piece of a signed message. Make one with the functions below.
//
// They may stand in any order, if a message can be cut into them in one way only: New
// refuses a definition where the border between two of them could be moved, because then
// two requests have one signature.
type Part struct {
	kind  PartKind
	text  string
	size  int
	uuid  bool
	hash  bool  // besides uuid
	bound bound // what check found that it needs
}

// Literal is a constant text.
func Literal(text string) Part { return Part{kind: LiteralPart, text: text} }

// SignedTime is the signed time, byte for byte as it was received. A decimal time beside
// anything but a Literal has exactly 10 digits, or 13 if it counts milliseconds.
func SignedTime() Part { return Part{kind: TimePart} }

// Field is the value of a header: 1 to 256 bytes of visible ASCII. In front of the body it
// must be followed by a Literal, behind the body it must follow one, and its value may
// not contain that Literal.
func Field(name string) Part { return Part{kind: FieldPart, text: http.CanonicalHeaderKey(name)} }

// FixedField is the value of a header that has exactly size bytes of visible ASCII, 1 to
// 256. Use it only where the sender documents the length.
func FixedField(name string, size int) Part {
	p := Field(name)
	if p.size = size; size <= 0 {
		p.size = -1
	}
	return p
}

// UUIDField is the value of a header that is a UUID in lower case, with hyphens.
func UUIDField(name string) Part {
	p := FixedField(name, uuidSize)
	p.uuid = true
	return p
}

// UUIDOrHashField is the value of a header that is a UUID as that of a UUIDField, or 32
// bytes in URL-safe base64 with its padding. A base64 that starts as a UUID is refused, so
// that neither form is the start of the other one: what follows cannot be taken for a part
// of it.
func UUIDOrHashField(name string) Part {
	p := Field(name)
	p.uuid, p.hash = true, true
	return p
}

// URL is Options.URL, the URL of the endpoint.
func URL() Part { return Part{kind: URLPart} }

// BodySHA256 is the SHA-256 of the body in lower-case hexadecimal, in place of the body.
func BodySHA256() Part { return Part{kind: BodySHA256Part} }

// SecretText is the secret, for a signature that is a bare hash: InsecureSHA256 or
// InsecureSHA1.
func SecretText() Part { return Part{kind: SecretPart} }

// Method is the request's method, "POST". A request with another one is refused.
func Method() Part { return Part{kind: MethodPart} }

// Body is the body, byte for byte.
func Body() Part { return Part{kind: BodyPart} }

const (
	maxHeader     = 4 << 10 // bytes of the headers with signatures
	maxCandidates = 16
	maxValue      = 256 // bytes of any other header, and of an id
	maxParts      = 8
	uuidSize      = 36
	maxNames      = 16 // Signature.More, Constants and Aliases
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
	if d.Secret.Encoding > HexSecret {
		return nil, errors.New("the Secret has an unknown Encoding")
	}
	if d.Secret.PrefixRequired && d.Secret.Prefix == "" {
		return nil, errors.New("Secret.PrefixRequired needs a Secret.Prefix")
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
	if err := d.checkConstants(); err != nil {
		return nil, err
	}
	if err := d.checkAliases(); err != nil {
		return nil, err
	}
	if err := d.checkHandshakes(); err != nil {
		return nil, err
	}
	if err := d.checkCompression(); err != nil {
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
	strength := 0
	var names []string
	for i := range d.Signatures {
		s := &d.Signatures[i]
		s.Header = http.CanonicalHeaderKey(s.Header)
		s.More = slices.Clone(s.More)
		for j := range s.More {
			s.More[j] = http.CanonicalHeaderKey(s.More[j])
		}
		facts, known := s.Algorithm.facts()
		switch {
		case s.Header == "" || slices.Contains(s.More, ""):
			return errors.New("a Signature has no Header, or More has an empty name")
		case len(s.More) > maxNames:
			return fmt.Errorf("Signature.More has %d names, want at most %d", len(s.More), maxNames)
		case s.Encoding > RawBase64URL || !known:
			return errors.New("a Signature has an unknown Encoding or Algorithm")
		case facts.public && len(d.Signatures) > 1:
			return errors.New("a Signature with a public key must be the only one")
		case facts.public && slices.ContainsFunc(d.Handshakes, func(h Handshake) bool { return h.computes() }):
			return errors.New("a Handshake computes something with the endpoint's key, and a public key is no secret")
		case facts.public && (d.Secret.Encoding != TextSecret || d.Secret.Prefix != "" || d.Secret.PrefixRequired):
			return errors.New("a public key has a form of its own: Secret must have neither Encoding nor Prefix")
		case i > 0 && facts.strength >= strength:
			return errors.New("alternative Signatures must stand in falling strength of their Algorithm")
		}
		strength = facts.strength
		for j := range 1 + len(s.More) {
			if slices.Contains(names, s.name(j)) {
				return errors.New("alternative Signatures, and More, must stand in different headers")
			}
			names = append(names, s.name(j))
		}
		switch {
		case s.Field == "" && s.Assign != "":
			return errors.New("a Signature has Assign, but no Field")
		case s.Field != "" && (len(s.Separator) != 1 || len(s.Assign) != 1 || s.Separator == s.Assign || s.Prefix != ""):
			return errors.New("a Signature with Field needs a Separator and another Assign, of one character each, and no Prefix")
		case s.Field != "" && strings.ContainsAny(s.Field+d.Timestamp.Field, s.Separator+s.Assign):
			return errors.New("a Field contains its Separator or its Assign, and would never be found")
		case s.Separator != "" && (len(s.Separator) != 1 || strings.Trim(s.Separator, "!#$%&'()*,./:;<>?@[]^`{|}~ ") != "" && s.Field == ""):
			return errors.New("a Separator of bare values must be one character that no signature contains")
		case s.Separator != "" && s.Encoding.writes(s.Separator[0]):
			return errors.New("the Separator of a Signature is a character of its Encoding: it would cut signatures")
		case s.Blanks && (s.Separator == "" || s.Separator == " " || s.Assign == " "):
			return errors.New("the Blanks of a Signature need a Separator, and neither it nor Assign may be a blank")
		}
	}
	return nil
}

func (d *Definition) checkTimestamp() error {
	t := &d.Timestamp
	t.Header = http.CanonicalHeaderKey(t.Header)
	if t.none() {
		if *t != (Timestamp{}) {
			return errors.New("the Timestamp has none of Header, Field, First and Member")
		}
		return nil
	}
	places := 0
	for _, is := range [...]bool{t.Header != "", t.Field != "", t.First, t.Member != ""} {
		if is {
			places++
		}
	}
	first := &d.Signatures[0]
	switch {
	case places > 1:
		return errors.New("the Timestamp has more than one of Header, Field, First and Member")
	case t.Field != "" && (len(d.Signatures) != 1 || first.Field == "" || first.Field == t.Field):
		return errors.New("Timestamp.Field needs one Signature with another Field")
	case t.First && (len(d.Signatures) != 1 || first.Field != "" || first.Separator == ""):
		return errors.New("Timestamp.First needs one Signature that is a list of bare values")
	case t.Member != "" && d.Compression == verify.GzipSigned:
		return errors.New("a time in the body is not read from compressed bytes: Timestamp.Member and GzipSigned exclude each other")
	case t.Member != "" && (!visible(t.Member) || strings.ContainsAny(t.Member, `"\`) || t.Unit > Milliseconds):
		return errors.New("Timestamp.Member needs a name of visible ASCII without quotes, and the Unit of a number")
	case (t.Field != "" || t.First) && (len(first.More) > 0 || first.Repeated):
		return errors.New("a time in the signature's header needs one header: no More, and not Repeated")
	case t.Unit > ISO8601:
		return errors.New("the Timestamp has an unknown Unit")
	case (t.Field != "" || t.First) && t.Unit > Milliseconds && strings.ContainsAny(first.Separator+first.Assign, "0123456789T:-+.Z"):
		return errors.New("the Separator or the Assign is a character of the time, which would never be found")
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
	var n [lastPart + 1]int
	idSigned := d.ID.Header == ""
	d.ID.Header = http.CanonicalHeaderKey(d.ID.Header)
	for _, p := range d.Message {
		if p.kind < LiteralPart || p.kind > lastPart {
			return errors.New("the Message has an invalid part")
		}
		n[p.kind]++
		switch {
		case p.kind == LiteralPart && p.text == "":
			return errors.New("the Message has an empty Literal")
		case p.kind != FieldPart:
		case p.text == "":
			return errors.New("a Field in Message needs a name")
		case p.text == "Host":
			return errors.New("a Field in Message is Host, which net/http takes out of the header")
		case p.size < 0 || p.size > maxValue:
			return fmt.Errorf("a FixedField in Message has %d to %d bytes", 1, maxValue)
		}
		idSigned = idSigned || p.kind == FieldPart && p.text == d.ID.Header
	}
	plain := slices.ContainsFunc(d.Signatures, func(s Signature) bool { return s.Algorithm.isPlain() })
	keyed := slices.ContainsFunc(d.Signatures, func(s Signature) bool { return !s.Algorithm.isPlain() })
	timed := !d.Timestamp.none()
	switch inMessage := timed && d.Timestamp.Member == ""; {
	case n[BodyPart]+n[BodySHA256Part] != 1:
		return errors.New("the Message must contain Body once, or BodySHA256 once")
	case plain && keyed:
		return errors.New("a bare hash and another Algorithm sign different messages: a definition has the one or the other")
	case plain != (n[SecretPart] == 1) || n[SecretPart] > 1:
		return errors.New("the Message must contain SecretText once if the Algorithm is a bare hash, and not otherwise")
	case n[URLPart] > 1 || n[MethodPart] > 1:
		return errors.New("the Message contains URL or Method twice")
	case inMessage && n[TimePart] != 1:
		return errors.New("the Message must contain SignedTime once: a time that is not signed proves nothing")
	case !inMessage && n[TimePart] != 0:
		return errors.New("the Message contains SignedTime, but there is no Timestamp outside of the body")
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
	return d.split()
}

// checkConstants checks the headers that must hold one value.
func (d *Definition) checkConstants() error {
	if len(d.Constants) > maxNames {
		return fmt.Errorf("there are %d Constants, want at most %d", len(d.Constants), maxNames)
	}
	d.Constants = slices.Clone(d.Constants)
	others := d.reads(false)
	for i := range d.Constants {
		c := &d.Constants[i]
		c.Header = http.CanonicalHeaderKey(c.Header)
		switch {
		case c.Header == "" || c.Header == "Host" || len(c.Value) > maxValue || c.Value == "":
			return fmt.Errorf("one of Constants needs a Header other than Host, and a Value of 1 to %d bytes", maxValue)
		case slices.Contains(others, c.Header) || slices.ContainsFunc(d.Constants[:i], func(o Constant) bool { return o.Header == c.Header }):
			return fmt.Errorf("the header %s of Constants is used twice", c.Header)
		}
	}
	return nil
}

// checkAliases checks the other names of headers.
func (d *Definition) checkAliases() error {
	if len(d.Aliases) > maxNames {
		return fmt.Errorf("there are %d Aliases, want at most %d", len(d.Aliases), maxNames)
	}
	d.Aliases = slices.Clone(d.Aliases)
	reads, telling := d.reads(true), 0
	var others []string
	for i := range d.Aliases {
		a := &d.Aliases[i]
		a.Header, a.Other = http.CanonicalHeaderKey(a.Header), http.CanonicalHeaderKey(a.Other)
		switch {
		case !slices.Contains(reads, a.Header):
			return fmt.Errorf("the header %q of Aliases is none that the definition reads", a.Header)
		case a.Other == "" || a.Other == "Host" || slices.Contains(reads, a.Other) || slices.Contains(others, a.Other):
			return fmt.Errorf("the other name of %s in Aliases must be one that nothing else has", a.Header)
		case slices.ContainsFunc(d.Aliases[:i], func(o Alias) bool { return o.Header == a.Header }):
			return fmt.Errorf("the header %s has two Aliases", a.Header)
		case slices.ContainsFunc(d.Handshakes, func(h Handshake) bool { return http.CanonicalHeaderKey(h.Without) == a.Header }):
			return fmt.Errorf("a Handshake is told from a delivery by the header %s, which must have no other name", a.Header)
		}
		others = append(others, a.Other)
		if d.signatureHeader(a.Header) {
			telling++
		}
	}
	if len(d.Aliases) > 0 && telling == 0 {
		return errors.New("the Aliases need one for the header of a Signature: it says which names a request uses")
	}
	return nil
}

// signatureHeader reports whether a signature may stand in the header of that name.
func (d *Definition) signatureHeader(name string) bool {
	return slices.ContainsFunc(d.Signatures, func(s Signature) bool { return s.Header == name || slices.Contains(s.More, name) })
}

// reads returns the canonical names of the headers that d reads, those of Constants
// included if wanted.
func (d *Definition) reads(constants bool) []string {
	var names []string
	for i := range d.Signatures {
		for j := range 1 + len(d.Signatures[i].More) {
			names = append(names, d.Signatures[i].name(j))
		}
	}
	names = append(names, d.Timestamp.Header, d.UnsignedID, d.UnsignedType, d.Partition)
	for _, p := range d.Message {
		if p.kind == FieldPart {
			names = append(names, p.text)
		}
	}
	if constants {
		for _, c := range d.Constants {
			names = append(names, c.Header)
		}
	}
	return slices.DeleteFunc(names, func(name string) bool { return name == "" })
}

// otherNames returns d, which was checked, under the other names of its Aliases.
func (d *Definition) otherNames() *Definition {
	c := d.Clone()
	rename := func(name *string) {
		for _, a := range d.Aliases {
			if *name == a.Header {
				*name = a.Other
				return
			}
		}
	}
	for i := range c.Signatures {
		rename(&c.Signatures[i].Header)
		for j := range c.Signatures[i].More {
			rename(&c.Signatures[i].More[j])
		}
	}
	for i := range c.Message {
		if c.Message[i].kind == FieldPart {
			rename(&c.Message[i].text)
		}
	}
	for i := range c.Constants {
		rename(&c.Constants[i].Header)
	}
	for _, name := range [...]*string{&c.Timestamp.Header, &c.ID.Header, &c.UnsignedID, &c.UnsignedType, &c.Partition} {
		rename(name)
	}
	return &c
}
