// Package adyen verifies the standard webhooks of Adyen, which are about payments.
//
// Adyen signs eight values of each item inside of the JSON body, and puts the signature
// beside them, into additionalData.hmacSignature: an HMAC-SHA256 in base64, under a key that
// the Customer Area shows in hexadecimal, over
//
//	pspReference:originalReference:merchantAccountCode:merchantReference:amount.value:amount.currency:eventCode:success
//
// The secret is that hexadecimal text, 64 characters long. An endpoint has its own, and test
// and live have different ones.
//
//	v, err := adyen.New(verify.Secrets(os.Getenv("ADYEN_HMAC_KEY")), &adyen.Options{InsecureBodyNotCovered: true})
//
// # What is not signed
//
// Everything else: the rest of additionalData, eventDate, reason, paymentMethod, operations,
// live, and any member that somebody adds. Whoever holds a genuine item that has not arrived
// can change them. So the Binding of a Delivery is verify.BindingPart, and New wants to be
// told that you know it. Do not read the body: [Items] returns what is signed and nothing
// else.
//
// A body has one item, as Adyen's JSON webhooks always have; one with more is refused.
// Each item would be signed by itself, so whoever holds genuine ones could put them together
// in ever new ways, none of which a store would know. No time is signed: an item verifies as
// long as its key is in use, and only a replay store keeps it from running again. The
// values are joined without escapes, so those that could be split elsewhere are refused: a
// colon may stand in merchantReference alone.
//
// The webhooks of Adyen's platforms (balance platform, transfers, reports) are another
// scheme: they sign the whole body, in the header HmacSignature.
//
// # Retries and repeats
//
// Adyen retries for 30 days, and documents that an event may come more than once. Nothing of
// a retry is documented to differ. No id of an event is signed by itself: a store knows
// an event by all of its signed values. So the same pspReference and eventCode with another
// success is another event. Adyen takes any status of 2xx for an acknowledgement.
//
// Source: https://docs.adyen.com/development-resources/webhooks/secure-webhooks/verify-hmac-signatures
// and https://docs.adyen.com/development-resources/webhooks/understand-notifications (one item).
package adyen

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/providers/internal/inbody"
	"github.com/hooknotary/hooknotary/providers/internal/strictjson"
	"github.com/hooknotary/hooknotary/verify"
)

const maxValues = 8192 // of a body

// Options holds what an endpoint may choose.
type Options struct {
	// InsecureBodyNotCovered says that you know that eight values of each item are signed,
	// and the rest of the body is not. It is required.
	InsecureBodyNotCovered bool
}

// Item holds what is signed of an item, and nothing else.
type Item struct {
	PSPReference      string
	OriginalReference string // "" where there is none
	MerchantAccount   string // the member merchantAccountCode
	MerchantReference string
	Value             int64  // of the amount, in minor units; 0 where there is none
	Currency          string // "" where there is no amount
	EventCode         string
	Success           bool
}

// New makes a verifier. The options are required, because of InsecureBodyNotCovered.
func New(keys verify.KeySource, o *Options) (verify.Verifier, error) {
	if o == nil || !o.InsecureBodyNotCovered {
		return nil, errors.New("adyen: the signature covers eight values of an item and not the body; if you know that, set Options.InsecureBodyNotCovered")
	}
	v, err := inbody.New(scheme, keys)
	if err != nil {
		return nil, err
	}
	return v, nil
}

// InsecureMust makes a verifier from the keys of one endpoint: one, or several while they
// are rolled. The name says that the signature does not cover the body: it is [New] with
// Options.InsecureBodyNotCovered. It panics where New returns an error, most often because
// an environment variable is not set: a program that cannot verify must not start.
func InsecureMust(secrets ...string) verify.Verifier {
	v, err := New(verify.Secrets(secrets...), &Options{InsecureBodyNotCovered: true})
	if err != nil {
		panic("adyen.InsecureMust: " + strings.TrimPrefix(err.Error(), "adyen: "))
	}
	return v
}

// Items returns what is signed of a delivery that a verifier of this package returned: one
// item. It is an error if d is of another verifier, or nil.
func Items(d *verify.Delivery) ([]Item, error) {
	if d == nil || d.Provider != "adyen" {
		return nil, errors.New("adyen: this is no delivery of Adyen")
	}
	all, err := parse(d.Body)
	if err != nil {
		return nil, errors.New("adyen: the body of the delivery is not the one that was verified")
	}
	items := make([]Item, len(all))
	for i := range all {
		items[i] = all[i].Item
	}
	return items, nil
}

// About returns what people and tools want to know of the scheme.
func About() verify.About {
	return verify.About{
		Title:   "Adyen",
		Signed:  "eight values of each item in the body, HMAC-SHA256",
		InBody:  true,
		Headers: []verify.HeaderUse{},
		NotCovered: []string{
			"everything in the body but pspReference, originalReference, merchantAccountCode, merchantReference, amount, eventCode and success: the reason, the date and additionalData can be changed",
			"the time: a copy verifies as long as the key is in use",
		},
		Credentials: []verify.Credential{{Prefix: "AQE", What: "an API key", Secret: true}},
		Tell:        verify.Tell{Headers: []string{}, Before: verify.NotBeforeBody},
		Links: []string{
			"https://docs.adyen.com/development-resources/webhooks/secure-webhooks/verify-hmac-signatures",
			"https://docs.adyen.com/development-resources/webhooks/troubleshoot",
		},
		OutsideVector: "a test of Adyen/adyen-python-api-library",
	}
}

