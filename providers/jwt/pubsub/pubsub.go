// Package pubsub verifies who pushes messages of Google Cloud Pub/Sub.
//
// A push subscription with authentication sends an OpenID Connect token of a service
// account, a JWT with RSA, in the header
//
//	Authorization: Bearer eyJhbGciOiJSUzI1NiIs…
//
// # The body is not covered
//
// The token says who sends, and nothing about the message. One token serves many messages,
// for an hour. Whoever sees one request can send any other message under its token until
// that expires. So use TLS up to this program, take nothing from the message that you can
// ask Google for, and say that you know with Options.InsecureBodyNotCovered:
//
//	keys, err := pubsub.Keys(nil)
//	…
//	v, err := pubsub.New(keys, &jwt.Options{
//		Claims: map[string]string{
//			"aud":   "https://shop.example/hooks/pubsub",
//			"email": "push@my-project.iam.gserviceaccount.com",
//		},
//		InsecureBodyNotCovered: true,
//	})
//
// # Whose token
//
// Google makes such tokens for every account and for any audience that somebody asks for.
// So both claims are required: aud is the audience of the subscription, which is its URL
// unless it was set, and email is the service account that you gave the subscription.
// Google says in email_verified that the address is proved.
//
// The keys are those of Google's set, fetched with the bounds of package keyfetch. Cloud
// Tasks, Cloud Scheduler and Eventarc send tokens of the same kind.
//
// # Repeats
//
// Pub/Sub delivers at least once. A guard knows a message by its token and body together, so
// a message that comes again under another token runs again: use message.messageId of the
// body to know it. It is as unproved as the rest of the body.
//
// Source: https://docs.cloud.google.com/pubsub/docs/authenticate-push-subscriptions.
package pubsub

import (
	"fmt"
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/providers/jwt"
	"github.com/hooknotary/hooknotary/providers/keyfetch"
	"github.com/hooknotary/hooknotary/verify"
)

// Keys returns a source of Google's keys. They are fetched when the first token comes. A nil
// o is the zero Options.
func Keys(o *keyfetch.Options) (verify.KeySource, error) {
	keys, err := keyfetch.New(keyfetch.Endpoint{URL: "https://www.googleapis.com/oauth2/v3/certs", Kind: keyfetch.RSA}, o)
	if err != nil {
		return nil, fmt.Errorf("pubsub: %w", err)
	}
	return Definition().ByKeyID(keys), nil
}

// New makes a verifier from keys, those of [Keys] as a rule. Options.Claims must have "aud"
// and "email", and Options.InsecureBodyNotCovered must be set.
func New(keys verify.KeySource, o *jwt.Options) (*jwt.Verifier, error) {
	return jwt.New(Definition(), keys, o)
}

// InsecureMust makes a verifier of tokens for an audience, of a service account with that
// email. Its name says that the token does not cover the body. It panics where [New] returns
// an error, most often because an environment variable is not set: a program that cannot
// verify must not start.
func InsecureMust(audience, email string) *jwt.Verifier {
	keys, err := Keys(nil)
	if err == nil {
		var v *jwt.Verifier
		v, err = New(keys, &jwt.Options{Claims: map[string]string{"aud": audience, "email": email}, InsecureBodyNotCovered: true})
		if err == nil {
			return v
		}
	}
	panic("pubsub.InsecureMust: " + strings.TrimPrefix(err.Error(), "pubsub: "))
}

// Definition returns how Pub/Sub authenticates, as data.
func Definition() jwt.Definition {
	return jwt.Definition{
		Provider:   "pubsub",
		Header:     "Authorization",
		Bearer:     true,
		Algorithms: []jwt.Algorithm{jwt.RS256},
		Claims: []jwt.Claim{
			jwt.Equal("iss", "https://accounts.google.com"),
			jwt.Given("aud"),
			jwt.Given("email"),
			jwt.True("email_verified"),
		},
		Time: jwt.Time{
			Claim:   "iat",
			Window:  verify.Window{Past: time.Hour + 5*time.Minute, Future: time.Minute},
			Expires: true, // after an hour
			Leeway:  time.Minute,
		},
		MaxBody:   14 << 20, // a message has up to 10 MB, which base64 makes a third more
		Retry:     verify.RetryIdentical,
		Retention: 7 * 24 * time.Hour, // as long as a subscription keeps a message, if nothing else is set
		About: verify.About{
			Title: "Google Pub/Sub",
			NotCovered: []string{
				"the body: whoever sees one request can send any other body under its token, for an hour",
				"the message's id, which stands in the body",
			},
			Links: []string{"https://docs.cloud.google.com/pubsub/docs/authenticate-push-subscriptions"},
		},
	}
}
