package sender

import (
	"crypto/x509"
	"net/http"
	"time"

	"github.com/hooknotary/hooknotary/verify"
)

// Settings is what an endpoint may choose, of all senders. What a sender does not know, see
// Sender.Words, has no effect. The zero value is the defaults.
type Settings struct {
	Tolerance   time.Duration     // how far the signed time may lie from the receive time; 0: the sender's
	MaxAge      time.Duration     // PayPal, Amazon SNS, Vonage SMS: the same, into the past alone
	URL         string            // of the endpoint, byte for byte, where it is signed
	VerifyToken string            // of a handshake that carries one
	Claims      map[string]string // of JSON Web Tokens: what claims must say

	Form        bool   // GitHub, Mailgun: forms, and not JSON
	JSONBody    bool   // Twilio: JSON, and not forms
	AnyQuery    bool   // Twilio: each request has a query of its own
	SHA256      bool   // Twilio: HMAC-SHA256
	SHA512      bool   // Vonage SMS: HMAC-SHA512
	BodyAlone   bool   // Hook0: the older signature
	QueryAlone  bool   // Bird: the older signature
	MainAccount bool   // Plivo: the main account's signature
	Sandbox     bool   // PayPal, Apple
	PublicKey   string // Braintree: answers the check of the URL
	MediaType   string // Amazon SNS
	CertFile    string // PayPal, Amazon SNS: where trusted certificates are remembered

	Roots, Intermediates []*x509.Certificate // PayPal, beside the system's
	Transport            http.RoundTripper   // PayPal, Amazon SNS; nil is the default

	InsecureAllowSHA1            bool // GitHub, Amazon SNS
	InsecureSHA1                 bool // eBay, which has nothing else; Vonage SMS
	InsecureAllowShortSecret     bool
	InsecureBodyNotCovered       bool
	InsecureDistinctByDeliveryID bool // GitHub
	InsecureAcceptSimulator      bool // PayPal
}

func (o *Settings) window() verify.Window {
	return verify.Window{Past: o.Tolerance, Future: o.Tolerance}
}
