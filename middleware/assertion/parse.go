package assertion

import (
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/hooknotary/hooknotary/verify"
)

const typ = "hooknotary+jwt"

// Causes of refusals. They hold nothing of the token.
var (
	errNoHead    = errors.New("no head, or a head without a receive time")
	errRepeated  = errors.New("the header with the assertion is repeated")
	errPrefix    = errors.New("the header does not begin as the assertion's does")
	errLong      = errors.New("the assertion is longer than 8 KiB")
	errParts     = errors.New("the assertion is not three parts of base64url, in the one spelling that they have")
	errHeader    = errors.New("the assertion's header is not alg, kid and typ, each once and nothing else")
	errType      = errors.New("the token is another one than an assertion: its typ is not hooknotary+jwt")
	errAlgorithm = errors.New("the token's algorithm is none of an assertion's")
	errLength    = errors.New("the assertion's signature does not have the length of its algorithm")
	errClaims    = errors.New("a claim of the assertion is missing, repeated or malformed")
	errUnfit     = errors.New("no key is for the algorithm that the assertion names")
	errParty     = errors.New("the signature holds, and the issuer or the audience is another one: is the assertion for another receiver?")
	errBody      = errors.New("the signature holds, and the body is not the one that was asserted")
)

func refuse(r verify.Reason, cause error) error { return &verify.Error{Reason: r, Cause: cause} }

// token is an assertion whose form is right.
type token struct {
	signed         string // header and claims, as they are signed
	algorithm, kid string
	signature      []byte
	claims         Claims
}

// parse reads an assertion. Each refusal is one that no body could make right.
func parse(text string) (*token, error) {
	if len(text) > maxToken {
		return nil, refuse(verify.ErrMalformed, errLong)
	}
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return nil, refuse(verify.ErrMalformed, errParts)
	}
	var decoded [3][]byte
	for i, part := range parts {
		b, err := base64URL.decode(part)
		if err != nil || base64URL.encode(b) != part {
			return nil, refuse(verify.ErrMalformed, errParts)
		}
		decoded[i] = b
	}
	t := &token{signed: text[:len(text)-len(parts[2])-1], signature: decoded[2]}
	if err := t.parseHeader(decoded[0]); err != nil {
		return nil, err
	}
	if !t.claims.unmarshal(decoded[1]) {
		return nil, refuse(verify.ErrMalformed, errClaims)
	}
	return t, nil
}

func (t *token) parseHeader(text []byte) error {
	o, ok := parseObject(text)
	if !ok {
		return refuse(verify.ErrMalformed, errHeader)
	}
	if name, ok := textOf(o["typ"]); !ok || name != typ {
		return refuse(verify.ErrUnsigned, errType)
	}
	t.algorithm, _ = textOf(o["alg"])
	size := map[string]int{es256: sizeES256, edDSA: 64, hs256: 32}[t.algorithm]
	if size == 0 {
		return refuse(verify.ErrUnsigned, errAlgorithm)
	}
	if t.kid, ok = textOf(o["kid"]); !ok || !isKeyID(t.kid) || len(o) != 3 {
		return refuse(verify.ErrMalformed, errHeader)
	}
	if len(t.signature) != size {
		return refuse(verify.ErrMalformed, errLength)
	}
	return nil
}

// parseObject parses a JSON object of which no two readers can have two opinions: no name
// stands twice in it, and nothing behind it.
func parseObject(text []byte) (map[string]json.RawMessage, bool) {
	var o map[string]json.RawMessage
	if !utf8.Valid(text) || json.Unmarshal(text, &o) != nil || o == nil {
		return nil, false
	}
	return o, len(o) == members(text) // a name that stands twice has one entry
}

// members counts the members of an object of valid JSON, by their colons.
func members(text []byte) (n int) {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++ // what is escaped ends no text
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		case c == ':' && depth == 1:
			n++
		}
	}
	return n
}
