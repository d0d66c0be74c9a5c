// Package braintree verifies webhooks of Braintree.
//
// A delivery is a form of two fields. bt_payload is the event, XML in base64, and
// bt_signature has one or several pairs of a public key and an HMAC-SHA1 in hexadecimal over
// the text of bt_payload:
//
//	bt_signature=PUBLIC_KEY|HMAC&bt_payload=BASE64
//
// The secret is the private key of the API; the key of the HMAC is its SHA-1.
//
//	v, err := braintree.New(verify.Secrets(os.Getenv("BRAINTREE_PRIVATE_KEY")), nil)
//
// # What is signed, and what is not
//
// The payload is signed. The Binding of a Delivery is verify.BindingPart, because a form has
// many spellings: read the payload with [Payload], and not the form. A form with any other
// field is refused. No time is signed beside the payload, whose XML holds one that this
// package does not read: a delivery verifies as long as its key is in use, and only a replay
// store keeps it from running again.
//
// Braintree signs an event under each API key of the merchant. So the private keys of one
// merchant have one scope: under two of them, an event could run once for each.
//
// The private key is also what your server uses the API with. Whoever has it can do more
// than send webhooks.
//
// # The check of the URL
//
// When you enter the URL in the Control Panel, Braintree sends a GET with bt_challenge, and
// wants the public key and an HMAC of the challenge, under the same key as that of a
// delivery. Anyone may ask for it. A verifier with Options.PublicKey is a
// verify.Challenger, which answers for 20 to 32 hexadecimal digits, as Braintree's libraries
// do. So that no answer is the signature of a delivery, a payload of fewer than 64 characters
// is refused. The route must let GET through. Leave PublicKey empty once the URL is entered.
//
// # Retries and repeats
//
// Braintree retries each hour, for 24 hours in production and for 3 in the sandbox. Nothing
// of a retry is documented to differ. A store knows an event by its payload.
//
// Source: https://developer.paypal.com/braintree/docs/guides/webhooks/parse
package braintree

import (
	"context"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/providers/internal/form"
	"github.com/hooknotary/hooknotary/providers/internal/inbody"
	"github.com/hooknotary/hooknotary/verify"
)

const (
	maxPairs     = 16
	minPayload   = 64 // characters; a challenge has up to 32
	maxPublicKey = 64
	maxQuery     = 4 << 10
)

// Options holds what an endpoint may choose. The zero value and nil are the defaults. New
// copies it.
type Options struct {
	// PublicKey is the public key of the API that belongs to the first secret. With it, the
	// check of the URL is answered; "" refuses it, as every GET.
	PublicKey string
}

// New makes a verifier. Its keys hold private keys of the API. A nil o is the zero Options.
func New(keys verify.KeySource, o *Options) (verify.Verifier, error) {
	if o == nil {
		o = &Options{}
	}
	v, err := inbody.New(scheme, keys)
	switch {
	case err != nil:
		return nil, err
	case o.PublicKey == "":
		return v, nil
	case !inbody.IsName(o.PublicKey, "_-", maxPublicKey):
		return nil, errors.New("braintree: PublicKey is not up to 64 letters and digits")
	}
	return &challenger{v, o.PublicKey}, nil
}

// Must makes a verifier from the private keys of one endpoint: one, or several while they
// are rolled. It panics where [New] returns an error, most often because an environment
// variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) verify.Verifier {
	v, err := New(verify.Secrets(secrets...), nil)
	if err != nil {
		panic("braintree.Must: " + strings.TrimPrefix(err.Error(), "braintree: "))
	}
	return v
}

// Payload returns the event, which is XML, of a delivery that a verifier of this package
// returned. The bytes are the caller's. It is an error if d is of another verifier, or nil.
func Payload(d *verify.Delivery) ([]byte, error) {
	if d == nil || d.Provider != "braintree" {
		return nil, errors.New("braintree: this is no delivery of Braintree")
	}
	m, err := parse(d.Body)
	if err != nil {
		return nil, errors.New("braintree: the body of the delivery is not the one that was verified")
	}
	return m.xml, nil
}

// About returns what people and tools want to know of the scheme.
func About() verify.About {
	return verify.About{
		Title:   "Braintree",
		Signed:  "the payload in the form, HMAC-SHA1",
		InBody:  true,
		Headers: []verify.HeaderUse{},
		NotCovered: []string{
			"the spelling of the form, which may hold nothing else",
			"a time: a copy verifies as long as the key is in use",
		},
		Credentials: []verify.Credential{{Prefix: "access_token$", What: "an access token", Secret: true}},
		Tell:        verify.Tell{Headers: []string{}, Before: verify.NotBeforeBody},
		Links: []string{
			"https://developers.braintreepayments.com/guides/webhooks/parse/python",
			"https://developers.braintreepayments.com/guides/webhooks/create/python",
		},
		OutsideVector: "the challenge in a test of braintree/braintree_python",
	}
}

