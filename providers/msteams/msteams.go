// Package msteams verifies outgoing webhooks of Microsoft Teams.
//
// Teams signs the body of a delivery, and nothing else, with the security token of the
// webhook: HMAC-SHA256, in base64, in the header
//
//	Authorization: HMAC <44 characters>
//
//	guard := middleware.Protect(msteams.Must(os.Getenv("TEAMS_SECURITY_TOKEN")))
//
// The security token is base64, whose bytes are the key. Teams shows it once, when the
// webhook is made.
//
// Teams waits five seconds, shows what the handler writes back in the conversation, and
// does not say that it sends a message again.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// All that is said of the sender and of the team stands in the body: look at
// from.aadObjectId and channelData.tenant.id.
//
// Equal bodies are one event. A message has an id and a time in its body.
//
// Source: https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/add-outgoing-webhook and https://github.com/OfficeDev/msteams-samples-outgoing-webhook-nodejs.
package msteams

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.Secrets] of one webhook. A nil o
// is the zero Options. It returns an error for a secret that cannot be right, such as
// one that is too short.
func New(keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.New(Definition(), keys, o)
}

// Must makes a verifier from the security tokens of one webhook: one, or several while
// they are changed. It panics where [New] returns an error, most often because an
// environment variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how Teams signs outgoing webhooks, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "msteams",
		Signatures: []scheme.Signature{{Header: "Authorization", Prefix: "HMAC ", Encoding: scheme.Base64}},
		Message:    []scheme.Part{scheme.Body()},
		Secret:     scheme.Secret{Encoding: scheme.Base64Secret},
		MaxBody:    1 << 20, // Teams states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour, // no time is signed, so as long as the guard would by itself
		About: verify.About{
			Title: "Microsoft Teams outgoing webhooks",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
			},
			Tell: verify.Tell{Headers: []string{"Authorization"}, Value: "HMAC "},
			Links: []string{
				"https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/add-outgoing-webhook",
				"https://github.com/OfficeDev/msteams-samples-outgoing-webhook-nodejs",
			},
		},
	}
}
