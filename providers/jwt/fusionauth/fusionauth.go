// Package fusionauth verifies webhooks of FusionAuth, from version 1.48.
//
// FusionAuth signs if that is switched on for the webhook: a JWT in the header
//
//	X-FusionAuth-Signature-JWT: eyJhbGciOiJSUzI1NiIs…
//
// Its claim request_body_sha256 is the SHA-256 of the body in base64. The key is made in
// FusionAuth's Key Master, and its kind decides about the algorithm, which you name: a token
// must not choose it. Public keys come from your FusionAuth, with the bounds of package
// keyfetch, so that a rotation there needs nothing here:
//
//	keys, err := fusionauth.Keys("https://auth.shop.example", jwt.RS256, nil)
//	…
//	v, err := fusionauth.New(jwt.RS256, keys, nil)
//
// An HMAC key is handed over by hand:
//
//	v, err := fusionauth.New(jwt.HS256, verify.Secrets(os.Getenv("FUSIONAUTH_HMAC_KEY")), nil)
//
// FusionAuth's set holds the public keys of all of its tokens. So whoever can have that
// FusionAuth sign a token with a claim request_body_sha256 of his choice, in a lambda for
// instance, can sign webhooks. With [verify.PublicKeys] and the one public key of the
// webhook, no other key of the set counts.
//
// # What the signature does not say
//
// It signs no time and no id: a request verifies as long as its key is known. The event's id
// and time stand in the body. Equal bodies are one event. Nor does it say for which URL the
// request is.
//
// Source: https://fusionauth.io/docs/extend/events-and-webhooks/signing.
package fusionauth

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/providers/jwt"
	"github.com/hooknotary/hooknotary/providers/keyfetch"
	"github.com/hooknotary/hooknotary/verify"
)

// Keys returns a source of the public keys of a FusionAuth, whose base URL is given:
// "https://auth.shop.example". They are fetched when the first token comes. A nil o is the
// zero Options. The algorithm is RS256, ES256 or EdDSA.
func Keys(url string, a jwt.Algorithm, o *keyfetch.Options) (verify.KeySource, error) {
	kind, ok := map[jwt.Algorithm]keyfetch.Kind{jwt.RS256: keyfetch.RSA, jwt.ES256: keyfetch.P256, jwt.EdDSA: keyfetch.Ed25519}[a]
	if !ok {
		return nil, errors.New("fusionauth: the algorithm is not RS256, ES256 or EdDSA: FusionAuth publishes no other keys")
	}
	keys, err := keyfetch.New(keyfetch.Endpoint{URL: strings.TrimSuffix(url, "/") + "/.well-known/jwks.json", Kind: kind}, o)
	if err != nil {
		return nil, fmt.Errorf("fusionauth: %w", err)
	}
	return Definition(a).ByKeyID(keys), nil
}

// New makes a verifier of tokens of one algorithm from keys: those of [Keys], or
// [verify.Secrets] or [verify.PublicKeys]. A nil o is the zero Options.
func New(a jwt.Algorithm, keys verify.KeySource, o *jwt.Options) (*jwt.Verifier, error) {
	return jwt.New(Definition(a), keys, o)
}

// Definition returns how FusionAuth signs with a key of that algorithm, as data.
func Definition(a jwt.Algorithm) jwt.Definition {
	return jwt.Definition{
		Provider:   "fusionauth",
		Header:     "X-FusionAuth-Signature-JWT",
		Algorithms: []jwt.Algorithm{a},
		Body:       jwt.BodyHash{Claim: "request_body_sha256", Encoding: jwt.Base64},
		MaxBody:    1 << 20, // FusionAuth states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Retention:  3 * 24 * time.Hour,
		About: verify.About{
			Title: "FusionAuth",
			NotCovered: []string{
				"the time: a request verifies as long as its key is known",
				"for which URL the request is",
			},
			Links: []string{"https://fusionauth.io/docs/extend/events-and-webhooks/signing"},
		},
	}
}
