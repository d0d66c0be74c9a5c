// Package plaid verifies webhooks of Plaid.
//
// Plaid signs with keys that change: a JWT with ECDSA over P-256 in the header
//
//	Plaid-Verification: eyJhbGciOiJFUzI1NiIs…
//
// Its claims are the time (iat) and the SHA-256 of the body in hexadecimal
// (request_body_sha256). The token names its key (kid), and Plaid's API returns the key to
// whoever has a client id and a secret. [Keys] asks for it, with the bounds of package
// keyfetch:
//
//	keys, err := plaid.Keys(plaid.Production, os.Getenv("PLAID_CLIENT_ID"), os.Getenv("PLAID_SECRET"), nil)
//	…
//	v, err := plaid.New(keys, nil)
//
// Plaid signs with one key for all of its clients. So a token proves that Plaid sent the
// request, and not that it is for you: look up item_id in your own records, as you do anyway.
//
// The body is hashed byte for byte: nothing may reformat it on the way.
//
// # Time
//
// A token is refused 5 minutes after it was signed, as Plaid's documentation asks for. Plaid
// retries for up to a day, so a retry must have a new token; it is a new message, and a
// handler can see it again after it has run. Make the handler idempotent by the webhook's
// code and the item.
//
// Source: https://plaid.com/docs/api/webhooks/webhook-verification/.
package plaid

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/providers/jwt"
	"github.com/hooknotary/hooknotary/providers/keyfetch"
	"github.com/hooknotary/hooknotary/verify"
)

// Environment is one of Plaid's environments. Each has keys of its own.
type Environment string

// The environments.
const (
	Production Environment = "production"
	Sandbox    Environment = "sandbox"
)

// Keys returns a source of Plaid's keys. They are fetched from Plaid's API when a token
// names them, with the client id and the secret of that environment, which no error repeats.
// A nil o is the zero Options.
//
// A key that Plaid says has expired is not known. If the client id or the secret is wrong,
// Plaid's API refuses, and no request verifies.
func Keys(e Environment, clientID, secret string, o *keyfetch.Options) (verify.KeySource, error) {
	if e != Production && e != Sandbox {
		return nil, errors.New("plaid: the environment is not Production or Sandbox")
	}
	for what, text := range map[string]string{"client id": clientID, "secret": secret} {
		if _, err := verify.NewKey("plaid", "credential", []byte(text)); err != nil {
			return nil, fmt.Errorf("plaid: the %s is no such text: %w", what, errors.Unwrap(err))
		}
	}
	keys, err := keyfetch.New(keyfetch.Endpoint{
		URL:       "https://" + string(e) + ".plaid.com/webhook_verification_key/get",
		ByID:      true,
		Kind:      keyfetch.P256,
		Member:    "key",
		Withdrawn: "expired_at",
		Prepare: func(r *http.Request, id string) error {
			body, err := json.Marshal(map[string]string{"client_id": clientID, "secret": secret, "key_id": id})
			if err != nil {
				return err
			}
			r.Method = http.MethodPost
			r.Body = io.NopCloser(bytes.NewReader(body))
			r.ContentLength = int64(len(body))
			r.Header.Set("Content-Type", "application/json")
			return nil
		},
	}, o)
	if err != nil {
		return nil, fmt.Errorf("plaid: %w", err)
	}
	return Definition().ByKeyID(keys), nil
}

// New makes a verifier from keys, those of [Keys] as a rule. A nil o is the zero Options.
func New(keys verify.KeySource, o *jwt.Options) (*jwt.Verifier, error) {
	return jwt.New(Definition(), keys, o)
}

// Must makes a verifier of one environment that fetches its keys. It panics where [Keys]
// returns an error, most often because an environment variable is not set: a program that
// cannot verify must not start.
func Must(e Environment, clientID, secret string) *jwt.Verifier {
	keys, err := Keys(e, clientID, secret, nil)
	if err == nil {
		var v *jwt.Verifier
		if v, err = New(keys, nil); err == nil {
			return v
		}
	}
	panic("plaid.Must: " + strings.TrimPrefix(err.Error(), "plaid: "))
}

// Definition returns how Plaid signs, as data.
func Definition() jwt.Definition {
	return jwt.Definition{
		Provider:   "plaid",
		Header:     "Plaid-Verification",
		Algorithms: []jwt.Algorithm{jwt.ES256},
		Body:       jwt.BodyHash{Claim: "request_body_sha256"},
		Time: jwt.Time{
			Claim:  "iat",
			Window: verify.Window{Past: 5 * time.Minute, Future: time.Minute},
			Leeway: time.Minute,
		},
		MaxBody:   1 << 20, // Plaid states no limit; events are far smaller
		Retry:     verify.RetryIdentical,
		Retention: 3 * 24 * time.Hour, // Plaid retries for a day
		About: verify.About{
			Title: "Plaid",
			NotCovered: []string{
				"for whom the request is: Plaid signs for all of its clients with the same key",
				"for which URL it is",
			},
			JSON:  verify.JSONStyle{Space: verify.JSONIndented},
			Links: []string{"https://plaid.com/docs/api/webhooks/webhook-verification/"},
		},
	}
}
