// Package grafana verifies notifications of Grafana Alerting: those of a contact point
// of the kind webhook whose settings have an HMAC signature.
//
// Grafana signs the body of a notification with the secret of the contact point:
// HMAC-SHA256, in the header
//
//	X-Grafana-Alerting-Signature: <64 hex digits>
//
//	guard := middleware.Protect(grafana.Must(os.Getenv("GRAFANA_WEBHOOK_SECRET")))
//
// The name of the header is a setting, and so is the header of a time. With the
// latter, Grafana signs "<time>:<body>", and a copy can be refused as too old. Set it,
// and take its definition:
//
//	d := grafana.Definition()
//	d.Timestamp = scheme.Timestamp{Header: "X-Grafana-Alerting-Timestamp"} // as in the contact point
//	d.Message = []scheme.Part{scheme.SignedTime(), scheme.Literal(":"), scheme.Body()}
//	v, err := scheme.New(d, verify.Secrets(os.Getenv("GRAFANA_WEBHOOK_SECRET")), nil)
//
// Grafana repeats a notification that failed within its interval of groups. The body
// is written anew, with the same alerts.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// The signature does not say from which instance of Grafana a notification is: orgId
// and externalURL are in the body. Equal bodies are one event.
//
// Source:
// https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/
// and https://github.com/grafana/alerting/blob/main/http/hmac.go.
package grafana

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.Secrets] of one contact point. A
// nil o is the zero Options. It returns an error for a secret that cannot be right, such
// as one that is too short.
func New(keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.New(Definition(), keys, o)
}

// Must makes a verifier from the secrets of one contact point: one, or several while
// they are changed. It panics where [New] returns an error, most often because an
// environment variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how Grafana Alerting signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "grafana",
		Signatures: []scheme.Signature{{Header: "X-Grafana-Alerting-Signature"}},
		Message:    []scheme.Part{scheme.Body()},
		MaxBody:    4 << 20, // a group may hold any number of alerts
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour, // no time is signed, so longer than retries go on
		About: verify.About{
			Title: "Grafana Alerting",
			NotCovered: []string{
				"the time, unless the contact point names a header for it: a captured delivery verifies until the secret changes",
				"from which instance the notification is: orgId and externalURL are in the body",
			},
			Links: []string{
				"https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/",
				"https://github.com/grafana/alerting/blob/main/http/hmac.go",
			},
		},
	}
}
