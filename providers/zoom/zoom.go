// Package zoom verifies webhooks of Zoom.
//
// Zoom signs the time and the body of an event with the secret token of the app:
// HMAC-SHA256 over "v0:<time>:<body>", in the headers
//
//	x-zm-signature: v0=<64 hex digits>
//	x-zm-request-timestamp: 1700000000
//
//	guard := middleware.Protect(zoom.Must(os.Getenv("ZOOM_WEBHOOK_SECRET_TOKEN")))
//
// No id of the event is signed, so an event is known by its time and body. Zoom
// repeats what was not acknowledged with 200 or 204 three times: after 5, 30 and 90
// minutes. Its documentation does not say whether a repeat is signed anew. Zoom waits
// 3 seconds for a response: queue what takes longer.
//
// # The handshake
//
// Zoom checks the URL of an endpoint with an event endpoint.url_validation, when it is
// set and every 72 hours. It is signed like any other. The guard answers it with the
// value of payload.plainToken and with its HMAC-SHA256 under the same secret token, and no
// handler runs. Whoever answers it himself makes signatures for whoever can send the event:
// the guard does so only behind the signature, and only for a token without a colon, which
// each signed message has.
//
// # What the signature does not say
//
// The signature does not say for which account and app an event is: payload.account_id
// is in the body, so check it there. The older header authorization holds a
// verification token, and proves nothing beside the signature.
//
// Source: https://developers.zoom.us/docs/api/webhooks/.
package zoom

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier from keys, for example [verify.Secrets] of one app. A nil o is
// the zero Options. It returns an error for a secret that cannot be right, such as one
// that is too short.
func New(keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.New(Definition(), keys, o)
}

// Must makes a verifier from the secrets of one app: one, or several while they are
// changed. It panics where [New] returns an error, most often because an environment
// variable is not set: a program that cannot verify must not start.
func Must(secrets ...string) *scheme.Verifier { return scheme.Must(Definition(), secrets...) }

// Definition returns how Zoom signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "zoom",
		Signatures: []scheme.Signature{{Header: "X-Zm-Signature", Prefix: "v0="}},
		Timestamp:  scheme.Timestamp{Header: "X-Zm-Request-Timestamp"}, // Zoom states no window
		Message:    []scheme.Part{scheme.Literal("v0:"), scheme.SignedTime(), scheme.Literal(":"), scheme.Body()},
		MaxBody:    1 << 20, // Zoom states no limit; events are far smaller
		Retry:      verify.RetryIdentical,
		Handshakes: []scheme.Handshake{{
			Kind: scheme.SignedHandshake, If: []scheme.Condition{{Name: "event", Value: "endpoint.url_validation"}},
			Member: "payload.plainToken", Response: `{"plainToken":"$challenge","encryptedToken":"$hmac_hex"}`,
		}},
		Retention: 24 * time.Hour, // retries go on for two hours
		About: verify.About{
			Title: "Zoom",
			NotCovered: []string{
				"for which account and app the event is: that is in the body, so check payload.account_id there",
				"the older verification token in the header authorization",
			},
			Links: []string{"https://developers.zoom.us/docs/api/webhooks/", "https://github.com/zoom/webhook-sample-node.js/blob/master/index.js"},
		},
	}
}
