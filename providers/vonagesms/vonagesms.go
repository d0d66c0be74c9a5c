// Package vonagesms verifies webhooks of Vonage's SMS API, which was Nexmo's: messages that
// come in, and delivery receipts.
//
// Vonage signs the fields of the form, sorted by name, with the signature secret of the
// account: an HMAC over
//
//	&<name>=<value>&<name>=<value>…
//
// in hexadecimal, in the field sig of the same form. In a value, "&" and "=" are signed as
// "_".
//
//	guard := middleware.Protect(vonagesms.Must(os.Getenv("VONAGE_SIGNATURE_SECRET")))
//
// Signed webhooks are a setting of the account, and so are the algorithm and the method:
// choose SHA-256 HMAC, and POST. The endpoint says the algorithm, never the request: with
// Options.SHA512 it is SHA-512, with Options.InsecureSHA1 SHA-1. The account's two settings
// with MD5 are not verified. Webhooks as JSON, and those of Vonage's other APIs, which have
// a JSON Web Token, are other schemes.
//
// # What the signature does not say
//
// The order of the fields, their escapes, and whether a "_" was "&" or "=" are not signed:
// whoever holds a genuine delivery can change these. So the Binding of a Delivery is
// verify.BindingChecksum; the store knows the delivery by the signed text, so that one form
// of it runs, and no second one. A form that parsers may read differently is refused, and
// so is one with a field that stands there twice.
//
// The URL is not signed: all endpoints of an account share its secret. Messages that come in
// and receipts have different fields; look at them, or have a route for each.
//
// # Time and repeats
//
// The field timestamp is signed. Vonage retries for 24 hours, and does not say whether a
// retry is signed anew. In case it is not, the window reaches 25 hours into the past. If it
// is, a message whose response got lost comes twice: make effects depend on messageId, which
// is signed, too, but is the same in every receipt of a message.
//
// Source: https://developer.vonage.com/en/getting-started/concepts/signing-messages,
// https://api.support.vonage.com/hc/en-us/articles/360028543292 (retries), and the libraries
// Vonage/vonage-node-sdk (packages/sms) and vonage-php-sdk-core (Client/Signature.php).
package vonagesms

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"strconv"
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/providers/internal/form"
	"github.com/hooknotary/hooknotary/providers/internal/inbody"
	"github.com/hooknotary/hooknotary/verify"
)

const (
	maxFields = 256
	maxAge    = 25 * time.Hour
)

// Options holds what an endpoint may choose. The zero value and nil are the defaults: an
// HMAC with SHA-256.
type Options struct {
	// SHA512: the account signs with SHA-512 HMAC.
	SHA512 bool

	// InsecureSHA1: the account signs with SHA-1 HMAC.
	InsecureSHA1 bool

	// MaxAge narrows the window into the past. Zero means 25 hours; more is an error. Lower
	// it only if you know that Vonage signs its retries anew.
	MaxAge time.Duration
}

// New makes a verifier from keys, for example [verify.Secrets] of one account. A nil o is the
// zero Options. It returns an error for a secret or options that cannot be right.
func New(keys verify.KeySource, o *Options) (verify.Verifier, error) {
	if o == nil {
		o = &Options{}
	}
	switch {
	case o.SHA512 && o.InsecureSHA1:
		return nil, errors.New("vonagesms: an account signs with one algorithm: set SHA512 or InsecureSHA1")
	case o.MaxAge < 0 || o.MaxAge > maxAge:
		return nil, fmt.Errorf("vonagesms: MaxAge is %v, want up to %v", o.MaxAge, maxAge)
	}
	v, err := inbody.New(schemeOf(o), keys)
	if err != nil {
		return nil, err
	}
	return v, nil
}

// Must makes a verifier from the signature secrets of one account that signs with SHA-256
// HMAC: one, or several while it is changed. It panics where [New] returns an error, most
// often because an environment variable is not set: a program that cannot verify must not
// start.
func Must(secrets ...string) verify.Verifier {
	v, err := New(verify.Secrets(secrets...), nil)
	if err != nil {
		panic("vonagesms.Must: " + strings.TrimPrefix(err.Error(), "vonagesms: "))
	}
	return v
}

// About returns what people and tools want to know of the scheme.
func About() verify.About { return about("HMAC-SHA256") }

