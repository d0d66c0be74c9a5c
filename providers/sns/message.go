package sns

import (
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/providers/internal/strictjson"
	"github.com/hooknotary/hooknotary/verify"
)

// Type says what a message is about.
type Type string

// The types.
const (
	Notification             Type = "Notification"             // somebody published a message
	SubscriptionConfirmation Type = "SubscriptionConfirmation" // the endpoint was subscribed to the topic
	UnsubscribeConfirmation  Type = "UnsubscribeConfirmation"  // the subscription has ended
)

// Message holds what is signed of a message, and nothing else.
type Message struct {
	Type      Type
	ID        string // a UUID; the same in each attempt
	TopicARN  string
	Subject   string // "" also where there is none
	Text      string // the member Message: what was published
	Timestamp time.Time

	// Token confirms a subscription, or renews it after its end. It is a credential:
	// keep it out of logs. SubscribeURL is the same in a URL; do not fetch it, see
	// Verifier.Confirm. Both are empty in a Notification.
	Token, SubscribeURL string
}

// MessageOf returns what is signed of a delivery that a verifier of this package returned.
// It is an error if d is of another verifier, or nil.
func MessageOf(d *verify.Delivery) (*Message, error) {
	if d == nil || d.Provider != "sns" {
		return nil, errors.New("sns: this is no delivery of SNS")
	}
	e, err := parse(d.Body, true)
	if err != nil {
		return nil, errors.New("sns: the body of the delivery is not the one that was verified")
	}
	return &e.Message, nil
}

const (
	timeLayout = "2006-01-02T15:04:05.000Z"
	maxValues  = 256 // of a body; there are up to 13, and 4 for each of 10 attributes
)

// Causes of refusals. They hold nothing of the request.
var (
	errType        = errors.New("Type is none that SNS signs")
	errMember      = errors.New("a member that is signed is missing, or is not of its form")
	errUnknown     = errors.New("the body has a member that is not signed, such as MessageAttributes; InsecureAllowUnsignedMembers accepts it")
	errSignature   = errors.New("the Signature is not base64")
	errVersion     = errors.New("SignatureVersion is neither 1 nor 2")
	errUnsubscribe = errors.New("UnsubscribeURL is not on SNS's host of the topic's region")
)

// envelope is a body that has the right form.
type envelope struct {
	Message
	timestamp                     string // as it is signed
	hasSubject                    bool
	version, certURL, unsubscribe string
	signature                     []byte
}

// parse reads a body. Each value has one spelling, and between any two of them that are
// free text stands one that is not, so that the signed lines split in one way only.
func parse(body []byte, unnamed bool) (*envelope, error) {
	v, err := strictjson.Parse(body, maxValues)
	switch {
	case err != nil:
		return nil, refuse(verify.ErrMalformed, err)
	case v.Kind != strictjson.Object:
		return nil, refuse(verify.ErrUnsigned, nil)
	}
	r := reader{of: v, seen: make(map[string]bool)}
	e := &envelope{}
	signature, ok := r.optional("Signature")
	if !ok && r.err == nil || signature == "" && r.err == nil {
		return nil, refuse(verify.ErrUnsigned, nil)
	}
	e.Type = Type(r.text("Type"))
	e.Text = r.text("Message")
	e.ID = r.text("MessageId")
	e.timestamp = r.text("Timestamp")
	e.TopicARN = r.text("TopicArn")
	e.version = r.text("SignatureVersion")
	e.certURL = r.text("SigningCertURL")
	switch e.Type {
	case Notification:
		e.Subject, e.hasSubject = r.optional("Subject")
		e.unsubscribe = r.text("UnsubscribeURL")
	case SubscriptionConfirmation, UnsubscribeConfirmation:
		e.SubscribeURL = r.text("SubscribeURL")
		e.Token = r.text("Token")
	default:
		return nil, refuse(verify.ErrMalformed, errType)
	}
	if r.err == nil && !unnamed && len(r.seen) != len(v.Members) {
		r.err = errUnknown
	}
	if r.err != nil {
		return nil, refuse(verify.ErrMalformed, r.err)
	}
	if e.version != "1" && e.version != "2" {
		return nil, refuse(verify.ErrMalformed, errVersion)
	}
	confirms := e.Type != Notification
	if !isUUID(e.ID) || hasControl(e.Subject) || strings.Contains(e.TopicARN, "\n") ||
		confirms && (!isName(e.Token, "", 1024) || hasControl(e.SubscribeURL)) {
		return nil, refuse(verify.ErrMalformed, errMember)
	}
	if e.Timestamp, err = time.Parse(timeLayout, e.timestamp); err != nil || e.Timestamp.Format(timeLayout) != e.timestamp {
		return nil, refuse(verify.ErrMalformed, errMember)
	}
	// Keys of 2048 to 4096 bits.
	if len(signature) > 684 {
		return nil, refuse(verify.ErrMalformed, errSignature)
	}
	e.signature, err = base64.StdEncoding.Strict().DecodeString(signature)
	if err != nil || base64.StdEncoding.EncodeToString(e.signature) != signature {
		return nil, refuse(verify.ErrMalformed, errSignature)
	}
	return e, nil
}

// reader reads members that are strings, and notes the first mistake.
type reader struct {
	of   strictjson.Value
	seen map[string]bool
	err  error
}

// text returns the member of that name, which must be there.
func (r *reader) text(name string) string {
	s, ok := r.optional(name)
	if !ok && r.err == nil {
		r.err = errMember
	}
	return s
}

// optional returns the member of that name, and whether it is there.
func (r *reader) optional(name string) (string, bool) {
	m, err := r.of.Get(name)
	if err == nil && m.Kind != 0 && m.Kind != strictjson.String {
		err = errMember
	}
	if err != nil && r.err == nil {
		r.err = err
	}
	if m.Kind != strictjson.String {
		return "", false
	}
	r.seen[name] = true
	return m.Text, true
}

// signed returns what is signed.
func (e *envelope) signed() []byte {
	b := make([]byte, 0, len(e.Text)+1024)
	for _, line := range e.lines() {
		b = append(b, line.name...)
		b = append(b, '\n')
		b = append(b, line.value...)
		b = append(b, '\n')
	}
	return b
}

type line struct{ name, value string }

// lines returns the values that are signed, in their order.
func (e *envelope) lines() []line {
	lines := []line{{"Message", e.Text}, {"MessageId", e.ID}}
	switch {
	case e.Type != Notification:
		return append(lines, line{"SubscribeURL", e.SubscribeURL}, line{"Timestamp", e.timestamp}, line{"Token", e.Token},
			line{"TopicArn", e.TopicARN}, line{"Type", string(e.Type)})
	case e.hasSubject:
		lines = append(lines, line{"Subject", e.Subject})
	}
	return append(lines, line{"Timestamp", e.timestamp}, line{"TopicArn", e.TopicARN}, line{"Type", string(e.Type)})
}

// isUUID reports whether s is a UUID in lower case.
func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case (c < '0' || c > '9') && (c < 'a' || c > 'f'):
			return false
		}
	}
	return true
}

// hasControl reports whether s has a control character in it, such as a line feed.
func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}
