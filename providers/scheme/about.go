package scheme

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/hooknotary/hooknotary/verify"
)

// About returns what people and tools want to know of the scheme, as Definition.Describe
// says.
func (v *Verifier) About() verify.About { return v.def.Describe() }

// Describe returns About with what follows from the rest of the definition filled in
// where About leaves it empty: Title, Signed, Headers and Tell; and EqualBodies, always.
// Credentials gets what Secret.Refuse lists, and SecretQuery the verify tokens of Handshakes. The result shares nothing with the definition.
func (d *Definition) Describe() verify.About {
	a := d.About.Clone()
	a.EqualBodies = d.keyedByBody()
	for _, prefix := range d.Secret.Refuse {
		a.Credentials = append(a.Credentials, verify.Credential{Prefix: prefix, What: "another credential"})
	}
	if a.Title == "" {
		a.Title = d.Provider
	}
	if len(a.Handshakes) == 0 {
		for i := range d.Handshakes {
			a.Handshakes = append(a.Handshakes, d.Handshakes[i].Describe())
		}
	}
	for i := range d.Handshakes {
		if token := d.Handshakes[i].Token; token != "" && !slices.Contains(a.SecretQuery, token) {
			a.SecretQuery = append(a.SecretQuery, token)
		}
	}
	if a.Signed == "" {
		a.Signed = d.signed()
	}
	if len(a.Headers) == 0 {
		a.Headers = d.uses()
	}
	if len(a.Tell.Headers) == 0 {
		a.Tell.Headers = d.telling()
	}
	if a.Tell.Before == "" {
		a.Tell.Before = d.before()
	}
	return a
}

// keyedByBody reports whether a body alone decides which event a delivery is.
func (d *Definition) keyedByBody() bool {
	return d.ID.Header == "" && d.ID.Member == "" &&
		!slices.ContainsFunc(d.Message, func(p Part) bool { return p.kind == TimePart || p.kind == FieldPart })
}

// Clone returns a copy that shares nothing with d.
func (d *Definition) Clone() Definition {
	c := *d
	c.Signatures = slices.Clone(d.Signatures)
	for i := range c.Signatures {
		c.Signatures[i].More = slices.Clone(c.Signatures[i].More)
	}
	c.Message = slices.Clone(d.Message)
	c.Constants = slices.Clone(d.Constants)
	c.Aliases = slices.Clone(d.Aliases)
	c.ID.Repeated = slices.Clone(d.ID.Repeated)
	c.Secret.Refuse = slices.Clone(d.Secret.Refuse)
	c.Partitions = slices.Clone(d.Partitions)
	c.Handshakes = cloneHandshakes(d.Handshakes)
	c.About = d.About.Clone()
	return c
}

// Profile returns the facts of the scheme as New would without options, or an error if
// New would refuse the definition.
func (d *Definition) Profile() (verify.Profile, error) {
	checked, err := d.check()
	if err != nil {
		return verify.Profile{}, fmt.Errorf("scheme: definition of %q: %w", d.Provider, err)
	}
	return checked.profile(), nil
}

// profile returns the facts of a definition that was checked.
func (d *Definition) profile() verify.Profile {
	return verify.Profile{
		Provider:  d.Provider,
		MediaType: d.MediaType,
		MaxBody:   d.MaxBody,
		Window:    d.Timestamp.Window,
		Binding:   verify.BindingFull,
		Retry:     d.Retry,
		Retention: d.Retention,

		Compression: d.Compression,
		Rejection:   d.Rejection,
	}
}

// signed says what is signed: "time and body, HMAC-SHA256".
func (d *Definition) signed() string {
	var what []string
	for _, p := range d.Message {
		switch p.kind {
		case TimePart:
			what = append(what, "time")
		case FieldPart:
			if p.text == http.CanonicalHeaderKey(d.ID.Header) {
				what = append(what, "id")
			} else {
				what = append(what, p.text)
			}
		case URLPart:
			what = append(what, "URL")
		case MethodPart:
			what = append(what, "method")
		case SecretPart:
			what = append(what, "secret")
		case BodySHA256Part:
			what = append(what, "the body's SHA-256")
		case BodyPart:
			if d.Timestamp.Member != "" {
				what = append(what, "body with its "+d.Timestamp.Member)
			} else {
				what = append(what, "body")
			}
		}
	}
	text := strings.Join(what, ", ")
	if i := strings.LastIndex(text, ", "); i >= 0 {
		text = text[:i] + " and " + text[i+2:]
	}
	if len(d.Signatures) > 0 {
		text += ", " + d.Signatures[0].Algorithm.String()
	}
	return text
}

