// Package helpscout verifies webhooks of Help Scout.
//
// Help Scout signs the body of a delivery, and nothing else, with the secret of the
// webhook: HMAC-SHA1, in base64, in the header
//
//	X-HelpScout-Signature: <28 characters>
//
//	guard := middleware.Protect(helpscout.Must(os.Getenv("HELPSCOUT_WEBHOOK_SECRET")))
//
// Help Scout offers nothing but SHA-1. As the hash of an HMAC it is not broken,
// although collisions of SHA-1 alone are known; the engine names it InsecureHMACSHA1
// all the same.
//
// Help Scout takes secrets of at most 40 characters; shorter ones than 16 are refused
// here.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// The name of the event (X-HelpScout-Event) is not signed, and the body does not have
// it.
//
// # Equal bodies
//
// Equal bodies are one event, unless the names of their events differ: a conversation
// that is made and assigned at once may be sent as convo.created and as convo.assigned
// with the same body. So the names of the definition keep events apart, at the price
// that a captured delivery can run once for each of them. Set scheme.Options.Partitions
// to the events of your endpoint, so that those are few. A webhook that sends
// notifications only (the address of what changed) has equal bodies often, and a later
// one does not run behind a guard while the store remembers the first: switch that off,
// or use no guard and verify in the handler with [New] and [verify.Verify].
//
// Source: https://developer.helpscout.com/webhooks, https://developer.helpscout.com/mailbox-api/endpoints/webhooks/create and https://github.com/helpscout/helpscout-api-php.
package helpscout

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

// Must makes a verifier from the secrets of one webhook: one, or several while they are
// changed. It panics where [New] returns an error, most often because an environment
// variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how Help Scout signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:     "helpscout",
		Signatures:   []scheme.Signature{{Header: "X-HelpScout-Signature", Encoding: scheme.Base64, Algorithm: scheme.InsecureHMACSHA1}},
		Message:      []scheme.Part{scheme.Body()},
		UnsignedType: "X-HelpScout-Event",
		Partition:    "X-HelpScout-Event",
		Partitions:   events(),
		MaxBody:      4 << 20, // Help Scout states no limit; a conversation with its threads is large
		Retry:        verify.RetryIdentical,
		Retention:    7 * 24 * time.Hour, // no time is signed, so as long as the guard would by itself
		About: verify.About{
			Title: "Help Scout",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
				"the name of the event (X-HelpScout-Event): equal bodies under different names are different events, and whoever replays a body can change the name",
			},
			Links: []string{
				"https://developer.helpscout.com/webhooks",
				"https://developer.helpscout.com/mailbox-api/endpoints/webhooks/create",
				"https://github.com/helpscout/helpscout-api-php",
			},
		},
	}
}

// events returns the names of the documentation.
func events() []string {
	return []string{
		"beacon.chat.created", "beacon.chat.customer.replied", "convo.agent.reply.created", "convo.assigned",
		"convo.created", "convo.custom-fields", "convo.customer.reply.created", "convo.deleted", "convo.merged",
		"convo.moved", "convo.note.created", "convo.status", "convo.tags", "customer.created", "customer.deleted",
		"customer.updated", "message.survey.response.received", "satisfaction.ratings", "tag.created", "tag.deleted",
		"tag.updated",
	}
}
