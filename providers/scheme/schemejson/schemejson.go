package schemejson

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

const (
	// Version is the version of the form. A document of another one is refused.
	Version = 1

	// MaxSize is how many bytes a document has at most.
	MaxSize = 64 << 10
)

// The kinds of a document.
const (
	Data  = "data"  // a definition
	Code  = "code"  // a provider that takes code: there is no definition
	Token = "token" // a provider that signs nothing, and sends a token
)

//go:embed schema.json
var schema string

// Schema returns the JSON Schema of a document of the kind Data.
func Schema() string { return schema }

// Marshal returns a definition as an indented document, which ends with a line break. The
// error is that of scheme.New for a definition that cannot be right.
func Marshal(d scheme.Definition) ([]byte, error) {
	if _, err := d.Profile(); err != nil {
		return nil, err
	}
	w, err := wire(&d)
	if err == nil && !valid(reflect.ValueOf(*w)) {
		err = errors.New("one of its texts is not UTF-8, and has no form in JSON")
	}
	if err != nil {
		return nil, fmt.Errorf("schemejson: definition of %q: %w", d.Provider, err)
	}
	text, err := encode(w)
	if err == nil && len(text) > MaxSize {
		err = fmt.Errorf("schemejson: definition of %q: the document has %d bytes, want at most %d", d.Provider, len(text), MaxSize)
	}
	return text, err
}

// encode writes a value as the documents are written.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return b.Bytes(), err
}

// Unmarshal reads the definition of a document, and checks it as scheme.New does. The
// error says what is wrong and where, and repeats no value of the text.
func Unmarshal(text []byte) (scheme.Definition, error) {
	d, err := read(text)
	if err != nil {
		return scheme.Definition{}, fmt.Errorf("schemejson: %w", err)
	}
	if _, err := d.Profile(); err != nil {
		return scheme.Definition{}, err
	}
	return d, nil
}

func read(text []byte) (d scheme.Definition, err error) {
	if err := refuseOther(text); err != nil {
		return d, err
	}
	w, err := parse(text)
	if err != nil {
		return d, err
	}
	d = scheme.Definition{
		Provider: w.Provider, MediaType: w.MediaType, UnsignedID: w.UnsignedID, UnsignedType: w.UnsignedType,
		BodyPrefix: w.BodyPrefix, Partition: w.Partition, Partitions: w.Partitions, MaxBody: w.MaxBody, RetriesRunAgain: w.RetriesRunAgain,
	}
	public := false
	for i, s := range w.Signatures {
		path := fmt.Sprintf("signatures[%d].", i)
		encoding, err := encodings().read(path+"encoding", s.Encoding)
		if err != nil {
			return d, err
		}
		algorithm, err := algorithms().read(path+"algorithm", s.Algorithm)
		if err != nil {
			return d, err
		}
		public = public || withPublicKey(algorithm)
		d.Signatures = append(d.Signatures, scheme.Signature{
			Header: s.Header, More: s.More, Repeated: s.Repeated, Prefix: s.Prefix, Field: s.Field, Separator: s.Separator, Assign: s.Assign,
			Blanks: s.Blanks, Encoding: encoding, Algorithm: algorithm,
		})
	}
	for i, p := range w.Message {
		made, err := p.part()
		if err != nil {
			return d, fmt.Errorf("message[%d]: %w", i, err)
		}
		d.Message = append(d.Message, made)
	}
	if t := w.Timestamp; t != nil {
		d.Timestamp = scheme.Timestamp{Header: t.Header, Field: t.Field, First: t.First, Member: t.Member}
		if t.Header == "" && t.Field == "" && !t.First && t.Member == "" {
			return d, errors.New("the timestamp has none of header, field, first and member")
		}
		if d.Timestamp.Unit, err = units().read("timestamp.unit", t.Unit); err != nil {
			return d, err
		}
		if d.Timestamp.Window.Past, err = readDuration("timestamp.past", t.Past); err != nil {
			return d, err
		}
		if d.Timestamp.Window.Future, err = readDuration("timestamp.future", t.Future); err != nil {
			return d, err
		}
	}
	if w.ID != nil {
		d.ID = scheme.ID{Header: w.ID.Header, Member: w.ID.Member, Prefix: w.ID.Prefix, Repeated: w.ID.Repeated}
	}
	for _, c := range w.Constants {
		d.Constants = append(d.Constants, scheme.Constant(c))
	}
	for _, a := range w.Aliases {
		d.Aliases = append(d.Aliases, scheme.Alias(a))
	}
	d.Secret = scheme.Secret{Prefix: w.Secret.Prefix, PrefixRequired: w.Secret.PrefixRequired, Refuse: w.Secret.Refuse}
	switch {
	case public != (w.Secret.Encoding == publicKey):
		return d, fmt.Errorf("secret.encoding must be %q where the sender signs with a private key, and only there", publicKey)
	case !public:
		if d.Secret.Encoding, err = secretEncodings().read("secret.encoding", w.Secret.Encoding); err != nil {
			return d, err
		}
	}
	if d.Retry, err = retries().read("retry", w.Retry); err != nil {
		return d, err
	}
	if d.Retention, err = readDuration("retention", w.Retention); err != nil {
		return d, err
	}
	for i, h := range w.Handshakes {
		kind, err := handshakeKinds().read(fmt.Sprintf("handshakes[%d].kind", i), h.Kind)
		if err != nil {
			return d, err
		}
		made := scheme.Handshake{
			Kind: kind, Token: h.Token, Parameter: h.Parameter, Header: h.Header, Member: h.Member, Without: h.Without, Extra: h.Extra,
			MaxChallenge: h.MaxChallenge, Response: h.Response,
		}
		for _, c := range h.If {
			made.If = append(made.If, scheme.Condition(c))
		}
		d.Handshakes = append(d.Handshakes, made)
	}
	if w.Compression != "" {
		if d.Compression, err = compressions().read("compression", w.Compression); err != nil {
			return d, err
		}
	}
	if w.Rejection != nil {
		d.Rejection = verify.Rejection(*w.Rejection)
	}
	if w.About != nil {
		d.About, err = w.About.about()
	}
	return d, err
}