var scheme = &inbody.Scheme{
	Profile: verify.Profile{
		Provider:  "adyen",
		MediaType: "application/json",
		MaxBody:   1 << 20, // Adyen states no limit; a notification has a few KiB
		Binding:   verify.BindingPart,
		Retry:     verify.RetryIdentical,
		Retention: 35 * 24 * time.Hour, // Adyen retries for 30 days
	},
	About: About,
	Hash:  sha256.New,
	Key: func(secret []byte) ([]byte, error) {
		key := make([]byte, hex.DecodedLen(len(secret)))
		if _, err := hex.Decode(key, secret); err != nil || len(key) != sha256.Size {
			return nil, errors.New("is not 64 hexadecimal digits, as an HMAC key of Adyen is")
		}
		return key, nil
	},
	Read: func(body []byte) (*inbody.Signed, error) {
		all, err := parse(body)
		if err != nil {
			return nil, err
		}
		signed := &inbody.Signed{}
		for i := range all {
			signed.Items = append(signed.Items, inbody.Item{Messages: [][]byte{all[i].message}, Signatures: [][]byte{all[i].signature}})
		}
		return signed, nil
	},
}

// Causes of refusals. They hold nothing of the request.
var (
	errForm      = errors.New("the body is not of the form {\"notificationItems\":[{\"NotificationRequestItem\":{…}}]}")
	errItems     = errors.New("the body has more than one item: Adyen sends one in each, and what is put together has no signature of its own")
	errValue     = errors.New("a value that is signed is not of its form")
	errColon     = errors.New("a colon stands in a value that is no merchantReference: what is signed could be split elsewhere")
	errSignature = errors.New("hmacSignature is not base64 of 32 bytes")
)

// item is an item of a body that has the right form.
type item struct {
	Item
	message, signature []byte
}

// parse reads a body.
func parse(body []byte) ([]item, error) {
	v, err := strictjson.Parse(body, maxValues)
	if err != nil {
		return nil, inbody.Refuse(verify.ErrMalformed, err)
	}
	list, err := v.Get("notificationItems")
	switch {
	case err != nil:
		return nil, inbody.Refuse(verify.ErrMalformed, err)
	case list.Kind != strictjson.Array || len(list.Elements) == 0:
		return nil, inbody.Refuse(verify.ErrUnsigned, errForm)
	case len(list.Elements) > 1:
		return nil, inbody.Refuse(verify.ErrMalformed, errItems)
	}
	var all []item
	for _, e := range list.Elements {
		i, err := read(e)
		if err != nil {
			return nil, err
		}
		all = append(all, i)
	}
	return all, nil
}

// read reads an item.
func read(element strictjson.Value) (item, error) {
	r := reader{}
	v := r.member(element, "NotificationRequestItem", strictjson.Object)
	signature := r.text(r.member(v, "additionalData", strictjson.Object), "hmacSignature")
	if r.err == nil && signature == "" {
		return item{}, inbody.Refuse(verify.ErrUnsigned, nil)
	}
	amount := r.member(v, "amount", strictjson.Object)
	value := r.member(amount, "value", strictjson.Number).Text
	success := r.text(v, "success")
	i := item{Item: Item{
		PSPReference:      r.text(v, "pspReference"),
		OriginalReference: r.text(v, "originalReference"),
		MerchantAccount:   r.text(v, "merchantAccountCode"),
		MerchantReference: r.text(v, "merchantReference"),
		Currency:          r.text(amount, "currency"),
		EventCode:         r.text(v, "eventCode"),
		Success:           success == "true",
	}}
	if value != "" && r.err == nil {
		i.Value, r.err = strconv.ParseInt(value, 10, 64)
		if r.err != nil || strconv.FormatInt(i.Value, 10) != value {
			r.err = errValue
		}
	}
	if r.err == nil && (success != "true" && success != "false" || i.PSPReference == "" || i.EventCode == "") {
		r.err = errValue
	}
	if r.err != nil {
		return item{}, inbody.Refuse(verify.ErrMalformed, r.err)
	}
	parts := [...]string{i.PSPReference, i.OriginalReference, i.MerchantAccount, i.MerchantReference, value, i.Currency, i.EventCode, success}
	for n, part := range parts {
		if n != 3 && strings.Contains(part, ":") {
			return item{}, inbody.Refuse(verify.ErrMalformed, errColon)
		}
	}
	i.message = []byte(strings.Join(parts[:], ":"))
	var err error
	i.signature, err = base64.StdEncoding.Strict().DecodeString(signature)
	if err != nil || len(i.signature) != sha256.Size || !bytes.Equal(base64.StdEncoding.AppendEncode(nil, i.signature), []byte(signature)) {
		return item{}, inbody.Refuse(verify.ErrMalformed, errSignature)
	}
	return i, nil
}

// reader reads members, and notes the first mistake.
type reader struct{ err error }

// member returns the member of that name and kind. It is the zero Value where there is none.
func (r *reader) member(of strictjson.Value, name string, kind strictjson.Kind) strictjson.Value {
	v, err := of.Get(name)
	if err == nil && v.Kind != 0 && v.Kind != kind {
		err = errValue
	}
	if err != nil && r.err == nil {
		r.err = err
	}
	return v
}

func (r *reader) text(of strictjson.Value, name string) string {
	return r.member(of, name, strictjson.String).Text
}
