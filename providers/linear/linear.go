// Package linear verifies webhooks of Linear.
//
// Linear signs the body of a delivery with the secret of the webhook: HMAC-SHA256, in
// the header
//
//	Linear-Signature: <64 hex digits>
//
//	guard := middleware.Protect(linear.Must(os.Getenv("LINEAR_WEBHOOK_SECRET")))
//
// The time stands in the body, as webhookTimestamp in milliseconds, and so it is
// signed. It is judged when the signature holds: it may lie a minute on either side,
// as Linear asks for. The header Linear-Timestamp says the same, is not signed, and is
// not looked at.
//
// No id of the event is signed, so an event is known by its body. Linear repeats what
// failed after a minute, an hour and six hours. Linear waits 5 seconds for a response.
//
// # What the signature does not say
//
// The id (Linear-Delivery) and the kind (Linear-Event) in the headers are not signed;
// the body names the kind as type, and the action. The signature does not say for
// which workspace an event is: organizationId is in the body.
//
// Source: https://linear.app/developers/webhooks and
// https://github.com/linear/linear/blob/master/packages/sdk/src/webhooks/client.ts.
package linear

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.Secrets] of one endpoint. A nil o
// is the zero Options. It returns an error for a secret that cannot be right, such as
// one that is too short.
func New(keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.New(Definition(), keys, o)
}

// Must makes a verifier from the secrets of one endpoint: one, or several while they are
// changed. It panics where [New] returns an error, most often because an environment
// variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how Linear signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:     "linear",
		Signatures:   []scheme.Signature{{Header: "Linear-Signature"}},
		Timestamp:    scheme.Timestamp{Member: "webhookTimestamp", Unit: scheme.Milliseconds, Window: verify.Window{Past: time.Minute, Future: time.Minute}},
		Message:      []scheme.Part{scheme.Body()},
		UnsignedID:   "Linear-Delivery",
		UnsignedType: "Linear-Event",
		MaxBody:      1 << 20, // Linear states no limit; events are far smaller
		Retry:        verify.RetryIdentical,
		Retention:    3 * 24 * time.Hour, // retries go on for six hours
		About: verify.About{
			Title: "Linear",
			NotCovered: []string{
				"the id (Linear-Delivery), the kind (Linear-Event) and the time (Linear-Timestamp) in the headers",
				"for which workspace the event is: organizationId is in the body",
			},
			Credentials: []verify.Credential{
				{Prefix: "lin_api_", What: "an API key", Secret: true},
				{Prefix: "lin_oauth_", What: "an access token", Secret: true},
			},
			Links: []string{
				"https://linear.app/developers/webhooks",
				"https://github.com/linear/linear/blob/master/packages/sdk/src/webhooks/client.ts",
			},
		},
	}
}
