// Package terraform verifies notifications of HCP Terraform and Terraform Enterprise.
//
// Terraform signs the body of a delivery, and nothing else, with the token of the
// configuration: HMAC-SHA256, in hexadecimal digits, in the header
//
//	X-TFE-Notification-Signature: <64 hex digits>
//
//	guard := middleware.Protect(terraform.Must(os.Getenv("TERRAFORM_NOTIFICATION_TOKEN")))
//
// A configuration without a token is not signed. When it is saved, Terraform sends a
// signed verification, and wants 200.
//
// Run tasks are signed alike, with their HMAC key, in another header:
//
//	d := terraform.Definition()
//	d.Signatures[0].Header = "X-TFC-Task-Signature"
//	v, err := scheme.New(d, verify.Secrets(os.Getenv("TERRAFORM_TASK_KEY")), nil)
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// Equal bodies are one event. Terraform's bodies name the run, its status and when that
// changed.
//
// Source: https://developer.hashicorp.com/terraform/cloud-docs/api-docs/notification-configurations and https://developer.hashicorp.com/terraform/cloud-docs/integrations/run-tasks.
package terraform

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.Secrets] of one configuration. A
// nil o is the zero Options. It returns an error for a secret that cannot be right,
// such as one that is too short.
func New(keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.New(Definition(), keys, o)
}

// Must makes a verifier from the tokens of one configuration: one, or several while
// they are changed. It panics where [New] returns an error, most often because an
// environment variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how Terraform signs notifications, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "terraform",
		Signatures: []scheme.Signature{{Header: "X-TFE-Notification-Signature", Algorithm: scheme.HMACSHA512}},
		Message:    []scheme.Part{scheme.Body()},
		MaxBody:    1 << 20, // Terraform states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  7 * 24 * time.Hour, // no time is signed, so as long as the guard would by itself
		About: verify.About{
			Title: "HCP Terraform",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
			},
			Links: []string{
				"https://developer.hashicorp.com/terraform/cloud-docs/api-docs/notification-configurations",
				"https://developer.hashicorp.com/terraform/cloud-docs/integrations/run-tasks",
			},
		},
	}
}
