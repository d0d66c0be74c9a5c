package jwt

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hooknotary/hooknotary/verify"
)

const (
	maxToken = 8 << 10 // bytes
	maxID    = 128
	maxTime  = 12 // digits
)

// Causes of refusals. They hold nothing of the token.
var (
	errNoHead    = errors.New("no head, or a head without a receive time")
	errRepeated  = errors.New("the header with the token is repeated")
	errScheme    = errors.New(`the header does not hold "Bearer " and a token`)
	errLong      = errors.New("the token is longer than 8 KiB")
	errParts     = errors.New("the token is not three parts of base64url, in the one spelling that they have")
	errHeader    = errors.New("the token's header is no JSON object, or a name stands twice in it")
	errClaims    = errors.New("the token's claims are no JSON object, or a name stands twice in them")
	errAlgorithm = errors.New("the token has another algorithm than the sender's")
	errType      = errors.New("the token's header has another typ than JWT")
	errMember    = errors.New("the token's header brings a key, or changes the meaning of the token (crit, jku, jwk, x5u, x5c, b64, cty, enc, zip)")
	errDetached  = errors.New("the token is not a detached one, whose header says that the body is signed as it is (b64)")
	errLength    = errors.New("the token's signature does not have the length of its algorithm")
	errTime      = errors.New("a time of the token is missing, or is no number of whole seconds")
	errMissing   = errors.New("a claim that the token must have is missing, or of another type")
)

func refuse(r verify.Reason, cause error) error { return &verify.Error{Reason: r, Cause: cause} }

// token is a token whose form is right.
type token struct {
	text    string // all of it
	signed  string // header and claims, as they are signed
	kid     string // "" if there is none
	claims  object
	at      time.Time // the signed time, if the definition has one
	expires time.Time // zero if it has none
	begins  time.Time // likewise
}

// forbidden lists the members of a header that bring a key or change what the rest means.
var forbidden = [...]string{"crit", "jku", "jwk", "x5u", "x5c", "b64", "cty", "enc", "zip"}

func canonical(header string) string { return http.CanonicalHeaderKey(header) }

// parse reads the token of a head. Each refusal is one that no body could make right.
func (d *Definition) parse(header string, h *verify.Head) (*token, error) {
	values := h.Header[header]
	if len(values) == 0 || len(values) == 1 && values[0] == "" {
		return nil, refuse(verify.ErrUnsigned, nil)
	}
	if len(values) > 1 {
		return nil, refuse(verify.ErrMalformed, errRepeated)
	}
	text := values[0]
	if len(text) > maxToken {
		return nil, refuse(verify.ErrMalformed, errLong)
	}
	if d.Bearer {
		rest, ok := strings.CutPrefix(text, "Bearer ")
		if !ok {
			return nil, refuse(verify.ErrUnsigned, errScheme)
		}
		text = rest
	}
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return nil, refuse(verify.ErrMalformed, errParts)
	}
	var decoded [3][]byte
	for i, part := range parts {
		b, err := base64.RawURLEncoding.Strict().DecodeString(part)
		// Strict still skips line breaks.
		if err != nil || base64.RawURLEncoding.EncodedLen(len(b)) != len(part) {
			return nil, refuse(verify.ErrMalformed, errParts)
		}
		decoded[i] = b
	}
	if d.Detached && parts[1] != "" {
		return nil, refuse(verify.ErrMalformed, errDetached)
	}
	t := &token{text: text, signed: text[:len(text)-len(parts[2])-1]}
	if err := d.parseHeader(t, decoded[0], len(decoded[2])); err != nil {
		return nil, err
	}
	if d.Detached {
		return t, nil
	}
	var ok bool
	if t.claims, ok = parseObject(decoded[1]); !ok {
		return nil, refuse(verify.ErrMalformed, errClaims)
	}
	return t, d.parseTimes(t)
}

func (d *Definition) parseHeader(t *token, text []byte, signature int) error {
	members, ok := parseObject(text)
	if !ok {
		return refuse(verify.ErrMalformed, errHeader)
	}
	name, _ := members.text("alg")
	known := false
	for _, a := range d.Algorithms {
		if string(a) == name {
			known = true
			if !a.fits(signature) {
				return refuse(verify.ErrMalformed, errLength)
			}
		}
	}
	if !known {
		return refuse(verify.ErrUnsigned, errAlgorithm)
	}
	for _, name := range forbidden {
		if _, ok := members[name]; ok && !(d.Detached && (name == "crit" || name == "b64")) {
			return refuse(verify.ErrMalformed, errMember)
		}
	}
	if d.Detached && !detached(text) {
		return refuse(verify.ErrMalformed, errDetached)
	}
	if typ, ok := members["typ"]; ok && typ != "JWT" {
		return refuse(verify.ErrMalformed, errType)
	}
	if kid, ok := members["kid"]; ok {
		if t.kid, ok = kid.(string); !ok {
			return refuse(verify.ErrMalformed, errHeader)
		}
	}
	return nil
}