// refuseOther says of a document of another kind or version what it is, before its
// members are looked at, which are others.
func refuseOther(text []byte) error {
	if len(text) > MaxSize {
		return nil // parse says so
	}
	var head struct {
		Version  *int   `json:"version"`
		Kind     string `json:"kind"`
		Provider string `json:"provider"`

		Definition json.RawMessage `json:"definition"`
	}
	if json.Unmarshal(text, &head) != nil {
		return nil // likewise
	}
	switch {
	case head.Definition != nil:
		return errors.New(`a definition has no member "definition": hand over what that member holds`)
	case head.Version != nil && *head.Version != Version:
		return fmt.Errorf("the document is of another version: this program reads version %d", Version)
	case head.Kind == Code || head.Kind == Token:
		return fmt.Errorf("the document has the kind %q: the provider has no definition; name it with --provider", head.Kind)
	case head.Kind != "" && head.Kind != Data:
		return fmt.Errorf("kind is none of %q, %q, %q", Data, Code, Token)
	}
	return nil
}

// withPublicKey reports whether the keys of an algorithm are public ones.
func withPublicKey(a scheme.Algorithm) bool {
	switch a {
	case scheme.Ed25519, scheme.ECDSAP256SHA256, scheme.RSASHA256, scheme.RSADoubleSHA256:
		return true
	}
	return false
}

// part makes a part, of which only its own members may be there.
func (p part) part() (scheme.Part, error) {
	kind := scheme.PartKind(scheme.FieldPart)
	if p.Part != fixedField && p.Part != uuidField && p.Part != uuidOrHash {
		var err error
		if kind, err = partNames().read("part", p.Part); err != nil {
			return scheme.Part{}, err
		}
	}
	switch {
	case (p.Text != "") != (kind == scheme.LiteralPart):
		return scheme.Part{}, errors.New("text must stand in a literal, and only there")
	case (p.Header != "") != (kind == scheme.FieldPart):
		return scheme.Part{}, errors.New("header must stand in a field, a fixed_field, a uuid_field or a uuid_or_hash_field, and only there")
	case (p.Size != 0) != (p.Part == fixedField):
		return scheme.Part{}, errors.New("size must stand in a fixed_field, and only there")
	}
	switch kind {
	case scheme.LiteralPart:
		return scheme.Literal(p.Text), nil
	case scheme.TimePart:
		return scheme.SignedTime(), nil
	case scheme.URLPart:
		return scheme.URL(), nil
	case scheme.BodyPart:
		return scheme.Body(), nil
	case scheme.MethodPart:
		return scheme.Method(), nil
	case scheme.BodySHA256Part:
		return scheme.BodySHA256(), nil
	case scheme.SecretPart:
		return scheme.SecretText(), nil
	}
	switch p.Part {
	case fixedField:
		return scheme.FixedField(p.Header, p.Size), nil
	case uuidField:
		return scheme.UUIDField(p.Header), nil
	case uuidOrHash:
		return scheme.UUIDOrHashField(p.Header), nil
	}
	return scheme.Field(p.Header), nil
}

