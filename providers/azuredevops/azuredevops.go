// Package azuredevops verifies service hooks of Azure DevOps.
//
// Azure DevOps signs nothing. It sends the user and the password that were entered for
// the subscription as HTTP Basic authentication, over HTTPS only:
//
//	Authorization: Basic <base64 of user:password>
//
// A secret here is the text "user:password".
//
//	guard := middleware.Protect(azuredevops.InsecureMust(os.Getenv("AZURE_DEVOPS_HOOK_AUTH")))
//
// # What is not proved
//
// User and password prove no body and no time; see package token. The ids of the body
// (id, subscriptionId) are not proved either.
//
// Source: https://learn.microsoft.com/azure/devops/service-hooks/services/webhooks.
package azuredevops

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/token"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.Secrets] of one endpoint. The
// options must say InsecureBodyNotCovered. It returns an error for a user and password that cannot be
// right.
func New(keys verify.KeySource, o *token.Options) (*token.InsecureVerifier, error) {
	return token.New(Definition(), keys, o)
}

// InsecureMust makes a verifier from the credentials of one endpoint: one, or several while
// they are changed. It panics where [New] returns an error, most often because an
// environment variable is not set: a program that cannot verify must not start.
func InsecureMust(credentials ...string) *token.InsecureVerifier {
	return token.InsecureMust(Definition(), credentials...)
}

// Definition returns where Azure DevOps puts the user and password, as data.
func Definition() token.Definition {
	return token.Definition{
		Provider:  "azuredevops",
		Basic:     true,
		MaxBody:   4 << 20, // Azure DevOps states no limit
		Retry:     verify.RetryIdentical,
		Retention: 7 * 24 * time.Hour, // Azure DevOps does not say for how long it retries
		About: verify.About{
			Title: "Azure DevOps",
			Links: []string{"https://learn.microsoft.com/azure/devops/service-hooks/services/webhooks"},
		},
	}
}
