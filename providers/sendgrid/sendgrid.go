// Package sendgrid verifies the Event Webhook of Twilio SendGrid.
//
// SendGrid signs the time and the body of a delivery with the private key of the webhook:
// ECDSA on P-256 with SHA-256 over "<time><body>", in the headers
//
//	X-Twilio-Email-Event-Webhook-Signature: <base64 of the two numbers in DER>
//	X-Twilio-Email-Event-Webhook-Timestamp: 1700000000
//
// Signing is an option of the webhook. Its public key is the "Verification Key" that
// SendGrid shows when it is switched on, base64 in one line:
//
//	guard := middleware.Protect(sendgrid.Must(os.Getenv("SENDGRID_WEBHOOK_KEY")))
//
// The body is a list of events, and ends with a carriage return and a line feed, which are
// signed: whoever trims them breaks the signature. A delivery is known by its time and
// body. Each event has an id of its own, sg_event_id; the handler must look at it, because
// SendGrid may send an event in two deliveries.
//
// SendGrid's documentation names no window for the time. Five minutes are a choice of this
// package. It does not say either whether a delivery that failed is repeated with a new
// time. If repeats are refused as too old after an outage, have a definition of your own:
//
//	d := sendgrid.Definition()
//	d.Timestamp.Window.Past = 24 * time.Hour
//	v, err := scheme.New(d, verify.PublicKeys(os.Getenv("SENDGRID_WEBHOOK_KEY")), nil)
//
// # What the signature does not say
//
// A signature of ECDSA can be turned into another one that is as good, by anyone. So a
// signature identifies nothing here: both are one delivery.
//
// Nothing is signed beside the time and the body, and no mark stands between them; so a
// time must be digits alone, and within the window.
//
// Source: https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features
// and https://github.com/sendgrid/sendgrid-python (test/unit/test_eventwebhook.py).
package sendgrid

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.PublicKeys] of one webhook. A nil o
// is the zero Options. It returns an error for a key that cannot be right, such as an API
// key ("SG.…") in its place.
func New(keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.New(Definition(), keys, o)
}

// Must makes a verifier from the verification key of one webhook: one, or several while it
// is changed. It panics where [New] returns an error, most often because an environment
// variable is not set: a program that cannot verify must not start.
func Must(keys ...string) *scheme.Verifier { return scheme.Must(Definition(), keys...) }

// Definition returns how SendGrid signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider: "sendgrid",
		Signatures: []scheme.Signature{{
			Header: "X-Twilio-Email-Event-Webhook-Signature", Encoding: scheme.Base64, Algorithm: scheme.ECDSAP256SHA256,
		}},
		Timestamp: scheme.Timestamp{Header: "X-Twilio-Email-Event-Webhook-Timestamp"},
		Message:   []scheme.Part{scheme.SignedTime(), scheme.Body()},
		MaxBody:   4 << 20, // SendGrid collects events to a list, whose size it does not state on that page
		Retry:     verify.RetryIdentical,
		Retention: 7 * 24 * time.Hour, // the documentation of signatures does not say how long repeats go on
		About: verify.About{
			Title: "SendGrid",
			NotCovered: []string{
				"whether an event of the list was delivered before in another list: look at sg_event_id",
				"the Content-Type",
			},
			Credentials: []verify.Credential{{Prefix: "SG.", What: "an API key", Secret: true}},
			JSON:        verify.JSONStyle{Space: verify.JSONCompact},
			Links: []string{
				"https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features",
			},
			OutsideVector: "a test of sendgrid/sendgrid-python",
		},
	}
}