func about(algorithm string) verify.About {
	return verify.About{
		Title:   "Vonage SMS",
		Signed:  "names and values of the form, time among them, " + algorithm,
		InBody:  true,
		Headers: []verify.HeaderUse{},
		NotCovered: []string{
			"the order of the fields, and whether a _ of a value was & or =",
			"the URL: all endpoints of an account share its secret",
		},
		Credentials: []verify.Credential{{Prefix: "-----BEGIN ", What: "the private key of an application", Secret: true}},
		Tell:        verify.Tell{Headers: []string{}, Before: verify.NotBeforeBody},
		Links: []string{
			"https://developer.vonage.com/en/getting-started/concepts/signing-messages",
			"https://api.support.vonage.com/hc/en-us/articles/360028543292",
		},
		OutsideVector: "tests of Vonage/vonage-node-sdk",
	}
}

func schemeOf(o *Options) *inbody.Scheme {
	s := &inbody.Scheme{
		Profile: verify.Profile{
			Provider:  "vonagesms",
			MediaType: "application/x-www-form-urlencoded",
			MaxBody:   256 << 10, // Vonage states no limit; a message has a few KiB
			Window:    verify.Window{Past: maxAge, Future: 5 * time.Minute},
			Binding:   verify.BindingChecksum,
			Retry:     verify.RetryIdentical,
			Retention: 48 * time.Hour, // Vonage retries for 24 hours
		},
		About: About,
		Hash:  sha256.New,
	}
	switch {
	case o.SHA512:
		s.Hash, s.About = sha512.New, func() verify.About { return about("HMAC-SHA512") }
	case o.InsecureSHA1:
		s.Hash, s.About = sha1.New, func() verify.About { return about("HMAC-SHA1") }
	}
	if o.MaxAge > 0 {
		s.Profile.Window.Past = o.MaxAge
	}
	size := sizeOf(s.Hash)
	s.Read = func(body []byte) (*inbody.Signed, error) { return read(body, size) }
	return s
}

func sizeOf(h func() hash.Hash) int { return h().Size() }

// Causes of refusals. They hold nothing of the request.
var (
	errForm      = errors.New("the body is no form that all parsers read alike, it has too many fields, or one stands there twice")
	errName      = errors.New("the name of a field has other characters than letters, digits, and any of -_.[]")
	errTime      = errors.New("timestamp is not a time in 10 digits")
	errSignature = errors.New("sig is not the digits of a signature by the algorithm of the endpoint")
)

func malformed(cause error) error { return inbody.Refuse(verify.ErrMalformed, cause) }

// read reads a form, and writes what is signed. A name has no "&" and no "=", and neither
// has a value as it is signed, so the text splits in one way only.
func read(body []byte, size int) (*inbody.Signed, error) {
	fields, ok := form.Parse(body, maxFields)
	if !ok {
		return nil, malformed(errForm)
	}
	form.Sort(fields)
	signed := &inbody.Signed{}
	var message []byte
	signature, timed := "", false
	for i, f := range fields {
		switch {
		case i > 0 && f.Name == fields[i-1].Name:
			return nil, malformed(errForm)
		case f.Name == "sig":
			signature = f.Value
			continue
		case !inbody.IsName(f.Name, "-_.[]", 128):
			return nil, malformed(errName)
		case f.Name == "timestamp":
			seconds, err := strconv.ParseUint(f.Value, 10, 63) // which takes no sign
			if err != nil || len(f.Value) != 10 {
				return nil, malformed(errTime)
			}
			signed.At, timed = time.Unix(int64(seconds), 0).UTC(), true
		}
		message = append(append(append(message, '&'), f.Name...), '=')
		message = append(message, signedAs.Replace(f.Value)...)
	}
	switch {
	case signature == "":
		return nil, inbody.Refuse(verify.ErrUnsigned, nil)
	case !timed:
		return nil, malformed(errTime)
	}
	mac, err := hex.DecodeString(signature)
	// The digits are those of one case.
	if err != nil || len(mac) != size || signature != strings.ToUpper(signature) && signature != strings.ToLower(signature) {
		return nil, malformed(errSignature)
	}
	signed.Items = []inbody.Item{{Messages: [][]byte{message}, Signatures: [][]byte{mac}}}
	return signed, nil
}

// signedAs writes a value as it is signed.
var signedAs = strings.NewReplacer("&", "_", "=", "_")
