// Package acuity verifies webhooks of Acuity Scheduling.
//
// Acuity signs the body of a delivery, and nothing else, with the API key: HMAC-SHA256,
// in base64, in the header
//
//	X-Acuity-Signature: <44 characters>
//
//	v := acuity.Must(os.Getenv("ACUITY_API_KEY"))
//	_, err := verify.Verify(ctx, v, &verify.Head{Header: r.Header, ReceivedAt: time.Now()}, body)
//
// The secret is the API key: that of the account's main administrator for webhooks that
// were made in the settings, that of the user for those that were made by the API. The
// body is a form:
//
//	action=scheduled&id=1&calendarID=2&appointmentTypeID=3
//
// It says which appointment or order changed, and not what it holds: fetch that by the
// API.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// # Equal bodies
//
// A body has no time, so an appointment that is rescheduled twice makes two equal
// bodies, and a store cannot tell the second one from a replay of the first: behind a
// guard it is acknowledged and does not run, for as long as the store remembers, which
// is three days or more. So use no guard where each change matters. Verify in the
// handler with [New] and [verify.Verify], which remember nothing, and limit the body
// there: a replay makes the handler fetch the appointment once more, which does no harm
// if the handler fetches. Behind a guard, look at appointments at intervals, too.
//
// Source: https://developers.acuityscheduling.com/docs/webhooks.
package acuity

import (
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

// Must makes a verifier from the API keys of one account: one, or several while they
// are changed. It panics where [New] returns an error, most often because an
// environment variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how Acuity Scheduling signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "acuity",
		MediaType:  "application/x-www-form-urlencoded",
		Signatures: []scheme.Signature{{Header: "X-Acuity-Signature", Encoding: scheme.Base64}},
		Message:    []scheme.Part{scheme.Body()},
		MaxBody:    64 << 10, // a notification is a short form
		Retry:      verify.RetryIdentical,
		Retention:  3 * 24 * time.Hour, // a guard takes no less where no time is signed; see the package comment on equal bodies
		About: verify.About{
			Title: "Acuity Scheduling",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
				"which of two equal notifications it is: a later one counts as a repeat, and behind a guard it does not run",
			},
			Links: []string{"https://developers.acuityscheduling.com/docs/webhooks"},
		},
	}
}
