// Package docusign verifies webhooks of DocuSign.
//
// DocuSign Connect signs the body of a delivery, and nothing else, with the HMAC keys
// of the account: HMAC-SHA256, in base64, in the header
//
//	X-DocuSign-Signature-1: <44 characters>
//
//	guard := middleware.Protect(docusign.Must(os.Getenv("DOCUSIGN_CONNECT_KEY")))
//
// With several active keys there is one header for each, numbered from 1, and any of
// them may match any of the secrets. Numbers up to 8 are read: do not keep more keys
// active.
//
// Only JSON is taken (the format of the Connect configuration), and XML is refused with
// 415. The body counts the attempts (retryCount), so a retry, which DocuSign makes for
// up to 15 days, is another body, which the store does not know: make the handler
// idempotent by data.envelopeId and event.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// X-Authorization-Digest, which names the algorithm, is not looked at: it is
// HMAC-SHA256, and the request must not choose.
//
// Equal bodies are one event. Each attempt has a body of its own, because the body
// counts them.
//
// Source: https://developers.docusign.com/platform/webhooks/connect/validate/ and https://developers.docusign.com/platform/webhooks/connect/hmac/.
package docusign

import (
	"strconv"
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.Secrets] of one account. A nil o
// is the zero Options. It returns an error for a secret that cannot be right, such as
// one that is too short.
func New(keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.New(Definition(), keys, o)
}

// Must makes a verifier from the HMAC keys of one account: one, or several while they
// are changed. It panics where [New] returns an error, most often because an
// environment variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how DocuSign Connect signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "docusign",
		Signatures: []scheme.Signature{{Header: "X-DocuSign-Signature-1", More: numbered(), Encoding: scheme.Base64}},
		Message:    []scheme.Part{scheme.Body()},
		MaxBody:    16 << 20, // a Connect message may hold the documents; switch that off, or set a larger one
		Retry:      verify.RetryIdentical,
		Retention:  16 * 24 * time.Hour, // retries go on for 15 days
		About: verify.About{
			Title: "DocuSign",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
				"which attempt it is but by what the body says (retryCount)",
			},
			Links: []string{
				"https://developers.docusign.com/platform/webhooks/connect/validate/",
				"https://developers.docusign.com/platform/webhooks/connect/hmac/",
			},
		},
	}
}

// numbered returns the names of the headers behind the first one.
func numbered() []string {
	var names []string
	for n := 2; n <= 8; n++ {
		names = append(names, "X-DocuSign-Signature-"+strconv.Itoa(n))
	}
	return names
}
