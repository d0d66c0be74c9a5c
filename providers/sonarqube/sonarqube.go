// Package sonarqube verifies webhooks of SonarQube Cloud and SonarQube Server.
//
// SonarQube signs the body of a delivery, and nothing else, with the secret of the
// webhook: HMAC-SHA256, in hexadecimal digits, in the header
//
//	X-Sonar-Webhook-HMAC-SHA256: <64 hex digits>
//
//	guard := middleware.Protect(sonarqube.Must(os.Getenv("SONAR_WEBHOOK_SECRET")))
//
// A webhook without a secret is not signed. SonarQube does not send a delivery that
// failed again, so a repeat of a finished one is refused.
//
// # What the signature does not say
//
// No time is signed: a captured delivery verifies until the secret changes. Only the
// replay store can refuse it, so the protection lasts as long as the store's memory,
// and several processes must share one store.
//
// The project of X-SonarQube-Project is not signed: project.key in the body is.
//
// Equal bodies are one event. An analysis has an id (taskId) and a time in its body.
//
// Source: https://docs.sonarsource.com/sonarqube-cloud/advanced-setup/webhooks/ and https://docs.sonarsource.com/sonarqube-cloud/administering-sonarcloud/integrations/webhooks.
package sonarqube

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

// Definition returns how SonarQube signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "sonarqube",
		Signatures: []scheme.Signature{{Header: "X-Sonar-Webhook-HMAC-SHA256"}},
		Message:    []scheme.Part{scheme.Body()},
		MaxBody:    1 << 20, // SonarQube states no limit; events are far smaller
		Retry:      verify.RetryNever,
		Retention:  7 * 24 * time.Hour, // no time is signed, so as long as the guard would by itself
		About: verify.About{
			Title: "SonarQube",
			NotCovered: []string{
				"the time: none is signed, so a captured delivery verifies until the secret changes",
				"the project of X-SonarQube-Project: project.key in the body is signed",
			},
			Links: []string{
				"https://docs.sonarsource.com/sonarqube-cloud/advanced-setup/webhooks/",
				"https://docs.sonarsource.com/sonarqube-cloud/administering-sonarcloud/integrations/webhooks",
			},
		},
	}
}