// detached reports whether a token's header, in which no name stands twice, says that the
// body is signed as it is, and that a reader must understand that and nothing else.
func detached(header []byte) bool {
	var members map[string]json.RawMessage
	var crit []string
	if json.Unmarshal(header, &members) != nil || string(bytes.TrimSpace(members["b64"])) != "false" {
		return false
	}
	raw, ok := members["crit"]
	return !ok || json.Unmarshal(raw, &crit) == nil && len(crit) == 1 && crit[0] == "b64"
}

// fits reports whether a signature can have that length.
func (a Algorithm) fits(n int) bool {
	switch a {
	case HS256:
		return n == 32
	case HS384:
		return n == 48
	case RS256:
		return n >= 256 && n <= 1024
	}
	return n == 64 // HS512, ES256, EdDSA
}

func (d *Definition) parseTimes(t *token) error {
	for _, c := range [...]struct {
		name     string
		required bool
		to       *time.Time
	}{{"exp", d.Time.Expires, &t.expires}, {"nbf", d.Time.Claim == "nbf", &t.begins}, {"iat", d.Time.Claim == "iat", &t.at}} {
		value, ok := t.claims[c.name]
		if !ok && !c.required {
			continue
		}
		at, ok := seconds(value)
		if !ok {
			return refuse(verify.ErrMalformed, errTime)
		}
		*c.to = at
	}
	switch d.Time.Claim {
	case "nbf":
		t.at = t.begins
	case "":
		t.at = time.Time{} // an iat that proves nothing
	}
	return nil
}

// judge refuses a token outside of its time.
func (v *Verifier) judge(t *token, received time.Time) error {
	w, leeway := v.profile.Window, v.def.Time.Leeway
	switch {
	case !t.at.IsZero() && received.After(t.at.Add(w.Past)), !t.expires.IsZero() && received.After(t.expires.Add(leeway)):
		return refuse(verify.ErrTooOld, nil)
	case !t.at.IsZero() && received.Before(t.at.Add(-w.Future)), !t.begins.IsZero() && received.Before(t.begins.Add(-leeway)):
		return refuse(verify.ErrTooNew, nil)
	}
	return nil
}

// seconds reads a time of a token: a number of whole seconds.
func seconds(value any) (time.Time, bool) {
	n, ok := value.(json.Number)
	if !ok || len(n) > maxTime || strings.Trim(string(n), "0123456789") != "" {
		return time.Time{}, false
	}
	s, err := strconv.ParseInt(string(n), 10, 64)
	return time.Unix(s, 0).UTC(), err == nil
}

// object is a JSON object. A member that is an object or a list is nested.
type object map[string]any

type nested struct{}

// text returns a member that is a text and not empty.
func (o object) text(name string) (string, bool) {
	s, ok := o[name].(string)
	return s, ok && s != ""
}

// parseObject parses a JSON object of which no two readers can have two opinions: no name
// stands twice in it, or in one inside of it, and there is nothing behind it.
func parseObject(text []byte) (object, bool) {
	if !utf8.Valid(text) || !json.Valid(text) {
		return nil, false
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	first, err := d.Token()
	if err != nil || first != json.Delim('{') {
		return nil, false
	}
	o, ok := members(d)
	if !ok {
		return nil, false
	}
	_, err = d.Token()
	return o, err == io.EOF
}

// members reads the members of an object up to its end.
func members(d *json.Decoder) (object, bool) {
	o := make(object)
	for {
		t, err := d.Token()
		if err != nil {
			return nil, false
		}
		name, ok := t.(string)
		if !ok { // the end
			return o, true
		}
		if _, twice := o[name]; twice {
			return nil, false
		}
		v, ok := member(d)
		if !ok {
			return nil, false
		}
		o[name] = v
	}
}

// member reads one value.
func member(d *json.Decoder) (any, bool) {
	t, err := d.Token()
	if err != nil {
		return nil, false
	}
	switch t {
	case json.Delim('{'):
		_, ok := members(d)
		return nested{}, ok
	case json.Delim('['):
		for d.More() {
			if _, ok := member(d); !ok {
				return nil, false
			}
		}
		_, err := d.Token() // the end
		return nested{}, err == nil
	}
	return t, true
}
