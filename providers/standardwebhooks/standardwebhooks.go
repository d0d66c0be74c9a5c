// Package standardwebhooks verifies webhooks of the many senders that sign as the
// specification Standard Webhooks says.
//
// A sender signs its id of the event, the time and the body with the secret of the
// endpoint: HMAC-SHA256 over "<id>.<time>.<body>", in the headers
//
//	webhook-id: msg_2b1QfXa0ZkC7u3Rr
//	webhook-timestamp: 1700000000
//	webhook-signature: v1,<44 characters of base64>
//
// The last one is a list with a blank between its items: while a secret is rotated, the
// sender signs with both. Items of another version than v1 are not looked at here.
//
// A sender that is known has a constant, which says how its secrets are written, which
// names its headers have, and where that is documented:
//
//	guard := middleware.Protect(standardwebhooks.Clerk.Must(os.Getenv("CLERK_WEBHOOK_SIGNING_SECRET")))
//
// Any other one that follows the specification is verified by the package's own Must:
//
//	guard := middleware.Protect(standardwebhooks.Must(os.Getenv("WEBHOOK_SECRET")))
//
// # Retries
//
// Each attempt is signed anew, at its own time and under the same id. So a repeat of
// what was handled is known by the id, a delivery that failed runs again, and a copy
// with an old time is refused.
//
// # What the signature does not say
//
// The signature does not say whom the event is for: two endpoints with one secret accept
// each other's deliveries. The Content-Type is not signed, nor is any header but the
// three. The type of the event is a member of the body, and so it is signed.
//
// Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md.
package standardwebhooks

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

const specification = "https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md"

// New makes a verifier for a sender that follows the specification from keys, for example
// [verify.Secrets] of one endpoint. A nil o is the zero Options. It returns an error for
// a secret that cannot be right: not base64 behind "whsec_", too short, or a key of the
// specification's other, asymmetric signatures ("whpk_…", "whsk_…") in its place.
func New(keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.New(Definition(), keys, o)
}

// Must makes a verifier for a sender that follows the specification from the secrets of
// one endpoint: one, or several while they are rotated. It panics where [New] returns an
// error, most often because an environment variable is not set: a program that cannot
// verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how the specification's symmetric signatures are made, as data.
// Secrets are base64, with "whsec_" in front or without it, as the specification's
// libraries take them.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider: "standardwebhooks",
		Signatures: []scheme.Signature{{
			Header: "Webhook-Signature", Field: "v1", Separator: " ", Assign: ",", Encoding: scheme.Base64,
		}},
		Timestamp: scheme.Timestamp{Header: "Webhook-Timestamp"}, // the libraries allow 5 minutes
		Message: []scheme.Part{
			scheme.Field("Webhook-Id"), scheme.Literal("."), scheme.SignedTime(), scheme.Literal("."), scheme.Body(),
		},
		ID:        scheme.ID{Header: "Webhook-Id"},
		Secret:    scheme.Secret{Encoding: scheme.Base64Secret, Prefix: "whsec_"},
		MaxBody:   1 << 20, // the specification recommends at most 20 KiB
		Retry:     verify.RetryResigned,
		Retention: 7 * 24 * time.Hour, // its schedule of retries ends after three days
		About: verify.About{
			Title: "Standard Webhooks",
			NotCovered: []string{
				"whom the event is for: two endpoints with one secret accept each other's deliveries",
				"the Content-Type, and all headers but the three",
			},
			SecretPrefix: "whsec_",
			Credentials: []verify.Credential{
				{Prefix: "whpk_", What: "the public key of an asymmetric signature"},
				{Prefix: "whsk_", What: "the private key of an asymmetric signature", Secret: true},
			},
			Tell:          verify.Tell{Name: "a provider of Standard Webhooks", Headers: []string{"Webhook-Signature", "Webhook-Id"}},
			Links:         []string{specification, "https://www.standardwebhooks.com"},
			OutsideVector: "a test of standard-webhooks/standard-webhooks",
		},
	}
}
