// Package huggingface verifies webhooks of the Hugging Face Hub.
//
// The Hub signs nothing. It sends the secret that was entered for the webhook, in ASCII,
// in the header
//
//	X-Webhook-Secret: <the text>
//
// The Hub can also put the secret into the URL. It would stand in logs there, and this
// package does not look at it.
//
//	guard := middleware.Protect(huggingface.InsecureMust(os.Getenv("HF_WEBHOOK_SECRET")))
//
// # What is not proved
//
// The token proves no body and no time; see package token.
//
// Source: https://huggingface.co/docs/hub/webhooks.
package huggingface

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/token"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.Secrets] of one endpoint. The
// options must say InsecureBodyNotCovered. It returns an error for a token that cannot be
// right.
func New(keys verify.KeySource, o *token.Options) (*token.InsecureVerifier, error) {
	return token.New(Definition(), keys, o)
}

// InsecureMust makes a verifier from the tokens of one endpoint: one, or several while
// they are changed. It panics where [New] returns an error, most often because an
// environment variable is not set: a program that cannot verify must not start.
func InsecureMust(tokens ...string) *token.InsecureVerifier {
	return token.InsecureMust(Definition(), tokens...)
}

// Definition returns where Hugging Face puts the token, as data.
func Definition() token.Definition {
	return token.Definition{
		Provider:  "huggingface",
		Header:    "X-Webhook-Secret",
		MaxBody:   1 << 20, // the Hub states no limit; its payloads hold no content of files
		Retry:     verify.RetryIdentical,
		Retention: 7 * 24 * time.Hour, // the Hub does not say how it retries
		About: verify.About{
			Title:       "Hugging Face",
			Credentials: []verify.Credential{{Prefix: "hf_", What: "a user access token", Secret: true}},
			Links:       []string{"https://huggingface.co/docs/hub/webhooks"},
		},
	}
}
