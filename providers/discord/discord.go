// Package discord verifies requests of Discord: interactions and webhook events.
//
// Discord signs the time and the body of a request with the private key of the app:
// Ed25519 over "<time><body>", in the headers
//
//	X-Signature-Ed25519: <128 hex digits>
//	X-Signature-Timestamp: 1700000000
//
// The public key of the app is its "Public Key" on the page General Information, 64 hex
// digits:
//
//	guard := middleware.Protect(discord.Must(os.Getenv("DISCORD_PUBLIC_KEY")))
//
// An interaction is known by its id, which stands in the body. A webhook event has none
// there, and is known by its time and body. Discord repeats a webhook event that was not
// acknowledged for up to 10 minutes, and does not say whether a repeat is signed anew. Both
// must be answered within 3 seconds: queue what takes longer.
//
// # The handshake
//
// Discord checks an endpoint with a PING. It is signed like any other request. The guard
// answers an interaction of the type 1 with the JSON {"type":1}, and a webhook event of the
// type 0 with 204 and no body, and no handler runs; a webhook event of the type 1 is an
// event, which is told by its member "event". Discord also sends wrong signatures, now and
// then, and takes the URL away if one of them is not refused with 401, as the guard does.
//
// # What the signature does not say
//
// The media type is not signed. Nothing is signed beside the time and the body, and no
// mark stands between them; so a time must be digits alone, and within the window.
//
// Source: https://docs.discord.com/developers/interactions/overview and
// https://docs.discord.com/developers/events/webhook-events (retries).
package discord

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.PublicKeys] of one app. A nil o is
// the zero Options. It returns an error for a key that cannot be right, such as a token of
// the bot in its place.
func New(keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.New(Definition(), keys, o)
}

// Must makes a verifier from the public key of one app. It panics where [New] returns an
// error, most often because an environment variable is not set: a program that cannot
// verify must not start.
func Must(keys ...string) *scheme.Verifier { return scheme.Must(Definition(), keys...) }

// Definition returns how Discord signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "discord",
		Signatures: []scheme.Signature{{Header: "X-Signature-Ed25519", Algorithm: scheme.Ed25519}},
		Timestamp:  scheme.Timestamp{Header: "X-Signature-Timestamp"},
		Message:    []scheme.Part{scheme.SignedTime(), scheme.Body()},
		ID:         scheme.ID{Member: "id"},
		MaxBody:    1 << 20, // Discord states no limit; interactions are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  24 * time.Hour, // webhook events are repeated for 10 minutes
		Handshakes: []scheme.Handshake{
			{Kind: scheme.SignedHandshake, If: []scheme.Condition{{Name: "type", Value: "1"}}, Without: "event", Response: `{"type":1}`},
			{Kind: scheme.SignedHandshake, If: []scheme.Condition{{Name: "type", Value: "0"}}, Without: "event"},
		},
		About: verify.About{
			Title: "Discord",
			NotCovered: []string{
				"which kind of request it is: interactions and webhook events have the same headers, so give each a route of its own",
				"the Content-Type",
			},
			JSON: verify.JSONStyle{Space: verify.JSONCompact},
			Links: []string{
				"https://docs.discord.com/developers/interactions/overview",
				"https://docs.discord.com/developers/events/webhook-events",
			},
		},
	}
}