var scheme = &inbody.Scheme{
	Profile: verify.Profile{
		Provider:  "braintree",
		MediaType: "application/x-www-form-urlencoded",
		MaxBody:   2 << 20, // Braintree states no limit; an event has a few KiB
		Binding:   verify.BindingPart,
		Retry:     verify.RetryIdentical,
		Retention: 3 * 24 * time.Hour, // Braintree retries for 24 hours; a guard takes no less where no time is signed
	},
	About: About,
	Hash:  sha1.New,
	Key: func(secret []byte) ([]byte, error) {
		key := sha1.Sum(secret)
		return key[:], nil
	},
	Read: func(body []byte) (*inbody.Signed, error) {
		m, err := parse(body)
		if err != nil {
			return nil, err
		}
		// Braintree's libraries also take a payload that lost its last line feed.
		return &inbody.Signed{Items: []inbody.Item{{
			Messages:   [][]byte{[]byte(m.payload), []byte(m.payload + "\n")},
			Signatures: m.signatures,
		}}}, nil
	},
}

// Causes of refusals. They hold nothing of the request.
var (
	errForm      = errors.New("the body is not a form with the fields bt_signature and bt_payload, and no other one")
	errPayload   = errors.New("bt_payload is not base64 of at least 64 characters")
	errSignature = errors.New("bt_signature is not 1 to 16 pairs of a public key and an HMAC in lower-case hexadecimal")
)

// message is a body that has the right form.
type message struct {
	payload    string
	xml        []byte
	signatures [][]byte
}

// parse reads a body.
func parse(body []byte) (*message, error) {
	fields, ok := form.Parse(body, 2)
	if !ok {
		return nil, inbody.Refuse(verify.ErrMalformed, errForm)
	}
	values := make(map[string]string)
	for _, f := range fields {
		values[f.Name] = f.Value
	}
	if values["bt_signature"] == "" {
		return nil, inbody.Refuse(verify.ErrUnsigned, nil)
	}
	payload, ok := values["bt_payload"]
	if len(fields) != 2 || !ok {
		return nil, inbody.Refuse(verify.ErrMalformed, errForm)
	}
	m := &message{payload: payload}
	// A carriage return or a blank would be skipped, or taken for a plus, by other parsers.
	if len(payload) < minPayload || !inbody.IsName(payload, "+/=\n", len(payload)) {
		return nil, inbody.Refuse(verify.ErrMalformed, errPayload)
	}
	text := strings.ReplaceAll(payload, "\n", "")
	var err error
	m.xml, err = base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || base64.StdEncoding.EncodeToString(m.xml) != text {
		return nil, inbody.Refuse(verify.ErrMalformed, errPayload)
	}
	pairs := strings.SplitN(values["bt_signature"], "&", maxPairs+1)
	for _, pair := range pairs {
		key, text, _ := strings.Cut(pair, "|")
		mac, err := hex.DecodeString(text)
		if len(pairs) > maxPairs || !inbody.IsName(key, "_-", maxPublicKey) || err != nil || len(mac) != sha1.Size || hex.EncodeToString(mac) != text {
			return nil, inbody.Refuse(verify.ErrMalformed, errSignature)
		}
		m.signatures = append(m.signatures, mac)
	}
	return m, nil
}

// challenger is a verifier that answers the check of the URL.
type challenger struct {
	*inbody.Verifier
	publicKey string
}

// Rekey returns a verifier that differs in its keys alone.
func (v *challenger) Rekey(keys verify.KeySource) (verify.Verifier, error) {
	return New(keys, &Options{PublicKey: v.publicKey})
}

var errChallenge = errors.New("bt_challenge is not there once, with 20 to 32 lower-case hexadecimal digits")

// HandshakeMethods returns the method by which a handshake comes.
func (v *challenger) HandshakeMethods() []string { return []string{http.MethodGet} }

// Challenge answers a GET with bt_challenge.
func (v *challenger) Challenge(ctx context.Context, h *verify.Head) (verify.Challenge, error) {
	if h == nil || h.Method != http.MethodGet || h.URL == nil || len(h.URL.RawQuery) > maxQuery {
		return nil, nil
	}
	values, err := url.ParseQuery(h.URL.RawQuery)
	tokens := values["bt_challenge"]
	if len(tokens) == 0 {
		return nil, nil
	}
	if err != nil || len(tokens) != 1 || !isChallenge(tokens[0]) {
		return nil, inbody.Refuse(verify.ErrMalformed, errChallenge)
	}
	mac, err := v.MAC(ctx, h, []byte(tokens[0]))
	if err != nil {
		return nil, err
	}
	return answer(v.publicKey + "|" + hex.EncodeToString(mac)), nil
}

// isChallenge reports whether s is what Braintree sends.
func isChallenge(s string) bool {
	return len(s) >= 20 && len(s) <= 32 && strings.Trim(s, "0123456789abcdef") == ""
}

// answer is the response to a challenge.
type answer string

// Finish returns the response.
func (a answer) Finish(context.Context, []byte) (*verify.Response, error) {
	return &verify.Response{ContentType: verify.TextPlain, Body: []byte(a), Computed: true}, nil
}

// Respond returns nil: no delivery is a handshake.
func (v *challenger) Respond(context.Context, *verify.Head, *verify.Delivery) (*verify.Response, error) {
	return nil, nil
}
