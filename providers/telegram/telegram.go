// Package telegram verifies updates that Telegram sends to a bot.
//
// Telegram signs nothing. It sends the secret_token that the bot gave to setWebhook, 1
// to 256 letters, digits, underscores and hyphens, in the header
//
//	X-Telegram-Bot-Api-Secret-Token: <the text>
//
// Telegram lets a bot leave the secret_token out. An endpoint of this package refuses
// such updates.
// An update that fails is sent again a reasonable number of times, as Telegram says,
// without a number.
//
//	guard := middleware.Protect(telegram.InsecureMust(os.Getenv("TELEGRAM_SECRET_TOKEN")))
//
// # What is not proved
//
// The token proves no body and no time; see package token. The update_id of an update is
// in the body, so it is not proved either.
//
// Source: https://core.telegram.org/bots/api#setwebhook.
package telegram

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

// Definition returns where Telegram puts the token, as data.
func Definition() token.Definition {
	return token.Definition{
		Provider:  "telegram",
		Header:    "X-Telegram-Bot-Api-Secret-Token",
		MaxBody:   1 << 20, // Telegram states no limit; updates are far smaller
		Retry:     verify.RetryIdentical,
		Retention: 7 * 24 * time.Hour, // Telegram keeps updates for a day
		About: verify.About{
			Title: "Telegram",
			Links: []string{"https://core.telegram.org/bots/api#setwebhook"},
		},
	}
}
