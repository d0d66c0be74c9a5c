package paypal

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/hooknotary/hooknotary/verify"
)

// The ids of findings that Explain contributes to a diagnosis. They are stable.
const (
	FindingWebhookID   = "paypal.webhook-id"  // of another webhook
	FindingEnvironment = "paypal.environment" // sandbox against live
	FindingSimulator   = "paypal.simulator"   // PayPal's simulator signed it
	FindingCertificate = "paypal.certificate" // not trusted
	FindingIPN         = "paypal.ipn"         // an IPN, which is another product and no webhook
	FindingUnconfirmed = "paypal.unconfirmed" // the signature holds, and PayPal does not confirm
)

// The ids that every diagnosis has.
const (
	headerMissing  = "header.missing"
	headerSHA1     = "header.sha1"
	secretUnusable = "secret.unusable"
)

// maxForm bounds the bytes of a body that is looked at as a form.
const maxForm = 1 << 20

var fixes = map[string]string{
	FindingWebhookID:   "Copy the webhook id from the webhook's entry in the Dashboard, for the app and the environment that send to this URL.",
	FindingEnvironment: "Give each environment an endpoint of its own, with Options.Sandbox and the webhook id of that environment.",
	FindingSimulator:   "Test with a real event of the sandbox, or in a test alone set Options.InsecureAcceptSimulator.",
	FindingCertificate: "Check PAYPAL-CERT-URL and, for a certificate under a new root, Options.Roots and Options.Intermediates.",
	FindingIPN:         "Register this URL as a webhook of the app in PayPal's Developer Dashboard, and take it out of the account's IPN settings.",
	FindingUnconfirmed: "Compare the event with PayPal's record of it: either the body was changed under its CRC-32, or the credentials are those of another app.",
}

// Explain says which of the mistakes that PayPal's users make a refusal looks like. It
// opens no connection.
func (v *Verifier) Explain(r *verify.Refusal) []verify.Hypothesis {
	one := func(id, format string, args ...any) []verify.Hypothesis {
		return []verify.Hypothesis{hypothesis(id, fmt.Sprintf(format, args...))}
	}
	reason := verify.ReasonOf(r.Err)
	mismatch := reason == verify.ErrMismatch || reason == verify.ErrForged
	switch {
	case r.Candidate != "":
		return one(FindingWebhookID, "The signature verifies with the webhook id of %s: the delivery is for another webhook than the configured one.", r.Candidate)
	case r.Other != nil && mismatch:
		return one(FindingWebhookID, "A verifier for another webhook of PayPal accepts the delivery.")
	case r.Other != nil:
		return one(FindingEnvironment, "A verifier for PayPal's other environment accepts the delivery: this is sandbox against live.")
	case r.Holds && reason != verify.ErrUnavailable && reason != verify.ErrMediaType:
		return one(FindingUnconfirmed, "The signature holds, but PayPal did not confirm the delivery when it was asked.")
	case r.Holds:
		return nil
	case mismatch:
		simulator := hypothesis(FindingSimulator, "PayPal's simulator signed this delivery, for the webhook id WEBHOOK_ID that all of its events have.")
		simulator.Verifier = &Verifier{webhookID: simulatorID, simulator: true, certs: v.certs, env: v.env, profile: v.profile}
		return append([]verify.Hypothesis{simulator},
			one(FindingWebhookID, "The signature is well-formed and PayPal's certificate is trusted, but it is not over this webhook id and this body.")...)
	case reason == verify.ErrUntrusted:
		if v.env.other().isCertURL(r.Head.Header.Get("Paypal-Cert-Url")) {
			return one(FindingEnvironment, "The delivery is from PayPal's sandbox where the verifier is for live, or the reverse: its certificate is on the other environment's host.")
		}
		h := hypothesis(FindingCertificate, "The certificate of the delivery is not trusted: ")
		if h.Cause = causeOf(r.Err); h.Cause == nil {
			h.Cause = reason
		}
		return []verify.Hypothesis{h}
	case reason == verify.ErrUnsigned || reason == verify.ErrMalformed:
		return explainHead(r)
	}
	return nil
}

func hypothesis(id, text string) verify.Hypothesis {
	return verify.Hypothesis{ID: id, Text: text, Fix: fixes[id]}
}

// explainHead says what is wrong with a head that is refused for its form.
func explainHead(r *verify.Refusal) []verify.Hypothesis {
	for i, name := range securityHeaders {
		if strings.Join(r.Head.Header[name], "") != "" {
			continue
		}
		switch {
		case i > 0:
			return []verify.Hypothesis{hypothesis(headerMissing, name+" is not there, and the scheme of paypal needs it beside the signature.")}
		case isIPN(r.Body):
			return []verify.Hypothesis{hypothesis(FindingIPN, "This is an IPN, which is an older product of PayPal than its webhooks: it has no signature in its headers.")}
		}
		return nil
	}
	if strings.HasPrefix(r.Head.Header.Get("Paypal-Auth-Algo"), "SHA1") {
		return []verify.Hypothesis{hypothesis(headerSHA1, "Paypal-Auth-Algo names SHA-1, and the verifier wants SHA-256.")}
	}
	return nil
}

// isIPN reports whether a body is that of an IPN: a form that carries what IPN's own check
// takes.
func isIPN(body []byte) bool {
	if len(body) > maxForm {
		return false
	}
	form, err := url.ParseQuery(string(body))
	return err == nil && form.Has("verify_sign") && (form.Has("ipn_track_id") || form.Has("txn_id") || form.Has("txn_type"))
}

// other returns the other environment.
func (e *environment) other() *environment {
	if e == live {
		return sandbox
	}
	return live
}

// simulatorError refuses the id of PayPal's simulator, and explains itself to a diagnosis.
type simulatorError struct{}

func (simulatorError) Error() string {
	return "WEBHOOK_ID is the id of PayPal's simulator, for which anyone can have events signed: put the id of your webhook in its place"
}

// Hypothesis says what the configured id is.
func (simulatorError) Hypothesis() verify.Hypothesis {
	return verify.Hypothesis{ID: secretUnusable, Text: "The configured webhook id is the one that PayPal's simulator signs with, and that of no webhook."}
}