// readDuration reads a duration that may be absent.
func readDuration(path, text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("%s is no duration: want a text such as \"5m\" or \"72h\"", path)
	}
	return d, nil
}

// writeDuration writes a duration as readDuration reads it.
func writeDuration(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return d.String()
}

// wire makes the document of a definition.
func wire(d *scheme.Definition) (*document, error) {
	w := &document{
		Version: Version, Kind: Data, Provider: d.Provider, MediaType: d.MediaType,
		UnsignedID: d.UnsignedID, UnsignedType: d.UnsignedType, BodyPrefix: d.BodyPrefix, Partition: d.Partition, Partitions: d.Partitions,
		MaxBody: d.MaxBody, Retention: writeDuration(d.Retention), RetriesRunAgain: d.RetriesRunAgain,
	}
	var errs []error
	name := func(text string, err error) string {
		errs = append(errs, err)
		return text
	}
	w.Retry = name(retries().nameOf(d.Retry))
	w.Secret = secret{Encoding: publicKey, Prefix: d.Secret.Prefix, PrefixRequired: d.Secret.PrefixRequired, Refuse: d.Secret.Refuse}
	if !withPublicKey(d.Signatures[0].Algorithm) {
		w.Secret.Encoding = name(secretEncodings().nameOf(d.Secret.Encoding))
	}
	for _, s := range d.Signatures {
		w.Signatures = append(w.Signatures, signature{
			Header: s.Header, More: s.More, Repeated: s.Repeated, Prefix: s.Prefix, Field: s.Field, Separator: s.Separator, Assign: s.Assign,
			Blanks: s.Blanks, Encoding: name(encodings().nameOf(s.Encoding)), Algorithm: name(algorithms().nameOf(s.Algorithm)),
		})
	}
	for _, p := range d.Message {
		made := part{Part: name(partNames().nameOf(p.Kind()))}
		switch {
		case p.Kind() == scheme.LiteralPart:
			made.Text = p.Text()
		case p.Hash():
			made.Part, made.Header = uuidOrHash, p.Text()
		case p.UUID():
			made.Part, made.Header = uuidField, p.Text()
		case p.Size() > 0:
			made.Part, made.Header, made.Size = fixedField, p.Text(), p.Size()
		case p.Kind() == scheme.FieldPart:
			made.Header = p.Text()
		}
		w.Message = append(w.Message, made)
	}
	if t := d.Timestamp; t != (scheme.Timestamp{}) {
		w.Timestamp = &timestamp{
			Header: t.Header, Field: t.Field, First: t.First, Member: t.Member, Unit: name(units().nameOf(t.Unit)),
			Past: writeDuration(t.Window.Past), Future: writeDuration(t.Window.Future),
		}
	}
	if i := d.ID; i.Header != "" || i.Member != "" {
		w.ID = &id{Header: i.Header, Member: i.Member, Prefix: i.Prefix, Repeated: i.Repeated}
	}
	for _, c := range d.Constants {
		w.Constants = append(w.Constants, constant(c))
	}
	for _, a := range d.Aliases {
		w.Aliases = append(w.Aliases, alias(a))
	}
	for _, h := range d.Handshakes {
		made := handshake{
			Kind: name(handshakeKinds().nameOf(h.Kind)), Token: h.Token, Parameter: h.Parameter, Header: h.Header, Member: h.Member,
			Without: h.Without, Extra: h.Extra, MaxChallenge: h.MaxChallenge, Response: h.Response,
		}
		for _, c := range h.If {
			made.If = append(made.If, condition(c))
		}
		w.Handshakes = append(w.Handshakes, made)
	}
	if d.Compression != 0 {
		w.Compression = name(compressions().nameOf(d.Compression))
	}
	if d.Rejection != (verify.Rejection{}) {
		r := rejection(d.Rejection)
		w.Rejection = &r
	}
	w.About = describe(d.About)
	return w, errors.Join(errs...)
}
