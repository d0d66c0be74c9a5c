// Package manus verifies webhooks of Manus.
//
// Manus signs the time, the URL of the endpoint and the SHA-256 of the body, in lower-case
// hexadecimal: RSA (PKCS #1 v1.5) with SHA-256 over "<time>.<url>.<hash>", in the headers
//
//	X-Webhook-Signature: <344 characters of base64>
//	X-Webhook-Timestamp: 1700000000
//
// The public key comes from the call webhook.publicKey of the API, in PEM, and rarely
// changes. Keep the text with its line breaks. The URL is the one that is registered at
// Manus, with its query, byte for byte:
//
//	guard := middleware.Protect(manus.Must("https://shop.example/hooks/manus", os.Getenv("MANUS_WEBHOOK_KEY")))
//
// A delivery is known by its time, URL and body. Manus asks to refuse what is older than 5
// minutes, and does not say on that page how a delivery that failed is repeated.
//
// # What the signature does not say
//
// Manus signs for all accounts with one key. The URL is signed, so a delivery of another
// account's endpoint is refused, unless two have one URL. No header is signed but the time.
//
// Source: https://open.manus.ai/docs/v2/webhooks-security.
package manus

import (
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// New makes a verifier for the endpoint with this URL, as it is registered at Manus, from
// keys, for example [verify.PublicKeys] of one account. A nil o is the zero Options; the URL
// takes the place of o.URL. It returns an error for a URL or a key that cannot be right, such
// as PEM that lost its line breaks.
func New(url string, keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.NewAt(Definition(), url, keys, o)
}

// Must makes a verifier for the endpoint with this URL from Manus's public key: one, or
// several while Manus changes it. It panics where [New] returns an error, most often because
// an environment variable is not set: a program that cannot verify must not start.
func Must(url string, keys ...string) *scheme.Verifier {
	return scheme.MustAt(Definition(), url, keys...)
}

// Definition returns how Manus signs, as data.
func Definition() scheme.Definition {
	return scheme.Definition{
		Provider:   "manus",
		Signatures: []scheme.Signature{{Header: "X-Webhook-Signature", Encoding: scheme.Base64, Algorithm: scheme.RSASHA256}},
		Timestamp:  scheme.Timestamp{Header: "X-Webhook-Timestamp"},
		Message: []scheme.Part{
			scheme.SignedTime(), scheme.Literal("."), scheme.URL(), scheme.Literal("."), scheme.BodySHA256(),
		},
		MaxBody:   1 << 20, // Manus states no limit; events are far smaller
		Retry:     verify.RetryIdentical,
		Retention: 7 * 24 * time.Hour, // the page on signatures does not say how long repeats go on
		About: verify.About{
			Title:      "Manus",
			NotCovered: []string{"the Content-Type, and every other header"},
			Links:      []string{"https://open.manus.ai/docs/v2/webhooks-security"},
		},
	}
}
