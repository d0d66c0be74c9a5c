// Package front verifies application webhooks of Front.
//
// Front signs the time and the body of a webhook with the secret of the application:
// HMAC-SHA256 over "<time>:<body>", in the headers
//
//	x-front-signature: <44 characters of base64>
//	x-front-request-timestamp: 1700000000000
//
//	guard := middleware.Protect(front.Must(os.Getenv("FRONT_APP_SECRET")))
//
// The time is in milliseconds.
//
// No id of the event is signed that all webhooks have, so a webhook is known by its
// time and body. The documentation does not say whether a repeat is signed anew.
//
// # The handshake
//
// When the webhook is set, Front sends a request of the type sync, signed like any
// other, with x-front-challenge, and wants the value of that header back. The header
// is not signed, and the handler must answer.
//
// # What the signature does not say
//
// All accounts that install an application share its secret: authorization.id is in
// the body. Webhooks of a rule are signed with SHA-1, with another secret and without
// a time, in the same header, and are refused.
//
// Source: https://dev.frontapp.com/docs/application-webhooks.
package front

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.Secrets] of one application. A nil
// o is the zero Options. It returns an error for a secret that cannot be right, such as
// one that is too short.
func New(keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.New(Definition(), keys, o)
}

// Must makes a verifier from the secrets of one application: one, or several while they
// are changed. It panics where [New] returns an error, most often because an environment
// variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how Front signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "front",
		Signatures: []scheme.Signature{{Header: "X-Front-Signature", Encoding: scheme.Base64}},
		Timestamp:  scheme.Timestamp{Header: "X-Front-Request-Timestamp", Unit: scheme.Milliseconds},
		Message:    []scheme.Part{scheme.SignedTime(), scheme.Literal(":"), scheme.Body()},
		MaxBody:    1 << 20, // Front states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  3 * 24 * time.Hour,
		About: verify.About{
			Title: "Front",
			NotCovered: []string{
				"the account: all accounts of an application share its secret, so look at authorization.id in the body",
				"the challenge of the handshake (x-front-challenge)",
			},
			Links: []string{
				"https://dev.frontapp.com/docs/application-webhooks",
			},
		},
	}
}
