// Package saleor verifies webhooks of Saleor.
//
// Saleor signs with the RSA key of the shop: a detached JWS in the header
//
//	Saleor-Signature: eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiIs…..sK3x…
//
// It has no claims. What is signed is its header, a dot and the body as it is. The public
// key is in the shop's set of keys, and is fetched with the bounds of package keyfetch:
//
//	keys, err := saleor.Keys("https://shop.example/.well-known/jwks.json", nil)
//	…
//	v, err := saleor.New(keys, nil)
//
// The URL of the set is configuration. Saleor-Domain and Saleor-Api-Url of the request name
// the shop, too, and are not signed: an app that serves several shops gives each a URL and a
// verifier of its own.
//
// The id of Saleor's key is "1" as a rule, and may stay the same when the key changes. Then
// the new key is known when the set is fetched again, after an hour if Saleor says nothing
// else; Options.MaxAge of package keyfetch makes that shorter.
//
// # What the signature does not say
//
// It signs no time, no id and no URL: a request verifies as long as its key is known, at any
// endpoint. Equal bodies are one event. Saleor-Event, which says what happened, is not
// signed: use one URL for each event, or tell events by their bodies.
//
// A webhook with a secretKey, which Saleor calls deprecated, is signed in another way, and
// refused.
//
// Source: https://docs.saleor.io/developer/extending/webhooks/payload-signature and
// https://github.com/saleor/saleor, saleor/core/jwt_manager.py.
package saleor

import (
	"fmt"
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/providers/jwt"
	"github.com/hooknotary/hooknotary/providers/keyfetch"
	"github.com/hooknotary/hooknotary/verify"
)

// Keys returns a source of the keys of one shop. The URL is that of its set of keys, which
// ends in "/.well-known/jwks.json". They are fetched when the first request comes. A nil o
// is the zero Options.
func Keys(url string, o *keyfetch.Options) (verify.KeySource, error) {
	keys, err := keyfetch.New(keyfetch.Endpoint{URL: url, Kind: keyfetch.RSA}, o)
	if err != nil {
		return nil, fmt.Errorf("saleor: %w", err)
	}
	return Definition().ByKeyID(keys), nil
}

// New makes a verifier from keys: those of [Keys], or [verify.PublicKeys]. A nil o is the
// zero Options.
func New(keys verify.KeySource, o *jwt.Options) (*jwt.Verifier, error) {
	return jwt.New(Definition(), keys, o)
}

// Must makes a verifier that fetches the keys of one shop from the URL of its set. It panics
// where [Keys] returns an error, most often because an environment variable is not set: a
// program that cannot verify must not start.
func Must(url string) *jwt.Verifier {
	keys, err := Keys(url, nil)
	if err == nil {
		var v *jwt.Verifier
		if v, err = New(keys, nil); err == nil {
			return v
		}
	}
	panic("saleor.Must: " + strings.TrimPrefix(err.Error(), "saleor: "))
}

// Definition returns how Saleor signs, as data.
func Definition() jwt.Definition {
	return jwt.Definition{
		Provider:   "saleor",
		Header:     "Saleor-Signature",
		Detached:   true,
		Algorithms: []jwt.Algorithm{jwt.RS256},
		MaxBody:    1 << 20, // Saleor states no limit; a subscription query decides what an event holds
		Retry:      verify.RetryIdentical,
		Retention:  3 * 24 * time.Hour,
		About: verify.About{
			Title: "Saleor",
			NotCovered: []string{
				"the time: a request verifies as long as its key is known",
				"which event it is (Saleor-Event)",
				"for which URL or shop it is (Saleor-Domain, Saleor-Api-Url)",
			},
			Links: []string{"https://docs.saleor.io/developer/extending/webhooks/payload-signature"},
		},
	}
}
