package assertion

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

// Claims is what an assertion says about a delivery.
type Claims struct {
	// Route is the gateway's name of the endpoint, and Provider the name of the scheme that
	// verified the delivery. Both are required.
	Route, Provider string

	// Scope and KeyLabel are those of the sender's key, as in verify.Delivery. Required.
	Scope, KeyLabel string

	// EventID is the id that the sender signed, or empty.
	EventID string

	// EventKey is the key under which the gateway's store knows the event. It is the same
	// in every attempt, and every sender's events have one. Required.
	EventKey replay.Key

	// SignedAt is when the sender signed, or the zero time if it signs no time. ReceivedAt
	// is when the gateway received the delivery; required. An assertion holds whole
	// seconds.
	SignedAt, ReceivedAt time.Time

	// Binding says how strongly the sender's signature covers the body. The assertion
	// itself always covers all of it. Required.
	Binding verify.Binding

	// BodySHA256 is the hash of the body that goes to the receiver. Required.
	BodySHA256 [32]byte

	// The rest is set by Sign, whatever it was, and is what a verified assertion said.

	// Issuer is who asserts, and Audience for whom.
	Issuer, Audience string
	// IssuedAt is 30 seconds before the assertion was made, and Expires 60 seconds after.
	IssuedAt, Expires time.Time
	// ID is random, and names this one assertion (jti).
	ID string
}

const (
	maxToken = 8 << 10 // bytes
	maxText  = 512     // bytes of a claim that is text
	maxID    = 64      // bytes of a jti
	maxTime  = 12      // digits

	backdate = 30 * time.Second // iat lies so long before the time at which a token is made
	lifetime = 60 * time.Second // exp lies so long behind it
)

// wire is the claims of a token, in the order in which Sign writes them.
type wire struct {
	Issuer     string `json:"iss"`
	Audience   string `json:"aud"`
	IssuedAt   int64  `json:"iat"`
	Expires    int64  `json:"exp"`
	ID         string `json:"jti"`
	Route      string `json:"route"`
	Provider   string `json:"provider"`
	Scope      string `json:"scope"`
	KeyLabel   string `json:"key_label"`
	EventID    string `json:"event_id,omitempty"`
	EventKey   string `json:"event_key"`
	SignedAt   *int64 `json:"signed_at,omitempty"`
	ReceivedAt int64  `json:"received_at"`
	Binding    string `json:"binding"`
	BodySHA256 string `json:"body_sha256"`
}

var errUnsayable = errors.New("a claim is missing, is no UTF-8 or is longer than 512 bytes")

// marshal returns the claims as JSON. An assertion that its reader would refuse is an error.
func (c *Claims) marshal() ([]byte, error) {
	for _, text := range [...]string{c.Route, c.Provider, c.Scope, c.KeyLabel} {
		if !isText(text) {
			return nil, errUnsayable
		}
	}
	_, binding := bindingOf(c.Binding.String())
	if c.EventID != "" && !isText(c.EventID) || !binding || c.EventKey == (replay.Key{}) || c.BodySHA256 == ([32]byte{}) ||
		!isTime(c.ReceivedAt) || !c.SignedAt.IsZero() && !isTime(c.SignedAt) {
		return nil, errUnsayable
	}
	w := wire{
		Issuer: c.Issuer, Audience: c.Audience, IssuedAt: c.IssuedAt.Unix(), Expires: c.Expires.Unix(), ID: c.ID,
		Route: c.Route, Provider: c.Provider, Scope: c.Scope, KeyLabel: c.KeyLabel,
		EventID: c.EventID, EventKey: c.EventKey.String(), ReceivedAt: c.ReceivedAt.Unix(),
		Binding: c.Binding.String(), BodySHA256: base64.RawURLEncoding.EncodeToString(c.BodySHA256[:]),
	}
	if !c.SignedAt.IsZero() {
		at := c.SignedAt.Unix()
		w.SignedAt = &at
	}
	return json.Marshal(w)
}

func isText(s string) bool { return s != "" && len(s) <= maxText && utf8.ValidString(s) }

// isTime reports whether a time can stand in a token.
func isTime(t time.Time) bool { return t.Unix() >= 0 && t.Unix() < 1e12 }

// unmarshal reads claims. Each must be there as marshal writes it; what else stands there is
// passed over, as long as it is no object and no list.
func (c *Claims) unmarshal(text []byte) bool {
	o, ok := parseObject(text)
	if !ok {
		return false
	}
	if _, ok := o["nbf"]; ok { // it would change when the token counts
		return false
	}
	for _, value := range o {
		if value[0] == '{' || value[0] == '[' {
			return false
		}
	}
	for _, text := range [...]struct {
		name string
		to   *string
	}{
		{"iss", &c.Issuer}, {"aud", &c.Audience}, {"jti", &c.ID}, {"route", &c.Route}, {"provider", &c.Provider},
		{"scope", &c.Scope}, {"key_label", &c.KeyLabel}, {"event_id", &c.EventID},
	} {
		value, ok := o[text.name]
		if !ok && text.name == "event_id" {
			continue
		}
		if *text.to, ok = textOf(value); !ok || !isText(*text.to) {
			return false
		}
	}
	for _, at := range [...]struct {
		name string
		to   *time.Time
	}{{"iat", &c.IssuedAt}, {"exp", &c.Expires}, {"received_at", &c.ReceivedAt}, {"signed_at", &c.SignedAt}} {
		value, ok := o[at.name]
		if !ok && at.name == "signed_at" {
			continue
		}
		if *at.to, ok = timeOf(value); !ok {
			return false
		}
	}
	key, _ := textOf(o["event_key"])
	sum, _ := textOf(o["body_sha256"])
	binding, _ := textOf(o["binding"])
	if c.Binding, ok = bindingOf(binding); !ok || !decode(c.EventKey[:], key, hexadecimal) || !decode(c.BodySHA256[:], sum, base64URL) {
		return false
	}
	return len(c.ID) <= maxID && c.Expires.Sub(c.IssuedAt) == backdate+lifetime
}

func bindingOf(text string) (verify.Binding, bool) {
	for b := verify.BindingFull; b <= verify.BindingPart; b++ {
		if b.String() == text {
			return b, true
		}
	}
	return 0, false
}

// textOf reads a text of JSON.
func textOf(value json.RawMessage) (s string, ok bool) {
	return s, len(value) > 0 && value[0] == '"' && json.Unmarshal(value, &s) == nil
}

// timeOf reads a number of whole seconds.
func timeOf(value json.RawMessage) (time.Time, bool) {
	if len(value) == 0 || len(value) > maxTime || strings.Trim(string(value), "0123456789") != "" {
		return time.Time{}, false
	}
	s, err := strconv.ParseInt(string(value), 10, 64)
	return time.Unix(s, 0).UTC(), err == nil
}

// An encoding has one spelling for each value.
type encoding struct {
	decode func(string) ([]byte, error)
	encode func([]byte) string
}

var (
	hexadecimal = encoding{hex.DecodeString, hex.EncodeToString}
	base64URL   = encoding{base64.RawURLEncoding.DecodeString, base64.RawURLEncoding.EncodeToString}
)

// decode fills to with the value of text, which must have its length and its one spelling.
func decode(to []byte, text string, e encoding) bool {
	b, err := e.decode(text)
	return err == nil && len(b) == len(to) && e.encode(b) == text && copy(to, b) == len(to)
}