// uses says what each header is for.
func (d *Definition) uses() []verify.HeaderUse {
	var all []verify.HeaderUse
	add := func(name, use string) {
		name = http.CanonicalHeaderKey(name)
		if name != "" && !slices.ContainsFunc(all, func(u verify.HeaderUse) bool { return u.Name == name }) {
			all = append(all, verify.HeaderUse{Name: name, Use: use})
		}
	}
	for i, s := range d.Signatures {
		var use string
		switch {
		case s.Field != "" && d.Timestamp.Field != "":
			use = d.Timestamp.Field + " is the time and is signed; " + s.Field + " is the signature, of which there may be several; other items are ignored"
		case s.Field != "":
			use = s.Field + " is the signature, of which there may be several; other items are ignored"
		case d.Timestamp.First:
			use = "the time, which is signed, and behind it the signatures, each an " + s.Algorithm.String()
		case s.Separator != "":
			use = "a list of signatures, each an " + s.Algorithm.String()
		default:
			use = "the signature, an " + s.Algorithm.String()
			if len(d.Message) == 1 {
				use += " over the body alone"
			}
		}
		if i > 0 {
			use += "; it counts only where a stronger one is absent"
		}
		if s.Repeated {
			use += "; it may be repeated"
		}
		add(s.Header, use)
		for _, name := range s.More {
			add(name, "like "+http.CanonicalHeaderKey(s.Header)+": any of them is enough")
		}
	}
	add(d.Timestamp.Header, "the time: all of it is signed")
	for _, p := range d.Message {
		if p.kind == FieldPart {
			add(p.text, "all of it is signed")
		}
	}
	for _, c := range d.Constants {
		add(c.Header, fmt.Sprintf("always %q, and not signed", c.Value))
	}
	for _, a := range d.Aliases {
		name := http.CanonicalHeaderKey(a.Header)
		if slices.ContainsFunc(all, func(u verify.HeaderUse) bool { return u.Name == name }) {
			add(a.Other, "another name of "+name)
		}
	}
	return all
}

// telling returns the headers by which others tell the sender.
func (d *Definition) telling() []string {
	var names []string
	if len(d.Signatures) > 0 {
		names = append(names, d.Signatures[0].Header)
	}
	names = append(names, d.Timestamp.Header, d.ID.Header)
	for _, a := range d.Aliases {
		if slices.ContainsFunc(names, func(name string) bool { return strings.EqualFold(name, a.Header) }) {
			names = append(names, a.Other)
		}
	}
	for i, name := range names {
		names[i] = http.CanonicalHeaderKey(name)
	}
	return slices.DeleteFunc(names, func(name string) bool { return name == "" })
}

// before returns what is signed in front of the body.
func (d *Definition) before() string {
	if d.public() || len(d.Signatures) > 0 && d.Signatures[0].Algorithm.isPlain() {
		return verify.NotBeforeBody
	}
	var b strings.Builder
	for i, p := range d.Message {
		switch p.kind {
		case LiteralPart:
			if strings.ContainsAny(p.text, "{}") {
				return verify.NotBeforeBody
			}
			b.WriteString(p.text)
		case TimePart:
			switch {
			case d.Timestamp.Header != "":
				b.WriteString("{" + http.CanonicalHeaderKey(d.Timestamp.Header) + "}")
			case d.Timestamp.Field != "":
				b.WriteString("{=" + d.Timestamp.Field + "}")
			default:
				return verify.NotBeforeBody
			}
		case FieldPart:
			b.WriteString("{" + p.text + "}")
		case MethodPart:
			b.WriteString(http.MethodPost)
		case BodyPart:
			if i+1 == len(d.Message) {
				return b.String()
			}
			return verify.NotBeforeBody
		default:
			return verify.NotBeforeBody
		}
	}
	return verify.NotBeforeBody
}
